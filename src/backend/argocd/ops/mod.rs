//! Changes of an Application: checked by vigie itself, because a patch of the resource asks no sync window and no
//! running operation for leave; sent as one merge patch under the object's own version; followed; read back.

mod action;
mod autosync;
mod follow;
mod refresh;
mod rollback;
mod sync;
mod terminate;
pub mod waves;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::backend::error::{ApiError, SendError};
use crate::backend::kubernetes::client::PatchType;
use crate::backend::kubernetes::rights;
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::id::Identity;
use crate::model::op::{Decision, Evidence, Field, Job, OpSpec, Target, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

use super::windows::{self, Project};
use super::wire::Application;
use super::{APPLICATIONS, Argo, PROJECTS, kinds};

pub use sync::occupied;

/// The note in an operation that names our run, by which it is known again.
const RUN: &str = "vigie";

/// An application as the server has it now, decoded and raw.
pub struct Held {
    /// What is needed of it.
    pub app: Application,
    raw: Value,
    path: String,
}

impl Held {
    /// What makes it this application and no other.
    pub fn identity(&self) -> Identity {
        Identity::new().with("uid", self.app.metadata.uid.shared())
    }
}

/// The application that a job is about.
async fn read(argo: &Argo, job: &Job) -> Result<Held, ApiError> {
    read_at(argo, &job.target.id.key).await
}

/// An application by its key.
pub async fn read_at(argo: &Argo, key: &str) -> Result<Held, ApiError> {
    let path = APPLICATIONS.object(key)?;
    let raw: Value = argo.cluster.get(&path).await?.json()?;
    let app = Application::deserialize_from(&raw)?;
    Ok(Held { app, raw, path })
}

impl Application {
    /// Reads what is needed out of a whole object.
    fn deserialize_from(raw: &Value) -> Result<Self, ApiError> {
        serde::Deserialize::deserialize(raw)
            .map_err(|error: serde_json::Error| ApiError::new(Layer::App, error.to_string()))
    }
}

/// Checks a job before it is confirmed.
pub async fn preflight(argo: &Argo, job: &Job) -> Result<Verdict, ApiError> {
    if &*job.op == kinds::SYNC_WAVES {
        return Ok(permitted(argo, waves::preflight(argo, job).await?).await);
    }
    let now = read(argo, job).await?;
    let verdict = match &*job.op {
        // Not the cluster's right but argocd-server's, which it tells when it is asked.
        kinds::ACTION => return action::preflight(argo, job, &now).await,
        kinds::REFRESH | kinds::HARD_REFRESH => refresh::preflight(&now),
        kinds::SYNC => windowed(argo, &now, sync::preflight(job, &now)).await,
        kinds::ROLLBACK => windowed(argo, &now, rollback::preflight(job, &now)).await,
        kinds::TERMINATE => terminate::preflight(&now),
        kinds::AUTO_SYNC => autosync::preflight(job, &now),
        other => return Err(unknown(other)),
    };
    Ok(permitted(argo, verdict).await)
}

/// The form of a rollback before the history is known.
pub fn rollback_field() -> Field {
    rollback::field()
}

/// The form of an action before any object was asked.
pub fn action_field() -> Field {
    action::field()
}

/// The form of an operation, with what this application offers.
pub async fn form(argo: &Argo, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
    match (&*op.name, targets) {
        (kinds::ROLLBACK, [target]) => rollback::form(argo, target).await,
        (kinds::ACTION, [target]) => action::form(argo, target, &op.form).await,
        _ => Ok(op.form.clone()),
    }
}

/// Adds whether the project's windows let it through: a closed one would not refuse the operation but hang it.
pub async fn windowed(argo: &Argo, now: &Held, verdict: Verdict) -> Verdict {
    let name = now.app.spec.project.some().unwrap_or("default");
    let path = PROJECTS.object(&format!("{}/{name}", argo.settings.namespace));
    let project = match path {
        Ok(path) => crate::backend::kubernetes::read::<Project>(&argo.cluster, &path).await,
        Err(error) => Err(error),
    };
    match project.map(|project| windows::allows(&project, &now.app, argo.clock.now())) {
        Ok(Ok(())) => verdict,
        Ok(Err(why)) => verdict.and(Decision::Refuse, Evidence::new("window", why, Tone::Error)),
        Err(error) => verdict.and(Decision::Blind, Evidence::new("window", error.to_string(), Tone::Unknown)),
    }
}

/// Adds whether the credential may patch applications at all.
pub async fn permitted(argo: &Argo, verdict: Verdict) -> Verdict {
    let right = argo.patching();
    match rights::has(&argo.cluster, &right).await {
        Ok(true) => verdict,
        Ok(false) => {
            let says = format!("the credential lacks {}", right.name());
            verdict.and(Decision::Refuse, Evidence::new("right", says, Tone::Error))
        }
        Err(error) => verdict.and(Decision::Blind, Evidence::new("right", error.to_string(), Tone::Unknown)),
    }
}

/// Sends a job once and follows it to its end.
pub async fn operate(argo: &Argo, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
    match &*job.op {
        kinds::REFRESH | kinds::HARD_REFRESH => refresh::operate(argo, job, progress).await,
        kinds::SYNC => sync::operate(argo, job, progress).await,
        kinds::ROLLBACK => rollback::operate(argo, job, progress).await,
        kinds::TERMINATE => terminate::operate(argo, job, progress).await,
        kinds::AUTO_SYNC => autosync::operate(argo, job).await,
        kinds::SYNC_WAVES => waves::operate(argo, job, progress).await,
        kinds::ACTION => action::operate(argo, job).await,
        other => Err(SendError::NotSent(unknown(other).fault)),
    }
}

/// Reads back what became of a job.
pub async fn verify(argo: &Argo, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
    match &*job.op {
        kinds::SYNC_WAVES => return waves::proof(argo, job, since).await,
        kinds::ACTION => return action::proof(argo, job, since).await,
        _ => {}
    }
    let now = read(argo, job).await?;
    match &*job.op {
        kinds::REFRESH | kinds::HARD_REFRESH => Ok(refresh::proof(&now.app, since)),
        kinds::SYNC | kinds::ROLLBACK => Ok(sync::proof(job, &now.app, since)),
        kinds::TERMINATE => Ok(terminate::proof(&now.app)),
        kinds::AUTO_SYNC => Ok(autosync::proof(job, &now.app)),
        other => Err(unknown(other)),
    }
}

fn unknown(op: &str) -> ApiError {
    ApiError::unsupported(format!("{op} is no operation of Argo CD"))
}

/// Reads the application for the last time before a patch; another one of the same name stops it.
async fn settled(argo: &Argo, job: &Job) -> Result<Held, SendError> {
    let now = read(argo, job).await.map_err(|error| SendError::NotSent(error.fault))?;
    if job.target.identity.conflicts(&now.identity()).is_empty() {
        return Ok(now);
    }
    let what = format!("{} is another application than the one that was chosen", job.target.name);
    Err(SendError::NotSent(Fault::new(Layer::App, what)))
}

/// Sends a merge patch that only holds for the object as it was read: its uid and version are preconditions.
pub async fn patch(argo: &Argo, now: &Held, mut patch: Value) -> Result<(), SendError> {
    patch["metadata"]["uid"] = json!(now.app.metadata.uid.as_str());
    patch["metadata"]["resourceVersion"] = json!(now.app.metadata.resource_version.as_str());
    argo.cluster.patch(&now.path, PatchType::Merge, &patch).await.map(|_| ())
}
