//! What Proxmox VE 8 and 9 answer, with the names that they use; every field may be absent or of a wrong type.

mod guest;
mod keeping;
mod node;
mod resource;
mod task;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::lenient::{LaxText, Maybe, lax};

pub use guest::{
    AgentDisks, AgentInterfaces, AgentSystem, Current, Feature, FileSystem, Interface, Migration, Pending,
    Snapshot,
};
pub use keeping::{BackupJob, Disk, Smart, SmartAttribute, Vdev, Volume, Zpool};
pub use node::{
    Certificate, ClusterLog, Link, Mapping, NodeConfig, NodeStatus, PciDevice, Sample, Service, Update,
};
pub use resource::{Resource, Resources};
pub use task::{LogEntry, Task, TaskStatus};

/// The envelope of every answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Data<T> {
    /// What was asked for.
    pub data: T,
}

/// The envelope of a refusal; `message` exists since PVE 8.3.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Refusal {
    /// Why, with a line break at its end.
    #[serde(deserialize_with = "lax")]
    pub message: Option<String>,
    /// What is wrong with which parameter.
    pub errors: Maybe<BTreeMap<String, LaxText>>,
}

/// `GET /version`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Version {
    /// `9.1.4`.
    #[serde(deserialize_with = "lax")]
    pub version: Option<String>,
    /// `9.1`.
    #[serde(deserialize_with = "lax")]
    pub release: Option<String>,
}

/// `GET /access/users/{user}/token/{token}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TokenInfo {
    /// Epoch seconds; 0 is never.
    #[serde(deserialize_with = "lax")]
    pub expire: Option<i64>,
    /// Whether it has rights of its own only.
    #[serde(deserialize_with = "lax")]
    pub privsep: Option<bool>,
}
