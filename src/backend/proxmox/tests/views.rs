//! The slower sources and the views that are opened on a row.

use super::*;
use crate::model::row::{FacetKey, Row, Value};

async fn poll(lab: &Lab, feed: &str) -> Snapshot {
    lab.backend.poll(&SourceId::new(ID, "pve", feed)).await.unwrap()
}

fn named<'a>(snapshot: &'a Snapshot, kind: &str, name: &str) -> &'a Row {
    let found = snapshot.rows.iter().find(|row| row.id.kind.as_str() == kind && &*row.name == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn cell<'a>(row: &'a Row, column: &str) -> &'a Value {
    let spec = kinds::all().into_iter().find(|kind| kind.id == row.id.kind).unwrap();
    &row.cells[spec.column(column).unwrap()].value
}

async fn first(lab: &Lab, kind: &str, key: &str, view: &str) -> View {
    let (sink, mut source) = mpsc::channel(4);
    let id = EntityId::new(kind, "pve", key);
    tokio::select! {
        result = lab.backend.open(&id, view, sink) => panic!("{view} ended: {result:?}"),
        view = source.recv() => view.unwrap(),
    }
}

#[tokio::test]
async fn every_source_brings_rows_with_a_cell_for_each_column() {
    let lab = lab("calm").await;
    for source in lab.backend.sources() {
        let snapshot = lab.backend.poll(&source.id).await.unwrap();
        assert!(snapshot.complete && !snapshot.rows.is_empty(), "{}: {:?}", source.id, snapshot.notes);
        for row in &snapshot.rows {
            assert!(source.kinds.contains(&row.id.kind), "{}", row.id);
            let spec = kinds::all().into_iter().find(|kind| kind.id == row.id.kind).unwrap();
            assert_eq!(row.cells.len(), spec.columns.len(), "{}", row.id);
            assert!(!row.identity.is_empty() || row.id.kind.as_str() == kinds::COVERAGE, "{}", row.id);
        }
    }
}

