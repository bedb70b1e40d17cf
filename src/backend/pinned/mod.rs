//! Services that must stay where they are: somebody outside knows them by the address that they come from.
//!
//! The rows tell where they run, from which address others see them and how much of the time they were up; the gate
//! looks at these rows before anything is done that would move one.

mod look;
mod rows;
#[cfg(feature = "demo")]
mod sim;

use std::sync::Arc;

use async_trait::async_trait;

use crate::config::{self, Config};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::kind::Format;
use crate::model::op::{Rights, Target};
use crate::model::row::{Domain, Row, Tone, Value};
use crate::model::snapshot::{Cadence, Mode, Snapshot, SourceSpec};
use crate::model::time::Clock;
use crate::model::view::{Doc, DocLine, Fact, View};

use super::alerts::Asker;
use super::error::ApiError;
use super::http::{Http, Profile};
use super::kubernetes::client::Cluster;
use super::{Backend, Definition, Diagnosis, Finding, ViewSink};

/// The backend's id: what vigie itself watches.
const ID: &str = "vigie";
/// The name of the only instance and of its stream.
const INSTANCE: &str = "pinned";

/// The backend's line in the registry.
pub const DEFINITION: Definition = Definition {
    id: ID,
    kinds: || vec![rows::kind()],
    operations: Vec::new,
    connect,
    #[cfg(feature = "demo")]
    simulators: sim::all,
};

/// One service and the ways to look at it.
struct Watched {
    config: config::Pinned,
    cluster: Option<Arc<Cluster>>,
    domain: Domain,
    page: Option<Result<Http, ApiError>>,
    prometheus: Option<Asker>,
}

/// All pinned services.
struct Services {
    instance: Arc<str>,
    watched: Vec<Watched>,
    clock: Clock,
}

fn connect(config: &Config, clock: &Clock) -> Vec<Arc<dyn Backend>> {
    if config.pinned.is_empty() {
        return Vec::new();
    }
    let watch = |service: &config::Pinned| {
        let cluster = config.kubernetes.iter().find(|cluster| cluster.name == service.kubernetes);
        let server =
            config.prometheus.iter().find(|p| Some(&p.connection.name) == service.prometheus.as_ref());
        Watched {
            cluster: cluster.map(|cluster| Cluster::new(cluster.clone())),
            domain: cluster.map(|cluster| cluster.domain).unwrap_or_default(),
            page: service.egress_url.as_ref().map(|page| Http::new(page, &[], &Profile::default())),
            prometheus: server.map(Asker::new),
            config: service.clone(),
        }
    };
    let watched = config.pinned.iter().map(watch).collect();
    vec![Arc::new(Services { instance: INSTANCE.into(), watched, clock: clock.clone() })]
}

impl Services {
    async fn observe(&self) -> Snapshot {
        let now = self.clock.now();
        let looks = self.watched.iter().map(|watched| look::look(watched, now));
        let mut snapshot = Snapshot::complete(Vec::new(), now);
        for (watched, sight) in self.watched.iter().zip(futures_util::future::join_all(looks).await) {
            match sight {
                Ok(sight) => {
                    let row = rows::row(&watched.config, &sight, &self.instance, watched.domain);
                    snapshot.rows.push(row);
                }
                Err(error) => {
                    snapshot.complete = false;
                    snapshot.notes.push(format!("{}: {error}", watched.config.name));
                }
            }
        }
        snapshot
    }

    fn describe(&self, row: &Row) -> Doc {
        let kind = rows::kind();
        let facts = kind.columns.into_iter().zip(&row.cells).filter(|(_, cell)| cell.value != Value::Empty);
        let facts = facts.map(|(column, cell)| {
            let format = if column.format == Format::State { Format::Plain } else { column.format };
            Fact { tone: cell.tone, format, ..Fact::new(column.title, cell.value.clone()) }
        });
        let mut lines: Vec<DocLine> =
            row.note.iter().map(|note| DocLine::toned(note.to_string(), Tone::from(row.health))).collect();
        let watched = self.watched.iter().find(|watched| *watched.config.name == *row.id.key);
        if let Some(config) = watched.map(|watched| &watched.config) {
            let word = if config.block { "refused" } else { "warned of" };
            lines.push(DocLine::new(format!(
                "Whatever would move it or its node is {word} before it is sent."
            )));
            if config.egress.is_some() && config.egress_url.is_none() && config.egress_query.is_none() {
                lines.push(DocLine::toned("Nothing measures its address: egress ?", Tone::Unknown));
            }
        }
        Doc::default().facts("", facts.collect()).lines("", lines)
    }
}

#[async_trait]
impl Backend for Services {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.instance
    }

    fn sources(&self) -> Vec<SourceSpec> {
        vec![SourceSpec {
            id: SourceId::new(ID, self.instance.clone(), INSTANCE),
            kinds: vec![rows::PINNED.into()],
            mode: Mode::Poll(Cadence { focused: 15, visible: 30, hidden: 60 }),
            domain: self.watched.first().map(|watched| watched.domain).unwrap_or_default(),
        }]
    }

    async fn poll(&self, _source: &SourceId) -> Result<Snapshot, ApiError> {
        Ok(self.observe().await)
    }

    async fn resolve(&self, _kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let rows = self.observe().await.rows.into_iter().filter(|row| &*row.name == exact);
        Ok(rows.map(Target::from).collect())
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        if view != "describe" {
            return Err(ApiError::unsupported(format!("there is no view {view} of {}", id.kind)));
        }
        loop {
            let seen = self.observe().await;
            let row = seen.rows.iter().find(|row| row.id == *id);
            let missing = || ApiError::unsupported(seen.notes.join("; "));
            let doc = self.describe(row.ok_or_else(missing)?);
            if sink.send(View::Doc(doc)).await.is_err() {
                return Ok(());
            }
            tokio::select! {
                () = sink.closed() => return Ok(()),
                () = tokio::time::sleep(std::time::Duration::from_secs(15)) => {}
            }
        }
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        Ok(Rights::default())
    }

    async fn doctor(&self) -> Diagnosis {
        let seen = self.observe().await;
        let mut findings: Vec<Finding> =
            seen.notes.iter().map(|note| Finding::new("pods", note.clone(), Tone::Error)).collect();
        let measured = |row: &Row| {
            let egress = row.cell(3).value.as_text().unwrap_or("?").to_owned();
            let tone = if egress == "?" { Tone::Warn } else { Tone::Ok };
            Finding::new("egress", format!("{}: {egress}", row.name), tone)
        };
        findings.extend(seen.rows.iter().map(measured));
        Diagnosis { findings, ..Diagnosis::default() }
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        Ok(Identity::new().with("service", &*target.key))
    }
}
