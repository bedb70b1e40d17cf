//! The list of resources, entry by entry: one that stands there byte by byte as in the list before is neither decoded
//! nor made a row again, so that ten thousand guests cost what changed among them, in time and in memory.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::model::id::EntityId;
use crate::model::row::Row;
use crate::model::snapshot::{Delta, Snapshot};

use super::wire::{Data, Resource};

/// A guest's number, and whether it is a container.
pub type Guest = (u32, bool);

/// The entries of an answer to `GET /cluster/resources`, not yet decoded.
pub struct Entries<'a> {
    /// The objects in order.
    pub items: Vec<&'a str>,
    /// How many entries are no objects; what is no list at all counts as one.
    pub skipped: usize,
}

impl<'a> Entries<'a> {
    /// Finds the entries; an error where the body is no JSON or has no envelope.
    pub fn read(body: &'a [u8]) -> Result<Self, serde_json::Error> {
        let data = serde_json::from_slice::<Data<&RawValue>>(body)?.data.get();
        if data == "null" {
            return Ok(Self { items: Vec::new(), skipped: 0 });
        }
        let Ok(all) = serde_json::from_str::<Vec<&RawValue>>(data) else {
            return Ok(Self { items: Vec::new(), skipped: 1 });
        };
        let (items, other): (Vec<_>, Vec<_>) =
            all.into_iter().map(RawValue::get).partition(|entry| entry.starts_with('{'));
        Ok(Self { items, skipped: other.len() })
    }

    /// The entries one by one; what cannot be read is left out.
    pub fn each(&self) -> impl Iterator<Item = Resource<'a>> + use<'a, '_> {
        self.items.iter().filter_map(|entry| serde_json::from_str(entry).ok())
    }
}

/// Tells two entries apart.
pub fn print(entry: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(entry.as_bytes());
    hasher.finish()
}

/// Tells two entries apart whose rows tell of something else beside.
pub fn with(print: u64, other: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    (print, other).hash(&mut hasher);
    hasher.finish()
}

/// What the rows of a list are, beside those that are as they were told.
#[derive(Debug, Default)]
pub struct Listed {
    /// The rows that were made.
    pub rows: Vec<Row>,
    /// All of it that the next list is held against.
    pub told: Told,
}

/// What was told last of a list.
#[derive(Debug, Default)]
pub struct Told {
    /// The guests by how their entries stood there.
    pub guests: HashMap<u64, Guest>,
    /// Hosts and storages, likewise.
    pub others: HashMap<u64, EntityId>,
    /// Guests whose rows are to be made again although their entries are the same.
    pub stale: HashSet<u32>,
    /// Whether every entry was recognised.
    pub complete: bool,
    /// What the reader must know of the list.
    pub notes: Vec<String>,
}

impl Listed {
    /// The whole list, where all of it was made.
    pub fn snapshot(&mut self, now: Timestamp) -> Snapshot {
        let (rows, notes) = (std::mem::take(&mut self.rows), self.told.notes.clone());
        Snapshot { complete: self.told.complete, notes, ..Snapshot::complete(rows, now) }
    }

