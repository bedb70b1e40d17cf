//! What each operation minds in particular: other hosts, hanging shutdowns, devices, names, edits by others, silence.

use super::*;

const SNAPSHOT: &str = "pre_talos_1_9";

#[tokio::test]
async fn a_guest_moves_to_another_host_and_is_read_back_there() {
    let lab = sized("load", 20).await;
    let all = lab
        .server
        .lab()
        .guests
        .values()
        .find(|guest| guest.is_up() && guest.family == guest::Family::Qemu)
        .cloned();
    let guest = all.unwrap();
    let other = if guest.node == "pve02" { "pve03" } else { "pve02" };
    let job = lab.on("proxmox.migrate", kinds::GUESTS, &guest.name, &[("target", other)]).await;
    let op = ops::all().into_iter().find(|op| op.name == "proxmox.migrate").unwrap();
    let form = lab.backend.form(&op, std::slice::from_ref(&job.target)).await.unwrap();
    assert!(form[0].check(other).is_ok() && form[0].check(&guest.node).is_err(), "{form:?}");
    let verdict = lab.backend.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Warn, "{:?}", verdict.evidence);
    let since = lab.now();
    let (receipt, _) = lab.run(&job).await;
    let proof = lab.proof(&job, receipt.unwrap().remote.as_deref(), since).await;
    assert_eq!(proof, Proof::Seen(format!("it is on {other}")));
    lab.world.set("proxmox.lose", "writes");
    let job = lab.on("proxmox.migrate", kinds::GUESTS, &guest.name, &[("target", "pve05")]).await;
    let (result, _) = lab.run(&job).await;
    assert!(matches!(result, Err(SendError::Unknown(_))), "{result:?}");
    assert!(matches!(lab.proof(&job, None, since).await, Proof::Seen(_)));
    lab.world.set("proxmox.permissions", r#"{"/":{"VM.Audit":1,"Sys.Audit":1}}"#);
    let job = lab.on("proxmox.migrate", kinds::GUESTS, &guest.name, &[("target", other)]).await;
    assert_eq!(lab.backend.preflight(&job).await.unwrap().decision, Decision::Refuse);
}

#[tokio::test]
async fn a_lone_host_has_nowhere_to_migrate_to() {
    let lab = lab("calm").await;
    let job = lab.on("proxmox.migrate", kinds::GUESTS, "talos-dev", &[("target", "pve")]).await;
    assert_eq!(lab.backend.preflight(&job).await.unwrap().decision, Decision::Refuse);
    let op = ops::all().into_iter().find(|op| op.name == "proxmox.migrate").unwrap();
    assert!(lab.backend.form(&op, &[job.target]).await.unwrap_err().fault.what.contains("only host"));
}

#[tokio::test]
async fn a_hard_stop_overrules_the_shutdown_that_hangs() {
    let lab = lab("calm").await;
    lab.world.set("proxmox.deaf", "100");
    let down = lab.on("proxmox.shutdown", kinds::GUESTS, "talos-prod-cp", &[("timeout", "1h")]).await;
    let stop = lab.job("proxmox.stop", "talos-prod-cp").await;
    let since = lab.now();
    let (sink, mut told) = mpsc::channel(1_000);
    let hanging = async {
        assert!(matches!(told.recv().await, Some(Progress::Accepted(_))));
        let verdict = lab.backend.preflight(&stop).await.unwrap();
        assert_eq!(verdict.decision, Decision::Warn, "{:?}", verdict.evidence);
        assert!(
            verdict.evidence.iter().any(|fact| fact.says.contains("hangs is broken off")),
            "{:?}",
            verdict.evidence
        );
        let (receipt, _) = lab.run(&stop).await;
        assert!(matches!(lab.proof(&stop, receipt.unwrap().remote.as_deref(), since).await, Proof::Seen(_)));
    };
    let (down, ()) = tokio::join!(lab.backend.operate(&down, sink), hanging);
    assert!(matches!(down, Err(SendError::Failed(_))), "{down:?}");
}

