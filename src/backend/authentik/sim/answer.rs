//! The server's answers: JSON with a request id, and the pages that come where nobody expects them.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An answer in place of the one that was asked for.
pub type Refusal = Box<Response>;

/// An object or a list.
pub fn json(status: u16, body: &Value) -> Response {
    ours((code(status), Json(body)).into_response())
}

/// Done, and nothing to say.
pub fn empty() -> Response {
    ours(StatusCode::NO_CONTENT.into_response())
}

/// An error in the usual shape.
pub fn detail(status: u16, text: &str) -> Response {
    json(status, &json!({ "detail": text }))
}

/// A wrong field.
pub fn field(name: &str, text: &str) -> Response {
    json(400, &json!({ name: [text] }))
}

/// No such object of a model.
pub fn absent(model: &str) -> Response {
    detail(404, &format!("No {model} matches the given query."))
}

/// The caller lacks a right.
pub fn forbidden() -> Response {
    detail(403, "You do not have permission to perform this action.")
}

/// A path that this release does not have, a missing slash included.
pub fn no_such_path() -> Response {
    html(StatusCode::NOT_FOUND, "Not Found - authentik")
}

/// A page of the portal.
pub fn page(title: &str) -> Response {
    html(StatusCode::OK, title)
}

/// A probe's answer: no body, and called a page.
pub fn nothing() -> Response {
    ours([(header::CONTENT_TYPE, "text/html; charset=utf-8")].into_response())
}

/// A crash while writing: the page for it answers GET alone.
pub fn crash() -> Response {
    let headers = [(header::ALLOW, "GET, HEAD, OPTIONS"), (header::CONTENT_TYPE, "text/html; charset=utf-8")];
    ours((StatusCode::METHOD_NOT_ALLOWED, headers).into_response())
}

/// The router in front, which knows no server of this name; it is not Authentik that answers.
pub fn no_router() -> Response {
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "404 page not found\n")
        .into_response()
}

fn html(status: StatusCode, title: &str) -> Response {
    let body = format!("<!DOCTYPE html><html><head><title>{title}</title></head><body></body></html>");
    ours((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response())
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or_default()
}

fn ours(mut response: Response) -> Response {
    let id = uuid::Uuid::new_v4().simple().to_string();
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-authentik-id", id);
    }
    response.headers_mut().insert("x-powered-by", HeaderValue::from_static("authentik"));
    response
}
