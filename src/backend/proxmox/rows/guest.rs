//! A guest's row.

use std::sync::Arc;

use jiff::Timestamp;

use crate::backend::proxmox::listing::Guest;
use crate::backend::proxmox::memory::{Known, Memory, Pulse};
use crate::backend::proxmox::wire::Resource;
use crate::model::id::{Identity, KindId};
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row, Tone, Value};

use super::{Place, id, instant, size, text};

/// Why a guest that is off is not as it should be.
const ASLEEP: &str = "off, though it starts with its host";

/// A guest and its row; `None` where neither its id nor its number can be read.
pub(super) fn row(
    guest: &Resource<'_>,
    kind: &KindId,
    place: &Place,
    memory: &mut Memory,
    now: Timestamp,
) -> Option<(Guest, Row)> {
    let family = super::kind(guest)?;
    let vmid = vmid(guest)?;
    let key = memory.words.share(&format!("{family}/{vmid}"));
    let name = memory.words.share(guest.name.as_deref().unwrap_or(&key));
    let node = guest.node.as_deref().map(|node| memory.words.share(node));
    let template = guest.template == Some(true);
    let container = family == "lxc";
    let (pulse, named) = (Pulse::of(template, guest.status.as_deref()), guest.name.is_some());
    memory.list(vmid, Known { name: name.clone(), named, node, container, pulse });
    let state = state(guest, vmid, memory);
    let lock = guest.lock.as_deref().filter(|lock| !lock.is_empty());
    let ha = guest.hastate.as_deref().filter(|state| !state.is_empty());
    let starts = memory.facts(vmid).map(|facts| facts.onboot);
    let asleep = starts == Some(true) && !template;
    let (health, why) = match health(&state, lock, ha, template) {
        (Health::Off, None) if asleep => (Health::Warning, Some(ASLEEP.to_owned())),
        judged => judged,
    };
    let on = !matches!(&*state, "stopped" | "unknown");
    let uptime = guest.uptime.filter(|uptime| on && *uptime > 0);
    let started = uptime.and_then(|uptime| instant(memory.started(vmid, uptime, now.as_second())));
    let cells = vec![
        Cell::toned(
            Value::Text(if template { memory.words.share("template") } else { state.clone() }),
            if template { Tone::Dim } else { health.into() },
        ),
        Cell::new(Value::Text(name.clone())),
        Cell::new(i64::from(vmid)),
        text(memory, Some(if container { "ct" } else { "vm" })),
        text(memory, guest.node.as_deref()),
        Cell::new(guest.cpu.filter(|_| on)),
        size(guest.mem.filter(|_| on)),
        size(guest.maxmem),
        size(guest.memhost.filter(|_| on)),
        size(if container { guest.disk } else { guest.maxdisk }),
        Cell::new(rate(guest, vmid, memory, now).filter(|_| on)),
        lock.map_or_else(Cell::empty, |lock| Cell::toned(Value::Text(memory.words.share(lock)), Tone::Warn)),
        Cell::new(memory.saved(vmid).and_then(instant)),
        Cell::new(memory.snapped(vmid).and_then(instant)),
        Cell::new(memory.address(vmid)),
        text(memory, guest.tags.as_deref().map(tags).as_deref()),
        text(memory, guest.pool.as_deref()),
        text(memory, ha),
        Cell::new(starts),
        Cell::new(started),
    ];
    let mut row = Row::new(id(kind, place, key), name.clone(), cells);
    row.health = health;
    row.note = why.map(|why| memory.words.share(&why));
    row.domain = place.domain;
    row.identity = known(&row.id.key, guest, memory);
    row.facets = facets(&row.id.key, &name, vmid, memory);
    Some(((vmid, container), row))
}

/// What was seen since the list was made, or else what the list says.
fn state(guest: &Resource<'_>, vmid: u32, memory: &mut Memory) -> Arc<str> {
    let listed = guest.status.as_deref().unwrap_or("unknown");
    memory.fresher(vmid).unwrap_or_else(|| memory.words.share(listed))
}

