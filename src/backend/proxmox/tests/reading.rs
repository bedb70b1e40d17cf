use super::*;

async fn poll(lab: &Lab, feed: &str) -> Result<Snapshot, ApiError> {
    lab.backend.poll(&SourceId::new(ID, "pve", feed)).await
}

async fn first(lab: &Lab, id: &EntityId, view: &str) -> View {
    let (sink, mut source) = mpsc::channel(4);
    tokio::select! {
        result = lab.backend.open(id, view, sink) => panic!("{view} ended: {result:?}"),
        view = source.recv() => view.unwrap(),
    }
}

#[tokio::test]
async fn the_homelab_is_listed_in_one_answer() {
    let lab = lab("calm").await;
    let snapshot = poll(&lab, watch::RESOURCES).await.unwrap();
    let of = |kind: &str| snapshot.rows.iter().filter(|row| row.id.kind.as_str() == kind).count();
    assert_eq!((of(kinds::GUESTS), of(kinds::NODES), of(kinds::STORAGES)), (6, 1, 4));
    assert!(snapshot.complete && snapshot.notes.is_empty(), "{:?}", snapshot.notes);
    let gaming = snapshot.rows.iter().find(|row| &*row.name == "windows-gaming").unwrap();
    assert_eq!((gaming.health, gaming.domain), (Health::Off, Domain::Home));
    let tasks = poll(&lab, watch::RECENT).await.unwrap();
    assert!(tasks.rows.iter().any(|row| &*row.name == "backup talos-prod-worker-1 (101)"));
}

#[tokio::test]
async fn names_and_numbers_resolve_exactly_and_never_by_a_part() {
    let lab = lab("calm").await;
    assert_eq!(lab.target("windows-gaming").await.id, lab.target("110").await.id);
    assert_eq!(lab.target("qemu/110").await.id, lab.target("110").await.id);
    for part in ["windows", "11", "WINDOWS-GAMING", ""] {
        assert!(lab.backend.resolve(&kinds::GUESTS.into(), part).await.unwrap().is_empty(), "{part}");
    }
}

#[tokio::test]
async fn a_name_proves_nothing_where_the_list_is_incomplete() {
    let lab = lab("calm").await;
    lab.world.inject("proxmox:wrong-types".parse().unwrap());
    let twisted = poll(&lab, watch::RESOURCES).await.unwrap();
    assert!(!twisted.complete);
    assert!(lab.backend.resolve(&kinds::GUESTS.into(), "110").await.is_err());
}

#[tokio::test]
async fn faults_are_told_by_layer_and_break_nothing_else() {
    let lab = lab("calm").await;
    for (fault, layer) in [
        ("proxmox:reset*2", Layer::Http),
        ("proxmox:502*1", Layer::Edge),
        ("proxmox:truncated*1", Layer::App),
        ("proxmox:403*1", Layer::Auth),
        ("proxmox:500*1", Layer::Http),
    ] {
        lab.world.inject(fault.parse().unwrap());
        let error = poll(&lab, watch::RESOURCES).await.unwrap_err();
        assert_eq!(error.fault.layer, layer, "{fault}: {error}");
    }
    assert!(poll(&lab, watch::RESOURCES).await.is_ok());
}

#[tokio::test]
async fn a_refused_token_is_told_once_and_not_tried_again_at_once() {
    let lab = lab("calm").await;
    let wrong =
        Secret::new(SecretSource::Memory("vigie@pve!console=00000000-0000-4000-8000-000000000000".into()));
    let backend = quick(&Settings { token: wrong, ..lab.settings.clone() }, &lab.world.clock);
    let source = SourceId::new(ID, "pve", watch::RESOURCES);
    let error = backend.poll(&source).await.unwrap_err();
    assert_eq!((error.fault.layer, error.fault.status), (Layer::Auth, Some(401)));
    assert_eq!(error.fault.raw, "Authentication failed!");
    lab.world.inject("proxmox:timeout".parse().unwrap());
    assert_eq!(backend.poll(&source).await.unwrap_err(), error, "answered from memory");
}

