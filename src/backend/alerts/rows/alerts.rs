//! Alerts as rows: those that an Alertmanager holds, and those that so far only a Prometheus knows.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Domain, Health, Row, Tone, Value};
use crate::model::time::{seconds_between, short};

use super::super::ack::{self, ACK};
use super::super::cluster::{Held, Observation};
use super::super::feed::{Knowledge, Placed, Seen};
use super::super::kinds;
use super::super::labels::Labels;
use super::super::routing::{Quiet, Ways};
use super::super::severity::{Scale, Severity};
use super::super::wire::{Alert, Silence};
use super::history::Bursts;
use super::quiet::{Lapsed, muted_words, verdict};
use super::{facets, hex, subject};

/// After so many seconds an alert should have come to every member.
const ARRIVED: i64 = 120;

/// What the rows of one poll share.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The instance that they belong to.
    pub instance: &'a Arc<str>,
    /// Its domain.
    pub domain: Domain,
    /// The instant of the poll.
    pub now: Timestamp,
    /// What the Prometheus servers know.
    pub feeds: &'a [Arc<Knowledge>],
    /// What the words of severity mean here.
    pub scale: &'a Scale,
    /// Where notifications go, as far as the configuration could be read.
    pub ways: Option<&'a Ways<'a>>,
    /// Silences that ended a moment ago.
    pub lapsed: &'a [Lapsed],
    /// How often alerts have begun to fire lately.
    pub bursts: Option<&'a Bursts>,
}

impl<'a> Around<'a> {
    /// Without anything that other servers or the configuration would add.
    pub fn plain(instance: &'a Arc<str>, domain: Domain, now: Timestamp) -> Self {
        static SCALE: std::sync::LazyLock<Scale> = std::sync::LazyLock::new(Scale::default);
        Self { instance, domain, now, feeds: &[], scale: &SCALE, ways: None, lapsed: &[], bursts: None }
    }
}

/// What an alert does, or why it does nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is told.
    Firing,
    /// It is about to be told: true, but not for long enough.
    Pending,
    /// Its expression is false again; it is only held by `keep_firing_for`.
    Recovering,
    /// Its sender has not spoken for too long; it will resolve by itself in so many seconds.
    Stale(i64),
    /// Prometheus fires it, and no Alertmanager holds it.
    Unsent(String),
    /// Somebody has taken it on.
    Acked(String),
    /// Somebody made it quiet.
    Silenced(String),
    /// Another alert makes it quiet.
    Inhibited(String),
    /// A time interval makes it quiet.
    Muted(String),
    /// It fires, and its route leads to nobody.
    Untold(String),
}

impl State {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Pending => "pending",
            Self::Recovering => "recovering",
            Self::Stale(_) => "stale",
            Self::Unsent(_) => "unsent",
            Self::Acked(_) => "acked",
            Self::Silenced(_) => "silenced",
            Self::Inhibited(_) => "inhibited",
            Self::Muted(_) => "muted",
            Self::Untold(_) => "untold",
        }
    }

    /// Why it is as it is, where there is something to say.
    pub fn because(&self) -> String {
        match self {
            Self::Firing | Self::Pending => String::new(),
            Self::Recovering => "held by keep_firing_for".to_owned(),
            Self::Stale(left) => format!("its sender is silent; resolves by itself in {}", short(*left)),
            Self::Unsent(why)
            | Self::Acked(why)
            | Self::Silenced(why)
            | Self::Inhibited(why)
            | Self::Muted(why)
            | Self::Untold(why) => why.clone(),
        }
    }

    fn health(&self, severity: Severity) -> Health {
        match self {
            Self::Firing | Self::Recovering | Self::Stale(_) | Self::Unsent(_) | Self::Untold(_) => {
                severity.health()
            }
            Self::Pending => match severity.health() {
                Health::Ok => Health::Ok,
                _ => Health::Pending,
            },
            Self::Acked(_) | Self::Silenced(_) | Self::Inhibited(_) | Self::Muted(_) => Health::Off,
        }
    }
}

