//! The API server's JSON, names as they are, only the fields that rows need.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::backend::lenient::{Dict, Int, List, Obj, Text};

mod network;
mod node;
mod pod;
mod workload;

pub use node::{Address, Node, NodeInfo, NodeSpec, NodeStatus, Taint};
pub use pod::{
    ClaimRef, Container, ContainerState, ContainerStatus, Nothing, Pod, PodSpec, PodStatus, RunningState,
    Terminated, Waiting,
};

pub use network::{Claim, Ingress, Namespace, Phase, Route, Service, Volume};
pub use workload::{Budget, CronJob, Job, Selector, Workload};

/// A page of a list.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct Page<T> {
    /// `PodList`.
    pub kind: Text,
    /// Where the list stands.
    pub metadata: Obj<ListMeta>,
    /// Its objects.
    #[serde(bound(deserialize = "T: for<'a> Deserialize<'a>"))]
    pub items: List<T>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { kind: Text::default(), metadata: Obj::default(), items: List::default() }
    }
}

/// `meta/v1.ListMeta`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListMeta {
    /// The version to watch from.
    pub resource_version: Text,
    /// Where the next page begins; empty on the last one.
    #[serde(rename = "continue")]
    pub next: Text,
}

/// One line of a watch.
#[derive(Debug, Deserialize)]
pub struct WatchLine<'a> {
    /// `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
    #[serde(rename = "type", default)]
    pub event: Text,
    /// The object, or a `Status`.
    #[serde(borrow)]
    pub object: &'a RawValue,
}

/// The object of a bookmark or an error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Mark {
    /// Holds the version to resume from.
    pub metadata: Obj<ListMeta>,
    /// An error's HTTP code; 410 asks for a new list.
    pub code: Int,
    /// An error's text.
    pub message: Text,
}

/// `meta/v1.ObjectMeta`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Meta {
    /// The name.
    pub name: Text,
    /// The namespace; empty for cluster-wide objects.
    pub namespace: Text,
    /// What makes it this object and no later one of the same name.
    pub uid: Text,
    /// Changes with every write.
    pub resource_version: Text,
    /// Counts changes of what is wanted.
    pub generation: Int,
    /// When it was created.
    pub creation_timestamp: Text,
    /// When its deletion was asked for.
    pub deletion_timestamp: Text,
    /// Its labels.
    pub labels: Dict,
    /// Its annotations.
    pub annotations: Dict,
    /// Who made it.
    pub owner_references: List<Owner>,
}

/// `meta/v1.OwnerReference`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Owner {
    /// Its kind.
    pub kind: Text,
    /// Its name.
    pub name: Text,
}

/// `meta/v1.Condition` and its older cousins.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Condition {
    /// What it is about (`Ready`).
    #[serde(rename = "type")]
    pub about: Text,
    /// `True`, `False` or `Unknown`.
    pub status: Text,
    /// One word.
    pub reason: Text,
    /// A sentence.
    pub message: Text,
    /// Since when.
    pub last_transition_time: Text,
}

/// Any object, as far as every object is the same.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Object {
    /// Its metadata.
    pub metadata: Obj<Meta>,
}

/// `v1.Event`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Event {
    /// Its metadata.
    pub metadata: Obj<Meta>,
    /// What it is about.
    pub involved_object: Obj<Reference>,
    /// One word.
    pub reason: Text,
    /// A sentence.
    pub message: Text,
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub sort: Text,
    /// How often (old style).
    pub count: Int,
    /// First seen (old style).
    pub first_timestamp: Text,
    /// Last seen (old style).
    pub last_timestamp: Text,
    /// When (new style).
    pub event_time: Text,
    /// A run of equal events (new style).
    pub series: Obj<Series>,
    /// Who says so.
    pub source: Obj<Source>,
    /// Who says so (new style).
    pub reporting_component: Text,
}

/// `v1.ObjectReference`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reference {
    /// Its kind.
    pub kind: Text,
    /// Its namespace.
    pub namespace: Text,
    /// Its name.
    pub name: Text,
    /// Its uid.
    pub uid: Text,
}

/// `v1.EventSeries`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Series {
    /// How often.
    pub count: Int,
    /// Last seen.
    pub last_observed_time: Text,
}

/// `v1.EventSource`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Source {
    /// `kubelet`.
    pub component: Text,
}
