//! Letting a silence last longer under the same id: everything but its end is sent back word for word, because any
//! other start or order of matchers would make another silence of it.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::backend::error::{ApiError, SendError};
use crate::backend::{Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};
use crate::model::time::{seconds_between, short};

use super::super::Alerts;
use super::super::client::Alertmanager;
use super::super::cluster::{Change, Observation};
use super::super::rows::silences;
use super::super::wire::Silence;
use super::{duration, hits, missing, not_sent, rfc3339, server_now, silence_of};

const LOOK: &str = "open the silence and look at its end";

/// The new end: so much later than the present one.
fn end(backend: &Alerts, job: &Job, silence: &Silence, now: Timestamp) -> Result<Timestamp, String> {
    let longest = backend.shared.longest;
    let more = more(job, silence.ends_at, longest, now)?;
    let end = silence.ends_at.ok_or("the silence has no end that can be read")?;
    if silence.status.state == "expired" || end <= now {
        return Err("it has already ended; make a new one".to_owned());
    }
    let end = end + more;
    let left = seconds_between(now, end);
    if left > longest {
        return Err(format!("it would last {} from now, the limit is {}", short(left), short(longest)));
    }
    Ok(end)
}

/// How much later; words such as `until 08:00` name the new end itself.
fn more(job: &Job, end: Option<Timestamp>, longest: i64, now: Timestamp) -> Result<SignedDuration, String> {
    let said = duration(job, longest, now)?;
    if !job.arg("duration").trim_start().to_ascii_lowercase().starts_with("until") {
        return Ok(said);
    }
    let more = SignedDuration::from_secs(seconds_between(end.unwrap_or(now), now + said));
    if more.is_positive() { Ok(more) } else { Err("it already lasts longer than that".to_owned()) }
}

pub(super) fn preflight(backend: &Alerts, job: &Job, seen: &Observation) -> Result<Verdict, ApiError> {
    let silence = silence_of(seen, &job.target.id)?;
    let now = server_now(backend.now(), Some(seen));
    let until = match end(backend, job, silence, now) {
        Ok(until) => until,
        Err(why) => return Ok(Verdict::refuse("extend", why)),
    };
    let effect = format!("keeps it until {}, under the same id", until.strftime("%Y-%m-%d %H:%MZ"));
    let mut verdict = Verdict::allow(effect, silences::identity(silence));
    verdict.evidence.push(Evidence::new("matchers", silences::words(silence), Tone::Text));
    match silences::hits(silence, seen) {
        Ok(struck) if struck.is_empty() => {
            let says = "it matches nothing now; expire it instead?";
            verdict = verdict.and(Decision::Warn, Evidence::new("hits", says, Tone::Warn));
        }
        Ok(struck) => verdict.evidence.extend(hits(&struck, seen.alerts.len(), None, &backend.shared.scale)),
        Err(why) => verdict = verdict.and(Decision::Warn, Evidence::new("hits", why, Tone::Unknown)),
    }
    Ok(by_another(verdict, silence, job))
}

/// Says whose silence it is, where it is somebody else's.
pub(super) fn by_another(verdict: Verdict, silence: &Silence, job: &Job) -> Verdict {
    if silence.created_by == *job.operator {
        return verdict;
    }
    let says = format!("made by {}: {}", silence.created_by, silence.comment);
    verdict.and(Decision::Warn, Evidence::new("author", says, Tone::Warn))
}

pub(super) async fn operate(backend: &Alerts, job: &Job) -> Result<Receipt, SendError> {
    let cluster = backend.cluster().map_err(unsent)?;
    let now = server_now(backend.now(), cluster.known().as_deref());
    let id = &*job.target.id.key;
    let (new, member) = cluster.write(&Extend { backend, job, now }).await?;
    let said = if new == id {
        format!("silence {id} extended on {}", member.name)
    } else {
        format!("{} replaced silence {id} by {new}", member.name)
    };
    Ok(Receipt { remote: Some(new), said, reveal: None })
}

/// Not [`SendError::NotSent`]: the next member may not know of the change yet, and must not be asked.
fn refused(why: String) -> SendError {
    SendError::Refused(Fault::new(Layer::App, why))
}

fn unsent(error: ApiError) -> SendError {
    SendError::NotSent(error.fault)
}

/// A later end for a silence, read again just before: the last writer wins, so nobody may have written meanwhile.
struct Extend<'a> {
    backend: &'a Alerts,
    job: &'a Job,
    now: Timestamp,
}

