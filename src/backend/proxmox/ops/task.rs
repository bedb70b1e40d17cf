//! Stopping a task.

use reqwest::Method;

use crate::backend::error::ApiError;
use crate::backend::proxmox::Proxmox;
use crate::backend::proxmox::client::Fields;
use crate::backend::proxmox::follow::path;
use crate::backend::proxmox::kinds::TASKS;
use crate::backend::proxmox::rows;
use crate::backend::proxmox::upid::Upid;
use crate::model::id::Identity;
use crate::model::op::{Decision, Evidence, Job, OpSpec, Tier, Verdict};
use crate::model::row::Tone;

use super::observe::{judged, refuse, right};
use super::{Effect, Request};

pub(super) fn spec() -> OpSpec {
    OpSpec::on(
        TASKS,
        "proxmox.stop-task",
        "stop",
        Tier::T2,
        "Breaks off a running task; a lock or half a disk may stay.",
    )
    .right("Sys.Modify for the tasks of others")
    .warn_if_blind()
}

fn upid(job: &Job) -> Result<Upid, ApiError> {
    let wrong = || ApiError::unsupported(format!("`{}` is no task", job.target.id.key));
    Upid::parse(&job.target.id.key).filter(|_| job.target.id.kind.as_str() == TASKS).ok_or_else(wrong)
}

pub(super) fn request(job: &Job) -> Result<Request, ApiError> {
    Ok(Request { method: Method::DELETE, path: path(&upid(job)?), fields: Fields::new() })
}

impl Proxmox {
    pub(super) async fn judge_stop_task(&self, job: &Job) -> Result<Verdict, ApiError> {
        let upid = upid(job)?;
        let (status, permissions) = tokio::join!(self.task_status(&upid), self.permissions());
        let (status, permissions) = (status?, permissions?);
        let mut findings = Vec::new();
        if status.status.as_deref() == Some("stopped") {
            findings.push(refuse("state", "it has ended already"));
        }
        let ours = upid.user.split('!').next() == Some(&self.owner.user);
        if !ours {
            findings.extend(right(&permissions, "Sys.Modify", &format!("/nodes/{}", upid.node)));
        }
        let says = match upid.kind.as_str() {
            "qmshutdown" | "vzshutdown" => "the guest has been asked already: it may go down all the same",
            "vzdump" => "the backup is thrown away; a lock may stay",
            "qmigrate" | "vzmigrate" | "qmclone" | "vzclone" => "half-made disks and a lock may stay",
            _ => "a lock may stay",
        };
        findings.push((Decision::Warn, Evidence::new("after", says, Tone::Warn)));
        let what = rows::task_title(&upid.kind);
        let effect = format!("breaks off {what} {} of {} on {}", upid.id, upid.user, upid.node);
        Ok(judged(effect, Identity::new().with("task", upid.raw), findings))
    }

    pub(super) async fn stop_task_effect(&self, job: &Job) -> Result<Effect, ApiError> {
        let status = self.task_status(&upid(job)?).await?;
        let stopped = status.status.as_deref() == Some("stopped");
        let words = match status.exitstatus {
            Some(exit) if stopped => format!("it has ended: {exit}"),
            _ if stopped => "it has ended".to_owned(),
            _ => "it still runs".to_owned(),
        };
        Ok(Effect::new(stopped, words))
    }
}
