//! A simulated metrics-server: what nodes and pods use, a little different every quarter of a minute.

use serde_json::{Value, json};

use super::lab::Lab;
use super::seed::stamp;
use super::store::fnv;

/// The answer to a path of metrics.k8s.io; `None` where it is another path or nobody measures.
pub fn answer(lab: &Lab, path: &str) -> Option<Value> {
    let rest = path.strip_prefix("/apis/metrics.k8s.io/v1beta1/")?;
    if lab.flag("kubernetes.metrics") == "absent" {
        return None;
    }
    let parts: Vec<&str> = rest.split('/').collect();
    match parts.as_slice() {
        ["nodes"] => {
            let nodes: Vec<Value> = lab.store.all("nodes").iter().map(|node| node_use(lab, node)).collect();
            Some(list("NodeMetricsList", &nodes))
        }
        ["pods"] => {
            let pods = lab.store.all("pods");
            let running = pods.iter().filter(|pod| pod["status"]["phase"] == "Running");
            Some(list("PodMetricsList", &running.map(|pod| pod_use(lab, pod)).collect::<Vec<_>>()))
        }
        ["nodes", name] => Some(node_use(lab, &lab.store.get("nodes", name)?)),
        ["namespaces", namespace, "pods", name] => {
            Some(pod_use(lab, &lab.store.get("pods", &format!("{namespace}/{name}"))?))
        }
        _ => None,
    }
}

fn list(kind: &str, items: &[Value]) -> Value {
    json!({"kind": kind, "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items})
}

/// A number that changes slowly and is the same for equal labs.
fn some(lab: &Lab, what: &str, most: u32) -> u32 {
    let step = lab.now().as_second() / 15;
    most / 4 + fnv(&format!("{what}{step}")) % (most / 4).max(1)
}

fn node_use(lab: &Lab, node: &Value) -> Value {
    let name = node["metadata"]["name"].as_str().unwrap_or_default();
    let cores: u32 = node["status"]["capacity"]["cpu"].as_str().and_then(|cpu| cpu.parse().ok()).unwrap_or(1);
    let memory = node["status"]["capacity"]["memory"]
        .as_str()
        .and_then(|text| text.strip_suffix("Ki")?.parse::<u64>().ok());
    // Comet's machine is rather full, as the alert says.
    let percent = if name == "oci-node-1" { 84 } else { 35 + u64::from(fnv(name) % 20) };
    let used = memory.unwrap_or(0) * percent / 100;
    json!({"metadata": {"name": name}, "timestamp": stamp(lab.now()), "window": "20s",
        "usage": {"cpu": format!("{}n", u64::from(some(lab, name, cores * 1000)) * 1_000_000), "memory": format!("{used}Ki")}})
}

fn pod_use(lab: &Lab, pod: &Value) -> Value {
    let meta = &pod["metadata"];
    let name = meta["name"].as_str().unwrap_or_default();
    let usage = json!({"cpu": format!("{}n", u64::from(some(lab, name, 120)) * 1_000_000),
        "memory": format!("{}Ki", 60_000 + fnv(name) % 400_000)});
    json!({"metadata": {"name": name, "namespace": meta["namespace"]}, "timestamp": stamp(lab.now()), "window": "20s",
        "containers": [{"name": pod["spec"]["containers"][0]["name"], "usage": usage}]})
}
