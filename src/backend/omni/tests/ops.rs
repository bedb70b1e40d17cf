//! Operations against the simulator: what is done, refused, overtaken, and what becomes of a lost answer.

use super::*;

/// Lets the lab's time run twenty times a second, ten seconds each, until it is dropped.
pub(super) struct Passing(tokio::task::JoinHandle<()>);

impl Passing {
    pub(super) fn of(world: &Arc<World>) -> Self {
        let world = world.clone();
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(30)).await;
                world.clock.advance(SignedDuration::from_secs(6));
            }
        }))
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The job with what its check found frozen into it, as the gate does it.
pub(super) async fn judged(omni: &Omni, mut job: Job) -> (Job, Verdict) {
    let verdict = omni.preflight(&job).await.unwrap();
    job.target.identity = verdict.identity.clone().joined(&job.target.identity);
    (job, verdict)
}

pub(super) async fn send(omni: &Omni, job: &Job) -> Result<Receipt, SendError> {
    let (progress, mut steps) = mpsc::channel(64);
    let listening = tokio::spawn(async move { while steps.recv().await.is_some() {} });
    let sent = omni.operate(job, progress).await;
    listening.await.unwrap();
    sent
}

/// Looks until something is certain.
pub(super) async fn proof(omni: &Omni, job: &Job, since: Timestamp) -> Proof {
    for _ in 0..200 {
        match omni.verify(job, None, since).await.unwrap() {
            Proof::Unclear(..) => tokio::time::sleep(Duration::from_millis(20)).await,
            other => return other,
        }
    }
    Proof::Unclear("our patience is over".into(), String::new())
}

/// A form's values.
pub(super) type Form = &'static [(&'static str, &'static str)];

/// Operations that can succeed in the calm lab: name, kind, target, form.
const GOOD: [(&str, &str, &str, Form); 8] = [
    ("omni.lock", MACHINES, "talos-prod-worker-1", &[]),
    ("omni.lock", CLUSTERS, "prod", &[]),
    ("omni.reboot", MACHINES, "oci-node-2", &[("mode", "default")]),
    ("omni.power-off", MACHINES, "oci-node-2", &[]),
    ("omni.scale", MACHINE_SETS, "dev-ephemeral-8841-workers", &[("count", "2")]),
    ("omni.set-labels", MACHINES, "oci-node-2", &[("labels", "domain=cloud rack=r1 gpu")]),
    ("omni.etcd-backup", CLUSTERS, "prod", &[]),
    ("omni.patch", CLUSTERS, "prod", &[("name", "vlan"), ("patch", "machine:\n  network: {}\n")]),
];

