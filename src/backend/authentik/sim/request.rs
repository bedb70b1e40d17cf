//! A request taken apart.

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{Method, header};
use serde_json::Value;

/// A request to the API.
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
    query: Vec<(String, String)>,
    parts: Parts,
    body: Bytes,
}

impl Request {
    /// Takes a request apart.
    pub fn new(parts: Parts, body: Bytes) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { method: parts.method.clone(), path: parts.uri.path().to_owned(), query, parts, body }
    }

    /// A header's text.
    pub fn header(&self, name: header::HeaderName) -> &str {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The first value of a parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may be repeated.
    pub fn params<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is true unless it says otherwise.
    pub fn switch(&self, name: &str, default: bool) -> bool {
        match self.param(name) {
            Some("true") => true,
            Some("false") => false,
            _ => default,
        }
    }

    /// The body as JSON; the error is what the server says of one that is none.
    pub fn json(&self) -> Result<Value, (u16, String)> {
        let media = self.header(header::CONTENT_TYPE);
        if !media.starts_with("application/json") {
            return Err((415, format!("Unsupported media type \"{media}\" in request.")));
        }
        serde_json::from_slice(&self.body).map_err(|error| (400, format!("JSON parse error - {error}")))
    }
}
