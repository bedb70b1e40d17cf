//! Backups in the simulated cluster: vzdump as the real one logs it, and what is written on a backup.

use serde_json::{Value, json};

use crate::backend::proxmox::guest::Family;

use super::answer::{Answer, Params};
use super::lab::{Backup, GIB, Guest, Lab, Node};
use super::power::why_not;
use super::task::{Change, Effect, Task};

/// How long a backup takes, in seconds.
const TAKES: i64 = 24;

const SCHEMA: [&str; 14] = [
    "all?",
    "bwlimit#",
    "compress",
    "exclude",
    "fleecing",
    "lockwait#",
    "mode",
    "notes-template",
    "notification-mode",
    "pool",
    "protected?",
    "remove?",
    "storage",
    "vmid",
];

/// `POST /nodes/{node}/vzdump` for one guest.
pub fn vzdump(lab: &mut Lab, node: &Node, params: &Params) -> Answer {
    if let Err(wrong) = params.check(&SCHEMA) {
        return wrong;
    }
    let storage = params.get("storage").unwrap_or("local").to_owned();
    let space = format!("/storage/{storage}");
    if !lab.permissions.allows_one(&space, "Datastore.AllocateSpace|Datastore.Allocate") {
        return Answer::forbidden(&space, "Datastore.AllocateSpace");
    }
    let vmid = params.get("vmid").and_then(|vmid| vmid.parse().ok()).unwrap_or(0);
    let Some(guest) = lab.guests.get(&vmid).filter(|guest| guest.node == node.name).cloned() else {
        // Nothing on this node matches: no task, and no refusal either.
        return Answer::ok(&json!("OK"));
    };
    let rights = format!("/vms/{vmid}");
    if !lab.permissions.allows(&rights, "VM.Backup") {
        return Answer::forbidden(&rights, "VM.Backup");
    }
    let task = dump(lab, &guest, &storage, params);
    let locks = task.exit == "OK";
    let upid = lab.begin(&node.name, "vzdump", &vmid.to_string(), task);
    if locks && let Some(guest) = lab.guests.get_mut(&vmid) {
        guest.lock = Some("backup");
    }
    Answer::ok(&json!(upid))
}

fn dump(lab: &Lab, guest: &Guest, storage: &str, params: &Params) -> Task {
    let (vmid, family) = (guest.vmid, guest.family.word());
    let status = if guest.is_up() { "running" } else { "stopped" };
    let opening = |task: Task| {
        task.line(
            0,
            format!("INFO: starting new backup job: vzdump {vmid} --storage {storage} --mode snapshot"),
        )
        .line(0, format!("INFO: Starting Backup of VM {vmid} ({family})"))
        .line(0, format!("INFO: status = {status}"))
    };
    let failed = |why: &str| {
        let task = opening(Task { ends: 2, ..Task::failing("job errors") });
        task.line(1, format!("ERROR: Backup of VM {vmid} failed - {why}"))
            .line(1, "INFO: Backup job finished with errors")
    };
    if let Some(lock) = guest.lock {
        return failed(&format!("VM is locked ({lock})"));
    }
    // A stopped machine is started, paused and with its devices, for as long as it takes.
    if guest.family == Family::Qemu
        && !guest.is_up()
        && !guest.template
        && let Some(refused) = why_not(lab, guest)
    {
        return failed(&refused.exit).line(0, "INFO: starting kvm to execute backup task");
    }
    let backup = Backup {
        node: guest.node.clone(),
        storage: storage.to_owned(),
        vmid,
        family: guest.family,
        time: lab.now,
        size: guest.disk * GIB / 8,
        notes: params.get("notes-template").unwrap_or_default().replace("{{guestname}}", &guest.name),
        protected: params.flag("protected"),
    };
    let mut task = opening(Task::lasting(TAKES));
    task = task.line(1, format!("INFO: creating vzdump archive '/mnt/{storage}/dump/{}'", backup.volid()));
    if guest.family == Family::Qemu {
        for (at, percent) in [(3, 7), (8, 25), (13, 58), (18, 93), (21, 100)] {
            let done = guest.disk * percent / 100;
            task = task.line(at, format!("INFO: {percent:>3}% ({done}.0 GiB of {}.0 GiB) in {at}s, read: 703.1 MiB/s, write: 301.1 MiB/s", guest.disk));
        }
        task = task.line(22, "INFO: backup is sparse: 12.44 GiB (60%) total zero data");
    }
    task.line(23, format!("INFO: Finished Backup of VM {vmid} (00:00:{TAKES})"))
        .line(23, "INFO: Backup job finished successfully")
        .then(Effect::On(vmid, Change::Lock(None)))
        .then(Effect::Keep(Box::new(backup)))
}

/// `PUT …/content/{volid}`: notes and protection.
pub fn annotate(lab: &mut Lab, node: &Node, storage: &str, volid: &str, params: &Params) -> Answer {
    if let Err(wrong) = params.check(&["notes", "protected?"]) {
        return wrong;
    }
    let found = lab
        .backups
        .iter()
        .position(|backup| backup.node == node.name && backup.storage == storage && backup.volid() == volid);
    let Some(at) = found else { return Answer::refused(500, &format!("volume '{volid}' does not exist")) };
    let (space, rights) = (format!("/storage/{storage}"), format!("/vms/{}", lab.backups[at].vmid));
    let administers = lab.permissions.allows(&space, "Datastore.Allocate");
    if !administers && !lab.permissions.allows(&space, "Datastore.AllocateSpace") {
        return Answer::forbidden(&space, "Datastore.AllocateSpace");
    }
    if !administers && !lab.permissions.allows(&rights, "VM.Backup") {
        return Answer::forbidden(&rights, "VM.Backup");
    }
    if let Some(notes) = params.get("notes") {
        notes.clone_into(&mut lab.backups[at].notes);
    }
    if params.get("protected").is_some() {
        lab.backups[at].protected = params.flag("protected");
    }
    Answer::ok(&Value::Null)
}
