//! The backend against the simulated server over real HTTP.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::sim::{Server, TOKEN};
use super::*;
use crate::backend::Progress;
use crate::backend::sim::{Running, Size, World, serve};
use crate::config::{Connection, Secret, SecretSource, Trust};
use crate::model::op::{Decision, RunId};
use crate::model::row::{Domain, Health, Tone};
use crate::model::snapshot::Layer;
use crate::model::view::View;

mod conditions;
mod identity;
mod operations;
mod reading;
mod shapes;
mod views;
mod writing;

/// A server, a backend that speaks to it, and a clock that runs a hundred times faster than ours.
struct Lab {
    world: Arc<World>,
    server: Arc<Server>,
    backend: Proxmox,
    settings: Settings,
    _running: Running,
    _hours: tokio::task::JoinSet<()>,
}

async fn lab(scenario: &str) -> Lab {
    sized(scenario, 0).await
}

async fn sized(scenario: &str, guests: usize) -> Lab {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = Clock::manual("2026-11-02T02:58:00Z".parse().unwrap());
    let world = World::new(clock.clone(), 7, scenario, Size { guests, ..Size::default() });
    let server = Server::new(&world);
    let (running, _) = serve(server.clone().simulator(), world.clone()).await.unwrap();
    let hex = running.address.fingerprint.clone().unwrap();
    let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
    let connection = Connection {
        trust: Trust::Fingerprint(std::array::from_fn(byte)),
        domain: Domain::Home,
        timeout: Duration::from_secs(5),
        ..Connection::to("pve", running.address.url.clone())
    };
    let budget = MemoryBudget { ram: Some(64.0), ..MemoryBudget::default() };
    let token = Secret::new(SecretSource::Memory(TOKEN.into()));
    let settings = Settings { budget, ..Settings::new(connection, token) };
    let backend = quick(&settings, &clock);
    let mut hours = tokio::task::JoinSet::new();
    hours.spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            clock.advance(SignedDuration::from_millis(500));
        }
    });
    Lab { world, server, backend, settings, _running: running, _hours: hours }
}

fn quick(settings: &Settings, clock: &Clock) -> Proxmox {
    let mut backend = Proxmox::new(settings, clock).unwrap();
    backend.pace = Pace { step: Duration::from_millis(5), lost: Duration::from_millis(200) };
    backend
}

impl Lab {
    async fn target(&self, name: &str) -> Target {
        self.one(kinds::GUESTS, name).await
    }

    async fn one(&self, kind: &str, name: &str) -> Target {
        let mut found = self.backend.resolve(&kind.into(), name).await.unwrap();
        assert_eq!(found.len(), 1, "{kind} {name}");
        found.remove(0)
    }

    async fn job(&self, op: &str, name: &str) -> Job {
        self.on(op, kinds::GUESTS, name, &[]).await
    }

    async fn on(&self, op: &str, kind: &str, name: &str, args: &[(&str, &str)]) -> Job {
        Job {
            run: RunId("r1".into()),
            op: op.into(),
            target: self.one(kind, name).await,
            args: args.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            reason: Some("test".into()),
            operator: "admin1".into(),
        }
    }

    /// Reads back until it is clear, as the executor does.
    async fn proof(&self, job: &Job, remote: Option<&str>, since: Timestamp) -> Proof {
        for _ in 0..400 {
            match self.backend.verify(job, remote, since).await.unwrap() {
                Proof::Unclear(..) => tokio::time::sleep(Duration::from_millis(5)).await,
                clear => return clear,
            }
        }
        panic!("{} stays unclear", job.op)
    }

    /// Sends a job and returns what it reported on its way.
    async fn run(&self, job: &Job) -> (Result<Receipt, SendError>, Vec<Progress>) {
        let (sink, mut source) = mpsc::channel(1_000);
        let result = self.backend.operate(job, sink).await;
        let mut told = Vec::new();
        while let Ok(progress) = source.try_recv() {
            told.push(progress);
        }
        (result, told)
    }

    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// How many tasks of a type there have been.
    fn tasks(&self, kind: &str) -> usize {
        self.server.lab().tasks.iter().filter(|task| task.field(5) == kind).count()
    }
}
