//! Calls to one API server: bounded, timed, never repeated, with errors told by layer.
//!
//! kube brings the credential, its refresh and TLS; the rest is done here, because a list page, a watch and a write
//! want to be judged differently, and because kube's own types reject a whole answer for one odd field.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request};
use kube::client::Body;
use serde::Deserialize;
use tokio::sync::{Mutex, Semaphore};

use crate::backend::error::{ApiError, SendError};
use crate::backend::http::Reply;
use crate::backend::http::classify;
use crate::backend::lenient::{Int, List, Obj, Text};
use crate::config::Kubernetes;
use crate::model::snapshot::Layer;

use super::access::{self, Access};
use super::lines::{Lines, chunk, transport};

/// The largest answer that is read, in bytes.
const LIMIT: usize = 64 << 20;

/// How many requests may be under way at once, watches not counted.
const IN_FLIGHT: usize = 4;

/// How a change is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchType {
    /// `application/merge-patch+json`.
    Merge,
    /// `application/json-patch+json`.
    Json,
}

impl PatchType {
    fn media(self) -> &'static str {
        match self {
            Self::Merge => "application/merge-patch+json",
            Self::Json => "application/json-patch+json",
        }
    }
}

/// One API server by one credential.
pub struct Cluster {
    settings: Kubernetes,
    access: Mutex<Option<Access>>,
    permits: Semaphore,
}

/// The body of a failure, `meta/v1.Status`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    kind: Text,
    message: Text,
    reason: Text,
    details: Obj<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    retry_after_seconds: Int,
    causes: List<Cause>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cause {
    message: Text,
}

impl Cluster {
    /// Remembers the settings; nothing is read or asked before the first call.
    pub fn new(settings: Kubernetes) -> Arc<Self> {
        Arc::new(Self { settings, access: Mutex::default(), permits: Semaphore::new(IN_FLIGHT) })
    }

    /// What was configured.
    pub fn settings(&self) -> &Kubernetes {
        &self.settings
    }

    /// The client, made at the first call and again after the credential was refused.
    pub async fn access(&self) -> Result<Access, ApiError> {
        let mut access = self.access.lock().await;
        if let Some(ready) = &*access {
            return Ok(ready.clone());
        }
        let opened = access::open(&self.settings).await?;
        *access = Some(opened.clone());
        Ok(opened)
    }

    /// Reads; a path begins with a slash and is already encoded.
    pub async fn get(&self, path: &str) -> Result<Reply, ApiError> {
        self.ask(Method::GET, path, None).await
    }

    /// Asks a question that has to be posted, such as an access review.
    pub async fn review(&self, path: &str, body: &serde_json::Value) -> Result<Reply, ApiError> {
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Reply, ApiError> {
        let _permit =
            self.permits.acquire().await.map_err(|_| ApiError::new(Layer::Http, "shutting down"))?;
        let access = self.access().await?;
        let request = request(method, path, "application/json", body)?;
        let reply = self.timed(&access, request).await.map_err(|(error, _)| error)?;
        match self.refusal(&reply).await {
            Some(error) => Err(error),
            None => Ok(reply),
        }
    }

    /// Changes an object.
    pub async fn patch(
        &self,
        path: &str,
        kind: PatchType,
        body: &serde_json::Value,
    ) -> Result<Reply, SendError> {
        self.write(Method::PATCH, path, kind.media(), body).await
    }

    /// Creates an object or a subresource (an eviction).
    pub async fn create(&self, path: &str, body: &serde_json::Value) -> Result<Reply, SendError> {
        self.write(Method::POST, path, "application/json", body).await
    }

    /// Deletes an object under the preconditions of `body` (`DeleteOptions`).
    pub async fn delete(&self, path: &str, body: &serde_json::Value) -> Result<Reply, SendError> {
        self.write(Method::DELETE, path, "application/json", body).await
    }

    /// Sends a change exactly once.
    async fn write(
        &self,
        method: Method,
        path: &str,
        media: &'static str,
        body: &serde_json::Value,
    ) -> Result<Reply, SendError> {
        let not_sent = |error: ApiError| SendError::NotSent(error.fault);
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| not_sent(ApiError::new(Layer::Http, "shutting down")))?;
        let access = self.access().await.map_err(not_sent)?;
        let request = request(method, path, media, Some(body)).map_err(not_sent)?;
        let reply = match self.timed(&access, request).await {
            Ok(reply) => reply,
            Err((error, true)) => return Err(SendError::NotSent(error.fault)),
            Err((error, false)) => return Err(SendError::Unknown(error.fault)),
        };
        match self.refusal(&reply).await {
            None => Ok(reply),
            Some(error) if classify::ambiguous(reply.status) => Err(SendError::Unknown(error.fault)),
            Some(error) => Err(SendError::Refused(error.fault)),
        }
    }

