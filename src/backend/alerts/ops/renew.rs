//! Renewing an acknowledgement: the same silence, under the same id, ends later while its alert still fires.

use std::time::Duration;

use jiff::Timestamp;

use crate::backend::Upkeep;
use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::op::{Args, Job, RunId, Target};
use crate::model::time::seconds_between;

use super::super::ack::mark;
use super::super::cluster::Observation;
use super::super::rows::silences;
use super::super::wire::Silence;
use super::super::{Alerts, kinds};
use super::{duration, policy, server_now};

/// So long an acknowledgement is renewed at most, in seconds.
const LONGEST: i64 = 8 * 3600;
/// Between two looks, in seconds.
const LOOK: i64 = 15;
/// So long an alert has to be gone before it counts as resolved, in seconds: two polls.
const GONE: i64 = 25;

/// What keeps an acknowledgement alive now.
pub(in super::super) async fn upkeep(
    backend: &Alerts,
    job: &Job,
    since: Timestamp,
) -> Result<Upkeep, ApiError> {
    let cluster = backend.cluster()?;
    let seen = cluster.observe(5).await?;
    let now = server_now(backend.now(), Some(&seen));
    let gone = seen.alert_named(&job.target.id.key).is_none();
    let gone_since = gone.then(|| ended(backend, job)).flatten();
    let lasts = duration(job, i64::MAX, since).map_or(900, |lasts| lasts.as_secs());
    Ok(next(job, &seen, Times { since, now, gone_since, lasts }))
}

/// When the alert was first missing, as the polls saw it.
fn ended(backend: &Alerts, job: &Job) -> Option<Timestamp> {
    let fingerprint = u64::from_str_radix(&job.target.id.key, 16).ok()?;
    let history = backend.cluster().ok()?.history();
    let own = history.episodes().filter(|one| one.fingerprint == fingerprint);
    own.fold(None, |last, one| last.max(one.ended()))
}

/// The instants that decide.
#[derive(Clone, Copy)]
struct Times {
    since: Timestamp,
    now: Timestamp,
    gone_since: Option<Timestamp>,
    lasts: i64,
}

fn next(job: &Job, seen: &Observation, times: Times) -> Upkeep {
    let Times { since, now, gone_since, lasts } = times;
    let over = |why: &str| Upkeep::Over(why.to_owned());
    let wait = |seconds: i64| Upkeep::Wait(Duration::from_secs(u64::try_from(seconds.max(1)).unwrap_or(1)));
    let spent = seconds_between(since, now);
    if spent >= LONGEST {
        return over("renewed for 8h: it runs out now; acknowledge it again if it still needs you");
    }
    if gone_since.is_some_and(|gone| seconds_between(gone, now) >= GONE) {
        return over("the alert is resolved: the acknowledgement runs out");
    }
    let Some((silence, end)) = ours(job, seen) else {
        // A silence that a silent member alone knows of may still be there.
        return if seen.complete() { over("somebody has ended or replaced it") } else { wait(LOOK) };
    };
    let left = seconds_between(now, end);
    let fires = seen.alert_named(&job.target.id.key).is_some();
    let more = (lasts - left).min(LONGEST - spent - left);
    if left * 2 > lasts || !fires || more <= 0 {
        return wait(LOOK.min(left));
    }
    Upkeep::Due(Box::new(extension(job, silence, more)))
}

/// The silence of an acknowledgement: its author, its alert and its matchers, whatever its id has become.
fn ours<'s>(job: &Job, seen: &'s Observation) -> Option<(&'s Silence, Timestamp)> {
    let held = seen.alert_named(&job.target.id.key);
    let matchers = held.map(|held| policy::own(&held.alert.labels));
    let mine = |silence: &&Silence| {
        let marked = mark(&silence.comment).is_some_and(|mark| {
            *mark.by == *job.operator && !mark.alert.is_empty() && job.target.id.key.starts_with(&mark.alert)
        });
        let same = matchers.as_ref().is_none_or(|matchers| *matchers == silence.matchers);
        silence.status.state == "active" && marked && same
    };
    let mine = seen.silences.values().filter(mine).filter_map(|silence| Some((silence, silence.ends_at?)));
    mine.max_by_key(|(_, end)| *end)
}

