//! Answers in the gateway's form: gRPC codes with their HTTP status, defaults left out of messages.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An error: a gRPC code and its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The gRPC code.
    pub code: i64,
    /// What it says.
    pub message: String,
}

impl Refusal {
    /// An error.
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// What every failure of a signature looks like.
    pub(super) fn invalid_signature() -> Self {
        Self::new(16, "invalid signature")
    }

    /// The role does not suffice.
    pub(super) fn role(role: impl std::fmt::Display) -> Self {
        Self::new(7, format!("unauthorized: access denied: insufficient role: \"{role}\""))
    }

    /// Its form in a body or a stream.
    pub(super) fn json(&self) -> Value {
        json!({"code": self.code, "message": self.message})
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.code {
            1 => 499,
            3 | 9 | 11 => 400,
            4 => 504,
            5 => 404,
            6 | 10 => 409,
            7 => 403,
            8 => 429,
            12 => 501,
            14 => 503,
            16 => 401,
            _ => 500,
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.json())).into_response();
        if self.code == 16
            && let Ok(value) = HeaderValue::from_str(&self.message)
        {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

/// Fields that protobuf's JSON writes as strings, being 64 bits wide.
const WIDE: [&str; 5] = ["size", "bytes_received", "bytes_sent", "etcd_member_id", "use_count"];

/// A message as the gateway writes it: no defaults, wide numbers as strings.
pub(super) fn message(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(_, value)| !is_default(value))
                .map(|(key, value)| field(key, value))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(message).collect()),
        other => other,
    }
}

fn field(key: String, value: Value) -> (String, Value) {
    let value = match value {
        Value::Number(number) if WIDE.contains(&key.as_str()) => Value::String(number.to_string()),
        other => message(other),
    };
    (key, value)
}

fn is_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_left_out_and_wide_numbers_are_strings() {
        let made = message(
            json!({"ready": false, "phase": 3, "size": 480_103_981_056_i64, "list": [], "in": {"a": ""}}),
        );
        assert_eq!(made, json!({"phase": 3, "size": "480103981056", "in": {}}));
    }
}
