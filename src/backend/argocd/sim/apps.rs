//! The homelab's applications as they are at first: all good, but for Loki's progress and Nextcloud's difference.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::backend::kubernetes::sim::homelab::{self, App};
use crate::backend::kubernetes::sim::lab::Lab;
use crate::backend::kubernetes::sim::seed::ago;
use crate::backend::kubernetes::sim::store::fnv;
use crate::backend::sim::World;

/// The commit that is at the head of the repository.
pub const HEAD: &str = "8f2c1a4d7e0b3c6f9a2d5e8b1c4f7a0d3e6b9c2f";
/// The commit before it.
pub const BEFORE: &str = "41b7a2f0c9d84e7fa1b2c3d4e5f60718293a4b5c";
/// The repository.
pub const REPOSITORY: &str = "https://git.lab.example/lab/homelab.git";

/// Puts project, settings and applications into the cluster.
pub fn fill(lab: &Lab, world: &World) {
    let now = world.clock.now();
    lab.store.put("namespaces", json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}, "status": {"phase": "Active"}}));
    lab.store.put("configmaps", json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": "argocd"}, "data": {"timeout.reconciliation": "120s"}}));
    for name in ["default", "platform", "apps"] {
        lab.store.put("appprojects", project(name, now));
    }
    for app in homelab::apps() {
        lab.store.put("applications", application(&app, now));
    }
}

fn project(name: &str, now: Timestamp) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": name, "namespace": "argocd", "creationTimestamp": ago(now, 200 * 86_400)},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]},
    })
}

/// A managed object of an application.
pub fn resource(group: &str, kind: &str, namespace: &str, name: &str, wave: i64) -> Value {
    let mut resource =
        json!({"version": "v1", "kind": kind, "namespace": namespace, "name": name, "status": "Synced"});
    if !group.is_empty() {
        resource["group"] = group.into();
    }
    if wave != 0 {
        resource["syncWave"] = wave.into();
    }
    resource
}

fn application(app: &App, now: Timestamp) -> Value {
    let (name, workload, namespace) = (&app.name, app.workload, app.namespace);
    let age = 86_400 * i64::from(40 + fnv(name) % 200);
    let source = json!({"repoURL": REPOSITORY, "path": format!("apps/{workload}"), "targetRevision": "main"});
    let destination = if app.cluster == "cloud" {
        json!({"server": "https://kubernetes.default.svc", "namespace": namespace})
    } else {
        json!({"name": "prod", "namespace": namespace})
    };
    let policy = json!({"syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
        "retry": {"limit": 5, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m0s"}},
        "automated": {"prune": false, "selfHeal": true}});
    let mut object = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {
            "name": name, "namespace": "argocd", "creationTimestamp": ago(now, age),
            "labels": {"env": app.cluster, "app.kubernetes.io/part-of": "homelab"},
            "annotations": {"argocd.argoproj.io/sync-wave": app.wave.to_string()},
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {"project": if app.wave < 4 { "platform" } else { "apps" }, "source": source, "destination": destination, "syncPolicy": policy},
        "status": {
            "sync": {"status": "Synced", "revision": HEAD, "comparedTo": {"source": source, "destination": destination}},
            "health": {"status": "Healthy", "lastTransitionTime": ago(now, 86_400 * i64::from(1 + fnv(name) % 30))},
            "reconciledAt": ago(now, i64::from(fnv(name) % 150)),
            "resources": [
                resource("", "ConfigMap", namespace, workload, 0),
                resource("", "Service", namespace, workload, 0),
                resource("apps", "Deployment", namespace, workload, 1),
            ],
            "history": [
                {"id": 11, "revision": BEFORE, "deployedAt": ago(now, 9 * 86_400), "source": source, "initiatedBy": {"automated": true}},
                {"id": 12, "revision": HEAD, "deployedAt": ago(now, 2 * 86_400), "source": source, "initiatedBy": {"automated": true}},
            ],
            "operationState": {
                "operation": {"sync": {"revision": HEAD}, "initiatedBy": {"automated": true}}, "phase": "Succeeded",
                "message": "successfully synced (all tasks run)", "startedAt": ago(now, 2 * 86_400 + 9), "finishedAt": ago(now, 2 * 86_400),
                "syncResult": {"revision": HEAD, "resources": []},
            },
            "summary": {"images": [format!("registry.lab.example/{workload}:1.0")], "externalURLs": [format!("https://{workload}.lab.example/")]},
            "controllerNamespace": "argocd", "resourceHealthSource": "appTree", "sourceType": "Kustomize",
        },
    });
    match workload {
        "nextcloud" => differing(&mut object, now),
        "loki" => progressing(&mut object, now),
        _ => {}
    }
    object
}

/// Nextcloud waits for somebody to sync it: automation is off, and Git has gone on.
fn differing(object: &mut Value, now: Timestamp) {
    object["spec"]["syncPolicy"]["automated"]["enabled"] = false.into();
    let status = &mut object["status"];
    status["sync"]["status"] = "OutOfSync".into();
    status["resources"][0]["status"] = "OutOfSync".into();
    status["resources"][2]["status"] = "OutOfSync".into();
    status["history"][1]["revision"] = BEFORE.into();
    status["operationState"]["syncResult"]["revision"] = BEFORE.into();
    status["operationState"]["operation"]["sync"]["revision"] = BEFORE.into();
    status["reconciledAt"] = ago(now, 41).into();
}

/// Loki has not got ready for seventeen minutes.
fn progressing(object: &mut Value, now: Timestamp) {
    let why = "Waiting for 1 pods to be ready...";
    object["status"]["health"] = json!({"status": "Progressing", "lastTransitionTime": ago(now, 17 * 60)});
    object["status"]["resources"][2] = resource("apps", "StatefulSet", "monitoring", "loki", 1);
    object["status"]["resources"][2]["health"] = json!({"status": "Progressing", "message": why});
    object["status"]["resourceHealthSource"] = "inline".into();
}
