//! The lab's management host behind a socket proxy: eight containers of one compose project, their images and events.
//!
//! The proxy lets reading and restarts through and answers everything else with its own page, as such proxies do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::backend::sim::{Address, Setting, Settings, Simulator, World};

/// How long a container takes to become healthy, in seconds.
const STARTING: i64 = 3;
const OUTPOST: &str = "oci-mgmt-authentik-outpost-proxy";
/// The scenario in which the outpost's `/dev/shm` is full.
const OUTPOST_DOWN: &str = "outpost-down";
/// The scenario in which a pull took Authentik back a version.
const BOOT_STORM: &str = "boot-storm";

/// A container of the lab.
#[derive(Debug, Clone)]
struct Kept {
    name: &'static str,
    service: &'static str,
    image: &'static str,
    version: &'static str,
    memory: i64,
    started: Timestamp,
    restarts: i64,
    /// Whether it has a health check.
    checked: bool,
}

struct Host {
    world: Arc<World>,
    began: Timestamp,
    containers: Mutex<BTreeMap<String, Kept>>,
    events: Mutex<Vec<Value>>,
}

type Shared = State<Arc<Host>>;

/// The simulator of the lab's host.
pub(super) fn all(world: &Arc<World>) -> Vec<Simulator> {
    let settings = |address: &Address| {
        let restart = format!("[\"{OUTPOST}\", \"oci-mgmt-traefik\", \"oci-mgmt-authentik-worker\"]");
        vec![
            ("name", Setting::Text("oci-mgmt".to_owned())),
            ("url", Setting::Text(address.url.clone())),
            ("domain", Setting::Text("cloud".to_owned())),
            ("restart", Setting::Raw(restart)),
        ]
    };
    vec![Simulator {
        server: "docker".to_owned(),
        tls: false,
        router: router(&Host::new(world)),
        tables: vec![("docker", Box::new(settings) as Settings)],
    }]
}

fn router(host: &Arc<Host>) -> Router {
    Router::new()
        .route("/_ping", get(async || "OK"))
        .route("/version", get(version))
        .route("/containers/json", get(list))
        .route("/containers/{id}/json", get(inspect))
        .route("/containers/{id}/stats", get(stats))
        .route("/containers/{id}/logs", get(logs))
        .route("/containers/{id}/restart", post(restart))
        .route("/images/json", get(images))
        .route("/events", get(events))
        .fallback(forbidden)
        .method_not_allowed_fallback(forbidden)
        .with_state(host.clone())
}

/// What the proxy says of everything that it does not let through.
async fn forbidden() -> Response {
    let page =
        "<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n";
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "text/html")], page).into_response()
}

fn digest(text: &str) -> String {
    let hex: Vec<String> = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    hex.concat()
}

