//! The controllers of a cluster: workloads get the pods they want, budgets count, and what is deleted ends gracefully.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::homelab::machines;
use super::lab::{Controller, Lab};
use super::seed::{PodSeed, pod, stamp};
use super::store::{fnv, key_of};

/// How long a new pod takes to get ready.
const START: SignedDuration = SignedDuration::from_secs(4);

/// How long a pod takes to end.
const END: SignedDuration = SignedDuration::from_secs(3);

/// The grace period in a deletion timestamp.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// The tables of workloads that want a number of pods.
const TABLES: [&str; 2] = ["deployments", "statefulsets"];

/// Deployment, stateful set, budget and pod life in one.
#[derive(Default)]
pub struct Workloads {
    seen: AtomicU64,
    salt: AtomicU64,
}

impl Controller for Workloads {
    fn tick(&self, lab: &Lab, now: Timestamp) {
        let version = lab.store.version();
        let pending = lab.is_moving();
        let asked = lab.flag("kubernetes.replicas");
        if self.seen.swap(version, Ordering::SeqCst) == version && !pending && asked.is_empty() {
            return;
        }
        more(lab);
        let mut moving = lives(lab, now);
        for table in TABLES {
            for workload in lab.store.all(table) {
                moving |= self.reconcile(lab, table, &workload, now);
            }
        }
        for set in lab.store.all("daemonsets") {
            moving |= self.everywhere(lab, &set, now);
        }
        for budget in lab.store.all("poddisruptionbudgets") {
            count(lab, &budget);
        }
        lab.set_moving(moving);
    }
}

/// Somebody gives a stateful set another member (`postgresql=2`), as its owner would who makes room for a drain.
fn more(lab: &Lab) {
    let asked = lab.flag("kubernetes.replicas");
    let Some((name, count)) = asked.split_once('=') else { return };
    let Ok(count) = count.parse::<u64>() else { return };
    for set in lab.store.all("statefulsets").iter().filter(|set| set["metadata"]["name"] == name) {
        let _ = lab.store.update("statefulsets", &key_of(set), |set| set["spec"]["replicas"] = count.into());
    }
}

/// Asks a pod to end, as the API server does for a graceful deletion.
pub fn end(lab: &Lab, key: &str, now: Timestamp) {
    let _ = lab.store.update("pods", key, |pod| {
        pod["metadata"]["deletionTimestamp"] = stamp(now + GRACE).into();
        pod["metadata"]["deletionGracePeriodSeconds"] = 30.into();
        pod["status"]["simEndsAt"] = (now + END).to_string().into();
    });
    lab.set_moving(true);
}

