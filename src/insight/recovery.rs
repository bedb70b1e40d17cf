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

/// One that has been away for so long does not count as the same any more.
pub const WATCHED: SignedDuration = SignedDuration::from_mins(5);
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
        }
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
            Cell::new(self.at + WATCHED),
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

/// What is over, oldest first.
#[derive(Debug, Default)]
pub struct Recoveries(Vec<Over>);

impl Recoveries {
    /// Compares the problems before and after a look; those that are newly over.
    pub fn take(&mut self, before: &[Problem], after: &[Problem], store: &Store, now: Timestamp) -> &[Over] {
        let here = |key: &str| after.iter().any(|problem| *problem.key == *key);
        // What comes back while it is watched was never over.
        self.0.retain(|over| over.at + WATCHED <= now || !here(&over.key));
        let gone: Vec<&Problem> = before.iter().filter(|old| old.is_open() && !here(&old.key)).collect();
        let known = self.0.len();
        if !gone.is_empty() {
            let signs: HashSet<&EntityId> = after.iter().flat_map(|problem| &problem.members).collect();
            // What was only folded into it may go on by itself; where the thing itself is a sign of another, or every
            // sign of it is, it is not over but told under another name.
            let merged = |old: &Problem| match &old.head {
                Some(head) => signs.contains(head) || old.members.iter().all(|member| signs.contains(member)),
                None => old.members.iter().any(|member| signs.contains(member)),
            };
            let seen = |old: &Problem| {
                old.members
                    .iter()
                    .filter(|member| !signs.contains(member))
                    .all(|member| is_seen(member, store))
            };
            let over = gone.into_iter().filter(|old| !merged(old) && seen(old));
            self.0.extend(over.map(|old| Over::of(old, now)));
        }
        let many = self.0.len().saturating_sub(KEPT);
        self.0.drain(..many);
        &self.0[known.saturating_sub(many)..]
    }

    /// Rows for those that are still watched.
    pub fn rows(&self, now: Timestamp) -> impl Iterator<Item = Row> + '_ {
        self.0.iter().filter(move |over| over.at + WATCHED > now).map(Over::row)
    }

    /// All that are remembered, oldest first.
    pub fn all(&self) -> &[Over] {
        &self.0
    }
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
    fn what_is_told_under_another_name_is_not_over_and_what_it_left_behind_is() {
        let node = |members: &[&str]| [problem("node", members)];
        let machine = Problem { head: Some(guest("machine")), ..problem("machine", &["alert", "pod"]) };
        for (after, expected) in [(node(&["alert", "pod", "x"]), 0), (node(&["pod"]), 1)] {
            let mut recoveries = Recoveries::default();
            let over = recoveries.take(std::slice::from_ref(&machine), &after, &store(true), at(0));
            assert_eq!(over.len(), expected, "{:?}", after[0].members);
        }
    }

    #[test]
    fn what_comes_back_while_it_is_watched_was_never_over() {
        let mut recoveries = Recoveries::default();
        recoveries.take(&[problem("vm", &["a"])], &[], &store(true), at(0));
        assert_eq!((recoveries.rows(at(4)).count(), recoveries.rows(at(5)).count()), (1, 0));
        recoveries.take(&[], &[problem("vm", &["a"])], &store(true), at(3));
        assert!(recoveries.all().is_empty());
        recoveries.take(&[problem("vm", &["a"])], &[], &store(true), at(4));
        recoveries.take(&[], &[problem("vm", &["a"])], &store(true), at(20));
        assert_eq!(recoveries.all().len(), 1, "that is another one, an hour later");
    }
}
