//! What no server remembers: states that changed between two looks, alerts that went, sources that were not seen.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::insight::recovery::{Over, WATCHED};
use crate::model::id::SourceId;
use crate::model::kind::{Format, KindSpec};
use crate::model::row::{Health, Row, Tone, Value, natural};
use crate::model::snapshot::SourceHealth;
use crate::model::store::Source;

use super::{Event, Sort};

/// So many events are remembered.
const KEPT: usize = 2000;
/// A shorter time without an answer is no gap.
const GAP: SignedDuration = SignedDuration::from_secs(60);
/// Columns whose values are changes of the thing itself.
const TELLING: [&str; 9] =
    ["node", "version", "image", "digest", "revision", "talos", "kubernetes", "egress", "instances"];

/// The memory of this console.
#[derive(Debug)]
pub struct Chronicle {
    began: Timestamp,
    events: VecDeque<Event>,
    /// Since when each source has not been seen.
    unseen: BTreeMap<SourceId, Timestamp>,
}

impl Chronicle {
    /// A memory that begins now.
    pub fn new(began: Timestamp) -> Self {
        Self { began, events: VecDeque::new(), unseen: BTreeMap::new() }
    }

    /// Since when this console has been watching.
    pub fn began(&self) -> Timestamp {
        self.began
    }

    /// Notes what changed on a row; the first list of a source is no change.
    pub fn row(&mut self, old: Option<&Row>, new: Option<&Row>, kind: &KindSpec, now: Timestamp) {
        let alert = kind.id.as_str() == "alerts.alerts";
        match (old, new) {
            (Some(old), Some(new)) => {
                self.turned(old, new, kind, now);
                self.told(old, new, kind, now);
            }
            (Some(old), None) if alert && old.health != Health::Off => {
                self.note(old, Sort::Alert, format!("{} resolved", old.name), Tone::Ok, false, now);
            }
            (Some(old), None) if !alert && lasting(kind) => {
                self.note(old, Sort::Change, format!("{} is gone", old.name), Tone::Warn, true, now);
            }
            _ => {}
        }
    }

    /// The state word changed.
    fn turned(&mut self, old: &Row, new: &Row, kind: &KindSpec, now: Timestamp) {
        let Some(column) = kind.columns.iter().position(|column| column.format == Format::State) else {
            return;
        };
        let word = |row: &Row| row.cell(column).value.as_text().unwrap_or_default().to_owned();
        let (was, is) = (word(old), word(new));
        if was == is || is.is_empty() {
            return;
        }
        let sort = if kind.id.as_str() == "alerts.alerts" { Sort::Alert } else { Sort::Change };
        let why = new.note.as_deref().map(|note| format!(" ({note})")).unwrap_or_default();
        let text = format!("{} {was} > {is}{why}", new.name);
        let change = sort == Sort::Change && matches!(new.health, Health::Pending | Health::Off | Health::Ok);
        self.note(new, sort, text, new.health.into(), change, now);
    }

    /// A fact of the thing itself changed: where it runs, which version it is.
    fn told(&mut self, old: &Row, new: &Row, kind: &KindSpec, now: Timestamp) {
        for name in TELLING {
            let Some(column) = kind.column(name) else { continue };
            let (Value::Text(was), Value::Text(is)) = (&old.cell(column).value, &new.cell(column).value)
            else {
                continue;
            };
            if was == is || was.is_empty() || is.is_empty() {
                continue;
            }
            let down = matches!(name, "version" | "talos" | "kubernetes") && natural(is, was).is_lt();
            let (text, tone) = if down {
                (format!("{} {name} WENT DOWN {was} > {is}", new.name), Tone::Error)
            } else {
                (format!("{} {name} {was} > {is}", new.name), Tone::Info)
            };
            self.note(new, Sort::Change, text, tone, true, now);
        }
    }

    /// Notes that no sign of a problem is seen any more.
    pub fn over(&mut self, over: &Over) {
        self.tell(over, over.at, over.words());
    }

    /// A problem that has stayed away for the whole of its watch.
    pub fn proven(&mut self, over: &Over) {
        let text = format!("stable: {}, no sign of it for {} minutes", over.name, WATCHED.as_mins());
        self.tell(over, over.proven_at(), text);
    }

    fn tell(&mut self, over: &Over, at: Timestamp, text: String) {
        self.push(Event {
            at,
            until: None,
            sort: Sort::Change,
            text,
            tone: Tone::Ok,
            who: Arc::from(""),
            about: over.head.clone(),
            on: Arc::from(over.name.as_str()),
            source: Arc::from("vigie"),
            change: false,
        });
    }

    fn note(&mut self, row: &Row, sort: Sort, text: String, tone: Tone, change: bool, at: Timestamp) {
        self.push(Event {
            at,
            until: None,
            sort,
            text,
            tone,
            who: Arc::from(""),
            about: Some(row.id.clone()),
            on: row.name.clone(),
            source: Arc::from(row.id.kind.as_str()),
            change,
        });
    }

    fn push(&mut self, event: Event) {
        if self.events.len() == KEPT {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Notes whether a source is seen.
    pub fn source(&mut self, source: &Source, now: Timestamp) {
        let id = &source.spec.id;
        if matches!(source.health, SourceHealth::Fresh) {
            if let Some(from) = self.unseen.remove(id)
                && now.duration_since(from) >= GAP
            {
                self.push(gap(id, from, Some(now)));
            }
        } else if !matches!(source.health, SourceHealth::Loading) {
            let from = source.good_at.unwrap_or(self.began);
            self.unseen.entry(id.clone()).or_insert(from);
        }
    }

    /// Everything that is remembered, and the gaps that are still open.
    pub fn events(&self) -> impl Iterator<Item = Event> + '_ {
        let open = self.unseen.iter().map(|(id, from)| gap(id, *from, None));
        self.events.iter().cloned().chain(open)
    }
}

/// Kinds whose rows do not come and go by themselves.
fn lasting(kind: &KindSpec) -> bool {
    matches!(
        kind.id.as_str(),
        "proxmox.guests"
            | "proxmox.nodes"
            | "omni.clusters"
            | "omni.machines"
            | "kubernetes.nodes"
            | "argocd.applications"
    )
}

fn gap(id: &SourceId, from: Timestamp, until: Option<Timestamp>) -> Event {
    let name = if id.backend == id.instance {
        id.backend.to_string()
    } else {
        format!("{} {}", id.backend, id.instance)
    };
    Event {
        at: from,
        until,
        sort: Sort::Gap,
        text: format!("{name} {} not seen", id.feed),
        tone: Tone::Unknown,
        who: Arc::from(""),
        about: None,
        on: name.into(),
        source: Arc::from("vigie"),
        change: false,
    }
}
