//! One object opened: its state and why on top, then its parts, then what the cluster says of it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::backend::lenient::Obj;
use crate::model::id::EntityId;
use crate::model::kind::{Format, Text};
use crate::model::row::{Cell, Tone};
use crate::model::view::{Body, Doc, DocLine, Fact, Section, View};

use super::client::Cluster;
use super::resource::EVENTS;
use super::rows::{State, events, nodes, pods, workloads};
use super::usage::{self, Used};
use super::watch::encoded;
use super::wire::{Condition, ContainerStatus, Event, Meta, Node, Page, Phase, Pod, Workload};
use super::{kinds, more, yaml};

/// How often an open view is read again.
const PACE: Duration = Duration::from_secs(5);

/// Sends a view again and again while somebody looks.
pub async fn repeat<F>(sink: &ViewSink, pace: Duration, mut once: impl FnMut() -> F) -> Result<(), ApiError>
where
    F: Future<Output = Result<View, ApiError>>,
{
    loop {
        if sink.send(once().await?).await.is_err() {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(pace) => {}
            () = sink.closed() => return Ok(()),
        }
    }
}

/// Keeps the description of an object fresh.
pub async fn describe(
    cluster: &Arc<Cluster>,
    id: &EntityId,
    path: &str,
    now: impl Fn() -> Timestamp,
    sink: &ViewSink,
) -> Result<(), ApiError> {
    repeat(sink, PACE, || async {
        let reply = cluster.get(path).await?;
        let doc = match id.kind.as_str() {
            kinds::PODS => pod(&reply.json()?, &usage::of(cluster, id, None).await, now()),
            kinds::NODES => {
                let object: Node = reply.json()?;
                let used = usage::of(cluster, id, Some(&object.status.allocatable)).await;
                node(&object, used)
            }
            kinds::EVENTS => event(&reply.json()?),
            more::DEPLOYMENTS | more::STATEFULSETS => workload(&reply.json()?, false, now()),
            more::DAEMONSETS => workload(&reply.json()?, true, now()),
            _ => other(&reply.json()?),
        };
        let about: super::wire::Object = reply.json()?;
        Ok(View::Doc(with_events(cluster, doc, &about.metadata).await))
    })
    .await
}

/// Keeps the YAML of an object fresh.
pub async fn as_yaml(cluster: &Cluster, path: &str, sink: &ViewSink) -> Result<(), ApiError> {
    repeat(sink, PACE, || async {
        let object: serde_json::Value = cluster.get(path).await?.json()?;
        let lines = yaml::lines(&yaml::readable(object));
        Ok(View::Doc(Doc {
            sections: vec![Section { heading: Text::Borrowed(""), body: Body::Lines(lines) }],
        }))
    })
    .await
}

fn status(state: &State, since: Option<Timestamp>) -> Vec<Fact> {
    let mut facts = vec![Fact::new("state", state.word.as_str()).tone(state.health.into())];
    if !state.why.is_empty() {
        facts.push(Fact::new("why", state.why.as_str()));
    }
    if since.is_some() {
        facts.push(Fact::new("since", since).format(Format::Age));
    }
    facts
}

fn metadata(meta: &Meta) -> Vec<Fact> {
    let mut facts = vec![Fact::new("created", meta.creation_timestamp.time()).format(Format::Age)];
    if let Some(owner) = meta.owner_references.first() {
        facts.push(Fact::new("owner", format!("{}/{}", owner.kind.as_str(), owner.name.as_str()).as_str()));
    }
    let labels: Vec<String> = meta.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    if !labels.is_empty() {
        facts.push(Fact::new("labels", labels.join(" ").as_str()));
    }
    facts.push(Fact::new("uid", meta.uid.as_str()).tone(Tone::Dim));
    facts
}

