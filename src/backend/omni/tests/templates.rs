//! A cluster beside the template that manages it.

use super::*;

/// The template of production as it is, and its machines.
fn template_of_prod() -> (String, [String; 2]) {
    let uuids = ["talos-prod-cp", "talos-prod-worker-1"].map(crate::backend::sim::lab::machine_uuid);
    let text = format!(
        "kind: Cluster\nname: prod\nlabels: {{domain: home}}\nkubernetes: {{version: v1.32.0}}\ntalos: {{version: v1.9.0}}\n\
         features: {{enableWorkloadProxy: true, useEmbeddedDiscoveryService: true, backupConfiguration: {{interval: 1h}}}}\n---\n\
         kind: ControlPlane\nmachines: [{}]\n---\nkind: Workers\nmachines: [{}]\n",
        uuids[0], uuids[1]
    );
    (text, uuids)
}

/// Production beside a template, as the view shows it.
async fn compared(config: &config::Omni, world: &Arc<World>, folder: &std::path::Path, text: &str) -> String {
    let path = folder.join("prod.yaml");
    std::fs::write(&path, text).unwrap();
    let config = config::Omni { templates: vec![path], ..config.clone() };
    let omni = Omni::new(&config, &world.clock);
    let id = omni.resolve(&CLUSTERS.into(), "prod").await.unwrap().remove(0).id;
    let (sink, mut views) = mpsc::channel(1);
    let open = omni.open(&id, "template", sink);
    let view = tokio::select! { view = views.recv() => view.unwrap(), done = open => panic!("{done:?}") };
    format!("{view:?}")
}

#[tokio::test]
async fn a_cluster_is_compared_with_its_template_and_nothing_is_changed() {
    let (world, _running, config) = lab().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("vlan.yaml"), "machine:\n  network:\n    hostname: x\n").unwrap();
    let (text, uuids) = template_of_prod();
    let shown = async |text: &str| compared(&config, &world, folder.path(), text).await;
    let same = shown(&text).await;
    assert!(
        same.contains("in step") && same.contains("omnictl cluster template sync --dry-run --file"),
        "{same}"
    );
    let more = "patches: [{name: vlan, file: vlan.yaml}]\n";
    let newer =
        text.replace("v1.9.0", "v1.9.5").replace("kind: Workers\n", &format!("kind: Workers\n{more}"));
    let newer = shown(&newer).await;
    for part in [
        "~ change cluster prod",
        "talos_version: 1.9.0 becomes 1.9.5",
        "+ create patch 400-prod-workers-vlan",
    ] {
        assert!(newer.contains(part), "{part}: {newer}");
    }
    let fewer = shown(&text.replace(&format!("[{}]", uuids[1]), "[]")).await;
    assert!(fewer.contains(&format!("- remove MachineSetNodes {}", uuids[1])), "{fewer}");
    let broken = shown(&text.replace("kind: Workers", "kind: Worker")).await;
    assert!(
        broken.contains("unknown kind `Worker`") && broken.contains("no template of this cluster"),
        "{broken}"
    );
    assert_eq!(world.get("omni-called-by-vigie-operator"), "");
}

#[tokio::test]
async fn kernel_arguments_are_compared_and_those_of_others_are_not_a_templates_to_remove() {
    let (world, _running, config) = lab().await;
    let folder = tempfile::tempdir().unwrap();
    let (text, uuids) = template_of_prod();
    let shown = async |text: &str| compared(&config, &world, folder.path(), text).await;
    let with = |args: &str| {
        let machine = format!("---\nkind: Machine\nname: {}\nkernelArgs: [{args}]\n", uuids[1]);
        format!("{text}{machine}")
    };
    let kernel = format!("kernel arguments of {}", uuids[1]);
    let missing = shown(&with("console=ttyS0")).await;
    assert!(missing.contains(&format!("+ create {kernel}")), "{missing}");
    assert_eq!(world.get("omni-called-by-vigie-operator"), "", "nothing was changed");
    // Somebody has given the machine arguments.
    let omni = Omni::new(&config, &world.clock);
    let mut given = edit::Draft::new(<wire::KernelArgs as wire::Spec>::TABLE, &uuids[1]);
    given.spec().insert("args".to_owned(), serde_json::json!(["console=ttyS0"]));
    edit::create(omni.client().unwrap(), &given).await.unwrap();
    let there = shown(&with("console=ttyS0")).await;
    assert!(there.contains("in step"), "{there}");
    let other = shown(&with("quiet")).await;
    assert!(other.contains(&format!("~ change {kernel}")) && other.contains("console=ttyS0"), "{other}");
    let foreign = shown(&text).await;
    assert!(foreign.contains("in step") && !foreign.contains("remove"), "{foreign}");
}
