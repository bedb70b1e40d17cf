//! What may be done: specifications, the check before sending, the sending itself, and the read-back.
//!
//! One file per intent says what is special about it; what all have in common is here.

mod backup;
mod clone;
mod edit;
mod migrate;
mod observe;
mod power;
mod proof;
mod snapshot;
mod task;
mod wake;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;

use crate::backend::error::{ApiError, SendError};
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::op::{Field, Job, OpSpec, Target, Verdict};
use crate::model::snapshot::{Fault, Layer};

use super::client::Fields;
use super::follow::{Ended, no_task};
use super::rights::{Need, Permissions};
use super::startup::Startup;
use super::upid::{End, Upid};
use super::{ID, Proxmox};

use backup::Backup;
use edit::Edit;
use power::Power;
use proof::{Effect, Fate, failed, proven, settled};
use snapshot::Snapshot;

pub(super) use snapshot::with_snapshot;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intent {
    Power(Power),
    Snapshot(Snapshot),
    Backup(Backup),
    Clone,
    Migrate,
    Edit(Edit),
    StopTask,
    Wake,
}

impl Intent {
    fn of(job: &Job) -> Result<Self, ApiError> {
        let op = job.op.strip_prefix("proxmox.").unwrap_or(&job.op);
        let found = Power::named(op)
            .map(Self::Power)
            .or_else(|| Snapshot::named(op).map(Self::Snapshot))
            .or_else(|| Backup::named(op).map(Self::Backup))
            .or_else(|| Edit::named(op).map(Self::Edit));
        found
            .or(match op {
                "clone" => Some(Self::Clone),
                "migrate" => Some(Self::Migrate),
                "stop-task" => Some(Self::StopTask),
                "wake" => Some(Self::Wake),
                _ => None,
            })
            .ok_or_else(|| ApiError::unsupported(format!("proxmox has no operation `{op}`")))
    }

    /// The types of the tasks that it makes; none where it is done at once.
    fn tasks(self) -> &'static [&'static str] {
        match self {
            Self::Power(power) => power.tasks(),
            Self::Snapshot(snapshot) => snapshot.tasks(),
            Self::Backup(Backup::Make) => &["vzdump"],
            Self::Clone => &["qmclone", "vzclone"],
            Self::Migrate => &["qmigrate", "vzmigrate", "hamigrate"],
            Self::Backup(_) | Self::Edit(_) | Self::StopTask | Self::Wake => &[],
        }
    }

    /// How long the server gives it.
    fn limit(self, job: &Job, startup: Startup) -> Option<Duration> {
        if let Self::Power(power) = self { power.limit(job, startup) } else { None }
    }

    /// Whether a failure means that somebody else was faster, and the wish is fulfilled.
    fn fulfilled(self, failure: &str) -> bool {
        self == Self::Power(Power::Start) && failure.contains("already running")
    }
}

/// All operations in the order in which they are offered.
pub fn all() -> Vec<OpSpec> {
    let mut specs = power::specs();
    specs.extend(snapshot::specs());
    specs.extend(backup::specs());
    specs.extend([clone::spec(), migrate::spec()]);
    specs.extend(edit::specs());
    specs.extend([task::spec(), wake::spec()]);
    specs
}

/// The privileges of each operation.
fn needs() -> Vec<(&'static str, Vec<Need>)> {
    let mut needs = power::needs();
    needs.extend(snapshot::needs());
    needs.extend(backup::needs());
    needs.extend([clone::needs(), migrate::needs()]);
    needs.extend(edit::needs());
    needs
}

/// The operations that the token may do nowhere, with the missing privilege.
pub fn missing(permissions: &Permissions) -> BTreeMap<String, String> {
    let lacking = |needs: &[Need]| {
        let mut lacking =
            needs.iter().filter(|need| !permissions.allows_somewhere(need.below, need.privilege));
        lacking.next().map(|need| format!("{} on {}", need.privilege, need.below))
    };
    let named = |(op, needs): (&str, Vec<Need>)| Some((format!("{ID}.{op}"), lacking(&needs)?));
    needs().into_iter().filter_map(named).collect()
}

