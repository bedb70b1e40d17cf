//! Symptoms: single signs that something is wrong, before anybody asks what they have in common.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::id::{EntityId, KindId};
use crate::model::kind::{Format, KindSpec};
use crate::model::row::{Domain, Health, Row, Value};
use crate::model::run::RunState;
use crate::model::snapshot::{Fault, SourceHealth};
use crate::model::time::seconds_between;

use super::Sight;

/// An operation that takes longer is stuck, in seconds.
const STUCK: i64 = 600;
/// Kinds whose bad rows are history, bookkeeping or people, and no sign that something fails now.
const QUIET: [&str; 12] = [
    "argocd.waves",
    "kubernetes.events",
    "proxmox.tasks",
    "alerts.rules",
    "alerts.silences",
    "alerts.groups",
    "alerts.history",
    "alerts.receivers",
    "authentik.users",
    "authentik.invitations",
    "omni.audit",
    // A failed run is told by itself.
    "github.workflows",
];

/// Whether bad rows of a kind are signs of a problem.
pub fn counts(kind: &KindId) -> bool {
    !crate::insight::kinds::is_insight(kind)
        && kind.backend() != "home"
        && !QUIET.contains(&kind.as_str())
        && !kind.name().ends_with("events")
}

/// Rows that are bad now, and since when they have been seen to be.
#[derive(Debug, Clone, Default)]
pub struct Signs {
    bad: BTreeMap<EntityId, Option<Timestamp>>,
}

impl Signs {
    /// Takes a row's change in; `watched` is false for the first list of a source. True where a problem may differ.
    pub fn take(&mut self, id: &EntityId, row: Option<&Row>, watched: bool, now: Timestamp) -> bool {
        if !counts(&id.kind) {
            return false;
        }
        if !row.is_some_and(is_bad) {
            return self.bad.remove(id).is_some();
        }
        self.bad.entry(id.clone()).or_insert(watched.then_some(now));
        true
    }

    /// How many rows are bad.
    pub fn len(&self) -> usize {
        self.bad.len()
    }

    /// True where none is.
    pub fn is_empty(&self) -> bool {
        self.bad.is_empty()
    }
}

/// An alert that somebody has taken on is still wrong, only less loud.
fn is_bad(row: &Row) -> bool {
    matches!(row.health, Health::Critical | Health::Warning) || is_acked(row)
}

fn is_acked(row: &Row) -> bool {
    row.id.kind.as_str() == "alerts.alerts" && row.cell(0).value.as_text() == Some("acked")
}

/// How bad an alert was before somebody took it on.
fn of_severity(row: &Row) -> Health {
    match row.cell(1).value.as_text() {
        Some("critical" | "page" | "error" | "fatal" | "disaster") => Health::Critical,
        _ => Health::Warning,
    }
}

/// What shows the sign.
#[derive(Debug, Clone)]
pub(super) enum Sign {
    /// A row of bad health.
    Row(Arc<Row>),
    /// An instance none of whose sources can be reached.
    Blind {
        /// The backend's id and the instance's name.
        instance: String,
        /// Why.
        fault: Arc<Fault>,
    },
    /// An operation of this console without an end, or of which nobody knows the end.
    Run {
        /// What it acts on.
        target: EntityId,
        /// In words.
        text: String,
    },
}

/// One sign.
#[derive(Debug, Clone)]
pub(super) struct Symptom {
    pub sign: Sign,
    pub health: Health,
    pub since: Option<Timestamp>,
    pub domain: Domain,
    /// Whether somebody has taken it on.
    pub acked: bool,
}

impl Symptom {
    pub fn row(&self) -> Option<&Arc<Row>> {
        if let Sign::Row(row) = &self.sign { Some(row) } else { None }
    }

    /// True for alerts, which tell of things instead of being them.
    pub fn is_alert(&self) -> bool {
        self.row().is_some_and(|row| row.id.kind.as_str() == "alerts.alerts")
    }
}

/// Everything that is wrong now.
pub(super) fn collect(signs: &Signs, sight: &Sight<'_>) -> Vec<Symptom> {
    let mut symptoms: Vec<Symptom> = Vec::with_capacity(signs.len());
    for (id, seen) in &signs.bad {
        let Some(row) = sight.store.get(id) else { continue };
        let told = sight.kinds.get(&id.kind).and_then(|kind| since(row, kind));
        let acked = is_acked(row);
        symptoms.push(Symptom {
            health: if acked { of_severity(row) } else { row.health },
            since: told.or(*seen),
            domain: row.domain,
            acked,
            sign: Sign::Row(row.clone()),
        });
    }
    symptoms.extend(blind(sight));
    symptoms.extend(stuck(sight));
    symptoms
}

/// When a row became what it is, where one of its columns tells; an age is not that.
fn since(row: &Row, kind: &KindSpec) -> Option<Timestamp> {
    let told = |column: &&str| {
        let index = kind.column(column)?;
        let is_time = matches!(kind.columns[index].format, Format::Age | Format::Clock);
        match row.cell(index).value {
            Value::Time(at) if is_time => Some(at),
            _ => None,
        }
    };
    // A pinned service that is elsewhere is so since its pod was started there, and a run fails in minutes.
    let aged = matches!(row.id.kind.as_str(), "vigie.pinned" | "github.runs").then_some("age");
    ["since", "failing", "down", "seen"].into_iter().chain(aged).find_map(|column| told(&column))
}

/// Instances that none of their sources can see any more.
fn blind(sight: &Sight<'_>) -> Vec<Symptom> {
    let mut instances: BTreeMap<String, Vec<&crate::model::store::Source>> = BTreeMap::new();
    for source in sight
        .store
        .sources()
        .filter(|source| !source.spec.is_on_demand() && !crate::insight::lookout::is_own(source))
    {
        let id = &source.spec.id;
        let name = if id.backend == id.instance {
            id.backend.to_string()
        } else {
            format!("{} {}", id.backend, id.instance)
        };
        instances.entry(name).or_default().push(source);
    }
    let lost = |(instance, sources): (String, Vec<&crate::model::store::Source>)| {
        let stale = |source: &&crate::model::store::Source| matches!(source.health, SourceHealth::Stale(_));
        if !sources.iter().all(stale) {
            return None;
        }
        let fault = sources.iter().find_map(|source| match &source.health {
            SourceHealth::Stale(fault) => Some(fault.clone()),
            _ => None,
        })?;
        let since = sources.iter().filter_map(|source| source.good_at).max();
        let domain = sources.first()?.spec.domain;
        let sign = Sign::Blind { instance, fault };
        Some(Symptom { sign, health: Health::Warning, since, domain, acked: false })
    };
    instances.into_iter().filter_map(lost).collect()
}

/// Operations without an end.
fn stuck(sight: &Sight<'_>) -> Vec<Symptom> {
    let of = |run: &crate::model::ledger::OpRun| {
        let waits = seconds_between(run.changed, sight.now);
        let text = match &run.state {
            RunState::Unknown { text, .. } => {
                format!("{}: nobody knows what became of it: {text}", run.job.op)
            }
            RunState::Running { note, .. } if waits > STUCK => format!("{} does not end: {note}", run.job.op),
            _ => return None,
        };
        let (target, domain) = (run.job.target.id.clone(), run.job.target.domain);
        Some(Symptom {
            sign: Sign::Run { target, text },
            health: Health::Warning,
            since: Some(run.started),
            domain,
            acked: false,
        })
    };
    sight.runs.runs().iter().filter_map(of).collect()
}
