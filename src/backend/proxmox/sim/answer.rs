//! Answers in the server's form: the envelope, its errors, and the reason phrase that older clients rely on.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

/// One answer.
pub struct Answer {
    /// The status, also those that no register knows.
    pub status: u16,
    /// Whether the connection ends with it.
    pub close: bool,
    reason: String,
    media: &'static str,
    body: Bytes,
}

impl Answer {
    /// Success.
    pub fn ok(data: &Value) -> Self {
        Self::body(Bytes::from(json!({ "data": data }).to_string()))
    }

    /// A list with its total.
    pub fn list(data: &Value, total: usize) -> Self {
        Self::body(Bytes::from(json!({ "data": data, "total": total }).to_string()))
    }

    /// Success with a body that is already written.
    pub fn body(body: Bytes) -> Self {
        let media = "application/json;charset=UTF-8";
        Self { status: 200, close: false, reason: "OK".to_owned(), media, body }
    }

    /// A refusal in words.
    pub fn refused(status: u16, message: &str) -> Self {
        let body = json!({ "data": null, "message": format!("{message}\n") });
        Self { status, reason: phrase(message), ..Self::body(Bytes::from(body.to_string())) }
    }

    /// Wrong parameters, each with what is wrong.
    pub fn parameters(errors: &BTreeMap<String, String>) -> Self {
        let message = "Parameter verification failed.";
        let body = json!({ "data": null, "message": format!("{message}\n"), "errors": errors });
        Self { status: 400, reason: message.to_owned(), ..Self::body(Bytes::from(body.to_string())) }
    }

    /// One wrong parameter.
    pub fn parameter(name: &str, text: &str) -> Self {
        Self::parameters(&BTreeMap::from([(name.to_owned(), text.to_owned())]))
    }

    /// A missing right.
    pub fn forbidden(path: &str, privilege: &str) -> Self {
        Self::refused(403, &format!("Permission check failed ({path}, {privilege})"))
    }

    /// A refusal whose body is plain text.
    pub fn text(status: u16, text: &str) -> Self {
        let body = Bytes::from(text.to_owned());
        Self { status, close: true, reason: phrase(text), media: "text/plain", body }
    }

    /// A refusal whose only words are its reason phrase.
    pub fn empty(status: u16, reason: &str) -> Self {
        Self { status, close: true, reason: phrase(reason), media: "text/plain", body: Bytes::new() }
    }

    /// The HTTP response.
    pub fn into_response(self, now: Timestamp) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Ok(reason) = hyper::ext::ReasonPhrase::try_from(self.reason.into_bytes()) {
            response.extensions_mut().insert(reason);
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media));
        headers.insert(header::SERVER, HeaderValue::from_static("pve-api-daemon/3.0"));
        if let Ok(date) = HeaderValue::from_str(&now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
            headers.insert(header::DATE, date);
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// A reason phrase holds the first line only.
fn phrase(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().filter(char::is_ascii).collect()
}

/// The parameters of a request, from its query and its form.
#[derive(Debug, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Adds `a=b&c=d`.
    pub fn add(&mut self, encoded: &str) {
        for pair in encoded.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.0.push((decode(&name.replace('+', " ")), decode(&value.replace('+', " "))));
        }
    }

    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A flag, which is `1` or `0` and nothing else.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("1")
    }

    /// A whole number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    /// The schema's own check: unknown names and wrong types are refused before anything else.
    ///
    /// A name ends in `#` where it takes a whole number, in `?` where it takes a flag, and begins with `!` where it
    /// must be there.
    pub fn check(&self, schema: &[&str]) -> Result<(), Answer> {
        let mut errors = BTreeMap::new();
        let bare = |entry: &str| entry.trim_start_matches('!').trim_end_matches(['#', '?']).to_owned();
        for (name, value) in &self.0 {
            let Some(entry) = schema.iter().find(|entry| bare(entry) == *name) else {
                let text =
                    "property is not defined in schema and the schema does not allow additional properties";
                errors.insert(name.clone(), text.to_owned());
                continue;
            };
            if entry.ends_with('#') && value.parse::<i64>().is_err() {
                errors.insert(name.clone(), format!("type check ('integer') failed - got '{value}'"));
            }
            if entry.ends_with('?') && !matches!(value.as_str(), "0" | "1") {
                errors.insert(name.clone(), format!("type check ('boolean') failed - got '{value}'"));
            }
        }
        for entry in schema.iter().filter(|entry| entry.starts_with('!')) {
            if self.get(&bare(entry)).is_none() {
                errors.insert(bare(entry), "property is missing and it is not optional".to_owned());
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(Answer::parameters(&errors)) }
    }
}

/// Undoes percent encoding.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        if let (b'%', Some(value)) = (byte, hex) {
            out.push(value);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
