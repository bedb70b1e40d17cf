//! Cordon and uncordon: whether the scheduler may use a node.

use serde_json::json;

use crate::backend::Proof;
use crate::backend::error::{ApiError, SendError};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;

use super::super::Kubernetes;
use super::super::rows::nodes;
use super::super::wire::Node;
use super::{identity, patch, read, specs};

fn closes(job: &Job) -> bool {
    &*job.op == specs::CORDON
}

pub async fn preflight(backend: &Kubernetes, job: &Job) -> Result<Verdict, ApiError> {
    let node: Node = read(backend, job).await?;
    let closed = node.spec.unschedulable.is_true();
    let effect =
        if closes(job) { "no new pods are scheduled here" } else { "new pods may be scheduled here" };
    let verdict = Verdict::allow(effect, identity(&node.metadata));
    if closed == closes(job) {
        let says = if closed { "it is cordoned already" } else { "it is not cordoned" };
        return Ok(verdict.and(Decision::Refuse, Evidence::new("state", says, Tone::Error)));
    }
    let state = nodes::state(&node);
    Ok(verdict.and(Decision::Allow, Evidence::new("node", state.word, state.health.into())))
}

pub async fn operate(backend: &Kubernetes, job: &Job) -> Result<String, SendError> {
    // Null takes the field away, as uncordoned nodes do not have it.
    let wanted = if closes(job) { json!(true) } else { json!(null) };
    patch(backend, job, json!({"spec": {"unschedulable": wanted}})).await?;
    Ok(if closes(job) { "cordoned" } else { "uncordoned" }.to_owned())
}

pub async fn verify(backend: &Kubernetes, job: &Job) -> Result<Proof, ApiError> {
    let node: Node = read(backend, job).await?;
    let closed = node.spec.unschedulable.is_true();
    let word = if closed { "it is cordoned" } else { "it is not cordoned" };
    Ok(if closed == closes(job) { Proof::Seen(word.to_owned()) } else { Proof::Absent(word.to_owned()) })
}
