//! Problems that are over: said only where it was seen, watched for a while in case they come back, and handed over.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Health, Row, Tone, Value};
use crate::model::snapshot::SourceHealth;
use crate::model::store::{Source, Store};
use crate::model::time::{seconds_between, short};

use super::kinds::{CONSOLE, PROBLEMS};
use super::problem::Problem;

/// So long no sign may be seen, and all must be visible, before it counts as proven that a problem is over.
pub const WATCHED: SignedDuration = SignedDuration::from_mins(5);
/// Where nobody saw it for longer, it may have been back meanwhile.
const AWAY: SignedDuration = SignedDuration::from_mins(2);
/// So many are remembered.
const KEPT: usize = 100;

/// A problem of which no sign is seen any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    key: Arc<str>,
    /// The thing that failed.
    pub name: String,
    /// What was wrong with it.
    pub what: String,
    /// Whether it was critical.
    pub critical: bool,
    /// The thing itself, where it is a row.
    pub head: Option<EntityId>,
    /// Since when it was, as far as anybody knows.
    pub since: Option<Timestamp>,
    /// Since when no sign of it is seen.
    pub at: Timestamp,
    /// Since when that has been seen without a gap.
    steady: Timestamp,
    /// When it was seen last.
    seen: Timestamp,
    /// What its signs were, while it is watched.
    members: Vec<EntityId>,
    /// Whether that is proven.
    proven: bool,
}

impl Over {
    fn of(problem: &Problem, now: Timestamp) -> Self {
        Self {
            key: problem.key.clone(),
            name: problem.name.clone(),
            what: problem.what.clone(),
            critical: problem.health == Health::Critical,
            head: problem.head.clone(),
            since: problem.since,
            at: now,
            steady: now,
            seen: now,
            members: problem.members.clone(),
            proven: false,
        }
    }

    /// When it is proven that it is over, unless it comes back or is lost from sight before.
    pub fn proven_at(&self) -> Timestamp {
        self.steady + WATCHED
    }

    /// Whether it has stayed away, seen, for the whole of its watch.
    pub fn is_proven(&self) -> bool {
        self.proven
    }

    /// It is seen to be gone; what was not seen for too long proves nothing, and the watch begins anew.
    fn see(&mut self, now: Timestamp) {
        if now > self.seen + AWAY {
            self.steady = now;
        }
        self.seen = now;
    }

    /// Whether some sign of it is neither there nor seen to be gone.
    fn is_lost(&self, signs: &HashSet<&EntityId>, store: &Store) -> bool {
        self.members.iter().any(|member| !signs.contains(member) && !is_seen(member, store))
    }

    /// In one line.
    pub fn words(&self) -> String {
        let lasted = self.since.map(|since| short(seconds_between(since, self.at)));
        let lasted = lasted.map(|lasted| format!(" after {lasted}")).unwrap_or_default();
        format!("over: {}{lasted}, no sign of it is seen any more", self.name)
    }

    fn row(&self) -> Row {
        let says = "no sign of it is seen any more; closed unless it comes back";
        let text = |text: &str| Cell::toned(Value::text(text), Tone::Dim);
        let cells = vec![
            Cell::toned("over", Tone::Ok),
            Cell::new(self.name.as_str()),
            Cell::new(says),
            text(""),
            text(""),
            Cell::empty(),
            Cell::toned(0, Tone::Dim),
            Cell::new(self.proven_at()),
            text(&format!("was: {}", self.what)),
            Cell::new(self.at),
        ];
        let id = EntityId::new(PROBLEMS, CONSOLE, self.key.clone());
        let mut row = Row::new(id, self.name.as_str(), cells);
        row.health = Health::Ok;
        row.note = Some(says.into());
        row.identity = Identity::new().with("key", self.key.clone());
        row
    }
}

/// What is over, and what is no longer told of but not over yet.
#[derive(Debug, Default)]
pub struct Recoveries {
    /// Oldest first.
    over: Vec<Over>,
    /// Problems that went from the list while their signs went on under another name, or could not be seen.
    waiting: Vec<Problem>,
}

