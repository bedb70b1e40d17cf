//! From a transport error or a stranger's page to the layer at which things went wrong.

use std::error::Error;
use std::time::Duration;

use crate::backend::error::{ApiError, first_line};
use crate::backend::tls::PinMismatch;
use crate::model::snapshot::Layer;

use super::reply::Reply;

/// The message at the end of an error's chain, which is what really happened.
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map_or_else(String::new, ToString::to_string)
}

/// An error and what caused it, outermost first.
pub fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// True where a kept-alive connection ended before any answer, so that a read may be repeated.
pub fn died_unanswered(error: &reqwest::Error) -> bool {
    let broken = |error: &(dyn Error + 'static)| {
        error.downcast_ref::<hyper::Error>().is_some_and(|e| e.is_incomplete_message() || e.is_canceled())
            || error.downcast_ref::<std::io::Error>().is_some_and(|e| {
                use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
                // pveproxy closes without a TLS farewell.
                matches!(e.kind(), ConnectionReset | BrokenPipe | UnexpectedEof)
            })
    };
    !error.is_connect() && !error.is_timeout() && chain(error).any(broken)
}

/// No answer within the time.
pub fn slow(allowed: Duration) -> ApiError {
    ApiError::new(Layer::Http, format!("no answer within {} s", allowed.as_secs()))
}

/// Reads a transport error.
pub fn transport(error: &reqwest::Error, allowed: Duration) -> ApiError {
    if let Some(mismatch) = chain(error).find_map(pin_mismatch) {
        return ApiError::new(Layer::Tls, "the certificate is not the pinned one")
            .raw(mismatch.to_string())
            .hint("compare it with the server's own (`pvenode cert info`), then change `fingerprint`");
    }
    if let Some(tls) = chain(error).find_map(tls_error) {
        return ApiError::new(Layer::Tls, "the certificate or handshake was not accepted")
            .raw(tls)
            .hint("set `ca` or `fingerprint` for this server");
    }
    let text = innermost(error);
    if chain(error).any(|e| e.to_string().contains("dns error")) {
        return ApiError::new(Layer::Dns, "the name does not resolve").raw(text);
    }
    if error.is_timeout() && !error.is_connect() {
        return slow(allowed);
    }
    if error.is_connect() {
        return ApiError::new(Layer::Tcp, "no connection").raw(text);
    }
    if error.is_builder() {
        return ApiError::new(Layer::Config, "the request cannot be built").raw(text);
    }
    ApiError::new(Layer::Http, "the answer broke off").raw(text)
}

fn pin_mismatch<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a PinMismatch> {
    match rustls_error(error)? {
        rustls::Error::Other(other) => other.0.downcast_ref::<PinMismatch>(),
        _ => None,
    }
}

/// What the TLS layer said, where it was it.
pub fn tls_error(error: &(dyn Error + 'static)) -> Option<String> {
    rustls_error(error).map(ToString::to_string)
}

/// rustls' error travels inside nested `io::Error`s, which hide it from `source()`.
fn rustls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref::<rustls::Error>() {
        return Some(found);
    }
    let inner = error.downcast_ref::<std::io::Error>()?.get_ref()?;
    rustls_error(inner)
}

/// Whether a write with this status may have been carried out all the same.
pub fn ambiguous(status: u16) -> bool {
    matches!(status, 408 | 499 | 502 | 503 | 504 | 520..=527 | 595..=599)
}

/// An unexpected status without anything better to say.
pub fn status(reply: &Reply) -> ApiError {
    let reason = if reply.reason.is_empty() { "no reason given" } else { &reply.reason };
    ApiError::new(Layer::Http, format!("HTTP {}", reply.status))
        .status(reply.status)
        .raw(if reply.text().trim().is_empty() { reason.to_owned() } else { reply.text() })
}

/// Recognises answers that did not come from the application: challenges, login redirects, pages of a proxy.
pub fn edge(reply: &Reply) -> Option<ApiError> {
    if reply.header("cf-mitigated").is_some_and(|value| value.contains("challenge")) {
        let error = ApiError::new(Layer::Edge, "Cloudflare asks for a browser challenge")
            .hint("exempt this path in Cloudflare, or reach the server behind it");
        return Some(with_ray(error, reply));
    }
    if (300..400).contains(&reply.status) {
        return Some(redirect(reply));
    }
    let fallback = |value: &str| value.contains("Emergency Access") || value.contains("authentik");
    if reply.status == 401 && reply.header("www-authenticate").is_some_and(fallback) {
        let error =
            ApiError::new(Layer::Edge, "the forward-auth outpost has fallen back to a password prompt")
                .hint("the outpost is down; do not enter a password");
        return Some(error.status(401).raw(reply.header("www-authenticate").unwrap_or_default()));
    }
    // Health probes answer with an empty body that calls itself a page.
    let page = reply.is_html() && !reply.body().is_empty();
    if page && reply.status != 404 && reply.status != 405 {
        let behind = reply.header("server").unwrap_or("a web server");
        let error =
            ApiError::new(Layer::Edge, format!("{behind} answered with a web page instead of the API"));
        return Some(with_ray(error, reply).raw(title(&reply.text())));
    }
    None
}

fn redirect(reply: &Reply) -> ApiError {
    let location = reply.header("location").unwrap_or("nowhere");
    let what = if location.contains("cloudflareaccess.com") {
        "Cloudflare Access asks for a login"
    } else if location.contains("/outpost.goauthentik.io/") || location.contains("/application/o/authorize") {
        "Authentik's forward-auth asks for a login"
    } else if location.starts_with("https://") && reply.url.starts_with("http://") {
        "the server wants https"
    } else {
        "redirected, which is never followed"
    };
    // Only where to: a query may carry a token.
    let place = location.split(['?', '#']).next().unwrap_or_default();
    with_ray(ApiError::new(Layer::Edge, what), reply).raw(format!("{} to {place}", reply.status))
}

fn with_ray(mut error: ApiError, reply: &Reply) -> ApiError {
    if let Some(ray) = reply.header("cf-ray") {
        let ray = first_line(ray);
        let hint = format!("{} (cf-ray {ray})", error.fault.hint);
        hint.trim().clone_into(&mut error.fault.hint);
    }
    error.status(reply.status)
}

/// A page's title, which is what people search for, or else its first line.
fn title(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let found = lower.find("<title>").and_then(|start| {
        let start = start + "<title>".len();
        let end = start + lower.get(start..)?.find('<')?;
        html.get(start..end)
    });
    found.unwrap_or(html).trim().to_owned()
}