#[tokio::test]
async fn the_board_tells_who_is_safe_and_a_lesser_token_is_told_that_it_is_blind() {
    let lab = lab("calm").await;
    poll(&lab, watch::RESOURCES).await;
    poll(&lab, watch::RESOURCES).await;
    let board = poll(&lab, watch::BACKUP).await;
    let state = |board: &Snapshot, name: &str| {
        cell(named(board, kinds::COVERAGE, name), "state").as_text().unwrap().to_owned()
    };
    assert_eq!(state(&board, "talos-prod-cp"), "covered");
    assert_eq!(state(&board, "talos-dev"), "none");
    assert_eq!(state(&board, "windows-gaming"), "alone");
    let resources = poll(&lab, watch::RESOURCES).await;
    assert!(matches!(cell(named(&resources, kinds::GUESTS, "talos-prod-cp"), "backup"), Value::Time(_)));
    lab.world.set("proxmox.permissions", r#"{"/":{"VM.Audit":1,"Sys.Audit":1,"Datastore.Audit":1}}"#);
    let blind = poll(&lab, watch::BACKUP).await;
    assert_eq!(state(&blind, "talos-prod-cp"), "blind");
    assert!(
        !blind.complete && blind.notes[0].contains("cannot see backups (needs Datastore"),
        "{:?}",
        blind.notes
    );
}

#[tokio::test]
async fn configurations_join_guests_with_other_systems() {
    let lab = lab("calm").await;
    poll(&lab, watch::RESOURCES).await;
    let snapshot = poll(&lab, watch::RESOURCES).await;
    let facets = &named(&snapshot, kinds::GUESTS, "talos-prod-cp").facets;
    let uuid = crate::backend::sim::lab::machine_uuid("talos-prod-cp");
    assert!(facets.iter().any(|facet| facet.key == FacetKey::MachineUuid && *facet.value == *uuid));
    assert!(facets.iter().any(|facet| facet.key == FacetKey::Mac));
    lab.server.lab().guests.get_mut(&100).unwrap().state = "stopped";
    lab.server.lab().broadcast = None;
    let snapshot = poll(&lab, watch::RESOURCES).await;
    let off = named(&snapshot, kinds::GUESTS, "talos-prod-cp");
    assert_eq!(off.note.as_deref(), Some("off, though it starts with its host"));
}

#[tokio::test]
async fn a_guest_s_snapshots_are_a_tree_and_its_figures_a_chart() {
    let lab = lab("calm").await;
    let View::Tree(tree) = first(&lab, kinds::GUESTS, "qemu/100", "snapshots").await else {
        panic!("no tree")
    };
    let labels: Vec<&str> = tree.nodes.iter().map(|node| node.label.as_str()).collect();
    assert_eq!(labels, ["pre_talos_1_8", "pre_talos_1_9", "now"]);
    for (kind, key) in [(kinds::GUESTS, "qemu/100"), (kinds::NODES, "pve")] {
        let View::Chart(chart) = first(&lab, kind, key, "hour").await else { panic!("no chart") };
        assert!(chart.series.iter().any(|series| series.name == "cpu"), "{chart:?}");
        assert!(chart.series[0].points.last().unwrap().1.is_none(), "the newest bucket is still empty");
    }
}

#[tokio::test]
async fn a_host_shows_its_devices_disks_and_journal() {
    let lab = lab("calm").await;
    let View::Tree(tree) = first(&lab, kinds::POOLS, "pve/tank", "tree").await else { panic!("no tree") };
    assert!(tree.nodes.iter().any(|node| node.label == "mirror-0" && node.state == "online"), "{tree:?}");
    let View::Doc(smart) = first(&lab, kinds::DISKS, "pve//dev/sda", "smart").await else {
        panic!("no document")
    };
    assert!(format!("{smart:?}").contains("Current_Pending_Sector"));
    let View::Log(lines) = first(&lab, kinds::NODES, "pve", "journal").await else { panic!("no log") };
    assert!(lines.len() > 2 && lines.iter().all(|line| !line.text.starts_with("s=")), "{lines:?}");
}

#[tokio::test]
async fn a_task_s_log_is_streamed_to_its_end() {
    let lab = lab("calm").await;
    let args = [("storage", "backup-hdd"), ("mode", "snapshot")];
    let job = lab.on("proxmox.backup", kinds::GUESTS, "talos-dev", &args).await;
    let (receipt, _) = lab.run(&job).await;
    let upid = receipt.unwrap().remote.unwrap();
    let View::Log(lines) = first(&lab, kinds::TASKS, &upid, "log").await else { panic!("no log") };
    assert_eq!(&*lines.last().unwrap().text, "TASK OK");
    let View::Doc(doc) = first(&lab, kinds::TASKS, &upid, "describe").await else { panic!("no document") };
    assert!(format!("{doc:?}").contains("talos-dev"));
}

#[tokio::test]
async fn a_guest_s_addresses_come_from_its_agent() {
    let lab = lab("calm").await;
    let View::Doc(doc) = first(&lab, kinds::GUESTS, "qemu/100", "describe").await else {
        panic!("no document")
    };
    let text = format!("{doc:?}");
    assert!(text.contains("192.0.2.10") && !text.contains("127.0.0.1"), "{text}");
}

#[tokio::test]
async fn a_large_cluster_is_not_asked_guest_by_guest() {
    let lab = sized("load", 300).await;
    let resources = poll(&lab, watch::RESOURCES).await;
    assert_eq!(resources.rows.iter().filter(|row| row.id.kind.as_str() == kinds::GUESTS).count(), 300);
    let snapshots = poll(&lab, watch::SNAPSHOT).await;
    assert!(!snapshots.complete && snapshots.notes[0].contains("too many"), "{:?}", snapshots.notes);
}

#[tokio::test]
async fn the_way_into_a_guest_leads_over_its_host() {
    let lab = lab("calm").await;
    poll(&lab, watch::RESOURCES).await;
    let way = |kind: &str, key: &str| {
        lab.backend.terminal(&EntityId::new(kind, "pve", key)).map(|argv| argv.join(" "))
    };
    assert_eq!(way(kinds::GUESTS, "qemu/110").as_deref(), Some("ssh -t root@pve qm terminal 110"));
    assert_eq!(way(kinds::GUESTS, "lxc/130").as_deref(), Some("ssh -t root@pve pct enter 130"));
    assert_eq!(way(kinds::NODES, "pve").as_deref(), Some("ssh -t root@pve"));
    for (kind, key) in
        [(kinds::GUESTS, "qemu/999"), (kinds::NODES, "-oProxyCommand=x"), (kinds::STORAGES, "pve/tank")]
    {
        assert_eq!(way(kind, key), None, "{key}");
    }
}

#[tokio::test]
async fn a_host_shows_its_network_and_what_the_cluster_says_of_it() {
    let lab = lab("calm").await;
    let text = async || {
        let View::Doc(doc) = first(&lab, kinds::NODES, "pve", "describe").await else {
            panic!("no document")
        };
        format!("{doc:?}")
    };
    let all = text().await;
    for part in ["vmbr0", "192.0.2.2/24", "cluster log", "starting task"] {
        assert!(all.contains(part), "{part}: {all}");
    }
    lab.world.set("proxmox.permissions", r#"{"/":{"VM.Audit":1,"Sys.Audit":1}}"#);
    assert!(text().await.contains("hidden: needs Sys.Modify on /nodes/pve"));
}

#[tokio::test]
async fn a_guest_tells_what_is_inside_it_and_its_screen_has_an_address() {
    let lab = lab("calm").await;
    poll(&lab, watch::RESOURCES).await;
    let View::Doc(doc) = first(&lab, kinds::GUESTS, "qemu/101", "describe").await else {
        panic!("no document")
    };
    let text = format!("{doc:?}");
    assert!(text.contains("Talos (v1.9.0)") && text.contains("33 %"), "{text}");
    let page = |kind: &str, key: &str| lab.backend.link(&EntityId::new(kind, "pve", key));
    let base = &lab.settings.connection.url;
    let screen = format!("{base}/?console=kvm&novnc=1&vmid=110&vmname=windows-gaming&node=pve");
    assert_eq!(page(kinds::GUESTS, "qemu/110"), Some(screen));
    assert!(page(kinds::GUESTS, "lxc/130").unwrap().contains("console=lxc&xtermjs=1"));
    assert_eq!(page(kinds::GUESTS, "qemu/999"), None);
    assert_eq!(page(kinds::TASKS, "UPID:x"), None);
}

#[tokio::test]
async fn a_list_that_did_not_change_is_not_read_again() {
    let lab = lab("calm").await;
    let source = SourceId::new(ID, "pve", watch::RESOURCES);
    let (sink, _parts) = tokio::sync::mpsc::channel(1);
    let mut told = Vec::new();
    for _ in 0..60 {
        told.push(matches!(lab.backend.refresh(&source, &sink).await.unwrap(), Delta::Same(_)));
    }
    assert!(!told[0] && told.contains(&true), "{told:?}");
    lab.backend.memory().saw(110, "running");
    let Delta::Change { upserts, .. } = lab.backend.refresh(&source, &sink).await.unwrap() else {
        panic!("our own look is fresher")
    };
    assert!(upserts.iter().any(|row| &*row.id.key == "qemu/110"));
}

#[tokio::test]
async fn a_host_that_is_shut_down_says_so_before_it_is_silent() {
    let lab = lab("calm").await;
    for (power, farewell) in [("", false), ("down", true), ("boot", false)] {
        lab.world.clear_faults();
        lab.world.set("proxmox.power", power);
        poll(&lab, watch::RECENT).await;
        lab.world.inject("proxmox:off".parse().unwrap());
        let quiet = quick(&lab.settings, &lab.world.clock);
        quiet.memory().leaving = lab.backend.memory().leaving;
        let error = quiet.poll(&SourceId::new(ID, "pve", watch::RESOURCES)).await.unwrap_err();
        assert_eq!((error.fault.layer, error.fault.farewell), (Layer::Tcp, farewell), "{power}: {error}");
    }
}

#[tokio::test]
async fn the_doctor_names_exactly_what_a_reduced_token_can_and_cannot_do() {
    let lab = lab("calm").await;
    let role = r#"{"/":{"VM.Audit":1,"Sys.Audit":1,"Datastore.Audit":1,"VM.PowerMgmt":1,"VM.Snapshot":1}}"#;
    lab.world.set("proxmox.permissions", role);
    let diagnosis = lab.backend.doctor().await;
    let said = |word: &str| -> Vec<String> {
        let findings = diagnosis.findings.iter().filter(|finding| finding.what == "rights");
        findings.filter_map(|finding| finding.says.strip_prefix(word).map(str::to_owned)).collect()
    };
    assert_eq!(
        said("can "),
        [
            "start, shutdown, stop, reboot, reset, suspend, resume, snapshot, rollback, delete-snapshot, stop-task, wake",
            "suspend in memory only: more needs VM.Config.Disk on /vms",
            "stop-task for its own tasks only: more needs Sys.Modify on /nodes",
        ]
    );
    assert_eq!(
        said("cannot "),
        [
            "backup: needs VM.Backup on /vms",
            "clone: needs VM.Clone on /vms",
            "migrate: needs VM.Migrate on /vms",
            "note-backup: needs VM.Backup on /vms",
            "protect-backup: needs VM.Backup on /vms",
            "set-description: needs VM.Config.Options on /vms",
            "set-tags: needs VM.Config.Options on /vms",
        ]
    );
    let rights = diagnosis.rights.unwrap();
    assert_eq!(rights, lab.backend.rights().await.unwrap(), "the screen greys out the same");
    assert_eq!(rights.missing.len(), 7);
}
