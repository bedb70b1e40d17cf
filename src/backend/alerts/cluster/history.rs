//! What came and went: Alertmanager forgets an alert when it ends, so its episodes are kept here, from one poll to
//! the next. An episode is a fingerprint and the instant at which it began to fire.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

use crate::model::time::seconds_between;

use super::super::labels::Labels;
use super::Observation;

/// How long an episode is remembered after its end, in seconds.
const REMEMBERED: i64 = 86_400;
/// How many ended episodes are kept at most; the oldest go first.
const MOST: usize = 2_000;
/// Between two polls, in seconds; more is a gap in the watch.
const GAP: i64 = 120;

/// How an episode stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It still fires.
    Firing,
    /// It was gone at this poll, after the one before it.
    Gone {
        /// When it was last seen.
        seen: Timestamp,
        /// When it was first missing.
        missing: Timestamp,
    },
}

/// One time that an alert fired.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// The alert's labels.
    pub labels: Labels,
    /// Their hash.
    pub fingerprint: u64,
    /// When it began to fire.
    pub began: Timestamp,
    /// How it stands.
    pub ending: Ending,
}

impl Episode {
    /// When it ended, as near as the polls tell.
    pub fn ended(&self) -> Option<Timestamp> {
        match self.ending {
            Ending::Firing => None,
            Ending::Gone { missing, .. } => Some(missing),
        }
    }
}

/// The episodes that the polls of one cluster have seen.
#[derive(Debug, Default)]
pub struct History {
    open: HashMap<u64, Episode>,
    ended: VecDeque<Episode>,
    gaps: Vec<(Timestamp, Timestamp)>,
    last: Option<Timestamp>,
    failing_since: Option<Timestamp>,
}

impl History {
    /// Takes a poll in. Only a complete one proves that an alert is gone.
    pub fn see(&mut self, seen: &Observation) {
        self.close_gap(seen.at);
        let before = self.last.unwrap_or(seen.at);
        for held in &seen.alerts {
            let began = held.alert.starts_at.unwrap_or(seen.at);
            let known = self.open.get(&held.fingerprint).map(|episode| episode.began);
            if known == Some(began) {
                continue;
            }
            let labels = held.alert.labels.clone();
            let new = Episode { labels, fingerprint: held.fingerprint, began, ending: Ending::Firing };
            if let Some(old) = self.open.insert(held.fingerprint, new) {
                self.end(old, before, began.max(before));
            }
        }
        if seen.complete() {
            let gone: Vec<u64> =
                self.open.keys().filter(|fingerprint| seen.alert(**fingerprint).is_none()).copied().collect();
            for fingerprint in gone {
                if let Some(old) = self.open.remove(&fingerprint) {
                    self.end(old, before, seen.at);
                }
            }
            self.last = Some(seen.at);
        }
        self.forget(seen.at);
    }

    /// A poll brought nothing: what happens until the next good one is not seen.
    pub fn miss(&mut self, at: Timestamp) {
        self.failing_since.get_or_insert(self.last.unwrap_or(at));
    }

    fn close_gap(&mut self, now: Timestamp) {
        let silent = self.last.filter(|last| seconds_between(*last, now) > GAP);
        if let Some(from) = self.failing_since.take().or(silent) {
            self.gaps.push((from, now));
        }
    }

    fn end(&mut self, mut episode: Episode, seen: Timestamp, missing: Timestamp) {
        episode.ending = Ending::Gone { seen, missing };
        self.ended.push_back(episode);
    }

    fn forget(&mut self, now: Timestamp) {
        let old = |at: Timestamp| seconds_between(at, now) > REMEMBERED;
        while self.ended.len() > MOST || self.ended.front().and_then(Episode::ended).is_some_and(old) {
            self.ended.pop_front();
        }
        self.gaps.retain(|(_, to)| !old(*to));
    }

    /// All episodes: those that fire, then the ended ones, the latest first.
    pub fn episodes(&self) -> impl Iterator<Item = &Episode> {
        self.open.values().chain(self.ended.iter().rev())
    }

    /// The times in which nothing was seen.
    pub fn gaps(&self) -> &[(Timestamp, Timestamp)] {
        &self.gaps
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::model::snapshot::{Fault, Layer};

    use super::super::super::wire::Alert;
    use super::super::{Held, Said};
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn poll(second: i64, alerts: &[(u64, i64)], answers: bool) -> Observation {
        let held = |(fingerprint, began): &(u64, i64)| {
            let alert = Alert { starts_at: Some(at(*began)), ..Alert::default() };
            Held { alert, fingerprint: *fingerprint, members: 1 }
        };
        let lists = if answers { Ok(()) } else { Err(Fault::new(Layer::Tcp, "no connection")) };
        let mut alerts: Vec<Held> = alerts.iter().map(held).collect();
        alerts.sort_by_key(|held| held.fingerprint);
        let members = vec![Said { lists, told: None, ahead: 0 }];
        Observation { at: at(second), alerts, silences: BTreeMap::new(), ghosts: BTreeMap::new(), members }
    }

    fn told(history: &History) -> Vec<(u64, i64, Option<i64>)> {
        let second = |at: Timestamp| at.as_second() - 1_800_000_000;
        let mut found: Vec<_> = history
            .episodes()
            .map(|one| (one.fingerprint, second(one.began), one.ended().map(second)))
            .collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn an_episode_is_a_fingerprint_and_its_start() {
        let mut history = History::default();
        history.see(&poll(0, &[(1, -60), (2, -10)], true));
        history.see(&poll(15, &[(1, -60)], true));
        history.see(&poll(30, &[(1, 20), (2, 25)], true));
        let expected = [(1, -60, Some(20)), (1, 20, None), (2, -10, Some(15)), (2, 25, None)];
        assert_eq!(told(&history), expected);
    }

    #[test]
    fn what_a_failing_or_partial_poll_does_not_show_is_not_gone() {
        let mut history = History::default();
        history.see(&poll(0, &[(1, -60)], true));
        history.see(&poll(15, &[], false));
        history.miss(at(30));
        assert_eq!(told(&history), [(1, -60, None)]);
        history.see(&poll(600, &[], true));
        assert_eq!(told(&history), [(1, -60, Some(600))]);
        assert_eq!(history.gaps(), [(at(0), at(600))]);
    }

    #[test]
    fn a_day_is_remembered() {
        let mut history = History::default();
        history.see(&poll(0, &[(1, -60)], true));
        history.see(&poll(15, &[], true));
        history.see(&poll(86_430, &[], true));
        assert!(told(&history).is_empty());
    }
}
