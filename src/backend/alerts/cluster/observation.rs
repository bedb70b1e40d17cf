//! What all members said, united: alerts by fingerprint, silences by id.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::snapshot::Fault;
use crate::model::time::seconds_between;

use super::super::routing::Routing;
use super::super::wire::{Alert, Silence, Status};
use super::Metrics;

/// So long, in seconds, an end may be on its way to the other members: it takes them a fraction of one.
const GOSSIP: i64 = 60;

/// What one member said last.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its alerts and silences, or why there are none.
    pub lists: Result<(), Fault>,
    /// What it said of itself, once it did.
    pub told: Option<Told>,
    /// How many seconds its clock is ahead of ours.
    pub ahead: i64,
}

/// What one member says of itself; asked more seldom than its lists.
#[derive(Debug, Clone)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// Its status.
    pub status: Arc<Status>,
    /// Its configuration, or what of it cannot be evaluated here.
    pub routing: Result<Arc<Routing>, String>,
    /// Its own counters, where it shows them.
    pub metrics: Option<Metrics>,
    /// When a notification was last seen to fail between two looks.
    pub failed_at: Option<Timestamp>,
}

/// An alert as the cluster holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// What the member that heard it last says of it; its quieting united over all.
    pub alert: Alert,
    /// The hash of its labels.
    pub fingerprint: u64,
    /// Which members hold it, a bit each.
    pub members: u64,
}

/// A silence that should be gone: silences live in gossip and in files, and a member may come back with an old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ghost {
    /// It had ended, and is active again under its id: no server revives one on purpose.
    Back,
    /// It has ended, and some member still holds it.
    Held,
}

/// What all members said, united.
#[derive(Debug, Clone)]
pub struct Observation {
    /// When.
    pub at: Timestamp,
    /// The alerts in order of their fingerprints.
    pub alerts: Vec<Held>,
    /// The silences, by id.
    pub silences: BTreeMap<String, Silence>,
    /// Those of them that should be gone, by id.
    pub ghosts: BTreeMap<String, Ghost>,
    /// What each member said, in the order of the configuration.
    pub members: Vec<Said>,
}

impl Observation {
    /// What one member alone holds.
    pub fn of_one(at: Timestamp, alerts: Vec<Alert>, said: Said) -> Self {
        let mut union = Union::default();
        union.add(0, alerts, Vec::new());
        let (alerts, silences) = union.finish();
        Self { at, alerts, silences, ghosts: BTreeMap::new(), members: vec![said] }
    }

    /// Whether every member answered, so that absence means something.
    pub fn complete(&self) -> bool {
        self.members.iter().all(|said| said.lists.is_ok())
    }

    /// How many members answered.
    pub fn answering(&self) -> usize {
        self.members.iter().filter(|said| said.lists.is_ok()).count()
    }

    /// The configuration that the members run with; `None` where none has told it yet.
    pub fn routing(&self) -> Option<Result<&Routing, &str>> {
        let told = self.members.iter().find_map(|said| said.told.as_ref())?;
        Some(told.routing.as_deref().map_err(String::as_str))
    }

    /// Whether a silence had ended by then, whatever came after.
    fn had_ended(&self, id: &str) -> bool {
        self.ghosts.contains_key(id) || self.silences.get(id).is_some_and(|one| one.status.state == "expired")
    }

    /// An alert by its fingerprint.
    pub fn alert(&self, fingerprint: u64) -> Option<&Held> {
        let at = self.alerts.binary_search_by_key(&fingerprint, |held| held.fingerprint).ok()?;
        self.alerts.get(at)
    }

    /// The alert with a fingerprint in its text form.
    pub fn alert_named(&self, hex: &str) -> Option<&Held> {
        self.alert(u64::from_str_radix(hex, 16).ok()?)
    }

    /// By how many of the members that answered an alert is held.
    pub fn seen(&self, held: &Held) -> (u32, usize) {
        (held.members.count_ones(), self.answering())
    }
}

/// Unites what members say.
#[derive(Default)]
pub(super) struct Union {
    alerts: HashMap<u64, Held>,
    silences: BTreeMap<String, Silence>,
    /// Silences that some member holds active.
    active: BTreeSet<String>,
}

impl Union {
    pub(super) fn add(&mut self, member: usize, alerts: Vec<Alert>, silences: Vec<Silence>) {
        let bit = 1_u64.checked_shl(u32::try_from(member).unwrap_or(u32::MAX)).unwrap_or(0);
        self.alerts.reserve(alerts.len());
        for alert in alerts {
            let fingerprint =
                u64::from_str_radix(&alert.fingerprint, 16).unwrap_or_else(|_| alert.labels.fingerprint());
            match self.alerts.get_mut(&fingerprint) {
                Some(held) => held.join(alert, bit),
                None => {
                    self.alerts.insert(fingerprint, Held { alert, fingerprint, members: bit });
                }
            }
        }
        for silence in silences {
            if silence.status.state == "active" {
                self.active.insert(silence.id.clone());
            }
            match self.silences.get(&silence.id) {
                Some(known) if known.updated_at >= silence.updated_at => {}
                _ => {
                    self.silences.insert(silence.id.clone(), silence);
                }
            }
        }
    }

