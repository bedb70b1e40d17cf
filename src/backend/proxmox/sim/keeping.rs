//! What the simulated server tells of snapshots, backups and jobs, and of what stands in a guest's way.

use serde_json::{Map, Value, json};

use crate::backend::proxmox::guest::Family;
use crate::backend::sim::lab as facts;

use super::answer::{Answer, Params};
use super::lab::{Backup, GIB, Guest, Lab, Node};
use super::read::allowed;

/// A guest's snapshots, unordered, with the place where it stands.
pub fn snapshots(guest: &Guest) -> Answer {
    let mut entries: Vec<Value> = guest
        .snapshots
        .iter()
        .rev()
        .map(|snap| {
            let mut entry =
                json!({ "name": snap.name, "snaptime": snap.time, "description": snap.description });
            if let (Some(parent), Some(map)) = (&snap.parent, entry.as_object_mut()) {
                map.insert("parent".into(), json!(parent));
            }
            if let (Family::Qemu, Some(map)) = (guest.family, entry.as_object_mut()) {
                map.insert("vmstate".into(), json!(u8::from(snap.memory)));
            }
            entry
        })
        .collect();
    let mut current =
        json!({ "name": "current", "description": "You are here!", "running": u8::from(guest.is_up()) });
    if let (Some(at), Some(map)) = (&guest.at, current.as_object_mut()) {
        map.insert("parent".into(), json!(at));
    }
    entries.push(current);
    Answer::ok(&Value::Array(entries))
}

/// The configuration with what a restart will change: nothing, in the lab.
pub fn pending(guest: &Guest) -> Answer {
    let entries = guest.config.iter().map(|(key, value)| json!({ "key": key, "value": value }));
    Answer::ok(&Value::Array(entries.collect()))
}

/// What stands in the way of a move.
pub fn migration(lab: &Lab, guest: &Guest, params: &Params) -> Answer {
    if let Err(wrong) = params.check(&["target"]) {
        return wrong;
    }
    let others: Vec<&str> =
        lab.nodes.iter().map(|node| node.name.as_str()).filter(|name| *name != guest.node).collect();
    let resources: Vec<&String> = guest.config.keys().filter(|key| key.starts_with("hostpci")).collect();
    let disks: Vec<Value> = guest
        .config
        .get("scsi0")
        .iter()
        .filter_map(|disk| disk.split(',').next())
        .map(|volid| json!({ "volid": volid, "size": guest.disk << 30, "cdrom": 0, "is_unused": 0, "drivename": "scsi0" }))
        .collect();
    Answer::ok(&json!({ "running": u8::from(guest.is_up()), "allowed_nodes": others, "not_allowed_nodes": {},
        "local_disks": disks, "local_resources": resources, "mapped-resources": [], "mapped-resource-info": {} }))
}

/// What the guest agent says, where there is one that answers.
pub fn agent(guest: &Guest, call: &str) -> Option<Answer> {
    if !guest.config.contains_key("agent") {
        return Some(Answer::refused(500, "No QEMU guest agent configured"));
    }
    if !guest.is_up() {
        return Some(Answer::refused(500, &format!("VM {} is not running", guest.vmid)));
    }
    Some(Answer::ok(&json!({ "result": match call {
        "network-get-interfaces" => cards(guest),
        "get-osinfo" => json!({ "id": "talos", "name": "Talos", "pretty-name": "Talos (v1.9.0)", "version-id": "v1.9.0",
            "kernel-release": "6.12.5-talos", "machine": "x86_64" }),
        "get-fsinfo" => json!([{ "name": "sda4", "mountpoint": "/var", "type": "xfs", "disk": [],
            "used-bytes": guest.disk * (GIB / 3), "total-bytes": guest.disk * GIB }]),
        _ => return None,
    } })))
}

fn cards(guest: &Guest) -> Value {
    let card = |name: &str, mac: &str, ip: &str| {
        json!({ "name": name, "hardware-address": mac,
            "ip-addresses": [{ "ip-address": ip, "ip-address-type": "ipv4", "prefix": 24 }] })
    };
    let address = facts::address(&guest.name);
    json!([card("lo", "00:00:00:00:00:00", "127.0.0.1"), card("eth0", &facts::mac(&guest.name), &address)])
}

/// A container's addresses, as its host sees them.
pub fn interfaces(guest: &Guest) -> Answer {
    if !guest.is_up() {
        return Answer::ok(&Value::Null);
    }
    let address = facts::address(&guest.name);
    Answer::ok(&json!([{ "name": "eth0", "hwaddr": facts::mac(&guest.name), "inet": format!("{address}/24"),
        "ip-addresses": [{ "ip-address": address, "ip-address-type": "inet", "prefix": "24" }] }]))
}

