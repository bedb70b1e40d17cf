//! Who answered, and what it means: Cloudflare's challenge, Access, a tunnel that is down, the login, the outpost's
//! fallback and the application's own refusal look alike to a program and call for different people.

use crate::backend::error::first_line;
use crate::backend::http::Reply;
use crate::model::snapshot::Layer;

/// What was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The application itself.
    Open,
    /// Authentik's forward-auth sends to its login.
    Login,
    /// Cloudflare asks the browser to prove itself.
    Challenge,
    /// Cloudflare Access sends to its login.
    Access,
    /// Cloudflare Access says no.
    AccessRefused,
    /// A rule of the firewall, a country or an address that is barred.
    Blocked,
    /// Too many requests, says the edge.
    RateLimited,
    /// No connector of the tunnel is there.
    TunnelDown,
    /// The edge finds no address for the origin.
    OriginDns,
    /// The tunnel stands, and nothing answers behind it.
    OriginDown,
    /// The edge cannot speak to the origin.
    OriginFault,
    /// The origin takes too long.
    OriginSlow,
    /// The router knows no such host.
    NoRouter,
    /// The outpost is not there: the router asks for the emergency password.
    Fallback,
    /// The outpost answers and cannot keep a session.
    SessionStore,
    /// The application says no by itself.
    Refused,
    /// Sent somewhere else.
    Moved,
    /// The application fails.
    Failing,
    /// Something else.
    Other,
}

impl What {
    /// The word in a column.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Login => "login",
            Self::Challenge => "challenge",
            Self::Access => "access",
            Self::AccessRefused => "access refused",
            Self::Blocked => "blocked",
            Self::RateLimited => "rate limit",
            Self::TunnelDown => "tunnel down",
            Self::OriginDns => "origin dns",
            Self::OriginDown => "origin down",
            Self::OriginFault => "origin fault",
            Self::OriginSlow => "origin slow",
            Self::NoRouter => "no router",
            Self::Fallback => "fallback",
            Self::SessionStore => "session store",
            Self::Refused => "refused",
            Self::Moved => "moved",
            Self::Failing => "failing",
            Self::Other => "other",
        }
    }

    /// What it means, in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Open => "the application answers without a login",
            Self::Login => "Authentik's forward-auth asks for a login",
            Self::Challenge => {
                "Cloudflare's bot challenge: no program passes it; it is no matter of credentials"
            }
            Self::Access => "Cloudflare Access asks for its login",
            Self::AccessRefused => "Cloudflare Access refuses: service token or policy",
            Self::Blocked => "a Cloudflare rule blocks the request: firewall, country or address",
            Self::RateLimited => "the edge says that there are too many requests",
            Self::TunnelDown => "the tunnel has no connector (1033): look at cloudflared",
            Self::OriginDns => "the edge finds no address for the origin (1016)",
            Self::OriginDown => {
                "the tunnel stands, and nothing answers behind it: look at the router and the application"
            }
            Self::OriginFault => "the edge cannot speak to the origin (52x)",
            Self::OriginSlow => "the origin does not answer in time",
            Self::NoRouter => "the router knows no such host",
            Self::Fallback => {
                "the outpost is unreachable: the router falls back to a password prompt, enter none"
            }
            Self::SessionStore => {
                "the outpost answers 400: it cannot keep sessions (its /dev/shm, or its database)"
            }
            Self::Refused => "the application itself refuses",
            Self::Moved => "sent somewhere else",
            Self::Failing => "the application fails",
            Self::Other => "an answer that says nothing known",
        }
    }

    /// The layer at which it fails, where it is a failure.
    pub fn layer(self) -> Layer {
        match self {
            Self::Challenge
            | Self::Access
            | Self::AccessRefused
            | Self::Blocked
            | Self::RateLimited
            | Self::TunnelDown
            | Self::OriginDns => Layer::Edge,
            Self::Login | Self::Fallback | Self::SessionStore => Layer::Auth,
            Self::OriginDown | Self::OriginFault | Self::OriginSlow | Self::NoRouter | Self::Moved => {
                Layer::Http
            }
            Self::Open | Self::Refused | Self::Failing | Self::Other => Layer::App,
        }
    }

    /// Whether it is the gate of the login that fails, and so everything behind it.
    pub fn is_gate(self) -> bool {
        matches!(self, Self::Fallback | Self::SessionStore)
    }
}

