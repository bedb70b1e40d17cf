//! Operations: one file per intent, each with its check, its one sending and its reading back.

mod backup;
mod bundle;
mod ephemeral;
mod kubeconfig;
mod labels;
mod lock;
mod patch;
mod power;
mod scale;
mod talosconfig;
mod upgrade;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Omni;
use super::kinds::{CLUSTERS, MACHINES};
use super::wire::{ClusterPermissions, Role};
use crate::backend::error::{ApiError, SendError};
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Field, Job, Verdict};
use crate::model::row::Tone;

/// One operation.
#[async_trait]
pub(super) trait Operation: Send + Sync {
    /// Its full name.
    fn name(&self) -> &'static str;

    /// The role that it needs.
    fn role(&self) -> Role {
        Role::Operator
    }

    /// The field of `ClusterPermissions` that stands for it, where there is one.
    fn permission(&self) -> Option<&'static str> {
        None
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

static OPERATIONS: &[&dyn Operation] = &[
    &kubeconfig::Kubeconfig,
    &talosconfig::Talosconfig,
    &upgrade::Upgrade::Talos,
    &upgrade::Upgrade::Kubernetes,
    &lock::Lock { set: true },
    &lock::Lock { set: false },
    &power::Power::Reboot,
    &power::Power::On,
    &power::Power::Off,
    &scale::Scale,
    &labels::SetLabels,
    &backup::EtcdBackupNow,
    &bundle::SupportBundle,
    &patch::Patch,
    &ephemeral::Create,
    &ephemeral::Destroy { reap: false },
    &ephemeral::Destroy { reap: true },
];

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
    Ok(match lacks(omni, op, job).await? {
        Some(says) => verdict.and(Decision::Refuse, Evidence::new("role", says, Tone::Error)),
        None => verdict,
    })
}

/// What the account that writes lacks for an operation; an access policy may raise its role on one cluster.
async fn lacks(omni: &Omni, op: &dyn Operation, job: &Job) -> Result<Option<String>, ApiError> {
    let client = omni.client()?;
    let (key, needed) = (client.writer(), op.role());
    let role = omni.role(key).await?;
    if role >= needed {
        return Ok(None);
    }
    let Some(permission) = op.permission() else {
        return Ok(Some(format!("{} is {role}; this needs {needed}", key.name)));
    };
    let permissions = client.get_as::<ClusterPermissions>(cluster_of(job), key).await?;
    let may = permissions.is_some_and(|found| found.spec.0.get(permission) == Some(&true));
    Ok((!may).then(|| format!("{} is {role} and lacks {permission}; this needs {needed}", key.name)))
}

/// The cluster that a job is about.
fn cluster_of(job: &Job) -> &str {
    match job.target.id.kind.as_str() {
        CLUSTERS => &job.target.id.key,
        MACHINES => job.target.identity.get("cluster").unwrap_or_default(),
        _ => "",
    }
}

/// Tells how far it is; nobody has to listen.
async fn step(progress: &ProgressSink, fraction: Option<f32>, note: impl Into<String>) {
    let _ = progress.send(Progress::Step { fraction, note: note.into() }).await;
}
