//! A simulated Cloudflare API: its envelope, one account, one zone, and a tunnel that can lose its connections.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::backend::sim::{Address, Setting, Simulator, World};

/// The name that faults use.
const SERVER: &str = "cloudflare";
/// The account.
pub const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";
/// The tunnel.
const TUNNEL: &str = "6ff42ae2-765d-4adf-8112-31c55c1551ef";
const ZONE: &str = "023e105f4ecef8ad9ca31a8372d0c353";

/// The simulated Cloudflare of a lab.
pub fn simulators(world: &Arc<World>) -> Vec<Simulator> {
    let token = token(world.seed);
    let settings = move |address: &Address| {
        vec![
            ("name", Setting::Text("cf".into())),
            ("url", Setting::Text(address.url.clone())),
            ("account", Setting::Text(ACCOUNT.into())),
            ("zones", Setting::Raw("[\"lab.example\"]".into())),
            ("token", Setting::Secret(token.clone())),
        ]
    };
    let router = Router::new().fallback(serve).with_state(world.clone());
    let tables: Vec<(&'static str, crate::backend::sim::Settings)> = vec![("cloudflare", Box::new(settings))];
    vec![Simulator { server: SERVER.into(), tls: false, router, tables }]
}

/// The token of a lab.
pub fn token(seed: u64) -> String {
    format!("cf-token-{seed:08x}")
}

async fn serve(State(world): State<Arc<World>>, request: axum::extract::Request) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if shown != Some(&format!("Bearer {}", token(world.seed))) {
        return envelope(401, None, &[(1000, "Invalid API Token")]);
    }
    let path = request.uri().path().to_owned();
    let rest = path.strip_prefix(&format!("/accounts/{ACCOUNT}")).unwrap_or(&path);
    let result = match rest {
        "/user/tokens/verify" => json!({ "id": "t", "status": "active", "expires_on": at(&world, 200) }),
        "/cfd_tunnel" => json!([tunnel(&world)]),
        "/access/apps" => guarded(&world),
        "/access/apps/a1/policies" | "/access/apps/a2/policies" => json!([
            { "name": "admins", "decision": "allow" }, { "name": "ci", "decision": "non_identity" },
        ]),
        "/access/service_tokens" => json!([
            { "id": "s1", "name": "ci-github", "duration": "8760h", "expires_at": at(&world, 9), "last_seen_at": at(&world, -1) },
            { "id": "s2", "name": "vigie", "duration": "8760h", "expires_at": at(&world, 250), "last_seen_at": at(&world, 0) },
        ]),
        "/zones" => json!([{ "id": ZONE, "name": "lab.example" }]),
        _ if rest == format!("/cfd_tunnel/{TUNNEL}/connections") => connections(&world),
        _ if rest == format!("/zones/{ZONE}/dns_records") => records(),
        _ => return envelope(404, None, &[(7003, "Could not route to the requested path")]),
    };
    envelope(200, Some(result), &[])
}

/// Applications behind Access; the fact `second-gate` puts one more behind it, whatever stands there already.
fn guarded(world: &World) -> Value {
    let app = |id: &str, name: &str| {
        let host = format!("{}.lab.example", name.to_lowercase());
        json!({
            "id": id, "name": name, "domain": host, "type": "self_hosted", "self_hosted_domains": [host],
            "session_duration": "24h", "service_auth_401_redirect": false,
        })
    };
    let second = world.get("second-gate");
    let second = (!second.is_empty()).then(|| app("a2", &second));
    std::iter::once(app("a1", "Grafana")).chain(second).collect()
}

fn at(world: &World, days: i64) -> String {
    (world.clock.now() + SignedDuration::from_hours(24 * days)).to_string()
}

fn tunnel(world: &World) -> Value {
    let down = world.get("tunnel") == "down";
    json!({
        "id": TUNNEL, "name": "homelab", "status": if down { "down" } else { "healthy" }, "created_at": at(world, -300),
        "deleted_at": null, "conns_active_at": at(world, -12), "conns_inactive_at": if down { json!(at(world, 0)) } else { Value::Null },
        "remote_config": true, "tun_type": "cfd_tunnel", "connections": [],
    })
}

fn connections(world: &World) -> Value {
    if world.get("tunnel") == "down" {
        return json!([]);
    }
    let conn = |at: usize, place: &str| json!({ "id": format!("c{at}"), "colo_name": place, "is_pending_reconnect": false });
    let conns: Vec<Value> = ["cdg01", "cdg03", "mrs01", "mrs02"]
        .into_iter()
        .enumerate()
        .map(|(n, place)| conn(n, place))
        .collect();
    json!([{ "id": "k1", "arch": "linux_arm64", "version": "2026.1.0", "conns": conns }])
}

fn records() -> Value {
    let names = ["auth", "comet", "vaultwarden", "grafana", "omni", "prometheus", "ntfy", "argocd"];
    let to = format!("{TUNNEL}.cfargotunnel.com");
    names
        .into_iter()
        .map(|name| json!({ "id": format!("r-{name}"), "name": format!("{name}.lab.example"), "type": "CNAME", "content": to, "proxied": true, "ttl": 1 }))
        .collect()
}

#[allow(clippy::needless_pass_by_value, reason = "every caller makes the result for it")]
fn envelope(status: u16, result: Option<Value>, errors: &[(i64, &str)]) -> Response {
    let errors: Vec<Value> =
        errors.iter().map(|(code, message)| json!({ "code": code, "message": message })).collect();
    let body = json!({ "success": errors.is_empty(), "errors": errors, "messages": [], "result": result,
        "result_info": { "page": 1, "per_page": 100, "total_pages": 1 } });
    let status = StatusCode::from_u16(status).unwrap_or_default();
    (status, Json(body)).into_response()
}
