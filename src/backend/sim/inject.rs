//! Applies the world's faults to requests and answers, in front of every simulator's own router.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use jiff::SignedDuration;

use super::{FaultKind, World};

/// What the layer needs to know.
pub(super) struct Injector {
    pub world: Arc<World>,
    pub server: String,
    pub first: Mutex<HashMap<String, (StatusCode, Bytes)>>,
}

/// The middleware.
pub(super) async fn apply(State(injector): State<Arc<Injector>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    injector.world.note(format!("{} {} {}", injector.server, request.method(), request.uri()));
    let faults = injector.world.faults_for(&injector.server, &format!("{} {path}", request.method()));
    for fault in &faults {
        if let Some(answer) = instead(fault, &injector.world).await {
            return answer;
        }
    }
    let mut response = next.run(request).await;
    for fault in &faults {
        response = afterwards(fault, response, &injector, &path).await;
    }
    response
}

/// Faults that never reach the server.
async fn instead(fault: &FaultKind, world: &World) -> Option<Response> {
    match fault {
        FaultKind::Latency(delay) => {
            tokio::time::sleep(*delay).await;
            None
        }
        FaultKind::Timeout | FaultKind::Off => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            None
        }
        FaultKind::Reset => Some(reset()),
        FaultKind::Status(code) => Some(StatusCode::from_u16(*code).unwrap_or_default().into_response()),
        FaultKind::Answer(code, words) => Some(refusal(*code, words)),
        FaultKind::Held => {
            world.held().await;
            None
        }
        FaultKind::BadGateway => Some(page(StatusCode::BAD_GATEWAY, "502 Bad Gateway")),
        FaultKind::Challenge => {
            let mut answer = page(StatusCode::FORBIDDEN, "Just a moment...");
            answer.headers_mut().insert("cf-mitigated", HeaderValue::from_static("challenge"));
            answer.headers_mut().insert("cf-ray", HeaderValue::from_static("8f00000000000000-CDG"));
            Some(answer)
        }
        FaultKind::Login => {
            let place = "https://lab.cloudflareaccess.com/cdn-cgi/access/login";
            Some((StatusCode::FOUND, [(header::LOCATION, place)]).into_response())
        }
        FaultKind::Endless => Some(endless()),
        FaultKind::Truncated
        | FaultKind::WrongTypes
        | FaultKind::Stale
        | FaultKind::Skew(_)
        | FaultKind::CertificateChange
        | FaultKind::LostAnswer
        | FaultKind::Swallowed => None,
    }
}

/// Faults that change or lose the server's answer.
async fn afterwards(fault: &FaultKind, response: Response, injector: &Injector, path: &str) -> Response {
    match fault {
        FaultKind::LostAnswer => page(StatusCode::GATEWAY_TIMEOUT, "504 Gateway Time-out"),
        FaultKind::Swallowed => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            response
        }
        FaultKind::Truncated => rebody(response, |bytes| bytes.slice(..bytes.len() / 2)).await,
        FaultKind::WrongTypes => rebody(response, |bytes| twist(&bytes)).await,
        FaultKind::Skew(seconds) => {
            let ahead = injector.world.clock.now() + SignedDuration::from_secs(*seconds);
            let mut response = response;
            if let Ok(date) = HeaderValue::from_str(&ahead.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
            {
                response.headers_mut().insert(header::DATE, date);
            }
            response
        }
        FaultKind::Stale => stale(response, injector, path).await,
        _ => response,
    }
}

/// A body that fails at once makes the server drop the connection without an answer.
fn reset() -> Response {
    let failing = stream::once(async { Err::<Bytes, _>(std::io::Error::other("reset on demand")) });
    Response::new(Body::from_stream(failing))
}

/// What says no in JSON says it in its body; what does not, in its reason phrase.
fn refusal(code: u16, words: &str) -> Response {
    let code = StatusCode::from_u16(code).unwrap_or_default();
    if words.starts_with(['{', '[', '"']) {
        return (code, [(header::CONTENT_TYPE, "application/json")], words.to_owned()).into_response();
    }
    let mut response = code.into_response();
    if let Ok(phrase) = hyper::ext::ReasonPhrase::try_from(words.as_bytes()) {
        response.extensions_mut().insert(phrase);
    }
    response
}

fn endless() -> Response {
    let block = Bytes::from_static(&[b' '; 16 * 1024]);
    let forever = stream::repeat_with(move || Ok::<_, Infallible>(block.clone()));
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(forever)).into_response()
}

fn page(status: StatusCode, title: &str) -> Response {
    let body = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>");
    (status, [(header::CONTENT_TYPE, "text/html; charset=UTF-8")], body).into_response()
}

async fn rebody(response: Response, change: impl FnOnce(Bytes) -> Bytes) -> Response {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    Response::from_parts(parts, Body::from(change(bytes)))
}

async fn stale(response: Response, injector: &Injector, path: &str) -> Response {
    let status = response.status();
    let known = injector.first.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
    if let Some((status, bytes)) = known {
        return (status, [(header::CONTENT_TYPE, "application/json")], bytes).into_response();
    }
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut first = injector.first.lock().unwrap_or_else(PoisonError::into_inner);
    first.insert(path.to_owned(), (status, bytes.clone()));
    Response::from_parts(parts, Body::from(bytes))
}

/// Keeps the shape of objects and lists and swaps the types of what they hold.
fn twist(bytes: &Bytes) -> Bytes {
    fn walk(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Array(items) => items.iter_mut().for_each(walk),
            serde_json::Value::Object(fields) => fields.values_mut().for_each(walk),
            serde_json::Value::String(_) => *value = serde_json::Value::from(42),
            serde_json::Value::Number(n) => *value = serde_json::Value::from(format!("~{n}")),
            serde_json::Value::Bool(b) => *value = serde_json::json!([*b]),
            serde_json::Value::Null => *value = serde_json::json!({}),
        }
    }
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(mut value) => {
            walk(&mut value);
            Bytes::from(value.to_string())
        }
        Err(_) => bytes.clone(),
    }
}
