//! Operations: one file per intent, each with its check, its one sending and its reading back.

mod kubeconfig;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Omni;
use super::wire::Role;
use crate::backend::error::{ApiError, SendError};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Field, Job, Verdict};
use crate::model::row::Tone;

/// One operation.
#[async_trait]
pub(super) trait Operation: Send + Sync {
    /// Its full name.
    fn name(&self) -> &'static str;

    /// The role that it needs on the cluster.
    fn role(&self) -> Role {
        Role::Operator
    }

    /// Looks before anything is sent.
    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError>;

    /// Sends it once and follows it to its end.
    async fn operate(&self, omni: &Omni, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError>;

    /// Reads back.
    async fn verify(
        &self,
        omni: &Omni,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError>;

    /// Fills what this server and target offer into the form.
    async fn form(&self, _omni: &Omni, _target: &str, form: Vec<Field>) -> Result<Vec<Field>, ApiError> {
        Ok(form)
    }
}

static OPERATIONS: &[&dyn Operation] = &[&kubeconfig::Kubeconfig];

/// All operations.
pub(super) fn all() -> impl Iterator<Item = &'static dyn Operation> {
    OPERATIONS.iter().copied()
}

/// An operation by its full name.
pub(super) fn named(name: &str) -> Result<&'static dyn Operation, ApiError> {
    all()
        .find(|op| op.name() == name)
        .ok_or_else(|| ApiError::unsupported(format!("Omni has no operation `{name}`")))
}

/// The operation's own check, joined with that of the role.
pub(super) async fn preflight(omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
    let op = named(&job.op)?;
    let verdict = op.preflight(omni, job).await?;
    let role = omni.role(omni.client()?.writer()).await?;
    let needed = op.role();
    if role >= needed {
        return Ok(verdict);
    }
    let name = &omni.client()?.writer().name;
    let says = format!("{name} is {role}; this needs {needed}");
    Ok(verdict.and(Decision::Refuse, Evidence::new("role", says, Tone::Error)))
}