#[tokio::test]
async fn what_is_done_is_read_back() {
    for (op, kind, name, args) in GOOD {
        let (world, _running, config) = lab().await;
        let omni = Omni::new(&config, &world.clock);
        let since = world.clock.now();
        let (job, verdict) = judged(&omni, job(&omni, op, kind, name, args).await).await;
        assert!(verdict.decision <= Decision::Warn, "{op}: {verdict:?}");
        send(&omni, &job).await.unwrap_or_else(|error| panic!("{op}: {error}"));
        let _passing = Passing::of(&world);
        let proof = proof(&omni, &job, since).await;
        assert!(matches!(proof, Proof::Seen(_)), "{op}: {proof:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_reading_back_tells_that_it_was_done() {
    for (op, kind, name, args) in GOOD {
        let (world, _running, config) = lab().await;
        let omni = Omni::new(&config, &world.clock);
        let since = world.clock.now();
        let (job, _) = judged(&omni, job(&omni, op, kind, name, args).await).await;
        for path in ["Create", "Update", "MachinePowerOff", "MachineService/Reboot"] {
            let service = match path {
                "MachinePowerOff" => "/api/management.ManagementService/",
                "MachineService/Reboot" => "/api/machine.",
                _ => "/api/omni.resources.ResourceService/",
            };
            world.inject(format!("omni:lost-answer@{service}{path}").parse().unwrap());
        }
        let error = send(&omni, &job).await.unwrap_err();
        assert!(matches!(error, SendError::Unknown(_)), "{op}: {error}");
        let _passing = Passing::of(&world);
        let proof = proof(&omni, &job, since).await;
        assert!(matches!(proof, Proof::Seen(_)), "{op}: {proof:?}");
    }
}

#[tokio::test]
async fn a_reader_is_refused_by_the_check_and_by_the_server() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    world.set("omni-role", "Reader");
    omni.arm(true);
    let missing = omni.rights().await.unwrap().missing;
    for (op, kind, name, args) in GOOD {
        assert_eq!(missing.get(op).map(String::as_str), Some("Operator"), "{op}");
        let (job, verdict) = judged(&omni, job(&omni, op, kind, name, args).await).await;
        assert_eq!(verdict.decision, Decision::Refuse, "{op}");
        let error = send(&omni, &job).await.unwrap_err();
        assert!(matches!(&error, SendError::Refused(fault) if fault.layer == Layer::Auth), "{op}: {error}");
    }
}

#[tokio::test]
async fn what_somebody_else_changed_meanwhile_is_shown_and_never_overwritten() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    // Judged first; then another hand changes the same resource.
    let (lock, _) = judged(&omni, job(&omni, "omni.lock", CLUSTERS, "prod", &[]).await).await;
    let (mine, _) = judged(&omni, job(&omni, "omni.lock", CLUSTERS, "prod", &[]).await).await;
    send(&omni, &lock).await.unwrap();
    let error = send(&omni, &mine).await.unwrap_err();
    let SendError::NotSent(fault) = &error else { panic!("{error}") };
    assert!(fault.what.contains("changed meanwhile: version 1 was judged, 2 is there now"), "{fault:?}");
    // Between our last look and the server's: the server refuses the version.
    let client = omni.client().unwrap();
    let draft =
        edit::fetch(client, <MachineSet as wire::Spec>::TABLE, "prod-workers").await.unwrap().unwrap();
    let mut first = draft.clone();
    first.labels().insert("team".into(), "infra".into());
    edit::update(client, &first).await.unwrap();
    let error = edit::update(client, &draft).await.unwrap_err();
    assert!(
        matches!(&error, SendError::Refused(fault) if fault.raw.contains("update conflict")),
        "{error:?}"
    );
}

#[tokio::test]
async fn nonsense_is_refused_before_anything_is_sent() {
    let cases: [(&str, &str, &str, Form, &str); 9] = [
        ("omni.unlock", MACHINES, "oci-node-2", &[], "not locked"),
        ("omni.lock", MACHINES, "oci-node-1", &[], "control planes"),
        ("omni.scale", MACHINE_SETS, "prod-workers", &[("count", "3")], "no class fills this set"),
        ("omni.scale", MACHINE_SETS, "dev-ephemeral-8841-workers", &[("count", "lots")], "is no number"),
        ("omni.scale", MACHINE_SETS, "dev-ephemeral-8841-control-planes", &[("count", "2")], "odd number"),
        (
            "omni.set-labels",
            MACHINES,
            "oci-node-2",
            &[("labels", "omni.sidero.dev/cluster=prod")],
            "Omni's own",
        ),
        ("omni.power-on", MACHINES, "oci-node-2", &[], "on already"),
        ("omni.patch", CLUSTERS, "prod", &[("name", "x"), ("patch", "just words")], "no mapping"),
        ("omni.patch", CLUSTERS, "prod", &[("name", "a/b"), ("patch", "a: 1")], "letters, digits"),
    ];
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    for (op, kind, name, args, part) in cases {
        let verdict = omni.preflight(&job(&omni, op, kind, name, args).await).await.unwrap();
        assert_eq!(verdict.decision, Decision::Refuse, "{op}");
        assert!(verdict.evidence.iter().any(|fact| fact.says.contains(part)), "{op}: {verdict:?}");
    }
}

