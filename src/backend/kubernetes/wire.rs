//! The API server's JSON, names as they are, only the fields that rows need.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::backend::lenient::{Dict, Flag, Int, List, Maybe, Obj, Text};

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

/// `v1.Node`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Node {
    /// Its metadata.
    pub metadata: Obj<Meta>,
    /// What is wanted of it.
    pub spec: Obj<NodeSpec>,
    /// How it is.
    pub status: Obj<NodeStatus>,
}

/// `v1.NodeSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NodeSpec {
    /// Cordoned.
    pub unschedulable: Flag,
    /// Keep pods away.
    pub taints: List<Taint>,
}

/// `v1.Taint`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Taint {
    /// Its key.
    pub key: Text,
    /// Its value.
    pub value: Text,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: Text,
}

/// `v1.NodeStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeStatus {
    /// Ready and the pressures.
    pub conditions: List<Condition>,
    /// All there is (`cpu`, `memory`, `pods`).
    pub capacity: Dict,
    /// What pods may use.
    pub allocatable: Dict,
    /// Host names and addresses.
    pub addresses: List<Address>,
    /// Versions and identifiers.
    pub node_info: Obj<NodeInfo>,
}

/// `v1.NodeAddress`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Address {
    /// `InternalIP`, `ExternalIP`, `Hostname`.
    #[serde(rename = "type")]
    pub sort: Text,
    /// The address.
    pub address: Text,
}

/// `v1.NodeSystemInfo`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeInfo {
    /// The SMBIOS UUID.
    #[serde(rename = "systemUUID")]
    pub system_uuid: Text,
    /// `v1.32.0`.
    pub kubelet_version: Text,
    /// `Talos (v1.9.0)`.
    pub os_image: Text,
    /// The kernel's version.
    pub kernel_version: Text,
    /// `containerd://2.0.1`.
    pub container_runtime_version: Text,
    /// `amd64`, `arm64`.
    pub architecture: Text,
}

/// `v1.Pod`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pod {
    /// Its metadata.
    pub metadata: Obj<Meta>,
    /// What is wanted.
    pub spec: Obj<PodSpec>,
    /// How it is.
    pub status: Obj<PodStatus>,
}

/// `v1.PodSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodSpec {
    /// The node it is bound to.
    pub node_name: Text,
    /// Its containers.
    pub containers: List<Container>,
    /// Containers that run before them; with `restartPolicy: Always` beside them.
    pub init_containers: List<Container>,
    /// Its volumes.
    pub volumes: List<Volume>,
}

/// `v1.Container`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Container {
    /// Its name.
    pub name: Text,
    /// Its image.
    pub image: Text,
    /// `Always` makes an init container a sidecar.
    pub restart_policy: Text,
}

/// `v1.Volume`, as far as draining a node and finding claims needs it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Volume {
    /// Data that dies with the pod.
    pub empty_dir: Maybe<Nothing>,
    /// A claim.
    pub persistent_volume_claim: Obj<ClaimRef>,
}

/// An object of which only the presence counts.
#[derive(Debug, Default, Deserialize, Clone, PartialEq, Eq)]
pub struct Nothing {}

/// `v1.PersistentVolumeClaimVolumeSource`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClaimRef {
    /// The claim's name.
    pub claim_name: Text,
}

/// `v1.PodStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodStatus {
    /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
    pub phase: Text,
    /// `Evicted`, `NodeLost`.
    pub reason: Text,
    /// A sentence for the reason.
    pub message: Text,
    /// Scheduled, initialised, ready.
    pub conditions: List<Condition>,
    /// Its address.
    #[serde(rename = "podIP")]
    pub pod_ip: Text,
    /// When the kubelet took it on.
    pub start_time: Text,
    /// How its containers are.
    pub container_statuses: List<ContainerStatus>,
    /// How its init containers are.
    pub init_container_statuses: List<ContainerStatus>,
    /// `Guaranteed`, `Burstable`, `BestEffort`.
    pub qos_class: Text,
}

/// `v1.ContainerStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerStatus {
    /// Its name.
    pub name: Text,
    /// Whether it passes its readiness probe.
    pub ready: Flag,
    /// Whether it has passed its start-up probe.
    pub started: Flag,
    /// How often it was restarted.
    pub restart_count: Int,
    /// How it is now.
    pub state: Obj<ContainerState>,
    /// How it ended last time.
    pub last_state: Obj<ContainerState>,
}

/// `v1.ContainerState`: one of three.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ContainerState {
    /// Not started yet.
    pub waiting: Maybe<Waiting>,
    /// Runs.
    pub running: Maybe<RunningState>,
    /// Has ended.
    pub terminated: Maybe<Terminated>,
}

/// `v1.ContainerStateWaiting`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Waiting {
    /// `CrashLoopBackOff`.
    pub reason: Text,
    /// A sentence.
    pub message: Text,
}

/// `v1.ContainerStateRunning`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RunningState {
    /// Since when.
    pub started_at: Text,
}

/// `v1.ContainerStateTerminated`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Terminated {
    /// `OOMKilled`, `Error`, `Completed`.
    pub reason: Text,
    /// A sentence.
    pub message: Text,
    /// The exit code.
    pub exit_code: Int,
    /// The signal, where it was one.
    pub signal: Int,
    /// When.
    pub finished_at: Text,
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
