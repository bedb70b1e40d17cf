//! Giving an alert back: the one silence that acknowledges it is ended.

use crate::backend::error::{ApiError, SendError};
use crate::backend::{Proof, Receipt};
use crate::model::op::{Evidence, Job, Verdict};
use crate::model::row::Tone;

use super::super::Alerts;
use super::super::ack::ACK;
use super::super::cluster::{Held, Observation};
use super::super::rows::alerts::identity;
use super::super::wire::Silence;
use super::{alert, expire, not_sent};

/// The fact in which the silence is frozen.
const FROZEN: &str = "ack";

/// The only acknowledgement of an alert; the error says why there is not exactly one.
fn the_one<'s>(held: &Held, seen: &'s Observation) -> Result<&'s Silence, String> {
    let silences = held.alert.status.silenced_by.iter().filter_map(|id| seen.silences.get(id));
    let acks: Vec<&Silence> = silences.filter(|silence| silence.comment.starts_with(ACK)).collect();
    match acks.as_slice() {
        [] => Err("nobody has acknowledged it".to_owned()),
        [one] => Ok(one),
        many => {
            let ids: Vec<&str> = many.iter().map(|silence| silence.id.as_str()).collect();
            Err(format!("several acknowledge it; expire the one that is meant: {}", ids.join(", ")))
        }
    }
}

pub(super) fn preflight(backend: &Alerts, job: &Job, seen: &Observation) -> Result<Verdict, ApiError> {
    let held = alert(seen, &job.target.id)?;
    let silence = match the_one(held, seen) {
        Ok(silence) => silence,
        Err(why) => return Ok(Verdict::refuse("give back", why)),
    };
    let mut verdict = expire::ending(backend, job, silence, seen);
    verdict.evidence.insert(0, Evidence::new("comment", silence.comment.clone(), Tone::Text));
    verdict.identity = identity(held.fingerprint, &held.alert.labels).with(FROZEN, silence.id.as_str());
    Ok(verdict)
}

pub(super) async fn operate(backend: &Alerts, job: &Job) -> Result<Receipt, SendError> {
    let id = job.target.identity.get(FROZEN);
    expire::expire(backend, id.ok_or_else(|| not_sent("the acknowledgement was not looked up"))?).await
}

pub(super) fn verify(job: &Job, waited: i64, seen: &Observation) -> Proof {
    match job.target.identity.get(FROZEN) {
        Some(id) => expire::expired(id, waited, seen),
        None => Proof::Absent("the acknowledgement was not looked up".to_owned()),
    }
}
