use super::*;
use crate::backend::proxmox::client::Fields;
use crate::model::op::Verdict;
use reqwest::Method;

fn says(verdict: &Verdict, what: &str) -> String {
    let said = verdict.evidence.iter().filter(|fact| fact.what == what);
    said.map(|fact| fact.says.as_str()).collect::<Vec<_>>().join(" | ")
}

#[tokio::test]
async fn a_start_is_followed_to_its_end_and_read_back() {
    let lab = lab("calm").await;
    let job = lab.job("proxmox.start", "talos-dev").await;
    let verdict = lab.backend.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Allow, "{:?}", verdict.evidence);
    assert_eq!(verdict.effect, "starts talos-dev (120) on pve with 4 GiB of memory");
    assert!(says(&verdict, "plan").ends_with("= 36 of 64 GiB"), "{}", says(&verdict, "plan"));
    let since = lab.now();
    let (receipt, told) = lab.run(&job).await;
    let receipt = receipt.unwrap();
    assert_eq!(receipt.said, "OK");
    assert!(
        matches!(&told[0], Progress::Accepted(upid) if Some(upid) == receipt.remote.as_ref()),
        "{told:?}"
    );
    let proof = lab.backend.verify(&job, receipt.remote.as_deref(), since).await.unwrap();
    assert!(
        matches!(&proof, Proof::Seen(words) if words.contains("running") && words.contains("memory left")),
        "{proof:?}"
    );
    // The server's list still says `stopped`: what we saw ourselves is fresher.
    let snapshot = lab.backend.poll(&SourceId::new(ID, "pve", watch::RESOURCES)).await.unwrap();
    let row = snapshot.rows.iter().find(|row| row.id == job.target.id).unwrap();
    assert_eq!(row.health, Health::Ok);
}

#[tokio::test]
async fn one_guest_too_many_refuses_the_gaming_machine_and_names_the_remedy() {
    let lab = lab("gaming-refused").await;
    let job = lab.job("proxmox.start", "windows-gaming").await;
    let verdict = lab.backend.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Refuse);
    assert_eq!(
        says(&verdict, "plan"),
        "host 4 + ARC 8 + talos-prod-worker-1 12 + talos-dev 4 + talos-prod-cp 4 + this 32 + reserve 4 = 68 of 64 GiB"
    );
    assert_eq!(says(&verdict, "free it"), "shut down talos-dev (4 GiB)");
    assert!(says(&verdict, "measured").starts_with("TIGHT: "), "{}", says(&verdict, "measured"));
    assert_eq!(says(&verdict, "devices"), "0000:01:00 free on pve");
}

#[tokio::test]
async fn the_gaming_machine_fits_beside_production_alone() {
    let lab = lab("calm").await;
    let job = lab.job("proxmox.start", "windows-gaming").await;
    let verdict = lab.backend.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Allow, "{:?}", verdict.evidence);
    assert!(says(&verdict, "plan").ends_with("= 64 of 64 GiB"));
    assert!(says(&verdict, "measured").starts_with("SAFE: "), "{}", says(&verdict, "measured"));
}

#[tokio::test]
async fn a_device_that_another_guest_holds_refuses_the_start() {
    let lab = lab("calm").await;
    if let Some(dev) = lab.server.lab().guests.get_mut(&120) {
        dev.config.insert("hostpci0".into(), "mapping=gpu0,pcie=1".into());
        dev.state = "running";
    }
    let verdict = lab.backend.preflight(&lab.job("proxmox.start", "windows-gaming").await).await.unwrap();
    assert_eq!(says(&verdict, "devices"), "0000:01:00 is in use by talos-dev (120); shut that down first");
    assert_eq!(verdict.decision, Decision::Refuse);
}

