//! Typed calls on Omni's HTTP JSON face, each signed anew; no policy.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::key::ServiceKey;
use super::lenient::Lenient;
use super::refusal;
use super::sign::sign;
use super::wire::{Resource, Spec, Table};
use crate::backend::error::{ApiError, SendError};
use crate::backend::http::{Call, Http, Payload, Reply, Stream};
use crate::model::snapshot::Layer;
use crate::model::time::Clock;

const SERVICE: &str = "/omni.resources.ResourceService/";

/// Where a call is routed: headers of which all but the node are signed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Route {
    runtime: Option<&'static str>,
    cluster: Option<String>,
    selectors: Option<String>,
    node: Option<String>,
}

impl Route {
    /// Omni's own resources.
    pub(super) fn omni() -> Self {
        Self { runtime: Some("Omni"), ..Self::default() }
    }

    /// Omni's own resources with a label query.
    pub(super) fn selected(selectors: impl Into<String>) -> Self {
        Self { selectors: Some(selectors.into()), ..Self::omni() }
    }

    /// A call of the management service about a cluster.
    pub(super) fn cluster(cluster: &str) -> Self {
        Self { cluster: Some(cluster.to_owned()), ..Self::default() }
    }

    /// The Kubernetes API of a cluster, read only.
    pub(super) fn kubernetes(cluster: &str) -> Self {
        Self { runtime: Some("Kubernetes"), ..Self::cluster(cluster) }
    }

    /// The same with a label query.
    pub(super) fn with_selectors(mut self, selectors: &str) -> Self {
        self.selectors = Some(selectors.to_owned());
        self
    }

    /// The Talos API of one machine of a cluster.
    pub(super) fn talos(cluster: &str, machine: &str) -> Self {
        Self { runtime: Some("Talos"), node: Some(machine.to_owned()), ..Self::cluster(cluster) }
    }

    fn signed(&self) -> Vec<(&'static str, &str)> {
        let values = [
            ("runtime", self.runtime),
            ("cluster", self.cluster.as_deref()),
            ("selectors", self.selectors.as_deref()),
        ];
        values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Which part of a list is asked for, and in which order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Part {
    /// So many are passed over.
    pub offset: usize,
    /// At most so many; 0 is all that the server gives at once.
    pub limit: usize,
    /// The last changed first.
    pub newest_first: bool,
}

/// What a part of a list was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// How many resources it held.
    pub got: usize,
    /// How many of those were no JSON text.
    pub bad: usize,
    /// How many there are in all, where the server tells.
    pub total: Option<usize>,
}

/// Takes the resources of a list one by one, each as JSON text.
pub(super) type Each<'a> = &'a mut (dyn FnMut(&str) + Send);

#[derive(Deserialize)]
struct ListReply<'a> {
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    total: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct GetReply<'a> {
    #[serde(borrow)]
    body: Cow<'a, str>,
}

impl Page {
    /// Hands on each resource of a list's body.
    pub(super) fn read(body: &[u8], each: Each<'_>) -> Result<Self, serde_json::Error> {
        let page: ListReply<'_> = serde_json::from_slice(body)?;
        let total = page.total.and_then(i64::read).and_then(|total| usize::try_from(total).ok());
        let mut bad = 0;
        for item in &page.items {
            match serde_json::from_str::<Cow<'_, str>>(item.get()) {
                Ok(text) => each(&text),
                Err(_) => bad += 1,
            }
        }
        Ok(Self { got: page.items.len(), bad, total })
    }
}

/// A client of one Omni with one or two keys.
#[derive(Debug)]
pub(super) struct Client {
    http: Http,
    reader: Arc<ServiceKey>,
    operator: Option<Arc<ServiceKey>>,
    clock: Clock,
}

impl Client {
    /// Takes the keys: `reader` for reads, `operator` for writes where there is one.
    pub(super) fn new(http: Http, reader: ServiceKey, operator: Option<ServiceKey>, clock: Clock) -> Self {
        Self { http, reader: Arc::new(reader), operator: operator.map(Arc::new), clock }
    }

    /// The key that reads.
    pub(super) fn reader(&self) -> &ServiceKey {
        &self.reader
    }

