//! What nodes and pods use now, where metrics.k8s.io answers: there is no watch, so it is asked every now and then.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::backend::lenient::{Dict, List, Obj, Text};
use crate::model::id::{EntityId, Identity, KindId};
use crate::model::kind::{Format, Text as Label};
use crate::model::row::{Cell, Health, Row, Tone};
use crate::model::snapshot::Snapshot;
use crate::model::view::{Doc, Fact, View};

use super::client::Cluster;
use super::doc::repeat;
use super::resource::{NODES, is_name};
use super::rows::{Maker, quantity};
use super::wire::{Meta, Node, Page};

/// The API of metrics-server.
const ROOT: &str = "/apis/metrics.k8s.io/v1beta1";

/// How often an open one is read again.
const PACE: std::time::Duration = std::time::Duration::from_secs(15);

/// So much of a node's memory or cores in use is worth a word.
const FULL: f64 = 0.9;

/// `NodeMetrics` or `PodMetrics`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metrics {
    metadata: Obj<Meta>,
    usage: Obj<Dict>,
    containers: List<Container>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    name: Text,
    usage: Obj<Dict>,
}

/// Cores and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Use {
    cores: f64,
    bytes: f64,
}

impl Use {
    fn of(usage: &Dict) -> Self {
        let read = |name: &str| usage.get(name).and_then(quantity::parse).unwrap_or(0.0);
        Self { cores: read("cpu"), bytes: read("memory") }
    }

    fn and(self, other: Self) -> Self {
        Self { cores: self.cores + other.cores, bytes: self.bytes + other.bytes }
    }
}

impl Metrics {
    fn total(&self) -> Use {
        self.containers.iter().fold(Use::of(&self.usage), |sum, container| sum.and(Use::of(&container.usage)))
    }
}

/// What is used by nodes and pods; without metrics-server there is nothing, which is said once.
pub async fn snapshot(
    cluster: &Cluster,
    maker: &Maker,
    kind: &KindId,
    now: Timestamp,
) -> Result<Snapshot, ApiError> {
    let nodes = match list(cluster, "nodes").await {
        Err(error) if matches!(error.fault.status, Some(404 | 503)) => {
            let notes = vec!["metrics-server does not answer: nobody measures what is used".to_owned()];
            return Ok(Snapshot { notes, ..Snapshot::complete(Vec::new(), now) });
        }
        other => other?,
    };
    let limits = limits(cluster).await.unwrap_or_default();
    let mut rows: Vec<Row> = nodes.iter().map(|node| node_row(maker, kind, node, &limits)).collect();
    let pods = list(cluster, "pods").await?;
    rows.extend(pods.iter().map(|pod| pod_row(maker, kind, pod)));
    Ok(Snapshot::complete(rows, now))
}

async fn list(cluster: &Cluster, plural: &str) -> Result<Vec<Metrics>, ApiError> {
    Ok(cluster.get(&format!("{ROOT}/{plural}")).await?.json::<Page<Metrics>>()?.items.0)
}

/// What each node has to give.
async fn limits(cluster: &Cluster) -> Result<HashMap<String, Use>, ApiError> {
    let page: Page<Node> = cluster.get(&NODES.list(None)).await?.json()?;
    let limit = |node: &Node| (node.metadata.name.as_str().to_owned(), Use::of(&node.status.allocatable));
    Ok(page.items.iter().map(limit).collect())
}

fn part(used: f64, of: Option<f64>) -> Option<f64> {
    of.filter(|of| *of > 0.0).map(|of| used / of)
}

#[allow(clippy::cast_possible_truncation)]
fn bytes(value: f64) -> i64 {
    value as i64
}

fn row(maker: &Maker, kind: &KindId, key: String, name: &str, cells: Vec<Cell>) -> Row {
    let id = EntityId::new(kind.clone(), maker.instance.clone(), key.as_str());
    let mut row = Row::new(id, name, cells);
    row.health = Health::Ok;
    row.domain = maker.domain;
    row.identity = Identity::new().with("name", key);
    row
}

