//! What belongs to the workloads of a simulated cluster: deployments, sets, jobs, services, routes, claims, budgets.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::homelab::{App, apps, machines};
use super::lab::Lab;
use super::seed::{PodSeed, ago, pod};
use super::store::fnv;

/// Workloads that keep state.
const STATEFUL: [&str; 3] = ["loki", "postgresql", "prometheus"];

/// Fills a cluster with them.
pub fn fill(lab: &Lab, now: Timestamp) {
    for app in apps().iter().filter(|app| app.cluster == lab.name) {
        let table = if STATEFUL.contains(&app.workload) { "statefulsets" } else { "deployments" };
        if app.workload == "cilium" {
            daemon(lab, app, now);
            continue;
        }
        lab.store.put(table, workload(app, table, now));
        lab.store.put("services", service(app, now));
        if app.wave == 4 || app.workload == "grafana" {
            lab.store.put("httproutes", route(app, now));
            lab.store.put("persistentvolumeclaims", claim(app, now));
            lab.store.put("persistentvolumes", volume(app, now));
        }
    }
    lab.store.put(
        "poddisruptionbudgets",
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "postgresql", "namespace": "databases", "creationTimestamp": ago(now, 86_400)},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app.kubernetes.io/name": "postgresql"}}},
        "status": {"currentHealthy": 1, "desiredHealthy": 1, "disruptionsAllowed": 0, "expectedPods": 1}}),
    );
    jobs(lab, now);
}

fn meta(app: &App, now: Timestamp, kind: &str) -> Value {
    json!({"name": app.workload, "namespace": app.namespace, "creationTimestamp": ago(now, 40 * 86_400), "generation": 3,
        "labels": {"app.kubernetes.io/name": app.workload, "app.kubernetes.io/instance": app.name},
        "annotations": {"argocd.argoproj.io/tracking-id": format!("{}:apps/{kind}:{}/{}", app.name, app.namespace, app.workload)}})
}

fn workload(app: &App, table: &str, now: Timestamp) -> Value {
    let kind = if table == "deployments" { "Deployment" } else { "StatefulSet" };
    let labels = json!({"app.kubernetes.io/name": app.workload});
    // A StatefulSet has no conditions: its controller says it in numbers alone.
    let conditions = if table == "deployments" {
        json!([{"type": "Available", "status": "True", "message": "Deployment has minimum availability.",
            "lastTransitionTime": ago(now, 30 * 86_400)}])
    } else {
        json!([])
    };
    json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": meta(app, now, kind),
        "spec": {"replicas": 1, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": app.workload,
                "image": format!("registry.lab.example/{}:1.0", app.workload)}]}}},
        "status": {"observedGeneration": 3, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
            "conditions": conditions},
    })
}

/// One pod on every machine, instead of the one that the application was given.
fn daemon(lab: &Lab, app: &App, now: Timestamp) {
    let (pods, _) = lab.store.page("pods", Some(app.namespace), "", usize::MAX);
    for (key, _) in pods.iter().filter(|(key, _)| key.contains("/cilium-")) {
        let _ = lab.store.delete("pods", key, &json!({}));
    }
    for (salt, machine) in machines(lab.name).iter().enumerate() {
        let salt = u32::try_from(salt).unwrap_or(0);
        let seed = PodSeed {
            namespace: app.namespace,
            workload: app.workload,
            app: &app.name,
            node: machine.name,
            salt,
            age: 40 * 86_400,
        };
        let mut made = pod(&seed, now);
        made["metadata"]["ownerReferences"][0]["kind"] = "DaemonSet".into();
        made["metadata"]["ownerReferences"][0]["name"] = app.workload.into();
        lab.store.put("pods", made);
    }
    let nodes = machines(lab.name).len();
    let labels = json!({"app.kubernetes.io/name": app.workload});
    lab.store.put("daemonsets", json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta(app, now, "DaemonSet"),
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "cilium",
            "image": "registry.lab.example/cilium:1.16"}]}}},
        "status": {"observedGeneration": 3, "desiredNumberScheduled": nodes, "numberReady": nodes, "updatedNumberScheduled": nodes},
    }));
}

fn service(app: &App, now: Timestamp) -> Value {
    let outside = app.workload == "traefik";
    let address = if app.cluster == "prod" { "192.0.2.240" } else { "198.51.100.10" };
    let balancer = if outside { json!({"ingress": [{"ip": address}]}) } else { json!({}) };
    json!({"apiVersion": "v1", "kind": "Service", "metadata": meta(app, now, "Service"),
        "spec": {"type": if outside { "LoadBalancer" } else { "ClusterIP" }, "clusterIP": format!("203.0.113.{}", 130 + fnv(&app.name) % 120),
            "ports": [{"port": 80, "protocol": "TCP"}], "selector": {"app.kubernetes.io/name": app.workload}},
        "status": {"loadBalancer": balancer}})
}

fn route(app: &App, now: Timestamp) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": meta(app, now, "HTTPRoute"),
        "spec": {"hostnames": [format!("{}.lab.example", app.workload)], "parentRefs": [{"name": "traefik"}]},
        "status": {"parents": [{"conditions": [{"type": "Accepted", "status": "True"}, {"type": "ResolvedRefs", "status": "True"}]}]}})
}

fn claim(app: &App, now: Timestamp) -> Value {
    let class = if app.cluster == "prod" { "longhorn" } else { "local-path" };
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta(app, now, "PersistentVolumeClaim"),
        "spec": {"storageClassName": class, "accessModes": ["ReadWriteOnce"], "volumeName": format!("pvc-{:08x}", fnv(&app.name))},
        "status": {"phase": "Bound", "capacity": {"storage": "10Gi"}}})
}

fn volume(app: &App, now: Timestamp) -> Value {
    let class = if app.cluster == "prod" { "longhorn" } else { "local-path" };
    json!({"apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": format!("pvc-{:08x}", fnv(&app.name)), "creationTimestamp": ago(now, 40 * 86_400)},
        "spec": {"storageClassName": class, "persistentVolumeReclaimPolicy": "Delete", "capacity": {"storage": "10Gi"},
            "claimRef": {"namespace": app.namespace, "name": app.workload}},
        "status": {"phase": "Bound"}})
}

/// A nightly backup that worked, and one whose last run failed.
fn jobs(lab: &Lab, now: Timestamp) {
    let failing = lab.name == "cloud";
    let meta = |name: &str, age: i64| json!({"name": name, "namespace": "databases", "creationTimestamp": ago(now, age)});
    let good = if failing { 26 * 3600 } else { 2 * 3600 };
    lab.store.put(
        "cronjobs",
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta("pg-backup", 40 * 86_400),
        "spec": {"schedule": "0 1 * * *"},
        "status": {"lastScheduleTime": ago(now, 2 * 3600 + 60), "lastSuccessfulTime": ago(now, good)}}),
    );
    let condition = if failing {
        json!({"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"})
    } else {
        json!({"type": "Complete", "status": "True"})
    };
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta("pg-backup-29210460", 2 * 3600 + 60),
        "spec": {"completions": 1}, "status": {"succeeded": i32::from(!failing), "failed": if failing { 4 } else { 0 },
            "startTime": ago(now, 2 * 3600 + 60), "completionTime": ago(now, 2 * 3600), "conditions": [condition]}});
    job["metadata"]["ownerReferences"] = json!([{"kind": "CronJob", "name": "pg-backup"}]);
    lab.store.put("jobs", job);
}
