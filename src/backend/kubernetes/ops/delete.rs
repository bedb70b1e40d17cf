//! Deleting one pod or job: gracefully, by uid and version, never by force.

use std::time::Duration;

use serde_json::json;

use crate::backend::error::{ApiError, SendError};
use crate::backend::follow::{Look, until};
use crate::backend::{ProgressSink, Proof};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;

use super::super::Kubernetes;
use super::super::wire::{Object, Pod};
use super::pods::{self, Stays};
use super::{identity, place, read, settled};

/// A graceful end takes up to its grace period, which is seldom more than a few minutes.
const LIMIT: Duration = Duration::from_secs(600);

pub async fn preflight(backend: &Kubernetes, job: &Job) -> Result<Verdict, ApiError> {
    if &*job.op == super::specs::DELETE_JOB {
        let object: Object = read(backend, job).await?;
        return Ok(Verdict::allow("deletes the job and its pods", identity(&object.metadata)));
    }
    let pod: Pod = read(backend, job).await?;
    let mut verdict = Verdict::allow("ends the pod gracefully", identity(&pod.metadata));
    if let Some(owner) = pod.metadata.owner_references.first() {
        let says = format!("{} {} makes another", owner.kind.as_str(), owner.name.as_str());
        verdict = verdict.and(Decision::Allow, Evidence::new("owner", says, Tone::Ok));
    } else {
        let says = "it belongs to no workload: nothing makes it anew";
        verdict = verdict.and(Decision::Warn, Evidence::new("owner", says, Tone::Danger));
    }
    if pods::stays(&pod) == Some(Stays::Mirror) {
        let says = "it is a static pod of the node: deleting it does nothing";
        verdict = verdict.and(Decision::Refuse, Evidence::new("mirror", says, Tone::Error));
    }
    if pod.metadata.deletion_timestamp.some().is_some() {
        let says = "it is ending already; it is never ended by force, as that corrupts what it writes";
        verdict = verdict.and(Decision::Refuse, Evidence::new("state", says, Tone::Error));
    }
    if pods::has_scratch(&pod) {
        verdict =
            verdict.and(Decision::Warn, Evidence::new("emptyDir", "its scratch data is lost", Tone::Warn));
    }
    Ok(verdict)
}

pub async fn operate(backend: &Kubernetes, job: &Job, progress: &ProgressSink) -> Result<String, SendError> {
    let meta = settled(backend, job).await?.metadata;
    let (_, path) = place(job).map_err(|error| SendError::NotSent(error.fault))?;
    let preconditions = json!({"uid": meta.uid.as_str(), "resourceVersion": meta.resource_version.as_str()});
    let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions,
        "propagationPolicy": "Background"});
    backend.cluster.delete(&path, &options).await?;
    until(backend.pace, progress, LIMIT, || async {
        let there = still(backend, job).await?.is_some();
        Ok(if there { Look::Going("ending".to_owned(), None) } else { Look::Done("gone".to_owned()) })
    })
    .await
}

/// The chosen object, while it is there; a new one of the same name does not count.
async fn still(backend: &Kubernetes, job: &Job) -> Result<Option<Object>, ApiError> {
    match read::<Object>(backend, job).await {
        Ok(object) if job.target.identity.conflicts(&identity(&object.metadata)).is_empty() => {
            Ok(Some(object))
        }
        Ok(_) => Ok(None),
        Err(error) if error.fault.status == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

pub async fn verify(backend: &Kubernetes, job: &Job) -> Result<Proof, ApiError> {
    Ok(match still(backend, job).await? {
        None => Proof::Seen("it is gone".to_owned()),
        Some(object) if object.metadata.deletion_timestamp.some().is_some() => {
            Proof::Unclear("it is ending".to_owned(), format!("kubectl get {}", job.target.name))
        }
        Some(_) => Proof::Absent("it is still there and nobody has asked it to end".to_owned()),
    })
}
