//! What can go wrong between vigie and a server, told by layer so that the operator knows where to look.

use std::fmt;

use crate::model::snapshot::{Fault, Layer};

/// A read that brought no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// What happened and where.
    pub fault: Fault,
}

impl ApiError {
    /// An error at a layer.
    pub fn new(layer: Layer, what: impl Into<String>) -> Self {
        Self { fault: Fault::new(layer, what) }
    }

    /// The question makes no sense for this backend.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new(Layer::App, what)
    }

    /// Adds the raw first line of the answer.
    #[must_use]
    pub fn raw(mut self, raw: impl AsRef<str>) -> Self {
        self.fault.raw = first_line(raw.as_ref());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.fault.hint = hint.into();
        self
    }

    /// Adds the HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.fault.status = Some(status);
        self
    }

    /// Names the missing right, which makes the source `denied` instead of `stale`.
    #[must_use]
    pub fn missing(mut self, right: impl Into<String>) -> Self {
        self.fault.missing = Some(right.into());
        self
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for ApiError {}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        error.fault
    }
}

/// A write that did not go through, or of which nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// Nothing left this machine (no connection, wrong state seen before sending).
    NotSent(Fault),
    /// The server answered and said no; nothing was done.
    Refused(Fault),
    /// The server took it on and its own work failed.
    Failed(Fault),
    /// It may or may not have been done (time-out, broken connection, 502/504 after sending).
    Unknown(Fault),
}

impl SendError {
    /// The fault, whichever way it went.
    pub fn fault(&self) -> &Fault {
        match self {
            Self::NotSent(fault) | Self::Refused(fault) | Self::Failed(fault) | Self::Unknown(fault) => fault,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::NotSent(_) => "not sent",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
            Self::Unknown(_) => "unknown",
        };
        write!(f, "{word}: {}", self.fault())
    }
}

impl std::error::Error for SendError {}

/// The first line of a text, at most 200 characters, without control characters at its ends.
pub fn first_line(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default().trim();
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_raw_line_stands_beside_our_reading_and_only_once() {
        let error =
            ApiError::new(Layer::Edge, "Cloudflare asks for a challenge").raw("<title>Just a moment\nmore");
        assert_eq!(error.to_string(), "edge: Cloudflare asks for a challenge (<title>Just a moment)");
        let same = ApiError::new(Layer::App, "VM 200 not running").raw("VM 200 not running\n");
        assert_eq!(same.to_string(), "app: VM 200 not running");
    }

    #[test]
    fn a_first_line_is_short_and_plain() {
        assert_eq!(first_line("\r\n a\u{7}b \r\nc"), "ab");
        assert_eq!(first_line(&"x".repeat(10_000)).len(), 200);
    }
}
