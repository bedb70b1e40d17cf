//! Restart: a mark in the pod template, as `kubectl rollout restart` sets it, followed until the new pods are ready.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::backend::error::{ApiError, SendError};
use crate::backend::follow::{Look, until};
use crate::backend::{ProgressSink, Proof};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;

use super::super::Kubernetes;
use super::super::more;
use super::super::rows::workloads::{self, Counts};
use super::super::wire::Workload;
use super::{identity, patch, read};

/// The annotation that kubectl uses.
const MARK: &str = "kubectl.kubernetes.io/restartedAt";

/// Large roll-outs take their time.
const LIMIT: Duration = Duration::from_secs(1800);

/// How many pods there are and should be.
pub fn counted(job: &Job, workload: &Workload) -> Counts {
    workloads::counts(workload, job.target.id.kind.as_str() == more::DAEMONSETS)
}

pub async fn preflight(backend: &Kubernetes, job: &Job) -> Result<Verdict, ApiError> {
    let workload: Workload = read(backend, job).await?;
    let counts = counted(job, &workload);
    let effect = format!("replaces {} pods, one after the other", counts.wanted);
    let mut verdict = Verdict::allow(effect, identity(&workload.metadata));
    let says = format!("{} of {} ready now", counts.ready, counts.wanted);
    let tone = if counts.ready < counts.wanted { Tone::Warn } else { Tone::Ok };
    verdict = verdict.and(Decision::Allow, Evidence::new("pods", says, tone));
    if counts.wanted == 1 {
        let says = "it has a single pod: with a Recreate strategy or a claim of one node there is a gap";
        verdict = verdict.and(Decision::Warn, Evidence::new("gap", says, Tone::Warn));
    }
    if workload.spec.paused.is_true() {
        let says = "its roll-out is paused: nothing would happen";
        verdict = verdict.and(Decision::Refuse, Evidence::new("paused", says, Tone::Error));
    }
    Ok(verdict)
}

pub async fn operate(backend: &Kubernetes, job: &Job, progress: &ProgressSink) -> Result<String, SendError> {
    let at = backend.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let body = json!({"spec": {"template": {"metadata": {"annotations": {MARK: at}}}}});
    patch(backend, job, body).await?;
    until(backend.pace, progress, LIMIT, || async {
        let workload: Workload = read(backend, job).await?;
        Ok(look(job, &workload))
    })
    .await
}

/// How far a roll-out is.
pub fn look(job: &Job, workload: &Workload) -> Look {
    let counts = counted(job, workload);
    let mut conditions = workload.status.conditions.iter();
    let late = |c: &&super::super::wire::Condition| &*c.about == "Progressing" && &*c.status == "False";
    if let Some(condition) = conditions.find(late) {
        return Look::Failed(format!("the roll-out is stuck: {}", condition.message.as_str()));
    }
    // Until the controller has seen the new generation, its counts are those of the old one.
    let seen = workload.status.observed_generation.or_zero();
    if seen < workload.metadata.generation.or_zero() {
        return Look::Going("waiting for the controller".to_owned(), Some(0.0));
    }
    let rest = workload.status.replicas.or_zero() - counts.updated;
    if counts.updated >= counts.wanted && counts.ready >= counts.wanted && rest <= 0 {
        return Look::Done(format!("{} new pods are ready", counts.wanted));
    }
    let note = format!("{} of {} new, {} ready", counts.updated, counts.wanted, counts.ready);
    #[allow(clippy::cast_precision_loss)]
    let done = (counts.wanted > 0).then(|| counts.updated as f32 / counts.wanted as f32);
    Look::Going(note, done)
}

pub async fn verify(backend: &Kubernetes, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
    let workload: Workload = read(backend, job).await?;
    let marked =
        workload.spec.template.metadata.annotations.get(MARK).and_then(|at| at.parse::<Timestamp>().ok());
    if marked.is_none_or(|at| at.as_second() < since.as_second()) {
        return Ok(Proof::Absent("its pod template carries no newer restart mark".to_owned()));
    }
    let how = || format!("kubectl rollout status of {}", job.target.name);
    Ok(match look(job, &workload) {
        Look::Done(said) => Proof::Seen(said),
        Look::Failed(why) => Proof::Absent(why),
        Look::Going(note, _) => Proof::Unclear(note, how()),
    })
}
