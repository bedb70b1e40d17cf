//! Sending once and following to the end.

use tokio::sync::mpsc;

use crate::backend::error::SendError;
use crate::backend::{Progress, Receipt};
use crate::model::journal::Entry;
use crate::model::op::{Job, RunState};
use crate::model::snapshot::{Fault, Layer};

use super::super::call::guarded;
use super::admit::Pass;
use super::readback::{Finding, Sent};
use super::{Door, Order, Report, scrubbed};

/// What the server has told of a run so far.
struct Course<'a> {
    door: &'a Door,
    job: &'a Job,
    report: Report<'a>,
    remote: Option<String>,
}

impl Door {
    /// Journals, sends, reads back and concludes; the target stays locked until then.
    pub(super) async fn send(&self, order: Order<'_>, pass: Pass, report: Report<'_>) -> RunState {
        let Pass { held, job } = pass;
        let since = self.clock.now();
        if let Err(error) = self.write(&job, sending(order, &job)).await {
            return RunState::Refused(format!("the journal cannot be written, so nothing was sent: {error}"));
        }
        let mut course = Course { door: self, job: &job, report, remote: None };
        let sent = course.follow(order).await;
        let remote = sent.as_ref().ok().and_then(|receipt| receipt.remote.clone()).or(course.remote);
        let state = match sent {
            Ok(receipt) => {
                report(RunState::Verifying);
                let sent = Sent { job: &job, remote: remote.as_deref(), since };
                self.prove(order, sent, receipt).await
            }
            Err(error) => {
                self.failed(order, Sent { job: &job, remote: remote.as_deref(), since }, error).await
            }
        };
        let state = self.conclude(&job, state).await;
        drop(held);
        state
    }

    /// The server says done; only the effect proves it.
    async fn prove(&self, order: Order<'_>, sent: Sent<'_>, receipt: Receipt) -> RunState {
        let said = if receipt.said.is_empty() { "it was accepted".to_owned() } else { receipt.said };
        let reveal = receipt.reveal;
        match self.read_back(order.backend, sent, self.patience.proof).await {
            Finding::Seen(proof) => RunState::Done { proof: scrubbed(proof, reveal.as_ref()), reveal },
            Finding::Absent(why) => {
                RunState::Failed(scrubbed(format!("{said}, but read back: {why}"), reveal.as_ref()))
            }
            Finding::Unclear { text, look } => RunState::Unknown {
                text: scrubbed(format!("{said}, but {text}"), reveal.as_ref()),
                look: scrubbed(look, reveal.as_ref()),
            },
        }
    }

    async fn failed(&self, order: Order<'_>, sent: Sent<'_>, error: SendError) -> RunState {
        match error {
            SendError::NotSent(fault) => RunState::Refused(told(&fault)),
            SendError::Refused(fault) => RunState::Failed(format!("refused by the server: {}", told(&fault))),
            SendError::Failed(fault) => RunState::Failed(told(&fault)),
            SendError::Unknown(fault) => self.in_doubt(order, sent, &fault).await,
        }
    }

    /// It may have been done: never sent again, but one look may settle it.
    async fn in_doubt(&self, order: Order<'_>, sent: Sent<'_>, fault: &Fault) -> RunState {
        let doubt = told(fault);
        // On the disk before the look, which can take its time.
        let unknown =
            RunState::Unknown { text: doubt.clone(), look: super::readback::look_by_hand(sent.job) };
        self.conclude(sent.job, unknown).await;
        match self.read_back(order.backend, sent, std::time::Duration::ZERO).await {
            Finding::Seen(proof) => RunState::Done { proof, reveal: None },
            Finding::Absent(why) => RunState::Failed(format!("{doubt}; read back: {why}")),
            Finding::Unclear { text, look } => RunState::Unknown { text: format!("{doubt}; {text}"), look },
        }
    }
}

impl Course<'_> {
    /// Sends, and follows what the server tells until its work has ended.
    async fn follow(&mut self, order: Order<'_>) -> Result<Receipt, SendError> {
        self.tell(None, "sent");
        let (sink, mut progress) = mpsc::channel(16);
        let work = guarded(order.backend.operate(self.job, sink));
        let work = tokio::time::timeout(self.door.patience.work, work);
        let mut work = std::pin::pin!(work);
        let end = loop {
            tokio::select! {
                biased;
                Some(step) = progress.recv() => self.step(step).await,
                end = &mut work => break end,
            }
        };
        while let Ok(step) = progress.try_recv() {
            self.step(step).await;
        }
        match end {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => Err(SendError::Unknown(panic)),
            Err(_) => Err(SendError::Unknown(Fault::new(Layer::App, "the server's work does not end"))),
        }
    }

    async fn step(&mut self, step: Progress) {
        match step {
            Progress::Step { fraction, note } => self.tell(fraction, &note),
            Progress::Accepted(remote) => {
                self.remote = Some(remote.clone());
                if let Err(error) = self.door.write(self.job, Entry::Accepted { remote }).await {
                    tracing::warn!(%error, run = %self.job.run, "an accepted run could not be journalled");
                }
                self.tell(None, "accepted");
            }
        }
    }

    fn tell(&self, fraction: Option<f32>, note: &str) {
        let remote = self.remote.clone();
        (self.report)(RunState::Running { remote, fraction, note: note.to_owned() });
    }
}

fn sending(order: Order<'_>, job: &Job) -> Entry {
    Entry::Sending {
        op: job.op.clone(),
        target: job.target.clone(),
        args: job.args.clone(),
        reason: job.reason.clone(),
        key: order.key.map(str::to_owned),
    }
}

fn told(fault: &Fault) -> String {
    if fault.hint.is_empty() { fault.to_string() } else { format!("{fault}; {}", fault.hint) }
}
