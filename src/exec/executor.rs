//! The executor: takes effects from the machine and sends back what came of them.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::app::effect::Effect;
use crate::app::msg::{Msg, ViewId};
use crate::backend::Backend;
use crate::config::Refresh;
use crate::model::id::EntityId;
use crate::model::journal::Entry;
use crate::model::op::Operations;
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};
use crate::model::time::Clock;

use super::call::guarded;
use super::clock::Ticker;
use super::connect::Connector;
use super::inbox::{Inbox, Outbox, inbox};
use super::operate::Door;
use super::schedule::Schedule;
use super::state::LastState;

/// How many checks before sending run at a time.
const CHECKS: usize = 4;
/// How long leaving waits for the disk.
const LAST_WORDS: Duration = Duration::from_millis(60);
/// How long a question for a view, a form or a check may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What an executor works with.
#[derive(Debug)]
pub struct Parts {
    /// The instant that answers and journal lines are stamped with.
    pub clock: Clock,
    /// How often sources are asked.
    pub refresh: Refresh,
    /// The seed of the schedule's jitter.
    pub seed: u64,
    /// All operations, those of the backends and vigie's own.
    pub operations: Operations,
    /// The door for writes.
    pub door: Door,
    /// Who acts, as the journal names them.
    pub operator: Arc<str>,
    /// What the next start shows first.
    pub last: LastState,
}

/// Carries effects out; cheap to clone, and all clones are the same.
#[derive(Clone)]
pub struct Executor(pub(super) Arc<Inner>);

/// Taken by whoever sends something about a target that is kept alive.
pub(super) type Turn = Arc<tokio::sync::Mutex<()>>;

pub(super) struct Inner {
    pub clock: Clock,
    pub ticker: Ticker,
    pub operations: Operations,
    pub door: Door,
    pub operator: Arc<str>,
    pub outbox: Outbox,
    pub due: Notify,
    pub checks: Semaphore,
    pub last: LastState,
    /// Held while what was seen is written.
    pub writing: Arc<Semaphore>,
    backends: Mutex<Vec<Arc<dyn Backend>>>,
    armed: AtomicBool,
    schedule: Mutex<Schedule>,
    /// Targets whose state is kept alive, each with the turn that a renewal and an operation take.
    kept: Mutex<HashMap<EntityId, Turn>>,
    views: Mutex<HashMap<ViewId, CancellationToken>>,
    stop: CancellationToken,
}

impl Executor {
    /// An executor that does nothing yet, and the inbox that it fills.
    pub fn new(parts: Parts) -> (Self, Inbox) {
        let (outbox, inbox) = inbox();
        let inner = Inner {
            ticker: Ticker::new(parts.clock.clone()),
            clock: parts.clock,
            operations: parts.operations,
            door: parts.door,
            operator: parts.operator,
            outbox,
            due: Notify::new(),
            checks: Semaphore::new(CHECKS),
            last: parts.last,
            writing: Arc::new(Semaphore::new(1)),
            backends: Mutex::default(),
            armed: AtomicBool::new(false),
            schedule: Mutex::new(Schedule::new(parts.refresh, parts.seed)),
            kept: Mutex::default(),
            views: Mutex::default(),
            stop: CancellationToken::new(),
        };
        (Self(Arc::new(inner)), inbox)
    }

    /// Reads the journal, connects aside and asks every source from then on; must be called inside a tokio runtime.
    pub fn start(&self, connectors: Vec<Connector>) {
        let inner = self.0.clone();
        self.spawn(async move { inner.ask_what_is_due().await });
        let inner = self.0.clone();
        self.spawn(async move { inner.connect(connectors).await });
    }

    /// Whether an effect is the terminal's to carry out, not the executor's.
    pub fn is_for_terminal(effect: &Effect) -> bool {
        matches!(
            effect,
            Effect::Copy { .. }
                | Effect::Child(_)
                | Effect::Suspend
                | Effect::Redraw
                | Effect::Bell
                | Effect::Notify(_)
                | Effect::Quit(_)
        )
    }

