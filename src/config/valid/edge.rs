//! The tables `[[cloudflare]]`, `[[github]]` and `[[probe]]`.

use std::sync::Arc;

use super::Validator;
use super::connection::{domain, timeout};
use crate::config::check;
use crate::config::connector::{Connection, Trust};
use crate::config::edge::{Cloudflare, Expect, Github, Probe};
use crate::config::raw::Table;
use crate::config::source::Fault;
use crate::config::suggest;
use crate::model::row::Domain;

impl Validator<'_> {
    pub(super) fn cloudflare(&self, table: &Table<'_>, name: Arc<str>) -> Option<Cloudflare> {
        let connection = self.public(table, name, "https://api.cloudflare.com/client/v4");
        let token = self.required_secret(table, "token");
        let account = table.required("account", "\"0123456789abcdef0123456789abcdef\"", check::word);
        let zones = table.list("zones").unwrap_or_default();
        let zones = zones.into_iter().map(|zone| zone.value.to_ascii_lowercase()).collect();
        Some(Cloudflare { connection: connection?, token: token?, account: account?, zones })
    }

    pub(super) fn github(&self, table: &Table<'_>, name: Arc<str>) -> Option<Github> {
        let connection = self.public(table, name, "https://api.github.com");
        let token = self.required_secret(table, "token");
        let repo = table.required("repo", "\"owner/name\"", repository);
        let branch = table.checked("branch", check::word).unwrap_or_else(|| "main".to_owned());
        Some(Github { connection: connection?, token: token?, repo: repo?, branch })
    }

    /// A service whose address everybody knows; it is at the edge unless something else is said.
    fn public(&self, table: &Table<'_>, name: Arc<str>, address: &str) -> Option<Connection> {
        let domain = domain(table).unwrap_or(Domain::Edge);
        if table.has("url") {
            return self.connection(table, name, domain, &format!("\"{address}\""));
        }
        Some(Connection {
            name,
            url: address.to_owned(),
            host_header: table.checked("host_header", check::host_header),
            headers: self.headers(table),
            proxy: table.checked("proxy", check::proxy),
            trust: self.trust(table, true),
            domain,
            public_url: super::connection::public_url(table),
            plaintext: table.flag("plaintext").unwrap_or(false),
            timeout: timeout(table),
        })
    }

    pub(super) fn probe(&self, table: &Table<'_>, name: Arc<str>) -> Option<Probe> {
        let domain = domain(table).unwrap_or(Domain::Edge);
        let edge = self.connection(table, name, domain, "\"https://nextcloud.example\"");
        let inner = table.checked("origin", check::url);
        let expect = table.checked("expect", expect).unwrap_or_default();
        let gate = table.checked("gate", check::word);
        let edge = edge?;
        let origin = inner.map(|url| origin(&edge, url.as_str().trim_end_matches('/')));
        Some(Probe { origin, expect, gate, domain, timeout: edge.timeout, edge })
    }
}

/// The way round the edge: another address, the same name.
fn origin(edge: &Connection, url: &str) -> Connection {
    let host = edge.host_header.clone().or_else(|| {
        let url = url::Url::parse(&edge.url).ok()?;
        Some(url.host_str()?.to_owned())
    });
    Connection {
        url: url.to_owned(),
        host_header: host,
        headers: Vec::new(),
        trust: if url.starts_with("https:") { edge.trust.clone() } else { Trust::System },
        ..edge.clone()
    }
}

/// The name under `github`, which has to be that of a repository.
pub(super) fn repository_of(table: &Table<'_>, repositories: &[Github]) -> Option<String> {
    let github = table.required("github", "\"homelab\"", check::name);
    if let (Some(name), Some(written)) = (&github, table.text("github"))
        && !repositories.iter().any(|github| *github.connection.name == **name)
    {
        let names = repositories.iter().map(|github| &*github.connection.name);
        let fault = Fault::new(
            "no `[[github]]` has this name",
            "the name of a `[[github]]`",
            suggest::advice(name, names),
        );
        table.note(written.span, fault);
    }
    github
}

fn expect(text: &str) -> Result<Expect, Fault> {
    let all = [Expect::Open, Expect::Login, Expect::Access, Expect::Refused];
    all.into_iter().find(|expect| expect.word() == text).ok_or_else(|| {
        Fault::new(
            format!("`{text}` is nothing that an address can answer"),
            "open, login, access or refused",
            "choose what somebody without a cookie should meet",
        )
    })
}

/// `owner/name`.
fn repository(text: &str) -> Result<String, Fault> {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
    };
    match text.split_once('/') {
        Some((owner, name)) if part(owner) && part(name) => Ok(text.to_owned()),
        _ => Err(Fault::new(
            "this is no repository",
            "`owner/name`",
            "write it as in the repository's address",
        )),
    }
}
