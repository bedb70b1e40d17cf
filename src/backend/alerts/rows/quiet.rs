//! Whom an alert reaches, in the words of a row: the configuration knows what the alert's own status does not tell.

use jiff::Timestamp;

use crate::model::time::{seconds_between, short};

use super::super::cluster::Observation;
use super::super::labels::Labels;
use super::super::matcher::Matchers;
use super::super::routing::{Leg, Quiet, Ways};
use super::super::wire::Silence;

/// How long a silence that has ended is still told beside the alerts that it kept quiet, in seconds.
const LAPSED: i64 = 600;

/// `in nights, 7h left`.
pub fn muted_words(why: &str, until: Option<Timestamp>, now: Timestamp) -> String {
    match until {
        Some(until) => format!("{why}, {} left", short(seconds_between(now, until))),
        None => why.to_owned(),
    }
}

/// Why nobody is told of an alert, judged by all its ways; `None` where somebody is, or where it cannot be told.
pub fn verdict(labels: &Labels, ways: &Ways<'_>) -> Option<Quiet> {
    let legs = ways.of(labels);
    let all = |test: fn(&Quiet) -> bool| legs.iter().all(|leg| leg.quiet.as_ref().is_some_and(test));
    if legs.is_empty() || !all(|quiet| !matches!(quiet, Quiet::Unclear(_))) {
        return None;
    }
    if all(|quiet| *quiet == Quiet::Nobody) {
        return Some(Quiet::Nobody);
    }
    // The mute that ends first lets somebody hear of it.
    let muted = legs.into_iter().filter_map(|leg: Leg<'_>| match leg.quiet {
        Some(Quiet::Muted(why, until)) => Some((why, until)),
        _ => None,
    });
    muted
        .min_by_key(|(_, until)| until.unwrap_or(Timestamp::MAX))
        .map(|(why, until)| Quiet::Muted(why, until))
}

/// A silence that has just ended: why an alert is told again.
#[derive(Debug, Clone)]
pub struct Lapsed {
    matchers: Matchers,
    words: String,
}

impl Lapsed {
    /// The silences that ended a moment ago.
    pub fn all(seen: &Observation, now: Timestamp) -> Vec<Self> {
        let recent = |silence: &&Silence| {
            let ended = silence.ends_at.map(|end| seconds_between(end, now));
            silence.status.state == "expired" && ended.is_some_and(|age| (0..LAPSED).contains(&age))
        };
        let lapsed = |silence: &Silence| {
            let ago = silence.ends_at.map_or(0, |end| seconds_between(end, now));
            let matchers = Matchers::new(silence.matchers.iter().cloned()).ok()?;
            Some(Self {
                matchers,
                words: format!("silence of {} ended {} ago", silence.created_by, short(ago)),
            })
        };
        seen.silences.values().filter(recent).filter_map(lapsed).collect()
    }

    /// What to say of it beside an alert, where it kept that one quiet.
    pub fn of<'l>(lapsed: &'l [Self], labels: &Labels) -> Option<&'l str> {
        lapsed.iter().find(|one| one.matchers.match_all(labels)).map(|one| one.words.as_str())
    }
}