fn node_row(maker: &Maker, kind: &KindId, node: &Metrics, limits: &HashMap<String, Use>) -> Row {
    let (name, used) = (node.metadata.name.as_str(), node.total());
    let limit = limits.get(name);
    let (cpu, memory) =
        (part(used.cores, limit.map(|limit| limit.cores)), part(used.bytes, limit.map(|limit| limit.bytes)));
    let tone =
        |part: Option<f64>| if part.is_some_and(|part| part >= FULL) { Tone::Warn } else { Tone::Text };
    let cells = vec![
        maker.cell("node"),
        Cell::new(name),
        Cell::empty(),
        Cell::new(used.cores),
        Cell::toned(cpu, tone(cpu)),
        Cell::new(bytes(used.bytes)),
        Cell::toned(memory, tone(memory)),
    ];
    let mut row = row(maker, kind, format!("node/{name}"), name, cells);
    if let Some(full) = memory.filter(|memory| *memory >= FULL) {
        row.health = Health::Warning;
        row.note = Some(format!("{:.0} % of its memory is in use", full * 100.0).into());
    }
    row.facets = Box::new([maker.node(name)]);
    row
}

fn pod_row(maker: &Maker, kind: &KindId, pod: &Metrics) -> Row {
    let (namespace, name, used) = (pod.metadata.namespace.as_str(), pod.metadata.name.as_str(), pod.total());
    let cells = vec![
        maker.cell("pod"),
        Cell::new(name),
        maker.cell(namespace),
        Cell::new(used.cores),
        Cell::empty(),
        Cell::new(bytes(used.bytes)),
        Cell::empty(),
    ];
    let mut row = row(maker, kind, format!("pod/{namespace}/{name}"), name, cells);
    row.facets = Box::new([maker.object(namespace, name)]);
    row
}

/// What a pod or node uses now, for its description.
pub struct Used {
    /// What it comes to, or why nobody knows.
    pub fact: Fact,
    containers: Vec<(Text, Use)>,
}

impl Used {
    /// Cores and memory of a container, as cells.
    pub fn cells(&self, container: &str) -> [Cell; 2] {
        let found = self.containers.iter().find(|(name, _)| **name == *container);
        let cells = |(_, used): &(Text, Use)| {
            [cores(used.cores), quantity::memory(used.bytes)].map(|text| Cell::new(text.as_str()))
        };
        found.map_or_else(|| [Cell::empty(), Cell::empty()], cells)
    }
}

/// Asks what a pod or node uses; a node's share is of what it has to give.
pub async fn of(cluster: &Cluster, id: &EntityId, limit: Option<&Dict>) -> Used {
    let path = match id.key.split_once('/') {
        Some((namespace, name)) => format!("{ROOT}/namespaces/{namespace}/pods/{name}"),
        None => format!("{ROOT}/nodes/{}", id.key),
    };
    let measured = cluster.get(&path).await.and_then(|reply| reply.json::<Metrics>());
    let (used, containers) = match measured {
        Ok(metrics) => {
            let each = metrics.containers.iter().map(|one| (one.name.clone(), Use::of(&one.usage)));
            (Ok(metrics.total()), each.collect())
        }
        Err(error) => (Err(error), Vec::new()),
    };
    Used { fact: fact(used, limit.map(Use::of)), containers }
}

fn fact(used: Result<Use, ApiError>, limit: Option<Use>) -> Fact {
    let used = match used {
        Ok(used) => used,
        // Without metrics-server, and for what began a moment ago.
        Err(error) if matches!(error.fault.status, Some(404 | 503)) => {
            return Fact::new("uses", "not measured").tone(Tone::Dim);
        }
        Err(error) => return Fact::new("uses", error.to_string().as_str()).tone(Tone::Unknown),
    };
    let share = |part: Option<f64>| part.map_or(String::new(), |part| format!(" ({:.0} %)", part * 100.0));
    let cpu = part(used.cores, limit.map(|limit| limit.cores));
    let full = part(used.bytes, limit.map(|limit| limit.bytes));
    let says = format!(
        "{} cores{}, {} of memory{}",
        cores(used.cores),
        share(cpu),
        quantity::memory(used.bytes),
        share(full)
    );
    let warns = [cpu, full].into_iter().flatten().any(|part| part >= FULL);
    Fact::new("uses", says.as_str()).tone(if warns { Tone::Warn } else { Tone::Text })
}

