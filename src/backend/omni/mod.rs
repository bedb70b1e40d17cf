//! Sidero Omni: clusters and machines of Talos Linux, over its HTTP JSON face with signed calls.
//!
//! Omni's own clients speak gRPC with a Go library; HTTP works through every proxy, and the signature is small enough
//! to be made here (`key`, `packet`, `sign`).

mod client;
mod difference;
mod doc;
mod doctor;
mod edit;
mod feed;
mod file;
mod headroom;
mod key;
mod kinds;
mod lenient;
#[cfg(feature = "demo")]
pub mod measure;
mod ops;
mod packet;
mod refusal;
mod rows;
mod sign;
#[cfg(feature = "demo")]
mod sim;
mod template;
mod watch;
mod wire;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::error::{ApiError, SendError};
use super::http::{Http, Profile};
use super::{Backend, Definition, DeltaSink, Diagnosis, ProgressSink, Proof, Receipt, ViewSink};
use crate::config::{self, Config, Ephemeral, Secret};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::op::{Field, Job, OpSpec, Rights, Target, Verdict};
use crate::model::row::Domain;
use crate::model::snapshot::{Cadence, Fault, Layer, Mode, Snapshot, SourceSpec};
use crate::model::time::Clock;

use client::Client;
use feed::{Feed, Lens};
use key::ServiceKey;
use kinds::{
    ACCOUNTS, AUDIT, BACKUPS, CLUSTERS, MACHINE_CLASSES, MACHINE_SETS, MACHINES, PROVIDERS, REQUESTS, TOKENS,
};
use rows::clusters::Clusters;
use rows::infra::{MachineClasses, Providers, Requests, Tokens};
use rows::machines::Machines;
use rows::machinesets::MachineSets;
use rows::{leaks, ledgers};
use watch::Eye;
use wire::{Cluster, CurrentUser, MachineSet, MachineStatus, Role};

const ID: &str = "omni";

/// Omni's line in the registry.
pub const DEFINITION: Definition = Definition {
    id: ID,
    kinds: kinds::kinds,
    operations: kinds::operations,
    connect,
    #[cfg(feature = "demo")]
    simulators: sim::simulators,
};

fn connect(config: &Config, clock: &Clock) -> Vec<Arc<dyn Backend>> {
    config.omni.iter().map(|omni| Arc::new(Omni::new(omni, clock)) as Arc<dyn Backend>).collect()
}

/// One configured Omni.
#[derive(Debug)]
pub(crate) struct Omni {
    instance: Arc<str>,
    domain: Domain,
    clock: Clock,
    /// What may be made and destroyed here.
    ephemeral: Option<Ephemeral>,
    /// The template files of standing clusters.
    templates: Vec<PathBuf>,
    /// The client, or why there is none: a key that cannot be read breaks this instance and no other.
    client: Result<Client, Fault>,
    /// Whether writes are armed: only then may the operator's key be used.
    armed: AtomicBool,
    /// What was last learnt of the operator's rights.
    rights: Mutex<Option<Rights>>,
}

impl Omni {
    fn new(config: &config::Omni, clock: &Clock) -> Self {
        Self {
            instance: config.connection.name.clone(),
            domain: config.connection.domain,
            clock: clock.clone(),
            ephemeral: config.ephemeral.clone(),
            templates: config.templates.clone(),
            client: client(config, clock).map_err(Fault::from),
            armed: AtomicBool::new(false),
            rights: Mutex::default(),
        }
    }

    fn client(&self) -> Result<&Client, ApiError> {
        self.client.as_ref().map_err(|fault| ApiError { fault: fault.clone() })
    }

    /// Waits between two looks at the server.
    async fn pause(&self, pace: Duration) {
        tokio::time::sleep(pace).await;
    }

    fn lens(&self) -> Lens {
        let ephemeral = self.ephemeral.as_ref().map(|ephemeral| Arc::from(ephemeral.prefix.as_str()));
        Lens { instance: self.instance.clone(), domain: self.domain, ephemeral, now: self.clock.now() }
    }

    /// The role of a key's account, as the server has it.
    async fn role(&self, key: &ServiceKey) -> Result<Role, ApiError> {
        let user = self.client()?.get_as::<CurrentUser>("current", key).await?;
        Ok(user.map_or(Role::None, |user| Role::named(&user.spec.role)))
    }

    fn source(&self, kind: &'static str, mode: Mode) -> SourceSpec {
        let feed = kind.split_once('.').map_or(kind, |(_, feed)| feed);
        SourceSpec {
            id: SourceId::new(ID, self.instance.clone(), feed),
            kinds: vec![kind.into()],
            mode,
            domain: self.domain,
        }
    }

    async fn follow<F: Feed>(&self, sink: &DeltaSink) -> Result<(), ApiError> {
        let lens = || self.lens();
        watch::follow::<F>(&Eye { client: self.client()?, lens: &lens }, sink).await
    }

    async fn list<F: Feed>(&self) -> Result<Snapshot, ApiError> {
        let lens = || self.lens();
        watch::poll::<F>(&Eye { client: self.client()?, lens: &lens }).await
    }

    /// All rows of a source, asked for once.
    async fn rows(&self, feed: &str) -> Result<Snapshot, ApiError> {
        match feed {
            "clusters" => self.list::<Clusters>().await,
            "machines" => self.list::<Machines>().await,
            "machinesets" => self.list::<MachineSets>().await,
            "machineclasses" => self.list::<MachineClasses>().await,
            "providers" => self.list::<Providers>().await,
            "requests" => leaks::with(self, self.list::<Requests>().await?).await,
            "tokens" => self.list::<Tokens>().await,
            "etcdbackups" => ledgers::backups(self.client()?, &self.lens()).await,
            "accounts" => ledgers::accounts(self.client()?, &self.lens()).await,
            "audit" => ledgers::audit(self.client()?, &self.lens()).await,
            other => Err(ApiError::unsupported(format!("Omni has no source `{other}`"))),
        }
    }

