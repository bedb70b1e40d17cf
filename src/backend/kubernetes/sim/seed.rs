//! What a simulated cluster holds at first: machines, namespaces, pods, and a few events.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::homelab::{App, Machine, apps, machines};
use super::lab::Lab;
use super::store::fnv;
use crate::backend::sim::World;

/// Fills a cluster.
pub fn fill(lab: &Lab, world: &World) {
    let now = world.clock.now();
    for machine in machines(lab.name) {
        lab.store.put("nodes", node(machine, now));
    }
    let mut namespaces = vec!["kube-system", "default"];
    namespaces.extend(apps().iter().filter(|app| app.cluster == lab.name).map(|app| app.namespace));
    namespaces.sort_unstable();
    namespaces.dedup();
    for name in namespaces {
        lab.store.put("namespaces", json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "creationTimestamp": ago(now, 41 * 86_400)}, "status": {"phase": "Active"}}));
    }
    for app in apps().iter().filter(|app| app.cluster == lab.name) {
        lab.store.put("pods", app_pod(app, app.workload == "comet" && comet_moved(world), now));
    }
    super::more::fill(lab, now);
    super::crds::fill(lab, now);
    crashing(lab, now);
    if lab.name == "cloud" && comet_moved(world) {
        moved(lab, now);
    }
    if lab.name == "prod" {
        load(lab, world, now);
    }
}

/// So many seconds ago comet was put out of its own node.
const MOVED: i64 = 480;

/// Whether comet begins on the wrong node.
fn comet_moved(world: &World) -> bool {
    world.get("comet-node") == "oci-node-2"
}

/// What the cluster says of comet's move: its node was short of memory.
fn moved(lab: &Lab, now: Timestamp) {
    let reference =
        json!({"kind": "Pod", "namespace": "media", "name": "comet-76961805-81b6f", "apiVersion": "v1"});
    lab.store.put(
        "events",
        json!({"apiVersion": "v1", "kind": "Event",
            "metadata": {"namespace": "media", "name": "comet.00000000000000e1", "creationTimestamp": ago(now, MOVED + 20)},
            "involvedObject": reference, "reason": "Evicted", "type": "Warning", "count": 1,
            "message": "The node was low on resource: memory. Threshold quantity: 100Mi, available: 62Mi.",
            "firstTimestamp": ago(now, MOVED + 20), "lastTimestamp": ago(now, MOVED + 20),
            "source": {"component": "kubelet", "host": "oci-node-1"}, "eventTime": null, "reportingComponent": "kubelet"}),
    );
}

/// An instant so many seconds ago, as the API writes it.
pub fn ago(now: Timestamp, seconds: i64) -> String {
    stamp(now - SignedDuration::from_secs(seconds))
}

/// An instant to the second.
pub fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn node(machine: &Machine, now: Timestamp) -> Value {
    let role = if machine.control { json!({"node-role.kubernetes.io/control-plane": ""}) } else { json!({}) };
    let condition = |about: &str, status: &str, reason: &str, message: &str| {
        json!({"type": about, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": stamp(now), "lastTransitionTime": ago(now, 41 * 86_400)})
    };
    let memory = format!("{}Ki", u64::from(machine.gib) * 1024 * 1024);
    let usable = format!("{}Ki", (u64::from(machine.gib) * 1024 - 600) * 1024);
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": machine.name, "creationTimestamp": ago(now, 41 * 86_400), "labels": role,
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"}},
        "spec": {"podCIDR": "203.0.113.0/25"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": machine.ip}, {"type": "Hostname", "address": machine.name}],
            "capacity": {"cpu": machine.cpu.to_string(), "memory": memory, "pods": "110", "ephemeral-storage": "51343840Ki"},
            "allocatable": {"cpu": format!("{}m", machine.cpu * 1000 - 50), "memory": usable, "pods": "110"},
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ],
            "nodeInfo": {"systemUUID": machine.uuid, "machineID": machine.uuid, "bootID": machine.uuid, "kubeletVersion": "v1.32.0",
                "osImage": "Talos (v1.9.0)", "kernelVersion": "6.12.5-talos", "containerRuntimeVersion": "containerd://2.0.1",
                "architecture": machine.arch, "operatingSystem": "linux", "kubeProxyVersion": ""},
        },
    })
}

/// What a pod is made from.
pub struct PodSeed<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// The workload's name.
    pub workload: &'a str,
    /// The Argo CD application.
    pub app: &'a str,
    /// The node.
    pub node: &'a str,
    /// What makes its name different from its siblings'.
    pub salt: u32,
    /// Its age in seconds.
    pub age: i64,
}