/// A change as it is sent.
#[derive(Debug, Clone, PartialEq)]
struct Request {
    method: Method,
    path: String,
    fields: Fields,
}

impl Request {
    fn post(path: String, fields: Fields) -> Self {
        Self { method: Method::POST, path, fields }
    }
}

impl Proxmox {
    /// The check before sending.
    pub(super) async fn judge(&self, job: &Job) -> Result<Verdict, ApiError> {
        match Intent::of(job)? {
            Intent::Power(power) => self.judge_power(power, job).await,
            Intent::Snapshot(step) => self.judge_snapshot(step, job).await,
            Intent::Backup(step) => self.judge_backup(step, job).await,
            Intent::Clone => self.judge_clone(job).await,
            Intent::Migrate => self.judge_migrate(job).await,
            Intent::Edit(edit) => self.judge_edit(edit, job).await,
            Intent::StopTask => self.judge_stop_task(job).await,
            Intent::Wake => self.judge_wake(job).await,
        }
    }

    /// The form with what this server offers.
    pub(super) async fn fill_form(&self, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
        let Some(target) = targets.first() else { return Ok(op.form.clone()) };
        match op.name.as_ref() {
            "proxmox.backup" => self.backup_form(op, target).await,
            "proxmox.clone" => self.clone_form(op, target).await,
            "proxmox.migrate" => self.migrate_form(op, target).await,
            "proxmox.set-tags" | "proxmox.set-description" => self.edit_form(op, target).await,
            _ => Ok(op.form.clone()),
        }
    }

    async fn request(&self, intent: Intent, job: &Job) -> Result<Request, ApiError> {
        match intent {
            Intent::Power(power) => self.power_request(power, job).await,
            Intent::Snapshot(step) => snapshot::request(step, job),
            Intent::Backup(step) => backup::request(step, job),
            Intent::Clone => clone::request(job),
            Intent::Migrate => self.migrate_request(job).await,
            Intent::Edit(edit) => self.edit_request(edit, job).await,
            Intent::StopTask => task::request(job),
            Intent::Wake => Err(ApiError::unsupported("nothing is sent to a server that is off")),
        }
    }

    /// Sends the operation once and follows it to its end.
    pub(super) async fn carry_out(&self, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
        let not_sent = |error: ApiError| SendError::NotSent(error.fault);
        let intent = Intent::of(job).map_err(not_sent)?;
        if intent == Intent::Wake {
            return self.send_wake(job).await;
        }
        let Request { method, path, fields } = self.request(intent, job).await.map_err(not_sent)?;
        let said = self.client.send(method, &path, &fields).await?;
        if intent.tasks().is_empty() {
            return Ok(Receipt { remote: None, said: "accepted".to_owned(), reveal: None });
        }
        if said == "OK" {
            let fault = Fault::new(Layer::App, "the server found nothing to do on this node");
            return Err(SendError::Refused(fault));
        }
        let (upid, ended) = self.await_task(&said, intent.limit(job, self.startup_of(job)), progress).await?;
        match &ended.end {
            End::Error(text) if intent.fulfilled(text) => {
                Ok(Receipt { remote: Some(upid.raw), said: text.clone(), reveal: None })
            }
            _ => settled(&upid, ended),
        }
    }

    /// The target's place among other guests, as the last check saw it.
    fn startup_of(&self, job: &Job) -> Startup {
        let guest = observe::any_guest_of(&job.target.id).ok();
        guest.map_or_else(Startup::default, |key| self.memory().startup(key.vmid))
    }

    /// How long the next of several targets waits after this one.
    pub(super) fn breath(&self, job: &Job) -> Duration {
        match Intent::of(job) {
            Ok(Intent::Power(power)) => power.pause_after(self.startup_of(job)),
            _ => Duration::ZERO,
        }
    }

