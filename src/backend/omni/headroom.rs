//! Whether the nodes that carry virtual machines have room for more, read from their Kubernetes through Omni.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::client::{Client, Route};
use super::lenient::messages;
use super::wire::Table;
use crate::backend::error::ApiError;

const NODES: Table = Table { namespace: "", kind: "nodes.v1" };
const PODS: Table = Table { namespace: "", kind: "pods.v1" };
const CLAIMS: Table = Table { namespace: "", kind: "persistentvolumeclaims.v1" };

messages! {
    /// A Kubernetes object, as far as it is of interest here.
    Object { metadata: ObjectMeta, spec: PodSpec, status: ObjectStatus, }

    /// Its metadata.
    ObjectMeta { name: String, namespace: String, labels: BTreeMap<String, String>, }

    /// The spec of a pod, or of a node.
    PodSpec {
        #[serde(rename = "nodeName")]
        node_name: String,
        containers: Vec<Container>,
        unschedulable: bool,
    }

    /// One container.
    Container { resources: Resources, }

    /// What it asks for.
    Resources { requests: BTreeMap<String, String>, }

    /// The status of a node or pod.
    ObjectStatus { allocatable: BTreeMap<String, String>, phase: String, conditions: Vec<NodeCondition>, }

    /// One condition of a node.
    NodeCondition {
        r#type: String,
        status: String,
        #[serde(rename = "lastTransitionTime")]
        changed: Option<Timestamp>,
    }
}

/// Whether a node can carry something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Readiness {
    /// Its name.
    pub name: String,
    /// What its kubelet says.
    pub ready: bool,
    /// Whether nothing new is put on it.
    pub cordoned: bool,
    /// When one of its conditions changed last.
    pub changed: Option<Timestamp>,
}

/// The nodes of a cluster, as their Kubernetes has them.
pub(super) async fn readiness(client: &Client, cluster: &str) -> Result<Vec<Readiness>, ApiError> {
    let (nodes, whole) = objects(client, cluster, NODES).await?;
    if !whole || nodes.is_empty() {
        return Err(ApiError::unsupported(format!("the nodes of {cluster} cannot be read completely")));
    }
    let is_ready = |node: &Object| {
        let mut conditions = node.status.conditions.iter();
        conditions.any(|found| found.r#type == "Ready" && found.status == "True")
    };
    let nodes = nodes.into_iter().map(|node| Readiness {
        ready: is_ready(&node),
        changed: node.status.conditions.iter().filter_map(|condition| condition.changed).max(),
        cordoned: node.spec.unschedulable,
        name: node.metadata.name,
    });
    Ok(nodes.collect())
}

/// A node's memory in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Its name.
    pub name: String,
    /// What pods may ask for in all.
    pub memory: i64,
    /// What they ask for.
    pub asked: i64,
    /// Whether something runs on it that must not be disturbed.
    pub protected: bool,
}

/// The most of a protected node's memory that may be asked for, in percent.
const PROTECTED: i64 = 80;

/// A quantity of bytes as Kubernetes writes it (`4Gi`, `512M`, `1073741824`).
fn bytes(text: &str) -> Option<i64> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "" => 1,
        "k" => 1000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(factor)
}

async fn objects(client: &Client, cluster: &str, table: Table) -> Result<(Vec<Object>, bool), ApiError> {
    client.list_of(table, &Route::kubernetes(cluster)).await
}

fn asks(pod: &Object) -> i64 {
    let requests =
        pod.spec.containers.iter().filter_map(|container| container.resources.requests.get("memory"));
    requests.filter_map(|text| bytes(text)).sum()
}

/// The nodes of a cluster; `protect` is the beginning of a pod's `namespace/name`.
pub(super) async fn nodes(
    client: &Client,
    cluster: &str,
    protect: Option<&str>,
) -> Result<Vec<Node>, ApiError> {
    let unknown =
        |what: &str| ApiError::unsupported(format!("the {what} of {cluster} cannot be read completely"));
    let (nodes, whole_nodes) = objects(client, cluster, NODES).await?;
    let (pods, whole_pods) = objects(client, cluster, PODS).await?;
    if !whole_nodes || nodes.is_empty() {
        return Err(unknown("nodes"));
    }
    if !whole_pods {
        return Err(unknown("pods"));
    }
    let running: Vec<&Object> =
        pods.iter().filter(|pod| !matches!(pod.status.phase.as_str(), "Succeeded" | "Failed")).collect();
    let node = |node: &Object| {
        let here = running.iter().filter(|pod| pod.spec.node_name == node.metadata.name);
        let protected =
            protect.is_some_and(|begin| here.clone().any(|pod| full_name(pod).starts_with(begin)));
        let memory = node.status.allocatable.get("memory").and_then(|text| bytes(text));
        let memory = memory.ok_or_else(|| unknown("memory"))?;
        Ok(Node {
            name: node.metadata.name.clone(),
            memory,
            asked: here.map(|pod| asks(pod)).sum(),
            protected,
        })
    };
    nodes.iter().map(node).collect()
}

