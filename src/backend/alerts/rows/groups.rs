//! Groups as rows: what is told together, and how much of it is kept quiet.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Health, Row, Tone, Value};

use super::super::cluster::Observation;
use super::super::kinds;
use super::super::labels::Labels;
use super::super::routing::Ways;
use super::super::severity::Severity;
use super::super::wire::{Alert, AlertGroup};
use super::alerts::Around;
use super::hex;

/// One group, united over the members.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Group {
    /// Who is told.
    pub receiver: String,
    /// What its alerts share.
    pub labels: Labels,
    /// Its alerts by fingerprint.
    pub alerts: BTreeMap<u64, Alert>,
}

impl Group {
    /// Its key: Alertmanager gives groups no id.
    pub fn key(&self) -> String {
        format!("{}/{}", hex(self.labels.fingerprint()), self.receiver)
    }

    /// The labels in words.
    pub fn words(&self) -> String {
        let values: Vec<&str> = self.labels.iter().map(|(_, value)| &**value).collect();
        if values.is_empty() { "(everything)".to_owned() } else { values.join(" ") }
    }
}

/// Unites what the members say; members hold different alerts of one group.
pub fn united(answers: impl IntoIterator<Item = Vec<AlertGroup>>) -> Vec<Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for wire in answers.into_iter().flatten() {
        let group = Group { receiver: wire.receiver.name, labels: wire.labels, alerts: BTreeMap::new() };
        let known = groups.entry(group.key()).or_insert(group);
        for alert in wire.alerts {
            known.alerts.entry(alert.labels.fingerprint()).or_insert(alert);
        }
    }
    groups.into_values().collect()
}

/// Whether an alert of a group is kept quiet there.
pub fn is_quiet(fingerprint: u64, alert: &Alert, seen: &Observation) -> bool {
    let status = seen.alert(fingerprint).map_or(&alert.status, |held| &held.alert.status);
    let lists = [&status.silenced_by, &status.inhibited_by, &alert.status.muted_by];
    lists.iter().any(|list| !list.is_empty())
}

/// Why nobody hears of a group at its receiver, by the routes that end there.
fn mute(group: &Group, ways: Option<&Ways<'_>>) -> Option<super::super::routing::Quiet> {
    let alert = group.alerts.values().next()?;
    let legs = ways?.of(&alert.labels);
    legs.into_iter().find(|leg| leg.route.receiver == group.receiver)?.quiet
}

/// The row of a group.
pub fn row(group: &Group, seen: &Observation, around: Around<'_>) -> Row {
    let severity = |alert: &Alert| around.scale.read(alert.labels.get("severity"));
    let worst = group.alerts.values().min_by_key(|alert| severity(alert));
    let mute = mute(group, around.ways);
    let quiet = group
        .alerts
        .iter()
        .filter(|(fingerprint, alert)| mute.is_some() || is_quiet(**fingerprint, alert, seen))
        .count();
    let heard = quiet < group.alerts.len();
    let level = worst.map_or(Severity::Unknown, severity);
    let health = if heard { level.health() } else { Health::Off };
    let count = |n: usize| Cell::new(i64::try_from(n).ok());
    let again = around.ways.and_then(|ways| {
        let legs = ways.of(&group.alerts.values().next()?.labels);
        Some(legs.iter().find(|leg| leg.route.receiver == group.receiver)?.route.repeat_interval.clone())
    });
    let words = group.words();
    let cells = vec![
        Cell::toned(if heard { "firing" } else { "quiet" }, Tone::from(health)),
        Cell::toned(Value::text(worst.map_or("", |alert| alert.labels.get("severity"))), level.tone()),
        Cell::new(Value::text(&words)),
        Cell::new(Value::text(&group.receiver)),
        count(group.alerts.len()),
        count(quiet),
        Cell::new(group.alerts.values().filter_map(|alert| alert.starts_at).min()),
        Cell::new(Value::text(again.unwrap_or_default())),
    ];
    let id = EntityId::new(kinds::GROUPS, around.instance.clone(), group.key().as_str());
    let mut row = Row::new(id, Arc::<str>::from(format!("{words} → {}", group.receiver)), cells);
    // Its alerts are rows of their own: what is wrong is told there.
    row.health = if health == Health::Off { Health::Off } else { Health::Ok };
    row.domain = around.domain;
    row.identity = Identity::new().with("group", group.key());
    row
}