/// The row of an alert that an Alertmanager holds.
pub fn held(held: &Held, seen: &Observation, around: Around<'_>) -> Row {
    let alert = &held.alert;
    let known = around.feeds.iter().find_map(|feed| feed.find(held.fingerprint, &alert.labels));
    let state = state(held, seen, known, around);
    let (count, of) = seen.seen(held);
    let told: Vec<&str> = alert.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    let common = Common {
        fingerprint: held.fingerprint,
        labels: &alert.labels,
        annotations: &alert.annotations,
        since: alert.starts_at,
        known: known.map(|(seen, _)| seen),
        key: hex(held.fingerprint),
        lapsed: Lapsed::of(around.lapsed, &alert.labels).filter(|_| state == State::Firing),
    };
    // A Prometheus tells its Alertmanagers one after the other; what one of them lacks later is cut off from it.
    let apart = alert.starts_at.is_none_or(|began| seconds_between(began, around.now) > ARRIVED);
    let seen = Cell::toned(
        Value::text(format!("{count}/{of}")),
        if (count as usize) < of && apart { Tone::Warn } else { Tone::Text },
    );
    row(&common, &state, [seen, Cell::new(Value::text(told.join(" ")))], alert.updated_at, around)
}

/// The row of an alert that only a Prometheus knows.
pub fn unsent(seen: &Seen, placed: &Placed, state: &State, around: Around<'_>) -> Row {
    let alert = &seen.alert;
    let wait = jiff::SignedDuration::try_from_secs_f64(placed.rule.duration.unwrap_or(0.0));
    let fired = alert.active_at.zip(wait.ok()).map(|(at, wait)| at + wait);
    let common = Common {
        fingerprint: seen.fingerprint,
        labels: &seen.labels,
        annotations: &alert.annotations,
        since: if *state == State::Pending { alert.active_at } else { fired },
        known: Some(seen),
        key: format!("prometheus/{}", hex(seen.fingerprint)),
        lapsed: None,
    };
    row(&common, state, [Cell::empty(), Cell::empty()], placed.rule.last_evaluation, around)
}

struct Common<'a> {
    fingerprint: u64,
    labels: &'a Labels,
    annotations: &'a Labels,
    since: Option<Timestamp>,
    known: Option<&'a Seen>,
    key: String,
    lapsed: Option<&'a str>,
}

fn row(
    alert: &Common<'_>,
    state: &State,
    seen_and_told: [Cell; 2],
    heard: Option<Timestamp>,
    around: Around<'_>,
) -> Row {
    let word = alert.labels.find("severity");
    let severity = around.scale.read(word.map_or("", |word| word));
    let health = state.health(severity);
    let name = name(alert.labels);
    let summary = alert.annotations.any(&["summary", "message", "description"]).cloned();
    let because = match (state.because(), alert.lapsed) {
        (because, Some(lapsed)) if because.is_empty() => lapsed.to_owned(),
        (because, _) => because,
    };
    let burst = around.bursts.map(|bursts| bursts.of(alert.fingerprint)).unwrap_or_default();
    let [seen, told] = seen_and_told;
    let tone = if health == Health::Ok && severity == Severity::Info { Tone::Info } else { health.into() };
    let shared = |text: Option<&Arc<str>>| text.map_or(Value::Empty, |text| Value::Text(text.clone()));
    let cells = vec![
        Cell::toned(state.word(), tone),
        Cell::toned(shared(word), if health == Health::Off { Tone::Dim } else { severity.tone() }),
        Cell::new(Value::Text(name.clone())),
        Cell::new(Value::text(subject(alert.labels))),
        Cell::new(alert.known.and_then(|known| known.alert.value)),
        Cell::new(alert.since),
        Cell::toned(Value::text(&because), Tone::Dim),
        Cell::new(shared(summary.as_ref())),
        seen,
        told,
        Cell::new(alert.known.and_then(|known| known.alert.active_at)),
        Cell::new(heard),
        Cell::toned(Value::text(burst.words()), if burst.flaps() { Tone::Warn } else { Tone::Dim }),
        Cell::new(Value::text(group(alert.labels, around.ways))),
        Cell::toned(Value::text(hex(alert.fingerprint)), Tone::Dim),
    ];
    let id = EntityId::new(kinds::ALERTS, around.instance.clone(), alert.key.as_str());
    let mut row = Row::new(id, name, cells);
    row.health = health;
    row.domain = around.domain;
    row.note = match because.is_empty() {
        false => Some(Arc::from(because)),
        true if health != Health::Ok => summary,
        true => None,
    };
    row.identity = identity(alert.fingerprint, alert.labels);
    row.facets = facets(alert.fingerprint, alert.labels);
    row
}

