//! When each source is asked: by how visible its rows are, with jitter, backing off on faults, one request at a time.
//!
//! Pure: the time comes in, what is due goes out. Nothing ticks while nothing is due.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use crate::config::Refresh;
use crate::model::id::{KindId, SourceId};
use crate::model::snapshot::{Cadence, Epoch, Fault, Layer, Mode, SourceSpec};

/// What is due so soon is asked at once, so that one wake-up serves several sources.
const SLACK: Duration = Duration::from_millis(250);
/// A watch that lived so long was a good one: its end is no sign of trouble.
const STEADY: Duration = Duration::from_secs(30);

const POLL_BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
const WATCH_BACK_OFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// Wrong credentials do not get right by asking, and servers lock out those who insist.
const SHUT_BACK_OFF: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(900));

/// A source that is to be asked now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub source: SourceId,
    /// The number of this request.
    pub epoch: Epoch,
    /// Whether it is followed instead of asked once.
    pub watch: bool,
}

/// How a request or watch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With an answer; for a watch, it was closed without a fault.
    Good,
    /// Without one.
    Fault,
    /// The credential is wrong, missing or not enough.
    Shut,
}

impl End {
    /// How a fault bears on the next request.
    pub fn of(fault: &Fault) -> Self {
        let shut =
            matches!(fault.layer, Layer::Auth | Layer::Config) || matches!(fault.status, Some(401 | 403));
        if shut { Self::Shut } else { Self::Fault }
    }
}

/// The schedule of all sources.
#[derive(Debug)]
pub struct Schedule {
    entries: BTreeMap<SourceId, Entry>,
    focused: HashSet<KindId>,
    visible: HashSet<KindId>,
    refresh: Refresh,
    paused: bool,
    chance: Chance,
}

#[derive(Debug)]
struct Entry {
    spec: SourceSpec,
    epoch: Epoch,
    state: State,
    /// Asked although nothing is due: the operator wants to know now.
    wanted: bool,
    end: End,
    troubles: u32,
    /// What the pause is multiplied with, drawn anew for each.
    jitter: f64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    New,
    Asked(Duration),
    Ended(Duration),
}

impl Schedule {
    /// A schedule without sources; what `refresh` sets overrides what backends propose.
    pub fn new(refresh: Refresh, seed: u64) -> Self {
        Self {
            entries: BTreeMap::new(),
            focused: HashSet::new(),
            visible: HashSet::new(),
            refresh,
            paused: false,
            chance: Chance(seed),
        }
    }

    /// Adds a source, which is due at once.
    pub fn add(&mut self, spec: SourceSpec) {
        let entry = Entry {
            spec,
            epoch: Epoch::default(),
            state: State::New,
            wanted: false,
            end: End::Good,
            troubles: 0,
            jitter: 1.0,
        };
        self.entries.entry(entry.spec.id.clone()).or_insert(entry);
    }

    /// Which kinds the operator looks at.
    pub fn attend(&mut self, focused: Vec<KindId>, visible: Vec<KindId>) {
        self.focused = focused.into_iter().collect();
        self.visible = visible.into_iter().collect();
    }

    /// Makes the sources of these kinds due now, all where the list is empty; a request under way is followed by another.
    ///
    /// A watch that is open is left alone: it tells changes by itself.
    pub fn want(&mut self, kinds: &[KindId]) {
        for entry in self.entries.values_mut() {
            let meant = kinds.is_empty() || entry.spec.kinds.iter().any(|kind| kinds.contains(kind));
            let live = entry.is_watch() && matches!(entry.state, State::Asked(_));
            entry.wanted |= meant && !live;
        }
    }

    /// Stops or resumes asking; what the operator wants is asked even so.
    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// What is due at `now`; it counts as asked from here on.
    pub fn take_due(&mut self, now: Duration) -> Vec<Due> {
        let soon = now + SLACK;
        let ids: Vec<SourceId> = self
            .entries
            .values()
            .filter(|entry| self.due_at(entry).is_some_and(|at| at <= soon))
            .map(|entry| entry.spec.id.clone())
            .collect();
        ids.into_iter().filter_map(|id| self.entries.get_mut(&id).map(|entry| entry.ask(now))).collect()
    }