#[async_trait]
impl Change for Extend<'_> {
    async fn send(&self, api: Alertmanager<'_>) -> Result<String, SendError> {
        let Self { backend, job, now } = *self;
        let id = &*job.target.id.key;
        let raw = api.silence(id).await.map_err(unsent)?;
        let raw = raw.ok_or_else(|| not_sent(format!("there is no silence {id}")))?;
        let silence: Silence = serde_json::from_value(raw.clone()).map_err(|e| not_sent(e.to_string()))?;
        let conflicts = job.target.identity.conflicts(&silences::identity(&silence));
        if let Some(conflict) = conflicts.first() {
            return Err(refused(format!(
                "somebody has changed it meanwhile: {} {}",
                conflict.fact, conflict.now
            )));
        }
        let end = end(backend, job, &silence, now).map_err(refused)?;
        api.put_silence(changed(raw, end, job.arg("comment").trim())).await
    }
}

/// The silence as it is sent back: without what only the server says, with the new end and perhaps a new comment.
fn changed(mut silence: Value, end: Timestamp, comment: &str) -> Value {
    if let Some(fields) = silence.as_object_mut() {
        fields.remove("status");
        fields.remove("updatedAt");
        fields.insert("endsAt".to_owned(), Value::from(rfc3339(end)));
        if !comment.is_empty() {
            fields.insert("comment".to_owned(), Value::from(comment));
        }
    }
    silence
}

pub(super) fn verify(
    job: &Job,
    remote: Option<&str>,
    since: Timestamp,
    waited: i64,
    seen: &Observation,
) -> Proof {
    let id = remote.unwrap_or(&job.target.id.key);
    let before: Option<Timestamp> = job.target.identity.get("ends").and_then(|end| end.parse().ok());
    let more = more(job, before, i64::MAX, since).unwrap_or(SignedDuration::ZERO);
    let found = seen.silences.get(id).and_then(|silence| Some((silence, silence.ends_at?)));
    let (Some((silence, end)), Some(before)) = (found, before) else {
        return missing(format!("silence {id} cannot be found"), waited, seen.complete(), LOOK);
    };
    // Alertmanager keeps milliseconds.
    if silence.status.state != "expired" && seconds_between(before + more, end).abs() <= 1 {
        return Proof::Seen(format!("silence {id} ends {}", end.strftime("%Y-%m-%d %H:%MZ")));
    }
    missing(format!("silence {id} still ends {}", end.strftime("%H:%MZ")), waited, seen.complete(), LOOK)
}

#[cfg(test)]
mod tests {
    use crate::model::id::{EntityId, Identity};
    use crate::model::op::{Args, RunId, Target};
    use crate::model::row::Domain;

    use super::super::super::cluster::Said;
    use super::super::super::kinds;
    use super::*;

    #[test]
    fn everything_but_the_end_is_sent_back_word_for_word() {
        let raw = serde_json::json!({
            "id": "x", "status": {"state": "active"}, "updatedAt": "2026-11-22T10:01:06.311Z", "comment": "old",
            "createdBy": "alice", "startsAt": "2026-11-22T11:01:06.311+01:00", "endsAt": "2026-11-22T12:01:06.000Z",
            "matchers": [{"name": "b", "value": "1", "isRegex": true, "isEqual": false}], "annotations": {"k": "v"},
        });
        let sent = changed(raw.clone(), "2026-11-22T13:01:06Z".parse().unwrap(), "");
        assert_eq!(sent["endsAt"], "2026-11-22T13:01:06.000Z");
        for field in ["id", "comment", "createdBy", "startsAt", "matchers", "annotations"] {
            assert_eq!(sent[field], raw[field]);
        }
        assert!(sent.get("status").is_none() && sent.get("updatedAt").is_none());
    }

    #[test]
    fn a_silence_that_was_replaced_is_followed_under_its_new_id() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let now = at("2026-11-22T10:00:00Z");
        let target = Target {
            id: EntityId::new(kinds::SILENCES, "lab", "old"),
            name: "X".into(),
            identity: Identity::new().with("ends", "2026-11-22T11:00:00Z"),
            domain: Domain::Home,
        };
        let args = Args::from([("duration".to_owned(), "1h".to_owned())]);
        let (run, op) = (RunId("r".into()), kinds::EXTEND.into());
        let job = Job { run, op, target, args, reason: None, operator: "alice".into() };
        let mut new = Silence { ends_at: Some(at("2026-11-22T12:00:00Z")), ..Silence::default() };
        new.status.state = "active".into();
        let answers = Said { lists: Ok(()), told: None, ahead: 0 };
        let mut seen = Observation::of_one(now, Vec::new(), answers);
        seen.silences.insert("new".into(), new);
        let found = verify(&job, Some("new"), now, 120, &seen);
        assert!(matches!(&found, Proof::Seen(said) if said.starts_with("silence new ends")), "{found:?}");
        assert!(
            matches!(verify(&job, None, now, 120, &seen), Proof::Absent(_)),
            "under the old id is nothing"
        );
    }
}
