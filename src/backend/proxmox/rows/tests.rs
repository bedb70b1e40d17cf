use jiff::Timestamp;

use super::*;
use crate::backend::proxmox::kinds;
use crate::backend::proxmox::upid::Upid;
use crate::backend::proxmox::wire::Task;
use crate::model::row::{Health, Row};
use crate::model::snapshot::Snapshot;

const NOW: i64 = 1_784_700_000;

fn place() -> Place {
    Place { instance: "pve".into(), domain: Domain::Home }
}

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn projected(entries: &str) -> Snapshot {
    let json = format!(r#"{{"data":[{entries}]}}"#);
    let entries = Entries::read(json.as_bytes()).unwrap();
    project(&entries, None, &place(), &mut Memory::default(), now()).snapshot(now())
}

fn cell<'a>(row: &'a Row, column: &str) -> &'a Value {
    let spec = kinds::all().into_iter().find(|kind| kind.id == row.id.kind).unwrap();
    let at = spec.column(column).unwrap_or_else(|| panic!("no column {column}"));
    &row.cells[at].value
}

#[test]
fn every_row_has_a_cell_for_each_column() {
    let snapshot = projected(
        r#"{"id":"qemu/100","type":"qemu"},{"id":"node/pve","type":"node"},{"id":"storage/pve/local","type":"storage"}"#,
    );
    assert_eq!((snapshot.rows.len(), snapshot.complete), (3, true));
    for row in &snapshot.rows {
        let spec = kinds::all().into_iter().find(|kind| kind.id == row.id.kind).unwrap();
        assert_eq!(row.cells.len(), spec.columns.len(), "{}", row.id);
    }
}

#[test]
fn a_running_machine_shows_both_truths_of_its_memory() {
    let snapshot = projected(
        r#"{"id":"qemu/101","type":"qemu","node":"pve","vmid":101,"name":"talos-prod-worker-1","status":"running",
            "template":0,"maxcpu":6,"cpu":0.1874,"maxmem":12884901888,"mem":9878424781,"memhost":13096714240,
            "maxdisk":214748364800,"disk":0,"uptime":262190,"netin":80,"netout":41,"tags":"k8s;prod;talos","pool":"prod"}"#,
    );
    let row = &snapshot.rows[0];
    assert_eq!((row.health, &*row.name, &*row.id.key), (Health::Ok, "talos-prod-worker-1", "qemu/101"));
    assert_eq!(cell(row, "mem"), &Value::Int(9_878_424_781));
    assert_eq!(cell(row, "host"), &Value::Int(13_096_714_240));
    assert_eq!(cell(row, "tags"), &Value::text("k8s prod talos"));
    assert_eq!(cell(row, "age"), &Value::Time(Timestamp::from_second(NOW - 262_190).unwrap()));
    assert_eq!(row.identity.get("node"), Some("pve"));
    assert_eq!(row.identity.get("guest"), Some("qemu/101"));
}

