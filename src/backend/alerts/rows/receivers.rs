//! Receivers as rows: who is told of what now, and who of nothing.

use jiff::Timestamp;

use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Health, Row, Tone, Value};

use super::super::cluster::Observation;
use super::super::kinds;
use super::super::routing::{Quiet, Receiver, Route, Ways};
use super::alerts::Around;
use super::quiet::muted_words;

/// The rows of all receivers.
pub fn rows(ways: &Ways<'_>, seen: &Observation, around: Around<'_>) -> Vec<Row> {
    let routes = ways.routing().root.all();
    let mut told: Vec<(&Route, bool)> = Vec::new();
    for held in &seen.alerts {
        let status = &held.alert.status;
        let quiet = !status.silenced_by.is_empty() || !status.inhibited_by.is_empty();
        let legs = ways.of(&held.alert.labels);
        told.extend(legs.into_iter().map(|leg| (leg.route, quiet || leg.quiet.is_some())));
    }
    let receivers = ways.routing().receivers.iter();
    receivers.map(|receiver| row(receiver, &routes, &told, ways, around)).collect()
}

fn row(
    receiver: &Receiver,
    routes: &[&Route],
    told: &[(&Route, bool)],
    ways: &Ways<'_>,
    around: Around<'_>,
) -> Row {
    let mine: Vec<&&Route> = routes.iter().filter(|route| route.receiver == receiver.name).collect();
    let here = |quiet: bool| {
        let count = told.iter().filter(|(route, q)| route.receiver == receiver.name && *q == quiet).count();
        Cell::new(i64::try_from(count).ok())
    };
    let (word, tone, why) = state(receiver, &mine, ways, around.now);
    let cells = vec![
        Cell::toned(word, tone),
        Cell::new(Value::text(&receiver.name)),
        Cell::new(Value::text(receiver.words())),
        here(false),
        here(true),
        Cell::new(i64::try_from(mine.len()).ok()),
        Cell::toned(Value::text(why), Tone::Dim),
    ];
    let id = EntityId::new(kinds::RECEIVERS, around.instance.clone(), receiver.name.as_str());
    let mut row = Row::new(id, receiver.name.as_str(), cells);
    row.health = if word == "open" { Health::Ok } else { Health::Off };
    row.domain = around.domain;
    row.identity = Identity::new().with("receiver", receiver.name.as_str());
    row
}

fn state(
    receiver: &Receiver,
    routes: &[&&Route],
    ways: &Ways<'_>,
    now: Timestamp,
) -> (&'static str, Tone, String) {
    if receiver.is_nobody() {
        return ("nobody", Tone::Off, "it has no integration".to_owned());
    }
    if routes.is_empty() {
        return ("unused", Tone::Off, "no route ends there".to_owned());
    }
    let quiet: Vec<Option<Quiet>> = routes.iter().map(|route| ways.quiet(route)).collect();
    let words = quiet.iter().flatten().map(|quiet| match quiet {
        Quiet::Muted(why, until) => muted_words(why, *until, now),
        Quiet::Nobody => String::new(),
        Quiet::Unclear(why) => why.clone(),
    });
    let words = words.collect::<Vec<_>>().join("; ");
    if quiet.iter().any(|quiet| matches!(quiet, Some(Quiet::Unclear(_)))) {
        return ("unclear", Tone::Unknown, words);
    }
    if quiet.iter().all(Option::is_some) { ("muted", Tone::Off, words) } else { ("open", Tone::Ok, words) }
}