fn cores(cores: f64) -> String {
    format!("{cores:.2}")
}

/// Keeps what one of them uses fresh, a pod by its containers.
pub async fn open(cluster: &Cluster, id: &EntityId, sink: &ViewSink) -> Result<(), ApiError> {
    let wrong = || ApiError::unsupported(format!("`{}` is no node and no pod", id.key));
    let parts: Vec<&str> = id.key.split('/').collect();
    if !parts.iter().all(|part| is_name(part)) {
        return Err(wrong());
    }
    let path = match parts.as_slice() {
        ["node", name] => format!("{ROOT}/nodes/{name}"),
        ["pod", namespace, name] => format!("{ROOT}/namespaces/{namespace}/pods/{name}"),
        _ => return Err(wrong()),
    };
    repeat(sink, PACE, || async {
        let metrics: Metrics = cluster.get(&path).await?.json()?;
        let total = metrics.total();
        let facts = vec![
            Fact::new("cores", total.cores),
            Fact::new("memory", bytes(total.bytes)).format(Format::Bytes),
        ];
        let columns = ["container", "cores", "memory"].map(Label::Borrowed).to_vec();
        let rows = metrics.containers.iter().map(|container| {
            let used = Use::of(&container.usage);
            let memory = container.usage.get("memory").unwrap_or_default();
            vec![Cell::new(container.name.as_str()), Cell::new(used.cores), Cell::new(memory)]
        });
        Ok(View::Doc(Doc::default().facts("", facts).table("containers", columns, rows.collect())))
    })
    .await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::model::row::Domain;

    use super::*;

    #[test]
    fn what_is_used_is_a_share_of_what_there_is_and_what_nobody_measures_is_no_zero() {
        let used = Use { cores: 1.25, bytes: 950.0 * 1024.0 * 1024.0 };
        let of = |cores: f64, bytes: f64| Some(Use { cores, bytes });
        let whole = 1000.0 * 1024.0 * 1024.0;
        let absent = ApiError::new(crate::model::snapshot::Layer::Http, "HTTP 404").status(404);
        for (used, limit, says, tone) in [
            (Ok(used), None, "1.25 cores, 950Mi of memory", Tone::Text),
            (Ok(used), of(2.0, whole), "1.25 cores (62 %), 950Mi of memory (95 %)", Tone::Warn),
            (Ok(used), of(2.0, 2.0 * whole), "1.25 cores (62 %), 950Mi of memory (48 %)", Tone::Text),
            (Err(absent), None, "not measured", Tone::Dim),
        ] {
            let fact = fact(used, limit);
            assert_eq!((fact.value.as_text(), fact.tone), (Some(says), tone));
        }
    }

    #[test]
    fn usage_is_summed_over_containers_and_measured_against_the_node() {
        let maker = Maker::new("prod".into(), Domain::Home);
        let pod: Metrics = serde_json::from_value(json!({"metadata": {"namespace": "media", "name": "immich"},
            "containers": [{"name": "a", "usage": {"cpu": "250000000n", "memory": "1Gi"}}, {"name": "b", "usage": {"cpu": "1", "memory": "odd"}}]}))
        .unwrap();
        assert_eq!(pod.total(), Use { cores: 1.25, bytes: 1_073_741_824.0 });
        let node: Metrics = serde_json::from_value(
            json!({"metadata": {"name": "n1"}, "usage": {"cpu": "500m", "memory": "950Mi"}}),
        )
        .unwrap();
        let limits = HashMap::from([("n1".to_owned(), Use { cores: 2.0, bytes: 1000.0 * 1024.0 * 1024.0 })]);
        let row = node_row(&maker, &"kubernetes.usage".into(), &node, &limits);
        assert_eq!((row.cell(4).value.as_number(), row.health), (Some(0.25), Health::Warning));
        assert_eq!(row.note.as_deref(), Some("95 % of its memory is in use"));
    }
}
