//! What the simulated server does on POST, PUT and DELETE.

use axum::http::Method;
use serde_json::{Value, json};

use crate::backend::proxmox::guest::Family;

use super::answer::{Answer, Params};
use super::lab::{Guest, Lab, Node, Snap};
use super::power::{accept, power};
use super::task::{Change, Effect, Task};
use super::{dump, read};

/// Routes a change; `None` where there is no such path.
pub fn change(lab: &mut Lab, method: &Method, path: &[&str], params: &Params) -> Option<Answer> {
    let ["nodes", node, rest @ ..] = path else { return None };
    let Some(node) = lab.node(node).cloned() else { return Some(Answer::empty(595, "No route to host")) };
    match (method.as_str(), rest) {
        ("POST", ["vzdump"]) => Some(dump::vzdump(lab, &node, params)),
        ("DELETE", ["tasks", upid]) => Some(stop_task(lab, &node, upid)),
        ("PUT", ["storage", storage, "content", rest @ ..]) => {
            Some(dump::annotate(lab, &node, storage, &rest.join("/"), params))
        }
        (method, [family @ ("qemu" | "lxc"), vmid, rest @ ..]) => {
            let guest = match read::guest(lab, &node, family, vmid) {
                Ok(guest) => guest.clone(),
                Err(answer) => return Some(answer),
            };
            on_guest(lab, &guest, method, rest, params)
        }
        _ => None,
    }
}

fn on_guest(lab: &mut Lab, guest: &Guest, method: &str, path: &[&str], params: &Params) -> Option<Answer> {
    let right = match (method, path) {
        ("POST", ["status", _]) => "VM.PowerMgmt",
        (_, ["snapshot", _, "rollback"]) => "VM.Snapshot|VM.Snapshot.Rollback",
        (_, ["snapshot", ..]) => "VM.Snapshot",
        ("POST", ["clone"]) => "VM.Clone",
        ("POST", ["migrate"]) => "VM.Migrate",
        ("PUT", ["config"]) => "VM.Config.Options",
        _ => return None,
    };
    let path_of = format!("/vms/{}", guest.vmid);
    if !lab.permissions.allows_one(&path_of, right) {
        return Some(Answer::forbidden(&path_of, right));
    }
    Some(match (method, path) {
        ("POST", ["status", verb]) => return power(lab, guest, verb, params),
        ("POST", ["snapshot"]) => snapshot(lab, guest, params),
        ("POST", ["snapshot", name, "rollback"]) => rollback(lab, guest, name, params),
        ("DELETE", ["snapshot", name]) => delete_snapshot(lab, guest, name, params),
        ("POST", ["clone"]) => clone(lab, guest, params),
        ("POST", ["migrate"]) => migrate(lab, guest, params),
        ("PUT", ["config"]) => config(lab, guest, params),
        _ => return None,
    })
}

/// A guest that is locked refuses in its task.
fn unlocked(guest: &Guest, task: Task) -> Task {
    match guest.lock {
        Some(lock) => Task::failing(&format!("VM is locked ({lock})")),
        None => task,
    }
}

fn snapshot(lab: &mut Lab, guest: &Guest, params: &Params) -> Answer {
    let machine = guest.family == Family::Qemu;
    let schema: &[&str] =
        if machine { &["!snapname", "description", "vmstate?"] } else { &["!snapname", "description"] };
    if let Err(wrong) = params.check(schema) {
        return wrong;
    }
    let name = params.get("snapname").unwrap_or_default().to_owned();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if name.len() > 40 || !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(plain) {
        return Answer::parameter("snapname", "invalid format - invalid configuration ID");
    }
    let memory = params.flag("vmstate");
    let task = if guest.snapshots.iter().any(|snap| snap.name == name) {
        Task::failing(&format!("snapshot name '{name}' already used"))
    } else if memory && guest.devices().next().is_some() {
        Task::failing("VFIO migration is not supported in kernel")
    } else {
        let description = params.get("description").unwrap_or_default().to_owned();
        let snap = Snap { name, parent: guest.at.clone(), time: lab.now, memory, description };
        let task = Task::lasting(if memory { 6 } else { 2 }).then(Effect::On(guest.vmid, Change::Take(snap)));
        if memory {
            task.line(1, "saving VM state and RAM using storage 'local-zfs'").line(3, "812.33 MiB in 1s")
        } else {
            task
        }
    };
    accept(lab, guest, "snapshot", unlocked(guest, task))
}

fn rollback(lab: &mut Lab, guest: &Guest, name: &str, params: &Params) -> Answer {
    if let Err(wrong) = params.check(&["start?"]) {
        return wrong;
    }
    let Some(snap) = guest.snapshots.iter().find(|snap| snap.name == name) else {
        return accept(lab, guest, "rollback", Task::failing(&format!("snapshot '{name}' does not exist")));
    };
    let newer = guest.snapshots.iter().any(|other| other.time > snap.time);
    let task = if newer {
        let text = format!(
            "can't rollback, '{name}' is not most recent snapshot on 'local-zfs:vm-{}-disk-0'",
            guest.vmid
        );
        Task::failing(&text)
    } else {
        let state = if snap.memory || params.flag("start") { "running" } else { "stopped" };
        let on = |change| Effect::On(guest.vmid, change);
        Task::lasting(4).then(on(Change::Rollback(name.to_owned()))).then(on(Change::State(state)))
    };
    accept(lab, guest, "rollback", unlocked(guest, task))
}