#[tokio::test]
async fn a_node_that_fails_inside_a_good_answer_has_failed() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let (job, _) = judged(&omni, job(&omni, "omni.reboot", MACHINES, "talos-prod-worker-1", &[]).await).await;
    world.set("home", "off");
    let error = send(&omni, &job).await.unwrap_err();
    assert!(matches!(&error, SendError::Failed(fault) if fault.raw == "connection refused"), "{error:?}");
}

#[tokio::test]
async fn files_are_written_with_talosconfig_and_bundle_in_them() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let folder = tempfile::tempdir().unwrap();
    for (op, content) in [("omni.talosconfig", "context: omni-prod"), ("omni.support-bundle", "PK")] {
        let path = folder.path().join(op);
        let args = [("path", path.to_str().unwrap())];
        let (job, verdict) = judged(&omni, job(&omni, op, CLUSTERS, "prod", &args).await).await;
        assert_eq!(verdict.decision, Decision::Allow, "{verdict:?}");
        let since = Timestamp::now();
        send(&omni, &job).await.unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().starts_with(content));
        assert!(matches!(omni.verify(&job, None, since).await.unwrap(), Proof::Seen(_)));
    }
}

#[tokio::test]
async fn an_upgrade_passes_its_gate_and_is_followed_to_the_end() {
    for (op, version) in [("omni.upgrade-talos", "1.9.5"), ("omni.upgrade-kubernetes", "1.32.3")] {
        let (world, _running, config) = lab().await;
        let omni = Omni::new(&config, &world.clock);
        if op == "omni.upgrade-kubernetes" {
            // That version goes with the newer Talos only.
            let args = [("version", "1.9.5"), ("soak", "1m")];
            let (job, _) =
                judged(&omni, job(&omni, "omni.upgrade-talos", CLUSTERS, "cloud", &args).await).await;
            let _passing = Passing::of(&world);
            send(&omni, &job).await.unwrap();
        }
        let args = [("version", version), ("soak", "1m")];
        let (job, verdict) = judged(&omni, job(&omni, op, CLUSTERS, "cloud", &args).await).await;
        assert_eq!(verdict.decision, Decision::Warn, "{verdict:?}");
        let back = verdict.evidence.iter().find(|fact| fact.what == "way back").unwrap();
        assert!(back.says.starts_with(&format!("vigie do {op} cloud --set version=1.")), "{back:?}");
        let _passing = Passing::of(&world);
        let receipt = send(&omni, &job).await.unwrap_or_else(|error| panic!("{error}"));
        assert!(receipt.said.contains(version));
        assert!(matches!(proof(&omni, &job, world.clock.now()).await, Proof::Seen(_)));
    }
}

#[tokio::test]
async fn an_upgrade_is_refused_by_each_condition_of_its_gate() {
    let cases: [(&str, &str, &str, &str, &str); 5] = [
        ("home", "off", "omni.upgrade-talos", "1.9.5", "not ready, 0 of 2"),
        ("", "", "omni.upgrade-talos", "1.9.0", "1.9.0 already"),
        ("", "", "omni.upgrade-talos", "2.0.0", "offers 1.9.5 and not 2.0.0"),
        ("omni-prechecks", "deprecated API in use", "omni.upgrade-kubernetes", "1.32.3", "deprecated API"),
        ("later", "", "omni.upgrade-talos", "1.9.5", "save first"),
    ];
    for (flag, value, op, version, part) in cases {
        let (world, _running, config) = lab().await;
        let omni = Omni::new(&config, &world.clock);
        if flag == "later" {
            world.clock.advance(SignedDuration::from_hours(26));
        } else {
            world.set(flag, value);
        }
        let args = [("version", version), ("soak", "1m")];
        let verdict = omni.preflight(&job(&omni, op, CLUSTERS, "prod", &args).await).await.unwrap();
        assert_eq!(verdict.decision, Decision::Refuse, "{part}: {verdict:?}");
        assert!(verdict.evidence.iter().any(|fact| fact.says.contains(part)), "{part}: {verdict:?}");
    }
}

