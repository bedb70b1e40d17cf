//! Which things a look means: linked ones, or those whose name holds a word.

use std::collections::HashSet;
use std::sync::Arc;

use crate::insight::lookout::{Facts, Lookout};
use crate::insight::trust::ALERTS;
use crate::model::id::{EntityId, KindId};
use crate::model::row::{Health, Row};

use super::looks::{Look, fits};

/// So many of each are shown.
const MOST: usize = 6;
/// The kind whose rows are there where a Loki is configured.
const STREAMS: &str = "loki.streams";

/// What a diagnosis is about: the row itself, and what its problem is made of.
pub(super) fn subjects(row: &Row, lookout: &Lookout, facts: Facts<'_>) -> Vec<Arc<Row>> {
    let problem = lookout.problem(&row.id).or_else(|| lookout.problems_of(&row.id).next());
    let members = problem.into_iter().flat_map(|problem| problem.head.iter().chain(&problem.members));
    let mut seen = HashSet::new();
    let own = (row.id.kind.backend() != "vigie" || row.id.kind.as_str() == "vigie.pinned").then_some(&row.id);
    own.into_iter()
        .chain(members)
        .filter(|id| seen.insert((*id).clone()))
        .filter_map(|id| facts.store.get(id).cloned())
        .take(40)
        .collect()
}

/// The things that a word of a look means, the worst first.
pub(super) fn things(
    word: &str,
    subjects: &[Arc<Row>],
    lookout: &Lookout,
    facts: Facts<'_>,
) -> Vec<Arc<Row>> {
    let (pattern, part) = word.split_once(':').map_or((word, None), |(kind, part)| (kind, Some(part)));
    let wanted = |kind: &KindId| fits(pattern, kind.as_str());
    let mut found: Vec<Arc<Row>> = subjects.iter().filter(|row| wanted(&row.id.kind)).cloned().collect();
    for subject in subjects.iter().take(12) {
        for related in lookout.related(subject) {
            if wanted(&related.id.kind) {
                found.extend(facts.store.get(&related.id).cloned());
            }
        }
    }
    if let Some(part) = part {
        let kinds = facts.kinds.iter().filter(|kind| wanted(&kind.id));
        let named = kinds.flat_map(|kind| facts.store.rows(&kind.id)).filter(|row| row.name.contains(part));
        found.extend(named.cloned());
    }
    let mut seen = HashSet::new();
    found.retain(|row| seen.insert(row.id.clone()));
    found.sort_by_key(|row| (row.health, row.id.clone()));
    found.truncate(MOST);
    found
}

/// The things whose logs belong to a diagnosis: at most two of their own, and what Loki has around an alert.
pub fn logs(row: &Row, looks: &[&Look], lookout: &Lookout, facts: Facts<'_>) -> Vec<EntityId> {
    let subjects = subjects(row, lookout, facts);
    let has_log = |row: &&Arc<Row>| {
        let kind = facts.kinds.get(&row.id.kind);
        kind.is_some_and(|kind| kind.views.iter().any(|view| view.name == "log"))
    };
    let mut found: Vec<EntityId> = Vec::new();
    for word in looks.iter().flat_map(|look| &look.log) {
        for row in things(word, &subjects, lookout, facts).iter().filter(has_log) {
            if !found.contains(&row.id) {
                found.push(row.id.clone());
            }
        }
    }
    found.truncate(2);
    let loki = facts.store.of_kind(&STREAMS.into()).next().is_some();
    let alert = subjects.iter().find(|row| is_alert(&row.id)).filter(|_| loki);
    found.extend(alert.map(|row| row.id.clone()).filter(|id| !found.contains(id)));
    found
}

/// Whether a log is what was written around an alert, and not a thing's own.
pub fn is_alert(id: &EntityId) -> bool {
    id.kind.as_str() == ALERTS
}

/// The things on which something may be done about a problem: those that fail, then what is looked at.
pub fn operable(row: &Row, looks: &[&Look], lookout: &Lookout, facts: Facts<'_>) -> Vec<Arc<Row>> {
    let subjects = subjects(row, lookout, facts);
    let mut found: Vec<Arc<Row>> = subjects
        .iter()
        .filter(|row| row.id.kind.backend() != "alerts" && row.health != Health::Ok)
        .take(4)
        .cloned()
        .collect();
    for word in looks.iter().flat_map(|look| look.log.iter().chain(&look.see)) {
        found.extend(things(word, &subjects, lookout, facts).into_iter().take(2));
    }
    found.extend(subjects.iter().find(|row| row.id.kind.as_str() == "alerts.alerts").cloned());
    let mut seen = HashSet::new();
    found.retain(|row| seen.insert(row.id.clone()));
    found.truncate(8);
    found
}
