//! The server's JSON, verbatim names: the envelope of a resource, and the specs that vigie reads.
//!
//! Defaults are omitted by the server, enums are numbers, and a resource travels as JSON inside a string
//! (Omni 1.10, `POST /api/omni.resources.ResourceService/*`).

mod cluster;
mod infra;
mod machine;
mod platform;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{Lenient, needed, soft};

pub(super) use cluster::{
    Cluster, ClusterStatus, Condition, ControlPlaneStatus, Destroy, EtcdBackupStatus, ExposedService,
    LoadBalancerStatus, OngoingTask, UpgradeKubernetes, UpgradeStatus, UpgradeTalos,
};
pub(super) use infra::{
    BackupOverall, ClusterRequestStatus, ConfigPatch, EtcdBackup, JoinToken, MachineClass, MachineRequest,
    MachineRequestStatus, MachineSet, MachineSetStatus, ManualBackup, Provider, TalosVersion,
};
pub(super) use machine::{
    BlockDevice, ClusterMachineStatus, ExtensionsConfiguration, Hardware, KernelArgs, Link, MachineLabels,
    MachineSetNode, MachineSnapshot, MachineStatus, NetworkLink, PendingUpdates, Stage,
};
pub(super) use platform::{ClusterPermissions, CurrentUser, Permissions, Role, SysVersion};

/// The prefix of labels and annotations that Omni gives a meaning to.
pub(super) const PREFIX: &str = "omni.sidero.dev/";

/// Where resources of a type live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    /// The namespace.
    pub namespace: &'static str,
    /// The full type (`Clusters.omni.sidero.dev`).
    pub kind: &'static str,
}

/// The spec of a resource type.
pub(super) trait Spec: Lenient + Send + Sync + 'static {
    /// Where its resources live.
    const TABLE: Table;

    /// The id of the row that a resource belongs to; mostly its own.
    fn row(resource: &Resource<Self>) -> Arc<str> {
        resource.metadata.id.clone()
    }

    /// Takes over what its predecessor knew and the server no longer tells.
    fn remember(&mut self, _before: &Self) {}

    /// Lets go of what no row shows: there are thousands of some.
    fn thin(_resource: &mut Resource<Self>) {}
}

macro_rules! tables {
    ($($spec:ty = $namespace:literal / $kind:literal;)*) => {$(
        impl $crate::backend::omni::wire::Spec for $spec {
            const TABLE: $crate::backend::omni::wire::Table =
                $crate::backend::omni::wire::Table { namespace: $namespace, kind: concat!($kind, ".omni.sidero.dev") };
        }
    )*};
}
use tables;

/// A resource: what it is to be or is, and its place in the store.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(bound(deserialize = "S: Lenient"))]
pub(super) struct Resource<S: Lenient> {
    /// The type's own fields.
    #[serde(default, deserialize_with = "soft")]
    pub spec: S,
    /// The store's fields.
    pub metadata: Metadata,
}

/// The store's fields of a resource.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Metadata {
    /// Its id within namespace and type.
    #[serde(deserialize_with = "needed")]
    pub id: Arc<str>,
    /// Grows with every change; an update must name it.
    #[serde(default, deserialize_with = "soft")]
    pub version: i64,
    /// `running` or `tearingDown`.
    #[serde(default, deserialize_with = "soft")]
    pub phase: String,
    /// The controller that alone may change it.
    #[serde(default, deserialize_with = "soft")]
    pub owner: String,
    /// When it was made.
    #[serde(default, deserialize_with = "soft")]
    pub created: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, deserialize_with = "soft")]
    pub updated: Option<Timestamp>,
    /// Labels; values are often empty, the key is what counts.
    #[serde(default, deserialize_with = "soft")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(default, deserialize_with = "soft")]
    pub annotations: BTreeMap<String, String>,
    /// Controllers that still have to clean up before it can go.
    #[serde(default, deserialize_with = "soft")]
    pub finalizers: Vec<String>,
}

impl Metadata {
    /// A label with Omni's prefix.
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        prefixed(&self.labels, name)
    }

    /// An annotation with Omni's prefix.
    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        prefixed(&self.annotations, name)
    }

    /// Whether both are the same version of the same incarnation.
    pub(super) fn is_version_of(&self, other: &Self) -> bool {
        (self.version, self.created, self.tearing_down())
            == (other.version, other.created, other.tearing_down())
    }

    /// Lets go of Omni's own labels, except for a few.
    pub(super) fn keep_labels(&mut self, kept: &[&str]) {
        let own = |key: &str| key.strip_prefix(PREFIX).is_some_and(|name| !kept.contains(&name));
        self.labels.retain(|key, _| !own(key));
        self.finalizers = Vec::new();
        self.owner = String::new();
    }

    /// Whether it is being torn down.
    pub(super) fn tearing_down(&self) -> bool {
        self.phase == "tearingDown"
    }

    /// The labels that people gave it.
    pub(super) fn user_labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels
            .iter()
            .filter(|(key, _)| !key.starts_with(PREFIX))
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

fn prefixed<'a>(map: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    let mut found = map.iter().filter(|(key, _)| key.strip_prefix(PREFIX) == Some(name));
    found.next().map(|(_, value)| value.as_str())
}
