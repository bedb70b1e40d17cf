//! Drain: cordon, then evict pod by pod as the budgets allow, until only what stays is left.
//!
//! An eviction that a budget refuses (429) was not carried out and is asked for again later; one whose answer is lost
//! is never sent again before the pod was looked at.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::backend::error::{ApiError, SendError, first_line};
use crate::backend::follow::LOST;
use crate::backend::{Progress, ProgressSink, Proof};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

use super::super::Kubernetes;
use super::super::resource::PODS;
use super::super::rows::quantity;
use super::super::wire::{Node, Pod};
use super::pods::{self, Stays, allowance, budget, has_scratch, is_bare, label, stays};
use super::{identity, patch, read};

/// How long budgets are waited for.
const LIMIT: Duration = Duration::from_secs(1200);

/// How many rounds go between two requests for an eviction that a budget refused.
const ROUNDS: u32 = 5;

/// The pods of a node, sorted by what becomes of them.
struct Sorted {
    leave: Vec<Pod>,
    stay: Vec<(Stays, Pod)>,
}

async fn sorted(backend: &Kubernetes, job: &Job) -> Result<Sorted, ApiError> {
    let (mut leave, mut stay) = (Vec::new(), Vec::new());
    for pod in pods::on_node(&backend.cluster, &job.target.name).await? {
        match stays(&pod) {
            Some(why) => stay.push((why, pod)),
            None => leave.push(pod),
        }
    }
    Ok(Sorted { leave, stay })
}

pub async fn preflight(backend: &Kubernetes, job: &Job) -> Result<Verdict, ApiError> {
    let node: Node = read(backend, job).await?;
    let sorted = sorted(backend, job).await?;
    let effect = format!("cordons it and evicts {} pods; {} stay", sorted.leave.len(), sorted.stay.len());
    let mut verdict = Verdict::allow(effect, identity(&node.metadata));
    let daemons = sorted.stay.iter().filter(|(why, _)| *why == Stays::Daemon).count();
    let says = format!("{} to evict, {daemons} of daemon sets stay", sorted.leave.len());
    verdict = verdict.and(Decision::Allow, Evidence::new("pods", says, Tone::Info));
    verdict = losses(verdict, job, &sorted.leave);
    verdict = protected(backend, verdict, &sorted.leave).await;
    Ok(elsewhere(backend, verdict, job, &sorted.leave).await)
}

/// What the pods lose; each loss has to be agreed to in the form.
fn losses(mut verdict: Verdict, job: &Job, leave: &[Pod]) -> Verdict {
    type Loses = fn(&Pod) -> bool;
    let kinds: [(&str, &str, Loses); 2] =
        [("emptyDir", "lose-scratch", has_scratch), ("bare pods", "lose-bare", is_bare)];
    for (what, field, loses) in kinds {
        let hit: Vec<String> = leave.iter().filter(|pod| loses(pod)).map(label).collect();
        if hit.is_empty() {
            continue;
        }
        let agreed = job.arg(field) == "true";
        let more = if hit.len() > 3 { format!(" and {} more", hit.len() - 3) } else { String::new() };
        let says = format!(
            "{}{more}; {}",
            hit[..hit.len().min(3)].join(", "),
            if agreed { "agreed to" } else { field }
        );
        let (decision, tone) =
            if agreed { (Decision::Warn, Tone::Warn) } else { (Decision::Refuse, Tone::Error) };
        verdict = verdict.and(decision, Evidence::new(what, says, tone));
    }
    verdict
}

/// Budgets that allow nothing now hold the drain up until somebody heals or scales what they protect.
async fn protected(backend: &Kubernetes, mut verdict: Verdict, leave: &[Pod]) -> Verdict {
    let budgets = match pods::budgets(&backend.cluster).await {
        Ok(budgets) => budgets,
        Err(error) => {
            return verdict.and(Decision::Blind, Evidence::new("budgets", error.to_string(), Tone::Unknown));
        }
    };
    let mut named: Vec<&str> = Vec::new();
    for found in leave.iter().filter_map(|pod| budget(pod, &budgets)) {
        if !named.contains(&found.metadata.name.as_str()) && found.status.disruptions_allowed.or_zero() < 1 {
            named.push(&found.metadata.name);
            let says = format!("{}: it will wait", allowance(found));
            verdict = verdict.and(Decision::Warn, Evidence::new("budget", says, Tone::Warn));
        }
    }
    verdict
}

/// Whether anything else can take the pods.
async fn elsewhere(backend: &Kubernetes, verdict: Verdict, job: &Job, leave: &[Pod]) -> Verdict {
    let path = super::super::resource::NODES.list(None);
    let nodes = match super::super::read::<super::super::wire::Page<Node>>(&backend.cluster, &path).await {
        Ok(page) => page.items.0,
        Err(error) => {
            return verdict
                .and(Decision::Blind, Evidence::new("other nodes", error.to_string(), Tone::Unknown));
        }
    };
    let usable = nodes.iter().filter(|node| {
        *node.metadata.name != *job.target.name
            && !node.spec.unschedulable.is_true()
            && super::super::rows::nodes::state(node).word == "Ready"
    });
    let names: Vec<&str> = usable.map(|node| node.metadata.name.as_str()).collect();
    let memory: i64 = leave.iter().map(requested).sum();
    let says = format!("{} to take {} MiB of requests: {}", names.len(), memory >> 20, names.join(", "));
    if names.is_empty() {
        return verdict.and(
            Decision::Refuse,
            Evidence::new("other nodes", "there is none that could take them", Tone::Error),
        );
    }
    verdict.and(Decision::Allow, Evidence::new("other nodes", says, Tone::Info))
}

