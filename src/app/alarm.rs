//! The bell: once per burst for problems that are new, critical and taken on by nobody.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::insight::problem::Problem;
use crate::model::row::Health;

/// Problems that follow each other faster than this are one burst.
const BURST: SignedDuration = SignedDuration::from_mins(5);

/// What has been told already.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    told: HashSet<Arc<str>>,
    last: Option<Timestamp>,
}

impl Alarm {
    /// What to tell now, if anything; before everything was `seen` once, problems are old news.
    pub fn check(&mut self, problems: &[Problem], seen: bool, now: Timestamp) -> Option<String> {
        let loud =
            |problem: &&Problem| problem.is_open() && !problem.acked && problem.health == Health::Critical;
        let loud: Vec<&Problem> = problems.iter().filter(loud).collect();
        let new: Vec<&&Problem> = loud.iter().filter(|problem| !self.told.contains(&problem.key)).collect();
        let first = new.first().map(|problem| {
            let more = if new.len() > 1 { format!(" (+{} more)", new.len() - 1) } else { String::new() };
            format!("{}: {}{more}", problem.name, problem.what)
        });
        self.told = loud.iter().map(|problem| problem.key.clone()).collect();
        let text = first.filter(|_| seen)?;
        let quiet = self.last.replace(now).is_some_and(|last| now.duration_since(last) < BURST);
        (!quiet).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::problem::Felt;
    use crate::model::row::Domain;

    fn problem(key: &str, health: Health, acked: bool) -> Problem {
        Problem {
            key: key.into(),
            health,
            name: key.into(),
            what: "fails".into(),
            felt: Felt::default(),
            since: None,
            cause: None,
            score: vec![],
            head: None,
            members: vec![],
            fails: false,
            blind: vec![],
            domain: Domain::Cloud,
            acked,
            known: None,
        }
    }

    #[test]
    fn it_rings_once_per_burst_and_only_for_what_is_new_critical_and_nobodys() {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        let crt = |key: &str| problem(key, Health::Critical, false);
        let mut alarm = Alarm::default();
        let old = [crt("old")];
        assert_eq!(alarm.check(&old, false, at(0)), None);
        assert_eq!(alarm.check(&old, true, at(1)), None);
        let quiet = [
            crt("old"),
            problem("warning", Health::Warning, false),
            problem("acked", Health::Critical, true),
        ];
        assert_eq!(alarm.check(&quiet, true, at(2)), None);
        assert_eq!(
            alarm.check(&[crt("old"), crt("a"), crt("b")], true, at(3)).as_deref(),
            Some("a: fails (+1 more)")
        );
        assert_eq!(alarm.check(&[crt("a"), crt("c")], true, at(5)), None);
        assert_eq!(alarm.check(&[crt("a"), crt("c")], true, at(30)), None);
        assert!(alarm.check(&[crt("d")], true, at(31)).is_some());
        assert_eq!(alarm.check(&[], true, at(32)), None);
        assert!(alarm.check(&[crt("d")], true, at(60)).is_some());
    }
}
