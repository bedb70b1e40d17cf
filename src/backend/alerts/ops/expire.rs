//! Ending a silence before its time.

use async_trait::async_trait;

use crate::backend::error::{ApiError, SendError};
use crate::backend::{Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;

use super::super::Alerts;
use super::super::client::Alertmanager;
use super::super::cluster::{Change, Held, Observation};
use super::super::rows::silences;
use super::super::wire::Silence;
use super::{extend, hits, missing, silence_of};

pub(super) fn preflight(backend: &Alerts, job: &Job, seen: &Observation) -> Result<Verdict, ApiError> {
    let silence = silence_of(seen, &job.target.id)?;
    Ok(ending(backend, job, silence, seen))
}

/// What ending a silence does.
pub(super) fn ending(backend: &Alerts, job: &Job, silence: &Silence, seen: &Observation) -> Verdict {
    if silence.status.state == "expired" {
        return Verdict::refuse("expire", "it has already ended");
    }
    // An alert that another silence keeps quiet too stays quiet.
    let freed =
        |held: &&Held| matches!(held.alert.status.silenced_by.as_slice(), [only] if *only == silence.id);
    let freed: Vec<&Held> = seen.alerts.iter().filter(freed).collect();
    let effect = match freed.len() {
        0 => "ends it now; no alert is told again by that".to_owned(),
        1 => "ends it now; one alert is told again".to_owned(),
        n => format!("ends it now; {n} alerts are told again"),
    };
    let mut verdict = Verdict::allow(effect, silences::identity(silence));
    verdict.evidence.push(Evidence::new("matchers", silences::words(silence), Tone::Text));
    verdict.evidence.extend(hits(&freed, seen.alerts.len(), None, &backend.shared.scale));
    if !freed.is_empty() {
        verdict.decision = verdict.decision.max(Decision::Warn);
    }
    extend::by_another(verdict, silence, job)
}

pub(super) async fn operate(backend: &Alerts, job: &Job) -> Result<Receipt, SendError> {
    expire(backend, &job.target.id.key).await
}

/// Ends a silence on one member.
pub(super) async fn expire(backend: &Alerts, id: &str) -> Result<Receipt, SendError> {
    let cluster = backend.cluster().map_err(|error| SendError::NotSent(error.fault))?;
    let (_, member) = cluster.write(&Expire(id)).await?;
    Ok(Receipt {
        remote: Some(id.to_owned()),
        said: format!("silence {id} expired on {}", member.name),
        reveal: None,
    })
}

/// The end of a silence.
struct Expire<'a>(&'a str);

#[async_trait]
impl Change for Expire<'_> {
    async fn send(&self, api: Alertmanager<'_>) -> Result<String, SendError> {
        api.expire(self.0).await.map(|()| self.0.to_owned())
    }
}

pub(super) fn verify(job: &Job, waited: i64, seen: &Observation) -> Proof {
    expired(&job.target.id.key, waited, seen)
}

/// Whether a silence has ended.
pub(super) fn expired(id: &str, waited: i64, seen: &Observation) -> Proof {
    match seen.silences.get(id).map(|silence| silence.status.state.as_str()) {
        Some("expired") => Proof::Seen(format!("silence {id} has ended")),
        Some(state) => {
            let look = "open the silence and look at its state";
            missing(format!("silence {id} is still {state}"), waited, seen.complete(), look)
        }
        None => Proof::Unclear(format!("no member knows a silence {id}"), "list the silences".to_owned()),
    }
}
