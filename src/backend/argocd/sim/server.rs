//! argocd-server: the REST side with its oddities (415 without a content type, 403 for what is not there).

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use serde_json::{Value, json};

use crate::backend::kubernetes::sim::lab::Lab;

/// What the handlers know.
struct Server {
    lab: Arc<Lab>,
    token: String,
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
pub fn router(lab: Arc<Lab>, token: String) -> Router {
    let server = Arc::new(Server { lab, token });
    Router::new()
        .route("/api/version", get(version))
        .route("/healthz", get(|| async { "ok" }))
        .route("/api/v1/session/userinfo", get(userinfo))
        .route("/api/v1/applications", get(applications))
        .route("/api/v1/applications/{name}", get(application))
        .fallback(|| async { (StatusCode::NOT_FOUND, "Not Found\n") })
        .layer(from_fn_with_state(server.clone(), guard))
        .with_state(server)
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

async fn applications(State(server): State<Arc<Server>>) -> axum::Json<Value> {
    let items = server.lab.store.all("applications");
    axum::Json(
        json!({"metadata": {"resourceVersion": server.lab.store.version().to_string()}, "items": items}),
    )
}

/// Without a project a missing application is a bare 403; with one, a 404.
async fn application(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
    Query(query): Query<std::collections::BTreeMap<String, String>>,
) -> Response {
    match server.lab.store.get("applications", &format!("argocd/{name}")) {
        Some(app) => axum::Json(app).into_response(),
        None if query.contains_key("project") => {
            failure(StatusCode::NOT_FOUND, 5, &format!("applications.argoproj.io \"{name}\" not found"))
        }
        None => failure(StatusCode::FORBIDDEN, 7, "permission denied"),
    }
}
