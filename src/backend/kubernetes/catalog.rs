//! Which list feeds which kind: one line for each, from which sources, resolving and opening follow.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use crate::backend::error::ApiError;
use crate::model::id::KindId;
use crate::model::row::Row;
use crate::model::snapshot::{Cadence, Mode};
use crate::model::time::Clock;

use super::client::Cluster;
use super::resource::{self, Resource};
use super::rows::{Maker, batch, events, network, nodes, pods, workloads};
use super::watch::{Feed, Follow, Project, Projected};
use super::{kinds, more};

/// One kind and where its rows come from.
pub struct Entry {
    /// The kind.
    pub kind: &'static str,
    /// The resource, whose plural is the source's name too.
    pub resource: &'static Resource,
    /// Followed all the time, or asked now and then.
    pub mode: Mode,
    make: MakeFeed,
}

/// Kinds that are seldom looked at are asked for instead of followed, so that they hold no connection open.
const SELDOM: Mode = Mode::Poll(Cadence { focused: 5, visible: 15, hidden: 300 });

type MakeFeed = fn(&Entry, &Arc<Maker>, &Arc<Cluster>, &Clock) -> Box<dyn Follow>;

type Make<T> = fn(&Maker, &KindId, &T, Timestamp) -> Row;

fn feed<T>(
    entry: &Entry,
    maker: &Arc<Maker>,
    cluster: &Arc<Cluster>,
    clock: &Clock,
    row: Make<T>,
) -> Box<dyn Follow>
where
    T: for<'a> Deserialize<'a> + Send + Sync + 'static,
{
    let (maker, kind) = (maker.clone(), KindId::from(entry.kind));
    let project: Project<T> =
        Arc::new(move |object, now| Some(Projected::from(row(&maker, &kind, object, now))));
    Box::new(Feed::new(cluster.clone(), clock.clone(), entry.resource.list(None), project))
}

macro_rules! entry {
    ($kind:expr, $resource:ident, $mode:expr, $row:path) => {
        Entry {
            kind: $kind,
            resource: &resource::$resource,
            mode: $mode,
            make: |entry, maker, cluster, clock| feed(entry, maker, cluster, clock, $row),
        }
    };
}

/// All of them.
pub static CATALOG: [Entry; 14] = [
    entry!(kinds::NODES, NODES, Mode::Watch, nodes::row),
    entry!(kinds::PODS, PODS, Mode::Watch, pods::row),
    entry!(kinds::EVENTS, EVENTS, Mode::Watch, events::row),
    entry!(more::DEPLOYMENTS, DEPLOYMENTS, SELDOM, workloads::row),
    entry!(more::STATEFULSETS, STATEFULSETS, SELDOM, workloads::row),
    entry!(more::DAEMONSETS, DAEMONSETS, SELDOM, workloads::daemon),
    entry!(more::JOBS, JOBS, SELDOM, batch::job),
    entry!(more::CRONJOBS, CRONJOBS, SELDOM, batch::cron),
    entry!(more::SERVICES, SERVICES, SELDOM, network::service),
    entry!(more::INGRESSES, INGRESSES, SELDOM, network::ingress),
    entry!(more::ROUTES, ROUTES, SELDOM, network::route),
    entry!(more::CLAIMS, CLAIMS, SELDOM, network::claim),
    entry!(more::VOLUMES, VOLUMES, SELDOM, network::volume),
    entry!(more::NAMESPACES, NAMESPACES, SELDOM, network::namespace),
];

impl Entry {
    /// Makes its feed.
    pub fn feed(&self, maker: &Arc<Maker>, cluster: &Arc<Cluster>, clock: &Clock) -> Box<dyn Follow> {
        (self.make)(self, maker, cluster, clock)
    }
}

/// The entry of a kind.
pub fn of(kind: &KindId) -> Result<&'static Entry, ApiError> {
    let found = CATALOG.iter().find(|entry| entry.kind == kind.as_str());
    found.ok_or_else(|| ApiError::unsupported(format!("{kind} is no kind of a cluster")))
}