    async fn whole(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let snapshot = self.rows(kind.name()).await?;
        if !snapshot.complete {
            return Err(ApiError::new(Layer::App, "the list is incomplete, so a name cannot be resolved")
                .raw(snapshot.notes.first().map_or("", String::as_str)));
        }
        let hits = snapshot.rows.into_iter().filter(|row| &*row.name == exact || &*row.id.key == exact);
        Ok(hits.map(Target::from).collect())
    }
}

/// What a list shows that takes a higher role than the account has: nothing, incompletely, and why.
fn above(error: ApiError, now: Timestamp) -> Result<Snapshot, ApiError> {
    match &error.fault.missing {
        Some(role) => {
            let notes = vec![format!("not shown: this list takes the role {role}")];
            Ok(Snapshot { rows: Vec::new(), complete: false, observed_at: now, notes })
        }
        None => Err(error),
    }
}

fn client(config: &config::Omni, clock: &Clock) -> Result<Client, ApiError> {
    let reader = service_key("key", &config.key)?;
    let operator = config.operator_key.as_ref().map(|key| service_key("operator_key", key)).transpose()?;
    let http = Http::new(&config.connection, &[], &Profile::default())?;
    Ok(Client::new(http, reader, operator, clock.clone()))
}

fn service_key(setting: &str, secret: &Secret) -> Result<ServiceKey, ApiError> {
    let text =
        secret.resolve().map_err(|error| ApiError::new(Layer::Config, format!("{setting}: {error}")))?;
    ServiceKey::parse(text.expose_secret())
        .map_err(|error| ApiError::new(Layer::Config, format!("{setting}: {error}")))
}

#[async_trait]
impl Backend for Omni {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.instance
    }

    fn sources(&self) -> Vec<SourceSpec> {
        let slow = |focused| Mode::Poll(Cadence { focused, visible: 60, hidden: 300 });
        vec![
            self.source(CLUSTERS, Mode::Watch),
            self.source(MACHINES, Mode::Watch),
            self.source(MACHINE_SETS, slow(5)),
            self.source(MACHINE_CLASSES, slow(15)),
            self.source(PROVIDERS, slow(5)),
            self.source(REQUESTS, slow(3)),
            self.source(TOKENS, slow(30)),
            self.source(BACKUPS, slow(30)),
            self.source(ACCOUNTS, slow(60)),
            self.source(AUDIT, slow(15)),
        ]
    }

    async fn poll(&self, source: &SourceId) -> Result<Snapshot, ApiError> {
        match self.rows(&source.feed).await {
            // A Reader is the normal case, so a list for others is no fault of this instance.
            Err(error) if matches!(&*source.feed, "accounts" | "audit") => above(error, self.clock.now()),
            other => other,
        }
    }

    async fn watch(&self, source: &SourceId, sink: DeltaSink) -> Result<(), ApiError> {
        match &*source.feed {
            "clusters" => self.follow::<Clusters>(&sink).await,
            "machines" => self.follow::<Machines>(&sink).await,
            other => Err(ApiError::unsupported(format!("Omni's `{other}` is not streamed"))),
        }
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        self.whole(kind, exact).await
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        doc::open(self, id, view, sink).await
    }

    fn arm(&self, armed: bool) -> bool {
        self.armed.store(armed, Ordering::SeqCst);
        armed && self.client.as_ref().is_ok_and(Client::has_operator)
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        let client = self.client()?;
        let known = || self.rights.lock().unwrap_or_else(PoisonError::into_inner);
        if client.has_operator() && !self.armed.load(Ordering::SeqCst) {
            return Ok(known().clone().unwrap_or_else(ops::unasked));
        }
        let rights = ops::rights(self, client.writer()).await?;
        *known() = Some(rights.clone());
        Ok(rights)
    }

    async fn doctor(&self) -> Diagnosis {
        doctor::diagnose(self).await
    }

    async fn form(&self, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
        let target = targets.first().map_or("", |target| &*target.id.key);
        ops::named(&op.name)?.form(self, target, op.form.clone()).await
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        let gone = || ApiError::new(Layer::App, format!("{} does not exist any more", target.key));
        let client = self.client()?;
        match target.kind.as_str() {
            CLUSTERS => {
                let cluster = client.get::<Cluster>(&target.key).await?.ok_or_else(gone)?;
                Ok(rows::clusters::identity(&cluster.metadata))
            }
            MACHINES => {
                let machine = client.get::<MachineStatus>(&target.key).await?.ok_or_else(gone)?;
                Ok(rows::machines::identity(&machine))
            }
            MACHINE_SETS => {
                let set = client.get::<MachineSet>(&target.key).await?.ok_or_else(gone)?;
                Ok(rows::machinesets::identity(&set.metadata))
            }
            other => Err(ApiError::unsupported(format!("Omni has no operation on `{other}`"))),
        }
    }

    async fn preflight(&self, job: &Job) -> Result<Verdict, ApiError> {
        ops::preflight(self, job).await
    }

    async fn operate(&self, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        let op = ops::named(&job.op).map_err(|error| SendError::NotSent(error.fault))?;
        op.operate(self, job, progress).await
    }

    async fn verify(&self, job: &Job, remote: Option<&str>, since: Timestamp) -> Result<Proof, ApiError> {
        ops::named(&job.op)?.verify(self, job, remote, since).await
    }
}

#[cfg(test)]
mod tests;
