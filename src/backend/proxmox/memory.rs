//! What a poll remembers of the one before: texts that repeat, and counters that become rates.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::listing;
use super::startup::Startup;

/// A start that is computed from an uptime wanders by the broadcast's delay; closer than this it is the same start.
const SAME_START: i64 = 30;
/// How long our own fresher look at a guest outweighs the list, which lags by up to 10 s.
const FRESH: Duration = Duration::from_secs(12);

/// Shares equal texts between rows and polls.
#[derive(Debug, Default)]
pub struct Words(HashSet<Arc<str>>);

impl Words {
    /// The shared copy of a text.
    pub fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let new: Arc<str> = Arc::from(text);
        self.0.insert(new.clone());
        new
    }

    /// Forgets what no row holds any more, once there is too much of it.
    pub fn tidy(&mut self, rows: usize) {
        if self.0.len() > 8 * rows + 1_000 {
            self.0.retain(|word| Arc::strong_count(word) > 1);
        }
    }
}

/// What is remembered of one guest.
#[derive(Debug, Clone, Copy, Default)]
struct Trace {
    started: i64,
    bytes: i64,
    since: i64,
    rate: f64,
}

/// What a host counts a guest as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulse {
    /// It runs, or does what only a guest that is on can do.
    On,
    /// It does not, or nobody knows.
    Off,
    /// It cannot run.
    Template,
}

impl Pulse {
    /// What a guest of a listed status counts as.
    pub fn of(template: bool, status: Option<&str>) -> Self {
        match status {
            _ if template => Self::Template,
            None | Some("stopped" | "unknown") => Self::Off,
            Some(_) => Self::On,
        }
    }
}

/// Running and all guests of each host, templates not counted.
pub type Counts = HashMap<Arc<str>, (u32, u32)>;

/// Where a guest was listed last, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its name, or its id where it has none yet.
    pub name: Arc<str>,
    /// Whether the list named it.
    pub named: bool,
    /// What it counts as.
    pub pulse: Pulse,
    /// The host it was on.
    pub node: Option<Arc<str>>,
    /// Whether it is a container.
    pub container: bool,
}

/// What a guest's configuration tells beside the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Its SMBIOS UUID.
    pub uuid: Option<Arc<str>>,
    /// The addresses of its network cards.
    pub macs: Vec<Arc<str>>,
    /// Whether it starts with its host.
    pub onboot: bool,
    /// Whether devices are passed through to it.
    pub passthrough: bool,
}

/// What a guest tells of itself, each a label and a few words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Its network cards with their addresses.
    pub network: Vec<(String, String)>,
    /// Its system and file systems, as its agent sees them.
    pub inside: Vec<(String, String)>,
}

/// A guest is asked about itself no more often than this.
const TOLD: Duration = Duration::from_secs(60);

/// A configuration read longer ago than this is read again.
const CONFIG: Duration = Duration::from_secs(300);

/// What the polls of one instance remember.
#[derive(Debug, Default)]
pub struct Memory {
    /// Texts that repeat.
    pub words: Words,
    /// Each with the list that had it last.
    guests: HashMap<u32, (Known, u32)>,
    lists: u32,
    traces: HashMap<u32, Trace>,
    seen: HashMap<u32, (Arc<str>, Instant)>,
    facts: HashMap<u32, (Option<Facts>, Instant)>,
    saved: HashMap<u32, i64>,
    snapped: HashMap<u32, i64>,
    told: HashMap<u32, (Told, Instant)>,
    /// Of guests that were looked at before something was done to them.
    startups: HashMap<u32, Startup>,
    /// Whether all guests were being stopped when the server was last heard of: its host was going down.
    pub leaving: bool,
    /// What was told of the last list.
    listed: Option<listing::Told>,
    /// Guests of whom something else was learnt since.
    news: HashSet<u32>,
}

impl Memory {
    /// What was told of the last list, and of which guests equal entries would not make equal rows again.
    pub fn settled(&mut self) -> Option<listing::Told> {
        let news = std::mem::take(&mut self.news);
        let mut told = self.listed.take()?;
        told.stale = news.into_iter().chain(self.seen.keys().copied()).collect();
        Some(told)
    }

    /// Notes what was told of a list.
    pub fn settle(&mut self, told: listing::Told) {
        self.listed = Some(told);
    }

    /// What a guest told of itself, where it was asked lately, whether it answered or not.
    pub fn told(&self, vmid: u32) -> Option<Told> {
        let (told, at) = self.told.get(&vmid)?;
        (at.elapsed() < TOLD).then(|| told.clone())
    }

    /// Notes what a guest told of itself.
    pub fn tell(&mut self, vmid: u32, told: Told) {
        if self.told.get(&vmid).is_none_or(|(known, _)| *known != told) {
            self.news.insert(vmid);
        }
        self.told.insert(vmid, (told, Instant::now()));
    }

