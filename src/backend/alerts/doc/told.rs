//! Groups, receivers, episodes and checks described.

use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::{Cell, Tone, Value};
use crate::model::view::{Doc, DocLine, Fact, Node, Tree};

use super::super::cluster::Observation;
use super::super::kinds;
use super::super::rows::alerts::{Around, name, state};
use super::super::rows::groups::Group;
use super::super::rows::history::Bursts;
use super::super::rows::{hex, subject};
use super::super::watch::told::Past;
use super::{cell, pairs, when};

fn gone(what: &str) -> ApiError {
    ApiError::unsupported(format!("{what} is gone"))
}

/// A group: who is told, and of what.
pub(super) fn group(
    id: &EntityId,
    groups: &[Group],
    seen: &Observation,
    around: Around<'_>,
) -> Result<Doc, ApiError> {
    let group = groups.iter().find(|group| *group.key() == *id.key).ok_or_else(|| gone("the group"))?;
    let mut facts = vec![Fact::new("receiver", group.receiver.as_str())];
    let first = group.alerts.values().next();
    if let (Some(ways), Some(alert)) = (around.ways, first) {
        facts.push(Fact::new("by", ways.integrations(&group.receiver).as_str()));
        let leg = ways.of(&alert.labels).into_iter().find(|leg| leg.route.receiver == group.receiver);
        if let Some(leg) = leg {
            facts.push(Fact::new("route", leg.route.words().as_str()));
            facts.push(Fact::new("waits", leg.route.group_wait.as_str()));
            facts.push(Fact::new("changes told after", leg.route.group_interval.as_str()));
            facts.push(Fact::new("told again after", leg.route.repeat_interval.as_str()));
        }
    }
    let rows = group.alerts.iter().map(|(fingerprint, alert)| {
        let word = seen.alert(*fingerprint).map_or("", |held| state(held, seen, None, around).word());
        let since = Cell::new(alert.starts_at);
        vec![
            cell(word),
            cell(alert.labels.get("severity")),
            cell(name(&alert.labels)),
            cell(subject(&alert.labels)),
            since,
        ]
    });
    let columns = ["state", "severity", "alert", "on", "since"].map(Into::into).to_vec();
    Ok(Doc::default().facts("", facts).facts("shared labels", pairs(&group.labels)).table(
        "alerts",
        columns,
        rows.collect(),
    ))
}

/// The groups' alerts as nodes that lead to them.
pub(super) fn tree(
    id: &EntityId,
    groups: &[Group],
    seen: &Observation,
    around: Around<'_>,
) -> Result<Tree, ApiError> {
    let group = groups.iter().find(|group| *group.key() == *id.key).ok_or_else(|| gone("the group"))?;
    let root = Node {
        depth: 0,
        label: group.words(),
        state: format!("{} alerts", group.alerts.len()),
        tone: Tone::Text,
        note: format!("told to {}", group.receiver),
        id: None,
    };
    let nodes = group.alerts.iter().map(|(fingerprint, alert)| {
        let word = seen.alert(*fingerprint).map_or("gone", |held| state(held, seen, None, around).word());
        let label = format!("{} {}", name(&alert.labels), subject(&alert.labels));
        Node {
            depth: 1,
            label: label.trim_end().to_owned(),
            state: word.to_owned(),
            tone: around.scale.read(alert.labels.get("severity")).tone(),
            note: alert.annotations.get("summary").to_owned(),
            id: Some(EntityId::new(kinds::ALERTS, around.instance.clone(), hex(*fingerprint))),
        }
    });
    Ok(Tree { nodes: std::iter::once(root).chain(nodes).collect() })
}