#[tokio::test]
async fn a_task_is_stopped_and_seen_to_have_ended() {
    let lab = lab("calm").await;
    let dump = lab
        .on(
            "proxmox.backup",
            kinds::GUESTS,
            "talos-prod-worker-1",
            &[("storage", "backup-hdd"), ("mode", "snapshot")],
        )
        .await;
    let (sink, mut told) = mpsc::channel(1_000);
    let stopping = async {
        let Some(Progress::Accepted(upid)) = told.recv().await else { panic!("not accepted") };
        let stop = lab.on("proxmox.stop-task", kinds::TASKS, &upid, &[]).await;
        let verdict = lab.backend.preflight(&stop).await.unwrap();
        assert_eq!(verdict.decision, Decision::Warn);
        let since = lab.now();
        lab.run(&stop).await.0.unwrap();
        assert!(
            matches!(lab.proof(&stop, None, since).await, Proof::Seen(words) if words.contains("interrupted"))
        );
        let again = lab.backend.preflight(&stop).await.unwrap();
        assert_eq!(again.decision, Decision::Refuse);
    };
    let (dumped, ()) = tokio::join!(lab.backend.operate(&dump, sink), stopping);
    assert!(matches!(dumped, Err(SendError::Failed(_))), "{dumped:?}");
}

#[tokio::test]
async fn a_backup_reports_its_percentages_while_it_runs() {
    let lab = lab("calm").await;
    let job = lab
        .on(
            "proxmox.backup",
            kinds::GUESTS,
            "talos-prod-worker-1",
            &[("storage", "backup-hdd"), ("mode", "snapshot")],
        )
        .await;
    let (receipt, told) = lab.run(&job).await;
    receipt.unwrap();
    let fractions: Vec<f32> = told
        .iter()
        .filter_map(|step| if let Progress::Step { fraction, .. } = step { *fraction } else { None })
        .collect();
    assert!(fractions.len() > 2 && fractions.is_sorted(), "{fractions:?}");
}

#[tokio::test]
async fn backing_up_a_stopped_machine_with_devices_takes_the_same_guard_as_starting_it() {
    let args = [("storage", "backup-hdd"), ("mode", "snapshot")];
    let fits = lab("calm").await;
    let job = fits.on("proxmox.backup", kinds::GUESTS, "windows-gaming", &args).await;
    let verdict = fits.backend.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Warn, "{:?}", verdict.evidence);
    let full = lab("gaming-refused").await;
    let job = full.on("proxmox.backup", kinds::GUESTS, "windows-gaming", &args).await;
    let verdict = full.backend.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Refuse);
    assert!(verdict.evidence.iter().any(|fact| fact.what == "plan" && fact.says.ends_with("= 68 of 64 GiB")));
}

#[tokio::test]
async fn impossible_snapshots_are_refused_beforehand() {
    let lab = lab("calm").await;
    let cases = [
        ("talos-prod-cp", "current", "false", "no name for a snapshot"),
        ("talos-prod-cp", "1st", "false", "no name for a snapshot"),
        ("talos-prod-cp", SNAPSHOT, "false", "already"),
        ("windows-gaming", "a", "true", "passed-through devices"),
        ("build-ct", "a", "true", "container"),
    ];
    for (guest, name, ram, part) in cases {
        let args = [("name", name), ("ram", ram)];
        let job = lab.on("proxmox.snapshot", kinds::GUESTS, guest, &args).await;
        let verdict = lab.backend.preflight(&job).await.unwrap();
        assert_eq!(verdict.decision, Decision::Refuse, "{guest} {args:?}");
        assert!(verdict.evidence.iter().any(|fact| fact.says.contains(part)), "{:?}", verdict.evidence);
    }
    let older = lab.on("proxmox.rollback", kinds::SNAPSHOTS, "pre_talos_1_8", &[]).await;
    let verdict = lab.backend.preflight(&older).await.unwrap();
    assert!(
        verdict.evidence.iter().any(|fact| fact.says.contains("delete first: pre_talos_1_9")),
        "{:?}",
        verdict.evidence
    );
    assert_eq!(verdict.decision, Decision::Refuse);
}