    /// The first address that a guest told, however long ago.
    pub fn address(&self, vmid: u32) -> Option<&str> {
        let (told, _) = self.told.get(&vmid)?;
        told.network.iter().find_map(|(_, addresses)| addresses.split(' ').next())
    }

    /// Notes a guest's place among others.
    pub(super) fn place(&mut self, vmid: u32, startup: Startup) {
        self.startups.insert(vmid, startup);
    }

    /// A guest's place among others, as it was when it was last looked at before something was done to it.
    pub(super) fn startup(&self, vmid: u32) -> Startup {
        self.startups.get(&vmid).copied().unwrap_or_default()
    }

    /// Notes the newest snapshots, by guest.
    pub fn snap(&mut self, snapped: HashMap<u32, i64>) {
        self.news.extend(differing(&self.snapped, &snapped));
        self.snapped = snapped;
    }

    /// When a guest's newest snapshot was taken, epoch seconds.
    pub fn snapped(&self, vmid: u32) -> Option<i64> {
        self.snapped.get(&vmid).copied()
    }

    /// Guests whose configuration is to be read, with where they are; at most so many.
    pub fn unread(&self, most: usize) -> Vec<(u32, Arc<str>)> {
        let old = |vmid: &u32| self.facts.get(vmid).is_none_or(|(_, at)| at.elapsed() > CONFIG);
        let due = self.guests.iter().filter(|(vmid, _)| old(vmid));
        due.filter_map(|(vmid, (known, _))| Some((*vmid, known.node.clone()?))).take(most).collect()
    }

    /// How many guests are listed.
    pub fn count(&self) -> usize {
        self.guests.len()
    }

    /// Notes what a configuration told; `None` where it could not be read.
    pub fn learn(&mut self, vmid: u32, facts: Option<Facts>) {
        if self.facts.get(&vmid).is_none_or(|(known, _)| *known != facts) {
            self.news.insert(vmid);
        }
        self.facts.insert(vmid, (facts, Instant::now()));
    }

    /// What a guest's configuration told last.
    pub fn facts(&self, vmid: u32) -> Option<&Facts> {
        self.facts.get(&vmid)?.0.as_ref()
    }

    /// Notes the last good backups, by guest.
    pub fn keep(&mut self, saved: HashMap<u32, i64>) {
        self.news.extend(differing(&self.saved, &saved));
        self.saved = saved;
    }

    /// When a guest was last backed up, epoch seconds.
    pub fn saved(&self, vmid: u32) -> Option<i64> {
        self.saved.get(&vmid).copied()
    }

    /// Begins a new list; it ends with [`Memory::tidy`].
    pub fn relist(&mut self) {
        self.lists = self.lists.wrapping_add(1);
    }

    /// Notes where a guest is listed.
    pub fn list(&mut self, vmid: u32, known: Known) {
        self.guests.insert(vmid, (known, self.lists));
    }

    /// Notes that a guest is listed as it was; false where it was not.
    pub fn relisted(&mut self, vmid: u32) -> bool {
        let Some((_, list)) = self.guests.get_mut(&vmid) else { return false };
        *list = self.lists;
        true
    }

    /// Where a guest was listed last.
    pub fn known(&self, vmid: u32) -> Option<&Known> {
        self.guests.get(&vmid).map(|(known, _)| known)
    }

    /// The guests of this list, counted by their hosts.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::new();
        for (known, _) in self.guests.values().filter(|(_, list)| *list == self.lists) {
            let Some(node) = known.node.clone().filter(|_| known.pulse != Pulse::Template) else { continue };
            let (running, all) = counts.entry(node).or_default();
            *all += 1;
            *running += u32::from(known.pulse == Pulse::On);
        }
        counts
    }

    /// Whether there are guests, and none has a name yet.
    pub fn is_nameless(&self) -> bool {
        !self.guests.is_empty() && self.guests.values().all(|(known, _)| !known.named)
    }

    /// A guest's start, epoch seconds, that stands still while it keeps running.
    pub fn started(&mut self, vmid: u32, uptime: i64, now: i64) -> i64 {
        let start = now.saturating_sub(uptime);
        let trace = self.traces.entry(vmid).or_default();
        if (trace.started - start).abs() > SAME_START {
            trace.started = start;
        }
        trace.started
    }

    /// Bytes per second, out of a counter that the server moves about every 10 s.
    pub fn rate(&mut self, vmid: u32, bytes: i64, now: i64) -> Option<f64> {
        let trace = self.traces.entry(vmid).or_default();
        let (passed, moved) = (now - trace.since, bytes - trace.bytes);
        if trace.since == 0 || moved < 0 {
            *trace = Trace { bytes, since: now, rate: f64::NAN, ..*trace };
        } else if moved > 0 && passed > 0 {
            #[allow(clippy::cast_precision_loss)]
            let rate = moved as f64 / passed as f64;
            *trace = Trace { bytes, since: now, rate, ..*trace };
        } else if passed > 60 {
            trace.rate = 0.0;
        }
        Some(trace.rate).filter(|rate| rate.is_finite())
    }

    /// Notes a guest's state as its own status call told it.
    pub fn saw(&mut self, vmid: u32, state: &str) {
        let state = self.words.share(state);
        self.seen.insert(vmid, (state, Instant::now()));
    }

    /// The state that was seen more freshly than the list can know.
    pub fn fresher(&self, vmid: u32) -> Option<Arc<str>> {
        let (state, at) = self.seen.get(&vmid)?;
        (at.elapsed() < FRESH).then(|| state.clone())
    }

    /// Ends a list: forgets guests that it does not have.
    pub fn tidy(&mut self, rows: usize) {
        self.guests.retain(|_, (_, list)| *list == self.lists);
        self.seen.retain(|_, (_, at)| at.elapsed() < FRESH);
        if self.traces.len() > 2 * self.guests.len() + 100 {
            let guests = &self.guests;
            self.traces.retain(|vmid, _| guests.contains_key(vmid));
            self.facts.retain(|vmid, _| guests.contains_key(vmid));
        }
        self.words.tidy(rows);
    }
}

