//! Wire to rows: what a resource looks like on screen, how it is, and how other systems know it.

mod guest;
pub mod hardware;
pub mod keeping;
mod node;
mod storage;
mod task;

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::id::{EntityId, KindId};
use crate::model::row::{Cell, Domain, Row, Value};

use super::feeds::MANY;
use super::kinds::{GUESTS, NODES, STORAGES};
use super::listing::{self, Entries, Guest, Listed, Told};
use super::memory::Memory;
use super::wire::Resource;

pub use guest::{health as guest_health, identity as guest_identity, tags};
pub use task::{project as project_tasks, title as task_title};

/// Where rows come from and go to.
#[derive(Debug, Clone)]
pub struct Place {
    /// The configured instance.
    pub instance: Arc<str>,
    /// Its failure domain.
    pub domain: Domain,
}

/// The kinds' ids, shared by all rows.
struct Kinds {
    guests: KindId,
    nodes: KindId,
    storages: KindId,
}

/// Makes rows of `GET /cluster/resources`; what stands there as it was told `before` is left as it is.
pub fn project(
    entries: &Entries<'_>,
    before: Option<&Told>,
    place: &Place,
    memory: &mut Memory,
    now: Timestamp,
) -> Listed {
    let kinds = Kinds { guests: GUESTS.into(), nodes: NODES.into(), storages: STORAGES.into() };
    memory.relist();
    let mut pass = Pass { before, told: Told::default(), rows: Vec::new(), unread: entries.skipped };
    let (mut hosts, mut foreign) = (Vec::new(), 0);
    for entry in &entries.items {
        let print = listing::print(entry);
        if pass.still(print, memory) {
            continue;
        }
        let resource: Resource<'_> = serde_json::from_str(entry).unwrap_or_default();
        match kind(&resource) {
            Some("qemu" | "lxc") => {
                pass.guest(print, guest::row(&resource, &kinds.guests, place, memory, now));
            }
            Some("node") => hosts.push((print, resource)),
            Some("storage") => pass.other(print, storage::row(&resource, &kinds.storages, place, memory)),
            Some(_) => foreign += 1,
            None => pass.unread += 1,
        }
    }
    let counts = memory.counts();
    for (print, host) in &hosts {
        // A host's row tells of its guests too.
        let guests = host.node.as_deref().and_then(|node| counts.get(node));
        pass.other(listing::with(*print, guests), node::row(host, &kinds.nodes, place, memory, &counts, now));
    }
    let Pass { mut told, rows, mut unread, .. } = pass;
    let all = told.guests.len() + told.others.len();
    // Not one known thing in a list that is not empty: what it holds is not what it should be.
    unread += if all == 0 && unread == 0 { foreign } else { 0 };
    memory.tidy(all);
    told.complete = unread == 0;
    told.notes = notes(unread, all, memory);
    Listed { rows, told }
}

/// One list on its way to rows.
struct Pass<'a> {
    before: Option<&'a Told>,
    told: Told,
    rows: Vec<Row>,
    unread: usize,
}

impl Pass<'_> {
    /// Takes a guest over that stands there as before; false where none does.
    fn still(&mut self, print: u64, memory: &mut Memory) -> bool {
        let Some(before) = self.before else { return false };
        let known = before.guests.get(&print).filter(|(vmid, _)| !before.stale.contains(vmid));
        let Some(guest) = known.copied().filter(|(vmid, _)| memory.relisted(*vmid)) else { return false };
        self.told.guests.insert(print, guest);
        true
    }

    fn guest(&mut self, print: u64, made: Option<(Guest, Row)>) {
        match made {
            Some((guest, row)) => {
                self.told.guests.insert(print, guest);
                self.rows.push(row);
            }
            None => self.unread += 1,
        }
    }

    /// A host or a storage: there are few, so only their rows are not told again.
    fn other(&mut self, print: u64, row: Option<Row>) {
        let Some(row) = row else {
            self.unread += 1;
            return;
        };
        let told = self.before.is_some_and(|before| before.others.contains_key(&print));
        self.told.others.insert(print, row.id.clone());
        self.rows.extend((!told).then_some(row));
    }
}

/// What the reader must know of a list.
fn notes(unread: usize, all: usize, memory: &Memory) -> Vec<String> {
    let mut notes = Vec::new();
    if unread > 0 {
        notes.push(format!("{unread} entries could not be recognised"));
    }
    if all == 0 {
        let rights = "VM.Audit, Sys.Audit, Datastore.Audit";
        notes.push(format!("nothing can be seen: a token of its own needs rights of its own ({rights})"));
    }
    if memory.is_nameless() {
        notes.push("the host is still collecting: names and figures follow".to_owned());
    }
    if memory.count() > MANY {
        let note = "configurations of so many guests are read one by one, when a guest is opened or acted on";
        notes.push(note.to_owned());
    }
    notes
}

/// What an entry is; its id says it too, where the type cannot be read.
fn kind<'a>(resource: &'a Resource<'_>) -> Option<&'a str> {
    resource.kind.as_deref().or_else(|| resource.id.as_deref()?.split('/').next())
}

fn id(kind: &KindId, place: &Place, key: Arc<str>) -> EntityId {
    EntityId { kind: kind.clone(), instance: place.instance.clone(), key }
}

fn text(memory: &mut Memory, value: Option<&str>) -> Cell {
    match value {
        Some(value) if !value.is_empty() => Cell::new(Value::Text(memory.words.share(value))),
        _ => Cell::empty(),
    }
}

/// A size that is known and not nought.
fn size(bytes: Option<i64>) -> Cell {
    Cell::new(bytes.filter(|bytes| *bytes > 0))
}

fn instant(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}

/// A part of a whole, where both are known.
#[allow(clippy::cast_precision_loss)]
fn share(part: Option<i64>, whole: Option<i64>) -> Option<f64> {
    match (part, whole) {
        (Some(part), Some(whole)) if whole > 0 => Some(part as f64 / whole as f64),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