/// A receiver: its routes, and what leads there now.
pub(super) fn receiver(id: &EntityId, seen: &Observation, around: Around<'_>) -> Result<Doc, ApiError> {
    let ways = around.ways.ok_or_else(|| ApiError::unsupported("the configuration cannot be read"))?;
    let mut receivers = ways.routing().receivers.iter();
    let receiver = receivers.find(|one| *one.name == *id.key).ok_or_else(|| gone("the receiver"))?;
    let facts = vec![
        Fact::new("receiver", receiver.name.as_str()),
        Fact::new("by", receiver.words().as_str()).tone(if receiver.is_nobody() {
            Tone::Off
        } else {
            Tone::Text
        }),
    ];
    let routes = ways.routing().root.all();
    let routes = routes.into_iter().filter(|route| route.receiver == receiver.name).map(|route| {
        let when = [("not in", &route.mute), ("only in", &route.active)];
        let when = when.iter().filter(|(_, names)| !names.is_empty());
        let when: Vec<String> = when.map(|(word, names)| format!("{word} {}", names.join(", "))).collect();
        vec![
            cell(route.words()),
            cell(route.group_by.join(" ")),
            cell(&route.repeat_interval),
            cell(when.join("; ")),
        ]
    });
    let routes: Vec<_> = routes.collect();
    let leads = |held: &&super::super::cluster::Held| {
        ways.of(&held.alert.labels).iter().any(|leg| leg.route.receiver == receiver.name)
    };
    let alerts = seen.alerts.iter().filter(leads).map(|held| {
        let labels = &held.alert.labels;
        vec![cell(state(held, seen, None, around).word()), cell(name(labels)), cell(subject(labels))]
    });
    Ok(Doc::default()
        .facts("", facts)
        .table("routes", ["route", "group by", "again", "when"].map(Into::into).to_vec(), routes)
        .table("alerts", ["state", "alert", "on"].map(Into::into).to_vec(), alerts.collect()))
}

/// An episode: the alert's times within a day.
pub(super) fn episode(id: &EntityId, past: &Past, around: Around<'_>) -> Result<Doc, ApiError> {
    let all = past.episodes();
    let fingerprint = id.key.split('@').next().unwrap_or_default();
    let mut mine: Vec<_> = all.iter().filter(|(one, _)| hex(one.fingerprint) == fingerprint).collect();
    mine.sort_by_key(|(one, _)| std::cmp::Reverse(one.began));
    let (first, _) = mine.first().ok_or_else(|| gone("the episode"))?;
    let burst = Bursts::count(all.iter().map(|(episode, _)| *episode), around.now).of(first.fingerprint);
    let mut facts = vec![Fact::new("alert", Value::Text(name(&first.labels)))];
    facts.push(Fact::new("episodes in a day", i64::try_from(mine.len()).unwrap_or(0)));
    facts.push(Fact::new("in an hour", i64::try_from(burst.hour).unwrap_or(0)));
    let mut doc = Doc::default().facts("", facts);
    if burst.flaps() {
        let line = "it comes and goes: `keep_firing_for` at its rule would hold it together";
        doc = doc.lines("flapping", vec![DocLine::toned(line, Tone::Warn)]);
    }
    let rows = mine.iter().map(|(one, from)| {
        vec![
            Cell::new(one.began),
            Cell::new(one.ended()),
            cell(if one.ended().is_none() { "firing" } else { "ended" }),
            cell(from),
        ]
    });
    let notes = past.notes.iter().map(|note| DocLine::toned(note.clone(), Tone::Unknown)).collect();
    Ok(doc
        .table("episodes", ["began", "ended", "state", "seen by"].map(Into::into).to_vec(), rows.collect())
        .lines("not seen", notes)
        .facts("labels", pairs(&first.labels)))
}

/// A check: what it says and why it matters.
pub(super) fn check(row: &crate::model::row::Row) -> Doc {
    let text = |index: usize| row.cell(index).value.as_text().unwrap_or_default().to_owned();
    let mut facts = vec![Fact::new("state", text(0).as_str()).tone(row.cell(0).tone)];
    facts.push(Fact::new("check", text(1).as_str()));
    facts.push(Fact::new("says", text(2).as_str()));
    if let Value::Time(at) = row.cell(3).value {
        facts.extend(when("seen", Some(at), Format::Age));
    }
    let why = "As long as this does not hold, no alert does not mean that nothing is wrong.";
    Doc::default().facts("", facts).lines("why it matters", vec![DocLine::new(why)])
}
