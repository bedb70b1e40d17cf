//! Short-lived clusters against the simulator: born, ready, taken down, proven gone; and everything that must not happen.

use super::ops::{Form, Passing, judged, proof, send};
use super::*;

async fn making(omni: &Omni, id: &str, args: &[(&str, &str)]) -> Job {
    let spec = kinds::operations().into_iter().find(|spec| spec.name == "omni.ephemeral-create").unwrap();
    let form = omni.form(&spec, &[]).await.unwrap();
    let mut all: BTreeMap<String, String> =
        form.iter().map(|field| (field.name.to_string(), field.default.to_string())).collect();
    all.extend(args.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let target = Target {
        id: EntityId::new(CLUSTERS, "omni", id),
        name: id.into(),
        identity: Identity::new(),
        domain: Domain::Cloud,
    };
    Job {
        run: RunId("run".into()),
        op: "omni.ephemeral-create".into(),
        target,
        args: all,
        reason: None,
        operator: "admin1".into(),
    }
}

async fn destroy(omni: &Omni, op: &str, name: &str, args: &[(&str, &str)]) -> (Job, Verdict) {
    judged(omni, job(omni, op, CLUSTERS, name, args).await).await
}

fn against(verdict: &Verdict) -> Vec<&str> {
    let against = verdict.evidence.iter().filter(|fact| fact.tone == crate::model::row::Tone::Error);
    against.map(|fact| fact.says.as_str()).collect()
}

#[tokio::test]
async fn a_leak_is_reaped_and_a_new_cluster_is_born_ready_and_taken_down() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let _passing = Passing::of(&world);
    // The leak is in the way of a new one.
    let verdict = omni.preflight(&making(&omni, "8842", &[]).await).await.unwrap();
    assert!(
        against(&verdict).iter().any(|why| why.contains("take down dev-ephemeral-8841 first")),
        "{verdict:?}"
    );
    let (reap, verdict) = destroy(&omni, "omni.reap", "dev-ephemeral-8841", &[]).await;
    assert!(verdict.decision <= Decision::Warn, "{verdict:?}");
    send(&omni, &reap).await.unwrap();
    assert!(
        matches!(proof(&omni, &reap, world.clock.now()).await, Proof::Seen(text) if text.contains("no machine or claim"))
    );
    // Now there is room.
    let make = making(&omni, "8842", &[("owner", "ci-run-8842")]).await;
    let verdict = omni.preflight(&make).await.unwrap();
    assert_eq!(verdict.decision, Decision::Allow, "{verdict:?}");
    send(&omni, &make).await.unwrap();
    assert!(matches!(proof(&omni, &make, world.clock.now()).await, Proof::Seen(_)));
    let row = omni.poll(&source("clusters")).await.unwrap().rows.remove(1);
    assert_eq!((&*row.name, row.health), ("dev-ephemeral-8842", Health::Ok));
    let cell = |name: &str| row.cell(kinds::kinds()[0].column(name).unwrap()).value.to_json();
    assert_eq!(cell("owner"), "ci-run-8842");
    assert!(cell("expires").is_string());
    // A reap does not touch what still lives; a destroy does.
    let (_, verdict) = destroy(&omni, "omni.reap", "dev-ephemeral-8842", &[]).await;
    assert!(against(&verdict)[0].contains("no leak"), "{verdict:?}");
    let (destroy, _) = destroy(&omni, "omni.ephemeral-destroy", "dev-ephemeral-8842", &[]).await;
    send(&omni, &destroy).await.unwrap();
    assert!(matches!(proof(&omni, &destroy, world.clock.now()).await, Proof::Seen(_)));
}

#[tokio::test]
async fn nothing_but_an_ephemeral_cluster_is_ever_destroyed() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    for name in ["prod", "cloud"] {
        let (job, verdict) = destroy(&omni, "omni.ephemeral-destroy", name, &[]).await;
        assert_eq!(verdict.decision, Decision::Refuse);
        assert!(matches!(send(&omni, &job).await, Err(SendError::NotSent(_))));
    }
    // The right name alone is not enough: a machine set of it is filled by hand.
    let client = omni.client().unwrap();
    let table = <MachineSet as wire::Spec>::TABLE;
    let mut set = edit::fetch(client, table, "dev-ephemeral-8841-workers").await.unwrap().unwrap();
    set.spec().remove("machine_allocation");
    edit::update(client, &set).await.unwrap();
    let (job, verdict) = destroy(&omni, "omni.ephemeral-destroy", "dev-ephemeral-8841", &[]).await;
    assert!(against(&verdict).iter().any(|why| why.contains("is filled by hand")), "{verdict:?}");
    assert!(matches!(send(&omni, &job).await, Err(SendError::NotSent(_))));
    assert_eq!(omni.poll(&source("clusters")).await.unwrap().rows.len(), 3);
}

