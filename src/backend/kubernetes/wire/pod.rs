//! Pods, with as much of their containers as their state needs.

use serde::Deserialize;

use crate::backend::lenient::{Dict, Flag, Int, List, Maybe, Obj, Text};

use super::{Condition, Meta};

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
    /// What it asks for.
    pub resources: Obj<Resources>,
    /// `Always` makes an init container a sidecar.
    pub restart_policy: Text,
}

/// `v1.ResourceRequirements`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// What the scheduler sets aside for it.
    pub requests: Dict,
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
