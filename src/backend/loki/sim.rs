//! The lab's Loki: a few streams of the homelab, several tenants kept apart, errors in plain text.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::backend::sim::{Address, Setting, Settings, Simulator, World};

/// Namespace, pod, container and node of each stream.
const STREAMS: [(&str, &str, &str, &str, &str); 4] = [
    ("cloud", "media", "lidarr-76961805-81b6f", "lidarr", "oci-node-2"),
    ("cloud", "immich", "immich-server-0", "server", "oci-node-1"),
    ("prod", "monitoring", "loki-0", "loki", "talos-prod-worker-1"),
    ("cloud", "velero", "velero-7d8c9f6b5d-x2k4q", "velero", "oci-node-1"),
];
/// The tenant of the lab.
const TENANT: &str = "lab";
/// Between two lines of a stream, in seconds.
const EVERY: i64 = 20;

/// The simulator.
pub(super) fn all(world: &Arc<World>) -> Vec<Simulator> {
    let settings = |address: &Address| {
        vec![
            ("name", Setting::Text("loki".to_owned())),
            ("url", Setting::Text(address.url.clone())),
            ("domain", Setting::Text("home".to_owned())),
            ("tenant", Setting::Text(TENANT.to_owned())),
            ("grafana", Setting::Text("https://grafana.lab.example".to_owned())),
            ("datasource", Setting::Text("loki".to_owned())),
        ]
    };
    let router = Router::new()
        .route("/ready", get(async || "ready\n"))
        .route("/loki/api/v1/labels", get(labels))
        .route("/loki/api/v1/series", get(series))
        .route("/loki/api/v1/query_range", get(range))
        .fallback(async || text(StatusCode::NOT_FOUND, "404 page not found\n"))
        .with_state(world.clone());
    vec![Simulator {
        server: "loki".to_owned(),
        tls: false,
        router,
        tables: vec![("loki", Box::new(settings) as Settings)],
    }]
}

fn text(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text.to_owned()).into_response()
}

fn is_tenant(headers: &HeaderMap) -> bool {
    headers.get("x-scope-orgid").is_some_and(|tenant| tenant == TENANT)
}

async fn labels(headers: HeaderMap) -> Response {
    if !is_tenant(&headers) {
        return text(StatusCode::UNAUTHORIZED, "no org id\n");
    }
    Json(json!({"status": "success", "data": ["cluster", "container", "namespace", "node", "pod"]}))
        .into_response()
}

fn parameter(query: Option<&str>, name: &str) -> String {
    let url = reqwest::Url::parse(&format!("http://x/?{}", query.unwrap_or_default()));
    let pairs: Vec<(String, String)> =
        url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default();
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default()
}

fn stream(one: &Stream) -> Value {
    json!({"cluster": one.0, "namespace": one.1, "pod": one.2, "container": one.3, "node": one.4})
}

/// Cluster, namespace, pod, container and node of a stream.
type Stream = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// The streams that a selector of equalities matches; `None` where it is none.
fn matching(selector: &str) -> Option<Vec<&'static Stream>> {
    let inner = selector.strip_prefix('{')?.strip_suffix('}')?;
    if inner == "namespace=~\".+\"" {
        return Some(STREAMS.iter().collect());
    }
    let pairs: Option<Vec<(&str, &str)>> = inner
        .split(',')
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((name, value.strip_prefix('"')?.strip_suffix('"')?))
        })
        .collect();
    let pairs = pairs?;
    let fits =
        |one: &&'static Stream| pairs.iter().all(|(name, value)| stream(one)[*name].as_str() == Some(*value));
    Some(STREAMS.iter().filter(fits).collect())
}

async fn series(headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    if !is_tenant(&headers) {
        return text(StatusCode::UNAUTHORIZED, "no org id\n");
    }
    match matching(&parameter(query.as_deref(), "match[]")) {
        Some(found) => {
            let found: Vec<Value> = found.into_iter().map(stream).collect();
            Json(json!({"status": "success", "data": found})).into_response()
        }
        None => text(
            StatusCode::BAD_REQUEST,
            "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER\n",
        ),
    }
}

fn line(container: &str, second: i64) -> String {
    match (container, second / EVERY % 3) {
        ("lidarr", 0) => "level=error msg=\"database is locked\"".to_owned(),
        ("lidarr", 1) => "level=fatal msg=\"exiting after 3 attempts\"".to_owned(),
        ("loki", _) => {
            "level=warn msg=\"ingester is not ready: waiting for 15s after being ready\"".to_owned()
        }
        ("velero", _) => "level=error msg=\"backup storage location is unavailable\"".to_owned(),
        (container, n) => format!("level=info msg=\"request {n} served by {container}\""),
    }
}

/// The end is not included, and the newest lines come first.
async fn range(State(world): State<Arc<World>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    if !is_tenant(&headers) {
        return text(StatusCode::UNAUTHORIZED, "no org id\n");
    }
    let query = query.as_deref();
    let Some(found) = matching(&parameter(query, "query")) else {
        return text(
            StatusCode::BAD_REQUEST,
            "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER\n",
        );
    };
    let number = |name: &str| parameter(query, name).parse::<i128>().ok();
    let now = world.clock.now();
    let end = number("end").unwrap_or(now.as_nanosecond()).min(now.as_nanosecond());
    let start = number("start").unwrap_or(end - 3_600_000_000_000);
    let limit = usize::try_from(number("limit").unwrap_or(100)).unwrap_or(100).min(5_000);
    let second = |nanos: i128| Timestamp::from_nanosecond(nanos).map_or(0, Timestamp::as_second);
    let streams = found.into_iter().map(|one| {
        let mut values = Vec::new();
        let mut at = second(end) / EVERY * EVERY;
        while i128::from(at) * 1_000_000_000 >= start && values.len() < limit {
            if i128::from(at) * 1_000_000_000 < end {
                values.push(json!([(i128::from(at) * 1_000_000_000).to_string(), line(one.3, at)]));
            }
            at -= EVERY;
        }
        json!({"stream": stream(one), "values": values})
    });
    let result: Vec<Value> =
        streams.filter(|stream| stream["values"].as_array().is_some_and(|v| !v.is_empty())).collect();
    Json(json!({"status": "success", "data": {"resultType": "streams", "result": result}})).into_response()
}
