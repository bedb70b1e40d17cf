//! The one HTTP client under every connector: time-outs, single sending, size limits, and errors told by layer.
//!
//! Reads may be repeated once when a kept-alive connection dies under them. Writes go out on a connection of their
//! own and exactly once, so that "connection refused" proves that nothing was sent.

pub(super) mod classify;
mod reply;

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use reqwest::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, ClientBuilder, Method, Url};
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;

use crate::config::{Connection, Secret};
use crate::model::snapshot::Layer;

use super::error::{ApiError, SendError};
use super::tls;

pub use reply::{Reply, Stream};

/// The largest answer that is read, in bytes, unless a call says otherwise.
pub const LIMIT: usize = 64 << 20;

/// How many connections to a server are kept between two polls: each costs the console and the server some 35 kB.
const KEPT: usize = 1;

/// What a server wants of its client beyond the configured connection.
#[derive(Debug, Clone)]
pub struct Profile {
    /// How long an idle connection is kept; shorter than the server's own limit.
    pub idle: Duration,
    /// How many requests may be under way at once.
    pub in_flight: usize,
    /// A unix socket of this machine that is dialled whatever the URL says.
    pub socket: Option<PathBuf>,
}

impl Default for Profile {
    fn default() -> Self {
        Self { idle: Duration::from_secs(30), in_flight: 4, socket: None }
    }
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Payload {
    /// None.
    #[default]
    Empty,
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
    /// `application/json`.
    Json(serde_json::Value),
}

/// One request.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    payload: Payload,
    timeout: Option<Duration>,
    limit: usize,
}

impl Call {
    /// A request of a method to a path below the connection's URL; the path begins with a slash and is already encoded.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            payload: Payload::Empty,
            timeout: None,
            limit: LIMIT,
        }
    }

    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A POST.
    pub fn post(path: impl Into<String>, payload: Payload) -> Self {
        Self { payload, ..Self::new(Method::POST, path) }
    }

    /// A DELETE.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Adds a header; a value that no header can carry is left out.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(HeaderName::from_static(name), value);
        }
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn payload(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }

    /// Allows it another time than the connection's.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Allows another size of answer, in bytes.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }
}

/// A client that is made when it is first needed: most servers are never written to.
type Late = LazyLock<Result<Client, ApiError>, Box<dyn FnOnce() -> Result<Client, ApiError> + Send>>;

/// A client of one server.
#[derive(Debug, Clone)]
pub struct Http {
    read: Client,
    write: Arc<Late>,
    base: String,
    headers: HeaderMap,
    timeout: Duration,
    permits: Arc<Semaphore>,
}

