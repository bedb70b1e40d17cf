//! What happens to the simulated hosts and guests from outside: whole hosts are shut down in order and started again,
//! and somebody else replaces or moves a guest.
//!
//! Flags of the world say so: `proxmox.power` is `down` (all guests are stopped, as a host does before it goes) or
//! `boot` (the first moment after it came back, when the guests of `proxmox.zombie` run although nobody wants them to);
//! `proxmox.reuse` gives a guest's number to another guest; `proxmox.move` (`100=pve02`) puts a guest on another host.

use crate::backend::sim::{World, lab::machine_uuid};

use super::lab::Lab;
use super::task::{Change, Effect, Task};

/// How long a host takes to stop its guests, in seconds.
const STOPPING: i64 = 40;

/// Does what the flags ask for, once for each time that one is set anew.
pub fn disturb(lab: &mut Lab, world: &World) {
    match news(lab, world, "proxmox.power").as_deref() {
        Some("down") => down(lab),
        Some("boot") => {
            let zombies = world.get("proxmox.zombie");
            boot(lab, &zombies.split(',').filter_map(|vmid| vmid.parse().ok()).collect::<Vec<u32>>());
        }
        _ => {}
    }
    let reused = news(lab, world, "proxmox.reuse").and_then(|vmid| vmid.parse().ok());
    if let Some(guest) = reused.and_then(|vmid: u32| lab.guests.get_mut(&vmid)) {
        let uuid = machine_uuid(&format!("another {}", guest.name));
        guest.config.insert("smbios1".into(), format!("uuid={uuid}"));
    }
    if let Some(moved) = news(lab, world, "proxmox.move")
        && let Some((vmid, node)) = moved.split_once('=')
        && let Some(guest) = vmid.parse().ok().and_then(|vmid: u32| lab.guests.get_mut(&vmid))
    {
        node.clone_into(&mut guest.node);
    }
}

/// A flag's value where it was set since the last look.
fn news(lab: &mut Lab, world: &World, flag: &'static str) -> Option<String> {
    let value = world.get(flag);
    let known = lab.heard.insert(flag, value.clone()).unwrap_or_default();
    (known != value).then_some(value)
}

fn down(lab: &mut Lab) {
    for node in lab.nodes.clone() {
        let running = lab.guests.values().filter(|guest| guest.node == node.name && guest.is_up());
        let stop = running.map(|guest| Effect::On(guest.vmid, Change::State("stopped")));
        let task = stop.fold(Task::lasting(STOPPING), Task::then);
        lab.begin(&node.name, "stopall", "", Task { user: "root@pam".to_owned(), ..task });
    }
}

/// What worked when the host went is broken off; what starts with it runs, all else is off.
fn boot(lab: &mut Lab, zombies: &[u32]) {
    let now = lab.now;
    for task in lab.tasks.iter_mut().filter(|task| !task.is_over(now)) {
        task.break_off(now, "unexpected status");
    }
    for node in &mut lab.nodes {
        node.booted = now;
    }
    for guest in lab.guests.values_mut() {
        let starts = guest.config.get("onboot").is_some_and(|flag| flag == "1");
        let up = !guest.template && (starts || zombies.contains(&guest.vmid));
        guest.state = if up { "running" } else { "stopped" };
        guest.started = now;
    }
    lab.broadcast = None;
    for node in lab.nodes.clone() {
        lab.begin(&node.name, "startall", "", Task { user: "root@pam".to_owned(), ..Task::lasting(5) });
    }
}
