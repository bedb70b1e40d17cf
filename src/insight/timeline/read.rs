//! Events that servers remember, read from the rows of their own histories.

use std::sync::Arc;

use jiff::Timestamp;

use crate::insight::link::Index;
use crate::model::id::EntityId;
use crate::model::kind::{Format, KindSpec, Kinds};
use crate::model::row::{Grade, Health, Row, Tone, Value};
use crate::model::store::Store;

use super::{Event, Sort};

/// How the rows of a kind are read as events.
struct Reader {
    kind: &'static str,
    sort: Sort,
    /// The column that tells when; the first one with an age where it is empty.
    at: &'static str,
    /// The columns that tell what, in this order, and words of our own after a `=`; name and note where there are none.
    what: &'static [&'static str],
    /// The column that tells who.
    who: &'static str,
}

/// The column of an end: it is the consequence of what began, and no change of its own.
const ENDED: &str = "ended";

const READERS: [Reader; 8] = [
    Reader {
        kind: "proxmox.tasks",
        sort: Sort::Task,
        at: "age",
        what: &["task", "on", "state", "result"],
        who: "user",
    },
    Reader {
        kind: "omni.audit",
        sort: Sort::Cluster,
        at: "age",
        what: &["event", "type", "id"],
        who: "actor",
    },
    Reader {
        kind: "kubernetes.events",
        sort: Sort::Event,
        at: "last",
        what: &["object", "reason", "message"],
        who: "source",
    },
    Reader { kind: "authentik.events", sort: Sort::Login, at: "", what: &["state", "name"], who: "actor" },
    Reader { kind: "alerts.alerts", sort: Sort::Alert, at: "since", what: &["name", "on", "state"], who: "" },
    Reader { kind: "kubernetes.pods", sort: Sort::Event, at: "age", what: &[], who: "" },
    Reader {
        kind: "argocd.applications",
        sort: Sort::Deploy,
        at: "began",
        what: &["name", "=sync began"],
        who: "by",
    },
    Reader {
        kind: "argocd.applications",
        sort: Sort::Deploy,
        at: ENDED,
        what: &["name", "=sync", "op", "revision"],
        who: "by",
    },
];

/// Kinds that are histories by their name, whichever system has them.
const HISTORIES: [&str; 8] =
    ["events", "runs", "history", "messages", "syncs", "audit", "deployments", "logins"];

/// Reasons of Kubernetes that tell of a change and not of its consequences.
const CHANGES: [&str; 9] = [
    "Evicted",
    "Preempting",
    "Killing",
    "ScalingReplicaSet",
    "Scheduled",
    "NodeNotReady",
    "TaintManagerEviction",
    "SuccessfulDelete",
    "Rebooted",
];

/// Everything that servers remember of a time, in no order.
pub fn read(store: &Store, kinds: &Kinds, index: &Index, from: Timestamp, to: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    for kind in kinds.iter().filter(|kind| !crate::insight::kinds::is_insight(&kind.id)) {
        for reader in readings(kind) {
            let Some(at) = time_column(kind, reader.1) else { continue };
            for row in store.rows(&kind.id) {
                let Value::Time(when) = row.cell(at).value else { continue };
                if when >= from && when <= to {
                    events.extend(event(row, kind, when, &reader, index));
                }
            }
        }
    }
    events
}

/// How a kind's rows are read; not at all where they tell of no events.
fn readings(kind: &KindSpec) -> Vec<Reading> {
    let own = READERS.iter().filter(|reader| reader.kind == kind.id.as_str());
    let mut all: Vec<Reading> = own.map(|r| (r.sort, r.at, r.what, r.who)).collect();
    if all.is_empty() && HISTORIES.contains(&kind.id.name()) {
        all.push(history(kind));
    }
    all
}