fn requested(pod: &Pod) -> i64 {
    let memory = |container: &super::super::wire::Container| {
        container.resources.requests.get("memory").and_then(quantity::whole).unwrap_or(0)
    };
    pod.spec.containers.iter().map(memory).sum()
}

/// What is known of the evictions that were asked for.
#[derive(Default)]
struct Round {
    /// Uids whose eviction was accepted, or whose answer was lost.
    asked: Vec<String>,
    /// The budget that holds it up, in the server's words.
    blocked: String,
    number: u32,
}

pub async fn operate(backend: &Kubernetes, job: &Job, progress: &ProgressSink) -> Result<String, SendError> {
    patch(backend, job, json!({"spec": {"unschedulable": true}})).await?;
    let unknown = |error: ApiError| SendError::Unknown(error.fault);
    let end = Instant::now() + LIMIT;
    let first = sorted(backend, job).await.map_err(unknown)?.leave.len();
    let mut round = Round::default();
    let mut failures = 0;
    loop {
        let leave = match sorted(backend, job).await {
            Ok(sorted) => sorted.leave,
            Err(error) if failures + 1 >= LOST => return Err(unknown(error)),
            Err(_) => {
                failures += 1;
                tokio::time::sleep(backend.pace).await;
                continue;
            }
        };
        failures = 0;
        if leave.is_empty() {
            return Ok(format!("cordoned, {first} pods evicted"));
        }
        if Instant::now() >= end {
            let what =
                format!("cordoned, but {} of {first} pods are still there: {}", leave.len(), round.blocked);
            return Err(SendError::Failed(Fault::new(Layer::App, what)));
        }
        if round.number.is_multiple_of(ROUNDS) {
            evict_all(backend, &leave, &mut round).await?;
        }
        round.number += 1;
        report(progress, first, &leave, &round).await;
        tokio::time::sleep(backend.pace).await;
    }
}

async fn report(progress: &ProgressSink, first: usize, leave: &[Pod], round: &Round) {
    let note = if round.blocked.is_empty() {
        format!("{} of {first} pods left", leave.len())
    } else {
        format!("{} of {first} pods left; {}", leave.len(), round.blocked)
    };
    #[allow(clippy::cast_precision_loss)]
    let fraction = Some(1.0 - (leave.len().min(first) as f32) / (first.max(1) as f32));
    // Nobody has to listen for the work to go on.
    let _ = progress.send(Progress::Step { fraction, note }).await;
}

/// Asks for the eviction of every pod that was not asked for yet.
async fn evict_all(backend: &Kubernetes, leave: &[Pod], round: &mut Round) -> Result<(), SendError> {
    round.blocked.clear();
    for pod in leave {
        let uid = pod.metadata.uid.as_str();
        if round.asked.iter().any(|known| known == uid) || pod.metadata.deletion_timestamp.some().is_some() {
            continue;
        }
        match evict(backend, pod).await {
            Ok(()) | Err(SendError::Unknown(_)) => round.asked.push(uid.to_owned()),
            Err(SendError::Refused(fault)) if fault.status == Some(429) => {
                round.blocked = format!("{}: {}", label(pod), first_line(&fault.raw));
            }
            // It went by itself, or another pod has its name now.
            Err(SendError::Refused(fault)) if matches!(fault.status, Some(404 | 409)) => {}
            Err(error) => return Err(SendError::Failed(error.fault().clone())),
        }
    }
    Ok(())
}

async fn evict(backend: &Kubernetes, pod: &Pod) -> Result<(), SendError> {
    let path = PODS.object(&label(pod)).map_err(|error| SendError::NotSent(error.fault))?;
    let body = json!({
        "apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": pod.metadata.name.as_str(), "namespace": pod.metadata.namespace.as_str()},
        "deleteOptions": {"preconditions": {"uid": pod.metadata.uid.as_str()}},
    });
    backend.cluster.create(&format!("{path}/eviction"), &body).await.map(|_| ())
}

pub async fn verify(backend: &Kubernetes, job: &Job) -> Result<Proof, ApiError> {
    let node: Node = read(backend, job).await?;
    if !node.spec.unschedulable.is_true() {
        return Ok(Proof::Absent("it is not even cordoned".to_owned()));
    }
    let leave = sorted(backend, job).await?.leave;
    if leave.is_empty() {
        return Ok(Proof::Seen("it is cordoned and only pods that belong to it are left".to_owned()));
    }
    let ending = leave.iter().filter(|pod| pod.metadata.deletion_timestamp.some().is_some()).count();
    let look = format!("kubectl get pods -A --field-selector spec.nodeName={}", job.target.name);
    let says = format!("it is cordoned; {} pods are left, {ending} of them ending", leave.len());
    Ok(if ending > 0 { Proof::Unclear(says, look) } else { Proof::Absent(says) })
}
