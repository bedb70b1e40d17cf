//! Silences as rows: what they match now, and which of them are about to end or match nothing.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Health, Row, Tone, Value};
use crate::model::time::{seconds_between, short};

use super::super::cluster::{Ghost, Held, Observation};
use super::super::kinds;
use super::super::matcher::Matchers;
use super::super::wire::Silence;
use super::alerts::Around;

/// How long an expired silence stays in the list, in seconds: the server keeps it for five days.
const REMEMBERED: i64 = 86_400;
/// A silence with less time left than this, in seconds, is about to page again.
const SOON: i64 = 1800;

/// Whether a silence still says something.
pub fn is_listed(silence: &Silence, now: Timestamp) -> bool {
    silence.status.state != "expired"
        || silence.ends_at.is_some_and(|end| seconds_between(end, now) < REMEMBERED)
}

/// The alerts that a silence matches now; the error says which matcher cannot be evaluated here.
pub fn hits<'a>(silence: &Silence, seen: &'a Observation) -> Result<Vec<&'a Held>, String> {
    let matchers = Matchers::new(silence.matchers.iter().cloned())?;
    Ok(seen.alerts.iter().filter(|held| matchers.match_all(&held.alert.labels)).collect())
}

/// The row of a silence.
pub fn row(silence: &Silence, seen: &Observation, around: Around<'_>) -> Row {
    let state = silence.status.state.as_str();
    let hits = hits(silence, seen).map(|hits| hits.len());
    let left = silence.ends_at.map_or(0, |end| seconds_between(around.now, end));
    let ended = state == "expired";
    let (word, health, note) = match seen.ghosts.get(&silence.id) {
        Some(ghost) => haunting(*ghost),
        None => shown(state, &hits, left),
    };
    let matchers: Arc<str> = Arc::from(words(silence));
    let count = hits.ok().and_then(|hits| i64::try_from(hits).ok());
    let cells = vec![
        Cell::toned(Value::text(word), Tone::from(health)),
        Cell::new(Value::Text(matchers)),
        if ended { Cell::empty() } else { Cell::new(count) },
        // An end in the past would stand before those that are near.
        Cell::new(silence.ends_at.filter(|_| !ended)),
        Cell::new(Value::text(&silence.created_by)),
        Cell::new(Value::text(&silence.comment)),
        Cell::new(silence.ends_at.filter(|_| ended)),
        Cell::new(silence.starts_at),
        Cell::toned(Value::text(&silence.id), Tone::Dim),
    ];
    let id = EntityId::new(kinds::SILENCES, around.instance.clone(), silence.id.as_str());
    let mut row = Row::new(id, name(silence), cells);
    row.health = health;
    row.note = note.map(Arc::from);
    row.domain = around.domain;
    row.identity = identity(silence);
    row
}

/// The word by which such silences are listed, what it makes of health, and the one fact behind it.
fn shown<'s>(state: &'s str, hits: &Result<usize, String>, left: i64) -> (&'s str, Health, Option<String>) {
    match (state, hits) {
        ("active", Ok(0)) => ("unused", Health::Off, Some("matches nothing now".to_owned())),
        ("active", Ok(n)) if left < SOON => {
            ("ending", Health::Warning, Some(format!("ends in {}, {n} will be told again", short(left))))
        }
        ("active", Ok(_)) => (state, Health::Ok, None),
        ("active", Err(why)) => (state, Health::Unknown, Some(why.clone())),
        ("pending", _) => (state, Health::Pending, None),
        ("expired", _) => (state, Health::Off, None),
        ("", _) => ("unknown", Health::Unknown, None),
        _ => (state, Health::Unknown, None),
    }
}

/// What is said of a silence that should be gone: alerts may be quiet that nobody wants quiet.
fn haunting(ghost: Ghost) -> (&'static str, Health, Option<String>) {
    let (word, note) = match ghost {
        Ghost::Back => {
            ("back", "it had ended and is back: a member returned with an old state; expire it again")
        }
        Ghost::Held => {
            ("held", "it has ended, but a member still holds it: the members do not hear each other")
        }
    };
    (word, Health::Warning, Some(note.to_owned()))
}

/// What it is mostly about, and enough of its id to tell it from its namesakes.
fn name(silence: &Silence) -> String {
    let alertname = silence.matchers.iter().find(|matcher| matcher.name == "alertname");
    let about = alertname.or(silence.matchers.first()).map_or("silence", |matcher| matcher.value.as_str());
    let short: String = silence.id.chars().take(8).collect();
    format!("{about} {short}")
}

/// Its matchers in one line.
pub fn words(silence: &Silence) -> String {
    let matchers: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
    if matchers.is_empty() { "(no matchers)".to_owned() } else { matchers.join(" ") }
}

/// What makes a silence this one, unchanged since it was seen: the server has no version, only the time of the last change.
pub fn identity(silence: &Silence) -> Identity {
    let words = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string());
    Identity::new()
        .with("id", silence.id.as_str())
        .with("updated", words(silence.updated_at))
        .with("ends", words(silence.ends_at))
}

#[cfg(test)]
mod tests {
    use super::super::super::cluster::Said;
    use super::*;

    #[test]
    fn a_silence_says_when_it_matches_nothing_or_ends_soon() {
        let cases = [
            ("active", Ok(0), 7200, "unused", Health::Off),
            ("active", Ok(2), 7200, "active", Health::Ok),
            ("active", Ok(2), 600, "ending", Health::Warning),
            ("active", Err("pattern".to_owned()), 600, "active", Health::Unknown),
            ("pending", Ok(0), 7200, "pending", Health::Pending),
            ("expired", Ok(3), -60, "expired", Health::Off),
            ("", Ok(3), 60, "unknown", Health::Unknown),
        ];
        for (state, hits, left, word, health) in cases {
            let found = shown(state, &hits, left);
            assert_eq!((found.0, found.1), (word, health), "{state} {hits:?}");
        }
        assert_eq!(shown("active", &Ok(2), 600).2.as_deref(), Some("ends in 10m, 2 will be told again"));
    }

    #[test]
    fn a_silence_that_should_be_gone_is_amber_and_says_why() {
        let instance: Arc<str> = Arc::from("lab");
        let around = Around::plain(&instance, crate::model::row::Domain::Home, Timestamp::UNIX_EPOCH);
        let mut silence = Silence { id: "s".into(), ..Silence::default() };
        for (state, ghost, word, part) in [
            ("active", Ghost::Back, "back", "expire it again"),
            ("expired", Ghost::Held, "held", "still holds it"),
        ] {
            silence.status.state = state.into();
            let mut seen =
                Observation::of_one(around.now, Vec::new(), Said { lists: Ok(()), told: None, ahead: 0 });
            assert_ne!(row(&silence, &seen, around).health, Health::Warning);
            seen.ghosts.insert("s".into(), ghost);
            let row = row(&silence, &seen, around);
            assert_eq!((row.cells[0].value.as_text(), row.health), (Some(word), Health::Warning));
            assert!(row.note.is_some_and(|note| note.contains(part)));
        }
    }
}