type Reading = (Sort, &'static str, &'static [&'static str], &'static str);

fn history(kind: &KindSpec) -> Reading {
    let sort = match kind.id.backend() {
        "github" => Sort::Run,
        "argocd" => Sort::Deploy,
        "docker" => Sort::Container,
        "authentik" => Sort::Login,
        "omni" => Sort::Cluster,
        "alerts" => Sort::Alert,
        _ => Sort::Event,
    };
    let who = ["actor", "user", "by", "who"].into_iter().find(|name| kind.column(name).is_some());
    (sort, "", &[], who.unwrap_or(""))
}

fn time_column(kind: &KindSpec, name: &str) -> Option<usize> {
    if !name.is_empty() {
        return kind.column(name);
    }
    kind.columns.iter().position(|column| matches!(column.format, Format::Age | Format::Clock))
}

fn event(row: &Arc<Row>, kind: &KindSpec, at: Timestamp, reader: &Reading, index: &Index) -> Option<Event> {
    let (sort, when, what, who) = *reader;
    let text = |name: &str| kind.column(name).and_then(|at| row.cell(at).value.as_text()).unwrap_or_default();
    let about = about(row, kind, index);
    let word = |name: &&'static str| name.strip_prefix('=').unwrap_or_else(|| text(name));
    let mut words: Vec<&str> = what.iter().map(word).filter(|word| !word.is_empty()).collect();
    let created;
    let named;
    if kind.id.as_str() == "kubernetes.pods" {
        created = format!("pod {} created on {}", row.name, text("node"));
        words = vec![&created];
    } else if words.is_empty() {
        let did = ["action", "event", "status"].into_iter().map(text).find(|word| !word.is_empty());
        let note = row.note.as_deref().unwrap_or_default();
        // A note that says it in full says it once.
        let did = did.filter(|did| !note.starts_with(did)).unwrap_or_default();
        named = [did, &*row.name, note].join(" ");
        words = vec![named.trim()];
    }
    // What still fires is told by the alert itself.
    let still = kind.id.as_str() == "alerts.history" && !matches!(row.health, Health::Ok | Health::Off);
    if still || kind.id.as_str() == "alerts.alerts" && matches!(text("state"), "pending") {
        return None;
    }
    let on = about
        .as_ref()
        .and_then(|id| index.row(id))
        .map_or_else(|| Arc::from(text("on")), |row| row.name.clone());
    Some(Event {
        at,
        until: None,
        sort,
        text: words.join(" "),
        tone: tone(row),
        who: Arc::from(text(who)),
        about,
        on,
        source: Arc::from(kind.id.as_str()),
        change: when != ENDED && is_change(kind, sort, text, row),
    })
}

fn tone(row: &Row) -> Tone {
    match Tone::from(row.health) {
        Tone::Ok | Tone::Unknown => Tone::Text,
        other => other,
    }
}

/// Whether it changed something by somebody's will, instead of telling of a consequence.
fn is_change<'t>(kind: &KindSpec, sort: Sort, text: impl Fn(&str) -> &'t str, row: &Row) -> bool {
    match kind.id.as_str() {
        "kubernetes.events" => CHANGES.contains(&text("reason")),
        "proxmox.tasks" => {
            !["vnc", "console", "spice", "term"].iter().any(|word| row.name.to_lowercase().contains(word))
        }
        "authentik.events" => text("state").starts_with("model_"),
        _ => !matches!(sort, Sort::Alert),
    }
}

/// What an event is about: the thing that its row names, or the row itself where it is a thing.
fn about(row: &Row, kind: &KindSpec, index: &Index) -> Option<EntityId> {
    match kind.id.as_str() {
        "proxmox.tasks" => return task_target(row, index),
        "omni.audit" => {
            let id = kind.column("id").and_then(|at| row.cell(at).value.as_text())?;
            let made = |kind: &str| EntityId::new(kind, row.id.instance.clone(), id);
            return [made("omni.clusters"), made("omni.machines")]
                .into_iter()
                .find(|id| index.row(id).is_some());
        }
        "kubernetes.pods" | "argocd.applications" | "alerts.alerts" => return Some(row.id.clone()),
        _ => {}
    }
    let owners = index.owners(row, Grade::Hint);
    let best = owners.into_iter().min_by_key(|link| link.grade);
    best.map(|link| link.row.id.clone())
}

/// `UPID:node:pid:pstart:start:type:ID:user:` names the guest by its number.
fn task_target(row: &Row, index: &Index) -> Option<EntityId> {
    let number =
        row.id.key.split(':').nth(6).filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))?;
    let guest =
        |sort: &str| EntityId::new("proxmox.guests", row.id.instance.clone(), format!("{sort}/{number}"));
    [guest("qemu"), guest("lxc")].into_iter().find(|id| index.row(id).is_some())
}
