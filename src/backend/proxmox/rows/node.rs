//! A node's row.

use jiff::Timestamp;

use crate::backend::proxmox::memory::{Counts, Memory};
use crate::backend::proxmox::wire::Resource;
use crate::model::id::{Identity, KindId};
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row, Tone, Value};

use super::{Place, id, instant, share, size, text};

/// From here on memory is short enough to say so.
const MEMORY_SHORT: f64 = 0.95;
/// From here on the root file system is nearly full.
const ROOT_FULL: f64 = 0.9;

/// A node's row; `None` where its name cannot be read.
pub(super) fn row(
    node: &Resource<'_>,
    kind: &KindId,
    place: &Place,
    memory: &mut Memory,
    counts: &Counts,
    now: Timestamp,
) -> Option<Row> {
    let name = node.node.as_deref().or_else(|| node.id.as_deref()?.strip_prefix("node/"))?;
    let name = memory.words.share(name);
    let status = memory.words.share(node.status.as_deref().unwrap_or("unknown"));
    let used = share(node.mem, node.maxmem);
    let root = share(node.disk, node.maxdisk);
    let (health, why) = health(&status, used, root);
    let uptime = node.uptime.filter(|uptime| *uptime > 0);
    let booted = uptime.and_then(|uptime| instant(minute(now.as_second() - uptime)));
    let (running, all) = counts.get(&name).copied().unwrap_or_default();
    let tone = |bad: bool| if bad { Tone::Warn } else { Tone::Text };
    let short = used.is_some_and(|used| used >= MEMORY_SHORT);
    let full = root.is_some_and(|root| root >= ROOT_FULL);
    let cells = vec![
        Cell::toned(Value::Text(status), health.into()),
        Cell::new(Value::Text(name.clone())),
        Cell::new(node.cpu),
        Cell { tone: tone(short), ..size(node.mem) },
        size(node.maxmem),
        Cell::toned(used, tone(short)),
        Cell { tone: tone(full), ..size(node.disk) },
        size(node.maxdisk),
        text(memory, Some(&format!("{running}/{all}"))),
        text(memory, node.hastate.as_deref()),
        Cell::new(booted),
    ];
    let mut row = Row::new(id(kind, place, name.clone()), name.clone(), cells);
    row.health = health;
    row.note = why.map(|why| memory.words.share(&why));
    row.domain = place.domain;
    row.identity = Identity::new().with("node", name.clone());
    row.facets = Box::new([
        Facet::new(FacetKey::Host, memory.words.share(&name.to_ascii_lowercase()), Grade::Likely),
        Facet::new(FacetKey::Name, name, Grade::Hint),
    ]);
    Some(row)
}

/// The list's uptime lags by up to 10 s; whole minutes keep the instant still.
fn minute(seconds: i64) -> i64 {
    (seconds + 30).div_euclid(60) * 60
}

fn health(status: &str, used: Option<f64>, root: Option<f64>) -> (Health, Option<String>) {
    match status {
        "offline" => {
            return (Health::Critical, Some("offline: the rest of the cluster does not see it".into()));
        }
        "online" => {}
        _ => return (Health::Unknown, None),
    }
    match (used, root) {
        (_, Some(root)) if root >= ROOT_FULL => {
            (Health::Warning, Some(format!("root file system {:.0} % full", root * 100.0)))
        }
        (Some(used), _) if used >= MEMORY_SHORT => {
            (Health::Warning, Some(format!("memory {:.0} % used", used * 100.0)))
        }
        _ => (Health::Ok, None),
    }
}
