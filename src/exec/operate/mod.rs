//! The only door through which a write leaves, for the console and the command line alike.
//!
//! For one target: lock it, refuse where an earlier run has no known outcome, check again what may have changed since
//! the operator decided, put the decision on the disk, send once, follow, read back, and put the outcome on the disk.
//! Whatever ends in between leaves a line without an outcome behind, which is read back and never sent again.

mod admit;
mod readback;
mod recover;
mod send;

use std::sync::Arc;
use std::time::Duration;

use crate::backend::Backend;
use crate::model::journal::{Entry, Line};
use crate::model::op::{Job, OpSpec, Reveal, RunState};
use crate::model::time::Clock;

use super::call::blocking;
use super::journal::Journal;
use super::locks::{Held, LockError, Locks};

pub use recover::{Recovered, elsewhere, unread};

/// One operation on one target, and who carries it out.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// The instance that carries it out.
    pub backend: &'a dyn Backend,
    /// What is to be done.
    pub op: &'a OpSpec,
    /// On what, by whom and why.
    pub job: &'a Job,
    /// The caller's own key, by which a repetition is refused.
    pub key: Option<&'a str>,
    /// The instances that are asked for what other systems say of it.
    pub around: &'a [Arc<dyn Backend>],
}

/// Told of every state that a run goes through.
pub type Report<'a> = &'a (dyn Fn(RunState) + Send + Sync);

/// How long each step may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// One question before sending or while reading back.
    pub check: Duration,
    /// The server's whole work.
    pub work: Duration,
    /// Until the effect can be seen.
    pub proof: Duration,
    /// Between two looks at the effect.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            check: Duration::from_secs(30),
            work: Duration::from_secs(3600),
            proof: Duration::from_secs(30),
            pause: Duration::from_millis(500),
        }
    }
}

/// The door.
#[derive(Debug, Clone)]
pub struct Door {
    journal: Journal,
    locks: Locks,
    clock: Clock,
    patience: Patience,
}

impl Door {
    /// A door with the journal and the locks of this user.
    pub fn new(journal: Journal, locks: Locks, clock: Clock, patience: Patience) -> Self {
        Self { journal, locks, clock, patience }
    }

    /// The journal that it writes.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Carries one order out, or refuses it before anything is sent; the last state is told and returned.
    pub async fn run(&self, order: Order<'_>, report: Report<'_>) -> RunState {
        let state = match self.admit(order).await {
            Ok(pass) => self.send(order, pass, report).await,
            Err(why) => self.refuse(order, why).await,
        };
        report(state.clone());
        state
    }

    /// Claims a caller's own key for as long as the claim is held; refused where it was used before.
    pub async fn claim(&self, key: &str) -> Result<Held, String> {
        let (locks, journal, key) = (self.locks.clone(), self.journal.clone(), key.to_owned());
        let claimed = blocking(move || {
            let held = locks.take(&format!("key {key}"), &format!("key {key}")).map_err(lock_error)?;
            let used = journal.read()?.has_key(&key);
            Ok((!used).then_some(held).ok_or(key))
        });
        match claimed.await {
            Ok(Ok(held)) => Ok(held),
            Ok(Err(key)) => Err(format!("the key {key} was used before: the journal says what became of it")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A refusal is remembered where it can be; nothing depends on it.
    async fn refuse(&self, order: Order<'_>, why: String) -> RunState {
        let text = format!("{} {}: {why}", order.op.name, order.job.target.id);
        if let Err(error) = self.write(order.job, Entry::Refused { text }).await {
            tracing::warn!(%error, "a refusal could not be journalled");
        }
        RunState::Refused(why)
    }

    /// Puts an outcome on the disk; where that fails, the state says so.
    async fn conclude(&self, job: &Job, state: RunState) -> RunState {
        let entry = match &state {
            RunState::Done { proof, .. } => Entry::Done { text: proof.clone() },
            RunState::Failed(text) => Entry::Failed { text: text.clone() },
            RunState::Refused(text) => Entry::Refused { text: text.clone() },
            RunState::Unknown { text, look } => Entry::Unknown { text: format!("{text}; to look: {look}") },
            RunState::Queued | RunState::Running { .. } | RunState::Verifying => return state,
        };
        match self.write(job, entry).await {
            Ok(()) => state,
            Err(error) => with_remark(state, &format!("; the journal could not be written: {error}")),
        }
    }

    async fn write(&self, job: &Job, entry: Entry) -> std::io::Result<()> {
        let line = Line { at: self.clock.now(), run: job.run.clone(), operator: job.operator.clone(), entry };
        let journal = self.journal.clone();
        blocking(move || journal.append(&line)).await
    }
}

fn lock_error(error: LockError) -> std::io::Error {
    std::io::Error::other(error)
}

fn with_remark(state: RunState, remark: &str) -> RunState {
    match state {
        RunState::Done { proof, reveal } => RunState::Done { proof: proof + remark, reveal },
        RunState::Failed(text) => RunState::Failed(text + remark),
        RunState::Refused(text) => RunState::Refused(text + remark),
        RunState::Unknown { text, look } => RunState::Unknown { text: text + remark, look },
        other => other,
    }
}

/// Takes what is shown once out of a text that is written down.
fn scrubbed(text: String, reveal: Option<&Reveal>) -> String {
    match reveal {
        Some(reveal) if !reveal.secret.is_empty() => text.replace(&reveal.secret, "[redacted]"),
        _ => text,
    }
}

#[cfg(test)]
mod tests;
