//! Operations on silences: checked against what they would hit, sent to one member, read back from all.

mod expire;
mod extend;
mod hush;
mod policy;
mod renew;
mod silence;
mod unack;

pub(super) use renew::upkeep;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::backend::error::{ApiError, SendError};
use crate::backend::{Proof, Receipt};
use crate::model::id::{EntityId, Identity};
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, OpSpec, Target, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};
use crate::model::time::{parse_said, seconds_between, short};

use super::cluster::{Cluster, Held, Observation};
use super::matcher::Matchers;
use super::rows::alerts::{identity as alert_identity, name};
use super::rows::silences::identity as silence_identity;
use super::rows::subject;
use super::severity::{Scale, Severity};
use super::watch::told::{Past, past as past_of};
use super::wire::Silence;
use super::{Alerts, kinds};

/// After so many seconds a lost request will not arrive any more.
const LOST: i64 = 60;

/// The form with the alert's own matchers filled in and the configured longest duration.
pub(super) async fn form(backend: &Alerts, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
    let mut form = op.form.clone();
    for field in &mut form {
        if let FieldKind::Duration { max } = &mut field.kind {
            *max = backend.shared.longest;
        }
    }
    if op.name == kinds::SILENCE {
        match targets {
            [one] => {
                let seen = backend.cluster()?.observe(30).await?;
                let own = alert(&seen, &one.id)?.alert.labels.clone();
                let lines: Vec<String> = policy::own(&own).iter().map(ToString::to_string).collect();
                if let Some(field) = form.iter_mut().find(|field| field.name == "matchers") {
                    field.default = lines.join("\n").into();
                }
            }
            // Several alerts have nothing exact in common: each gets its own.
            _ => form.retain(|field| field.name != "matchers"),
        }
    }
    Ok(form)
}

/// The target as the members have it now.
pub(super) async fn identify(backend: &Alerts, target: &EntityId) -> Result<Identity, ApiError> {
    let seen = backend.cluster()?.observe(0).await?;
    match target.kind.as_str() {
        kinds::ALERTS => {
            alert(&seen, target).map(|held| alert_identity(held.fingerprint, &held.alert.labels))
        }
        kinds::SILENCES => silence_of(&seen, target).map(silence_identity),
        other => Err(ApiError::unsupported(format!("nothing can be done to {other}"))),
    }
}

/// Checks an operation before it is confirmed.
pub(super) async fn preflight(backend: &Alerts, job: &Job) -> Result<Verdict, ApiError> {
    let cluster = backend.cluster()?;
    let seen = cluster.observe(0).await?;
    let verdict = match &*job.op {
        kinds::HUSH => return Ok(hush::preflight(backend, job, &seen)),
        kinds::SILENCE | kinds::ACK => {
            let past = past_of(backend).await;
            silence::preflight(backend, job, &seen, past.as_ref().ok())
        }
        kinds::UNACK => unack::preflight(backend, job, &seen),
        kinds::EXTEND => extend::preflight(backend, job, &seen),
        kinds::EXPIRE => expire::preflight(backend, job, &seen),
        other => Ok(Verdict::refuse("operation", format!("{other} is not known here"))),
    };
    Ok(match verdict {
        Ok(verdict) => with_members(verdict, cluster, &seen),
        Err(why) => Verdict::refuse("target", why.fault.what),
    })
}

/// A member that does not answer will learn of a write by gossip, if at all.
fn with_members(verdict: Verdict, cluster: &Cluster, seen: &Observation) -> Verdict {
    let silent: Vec<&str> = cluster
        .members
        .iter()
        .zip(&seen.members)
        .filter(|(_, said)| said.lists.is_err())
        .map(|(member, _)| &*member.name)
        .collect();
    if silent.is_empty() || verdict.decision == Decision::Refuse {
        return verdict;
    }
    let says = format!("{} does not answer: alerts that only it holds are not counted", silent.join(", "));
    verdict.and(Decision::Warn, Evidence::new("members", says, Tone::Warn))
}

/// Sends an operation exactly once.
pub(super) async fn operate(backend: &Alerts, job: &Job) -> Result<Receipt, SendError> {
    match &*job.op {
        kinds::HUSH => hush::operate(backend, job).await,
        kinds::SILENCE | kinds::ACK => silence::operate(backend, job).await,
        kinds::UNACK => unack::operate(backend, job).await,
        kinds::EXTEND => extend::operate(backend, job).await,
        kinds::EXPIRE => expire::operate(backend, job).await,
        other => Err(not_sent(format!("{other} is not known here"))),
    }
}