    /// The key that writes.
    pub(super) fn writer(&self) -> &ServiceKey {
        self.operator.as_ref().unwrap_or(&self.reader)
    }

    /// Whether there is a key of its own for writes.
    pub(super) fn has_operator(&self) -> bool {
        self.operator.is_some()
    }

    /// The clock that signatures are dated by.
    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Asks a question with a key; any answer of the application is a reply.
    pub(super) async fn exchange(
        &self,
        key: &ServiceKey,
        method: &str,
        route: &Route,
        body: Value,
    ) -> Result<Reply, ApiError> {
        self.http.read(&self.request(key, method, route, body)?).await
    }

    /// Asks a question and wants a success.
    pub(super) async fn ask(&self, method: &str, route: &Route, body: Value) -> Result<Reply, ApiError> {
        let reply = self.exchange(&self.reader, method, route, body).await?;
        if reply.is_success() { Ok(reply) } else { Err(refusal::of(&reply, &self.reader, self.clock.now())) }
    }

    /// Sends a change exactly once and wants a success.
    pub(super) async fn send(
        &self,
        method: &str,
        route: &Route,
        body: Value,
        within: Option<Duration>,
    ) -> Result<Reply, SendError> {
        let key = self.writer();
        let mut call =
            self.request(key, method, route, body).map_err(|error| SendError::NotSent(error.fault))?;
        if let Some(within) = within {
            call = call.within(within);
        }
        let reply = self.http.write(&call).await?;
        if reply.is_success() { Ok(reply) } else { Err(refusal::of_write(&reply, key, self.clock.now())) }
    }

    /// Opens an answer that keeps coming.
    pub(super) async fn stream(
        &self,
        method: &str,
        route: &Route,
        body: Value,
        quiet: Duration,
    ) -> Result<Stream, ApiError> {
        self.stream_as(&self.reader, method, route, body, quiet).await
    }

    /// Opens an answer that keeps coming with a key.
    pub(super) async fn stream_as(
        &self,
        key: &ServiceKey,
        method: &str,
        route: &Route,
        body: Value,
        quiet: Duration,
    ) -> Result<Stream, ApiError> {
        let call = self.request(key, method, route, body)?.header("accept-encoding", "identity");
        self.http.stream(&call, quiet).await.map_err(|error| match serde_json::from_str(&error.fault.raw) {
            Ok(status) => refusal::plain(&status).status(error.fault.status.unwrap_or_default()),
            Err(_) => error,
        })
    }

    /// One part of a table's list.
    pub(super) async fn page(
        &self,
        table: Table,
        route: &Route,
        part: Part,
        each: Each<'_>,
    ) -> Result<Page, ApiError> {
        let mut body = json!({"namespace": table.namespace, "type": table.kind});
        if part.offset > 0 {
            body["offset"] = json!(part.offset);
        }
        if part.limit > 0 {
            body["limit"] = json!(part.limit);
        }
        if part.newest_first {
            body["sort_by_field"] = json!("updated");
            body["sort_descending"] = json!(true);
        }
        let reply = self.ask(&format!("{SERVICE}List"), route, body).await?;
        Page::read(reply.body(), each).map_err(|error| unreadable(&reply, &error))
    }

    /// All resources of a table, following pages to the end; whether that was everything.
    pub(super) async fn list_each(
        &self,
        table: Table,
        route: &Route,
        each: Each<'_>,
    ) -> Result<bool, ApiError> {
        let (mut part, mut complete) = (Part::default(), true);
        loop {
            let page = self.page(table, route, part, each).await?;
            complete &= page.bad == 0;
            part.offset += page.got;
            let missing = page.total.is_some_and(|total| total > part.offset);
            if !missing || page.got == 0 {
                return Ok(complete && !missing);
            }
        }
    }

    /// All resources of a type that can be read, and whether that is all of them.
    pub(super) async fn list<S: Spec>(&self, route: &Route) -> Result<(Vec<Resource<S>>, bool), ApiError> {
        self.list_of(S::TABLE, route).await
    }

