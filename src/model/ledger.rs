//! The ledger: every run of this console and what became of it.

use jiff::Timestamp;

use super::id::EntityId;
use super::journal::OpenRun;
use super::op::{Job, RunId, RunState};

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct OpRun {
    /// What was decided.
    pub job: Job,
    /// When it was confirmed.
    pub started: Timestamp,
    /// When it last came further.
    pub changed: Timestamp,
    /// Where it stands.
    pub state: RunState,
}

/// All runs, newest last.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    runs: Vec<OpRun>,
    revision: u64,
}

impl Ledger {
    /// Adds a run that waits for its turn.
    pub fn queue(&mut self, job: Job, now: Timestamp) {
        self.runs.push(OpRun { job, started: now, changed: now, state: RunState::Queued });
        self.revision += 1;
    }

    /// Adds a run that an earlier process left without an outcome.
    pub fn recover(&mut self, open: &OpenRun) {
        let Some(job) = open.job() else { return };
        if self.runs.iter().any(|run| run.job.run == job.run) {
            return;
        }
        let state = RunState::Unknown {
            text: "sent by an earlier process, without an outcome".to_owned(),
            look: "it is being read back; nothing is sent again".to_owned(),
        };
        self.runs.push(OpRun { job, started: open.line.at, changed: open.line.at, state });
        self.revision += 1;
    }

    /// Notes that a run came further; an unknown run changes nothing.
    pub fn advance(&mut self, run: &RunId, state: RunState, now: Timestamp) -> Option<&OpRun> {
        let found = self.runs.iter_mut().find(|known| known.job.run == *run)?;
        found.state = state;
        found.changed = now;
        self.revision += 1;
        Some(found)
    }

    /// All runs, oldest first.
    pub fn runs(&self) -> &[OpRun] {
        &self.runs
    }

    /// Counts the changes, so that a view knows when to look again.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Runs that are not over yet.
    pub fn under_way(&self) -> usize {
        self.runs.iter().filter(|run| !run.state.is_final()).count()
    }

    /// Runs of which nobody knows what became of them.
    pub fn unknown(&self) -> usize {
        self.runs.iter().filter(|run| matches!(run.state, RunState::Unknown { .. })).count()
    }

    /// The run that keeps another operation off a target.
    pub fn holding(&self, target: &EntityId) -> Option<&OpRun> {
        self.runs.iter().rev().find(|run| run.job.target.id == *target && run.state.holds_target())
    }
}
