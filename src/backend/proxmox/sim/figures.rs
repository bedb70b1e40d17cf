//! Figures that move: load, traffic, memory in use; a function of seed, guest and time, so that a run repeats itself.

use serde_json::{Map, Value, json};

use crate::backend::proxmox::guest::Family;

use super::build::mix;
use super::lab::{BROADCAST, Guest, Lab};

/// A number 0..1 that changes from one broadcast to the next; in a large lab a hundredth of the guests at a time.
fn dice(lab: &Lab, guest: &Guest, what: u64, now: i64) -> f64 {
    let turn = turn(lab, guest.vmid, now);
    let mixed = mix(lab.seed ^ (u64::from(guest.vmid) << 20) ^ turn.unsigned_abs() ^ (what << 50));
    f64::from(u32::try_from(mixed >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

fn turn(lab: &Lab, vmid: u32, now: i64) -> i64 {
    let tick = now / BROADCAST;
    if lab.large { (tick + i64::from(vmid)) / 100 } else { tick }
}

/// The share of its processors that a guest uses at an instant, and its memory in bytes.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
pub fn used(lab: &Lab, guest: &Guest, now: i64) -> (f64, i64) {
    let share = 0.55 + 0.3 * dice(lab, guest, 1, now);
    let cpu = (dice(lab, guest, 2, now).powi(3) * 10_000.0).round() / 10_000.0;
    (cpu, ((guest.memory << 20) as f64 * share) as i64)
}

/// What a list and the guest's own status both tell.
pub fn guest(lab: &Lab, guest: &Guest) -> Map<String, Value> {
    let up = guest.is_up();
    let memory = guest.memory << 20;
    let (cpu, used) = used(lab, guest, lab.now);
    let uptime = if up { (lab.now - guest.started).max(1) } else { 0 };
    let moved = if up { counter(lab, guest) } else { 0 };
    let size = guest.disk << 30;
    let (disk, maxdisk) = if guest.family == Family::Lxc { (size / 3, size) } else { (0, size) };
    let mut fields = json!({
        "vmid": guest.vmid, "name": guest.name, "maxmem": memory, "mem": if up { used } else { 0 },
        "cpu": if up { cpu } else { 0.0 },
        "disk": disk, "maxdisk": maxdisk, "uptime": uptime, "netin": moved, "netout": moved / 3,
        "diskread": moved / 5, "diskwrite": moved / 2,
    });
    let map = fields.as_object_mut().map(std::mem::take).unwrap_or_default();
    with(map, guest)
}

fn with(mut map: Map<String, Value>, guest: &Guest) -> Map<String, Value> {
    if guest.family == Family::Qemu {
        map.insert("memhost".into(), json!(guest.cost()));
    }
    if let Some(lock) = guest.lock {
        map.insert("lock".into(), json!(lock));
    }
    if !guest.tags.is_empty() {
        map.insert("tags".into(), json!(guest.tags));
    }
    if guest.template {
        map.insert("template".into(), json!(1));
    }
    map
}

/// Bytes moved since the guest's start, at a rate of its own.
fn counter(lab: &Lab, guest: &Guest) -> i64 {
    let rate = i64::try_from(mix(u64::from(guest.vmid)) % 2_000_000).unwrap_or(0);
    let ticks = if lab.large { turn(lab, guest.vmid, lab.now) * 100 } else { lab.now / BROADCAST };
    (ticks * BROADCAST - guest.started).max(0).saturating_mul(rate)
}

/// A host's share of busy threads.
pub fn busy(lab: &Lab, node: &str) -> f64 {
    let seed = node.bytes().fold(lab.seed, |seed, byte| mix(seed ^ u64::from(byte)));
    let tick = (lab.now / BROADCAST).unsigned_abs();
    let mixed = mix(seed ^ tick) >> 40;
    0.04 + f64::from(u32::try_from(mixed).unwrap_or(0)) / 16_777_216.0 * 0.1
}
