//! The lab's Prometheus, version 2.42: rules, alerts, and the few queries that the console asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::homelab::{EXTERNAL, Found, Rule};
use super::{Lab, plain, query};

type Shared = State<Arc<Lab>>;

/// How often a group is evaluated, in seconds.
const INTERVAL: i64 = 15;

/// What it answers.
pub(super) fn router(lab: Arc<Lab>) -> Router {
    let api = Router::new()
        .route("/rules", get(rules))
        .route("/alerts", get(alerts))
        .route("/query", get(query::instant).post(query::instant))
        .route("/query_range", get(query::range).post(query::range))
        .route("/alertmanagers", get(alertmanagers))
        .route("/status/config", get(config))
        .route("/status/buildinfo", get(build));
    Router::new()
        .nest("/api/v1", api)
        .route("/-/ready", get(async || plain(StatusCode::OK, "Prometheus Server is Ready.\n")))
        .route("/-/healthy", get(async || plain(StatusCode::OK, "Prometheus Server is Healthy.\n")))
        .fallback(async || plain(StatusCode::NOT_FOUND, "404 page not found\n"))
        .with_state(lab)
}

pub(super) fn success(data: &Value) -> Response {
    Json(json!({"status": "success", "data": data})).into_response()
}

pub(super) fn error(status: StatusCode, class: &str, text: &str) -> Response {
    (status, Json(json!({"status": "error", "errorType": class, "error": text}))).into_response()
}

/// The last evaluation before now.
fn evaluated(now: Timestamp) -> String {
    let at = now - SignedDuration::from_secs(now.as_second().rem_euclid(INTERVAL));
    at.strftime("%Y-%m-%dT%H:%M:%S.649737044Z").to_string()
}

fn alert(rule: &Rule, found: &Found, lab: &Lab) -> Value {
    json!({
        "labels": rule.labels(found),
        "annotations": {"summary": rule.summary},
        "state": if rule.fired(found, lab).is_some() { "firing" } else { "pending" },
        "activeAt": found.true_since(lab).strftime("%Y-%m-%dT%H:%M:%S.647266341Z").to_string(),
        "value": format!("{:e}", found.value(lab)),
    })
}

fn state(rule: &Rule, lab: &Lab) -> &'static str {
    match rule.finds(lab).iter().map(|found| rule.fired(found, lab).is_some()).max() {
        Some(true) => "firing",
        Some(false) => "pending",
        None => "inactive",
    }
}

fn rule(rule: &Rule, lab: &Lab) -> Value {
    let mut body = json!({
        "type": "alerting",
        "state": state(rule, lab),
        "name": rule.name,
        "query": rule.query,
        "duration": rule.wait,
        "keepFiringFor": 0,
        "labels": {"severity": rule.severity},
        "annotations": {"summary": rule.summary},
        "alerts": rule.finds(lab).iter().map(|found| alert(rule, found, lab)).collect::<Vec<_>>(),
        "health": if rule.broken.is_empty() { "ok" } else { "err" },
        "evaluationTime": 0.000_731_923,
        "lastEvaluation": evaluated(lab.now()),
    });
    if !rule.broken.is_empty() {
        body["lastError"] = Value::from(rule.broken.as_str());
    }
    body
}

/// Parameters that 2.42 does not know are ignored; a wrong type is an error.
async fn rules(State(lab): Shared, RawQuery(query): RawQuery) -> Response {
    let wanted = query.unwrap_or_default();
    if let Some(kind) = wanted.split('&').find_map(|pair| pair.strip_prefix("type="))
        && !matches!(kind, "alert" | "record")
    {
        return error(StatusCode::BAD_REQUEST, "bad_data", &format!("not supported value \"{kind}\""));
    }
    let now = lab.now();
    let mut groups: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for one in &lab.rules {
        groups.entry(&one.group).or_default().push(rule(one, &lab));
    }
    if !wanted.contains("type=alert") {
        groups.entry("node").or_default().push(json!({
            "type": "recording", "name": "instance:node_memory_utilisation:ratio",
            "query": "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
            "health": "ok", "evaluationTime": 0.000_31, "lastEvaluation": evaluated(now),
        }));
    }
    let groups = groups.into_iter().map(|(name, rules)| {
        json!({
            "name": name, "file": "/etc/prometheus/rules/lab.yml", "rules": rules, "interval": INTERVAL, "limit": 0,
            "evaluationTime": 0.001_700_798, "lastEvaluation": evaluated(now),
        })
    });
    success(&json!({"groups": groups.collect::<Vec<_>>()}))
}

async fn alerts(State(lab): Shared) -> Response {
    let found = lab.rules.iter().flat_map(|rule| rule.finds(&lab).iter().map(move |found| (rule, found)));
    success(&json!({"alerts": found.map(|(rule, found)| alert(rule, found, &lab)).collect::<Vec<_>>()}))
}

async fn alertmanagers() -> Response {
    let url = |number| json!({"url": format!("http://alertmanager-{number}.lab.example:9093/api/v2/alerts")});
    success(&json!({"activeAlertmanagers": [url(1), url(2)], "droppedAlertmanagers": []}))
}

async fn config() -> Response {
    let external: Vec<String> =
        EXTERNAL.iter().map(|(name, value)| format!("    {name}: {value}\n")).collect();
    let yaml = format!(
        "global:\n  scrape_interval: 15s\n  evaluation_interval: 15s\n  external_labels:\n{}rule_files:\n- /etc/prometheus/rules/lab.yml\n",
        external.concat()
    );
    success(&json!({"yaml": yaml}))
}

async fn build() -> Response {
    success(&json!({
        "version": "2.42.0+ds", "revision": "2.42.0+ds-5+deb12u1", "branch": "debian/sid",
        "buildUser": "packager@debian.example", "buildDate": "20230312-18:26:42", "goVersion": "go1.19.8",
    }))
}