fn vmid(guest: &Resource<'_>) -> Option<u32> {
    let named = || guest.id.as_deref()?.rsplit_once('/')?.1.parse().ok();
    guest.vmid.and_then(|vmid| u32::try_from(vmid).ok()).or_else(named)
}

fn rate(guest: &Resource<'_>, vmid: u32, memory: &mut Memory, now: Timestamp) -> Option<f64> {
    let bytes = guest.netin?.saturating_add(guest.netout?);
    memory.rate(vmid, bytes, now.as_second())
}

fn facets(key: &Arc<str>, name: &Arc<str>, vmid: u32, memory: &mut Memory) -> Box<[Facet]> {
    let host = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        memory.words.share(&name.to_ascii_lowercase())
    } else {
        name.clone()
    };
    let mut facets = vec![
        Facet::new(FacetKey::Host, host, Grade::Likely),
        Facet::new(FacetKey::Name, name.clone(), Grade::Hint),
    ];
    // What was never looked at closely, as among ten thousand guests, is joined by its name alone.
    if let Some(facts) = memory.facts(vmid) {
        facets.push(Facet::new(FacetKey::Guest, key.clone(), Grade::Likely));
        let uuid = facts.uuid.iter().map(|uuid| (FacetKey::MachineUuid, uuid));
        let macs = facts.macs.iter().map(|mac| (FacetKey::Mac, mac));
        facets.extend(uuid.chain(macs).map(|(key, value)| Facet::new(key, value.clone(), Grade::Certain)));
    }
    facets.into_boxed_slice()
}

/// The identity as far as the list tells it, out of shared texts.
fn known(key: &Arc<str>, guest: &Resource<'_>, memory: &mut Memory) -> Identity {
    let words = &mut memory.words;
    let mut identity = Identity::new().with(words.share("guest"), key.clone());
    for (fact, value) in [("node", &guest.node), ("name", &guest.name)] {
        if let Some(value) = value.as_deref() {
            identity = identity.with(words.share(fact), words.share(value));
        }
    }
    identity
}

/// What makes a guest this guest, as far as it is known: a number can be re-used, a guest can move.
pub fn identity(key: &str, node: &str, name: Option<&str>, uuid: Option<&str>) -> Identity {
    let mut identity = Identity::new().with("guest", key).with("node", node);
    for (fact, value) in [("name", name), ("uuid", uuid)] {
        if let Some(value) = value {
            identity = identity.with(fact, value);
        }
    }
    identity
}

/// How a guest is, and the one fact that explains it.
pub fn health(state: &str, lock: Option<&str>, ha: Option<&str>, template: bool) -> (Health, Option<String>) {
    if template {
        return (Health::Off, None);
    }
    if let Some(ha @ ("error" | "fence")) = ha {
        return (Health::Critical, Some(format!("HA: {ha}")));
    }
    let locked = lock.map(|lock| format!("locked ({lock})"));
    match state {
        "running"
            if matches!(lock, Some("backup" | "snapshot" | "snapshot-delete" | "fstrim" | "mounted")) =>
        {
            (Health::Ok, locked)
        }
        "running" if locked.is_some() => (Health::Pending, locked),
        "running" => (Health::Ok, None),
        "stopped" if lock == Some("suspended") => (Health::Off, Some("hibernated".to_owned())),
        "stopped" if locked.is_some() => (Health::Warning, locked),
        "stopped" => (Health::Off, None),
        "io-error" | "internal-error" | "guest-panicked" | "watchdog" => {
            (Health::Critical, Some(format!("QEMU says {state}")))
        }
        "paused" | "prelaunch" if lock == Some("backup") => (Health::Pending, locked),
        "paused" | "suspended" => (Health::Warning, Some(format!("{state}: it does not run"))),
        "prelaunch" | "inmigrate" | "postmigrate" | "finish-migrate" | "save-vm" | "restore-vm"
        | "shutdown" => (Health::Pending, locked),
        _ => (Health::Unknown, locked),
    }
}

/// Tags as people read them; the server separates with `;`, some releases with `,` or a space.
pub fn tags(raw: &str) -> String {
    let words: Vec<&str> = raw.split([';', ',', ' ']).filter(|tag| !tag.is_empty()).collect();
    words.join(" ")
}