/// A running pod.
pub fn pod(seed: &PodSeed<'_>, now: Timestamp) -> Value {
    let hash = fnv(seed.workload);
    let tail = format!("{:05x}", fnv(&format!("{}{}", seed.workload, seed.salt)) & 0xf_ffff);
    let set = format!("{}-{:08x}", seed.workload, hash);
    let created = ago(now, seed.age);
    let ip = format!("203.0.113.{}", 1 + (hash ^ seed.salt) % 250);
    let volumes = if seed.workload == "redis" { json!([{"name": "tmp", "emptyDir": {}}]) } else { json!([]) };
    let condition = |about: &str| json!({"type": about, "status": "True", "lastProbeTime": null, "lastTransitionTime": created});
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("{set}-{tail}"), "generateName": format!("{set}-"), "namespace": seed.namespace, "creationTimestamp": created,
            "labels": {"app.kubernetes.io/name": seed.workload, "app.kubernetes.io/instance": seed.app, "pod-template-hash": format!("{hash:08x}")},
            "annotations": {"argocd.argoproj.io/tracking-id": format!("{}:apps/Deployment:{}/{}", seed.app, seed.namespace, seed.workload)},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": set, "uid": "0", "controller": true}],
        },
        "spec": {
            "nodeName": seed.node, "serviceAccountName": "default", "restartPolicy": "Always", "schedulerName": "default-scheduler",
            "containers": [{"name": seed.workload, "image": format!("registry.lab.example/{}:1.0", seed.workload),
                "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}}}],
            "volumes": volumes,
            "nodeSelector": if seed.workload == "comet" { json!({"kubernetes.io/hostname": "oci-node-1"}) } else { json!({}) },
        },
        "status": {
            "phase": "Running", "qosClass": "Burstable", "podIP": ip, "hostIP": "192.0.2.1", "startTime": created,
            "conditions": [condition("Initialized"), condition("Ready"), condition("ContainersReady"), condition("PodScheduled")],
            "containerStatuses": [{"name": seed.workload, "ready": true, "started": true, "restartCount": 0,
                "image": format!("registry.lab.example/{}:1.0", seed.workload), "state": {"running": {"startedAt": created}}, "lastState": {}}],
        },
    })
}

/// The node that an application runs on: Comet is pinned, the rest is spread.
pub fn node_of(app: &App) -> &'static str {
    let machines = machines(app.cluster);
    let index = if app.workload == "comet" { 0 } else { fnv(app.workload) as usize % machines.len() };
    // The home control plane takes no ordinary pods.
    if app.cluster == "prod" { machines[1].name } else { machines[index].name }
}

fn app_pod(app: &App, moved: bool, now: Timestamp) -> Value {
    let age = if moved { MOVED } else { 3_600 * i64::from(20 + fnv(&app.name) % 900) };
    let seed = PodSeed {
        namespace: app.namespace,
        workload: app.workload,
        app: &app.name,
        node: if moved { "oci-node-2" } else { node_of(app) },
        salt: 0,
        age,
    };
    let mut pod = pod(&seed, now);
    if app.workload == "loki" {
        let since = ago(now, 17 * 60);
        pod["metadata"]["creationTimestamp"] = since.clone().into();
        pod["status"]["containerStatuses"][0]["ready"] = false.into();
        for index in [1, 2] {
            pod["status"]["conditions"][index]["status"] = "False".into();
            pod["status"]["conditions"][index]["lastTransitionTime"] = since.clone().into();
        }
    }
    pod
}

/// Lidarr cannot write to its NFS mount and crashes again and again.
fn crashing(lab: &Lab, now: Timestamp) {
    let Some(app) = apps().into_iter().find(|app| app.cluster == lab.name && app.workload == "lidarr") else {
        return;
    };
    let mut pod = app_pod(&app, false, now);
    let name = pod["metadata"]["name"].clone();
    pod["status"]["conditions"][1]["status"] = "False".into();
    pod["status"]["containerStatuses"][0] = json!({"name": "lidarr", "ready": false, "started": false, "restartCount": 14,
        "image": "registry.lab.example/lidarr:1.0",
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container=lidarr"}},
        "lastState": {"terminated": {"reason": "Error", "exitCode": 139, "finishedAt": ago(now, 190)}}});
    let pod = lab.store.put("pods", pod);
    let uid =
        serde_json::from_str::<Value>(&pod).map(|pod| pod["metadata"]["uid"].clone()).unwrap_or_default();
    let reference =
        json!({"kind": "Pod", "namespace": "media", "name": name, "uid": uid, "apiVersion": "v1"});
    let event = |number: u32, sort: &str, reason: &str, message: &str, count: i64, last: i64| {
        json!({"apiVersion": "v1", "kind": "Event",
            "metadata": {"namespace": "media", "name": format!("lidarr.{number:016x}"), "creationTimestamp": ago(now, 3_000)},
            "involvedObject": reference, "reason": reason, "message": message, "type": sort, "count": count,
            "firstTimestamp": ago(now, 3_000), "lastTimestamp": ago(now, last), "source": {"component": "kubelet"},
            "eventTime": null, "reportingComponent": "kubelet"})
    };
    lab.store.put(
        "events",
        event(1, "Warning", "BackOff", "Back-off restarting failed container lidarr in pod lidarr", 231, 12),
    );
    lab.store
        .put("events", event(2, "Normal", "Pulled", "Container image already present on machine", 14, 190));
    lab.store.put(
        "events",
        event(
            3,
            "Warning",
            "FailedMount",
            "MountVolume.SetUp failed for volume \"music\": mount.nfs: Connection timed out",
            9,
            240,
        ),
    );
}

/// As many more pods as the world is large.
fn load(lab: &Lab, world: &World, now: Timestamp) {
    let machines = machines(lab.name);
    for index in 0..world.size.pods {
        let salt = u32::try_from(index).unwrap_or(u32::MAX);
        let seed = PodSeed {
            namespace: &format!("load-{}", index % 40),
            workload: &format!("load-{}", index / 10),
            app: &format!("load-{}", index % 400),
            node: machines[index % machines.len()].name,
            salt,
            age: 60 + i64::from(fnv(&index.to_string()) % 4_000_000),
        };
        lab.store.put("pods", pod(&seed, now));
    }
}
