//! What argocd-server tells of the objects of an application: tree, difference, manifests, actions, live objects.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::backend::kubernetes::sim::lab::Lab;
use crate::backend::kubernetes::sim::seed::stamp;

use super::super::apps::HEAD;
use super::{Server, failure};

/// The query of a request.
pub type Query = BTreeMap<String, String>;

/// The table of a kind in a simulated cluster.
fn table(kind: &str) -> String {
    match kind {
        "Ingress" => "ingresses".to_owned(),
        "HTTPRoute" => "httproutes".to_owned(),
        other => format!("{}s", other.to_lowercase()),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn resources(app: &Value) -> impl Iterator<Item = &Value> {
    app["status"]["resources"].as_array().into_iter().flatten()
}

/// `GET …/resource-tree`: managed objects, and the pods under their workload.
pub fn tree(server: &Server, app: &Value) -> Value {
    let lab = server.destination(app);
    let name = text(&app["metadata"], "name");
    let mut nodes = Vec::new();
    for resource in resources(app) {
        let (kind, namespace, object) =
            (text(resource, "kind"), text(resource, "namespace"), text(resource, "name"));
        let live = lab.as_ref().and_then(|lab| lab.store.get(&table(kind), &format!("{namespace}/{object}")));
        let uid = live.as_ref().map_or_else(
            || format!("sim-{kind}-{namespace}-{object}"),
            |live| text(&live["metadata"], "uid").to_owned(),
        );
        let mut node = json!({"group": resource["group"], "version": "v1", "kind": kind, "namespace": namespace,
            "name": object, "uid": uid, "resourceVersion": "1"});
        if let Some(health) = health(app, resource) {
            node["health"] = health;
        }
        nodes.push(node);
        if matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet")
            && let Some(lab) = &lab
        {
            nodes.extend(pods(lab, name, namespace).into_iter().map(|mut pod| {
                pod["parentRefs"] = json!([{"group": "apps", "kind": kind, "namespace": namespace, "name": object, "uid": uid}]);
                pod
            }));
        }
    }
    json!({"nodes": nodes, "hosts": [], "shardsCount": 1})
}

/// Workloads have the application's health; what has none is left without.
fn health(app: &Value, resource: &Value) -> Option<Value> {
    match text(resource, "kind") {
        "Deployment" | "StatefulSet" | "DaemonSet" => {
            let own = resource["health"].is_object().then(|| resource["health"].clone());
            Some(own.unwrap_or_else(|| json!({"status": app["status"]["health"]["status"]})))
        }
        "Service" => Some(json!({"status": "Healthy"})),
        _ => None,
    }
}

fn pods(lab: &Lab, app: &str, namespace: &str) -> Vec<Value> {
    let (rows, _) = lab.store.page("pods", Some(namespace), "", usize::MAX);
    let pods = rows.iter().filter_map(|(_, text)| serde_json::from_str::<Value>(text).ok());
    let ours = pods.filter(|pod| pod["metadata"]["labels"]["app.kubernetes.io/instance"] == app);
    ours.map(|pod| {
        let status = &pod["status"]["containerStatuses"][0];
        let waiting = &status["state"]["waiting"]["reason"];
        let word = waiting.as_str().unwrap_or_else(|| text(&pod["status"], "phase"));
        let ready = status["ready"] == true;
        let health = if ready { "Healthy" } else if waiting == "CrashLoopBackOff" { "Degraded" } else { "Progressing" };
        let mut info = vec![
            json!({"name": "Status Reason", "value": word}),
            json!({"name": "Node", "value": pod["spec"]["nodeName"]}),
            json!({"name": "Containers", "value": format!("{}/1", u8::from(ready))}),
        ];
        if let Some(restarts) = status["restartCount"].as_i64().filter(|count| *count > 0) {
            info.push(json!({"name": "Restart Count", "value": restarts.to_string()}));
        }
        json!({"version": "v1", "kind": "Pod", "namespace": namespace, "name": pod["metadata"]["name"],
            "uid": pod["metadata"]["uid"], "resourceVersion": "1", "info": info, "health": {"status": health}})
    })
    .collect()
}

/// An object as Git wants it; what differs has a newer image or setting there.
fn manifest(resource: &Value, newer: bool) -> Value {
    let (kind, namespace, name) =
        (text(resource, "kind"), text(resource, "namespace"), text(resource, "name"));
    let version = if newer { "1.1" } else { "1.0" };
    let meta = json!({"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/name": name}});
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" => {
            json!({"apiVersion": "apps/v1", "kind": kind, "metadata": meta,
            "spec": {"replicas": 1, "template": {"spec": {"containers": [
                {"name": name, "image": format!("registry.lab.example/{name}:{version}")}]}}}})
        }
        "Secret" => json!({"apiVersion": "v1", "kind": kind, "metadata": meta,
            // As the server masks it: as many signs as tell nothing, more where the values differ.
            "data": {"password": if newer { "++++++++++++" } else { "++++++++" }}}),
        "Service" => {
            json!({"apiVersion": "v1", "kind": kind, "metadata": meta, "spec": {"ports": [{"port": 80}]}})
        }
        _ => json!({"apiVersion": "v1", "kind": kind, "metadata": meta,
            "data": {"log_level": if newer { "info" } else { "debug" }, "version": version}}),
    }
}