#[tokio::test]
async fn a_form_offers_what_the_server_has() {
    let lab = lab("calm").await;
    let target = lab.target("talos-prod-cp").await;
    let filled = async |name: &str| {
        let op = ops::all().into_iter().find(|op| op.name == name).unwrap();
        lab.backend.form(&op, std::slice::from_ref(&target)).await.unwrap()
    };
    let backup = filled("proxmox.backup").await;
    assert_eq!(backup[0].default, "backup-hdd");
    assert!(backup[0].check("local").is_ok() && backup[0].check("tank").is_err());
    let clone = filled("proxmox.clone").await;
    assert_eq!((clone[0].default.as_ref(), clone[1].default.as_ref()), ("102", "talos-prod-cp-copy"));
    assert_eq!(filled("proxmox.set-tags").await[0].default, "control-plane prod talos");
}

#[tokio::test]
async fn an_edit_by_somebody_else_in_between_is_not_overwritten() {
    let lab = lab("calm").await;
    let client = &lab.backend.client;
    let fields: client::Fields = vec![("tags", "mine".into()), ("digest", "0".repeat(40))];
    let result = client.send(reqwest::Method::PUT, "/nodes/pve/qemu/120/config", &fields).await;
    let Err(SendError::Refused(fault)) = result else { panic!("{result:?}") };
    assert!(fault.what.contains("detected modified configuration"), "{fault}");
}

#[tokio::test]
async fn a_host_is_woken_by_a_packet_of_our_own() {
    let lab = lab("calm").await;
    let ear = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut settings = lab.settings.clone();
    settings.wake_to = ear.local_addr().unwrap();
    settings.wake.insert("pve".into(), [1, 2, 3, 4, 5, 6]);
    settings.connection.url = "https://127.0.0.1:9".into();
    let asleep = quick(&settings, &lab.world.clock);
    let target = asleep.resolve(&kinds::NODES.into(), "pve").await.unwrap().remove(0);
    let awake = lab.on("proxmox.wake", kinds::NODES, "pve", &[]).await;
    let job = Job { target, ..awake };
    assert_eq!(asleep.preflight(&job).await.unwrap().decision, Decision::Allow);
    assert!(job.target.identity.conflicts(&asleep.identify(&job.target.id).await.unwrap()).is_empty());
    let (sink, _told) = mpsc::channel(8);
    let since = lab.now();
    asleep.operate(&job, sink).await.unwrap();
    let mut packet = [0; 128];
    assert_eq!(ear.recv_from(&mut packet).await.unwrap().0, 102);
    assert_eq!(packet[6..12], [1, 2, 3, 4, 5, 6]);
    assert!(matches!(asleep.verify(&job, None, since).await.unwrap(), Proof::Unclear(..)));
    assert!(matches!(lab.backend.verify(&job, None, since).await.unwrap(), Proof::Seen(_)));
    let unknown = Job {
        target: Target { id: EntityId::new(kinds::NODES, "pve", "other"), ..job.target.clone() },
        ..job
    };
    assert_eq!(asleep.preflight(&unknown).await.unwrap().decision, Decision::Refuse);
}

#[tokio::test]
async fn what_was_written_to_disk_goes_on_with_the_next_start() {
    let lab = lab("calm").await;
    let away = lab.on("proxmox.suspend", kinds::GUESTS, "talos-prod-cp", &[("todisk", "true")]).await;
    let since = lab.now();
    let (receipt, _) = lab.run(&away).await;
    let proof = lab.proof(&away, receipt.unwrap().remote.as_deref(), since).await;
    assert_eq!(proof, Proof::Seen("its memory is on disk and it is off".into()));
    let back = lab.job("proxmox.start", "talos-prod-cp").await;
    let verdict = lab.backend.preflight(&back).await.unwrap();
    assert!(verdict.evidence.iter().any(|fact| fact.says.contains("it resumes")), "{:?}", verdict.evidence);
    let (receipt, _) = lab.run(&back).await;
    assert!(matches!(lab.proof(&back, receipt.unwrap().remote.as_deref(), since).await, Proof::Seen(_)));
}