fn delete_snapshot(lab: &mut Lab, guest: &Guest, name: &str, params: &Params) -> Answer {
    if let Err(wrong) = params.check(&["force?"]) {
        return wrong;
    }
    let known = guest.snapshots.iter().any(|snap| snap.name == name);
    let task = if known {
        Task::lasting(2).then(Effect::On(guest.vmid, Change::Drop(name.to_owned())))
    } else {
        Task::failing(&format!("snapshot '{name}' does not exist"))
    };
    accept(lab, guest, "delsnapshot", unlocked(guest, task))
}

fn clone(lab: &mut Lab, guest: &Guest, params: &Params) -> Answer {
    let name = if guest.family == Family::Qemu { "name" } else { "hostname" };
    let schema = [
        "!newid#",
        name,
        "full?",
        "storage",
        "format",
        "pool",
        "target",
        "snapname",
        "description",
        "bwlimit#",
    ];
    if let Err(wrong) = params.check(&schema) {
        return wrong;
    }
    let vmid = params.number("newid").and_then(|id| u32::try_from(id).ok()).unwrap_or(0);
    let rights = format!("/vms/{vmid}");
    if !lab.permissions.allows(&rights, "VM.Allocate") {
        return Answer::forbidden(&rights, "VM.Allocate");
    }
    if lab.guests.contains_key(&vmid) {
        return Answer::refused(500, &format!("unable to create VM {vmid}: config file already exists"));
    }
    if !params.flag("full") && !guest.template {
        return Answer::refused(500, "Linked clone feature is not supported for a non-template");
    }
    let copy = Guest {
        vmid,
        name: params.get(name).unwrap_or("copy").to_owned(),
        state: "stopped",
        template: false,
        snapshots: Vec::new(),
        at: None,
        ..guest.clone()
    };
    let size = format!("{}.0 GiB", guest.disk);
    let task = Task::lasting(12)
        .line(0, format!("create full clone of drive scsi0 (local-zfs:vm-{}-disk-0)", guest.vmid))
        .line(3, format!("transferred {}.0 GiB of {size} (25.00%)", guest.disk / 4))
        .line(6, format!("transferred {}.0 GiB of {size} (50.00%)", guest.disk / 2))
        .line(11, format!("transferred {size} of {size} (100.00%)"))
        .then(Effect::Add(Box::new(copy)));
    accept(lab, guest, "clone", unlocked(guest, task))
}

fn migrate(lab: &mut Lab, guest: &Guest, params: &Params) -> Answer {
    let schema: &[&str] = match guest.family {
        Family::Qemu => &["!target", "online?", "with-local-disks?", "targetstorage", "force?", "bwlimit#"],
        Family::Lxc => &["!target", "online?", "restart?", "target-storage", "timeout#", "bwlimit#"],
    };
    if let Err(wrong) = params.check(schema) {
        return wrong;
    }
    let to = params.get("target").unwrap_or_default().to_owned();
    if lab.node(&to).is_none() {
        return Answer::parameter("target", "no such cluster node");
    }
    if to == guest.node {
        return Answer::parameter("target", "target is local node.");
    }
    let live = params.flag("online") || params.flag("restart");
    let task = if guest.is_up() && !live {
        return Answer::refused(500, &format!("can't migrate running VM '{}' without --online", guest.vmid));
    } else if guest.devices().next().is_some() {
        Task::failing("cannot migrate VM which uses local devices: hostpci0")
    } else {
        Task::lasting(9)
            .line(1, format!("starting migration of VM {} to node '{to}'", guest.vmid))
            .line(4, "migration active, transferred 1.0 GiB of 4.0 GiB VM-state, 110.0 MiB/s")
            .then(Effect::On(guest.vmid, Change::Node(to)))
    };
    let upid = lab.begin(
        &guest.node,
        if guest.family == Family::Qemu { "qmigrate" } else { "vzmigrate" },
        &guest.vmid.to_string(),
        unlocked(guest, task),
    );
    Answer::ok(&json!(upid))
}

fn config(lab: &mut Lab, guest: &Guest, params: &Params) -> Answer {
    if let Err(wrong) = params.check(&["tags", "description", "delete", "digest", "onboot?"]) {
        return wrong;
    }
    if params.get("digest").is_some_and(|digest| digest != read::digest(guest)) {
        return Answer::refused(
            500,
            "detected modified configuration - file changed by other user? Try again.",
        );
    }
    let Some(kept) = lab.guests.get_mut(&guest.vmid) else { return Answer::ok(&Value::Null) };
    if let Some(tags) = params.get("tags") {
        tags.clone_into(&mut kept.tags);
    }
    if let Some(description) = params.get("description") {
        // The server ends it with a line break.
        kept.config.insert("description".into(), format!("{description}\n"));
    }
    for key in params.get("delete").unwrap_or_default().split(',') {
        if key == "tags" {
            kept.tags.clear();
        }
        kept.config.remove(key);
    }
    Answer::ok(&Value::Null)
}

/// Breaks a task off; one that has ended stays as it is.
fn stop_task(lab: &mut Lab, node: &Node, upid: &str) -> Answer {
    let (now, rights) = (lab.now, format!("/nodes/{}", node.name));
    let may = lab.permissions.allows(&rights, "Sys.Modify");
    let Some(task) = lab.tasks.iter_mut().find(|task| task.upid == upid) else {
        return Answer::parameter("upid", "no such task");
    };
    if !may && !task.user.starts_with("vigie@pve") {
        return Answer::forbidden(&rights, "Sys.Modify");
    }
    if !task.is_over(now) {
        let release = task.effects.iter().any(|effect| matches!(effect, Effect::On(_, Change::Lock(None))));
        task.break_off(now + 1, "interrupted by signal");
        if release && let Ok(vmid) = task.field(6).parse() {
            task.effects.push(Effect::On(vmid, Change::Lock(None)));
        }
    }
    Answer::ok(&Value::Null)
}
