//! Presence: who else is seen at work on the same thing, told before a write.

use jiff::{SignedDuration, Timestamp};

use crate::model::id::EntityId;
use crate::model::op::Evidence;
use crate::model::row::{Row, Tone, Value};
use crate::model::time::{seconds_between, short};

use super::lookout::{Facts, Lookout};
use super::timeline::Event;

/// Who did something longer ago is not at it any more.
const LATELY: SignedDuration = SignedDuration::from_mins(15);
/// So many are named.
const MOST: usize = 3;

/// What others have lately done to a thing; `me` is this operator.
pub fn others(target: &EntityId, me: &str, lookout: &Lookout, facts: Facts<'_>) -> Vec<Evidence> {
    let mut found: Vec<Evidence> = lookout
        .happened(facts, facts.now - LATELY, facts.now)
        .iter()
        .filter(|event| event.change && event.about.as_ref() == Some(target))
        .filter(|event| is_other(event, me))
        .map(|event| told(event, facts.now))
        .collect();
    found.extend(author(target, me, facts));
    found.truncate(MOST);
    found
}

/// Somebody by name who is not this operator; what the console itself sends bears its token's name.
fn is_other(event: &Event, me: &str) -> bool {
    let who = event.who.to_lowercase();
    !who.is_empty()
        && who != "auto-sync"
        && !who.contains(&me.to_lowercase())
        && !who.contains("vigie")
        && event.source.as_ref() != "kubernetes.events"
}

fn told(event: &Event, now: Timestamp) -> Evidence {
    let ago = short(seconds_between(event.at, now));
    Evidence::new("somebody else", format!("{} {ago} ago: {}", event.who, event.text), Tone::Warn)
}

/// The author of a silence, where that is the target.
fn author(target: &EntityId, me: &str, facts: Facts<'_>) -> Option<Evidence> {
    let row = facts.store.get(target).filter(|_| target.kind.as_str() == "alerts.silences")?;
    let by = column(row, "by", facts)?;
    let other = by.as_text().filter(|by| !by.eq_ignore_ascii_case(me))?;
    Some(Evidence::new("somebody else", format!("{other} made this silence"), Tone::Warn))
}

fn column<'r>(row: &'r Row, name: &str, facts: Facts<'_>) -> Option<&'r Value> {
    let at = facts.kinds.get(&row.id.kind)?.column(name)?;
    Some(&row.cell(at).value)
}

#[cfg(test)]
mod tests;
