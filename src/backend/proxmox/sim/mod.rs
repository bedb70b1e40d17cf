//! A simulated Proxmox VE 9: as strict as pveproxy and as odd.
//!
//! It keeps the server's manners: HTTP/1.1 with at most 100 requests on a connection, a closed connection after every
//! refusal, an empty 401 after three seconds, 500 for an unknown guest, no body on DELETE, and a list that lags by up
//! to ten seconds behind what the guests' own status says.

mod answer;
mod build;
mod dump;
mod figures;
mod hosts;
mod house;
mod keeping;
mod lab;
mod power;
mod read;
mod task;
mod tasks;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;

use crate::backend::sim::{Address, Connection, Setting, Settings, Simulator, World};

use answer::{Answer, Params};
use lab::Lab;
#[cfg(test)]
pub use lab::{Guest, Node};

/// The token that the simulated server knows.
pub const TOKEN: &str = "vigie@pve!console=5e1f0c3a-7b2d-4c68-9a40-d1e2f3a4b5c6";
/// How long a refused token waits for its answer.
const REFUSAL: Duration = Duration::from_secs(3);
/// How long a connection may be idle.
const IDLE: Duration = Duration::from_secs(5);
/// How many requests one connection takes.
const PER_CONNECTION: u32 = 100;
/// The largest body, bytes.
const BODY: usize = 512 << 10;

/// What the handlers share.
pub struct Server {
    world: Arc<World>,
    lab: Mutex<Lab>,
}

impl Server {
    /// The server of a lab, not yet reachable.
    pub fn new(world: &Arc<World>) -> Arc<Self> {
        Arc::new(Self { world: world.clone(), lab: Mutex::new(Lab::new(world)) })
    }

    /// How it is put on the network.
    pub fn simulator(self: Arc<Self>) -> Simulator {
        let budget = budget(&self.world);
        let router = Router::new().fallback(handle).with_state(self);
        let tables: Vec<(_, Settings)> =
            vec![("proxmox", Box::new(move |address| settings(address, budget)))];
        Simulator { server: "proxmox".to_owned(), tls: true, router, tables }
    }

    /// The state, for as long as nobody else looks at it.
    pub fn lab(&self) -> MutexGuard<'_, Lab> {
        self.lab.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The simulated servers of a lab: one cluster.
pub fn simulators(world: &Arc<World>) -> Vec<Simulator> {
    vec![Server::new(world).simulator()]
}

/// What the hosts of the lab may give away.
fn budget(world: &World) -> &'static str {
    match world.size.guests {
        0 => "{ ram = 64, host = 4, arc = 8, reserve = 4 }",
        _ => "{ ram = 8192, host = 16, arc = 64, reserve = 64 }",
    }
}

fn settings(address: &Address, budget: &str) -> Vec<(&'static str, Setting)> {
    let text = |text: &str| Setting::Text(text.to_owned());
    let mut settings = vec![("name", text("pve")), ("url", text(&address.url)), ("domain", text("home"))];
    if let Some(fingerprint) = &address.fingerprint {
        settings.push(("fingerprint", text(fingerprint)));
    }
    settings.push(("token", Setting::Secret(TOKEN.to_owned())));
    settings.push(("budget", Setting::Raw(budget.to_owned())));
    // Whoever wakes the simulated host wakes nobody on their own network.
    settings.push(("wake_to", text("127.0.0.1:9")));
    settings
}

async fn handle(State(server): State<Arc<Server>>, request: Request) -> Response {
    let connection = request.extensions().get::<Connection>();
    let last = connection.is_some_and(|connection| {
        connection.close_when_idle(IDLE);
        connection.count() >= PER_CONNECTION
    });
    // What is changed is changed, but the answer is lost on its way.
    let mute = request.method() != Method::GET && server.world.get("proxmox.lose") == "writes";
    let mut answer = match admit(&request) {
        Ok(()) if mute => {
            serve(&server, request).await;
            Answer::text(504, "Gateway Time-out")
        }
        Ok(()) => serve(&server, request).await,
        Err(refused) => {
            if refused.status == 401 {
                tokio::time::sleep(REFUSAL).await;
            }
            refused
        }
    };
    answer.close |= last || answer.status >= 400;
    answer.into_response(server.world.clock.now())
}

/// What pveproxy looks at before it looks at the path.
fn admit(request: &Request) -> Result<(), Answer> {
    let headers = request.headers();
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(Answer::text(501, "chunked transfer encoding not supported"));
    }
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let takes_body = matches!(*request.method(), Method::POST | Method::PUT);
    if length.unwrap_or(0) > 0 && !takes_body {
        return Err(Answer::text(501, &format!("Unexpected content for method '{}'", request.method())));
    }
    if length.unwrap_or(0) > BODY {
        return Err(Answer::text(501, "for data too large"));
    }
    let authorization = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    match authorization.map(|value| value == format!("PVEAPIToken={TOKEN}").as_bytes()) {
        Some(true) => Ok(()),
        Some(false) => Err(Answer::empty(401, "Authentication failed!")),
        None => Err(Answer::empty(401, "No ticket")),
    }
}

async fn serve(server: &Server, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let Some(path) = parts.uri.path().strip_prefix("/api2/json") else {
        return Answer::text(501, &format!("no such file '{}'", parts.uri.path()));
    };
    let mut params = Params::default();
    params.add(parts.uri.query().unwrap_or_default());
    let media =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bytes = to_bytes(Body::new(body), BODY).await.unwrap_or_default();
    if !bytes.is_empty() && !media.starts_with("application/x-www-form-urlencoded") {
        return Answer::text(506, &format!("upload with content type '{media}' not supported"));
    }
    params.add(&String::from_utf8_lossy(&bytes));
    let path = answer::decode(path);
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let mut lab = server.lab();
    lab.advance(&server.world);
    let known = if parts.method == Method::GET {
        read::get(&mut lab, &segments, &params)
    } else {
        write::change(&mut lab, &parts.method, &segments, &params)
    };
    known.unwrap_or_else(|| {
        let text = format!("Method '{} /{}' not implemented", parts.method, segments.join("/"));
        Answer::refused(501, &text)
    })
}
