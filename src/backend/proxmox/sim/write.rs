//! What the simulated server does on POST, PUT and DELETE.

use axum::http::Method;
use serde_json::json;

use crate::backend::proxmox::guest::Family;

use super::answer::{Answer, Params};
use super::build;
use super::lab::{Guest, Lab};
use super::read;
use super::task::{Effect, Task};

/// Routes a change; `None` where there is no such path.
pub fn change(lab: &mut Lab, method: &Method, path: &[&str], params: &Params) -> Option<Answer> {
    let ["nodes", node, rest @ ..] = path else { return None };
    let Some(node) = lab.node(node).cloned() else { return Some(Answer::empty(595, "No route to host")) };
    match (method.as_str(), rest) {
        ("POST", [family @ ("qemu" | "lxc"), vmid, "status", verb]) => {
            let guest = match read::guest(lab, &node, family, vmid) {
                Ok(guest) => guest.clone(),
                Err(answer) => return Some(answer),
            };
            let rights = format!("/vms/{}", guest.vmid);
            if !lab.permissions.allows(&rights, "VM.PowerMgmt") {
                return Some(Answer::forbidden(&rights, "VM.PowerMgmt"));
            }
            power(lab, &guest, verb, params)
        }
        _ => None,
    }
}

fn power(lab: &mut Lab, guest: &Guest, verb: &str, params: &Params) -> Option<Answer> {
    Some(match verb {
        "start" => start(lab, guest, params),
        "shutdown" => shutdown(lab, guest, params),
        _ => return None,
    })
}

/// The type of a task on a guest.
fn kind(guest: &Guest, verb: &str) -> String {
    format!("{}{verb}", if guest.family == Family::Qemu { "qm" } else { "vz" })
}

fn accept(lab: &mut Lab, guest: &Guest, verb: &str, task: Task) -> Answer {
    let upid = lab.begin(&guest.node, &kind(guest, verb), &guest.vmid.to_string(), task);
    Answer::ok(&json!(upid))
}

fn start(lab: &mut Lab, guest: &Guest, params: &Params) -> Answer {
    let schema: &[&str] = match guest.family {
        Family::Qemu => &["force-cpu", "machine", "skiplock?", "stateuri", "targetstorage", "timeout#"],
        Family::Lxc => &["debug?", "skiplock?"],
    };
    if let Err(wrong) = params.check(schema) {
        return wrong;
    }
    if guest.family == Family::Lxc && guest.is_up() {
        return Answer::refused(500, &format!("CT {} already running", guest.vmid));
    }
    let task = match refusal(lab, guest) {
        Some(task) => task,
        None => {
            let pinned = guest.devices().next().is_some();
            let seconds = if pinned { 9 } else { 3 };
            Task::lasting(seconds).then(Effect::State(guest.vmid, "running"))
        }
    };
    accept(lab, guest, "start", task)
}

/// Why a start fails; the request was accepted all the same.
fn refusal(lab: &Lab, guest: &Guest) -> Option<Task> {
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
    let schema: &[&str] = match guest.family {
        Family::Qemu => &["forceStop?", "keepActive?", "skiplock?", "timeout#"],
        Family::Lxc => &["forceStop?", "timeout#"],
    };
    if let Err(wrong) = params.check(schema) {
        return wrong;
    }
    let force = params.flag("forceStop");
    if guest.state == "paused" && !force {
        return Answer::refused(500, "VM is paused - cannot shutdown");
    }
    let stopped = Effect::State(guest.vmid, "stopped");
    let wait = params.number("timeout").unwrap_or(60);
    let task = if let Some(lock) = guest.lock {
        Task::failing(&format!("VM is locked ({lock})"))
    } else if !guest.is_up() {
        Task::lasting(1)
    } else if !lab.deaf.contains(&guest.vmid) {
        Task::lasting(6.min(wait)).then(stopped)
    } else if force {
        let text = "VM still running - terminating now with SIGTERM";
        Task::lasting(wait + 1).line(wait, text).then(stopped)
    } else {
        Task { ends: wait, ..Task::failing("VM quit/powerdown failed - got timeout") }
    };
    accept(lab, guest, "shutdown", task)
}