impl Host {
    fn new(world: &Arc<World>) -> Arc<Self> {
        let began = world.clock.now();
        let containers = containers(world, began);
        let events = Mutex::new(history(world, began));
        Arc::new(Self { world: world.clone(), began, containers: Mutex::new(containers), events })
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// The containers as they are now: an image that was pinned by hand ends the storm.
    fn current(&self) -> BTreeMap<String, Kept> {
        let mut kept = self.kept().clone();
        if self.is_pinned() {
            for one in kept.values_mut().filter(|one| one.image.contains("goauthentik/server")) {
                (one.image, one.version, one.restarts) =
                    ("ghcr.io/goauthentik/server:2026.2.4", "2026.2.4", 0);
            }
        }
        kept
    }

    fn is_pinned(&self) -> bool {
        self.world.scenario == BOOT_STORM && self.world.get("authentik-image") == "pinned"
    }

    fn find(&self, id: &str) -> Option<(String, Kept)> {
        let kept = self.current();
        let mut found = kept.iter().filter(|(known, one)| known.starts_with(id) || one.name == id);
        found.next().map(|(id, one)| (id.clone(), one.clone()))
    }

    fn is_full(&self, one: &Kept) -> bool {
        self.world.scenario == OUTPOST_DOWN && one.name == OUTPOST && self.world.get("outpost") != "restarted"
    }

    fn loops(&self, one: &Kept) -> bool {
        self.world.scenario == BOOT_STORM
            && !self.is_pinned()
            && one.service.starts_with("authentik-")
            && one.image.contains("goauthentik/server")
    }

    /// The state and the health word.
    fn state(&self, one: &Kept) -> (&'static str, Option<&'static str>) {
        let age = self.now().as_second() - one.started.as_second();
        match (self.loops(one), self.is_full(one), one.checked) {
            (true, _, _) => ("restarting", Some("unhealthy")),
            (_, true, _) => ("running", Some("unhealthy")),
            (_, _, false) => ("running", None),
            (_, _, true) if age < STARTING => ("running", Some("starting")),
            _ => ("running", Some("healthy")),
        }
    }
}

fn containers(world: &World, began: Timestamp) -> BTreeMap<String, Kept> {
    const MIB: i64 = 1 << 20;
    const SERVER: &str = "ghcr.io/goauthentik/server:latest";
    let storm = world.scenario == BOOT_STORM;
    let authentik = if storm { "2026.2.2" } else { "2026.2.4" };
    let list: [(&str, &str, &str, &str, i64, bool); 8] = [
        ("oci-mgmt-traefik", "traefik", "traefik:v3.5.1", "v3.5.1", 61, true),
        ("oci-mgmt-cloudflared", "cloudflared", "cloudflare/cloudflared:2026.10.1", "2026.10.1", 38, false),
        ("oci-mgmt-postgres", "postgres", "postgres:17.6-bookworm", "17.6", 412, true),
        ("oci-mgmt-omni", "omni", "ghcr.io/siderolabs/omni:v1.2.3", "v1.2.3", 640, false),
        ("oci-mgmt-authentik-redis", "authentik-redis", "redis:8.2-alpine", "8.2", 22, true),
        ("oci-mgmt-authentik-server", "authentik-server", SERVER, authentik, 890, true),
        ("oci-mgmt-authentik-worker", "authentik-worker", SERVER, authentik, 610, true),
        (OUTPOST, "authentik-outpost-proxy", "ghcr.io/goauthentik/proxy:2026.2.4", "2026.2.4", 74, true),
    ];
    let made = list.map(|(name, service, image, version, mib, checked)| {
        let looping = storm && image == SERVER;
        let full = world.scenario == OUTPOST_DOWN && name == OUTPOST;
        let age = if looping {
            1
        } else if full {
            26
        } else {
            60 * 24 * 21
        };
        let restarts = if looping {
            6
        } else if full {
            14
        } else {
            0
        };
        let started = began - SignedDuration::from_mins(age);
        (digest(name), Kept { name, service, image, version, memory: mib * MIB, started, restarts, checked })
    });
    BTreeMap::from(made)
}

fn event(at: Timestamp, kind: &str, action: &str, id: &str, facts: &Value) -> Value {
    let nanos = i64::try_from(at.as_nanosecond()).unwrap_or(0);
    json!({
        "Type": kind, "Action": action, "Actor": {"ID": id, "Attributes": facts},
        "scope": "local", "time": at.as_second(), "timeNano": nanos,
    })
}

/// What happened before the lab began.
fn history(world: &World, began: Timestamp) -> Vec<Value> {
    let ago = |minutes: i64| began - SignedDuration::from_mins(minutes);
    let facts = |name: &str, image: &str, exit: &str| json!({"name": name, "image": image, "exitCode": exit});
    let server = "ghcr.io/goauthentik/server:latest";
    match world.scenario.as_str() {
        OUTPOST_DOWN => vec![
            event(
                ago(28),
                "container",
                "health_status: unhealthy",
                &digest(OUTPOST),
                &facts(OUTPOST, "ghcr.io/goauthentik/proxy:2026.2.4", ""),
            ),
            event(
                ago(27),
                "container",
                "die",
                &digest(OUTPOST),
                &facts(OUTPOST, "ghcr.io/goauthentik/proxy:2026.2.4", "1"),
            ),
            event(
                ago(26),
                "container",
                "start",
                &digest(OUTPOST),
                &facts(OUTPOST, "ghcr.io/goauthentik/proxy:2026.2.4", ""),
            ),
        ],
        BOOT_STORM => vec![
            event(ago(8), "image", "pull", server, &json!({"name": "ghcr.io/goauthentik/server"})),
            event(
                ago(7),
                "container",
                "create",
                &digest("oci-mgmt-authentik-server"),
                &facts("oci-mgmt-authentik-server", server, ""),
            ),
            event(
                ago(6),
                "container",
                "die",
                &digest("oci-mgmt-authentik-server"),
                &facts("oci-mgmt-authentik-server", server, "1"),
            ),
        ],
        _ => vec![event(
            ago(600),
            "container",
            "start",
            &digest("oci-mgmt-traefik"),
            &facts("oci-mgmt-traefik", "traefik:v3.5.1", ""),
        )],
    }
}

async fn version() -> Response {
    Json(json!({"Version": "28.4.0", "ApiVersion": "1.51", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "arm64"}))
        .into_response()
}

fn missing(id: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"message": format!("No such container: {id}")}))).into_response()
}