#[tokio::test]
async fn what_cannot_be_seen_makes_the_check_blind() {
    let lab = lab("calm").await;
    let job = lab.job("proxmox.start", "windows-gaming").await;
    for (rights, needed) in [
        (r#"{"/vms":{"VM.Audit":1,"VM.PowerMgmt":1}}"#, "Sys.Audit on /nodes/pve"),
        (r#"{"/":{"Sys.Audit":1},"/vms/110":{"VM.Audit":1,"VM.PowerMgmt":1}}"#, "VM.Audit on /vms"),
    ] {
        lab.world.set("proxmox.permissions", rights);
        let verdict = lab.backend.preflight(&job).await.unwrap();
        assert_eq!(verdict.decision, Decision::Blind, "{rights}");
        assert!(verdict.evidence.iter().any(|fact| fact.says.contains(needed)), "{:?}", verdict.evidence);
    }
}

#[tokio::test]
async fn a_missing_right_is_named_before_and_by_the_server() {
    let lab = lab("calm").await;
    let job = lab.job("proxmox.start", "talos-dev").await;
    lab.world.set("proxmox.permissions", r#"{"/":{"VM.Audit":1,"Sys.Audit":1}}"#);
    let verdict = lab.backend.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Refuse);
    assert!(says(&verdict, "right").contains("VM.PowerMgmt on /vms/120"));
    let (result, told) = lab.run(&job).await;
    let SendError::Refused(fault) = result.unwrap_err() else { panic!("not refused") };
    assert_eq!(fault.missing.as_deref(), Some("VM.PowerMgmt on /vms/120"));
    assert!(told.is_empty() && lab.tasks("qmstart") == 1, "nothing was made beside the past");
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_the_task_it_made_is_found_again() {
    let lab = lab("calm").await;
    for (fault, op, guest, kind) in [
        ("proxmox:lost-answer*1", "proxmox.start", "talos-dev", "qmstart"),
        ("proxmox:lost-answer*1", "proxmox.shutdown", "talos-prod-cp", "qmshutdown"),
    ] {
        let job = lab.job(op, guest).await;
        let (before, since) = (lab.tasks(kind), lab.now());
        lab.world.inject(fault.parse().unwrap());
        let (result, _) = lab.run(&job).await;
        assert!(matches!(result, Err(SendError::Unknown(_))), "{result:?}");
        assert_eq!(lab.tasks(kind), before + 1, "sent exactly once");
        let proof = lab.proof(&job, None, since).await;
        assert!(matches!(proof, Proof::Seen(_)), "{proof:?}");
        assert_eq!(lab.tasks(kind), before + 1, "reading back sends nothing");
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_leaves_the_outcome_unknown() {
    let lab = lab("calm").await;
    let job = lab.job("proxmox.start", "talos-dev").await;
    let since = lab.now();
    lab.world.inject("proxmox:reset*1".parse().unwrap());
    let (result, _) = lab.run(&job).await;
    assert!(matches!(result, Err(SendError::Unknown(_))), "{result:?}");
    // The request never arrived; for a while that cannot be told from one that is late.
    let proof = lab.proof(&job, None, since).await;
    assert_eq!(proof, Proof::Absent("it is stopped, and no task of ours is listed".into()));
}

#[tokio::test]
async fn a_host_that_is_off_is_sent_nothing() {
    let lab = lab("calm").await;
    let job = lab.job("proxmox.start", "talos-dev").await;
    let mut gone = lab.settings.clone();
    gone.connection.url = "https://127.0.0.1:9".to_owned();
    let backend = quick(&gone, &lab.world.clock);
    let (sink, _source) = mpsc::channel(8);
    let result = backend.operate(&job, sink).await;
    let Err(SendError::NotSent(fault)) = result else { panic!("{result:?}") };
    assert_eq!(fault.layer, Layer::Tcp);
    assert!(fault.hint.contains("the host is up"), "{}", fault.hint);
}

#[tokio::test]
async fn a_guest_that_does_not_hear_fails_and_says_what_is_left() {
    let lab = lab("calm").await;
    lab.world.set("proxmox.deaf", "101");
    let mut job = lab.job("proxmox.shutdown", "talos-prod-worker-1").await;
    job.args.insert("timeout".into(), "20s".into());
    let verdict = lab.backend.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Warn);
    assert!(says(&verdict, "tags").contains("prod"), "{:?}", verdict.evidence);
    let since = lab.now();
    let (result, told) = lab.run(&job).await;
    let Err(SendError::Failed(fault)) = result else { panic!("{result:?}") };
    assert!(fault.what.contains("got timeout") && fault.hint.contains("hard stop"), "{fault:?}");
    let Some(Progress::Accepted(upid)) = told.first() else { panic!("{told:?}") };
    let proof = lab.backend.verify(&job, Some(upid), since).await.unwrap();
    assert!(matches!(proof, Proof::Absent(_)), "{proof:?}");
}

#[tokio::test]
async fn starting_what_runs_is_refused_before_and_fulfilled_after() {
    let lab = lab("calm").await;
    let job = lab.job("proxmox.start", "talos-prod-cp").await;
    let verdict = lab.backend.preflight(&job).await.unwrap();
    assert_eq!(says(&verdict, "state"), "it is running already");
    let (result, _) = lab.run(&job).await;
    assert!(result.unwrap().said.contains("already running"));
}

#[tokio::test]
async fn a_lock_that_no_task_stands_behind_is_called_stale() {
    let lab = lab("calm").await;
    lab.server.lab().guests.get_mut(&120).unwrap().lock = Some("backup");
    let job = lab.job("proxmox.start", "talos-dev").await;
    let verdict = lab.backend.preflight(&job).await.unwrap();
    assert!(says(&verdict, "lock").contains("run `qm unlock 120`"), "{}", says(&verdict, "lock"));
    let mut left = lab.server.lab().tasks[0].clone();
    let began = lab.now().as_second() - 3_600;
    left.upid = format!("UPID:pve:00000001:00000001:{began:08X}:vzdump:120:root@pam:");
    (left.user, left.starts, left.ends) = ("root@pam".into(), began, began + 60);
    lab.server.lab().tasks.push(left);
    let verdict = lab.backend.preflight(&job).await.unwrap();
    assert!(
        says(&verdict, "lock").contains("left by backup of root@pam from 2026-11-02"),
        "{}",
        says(&verdict, "lock")
    );
    let (result, _) = lab.run(&job).await;
    let Err(SendError::Failed(fault)) = result else { panic!("{result:?}") };
    assert!(fault.what.contains("VM is locked (backup)") && fault.hint.contains("qm unlock"), "{fault:?}");
}

#[tokio::test]
async fn a_number_that_was_given_to_another_guest_is_another_identity() {
    let lab = lab("calm").await;
    let job = lab.job("proxmox.start", "talos-dev").await;
    let frozen = lab.backend.preflight(&job).await.unwrap().identity;
    assert!(frozen.conflicts(&lab.backend.identify(&job.target.id).await.unwrap()).is_empty());
    lab.server.lab().guests.get_mut(&120).unwrap().config.insert("smbios1".into(), "uuid=other".into());
    let now = lab.backend.identify(&job.target.id).await.unwrap();
    assert_eq!(&*frozen.conflicts(&now)[0].fact, "uuid");
    lab.server.lab().guests.get_mut(&120).unwrap().name = "someone-else".into();
    let now = lab.backend.identify(&job.target.id).await.unwrap();
    assert!(job.target.identity.conflicts(&now).iter().any(|conflict| &*conflict.fact == "name"));
    lab.server.lab().guests.remove(&120);
    let error = lab.backend.identify(&job.target.id).await.unwrap_err();
    assert!(error.fault.what.contains("no qemu/120 any more"), "{error}");
}

#[tokio::test]
async fn a_guest_that_moved_is_found_and_is_another_identity() {
    let lab = sized("load", 20).await;
    let target = lab.target("web-00000").await;
    lab.server.lab().guests.get_mut(&100).unwrap().node = "pve02".into();
    let now = lab.backend.identify(&target.id).await.unwrap();
    let conflicts = target.identity.conflicts(&now);
    assert_eq!((&*conflicts[0].fact, &*conflicts[0].now), ("node", "pve02"));
}

#[tokio::test]
async fn the_simulated_server_refuses_what_the_real_one_refuses() {
    let lab = lab("calm").await;
    let client = &lab.backend.client;
    let odd: Fields = vec![("bogus", "1".into()), ("timeout", "abc".into())];
    let path = "/nodes/pve/qemu/110/status/start";
    let Err(SendError::Refused(fault)) = client.send(Method::POST, path, &odd).await else {
        panic!("accepted")
    };
    assert_eq!(fault.status, Some(400));
    assert!(
        fault.what.contains("bogus: property is not defined") && fault.what.contains("got 'abc'"),
        "{fault}"
    );
    let error = client.get::<wire::Version>("/nodes/pve/qemu/999/config").await.unwrap_err();
    assert_eq!(error.fault.raw, "Configuration file 'nodes/pve/qemu-server/999.conf' does not exist");
    let error = client.get::<wire::Version>("/nodes/pve/nothing").await.unwrap_err();
    assert_eq!(error.fault.status, Some(501));
    let Err(SendError::Unknown(fault)) =
        client.send(Method::POST, "/nodes/gone/vzdump", &Fields::new()).await
    else {
        panic!("certain")
    };
    assert_eq!(fault.status, Some(595));
    assert_eq!(fault.raw, "No route to host");
}
