//! A simulated Authentik behind its router: it ignores filters that it does not know, says 403 where others say 401,
//! answers a crash with 405 and a missing slash with a page, and lists to each caller what that caller may see.

mod answer;
pub(super) mod caller;
mod flow;
pub(super) mod homelab;
mod keeping;
mod ledger;
mod list;
mod people;
mod read;
mod request;
mod store;
mod users;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::State;
use axum::http::{Method, header};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};

use crate::backend::sim::{Address, Setting, Simulator, World};

use caller::Caller;
use request::Request;
use store::Store;

/// The name that faults use.
const SERVER: &str = "authentik";
/// The name by which its router knows it.
pub const HOST: &str = "auth.lab.example";
/// The release that it plays unless the world says `authentik-version`.
const VERSION: &str = "2026.2.4";

/// The simulated Authentik of a lab.
pub fn simulators(world: &Arc<World>) -> Vec<Simulator> {
    let lab = Lab::new(world);
    let token = caller::key(world.seed, "ops-console");
    let settings = move |address: &Address| {
        vec![
            ("name", Setting::Text("auth".into())),
            ("url", Setting::Text(address.url.clone())),
            ("host_header", Setting::Text(HOST.into())),
            ("domain", Setting::Text("cloud".into())),
            ("public_url", Setting::Text(format!("https://{HOST}"))),
            ("token", Setting::Secret(token.clone())),
            ("admin_groups", Setting::Raw("[\"authentik Admins\", \"admin\"]".into())),
            ("family_groups", Setting::Raw("[\"family-validated\"]".into())),
            ("admin_apps", Setting::Raw("[\"omni\", \"argocd\", \"grafana\", \"prometheus\"]".into())),
            ("family_apps", Setting::Raw("[\"nextcloud\"]".into())),
            (
                "service_accounts",
                Setting::Raw("[\"ci-github\", \"argocd\", \"backup\", \"n8n\", \"ops-console\"]".into()),
            ),
            (
                "native_accounts",
                Setting::Raw("[\"Navidrome\", \"Komga\", \"Romm\", \"Audiobookshelf\", \"Mealie\"]".into()),
            ),
            (
                "rotation",
                Setting::Raw("{ github = \"homelab\", workflow = \"authentik-rotate-keys.yml\" }".into()),
            ),
        ]
    };
    let router = Router::new().fallback(serve).with_state(lab);
    let tables: Vec<(&'static str, crate::backend::sim::Settings)> = vec![("authentik", Box::new(settings))];
    vec![Simulator { server: SERVER.into(), tls: false, router, tables }]
}

/// The server's state.
pub struct Lab {
    world: Arc<World>,
    version: String,
    store: Mutex<Store>,
}

impl Lab {
    fn new(world: &Arc<World>) -> Arc<Self> {
        let version = Some(world.get("authentik-version")).filter(|version| !version.is_empty());
        let crowd = world.get("authentik-users").parse().unwrap_or(0);
        let mut store = Store::default();
        homelab::seed(&mut store, world.seed, world.clock.now(), crowd);
        Arc::new(Self {
            world: world.clone(),
            version: version.unwrap_or_else(|| VERSION.to_owned()),
            store: Mutex::new(store),
        })
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server's clock.
    fn now(&self) -> Timestamp {
        self.world.clock.now() + SignedDuration::from_secs(self.world.skew(SERVER))
    }

    /// From 2025.12 groups have several parents and pages are small.
    fn modern(&self) -> bool {
        crate::model::row::natural(&self.version, "2025.12").is_ge()
    }

    /// From 2026.5 the path of the workers has a slash like all others.
    fn modern_tasks(&self) -> bool {
        crate::model::row::natural(&self.version, "2026.5").is_ge()
    }

    fn answer(&self, request: &Request) -> Response {
        let host = request.header(header::HOST);
        if host.split(':').next() != Some(HOST) {
            return answer::no_router();
        }
        self.store().clean(self.now());
        people::live(&self.world, &mut self.store(), self.now());
        let Some(path) = request.path.strip_prefix("/api/v3") else {
            return portal(&request.path);
        };
        if let Some(slug) = path.strip_prefix("/flows/executor/").and_then(|rest| rest.strip_suffix('/')) {
            return flow::open(&mut self.store(), slug, request, self.now());
        }
        let caller = match Caller::of(request, self.world.seed, &self.store(), self.now()) {
            Ok(caller) => caller,
            Err(refusal) => return *refusal,
        };
        match request.method {
            Method::GET | Method::HEAD => self.read(path, request, &caller),
            _ => self.write(path, request, &caller),
        }
    }
}

/// What lies beside the API; probes answer with empty bodies and want their slash.
fn portal(path: &str) -> Response {
    match path {
        "/-/health/live/" | "/-/health/ready/" => answer::nothing(),
        path if path.starts_with("/if/") => answer::page("authentik"),
        _ => answer::no_such_path(),
    }
}

async fn serve(State(lab): State<Arc<Lab>>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let mut response = lab.answer(&Request::new(parts, body));
    let date = lab.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = date.parse() {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

#[cfg(test)]
mod tests;
