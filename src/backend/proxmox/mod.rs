//! Proxmox VE 8 and 9: hosts, guests, storages and tasks, read with an API token over HTTP/1.1.
//!
//! Everything that changes a guest is a task on the server: it is followed by its UPID to the exit status and then
//! read back, because an accepted request has done nothing yet. Before a guest is started vigie does the sums that
//! Proxmox does not do: whether its memory fits, and whether another guest holds its devices.

mod budget;
mod client;
mod doc;
mod doctor;
mod feeds;
mod find;
mod follow;
mod guard;
mod guest;
mod kinds;
mod lenient;
mod listing;
mod memory;
mod ops;
mod pci;
mod progress;
mod rights;
mod rows;
mod shell;
#[cfg(feature = "demo")]
mod sim;
mod startup;
mod token;
mod upid;
mod watch;
mod wire;
mod wol;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::config::{Config, MemoryBudget, Proxmox as Settings};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::op::{Field, Job, OpSpec, Rights, Target, Verdict};
use crate::model::snapshot::{Delta, Snapshot, SourceSpec};
use crate::model::time::Clock;

use super::broken::Broken;
use super::error::{ApiError, SendError};
use super::{Backend, Definition, DeltaSink, Diagnosis, ProgressSink, Proof, Receipt, ViewSink, http};

use client::Client;
use listing::Entries;
pub use memory::Memory;
pub use rows::Place;
use token::Owner;

/// The backend's id.
const ID: &str = "proxmox";

/// Proxmox in the registry.
pub const DEFINITION: Definition = Definition {
    id: ID,
    kinds: kinds::all,
    operations: ops::all,
    connect,
    #[cfg(feature = "demo")]
    simulators: sim::simulators,
};

/// Reads an answer to `GET /cluster/resources` into rows: what a poll costs besides the network.
pub fn read_resources(
    body: &[u8],
    place: &Place,
    memory: &mut Memory,
    now: Timestamp,
) -> Result<Snapshot, serde_json::Error> {
    Ok(rows::project(&Entries::read(body)?, None, place, memory, now).snapshot(now))
}

/// How patiently the server is followed.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Between two looks at a young task; older ones are looked at less often.
    step: Duration,
    /// How long a task that cannot be asked about is still asked about.
    lost: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { step: Duration::from_millis(500), lost: Duration::from_secs(600) }
    }
}

/// One configured cluster or host.
#[derive(Debug)]
struct Proxmox {
    client: Client,
    owner: Owner,
    place: Place,
    budget: MemoryBudget,
    wake: BTreeMap<String, [u8; 6]>,
    wake_to: SocketAddr,
    shell: Vec<String>,
    /// The address for browsers.
    page: String,
    clock: Clock,
    pace: Pace,
    memory: Mutex<Memory>,
}

fn connect(config: &Config, clock: &Clock) -> Vec<Arc<dyn Backend>> {
    let one = |settings: &Settings| -> Arc<dyn Backend> {
        match Proxmox::new(settings, clock) {
            Ok(backend) => Arc::new(backend),
            Err(error) => {
                let instance = settings.connection.name.clone();
                let sources = watch::sources(&instance, settings.connection.domain);
                Arc::new(Broken { id: ID, instance, sources, fault: error.fault })
            }
        }
    };
    config.proxmox.iter().map(one).collect()
}

impl Proxmox {
    fn new(settings: &Settings, clock: &Clock) -> Result<Self, ApiError> {
        let secret = http::resolve(&settings.token)?;
        let owner = token::check(&secret)?;
        let connection = &settings.connection;
        Ok(Self {
            client: Client::new(connection, &secret)?,
            owner,
            place: Place { instance: connection.name.clone(), domain: connection.domain },
            budget: settings.budget.clone(),
            wake: settings.wake.clone(),
            wake_to: settings.wake_to,
            shell: settings.shell.clone(),
            page: connection.browser_url().to_owned(),
            clock: clock.clone(),
            pace: Pace::default(),
            memory: Mutex::default(),
        })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Backend for Proxmox {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.place.instance
    }

    fn sources(&self) -> Vec<SourceSpec> {
        watch::sources(&self.place.instance, self.place.domain)
    }

    async fn poll(&self, source: &SourceId) -> Result<Snapshot, ApiError> {
        self.poll_feed(&source.feed).await
    }

    async fn refresh(&self, source: &SourceId, _parts: &DeltaSink) -> Result<Delta, ApiError> {
        self.refresh_feed(&source.feed).await
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        self.find(kind, exact).await
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        self.show(id, view, sink).await
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        let permissions = self.permissions().await?;
        Ok(Rights { missing: ops::missing(&permissions), unknown: Vec::new() })
    }

    async fn doctor(&self) -> Diagnosis {
        self.diagnose().await
    }

    async fn form(&self, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
        self.fill_form(op, targets).await
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        self.recognise(target).await
    }

    async fn preflight(&self, job: &Job) -> Result<Verdict, ApiError> {
        self.judge(job).await
    }

    async fn operate(&self, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        self.carry_out(job, &progress).await
    }

    async fn verify(&self, job: &Job, remote: Option<&str>, since: Timestamp) -> Result<Proof, ApiError> {
        self.read_back(job, remote, since).await
    }

    fn pause_after(&self, job: &Job) -> Duration {
        self.breath(job)
    }

    fn link(&self, id: &EntityId) -> Option<String> {
        self.page_of(id)
    }

    fn terminal(&self, id: &EntityId) -> Option<Vec<String>> {
        self.shell_of(id)
    }
}

#[cfg(test)]
mod tests;