impl Http {
    /// Makes the client of a connection; `auth` is sent with every request and marked sensitive.
    ///
    /// Resolves the secrets of the configured headers, so it may block: call it off the UI task.
    pub fn new(
        connection: &Connection,
        auth: &[(&'static str, String)],
        profile: &Profile,
    ) -> Result<Self, ApiError> {
        let mut headers = HeaderMap::new();
        for (name, secret) in &connection.headers {
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| ApiError::new(Layer::Config, format!("`{name}` is no header name")))?;
            headers.append(name, sensitive(&resolve(secret)?)?);
        }
        for (name, value) in auth {
            headers.insert(HeaderName::from_static(name), sensitive(value)?);
        }
        if let Some(host) = &connection.host_header {
            let host = HeaderValue::from_str(host)
                .map_err(|_| ApiError::new(Layer::Config, format!("`{host}` is no host header")))?;
            headers.insert(HOST, host);
        }
        let socket = profile.socket.as_deref();
        let kept = client(connection, socket)?.pool_idle_timeout(profile.idle).pool_max_idle_per_host(KEPT);
        let (own, socket) = (connection.clone(), profile.socket.clone());
        let fresh = move || {
            let builder = client(&own, socket.as_deref())?;
            build(builder.pool_max_idle_per_host(0).retry(reqwest::retry::never()))
        };
        Ok(Self {
            read: build(kept)?,
            write: Arc::new(Late::new(Box::new(fresh))),
            base: connection.url.trim_end_matches('/').to_owned(),
            headers,
            timeout: connection.timeout,
            permits: Arc::new(Semaphore::new(profile.in_flight.max(1))),
        })
    }

    /// Asks a question that changes nothing, whatever its method; any status but an edge's is an answer.
    pub async fn read(&self, call: &Call) -> Result<Reply, ApiError> {
        let _permit =
            self.permits.acquire().await.map_err(|_| ApiError::new(Layer::Http, "shutting down"))?;
        let response = match self.request(&self.read, call)?.send().await {
            Err(error) if classify::died_unanswered(&error) => self.request(&self.read, call)?.send().await,
            other => other,
        };
        let response = response.map_err(|error| classify::transport(&error, self.allowed(call)))?;
        let reply = Reply::collect(response, call.limit, self.allowed(call)).await?;
        match classify::edge(&reply) {
            Some(error) => Err(error),
            None => Ok(reply),
        }
    }

    /// Asks a question and gives whatever came back, an edge's page or redirect too: for those who judge it themselves.
    pub async fn look(&self, call: &Call) -> Result<Reply, ApiError> {
        let _permit =
            self.permits.acquire().await.map_err(|_| ApiError::new(Layer::Http, "shutting down"))?;
        let response = self.request(&self.read, call)?.send().await;
        let response = response.map_err(|error| classify::transport(&error, self.allowed(call)))?;
        Reply::collect(response, call.limit, self.allowed(call)).await
    }

    /// Sends a change exactly once; any status that proves an answer of the application is a reply.
    pub async fn write(&self, call: &Call) -> Result<Reply, SendError> {
        let not_sent = |error: ApiError| SendError::NotSent(error.fault);
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| not_sent(ApiError::new(Layer::Http, "shutting down")))?;
        let request = self.fresh().and_then(|client| self.request(client, call)).map_err(not_sent)?;
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let fault = classify::transport(&error, self.allowed(call)).fault;
                let nothing_left = error.is_connect() || error.is_builder();
                return Err(if nothing_left { SendError::NotSent(fault) } else { SendError::Unknown(fault) });
            }
        };
        let unknown = |error: ApiError| SendError::Unknown(error.fault);
        let reply = Reply::collect(response, call.limit, self.allowed(call)).await.map_err(unknown)?;
        match (classify::edge(&reply), classify::ambiguous(reply.status)) {
            (Some(error), false) => Err(SendError::Refused(error.fault)),
            (Some(error), true) => Err(SendError::Unknown(error.fault)),
            (None, true) => Err(SendError::Unknown(classify::status(&reply).fault)),
            (None, false) => Ok(reply),
        }
    }

    /// Opens an answer that keeps coming; `quiet` is how long it may stay silent before it counts as dead.
    pub async fn stream(&self, call: &Call, quiet: Duration) -> Result<Stream, ApiError> {
        let request = self.request(self.fresh()?, call)?.timeout(Duration::from_secs(24 * 3600));
        let sent = tokio::time::timeout(quiet, request.send()).await;
        let response =
            sent.map_err(|_| classify::slow(quiet))?.map_err(|error| classify::transport(&error, quiet))?;
        Stream::open(response, quiet).await
    }

    /// The client whose connections are never used twice.
    fn fresh(&self) -> Result<&Client, ApiError> {
        self.write.as_ref().as_ref().map_err(Clone::clone)
    }

    fn allowed(&self, call: &Call) -> Duration {
        call.timeout.unwrap_or(self.timeout)
    }

    fn request(&self, client: &Client, call: &Call) -> Result<reqwest::RequestBuilder, ApiError> {
        let url = Url::parse(&format!("{}{}", self.base, call.path))
            .map_err(|error| ApiError::new(Layer::Config, format!("{}{}: {error}", self.base, call.path)))?;
        let mut request = client
            .request(call.method.clone(), url)
            .timeout(self.allowed(call))
            .headers(self.headers.clone())
            .headers(call.headers.clone());
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        Ok(match &call.payload {
            Payload::Empty => request,
            Payload::Form(fields) => request.form(fields),
            Payload::Json(value) => request.json(value),
        })
    }
}

/// Fetches a secret; the error names the reference, never the value.
pub fn resolve(secret: &Secret) -> Result<String, ApiError> {
    match secret.resolve() {
        Ok(value) => Ok(value.expose_secret().to_owned()),
        Err(error) => Err(ApiError::new(Layer::Config, error.to_string())),
    }
}

fn sensitive(value: &str) -> Result<HeaderValue, ApiError> {
    let mut value = HeaderValue::from_str(value.trim()).map_err(|_| {
        ApiError::new(Layer::Config, "a secret holds characters that no HTTP header can carry")
            .hint("check for line breaks in the secret")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// HTTP/1.1 alone: every server speaks it, Proxmox nothing else, and a second protocol is a fifth of a client's code.
fn client(connection: &Connection, socket: Option<&Path>) -> Result<ClientBuilder, ApiError> {
    let mut builder = Client::builder()
        .user_agent(concat!("vigie/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // Shorter than the whole, so that a host that is off is told from one that does not answer.
        .connect_timeout((connection.timeout / 2).min(Duration::from_secs(8)))
        .tls_info(true)
        .no_proxy();
    let plain = connection.url.starts_with("http://") && connection.proxy.is_none();
    let config = if plain { tls::none()? } else { tls::config(&connection.trust)? };
    builder = builder.tls_backend_preconfigured(config);
    if let Some(path) = socket {
        builder = builder.unix_socket(path.to_owned());
    }
    if let Some(proxy) = &connection.proxy {
        let proxy = reqwest::Proxy::all(proxy)
            .map_err(|_| ApiError::new(Layer::Config, "the proxy's address cannot be used"))?;
        builder = builder.proxy(proxy);
    }
    Ok(builder)
}

fn build(builder: ClientBuilder) -> Result<Client, ApiError> {
    builder.build().map_err(|error| ApiError::new(Layer::Tls, classify::innermost(&error)))
}

#[cfg(test)]
mod tests;