/// The group in which it is told first.
fn group(labels: &Labels, ways: Option<&Ways<'_>>) -> String {
    let Some(leg) = ways.and_then(|ways| ways.of(labels).into_iter().next()) else { return String::new() };
    let group = leg.route.group(labels);
    let values: Vec<&str> = group.iter().map(|(_, value)| &**value).collect();
    format!("{} → {}", values.join(" "), leg.route.receiver)
}

/// What makes an alert this one: its labels, of which the fingerprint is the hash.
pub fn identity(fingerprint: u64, labels: &Labels) -> Identity {
    Identity::new().with("fingerprint", hex(fingerprint)).with("alertname", labels.get("alertname"))
}

/// Its alertname, or what else there is: even that label may be missing.
pub fn name(labels: &Labels) -> Arc<str> {
    let first = || labels.iter().next().map(|(name, value)| Arc::from(format!("{name}={value}")));
    labels.find("alertname").cloned().or_else(first).unwrap_or_else(|| Arc::from("(no labels)"))
}

/// What an alert does, or why it does nothing.
pub fn state(held: &Held, seen: &Observation, known: Option<(&Seen, &Placed)>, around: Around<'_>) -> State {
    let now = around.now;
    let status = &held.alert.status;
    let silences: Vec<&Silence> = status.silenced_by.iter().filter_map(|id| seen.silences.get(id)).collect();
    if let Some(last) = silences.iter().max_by_key(|silence| silence.ends_at) {
        let why = silence_words(last, now);
        let acked = silences.iter().all(|silence| silence.comment.starts_with(ACK));
        return if acked { State::Acked(why) } else { State::Silenced(why) };
    }
    if let Some(source) = status.inhibited_by.first() {
        return State::Inhibited(inhibited_words(source, seen));
    }
    if !status.muted_by.is_empty() {
        return State::Muted(format!("in {}", status.muted_by.join(", ")));
    }
    match around.ways.and_then(|ways| verdict(&held.alert.labels, ways)) {
        Some(Quiet::Muted(why, until)) => return State::Muted(muted_words(&why, until, now)),
        Some(Quiet::Nobody) => return State::Untold("its route leads to nobody".to_owned()),
        Some(Quiet::Unclear(_)) | None => {}
    }
    if known.is_some_and(|(seen, _)| seen.alert.keep_firing_since.is_some()) {
        return State::Recovering;
    }
    silent_for_too_long(&held.alert, now).map_or(State::Firing, State::Stale)
}

/// Which alert keeps it quiet; only ever the first one that Alertmanager finds.
fn inhibited_words(source: &str, seen: &Observation) -> String {
    seen.alert_named(source).map_or_else(
        || format!("by {source}, which is gone"),
        |source| {
            let labels = &source.alert.labels;
            format!("by {} {}", name(labels), subject(labels)).trim_end().to_owned()
        },
    )
}

/// `alice, 2h left: renewal running`.
pub fn silence_words(silence: &Silence, now: Timestamp) -> String {
    let by = if silence.created_by.is_empty() { "nobody named" } else { &silence.created_by };
    let left = silence
        .ends_at
        .map_or_else(String::new, |end| format!(", {} left", short(seconds_between(now, end))));
    let comment = silence.comment.strip_prefix(ACK).map_or(silence.comment.as_str(), ack::spoken).trim();
    if comment.is_empty() { format!("{by}{left}") } else { format!("{by}{left}: {comment}") }
}

/// A Prometheus sends an alert again each minute and lets it end four such periods after; where two have passed in
/// silence, it is dead. Returns the seconds until the alert resolves by itself.
fn silent_for_too_long(alert: &Alert, now: Timestamp) -> Option<i64> {
    let (heard, ends) = (alert.updated_at?, alert.ends_at?);
    let (window, quiet) = (seconds_between(heard, ends), seconds_between(heard, now));
    // A longer window is not one of these promises but an end that somebody chose.
    let promised = (60..=1200).contains(&window);
    (promised && quiet * 2 > window).then(|| seconds_between(now, ends).max(0))
}

#[cfg(test)]
mod tests;
