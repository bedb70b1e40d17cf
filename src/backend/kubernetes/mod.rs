//! Kubernetes: every configured context is one instance, watched by its own credential.

pub mod access;
mod catalog;
pub mod client;
mod contexts;
pub mod custom;
mod doc;
pub mod doctor;
mod forward;
pub(super) mod kinds;
mod lines;
pub mod login;
pub mod logs;
mod more;
mod ops;
pub mod resource;
pub mod rights;
pub mod rows;
#[cfg(feature = "demo")]
pub mod sim;
mod usage;
pub mod watch;
pub mod wire;
pub mod yaml;

#[cfg(test)]
#[cfg(feature = "demo")]
pub(super) mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;

use crate::config::Config;
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::kind::KindSpec;
use crate::model::op::{Job, Rights, Target, Verdict};
use crate::model::snapshot::{Cadence, Mode, Snapshot, SourceSpec};
use crate::model::time::Clock;

use super::error::{ApiError, SendError};
use super::{Backend, Definition, DeltaSink, Diagnosis, ProgressSink, Proof, Receipt, ViewSink};

use catalog::{CATALOG, Entry};
use client::Cluster;
use custom::{Custom, Learnt};
use resource::Resource;
use rows::Maker;
use watch::Follow;

pub use doc::{as_yaml, conditions, events_of, repeat};

/// The backend's id.
pub const ID: &str = "kubernetes";

/// What the registry knows of it.
pub const DEFINITION: Definition = Definition {
    id: ID,
    kinds: kinds::kinds,
    operations: ops::operations,
    connect,
    #[cfg(feature = "demo")]
    simulators: sim::simulators,
};

fn connect(config: &Config, clock: &Clock) -> Vec<Arc<dyn Backend>> {
    let make = |settings: &crate::config::Kubernetes| -> Arc<dyn Backend> {
        Arc::new(Kubernetes::new(Cluster::new(settings.clone()), clock.clone()))
    };
    config.kubernetes.iter().map(make).collect()
}

/// One context.
pub struct Kubernetes {
    cluster: Arc<Cluster>,
    clock: Clock,
    maker: Arc<Maker>,
    feeds: Vec<Box<dyn Follow>>,
    learnt: Learnt,
    /// How often an object under operation is read.
    pace: Duration,
}

impl Kubernetes {
    /// A backend on a cluster.
    pub fn new(cluster: Arc<Cluster>, clock: Clock) -> Self {
        let settings = cluster.settings();
        let maker = Arc::new(Maker::new(settings.name.clone(), settings.domain));
        let feeds = CATALOG.iter().map(|entry| entry.feed(&maker, &cluster, &clock)).collect();
        Self { cluster, clock, maker, feeds, learnt: Learnt::default(), pace: Duration::from_secs(1) }
    }

    /// The feed of a list that every cluster has.
    fn feed(&self, source: &SourceId) -> Option<&dyn Follow> {
        let index = CATALOG.iter().position(|entry| entry.resource.plural == *source.feed)?;
        self.feeds.get(index).map(|feed| &**feed)
    }

    /// Where an object of a kind is, built in or learnt.
    async fn path(&self, id: &EntityId) -> Result<String, ApiError> {
        if let Ok(entry) = catalog::of(&id.kind) {
            return entry.resource.object(&id.key);
        }
        self.custom(&id.kind).await?.path(id)
    }

    /// A kind that this cluster was taught.
    async fn custom(&self, kind: &KindId) -> Result<Arc<Custom>, ApiError> {
        if let Some(known) = self.learnt.of(kind) {
            return Ok(known);
        }
        self.learnt.ask(&self.cluster).await?;
        self.learnt
            .of(kind)
            .ok_or_else(|| ApiError::unsupported(format!("{kind} is no kind of this cluster")))
    }

    /// What is asked for as a whole and is no list of the API server.
    fn questions(&self) -> [SourceSpec; 3] {
        let of = |(feed, kind, cadence): (&str, &str, Cadence)| SourceSpec {
            id: SourceId::new(ID, self.maker.instance.clone(), feed),
            kinds: vec![kind.into()],
            mode: Mode::Poll(cadence),
            domain: self.maker.domain,
        };
        [
            ("contexts", kinds::CONTEXTS, Cadence { focused: 15, visible: 60, hidden: 300 }),
            ("health", kinds::HEALTH, Cadence { focused: 15, visible: 60, hidden: 120 }),
            ("usage", kinds::USAGE, Cadence { focused: 15, visible: 60, hidden: 0 }),
        ]
        .map(of)
    }
}

/// Whether a word means a kind or its alias already, of this system or another.
fn is_taken(word: &str) -> bool {
    let means = |kind: &KindSpec| kind.id.name() == word || kind.aliases.iter().any(|alias| alias == word);
    super::kinds().iter().any(means)
}

/// An exact name, or a key with its namespace, resolved by the server; the list is complete, as the server filters it.
pub async fn resolve(
    cluster: &Cluster,
    resource: &Resource,
    kind: &KindId,
    exact: &str,
    within: Option<&str>,
) -> Result<Vec<Target>, ApiError> {
    let (namespace, name) = match exact.split_once('/') {
        Some((namespace, name)) if resource.namespaced => (Some(namespace), name),
        _ => (within, exact),
    };
    if !resource::is_name(name) || !namespace.is_none_or(resource::is_name) {
        return Ok(Vec::new());
    }
    let selector = watch::encoded(&format!("metadata.name={name}"));
    let reply = cluster.get(&format!("{}?fieldSelector={selector}", resource.list(namespace))).await?;
    let page: wire::Page<wire::Object> = reply.json()?;
    let settings = cluster.settings();
    let target = |object: &wire::Object| Target {
        id: EntityId::new(
            kind.clone(),
            settings.name.clone(),
            resource::key(&object.metadata.namespace, &object.metadata.name),
        ),
        name: object.metadata.name.shared(),
        identity: Identity::new().with("uid", object.metadata.uid.shared()),
        domain: settings.domain,
    };
    Ok(page.items.iter().filter(|object| &*object.metadata.name == name).map(target).collect())
}

