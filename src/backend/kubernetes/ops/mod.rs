//! Changes of a cluster: right, state and consequences are checked first, then one request goes out under the object's
//! uid and version, is followed, and read back.

mod cordon;
mod delete;
mod drain;
mod pods;
mod restart;
mod scale;
mod specs;

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::backend::error::{ApiError, SendError};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::id::Identity;
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

use super::client::PatchType;
use super::resource::{DEPLOYMENTS, JOBS, NODES, PODS, Resource};
use super::rights::{self, Right};
use super::wire::{Meta, Object};
use super::{Kubernetes, catalog};

pub use specs::operations;

/// The rights that the operations need, over all namespaces.
pub fn rights() -> Vec<(&'static str, Right<'static>)> {
    let right = |verb, resource, subresource| Right { verb, resource, subresource, namespace: None };
    vec![
        (specs::DELETE_POD, right("delete", &PODS, "")),
        (specs::DELETE_JOB, right("delete", &JOBS, "")),
        (specs::RESTART, right("patch", &DEPLOYMENTS, "")),
        (specs::SCALE, right("patch", &DEPLOYMENTS, "")),
        (specs::CORDON, right("patch", &NODES, "")),
        (specs::UNCORDON, right("patch", &NODES, "")),
        (specs::DRAIN, right("create", &PODS, "eviction")),
    ]
}

/// Checks a job before it is confirmed.
pub async fn preflight(backend: &Kubernetes, job: &Job) -> Result<Verdict, ApiError> {
    let verdict = match &*job.op {
        specs::DELETE_POD | specs::DELETE_JOB => delete::preflight(backend, job).await?,
        specs::RESTART => restart::preflight(backend, job).await?,
        specs::SCALE => scale::preflight(backend, job).await?,
        specs::CORDON | specs::UNCORDON => cordon::preflight(backend, job).await?,
        specs::DRAIN => drain::preflight(backend, job).await?,
        other => return Err(unknown(other)),
    };
    Ok(permitted(backend, job, verdict).await)
}

/// Sends a job once and follows it to its end.
pub async fn operate(backend: &Kubernetes, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
    let said = match &*job.op {
        specs::DELETE_POD | specs::DELETE_JOB => delete::operate(backend, job, progress).await?,
        specs::RESTART => restart::operate(backend, job, progress).await?,
        specs::SCALE => scale::operate(backend, job, progress).await?,
        specs::CORDON | specs::UNCORDON => cordon::operate(backend, job).await?,
        specs::DRAIN => drain::operate(backend, job, progress).await?,
        other => return Err(SendError::NotSent(unknown(other).fault)),
    };
    Ok(Receipt { remote: None, said, reveal: None })
}

/// Reads back what became of a job.
pub async fn verify(backend: &Kubernetes, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
    match &*job.op {
        specs::DELETE_POD | specs::DELETE_JOB => delete::verify(backend, job).await,
        specs::RESTART => restart::verify(backend, job, since).await,
        specs::SCALE => scale::verify(backend, job).await,
        specs::CORDON | specs::UNCORDON => cordon::verify(backend, job).await,
        specs::DRAIN => drain::verify(backend, job).await,
        other => Err(unknown(other)),
    }
}

fn unknown(op: &str) -> ApiError {
    ApiError::unsupported(format!("{op} is no operation of a cluster"))
}

/// The resource of a job's target and the target's path.
fn place(job: &Job) -> Result<(&'static Resource, String), ApiError> {
    let resource = catalog::of(&job.target.id.kind)?.resource;
    Ok((resource, resource.object(&job.target.id.key)?))
}

/// Reads the target.
async fn read<T: for<'a> Deserialize<'a>>(backend: &Kubernetes, job: &Job) -> Result<T, ApiError> {
    super::read(&backend.cluster, &place(job)?.1).await
}

fn identity(meta: &Meta) -> Identity {
    Identity::new().with("uid", meta.uid.shared())
}

/// Adds whether the credential has the right that the job needs, in the target's namespace.
async fn permitted(backend: &Kubernetes, job: &Job, verdict: Verdict) -> Verdict {
    let wanted = rights().into_iter().find(|(op, _)| *op == &*job.op).map(|(_, right)| right);
    let (Some(right), Ok((resource, _))) = (wanted, place(job)) else { return verdict };
    let resource = if right.subresource.is_empty() { resource } else { right.resource };
    let namespace = resource.split(&job.target.id.key).ok().and_then(|(namespace, _)| namespace);
    let right = Right { resource, namespace, ..right };
    match rights::has(&backend.cluster, &right).await {
        Ok(true) => verdict,
        Ok(false) => {
            let says = format!("the credential lacks {}", right.name());
            verdict.and(Decision::Refuse, Evidence::new("right", says, Tone::Error))
        }
        Err(error) => verdict.and(Decision::Blind, Evidence::new("right", error.to_string(), Tone::Unknown)),
    }
}

/// Says which application would undo the change, where one manages the object.
fn managed(verdict: Verdict, meta: &Meta) -> Verdict {
    let app = meta
        .annotations
        .get("argocd.argoproj.io/tracking-id")
        .and_then(|tracking| tracking.split(':').next())
        .or_else(|| meta.labels.get("argocd.argoproj.io/instance"));
    match app {
        Some(app) => {
            let says = format!("Argo CD's application {app} manages it: with self-heal, Git undoes this");
            verdict.and(Decision::Warn, Evidence::new("Git", says, Tone::Warn))
        }
        None => verdict,
    }
}

/// Reads the target's metadata for the last time before a write; another object of the same name stops it.
async fn settled(backend: &Kubernetes, job: &Job) -> Result<Object, SendError> {
    let object: Object = read(backend, job).await.map_err(|error| SendError::NotSent(error.fault))?;
    if job.target.identity.conflicts(&identity(&object.metadata)).is_empty() {
        return Ok(object);
    }
    let what = format!("{} is another object than the one that was chosen", job.target.name);
    Err(SendError::NotSent(Fault::new(Layer::App, what)))
}

/// Sends a merge patch that only holds for the object as it was just read.
async fn patch(backend: &Kubernetes, job: &Job, mut change: Value) -> Result<(), SendError> {
    let meta = settled(backend, job).await?.metadata;
    change["metadata"]["uid"] = json!(meta.uid.as_str());
    change["metadata"]["resourceVersion"] = json!(meta.resource_version.as_str());
    let (_, path) = place(job).map_err(|error| SendError::NotSent(error.fault))?;
    backend.cluster.patch(&path, PatchType::Merge, &change).await.map(|_| ())
}
