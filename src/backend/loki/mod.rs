//! Loki: the lines that were written around a time, for an alert or for a stream.

mod client;
mod select;
#[cfg(feature = "demo")]
mod sim;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::config::{self, Config};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::kind::{Column, KindSpec, Shape, ViewSpec, Width};
use crate::model::op::{Rights, Target};
use crate::model::row::{Cell, Domain, Facet, FacetKey, Grade, Health, Row, Tone, Value};
use crate::model::snapshot::{Cadence, Mode, Snapshot, SourceSpec};
use crate::model::time::Clock;
use crate::model::view::{Doc, DocLine, Fact, LogLine, View};

use super::error::ApiError;
use super::{Backend, Definition, Diagnosis, Finding, ViewSink};

use client::Client;

const ID: &str = "loki";
/// Streams that had lines within the last hour.
const STREAMS: &str = "loki.streams";
/// The stream of streams.
const FEED: &str = "streams";
/// How many streams are listed at most.
const LISTED: usize = 2_000;
/// How far back streams are looked for, and an open log begins, in seconds.
const BACK: i64 = 3_600;
/// Between two looks at a log that is open.
const PAUSE: Duration = Duration::from_secs(3);

/// The backend's line in the registry.
pub const DEFINITION: Definition = Definition {
    id: ID,
    kinds: || vec![kind()],
    operations: Vec::new,
    connect,
    #[cfg(feature = "demo")]
    simulators: sim::all,
};

fn kind() -> KindSpec {
    KindSpec {
        id: STREAMS.into(),
        singular: "stream".into(),
        aliases: vec!["stream".into()],
        doc: "Log streams that had lines within the last hour.".into(),
        columns: vec![
            Column::new("namespace", "namespace", Width::Fit(4, 24), "its namespace").priority(1),
            Column::new("name", "stream", Width::Flex(2), "its pod, else its application or job").priority(0),
            Column::new("container", "container", Width::Fit(4, 24), "its container").priority(2),
            Column::new("node", "node", Width::Fit(4, 20), "its node").priority(3),
            Column::new("labels", "labels", Width::Flex(3), "all its labels").wide(),
        ],
        sort: (0, false),
        views: vec![ViewSpec { name: "log".into(), title: "log".into(), shape: Shape::Log }],
        drill: None,
        pane: None,
    }
}

/// Reads lines for other backends: what was written around an instant.
#[derive(Debug)]
pub struct Reader {
    /// The instance's name.
    pub name: Arc<str>,
    client: Client,
    grafana: Option<(String, String)>,
}

/// Lines around an instant, and which selector found them.
#[derive(Debug, Clone, PartialEq)]
pub struct Around {
    /// The selector.
    pub selector: String,
    /// The lines by time.
    pub lines: Vec<LogLine>,
    /// The first and the last instant that were asked for.
    pub span: (Timestamp, Timestamp),
}

impl Reader {
    /// Resolves secrets, so it may block.
    pub fn new(config: &config::Loki) -> Self {
        Self {
            name: config.connection.name.clone(),
            client: Client::new(config),
            grafana: config.grafana.clone(),
        }
    }

    /// From ten minutes before an instant to five after; the first selector that has lines is taken.
    pub async fn around<'l>(
        &self,
        label: impl Fn(&str) -> Option<&'l str>,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Around, ApiError> {
        let span = window(at, now);
        let known = self.client.labels().await?;
        let selectors = select::selectors(label, &known);
        let Some(widest) = selectors.last().cloned() else {
            return Err(ApiError::unsupported("its labels name no stream that this Loki could have"));
        };
        for selector in selectors {
            let lines = self.client.lines(&selector, span).await?;
            if !lines.is_empty() {
                return Ok(Around { selector, lines, span });
            }
        }
        Ok(Around { selector: widest, lines: Vec::new(), span })
    }

    /// The same lines in Grafana's Explore; `None` where no Grafana is configured.
    pub fn link(&self, selector: &str, span: (Timestamp, Timestamp)) -> Option<String> {
        let (base, uid) = self.grafana.as_ref()?;
        let panes = serde_json::json!({"v": {
            "datasource": uid,
            "queries": [{"refId": "A", "datasource": {"type": "loki", "uid": uid}, "expr": selector}],
            "range": {"from": span.0.as_millisecond().to_string(), "to": span.1.as_millisecond().to_string()},
        }});
        let mut url = url::Url::parse(&format!("{base}/explore")).ok()?;
        let panes = panes.to_string();
        url.query_pairs_mut().extend_pairs([
            ("schemaVersion", "1"),
            ("orgId", "1"),
            ("panes", panes.as_str()),
        ]);
        Some(url.into())
    }
}

/// Ten minutes before, five after, and no further than now.
fn window(at: Timestamp, now: Timestamp) -> (Timestamp, Timestamp) {
    let end = (at + SignedDuration::from_mins(5)).min(now.max(at));
    (at - SignedDuration::from_mins(10), end)
}

/// One instance.
#[derive(Debug)]
struct Loki {
    reader: Reader,
    domain: Domain,
    clock: Clock,
}

fn connect(config: &Config, clock: &Clock) -> Vec<Arc<dyn Backend>> {
    let make = |loki: &config::Loki| -> Arc<dyn Backend> {
        Arc::new(Loki { reader: Reader::new(loki), domain: loki.connection.domain, clock: clock.clone() })
    };
    config.loki.iter().map(make).collect()
}