    /// Carries an effect out without waiting for it; those of the terminal are passed over.
    pub fn carry_out(&self, effect: Effect) {
        let inner = self.0.clone();
        match effect {
            Effect::Attend { focused, visible } => self.plan(|schedule| schedule.attend(focused, visible)),
            Effect::Refresh(kinds) => self.plan(|schedule| schedule.want(&kinds)),
            Effect::Pause(paused) => self.plan(|schedule| schedule.pause(paused)),
            Effect::Arm(armed) => inner.arm(armed),
            Effect::Open { view, id, name, after } => {
                let token = inner.opened(view);
                let work = async move { inner.stream(view, id, name, Duration::from_millis(after)).await };
                self.spawn(async move { token.run_until_cancelled(work).await.unwrap_or_default() });
            }
            Effect::Shut(view) => inner.shut(view),
            Effect::Link(id) => self.spawn(async move { inner.link(&id).await }),
            Effect::Terminal(id) => self.spawn(async move { inner.terminal(&id).await }),
            Effect::Save { path, text, what } => {
                self.spawn(async move { inner.save(path, text, &what).await });
            }
            Effect::Form { draft, op, instance, targets } => {
                self.spawn(async move { inner.form(draft, &op, &instance, &targets).await });
            }
            Effect::Preflight { draft, jobs } => {
                for job in jobs {
                    let inner = inner.clone();
                    self.spawn(async move { inner.preflight(draft, job).await });
                }
            }
            Effect::Operate(jobs) => self.operate(jobs),
            Effect::Note { about, text } => {
                self.spawn(async move { inner.record(Entry::Note { about, text }).await });
            }
            Effect::Record(entry) => self.spawn(async move { inner.record(entry).await }),
            Effect::Remember(memories) => inner.remember(memories),
            terminal => tracing::debug!(?terminal, "not for the executor"),
        }
    }

    /// Looks at the clock again; for whoever moves a manual clock.
    pub fn nudge(&self) {
        self.0.due.notify_one();
    }

    /// Waits a moment until what was seen is on the disk.
    pub async fn settle(&self) {
        let _ = tokio::time::timeout(LAST_WORDS, self.0.writing.acquire()).await;
    }

    /// Gives up everything under way but what was sent to a server.
    pub fn stop(&self) {
        self.0.stop.cancel();
    }

    fn plan(&self, change: impl FnOnce(&mut Schedule)) {
        change(&mut self.0.schedule());
        self.0.due.notify_one();
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.clone().spawn(work);
    }
}

impl Inner {
    /// Runs a task until it ends or everything stops; its panic becomes a notice.
    pub fn spawn(self: Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(async move {
            let stop = self.stop.clone();
            stop.run_until_cancelled(self.watched(work)).await;
        });
    }

    pub async fn watched(&self, work: impl Future<Output = ()>) {
        if let Err(fault) = guarded(work).await {
            self.outbox.send(Msg::Notice { tone: Tone::Error, text: fault.to_string() }).await;
        }
    }

    pub fn schedule(&self) -> MutexGuard<'_, Schedule> {
        locked(&self.schedule)
    }

    pub fn kept(&self) -> MutexGuard<'_, HashMap<EntityId, Turn>> {
        locked(&self.kept)
    }

    pub fn views(&self) -> MutexGuard<'_, HashMap<ViewId, CancellationToken>> {
        locked(&self.views)
    }

    pub fn add_backends(&self, backends: &[Arc<dyn Backend>]) {
        let mut known = locked(&self.backends);
        let armed = self.armed.load(Ordering::SeqCst);
        for backend in backends {
            backend.arm(armed);
        }
        known.extend(backends.iter().cloned());
    }

    /// Tells every instance; those whose rights depend on it are asked for them again.
    fn arm(self: Arc<Self>, armed: bool) {
        let known = locked(&self.backends);
        self.armed.store(armed, Ordering::SeqCst);
        for backend in known.iter().filter(|backend| backend.arm(armed)) {
            let (this, backend) = (self.clone(), backend.clone());
            self.clone().spawn(async move { this.learn_rights(&*backend).await });
        }
    }

    /// Every instance that is connected.
    pub fn backends(&self) -> Vec<Arc<dyn Backend>> {
        locked(&self.backends).clone()
    }

    /// The instance of a backend, once it is connected.
    pub fn backend(&self, id: &str, instance: &str) -> Result<Arc<dyn Backend>, Fault> {
        let backends = locked(&self.backends);
        let found = backends.iter().find(|backend| backend.id() == id && &**backend.instance() == instance);
        found.cloned().ok_or_else(|| Fault::new(Layer::Config, format!("{id} `{instance}` is not connected")))
    }

    /// The instance that an id lives on.
    pub fn home_of(&self, id: &EntityId) -> Result<Arc<dyn Backend>, Fault> {
        self.backend(id.kind.backend(), &id.instance)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
