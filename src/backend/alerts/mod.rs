//! Alertmanager and Prometheus as one system: what fires, why it is quiet, and whether that can be believed.
//!
//! Alertmanager has no values, no pending alerts and no word on rules; Prometheus has no silences. One instance is a
//! cluster of Alertmanagers, a Prometheus, or both of one name; all instances share what the Prometheus servers know.

mod ack;
mod ask;
mod client;
mod cluster;
mod databases;
mod doc;
mod doctor;
mod feed;
mod fields;
mod kinds;
mod labels;
mod matcher;
mod ops;
mod past;
mod promwire;
mod routing;
mod rows;
mod severity;
#[cfg(feature = "demo")]
mod sim;
mod watch;
mod whole;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::config::{self, Config};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::op::{Field, Job, OpSpec, Rights, Target, Verdict};
use crate::model::row::Domain;
use crate::model::snapshot::{Cadence, Mode, Snapshot, SourceSpec};
use crate::model::time::Clock;

use super::error::{ApiError, SendError};
use super::loki::Reader;
use super::{Backend, Definition, Diagnosis, ProgressSink, Proof, Receipt, Upkeep, ViewSink};

pub use ask::Asker;
pub use whole::read_whole;

use cluster::Cluster;
use feed::{Feed, Knowledge};
use rows::alerts::Around;
use severity::Scale;

/// The backend's id.
const ID: &str = "alerts";
/// The stream of what Alertmanagers hold.
const ALERTMANAGER: &str = "alertmanager";
/// The stream of what a Prometheus evaluates.
const PROMETHEUS: &str = "prometheus";
/// The stream of how alerts are told together.
const GROUPS: &str = "groups";
/// The stream of database servers.
const DATABASES: &str = "databases";
/// The stream of what fired within a day.
const HISTORY: &str = "history";

/// The backend's line in the registry.
pub const DEFINITION: Definition = Definition {
    id: ID,
    kinds: kinds::all,
    operations: kinds::operations,
    connect,
    #[cfg(feature = "demo")]
    simulators: sim::all,
};

/// What all instances look at together.
#[derive(Debug)]
struct Shared {
    clusters: Vec<(Arc<str>, Arc<Cluster>)>,
    feeds: Vec<Arc<Feed>>,
    /// Where lines around an alert are read.
    lokis: Vec<Reader>,
    /// The longest silence that may be made, in seconds.
    longest: i64,
    /// What the words of severity mean here.
    scale: Scale,
    /// The name of the alert that always fires.
    watchdog: String,
    clock: Clock,
}

/// One instance: the Alertmanagers of a cluster, a Prometheus, or both under one name.
#[derive(Debug)]
struct Alerts {
    instance: Arc<str>,
    cluster: Option<Arc<Cluster>>,
    feed: Option<Arc<Feed>>,
    shared: Arc<Shared>,
}

fn connect(config: &Config, clock: &Clock) -> Vec<Arc<dyn Backend>> {
    let mut members: BTreeMap<Arc<str>, Vec<&config::Alertmanager>> = BTreeMap::new();
    let mut order: Vec<Arc<str>> = Vec::new();
    for member in &config.alertmanager {
        let name = member.cluster.as_deref().map_or_else(|| member.connection.name.clone(), Arc::from);
        if !members.contains_key(&name) {
            order.push(name.clone());
        }
        members.entry(name).or_default().push(member);
    }
    let clusters: Vec<_> = order
        .iter()
        .filter_map(|name| Some((name.clone(), Arc::new(Cluster::new(members.get(name)?, clock)))))
        .collect();
    let feeds: Vec<_> = config.prometheus.iter().map(|server| Arc::new(Feed::new(server, clock))).collect();
    for feed in &feeds {
        if !order.contains(&feed.name) {
            order.push(feed.name.clone());
        }
    }
    let longest = i64::try_from(config.guard.longest_silence.as_secs()).unwrap_or(kinds::LONGEST);
    let words = config.alerts.severity.iter().map(|(word, means)| (word.as_str(), means.as_str()));
    let shared = Arc::new(Shared {
        clusters,
        feeds,
        lokis: config.loki.iter().map(Reader::new).collect(),
        longest,
        scale: Scale::new(words),
        watchdog: config.alerts.watchdog.clone(),
        clock: clock.clone(),
    });
    order.into_iter().map(|instance| Alerts::of(instance, &shared)).collect()
}

