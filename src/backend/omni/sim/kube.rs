//! The Kubernetes API of the cloud cluster as Omni passes it on: nodes, pods and claims, whole objects, read only.

use serde_json::{Value, json};

use super::answer::Refusal;
use super::homelab::{Machine, RUNNING};
use super::request::Request;
use super::selector::fits;
use super::{Inside, Lab};

/// Lists objects of a type.
pub(super) fn list(lab: &Lab, request: &Request) -> Result<Value, Refusal> {
    let Some(cluster) = request.cluster.as_deref() else {
        return Err(Refusal::new(3, "missing cluster metadata"));
    };
    if lab.world.get("omni-kube") == "down" {
        return Err(Refusal::new(14, "failed to connect to the Kubernetes API"));
    }
    let inside = lab.inside();
    let objects = match (cluster, request.text("type")) {
        (_, "nodes.v1") => nodes(&inside, cluster, &lab.world.get("omni-cordoned")),
        ("cloud", "pods.v1") => pods(&inside),
        ("cloud", "persistentvolumeclaims.v1") => claims(&inside),
        _ => Vec::new(),
    };
    let labels =
        |object: &Value| serde_json::from_value(object["metadata"]["labels"].clone()).unwrap_or_default();
    let chosen = objects.iter().filter(|object| fits(&request.selectors, &labels(object)));
    let items: Vec<String> = chosen.map(Value::to_string).collect();
    Ok(json!({"items": items, "total": items.len()}))
}

/// A node for every machine of the cluster; the kubelet's memory is a little less than the machine's.
fn nodes(inside: &Inside, cluster: &str, cordoned: &str) -> Vec<Value> {
    let members = inside.machines.values().filter(|machine| machine.cluster == cluster);
    let node = |machine: &Machine| {
        let ready = machine.connected && machine.stage == RUNNING;
        json!({
            "metadata": {"name": machine.name},
            "spec": {"unschedulable": machine.name == cordoned},
            "status": {
                "allocatable": {"cpu": machine.cores.to_string(), "memory": format!("{}Ki", u64::from(machine.memory) << 10)},
                "conditions": [{"type": "Ready", "status": if ready { "True" } else { "Unknown" },
                    "lastTransitionTime": machine.since.to_string()}],
            },
        })
    };
    members.map(node).collect()
}

fn pod(namespace: &str, name: &str, node: &str, memory: &str) -> Value {
    json!({
        "metadata": {"namespace": namespace, "name": name, "labels": {"app": name}},
        "spec": {"nodeName": node, "containers": [{"name": "main", "resources": {"requests": {"memory": memory}}}]},
        "status": {"phase": "Running"},
    })
}

fn pods(inside: &Inside) -> Vec<Value> {
    let mut pods = vec![
        pod("stremio", "comet-0", "oci-node-1", "1Gi"),
        pod("kube-system", "system-1", "oci-node-1", "3500Mi"),
        pod("kube-system", "system-2", "oci-node-2", "1900Mi"),
    ];
    pods.extend(requests(inside).iter().zip(["oci-node-1", "oci-node-2"].iter().cycle()).map(
        |(name, node)| {
            let mut pod = pod("omni", &format!("virt-launcher-{name}-x"), node, "4Gi");
            pod["metadata"]["labels"] = json!({"kubevirt.io": "virt-launcher", "vm.kubevirt.io/name": name});
            pod
        },
    ));
    pods
}

fn claims(inside: &Inside) -> Vec<Value> {
    let claim = |name: &String| json!({"metadata": {"namespace": "omni", "name": format!("{name}-root")}});
    requests(inside).iter().map(claim).collect()
}

/// The virtual machines there are: those of clusters, and those that stayed behind.
fn requests(inside: &Inside) -> Vec<String> {
    let made = inside.machines.values().filter_map(|machine| machine.request.clone());
    made.chain(inside.leftovers.iter().cloned()).collect()
}
