//! Runs that were sent and have no outcome: read back under their lock, settled where proven, never sent again.

use crate::backend::Backend;
use crate::model::journal::{Entry, OpenRun};
use crate::model::op::{Job, RunState};

use super::super::call::blocking;
use super::super::locks::LockError;
use super::Door;
use super::readback::{Finding, Sent, look_by_hand};

/// The job that an open run's sending line describes.
pub fn job_of(open: &OpenRun) -> Option<Job> {
    let Entry::Sending { op, target, args, reason, .. } = &open.line.entry else { return None };
    Some(Job {
        run: open.line.run.clone(),
        op: op.clone(),
        target: target.clone(),
        args: args.clone(),
        reason: reason.clone(),
        operator: open.line.operator.clone(),
    })
}

/// The state of an open run before anybody has looked.
pub fn unread(open: &OpenRun) -> RunState {
    let look = job_of(open).map(|job| look_by_hand(&job)).unwrap_or_default();
    RunState::Unknown { text: format!("sent at {}, no outcome was written", open.line.at), look }
}

impl Door {
    /// Looks once at an open run; `None` where it is somebody else's: a live process holds it, or has settled it.
    pub async fn recover(&self, backend: &dyn Backend, open: &OpenRun) -> Option<RunState> {
        let job = job_of(open)?;
        let (locks, journal) = (self.locks.clone(), self.journal.clone());
        let (run, target) = (job.run.clone(), job.target.id.clone());
        let held =
            blocking(move || match locks.take(&target.to_string(), &format!("reading back run {run}")) {
                Ok(held) => {
                    Ok(journal.read()?.open_on(&target).is_some_and(|o| o.line.run == run).then_some(held))
                }
                Err(LockError::Held(_)) => Ok(None),
                Err(LockError::Io(error)) => Err(error),
            });
        // Dropped only after the look: nobody may act on the target meanwhile.
        let _held = match held.await {
            Ok(held) => held?,
            Err(error) => {
                return Some(RunState::Unknown { text: error.to_string(), look: look_by_hand(&job) });
            }
        };
        Some(match self.settle_if_proven(backend, open).await {
            Finding::Seen(proof) => RunState::Done { proof, reveal: None },
            Finding::Absent(why) => RunState::Failed(why),
            Finding::Unclear { text, look } => RunState::Unknown { text, look },
        })
    }

    /// Closes an open run by the operator's word, who has looked by hand.
    pub async fn settle(&self, open: &OpenRun, done: bool, word: &str) -> RunState {
        let Some(job) = job_of(open) else { return unread(open) };
        let (locks, target) = (self.locks.clone(), job.target.id.to_string());
        let run = job.run.clone();
        let held = blocking(move || Ok(locks.take(&target, &format!("settling run {run}")))).await;
        // Dropped only after the line is written.
        let _held = match held {
            Ok(Ok(held)) => held,
            Ok(Err(error)) => return RunState::Refused(error.to_string()),
            Err(error) => return RunState::Refused(error.to_string()),
        };
        let text = format!("settled by hand: {word}");
        let state = if done { RunState::Done { proof: text, reveal: None } } else { RunState::Failed(text) };
        self.conclude(&job, state).await
    }

    /// Looks once; a proof closes the run in the journal. The caller holds the target's lock.
    pub(super) async fn settle_if_proven(&self, backend: &dyn Backend, open: &OpenRun) -> Finding {
        let Some(job) = job_of(open) else {
            return Finding::Unclear {
                text: "its sending line is incomplete".to_owned(),
                look: String::new(),
            };
        };
        let sent = Sent { job: &job, remote: open.remote.as_deref(), since: open.line.at };
        let finding = self.read_back(backend, sent, std::time::Duration::ZERO).await;
        match &finding {
            Finding::Seen(proof) => {
                self.conclude(&job, RunState::Done { proof: proof.clone(), reveal: None }).await;
            }
            Finding::Absent(why) => {
                self.conclude(&job, RunState::Failed(why.clone())).await;
            }
            Finding::Unclear { .. } => {}
        }
        finding
    }
}
