//! One member of the lab's Alertmanager pair, version 0.25.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state, map_response_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use serde_json::{Value, json};

use super::super::labels::Labels;
use super::super::matcher::{Matcher, Matchers};
use super::silences::Silences;
use super::{Lab, Posted, USER, frame, plain, quiet, refuse, written};

/// One member.
pub(super) struct Member {
    lab: Arc<Lab>,
    number: u8,
    posted: Mutex<BTreeMap<u64, Posted>>,
}

type Shared = State<Arc<Member>>;

/// What one member answers.
pub(super) fn router(lab: Arc<Lab>, number: u8) -> Router {
    let member = Arc::new(Member { lab, number, posted: Mutex::default() });
    let api = Router::new()
        .route("/status", get(status))
        .route("/receivers", get(receivers))
        .route("/alerts", get(alerts).post(post_alerts))
        .route("/alerts/groups", get(groups))
        .route("/silences", get(silences).post(put_silence))
        .route("/silence/{id}", get(silence).delete(expire))
        .fallback(async |uri: Uri| {
            frame(StatusCode::NOT_FOUND, 404, format!("path /api/v2{} was not found", uri.path()))
        })
        .method_not_allowed_fallback(wrong_method);
    Router::new()
        .nest("/api/v2", api)
        .route("/metrics", get(metrics))
        .route("/-/healthy", get(async || plain(StatusCode::OK, "OK")))
        .route("/-/ready", get(async || plain(StatusCode::OK, "OK")))
        .layer(from_fn_with_state(member.clone(), authenticate))
        .layer(map_response_with_state(member.clone(), dated))
        .with_state(member)
}

/// Basic auth in front of everything, as `--web.config.file` does it.
async fn authenticate(State(member): Shared, request: Request, next: Next) -> Response {
    let pair = format!("{USER}:{}", member.lab.password());
    let expected = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given == Some(expected.as_str()) {
        return next.run(request).await;
    }
    let mut answer = plain(StatusCode::UNAUTHORIZED, "Unauthorized\n");
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
    answer
}

/// The server's clock is the lab's.
async fn dated(State(member): Shared, mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Ok(date) =
        HeaderValue::from_str(&member.lab.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
    {
        headers.insert(header::DATE, date);
    }
    response
}

async fn wrong_method(method: Method) -> Response {
    frame(StatusCode::METHOD_NOT_ALLOWED, 405, format!("method {method} is not allowed, but [POST,GET] are"))
}

async fn status(State(member): Shared) -> Response {
    let peer =
        |number: u8| json!({"name": peer_name(number), "address": format!("127.0.0.1:909{}", 3 + number)});
    Json(json!({
        "cluster": {"name": peer_name(member.number), "status": "ready", "peers": [peer(1), peer(2)]},
        "config": {"original": quiet::CONFIG},
        "uptime": written(member.lab.began),
        "versionInfo": {
            "version": "0.25.0", "revision": "0.25.0-1+b4", "branch": "debian/sid",
            "buildUser": "packager@debian.example", "buildDate": "20230409-09:50:43", "goVersion": "go1.19.8",
        },
    }))
    .into_response()
}

/// A ULID per start, as 0.25 has it.
fn peer_name(number: u8) -> String {
    format!("01M81APJ0FY46SC114Z3ZFT7A{number}")
}

async fn receivers() -> Response {
    let names = ["null", "deadman", "ntfy-critical", "ntfy-night", "telegram-ops"];
    Json(Value::from_iter(names.map(|name| json!({"name": name})))).into_response()
}

/// An alert as one member holds it.
struct Alert {
    labels: Labels,
    annotations: Value,
    starts: Timestamp,
    ends: Timestamp,
    updated: Timestamp,
    generator: String,
}

impl Member {
    fn silences(&self) -> MutexGuard<'_, Silences> {
        self.lab.silences.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the lab's Prometheus sends each minute, and what was posted here.
    fn held(&self) -> Vec<Alert> {
        let now = self.lab.now();
        let mut held: Vec<Alert> = Vec::new();
        for rule in self.lab.rules.iter().filter(|rule| rule.broken.is_empty()) {
            for found in rule.finds(&self.lab) {
                let Some(fired) = rule.fired(found, &self.lab) else { continue };
                let updated =
                    now - SignedDuration::from_secs((now.as_second() - fired.as_second()).rem_euclid(60));
                held.push(Alert {
                    labels: rule.sent(found),
                    annotations: json!({"summary": rule.summary}),
                    starts: fired,
                    ends: updated + SignedDuration::from_mins(4),
                    updated,
                    generator: format!("http://prometheus.lab.example/graph?g0.expr={}&g0.tab=1", rule.name),
                });
            }
        }
        let posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        held.extend(posted.values().filter(|alert| alert.ends > now).map(|alert| Alert {
            labels: alert.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            annotations: json!(alert.annotations),
            starts: alert.starts,
            ends: alert.ends,
            updated: alert.updated,
            generator: alert.generator.clone(),
        }));
        held.sort_by_key(|alert| alert.labels.fingerprint());
        held
    }

    fn json(&self, alert: &Alert, all: &[Alert]) -> Value {
        let silenced = self.silences().that_quiet(&alert.labels, self.lab.now());
        let inhibitor = all.iter().find(|other| quiet::inhibits(&other.labels, &alert.labels));
        let inhibited: Vec<String> =
            inhibitor.iter().map(|source| format!("{:016x}", source.labels.fingerprint())).collect();
        let state = if silenced.is_empty() && inhibited.is_empty() { "active" } else { "suppressed" };
        let receivers = quiet::receivers(&alert.labels);
        let labels: BTreeMap<&str, &str> =
            alert.labels.iter().map(|(name, value)| (&**name, &**value)).collect();
        let mut body = json!({
            "annotations": alert.annotations,
            "endsAt": written(alert.ends),
            "fingerprint": format!("{:016x}", alert.labels.fingerprint()),
            "receivers": receivers.iter().map(|name| json!({"name": name})).collect::<Vec<_>>(),
            "startsAt": written(alert.starts),
            "status": {"inhibitedBy": inhibited, "silencedBy": silenced, "state": state},
            "updatedAt": written(alert.updated),
            "labels": labels,
        });
        if !alert.generator.is_empty() {
            body["generatorURL"] = Value::from(alert.generator.as_str());
        }
        body
    }
}

/// The parameters of a query in order; a name may come several times.
fn parameters(query: Option<&str>) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://x/?{}", query.unwrap_or_default()));
    url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}