#[tokio::test]
async fn devices_and_storages_that_cannot_do_it_refuse_beforehand() {
    let lab = lab("calm").await;
    lab.server.lab().guests.get_mut(&110).unwrap().state = "running";
    let hang = [("newid", "500"), ("name", "copy"), ("full", "false")];
    let linked = lab.on("proxmox.clone", kinds::GUESTS, "talos-template", &hang).await;
    assert!(lab.backend.preflight(&linked).await.unwrap().decision < Decision::Blind);
    lab.server
        .lab()
        .guests
        .get_mut(&9000)
        .unwrap()
        .config
        .insert("scsi1".into(), "backup-hdd:x,size=1G".into());
    let cases = [
        (
            lab.on("proxmox.suspend", kinds::GUESTS, "windows-gaming", &[("todisk", "true")]).await,
            "passed-through",
        ),
        (linked, "no copy can hang on a disk in backup-hdd, local-zfs"),
    ];
    for (job, part) in cases {
        let verdict = lab.backend.preflight(&job).await.unwrap();
        assert_eq!(verdict.decision, Decision::Refuse, "{}: {:?}", job.op, verdict.evidence);
        assert!(verdict.evidence.iter().any(|fact| fact.says.contains(part)), "{:?}", verdict.evidence);
    }
}

/// A backup that runs, and the job that breaks it off.
async fn breaking_off(lab: &Lab) -> (Job, tokio::task::JoinHandle<()>) {
    let args = [("storage", "backup-hdd"), ("mode", "snapshot")];
    let dump = lab.on("proxmox.backup", kinds::GUESTS, "talos-prod-worker-1", &args).await;
    let (sink, mut told) = mpsc::channel(1_000);
    let other = quick(&lab.settings, &lab.world.clock);
    let dumping = tokio::spawn(async move {
        let _ = other.operate(&dump, sink).await;
    });
    let Some(Progress::Accepted(upid)) = told.recv().await else { panic!("not accepted") };
    (lab.on("proxmox.stop-task", kinds::TASKS, &upid, &[]).await, dumping)
}

#[tokio::test]
async fn a_task_of_others_is_not_ours_to_stop_and_a_lost_stop_is_seen_by_its_effect() {
    let lab = lab("calm").await;
    let (stop, dumping) = breaking_off(&lab).await;
    if let Some(task) = lab.server.lab().tasks.last_mut() {
        task.user = "root@pam".into();
        task.upid = task.upid.replace("vigie@pve!console", "root@pam");
    }
    let upid = lab.server.lab().tasks.last().unwrap().upid.clone();
    let theirs = lab.on("proxmox.stop-task", kinds::TASKS, &upid, &[]).await;
    lab.world.set("proxmox.permissions", r#"{"/":{"VM.Audit":1,"Sys.Audit":1}}"#);
    let verdict = lab.backend.preflight(&theirs).await.unwrap();
    assert_eq!(verdict.decision, Decision::Refuse, "{:?}", verdict.evidence);
    let (result, _) = lab.run(&theirs).await;
    let Err(SendError::Refused(fault)) = result else { panic!("{result:?}") };
    assert_eq!(fault.missing.as_deref(), Some("Sys.Modify on /nodes/pve"));
    dumping.abort();

    lab.world.set("proxmox.permissions", "");
    drop(stop);
    let (stop, dumping) = breaking_off(&lab).await;
    let since = lab.now();
    lab.world.set("proxmox.lose", "writes");
    let (result, _) = lab.run(&stop).await;
    assert!(matches!(result, Err(SendError::Unknown(_))), "{result:?}");
    let proof = lab.proof(&stop, None, since).await;
    assert!(matches!(&proof, Proof::Seen(words) if words.starts_with("it has ended")), "{proof:?}");
    dumping.abort();
}

#[tokio::test]
async fn a_shutdown_counts_down_while_the_guest_is_asked() {
    let lab = lab("calm").await;
    lab.world.set("proxmox.deaf", "100");
    let job = lab.on("proxmox.shutdown", kinds::GUESTS, "talos-prod-cp", &[("timeout", "20s")]).await;
    let (result, told) = lab.run(&job).await;
    assert!(matches!(result, Err(SendError::Failed(_))), "{result:?}");
    let counted = |step: &Progress| matches!(step, Progress::Step { note, .. } if note.ends_with(" s left"));
    assert!(told.iter().any(counted), "{told:?}");
    let op = ops::all().into_iter().find(|op| op.name == "proxmox.shutdown").unwrap();
    assert_eq!(op.fallback.as_deref(), Some("proxmox.stop"));
}
