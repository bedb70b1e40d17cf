//! A simulated GitHub with the Actions of one repository: 404 for what may not be seen, 204 or 200 for an order, runs that go on by the lab's clock.

mod runs;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::backend::sim::{Address, Setting, Simulator, World};

use runs::Store;

/// The name that faults use.
const SERVER: &str = "github";
/// The repository.
pub const REPO: &str = "lab/homelab";

/// The simulated GitHub of a lab.
pub fn simulators(world: &Arc<World>) -> Vec<Simulator> {
    let token = token(world.seed);
    let store = Store::new(world);
    let lab = Arc::new(Lab { world: world.clone(), token: token.clone(), store: Mutex::new(store) });
    let settings = move |address: &Address| {
        vec![
            ("name", Setting::Text("homelab".into())),
            ("url", Setting::Text(address.url.clone())),
            ("domain", Setting::Text("edge".into())),
            ("repo", Setting::Text(REPO.into())),
            ("token", Setting::Secret(token.clone())),
        ]
    };
    let router = Router::new().fallback(serve).with_state(lab);
    let tables: Vec<(&'static str, crate::backend::sim::Settings)> = vec![("github", Box::new(settings))];
    vec![Simulator { server: SERVER.into(), tls: false, router, tables }]
}

/// The token of a lab.
pub fn token(seed: u64) -> String {
    use std::fmt::Write;
    let digest = Sha256::digest(format!("{seed} github").as_bytes());
    digest[..18].iter().fold("github_pat_".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

struct Lab {
    world: Arc<World>,
    token: String,
    store: Mutex<Store>,
}

impl Lab {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    fn answer(&self, method: &Method, path: &str, query: &str, authorization: &str, body: &[u8]) -> Response {
        if authorization != format!("Bearer {}", self.token) {
            return message(401, "Bad credentials");
        }
        let Some(rest) = path.strip_prefix(&format!("/repos/{REPO}")) else {
            return message(404, "Not Found");
        };
        let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
        let mut store = self.store();
        store.advance(&self.world, self.now());
        if method == Method::GET { read(&store, &parts, query) } else { self.write(&mut store, &parts, body) }
    }

    fn write(&self, store: &mut Store, parts: &[&str], body: &[u8]) -> Response {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let run = |id: &str| id.parse::<i64>().ok();
        match parts {
            ["actions", "workflows", file, "dispatches"] => store.dispatch(file, &body, self.now()),
            ["actions", "runs", id, "pending_deployments"] => store.approve(run(id), &body, self.now()),
            ["actions", "runs", id, "rerun" | "rerun-failed-jobs"] => store.rerun(run(id), self.now()),
            ["actions", "runs", id, "cancel"] => store.cancel(run(id), self.now()),
            _ => message(404, "Not Found"),
        }
    }
}

fn read(store: &Store, parts: &[&str], query: &str) -> Response {
    let asked = |wanted: &str| {
        let found = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned())
    };
    let (status, commit) = (asked("status"), asked("head_sha"));
    match parts {
        ["actions", "runs"] => {
            store.runs(|run| status.as_deref().is_none_or(|status| run["status"] == status))
        }
        ["actions", "workflows", file, "runs"] => {
            let path = format!(".github/workflows/{file}");
            let at = |run: &Value| commit.as_deref().is_none_or(|commit| run["head_sha"] == commit);
            store.runs(|run| run["path"] == path.as_str() && at(run))
        }
        ["actions", "workflows"] => Store::workflows(),
        ["actions", "runs", id] => found(store.run(id.parse().ok()).cloned()),
        ["actions", "runs", id, "jobs"] => found(store.jobs(id.parse().ok())),
        ["actions", "runs", id, "pending_deployments"] => found(store.pending(id.parse().ok())),
        ["check-runs", id, "annotations"] => json_answer(200, &store.annotations(id)),
        ["contents", ".github", "workflows", file] => match runs::file(file) {
            Some(text) => ([(header::CONTENT_TYPE, "application/vnd.github.raw+json")], text).into_response(),
            None => message(404, "Not Found"),
        },
        _ => message(404, "Not Found"),
    }
}

fn found(value: Option<Value>) -> Response {
    value.map_or_else(|| message(404, "Not Found"), |value| json_answer(200, &value))
}

/// An object or a list, with what is left of the hour's questions.
fn json_answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or_default();
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert("x-ratelimit-remaining", HeaderValue::from_static("4870"));
    response
}

/// A refusal as GitHub writes it.
fn message(status: u16, text: &str) -> Response {
    json_answer(status, &json!({ "message": text, "documentation_url": "https://docs.github.example/rest" }))
}

async fn serve(State(lab): State<Arc<Lab>>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let query = parts.uri.query().unwrap_or_default();
    lab.answer(&parts.method, parts.uri.path(), query, authorization.unwrap_or_default(), &body)
}
