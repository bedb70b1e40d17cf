//! Nodes.

use serde::Deserialize;

use crate::backend::lenient::{Dict, Flag, List, Obj, Text};

use super::{Condition, Meta};

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
#[serde(default, rename_all = "camelCase")]
pub struct NodeSpec {
    /// Cordoned.
    pub unschedulable: Flag,
    /// `proxmox://REGION/NUMBER` where the cloud controller of Proxmox VE runs; others write other schemes.
    #[serde(rename = "providerID")]
    pub provider_id: Text,
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
