//! argocd-server: the REST side with its oddities (415 without a content type, 403 for what is not there).

mod objects;
mod streams;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query as Asked, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use serde_json::{Value, json};

use crate::backend::kubernetes::sim::lab::{Lab, Labs};
use crate::backend::kubernetes::sim::seed::{ago, stamp};

use super::apps::REPOSITORY;
use objects::Query;

/// What the handlers know.
pub struct Server {
    lab: Arc<Lab>,
    labs: Arc<Labs>,
    token: String,
}

impl Server {
    /// The cluster that an application is delivered to.
    fn destination(&self, app: &Value) -> Option<Arc<Lab>> {
        let name = app["spec"]["destination"]["name"].as_str().unwrap_or("cloud");
        self.labs.get(name).cloned()
    }

    fn app(&self, name: &str, query: &Query) -> Result<Value, Box<Response>> {
        let missing = || {
            if query.contains_key("project") {
                failure(StatusCode::NOT_FOUND, 5, &format!("applications.argoproj.io \"{name}\" not found"))
            } else {
                // Without a project a missing application is a bare denial.
                failure(StatusCode::FORBIDDEN, 7, "permission denied")
            }
        };
        self.lab.store.get("applications", &format!("argocd/{name}")).ok_or_else(|| Box::new(missing()))
    }
}

/// The token of the simulated account, a JSON web token as the server insists on.
pub fn token(lab: &Lab) -> String {
    let part = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let ends = lab.now().as_second() + 90 * 86_400;
    let head = part(&json!({"alg": "HS256", "typ": "JWT"}));
    let body =
        part(&json!({"iss": "argocd", "sub": "console:apiKey", "exp": ends, "iat": lab.now().as_second()}));
    format!("{head}.{body}.c2ltdWxhdGVk")
}

/// Everything that argocd-server answers.
pub fn router(lab: Arc<Lab>, labs: Arc<Labs>, token: String) -> Router {
    let server = Arc::new(Server { lab, labs, token });
    let app = "/api/v1/applications/{name}";
    let below = |what: &str| format!("{app}{what}");
    Router::new()
        .route("/api/version", get(version))
        .route("/healthz", get(|| async { "ok" }))
        .route("/api/v1/session/userinfo", get(userinfo))
        .route("/api/v1/clusters", get(clusters))
        .route("/api/v1/repositories", get(repositories))
        .route("/api/v1/applications", get(applications))
        .route(app, get(application))
        .route(
            &below("/resource-tree"),
            get(|s, p, q| about(s, p, q, |server, app, _| ok(&objects::tree(server, app)))),
        )
        .route(
            &below("/managed-resources"),
            get(|s, p, q| about(s, p, q, |_, app, _| ok(&objects::managed(app)))),
        )
        .route(&below("/manifests"), get(|s, p, q| about(s, p, q, |_, app, _| ok(&objects::manifests(app)))))
        .route(&below("/revisions/{revision}/metadata"), get(commit))
        .route(
            &below("/resource/actions"),
            get(|s, p, q| about(s, p, q, |_, _, query| ok(&objects::actions(query)))),
        )
        .route(&below("/resource/actions/v2"), post(act))
        .route(&below("/resource"), get(|s, p, q| about(s, p, q, objects::live)))
        .route(&below("/logs"), get(logs))
        .route("/api/v1/stream/applications/{name}/resource-tree", get(tree_stream))
        .fallback(|| async { (StatusCode::NOT_FOUND, "Not Found\n") })
        .layer(from_fn_with_state(server.clone(), guard))
        .with_state(server)
}

fn ok(value: &Value) -> Response {
    axum::Json(value).into_response()
}

/// Answers about one application.
#[allow(clippy::unused_async, reason = "handlers are asynchronous")]
async fn about(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
    Asked(query): Asked<Query>,
    answer: fn(&Server, &Value, &Query) -> Response,
) -> Response {
    match server.app(&name, &query) {
        Ok(app) => answer(&server, &app, &query),
        Err(refused) => *refused,
    }
}

async fn commit(
    State(server): State<Arc<Server>>,
    Path((name, revision)): Path<(String, String)>,
    Asked(query): Asked<Query>,
) -> Response {
    match server.app(&name, &query) {
        Ok(_) => objects::commit(&server, &revision),
        Err(refused) => *refused,
    }
}

async fn act(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
    Asked(mut query): Asked<Query>,
    body: Bytes,
) -> Response {
    query.insert("project".to_owned(), String::new());
    match server.app(&name, &query) {
        Ok(app) => objects::act(&server, &app, &body),
        Err(refused) => *refused,
    }
}

async fn logs(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
    Asked(query): Asked<Query>,
    headers: HeaderMap,
) -> Response {
    let app = match server.app(&name, &query) {
        Ok(app) => app,
        Err(refused) => return *refused,
    };
    let tree = objects::tree(&server, &app);
    let of = |node: &&Value| {
        node["kind"] == "Pod" && node["namespace"].as_str() == query.get("namespace").map(String::as_str)
    };
    let pods = tree["nodes"].as_array().into_iter().flatten().filter(of);
    let pods: Vec<String> = pods.filter_map(|pod| pod["name"].as_str().map(str::to_owned)).collect();
    let follow = query.get("follow").is_some_and(|follow| follow == "true");
    let tail = query.get("tailLines").and_then(|tail| tail.parse().ok()).unwrap_or(20);
    streams::logs(&server, &headers, pods, follow, tail)
}