/// What was met, with what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What it is.
    pub what: What,
    /// The HTTP status.
    pub status: u16,
    /// The first words of the answer.
    pub raw: String,
    /// Cloudflare's number of the request.
    pub ray: String,
}

/// Reads an answer; the order of the questions is what tells its cases apart.
pub fn look(reply: &Reply) -> Look {
    let header = |name: &str| reply.header(name).unwrap_or_default();
    let what = challenge(reply)
        .or_else(|| redirect(reply))
        .or_else(|| fallback(reply))
        .or_else(|| by_edge(reply))
        .unwrap_or_else(|| by_application(reply));
    let place = header("location").split(['?', '#']).next().unwrap_or_default();
    let raw = match (place.is_empty(), header("www-authenticate")) {
        (false, _) => format!("to {}", first_line(place)),
        (true, "") => title(&reply.text()),
        (true, realm) => first_line(realm),
    };
    Look { what, status: reply.status, raw, ray: first_line(header("cf-ray")) }
}

fn challenge(reply: &Reply) -> Option<What> {
    reply.header("cf-mitigated").is_some_and(|value| value.contains("challenge")).then_some(What::Challenge)
}

fn redirect(reply: &Reply) -> Option<What> {
    if !(300..400).contains(&reply.status) {
        return None;
    }
    let place = reply.header("location").unwrap_or_default();
    let path = place.split(['?', '#']).next().unwrap_or_default();
    let host =
        url::Url::parse(place).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    Some(if host.ends_with(".cloudflareaccess.com") || path.contains("/cdn-cgi/access/login") {
        What::Access
    } else if path.contains("/application/o/authorize")
        || path.contains("/outpost.goauthentik.io/")
        || path.contains("/if/flow/")
    {
        What::Login
    } else {
        What::Moved
    })
}

/// The router's own answer while the outpost is away, or the outpost's while it cannot keep sessions.
fn fallback(reply: &Reply) -> Option<What> {
    let realm = reply.header("www-authenticate").unwrap_or_default();
    let emergency = realm.contains("Emergency Access") || realm.to_lowercase().contains("authentik");
    if (reply.status == 401 && emergency) || reply.header("x-auth-fallback").is_some() {
        return Some(What::Fallback);
    }
    let outpost = reply.header("x-authentik-id").is_none() && !is_json(reply);
    (reply.status == 400 && outpost).then_some(What::SessionStore)
}

/// What only Cloudflare says; its number alone proves no more than that the answer went through it.
fn by_edge(reply: &Reply) -> Option<What> {
    let cloudflare = reply.header("cf-ray").is_some() || reply.header("server") == Some("cloudflare");
    if !cloudflare || is_ours(reply) {
        return None;
    }
    let text = reply.text();
    let code = |number: &str| {
        text.contains(&format!("error code: {number}")) || text.contains(&format!("Error {number}"))
    };
    match reply.status {
        530 if code("1016") => Some(What::OriginDns),
        530 => Some(What::TunnelDown),
        403 if text.contains("Attention Required!") || text.contains("You have been blocked") => {
            Some(What::Blocked)
        }
        403 if code("1020") || code("1010") || code("1006") => Some(What::Blocked),
        401 | 403 if text.contains("Cloudflare Access") || text.trim() == "Forbidden" => {
            Some(What::AccessRefused)
        }
        429 => Some(What::RateLimited),
        502 => Some(What::OriginDown),
        504 | 524 => Some(What::OriginSlow),
        520..=523 | 525..=527 => Some(What::OriginFault),
        _ => None,
    }
}

fn by_application(reply: &Reply) -> What {
    match reply.status {
        401 | 403 => What::Refused,
        404 if reply.text().trim() == "404 page not found" => What::NoRouter,
        200..300 | 404 => What::Open,
        502 | 503 => What::OriginDown,
        504 => What::OriginSlow,
        500.. => What::Failing,
        _ => What::Other,
    }
}