/// Reads an operation's effect back from all members; sends nothing.
pub(super) async fn verify(
    backend: &Alerts,
    job: &Job,
    remote: Option<&str>,
    since: Timestamp,
) -> Result<Proof, ApiError> {
    let seen = backend.cluster()?.observe(0).await?;
    let waited = seconds_between(since, backend.now());
    Ok(match &*job.op {
        kinds::SILENCE | kinds::ACK | kinds::HUSH => silence::verify(job, remote, since, waited, &seen),
        kinds::UNACK => unack::verify(job, waited, &seen),
        kinds::EXTEND => extend::verify(job, remote, since, waited, &seen),
        _ => expire::verify(job, waited, &seen),
    })
}

/// The alert of an id, as the members hold it now.
fn alert<'a>(seen: &'a Observation, id: &EntityId) -> Result<&'a Held, ApiError> {
    if id.key.starts_with("prometheus/") {
        return Err(ApiError::unsupported("no Alertmanager holds this alert yet, so none can silence it"));
    }
    seen.alert_named(&id.key).ok_or_else(|| ApiError::unsupported("the alert is no longer firing"))
}

/// The silence of an id, as the members hold it now.
fn silence_of<'a>(seen: &'a Observation, id: &EntityId) -> Result<&'a Silence, ApiError> {
    let gone = || ApiError::unsupported(format!("no member knows a silence {}", id.key));
    seen.silences.get(&*id.key).ok_or_else(gone)
}

/// The form's duration; the error says what is wrong with it.
fn duration(job: &Job, longest: i64, now: Timestamp) -> Result<SignedDuration, String> {
    let text = job.arg("duration");
    // Words such as `until 08:00` are meant in the operator's own zone.
    let duration = parse_said(text, &now.to_zoned(TimeZone::system())).filter(|said| said.as_secs() > 0);
    let duration = duration
        .ok_or_else(|| format!("`{text}` is no duration; write it like 15m, 2 hours or until 08:00"))?;
    if duration.as_secs() > longest {
        return Err(format!("{text} is more than the limit of {}", short(longest)));
    }
    Ok(duration)
}

/// What matchers would have hit within a day, as far as anybody remembers.
fn last_day(matchers: &Matchers, past: Option<&Past>) -> Evidence {
    let Some(past) = past else {
        return Evidence::new("last day", "nobody remembers it", Tone::Unknown);
    };
    let episodes = past.episodes();
    let struck: Vec<_> = episodes.iter().filter(|(one, _)| matchers.match_all(&one.labels)).collect();
    let mut alerts: Vec<u64> = struck.iter().map(|(one, _)| one.fingerprint).collect();
    alerts.sort_unstable();
    alerts.dedup();
    let blind = if past.notes.is_empty() { "" } else { ", not all of it was seen" };
    let says = match (struck.len(), alerts.len()) {
        (0, _) => format!("nothing{blind}"),
        (1, _) => format!("1 episode{blind}"),
        (episodes, alerts) => format!("{episodes} episodes of {alerts} alerts{blind}"),
    };
    Evidence::new("last day", says, Tone::Text)
}

/// What an operation bears on: how many alerts, how bad, and which besides its target.
fn hits(hits: &[&Held], of: usize, own: Option<u64>, scale: &Scale) -> Vec<Evidence> {
    let severity = |held: &&&Held| scale.read(held.alert.labels.get("severity"));
    let critical = hits.iter().filter(|held| severity(held) <= Severity::Major).count();
    let worst = if critical > 0 { format!(", {critical} of them critical") } else { String::new() };
    let says = format!("{} of {of} alerts now{worst}", hits.len());
    let tone = if critical > 0 || hits.len() > 1 { Tone::Warn } else { Tone::Text };
    let mut evidence = vec![Evidence::new("hits", says, tone)];
    let others: Vec<&&Held> = hits.iter().filter(|held| Some(held.fingerprint) != own).collect();
    for held in others.iter().take(5) {
        let labels = &held.alert.labels;
        let says = format!("{} {} {}", labels.get("severity"), name(labels), subject(labels));
        evidence.push(Evidence::new("hit", says.trim().to_owned(), Tone::Text));
    }
    if others.len() > 5 {
        evidence.push(Evidence::new("hit", format!("and {} more", others.len() - 5), Tone::Text));
    }
    evidence
}

/// An instant as Alertmanager is told it: UTC, milliseconds.
fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// The clock of the members, where it differs from ours by more than the network can explain.
fn server_now(now: Timestamp, seen: Option<&Observation>) -> Timestamp {
    let answering = seen.and_then(|seen| seen.members.iter().find(|said| said.lists.is_ok()));
    let ahead = answering.map_or(0, |said| said.ahead);
    if ahead.abs() > 2 { now + SignedDuration::from_secs(ahead) } else { now }
}

fn not_sent(what: impl Into<String>) -> SendError {
    SendError::NotSent(Fault::new(Layer::App, what))
}

/// What is not there yet: lost for good after a while, before that anybody's guess.
fn missing(what: String, waited: i64, complete: bool, look: &str) -> Proof {
    if complete && waited > LOST { Proof::Absent(what) } else { Proof::Unclear(what, look.to_owned()) }
}
