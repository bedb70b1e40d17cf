//! Making the configured instances: credentials may take ten seconds to fetch, and the first frame waits for none.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::oneshot;

use crate::app::msg::Msg;
use crate::backend::{Backend, REGISTRY};
use crate::config::Config;
use crate::model::journal::{OpenRun, open_runs};
use crate::model::kind::KindSpec;
use crate::model::remembered::Remembered;
use crate::model::row::Tone;
use crate::model::snapshot::SourceSpec;
use crate::model::time::Clock;

use super::call::{blocking, within};
use super::checks;
use super::desk;
use super::executor::{Inner, PATIENCE};
use super::journal::Journal;
use super::operate;

/// Makes the instances of one backend; may block.
pub type Connector = Box<dyn FnOnce() -> Vec<Arc<dyn Backend>> + Send>;

/// The name of the threads that connect: their panics are told like those of tasks.
pub const THREAD: &str = "vigie-connect";
/// How many of the journal's lines the console shows.
const RECENT: usize = 200;
/// Between two tries to learn the rights, doubling.
const RIGHTS_BACK_OFF: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(600));

/// One connector per backend of the registry, and vigie's own desk where there is anything to speak of.
pub fn connectors(config: &Arc<Config>, clock: &Clock, journal: &Journal) -> Vec<Connector> {
    let connector = |definition: &'static crate::backend::Definition| -> Connector {
        let (config, clock) = (config.clone(), clock.clone());
        Box::new(move || (definition.connect)(&config, &clock))
    };
    let desk = (!config.is_empty()).then(|| desk::connector(config, clock, journal));
    let checks = (!config.is_empty()).then(|| checks::connector(config, clock, journal));
    REGISTRY.iter().map(connector).chain(desk).chain(checks).collect()
}

impl Inner {
    /// Connects every backend on a thread of its own, so that a locked password store delays only its own panes.
    pub async fn connect(self: Arc<Self>, connectors: Vec<Connector>) {
        self.recall().await;
        let open = self.read_journal().await;
        let mut pending = FuturesUnordered::new();
        for connector in connectors {
            match aside(connector) {
                Ok(answer) => pending.push(answer),
                Err(error) => self.complain(format!("cannot start a thread: {error}")).await,
            }
        }
        let mut any = false;
        while let Some(answer) = pending.next().await {
            match answer {
                Ok(backends) if backends.is_empty() => {}
                Ok(backends) => {
                    any = true;
                    self.clone().connected(backends, &open).await;
                }
                Err(_) => self.complain("internal error of vigie while connecting".to_owned()).await,
            }
        }
        if !any {
            self.outbox.send(Msg::Connected(Vec::new())).await;
        }
        self.outbox.send(Msg::AllConnected).await;
    }

    /// Tells what an earlier process saw.
    async fn recall(&self) {
        let last = self.last.clone();
        let memories = blocking(move || Ok(last.read())).await.unwrap_or_default();
        if !memories.is_empty() {
            self.outbox.send(Msg::Remembered(memories)).await;
        }
    }

    /// Keeps what was seen, aside; while one writing lasts, another is not begun.
    pub fn remember(&self, memories: Vec<Remembered>) {
        let Ok(held) = self.writing.clone().try_acquire_owned() else { return };
        let last = self.last.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = last.write(&memories) {
                tracing::warn!(%error, "what was seen could not be kept");
            }
            drop(held);
        });
    }

    async fn connected(self: Arc<Self>, backends: Vec<Arc<dyn Backend>>, open: &[OpenRun]) {
        let sources: Vec<_> = backends.iter().flat_map(|backend| backend.sources()).collect();
        self.add_backends(&backends);
        self.outbox.send(Msg::Connected(sources.clone())).await;
        for source in sources {
            self.schedule().add(source);
        }
        self.due.notify_one();
        for backend in backends {
            for run in open.iter().filter(|run| is_at(run, &*backend)) {
                let (this, backend, run) = (self.clone(), backend.clone(), run.clone());
                self.clone().spawn(async move { this.chase(&*backend, &run).await });
            }
            let (this, other) = (self.clone(), backend.clone());
            self.clone().spawn(async move { this.learn_kinds(&*other).await });
            let this = self.clone();
            self.clone().spawn(async move { this.learn_rights(&*backend).await });
        }
    }

    /// Asks for the kinds that only the server knows, until it has told them.
    async fn learn_kinds(&self, backend: &dyn Backend) {
        let (mut pause, most) = RIGHTS_BACK_OFF;
        loop {
            match within(PATIENCE, backend.learn()).await {
                Ok(learnt) if learnt.is_empty() => return,
                Ok(learnt) => return self.take_in(learnt).await,
                Err(fault) => {
                    tracing::info!(instance = %backend.instance(), %fault, "kinds are not known yet");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(most);
        }
    }

    async fn take_in(&self, learnt: Vec<(KindSpec, SourceSpec)>) {
        let (kinds, sources): (Vec<_>, Vec<_>) = learnt.into_iter().unzip();
        for kind in kinds {
            self.outbox.send(Msg::Kind(Box::new(kind))).await;
        }
        self.outbox.send(Msg::Connected(sources.clone())).await;
        for source in sources {
            self.schedule().add(source);
        }
        self.due.notify_one();
    }

    /// Tells the recent lines and the runs without an outcome; `chase` looks after those.
    async fn read_journal(&self) -> Vec<OpenRun> {
        let journal = self.door.journal().clone();
        let reading = match blocking(move || journal.read()).await {
            Ok(reading) => reading,
            Err(error) => {
                self.complain(format!("the journal cannot be read, so nothing can be sent: {error}")).await;
                return Vec::new();
            }
        };
        if reading.unreadable > 0 {
            self.complain(format!("{} lines of the journal cannot be read", reading.unreadable)).await;
        }
        self.outbox.send(Msg::Journal(reading.recent(RECENT))).await;
        let open = open_runs(&reading.lines);
        for run in &open {
            self.outbox.run(&run.line.run, operate::unread(run));
        }
        open
    }

    /// Tells the recent lines again, after one was added.
    pub async fn tell_journal(&self) {
        let journal = self.door.journal().clone();
        if let Ok(reading) = blocking(move || journal.read()).await {
            self.outbox.send(Msg::Journal(reading.recent(RECENT))).await;
        }
    }

    pub async fn learn_rights(&self, backend: &dyn Backend) {
        let (mut pause, most) = RIGHTS_BACK_OFF;
        let mut told = false;
        loop {
            let body = within(PATIENCE, backend.rights()).await;
            let known = body.is_ok();
            if known || !told {
                let (id, instance) = (backend.id().into(), backend.instance().clone());
                self.outbox.send(Msg::Rights { backend: id, instance, body }).await;
                told = true;
            }
            if known {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(most);
        }
    }

    pub async fn complain(&self, text: String) {
        tracing::warn!(text);
        self.outbox.send(Msg::Notice { tone: Tone::Warn, text }).await;
    }
}

/// Runs a connector on a thread of its own; the answer is gone where it panicked.
fn aside(connector: Connector) -> std::io::Result<oneshot::Receiver<Vec<Arc<dyn Backend>>>> {
    let (sender, receiver) = oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
        // Clients are made inside the runtime that they will live in.
        let _inside = runtime.enter();
        let _ = sender.send(connector());
    })?;
    Ok(receiver)
}

fn is_at(run: &OpenRun, backend: &dyn Backend) -> bool {
    run.job().is_some_and(|job| {
        let id = job.op.split_once('.').map_or("", |(id, _)| id);
        id == backend.id() && job.target.id.instance == *backend.instance()
    })
}