fn pod(pod: &Pod, used: &Used, now: Timestamp) -> Doc {
    let state = pods::state(pod, now);
    let ready = pod.status.conditions.iter().find(|condition| &*condition.about == "Ready");
    let mut facts = status(&state, ready.and_then(|ready| ready.last_transition_time.time()));
    facts.push(Fact::new("node", pod.spec.node_name.as_str()));
    facts.push(Fact::new("address", pod.status.pod_ip.as_str()));
    facts.push(Fact::new("quality", pod.status.qos_class.as_str()));
    facts.push(used.fact.clone());
    let columns = ["container", "ready", "restarts", "state", "last end", "cpu", "memory", "image"];
    let columns = columns.map(Text::Borrowed).to_vec();
    let images = |name: &str| {
        pod.spec.containers.iter().find(|container| &*container.name == name).map_or("", |c| c.image.as_str())
    };
    let statuses = pod.status.init_container_statuses.iter().chain(pod.status.container_statuses.iter());
    let rows =
        statuses.map(|status| container(status, used.cells(&status.name), images(&status.name))).collect();
    Doc::default()
        .facts("", facts)
        .table("containers", columns, rows)
        .table("conditions", condition_columns(), conditions(&pod.status.conditions))
        .facts("metadata", metadata(&pod.metadata))
}

fn container(status: &ContainerStatus, [cpu, memory]: [Cell; 2], image: &str) -> Vec<Cell> {
    let ready = status.ready.is_true();
    let state = if let Some(waiting) = &status.state.waiting.0 {
        Cell::toned(waiting.reason.as_str(), Tone::Warn)
    } else if let Some(end) = &status.state.terminated.0 {
        Cell::toned(format!("{}, exit {}", end.reason.as_str(), end.exit_code.or_zero()).as_str(), Tone::Dim)
    } else {
        Cell::toned("running", if ready { Tone::Ok } else { Tone::Pending })
    };
    let last = status.last_state.terminated.0.as_ref();
    let last = last.map(|end| format!("{}, exit {}", end.reason.as_str(), end.exit_code.or_zero()));
    vec![
        Cell::new(status.name.as_str()),
        Cell::toned(if ready { "yes" } else { "no" }, if ready { Tone::Ok } else { Tone::Warn }),
        Cell::new(status.restart_count.or_zero()),
        state,
        Cell::new(last.unwrap_or_default().as_str()),
        cpu,
        memory,
        Cell::toned(image, Tone::Dim),
    ]
}

fn node(node: &Node, used: Used) -> Doc {
    let state = nodes::state(node);
    let ready = node.status.conditions.iter().find(|condition| &*condition.about == "Ready");
    let info = &node.status.node_info;
    let mut facts = status(&state, ready.and_then(|ready| ready.last_transition_time.time()));
    facts.push(Fact::new("kubelet", info.kubelet_version.as_str()));
    facts.push(Fact::new("system", info.os_image.as_str()));
    facts.push(Fact::new("kernel", info.kernel_version.as_str()));
    facts.push(Fact::new("runtime", info.container_runtime_version.as_str()));
    facts.push(used.fact);
    let capacity = node.status.capacity.iter().map(|(name, all)| {
        let free = node.status.allocatable.get(name).unwrap_or_default();
        vec![Cell::new(name), Cell::new(all), Cell::new(free)]
    });
    let taints = node.spec.taints.iter().map(|taint| {
        DocLine::new(format!("{}={}:{}", taint.key.as_str(), taint.value.as_str(), taint.effect.as_str()))
    });
    let addresses =
        node.status.addresses.iter().map(|a| Fact::new(a.sort.as_str().to_owned(), a.address.as_str()));
    Doc::default()
        .facts("", facts)
        .table("conditions", condition_columns(), conditions(&node.status.conditions))
        .table("capacity", ["what", "all", "for pods"].map(Text::Borrowed).to_vec(), capacity.collect())
        .facts("addresses", addresses.collect())
        .lines("taints", taints.collect())
        .facts("metadata", metadata(&node.metadata))
}

fn workload(workload: &Workload, daemon: bool, now: Timestamp) -> Doc {
    let counts = workloads::counts(workload, daemon);
    let mut facts = status(&workloads::state(workload, &counts, now), None);
    facts.push(Fact::new("wanted", counts.wanted));
    facts.push(Fact::new("new", counts.updated));
    facts.push(Fact::new("ready", counts.ready));
    let template = &workload.spec.template;
    let images =
        template.spec.containers.iter().map(|c| Fact::new(c.name.as_str().to_owned(), c.image.as_str()));
    let restarted = template.metadata.annotations.get("kubectl.kubernetes.io/restartedAt");
    if let Some(at) = restarted.and_then(|at| at.parse::<Timestamp>().ok()) {
        facts.push(Fact::new("restarted", at).format(Format::Age));
    }
    Doc::default()
        .facts("", facts)
        .facts("images", images.collect())
        .table("conditions", condition_columns(), conditions(&workload.status.conditions))
        .facts("metadata", metadata(&workload.metadata))
}

