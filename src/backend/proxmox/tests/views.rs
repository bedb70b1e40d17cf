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