impl Recoveries {
    /// Compares the problems before and after a look; those that are newly over.
    pub fn take(&mut self, before: &[Problem], after: &[Problem], store: &Store, now: Timestamp) -> &[Over] {
        let here = |key: &str| after.iter().any(|problem| *problem.key == *key);
        // What comes back while it is watched was never over.
        self.over.retain(|over| over.proven || !here(&over.key));
        self.waiting.retain(|old| !here(&old.key));
        let gone = before.iter().filter(|old| old.is_open() && !here(&old.key));
        self.waiting.extend(gone.cloned());
        let known = self.over.len();
        let watched = self.over.iter().any(|over| !over.proven);
        let told = after.iter().flat_map(|problem| &problem.members);
        let signs: HashSet<&EntityId> =
            if watched || !self.waiting.is_empty() { told.collect() } else { HashSet::new() };
        for over in self.over.iter_mut().filter(|over| !over.proven && !over.is_lost(&signs, store)) {
            over.see(now);
        }
        if !self.waiting.is_empty() {
            let over = self.waiting.extract_if(.., |old| is_over(old, &signs, store));
            self.over.extend(over.map(|old| Over::of(&old, now)));
        }
        let many = self.over.len().saturating_sub(KEPT);
        self.over.drain(..many);
        let many_wait = self.waiting.len().saturating_sub(KEPT);
        self.waiting.drain(..many_wait);
        &self.over[known.saturating_sub(many)..]
    }

    /// Rows for those that are still watched.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.over.iter().filter(|over| !over.proven).map(Over::row)
    }

    /// Ends the watches that are long enough by now, each told once: those problems are proven to be over.
    pub fn prove(&mut self) -> impl Iterator<Item = &Over> {
        let ripe = self.over.iter_mut().filter(|over| !over.proven && over.proven_at() <= over.seen);
        ripe.map(|over| {
            over.proven = true;
            over.members = Vec::new();
            &*over
        })
    }

    /// All that are remembered, oldest first.
    pub fn all(&self) -> &[Over] {
        &self.over
    }
}

/// Whether a problem that is no longer told of is over.
///
/// Where the thing itself failed, what was folded into it may go on without it; where others only told of it, it is not
/// over as long as most of them do, under whatever name. And all that is no sign any more must be seen to be none.
fn is_over(old: &Problem, signs: &HashSet<&EntityId>, store: &Store) -> bool {
    let goes_on = match &old.head {
        Some(head) if old.fails => signs.contains(head),
        head => {
            let told = || old.members.iter().filter(|member| Some(*member) != head.as_ref());
            let go_on = told().filter(|member| signs.contains(member)).count();
            go_on > 0 && go_on * 2 >= told().count()
        }
    };
    !goes_on
        && old.members.iter().filter(|member| !signs.contains(member)).all(|member| is_seen(member, store))
}

/// Whether it is known how a thing is: what is there is fresh, and what is gone is gone from a whole list.
fn is_seen(id: &EntityId, store: &Store) -> bool {
    let carries =
        |source: &&Source| source.spec.id.instance == id.instance && source.spec.kinds.contains(&id.kind);
    store.sources().filter(carries).all(|source| match source.get(id) {
        Some(_) => source.health == SourceHealth::Fresh,
        None => store.get(id).is_some() || source.proves_absence(),
    })
}

#[cfg(test)]
mod tests {
    use crate::insight::problem::Felt;
    use crate::model::id::SourceId;
    use crate::model::row::Domain;
    use crate::model::snapshot::{Delta, Epoch, Fault, Layer, Mode, Snapshot, SourceSpec, Update};

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn guest(name: &str) -> EntityId {
        EntityId::new("proxmox.guests", "pve", name)
    }

    fn problem(key: &str, members: &[&str]) -> Problem {
        Problem {
            key: key.into(),
            health: Health::Critical,
            name: key.into(),
            what: "fails".into(),
            felt: Felt::default(),
            since: Some(at(-26)),
            cause: None,
            score: vec![],
            head: None,
            members: members.iter().map(|name| guest(name)).collect(),
            fails: false,
            blind: vec![],
            domain: Domain::Home,
            acked: false,
            known: None,
        }
    }

    fn store(answers: bool) -> Store {
        let id = SourceId::new("proxmox", "pve", "guests");
        let (kinds, mode) = (vec!["proxmox.guests".into()], Mode::Watch);
        let mut store = Store::new([SourceSpec { id: id.clone(), kinds, mode, domain: Domain::Home }]);
        let list = Ok(Delta::Reset(Snapshot::complete(vec![], at(0))));
        let body = if answers { list } else { Err(Fault::new(Layer::Tcp, "refused")) };
        store.apply(Update { source: id, epoch: Epoch(1), body });
        store
    }

