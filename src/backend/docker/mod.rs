//! Docker: the containers of hosts that are no cluster, such as the one that carries the login.
//!
//! The engine is asked over a unix socket, over HTTP (a proxy that lets little through) or through
//! `ssh HOST docker system dial-stdio`. It is asked with the house's own client: the calls are few, and a typed client
//! of the whole API rejects an answer for one odd field.

mod client;
mod dial;
mod doc;
mod host;
mod kinds;
mod logs;
mod ops;
mod rows;
#[cfg(feature = "demo")]
mod sim;
mod version;
mod watch;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::config::{self, Config};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::op::{Job, Rights, Target, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Cadence, Mode, Snapshot, SourceSpec};
use crate::model::time::Clock;
use crate::model::view::View;

use super::error::{ApiError, SendError};
use super::{Backend, Definition, Diagnosis, Finding, ProgressSink, Proof, Receipt, ViewSink};

pub use logs::lines as read_log;

use client::Engine;
use host::{Memory, Observed};
use rows::Place;

/// The backend's id.
const ID: &str = "docker";
/// How long a description stands before it is written anew.
const REFRESH: Duration = Duration::from_secs(5);

/// The backend's line in the registry.
pub const DEFINITION: Definition = Definition {
    id: ID,
    kinds: kinds::all,
    operations: kinds::operations,
    connect,
    #[cfg(feature = "demo")]
    simulators: sim::all,
};

/// One host.
#[derive(Debug)]
struct Docker {
    config: config::Docker,
    engine: Result<Engine, ApiError>,
    memory: Memory,
    /// Held while a container is being restarted.
    restarting: Mutex<()>,
    clock: Clock,
}

fn connect(config: &Config, clock: &Clock) -> Vec<Arc<dyn Backend>> {
    let make =
        |host: &config::Docker| -> Arc<dyn Backend> { Arc::new(Docker::new(host.clone(), clock.clone())) };
    config.docker.iter().map(make).collect()
}

impl Docker {
    fn new(config: config::Docker, clock: Clock) -> Self {
        let engine = Engine::new(&config);
        Self { engine, config, memory: Memory::default(), restarting: Mutex::default(), clock }
    }

    fn engine(&self) -> Result<&Engine, ApiError> {
        self.engine.as_ref().map_err(Clone::clone)
    }

    async fn observe(&self) -> Result<Observed, ApiError> {
        host::observe(self.engine()?, &self.memory, self.clock.now()).await
    }

    fn place(&self) -> Place {
        Place { instance: self.config.name.clone(), domain: self.config.domain, now: self.clock.now() }
    }

    /// The engine knows no rights; the list of what may be restarted is ours.
    fn may(&self) -> Rights {
        let mut rights = Rights::default();
        if self.config.restart.is_empty() {
            let missing = "a name in `restart` of this `[[docker]]`".to_owned();
            rights.missing.insert(kinds::RESTART.to_owned(), missing);
        }
        rights
    }
}

#[async_trait]
impl Backend for Docker {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.config.name
    }

    fn sources(&self) -> Vec<SourceSpec> {
        let source = |(feed, kinds, cadence): (&str, &[&'static str], Cadence)| SourceSpec {
            id: SourceId::new(ID, self.config.name.clone(), feed),
            kinds: kinds.iter().map(|kind| KindId::from(*kind)).collect(),
            mode: Mode::Poll(cadence),
            domain: self.config.domain,
        };
        let host = Cadence { focused: 5, visible: 15, hidden: 60 };
        let events = Cadence { focused: 10, visible: 30, hidden: 60 };
        vec![
            source((watch::HOST, &[kinds::CONTAINERS, kinds::IMAGES], host)),
            source((watch::EVENTS, &[kinds::EVENTS], events)),
        ]
    }

    async fn poll(&self, source: &SourceId) -> Result<Snapshot, ApiError> {
        watch::poll(self, &source.feed).await
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        watch::resolve(self, kind, exact).await
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        match (view, id.kind.as_str()) {
            ("log", kinds::CONTAINERS) => return logs::follow(self.engine()?, &id.key, sink).await,
            ("describe", _) => {}
            _ => return Err(ApiError::unsupported(format!("there is no view {view} of {}", id.kind))),
        }
        let mut shown = false;
        loop {
            let doc = match doc::describe(self, id).await {
                Ok(doc) => doc,
                Err(error) if shown => doc::stale(&error),
                Err(error) => return Err(error),
            };
            shown = true;
            if sink.send(View::Doc(doc)).await.is_err() {
                return Ok(());
            }
            tokio::select! {
                () = sink.closed() => return Ok(()),
                () = tokio::time::sleep(REFRESH) => {}
            }
        }
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        Ok(self.may())
    }

    async fn doctor(&self) -> Diagnosis {
        let started = Instant::now();
        let asked = async { self.engine()?.version().await };
        let findings = match asked.await {
            Ok((version, reply)) => vec![
                Finding::new(
                    "reach",
                    format!("{} in {} ms", reply.url, started.elapsed().as_millis()),
                    Tone::Ok,
                ),
                Finding::new(
                    "version",
                    format!("Docker {}, API {}", &*version.version, &*version.api_version),
                    Tone::Ok,
                ),
            ],
            Err(error) => vec![Finding::new("reach", format!("{error}; {}", error.fault.hint), Tone::Error)],
        };
        Diagnosis { findings, rights: Some(self.may()), ..Diagnosis::default() }
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        ops::identify(self, target).await
    }

    async fn preflight(&self, job: &Job) -> Result<Verdict, ApiError> {
        if !ops::known(&job.op) {
            return Ok(Verdict::refuse("operation", format!("{} is not known here", job.op)));
        }
        ops::preflight(self, job).await
    }

    async fn operate(&self, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        ops::operate(self, job, progress).await
    }

    async fn verify(&self, job: &Job, _remote: Option<&str>, since: Timestamp) -> Result<Proof, ApiError> {
        ops::verify(self, job, since).await
    }
}

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;
