//! Episodes as rows: each time that an alert fired, and whether its end can be believed.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Health, Row, Tone, Value};
use crate::model::time::seconds_between;

use super::super::cluster::Episode;
use super::super::feed::Knowledge;
use super::super::kinds;
use super::super::severity::Severity;
use super::alerts::{Around, name};
use super::{facets, hex, subject};

/// So many episodes within an hour are flapping.
pub const FLAPPING: usize = 4;
/// So many within six hours are flapping where each is short.
const FLAPPING_SLOWLY: usize = 6;
const HOUR: i64 = 3600;

/// How often each alert has begun to fire lately.
#[derive(Debug, Clone, Default)]
pub struct Bursts(HashMap<u64, Burst>);

/// How often one alert has begun to fire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Burst {
    /// Within the last hour.
    pub hour: usize,
    /// Within the last six hours.
    pub six: usize,
    /// Whether half of its ended episodes were shorter than ten minutes.
    pub short: bool,
}

impl Burst {
    /// Whether it comes and goes.
    pub fn flaps(self) -> bool {
        self.hour >= FLAPPING || (self.six >= FLAPPING_SLOWLY && self.short)
    }

    /// `~5x/1h`; empty where it fired but once.
    pub fn words(self) -> String {
        match (self.hour, self.six) {
            (n @ 2.., _) => format!("~{n}x/1h"),
            (_, n @ 2..) => format!("~{n}x/6h"),
            _ => String::new(),
        }
    }
}

impl Bursts {
    /// Counts them.
    pub fn count<'e>(episodes: impl IntoIterator<Item = &'e Episode>, now: Timestamp) -> Self {
        let mut bursts: HashMap<u64, (Burst, Vec<i64>)> = HashMap::new();
        for one in episodes {
            let age = seconds_between(one.began, now);
            let (burst, lengths) = bursts.entry(one.fingerprint).or_default();
            burst.hour += usize::from(age <= HOUR);
            burst.six += usize::from(age <= 6 * HOUR);
            lengths.extend(one.ended().map(|ended| seconds_between(one.began, ended)));
        }
        let judged = bursts.into_iter().map(|(fingerprint, (mut burst, mut lengths))| {
            lengths.sort_unstable();
            burst.short = lengths.get(lengths.len() / 2).is_some_and(|median| *median < 600);
            (fingerprint, burst)
        });
        Self(judged.collect())
    }

    /// That of one alert.
    pub fn of(&self, fingerprint: u64) -> Burst {
        self.0.get(&fingerprint).copied().unwrap_or_default()
    }
}

/// The row of an episode; `from` says who saw it.
pub fn row(episode: &Episode, from: &str, bursts: &Bursts, around: Around<'_>) -> Row {
    let labels = &episode.labels;
    let word = labels.get("severity");
    let severity = around.scale.read(word);
    let ended = episode.ended();
    let (state, health, note) = state(episode, severity, around.feeds);
    let burst = bursts.of(episode.fingerprint);
    let flaps = if burst.flaps() { Tone::Warn } else { Tone::Dim };
    let name = name(labels);
    let cells = vec![
        Cell::toned(state, Tone::from(health)),
        Cell::toned(Value::text(word), if ended.is_some() { Tone::Dim } else { severity.tone() }),
        Cell::new(Value::Text(name.clone())),
        Cell::new(Value::text(subject(labels))),
        Cell::new(episode.began),
        Cell::new(ended),
        Cell::new(seconds_between(episode.began, ended.unwrap_or(around.now))),
        Cell::toned(Value::text(burst.words()), flaps),
        Cell::toned(Value::text(from), Tone::Dim),
        Cell::toned(Value::text(hex(episode.fingerprint)), Tone::Dim),
    ];
    let mut row = Row::new(id(episode, around.instance), name, cells);
    row.health = health;
    // What a time line says of it besides its name.
    row.note =
        Some(note.map_or_else(|| Arc::from(format!("{state} {}", subject(labels)).trim_end()), Arc::from));
    row.domain = around.domain;
    row.identity = Identity::new().with("fingerprint", hex(episode.fingerprint));
    row.facets = facets(episode.fingerprint, labels);
    row
}

/// Its id: the alert and the second at which it began.
pub fn id(episode: &Episode, instance: &Arc<str>) -> EntityId {
    let key = format!("{}@{}", hex(episode.fingerprint), episode.began.as_second());
    EntityId::new(kinds::HISTORY, instance.clone(), key)
}

/// An alert whose rule broke ends without being solved, and Alertmanager calls it resolved.
fn state(
    episode: &Episode,
    severity: Severity,
    feeds: &[Arc<Knowledge>],
) -> (&'static str, Health, Option<String>) {
    if episode.ended().is_none() {
        let health = if severity.health() == Health::Ok { Health::Ok } else { Health::Pending };
        return ("firing", health, None);
    }
    let name = episode.labels.get("alertname");
    let mut rules = feeds.iter().flat_map(|feed| feed.rules_named(name));
    match rules.find(|placed| placed.rule.health == "err") {
        Some(placed) => {
            ("ended?", Health::Unknown, Some(format!("its rule is broken: {}", placed.rule.last_error)))
        }
        None => ("ended", Health::Off, None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::cluster::Ending;
    use super::super::super::labels::Labels;
    use super::*;

    fn episode(began: i64, lasted: Option<i64>) -> Episode {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let ending = lasted.map_or(Ending::Firing, |lasted| Ending::Gone {
            seen: at(began + lasted),
            missing: at(began + lasted),
        });
        Episode { labels: Labels::default(), fingerprint: 1, began: at(began), ending }
    }

    #[test]
    fn an_alert_that_comes_and_goes_is_flapping() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let many = |count: i64, every: i64, lasts: i64| {
            let episodes: Vec<Episode> =
                (1..=count).map(|n| episode(-n * every, (n > 1).then_some(lasts))).collect();
            Bursts::count(&episodes, now).of(1)
        };
        assert!(many(5, 600, 60).flaps());
        assert_eq!(many(5, 600, 60).words(), "~5x/1h");
        assert!(many(6, 3500, 60).flaps(), "six short ones within six hours");
        assert!(!many(6, 3500, 3000).flaps(), "long ones are separate events");
        assert!(!many(2, 600, 60).flaps());
        assert_eq!(many(1, 600, 60).words(), "");
    }

    #[test]
    fn an_end_is_not_believed_where_the_rule_cannot_be_evaluated() {
        let rules = |health: &str| {
            let body = format!(
                r#"{{"groups":[{{"name":"g","file":"f","rules":[{{"type":"alerting","name":"X","health":"{health}",
                "lastError":"found duplicate series"}}]}}]}}"#
            );
            Arc::new(Knowledge::new(
                Timestamp::UNIX_EPOCH,
                serde_json::from_str(&body).unwrap(),
                None,
                Vec::new(),
            ))
        };
        let mut one = episode(-600, Some(300));
        one.labels = [("alertname", "X")].into_iter().collect();
        let (word, health, note) = state(&one, Severity::Warning, &[rules("err")]);
        assert_eq!((word, health), ("ended?", Health::Unknown));
        assert!(note.unwrap().contains("duplicate series"));
        assert_eq!(state(&one, Severity::Warning, &[rules("ok")]).0, "ended");
    }
}
