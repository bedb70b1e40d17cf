//! Power in the simulated cluster: what is refused at once, and what only its task finds out.

use serde_json::json;

use crate::backend::proxmox::guest::Family;
use crate::backend::proxmox::startup::Startup;

use super::answer::{Answer, Params};
use super::build;
use super::lab::{Guest, Lab};
use super::task::{Change, Effect, Task};

/// One `status/…` call; `None` where the guest knows no such thing.
pub fn power(lab: &mut Lab, guest: &Guest, verb: &str, params: &Params) -> Option<Answer> {
    let machine = guest.family == Family::Qemu;
    let schema: &[&str] = match (verb, machine) {
        ("start", true) => &["force-cpu", "machine", "skiplock?", "stateuri", "targetstorage", "timeout#"],
        ("start", false) => &["debug?", "skiplock?"],
        ("shutdown", true) => &["forceStop?", "keepActive?", "skiplock?", "timeout#"],
        ("shutdown", false) => &["forceStop?", "timeout#"],
        ("stop", true) => &["keepActive?", "overrule-shutdown?", "skiplock?", "timeout#"],
        ("stop", false) => &["overrule-shutdown?", "skiplock?"],
        ("reboot", _) => &["timeout#"],
        ("suspend", true) => &["skiplock?", "statestorage", "todisk?"],
        ("reset", true) => &["skiplock?"],
        ("resume", true) => &["nocheck?", "skiplock?"],
        _ => return None,
    };
    if let Err(wrong) = params.check(schema) {
        return Some(wrong);
    }
    Some(match verb {
        "start" if !machine && guest.is_up() => {
            Answer::refused(500, &format!("CT {} already running", guest.vmid))
        }
        "start" => accept(lab, guest, "start", starting(lab, guest)),
        "shutdown" => shutdown(lab, guest, params),
        "stop" => stop(lab, guest, params),
        _ => running_only(lab, guest, verb, params),
    })
}

/// Reboot, reset, suspend and resume look before they make a task.
fn running_only(lab: &mut Lab, guest: &Guest, verb: &str, params: &Params) -> Answer {
    if !guest.is_up() {
        return Answer::refused(500, &format!("VM {} not running", guest.vmid));
    }
    let on = |change| Effect::On(guest.vmid, change);
    let (kind, effect, seconds) = match verb {
        "reboot" => ("reboot", on(Change::Restart), 9),
        "reset" => ("reset", on(Change::State("running")), 1),
        "suspend" if params.flag("todisk") => return to_disk(lab, guest),
        "suspend" => ("pause", on(Change::State("paused")), 1),
        _ => ("resume", on(Change::State("running")), 1),
    };
    let task = match guest.lock {
        Some(lock) => Task::failing(&format!("VM is locked ({lock})")),
        None => Task::lasting(seconds).then(effect),
    };
    accept(lab, guest, kind, task)
}

/// Writing the memory to disk needs a right of its own, and no device may be passed through.
fn to_disk(lab: &mut Lab, guest: &Guest) -> Answer {
    let rights = format!("/vms/{}", guest.vmid);
    if !lab.permissions.allows(&rights, "VM.Config.Disk") {
        return Answer::forbidden(&rights, "VM.Config.Disk");
    }
    if guest.devices().next().is_some() {
        return Answer::refused(500, "cannot suspend VM to disk due to passed-through PCI device(s)");
    }
    let on = |change| Effect::On(guest.vmid, change);
    let task = match guest.lock {
        Some(lock) => Task::failing(&format!("VM is locked ({lock})")),
        None => Task::lasting(8)
            .line(1, "State is being written to 'local-zfs:vm-state-suspend'")
            .line(6, "State saved, quitting")
            .then(on(Change::State("stopped")))
            .then(on(Change::Lock(Some("suspended")))),
    };
    accept(lab, guest, "suspend", task)
}

/// Begins a task on a guest.
pub fn accept(lab: &mut Lab, guest: &Guest, verb: &str, task: Task) -> Answer {
    let prefix = if guest.family == Family::Qemu { "qm" } else { "vz" };
    let upid = lab.begin(&guest.node, &format!("{prefix}{verb}"), &guest.vmid.to_string(), task);
    Answer::ok(&json!(upid))
}