fn labels(one: &Kept) -> Value {
    let mut labels = json!({
        "com.docker.compose.project": "oci-mgmt",
        "com.docker.compose.service": one.service,
        "org.opencontainers.image.version": one.version,
    });
    if one.service == "authentik-server" {
        labels["traefik.http.routers.auth.rule"] = json!("Host(`auth.lab.example`)");
    }
    labels
}

async fn list(State(host): Shared, RawQuery(query): RawQuery) -> Response {
    let all = query.is_some_and(|query| query.contains("all=true") || query.contains("all=1"));
    let row = |(id, one): (&String, &Kept)| {
        let (state, health) = host.state(one);
        let age = (host.now().as_second() - one.started.as_second()) / 3600;
        let status = match health {
            Some("starting") => "Up 2 seconds (health: starting)".to_owned(),
            Some(word) => format!("Up {age} hours ({word})"),
            None => format!("Up {age} hours"),
        };
        let ports = if one.service == "traefik" {
            json!([{"IP": "127.0.0.1", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}])
        } else {
            json!([{"PrivatePort": 9000, "Type": "tcp"}])
        };
        json!({
            "Id": id, "Names": [format!("/{}", one.name)], "Image": one.image,
            "ImageID": format!("sha256:{}", digest(&format!("{}{}", one.image, one.version))),
            "Command": "run", "Created": host.began.as_second(), "Ports": ports, "Labels": labels(one),
            "State": state, "Status": status, "HostConfig": {"NetworkMode": "oci-mgmt"}, "Mounts": [],
        })
    };
    let kept = host.current();
    let shown = kept.iter().filter(|(_, one)| all || host.state(one).0 == "running");
    Json(shown.map(row).collect::<Value>()).into_response()
}

