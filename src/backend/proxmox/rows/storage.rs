//! A storage's row, as one node sees it.

use crate::backend::proxmox::memory::Memory;
use crate::backend::proxmox::wire::Resource;
use crate::model::id::{Identity, KindId};
use crate::model::row::{Cell, Health, Row, Tone, Value};

use super::{Place, id, share, size, text};

/// From here on it wants attention.
const FULL: f64 = 0.85;
/// From here on writes will soon fail.
const OVERFULL: f64 = 0.95;

/// A storage's row; `None` where its name or node cannot be read.
pub(super) fn row(storage: &Resource<'_>, kind: &KindId, place: &Place, memory: &mut Memory) -> Option<Row> {
    let mut parts = storage.id.as_deref().unwrap_or_default().splitn(3, '/').skip(1);
    let (node, named) = (parts.next(), parts.next());
    let node = memory.words.share(storage.node.as_deref().or(node)?);
    let name = memory.words.share(storage.storage.as_deref().or(named)?);
    let status = memory.words.share(storage.status.as_deref().unwrap_or("unknown"));
    let full = share(storage.disk, storage.maxdisk);
    let (health, why) = health(&status, full);
    let tone = if full.is_some_and(|full| full >= FULL) { health.into() } else { Tone::Text };
    let cells = vec![
        Cell::toned(Value::Text(status), health.into()),
        Cell::new(Value::Text(name.clone())),
        Cell::new(Value::Text(node.clone())),
        text(memory, storage.plugintype.as_deref()),
        size(storage.disk),
        size(storage.maxdisk),
        Cell::toned(full, tone),
        Cell::new(storage.shared.filter(|shared| *shared)),
        text(memory, storage.content.as_deref()),
    ];
    let key = memory.words.share(&format!("{node}/{name}"));
    let mut row = Row::new(id(kind, place, key), name.clone(), cells);
    row.health = health;
    row.note = why.map(|why| memory.words.share(&why));
    row.domain = place.domain;
    row.identity = Identity::new().with("storage", name).with("node", node);
    Some(row)
}

fn health(status: &str, full: Option<f64>) -> (Health, Option<String>) {
    match (status, full) {
        ("available", Some(full)) if full >= OVERFULL => {
            (Health::Critical, Some(format!("{:.0} % full", full * 100.0)))
        }
        ("available", Some(full)) if full >= FULL => {
            (Health::Warning, Some(format!("{:.0} % full", full * 100.0)))
        }
        ("available", _) => (Health::Ok, None),
        _ => (Health::Unknown, Some("the host does not report it".to_owned())),
    }
}
