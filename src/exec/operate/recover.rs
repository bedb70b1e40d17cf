//! Runs that were sent and have no outcome: read back under their lock, settled where proven, never sent again.

use crate::backend::Backend;
use crate::model::journal::OpenRun;
use crate::model::op::RunState;

use super::super::call::blocking;
use super::super::locks::LockError;
use super::Door;
use super::readback::{Finding, Sent, look_by_hand};

/// What became of a run that had no outcome.
#[derive(Debug, Clone, PartialEq)]
pub enum Recovered {
    /// A live process holds its target.
    Elsewhere,
    /// Its outcome is known now.
    Closed(RunState),
    /// It still has none.
    Open(RunState),
}

/// The state of an open run before anybody has looked.
pub fn unread(open: &OpenRun) -> RunState {
    let look = open.job().map(|job| look_by_hand(&job)).unwrap_or_default();
    RunState::Unknown { text: format!("sent at {}, no outcome was written", open.line.at), look }
}

/// The state of an open run that another process holds.
pub fn elsewhere(open: &OpenRun) -> RunState {
    let note = "another process is at it".to_owned();
    RunState::Running { remote: open.remote.clone(), fraction: None, note }
}

impl Door {
    /// Looks once at an open run, unless somebody else does or already has.
    pub async fn recover(&self, backend: &dyn Backend, open: &OpenRun) -> Recovered {
        let Some(job) = open.job() else { return Recovered::Open(unread(open)) };
        let (locks, journal) = (self.locks.clone(), self.journal.clone());
        let (run, target) = (job.run.clone(), job.target.id.clone());
        let claim =
            blocking(move || match locks.take(&target.to_string(), &format!("reading back run {run}")) {
                Ok(held) => Ok(Some((held, journal.read()?.outcome(&run)))),
                Err(LockError::Held(_)) => Ok(None),
                Err(LockError::Io(error)) => Err(error),
            });
        // Dropped only after the look: nobody may act on the target meanwhile.
        let _held = match claim.await {
            Ok(None) => return Recovered::Elsewhere,
            Ok(Some((_, Some(outcome)))) => return Recovered::Closed(outcome),
            Ok(Some((held, None))) => held,
            Err(error) => {
                let look = look_by_hand(&job);
                return Recovered::Open(RunState::Unknown { text: error.to_string(), look });
            }
        };
        match self.settle_if_proven(backend, open).await {
            Finding::Seen(proof) => Recovered::Closed(RunState::Done { proof, reveal: None }),
            Finding::Absent(why) => Recovered::Closed(RunState::Failed(why)),
            Finding::Unclear { text, look } => Recovered::Open(RunState::Unknown { text, look }),
        }
    }

    /// Closes an open run by the operator's word, who has looked by hand.
    pub async fn settle(&self, open: &OpenRun, done: bool, word: &str) -> RunState {
        let Some(job) = open.job() else { return unread(open) };
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
        let Some(job) = open.job() else {
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
