//! What the operator has asked for: forms, checks, operations, notes.

use std::sync::Arc;
use std::time::Duration;

use crate::app::known;
use crate::app::msg::{DraftId, Msg};
use crate::backend::Backend;
use crate::model::id::{EntityId, Identity};
use crate::model::journal::{Entry, Line, OpenRun};
use crate::model::op::{Field, Job, OpSpec, RunId, RunState, Target, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

use super::call::{blocking, within};
use super::executor::{Executor, Inner, PATIENCE};
use super::keep;
use super::operate::{self, Order, Recovered};

/// Between two looks at a run without an outcome; the last one is repeated.
const LOOKS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(300),
];

impl Executor {
    /// Carries jobs out one after the other; what is under way is not given up when everything else stops.
    pub(super) fn operate(&self, jobs: Vec<Job>) {
        for job in &jobs {
            self.0.outbox.run(&job.run, RunState::Queued);
        }
        let inner = self.0.clone();
        tokio::spawn(async move {
            for (at, job) in jobs.iter().enumerate() {
                let mut done = false;
                inner.watched(async { done = inner.clone().operate(job).await }).await;
                if done && at + 1 < jobs.len() {
                    inner.let_it_settle(job).await;
                }
            }
        });
    }
}

impl Inner {
    pub async fn form(&self, draft: DraftId, op: &str, instance: &str, targets: &[Target]) {
        let body = self.fields(op, instance, targets).await;
        self.outbox.send(Msg::Form { draft, body }).await;
    }

    async fn fields(&self, op: &str, instance: &str, targets: &[Target]) -> Result<Vec<Field>, Fault> {
        let op = self.spec(op)?;
        if known::is_line(&op.name) {
            return Ok(op.form.clone());
        }
        let backend = self.backend(op.backend(), instance)?;
        within(PATIENCE, backend.form(&op, targets)).await
    }

    pub async fn preflight(&self, draft: DraftId, job: Job) {
        // The semaphore is never closed; were it, one check too many does no harm.
        let _permit = self.checks.acquire().await;
        let body = match self.carrier(&job) {
            // The journal's own lines need nobody's leave.
            _ if known::is_line(&job.op) => Ok(Verdict::allow(
                self.spec(&job.op).map_or_else(|_| String::new(), |op| op.doc.to_string()),
                Identity::new(),
            )),
            Ok(backend) => within(PATIENCE, backend.preflight(&job)).await,
            Err(fault) => Err(fault),
        };
        self.outbox.send(Msg::Verdict { draft, target: job.target.id, body }).await;
    }

    /// Carries one job out; whether its effect is proven.
    async fn operate(self: Arc<Self>, job: &Job) -> bool {
        let found = self.spec(&job.op).and_then(|op| Ok((op, self.carrier(job)?)));
        let (op, backend) = match found {
            Ok(found) => found,
            Err(fault) => {
                self.outbox.run(&job.run, RunState::Refused(fault.to_string()));
                return false;
            }
        };
        // What ends an acknowledgement must not pass a renewal of it that is on its way.
        let turn = self.kept().get(&job.target.id).cloned();
        let _turn = match &turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        let around = self.backends();
        let order = Order { backend: &*backend, op: &op, job, key: None, around: &around };
        let state = self.door.run(order, &|state| self.outbox.run(&job.run, state)).await;
        self.look_at(&job.target.id);
        keep::start(&self, backend.clone(), job, op.kept, &state);
        self.tell_journal().await;
        if matches!(state, RunState::Unknown { .. })
            && let Some(open) = self.open_run(&job.target.id).await
        {
            let this = self.clone();
            self.clone().spawn(async move { this.chase(&*backend, &open).await });
        }
        matches!(state, RunState::Done { .. })
    }

    /// Waits as long as what a job brought up, or down, needs before the next one may follow.
    async fn let_it_settle(&self, job: &Job) {
        if let Ok(backend) = self.carrier(job) {
            self.pause(backend.pause_after(job)).await;
        }
    }

    /// Looks at a run without an outcome until it has one.
    pub async fn chase(&self, backend: &dyn Backend, open: &OpenRun) {
        let mut told = None;
        let mut tell = |state: RunState| {
            if told.as_ref() != Some(&state) {
                self.outbox.run(&open.line.run, state.clone());
                told = Some(state);
            }
        };
        for pause in LOOKS.into_iter().chain(std::iter::repeat(LOOKS[LOOKS.len() - 1])) {
            tokio::time::sleep(pause).await;
            match self.door.recover(backend, open).await {
                Recovered::Elsewhere => tell(operate::elsewhere(open)),
                Recovered::Open(state) => tell(state),
                Recovered::Closed(state) => {
                    tell(state);
                    if let Some(job) = open.job() {
                        self.look_at(&job.target.id);
                    }
                    return;
                }
            }
        }
    }

    /// Writes a line of the operator's own, and tells the journal anew.
    pub async fn record(&self, entry: Entry) {
        let line = Line { at: self.clock.now(), run: new_run(), operator: self.operator.clone(), entry };
        let journal = self.door.journal().clone();
        match blocking(move || journal.append(&line)).await {
            Ok(()) => self.tell_journal().await,
            Err(error) => {
                let text = format!("the journal was not written: {error}");
                self.outbox.send(Msg::Notice { tone: Tone::Error, text }).await;
            }
        }
    }

    /// Asks for the rows of what was just acted on.
    fn look_at(&self, id: &EntityId) {
        self.schedule().want(std::slice::from_ref(&id.kind));
        self.due.notify_one();
    }

    async fn open_run(&self, target: &EntityId) -> Option<OpenRun> {
        let (journal, target) = (self.door.journal().clone(), target.clone());
        blocking(move || Ok(journal.read()?.open_on(&target))).await.ok().flatten()
    }

    fn carrier(&self, job: &Job) -> Result<Arc<dyn Backend>, Fault> {
        let op = self.spec(&job.op)?;
        self.backend(op.backend(), &job.target.id.instance)
    }

    fn spec(&self, op: &str) -> Result<Arc<OpSpec>, Fault> {
        let known = self.operations.get(op).cloned();
        known.ok_or_else(|| Fault::new(Layer::Config, format!("there is no operation {op}")))
    }
}

/// A run id that nobody has used before.
pub fn new_run() -> RunId {
    RunId(uuid::Uuid::new_v4().to_string().into())
}
