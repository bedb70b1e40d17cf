//! Changes of an Application: checked by vigie itself, because a patch of the resource asks no sync window and no
//! running operation for leave; sent as one merge patch under the object's own version; followed; read back.

mod follow;
mod refresh;
mod sync;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::backend::error::{ApiError, SendError};
use crate::backend::kubernetes::client::PatchType;
use crate::backend::kubernetes::rights::{self, Right};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::id::Identity;
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

use super::wire::Application;
use super::{APPLICATIONS, Argo, kinds};

/// The note in an operation that names our run, by which it is known again.
const RUN: &str = "vigie";

/// An application as the server has it now, decoded and raw.
struct Now {
    app: Application,
    raw: Value,
    path: String,
}

impl Now {
    fn identity(&self) -> Identity {
        Identity::new().with("uid", self.app.metadata.uid.shared())
    }
}

/// The application that a job is about.
async fn read(argo: &Argo, job: &Job) -> Result<Now, ApiError> {
    let path = APPLICATIONS.object(&job.target.id.key)?;
    let raw: Value = argo.cluster.get(&path).await?.json()?;
    let app = Application::deserialize_from(&raw)?;
    Ok(Now { app, raw, path })
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
    let now = read(argo, job).await?;
    let verdict = match &*job.op {
        kinds::REFRESH => refresh::preflight(&now),
        kinds::SYNC => sync::preflight(job, &now),
        other => return Err(unknown(other)),
    };
    Ok(permitted(argo, verdict).await)
}

/// Adds whether the credential may patch applications at all.
async fn permitted(argo: &Argo, verdict: Verdict) -> Verdict {
    let right = Right {
        verb: "patch",
        resource: &APPLICATIONS,
        subresource: "",
        namespace: Some(&argo.settings.namespace),
    };
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
        kinds::REFRESH => refresh::operate(argo, job, progress).await,
        kinds::SYNC => sync::operate(argo, job, progress).await,
        other => Err(SendError::NotSent(unknown(other).fault)),
    }
}

/// Reads back what became of a job.
pub async fn verify(argo: &Argo, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
    let now = read(argo, job).await?;
    match &*job.op {
        kinds::REFRESH => Ok(refresh::proof(&now.app, since)),
        kinds::SYNC => Ok(sync::proof(job, &now.app, since)),
        other => Err(unknown(other)),
    }
}

fn unknown(op: &str) -> ApiError {
    ApiError::unsupported(format!("{op} is no operation of Argo CD"))
}

/// Reads the application for the last time before a patch; another one of the same name stops it.
async fn settled(argo: &Argo, job: &Job) -> Result<Now, SendError> {
    let now = read(argo, job).await.map_err(|error| SendError::NotSent(error.fault))?;
    if job.target.identity.conflicts(&now.identity()).is_empty() {
        return Ok(now);
    }
    let what = format!("{} is another application than the one that was chosen", job.target.name);
    Err(SendError::NotSent(Fault::new(Layer::App, what)))
}

/// Sends a merge patch that only holds for the object as it was read: its uid and version are preconditions.
async fn patch(argo: &Argo, now: &Now, mut patch: Value) -> Result<(), SendError> {
    patch["metadata"]["uid"] = json!(now.app.metadata.uid.as_str());
    patch["metadata"]["resourceVersion"] = json!(now.app.metadata.resource_version.as_str());
    argo.cluster.patch(&now.path, PatchType::Merge, &patch).await.map(|_| ())
}