/// Whether the application or Authentik itself has signed the answer.
fn is_ours(reply: &Reply) -> bool {
    let router = reply.header("x-powered-by") == Some("authentik");
    reply.header("x-authentik-id").is_some() || router || is_json(reply)
}

fn is_json(reply: &Reply) -> bool {
    reply.media_type().ends_with("json")
}

/// A page's title, which is what people search for, or else its first line.
fn title(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let found = lower.find("<title>").and_then(|start| {
        let start = start + "<title>".len();
        text.get(start..start + lower.get(start..)?.find('<')?)
    });
    first_line(found.unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn reply(status: u16, headers: &str, body: &str) -> Reply {
        let mut map = HeaderMap::new();
        for line in headers.split('|').filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap();
            map.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        Reply::assembled(status, "https://x.example".into(), map, body.as_bytes().to_vec())
    }

    const CF: &str = "cf-ray: 8a-CDG|server: cloudflare|content-type: text/html";

    #[test]
    fn who_refused_is_told_row_by_row() {
        let access = "location: https://lab.cloudflareaccess.com/cdn-cgi/access/login/x?kid=1";
        let login = "location: https://auth.lab.example/application/o/authorize/?client_id=1";
        let start = "location: https://x.example/outpost.goauthentik.io/start?rd=1";
        let emergency = "www-authenticate: Basic realm=\"Emergency Access\"";
        let app = "x-authentik-id: 1|content-type: application/json";
        let cases: [(u16, &str, &str, What); 24] = [
            (403, "cf-mitigated: challenge|cf-ray: 8a", "<title>Just a moment...</title>", What::Challenge),
            (503, "cf-mitigated: challenge", "", What::Challenge),
            (302, access, "", What::Access),
            (401, CF, "Cloudflare Access", What::AccessRefused),
            (403, CF, "Forbidden", What::AccessRefused),
            (403, CF, "<title>Attention Required! | Cloudflare</title>", What::Blocked),
            (403, CF, "error code: 1020", What::Blocked),
            (429, CF, "error code: 1015", What::RateLimited),
            (530, CF, "error code: 1033", What::TunnelDown),
            (530, CF, "error code: 1016", What::OriginDns),
            (502, CF, "<title>502: Bad gateway</title>", What::OriginDown),
            (521, CF, "", What::OriginFault),
            (524, CF, "", What::OriginSlow),
            (404, "content-type: text/plain", "404 page not found\n", What::NoRouter),
            (302, login, "", What::Login),
            (302, start, "", What::Login),
            (401, emergency, "", What::Fallback),
            (401, "x-auth-fallback: true", "", What::Fallback),
            (400, "content-type: text/plain", "", What::SessionStore),
            (403, app, r#"{"detail":"no"}"#, What::Refused),
            (404, "x-authentik-id: 1|content-type: text/html", "", What::Open),
            (302, "location: /login", "", What::Moved),
            (500, "content-type: text/html", "", What::Failing),
            (200, CF, "<title>Nextcloud</title>", What::Open),
        ];
        for (status, headers, body, what) in cases {
            assert_eq!(look(&reply(status, headers, body)).what, what, "{status} {headers} {body}");
        }
        // The number alone proves only that it went through; what the application signs is the application's.
        let through = format!("cf-ray: 8a|server: cloudflare|{app}");
        assert_eq!(look(&reply(403, &through, r#"{"detail":"no"}"#)).what, What::Refused);
    }

    #[test]
    fn the_number_is_kept_and_the_query_of_a_redirect_is_not() {
        let found = look(&reply(
            302,
            "cf-ray: 8a1b-CDG|location: https://lab.cloudflareaccess.com/cdn-cgi/access/login/x?kid=secret",
            "",
        ));
        assert_eq!(found.ray, "8a1b-CDG");
        assert!(!found.raw.contains("secret") && found.raw.contains("cloudflareaccess"), "{}", found.raw);
    }
}