/// The backup jobs: one that runs every night, one that is off.
pub fn jobs(lab: &Lab) -> Answer {
    let midnight = lab.now / 86_400 * 86_400 + 86_400;
    Answer::ok(&json!([
        { "id": "backup-4f3c1a2e-11aa", "type": "vzdump", "enabled": 1, "schedule": "03:00", "next-run": midnight + 3 * 3_600,
            "storage": "backup-hdd", "mode": "snapshot", "compress": "zstd", "vmid": "100,101",
            "prune-backups": { "keep-daily": "7", "keep-last": "3" }, "fleecing": { "enabled": "0" }, "comment": "nightly" },
        { "id": "backup-9b1d7700-c0de", "type": "vzdump", "enabled": 0, "schedule": "sun 03:00", "storage": "backup-hdd",
            "mode": "snapshot", "all": 1, "exclude": "9000", "comment": "weekly" },
    ]))
}

/// The next free number, as text.
pub fn next_id(lab: &Lab, params: &Params) -> Answer {
    if let Some(wanted) = params.get("vmid") {
        let taken = wanted.parse().is_ok_and(|id: u32| lab.guests.contains_key(&id));
        return if taken {
            Answer::parameter("vmid", &format!("VM {wanted} already exists"))
        } else {
            Answer::ok(&json!(wanted))
        };
    }
    let free = (100..=999_999_999).find(|id| !lab.guests.contains_key(id)).unwrap_or(100);
    Answer::ok(&json!(free.to_string()))
}

/// Whether the token may see a backup; those it may not are left out without a word.
fn sees(lab: &Lab, backup: &Backup) -> bool {
    let path = format!("/storage/{}", backup.storage);
    let rights = &lab.permissions;
    rights.allows(&path, "Datastore.Allocate")
        || (rights.allows(&path, "Datastore.AllocateSpace")
            && rights.allows(&format!("/vms/{}", backup.vmid), "VM.Backup"))
}

fn entry(backup: &Backup) -> Map<String, Value> {
    let mut entry = json!({ "volid": backup.volid(), "content": "backup", "subtype": backup.family.word(), "format": "vma.zst",
        "vmid": backup.vmid, "ctime": backup.time, "size": backup.size, "notes": backup.notes });
    if let (true, Some(map)) = (backup.protected, entry.as_object_mut()) {
        map.insert("protected".into(), json!(1));
    }
    entry.as_object_mut().map(std::mem::take).unwrap_or_default()
}

/// What a storage holds, or one volume of it.
pub fn content(lab: &Lab, node: &Node, storage: &str, path: &[&str], params: &Params) -> Answer {
    let known = lab.storages.iter().any(|known| known.name == storage && known.node == node.name);
    if !known {
        return Answer::refused(500, &format!("storage '{storage}' does not exist"));
    }
    let here = |backup: &&Backup| backup.node == node.name && backup.storage == storage && sees(lab, backup);
    // A volume's name has a slash of its own, encoded or not.
    let volid = path.join("/");
    if !volid.is_empty() {
        let found = lab.backups.iter().filter(here).find(|backup| backup.volid() == volid);
        return found.map_or_else(
            || Answer::refused(500, &format!("volume '{volid}' does not exist")),
            |backup| Answer::ok(&Value::Object(entry(backup))),
        );
    }
    if let Err(wrong) = params.check(&["content", "vmid#"]) {
        return wrong;
    }
    let right = format!("/storage/{storage}");
    allowed(lab, &right, "Datastore.Audit|Datastore.AllocateSpace", || {
        let backups = params.get("content").is_none_or(|content| content == "backup");
        let own = |backup: &&Backup| params.number("vmid").is_none_or(|vmid| i64::from(backup.vmid) == vmid);
        let found = lab.backups.iter().filter(|_| backups).filter(here).filter(own);
        Answer::ok(&Value::Array(found.map(|backup| Value::Object(entry(backup))).collect()))
    })
}

/// Whether a guest's disks can do something: those of a directory cannot let a copy hang on them.
pub fn feature(guest: &Guest, params: &Params) -> Answer {
    if let Err(wrong) = params.check(&["!feature", "snapname"]) {
        return wrong;
    }
    let links = !guest.config.values().any(|value| value.starts_with("backup-hdd:"));
    let has = params.get("feature") != Some("clone") || links;
    Answer::ok(&json!({ "hasFeature": u8::from(has), "nodes": [guest.node] }))
}