async fn tree_stream(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
    Asked(query): Asked<Query>,
    headers: HeaderMap,
) -> Response {
    if server.app(&name, &query).is_err() {
        let error = json!({"error": {"grpc_code": 7, "http_code": 403, "message": "permission denied", "http_status": "Forbidden"}});
        return (StatusCode::FORBIDDEN, axum::Json(error)).into_response();
    }
    streams::changes(server, &headers, move |server| {
        let app = server.lab.store.get("applications", &format!("argocd/{name}"))?;
        Some(objects::tree(server, &app))
    })
}

async fn clusters(State(server): State<Arc<Server>>) -> axum::Json<Value> {
    let now = server.lab.now();
    let all = server.lab.store.all("applications");
    let item = |name: &str, url: &str, lab: &str| {
        let dark = server.labs.get(lab).is_some_and(|lab| lab.is_off());
        let state = if dark {
            json!({"status": "Failed", "message": format!("Get \"{url}/version?timeout=32s\": context deadline exceeded"), "attemptedAt": stamp(now)})
        } else {
            json!({"status": "Successful", "message": "", "attemptedAt": stamp(now)})
        };
        let there = |app: &&Value| (app["spec"]["destination"]["name"] == "prod") == (lab == "prod");
        json!({"server": url, "name": name, "config": {"tlsClientConfig": {"insecure": false}}, "connectionState": state, "serverVersion": "1.32",
            "info": {"connectionState": state, "serverVersion": "1.32", "applicationsCount": all.iter().filter(there).count(),
                "cacheInfo": {"resourcesCount": 1893, "apisCount": 142, "lastCacheSyncTime": ago(now, 5_400)}}})
    };
    let items = [
        item("in-cluster", "https://kubernetes.default.svc", "cloud"),
        item("prod", "https://192.0.2.100:6443", "prod"),
    ];
    axum::Json(json!({"metadata": {}, "items": items}))
}

async fn repositories(State(server): State<Arc<Server>>) -> axum::Json<Value> {
    let tried = ago(server.lab.now(), 70);
    let state = if server.lab.flag("argocd.repository") == "lost" {
        json!({"status": "Failed", "message": "Unable to connect to repository: dial tcp: lookup git.lab.example: no such host", "attemptedAt": tried})
    } else {
        json!({"status": "Successful", "message": "", "attemptedAt": tried})
    };
    axum::Json(
        json!({"metadata": {}, "items": [{"repo": REPOSITORY, "name": "homelab", "type": "git", "connectionState": state}]}),
    )
}

/// An error as grpc-gateway writes it.
fn failure(status: StatusCode, code: i64, message: &str) -> Response {
    (status, axum::Json(json!({"error": message, "code": code, "message": message}))).into_response()
}

/// What stands before every handler: the content type of writes, then the token.
async fn guard(State(server): State<Arc<Server>>, request: Request<Body>, next: Next) -> Response {
    server.lab.wake();
    let headers = request.headers();
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if request.method() != Method::GET && text(header::CONTENT_TYPE) != "application/json" {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Invalid content type\n").into_response();
    }
    let open = matches!(request.uri().path(), "/api/version" | "/healthz" | "/api/v1/session/userinfo");
    if open || text(header::AUTHORIZATION) == format!("Bearer {}", server.token) {
        return next.run(request).await;
    }
    let given = text(header::AUTHORIZATION).strip_prefix("Bearer ").unwrap_or_default();
    let message = if given.matches('.').count() == 2 {
        "invalid session: signature is invalid"
    } else {
        "no session information"
    };
    failure(StatusCode::UNAUTHORIZED, 16, message)
}

async fn version() -> axum::Json<Value> {
    axum::Json(json!({"Version": "v3.5.1+8a2b6f1", "GitTag": "v3.5.1", "Platform": "linux/arm64"}))
}

async fn userinfo(State(server): State<Arc<Server>>, request: Request<Body>) -> axum::Json<Value> {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given == Some(&format!("Bearer {}", server.token)) {
        axum::Json(json!({"loggedIn": true, "username": "console", "iss": "argocd"}))
    } else {
        axum::Json(json!({}))
    }
}

/// What `fields` may ask for; everything else is dropped without a word.
const FIELDS: [&str; 8] = [
    "metadata",
    "spec",
    "operation.sync",
    "status.summary",
    "status.sync.status",
    "status.sync.revision",
    "status.health",
    "status.operationState.phase",
];

async fn applications(State(server): State<Arc<Server>>, Asked(query): Asked<Query>) -> axum::Json<Value> {
    let mut items = server.lab.store.all("applications");
    if let Some(fields) = query.get("fields") {
        let wanted: Vec<&str> = fields.split(',').filter_map(|field| field.strip_prefix("items.")).collect();
        for item in &mut items {
            *item = only(item, &wanted);
        }
    }
    axum::Json(
        json!({"metadata": {"resourceVersion": server.lab.store.version().to_string()}, "items": items}),
    )
}

/// Of the wanted fields those that the list may carry.
fn only(item: &Value, wanted: &[&str]) -> Value {
    let mut kept = json!({});
    for field in wanted.iter().filter(|field| FIELDS.iter().any(|allowed| field.starts_with(allowed))) {
        let pointer = format!("/{}", field.replace('.', "/"));
        let Some(value) = item.pointer(&pointer) else { continue };
        let mut place = &mut kept;
        for part in field.split('.') {
            place = &mut place[part];
        }
        *place = value.clone();
    }
    kept
}

async fn application(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
    Asked(query): Asked<Query>,
) -> Response {
    match server.app(&name, &query) {
        Ok(app) => ok(&app),
        Err(refused) => *refused,
    }
}