impl Loki {
    fn row(&self, labels: &BTreeMap<String, String>) -> Row {
        let label =
            |names: &[&str]| names.iter().find_map(|name| labels.get(*name)).map_or("", String::as_str);
        let namespace = label(&["namespace", "k8s_namespace_name"]);
        let name = label(&["pod", "k8s_pod_name", "app", "service_name", "job"]);
        let node = label(&["node", "k8s_node_name"]);
        let parts: Vec<(&str, &str)> =
            labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let selector = select::selector(&parts);
        let cells = vec![
            Cell::new(Value::text(namespace)),
            Cell::new(Value::text(name)),
            Cell::new(Value::text(label(&["container", "k8s_container_name"]))),
            Cell::new(Value::text(node)),
            Cell::toned(Value::text(&selector), Tone::Dim),
        ];
        let id = EntityId::new(STREAMS, self.reader.name.clone(), selector.as_str());
        let mut row = Row::new(id, if name.is_empty() { selector.as_str() } else { name }, cells);
        row.health = Health::Ok;
        row.domain = self.domain;
        row.identity = Identity::new().with("labels", selector);
        if let Some(cluster) = labels.get("cluster").filter(|_| !namespace.is_empty() && !name.is_empty()) {
            let object = format!("{cluster}/{namespace}/{name}");
            row.facets = Box::new([Facet::new(FacetKey::Object, object, Grade::Likely)]);
        }
        row
    }

    async fn list(&self) -> Result<Snapshot, ApiError> {
        let now = self.clock.now();
        let span = (now - SignedDuration::from_secs(BACK), now);
        let known = self.reader.client.labels().await?;
        let first = ["namespace", "k8s_namespace_name", "job", "service_name"];
        let Some(name) = first.into_iter().find(|name| known.iter().any(|known| known == name)) else {
            return Ok(Snapshot {
                complete: false,
                notes: vec!["it has none of the usual labels".to_owned()],
                ..Snapshot::complete(Vec::new(), now)
            });
        };
        let mut series = self.reader.client.series(&format!("{{{name}=~\".+\"}}"), span).await?;
        let complete = series.len() <= LISTED;
        series.truncate(LISTED);
        let rows = series.iter().map(|labels| self.row(labels)).collect();
        let notes = if complete { Vec::new() } else { vec![format!("only {LISTED} streams are listed")] };
        Ok(Snapshot { rows, complete, observed_at: now, notes })
    }

    /// Follows the lines of a selector: `query_range` again and again, which every proxy lets through.
    async fn follow(&self, selector: &str, sink: ViewSink) -> Result<(), ApiError> {
        let mut from = self.clock.now() - SignedDuration::from_secs(BACK);
        loop {
            let now = self.clock.now() + SignedDuration::from_secs(1);
            let lines = self.reader.client.lines(selector, (from, now)).await?;
            if let Some(last) = lines.iter().filter_map(|line| line.at).max() {
                from = last + SignedDuration::from_nanos(1);
            }
            if !lines.is_empty() && sink.send(View::Log(lines)).await.is_err() {
                return Ok(());
            }
            tokio::select! {
                () = sink.closed() => return Ok(()),
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
}

#[async_trait]
impl Backend for Loki {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.reader.name
    }

    fn sources(&self) -> Vec<SourceSpec> {
        vec![SourceSpec {
            id: SourceId::new(ID, self.reader.name.clone(), FEED),
            kinds: vec![STREAMS.into()],
            mode: Mode::Poll(Cadence { focused: 30, visible: 60, hidden: 300 }),
            domain: self.domain,
        }]
    }

    async fn poll(&self, _source: &SourceId) -> Result<Snapshot, ApiError> {
        self.list().await
    }

    async fn resolve(&self, _kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let rows = self.list().await?.rows.into_iter();
        let rows = rows.filter(|row| &*row.name == exact || &*row.id.key == exact);
        Ok(rows.map(Target::from).collect())
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        if view == "log" {
            return self.follow(&id.key, sink).await;
        }
        if view != "describe" {
            return Err(ApiError::unsupported(format!("there is no view {view} of {}", id.kind)));
        }
        let now = self.clock.now();
        let span = (now - SignedDuration::from_secs(BACK), now);
        let lines = self.reader.client.lines(&id.key, span).await?;
        let errors = lines.iter().filter(|line| line.tone == Tone::Error).count();
        let count = |n: usize| i64::try_from(n).unwrap_or(0);
        let facts = vec![
            Fact::new("selector", &*id.key),
            Fact::new("lines of the last hour, at most 500", count(lines.len())),
            Fact::new("errors among them", count(errors)).tone(if errors > 0 {
                Tone::Warn
            } else {
                Tone::Text
            }),
        ];
        let last =
            lines.iter().rev().take(10).rev().map(|line| DocLine::toned(&*line.text, line.tone)).collect();
        let link = self.reader.link(&id.key, span).into_iter().map(DocLine::new).collect();
        let doc = Doc::default().facts("", facts).lines("last lines", last).lines("in Grafana", link);
        let _ = sink.send(View::Doc(doc)).await;
        sink.closed().await;
        Ok(())
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        Ok(Rights::default())
    }

    async fn doctor(&self) -> Diagnosis {
        let started = Instant::now();
        let findings = match self.reader.client.ready().await {
            Ok(reply) => {
                let reach = format!("{} in {} ms", reply.url, started.elapsed().as_millis());
                let mut findings = vec![Finding::new("reach", reach, Tone::Ok)];
                findings.push(match self.reader.client.labels().await {
                    Ok(labels) => {
                        Finding::new("auth", format!("accepted, {} labels", labels.len()), Tone::Ok)
                    }
                    Err(error) => Finding::new("auth", format!("{error}; {}", error.fault.hint), Tone::Error),
                });
                findings
            }
            Err(error) => vec![Finding::new("reach", error.to_string(), Tone::Error)],
        };
        Diagnosis { findings, ..Diagnosis::default() }
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        Ok(Identity::new().with("labels", &*target.key))
    }
}

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;
