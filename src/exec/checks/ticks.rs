//! What somebody has looked at by hand: lines of the journal, so that they outlive the console and have a date. A tick says
//! how things were when somebody looked, and so grows old.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::app::desk::TICK;
use crate::insight::checklist::{Mark, Outcome};
use crate::model::journal::{Entry, Line};
use crate::model::op::RunId;
use crate::model::time::{seconds_between, short};

/// So long a look is good for, in seconds.
const GOOD: i64 = 86_400;

/// The newest tick of each step, by the names of its list and its own.
#[derive(Debug, Default)]
pub struct Ticks(BTreeMap<(String, String), (Timestamp, String)>);

impl Ticks {
    /// Somebody has looked.
    pub fn add(&mut self, list: &str, step: &str, at: Timestamp, who: &str) {
        let last = self.0.entry((list.to_owned(), step.to_owned())).or_insert((at, who.to_owned()));
        if last.0 <= at {
            *last = (at, who.to_owned());
        }
    }

    /// Takes in what the journal tells; a tick that was not taken counts for nothing.
    pub fn recall(&mut self, lines: &[Line]) {
        let failed = |run: &RunId| {
            let no = |line: &&Line| matches!(line.entry, Entry::Failed { .. } | Entry::Refused { .. });
            lines.iter().filter(no).any(|line| line.run == *run)
        };
        for line in lines {
            if let Entry::Sending { op, target, args, .. } = &line.entry
                && **op == *TICK
                && let Some(step) = args.get("step")
                && !failed(&line.run)
            {
                self.add(&target.id.key, step, line.at, &line.operator);
            }
        }
    }

    /// What they say of a step.
    pub fn outcome(&self, list: &str, step: &str, now: Timestamp) -> Outcome {
        let Some((at, who)) = self.0.get(&(list.to_owned(), step.to_owned())) else {
            return Outcome::new(Mark::Open, "somebody has to look, then tick it (a)");
        };
        let age = seconds_between(*at, now);
        let (ago, day) = (short(age), at.strftime("%F %R UTC"));
        if age > GOOD {
            let says = format!("{who} looked on {day}, {ago} ago: look again, then tick it (a)");
            return Outcome::new(Mark::Open, says);
        }
        Outcome::new(Mark::Ticked, format!("by hand: {who}, {day}, {ago} ago; nothing has proven it"))
    }
}

#[cfg(test)]
mod tests {
    use crate::model::id::{EntityId, Identity};
    use crate::model::op::{Args, Target};
    use crate::model::row::Domain;

    use super::*;

    fn line(at: &str, run: &str, entry: Entry) -> Line {
        Line { at: at.parse().unwrap(), run: RunId(run.into()), operator: "ada".into(), entry }
    }

    fn tick(at: &str, run: &str, step: &str) -> Line {
        let id = EntityId::new("vigie.checklists", "vigie", "mine");
        let target = Target { id, name: "mine".into(), identity: Identity::new(), domain: Domain::Unknown };
        let args = Args::from([("step".to_owned(), step.to_owned())]);
        line(at, run, Entry::Sending { op: TICK.into(), target, args, reason: None, key: None })
    }

    #[test]
    fn a_tick_outlives_the_console_has_a_date_and_grows_old() {
        let mut ticks = Ticks::default();
        ticks.recall(&[
            tick("2026-11-20T12:00:00Z", "1", "log"),
            tick("2026-11-22T09:00:00Z", "2", "shm"),
            tick("2026-11-22T09:00:00Z", "3", "plan"),
            line("2026-11-22T09:00:01Z", "3", Entry::Failed { text: "no".into() }),
        ]);
        let of = |step: &str| ticks.outcome("mine", step, "2026-11-22T12:00:00Z".parse().unwrap());
        assert_eq!(of("shm").mark, Mark::Ticked);
        assert!(of("shm").evidence[0].contains("ada, 2026-11-22 09:00 UTC"), "{:?}", of("shm"));
        assert_eq!(of("log").mark, Mark::Open);
        assert!(of("log").evidence[0].contains("look again"), "{:?}", of("log"));
        assert_eq!(of("plan"), ticks.outcome("yours", "shm", Timestamp::UNIX_EPOCH));
    }
}