fn full_name(pod: &Object) -> String {
    format!("{}/{}", pod.metadata.namespace, pod.metadata.name)
}

/// Places machines one by one where most is free, as the scheduler does; which node would be too full.
pub(super) fn place(nodes: &[Node], machines: &[i64]) -> Result<Vec<Node>, String> {
    let mut nodes = nodes.to_vec();
    for memory in machines {
        let roomiest = nodes.iter_mut().max_by_key(|node| node.memory - node.asked);
        let Some(node) = roomiest else { return Err("there is no node".to_owned()) };
        node.asked += memory;
        let percent = node.asked.saturating_mul(100) / node.memory.max(1);
        let limit = if node.protected { PROTECTED } else { 100 };
        if percent > limit {
            let why = if node.protected { ", and it carries what must not be disturbed" } else { "" };
            return Err(format!(
                "{} would be asked for {percent} % of its memory, {limit} % is the limit{why}",
                node.name
            ));
        }
    }
    Ok(nodes)
}

/// The label that `KubeVirt` gives the pod of a virtual machine.
const MACHINE: &str = "vm.kubevirt.io/name";

/// What virtual machines leave behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Leftovers {
    /// Machines that run.
    pub machines: Vec<String>,
    /// Claims of their disks, with their namespace.
    pub claims: Vec<(String, String)>,
}

impl Leftovers {
    /// Everything in words; empty where nothing is left.
    pub(super) fn words(&self) -> Vec<String> {
        let machines = self.machines.iter().map(|name| format!("machine {name}"));
        machines.chain(self.claims.iter().map(|(_, name)| format!("claim {name}"))).collect()
    }
}

/// Virtual machines and their claims whose names begin so: what a cluster leaves behind.
pub(super) async fn leftovers(client: &Client, cluster: &str, begin: &str) -> Result<Leftovers, ApiError> {
    let route = Route::kubernetes(cluster).with_selectors(MACHINE);
    let (pods, whole_pods) = client.list_of::<Object>(PODS, &route).await?;
    let (claims, whole_claims) = objects(client, cluster, CLAIMS).await?;
    if !whole_pods || !whole_claims {
        return Err(ApiError::unsupported(format!(
            "the pods and claims of {cluster} cannot be read completely"
        )));
    }
    let machines = pods.into_iter().filter_map(|mut pod| pod.metadata.labels.remove(MACHINE));
    let claims = claims.into_iter().map(|claim| (claim.metadata.namespace, claim.metadata.name));
    Ok(Leftovers {
        machines: machines.filter(|name| name.starts_with(begin)).collect(),
        claims: claims.filter(|(_, name)| name.starts_with(begin)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, gib: i64, asked: i64, protected: bool) -> Node {
        Node { name: name.into(), memory: gib << 30, asked: asked << 30, protected }
    }

    #[test]
    fn quantities_are_read_in_their_units() {
        for (text, number) in [
            ("4Gi", Some(4 << 30)),
            ("1500M", Some(1_500_000_000)),
            ("7", Some(7)),
            ("1Zi", None),
            ("", None),
        ] {
            assert_eq!(bytes(text), number, "{text}");
        }
    }

    #[test]
    fn machines_go_where_most_is_free_and_never_too_close_to_what_is_protected() {
        let nodes = [node("a", 12, 4, true), node("b", 6, 1, false)];
        let placed = place(&nodes, &[4 << 30, 4 << 30]).unwrap();
        assert_eq!(placed.iter().map(|node| node.asked >> 30).collect::<Vec<_>>(), [8, 5]);
        let error = place(&[node("a", 12, 6, true)], &[4 << 30]).unwrap_err();
        assert!(
            error.contains("a would be asked for 83 %") && error.contains("must not be disturbed"),
            "{error}"
        );
        assert!(place(&[node("b", 6, 3, false)], &[4 << 30]).is_err());
        assert!(place(&[], &[1]).is_err());
    }
}
