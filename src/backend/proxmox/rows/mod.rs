//! Wire to rows: what a resource looks like on screen, how it is, and how other systems know it.

mod guest;
pub mod hardware;
pub mod keeping;
mod node;
mod storage;
mod task;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::id::{EntityId, KindId};
use crate::model::row::{Cell, Domain, Value};
use crate::model::snapshot::Snapshot;

use super::kinds::{GUESTS, NODES, STORAGES};
use super::lenient::Items;
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

/// Running and all guests of each node.
type Counts<'a> = HashMap<&'a str, (u32, u32)>;

/// Projects `GET /cluster/resources`; what cannot be recognised is counted, not shown.
pub fn project(list: &Items<Resource<'_>>, place: &Place, memory: &mut Memory, now: Timestamp) -> Snapshot {
    let resources = &list.items;
    let kinds = Kinds { guests: GUESTS.into(), nodes: NODES.into(), storages: STORAGES.into() };
    let counts = counts(resources);
    memory.relist();
    let mut rows = Vec::with_capacity(resources.len());
    let (mut unread, mut guests, mut blank) = (list.skipped, 0, 0);
    for resource in resources {
        let row = match kind(resource) {
            Some("qemu" | "lxc") => {
                guests += 1;
                blank += usize::from(resource.name.is_none());
                guest::row(resource, &kinds.guests, place, memory, now)
            }
            Some("node") => node::row(resource, &kinds.nodes, place, memory, &counts, now),
            Some("storage") => storage::row(resource, &kinds.storages, place, memory),
            Some(_) => continue,
            None => None,
        };
        match row {
            Some(row) => rows.push(row),
            None => unread += 1,
        }
    }
    memory.tidy(rows.len());
    let mut snapshot = Snapshot::complete(rows, now);
    // Not one known thing in a list that is not empty: what it holds is not what it should be.
    unread += if snapshot.rows.is_empty() && unread == 0 { resources.len() } else { 0 };
    if unread > 0 {
        snapshot.complete = false;
        snapshot.notes.push(format!("{unread} entries could not be recognised"));
    }
    if snapshot.rows.is_empty() {
        let rights = "VM.Audit, Sys.Audit, Datastore.Audit";
        snapshot
            .notes
            .push(format!("nothing can be seen: a token of its own needs rights of its own ({rights})"));
    }
    if guests > 0 && blank == guests {
        snapshot.notes.push("the host is still collecting: names and figures follow".to_owned());
    }
    snapshot
}

/// What an entry is; its id says it too, where the type cannot be read.
fn kind<'a>(resource: &'a Resource<'_>) -> Option<&'a str> {
    resource.kind.as_deref().or_else(|| resource.id.as_deref()?.split('/').next())
}

fn counts<'a>(resources: &'a [Resource<'_>]) -> Counts<'a> {
    let mut counts = Counts::new();
    let guests = resources.iter().filter(|r| matches!(r.kind.as_deref(), Some("qemu" | "lxc")));
    for guest in guests.filter(|guest| guest.template != Some(true)) {
        if let Some(node) = guest.node.as_deref() {
            let (running, all) = counts.entry(node).or_default();
            *all += 1;
            *running += u32::from(!matches!(guest.status.as_deref(), None | Some("stopped" | "unknown")));
        }
    }
    counts
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
