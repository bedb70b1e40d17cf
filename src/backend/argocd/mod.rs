//! Argo CD: read and driven through its custom resources, so that it works when argocd-server or single sign-on is
//! down; its REST API is the second way in, for what the resources do not carry.

mod doc;
mod doctor;
mod kinds;
mod ops;
mod rest;
mod rows;
mod sets;
#[cfg(feature = "demo")]
pub mod sim;
mod waves;
mod windows;
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
use crate::model::op::{Field, Job, OpSpec, Rights, Target, Verdict};
use crate::model::snapshot::{Cadence, Fault, Layer, Mode, Snapshot, SourceSpec};
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

/// `applicationsets.argoproj.io`.
pub static SETS: Resource =
    Resource::fixed("argoproj.io", "v1alpha1", "applicationsets", "ApplicationSet", true);
/// `appprojects.argoproj.io`.
pub static PROJECTS: Resource = Resource::fixed("argoproj.io", "v1alpha1", "appprojects", "AppProject", true);

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
                sources: sources(settings),
                fault: Fault::new(
                    Layer::Config,
                    format!("no `[[kubernetes]]` is named {}", settings.kubernetes),
                ),
            }),
        }
    };
    config.argocd.iter().map(make).collect()
}

/// Kinds that are seldom looked at are asked for instead of followed.
const SELDOM: Mode = Mode::Poll(Cadence { focused: 5, visible: 15, hidden: 300 });

fn sources(settings: &ArgoCd) -> Vec<SourceSpec> {
    let source = |(feed, kind, mode): (&str, &str, Mode)| SourceSpec {
        id: SourceId::new(ID, settings.name.clone(), feed),
        kinds: vec![kind.into()],
        mode,
        domain: settings.domain,
    };
    let feeds = [
        ("applications", kinds::APPLICATIONS, Mode::Watch),
        ("waves", kinds::WAVES, SELDOM),
        ("applicationsets", kinds::SETS, SELDOM),
        ("appprojects", kinds::PROJECTS, SELDOM),
    ];
    feeds.map(source).to_vec()
}

/// One Argo CD.
pub struct Argo {
    settings: ArgoCd,
    cluster: Arc<Cluster>,
    clock: Clock,
    maker: Arc<Maker>,
    applications: Feed<Application>,
    sets: Feed<sets::ApplicationSet>,
    projects: Feed<windows::Project>,
    rest: Option<Rest>,
    /// How often an application under operation is read.
    pace: Duration,
}

impl Argo {
    /// A backend on the cluster that holds the Applications.
    pub fn new(settings: ArgoCd, cluster: Arc<Cluster>, domains: Domains, clock: Clock) -> Self {
        let maker = Arc::new(Maker::new(settings.name.clone(), settings.domain));
        let path = |resource: &Resource| resource.list(Some(&settings.namespace));
        let (own, kind) = (maker.clone(), KindId::from(kinds::APPLICATIONS));
        let project: Project<Application> =
            Arc::new(move |app, now| Some(rows::project(&own, &kind, &domains, app, now)));
        let applications = Feed::new(cluster.clone(), clock.clone(), path(&APPLICATIONS), project);
        let project = plain(&maker, kinds::SETS, sets::set);
        let sets = Feed::new(cluster.clone(), clock.clone(), path(&SETS), project);
        let project = plain(&maker, kinds::PROJECTS, sets::project);
        let projects = Feed::new(cluster.clone(), clock.clone(), path(&PROJECTS), project);
        let rest = settings.rest.clone().map(|(connection, token)| Rest::new(connection, token));
        Self {
            settings,
            cluster,
            clock,
            maker,
            applications,
            sets,
            projects,
            rest,
            pace: Duration::from_millis(700),
        }
    }

    /// The rights that its operations need.
    fn wanted(&self) -> Vec<(&'static str, Right<'_>)> {
        let right = Right {
            verb: "patch",
            resource: &APPLICATIONS,
            subresource: "",
            namespace: Some(&self.settings.namespace),
        };
        kinds::OPERATIONS.map(|op| (op, right.clone())).to_vec()
    }
}

/// A projection that needs no second look.
fn plain<T: 'static>(
    maker: &Arc<Maker>,
    kind: &'static str,
    row: fn(&Maker, &KindId, &T, Timestamp) -> crate::model::row::Row,
) -> Project<T> {
    let (maker, kind) = (maker.clone(), KindId::from(kind));
    Arc::new(move |object, now| Some(row(&maker, &kind, object, now).into()))
}

fn resource(kind: &KindId) -> Result<&'static Resource, ApiError> {
    match kind.as_str() {
        kinds::APPLICATIONS => Ok(&APPLICATIONS),
        kinds::SETS => Ok(&SETS),
        kinds::PROJECTS => Ok(&PROJECTS),
        other => Err(ApiError::unsupported(format!("{other} is no object of Argo CD"))),
    }
}

fn path(id: &EntityId) -> Result<String, ApiError> {
    resource(&id.kind)?.object(&id.key)
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
        sources(&self.settings)
    }

    async fn poll(&self, source: &SourceId) -> Result<Snapshot, ApiError> {
        match &*source.feed {
            "applicationsets" => self.sets.snapshot().await,
            "appprojects" => self.projects.snapshot().await,
            "waves" => {
                let applications = self.applications.snapshot().await?;
                let rows = waves::rows(&self.maker, &kinds::WAVES.into(), &applications.rows);
                Ok(Snapshot { rows, ..applications })
            }
            _ => self.applications.snapshot().await,
        }
    }

    async fn watch(&self, _source: &SourceId, sink: DeltaSink) -> Result<(), ApiError> {
        self.applications.follow(sink).await
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let within = Some(self.settings.namespace.as_str());
        let found = kubernetes::resolve(&self.cluster, resource(kind)?, kind, exact, within).await?;
        let ours = |target: Target| Target {
            id: EntityId { instance: self.settings.name.clone(), ..target.id },
            domain: self.settings.domain,
            ..target
        };
        Ok(found.into_iter().map(ours).collect())
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        if id.kind.as_str() == kinds::WAVES {
            let cluster = id.key.rsplit_once('/').map_or(&*id.key, |(cluster, _)| cluster);
            return repeat(&sink, PACE, || async {
                let applications = self.applications.snapshot().await?;
                Ok(View::Board(waves::board(&applications.rows, cluster)))
            })
            .await;
        }
        let path = path(id)?;
        match view {
            "describe" if id.kind.as_str() != kinds::APPLICATIONS => {
                kubernetes::as_yaml(&self.cluster, &path, &sink).await
            }
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

    async fn form(&self, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
        ops::form(self, op, targets).await
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