async fn inspect(State(host): Shared, Path(id): Path<String>) -> Response {
    let Some((id, one)) = host.find(&id) else { return missing(&id) };
    let (state, health) = host.state(&one);
    let mut body = json!({
        "Id": id, "Name": format!("/{}", one.name),
        "Image": format!("sha256:{}", digest(&format!("{}{}", one.image, one.version))),
        "RestartCount": one.restarts,
        "State": {
            "Status": state, "Running": state == "running", "Paused": false, "Restarting": state == "restarting",
            "OOMKilled": false, "Dead": false, "Pid": 4711, "ExitCode": i32::from(state == "restarting"), "Error": "",
            "StartedAt": one.started.to_string(), "FinishedAt": "0001-01-01T00:00:00Z",
        },
        "Config": {"Image": one.image, "Tty": false, "Env": ["PG_PASS=not-for-the-screen"], "Labels": labels(&one)},
        "HostConfig": {"ShmSize": 67_108_864, "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0}},
    });
    if let Some(word) = health {
        let bad = word == "unhealthy";
        let said = if bad { "write /dev/shm/authentik-session: no space left on device" } else { "ok" };
        body["State"]["Health"] = json!({
            "Status": word, "FailingStreak": if bad { 52 } else { 0 },
            "Log": [{"Start": host.now().to_string(), "End": host.now().to_string(), "ExitCode": i32::from(bad), "Output": said}],
        });
    }
    Json(body).into_response()
}

async fn stats(State(host): Shared, Path(id): Path<String>) -> Response {
    let Some((_, one)) = host.find(&id) else { return missing(&id) };
    let busy = if host.loops(&one) { 9 } else { 1 };
    Json(json!({
        "cpu_stats": {"cpu_usage": {"total_usage": 5_000_000_000_i64 + busy * 20_000_000}, "system_cpu_usage": 902_000_000_000_i64, "online_cpus": 2},
        "precpu_stats": {"cpu_usage": {"total_usage": 5_000_000_000_i64}, "system_cpu_usage": 900_000_000_000_i64, "online_cpus": 2},
        "memory_stats": {"usage": one.memory + 9_000_000, "limit": 6_442_450_944_i64, "stats": {"inactive_file": 9_000_000}},
    }))
    .into_response()
}

fn frame(line: &str) -> Vec<u8> {
    let size = u32::try_from(line.len()).unwrap_or(0).to_be_bytes();
    [&[1, 0, 0, 0], &size[..], line.as_bytes()].concat()
}

async fn logs(State(host): Shared, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Some((_, one)) = host.find(&id) else { return missing(&id) };
    let query = query.unwrap_or_default();
    let since =
        query.split('&').find_map(|pair| pair.strip_prefix("since=")?.parse::<f64>().ok()).unwrap_or(0.0);
    let words = match (host.is_full(&one), host.loops(&one)) {
        (true, _) => {
            "level=error msg=\"failed to save session: write /dev/shm/authentik-session: no space left on device\""
        }
        (_, true) => "level=error event=\"waiting for the migration lock, held by pid 4711\"",
        _ => "level=info msg=\"200 GET /outpost.goauthentik.io/ping\"",
    };
    let minute = host.now().as_second() / 60 * 60;
    let mut body = Vec::new();
    for back in (0..30).rev() {
        let Ok(at) = Timestamp::from_second(minute - back * 60) else { continue };
        #[allow(clippy::cast_precision_loss)]
        if at.as_second() as f64 >= since {
            body.extend(frame(&format!("{at} {words}\n")));
        }
    }
    ([(header::CONTENT_TYPE, "application/vnd.docker.multiplexed-stream")], body).into_response()
}

async fn restart(State(host): Shared, Path(id): Path<String>, _body: Bytes) -> Response {
    let Some((id, one)) = host.find(&id) else { return missing(&id) };
    let now = host.now();
    if let Some(kept) = host.kept().get_mut(&id) {
        kept.started = now;
    }
    if one.name == OUTPOST {
        host.world.set("outpost", "restarted");
        host.world.set("authentik-outpost", "");
    }
    let facts = json!({"name": one.name, "image": one.image});
    let mut events = host.events.lock().unwrap_or_else(PoisonError::into_inner);
    events.push(event(now, "container", "restart", &id, &facts));
    StatusCode::NO_CONTENT.into_response()
}

async fn images(State(host): Shared) -> Response {
    let kept = host.current();
    let mut images: BTreeMap<String, Value> = BTreeMap::new();
    let image = |tag: Option<&str>, name: &str, version: &str| {
        let id = format!("sha256:{}", digest(&format!("{}{version}", tag.unwrap_or(name))));
        json!({
            "Id": id, "RepoTags": tag.into_iter().collect::<Vec<_>>(),
            "RepoDigests": [format!("{name}@sha256:{}", digest(&format!("{name}{version}d")))],
            "Created": host.began.as_second() - 86_400 * 9, "Size": 734_003_200,
            "Labels": {"org.opencontainers.image.version": version},
        })
    };
    for one in kept.values() {
        let name = super::version::Reference::read(one.image).name;
        images.entry(one.image.to_owned()).or_insert_with(|| image(Some(one.image), name, one.version));
    }
    if host.world.scenario == BOOT_STORM && !host.is_pinned() {
        let name = "ghcr.io/goauthentik/server";
        images.insert("left behind".to_owned(), image(None, name, "2026.2.4"));
    }
    Json(images.into_values().collect::<Value>()).into_response()
}

/// Only a time that has passed: without `until` the real one never ends.
async fn events(State(host): Shared, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let number = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.parse::<i64>().ok());
    let (since, until) = (number("since=").unwrap_or(0), number("until=").unwrap_or(i64::MAX));
    let events = host.events.lock().unwrap_or_else(PoisonError::into_inner);
    let shown =
        events.iter().filter(|event| event["time"].as_i64().is_some_and(|at| (since..=until).contains(&at)));
    let lines = shown.fold(String::new(), |lines, event| lines + &event.to_string() + "\n");
    ([(header::CONTENT_TYPE, "application/json")], lines).into_response()
}