    /// The same of a table that is none of Omni's own.
    pub(super) async fn list_of<T: DeserializeOwned + Send>(
        &self,
        table: Table,
        route: &Route,
    ) -> Result<(Vec<T>, bool), ApiError> {
        let (mut items, mut lost) = (Vec::new(), false);
        let mut each = |text: &str| match serde_json::from_str(text) {
            Ok(item) => items.push(item),
            Err(_) => lost = true,
        };
        let complete = self.list_each(table, route, &mut each).await?;
        Ok((items, complete && !lost))
    }

    /// One resource as JSON text; `None` where it does not exist.
    pub(super) async fn get_raw(
        &self,
        table: Table,
        id: &str,
        key: &ServiceKey,
    ) -> Result<Option<String>, ApiError> {
        self.get_at(table.namespace, table.kind, id, key).await
    }

    /// One resource as JSON text, by its full address; `None` where it does not exist.
    pub(super) async fn get_at(
        &self,
        namespace: &str,
        kind: &str,
        id: &str,
        key: &ServiceKey,
    ) -> Result<Option<String>, ApiError> {
        let body = json!({"namespace": namespace, "type": kind, "id": id});
        let reply = self.exchange(key, &format!("{SERVICE}Get"), &Route::omni(), body).await?;
        if refusal::is_not_found(&reply) {
            return Ok(None);
        }
        if !reply.is_success() {
            return Err(refusal::of(&reply, key, self.clock.now()));
        }
        Ok(Some(parse::<GetReply<'_>>(&reply)?.body.into_owned()))
    }

    /// One resource; `None` where it does not exist.
    pub(super) async fn get<S: Spec>(&self, id: &str) -> Result<Option<Resource<S>>, ApiError> {
        self.get_as(id, &self.reader).await
    }

    /// One resource as a key sees it.
    pub(super) async fn get_as<S: Spec>(
        &self,
        id: &str,
        key: &ServiceKey,
    ) -> Result<Option<Resource<S>>, ApiError> {
        let Some(text) = self.get_raw(S::TABLE, id, key).await? else { return Ok(None) };
        let resource = serde_json::from_str(&text).map_err(|error| {
            ApiError::new(Layer::App, format!("{} {id} cannot be read: {error}", S::TABLE.kind)).raw(&text)
        })?;
        Ok(Some(resource))
    }

    fn request(&self, key: &ServiceKey, method: &str, route: &Route, body: Value) -> Result<Call, ApiError> {
        let now = u32::try_from(self.clock.now().as_second())
            .map_err(|_| ApiError::new(Layer::Config, "this machine's clock is before 1970 or after 2106"))?;
        let routing = route.signed();
        for (name, value) in routing.iter().copied().chain(route.node.as_deref().map(|node| ("node", node))) {
            if value.is_empty() || value.chars().any(|c| !(' '..='~').contains(&c)) {
                return Err(ApiError::new(
                    Layer::App,
                    format!("`{name}` holds characters that no header can carry"),
                ));
            }
        }
        let signed = sign(key, now, method, &routing);
        let mut call = Call::post(format!("/api{method}"), Payload::Json(body))
            .header("grpc-metadata-x-sidero-timestamp", &signed.timestamp)
            .header("grpc-metadata-x-sidero-payload", &signed.payload)
            .header("grpc-metadata-x-sidero-signature", &signed.signature);
        for (name, value) in routing {
            call = call.header(header(name), value);
        }
        if let Some(node) = &route.node {
            call = call.header("grpc-metadata-node", node);
        }
        Ok(call)
    }
}

fn header(name: &str) -> &'static str {
    match name {
        "runtime" => "grpc-metadata-runtime",
        "cluster" => "grpc-metadata-cluster",
        _ => "grpc-metadata-selectors",
    }
}

fn parse<'a, T: Deserialize<'a>>(reply: &'a Reply) -> Result<T, ApiError> {
    serde_json::from_slice(reply.body()).map_err(|error| unreadable(reply, &error))
}

fn unreadable(reply: &Reply, error: &serde_json::Error) -> ApiError {
    let what = if error.is_eof() {
        "the answer breaks off in the middle"
    } else {
        "the answer is not what Omni sends"
    };
    ApiError::new(Layer::App, format!("{what}: {error}")).status(reply.status).raw(reply.text())
}