/// The guests of whom two readings tell something else.
fn differing(old: &HashMap<u32, i64>, new: &HashMap<u32, i64>) -> Vec<u32> {
    let of = |one: &HashMap<u32, i64>, other: &HashMap<u32, i64>| {
        let unlike = one.iter().filter(|(vmid, at)| other.get(vmid) != Some(at));
        unlike.map(|(vmid, _)| *vmid).collect::<Vec<_>>()
    };
    [of(old, new), of(new, old)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_stands_still_while_the_uptime_wanders() {
        let mut memory = Memory::default();
        assert_eq!(memory.started(1, 100, 1_000), 900);
        assert_eq!(memory.started(1, 100, 1_005), 900);
        assert_eq!(memory.started(1, 5, 1_010), 1_005);
    }

    #[test]
    fn a_rate_holds_between_the_server_s_own_ticks() {
        let mut memory = Memory::default();
        assert_eq!(memory.rate(1, 1_000, 100), None);
        assert_eq!(memory.rate(1, 1_000, 105), None);
        assert_eq!(memory.rate(1, 2_000, 110), Some(100.0));
        assert_eq!(memory.rate(1, 2_000, 115), Some(100.0));
        assert_eq!(memory.rate(1, 500, 120), None, "the guest was restarted");
        assert_eq!(memory.rate(1, 500, 190), Some(0.0));
    }

    #[test]
    fn equal_texts_are_one_until_nobody_holds_them() {
        let mut words = Words::default();
        let (a, b) = (words.share("pve"), words.share("pve"));
        assert!(Arc::ptr_eq(&a, &b));
        for n in 0..2_000 {
            words.share(&n.to_string());
        }
        words.tidy(1);
        assert_eq!(words.0.len(), 1);
    }

    #[test]
    fn a_row_is_made_again_once_something_else_is_learnt_of_its_guest() {
        let learning: [fn(&mut Memory); 5] = [
            |memory| memory.saw(110, "running"),
            |memory| memory.learn(110, Some(Facts { onboot: true, ..Facts::default() })),
            |memory| memory.learn(110, None),
            |memory| memory.keep(HashMap::from([(110, 5)])),
            |memory| memory.snap(HashMap::from([(110, 5)])),
        ];
        assert!(Memory::default().settled().is_none());
        for learn in learning {
            let mut memory = Memory::default();
            let mut stale = |learn: Option<fn(&mut Memory)>| {
                memory.settle(listing::Told::default());
                if let Some(learn) = learn {
                    learn(&mut memory);
                }
                let stale = memory.settled().unwrap().stale;
                memory.seen.clear();
                stale
            };
            assert!(stale(None).is_empty());
            assert_eq!(stale(Some(learn)), HashSet::from([110]));
            assert!(stale(None).is_empty());
        }
        let mut memory = Memory::default();
        memory.keep(HashMap::from([(110, 5), (111, 6)]));
        memory.settle(listing::Told::default());
        memory.news.clear();
        memory.keep(HashMap::from([(110, 5)]));
        assert_eq!(memory.settled().unwrap().stale, HashSet::from([111]), "its backup is gone");
    }

    #[test]
    fn our_own_look_outweighs_the_list_for_a_while() {
        let mut memory = Memory::default();
        memory.saw(110, "running");
        assert_eq!(memory.fresher(110).as_deref(), Some("running"));
        assert_eq!(memory.fresher(111), None);
    }
}