/// An object of which only its phase, its conditions and its metadata are known.
fn other(object: &Other) -> Doc {
    let phase = object.status.phase.some().map(|phase| Fact::new("phase", phase));
    Doc::default()
        .facts("", phase.into_iter().collect())
        .table("conditions", condition_columns(), conditions(&object.status.conditions))
        .facts("metadata", metadata(&object.metadata))
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Other {
    metadata: Obj<Meta>,
    status: Obj<Phase>,
}

fn event(event: &Event) -> Doc {
    let about = &event.involved_object;
    let tone = if &*event.sort == "Warning" { Tone::Warn } else { Tone::Text };
    let facts = vec![
        Fact::new("type", event.sort.as_str()).tone(tone),
        Fact::new("reason", event.reason.as_str()),
        Fact::new("object", format!("{}/{}", about.kind.as_str(), about.name.as_str()).as_str()),
        Fact::new("namespace", about.namespace.as_str()),
        Fact::new("times", events::count(event)),
        Fact::new("last", events::last(event)).format(Format::Age),
        Fact::new("first", event.first_timestamp.time()).format(Format::Age),
    ];
    let message = event.message.lines().map(DocLine::new).collect();
    Doc::default().facts("", facts).lines("message", message)
}

fn condition_columns() -> Vec<Text> {
    ["condition", "status", "reason", "since", "message"].map(Text::Borrowed).to_vec()
}

/// A table of conditions, those that tell something first.
pub fn conditions(conditions: &[Condition]) -> Vec<Vec<Cell>> {
    let good = |condition: &Condition| {
        let positive = [
            "Ready",
            "Available",
            "Initialized",
            "PodScheduled",
            "ContainersReady",
            "PodReadyToStartContainers",
        ];
        (&*condition.status == "True") == positive.contains(&&*condition.about)
    };
    let mut ordered: Vec<&Condition> = conditions.iter().collect();
    ordered.sort_by_key(|condition| good(condition));
    let row = |condition: &Condition| {
        let tone = if good(condition) { Tone::Text } else { Tone::Warn };
        vec![
            Cell::toned(condition.about.as_str(), tone),
            Cell::toned(condition.status.as_str(), tone),
            Cell::new(condition.reason.as_str()),
            Cell::new(condition.last_transition_time.time()),
            Cell::new(condition.message.as_str()),
        ]
    };
    ordered.into_iter().map(row).collect()
}

/// Adds the object's events, the latest first; where they may not be read, a line says so.
async fn with_events(cluster: &Cluster, doc: Doc, meta: &Meta) -> Doc {
    match events_of(cluster, &meta.namespace, &meta.uid).await {
        Ok(rows) => {
            let columns = ["type", "reason", "n", "last", "message"].map(Text::Borrowed).to_vec();
            doc.table("events", columns, rows)
        }
        Err(error) => doc.lines("events", vec![DocLine::toned(error.to_string(), Tone::Unknown)]),
    }
}

/// The events of one object as table rows.
pub async fn events_of(cluster: &Cluster, namespace: &str, uid: &str) -> Result<Vec<Vec<Cell>>, ApiError> {
    let namespace = (!namespace.is_empty()).then_some(namespace);
    let selector = encoded(&format!("involvedObject.uid={uid}"));
    let reply =
        cluster.get(&format!("{}?fieldSelector={selector}&limit=100", EVENTS.list(namespace))).await?;
    let page: Page<Event> = reply.json()?;
    let mut found: Vec<&Event> = page.items.iter().collect();
    found.sort_by_key(|event| std::cmp::Reverse(events::last(event)));
    let row = |event: &&Event| {
        let tone = if &*event.sort == "Warning" { Tone::Warn } else { Tone::Dim };
        vec![
            Cell::toned(event.sort.as_str(), tone),
            Cell::new(event.reason.as_str()),
            Cell::new(events::count(event)),
            Cell::new(events::last(event)),
            Cell::new(event.message.as_str()),
        ]
    };
    Ok(found.iter().take(20).map(row).collect())
}