    /// Opens an answer that keeps coming; `quiet` is how long it may stay silent.
    pub async fn stream(&self, path: &str, quiet: Duration) -> Result<Lines, ApiError> {
        let access = self.access().await?;
        let request = request(Method::GET, path, "application/json", None)?;
        let sent = tokio::time::timeout(self.settings.timeout, access.client.send(request)).await;
        let response =
            sent.map_err(|_| classify::slow(self.settings.timeout))?.map_err(|error| transport(&error).0)?;
        if response.status().is_success() {
            return Ok(Lines::new(response.into_body(), quiet));
        }
        let reply = collect(response, &access.url).await.map_err(|(error, _)| error)?;
        Err(self.refusal(&reply).await.unwrap_or_else(|| reply.unexpected()))
    }

    /// One exchange; the flag of an error says that nothing has left this machine.
    async fn timed(&self, access: &Access, request: Request<Body>) -> Result<Reply, (ApiError, bool)> {
        let exchange = async {
            let response = access.client.send(request).await.map_err(|error| transport(&error))?;
            collect(response, &access.url).await
        };
        match tokio::time::timeout(self.settings.timeout, exchange).await {
            Ok(done) => done,
            Err(_) => Err((classify::slow(self.settings.timeout), false)),
        }
    }

    /// What an answer other than a success means; a refused credential is forgotten, so that the next call reads it anew.
    async fn refusal(&self, reply: &Reply) -> Option<ApiError> {
        if let Some(error) = classify::edge(reply) {
            return Some(error);
        }
        if reply.is_success() {
            return None;
        }
        if reply.status == 401 {
            *self.access.lock().await = None;
        }
        Some(failure(reply))
    }
}

/// Reads a `Status`, or whatever came instead of it.
fn failure(reply: &Reply) -> ApiError {
    let status: Status = reply.json().unwrap_or_default();
    if &*status.kind != "Status" {
        return reply.unexpected();
    }
    let said =
        |layer, what: &str| ApiError::new(layer, what).raw(status.message.as_str()).status(reply.status);
    match reply.status {
        401 => said(Layer::Auth, "the credential is not accepted")
            .hint("it has ended or was revoked; get a new kubeconfig or log in again"),
        403 => said(Layer::Auth, "the credential may not do this").missing(right(&status.message)),
        404 => said(Layer::App, "there is no such thing"),
        409 => said(Layer::App, "it has changed in the meantime"),
        410 => said(Layer::App, "the place in the list is too old"),
        429 if !status.details.causes.is_empty() => {
            let cause = status.details.causes.first().map_or("", |cause| cause.message.as_str());
            ApiError::new(Layer::App, "not now").raw(cause).status(429)
        }
        429 => {
            let wait = status.details.retry_after_seconds.or_zero();
            said(Layer::App, "the API server asks to wait").hint(format!("try again in {} s", wait.max(1)))
        }
        _ => said(Layer::App, if status.reason.is_empty() { "refused" } else { &status.reason }),
    }
}

/// The right that a 403 names: `User "x" cannot list resource "pods" in API group "" in the namespace "media"`.
fn right(message: &str) -> String {
    let Some((_, rest)) = message.split_once(" cannot ") else { return message.chars().take(120).collect() };
    let mut quoted = rest.split('"');
    let verb = quoted.next().and_then(|start| start.split_whitespace().next()).unwrap_or("use");
    let (resource, group) = (quoted.next().unwrap_or("it"), quoted.nth(1).unwrap_or_default());
    let dot = if group.is_empty() { "" } else { "." };
    format!("{verb} {resource}{dot}{group}")
}

fn request(
    method: Method,
    path: &str,
    media: &'static str,
    body: Option<&serde_json::Value>,
) -> Result<Request<Body>, ApiError> {
    let bytes = body.map(serde_json::Value::to_string).unwrap_or_default().into_bytes();
    Request::builder()
        .method(method)
        .uri(path)
        .header(CONTENT_TYPE, HeaderValue::from_static(media))
        .body(Body::from(bytes))
        .map_err(|error| ApiError::new(Layer::Config, "the request cannot be built").raw(error.to_string()))
}

async fn collect(response: hyper::Response<Body>, url: &str) -> Result<Reply, (ApiError, bool)> {
    let (parts, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunk(&mut body).await.map_err(|error| (error, false))? {
        if bytes.len() + chunk.len() > LIMIT {
            let what = format!("the answer is larger than {} MiB", LIMIT >> 20);
            return Err((ApiError::new(Layer::App, what), false));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Reply::assembled(parts.status.as_u16(), url.to_owned(), parts.headers, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_403_names_the_right_that_is_missing() {
        let cases = [
            (
                r#"pods is forbidden: User "vigie" cannot list resource "pods" in API group "" at the cluster scope"#,
                "list pods",
            ),
            (
                r#"applications.argoproj.io "a" is forbidden: User "v" cannot patch resource "applications" in API group "argoproj.io" in the namespace "argocd""#,
                "patch applications.argoproj.io",
            ),
            ("forbidden", "forbidden"),
        ];
        for (message, expected) in cases {
            assert_eq!(right(message), expected);
        }
    }
}