#[test]
fn a_guest_without_a_name_right_after_boot_is_unknown_and_says_so() {
    let snapshot = projected(r#"{"id":"qemu/200","type":"qemu","node":"pve","vmid":200,"status":"unknown"}"#);
    assert_eq!(snapshot.rows[0].health, Health::Unknown);
    assert!(snapshot.notes[0].contains("still collecting"), "{:?}", snapshot.notes);
}

#[test]
fn a_container_of_an_older_release_has_its_number_as_text() {
    let snapshot =
        projected(r#"{"type":"lxc","node":"pve","vmid":"110","name":"adguard","status":"running","disk":5}"#);
    assert_eq!(&*snapshot.rows[0].id.key, "lxc/110");
    assert_eq!(cell(&snapshot.rows[0], "disk"), &Value::Int(5));
}

#[test]
fn what_cannot_be_recognised_makes_the_list_incomplete() {
    let snapshot =
        projected(r#"{"type":"qemu","name":"nobody"},{"type":"sdn","id":"sdn/pve/x"},{"type":[]}"#);
    assert_eq!((snapshot.rows.len(), snapshot.complete), (0, false));
    assert_eq!(snapshot.notes[0], "2 entries could not be recognised");
}

#[test]
fn a_wrong_type_in_any_field_costs_that_cell_only() {
    let whole = serde_json::json!({
        "id": "qemu/100", "type": "qemu", "node": "pve", "vmid": 100, "name": "a", "status": "running", "template": 0,
        "cpu": 0.1, "maxcpu": 2, "mem": 5, "maxmem": 9, "memhost": 6, "disk": 0, "maxdisk": 7, "uptime": 60,
        "netin": 1, "netout": 2, "lock": "backup", "tags": "x", "pool": "p", "hastate": "started"
    });
    let object = whole.as_object().unwrap();
    let wrong = [
        serde_json::json!({"a": 1}),
        serde_json::json!([1]),
        serde_json::json!(null),
        serde_json::json!("~"),
    ];
    for key in object.keys() {
        // A type that is some other text is some other thing.
        for value in wrong.iter().filter(|value| key != "type" || !value.is_string()) {
            let mut twisted = object.clone();
            twisted.insert(key.clone(), value.clone());
            let snapshot = projected(&serde_json::Value::Object(twisted).to_string());
            assert_eq!(snapshot.rows.len(), 1, "{key}: {value}");
            assert_eq!(&*snapshot.rows[0].id.key, "qemu/100", "{key}: {value}");
        }
    }
}

#[test]
fn states_locks_and_ha_decide_the_health() {
    let cases = [
        ("running", None, None, false, Health::Ok, None),
        ("running", Some("backup"), None, false, Health::Ok, Some("locked (backup)")),
        ("running", Some("migrate"), None, false, Health::Pending, Some("locked (migrate)")),
        ("stopped", None, None, false, Health::Off, None),
        ("stopped", Some("suspended"), None, false, Health::Off, Some("hibernated")),
        ("stopped", Some("backup"), None, false, Health::Warning, Some("locked (backup)")),
        ("paused", None, None, false, Health::Warning, Some("paused: it does not run")),
        ("paused", Some("backup"), None, false, Health::Pending, Some("locked (backup)")),
        ("io-error", None, None, false, Health::Critical, Some("QEMU says io-error")),
        ("running", None, Some("error"), false, Health::Critical, Some("HA: error")),
        ("stopped", None, None, true, Health::Off, None),
        ("new-state", None, None, false, Health::Unknown, None),
    ];
    for (state, lock, ha, template, health, note) in cases {
        let found = guest_health(state, lock, ha, template);
        assert_eq!(found, (health, note.map(str::to_owned)), "{state} {lock:?} {ha:?}");
    }
}

#[test]
fn a_full_storage_and_a_node_that_is_away_are_the_worst_things() {
    let snapshot = projected(
        r#"{"id":"storage/pve/tank","type":"storage","node":"pve","storage":"tank","status":"available","maxdisk":100,"disk":97},
           {"id":"storage/pve/nfs","type":"storage","node":"pve","storage":"nfs","status":"unknown"},
           {"id":"node/pve2","type":"node","node":"pve2","status":"offline"},
           {"id":"node/pve","type":"node","node":"pve","status":"online","mem":60,"maxmem":100,"disk":95,"maxdisk":100}"#,
    );
    let found: Vec<(Health, Option<&str>)> =
        snapshot.rows.iter().map(|row| (row.health, row.note.as_deref())).collect();
    assert_eq!(found[0], (Health::Critical, Some("97 % full")));
    assert_eq!(found[1].0, Health::Unknown);
    assert_eq!(found[2].0, Health::Critical);
    assert_eq!(found[3], (Health::Warning, Some("root file system 95 % full")));
}

fn task(kind: &str, id: &str, start: i64, status: Option<&str>) -> Task {
    let upid = format!("UPID:pve:00000001:00000001:{start:08X}:{kind}:{id}:root@pam!console:");
    assert!(Upid::parse(&upid).is_some());
    Task {
        upid: Some(upid),
        user: Some("root@pam".into()),
        tokenid: Some("console".into()),
        status: status.map(str::to_owned),
        endtime: status.map(|_| start + 5),
        ..Task::default()
    }
}

#[test]
fn tasks_are_told_with_their_end_and_failures_fade_once_they_were_repaired() {
    let tasks = [
        task("qmstart", "100", NOW - 10, None),
        task("vzdump", "101", NOW - 100, Some("WARNINGS: 1")),
        task("qmstart", "110", NOW - 200, Some("OK")),
        task("qmstart", "110", NOW - 300, Some("got timeout")),
        task("qmstop", "110", NOW - 400, Some("unexpected status")),
        task("qmreset", "110", NOW - 100_000, Some("old failure")),
        Task { upid: Some("nonsense".into()), ..Task::default() },
        task("vzdump", "101", NOW - 100, Some("WARNINGS: 1")),
    ];
    let rows = project_tasks(&tasks, &Memory::default(), &place(), now());
    let words: Vec<(&str, Health)> =
        rows.iter().map(|row| (cell(row, "state").as_text().unwrap(), row.health)).collect();
    assert_eq!(
        words,
        [
            ("running", Health::Pending),
            ("warnings", Health::Ok),
            ("ok", Health::Ok),
            ("failed", Health::Ok),
            ("lost", Health::Warning),
            ("failed", Health::Ok),
        ]
    );
    assert_eq!(cell(&rows[0], "user"), &Value::text("root@pam!console"));
    assert_eq!(cell(&rows[1], "took"), &Value::Int(5));
    assert_eq!(cell(&rows[1], "result"), &Value::text("1 warning"));
}