    /// When something is due next; `None` while everything is under way or paused.
    pub fn next_due(&self) -> Option<Duration> {
        self.entries.values().filter_map(|entry| self.due_at(entry)).min()
    }

    /// A request or watch has ended.
    pub fn ended(&mut self, source: &SourceId, now: Duration, end: End) {
        let jitter = self.chance.factor();
        if let Some(entry) = self.entries.get_mut(source) {
            entry.ended(now, end, jitter);
        }
    }

    fn due_at(&self, entry: &Entry) -> Option<Duration> {
        match entry.state {
            State::Asked(_) => None,
            _ if entry.wanted => Some(Duration::ZERO),
            _ if self.paused => None,
            _ if self.rests(entry) => None,
            State::New => Some(Duration::ZERO),
            State::Ended(at) => Some(at + self.pause_after(entry).mul_f64(entry.jitter)),
        }
    }

    /// Whether it is not to be asked at all while nobody looks at its rows.
    fn rests(&self, entry: &Entry) -> bool {
        let Mode::Poll(cadence) = entry.spec.mode else { return false };
        let among = |set: &HashSet<KindId>| entry.spec.kinds.iter().any(|kind| set.contains(kind));
        let own = if among(&self.focused) {
            cadence.focused
        } else if among(&self.visible) {
            cadence.visible
        } else {
            cadence.hidden
        };
        own == 0
    }

    fn pause_after(&self, entry: &Entry) -> Duration {
        let back_off = entry.back_off();
        match entry.spec.mode {
            Mode::Watch => back_off,
            Mode::Poll(cadence) => self.cadence(entry, cadence).max(back_off),
        }
    }

    fn cadence(&self, entry: &Entry, own: Cadence) -> Duration {
        let among = |set: &HashSet<KindId>| entry.spec.kinds.iter().any(|kind| set.contains(kind));
        let (own, set) = if among(&self.focused) {
            (own.focused, self.refresh.focused)
        } else if among(&self.visible) {
            (own.visible, self.refresh.visible)
        } else {
            (own.hidden, self.refresh.hidden)
        };
        set.unwrap_or(Duration::from_secs(own.max(1).into()))
    }
}

impl Entry {
    fn is_watch(&self) -> bool {
        self.spec.mode == Mode::Watch
    }

    fn ask(&mut self, now: Duration) -> Due {
        self.epoch.0 += 1;
        self.state = State::Asked(now);
        self.wanted = false;
        Due { source: self.spec.id.clone(), epoch: self.epoch, watch: self.is_watch() }
    }

    fn ended(&mut self, now: Duration, end: End, jitter: f64) {
        let lived = if let State::Asked(at) = self.state { now.saturating_sub(at) } else { Duration::ZERO };
        let steady = if self.is_watch() { lived >= STEADY } else { end == End::Good };
        self.troubles = if steady || end != self.end { 0 } else { self.troubles };
        if self.is_watch() || end != End::Good {
            self.troubles = self.troubles.saturating_add(1);
        }
        self.state = State::Ended(now);
        self.end = end;
        self.jitter = jitter;
    }

    /// How long to wait after so many troubles in a row; doubles up to a limit.
    fn back_off(&self) -> Duration {
        let (first, most) = match self.end {
            End::Shut => SHUT_BACK_OFF,
            End::Good | End::Fault if self.is_watch() => WATCH_BACK_OFF,
            End::Good | End::Fault => POLL_BACK_OFF,
        };
        match self.troubles {
            0 => Duration::ZERO,
            n => first.saturating_mul(1 << (n - 1).min(16)).min(most),
        }
    }
}

/// A seeded source of jitter, so that a test or a demo repeats itself.
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    /// A factor between 0.9 and 1.1.
    fn factor(&mut self) -> f64 {
        // SplitMix64: one addition and two multiplications are plenty for jitter.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let part = u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(0);
        0.9 + 0.2 * f64::from(part) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
