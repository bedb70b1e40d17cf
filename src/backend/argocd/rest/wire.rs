//! argocd-server's JSON, names as they are, only the fields that are used.

use serde::Deserialize;

use crate::backend::lenient::{Flag, Int, List, Obj, Text, Words};

/// `{items: […]}`, where `items` is null in an empty list.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct Items<T> {
    /// The things.
    #[serde(bound(deserialize = "T: for<'a> Deserialize<'a>"))]
    pub items: List<T>,
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self { items: List::default() }
    }
}

/// `ConnectionState` of a cluster or repository.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ConnectionState {
    /// `Successful`, `Failed`, `Unknown`.
    pub status: Text,
    /// Why.
    pub message: Text,
    /// When it was tried.
    pub attempted_at: Text,
}

/// `GET /api/v1/clusters`, one of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Cluster {
    /// Its name in Argo CD.
    pub name: Text,
    /// Its API server's URL, which is its key.
    pub server: Text,
    /// Whether Argo CD reaches it.
    pub connection_state: Obj<ConnectionState>,
    /// Its Kubernetes.
    pub server_version: Text,
    /// What Argo CD has of it.
    pub info: Obj<ClusterInfo>,
}

/// `ClusterInfo`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClusterInfo {
    /// Applications that are delivered there.
    pub applications_count: Int,
    /// What is watched.
    pub cache_info: Obj<CacheInfo>,
}

/// `ClusterCacheInfo`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CacheInfo {
    /// Objects in the cache.
    pub resources_count: Int,
    /// When it was filled last.
    pub last_cache_sync_time: Text,
}

/// `GET /api/v1/repositories`, one of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Repository {
    /// Its URL, which is its key.
    pub repo: Text,
    /// Its name.
    pub name: Text,
    /// `git`, `helm`, `oci`.
    #[serde(rename = "type")]
    pub sort: Text,
    /// Its project, where it is scoped to one.
    pub project: Text,
    /// Whether it can be read.
    pub connection_state: Obj<ConnectionState>,
}

/// `GET …/resource-tree`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tree {
    /// What belongs to the application.
    pub nodes: List<Node>,
    /// What lies in its namespaces and belongs to nobody.
    pub orphaned_nodes: List<Node>,
}

/// `ResourceNode`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Node {
    /// Its API group.
    pub group: Text,
    /// Its version.
    pub version: Text,
    /// Its kind.
    pub kind: Text,
    /// Its namespace.
    pub namespace: Text,
    /// Its name.
    pub name: Text,
    /// Empty where it does not exist yet.
    pub uid: Text,
    /// What made it.
    pub parent_refs: List<Parent>,
    /// `Status Reason`, `Containers`, `Revision`, …
    pub info: List<Info>,
    /// How it is.
    pub health: Obj<NodeHealth>,
}

/// `ResourceRef`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Parent {
    /// The parent's uid.
    pub uid: Text,
}

/// `InfoItem`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Info {
    /// Its name.
    pub name: Text,
    /// Its value.
    pub value: Text,
}

/// `HealthStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NodeHealth {
    /// `Healthy`, …
    pub status: Text,
    /// Why.
    pub message: Text,
}

/// `GET …/managed-resources`, one of them; the states are JSON documents in texts, `null` where there is none.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Managed {
    /// Its API group.
    pub group: Text,
    /// Its kind.
    pub kind: Text,
    /// Its namespace.
    pub namespace: Text,
    /// Its name.
    pub name: Text,
    /// Hooks are no part of a comparison.
    pub hook: Flag,
    /// What Git wants.
    pub target_state: Text,
    /// What is there, after ignored differences were taken out.
    pub normalized_live_state: Text,
    /// What would be there after a sync.
    pub predicted_live_state: Text,
}

/// `GET …/manifests`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Manifests {
    /// One JSON document in each text.
    #[serde(rename = "manifests")]
    pub documents: Words,
    /// The revision they were made from.
    pub revision: Text,
    /// `Kustomize`, `Helm`, `Directory`, …
    pub source_type: Text,
}

/// `GET …/revisions/{rev}/metadata`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Commit {
    /// Who.
    pub author: Text,
    /// When.
    pub date: Text,
    /// What, several lines.
    pub message: Text,
}

/// `GET …/resource/actions`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Actions {
    /// What may be done to the object.
    pub actions: List<Action>,
}

/// `ResourceAction`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Action {
    /// `restart`, `scale`, …
    pub name: Text,
    /// It does not apply now.
    pub disabled: Flag,
}

/// `GET …/resource`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Live {
    /// The object as a JSON document in a text.
    pub manifest: Text,
}

/// One message of a stream: a result, or an error.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct Envelope<T> {
    /// The message.
    pub result: Option<T>,
    /// Why the stream ends.
    pub error: Option<StreamError>,
}

impl<T> Default for Envelope<T> {
    fn default() -> Self {
        Self { result: None, error: None }
    }
}

/// The error of a stream, which is written otherwise than that of a plain call.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StreamError {
    /// The HTTP status it would have been.
    pub http_code: Int,
    /// Why.
    pub message: Text,
}

/// One line of `…/logs`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LogEntry {
    /// The text.
    pub content: Text,
    /// When, with fractions.
    pub time_stamp_str: Text,
    /// Which pod.
    pub pod_name: Text,
    /// The end of the log; it carries no text.
    pub last: Flag,
}
