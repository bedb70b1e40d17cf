//! Changing a resource: read it, change it, send all of it back with the version that was read.
//!
//! An update replaces labels, annotations and finalizers wholesale, so everything that came goes back, also fields that
//! this program does not know. The server refuses a version that is no longer the stored one; nothing is overwritten.

use serde_json::{Map, Value, json};

use super::client::{Client, Route};
use super::wire::{PREFIX, Table};
use crate::backend::error::{ApiError, SendError};
use crate::backend::http::Reply;
use crate::model::op::Job;
use crate::model::snapshot::{Fault, Layer};

const SERVICE: &str = "/omni.resources.ResourceService/";

/// A resource under change.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    metadata: Map<String, Value>,
    spec: Map<String, Value>,
}

impl Draft {
    /// A resource that is to be made.
    pub(super) fn new(table: Table, id: &str) -> Self {
        let metadata = [("namespace", table.namespace), ("type", table.kind), ("id", id)];
        let metadata = metadata.map(|(key, value)| (key.to_owned(), Value::from(value)));
        Self { metadata: metadata.into_iter().collect(), spec: Map::new() }
    }

    /// Reads a resource as the server sent it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut resource: Map<String, Value> = serde_json::from_str(text).ok()?;
        let mut take = |part| match resource.remove(part) {
            Some(Value::Object(fields)) => Some(fields),
            None => Some(Map::new()),
            Some(_) => None,
        };
        Some(Self { metadata: take("metadata")?, spec: take("spec")? })
    }

    /// The version that was read.
    pub(super) fn version(&self) -> String {
        self.metadata
            .get("version")
            .map_or_else(String::new, |version| version.to_string().trim_matches('"').to_owned())
    }

    /// The type's own fields, to be read.
    pub(super) fn fields(&self) -> &Map<String, Value> {
        &self.spec
    }

    /// The labels, to be read.
    pub(super) fn own_labels(&self) -> impl Iterator<Item = (&str, &Value)> {
        let labels = self.metadata.get("labels").and_then(Value::as_object);
        labels.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }

    /// Its type and its id.
    pub(super) fn address(&self) -> (&str, &str) {
        (self.text("type"), self.text("id"))
    }

    /// Whether it is the templates' to make and remove: no controller owns it, and none made it.
    pub(super) fn is_templates(&self) -> bool {
        let by_controller = format!("{PREFIX}managed-by-machine-set-node-controller");
        self.text("owner").is_empty() && !self.own_labels().any(|(key, _)| key == by_controller)
    }

    fn text(&self, name: &str) -> &str {
        self.metadata.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The type's own fields.
    pub(super) fn spec(&mut self) -> &mut Map<String, Value> {
        &mut self.spec
    }

    /// The labels.
    pub(super) fn labels(&mut self) -> &mut Map<String, Value> {
        self.part("labels")
    }

    /// The annotations.
    pub(super) fn annotations(&mut self) -> &mut Map<String, Value> {
        self.part("annotations")
    }

    fn part(&mut self, name: &str) -> &mut Map<String, Value> {
        let part = self.metadata.entry(name).or_insert_with(|| json!({}));
        if !part.is_object() {
            *part = json!({});
        }
        match part {
            Value::Object(fields) => fields,
            _ => &mut self.spec,
        }
    }

    /// Sets a label with Omni's prefix.
    pub(super) fn label(mut self, name: &str, value: &str) -> Self {
        self.labels().insert(format!("{PREFIX}{name}"), value.into());
        self
    }

    /// The message: the spec as a string, the version as a string.
    fn resource(&self) -> Value {
        let mut metadata = self.metadata.clone();
        if self.metadata.contains_key("version") {
            metadata.insert("version".to_owned(), self.version().into());
        }
        json!({"metadata": metadata, "spec": Value::Object(self.spec.clone()).to_string()})
    }
}

/// Reads a resource with the key that writes.
pub(super) async fn fetch(client: &Client, table: Table, id: &str) -> Result<Option<Draft>, ApiError> {
    let Some(text) = client.get_raw(table, id, client.writer()).await? else { return Ok(None) };
    let unreadable = || ApiError::new(Layer::App, format!("{} {id} cannot be read", table.kind)).raw(&text);
    Draft::parse(&text).map(Some).ok_or_else(unreadable)
}

/// Reads what is at the place of a resource that is to be made.
pub(super) async fn fetch_like(client: &Client, draft: &Draft) -> Result<Option<String>, ApiError> {
    let (namespace, kind, id) = (draft.text("namespace"), draft.text("type"), draft.text("id"));
    client.get_at(namespace, kind, id, client.writer()).await
}

/// Reads a resource that is to be changed; nothing is sent where it is gone or another version than was judged.
pub(super) async fn checkout(
    client: &Client,
    table: Table,
    id: &str,
    job: &Job,
    fact: &str,
) -> Result<Draft, SendError> {
    let not_sent = |what: String| SendError::NotSent(Fault::new(Layer::App, what));
    let found = fetch(client, table, id).await.map_err(|error| SendError::NotSent(error.fault))?;
    let draft = found.ok_or_else(|| not_sent(format!("{id} does not exist any more")))?;
    match job.target.identity.get(fact) {
        Some(judged) if judged != draft.version() => {
            let now = draft.version();
            Err(not_sent(format!(
                "{id} was changed meanwhile: version {judged} was judged, {now} is there now"
            )))
        }
        _ => Ok(draft),
    }
}

/// Sends a changed resource back.
pub(super) async fn update(client: &Client, draft: &Draft) -> Result<Reply, SendError> {
    let body = json!({"resource": draft.resource(), "currentVersion": draft.version()});
    client.send(&format!("{SERVICE}Update"), &Route::omni(), body, None).await
}

/// Makes a resource.
pub(super) async fn create(client: &Client, draft: &Draft) -> Result<Reply, SendError> {
    client
        .send(&format!("{SERVICE}Create"), &Route::omni(), json!({"resource": draft.resource()}), None)
        .await
}

/// Starts the end of a resource; controllers finish it.
pub(super) async fn teardown(client: &Client, table: Table, id: &str) -> Result<Reply, SendError> {
    let body = json!({"namespace": table.namespace, "type": table.kind, "id": id});
    client.send(&format!("{SERVICE}Teardown"), &Route::omni(), body, None).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_came_goes_back_with_the_version_as_a_string() {
        let text = r#"{"spec":{"kubernetes_version":"1.36.3","unknown":{"a":[1]}},"metadata":{"id":"prod","namespace":"default",
            "type":"Clusters.omni.sidero.dev","version":12,"labels":{"team":"infra"},"finalizers":["A","B"],"new":7}}"#;
        let mut draft = Draft::parse(text).unwrap();
        assert_eq!(draft.version(), "12");
        draft.annotations().insert("omni.sidero.dev/locked".into(), "".into());
        let resource = draft.resource();
        assert_eq!(resource["metadata"]["version"], "12");
        assert_eq!(resource["metadata"]["labels"], json!({"team": "infra"}));
        assert_eq!(resource["metadata"]["finalizers"], json!(["A", "B"]));
        assert_eq!(resource["metadata"]["new"], 7);
        assert_eq!(resource["spec"], r#"{"kubernetes_version":"1.36.3","unknown":{"a":[1]}}"#);
    }
}
