//! A silence for a whole domain that is switched off on purpose: part of declaring it, not an operation of its own.

use jiff::SignedDuration;
use serde_json::json;

use crate::backend::Receipt;
use crate::backend::error::SendError;
use crate::model::id::Identity;
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;

use super::super::Alerts;
use super::super::cluster::{Held, Observation};
use super::super::matcher::{Matcher, Matchers};
use super::silence::Put;
use super::{duration, hits, not_sent, policy, rfc3339, server_now};

/// What will be sent: exactly one exact matcher, as two more would narrow it and a pattern would widen it unseen.
struct Plan {
    matcher: Matcher,
    duration: SignedDuration,
}

fn plan(backend: &Alerts, job: &Job) -> Result<Plan, String> {
    let [matcher] = <[Matcher; 1]>::try_from(policy::read(job.arg("matchers"))?)
        .map_err(|_| "a domain is silenced by one matcher".to_owned())?;
    if !matcher.is_exact() || matcher.value.is_empty() || matcher.name == "severity" {
        return Err(format!("{matcher} is not the exact name of a domain"));
    }
    if job.arg("comment").trim().is_empty() {
        return Err("a reason is required: the team must know why it is quiet".to_owned());
    }
    Ok(Plan { matcher, duration: duration(job, backend.shared.longest, backend.now())? })
}

pub(super) fn preflight(backend: &Alerts, job: &Job, seen: &Observation) -> Verdict {
    let checked = plan(backend, job).and_then(|plan| {
        let matchers = Matchers::new(vec![plan.matcher.clone()])?;
        Ok((plan, matchers))
    });
    let (plan, matchers) = match checked {
        Ok(checked) => checked,
        Err(why) => return Verdict::refuse("silence", why),
    };
    let struck: Vec<&Held> =
        seen.alerts.iter().filter(|held| matchers.match_all(&held.alert.labels)).collect();
    let end = server_now(backend.now(), Some(seen)) + plan.duration;
    let effect = format!("keeps {} quiet until {}", plan.matcher, end.strftime("%Y-%m-%d %H:%MZ"));
    let mut verdict = Verdict::allow(effect, Identity::new());
    verdict.evidence.extend(hits(&struck, seen.alerts.len(), None, &backend.shared.scale));
    if !seen.complete() {
        let says = "not every member answers: what only they hold is not counted";
        verdict = verdict.and(Decision::Warn, Evidence::new("members", says, Tone::Warn));
    }
    verdict
}

pub(super) async fn operate(backend: &Alerts, job: &Job) -> Result<Receipt, SendError> {
    let unsent = |error: crate::backend::error::ApiError| SendError::NotSent(error.fault);
    let plan = plan(backend, job).map_err(not_sent)?;
    let cluster = backend.cluster().map_err(unsent)?;
    let seen = cluster.observe(5).await.map_err(unsent)?;
    let start = server_now(backend.now(), Some(&seen));
    let matcher = &plan.matcher;
    let put = Put(json!({
        "matchers": [{
            "name": matcher.name, "value": matcher.value, "isRegex": matcher.is_regex, "isEqual": matcher.is_equal,
        }],
        "startsAt": rfc3339(start),
        "endsAt": rfc3339(start + plan.duration),
        "createdBy": &*job.operator,
        "comment": job.arg("comment").trim(),
    }));
    let (id, member) = cluster.write(&put).await?;
    Ok(Receipt { said: format!("silence {id} made on {}", member.name), remote: Some(id), reveal: None })
}