#[tokio::test]
async fn forms_offer_what_the_server_offers() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let offered = async |op: &str, kind: &str, name: &str, field: &str| {
        let target = omni.resolve(&kind.into(), name).await.unwrap();
        let spec = kinds::operations().into_iter().find(|spec| spec.name == op).unwrap();
        let form = omni.form(&spec, &target).await.unwrap();
        form.into_iter().find(|found| found.name == field).unwrap()
    };
    assert_eq!(offered("omni.upgrade-talos", CLUSTERS, "prod", "version").await.default, "1.9.5");
    assert_eq!(offered("omni.set-labels", MACHINES, "oci-node-2", "labels").await.default, "domain=cloud");
    let path = offered("omni.kubeconfig", CLUSTERS, "prod", "path").await.default;
    assert!(path.ends_with("/vigie/kubeconfig/omni-prod"), "{path}");
}

#[tokio::test]
async fn workers_can_be_held_back_until_the_control_plane_has_proven_a_version() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let args = [("version", "1.9.5"), ("soak", "1m"), ("workers", "wait")];
    let (job, verdict) =
        judged(&omni, job(&omni, "omni.upgrade-talos", CLUSTERS, "cloud", &args).await).await;
    assert_eq!(verdict.decision, Decision::Warn, "{verdict:?}");
    let _passing = Passing::of(&world);
    send(&omni, &job).await.unwrap_or_else(|error| panic!("{error}"));
    let proof = proof(&omni, &job, world.clock.now()).await;
    assert!(matches!(&proof, Proof::Seen(text) if text.contains("workers wait")), "{proof:?}");
    let talos = |rows: &[crate::model::row::Row], name: &str| {
        let row = rows.iter().find(|row| &*row.name == name).unwrap();
        (row.cell(4).value.to_json(), row.cell(9).value.to_json())
    };
    let rows = omni.poll(&source("machines")).await.unwrap().rows;
    assert_eq!(talos(&rows, "oci-node-1").0, "1.9.5");
    assert_eq!(talos(&rows, "oci-node-2"), ("1.9.0".into(), "update waits".into()));
    let machine = omni.resolve(&MACHINES.into(), "oci-node-2").await.unwrap().remove(0);
    let doc = super::describe(&omni, &machine.id).await;
    assert!(doc.contains("Talos 1.9.0 to 1.9.5"), "{doc}");
}

#[tokio::test]
async fn an_upgrade_minds_its_nodes_and_what_it_leaves_behind() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    world.set("omni-cordoned", "oci-node-2");
    let args = [("version", "1.9.5"), ("soak", "1m")];
    let (job, verdict) =
        judged(&omni, job(&omni, "omni.upgrade-talos", CLUSTERS, "cloud", &args).await).await;
    let says: Vec<&str> = verdict.evidence.iter().map(|fact| fact.says.as_str()).collect();
    assert!(says.contains(&"cordoned: oci-node-2"), "{says:?}");
    assert!(says.contains(&"no other cluster runs it yet"), "{says:?}");
    let _passing = Passing::of(&world);
    let receipt = send(&omni, &job).await.unwrap();
    assert!(receipt.said.contains("left cordoned: oci-node-2"), "{receipt:?}");
}

#[tokio::test]
async fn a_kubeconfig_is_merged_without_touching_what_is_there() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let known = "apiVersion: v1\nkind: Config\ncurrent-context: home\nclusters: [{name: home, cluster: {server: 'https://192.0.2.1'}}]\n\
        contexts: [{name: home, context: {cluster: home, user: me}}]\nusers: [{name: me, user: {token: abc}}]\n";
    std::fs::write(&path, known).unwrap();
    let args = [("path", path.to_str().unwrap()), ("merge", "true")];
    for name in ["prod", "cloud", "prod"] {
        let (job, verdict) = judged(&omni, job(&omni, "omni.kubeconfig", CLUSTERS, name, &args).await).await;
        assert_eq!(verdict.decision, Decision::Allow, "{verdict:?}");
        assert!(verdict.effect.starts_with("Merges into "), "{}", verdict.effect);
        send(&omni, &job).await.unwrap();
        assert!(matches!(omni.verify(&job, None, Timestamp::UNIX_EPOCH).await.unwrap(), Proof::Seen(_)));
    }
    let merged: serde_json::Value = serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(merged["current-context"], "home");
    let names: Vec<&str> =
        merged["contexts"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["home", "omni-prod", "omni-cloud"]);
    assert_eq!(merged["users"][0]["user"]["token"], "abc");
    // What is no kubeconfig is not touched at all.
    std::fs::write(&path, "just words").unwrap();
    let (_, verdict) = judged(&omni, job(&omni, "omni.kubeconfig", CLUSTERS, "prod", &args).await).await;
    assert_eq!(verdict.decision, Decision::Refuse, "{verdict:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "just words");
}