/// A wrong boolean is no error: anything that is not a yes is a no.
fn wanted(parameters: &[(String, String)], name: &str) -> bool {
    let given = parameters.iter().find(|(key, _)| key == name);
    given.is_none_or(|(_, value)| {
        matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "ok" | "y" | "on" | "t")
    })
}

fn filters(parameters: &[(String, String)]) -> Result<Vec<Matcher>, Box<Response>> {
    let given = parameters.iter().filter(|(name, _)| name == "filter");
    let read = given.map(|(_, text)| {
        let wrong = || Box::new(refuse(StatusCode::BAD_REQUEST, &format!("bad matcher format: {text}")));
        Matcher::parse(text)
            .map_err(|_| wrong())
            .and_then(|matcher| if matcher.name.starts_with('{') { Err(wrong()) } else { Ok(matcher) })
    });
    read.collect()
}

async fn alerts(State(member): Shared, RawQuery(query): RawQuery) -> Response {
    let parameters = parameters(query.as_deref());
    let matchers = match filters(&parameters).map(Matchers::new) {
        Ok(Ok(matchers)) => matchers,
        Ok(Err(text)) => return refuse(StatusCode::BAD_REQUEST, &text),
        Err(refusal) => return *refusal,
    };
    let receiver = match parameters.iter().find(|(name, _)| name == "receiver") {
        Some((_, pattern)) => match Regex::new(&format!("^(?:{pattern})$")) {
            Ok(regex) => Some(regex),
            Err(_) => {
                return refuse(
                    StatusCode::BAD_REQUEST,
                    "failed to parse receiver param: error parsing regexp",
                );
            }
        },
        None => None,
    };
    let all = member.held();
    let some = |body: &Value, list: &str| body["status"][list].as_array().is_some_and(|ids| !ids.is_empty());
    let shown =
        all.iter().filter(|alert| matchers.match_all(&alert.labels)).map(|alert| member.json(alert, &all));
    let shown = shown.filter(|body| {
        (wanted(&parameters, "active") || body["status"]["state"] != "active")
            && (wanted(&parameters, "silenced") || !some(body, "silencedBy"))
            && (wanted(&parameters, "inhibited") || !some(body, "inhibitedBy"))
            && receiver.as_ref().is_none_or(|pattern| {
                let names = body["receivers"].as_array().into_iter().flatten();
                names.filter_map(|receiver| receiver["name"].as_str()).any(|name| pattern.is_match(name))
            })
    });
    Json(shown.collect::<Value>()).into_response()
}

/// An alert stands in one group for each receiver; 0.25 names no intervals here.
async fn groups(State(member): Shared) -> Response {
    type Place<'a> = (&'a str, Vec<(String, String)>);
    let all = member.held();
    let mut groups: BTreeMap<Place<'_>, Vec<Value>> = BTreeMap::new();
    for alert in &all {
        let shared = ["alertname", "cluster", "namespace"]
            .into_iter()
            .filter_map(|name| alert.labels.find(name).map(|value| (name.to_owned(), value.to_string())));
        let shared: Vec<_> = shared.collect();
        for receiver in quiet::receivers(&alert.labels) {
            groups.entry((receiver, shared.clone())).or_default().push(member.json(alert, &all));
        }
    }
    let group = |((receiver, labels), alerts): (Place<'_>, Vec<Value>)| {
        let labels: BTreeMap<String, String> = labels.into_iter().collect();
        json!({"alerts": alerts, "labels": labels, "receiver": {"name": receiver}})
    };
    Json(groups.into_iter().map(group).collect::<Value>()).into_response()
}