    #[test]
    fn it_is_over_only_where_it_was_seen_and_did_not_become_another() {
        let old = [problem("vm", &["a"])];
        let known = Problem {
            known: Some(crate::insight::problem::Known {
                until: at(9),
                reason: "x".into(),
                by: "ada".into(),
            }),
            ..problem("vm", &["a"])
        };
        let cases: [(&str, &[Problem], bool, usize); 4] = [
            ("gone and seen", &[], true, 1),
            ("gone with its list", &[], false, 0),
            ("part of another", &[problem("host", &["b", "a"])], true, 0),
            ("still here", &[problem("vm", &["a"])], true, 0),
        ];
        for (what, after, answers, expected) in cases {
            let mut recoveries = Recoveries::default();
            let over = recoveries.take(&old, after, &store(answers), at(0)).len();
            assert_eq!(over, expected, "{what}");
        }
        assert!(Recoveries::default().take(&[known], &[], &store(true), at(0)).is_empty(), "it was not told");
        let mut recoveries = Recoveries::default();
        let over = recoveries.take(&old, &[], &store(true), at(0));
        assert_eq!(over[0].words(), "over: vm after 26m, no sign of it is seen any more");
    }

    #[test]
    fn what_failed_itself_is_over_without_its_signs_and_what_was_only_told_of_is_not() {
        let told =
            Problem { head: Some(guest("machine")), ..problem("machine", &["machine", "alert", "pod"]) };
        let failed = Problem { fails: true, ..told.clone() };
        let many =
            Problem { head: told.head.clone(), ..problem("machine", &["machine", "alert", "probe", "pod"]) };
        let cases: [(&Problem, &[&str], usize); 6] = [
            (&told, &["alert", "pod", "x"], 0),
            (&told, &["pod"], 0),
            (&told, &["x"], 1),
            (&many, &["pod"], 1),
            (&failed, &["alert", "pod"], 1),
            (&failed, &["x", "machine"], 0),
        ];
        for (before, signs, expected) in cases {
            let after = [problem("node", signs)];
            let mut recoveries = Recoveries::default();
            let over = recoveries.take(std::slice::from_ref(before), &after, &store(true), at(0));
            assert_eq!(over.len(), expected, "fails {}: {signs:?}", before.fails);
        }
    }

    #[test]
    fn what_went_under_another_name_or_unseen_is_over_once_it_is_seen_to_be() {
        let (machine, node) = (problem("machine", &["alert", "pod"]), problem("node", &["alert", "pod"]));
        let mut recoveries = Recoveries::default();
        let first = recoveries.take(std::slice::from_ref(&machine), &[node], &store(true), at(0));
        assert!(first.is_empty());
        assert!(recoveries.take(&[], &[], &store(false), at(1)).is_empty(), "nobody sees it");
        let then = recoveries.take(&[], &[], &store(true), at(2));
        assert_eq!(then.iter().map(|over| (&*over.name, over.at)).collect::<Vec<_>>(), [("machine", at(2))]);
        recoveries.take(std::slice::from_ref(&machine), &[], &store(false), at(10));
        recoveries.take(&[], &[machine], &store(true), at(11));
        assert!(recoveries.take(&[], &[], &store(true), at(12)).is_empty(), "it is told of again");
    }

    #[test]
    fn what_comes_back_while_it_is_watched_was_never_over() {
        let mut recoveries = Recoveries::default();
        recoveries.take(&[problem("vm", &["a"])], &[], &store(true), at(0));
        recoveries.take(&[], &[problem("vm", &["a"])], &store(true), at(3));
        assert!(recoveries.all().is_empty());
        for minute in 4..=9 {
            let before = if minute == 4 { vec![problem("vm", &["a"])] } else { Vec::new() };
            assert_eq!(recoveries.rows().count(), usize::from(minute > 4), "watched in minute {minute}");
            recoveries.take(&before, &[], &store(true), at(minute));
            recoveries.prove().count();
        }
        assert_eq!(recoveries.rows().count(), 0);
        recoveries.take(&[], &[problem("vm", &["a"])], &store(true), at(20));
        assert_eq!(recoveries.all().len(), 1, "that is another one, a while later");
    }

    #[test]
    fn it_is_proven_only_after_five_minutes_in_which_it_was_seen_to_be_gone() {
        let mut recoveries = Recoveries::default();
        let mut look = |minute: i64, answers: bool| {
            let before = if minute == 0 { vec![problem("vm", &["a"])] } else { Vec::new() };
            recoveries.take(&before, &[], &store(answers), at(minute));
            recoveries.prove().map(|over| over.name.clone()).collect::<Vec<_>>()
        };
        for minute in 0..=9 {
            // A list may be late for a moment; for three minutes nobody sees it.
            assert!(look(minute, !matches!(minute, 2..=4 | 8)).is_empty(), "minute {minute}");
        }
        // Nobody looked for ten minutes: what was then is not known either.
        for minute in 18..=22 {
            assert!(look(minute, true).is_empty(), "minute {minute}");
        }
        assert!(look(23, false).is_empty(), "it would be time, and it is not seen");
        assert_eq!(look(24, true), ["vm"]);
        assert!(look(25, false).is_empty(), "it is told once, and holds");
    }
}
