//! What real servers answer, as it is and with a wrong type in every field in turn.

use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::backend::proxmox::guest::GuestConfig;
use crate::backend::proxmox::lenient::{Items, LaxText};
use crate::backend::proxmox::rights::Permissions;
use crate::backend::proxmox::wire::{
    AgentDisks, AgentInterfaces, AgentSystem, BackupJob, Certificate, ClusterLog, Current, Data, Disk,
    Feature, Interface, Link, LogEntry, Mapping, Migration, NodeConfig, NodeStatus, PciDevice, Pending,
    Refusal, Sample, Service, Smart, Snapshot, Task, TaskStatus, Update, Vdev, Version, Volume, Zpool,
};

const SHAPES: &str = include_str!("../fixtures/shapes.json");

fn shapes() -> serde_json::Map<String, Value> {
    serde_json::from_str(SHAPES).unwrap()
}

/// What stands in the place of a value, one after the other.
fn odd() -> [Value; 8] {
    [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5e300),
        json!("~"),
        json!([]),
        json!([{"a": [1]}]),
        json!({"a": {"b": 1}}),
    ]
}

/// Every place below `value`, as a JSON pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let place = format!("{at}/{}", escape(key));
                places(value, &place, found);
                found.push(place);
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                let place = format!("{at}/{n}");
                places(value, &place, found);
                found.push(place);
            }
        }
        _ => {}
    }
}

/// The answer is read, and still read with something odd in any one place.
fn survives<T: DeserializeOwned>(name: &str, body: &Value) {
    serde_json::from_value::<Data<T>>(body.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut found = Vec::new();
    places(&body["data"], "/data", &mut found);
    for place in found {
        for value in odd() {
            let mut twisted = body.clone();
            *twisted.pointer_mut(&place).unwrap() = value.clone();
            let text = twisted.to_string();
            let read = serde_json::from_str::<Data<T>>(&text);
            assert!(read.is_ok(), "{name} {place} = {value}: {:?}", read.err());
        }
    }
}

#[test]
fn every_known_shape_is_read_and_no_single_field_can_spoil_it() {
    for (name, body) in &shapes() {
        let check: fn(&str, &Value) = match name.as_str() {
            "version" => survives::<Version>,
            "node_status" | "node_status_8" => survives::<NodeStatus>,
            "node_samples" | "node_samples_8" | "guest_samples" => survives::<Items<Sample>>,
            "tasks" | "tasks_active" | "tasks_cluster" => survives::<Items<Task>>,
            "task_running" | "task_ok" | "task_warnings" | "task_failed" | "task_killed" => {
                survives::<TaskStatus>
            }
            "task_log" | "task_log_empty" => survives::<Items<LogEntry>>,
            "current" | "current_stopped" | "current_locked" | "current_paused" | "current_lxc" => {
                survives::<Current>
            }
            "config" | "config_worker" | "config_mapped" => survives::<GuestConfig>,
            "mappings" => survives::<Items<Mapping>>,
            "pending" => survives::<Items<Pending>>,
            "snapshots" => survives::<Items<Snapshot>>,
            "migration" => survives::<Migration>,
            "agent_interfaces" => survives::<AgentInterfaces>,
            "lxc_interfaces" => survives::<Items<Interface>>,
            "agent_system" => survives::<AgentSystem>,
            "agent_disks" => survives::<AgentDisks>,
            "cluster_log" => survives::<Items<ClusterLog>>,
            "network" => survives::<Items<Link>>,
            "feature" => survives::<Feature>,
            "backups" | "volumes" => survives::<Items<Volume>>,
            "jobs" => survives::<Items<BackupJob>>,
            "disks" => survives::<Items<Disk>>,
            "smart" | "smart_nvme" => survives::<Smart>,
            "pools" => survives::<Items<Zpool>>,
            "pool" => survives::<Vdev>,
            "updates" => survives::<Items<Update>>,
            "services" => survives::<Items<Service>>,
            "certificates" => survives::<Items<Certificate>>,
            "pci" => survives::<Items<PciDevice>>,
            "node_config" => survives::<NodeConfig>,
            "permissions" => survives::<Permissions>,
            "next_id" => survives::<LaxText>,
            "resources" | "resources_8" | "resources_boot" | "qemu" | "lxc" => |_, body| listed(body),
            error if error.starts_with("error: ") => {
                let refusal: Refusal = serde_json::from_value(body.clone()).unwrap();
                assert!(refusal.message.is_some() || body.get("message").is_none(), "{name}");
                continue;
            }
            other => panic!("{other} is read by nothing"),
        };
        check(name, body);
    }
}

/// The list that is read without copying, down to its rows.
fn listed(body: &Value) {
    let mut found = Vec::new();
    places(&body["data"], "/data", &mut found);
    let place = Place { instance: "pve".into(), domain: Domain::Home };
    let project = |body: &Value| {
        let text = body.to_string();
        let entries = Entries::read(text.as_bytes()).unwrap();
        rows::project(&entries, None, &place, &mut Memory::default(), Timestamp::UNIX_EPOCH).rows.len()
    };
    let whole = project(body);
    for place in found {
        for value in odd() {
            let mut twisted = body.clone();
            *twisted.pointer_mut(&place).unwrap() = value.clone();
            assert!(project(&twisted) + 1 >= whole, "{place} = {value} costs more than its own row");
        }
    }
}

#[test]
fn both_truths_of_memory_and_both_spellings_of_a_configuration_are_understood() {
    let shapes = shapes();
    let read = |name: &str| serde_json::from_value::<Data<NodeStatus>>(shapes[name].clone()).unwrap().data;
    let left = |name: &str| read(name).memory.0.unwrap().left();
    assert_eq!((left("node_status"), left("node_status_8")), (Some(39_403_864_064), Some(39_403_864_064)));
    let config = serde_json::from_value::<Data<GuestConfig>>(shapes["config"].clone()).unwrap().data;
    assert_eq!((config.memory_mib(), config.passthrough().len()), (Some(32_768), 1));
    assert_eq!(config.storages().into_iter().collect::<Vec<_>>(), ["local-zfs"]);
}

/// Any JSON at all, of the fields that a server uses and of others.
fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "qemu", "lxc", "node", "storage", "qemu/100", "running", "1", "", "Infinity"
        ])
        .prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "id", "type", "vmid", "name", "node", "status", "template", "cpu", "mem", "maxmem", "uptime",
        "netin", "netout", "lock", "tags", "hastate", "storage", "content", "shared", "data", "x",
    ]);
    scalar.prop_recursive(4, 48, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key.clone().prop_map(str::to_owned), inner, 0..10)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Reads a body as everything that a server can be asked for; whatever it is, nothing breaks.
