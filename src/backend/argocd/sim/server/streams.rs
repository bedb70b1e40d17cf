//! Streams with their oddities: lines of JSON, or SSE with a sign of life every 15 seconds, and no head before either.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::Server;

/// Between two signs of life.
const ALIVE: Duration = Duration::from_secs(15);

/// Between two looks at what may have changed.
const LOOK: Duration = Duration::from_millis(300);

/// Whether the client wants SSE.
fn is_sse(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|accept| accept == "text/event-stream")
}

fn framed(message: &Value, sse: bool) -> String {
    if sse { format!("data: {message} \n\n") } else { format!("{message}\n") }
}

/// Sends a message whenever what `look` says differs from before; the first look counts as known.
pub fn changes(
    server: Arc<Server>,
    headers: &HeaderMap,
    look: impl Fn(&Server) -> Option<Value> + Send + 'static,
) -> Response {
    let sse = is_sse(headers);
    let known = look(&server);
    let state = (server, look, known);
    let body = stream::unfold(state, move |(server, look, mut known)| async move {
        let quiet = tokio::time::Instant::now() + ALIVE;
        loop {
            tokio::time::sleep(LOOK).await;
            let now = look(&server);
            if now != known {
                known.clone_from(&now);
                let line = now.map(|result| framed(&json!({"result": result}), sse)).unwrap_or_default();
                return Some((Ok::<_, Infallible>(Bytes::from(line)), (server, look, known)));
            }
            // Without SSE the stream stays silent for as long as nothing changes.
            if sse && tokio::time::Instant::now() >= quiet {
                return Some((Ok(Bytes::from_static(b":\n")), (server, look, known)));
            }
        }
    });
    answer(sse, Body::from_stream(body))
}

/// The log of a workload's pods: a few lines of the past, then one now and then.
pub fn logs(
    server: &Arc<Server>,
    headers: &HeaderMap,
    pods: Vec<String>,
    follow: bool,
    tail: i64,
) -> Response {
    let sse = is_sse(headers);
    let line = move |at: jiff::Timestamp, pod: &str, last: bool| {
        let content = if last { "" } else { "level=info msg=\"request\" status=200" };
        framed(
            &json!({"result": {"content": content, "timeStamp": at.to_string(), "timeStampStr": at.to_string(),
            "podName": if last { "" } else { pod }, "last": last}}),
            sse,
        )
    };
    let now = server.lab.now();
    let past = (0..tail.clamp(0, 20)).rev().flat_map(|back| {
        pods.iter()
            .map(move |pod| line(now - SignedDuration::from_secs(back * 7), pod, false))
            .collect::<Vec<_>>()
    });
    let mut first: String = past.collect();
    if !follow {
        first.push_str(&line(now, "", true));
        return answer(sse, Body::from(first));
    }
    let server = server.clone();
    let state = (server, pods, Some(first));
    let body = stream::unfold(state, move |(server, pods, first)| async move {
        if let Some(first) = first {
            return Some((Ok::<_, Infallible>(Bytes::from(first)), (server, pods, None)));
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        let at = server.lab.now();
        let lines: String = pods.iter().map(|pod| line(at, pod, false)).collect();
        Some((Ok(Bytes::from(lines)), (server, pods, None)))
    });
    answer(sse, Body::from_stream(body))
}

fn answer(sse: bool, body: Body) -> Response {
    let media = if sse { "text/event-stream" } else { "application/json" };
    ([(header::CONTENT_TYPE, media)], body).into_response()
}