#[tokio::test]
async fn the_operators_key_is_used_only_while_writes_are_armed() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let called = || world.get("omni-called-by-vigie-operator");
    for kind in kinds::kinds() {
        let _ = omni.poll(&source(kind.id.name())).await;
    }
    let prod = omni.resolve(&CLUSTERS.into(), "prod").await.unwrap().remove(0);
    super::describe(&omni, &prod.id).await;
    for spec in kinds::operations() {
        omni.form(&spec, std::slice::from_ref(&prod)).await.unwrap();
    }
    omni.identify(&prod.id).await.unwrap();
    let rights = omni.rights().await.unwrap();
    assert!(rights.missing.is_empty() && rights.unknown.contains(&"omni.reboot".to_owned()), "{rights:?}");
    assert!(!rights.unknown.contains(&"omni.talosconfig".to_owned()));
    assert_eq!((called(), world.get("omni-called-by-vigie").is_empty()), (String::new(), false));
    assert!(omni.arm(true));
    assert_eq!(omni.rights().await.unwrap(), Rights::default());
    assert!(!called().is_empty());
    // What was learnt stays, and nothing is asked again with it.
    world.set("omni-called-by-vigie-operator", "");
    assert!(!omni.arm(false));
    assert_eq!(omni.rights().await.unwrap(), Rights::default());
    assert_eq!(called(), "");
}

#[tokio::test]
async fn a_suspended_operator_is_told_apart_from_one_with_too_low_a_role() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    world.set("omni-suspended", "vigie-operator");
    omni.arm(true);
    assert_eq!(omni.rights().await.unwrap().missing.get("omni.reboot").map(String::as_str), Some("Operator"));
    let (_, verdict) = judged(&omni, job(&omni, "omni.etcd-backup", CLUSTERS, "prod", &[]).await).await;
    assert_eq!(verdict.decision, Decision::Refuse);
    let says = &verdict.evidence.iter().find(|fact| fact.what == "role").unwrap().says;
    assert!(says.contains("vigie-operator is Reader") && says.contains("a suspended account"), "{says}");
}

#[tokio::test]
async fn an_archive_whose_stream_never_ends_or_never_starts_is_given_up() {
    let (world, _running, mut config) = lab().await;
    config.connection.timeout = Duration::from_secs(2);
    let omni = Omni::new(&config, &world.clock);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle.zip");
    let args = [("path", path.to_str().unwrap())];
    let (job, _) = judged(&omni, job(&omni, "omni.support-bundle", CLUSTERS, "prod", &args).await).await;
    for (fault, bundle, part) in [
        ("omni:502@/api/management", "", "502"),
        ("omni:truncated@/api/management", "", "without the bundle"),
        ("omni:timeout@/api/management", "", "no answer"),
        ("omni:endless@/api/management", "", "a line longer than"),
        ("", "silent", "no answer"),
        ("", "endless", "the collecting does not end"),
    ] {
        world.clear_faults();
        if !fault.is_empty() {
            world.inject(fault.parse().unwrap());
        }
        world.set("omni-bundle", bundle);
        let error = send(&omni, &job).await.unwrap_err();
        let told = format!("{error}");
        assert!(told.contains(part), "{fault}{bundle}: {told}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }
}