fn extension(job: &Job, silence: &Silence, more: i64) -> Job {
    let instance = job.target.id.instance.clone();
    Job {
        run: RunId(uuid::Uuid::new_v4().to_string().into()),
        op: kinds::EXTEND.into(),
        target: Target {
            id: EntityId::new(kinds::SILENCES, instance, silence.id.as_str()),
            name: job.target.name.clone(),
            identity: silences::identity(silence),
            domain: job.target.domain,
        },
        args: Args::from([("duration".to_owned(), format!("{more}s"))]),
        reason: Some(format!("renews the acknowledgement of run {}", job.run)),
        operator: job.operator.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::SignedDuration;

    use crate::model::id::Identity;
    use crate::model::row::Domain;
    use crate::model::snapshot::{Fault, Layer};

    use super::super::super::ack;
    use super::super::super::cluster::{Held, Said};
    use super::super::super::labels::Labels;
    use super::super::super::wire::Alert;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn labels() -> Labels {
        [("alertname", "X"), ("instance", "a")].into_iter().collect()
    }

    fn job() -> Job {
        let key = format!("{:016x}", labels().fingerprint());
        Job {
            run: RunId("r".into()),
            op: kinds::ACK.into(),
            target: Target {
                id: EntityId::new(kinds::ALERTS, "lab", key),
                name: "X".into(),
                identity: Identity::new(),
                domain: Domain::Home,
            },
            args: Args::from([("duration".to_owned(), "15m".to_owned())]),
            reason: None,
            operator: "alice".into(),
        }
    }

    fn silence(by: &str, ends: i64) -> Silence {
        let key = format!("{:016x}", labels().fingerprint());
        let mut silence = Silence {
            id: "s".into(),
            comment: ack::comment("on it", by, &key),
            ends_at: Some(at(ends)),
            matchers: policy::own(&labels()),
            ..Silence::default()
        };
        silence.status.state = "active".into();
        silence
    }

    fn seen(fires: bool, silence: Option<Silence>, answers: bool) -> Observation {
        let held = || {
            let alert = Alert { labels: labels(), ..Alert::default() };
            Held { fingerprint: labels().fingerprint(), alert, members: 1 }
        };
        let lists = if answers { Ok(()) } else { Err(Fault::new(Layer::Tcp, "x")) };
        Observation {
            at: at(0),
            alerts: fires.then(held).into_iter().collect(),
            silences: silence.map(|one| (one.id.clone(), one)).into_iter().collect::<BTreeMap<_, _>>(),
            ghosts: BTreeMap::new(),
            members: vec![Said { lists, told: None, ahead: 0 }],
        }
    }

    fn what(upkeep: &Upkeep) -> &'static str {
        match upkeep {
            Upkeep::Wait(_) => "wait",
            Upkeep::Due(_) => "due",
            Upkeep::Over(_) => "over",
        }
    }

    #[test]
    fn it_is_renewed_at_half_its_life_while_the_alert_fires() {
        let ours = || Some(silence("alice", 900));
        let cases = [
            (seen(true, ours(), true), 100, None, "wait"),
            (seen(true, ours(), true), 450, None, "due"),
            (seen(false, ours(), true), 450, Some(440), "wait"),
            (seen(false, ours(), true), 470, Some(440), "over"),
            (seen(true, None, true), 450, None, "over"),
            (seen(true, None, false), 450, None, "wait"),
            (seen(true, Some(silence("bob", 900)), true), 450, None, "over"),
            (seen(true, Some(silence("alice", 29_700)), true), 28_800, None, "over"),
        ];
        for (seen, now, gone, expected) in cases {
            let times = Times { since: at(0), now: at(now), gone_since: gone.map(at), lasts: 900 };
            assert_eq!(what(&next(&job(), &seen, times)), expected, "at {now}, gone {gone:?}");
        }
    }

    #[test]
    fn a_renewal_is_a_run_on_the_same_silence_and_never_outlasts_eight_hours() {
        let due = |silence: Silence, now: i64| {
            let times = Times { since: at(0), now: at(now), gone_since: None, lasts: 900 };
            match next(&job(), &seen(true, Some(silence), true), times) {
                Upkeep::Due(job) => *job,
                other => panic!("{other:?}"),
            }
        };
        let renewal = due(silence("alice", 900), 500);
        assert_eq!((&*renewal.op, &*renewal.target.id.key), (kinds::EXTEND, "s"));
        assert_eq!((renewal.arg("duration"), renewal.target.identity.get("id")), ("500s", Some("s")));
        let last = due(silence("alice", 28_500), 28_200);
        assert_eq!(last.arg("duration"), "300s", "until {}", at(0) + SignedDuration::from_hours(8));
    }

    #[test]
    fn an_id_that_changed_is_adopted_and_other_matchers_are_not() {
        let mut other = silence("alice", 900);
        other.matchers.pop();
        let times = Times { since: at(0), now: at(450), gone_since: None, lasts: 900 };
        assert_eq!(what(&next(&job(), &seen(true, Some(other), true), times)), "over");
        let replaced = Silence { id: "new".into(), ..silence("alice", 900) };
        assert_eq!(what(&next(&job(), &seen(true, Some(replaced), true), times)), "due");
    }
}