    /// The silences that should be gone, as the members tell at an instant and told before.
    pub(super) fn ghosts(&self, before: Option<&Observation>, now: Timestamp) -> BTreeMap<String, Ghost> {
        let ghost = |id: &String| {
            let silence = self.silences.get(id)?;
            if silence.status.state != "expired" {
                let ended = before.is_some_and(|seen| seen.had_ended(id));
                return ended.then_some((id.clone(), Ghost::Back));
            }
            let ended = silence.updated_at.max(silence.ends_at)?;
            (seconds_between(ended, now) > GOSSIP).then(|| (id.clone(), Ghost::Held))
        };
        self.active.iter().filter_map(ghost).collect()
    }

    /// A silence that has meanwhile ended or is nowhere to be found keeps nothing quiet.
    pub(super) fn finish(self) -> (Vec<Held>, BTreeMap<String, Silence>) {
        let Self { alerts, silences, .. } = self;
        let holds = |id: &String| silences.get(id).is_some_and(|silence| silence.status.state == "active");
        let mut alerts: Vec<Held> = alerts.into_values().collect();
        for held in &mut alerts {
            held.alert.status.silenced_by.retain(holds);
        }
        alerts.sort_unstable_by_key(|held| held.fingerprint);
        (alerts, silences)
    }
}

impl Held {
    /// What was heard later counts; what any member keeps quiet is quiet.
    fn join(&mut self, other: Alert, bit: u64) {
        self.members |= bit;
        let mut older = other;
        if older.updated_at > self.alert.updated_at {
            std::mem::swap(&mut older, &mut self.alert);
        }
        let (kept, more) = (&mut self.alert.status, older.status);
        add_missing(&mut kept.silenced_by, more.silenced_by);
        add_missing(&mut kept.inhibited_by, more.inhibited_by);
        add_missing(&mut kept.muted_by, more.muted_by);
    }
}

fn add_missing(known: &mut Vec<String>, more: Vec<String>) {
    for item in more {
        if !known.contains(&item) {
            known.push(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(fingerprint: &str, updated: &str, silenced_by: &[&str]) -> Alert {
        let mut alert =
            Alert { fingerprint: fingerprint.into(), updated_at: updated.parse().ok(), ..Alert::default() };
        alert.status.silenced_by = silenced_by.iter().map(ToString::to_string).collect();
        alert
    }

    fn silence(id: &str, state: &str) -> Silence {
        let mut silence = Silence { id: id.into(), ..Silence::default() };
        silence.status.state = state.into();
        silence
    }

    #[test]
    fn members_are_united_by_fingerprint_and_the_later_word_counts() {
        let mut union = Union::default();
        union.add(
            0,
            vec![alert("0a", "2026-11-22T10:00:00Z", &[]), alert("0b", "2026-11-22T10:00:00Z", &[])],
            vec![],
        );
        union.add(1, vec![alert("0a", "2026-11-22T11:00:00+02:00", &["s"])], vec![silence("s", "active")]);
        let (alerts, _) = union.finish();
        let found: Vec<_> = alerts.iter().map(|held| (held.fingerprint, held.members)).collect();
        assert_eq!(found, [(10, 0b11), (11, 0b01)]);
        assert_eq!(alerts[0].alert.updated_at, "2026-11-22T10:00:00Z".parse().ok());
        assert_eq!(alerts[0].alert.status.silenced_by, ["s"]);
    }

    #[test]
    fn a_silence_that_has_ended_keeps_nothing_quiet() {
        let mut union = Union::default();
        let quiet = alert("0a", "2026-11-22T10:00:00Z", &["ended", "nowhere", "holds"]);
        union.add(0, vec![quiet], vec![silence("ended", "expired"), silence("holds", "active")]);
        assert_eq!(union.finish().0[0].alert.status.silenced_by, ["holds"]);
    }

    #[test]
    fn a_silence_that_a_member_brought_back_or_still_holds_is_a_ghost() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let told = |state: &str, updated: i64| Silence {
            updated_at: Some(at(updated)),
            ends_at: Some(at(if state == "expired" { updated } else { 7200 })),
            ..silence("s", state)
        };
        let look = |members: &[Silence], before: Option<&Observation>, now: i64| {
            let mut union = Union::default();
            for (index, silence) in members.iter().enumerate() {
                union.add(index, Vec::new(), vec![silence.clone()]);
            }
            let ghosts = union.ghosts(before, at(now));
            let (alerts, silences) = union.finish();
            Observation { at: at(now), alerts, silences, ghosts, members: Vec::new() }
        };
        let (active, ended) = (told("active", 0), told("expired", 100));
        let found = |seen: &Observation| seen.ghosts.get("s").copied();
        let first = look(&[active.clone(), active.clone()], None, 90);
        assert_eq!(found(&first), None);
        let ending = look(&[ended.clone(), active.clone()], Some(&first), 101);
        assert_eq!(found(&ending), None, "its end is on its way");
        let split = look(&[active.clone(), ended.clone()], Some(&ending), 170);
        assert_eq!(found(&split), Some(Ghost::Held), "whichever member is asked first");
        let gone = look(&[ended.clone(), ended], Some(&split), 180);
        assert_eq!(found(&gone), None);
        let back = look(std::slice::from_ref(&active), Some(&gone), 200);
        assert_eq!(found(&back), Some(Ghost::Back));
        assert_eq!(found(&look(&[active], Some(&back), 215)), Some(Ghost::Back), "as long as it is there");
    }
}