fn at(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Lets pods start and end; true while some are on their way.
fn lives(lab: &Lab, now: Timestamp) -> bool {
    let mut moving = false;
    let (pods, _) = lab.store.page("pods", None, "", usize::MAX);
    for (key, text) in
        pods.iter().filter(|(_, text)| text.contains("\"simEndsAt\"") || text.contains("\"simReadyAt\""))
    {
        let Ok(pod) = serde_json::from_str::<Value>(text) else { continue };
        if let Some(ends) = at(&pod["status"]["simEndsAt"]) {
            if ends <= now {
                let _ = lab.store.delete("pods", key, &json!({}));
            } else {
                moving = true;
            }
        } else if at(&pod["status"]["simReadyAt"]).is_some_and(|ready| ready <= now) {
            let _ = lab.store.update("pods", key, |pod| started(pod, now));
        } else {
            moving = true;
        }
    }
    moving
}

fn started(pod: &mut Value, now: Timestamp) {
    let name = pod["spec"]["containers"][0]["name"].clone();
    let status = &mut pod["status"];
    if let Some(fields) = status.as_object_mut() {
        fields.remove("simReadyAt");
    }
    status["phase"] = "Running".into();
    status["containerStatuses"] = json!([{"name": name, "ready": true, "started": true, "restartCount": 0,
        "state": {"running": {"startedAt": stamp(now)}}, "lastState": {}}]);
    let ready = ["Initialized", "Ready", "ContainersReady", "PodScheduled"];
    let condition = |about: &&str| json!({"type": about, "status": "True", "lastTransitionTime": stamp(now)});
    status["conditions"] = ready.iter().map(condition).collect();
}

fn is_ready(pod: &Value) -> bool {
    pod["status"]["containerStatuses"][0]["ready"] == true
        && !pod["metadata"]["deletionTimestamp"].is_string()
}

/// The pods of a workload that are not ending.
fn pods_of(lab: &Lab, workload: &Value) -> Vec<Value> {
    let namespace = workload["metadata"]["namespace"].as_str().unwrap_or_default();
    let (rows, _) = lab.store.page("pods", Some(namespace), "", usize::MAX);
    let pods = rows.iter().filter_map(|(_, text)| serde_json::from_str::<Value>(text).ok());
    let wanted = &workload["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"];
    pods.filter(|pod| {
        pod["metadata"]["labels"]["app.kubernetes.io/name"] == *wanted
            && !pod["metadata"]["deletionTimestamp"].is_string()
    })
    .collect()
}

/// What makes the pods of one template different from those of the next.
fn generation_of(workload: &Value) -> &str {
    workload["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"]
        .as_str()
        .unwrap_or_default()
}

impl Workloads {
    /// One step towards what is wanted; true while there is more to do.
    fn reconcile(&self, lab: &Lab, table: &str, workload: &Value, now: Timestamp) -> bool {
        let wanted = usize::try_from(workload["spec"]["replicas"].as_i64().unwrap_or(1)).unwrap_or(0);
        let template = generation_of(workload);
        let pods = pods_of(lab, workload);
        let (new, old): (Vec<&Value>, Vec<&Value>) = pods.iter().partition(|pod| {
            pod["metadata"]["annotations"]["sim/template"].as_str().unwrap_or_default() == template
        });
        let ready = new.iter().filter(|pod| is_ready(pod)).count();
        if new.len() < wanted {
            self.create(lab, workload, None, now);
        } else if new.len() > wanted {
            new.iter().skip(wanted).for_each(|pod| end(lab, &key_of(pod), now));
        } else if ready >= wanted
            && let Some(pod) = old.first()
        {
            end(lab, &key_of(pod), now);
        }
        status(
            lab,
            table,
            workload,
            &Seen { all: pods.len(), new: new.len(), ready: pods.iter().filter(|pod| is_ready(pod)).count() },
            now,
        );
        new.len() != wanted || !old.is_empty()
    }

    /// One step of a daemon set: every node has one pod, and an old one goes before the new one comes.
    fn everywhere(&self, lab: &Lab, set: &Value, now: Timestamp) -> bool {
        let template = generation_of(set);
        let pods = pods_of(lab, set);
        let on = |node: &str| pods.iter().find(|pod| pod["spec"]["nodeName"] == node);
        let is_new = |pod: &Value| {
            pod["metadata"]["annotations"]["sim/template"].as_str().unwrap_or_default() == template
        };
        let nodes: Vec<&str> = machines(lab.name).iter().map(|machine| machine.name).collect();
        let ready = pods.iter().filter(|pod| is_ready(pod)).count();
        if let Some(node) = nodes.iter().find(|node| on(node).is_none()) {
            self.create(lab, set, Some(node), now);
        } else if ready == nodes.len()
            && let Some(pod) = pods.iter().find(|pod| !is_new(pod))
        {
            end(lab, &key_of(pod), now);
        }
        let new = pods.iter().filter(|pod| is_new(pod)).count();
        let _ = lab.store.update("daemonsets", &key_of(set), |object| {
            let generation = object["metadata"]["generation"].clone();
            object["status"] = json!({"observedGeneration": generation, "desiredNumberScheduled": nodes.len(),
                "updatedNumberScheduled": new, "numberReady": ready});
        });
        new < nodes.len() || ready < nodes.len()
    }

    fn create(&self, lab: &Lab, workload: &Value, place: Option<&str>, now: Timestamp) {
        let salt = self.salt.fetch_add(1, Ordering::SeqCst) + 1;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (namespace, name) =
            (text(&workload["metadata"]["namespace"]), text(&workload["metadata"]["name"]));
        let app = text(&workload["metadata"]["labels"]["app.kubernetes.io/instance"]);
        let node = place.or_else(|| node_for(lab, &name, salt));
        let seed = PodSeed {
            namespace: &namespace,
            workload: &name,
            app: &app,
            node: node.unwrap_or_default(),
            salt: u32::try_from(salt).unwrap_or(u32::MAX),
            age: 0,
        };
        let mut made = pod(&seed, now);
        made["metadata"]["annotations"]["sim/template"] = generation_of(workload).into();
        if place.is_some() {
            made["metadata"]["ownerReferences"][0]["kind"] = "DaemonSet".into();
            made["metadata"]["ownerReferences"][0]["name"] = name.as_str().into();
        }
        let status = &mut made["status"];
        status["phase"] = "Pending".into();
        if node.is_some() {
            status["simReadyAt"] = (now + START).to_string().into();
            status["containerStatuses"] = json!([{"name": name, "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": "ContainerCreating"}}}]);
        } else {
            made["spec"]["nodeName"].take();
            let message = "0/2 nodes are available: 2 node(s) were unschedulable.";
            made["status"]["containerStatuses"].take();
            made["status"]["conditions"] = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]);
        }
        lab.store.put("pods", made);
        lab.set_moving(true);
    }
}