#[tokio::test]
async fn a_destroy_that_an_unreachable_machine_blocks_names_it_and_goes_on_when_it_is_freed() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    world.set("omni-unreachable", "dev-ephemeral-8841-workers");
    let machine = "dev-ephemeral-8841-workers-p4d9vz";
    let free = async || judged(&omni, job(&omni, "omni.free", MACHINES, machine, &[]).await).await;
    // Nothing is forgotten before its cluster goes.
    let (_, verdict) = free().await;
    assert!(against(&verdict)[0].contains("is not being destroyed"), "{verdict:?}");
    let _passing = Passing::of(&world);
    let (job, _) = destroy(&omni, "omni.ephemeral-destroy", "dev-ephemeral-8841", &[("wait", "3m")]).await;
    let error = send(&omni, &job).await.unwrap_err();
    let SendError::Failed(fault) = &error else { panic!("{error}") };
    assert!(fault.what.contains(&format!("waits for {machine}, which Omni cannot reach")), "{fault:?}");
    assert!(fault.hint.contains(&format!("vigie do omni.free {machine}")), "{fault:?}");
    // Looked at by hand: the destroy goes on by itself once the machine is forgotten.
    let (free, verdict) = free().await;
    assert_eq!(verdict.decision, Decision::Warn, "{verdict:?}");
    send(&omni, &free).await.unwrap();
    assert!(matches!(proof(&omni, &free, world.clock.now()).await, Proof::Seen(_)));
    assert!(matches!(proof(&omni, &job, world.clock.now()).await, Proof::Seen(_)));
}

#[tokio::test]
async fn only_a_lost_machine_of_a_short_lived_cluster_can_be_freed() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    world.set("home", "off");
    for (name, part) in
        [("oci-node-1", "Omni reaches it"), ("talos-prod-cp", "only machines of dev-ephemeral-* clusters")]
    {
        let (_, verdict) = judged(&omni, job(&omni, "omni.free", MACHINES, name, &[]).await).await;
        assert_eq!(verdict.decision, Decision::Refuse);
        assert!(against(&verdict)[0].contains(part), "{verdict:?}");
    }
}

#[tokio::test]
async fn a_cluster_whose_owner_has_ended_is_a_leak_before_its_time() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let _passing = Passing::of(&world);
    let (reap, _) = destroy(&omni, "omni.reap", "dev-ephemeral-8841", &[]).await;
    send(&omni, &reap).await.unwrap();
    let make = making(&omni, "12", &[("owner", "ci-run-12"), ("ttl", "8h")]).await;
    send(&omni, &make).await.unwrap();
    for (ended, decision) in
        [("", Decision::Refuse), ("ci-run-11", Decision::Refuse), ("ci-run-12", Decision::Allow)]
    {
        let (_, verdict) = destroy(&omni, "omni.reap", "dev-ephemeral-12", &[("ended", ended)]).await;
        assert_eq!(verdict.decision, decision, "{ended}: {verdict:?}");
    }
}

#[tokio::test]
async fn a_virtual_machine_without_a_cluster_stands_among_the_requests_with_its_cure() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let _passing = Passing::of(&world);
    world.set("omni-leak", "yes");
    assert!(omni.poll(&source("requests")).await.unwrap().rows.is_empty());
    let (reap, _) = destroy(&omni, "omni.reap", "dev-ephemeral-8841", &[]).await;
    send(&omni, &reap).await.unwrap();
    let snapshot = omni.poll(&source("requests")).await.unwrap();
    assert_eq!(snapshot.rows.len(), 2, "{snapshot:?}");
    let row = &snapshot.rows[0];
    assert_eq!(row.health, Health::Warning);
    let cell = |name: &str| row.cell(kinds::kinds()[5].column(name).unwrap()).value.to_json();
    assert_eq!(cell("cluster"), "dev-ephemeral-8841");
    assert!(
        cell("error").as_str().unwrap().starts_with("kubectl --context cloud delete vm dev-ephemeral-8841-")
    );
    world.set("omni-kube", "down");
    let snapshot = omni.poll(&source("requests")).await.unwrap();
    assert!(snapshot.notes[0].contains("what is left on cloud was not seen"), "{:?}", snapshot.notes);
}

