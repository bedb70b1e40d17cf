//! Keeping what was done alive: an acknowledgement is a short silence that the console renews while it runs.
//!
//! Each renewal is a run like any other: checked, journalled, sent once and read back. It stops with the console, and
//! nothing goes on in another process.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::app::msg::Msg;
use crate::backend::{Backend, Upkeep};
use crate::model::op::{Job, RunState};
use crate::model::row::Tone;
use crate::model::time::Clock;

use super::call::within;
use super::executor::{Inner, PATIENCE};
use super::operate::Order;

/// After a question without an answer, or a renewal that did not go through.
const AGAIN: Duration = Duration::from_secs(60);
/// Between two looks at a clock that is moved by hand, and after a renewal.
const LOOK: Duration = Duration::from_millis(200);

impl Inner {
    /// Keeps the effect of a run alive until its backend says that it is over.
    pub async fn keep(&self, backend: &dyn Backend, job: &Job, since: Timestamp) {
        let turn = self.kept().entry(job.target.id.clone()).or_default().clone();
        loop {
            let wait = match within(PATIENCE, backend.upkeep(job, since)).await {
                Ok(Upkeep::Wait(wait)) => wait,
                Ok(Upkeep::Due(next)) => {
                    let _turn = turn.lock().await;
                    self.renew(backend, job, &next).await
                }
                Ok(Upkeep::Over(why)) => {
                    self.kept().remove(&job.target.id);
                    return self.told(Tone::Info, job, &why).await;
                }
                Err(_) => AGAIN,
            };
            self.pause(wait).await;
        }
    }

    async fn renew(&self, backend: &dyn Backend, job: &Job, next: &Job) -> Duration {
        let Some(op) = self.operations.get(&next.op).cloned() else { return AGAIN };
        let order = Order { backend, op: &op, job: next, key: None, around: &[] };
        let state = self.door.run(order, &|_| {}).await;
        self.tell_journal().await;
        match &state {
            RunState::Done { proof, .. } => {
                self.told(Tone::Info, job, &format!("renewed, {proof}")).await;
                LOOK
            }
            other => {
                self.told(Tone::Warn, job, &format!("not renewed, {}: {}", other.word(), other.text())).await;
                AGAIN
            }
        }
    }

    async fn told(&self, tone: Tone, job: &Job, what: &str) {
        let text = format!("{} {}: {what}", job.op, job.target.name);
        self.outbox.send(Msg::Notice { tone, text }).await;
    }

    /// Waits by the console's own clock, which a test may move.
    pub(super) async fn pause(&self, wait: Duration) {
        if !matches!(self.clock, Clock::Manual(_)) {
            return tokio::time::sleep(wait).await;
        }
        let until = self.clock.now() + SignedDuration::try_from(wait).unwrap_or(SignedDuration::ZERO);
        while self.clock.now() < until {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Starts keeping a run's effect alive, where its operation says so and it was proven.
pub fn start(inner: &Arc<Inner>, backend: Arc<dyn Backend>, job: &Job, kept: bool, state: &RunState) {
    if kept && matches!(state, RunState::Done { .. }) {
        let (this, job, since) = (inner.clone(), job.clone(), inner.clock.now());
        inner.clone().spawn(async move { this.keep(&*backend, &job, since).await });
    }
}
