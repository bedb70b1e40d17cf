//! A simulated edge with the hosts of the lab behind it: `/edge` is the way through Cloudflare, `/origin` the one past it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::backend::sim::{Address, Setting, Simulator, World};

/// The name that faults use.
const SERVER: &str = "edge";
/// The outpost in front of the gated hosts.
const GATE: &str = "authentik-outpost-proxy";

/// Hosts: name, what a stranger should meet, and whether the outpost stands in front.
const HOSTS: [(&str, &str, bool); 12] = [
    ("auth", "open", false),
    ("comet", "open", false),
    ("vaultwarden", "open", false),
    ("grafana", "access", false),
    ("omni", "login", true),
    ("prometheus", "login", true),
    ("ntfy", "login", true),
    ("argocd", "login", true),
    ("glance", "login", true),
    ("n8n", "login", true),
    ("mealie", "login", true),
    ("invidious", "login", true),
];

/// The simulated edge of a lab.
pub fn simulators(world: &Arc<World>) -> Vec<Simulator> {
    let router = Router::new().fallback(serve).with_state(world.clone());
    let table = |(name, expect, gated): (&'static str, &'static str, bool)| {
        let settings = move |address: &Address| {
            let mut settings = vec![
                ("name", Setting::Text(name.into())),
                ("url", Setting::Text(format!("{}/edge", address.url))),
                ("host_header", Setting::Text(format!("{name}.lab.example"))),
                ("origin", Setting::Text(format!("{}/origin", address.url))),
                ("expect", Setting::Text(expect.into())),
            ];
            if gated {
                settings.push(("gate", Setting::Text(GATE.into())));
            }
            settings
        };
        let settings: crate::backend::sim::Settings = Box::new(settings);
        ("probe", settings)
    };
    vec![Simulator {
        server: SERVER.into(),
        tls: false,
        router,
        tables: HOSTS.into_iter().map(table).collect(),
    }]
}

async fn serve(State(world): State<Arc<World>>, request: axum::extract::Request) -> Response {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = host.split('.').next().unwrap_or_default();
    let through = request.uri().path().starts_with("/edge");
    let Some((_, expect, gated)) = HOSTS.into_iter().find(|(known, ..)| *known == name) else {
        return answer(
            through,
            StatusCode::NOT_FOUND,
            &[("content-type", "text/plain")],
            "404 page not found\n",
        );
    };
    if through && world.get("tunnel") == "down" {
        return answer(true, status(530), &[("content-type", "text/html")], "error code: 1033");
    }
    if through && name == "auth" && world.scenario == "ci-challenge" && world.get("edge-rule") != "open" {
        let headers = [("cf-mitigated", "challenge"), ("content-type", "text/html")];
        return answer(true, StatusCode::FORBIDDEN, &headers, "<title>Just a moment...</title>");
    }
    let full = world.scenario == "outpost-down" && world.get("outpost") != "restarted";
    let down = full || world.get("authentik-outpost") == "down";
    if through && world.get("second-gate") == name {
        return access(name);
    }
    match (expect, gated && down) {
        // Its shared memory is full: it answers, and can keep no session.
        (_, true) => answer(through, StatusCode::BAD_REQUEST, &[("content-type", "text/plain")], ""),
        ("login", _) => to(through, "https://auth.lab.example/application/o/authorize/?client_id=1"),
        ("access", _) if through => access(name),
        _ => answer(
            through,
            StatusCode::OK,
            &[("content-type", "text/html")],
            &format!("<title>{name}</title>"),
        ),
    }
}

/// Where Access sends a stranger.
fn access(name: &str) -> Response {
    to(true, &format!("https://lab.cloudflareaccess.com/cdn-cgi/access/login/{name}.lab.example?kid=1"))
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or_default()
}

fn to(through: bool, place: &str) -> Response {
    answer(through, StatusCode::FOUND, &[("location", place)], "")
}

/// An answer; what goes through the edge carries its number.
fn answer(through: bool, status: StatusCode, headers: &[(&'static str, &str)], body: &str) -> Response {
    let mut response = (status, body.to_owned()).into_response();
    let edge: &[(&'static str, &str)] =
        if through { &[("cf-ray", "8a1b2c3d4e5f-CDG"), ("server", "cloudflare")] } else { &[] };
    for (name, value) in headers.iter().chain(edge) {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
