//! What an answer means: Authentik says one thing in many shapes (403 for a missing login, HTML 405 for a crash).

use serde_json::Value;

use crate::backend::error::{ApiError, SendError};
use crate::backend::http::Reply;
use crate::model::snapshot::Layer;

/// Carried by every answer of the application itself.
const REQUEST_ID: &str = "x-authentik-id";

/// The answer to a question, if it is one.
pub fn checked(reply: Reply, right: &str) -> Result<Reply, ApiError> {
    if reply.is_success() { Ok(reply) } else { Err(refused(&reply, right)) }
}

/// True where the application itself says that there is no such object.
pub fn is_absence(reply: &Reply) -> bool {
    reply.status == 404 && is_application(reply) && !reply.is_html()
}

/// The answer to a change, if it was done.
pub fn done(reply: Reply, right: &str) -> Result<Reply, SendError> {
    if reply.is_success() {
        return Ok(reply);
    }
    let fault = refused(&reply, right).fault;
    let perhaps_done = reply.status >= 500 || is_crash(&reply);
    Err(if perhaps_done { SendError::Unknown(fault) } else { SendError::Refused(fault) })
}

fn is_application(reply: &Reply) -> bool {
    reply.header(REQUEST_ID).is_some()
}

/// The page for a crash answers GET alone, so that a crash while writing comes out as 405.
fn is_crash(reply: &Reply) -> bool {
    reply.status == 405 && reply.is_html()
}

/// Reads a refusal.
fn refused(reply: &Reply, right: &str) -> ApiError {
    if !is_application(reply) {
        let what = format!("HTTP {} from something in front of Authentik", reply.status);
        return ApiError::new(Layer::Edge, what).status(reply.status).raw(reply.text());
    }
    let text = message(reply);
    let error = match reply.status {
        401 | 403 => return forbidden(&text, right).status(reply.status).raw(text),
        404 if reply.is_html() => ApiError::new(Layer::App, "this release of Authentik has no such endpoint"),
        405 if is_crash(reply) => ApiError::new(Layer::App, "Authentik crashed on the request"),
        status if status >= 500 => ApiError::new(Layer::App, "Authentik failed"),
        _ if text.is_empty() => ApiError::new(Layer::App, format!("HTTP {}", reply.status)),
        _ => ApiError::new(Layer::App, text.clone()),
    };
    error.status(reply.status).raw(if reply.is_html() { String::new() } else { text })
}

fn forbidden(text: &str, right: &str) -> ApiError {
    if text.contains("invalid/expired") {
        return ApiError::new(Layer::Auth, "the token is not accepted")
            .hint("it is wrong, expired, no token of the intent `api`, or its user is inactive");
    }
    if text.contains("not provided") {
        return ApiError::new(Layer::Auth, "no token arrived at Authentik")
            .hint("something on the way removes the Authorization header");
    }
    let error = ApiError::new(Layer::Auth, "the token's user may not do this");
    if right.is_empty() { error } else { error.missing(right).hint(format!("grant {right}")) }
}

/// The text in any of the shapes of an error body, one line.
fn message(reply: &Reply) -> String {
    if reply.is_html() {
        return String::new();
    }
    match serde_json::from_slice(reply.body()) {
        Ok(Value::Object(fields)) => {
            let line = |(field, value): (&String, &Value)| match field.as_str() {
                "detail" | "non_field_errors" | "error" => text(value),
                field => format!("{field}: {}", text(value)),
            };
            fields.iter().map(line).collect::<Vec<_>>().join("; ")
        }
        Ok(value) => text(&value),
        Err(_) => reply.text().trim().to_owned(),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
