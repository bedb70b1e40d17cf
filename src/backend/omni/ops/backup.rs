//! Saving etcd now.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Operation, not_yet};
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::Omni;
use crate::backend::omni::edit::{self, Draft};
use crate::backend::omni::rows::clusters::identity;
use crate::backend::omni::wire::{BackupOverall, Cluster, EtcdBackupStatus, ManualBackup, Spec};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::time::{seconds_between, short};

/// `omni.etcd-backup`.
pub(super) struct EtcdBackupNow;

#[async_trait]
impl Operation for EtcdBackupNow {
    fn name(&self) -> &'static str {
        "omni.etcd-backup"
    }

    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
        let (client, name) = (omni.client()?, &*job.target.id.key);
        let Some(cluster) = client.get::<Cluster>(name).await? else {
            return Ok(Verdict::refuse("cluster", format!("{name} does not exist any more")));
        };
        let overall = client.get::<BackupOverall>("etcdbackup-overall-status").await?.map(|found| found.spec);
        let store = overall.unwrap_or_default();
        if matches!(store.configuration_name.as_str(), "" | "disabled")
            || !store.configuration_error.is_empty()
        {
            let why = if store.configuration_error.is_empty() {
                "no backup store is configured"
            } else {
                &store.configuration_error
            };
            return Ok(Verdict::refuse("backup store", why));
        }
        let status = client.get::<EtcdBackupStatus>(name).await?.map(|found| found.spec).unwrap_or_default();
        let last = match status.last_backup_time {
            Some(at) => format!("{} ago", short(seconds_between(at, omni.clock.now()))),
            None => "never".to_owned(),
        };
        let effect = format!("Saves etcd of {name} to {}", store.configuration_name);
        let verdict = Verdict::allow(effect, identity(&cluster.metadata));
        Ok(verdict.and(Decision::Allow, Evidence::new("last backup", last, Tone::Text)))
    }

    async fn operate(&self, omni: &Omni, job: &Job, _progress: ProgressSink) -> Result<Receipt, SendError> {
        let not_sent = |error: ApiError| SendError::NotSent(error.fault);
        let client = omni.client().map_err(not_sent)?;
        let name = &*job.target.id.key;
        let known = edit::fetch(client, ManualBackup::TABLE, name).await.map_err(not_sent)?;
        let exists = known.is_some();
        let mut draft = known.unwrap_or_else(|| Draft::new(ManualBackup::TABLE, name));
        draft.spec().insert("backup_at".to_owned(), omni.clock.now().to_string().into());
        if exists {
            edit::update(client, &draft).await?
        } else {
            edit::create(client, &draft).await?
        };
        Ok(Receipt { said: "asked for".to_owned(), ..Receipt::default() })
    }

    async fn verify(
        &self,
        omni: &Omni,
        job: &Job,
        _: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        let status = omni.client()?.get::<EtcdBackupStatus>(&job.target.id.key).await?;
        let status = status.map(|found| found.spec).unwrap_or_default();
        let after = |at: Option<Timestamp>| at.is_some_and(|at| at.as_second() >= since.as_second());
        let look = format!("vigie get omni.etcdbackups --filter cluster:{}", job.target.name);
        Ok(match status.status {
            1 if after(status.last_backup_time) => {
                Proof::Seen("a backup was made after it was asked for".to_owned())
            }
            2 if after(status.last_backup_attempt) => {
                Proof::Absent(format!("the backup failed: {}", status.error))
            }
            3 => Proof::Unclear("the backup is under way".to_owned(), look),
            _ => not_yet(omni, since, "no backup has been made since".to_owned(), look),
        })
    }
}