    /// What is to be told of it after what was told before; `id` names a guest that is gone.
    pub fn change(&mut self, before: &Told, id: impl Fn(Guest) -> EntityId, now: Timestamp) -> Delta {
        let here: HashSet<Guest> = self.told.guests.values().copied().collect();
        let left = before.guests.values().filter(|guest| !here.contains(guest));
        let mut removes: Vec<EntityId> = left.map(|guest| id(*guest)).collect();
        let here: HashSet<&EntityId> = self.told.others.values().collect();
        removes.extend(before.others.values().filter(|id| !here.contains(id)).cloned());
        let upserts = std::mem::take(&mut self.rows);
        if upserts.is_empty() && removes.is_empty() {
            return Delta::Same(now);
        }
        Delta::Change { upserts, removes, observed_at: now, complete: self.told.complete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::proxmox::Memory;
    use crate::backend::proxmox::rows::{Place, project};
    use crate::model::row::Domain;

    const HOST: &str = r#"{"id":"node/pve","type":"node","node":"pve","status":"online"}"#;
    const STORE: &str = r#"{"id":"storage/pve/tank","type":"storage","node":"pve","storage":"tank"}"#;

    fn guest(vmid: u32, status: &str) -> String {
        format!(
            r#"{{"id":"qemu/{vmid}","type":"qemu","vmid":{vmid},"node":"pve","name":"g{vmid}","status":"{status}"}}"#
        )
    }

    /// Plays lists one after the other; what each told, as sorted keys of what came and what went.
    fn told(lists: &[Vec<String>]) -> Vec<(Vec<String>, Vec<String>)> {
        let place = Place { instance: "pve".into(), domain: Domain::Home };
        let (mut memory, mut before) = (Memory::default(), None::<Told>);
        let mut all = Vec::new();
        for list in lists {
            let body = format!(r#"{{"data":[{}]}}"#, list.join(","));
            let entries = Entries::read(body.as_bytes()).unwrap();
            let mut listed = project(&entries, before.as_ref(), &place, &mut memory, Timestamp::UNIX_EPOCH);
            let id = |(vmid, _)| EntityId::new("proxmox.guests", "pve", format!("qemu/{vmid}"));
            let last = before.take().unwrap_or_default();
            let (mut came, mut went) = match listed.change(&last, id, Timestamp::UNIX_EPOCH) {
                Delta::Change { upserts, removes, .. } => (
                    upserts.iter().map(|row| row.id.key.to_string()).collect(),
                    removes.iter().map(|id| id.key.to_string()).collect(),
                ),
                _ => (Vec::new(), Vec::new()),
            };
            came.sort();
            went.sort();
            all.push((came, went));
            before = Some(listed.told);
        }
        all
    }

    #[test]
    fn of_a_list_only_what_changed_is_told_again() {
        let (host, store) = (HOST.to_owned(), STORE.to_owned());
        let (on, off) = (|vmid| guest(vmid, "running"), |vmid| guest(vmid, "stopped"));
        let expected: [(Vec<String>, &[&str], &[&str]); 6] = [
            (vec![host.clone(), store.clone(), on(1), off(2)], &["pve", "pve/tank", "qemu/1", "qemu/2"], &[]),
            (vec![off(2), on(1), store.clone(), host.clone()], &[], &[]),
            // A guest that starts changes what its host counts, and nothing else.
            (vec![host.clone(), store.clone(), on(1), on(2)], &["pve", "qemu/2"], &[]),
            (vec![host.clone(), store.clone(), on(2)], &["pve"], &["qemu/1"]),
            (vec![host.clone(), on(2)], &[], &["pve/tank"]),
            (vec![host, store, on(1), on(2)], &["pve", "pve/tank", "qemu/1"], &[]),
        ];
        let lists: Vec<Vec<String>> = expected.iter().map(|(list, ..)| list.clone()).collect();
        for (at, ((came, went), (_, new, gone))) in told(&lists).into_iter().zip(expected).enumerate() {
            assert_eq!(
                (came, went),
                (
                    new.iter().map(|s| (*s).to_owned()).collect(),
                    gone.iter().map(|s| (*s).to_owned()).collect()
                ),
                "list {at}"
            );
        }
    }

    #[test]
    fn what_is_no_list_of_objects_is_counted() {
        let cases = [
            ("null", 0, 0),
            ("[]", 0, 0),
            ("7", 0, 1),
            (r#"{"a":1}"#, 0, 1),
            (r#"[{}, 3, null, "x", []]"#, 1, 4),
        ];
        for (data, items, skipped) in cases {
            let body = format!(r#"{{"data": {data} }}"#);
            let entries = Entries::read(body.as_bytes()).unwrap();
            assert_eq!((entries.items.len(), entries.skipped), (items, skipped), "{data}");
        }
        assert!(Entries::read(b"{}").is_err() && Entries::read(br#"{"data":[{]}"#).is_err());
    }
}
