//! What may be done: specifications, the check before sending, the sending itself, and the read-back.

mod observe;
mod power;

use jiff::Timestamp;

use crate::backend::error::{ApiError, SendError};
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::op::{Job, OpSpec, Verdict};
use crate::model::snapshot::{Fault, Layer};

use super::follow::{Ended, no_task};
use super::rights::{Need, Permissions};
use super::upid::{End, Upid};
use super::{ID, Proxmox};

use power::Power;

/// All operations in the order in which they are offered.
pub fn all() -> Vec<OpSpec> {
    power::specs()
}

/// The privileges of each operation.
fn needs() -> Vec<(&'static str, Vec<Need>)> {
    power::needs()
}

/// The operations that the token may do nowhere, with the missing privilege.
pub fn missing(permissions: &Permissions) -> std::collections::BTreeMap<String, String> {
    let lacking = |needs: &[Need]| {
        let mut lacking =
            needs.iter().filter(|need| !permissions.allows_somewhere(need.below, need.privilege));
        lacking.next().map(|need| format!("{} on {}", need.privilege, need.below))
    };
    let named = |(op, needs): (&str, Vec<Need>)| Some((format!("{ID}.{op}"), lacking(&needs)?));
    needs().into_iter().filter_map(named).collect()
}

impl Proxmox {
    /// The check before sending.
    pub(super) async fn judge(&self, job: &Job) -> Result<Verdict, ApiError> {
        match short(job) {
            op if Power::named(op).is_some() => self.judge_power(job).await,
            op => Err(unknown(op)),
        }
    }

    /// Sends the operation once and follows it to its end.
    pub(super) async fn carry_out(&self, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
        match short(job) {
            op if Power::named(op).is_some() => self.send_power(job, progress).await,
            op => Err(SendError::NotSent(unknown(op).fault)),
        }
    }

    /// Reads back whether the effect is there.
    pub(super) async fn read_back(
        &self,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        match short(job) {
            op if Power::named(op).is_some() => self.verify_power(job, remote, since).await,
            op => Err(unknown(op)),
        }
    }

    /// Takes a task on and follows it; what its end means is the operation's to say.
    async fn await_task(&self, said: &str, progress: &ProgressSink) -> Result<(Upid, Ended), SendError> {
        let Some(upid) = Upid::parse(said) else { return Err(SendError::Unknown(no_task(said).fault)) };
        let _ = progress.send(Progress::Accepted(upid.raw.clone())).await;
        match self.follow(&upid, progress).await {
            Ok(ended) => Ok((upid, ended)),
            Err(error) => Err(SendError::Unknown(Fault {
                hint: format!("the server took it on as {upid}; look at its log before repeating it"),
                ..error.fault
            })),
        }
    }
}

/// The operation's name without the backend.
fn short(job: &Job) -> &str {
    job.op.strip_prefix("proxmox.").unwrap_or(&job.op)
}

fn unknown(op: &str) -> ApiError {
    ApiError::unsupported(format!("proxmox has no operation `{op}`"))
}

/// What a finished task means where only success counts.
fn settled(upid: &Upid, ended: Ended) -> Result<Receipt, SendError> {
    let remote = Some(upid.raw.clone());
    match ended.end {
        End::Ok => Ok(Receipt { remote, said: "OK".to_owned(), reveal: None }),
        End::Warnings(count) => {
            Ok(Receipt { remote, said: format!("done, with {count} warnings: see its log"), reveal: None })
        }
        End::Lost => {
            let fault = Fault::new(Layer::App, "the task was killed or its host went down")
                .hint("look at the guest: a lock may have stayed");
            Err(SendError::Unknown(fault))
        }
        End::Error(text) => {
            let hint = cure(&text, &ended.tail);
            Err(SendError::Failed(Fault::new(Layer::App, text.clone()).raw(text).hint(hint)))
        }
    }
}

/// What to do about the failures that Proxmox words in its own way.
fn cure(text: &str, tail: &[String]) -> &'static str {
    let anywhere = |part: &str| text.contains(part) || tail.iter().any(|line| line.contains(part));
    if anywhere("Cannot allocate memory") {
        "the host had no memory left for it: shut another guest down first"
    } else if anywhere("already in use by VMID") || anywhere("reserved for use by VMID") {
        "another guest holds the device: shut that one down first"
    } else if anywhere("could not find a free device") {
        "all devices of the mapping are taken"
    } else if text.contains("VM is locked") || text.contains("CT is locked") {
        "wait for the task that locked it; a stale lock is removed on the host with `qm unlock` or `pct unlock`"
    } else if text.contains("can't lock file") {
        "another task works on this guest: wait for its end"
    } else if text.contains("powerdown failed") {
        "the guest did not shut down in time and still runs; a hard stop is an operation of its own"
    } else if text.contains("not most recent snapshot") {
        "ZFS rolls back to the newest snapshot only: delete the newer ones first"
    } else {
        ""
    }
}