impl Alerts {
    fn of(instance: Arc<str>, shared: &Arc<Shared>) -> Arc<dyn Backend> {
        let cluster = shared.clusters.iter().find(|(name, _)| *name == instance);
        let feed = shared.feeds.iter().find(|feed| feed.name == instance);
        Arc::new(Self {
            cluster: cluster.map(|(_, cluster)| cluster.clone()),
            feed: feed.cloned(),
            shared: shared.clone(),
            instance,
        })
    }

    /// The cluster that an operation writes to.
    fn cluster(&self) -> Result<&Arc<Cluster>, ApiError> {
        let missing =
            || ApiError::unsupported(format!("no Alertmanager is configured under {}", self.instance));
        self.cluster.as_ref().ok_or_else(missing)
    }

    /// The Prometheus of this instance.
    fn feed(&self) -> Result<&Arc<Feed>, ApiError> {
        let missing =
            || ApiError::unsupported(format!("no Prometheus is configured under {}", self.instance));
        self.feed.as_ref().ok_or_else(missing)
    }

    /// Alertmanager knows no rights: who reaches it may do everything.
    fn may(&self) -> Rights {
        let mut rights = Rights::default();
        if self.cluster.is_none() {
            for op in [kinds::SILENCE, kinds::EXTEND, kinds::EXPIRE, kinds::ACK, kinds::UNACK] {
                rights.missing.insert(op.to_owned(), "to write to Alertmanager".to_owned());
            }
        }
        rights
    }

    fn domain(&self) -> Domain {
        let cluster = self.cluster.as_ref().map(|cluster| cluster.domain);
        cluster.or_else(|| self.feed.as_ref().map(|feed| feed.domain)).unwrap_or_default()
    }

    /// What the rows of one poll share.
    fn around<'a>(&'a self, feeds: &'a [Arc<Knowledge>]) -> Around<'a> {
        let plain = Around::plain(&self.instance, self.domain(), self.now());
        Around { feeds, scale: &self.shared.scale, ..plain }
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    fn source(&self, feed: &str, kinds: &[&'static str], cadence: Cadence, domain: Domain) -> SourceSpec {
        SourceSpec {
            id: SourceId::new(ID, self.instance.clone(), feed),
            kinds: kinds.iter().map(|kind| KindId::from(*kind)).collect(),
            mode: Mode::Poll(cadence),
            domain,
        }
    }
}

#[async_trait]
impl Backend for Alerts {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.instance
    }

    fn sources(&self) -> Vec<SourceSpec> {
        let mut sources = Vec::new();
        if let Some(cluster) = &self.cluster {
            let lists = [kinds::ALERTS, kinds::SILENCES, kinds::RECEIVERS, kinds::TRUST];
            let cadence = Cadence { focused: 10, visible: 15, hidden: 30 };
            sources.push(self.source(ALERTMANAGER, &lists, cadence, cluster.domain));
            let seldom = Cadence { focused: 15, visible: 60, hidden: 300 };
            sources.push(self.source(GROUPS, &[kinds::GROUPS], seldom, cluster.domain));
            let past = Cadence { focused: 30, visible: 60, hidden: 120 };
            sources.push(self.source(HISTORY, &[kinds::HISTORY], past, cluster.domain));
        }
        if let Some(feed) = &self.feed {
            let cadence = Cadence { focused: 15, visible: 15, hidden: 60 };
            let lists = [kinds::ALERTS, kinds::RULES, kinds::TRUST];
            sources.push(self.source(PROMETHEUS, &lists, cadence, feed.domain));
            let cadence = Cadence { focused: 10, visible: 30, hidden: 60 };
            sources.push(self.source(DATABASES, &[kinds::DATABASES], cadence, feed.domain));
        }
        sources
    }

    async fn poll(&self, source: &SourceId) -> Result<Snapshot, ApiError> {
        watch::poll(self, &source.feed).await
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        watch::resolve(self, kind, exact).await
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        doc::open(self, id, view, sink).await
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        Ok(self.may())
    }

    async fn doctor(&self) -> Diagnosis {
        doctor::look(self).await
    }

    async fn form(&self, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
        ops::form(self, op, targets).await
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        ops::identify(self, target).await
    }

    async fn preflight(&self, job: &Job) -> Result<Verdict, ApiError> {
        ops::preflight(self, job).await
    }

    async fn operate(&self, job: &Job, _progress: ProgressSink) -> Result<Receipt, SendError> {
        ops::operate(self, job).await
    }

    async fn upkeep(&self, job: &Job, since: Timestamp) -> Result<Upkeep, ApiError> {
        ops::upkeep(self, job, since).await
    }

    async fn verify(&self, job: &Job, remote: Option<&str>, since: Timestamp) -> Result<Proof, ApiError> {
        ops::verify(self, job, remote, since).await
    }
}

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;
