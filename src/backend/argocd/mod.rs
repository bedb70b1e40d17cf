//! Argo CD: read and driven through its custom resources, so that it works when argocd-server or single sign-on is
//! down; its REST API is the second way in, for what the resources do not carry.

mod doctor;
mod held;
pub mod kinds;
mod ops;
mod places;
mod rest;
pub mod rows;
mod sets;
#[cfg(feature = "demo")]
pub mod sim;
mod views;
mod waves;
mod windows;
pub mod wire;

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::config::{ArgoCd, Config, Probe};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::op::{Field, Job, OpSpec, Rights, Target, Verdict};
use crate::model::snapshot::{Cadence, Fault, Layer, Mode, Snapshot, SourceSpec};
use crate::model::time::{Clock, parse_duration};

use super::broken::Broken;
use super::error::{ApiError, SendError};
use super::kubernetes;
use super::kubernetes::client::Cluster;
use super::kubernetes::resource::Resource;
use super::kubernetes::rights::{self, Right};
use super::kubernetes::rows::Maker;
use super::kubernetes::watch::{Feed, Follow as _, Project};
use super::lenient::{Dict, Obj};
use super::{Backend, Definition, DeltaSink, Diagnosis, ProgressSink, Proof, Receipt, ViewSink};

use rest::Rest;
use rows::{Domains, Limit};
use wire::{Application, Destination};

pub use held::Held;
pub use ops::occupied;

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

/// `configmaps`, of which one holds Argo CD's settings.
static CONFIG: Resource = Resource::fixed("", "v1", "configmaps", "ConfigMap", true);

/// `ConfigMap`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ConfigMap {
    data: Obj<Dict>,
}

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
    let make = |settings: &ArgoCd| -> Arc<dyn Backend> {
        match Argo::of(settings, config, clock) {
            Some(argo) => Arc::new(argo),
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
        ("clusters", kinds::CLUSTERS, SELDOM),
        ("repositories", kinds::REPOSITORIES, SELDOM),
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
    /// The other configured clusters, into which it may deliver.
    others: Vec<Arc<Cluster>>,
    /// How the addresses of applications are tried.
    probes: Vec<Probe>,
    limit: Limit,
    /// How often an application under operation is read.
    pace: Duration,
}

impl Argo {
    /// The backend of a configured instance; `None` where its cluster is not configured.
    pub fn of(settings: &ArgoCd, config: &Config, clock: &Clock) -> Option<Self> {
        let own = config.kubernetes.iter().find(|cluster| cluster.name == settings.kubernetes)?;
        let domains = config.kubernetes.iter().map(|k| (k.name.clone(), k.domain)).collect();
        let others = config.kubernetes.iter().filter(|cluster| cluster.name != settings.kubernetes);
        let others = others.map(|cluster| Cluster::new(cluster.clone())).collect();
        let made = Self::new(settings.clone(), Cluster::new(own.clone()), domains, clock.clone());
        Some(Self { others, ..made.probing(config.probe.clone()) })
    }

    /// A backend on the cluster that holds the Applications.
    pub fn new(settings: ArgoCd, cluster: Arc<Cluster>, domains: Domains, clock: Clock) -> Self {
        let maker = Arc::new(Maker::new(settings.name.clone(), settings.domain));
        let path = |resource: &Resource| resource.list(Some(&settings.namespace));
        let (own, kind) = (maker.clone(), KindId::from(kinds::APPLICATIONS));
        let limit = Limit::default();
        let known = limit.clone();
        let project: Project<Application> =
            Arc::new(move |app, now| Some(rows::project(&own, &kind, &domains, known.get(), app, now)));
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
            others: Vec::new(),
            probes: Vec::new(),
            limit,
            pace: Duration::from_millis(700),
        }
    }

    /// How old a comparison may be; `None` where Argo CD compares only when asked.
    pub fn stale(&self) -> Option<SignedDuration> {
        self.limit.get()
    }

    /// The configured cluster that an application is delivered to.
    pub fn destination(&self, to: &Destination) -> Option<Arc<Cluster>> {
        match (to.name.some(), &*to.server) {
            (Some("in-cluster"), _) | (None, "https://kubernetes.default.svc") => Some(self.cluster.clone()),
            (Some(name), _) => self.others.iter().find(|other| *other.settings().name == *name).cloned(),
            (None, _) => None,
        }
    }

    /// Reads how often Argo CD compares; where that may not be read, the usual period is assumed.
    async fn learn_period(&self) {
        let Ok(path) = CONFIG.object(&format!("{}/argocd-cm", self.settings.namespace)) else { return };
        let Ok(map) = kubernetes::read::<ConfigMap>(&self.cluster, &path).await else { return };
        let seconds = |name: &str, usual: i64| {
            let written = map.data.get(name).and_then(parse_duration);
            written.map_or(usual, |duration| duration.as_secs())
        };
        self.limit
            .learn(seconds("timeout.reconciliation", 120), seconds("timeout.reconciliation.jitter", 60));
    }

    /// The rights that its operations need.
    fn wanted(&self) -> Vec<(&'static str, Right<'_>)> {
        kinds::OPERATIONS.map(|op| (op, self.patching())).to_vec()
    }

    /// The right to change applications.
    fn patching(&self) -> Right<'_> {
        Right {
            verb: "patch",
            resource: &APPLICATIONS,
            subresource: "",
            namespace: Some(&self.settings.namespace),
        }
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
            "clusters" => places::snapshot(self, kinds::CLUSTERS, self.clock.now()).await,
            "repositories" => places::snapshot(self, kinds::REPOSITORIES, self.clock.now()).await,
            "waves" => {
                let applications = self.applications.snapshot().await?;
                let rows = waves::rows(&self.maker, &kinds::WAVES.into(), &applications.rows);
                Ok(Snapshot { rows, ..applications })
            }
            _ => {
                self.learn_period().await;
                self.applications.snapshot().await
            }
        }
    }

    async fn watch(&self, _source: &SourceId, sink: DeltaSink) -> Result<(), ApiError> {
        self.learn_period().await;
        self.applications.follow(sink).await
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        if kind.as_str() == kinds::WAVES {
            return ops::waves::resolve(self, exact).await;
        }
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
        views::open(self, id, view, sink).await
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        let mut rights = rights::of(&self.cluster, &self.wanted()).await?;
        if self.rest.is_none() {
            rights.missing.insert(kinds::ACTION.to_owned(), "the REST API (`url` and `token`)".to_owned());
        }
        Ok(rights)
    }

    async fn doctor(&self) -> Diagnosis {
        doctor::examine(self, self.clock.now()).await
    }

    async fn form(&self, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
        ops::form(self, op, targets).await
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        if target.kind.as_str() == kinds::WAVES {
            return ops::waves::identify(self, target).await;
        }
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
