//! Locks: of a machine, whose updates then wait, and of a cluster, which then refuses all changes.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Operation;
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::Omni;
use crate::backend::omni::edit;
use crate::backend::omni::kinds::CLUSTERS;
use crate::backend::omni::wire::{Cluster, MachineSetNode, Metadata, PREFIX, Spec, Table};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Job, Verdict};

/// `omni.lock` and `omni.unlock`.
pub(super) struct Lock {
    /// Whether it is set or removed.
    pub set: bool,
}

/// The fact that holds the version of the resource that carries the lock.
const VERSION: &str = "lock version";

/// Where the lock of a target is, and what the annotation is called.
fn place(job: &Job) -> (Table, &'static str) {
    if job.target.id.kind.as_str() == CLUSTERS {
        (Cluster::TABLE, "cluster-locked")
    } else {
        (MachineSetNode::TABLE, "locked")
    }
}

async fn metadata(omni: &Omni, job: &Job) -> Result<Option<Metadata>, ApiError> {
    let (client, id) = (omni.client()?, &job.target.id.key);
    if job.target.id.kind.as_str() == CLUSTERS {
        return Ok(client.get::<Cluster>(id).await?.map(|found| found.metadata));
    }
    Ok(client.get::<MachineSetNode>(id).await?.map(|found| found.metadata))
}

#[async_trait]
impl Operation for Lock {
    fn name(&self) -> &'static str {
        if self.set { "omni.lock" } else { "omni.unlock" }
    }

    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
        let name = &job.target.name;
        let Some(meta) = metadata(omni, job).await? else {
            return Ok(Verdict::refuse("machine", format!("{name} belongs to no cluster")));
        };
        let locked = meta.annotation(place(job).1).is_some();
        if locked == self.set {
            let word = if locked { "locked already" } else { "not locked" };
            return Ok(Verdict::refuse("lock", format!("{name} is {word}")));
        }
        if self.set && meta.label("role-controlplane").is_some() {
            return Ok(Verdict::refuse("role", "Omni does not lock control planes"));
        }
        let effect = match (self.set, job.target.id.kind.as_str() == CLUSTERS) {
            (true, true) => format!("Omni refuses every change of {name} until it is unlocked"),
            (true, false) => format!("Updates of {name} wait until it is unlocked"),
            (false, true) => format!("Omni takes changes of {name} again"),
            (false, false) => format!("Updates of {name} that waited are carried out at once"),
        };
        Ok(Verdict::allow(effect, job.target.identity.clone().with(VERSION, meta.version.to_string())))
    }

    async fn operate(&self, omni: &Omni, job: &Job, _progress: ProgressSink) -> Result<Receipt, SendError> {
        let client = omni.client().map_err(|error| SendError::NotSent(error.fault))?;
        let (table, annotation) = place(job);
        let mut draft = edit::checkout(client, table, &job.target.id.key, job, VERSION).await?;
        let key = format!("{PREFIX}{annotation}");
        if self.set {
            draft.annotations().insert(key, "".into());
        } else {
            draft.annotations().remove(&key);
            draft.annotations().remove(&format!("{PREFIX}cluster-import-is-in-progress"));
        }
        edit::update(client, &draft).await?;
        Ok(Receipt { said: "accepted".to_owned(), ..Receipt::default() })
    }

    async fn verify(&self, omni: &Omni, job: &Job, _: Option<&str>, _: Timestamp) -> Result<Proof, ApiError> {
        let Some(meta) = metadata(omni, job).await? else {
            return Ok(Proof::Absent(format!("{} is gone", job.target.name)));
        };
        let locked = meta.annotation(place(job).1).is_some();
        let word = if locked { "locked" } else { "not locked" };
        let text = format!("{} is {word}, version {}", job.target.name, meta.version);
        Ok(if locked == self.set { Proof::Seen(text) } else { Proof::Absent(text) })
    }
}
