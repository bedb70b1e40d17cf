//! Cloudflare's objects as rows, with what is wrong with each.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Domain, Facet, FacetKey, Grade, Health, Row, Tone};
use crate::model::time::{seconds_between, short};

use super::kinds::{ACCESS, DNS, SERVICE_TOKENS, TUNNELS};
use super::wire::{AccessApp, Connector, Policy, Record, ServiceToken, Tunnel};

/// A service token that ends sooner than this wants attention, in seconds.
const SOON: i64 = 14 * 86_400;
/// Connections that each cloudflared holds.
const EACH: usize = 4;

/// Where the rows live.
#[derive(Debug, Clone)]
pub struct Place {
    /// The configured name.
    pub instance: Arc<str>,
    /// The failure domain.
    pub domain: Domain,
}

/// How something is: a word, a health, and why.
type State = (&'static str, Health, String);

impl Place {
    fn row(&self, kind: &'static str, key: &str, name: &str, state: &State, mut cells: Vec<Cell>) -> Row {
        cells.insert(0, Cell::toned(state.0, Tone::from(state.1)));
        cells.insert(1, Cell::new(name));
        let mut row = Row::new(EntityId::new(kind, self.instance.clone(), key), name, cells);
        row.health = state.1;
        row.note = Some(state.2.as_str()).filter(|why| !why.is_empty()).map(Arc::from);
        row.domain = self.domain;
        row.identity = Identity::new().with("id", key).with("name", name);
        row
    }
}

/// A row for a tunnel; its connectors are absent where they cannot be seen.
pub fn tunnel(tunnel: &Tunnel, connectors: Option<&[Connector]>, place: &Place) -> Option<Row> {
    let id = tunnel.id.some()?;
    let conns = connectors.into_iter().flatten().flat_map(|connector| connector.conns.iter());
    let live: Vec<_> = conns.filter(|conn| !conn.is_pending_reconnect.is_true()).collect();
    let places: BTreeSet<&str> = live.iter().map(|conn| conn.colo_name.as_str()).collect();
    let expected = connectors.map_or(0, <[Connector]>::len) * EACH;
    let state = tunnel_state(tunnel, connectors.map(|_| live.len()), expected, places.len());
    let count = connectors.map(|_| format!("{}/{}", live.len(), expected.max(EACH)));
    let versions: BTreeSet<&str> =
        connectors.into_iter().flatten().map(|connector| connector.version.as_str()).collect();
    let since =
        if state.0 == "healthy" { tunnel.conns_active_at.time() } else { tunnel.conns_inactive_at.time() };
    let cells = vec![
        Cell::new(count.as_deref().unwrap_or("?")),
        Cell::new(places.into_iter().collect::<Vec<_>>().join(", ").as_str()),
        Cell::toned(versions.into_iter().collect::<Vec<_>>().join(", ").as_str(), Tone::Dim),
        Cell::new(since),
        Cell::new(state.2.as_str()),
        Cell::toned(id, Tone::Dim),
    ];
    let mut row = place.row(TUNNELS, id, &tunnel.name, &state, cells);
    row.facets = Box::new([Facet::new(FacetKey::Name, tunnel.name.as_str(), Grade::Hint)]);
    Some(row)
}

fn tunnel_state(tunnel: &Tunnel, live: Option<usize>, expected: usize, places: usize) -> State {
    match (tunnel.status.as_str(), live) {
        ("down", _) => {
            ("down", Health::Critical, "no connector: everything behind it answers 1033".to_owned())
        }
        ("inactive", _) => ("inactive", Health::Off, "never ran".to_owned()),
        ("degraded", _) => ("degraded", Health::Warning, "some connections are lost".to_owned()),
        ("healthy", Some(live)) if live < expected => {
            ("degraded", Health::Warning, format!("{live} of {expected} connections"))
        }
        ("healthy", Some(_)) if places < 2 => {
            ("healthy", Health::Warning, "all connections in one data centre".to_owned())
        }
        ("healthy", _) => ("healthy", Health::Ok, String::new()),
        _ => ("unknown", Health::Unknown, "its state is not told".to_owned()),
    }
}

/// A row for an application behind Access; its policies are absent where they cannot be seen.
pub fn access(app: &AccessApp, policies: Option<&[Policy]>, place: &Place) -> Option<Row> {
    let id = app.id.some()?;
    let hosts: Vec<&str> = app.domain.some().into_iter().chain(app.self_hosted_domains.iter()).collect();
    let hosts: BTreeSet<&str> = hosts.into_iter().collect();
    let state = access_state(policies);
    let decided: Vec<String> = policies
        .into_iter()
        .flatten()
        .map(|policy| format!("{} ({})", policy.name.as_str(), decision(&policy.decision)))
        .collect();
    let refused = if app.service_auth_401_redirect.is_true() { "401" } else { "login" };
    let cells = vec![
        Cell::new(hosts.iter().copied().collect::<Vec<_>>().join(", ").as_str()),
        Cell::new(decided.join(", ").as_str()),
        Cell::toned(app.session_duration.as_str(), Tone::Dim),
        Cell::toned(app.kind.replace('_', " ").as_str(), Tone::Dim),
        Cell::toned(refused, Tone::Dim),
    ];
    let mut row = place.row(ACCESS, id, &app.name, &state, cells);
    let host = |text: &&str| text.split('/').next().unwrap_or_default().to_lowercase();
    row.facets = hosts.iter().map(|text| Facet::new(FacetKey::Host, host(text), Grade::Likely)).collect();
    Some(row)
}

fn access_state(policies: Option<&[Policy]>) -> State {
    match policies {
        None => ("unknown", Health::Unknown, "its policies cannot be seen".to_owned()),
        Some([]) => ("empty", Health::Warning, "no policy: nobody gets in".to_owned()),
        Some(all) if all.iter().any(|policy| policy.decision.as_str() == "bypass") => {
            ("bypass", Health::Warning, "a policy lets everybody through".to_owned())
        }
        Some(_) => ("ok", Health::Ok, String::new()),
    }
}

fn decision(decision: &str) -> &str {
    match decision {
        "non_identity" => "service auth",
        other => other,
    }
}

/// A row for a service token.
pub fn service_token(token: &ServiceToken, place: &Place, now: Timestamp) -> Option<Row> {
    let id = token.id.some()?;
    let left = token.expires_at.time().map(|ends| seconds_between(now, ends));
    let state: State = match left {
        None => ("ok", Health::Ok, "never expires".to_owned()),
        Some(..=0) => ("expired", Health::Critical, "its program is sent to the login page".to_owned()),
        Some(left) if left < SOON => {
            ("expiring", Health::Warning, format!("in {} its program is sent to the login page", short(left)))
        }
        Some(_) => ("ok", Health::Ok, String::new()),
    };
    let cells = vec![
        Cell::toned(token.expires_at.time(), Tone::from(state.1)),
        Cell::new(token.last_seen_at.time()),
        Cell::toned(token.duration.as_str(), Tone::Dim),
        Cell::new(state.2.as_str()),
    ];
    Some(place.row(SERVICE_TOKENS, id, &token.name, &state, cells))
}

/// A row for a name that people reach something by; other records are of no interest.
pub fn name(record: &Record, tunnels: &[Tunnel], place: &Place) -> Option<Row> {
    let id = record.id.some()?;
    if !matches!(record.kind.as_str(), "A" | "AAAA" | "CNAME") {
        return None;
    }
    let to = record.content.strip_suffix(".cfargotunnel.com");
    let tunnel = to.map(|id| tunnels.iter().find(|tunnel| tunnel.id.as_str() == id));
    let state: State = match (record.kind.as_str(), tunnel) {
        ("A" | "AAAA", _) if record.proxied.is_true() => {
            ("direct", Health::Warning, "leads to an address of your own, past the tunnel".to_owned())
        }
        ("A" | "AAAA", _) => {
            ("direct", Health::Critical, "shows an address of your own to everybody".to_owned())
        }
        (_, Some(None)) => ("orphan", Health::Warning, "leads to a tunnel that does not exist".to_owned()),
        (_, Some(Some(_))) if !record.proxied.is_true() => {
            ("bare", Health::Warning, "is not proxied: the tunnel does not answer it".to_owned())
        }
        (_, Some(Some(_))) => ("ok", Health::Ok, String::new()),
        (_, None) => ("elsewhere", Health::Ok, String::new()),
    };
    let content = tunnel.flatten().map_or(record.content.as_str(), |tunnel| tunnel.name.as_str());
    let cells = vec![
        Cell::toned(record.kind.as_str(), Tone::Dim),
        Cell::new(content),
        Cell::new(record.proxied.is_true()),
        Cell::new(state.2.as_str()),
    ];
    let mut row = place.row(DNS, id, &record.name, &state, cells);
    row.facets = Box::new([Facet::new(FacetKey::Host, record.name.to_lowercase(), Grade::Likely)]);
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { instance: "cf".into(), domain: Domain::Edge }
    }

    #[test]
    fn a_name_leads_to_a_tunnel_or_past_it() {
        let tunnels: Vec<Tunnel> = serde_json::from_str(r#"[{"id":"t1","name":"homelab"}]"#).unwrap();
        let cases = [
            (r#""type":"CNAME","content":"t1.cfargotunnel.com","proxied":true"#, "ok", Health::Ok),
            (r#""type":"CNAME","content":"t1.cfargotunnel.com","proxied":false"#, "bare", Health::Warning),
            (r#""type":"CNAME","content":"t2.cfargotunnel.com","proxied":true"#, "orphan", Health::Warning),
            (r#""type":"CNAME","content":"pages.example","proxied":true"#, "elsewhere", Health::Ok),
            (r#""type":"A","content":"203.0.113.4","proxied":true"#, "direct", Health::Warning),
            (r#""type":"A","content":"203.0.113.4","proxied":false"#, "direct", Health::Critical),
        ];
        for (json, word, health) in cases {
            let record: Record =
                serde_json::from_str(&format!(r#"{{"id":"r","name":"x.example",{json}}}"#)).unwrap();
            let row = name(&record, &tunnels, &place()).unwrap();
            assert_eq!((row.cell(0).value.clone(), row.health), (word.into(), health), "{json}");
        }
        let text: Record = serde_json::from_str(r#"{"id":"r","type":"TXT","content":"v=spf1"}"#).unwrap();
        assert_eq!(name(&text, &tunnels, &place()), None);
    }

    #[test]
    fn a_tunnel_is_as_well_as_its_connections() {
        let connector = |conns: &str| -> Vec<Connector> {
            serde_json::from_str(&format!(r#"[{{"id":"c","version":"2026.1.0","conns":[{conns}]}}]"#))
                .unwrap()
        };
        let two =
            r#"{"colo_name":"cdg01"},{"colo_name":"cdg01"},{"colo_name":"mrs01"},{"colo_name":"mrs01"}"#;
        let one =
            r#"{"colo_name":"cdg01"},{"colo_name":"cdg01"},{"colo_name":"cdg01"},{"colo_name":"cdg01"}"#;
        let lost = r#"{"colo_name":"cdg01"},{"colo_name":"mrs01"},{"colo_name":"mrs01"},{"colo_name":"mrs01","is_pending_reconnect":true}"#;
        let cases = [
            ("healthy", Some(connector(two)), "healthy", Health::Ok),
            ("healthy", Some(connector(one)), "healthy", Health::Warning),
            ("healthy", Some(connector(lost)), "degraded", Health::Warning),
            ("healthy", None, "healthy", Health::Ok),
            ("down", Some(vec![]), "down", Health::Critical),
            ("inactive", Some(vec![]), "inactive", Health::Off),
        ];
        for (status, connectors, word, health) in cases {
            let json = format!(r#"{{"id":"t","name":"homelab","status":"{status}"}}"#);
            let row = tunnel(&serde_json::from_str(&json).unwrap(), connectors.as_deref(), &place()).unwrap();
            assert_eq!(
                (row.cell(0).value.clone(), row.health),
                (word.into(), health),
                "{status} {connectors:?}"
            );
        }
    }
}
