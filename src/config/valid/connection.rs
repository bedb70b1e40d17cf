//! What every HTTP connector has in common.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Validator, timespan};
use crate::config::check;
use crate::config::connector::{Connection, Trust};
use crate::config::raw::Table;
use crate::config::secret::Secret;
use crate::config::source::Fault;
use crate::model::row::Domain;

impl Validator<'_> {
    /// Where a server is and how it is reached and believed.
    pub(super) fn connection(
        &self,
        table: &Table<'_>,
        name: Arc<str>,
        domain: Domain,
        example: &str,
    ) -> Option<Connection> {
        let plaintext = table.flag("plaintext").unwrap_or(false);
        let url = table.required("url", example, |text| {
            let url = check::url(text)?;
            if url.scheme() == "https" || plaintext || check::is_loopback(&url) {
                Ok(url)
            } else {
                Err(in_clear())
            }
        });
        let trust = self.trust(table, url.as_ref().is_some_and(|url| url.scheme() == "https"));
        let public_url = public_url(table);
        let headers = self.headers(table);
        let host_header = table.checked("host_header", check::host_header);
        let proxy = table.checked("proxy", check::proxy);
        let timeout = timeout(table);
        let url = url?.as_str().trim_end_matches('/').to_owned();
        Some(Connection {
            name,
            url,
            host_header,
            headers,
            proxy,
            trust,
            domain,
            public_url,
            plaintext,
            timeout,
        })
    }

    pub(super) fn trust(&self, table: &Table<'_>, tls: bool) -> Trust {
        let ca = table.text("ca").map(|ca| (self.env.path(ca.value, self.base), ca.span));
        let fingerprint = table.checked("fingerprint", check::fingerprint);
        if table.has("ca") && table.has("fingerprint") {
            table.note(table.key_span("fingerprint"), two_trusts());
        } else if let Some(key) = ["ca", "fingerprint"].into_iter().find(|key| !tls && table.has(key)) {
            // A URL that is wrong itself has been noted already.
            if table.text("url").is_some_and(|url| url.value.starts_with("http:")) {
                table.note(table.key_span(key), no_certificate(key));
            }
        }
        match (ca, fingerprint) {
            (Some((path, span)), None) => {
                if let Some(why) = self.look.then(|| unreadable(&path)).flatten() {
                    table.note(
                        span,
                        Fault::new(why, "a readable PEM file", "check the path and its permissions"),
                    );
                }
                Trust::Ca(path)
            }
            (None, Some(fingerprint)) => Trust::Fingerprint(fingerprint),
            _ => Trust::System,
        }
    }

    pub(super) fn headers(&self, table: &Table<'_>) -> Vec<(String, Secret)> {
        let Some(headers) = table.table("headers") else { return Vec::new() };
        headers
            .entries()
            .filter_map(|(name, value)| {
                let secret = self.secret_value(&headers, name.value, value);
                let name =
                    check::header_name(name.value).map_err(|fault| table.note(name.span, fault)).ok()?;
                Some((name, secret?))
            })
            .collect()
    }
}

/// How long one request may take.
pub(super) fn timeout(table: &Table<'_>) -> Duration {
    timespan(table, "timeout", Duration::from_secs(1)..=Duration::from_secs(300))
        .unwrap_or(Connection::TIMEOUT)
}

/// The address for people, without trailing slash.
pub(super) fn public_url(table: &Table<'_>) -> Option<String> {
    table.checked("public_url", check::url).map(|url| url.as_str().trim_end_matches('/').to_owned())
}

/// The failure domain.
pub(super) fn domain(table: &Table<'_>) -> Option<Domain> {
    table.checked("domain", check::domain)
}

/// Why a file that must be there cannot be read.
pub(super) fn unreadable(path: &Path) -> Option<String> {
    let tried = File::open(path).and_then(|mut file| file.read(&mut [0]));
    tried.err().map(|why| format!("{} cannot be read: {why}", path.display()))
}

fn in_clear() -> Fault {
    Fault::new(
        "plain http to another machine can be read and changed by everyone on the way",
        "https, or a loopback address",
        "use https, or write `plaintext = true` in this table if the way is private",
    )
}

fn two_trusts() -> Fault {
    Fault::new(
        "`ca` and `fingerprint` exclude each other",
        "a second way to trust",
        "keep `fingerprint` for one self-signed certificate, `ca` for an authority of your own",
    )
}

fn no_certificate(key: &str) -> Fault {
    Fault::new(
        format!("`{key}` has no effect over plain http, which shows no certificate"),
        "needs an https URL",
        format!("use https, or leave out `{key}`"),
    )
}
