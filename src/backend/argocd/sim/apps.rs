//! The homelab's applications as they are at first: all good, but for Loki's progress and Nextcloud's difference.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::backend::kubernetes::sim::homelab::{self, App};
use crate::backend::kubernetes::sim::lab::Lab;
use crate::backend::kubernetes::sim::seed::ago;
use crate::backend::kubernetes::sim::store::{fnv, key_of};
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
        let mut project = project(name, now);
        if lab.flag("argocd.window") == name {
            // Meant for one night, and never taken out again.
            project["spec"]["syncWindows"] = json!([{"kind": "deny", "schedule": "0 0 * * *", "duration": "24h",
                "applications": ["*"], "description": "storage move, one night only"}]);
        }
        lab.store.put("appprojects", project);
    }
    for app in homelab::apps() {
        let mut object = application(&app, now);
        scene(lab, &app, &mut object, now);
        lab.store.put("applications", object);
    }
    for number in 0..world.size.applications {
        lab.store.put("applications", another(number, now));
    }
    if !lab.flag("argocd.managed").is_empty() {
        lab.store.put("applications", root(now));
    }
    for (name, path, members) in SETS {
        lab.store.put("applicationsets", set(name, path, members, now));
    }
}

/// One of many: of ten, nine are good.
fn another(number: usize, now: Timestamp) -> Value {
    let app = App {
        name: format!("team-{:02}-service-{number:05}", number % 40),
        workload: "service",
        cluster: if number.is_multiple_of(2) { "cloud" } else { "prod" },
        namespace: "default",
        wave: 4,
    };
    let mut object = application(&app, now);
    match number % 20 {
        7 => object["status"]["sync"]["status"] = "OutOfSync".into(),
        13 => object["status"]["health"]["status"] = "Progressing".into(),
        _ => {}
    }
    object
}

/// Whether a fact of the world names an application.
fn named(lab: &Lab, flag: &str, name: &str) -> bool {
    lab.flag(flag).split(',').any(|known| known.trim() == name)
}

/// What a scenario makes of an application: behind its sibling, kept by a parent, held up by an earlier wave.
fn scene(lab: &Lab, app: &App, object: &mut Value, now: Timestamp) {
    if named(lab, "argocd.behind", &app.name) {
        object["spec"]["source"]["targetRevision"] = BEFORE.into();
        let status = &mut object["status"];
        for place in ["/sync/revision", "/history/1/revision", "/operationState/syncResult/revision"] {
            if let Some(revision) = status.pointer_mut(place) {
                *revision = BEFORE.into();
            }
        }
        status["summary"]["images"] = json!([format!("registry.lab.example/{}:0.9", app.workload)]);
    }
    if named(lab, "argocd.managed", &app.name) {
        let tracking = format!("root:argoproj.io/Application:argocd/{}", app.name);
        object["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] = tracking.into();
    }
    if lab.flag("argocd.stuck") == app.name {
        stuck(object, now);
    }
    let gate = homelab::apps().into_iter().find(|other| lab.flag("argocd.stuck") == other.name);
    if let Some(gate) = gate.filter(|gate| gate.cluster == app.cluster && gate.wave < app.wave) {
        let status = &mut object["status"];
        status["sync"]["status"] = "OutOfSync".into();
        status["health"] = json!({"status": "Missing", "lastTransitionTime": ago(now, 26 * 60)});
        status["health"]["message"] = format!("waits for wave {}", gate.wave).into();
        object["spec"]["syncPolicy"]["automated"]["enabled"] = false.into();
    }
}

/// What a workflow has changed in Git since, for the environment that follows.
pub fn promote(lab: &Lab) {
    let sha = lab.flag("argocd.promoted");
    if sha.is_empty() {
        return;
    }
    lab.set("argocd.promoted", "");
    let elsewhere = |app: &&Value| {
        let told = app["spec"]["source"]["targetRevision"].as_str().unwrap_or_default();
        app["metadata"]["labels"]["env"] == "prod" && told.len() == 40 && told != sha
    };
    for app in lab.store.all("applications").iter().filter(elsewhere) {
        let tell = |app: &mut Value| app["spec"]["source"]["targetRevision"] = sha.as_str().into();
        let _ = lab.store.update("applications", &key_of(app), tell);
    }
}

/// The application that keeps other applications in Git.
fn root(now: Timestamp) -> Value {
    let app =
        App { name: "root".to_owned(), workload: "root", cluster: "cloud", namespace: "argocd", wave: 0 };
    let mut object = application(&app, now);
    object["spec"]["source"]["path"] = "clusters/lab".into();
    object["status"]["resources"] =
        json!([resource("argoproj.io", "Application", "argocd", "postgresql-prod", 2)]);
    object
}

/// Its operation has been waiting for one object to get ready for twenty-five minutes.
fn stuck(object: &mut Value, now: Timestamp) {
    let kind = object["status"]["resources"][2]["kind"].as_str().unwrap_or("Deployment").to_owned();
    let name = object["status"]["resources"][2]["name"].as_str().unwrap_or_default().to_owned();
    object["status"]["operationState"] = json!({
        "operation": {"sync": {"revision": HEAD}, "initiatedBy": {"automated": true}}, "phase": "Running",
        "message": format!("waiting for healthy state of apps/{kind}/{name}"), "startedAt": ago(now, 25 * 60),
        "syncResult": {"revision": HEAD, "resources": []},
    });
    // Until somebody ends it.
    object["status"]["simStepAt"] = (now + jiff::SignedDuration::from_hours(24 * 365)).to_string().into();
}

/// Application sets: name, folder in Git, applications.
const SETS: [(&str, &str, &[&str]); 2] = [
    ("media", "apps/media/*", &["navidrome", "lidarr", "immich", "comet"]),
    ("platform", "platform/*", &["cilium-prod", "cilium-cloud", "traefik-prod", "traefik-cloud"]),
];

/// A set that lists its applications and does not own them, as one does that was adopted with `preserveResourcesOnDeletion`.
fn set(name: &str, path: &str, members: &[&str], now: Timestamp) -> Value {
    let rolling = name == "platform";
    let steps = json!([{"matchExpressions": [{"key": "env", "operator": "In", "values": ["cloud"]}]},
        {"matchExpressions": [{"key": "env", "operator": "In", "values": ["prod"]}], "maxUpdate": 1}]);
    let strategy =
        if rolling { json!({"type": "RollingSync", "rollingSync": {"steps": steps}}) } else { json!({}) };
    let condition = |about: &str, status: &str| json!({"type": about, "status": status, "message": "", "lastTransitionTime": ago(now, 9_000)});
    let resource = |member: &&str| json!({"group": "argoproj.io", "kind": "Application", "namespace": "argocd", "name": member});
    let member = |member: &&str| {
        let step = if member.ends_with("-prod") { "2" } else { "1" };
        json!({"application": member, "step": step, "status": "Healthy", "message": "", "lastTransitionTime": ago(now, 9_000)})
    };
    let states: Vec<Value> = if rolling { members.iter().map(member).collect() } else { Vec::new() };
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
        "metadata": {"name": name, "namespace": "argocd", "creationTimestamp": ago(now, 150 * 86_400)},
        "spec": {"goTemplate": true, "strategy": strategy,
            "generators": [{"git": {"repoURL": REPOSITORY, "revision": "main", "directories": [{"path": path}]}}]},
        "status": {"conditions": [condition("ErrorOccurred", "False"), condition("ParametersGenerated", "True"), condition("ResourcesUpToDate", "True")],
            "applicationStatus": states, "resources": members.iter().map(resource).collect::<Vec<_>>()},
    })
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
