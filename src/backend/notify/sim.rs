//! The lab's ntfy: two topics behind a token, a cache, and its own error codes.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::backend::sim::{Address, Setting, Settings, Simulator, World};

struct Server {
    world: Arc<World>,
    kept: Mutex<Vec<Value>>,
}

type Shared = State<Arc<Server>>;

/// The simulator.
pub(super) fn all(world: &Arc<World>) -> Vec<Simulator> {
    let token = format!("tk_{:08x}", world.seed.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32);
    let (world, secret) = (world.clone(), token.clone());
    let settings = move |address: &Address| {
        vec![
            ("name", Setting::Text("ntfy".to_owned())),
            ("url", Setting::Text(address.url.clone())),
            ("domain", Setting::Text("home".to_owned())),
            ("bearer", Setting::Secret(secret.clone())),
            ("topics", Setting::Raw("[\"lab-critical\"]".to_owned())),
            ("publish", Setting::Text("lab-test".to_owned())),
        ]
    };
    let now = world.clock.now().as_second();
    let message = |id: &str, ago: i64, title: &str, text: &str, priority: i64| {
        json!({
            "id": id, "time": now - ago, "expires": now - ago + 43_200, "event": "message", "topic": "lab-critical",
            "title": title, "message": text, "priority": priority, "tags": ["warning"],
        })
    };
    let kept = vec![
        message("uGqX1aB2cD3e", 9_000, "HighMemoryUsage oci-node-1", "Memory is above 80 %.", 3),
        message("vHrY2bC3dE4f", 1_500, "[RESOLVED] NodeLoadPerCore", "Load per core.", 2),
    ];
    let server = Arc::new(Server { world, kept: Mutex::new(kept) });
    let api = Router::new()
        .route("/{topics}/json", get(poll))
        .route("/", post(publish))
        .layer(from_fn_with_state(Arc::new(format!("Bearer {token}")), authenticate));
    let router = api
        .route("/v1/health", get(async || Json(json!({"healthy": true}))))
        .fallback(async || error(StatusCode::NOT_FOUND, 40401, "page not found"))
        .with_state(server);
    vec![Simulator {
        server: "ntfy".to_owned(),
        tls: false,
        router,
        tables: vec![("ntfy", Box::new(settings) as Settings)],
    }]
}

fn error(status: StatusCode, code: u32, text: &str) -> Response {
    let body =
        json!({"code": code, "http": status.as_u16(), "error": text, "link": "https://ntfy.example/docs"});
    (status, Json(body)).into_response()
}

async fn authenticate(State(expected): State<Arc<String>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match given {
        Some(given) if given == expected.as_str() => next.run(request).await,
        Some(_) => error(StatusCode::UNAUTHORIZED, 40101, "unauthorized"),
        None => error(StatusCode::FORBIDDEN, 40301, "forbidden"),
    }
}

/// An open event first, as the real one sends it, then what is kept.
async fn poll(State(server): Shared, Path(topics): Path<String>) -> Response {
    let topics: Vec<&str> = topics.split(',').collect();
    let kept = server.kept.lock().unwrap_or_else(PoisonError::into_inner);
    let open = json!({"id": "x", "time": server.world.clock.now().as_second(), "event": "open", "topic": topics.join(",")});
    let mine =
        kept.iter().filter(|message| message["topic"].as_str().is_some_and(|topic| topics.contains(&topic)));
    let lines = std::iter::once(&open).chain(mine);
    let lines = lines.fold(String::new(), |lines, line| lines + &line.to_string() + "\n");
    ([(header::CONTENT_TYPE, "application/x-ndjson; charset=utf-8")], lines).into_response()
}

async fn publish(State(server): Shared, body: Bytes) -> Response {
    let Ok(mut message) = serde_json::from_slice::<Value>(&body) else {
        return error(StatusCode::BAD_REQUEST, 40024, "invalid request: request body must be valid JSON");
    };
    if message["topic"].as_str().is_none_or(str::is_empty) {
        return error(StatusCode::BAD_REQUEST, 40009, "invalid request: topic invalid");
    }
    let now = server.world.clock.now().as_second();
    let id: String = uuid::Uuid::new_v4().simple().to_string().chars().take(12).collect();
    message["id"] = json!(id);
    message["time"] = json!(now);
    message["expires"] = json!(now + 43_200);
    message["event"] = json!("message");
    server.kept.lock().unwrap_or_else(PoisonError::into_inner).push(message.clone());
    Json(message).into_response()
}
