//! Making a silence for one alert.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::backend::error::{ApiError, SendError};
use crate::backend::{Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::time::seconds_between;

use super::super::ack;
use super::super::client::Alertmanager;
use super::super::cluster::{Change, Held, Observation};
use super::super::matcher::{Matcher, Matchers};
use super::super::rows::alerts::{identity, name, silence_words};
use super::super::rows::subject;
use super::super::watch::told::Past;
use super::super::wire::Silence;
use super::super::{Alerts, kinds};
use super::{alert, duration, hits, last_day, missing, not_sent, policy, rfc3339, server_now};

/// How far the end of a silence may lie from what was asked for, in seconds, to be the one that was sent.
const NEAR: i64 = 120;
/// What the confirmation of an acknowledgement states.
const RENEWAL: &str = "with the same id and matchers, while the alert fires, until it is resolved or 8h have passed; \
                       each renewal is journalled, and it stops with this console";
const LOOK: &str = "list the silences, or run `amtool silence query`";

/// What will be sent, as far as it is known beforehand.
struct Plan {
    matchers: Vec<Matcher>,
    duration: SignedDuration,
    comment: String,
    warning: Option<&'static str>,
}

fn plan(backend: &Alerts, job: &Job, held: &Held) -> Result<Plan, String> {
    let labels = &held.alert.labels;
    let asked = job.arg("matchers");
    let matchers = if asked.trim().is_empty() { policy::own(labels) } else { policy::read(asked)? };
    let comment = words(job);
    if comment.is_empty() {
        return Err("a comment is required: the team must know why it is quiet".to_owned());
    }
    if job.operator.is_empty() {
        return Err("nobody is named as its author; set `operator` in the configuration".to_owned());
    }
    let warning = policy::check(&matchers, labels)?;
    Ok(Plan { matchers, duration: duration(job, backend.shared.longest, backend.now())?, comment, warning })
}

/// The comment as it is sent: an acknowledgement's has a form that other tools know.
fn words(job: &Job) -> String {
    let text = job.arg("comment").trim();
    if &*job.op == kinds::ACK {
        return ack::comment(text, &job.operator, &job.target.id.key);
    }
    text.to_owned()
}

pub(super) fn preflight(
    backend: &Alerts,
    job: &Job,
    seen: &Observation,
    past: Option<&Past>,
) -> Result<Verdict, ApiError> {
    let held = alert(seen, &job.target.id)?;
    let plan = match plan(backend, job, held) {
        Ok(plan) => plan,
        Err(why) => return Ok(Verdict::refuse("silence", why)),
    };
    let matchers = Matchers::new(plan.matchers).map_err(ApiError::unsupported)?;
    let struck: Vec<&Held> =
        seen.alerts.iter().filter(|other| matchers.match_all(&other.alert.labels)).collect();
    let end = server_now(backend.now(), Some(seen)) + plan.duration;
    let labels = &held.alert.labels;
    let effect = format!(
        "keeps {} {} quiet until {}, as {}",
        name(labels),
        subject(labels),
        end.strftime("%Y-%m-%d %H:%MZ"),
        job.operator
    );
    let mut verdict = Verdict::allow(effect, identity(held.fingerprint, labels));
    verdict.evidence.extend(matchers.iter().map(|m| Evidence::new("matcher", m.to_string(), Tone::Text)));
    verdict.evidence.extend(hits(&struck, seen.alerts.len(), Some(held.fingerprint), &backend.shared.scale));
    verdict.evidence.push(last_day(&matchers, past));
    if &*job.op == kinds::ACK {
        verdict.evidence.push(Evidence::new("comment", plan.comment, Tone::Text));
        verdict.evidence.push(Evidence::new("renewal", RENEWAL, Tone::Info));
    }
    if let Some(warning) = plan.warning {
        verdict = verdict.and(Decision::Warn, Evidence::new("broad", warning, Tone::Warn));
    }
    let already = held.alert.status.silenced_by.iter().filter_map(|id| seen.silences.get(id));
    for silence in already {
        let says = format!("already silenced by {}", silence_words(silence, backend.now()));
        verdict = verdict.and(Decision::Warn, Evidence::new("silence", says, Tone::Warn));
    }
    Ok(verdict)
}

pub(super) async fn operate(backend: &Alerts, job: &Job) -> Result<Receipt, SendError> {
    let unsent = |error: ApiError| SendError::NotSent(error.fault);
    let cluster = backend.cluster().map_err(unsent)?;
    let seen = cluster.observe(5).await.map_err(unsent)?;
    let held = alert(&seen, &job.target.id).map_err(unsent)?;
    let plan = plan(backend, job, held).map_err(not_sent)?;
    let start = server_now(backend.now(), Some(&seen));
    let matchers: Vec<_> = plan
        .matchers
        .iter()
        .map(|m| json!({"name": m.name, "value": m.value, "isRegex": m.is_regex, "isEqual": m.is_equal}))
        .collect();
    let put = Put(json!({
        "matchers": matchers,
        "startsAt": rfc3339(start),
        "endsAt": rfc3339(start + plan.duration),
        "createdBy": &*job.operator,
        "comment": plan.comment,
    }));
    let (id, member) = cluster.write(&put).await?;
    Ok(Receipt { said: format!("silence {id} made on {}", member.name), remote: Some(id), reveal: None })
}

/// A new silence.
pub(super) struct Put(pub(super) Value);

#[async_trait]
impl Change for Put {
    async fn send(&self, api: Alertmanager<'_>) -> Result<String, SendError> {
        api.put_silence(self.0.clone()).await
    }
}

pub(super) fn verify(
    job: &Job,
    remote: Option<&str>,
    since: Timestamp,
    waited: i64,
    seen: &Observation,
) -> Proof {
    let found = match remote {
        Some(id) => seen.silences.get(id),
        None => seen.silences.values().find(|silence| is_ours(silence, job, since, seen)),
    };
    let Some(silence) = found else {
        return missing("no such silence is there".to_owned(), waited, seen.complete(), LOOK);
    };
    let until = silence.ends_at.map_or_else(String::new, |end| end.strftime(" until %H:%MZ").to_string());
    match silence.status.state.as_str() {
        "active" | "pending" => {
            let quiet =
                seen.alerts.iter().filter(|held| held.alert.status.silenced_by.contains(&silence.id)).count();
            let state = &silence.status.state;
            Proof::Seen(format!("silence {} is {state}{until}; alerts kept quiet: {quiet}", silence.id))
        }
        state => Proof::Absent(format!("silence {} is {state}", silence.id)),
    }
}

/// Whether a silence is the one that this job sent, where its id never came back: same author, words and matchers, and
/// an end that fits.
fn is_ours(silence: &Silence, job: &Job, since: Timestamp, seen: &Observation) -> bool {
    let asked = job.arg("matchers");
    let matchers = if asked.trim().is_empty() {
        alert(seen, &job.target.id).map(|held| policy::own(&held.alert.labels)).ok()
    } else {
        policy::read(asked).ok()
    };
    let end = duration(job, i64::MAX, since).ok().map(|duration| server_now(since, Some(seen)) + duration);
    let ends_near = end.zip(silence.ends_at).is_some_and(|(a, b)| seconds_between(a, b).abs() <= NEAR);
    let same = matchers.is_none_or(|matchers| matchers == silence.matchers);
    same && ends_near
        && silence.status.state != "expired"
        && silence.created_by == *job.operator
        && silence.comment == words(job)
}