/// The counters; the fact `notify` = `failing` makes one more notification fail with each look.
async fn metrics(State(member): Shared) -> Response {
    let failing = member.lab.world.get("notify") == "failing";
    let failed = if failing { member.lab.now().as_second() - member.lab.began.as_second() } else { 0 };
    let text = format!(
        "# TYPE alertmanager_notifications_total counter\n\
         alertmanager_notifications_total{{integration=\"webhook\"}} 412\n\
         # TYPE alertmanager_notifications_failed_total counter\n\
         alertmanager_notifications_failed_total{{integration=\"webhook\"}} {failed}\n\
         alertmanager_config_last_reload_successful 1\nalertmanager_cluster_failed_peers 0\n"
    );
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// Only JSON is taken, and only where it says that it is.
fn json_body(headers: &HeaderMap, body: &Bytes) -> Result<Value, Box<Response>> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = given.unwrap_or("application/octet-stream");
    if !media.starts_with("application/json") {
        let message = format!("unsupported media type \"{media}\", only [application/json] are allowed");
        return Err(Box::new(frame(StatusCode::UNSUPPORTED_MEDIA_TYPE, 415, message)));
    }
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        let message = format!("parsing body from \"\" failed, because {error}");
        Box::new(frame(StatusCode::BAD_REQUEST, 400, message))
    })?;
    if value.is_null() {
        return Err(Box::new(frame(StatusCode::UNPROCESSABLE_ENTITY, 602, "body in body is required")));
    }
    Ok(value)
}

/// Best effort: good alerts are kept, any bad one makes the answer 400.
async fn post_alerts(State(member): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let body = match json_body(&headers, &body) {
        Ok(body) => body,
        Err(refusal) => return *refusal,
    };
    let mut bad = None;
    let now = member.lab.now();
    let mut posted = member.posted.lock().unwrap_or_else(PoisonError::into_inner);
    for alert in body.as_array().into_iter().flatten() {
        match read_alert(alert, now) {
            Ok(alert) => {
                let labels: Labels =
                    alert.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                posted.insert(labels.fingerprint(), alert);
            }
            Err(text) => bad = Some(text),
        }
    }
    bad.map_or_else(|| StatusCode::OK.into_response(), |text| refuse(StatusCode::BAD_REQUEST, text))
}

fn read_alert(alert: &Value, now: Timestamp) -> Result<Posted, &'static str> {
    let words = |field: &str| -> BTreeMap<String, String> {
        let pairs = alert.get(field).and_then(Value::as_object).into_iter().flatten();
        let pairs = pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        pairs.filter(|(_, value)| !value.is_empty()).collect()
    };
    let time = |field: &str| alert.get(field).and_then(Value::as_str).and_then(|text| text.parse().ok());
    let labels = words("labels");
    if labels.is_empty() {
        return Err("at least one label pair required");
    }
    if labels.keys().any(|name| !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')) {
        return Err("invalid label set: invalid name");
    }
    Ok(Posted {
        labels,
        annotations: words("annotations"),
        starts: time("startsAt").unwrap_or(now),
        ends: time("endsAt").unwrap_or(now + SignedDuration::from_mins(5)),
        updated: now,
        generator: alert.get("generatorURL").and_then(Value::as_str).unwrap_or_default().to_owned(),
    })
}

/// The parameters by state of newer versions are ignored.
async fn silences(State(member): Shared, RawQuery(query): RawQuery) -> Response {
    match filters(&parameters(query.as_deref())) {
        Ok(filters) => Json(member.silences().list(&filters, member.lab.now())).into_response(),
        Err(refusal) => *refusal,
    }
}

async fn put_silence(State(member): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let body = match json_body(&headers, &body) {
        Ok(body) => body,
        Err(refusal) => return *refusal,
    };
    match member.silences().put(&body, member.lab.now()) {
        Ok(id) => Json(json!({"silenceID": id})).into_response(),
        Err((status, Some(code), message)) => frame(status, code, message),
        Err((status, None, text)) => refuse(status, &text),
    }
}

fn wrong_id(id: &str) -> Option<Response> {
    let message = format!("silenceID in path must be of type uuid: \"{id}\"");
    id.parse::<uuid::Uuid>().is_err().then(|| frame(StatusCode::UNPROCESSABLE_ENTITY, 601, message))
}

async fn silence(State(member): Shared, Path(id): Path<String>) -> Response {
    if let Some(refusal) = wrong_id(&id) {
        return refusal;
    }
    let found = member.silences().get(&id, member.lab.now());
    found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |silence| Json(silence).into_response())
}

/// An unknown id is an error of the server here; newer versions say 404.
async fn expire(State(member): Shared, Path(id): Path<String>) -> Response {
    if let Some(refusal) = wrong_id(&id) {
        return refusal;
    }
    if member.silences().expire(&id, member.lab.now()) {
        return StatusCode::OK.into_response();
    }
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "silence not found")
}
