//! Kubernetes: every configured context is one instance, watched by its own credential.

pub mod access;
pub mod client;
mod doc;
pub mod doctor;
mod kinds;
mod lines;
mod logs;
pub mod resource;
pub mod rights;
pub mod rows;
#[cfg(feature = "demo")]
pub mod sim;
pub mod watch;
pub mod wire;
pub mod yaml;

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;

use crate::config::Config;
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::op::{Job, Rights, Target, Verdict};
use crate::model::snapshot::{Mode, Snapshot, SourceSpec};
use crate::model::time::Clock;

use super::error::{ApiError, SendError};
use super::{Backend, Definition, DeltaSink, Diagnosis, ProgressSink, Proof, Receipt, ViewSink};

use client::Cluster;
use resource::Resource;
use rows::Maker;
use watch::{Feed, Project, Projected};

pub use doc::{as_yaml, conditions, events_of, repeat};

/// The backend's id.
pub const ID: &str = "kubernetes";

/// What the registry knows of it.
pub const DEFINITION: Definition = Definition {
    id: ID,
    kinds: kinds::kinds,
    operations: kinds::operations,
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
    pods: Feed<wire::Pod>,
    nodes: Feed<wire::Node>,
    events: Feed<wire::Event>,
}

/// Makes the projection of a kind.
fn project<T: 'static>(
    maker: &Arc<Maker>,
    kind: &'static str,
    row: fn(&Maker, &KindId, &T, Timestamp) -> crate::model::row::Row,
) -> Project<T> {
    let (maker, kind) = (maker.clone(), KindId::from(kind));
    Arc::new(move |object, now| Some(Projected::from(row(&maker, &kind, object, now))))
}

impl Kubernetes {
    /// A backend on a cluster.
    pub fn new(cluster: Arc<Cluster>, clock: Clock) -> Self {
        let settings = cluster.settings();
        let maker = Arc::new(Maker::new(settings.name.clone(), settings.domain));
        let path = |resource: &Resource| resource.list(None);
        Self {
            pods: Feed::new(
                cluster.clone(),
                clock.clone(),
                path(&resource::PODS),
                project(&maker, kinds::PODS, rows::pods::row),
            ),
            nodes: Feed::new(
                cluster.clone(),
                clock.clone(),
                path(&resource::NODES),
                project(&maker, kinds::NODES, rows::nodes::row),
            ),
            events: Feed::new(
                cluster.clone(),
                clock.clone(),
                path(&resource::EVENTS),
                project(&maker, kinds::EVENTS, rows::events::row),
            ),
            cluster,
            clock,
            maker,
        }
    }

    fn source(&self, feed: &'static str, kind: &'static str) -> SourceSpec {
        SourceSpec {
            id: SourceId::new(ID, self.maker.instance.clone(), feed),
            kinds: vec![kind.into()],
            mode: Mode::Watch,
            domain: self.maker.domain,
        }
    }
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
        vec![
            self.source("nodes", kinds::NODES),
            self.source("pods", kinds::PODS),
            self.source("events", kinds::EVENTS),
        ]
    }

    async fn poll(&self, source: &SourceId) -> Result<Snapshot, ApiError> {
        match &*source.feed {
            "pods" => self.pods.snapshot().await,
            "nodes" => self.nodes.snapshot().await,
            "events" => self.events.snapshot().await,
            _ => Err(ApiError::unsupported(format!("{source} is no source"))),
        }
    }

    async fn watch(&self, source: &SourceId, sink: DeltaSink) -> Result<(), ApiError> {
        match &*source.feed {
            "pods" => self.pods.follow(sink).await,
            "nodes" => self.nodes.follow(sink).await,
            "events" => self.events.follow(sink).await,
            _ => Err(ApiError::unsupported(format!("{source} is no source"))),
        }
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let probe = EntityId::new(kind.clone(), self.maker.instance.clone(), exact);
        resolve(&self.cluster, doc::resource(&probe)?, kind, exact, None).await
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        let path = doc::resource(id)?.object(&id.key)?;
        match view {
            "describe" => doc::describe(&self.cluster, id, || self.clock.now(), &sink).await,
            "yaml" => doc::as_yaml(&self.cluster, &path, &sink).await,
            "log" | "previous" if id.kind.as_str() == kinds::PODS => {
                logs::follow(&self.cluster, &id.key, view == "previous", sink).await
            }
            _ => Err(ApiError::unsupported(format!("there is no view `{view}` of {}", id.kind))),
        }
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        rights::of(&self.cluster, &[]).await
    }

    async fn doctor(&self) -> Diagnosis {
        doctor::examine(&self.cluster, self.clock.now()).await
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        identify(&self.cluster, &doc::resource(target)?.object(&target.key)?).await
    }

    async fn preflight(&self, job: &Job) -> Result<Verdict, ApiError> {
        Err(ApiError::unsupported(format!("{} is no operation of a cluster", job.op)))
    }

    async fn operate(&self, job: &Job, _progress: ProgressSink) -> Result<Receipt, SendError> {
        let error = ApiError::unsupported(format!("{} is no operation of a cluster", job.op));
        Err(SendError::NotSent(error.fault))
    }

    async fn verify(&self, job: &Job, _remote: Option<&str>, _since: Timestamp) -> Result<Proof, ApiError> {
        Err(ApiError::unsupported(format!("{} is no operation of a cluster", job.op)))
    }

    fn terminal(&self, id: &EntityId) -> Option<Vec<String>> {
        let (namespace, name) = resource::PODS.split(&id.key).ok()?;
        if id.kind.as_str() != kinds::PODS || name.starts_with('-') {
            return None;
        }
        let mut argv = vec!["kubectl".to_owned()];
        let settings = self.cluster.settings();
        if let Some(path) = &settings.kubeconfig {
            argv.push(format!("--kubeconfig={}", path.display()));
        }
        argv.extend(settings.context.iter().map(|context| format!("--context={context}")));
        argv.push(format!("--namespace={}", namespace.unwrap_or_default()));
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