fn starting(lab: &Lab, guest: &Guest) -> Task {
    why_not(lab, guest).unwrap_or_else(|| {
        let seconds = if guest.devices().next().is_some() { 9 } else { 3 };
        let on = |change| Effect::On(guest.vmid, change);
        Task::lasting(seconds).then(on(Change::State("running"))).then(on(Change::Lock(None)))
    })
}

/// Why a guest cannot be brought up; the request was accepted all the same.
pub fn why_not(lab: &Lab, guest: &Guest) -> Option<Task> {
    let vmid = guest.vmid;
    let short = if guest.family == Family::Qemu { "VM" } else { "CT" };
    if let Some(lock) = guest.lock.filter(|lock| *lock != "suspended") {
        return Some(Task::failing(&format!("{short} is locked ({lock})")));
    }
    if guest.is_up() {
        return Some(Task::failing(&format!("VM {vmid} already running")));
    }
    if guest.template {
        return Some(Task::failing("you can't start a vm if it's a template"));
    }
    for device in guest.devices() {
        let holds =
            |other: &&Guest| other.vmid != vmid && other.is_up() && other.devices().any(|d| d == device);
        if let Some(other) = lab.guests.values().find(holds) {
            let text = format!("PCI device '{device}' already in use by VMID '{}'", other.vmid);
            return Some(Task::failing(&text));
        }
    }
    let node = lab.node(&guest.node)?;
    // The cache gives way, but not below its least.
    let room = lab.available(node) + build::ARC - node.memory / 32;
    (guest.memory << 20 > room).then(|| {
        Task::failing("start failed: QEMU exited with code 1")
            .line(0, "kvm: cannot set up guest memory 'pc.ram': Cannot allocate memory")
    })
}

fn shutdown(lab: &mut Lab, guest: &Guest, params: &Params) -> Answer {
    let force = params.flag("forceStop");
    if guest.state == "paused" && !force {
        return Answer::refused(500, "VM is paused - cannot shutdown");
    }
    let stopped = Effect::On(guest.vmid, Change::State("stopped"));
    let own = guest.config.get("startup").and_then(|text| Startup::parse(text).down);
    let usual = own.map_or(60, |down| i64::try_from(down.as_secs()).unwrap_or(60));
    let wait = params.number("timeout").unwrap_or(usual);
    let task = if let Some(lock) = guest.lock {
        Task::failing(&format!("VM is locked ({lock})"))
    } else if !guest.is_up() {
        Task::lasting(1)
    } else if !lab.deaf.contains(&guest.vmid) {
        Task::lasting(6.min(wait)).then(stopped)
    } else if force {
        Task::lasting(wait + 1).line(wait, "VM still running - terminating now with SIGTERM").then(stopped)
    } else {
        Task { ends: wait, ..Task::failing("VM quit/powerdown failed - got timeout") }
    };
    accept(lab, guest, "shutdown", task)
}

/// A stop waits for the shutdown before it and fails, unless it overrules it.
fn stop(lab: &mut Lab, guest: &Guest, params: &Params) -> Answer {
    let now = lab.now;
    let id = guest.vmid.to_string();
    let hangs =
        |task: &Task| !task.is_over(now) && task.field(6) == id && task.field(5).ends_with("shutdown");
    let hanging = lab.tasks.iter_mut().find(|task| hangs(task));
    let task = match hanging {
        Some(task) if params.flag("overrule-shutdown") => {
            task.break_off(now, "received interrupt");
            Task::lasting(2)
        }
        Some(_) => {
            let text = format!("can't lock file '/var/lock/qemu-server/lock-{id}.conf' - got timeout");
            Task { ends: 10, ..Task::failing(&text) }.line(0, "trying to acquire lock...")
        }
        None => Task::lasting(2),
    };
    let task = match guest.lock {
        Some(lock) => Task::failing(&format!("VM is locked ({lock})")),
        None if task.exit == "OK" => task.then(Effect::On(guest.vmid, Change::State("stopped"))),
        None => task,
    };
    accept(lab, guest, "stop", task)
}
