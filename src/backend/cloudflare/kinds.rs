//! What Cloudflare has to show.

use crate::model::kind::{Column, Format, KindSpec, Width};

/// Tunnels.
pub const TUNNELS: &str = "cloudflare.tunnels";
/// Applications that Access guards.
pub const ACCESS: &str = "cloudflare.access";
/// Service tokens of Access.
pub const SERVICE_TOKENS: &str = "cloudflare.service-tokens";
/// Names.
pub const DNS: &str = "cloudflare.dns";

/// What each list needs.
pub const SCOPES: [(&str, &str); 4] = [
    ("tunnels", "Cloudflare Tunnel: Read"),
    ("access", "Access: Apps and Policies Read"),
    ("service-tokens", "Access: Service Tokens Read"),
    ("dns", "DNS: Read on the zones"),
];

/// All kinds.
pub fn all() -> Vec<KindSpec> {
    vec![tunnels(), access(), service_tokens(), dns()]
}

fn state(width: u16, doc: &'static str) -> Column {
    Column::new("state", "state", Width::Fixed(width), doc).format(Format::State).priority(0)
}

fn name(doc: &'static str) -> Column {
    Column::new("name", "name", Width::Fit(8, 36), doc).priority(0)
}

fn tunnels() -> KindSpec {
    let columns = vec![
        state(10, "healthy, degraded, down, or inactive."),
        name("The tunnel's name."),
        Column::new(
            "connections",
            "conns",
            Width::Fixed(6),
            "Connections of those expected: four for each cloudflared.",
        )
        .format(Format::Count)
        .priority(0),
        Column::new(
            "places",
            "places",
            Width::Fit(4, 24),
            "The data centres it is connected to; two at least.",
        )
        .priority(2),
        Column::new("version", "version", Width::Fit(6, 12), "The version of cloudflared.").priority(3),
        Column::new("since", "since", Width::Fixed(6), "Since it is as it is.")
            .format(Format::Age)
            .priority(1),
        Column::new("note", "note", Width::Flex(10), "What follows from it.").priority(2),
        Column::new("id", "id", Width::Fit(8, 36), "The id that names lead to.").priority(9).wide(),
    ];
    kind(TUNNELS, "tunnel", &["tunnel", "tunnels"], "Tunnels and their connections.", columns, (1, false))
}

fn access() -> KindSpec {
    let columns = vec![
        state(9, "ok, bypass (it guards nothing), or empty."),
        name("The application's name."),
        Column::new("host", "host", Width::Fit(8, 40), "The host and path that it guards.").priority(0),
        Column::new("policies", "policies", Width::Flex(12), "What its policies decide.").priority(1),
        Column::new("session", "session", Width::Fit(4, 10), "How long a login lasts.").priority(3),
        Column::new("type", "type", Width::Fit(6, 16), "What sort of application it is.").priority(4),
        Column::new(
            "refused",
            "refused",
            Width::Fit(5, 8),
            "Whether refused programs get 401 or the login page.",
        )
        .priority(4),
    ];
    let doc = "Hosts behind Cloudflare Access: a second gate where another one stands too.";
    kind(ACCESS, "access application", &["access", "cf-access"], doc, columns, (1, false))
}

fn service_tokens() -> KindSpec {
    let columns = vec![
        state(10, "ok, expiring, or expired: an expired one answers like none at all."),
        name("The token's name."),
        Column::new("expires", "expires", Width::Fixed(7), "Time until it ends.")
            .format(Format::Until)
            .priority(0),
        Column::new("seen", "seen", Width::Fixed(6), "Since it was last used.")
            .format(Format::Age)
            .priority(1),
        Column::new("duration", "lasts", Width::Fit(4, 8), "How long it lasts when it is refreshed.")
            .priority(3),
        Column::new("note", "note", Width::Flex(10), "What follows from it.").priority(2),
    ];
    let doc = "Service tokens of Access and when they end; their secrets are never read.";
    kind(SERVICE_TOKENS, "service token", &["service-token", "service-tokens"], doc, columns, (2, false))
}

fn dns() -> KindSpec {
    let columns = vec![
        state(11, "ok, elsewhere, direct (past the tunnel), bare (not proxied), or orphan (no such tunnel)."),
        name("The name."),
        Column::new("type", "type", Width::Fixed(5), "The type of the record.").priority(1),
        Column::new(
            "content",
            "leads to",
            Width::Flex(14),
            "Where it leads: a tunnel's name, or what is written.",
        )
        .priority(0),
        Column::new("proxied", "proxied", Width::Fixed(7), "Whether it goes through Cloudflare.")
            .format(Format::Flag)
            .priority(1),
        Column::new("note", "note", Width::Flex(10), "What follows from it.").priority(2),
    ];
    kind(DNS, "record", &["dns", "records"], "Names, and whether they lead to a tunnel.", columns, (1, false))
}

fn kind(
    id: &'static str,
    singular: &'static str,
    aliases: &[&'static str],
    doc: &'static str,
    columns: Vec<Column>,
    sort: (usize, bool),
) -> KindSpec {
    KindSpec {
        id: id.into(),
        singular: singular.into(),
        aliases: aliases.iter().map(|alias| (*alias).into()).collect(),
        doc: doc.into(),
        columns,
        sort,
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}