/// A node that takes pods; Comet is pinned to one.
fn node_for(lab: &Lab, workload: &str, salt: u64) -> Option<&'static str> {
    let open: Vec<&'static str> = machines(lab.name)
        .iter()
        .filter(|machine| !(lab.name == "prod" && machine.control))
        .map(|machine| machine.name)
        .filter(|name| lab.store.get("nodes", name).is_some_and(|node| node["spec"]["unschedulable"] != true))
        .collect();
    if workload == "comet" {
        // It goes to its own node, unless that has no room: then it is taken by whoever has.
        let full = lab.flag("memory-oci-node-1") == "full";
        let node = open.into_iter().find(|name| *name == if full { "oci-node-2" } else { "oci-node-1" });
        if let Some(node) = node {
            lab.set("comet-node", node);
        }
        return node;
    }
    let index = usize::try_from(u64::from(fnv(workload)) + salt).unwrap_or(0) % open.len().max(1);
    open.get(index).copied()
}

struct Seen {
    all: usize,
    new: usize,
    ready: usize,
}

fn status(lab: &Lab, table: &str, workload: &Value, seen: &Seen, now: Timestamp) {
    let wanted = workload["spec"]["replicas"].as_u64().unwrap_or(1);
    let available = seen.ready as u64 >= wanted;
    let _ = lab.store.update(table, &key_of(workload), |object| {
        let generation = object["metadata"]["generation"].clone();
        let status = &mut object["status"];
        status["observedGeneration"] = generation;
        status["replicas"] = seen.all.into();
        status["updatedReplicas"] = seen.new.into();
        status["readyReplicas"] = seen.ready.into();
        status["availableReplicas"] = seen.ready.into();
        let word = if available { "True" } else { "False" };
        if table == "deployments" && status["conditions"][0]["status"] != word {
            let message = if available { "Deployment has minimum availability." } else { "Deployment does not have minimum availability." };
            status["conditions"] = json!([{"type": "Available", "status": word, "message": message, "lastTransitionTime": stamp(now)}]);
        }
    });
}

/// Counts what a budget allows.
fn count(lab: &Lab, budget: &Value) {
    let like = json!({"metadata": {"namespace": budget["metadata"]["namespace"]}, "spec": {"selector": budget["spec"]["selector"]}});
    let healthy = pods_of(lab, &like).iter().filter(|pod| is_ready(pod)).count();
    let wanted = usize::try_from(budget["spec"]["minAvailable"].as_u64().unwrap_or(0)).unwrap_or(0);
    let _ = lab.store.update("poddisruptionbudgets", &key_of(budget), |budget| {
        budget["status"] = json!({"currentHealthy": healthy, "desiredHealthy": wanted, "expectedPods": healthy,
            "disruptionsAllowed": healthy.saturating_sub(wanted)});
    });
}
