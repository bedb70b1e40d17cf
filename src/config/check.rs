//! Checks of single values: text in, the value or what is wrong with it out.

use std::ops::RangeInclusive;
use std::time::Duration;

use url::{Host, Url};

use super::source::Fault;
use super::suggest;
use crate::model::row::Domain;
use crate::model::time::parse_duration;

/// An instance's name: it becomes a part of ids, so it must never need quoting.
pub(super) fn name(text: &str) -> Result<String, Fault> {
    let valid = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && text.len() <= 40;
    if valid {
        return Ok(text.to_owned());
    }
    let usable: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(40)
        .collect();
    let usable = usable.trim_matches('-');
    let usable = if usable.is_empty() { "home" } else { usable };
    Err(Fault::new(
        "this name cannot be part of an id",
        "lower-case letters, digits and `-`",
        format!("call it `{usable}`"),
    ))
}

/// An absolute http or https URL; the answer has no trailing slash.
pub(super) fn url(text: &str) -> Result<Url, Fault> {
    let url = parse_url(text, &["http", "https"], "https://name.example:8443")?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Fault::new(
            "this URL has a query or a fragment",
            "an address up to the path",
            "leave out everything from `?` or `#` on",
        ));
    }
    Ok(url)
}

/// A proxy's address.
pub(super) fn proxy(text: &str) -> Result<String, Fault> {
    let url = parse_url(text, &["http", "https", "socks5", "socks5h"], "socks5h://127.0.0.1:1080")?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn parse_url(text: &str, schemes: &[&str], example: &str) -> Result<Url, Fault> {
    let cure = format!("write it like `{example}`");
    let parsed = Url::parse(text);
    // Asked first, and of what is no URL too if it looks like it: no message may quote a password.
    let named = parsed
        .as_ref()
        .map_or(text.contains('@'), |url| !url.username().is_empty() || url.password().is_some());
    if named {
        let fault = Fault::new(
            "this URL holds a user name or a password",
            "an address without `user:password@`",
            "leave it out of the URL: a secret is referred to by a key of its own; a proxy must do without",
        );
        return Err(fault.hidden());
    }
    let url = parsed.map_err(|why| Fault::new(format!("this is not a URL: {why}"), "a URL", &cure))?;
    if !schemes.contains(&url.scheme()) || !url.has_host() {
        return Err(Fault::new("this URL has no usable scheme or host", "another kind of address", cure));
    }
    Ok(url)
}

/// Whether the URL stays on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// A `Host` header: a name or address with or without a port.
pub(super) fn host_header(text: &str) -> Result<String, Fault> {
    let parsed = Url::parse(&format!("http://{text}/"));
    let is_host =
        parsed.is_ok_and(|url| url.username().is_empty() && url.path() == "/" && url.query().is_none());
    // The parser forgives white space and turns a backslash round; a header does not.
    if is_host && text.bytes().all(|b| b.is_ascii_graphic() && !b"/#\\".contains(&b)) {
        return Ok(text.to_owned());
    }
    Err(Fault::new(
        "this is not a host",
        "a host name, perhaps with a port",
        "write only the name, like `auth.lab.example`",
    ))
}

/// The name of a header that a connector does not set itself.
pub(super) fn header_name(text: &str) -> Result<String, Fault> {
    let name = text.to_ascii_lowercase();
    let cure = match name.as_str() {
        "host" => "use `host_header`",
        "authorization" => "use the table's own `token`, `key`, `bearer` or `password`",
        "content-type" | "content-length" | "transfer-encoding" | "connection" | "accept" => {
            "leave it out: the client sets it"
        }
        _ if !name.is_empty() && name.bytes().all(is_token) => return Ok(text.to_owned()),
        _ => "use letters, digits and `-`, like `CF-Access-Client-Id`",
    };
    Err(Fault::new(format!("`{text}` cannot be set as a header"), "another header's name", cure))
}

/// The characters of a header name, RFC 9110 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The SHA-256 of a certificate in hex, with or without colons.
pub(super) fn fingerprint(text: &str) -> Result<[u8; 32], Fault> {
    let hex: Vec<u8> = text.bytes().filter(|b| *b != b':').collect();
    let fault = |what: String| {
        Fault::new(
            what,
            "the SHA-256 of the certificate in hex",
            "take it from the server itself: `openssl x509 -noout -fingerprint -sha256 -in pve-ssl.pem`",
        )
    };
    if hex.len() == 40 && hex.iter().all(u8::is_ascii_hexdigit) {
        return Err(fault("this is a SHA-1 fingerprint, which no longer proves anything".to_owned()));
    }
    if hex.len() != 64 {
        return Err(fault(format!("a fingerprint has 64 hex digits, this has {}", hex.len())));
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
            return Err(fault("a fingerprint has only hex digits and colons".to_owned()));
        };
        *byte = high << 4 | low;
    }
    Ok(bytes)
}

/// A failure domain.
pub(super) fn domain(text: &str) -> Result<Domain, Fault> {
    let known = [("home", Domain::Home), ("cloud", Domain::Cloud), ("edge", Domain::Edge)];
    known.iter().find(|(name, _)| *name == text).map(|(_, domain)| *domain).ok_or_else(|| {
        Fault::new(
            "this is not a failure domain",
            "`home`, `cloud` or `edge`",
            suggest::advice(text, known.iter().map(|(name, _)| *name)),
        )
    })
}

/// A length of time within limits.
pub(super) fn duration(text: &str, limits: &RangeInclusive<Duration>) -> Result<Duration, Fault> {
    let range = || format!("from {} to {}", show(*limits.start()), show(*limits.end()));
    let Some(parsed) = parse_duration(text).and_then(|d| Duration::try_from(d).ok()) else {
        return Err(Fault::new(
            "this is not a length of time",
            "a number and a unit",
            format!("write it like `10s`, `5m` or `8h`, {}", range()),
        ));
    };
    if limits.contains(&parsed) {
        return Ok(parsed);
    }
    Err(Fault::new(
        "this length of time is out of range",
        "too short or too long",
        format!("choose one {}", range()),
    ))
}

fn show(duration: Duration) -> String {
    match duration.as_secs() {
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3600 == 0 => format!("{}h", s / 3600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

/// One word or line that is shown, sent and stored as it is: not empty, no control characters, not long.
pub(super) fn word(text: &str) -> Result<String, Fault> {
    if !text.trim().is_empty() && text.len() <= 200 && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Fault::new(
        "this text is empty, too long or holds control characters",
        "one short line",
        "write at least one and at most 200 characters",
    ))
}

/// A Kubernetes namespace: an RFC 1123 label.
pub(super) fn namespace(text: &str) -> Result<String, Fault> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let valid = text.len() <= 63
        && text.starts_with(inner)
        && text.ends_with(inner)
        && text.chars().all(|c| inner(c) || c == '-');
    if valid {
        return Ok(text.to_owned());
    }
    Err(Fault::new("this is not a namespace", "lower-case letters, digits and `-`", "write it like `argocd`"))
}

/// A slug as Authentik makes them.
pub(super) fn slug(text: &str) -> Result<String, Fault> {
    if !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return Ok(text.to_owned());
    }
    Err(Fault::new(
        "this is not a slug",
        "letters, digits, `-` and `_`",
        "take it from the flow's address, like `invitation-enrollment`",
    ))
}