/// `GET …/managed-resources`; the states are documents in texts.
pub fn managed(app: &Value) -> Value {
    let item = |resource: &Value| {
        let differs = resource["status"] == "OutOfSync";
        let (live, wanted) = (manifest(resource, false).to_string(), manifest(resource, differs).to_string());
        json!({"group": resource["group"], "kind": resource["kind"], "namespace": resource["namespace"], "name": resource["name"],
            "liveState": live, "normalizedLiveState": live, "targetState": wanted, "predictedLiveState": wanted,
            "modified": differs, "resourceVersion": "1"})
    };
    json!({"items": resources(app).map(item).collect::<Vec<_>>()})
}

/// `GET …/manifests`.
pub fn manifests(app: &Value) -> Value {
    let made: Vec<String> = resources(app)
        .map(|resource| manifest(resource, resource["status"] == "OutOfSync").to_string())
        .collect();
    json!({"manifests": made, "revision": app["status"]["sync"]["revision"], "sourceType": "Kustomize"})
}

/// `GET …/revisions/{rev}/metadata`.
pub fn commit(server: &Server, revision: &str) -> Response {
    let (author, message) = if revision == HEAD {
        ("admin1 <admin1@lab.example>", "apps: newer images\n\nby the weekly round")
    } else if revision == super::super::apps::BEFORE {
        ("renovate <bot@lab.example>", "chore(deps): update images")
    } else {
        return failure(StatusCode::NOT_FOUND, 5, &format!("unable to resolve '{revision}' to a commit SHA"));
    };
    axum::Json(json!({"author": author, "date": stamp(server.lab.now()), "message": message})).into_response()
}

/// `GET …/resource/actions`.
pub fn actions(query: &Query) -> Value {
    let kind = query.get("kind").map_or("", String::as_str);
    let actions = match kind {
        "Deployment" => json!([{"name": "pause"}, {"name": "restart", "iconClass": "fa fa-fw fa-redo"},
            {"name": "resume", "disabled": true}, {"name": "scale", "params": [{"name": "replicas"}]}]),
        "StatefulSet" | "DaemonSet" => json!([{"name": "restart"}]),
        _ => json!([]),
    };
    json!({"actions": actions})
}

/// `GET …/resource`: the live object.
pub fn live(server: &Server, app: &Value, query: &Query) -> Response {
    let of = |name: &str| query.get(name).map_or("", String::as_str);
    let key = format!("{}/{}", of("namespace"), of("resourceName"));
    let found = server.destination(app).and_then(|lab| lab.store.get(&table(of("kind")), &key));
    match found {
        Some(object) => axum::Json(json!({"manifest": object.to_string()})).into_response(),
        None => failure(
            StatusCode::BAD_REQUEST,
            3,
            &format!("{} {} not found as part of application", of("kind"), of("resourceName")),
        ),
    }
}

/// `POST …/resource/actions/v2`.
pub fn act(server: &Server, app: &Value, body: &Bytes) -> Response {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let (kind, name) = (text(&asked, "kind"), text(&asked, "resourceName"));
    let key = format!("{}/{name}", text(&asked, "namespace"));
    let Some(lab) = server.destination(app) else {
        return failure(StatusCode::BAD_REQUEST, 3, "no such cluster");
    };
    let parameter = |name: &str| {
        let all = asked["resourceActionParameters"].as_array().into_iter().flatten();
        all.into_iter().find(|p| p["name"] == name).and_then(|p| p["value"].as_str()?.parse::<i64>().ok())
    };
    let patch = match text(&asked, "action") {
        "restart" => {
            let at = stamp(lab.now());
            json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": at}}}}})
        }
        "scale" => json!({"spec": {"replicas": parameter("replicas").unwrap_or(1)}}),
        "pause" => json!({"spec": {"paused": true}}),
        other => return failure(StatusCode::NOT_FOUND, 5, &format!("action {other} not supported")),
    };
    if lab.act(&table(kind), &key, &patch).is_err() {
        return failure(
            StatusCode::BAD_REQUEST,
            3,
            &format!("{kind} {name} not found as part of application"),
        );
    }
    axum::Json(json!({})).into_response()
}
