//! A simulated Omni: strict where the real one is strict, with the homelab's clusters and machines in it.

mod answer;
mod auth;
mod homelab;
mod infra;
mod kube;
mod life;
mod load;
mod machine;
mod management;
pub(super) mod pgp;
mod request;
mod resources;
mod rules;
mod selector;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::backend::omni::wire::Role;
use crate::backend::sim::{Address, Setting, Simulator, World};

use answer::{Refusal, message};
use auth::Account;
use homelab::Machines;
use pgp::Recipe;
use request::Request;
use store::Store;

/// The name that faults use.
const SERVER: &str = "omni";
/// What may be made and destroyed in the lab.
const EPHEMERAL: &str =
    r#"{ prefix = "dev-ephemeral-", classes = ["oci-kubevirt"], host = "cloud", protect = "stremio/comet" }"#;
const YEAR: u32 = 365 * 86_400;

/// The simulated Omni of a lab.
pub(super) fn simulators(world: &Arc<World>) -> Vec<Simulator> {
    let reader = keyed(world, "vigie", 300 * 86_400);
    let operator = keyed(world, "vigie-operator", 30 * 86_400);
    let accounts = [(&reader, Role::Reader), (&operator, Role::Operator)];
    let router = Lab::new(world, accounts.map(|(recipe, role)| account(recipe, role))).router();
    let (reader, operator) = (reader.account_key(), operator.account_key());
    let settings = move |address: &Address| {
        let mut settings = vec![
            ("name", Setting::Text("omni".into())),
            ("url", Setting::Text(address.url.clone())),
            ("domain", Setting::Text("cloud".into())),
            ("key", Setting::Secret(reader.clone())),
            ("operator_key", Setting::Secret(operator.clone())),
            ("ephemeral", Setting::Raw(EPHEMERAL.into())),
        ];
        if let Some(fingerprint) = &address.fingerprint {
            settings.push(("fingerprint", Setting::Text(fingerprint.clone())));
        }
        settings
    };
    vec![Simulator {
        server: SERVER.to_owned(),
        tls: true,
        router,
        tables: vec![("omni", Box::new(settings))],
    }]
}

/// The machines of a large Omni and their places in clusters, each resource as JSON text.
pub(super) fn large(machines: usize, at: Timestamp) -> [Vec<String>; 2] {
    let mut store = Store::default();
    let before = at - SignedDuration::from_secs(60);
    load::Load::seed(&mut store, machines, before).turn(&mut store, at);
    ["MachineStatuses", "ClusterMachineStatuses"].map(|kind| {
        let kind = format!("{kind}{}", store::SUFFIX);
        store.of("default", &kind).map(|(address, object)| object.json(address)).collect()
    })
}

/// A key of this lab that is so many seconds old and lives for a year.
fn keyed<'a>(world: &World, name: &'a str, age: i64) -> Recipe<'a> {
    let seed = Sha256::digest(format!("{} {name}", world.seed).as_bytes()).into();
    let created = u32::try_from(world.clock.now().as_second() - age).unwrap_or_default();
    Recipe { name, seed, created, lifetime: YEAR }
}

fn account(recipe: &Recipe<'_>, role: Role) -> (String, Account) {
    let (fingerprint, key) = recipe.registered();
    let ends = i64::from(recipe.created) + i64::from(recipe.lifetime);
    let expires = Timestamp::from_second(ends).unwrap_or(Timestamp::MAX);
    (fingerprint, Account { name: recipe.name.to_owned(), role, key, expires, exists: true })
}

/// What changes while the lab runs.
#[derive(Debug, Default)]
struct Inside {
    store: Store,
    machines: Machines,
    /// The Kubernetes version of each cluster.
    kubernetes: BTreeMap<String, life::Running>,
    /// Virtual machines that stayed behind without a cluster.
    leftovers: BTreeSet<String>,
    /// How many times faster than real ones its machines are.
    pace: i64,
    /// Machines beyond the homelab's, and which of them change.
    load: load::Load,
}

/// The server's state.
#[derive(Debug)]
struct Lab {
    world: Arc<World>,
    accounts: BTreeMap<String, Account>,
    inside: Mutex<Inside>,
}

/// What a call answers with.
enum Answer {
    Message(Value),
    Stream(Body),
}

impl Lab {
    fn new(world: &Arc<World>, accounts: impl IntoIterator<Item = (String, Account)>) -> Arc<Self> {
        let mut inside = Inside::default();
        homelab::seed(&mut inside, world);
        inside.load = load::Load::seed(&mut inside.store, world.size.machines, world.clock.now());
        inside.store.forget_changes();
        Arc::new(Self {
            world: world.clone(),
            accounts: accounts.into_iter().collect(),
            inside: Mutex::new(inside),
        })
    }

    fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "OK" }))
            .route("/api/{service}/{method}", any(call))
            .fallback(|| async { Refusal::new(5, "Not Found") })
            .with_state(self.clone())
    }

    /// The server's own clock.
    fn now(&self) -> Timestamp {
        self.world.clock.now() + SignedDuration::from_secs(self.world.skew(SERVER))
    }

    /// The state as of now: time has passed since the last call.
    fn inside(&self) -> MutexGuard<'_, Inside> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        homelab::tick(&mut inside, &self.world);
        inside
    }

    fn answer(
        self: &Arc<Self>,
        method: &Method,
        headers: &HeaderMap,
        name: &str,
        body: &[u8],
    ) -> Result<Answer, Refusal> {
        let fields = request::fields(name).ok_or_else(|| Refusal::new(5, "Not Found"))?;
        if method != Method::POST {
            return Err(Refusal::new(12, "Method Not Allowed"));
        }
        let body = request::body(body, fields)?;
        let mut account = auth::authenticate(&self.accounts, headers, name, self.now())?;
        self.world.set(&format!("omni-called-by-{}", account.name), name);
        // A suspended instance makes everyone a Reader, and so it is with a suspended account.
        match self.world.get("omni-role").as_str() {
            "" if self.world.get("omni-suspended") == account.name => account.role = Role::Reader,
            "" => {}
            role => account.role = Role::named(role),
        }
        let request = Request::new(account, headers, body);
        match name.rsplit_once('/') {
            Some(("/omni.resources.ResourceService", method)) => resources::answer(self, method, &request),
            Some((_, method)) => management::answer(self, method, &request),
            None => Err(Refusal::new(5, "Not Found")),
        }
    }
}

async fn call(
    State(lab): State<Arc<Lab>>,
    Path((service, name)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let full = format!("/{service}/{name}");
    let mut response = match lab.answer(&method, &headers, &full, &body) {
        Ok(Answer::Message(value)) => Json(message(value)).into_response(),
        Ok(Answer::Stream(body)) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(refusal) => refusal.into_response(),
    };
    let date = lab.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}