#[tokio::test]
async fn a_template_that_is_wrong_is_named_in_one_line_before_anything_is_made() {
    let (world, _running, mut config) = lab().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dev.yaml");
    let plain = include_str!("../ephemeral.yaml");
    let cases = [
        (plain.replace("kind: Workers", "kind: Wrokers"), "unknown kind `Wrokers`"),
        (plain.replace("kubernetes:", "kubernets:"), "unknown field `kubernets`"),
        (plain.replace("${name}", "dev"), "the template has a fixed name"),
        (plain.replace("name: ${class}", "name: worker"), "not among the configured ephemeral classes"),
    ];
    for (text, part) in cases {
        std::fs::write(&path, text).unwrap();
        config.ephemeral.as_mut().unwrap().template = Some(path.clone());
        let omni = Omni::new(&config, &world.clock);
        let verdict = omni.preflight(&making(&omni, "9", &[]).await).await.unwrap();
        assert_eq!(verdict.decision, Decision::Refuse, "{part}");
        let against = against(&verdict);
        assert!(against.iter().any(|why| why.contains(part) && !why.contains('\n')), "{part}: {against:?}");
    }
}

#[tokio::test]
async fn what_a_cluster_leaves_behind_is_named() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    world.set("omni-leak", "yes");
    let _passing = Passing::of(&world);
    let (job, _) = destroy(&omni, "omni.ephemeral-destroy", "dev-ephemeral-8841", &[]).await;
    send(&omni, &job).await.unwrap();
    let proof = omni.verify(&job, None, world.clock.now()).await.unwrap();
    let Proof::Unclear(text, look) = proof else { panic!("{proof:?}") };
    assert!(
        text.contains("left machine dev-ephemeral-8841-")
            && text.contains("claim ")
            && look.contains("get vmi,pvc"),
        "{text}"
    );
}

#[tokio::test]
async fn a_creation_that_fails_in_the_middle_says_what_exists_and_can_be_finished() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let _passing = Passing::of(&world);
    let (reap, _) = destroy(&omni, "omni.reap", "dev-ephemeral-8841", &[]).await;
    send(&omni, &reap).await.unwrap();
    let (make, _) = judged(&omni, making(&omni, "7", &[]).await).await;
    world.set("omni-fail-create", "MachineSets");
    let error = send(&omni, &make).await.unwrap_err();
    let SendError::Failed(fault) = &error else { panic!("{error}") };
    assert!(
        fault
            .what
            .starts_with("cluster dev-ephemeral-7 exist, but machine set dev-ephemeral-7-control-planes"),
        "{fault:?}"
    );
    assert!(
        fault.hint.contains("resume=true") && fault.hint.contains("ephemeral-destroy dev-ephemeral-7"),
        "{fault:?}"
    );
    world.set("omni-fail-create", "");
    let (again, verdict) = judged(&omni, making(&omni, "7", &[("resume", "true")]).await).await;
    assert_eq!(verdict.decision, Decision::Allow, "{verdict:?}");
    send(&omni, &again).await.unwrap();
}

#[tokio::test]
async fn a_cluster_is_not_made_without_room_provider_or_a_sound_template() {
    let cases: [(&str, &str, Form, &str, &str); 6] = [
        ("kubevirt", "off", &[], "9", "kubevirt is not connected"),
        ("", "", &[("talos", "9.9.9")], "9", "does not know Talos"),
        ("", "", &[("kubernetes", "1.1.1")], "9", "does not go with Talos"),
        ("", "", &[], "Not OK", "no run id"),
        ("", "", &[], "9", "one at a time"),
        ("", "", &[], "9", "would be asked for"),
    ];
    for (flag, value, args, id, part) in cases {
        let (world, _running, config) = lab().await;
        let omni = Omni::new(&config, &world.clock);
        world.set(flag, value);
        let verdict = omni.preflight(&making(&omni, id, args).await).await.unwrap();
        assert_eq!(verdict.decision, Decision::Refuse, "{part}");
        assert!(against(&verdict).iter().any(|why| why.contains(part)), "{part}: {verdict:?}");
    }
}

#[tokio::test]
async fn a_host_that_cannot_be_looked_at_makes_the_check_blind() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    world.set("omni-kube", "down");
    let verdict = omni.preflight(&making(&omni, "9", &[]).await).await.unwrap();
    let unseen = crate::model::row::Tone::Unknown;
    assert!(verdict.evidence.iter().any(|fact| fact.what == "room" && fact.tone == unseen), "{verdict:?}");
}