fn read_as_anything(text: &str) {
    fn read<T: DeserializeOwned>(text: &str) {
        let _ = serde_json::from_str::<Data<T>>(text);
    }
    let place = Place { instance: "pve".into(), domain: Domain::Home };
    let mut memory = Memory::default();
    for second in [0, 5, i64::from(u32::MAX)] {
        let now = Timestamp::from_second(second).unwrap();
        let _ = read_resources(text.as_bytes(), &place, &mut memory, now);
    }
    let readers: [fn(&str); 16] = [
        read::<Items<Task>>,
        read::<TaskStatus>,
        read::<Items<LogEntry>>,
        read::<Current>,
        read::<GuestConfig>,
        read::<NodeStatus>,
        read::<Items<Sample>>,
        read::<Items<Snapshot>>,
        read::<Items<Volume>>,
        read::<Items<BackupJob>>,
        read::<Items<Disk>>,
        read::<Smart>,
        read::<Vdev>,
        read::<Permissions>,
        read::<Migration>,
        read::<Items<Mapping>>,
    ];
    for read in readers {
        read(text);
    }
    let _ = serde_json::from_str::<Refusal>(text);
}

proptest! {
    #[test]
    fn no_answer_breaks_the_reader(body in any_json(), enveloped in any::<bool>()) {
        let body = if enveloped { json!({ "data": body }) } else { body };
        read_as_anything(&body.to_string());
    }

    #[test]
    fn nor_does_an_answer_that_breaks_off_or_is_none(cut in any::<prop::sample::Index>(), noise in "\\PC{0,40}") {
        let shapes = shapes();
        let whole: Vec<&Value> = shapes.values().collect();
        let text = whole[cut.index(whole.len())].to_string();
        let end = (0..=cut.index(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        read_as_anything(&text[..end]);
        read_as_anything(&noise);
        read_as_anything(&format!("{}{noise}", &text[..end]));
    }
}