    /// Takes a task on and follows it; what its end means is the operation's to say.
    async fn await_task(
        &self,
        said: &str,
        limit: Option<Duration>,
        progress: &ProgressSink,
    ) -> Result<(Upid, Ended), SendError> {
        let Some(upid) = Upid::parse(said) else { return Err(SendError::Unknown(no_task(said).fault)) };
        let _ = progress.send(Progress::Accepted(upid.raw.clone())).await;
        match self.follow(&upid, limit, progress).await {
            Ok(ended) => Ok((upid, ended)),
            Err(error) => Err(SendError::Unknown(Fault {
                hint: format!("the server took it on as {upid}; look at its log before repeating it"),
                ..error.fault
            })),
        }
    }

    /// Looks once whether the effect is there; the caller looks again while it is unclear.
    pub(super) async fn read_back(
        &self,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        let intent = Intent::of(job)?;
        let fate = self.fate(intent, job, remote, since).await?;
        match &fate {
            Fate::Running(upid) => {
                let look = format!("open the log of {upid}");
                return Ok(Proof::Unclear("its task still runs".to_owned(), look));
            }
            Fate::Ended(End::Error(text)) if !intent.fulfilled(text) => {
                return Ok(Proof::Absent(failed(text)));
            }
            Fate::Ended(_) | Fate::NoTask => {}
        }
        let effect = match intent {
            Intent::Power(power) => self.power_effect(power, job).await?,
            Intent::Snapshot(step) => self.snapshot_effect(step, job).await?,
            Intent::Backup(step) => self.backup_effect(step, job, since).await?,
            Intent::Clone => self.clone_effect(job).await?,
            Intent::Migrate => self.migrate_effect(job).await?,
            Intent::Edit(edit) => self.edit_effect(edit, job).await?,
            Intent::StopTask => self.stop_task_effect(job).await?,
            Intent::Wake => return Ok(self.awake().await),
        };
        let age = self.clock.now().as_second() - since.as_second();
        // What is done at once is either there or not.
        let told = if intent.tasks().is_empty() { "" } else { ", and no task of ours is listed" };
        Ok(proven(&fate, effect, age, told))
    }

    async fn fate(
        &self,
        intent: Intent,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Fate, ApiError> {
        if intent.tasks().is_empty() {
            return Ok(Fate::NoTask);
        }
        let key = observe::any_guest_of(&job.target.id)?;
        let upid = if let Some(upid) = remote.and_then(Upid::parse) {
            Some(upid)
        } else {
            let node = match observe::frozen_node(job) {
                Ok(node) => node.to_owned(),
                Err(_) => self.locate(key).await?.0,
            };
            self.adopt(&node, intent.tasks(), &key.vmid.to_string(), since.as_second()).await?
        };
        let Some(upid) = upid else { return Ok(Fate::NoTask) };
        let exit = self.task_status(&upid).await?.exitstatus;
        Ok(exit.map_or(Fate::Running(upid), |exit| Fate::Ended(End::parse(&exit))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_tier_a_sentence_and_an_intent() {
        for spec in all() {
            assert!(spec.doc.ends_with('.') && spec.tier >= crate::model::op::Tier::T1, "{}", spec.name);
            let job = Job {
                run: crate::model::op::RunId("r".into()),
                op: spec.name.as_ref().into(),
                target: Target {
                    id: crate::model::id::EntityId::new("proxmox.guests", "pve", "qemu/1"),
                    name: "a".into(),
                    identity: crate::model::id::Identity::new(),
                    domain: crate::model::row::Domain::Home,
                },
                args: BTreeMap::new(),
                reason: None,
                operator: "admin1".into(),
            };
            assert!(Intent::of(&job).is_ok(), "{}", spec.name);
        }
    }
}