/// The row of an object by its kind's own word (`Deployment`), where rows of that kind are listed.
pub fn row_of(instance: &Arc<str>, kind: &str, namespace: &str, name: &str) -> Option<EntityId> {
    let entry = CATALOG.iter().find(|entry| entry.resource.kind == kind)?;
    let namespace = if entry.resource.namespaced { namespace } else { "" };
    Some(EntityId::new(entry.kind, instance.clone(), resource::key(namespace, name)))
}

/// The identity that the server has now.
pub async fn identify(cluster: &Cluster, path: &str) -> Result<Identity, ApiError> {
    let object: wire::Object = read(cluster, path).await?;
    Ok(Identity::new().with("uid", object.metadata.uid.shared()))
}

/// Reads one object.
pub async fn read<T: for<'a> Deserialize<'a>>(cluster: &Cluster, path: &str) -> Result<T, ApiError> {
    cluster.get(path).await?.json()
}

#[async_trait]
impl Backend for Kubernetes {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.maker.instance
    }

    fn sources(&self) -> Vec<SourceSpec> {
        let source = |entry: &Entry| SourceSpec {
            id: SourceId::new(ID, self.maker.instance.clone(), entry.resource.plural.clone()),
            kinds: vec![entry.kind.into()],
            mode: entry.mode,
            domain: self.maker.domain,
        };
        CATALOG.iter().map(source).chain(self.questions()).collect()
    }

    async fn poll(&self, source: &SourceId) -> Result<Snapshot, ApiError> {
        if let Some(feed) = self.feed(source) {
            return feed.snapshot().await;
        }
        let (cluster, maker, now) = (&*self.cluster, &*self.maker, self.clock.now());
        match &*source.feed {
            "contexts" => Ok(contexts::snapshot(cluster, maker, &kinds::CONTEXTS.into(), now).await),
            "health" => custom::systems::snapshot(cluster, maker, &kinds::HEALTH.into(), now).await,
            "usage" => usage::snapshot(cluster, maker, &kinds::USAGE.into(), now).await,
            feed => {
                let custom = self.learnt.feed(cluster, feed).await?;
                custom.list(&self.maker, &self.cluster, &self.clock).snapshot().await
            }
        }
    }

    async fn watch(&self, source: &SourceId, sink: DeltaSink) -> Result<(), ApiError> {
        let feed =
            self.feed(source).ok_or_else(|| ApiError::unsupported(format!("{source} is no source")))?;
        feed.follow(sink).await
    }

    async fn learn(&self) -> Result<Vec<(KindSpec, SourceSpec)>, ApiError> {
        let found = self.learnt.ask(&self.cluster).await?;
        Ok(found.iter().map(|custom| custom.learnt(&self.maker)).collect())
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        resolve(&self.cluster, catalog::of(kind)?.resource, kind, exact, None).await
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        let now = || self.clock.now();
        match id.kind.as_str() {
            kinds::CONTEXTS => return contexts::open(&self.cluster, id, now, &sink).await,
            kinds::HEALTH => return custom::systems::open(&self.cluster, id, now, &sink).await,
            kinds::USAGE => return usage::open(&self.cluster, id, &sink).await,
            _ => {}
        }
        let path = self.path(id).await?;
        match view {
            "describe" => doc::describe(&self.cluster, id, &path, now, &sink).await,
            "forward" => forward::open(&self.cluster, id, &sink).await,
            "yaml" => doc::as_yaml(&self.cluster, &path, &sink).await,
            log if matches!(log.split(' ').next(), Some("log" | "previous")) => {
                logs::open(&self.cluster, id, log, sink).await
            }
            _ => Err(ApiError::unsupported(format!("there is no view `{view}` of {}", id.kind))),
        }
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        rights::of(&self.cluster, &ops::rights()).await
    }

    async fn doctor(&self) -> Diagnosis {
        doctor::examine(&self.cluster, self.clock.now()).await
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        identify(&self.cluster, &self.path(target).await?).await
    }

    async fn preflight(&self, job: &Job) -> Result<Verdict, ApiError> {
        ops::preflight(self, job).await
    }

    async fn operate(&self, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        ops::operate(self, job, &progress).await
    }

    async fn verify(&self, job: &Job, _remote: Option<&str>, since: Timestamp) -> Result<Proof, ApiError> {
        ops::verify(self, job, since).await
    }

    fn terminal(&self, id: &EntityId) -> Option<Vec<String>> {
        let (namespace, name) = resource::PODS.split(&id.key).ok()?;
        if id.kind.as_str() != kinds::PODS || name.starts_with('-') {
            return None;
        }
        let mut argv = forward::kubectl(self.cluster.settings(), namespace.unwrap_or_default());
        let rest = [
            "exec",
            "--stdin",
            "--tty",
            name,
            "--",
            "sh",
            "-c",
            "command -v bash >/dev/null && exec bash || exec sh",
        ];
        argv.extend(rest.map(str::to_owned));
        Some(argv)
    }
}
