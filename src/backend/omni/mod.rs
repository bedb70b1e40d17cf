//! Sidero Omni: clusters and machines of Talos Linux, over its HTTP JSON face with signed calls.
//!
//! Omni's own clients speak gRPC with a Go library; HTTP works through every proxy, and the signature is small enough
//! to be made here (`key`, `packet`, `sign`).

mod client;
mod doc;
mod doctor;
mod feed;
mod file;
mod key;
mod kinds;
mod lenient;
mod ops;
mod packet;
mod refusal;
mod rows;
mod sign;
#[cfg(feature = "demo")]
mod sim;
mod watch;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::error::{ApiError, SendError};
use super::http::{Http, Profile};
use super::{Backend, Definition, Diagnosis, ProgressSink, Proof, Receipt, ViewSink};
use crate::config::{self, Config, Secret};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::op::{Field, Job, OpSpec, Rights, Target, Verdict};
use crate::model::row::Domain;
use crate::model::snapshot::{Cadence, Fault, Layer, Mode, Snapshot, SourceSpec};
use crate::model::time::Clock;

use client::Client;
use feed::{Feed, Lens};
use key::ServiceKey;
use kinds::{CLUSTERS, MACHINES};
use rows::clusters::Clusters;
use rows::machines::Machines;
use wire::{Cluster, CurrentUser, MachineStatus, Role};

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
    /// The client, or why there is none: a key that cannot be read breaks this instance and no other.
    client: Result<Client, Fault>,
}

impl Omni {
    fn new(config: &config::Omni, clock: &Clock) -> Self {
        Self {
            instance: config.connection.name.clone(),
            domain: config.connection.domain,
            clock: clock.clone(),
            client: client(config, clock).map_err(Fault::from),
        }
    }

    fn client(&self) -> Result<&Client, ApiError> {
        self.client.as_ref().map_err(|fault| ApiError { fault: fault.clone() })
    }

    fn lens(&self) -> Lens {
        Lens { instance: self.instance.clone(), domain: self.domain, now: self.clock.now() }
    }

    /// The role of a key's account, as the server has it.
    async fn role(&self, key: &ServiceKey) -> Result<Role, ApiError> {
        let user = self.client()?.get_as::<CurrentUser>("current", key).await?;
        Ok(user.map_or(Role::None, |user| Role::named(&user.spec.role)))
    }

    fn source(&self, feed: &str, kinds: &[&'static str], cadence: Cadence) -> SourceSpec {
        SourceSpec {
            id: SourceId::new(ID, self.instance.clone(), feed),
            kinds: kinds.iter().map(|kind| KindId::from(*kind)).collect(),
            mode: Mode::Poll(cadence),
            domain: self.domain,
        }
    }

    async fn whole<F: Feed>(&self, exact: &str) -> Result<Vec<Target>, ApiError> {
        let snapshot = watch::poll::<F>(self.client()?, &self.lens()).await?;
        if !snapshot.complete {
            return Err(ApiError::new(Layer::App, "the list is incomplete, so a name cannot be resolved")
                .raw(snapshot.notes.first().map_or("", String::as_str)));
        }
        let hits = snapshot.rows.into_iter().filter(|row| &*row.name == exact || &*row.id.key == exact);
        Ok(hits
            .map(|row| Target { id: row.id, name: row.name, identity: row.identity, domain: row.domain })
            .collect())
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
        let cadence = Cadence { focused: 3, visible: 10, hidden: 60 };
        vec![self.source("clusters", &[CLUSTERS], cadence), self.source("machines", &[MACHINES], cadence)]
    }

    async fn poll(&self, source: &SourceId) -> Result<Snapshot, ApiError> {
        let (client, lens) = (self.client()?, self.lens());
        match &*source.feed {
            "clusters" => watch::poll::<Clusters>(client, &lens).await,
            "machines" => watch::poll::<Machines>(client, &lens).await,
            other => Err(ApiError::unsupported(format!("Omni has no source `{other}`"))),
        }
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        match kind.as_str() {
            CLUSTERS => self.whole::<Clusters>(exact).await,
            MACHINES => self.whole::<Machines>(exact).await,
            other => Err(ApiError::unsupported(format!("Omni has no kind `{other}`"))),
        }
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        doc::open(self, id, view, sink).await
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        let role = self.role(self.client()?.writer()).await?;
        let lacking = ops::all().filter(|op| role < op.role());
        let missing = lacking.map(|op| (op.name().to_owned(), op.role().to_string())).collect();
        Ok(Rights { missing, unknown: Vec::new() })
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
            other => Err(ApiError::unsupported(format!("Omni has no kind `{other}`"))),
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