#[tokio::test]
async fn another_certificate_is_not_believed_and_both_pins_are_shown() {
    let lab = lab("calm").await;
    lab.world.inject("proxmox:certificate".parse().unwrap());
    let error = poll(&lab, watch::RESOURCES).await.unwrap_err();
    assert_eq!(error.fault.layer, Layer::Tls);
    assert!(error.fault.raw.contains("pinned ") && error.fault.raw.contains("shows "), "{error}");
}

#[tokio::test]
async fn a_connection_is_used_a_hundred_times_and_replaced() {
    let lab = lab("calm").await;
    for _ in 0..230 {
        lab.backend.client.get::<wire::Version>("/version").await.unwrap();
    }
}

#[tokio::test]
async fn a_guest_is_described_from_its_state_down() {
    let lab = lab("calm").await;
    let target = lab.target("talos-prod-cp").await;
    let View::Doc(doc) = first(&lab, &target.id, "describe").await else { panic!("no document") };
    let text = format!("{doc:?}");
    for part in ["running", "VM 100 on pve", "costs its host", "scsi0", "onboot", "backup"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn a_node_and_a_storage_are_described() {
    let lab = lab("calm").await;
    for (kind, key, parts) in [
        (kinds::NODES, "pve", ["ZFS cache", "Ryzen"]),
        (kinds::STORAGES, "pve/tank", ["zfspool", "available"]),
    ] {
        let id = EntityId::new(kind, "pve", key);
        let View::Doc(doc) = first(&lab, &id, "describe").await else { panic!("no document") };
        let text = format!("{doc:?}");
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
}

#[tokio::test]
async fn a_hidden_part_names_the_right_that_would_show_it() {
    let lab = lab("calm").await;
    lab.world.set("proxmox.permissions", r#"{"/vms":{"VM.Audit":1}}"#);
    let View::Doc(doc) = first(&lab, &EntityId::new(kinds::NODES, "pve", "pve"), "describe").await else {
        panic!("no document")
    };
    assert!(format!("{doc:?}").contains("needs Sys.Audit on /nodes/pve"), "{doc:?}");
}

#[tokio::test]
async fn the_doctor_names_what_the_token_can_and_cannot_do() {
    let lab = lab("calm").await;
    let whole = lab.backend.doctor().await;
    assert!(whole.healthy(), "{whole:?}");
    let order: Vec<&str> = whole.findings.iter().map(|finding| finding.what.as_ref()).collect();
    assert_eq!(order[..4], ["reach", "certificate", "auth", "version"]);
    lab.world.set("proxmox.permissions", r#"{"/":{"VM.Audit":1,"Sys.Audit":1}}"#);
    let lesser = lab.backend.doctor().await;
    let says: Vec<&str> = lesser.findings.iter().map(|finding| finding.says.as_str()).collect();
    assert!(says.contains(&"cannot start: needs VM.PowerMgmt on /vms"), "{says:?}");
    assert!(says.iter().any(|says| says.starts_with("cannot see storages")), "{says:?}");
    assert_eq!(lesser.rights.unwrap().missing["proxmox.start"], "VM.PowerMgmt on /vms");
    lab.world.set("proxmox.permissions", r#"{"/":{}}"#);
    let none = lab.backend.doctor().await;
    assert!(none.findings.iter().any(|f| f.tone == Tone::Error && f.says.contains("privsep")), "{none:?}");
}

#[tokio::test]
async fn the_doctor_stops_at_the_layer_that_fails() {
    let lab = lab("calm").await;
    lab.world.inject("proxmox:certificate".parse().unwrap());
    let found = lab.backend.doctor().await;
    assert_eq!((found.findings.len(), found.findings[0].what.as_ref()), (1, "certificate"));
}

#[tokio::test]
async fn an_instance_whose_token_is_malformed_breaks_only_itself() {
    let lab = lab("calm").await;
    let broken =
        Settings { token: Secret::new(SecretSource::Memory("vigie@pve".into())), ..lab.settings.clone() };
    let config = Config { proxmox: vec![broken, lab.settings.clone()], ..Config::default() };
    let backends = connect(&config, &lab.world.clock);
    let source = SourceId::new(ID, "pve", watch::RESOURCES);
    let fault = backends[0].poll(&source).await.unwrap_err().fault;
    assert_eq!(fault.layer, Layer::Config);
    assert!(fault.what.contains("!TOKENID"), "{fault}");
    assert!(backends[1].poll(&source).await.is_ok());
}
