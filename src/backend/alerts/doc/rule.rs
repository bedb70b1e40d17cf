//! A rule described.

use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::{Cell, Tone};
use crate::model::view::{Doc, Fact};

use super::super::feed::Knowledge;
use super::super::rows::alerts::Around;
use super::super::rows::{rules, subject};
use super::{cell, lines, pairs, when};

pub(super) fn doc(id: &EntityId, known: &Knowledge, around: Around<'_>) -> Result<Doc, ApiError> {
    let index = known.rules.iter().position(|placed| *placed.key == *id.key);
    let found = index.and_then(|index| Some((index, known.rules.get(index)?)));
    let (index, placed) = found.ok_or_else(|| ApiError::unsupported("the rule is gone"))?;
    let rule = &placed.rule;
    let (word, health, note) = rules::state(placed, around);
    let mut facts = vec![Fact::new("state", word).tone(health.into())];
    facts.extend(note.map(|note| Fact::new("trouble", note.as_str()).tone(Tone::Warn)));
    facts.push(Fact::new("type", rule.kind.as_str()));
    facts.push(Fact::new("group", placed.group.to_string().as_str()));
    facts.push(Fact::new("every", placed.interval).format(Format::Seconds));
    facts.extend(rule.duration.map(|wait| Fact::new("for", wait).format(Format::Seconds)));
    facts
        .extend(rule.keep_firing_for.map(|hold| Fact::new("keeps firing for", hold).format(Format::Seconds)));
    facts.extend(when("evaluated", rule.last_evaluation, Format::Age));
    facts.extend(rule.evaluation_time.map(|took| Fact::new("took", took).format(Format::Seconds)));
    let alerts = known.alerts.iter().filter(|seen| seen.rule == index).map(|seen| {
        let since = Cell::new(seen.alert.active_at);
        vec![cell(&seen.alert.state), cell(subject(&seen.labels)), Cell::new(seen.alert.value), since]
    });
    let columns = ["state", "on", "value", "true since"].map(Into::into).to_vec();
    Ok(Doc::default()
        .facts("", facts)
        .lines("expression", lines(&rule.query))
        .table("alerts", columns, alerts.collect())
        .facts("labels", pairs(&rule.labels))
        .facts("annotations", pairs(&rule.annotations)))
}
