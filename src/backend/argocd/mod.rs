//! Argo CD: read and driven through its custom resources, so that it works when argocd-server or single sign-on is
//! down; its REST API is the second way in, for what the resources do not carry.

mod doc;
mod doctor;
mod kinds;
mod ops;
mod rest;
mod rows;
#[cfg(feature = "demo")]
pub mod sim;
mod wire;

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::config::{ArgoCd, Config};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::op::{Job, Rights, Target, Verdict};
use crate::model::snapshot::{Fault, Layer, Mode, Snapshot, SourceSpec};
use crate::model::time::Clock;
use crate::model::view::View;

use super::broken::Broken;
use super::error::{ApiError, SendError};
use super::kubernetes::client::Cluster;
use super::kubernetes::resource::Resource;
use super::kubernetes::rights::{self, Right};
use super::kubernetes::rows::Maker;
use super::kubernetes::watch::{Feed, Follow as _, Project};
use super::kubernetes::{self, repeat};
use super::{Backend, Definition, DeltaSink, Diagnosis, ProgressSink, Proof, Receipt, ViewSink};

use rest::Rest;
use rows::Domains;
use wire::Application;

/// The backend's id.
pub const ID: &str = "argocd";

/// `applications.argoproj.io`.
pub static APPLICATIONS: Resource =
    Resource::fixed("argoproj.io", "v1alpha1", "applications", "Application", true);

/// How often an open description is read again.
const PACE: Duration = Duration::from_secs(3);

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
    let domains: Domains = config.kubernetes.iter().map(|k| (k.name.clone(), k.domain)).collect();
    let make = |settings: &ArgoCd| -> Arc<dyn Backend> {
        match config.kubernetes.iter().find(|cluster| cluster.name == settings.kubernetes) {
            Some(cluster) => {
                let cluster = Cluster::new(cluster.clone());
                Arc::new(Argo::new(settings.clone(), cluster, domains.clone(), clock.clone()))
            }
            None => Arc::new(Broken {
                id: ID,
                instance: settings.name.clone(),
                sources: vec![source(settings)],
                fault: Fault::new(
                    Layer::Config,
                    format!("no `[[kubernetes]]` is named {}", settings.kubernetes),
                ),
            }),
        }
    };
    config.argocd.iter().map(make).collect()
}

fn source(settings: &ArgoCd) -> SourceSpec {
    SourceSpec {
        id: SourceId::new(ID, settings.name.clone(), "applications"),
        kinds: vec![kinds::APPLICATIONS.into()],
        mode: Mode::Watch,
        domain: settings.domain,
    }
}

/// One Argo CD.
pub struct Argo {
    settings: ArgoCd,
    cluster: Arc<Cluster>,
    clock: Clock,
    applications: Feed<Application>,
    rest: Option<Rest>,
    /// How often an application under operation is read.
    pace: Duration,
}

impl Argo {
    /// A backend on the cluster that holds the Applications.
    pub fn new(settings: ArgoCd, cluster: Arc<Cluster>, domains: Domains, clock: Clock) -> Self {
        let maker = Maker::new(settings.name.clone(), settings.domain);
        let kind = KindId::from(kinds::APPLICATIONS);
        let project: Project<Application> =
            Arc::new(move |app, now| Some(rows::project(&maker, &kind, &domains, app, now)));
        let path = APPLICATIONS.list(Some(&settings.namespace));
        let applications = Feed::new(cluster.clone(), clock.clone(), path, project);
        let rest = settings.rest.clone().map(|(connection, token)| Rest::new(connection, token));
        Self { settings, cluster, clock, applications, rest, pace: Duration::from_millis(700) }
    }

    /// The rights that its operations need.
    fn wanted(&self) -> Vec<(&'static str, Right<'_>)> {
        let right = Right {
            verb: "patch",
            resource: &APPLICATIONS,
            subresource: "",
            namespace: Some(&self.settings.namespace),
        };
        [kinds::REFRESH, kinds::SYNC].map(|op| (op, right.clone())).to_vec()
    }
}

fn path(id: &EntityId) -> Result<String, ApiError> {
    if id.kind.as_str() == kinds::APPLICATIONS {
        APPLICATIONS.object(&id.key)
    } else {
        Err(ApiError::unsupported(format!("{} is no kind of Argo CD", id.kind)))
    }
}

#[async_trait]
impl Backend for Argo {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.settings.name
    }

    fn sources(&self) -> Vec<SourceSpec> {
        vec![source(&self.settings)]
    }

    async fn poll(&self, _source: &SourceId) -> Result<Snapshot, ApiError> {
        self.applications.snapshot().await
    }

    async fn watch(&self, _source: &SourceId, sink: DeltaSink) -> Result<(), ApiError> {
        self.applications.follow(sink).await
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let within = Some(self.settings.namespace.as_str());
        let found = kubernetes::resolve(&self.cluster, &APPLICATIONS, kind, exact, within).await?;
        let ours = |target: Target| Target {
            id: EntityId { instance: self.settings.name.clone(), ..target.id },
            domain: self.settings.domain,
            ..target
        };
        Ok(found.into_iter().map(ours).collect())
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        let path = path(id)?;
        match view {
            "describe" => {
                repeat(&sink, PACE, || async {
                    let app: Application = kubernetes::read(&self.cluster, &path).await?;
                    Ok(View::Doc(doc::describe(&app, self.clock.now())))
                })
                .await
            }
            "yaml" => kubernetes::as_yaml(&self.cluster, &path, &sink).await,
            _ => Err(ApiError::unsupported(format!("there is no view `{view}` of an application"))),
        }
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        rights::of(&self.cluster, &self.wanted()).await
    }

    async fn doctor(&self) -> Diagnosis {
        doctor::examine(self, self.clock.now()).await
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        kubernetes::identify(&self.cluster, &path(target)?).await
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
}
