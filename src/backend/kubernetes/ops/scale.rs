//! Scale: another number of pods, which Git undoes where Argo CD manages the workload.

use std::time::Duration;

use serde_json::json;

use crate::backend::error::{ApiError, SendError};
use crate::backend::follow::{Look, until};
use crate::backend::{ProgressSink, Proof};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

use super::super::Kubernetes;
use super::super::wire::Workload;
use super::{identity, managed, patch, read};

/// More pods than this are a slip of the finger.
const MOST: i64 = 50;

const LIMIT: Duration = Duration::from_secs(900);

fn wanted(job: &Job) -> Result<i64, String> {
    let text = job.arg("replicas");
    match text.trim().parse::<i64>() {
        Ok(number) if (0..=MOST).contains(&number) => Ok(number),
        _ => Err(format!("`{text}` is no whole number from 0 to {MOST}")),
    }
}

pub async fn preflight(backend: &Kubernetes, job: &Job) -> Result<Verdict, ApiError> {
    let workload: Workload = read(backend, job).await?;
    let wanted = match wanted(job) {
        Ok(wanted) => wanted,
        Err(why) => return Ok(Verdict::refuse("replicas", why)),
    };
    let now = workload.spec.replicas.0.unwrap_or(1);
    let mut verdict = Verdict::allow(format!("changes {now} to {wanted} pods"), identity(&workload.metadata));
    if now == wanted {
        return Ok(
            verdict.and(Decision::Refuse, Evidence::new("replicas", "nothing would change", Tone::Error))
        );
    }
    if wanted == 0 {
        let says = "nobody serves it any more";
        verdict = verdict.and(Decision::Warn, Evidence::new("replicas", says, Tone::Danger));
    }
    Ok(managed(verdict, &workload.metadata))
}

pub async fn operate(backend: &Kubernetes, job: &Job, progress: &ProgressSink) -> Result<String, SendError> {
    let wanted = wanted(job).map_err(|why| SendError::NotSent(Fault::new(Layer::App, why)))?;
    patch(backend, job, json!({"spec": {"replicas": wanted}})).await?;
    until(backend.pace, progress, LIMIT, || async {
        let workload: Workload = read(backend, job).await?;
        Ok(look(&workload, wanted))
    })
    .await
}

fn look(workload: &Workload, wanted: i64) -> Look {
    let status = &workload.status;
    let seen = status.observed_generation.or_zero() >= workload.metadata.generation.or_zero();
    let (all, ready) = (status.replicas.or_zero(), status.ready_replicas.or_zero());
    if seen && all == wanted && ready == wanted {
        Look::Done(format!("{wanted} pods are ready"))
    } else {
        Look::Going(format!("{ready} of {wanted} ready, {all} there"), None)
    }
}

pub async fn verify(backend: &Kubernetes, job: &Job) -> Result<Proof, ApiError> {
    let workload: Workload = read(backend, job).await?;
    let now = workload.spec.replicas.0.unwrap_or(1);
    match wanted(job) {
        Ok(wanted) if wanted == now => Ok(match look(&workload, wanted) {
            Look::Done(said) => Proof::Seen(said),
            Look::Failed(why) => Proof::Absent(why),
            Look::Going(note, _) => Proof::Unclear(note, "kubectl get pods".to_owned()),
        }),
        Ok(_) => Ok(Proof::Absent(format!("it is set to {now}"))),
        Err(why) => Ok(Proof::Absent(why)),
    }
}
