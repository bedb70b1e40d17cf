//! What is told of one guest.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::backend::proxmox::lenient::{Items, Maybe, lax, texts};

/// `GET …/feature`: whether a guest's disks can do something.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Feature {
    /// 0 or 1.
    #[serde(rename = "hasFeature", deserialize_with = "lax")]
    pub has: Option<bool>,
}

/// `GET …/status/current` of a guest.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Current {
    /// Its name.
    #[serde(deserialize_with = "lax")]
    pub name: Option<String>,
    /// `running` or `stopped`.
    #[serde(deserialize_with = "lax")]
    pub status: Option<String>,
    /// What QEMU itself says (`paused`, `io-error`).
    #[serde(deserialize_with = "lax")]
    pub qmpstatus: Option<String>,
    /// The lock.
    #[serde(deserialize_with = "lax")]
    pub lock: Option<String>,
    /// Whether it is a template.
    #[serde(deserialize_with = "lax")]
    pub template: Option<bool>,
    /// Fraction of its own processors.
    #[serde(deserialize_with = "lax")]
    pub cpu: Option<f64>,
    /// Processors.
    #[serde(deserialize_with = "lax")]
    pub cpus: Option<f64>,
    /// Bytes.
    #[serde(deserialize_with = "lax")]
    pub mem: Option<i64>,
    /// Bytes.
    #[serde(deserialize_with = "lax")]
    pub maxmem: Option<i64>,
    /// What it costs the host, bytes (9, QEMU).
    #[serde(deserialize_with = "lax")]
    pub memhost: Option<i64>,
    /// Bytes; 0 for QEMU.
    #[serde(deserialize_with = "lax")]
    pub disk: Option<i64>,
    /// Bytes.
    #[serde(deserialize_with = "lax")]
    pub maxdisk: Option<i64>,
    /// Seconds.
    #[serde(deserialize_with = "lax")]
    pub uptime: Option<i64>,
    /// Percent of the last ten seconds in which something waited for memory (9); a string for containers.
    #[serde(deserialize_with = "lax")]
    pub pressurememorysome: Option<f64>,
    /// The same for storage.
    #[serde(deserialize_with = "lax")]
    pub pressureiosome: Option<f64>,
    /// The same for processors.
    #[serde(deserialize_with = "lax")]
    pub pressurecpusome: Option<f64>,
    /// Whether the guest agent is configured, not whether it answers.
    #[serde(deserialize_with = "lax")]
    pub agent: Option<bool>,
    /// The machine type that runs.
    #[serde(rename = "running-machine", deserialize_with = "lax")]
    pub running_machine: Option<String>,
    /// The QEMU version that runs.
    #[serde(rename = "running-qemu", deserialize_with = "lax")]
    pub running_qemu: Option<String>,
    /// The HA manager's view.
    pub ha: Maybe<Ha>,
}

impl Current {
    /// The state that counts: QEMU's own where it says more than `running`.
    pub fn state(&self) -> &str {
        let status = self.status.as_deref().unwrap_or("unknown");
        match self.qmpstatus.as_deref() {
            Some(qmp) if status == "running" && !qmp.is_empty() => qmp,
            _ => status,
        }
    }
}

/// The HA part of a guest's status.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Ha {
    /// Whether the HA manager looks after it.
    #[serde(deserialize_with = "lax")]
    pub managed: Option<bool>,
    /// What it does with it.
    #[serde(deserialize_with = "lax")]
    pub state: Option<String>,
}

/// One entry of `GET …/snapshot`; `current` is where the guest stands, not a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// Its name.
    #[serde(deserialize_with = "lax")]
    pub name: Option<String>,
    /// The one before it.
    #[serde(deserialize_with = "lax")]
    pub parent: Option<String>,
    /// Epoch seconds.
    #[serde(deserialize_with = "lax")]
    pub snaptime: Option<i64>,
    /// Whether the memory is in it.
    #[serde(deserialize_with = "lax")]
    pub vmstate: Option<bool>,
    /// What somebody wrote about it.
    #[serde(deserialize_with = "lax")]
    pub description: Option<String>,
    /// `prepare`, `delete` or `rollback` while that is under way.
    #[serde(deserialize_with = "lax")]
    pub snapstate: Option<String>,
}

/// `GET …/migrate` of a virtual machine.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Migration {
    /// Whether it runs.
    #[serde(deserialize_with = "lax")]
    pub running: Option<bool>,
    /// Why which node will not do.
    pub not_allowed_nodes: Maybe<BTreeMap<String, serde_json::Value>>,
    /// Disks that no other node sees.
    pub local_disks: Items<LocalDisk>,
    /// Devices that no other node has.
    #[serde(deserialize_with = "texts")]
    pub local_resources: Vec<String>,
}

/// A disk that no other node sees.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct LocalDisk {
    /// The volume.
    #[serde(deserialize_with = "lax")]
    pub volid: Option<String>,
    /// Whether it is only a loaded image.
    #[serde(deserialize_with = "lax")]
    pub cdrom: Option<bool>,
}

/// One entry of `GET …/pending`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Pending {
    /// The key.
    #[serde(deserialize_with = "lax")]
    pub key: Option<String>,
    /// What is in force.
    #[serde(deserialize_with = "lax")]
    pub value: Option<String>,
    /// What will be after the next start.
    #[serde(rename = "pending", deserialize_with = "lax")]
    pub next: Option<String>,
    /// Whether it will be gone after the next start.
    #[serde(deserialize_with = "lax")]
    pub delete: Option<bool>,
}

/// What the guest agent answers to `network-get-interfaces`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AgentInterfaces {
    /// The cards.
    pub result: Items<Interface>,
}

/// What the guest agent answers to `get-osinfo`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AgentSystem {
    /// The system.
    pub result: Maybe<System>,
}

/// An operating system, as the agent in it sees it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct System {
    /// `Talos (v1.12.1)`.
    #[serde(rename = "pretty-name", deserialize_with = "lax")]
    pub name: Option<String>,
    /// Its kernel.
    #[serde(rename = "kernel-release", deserialize_with = "lax")]
    pub kernel: Option<String>,
}

/// What the guest agent answers to `get-fsinfo`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AgentDisks {
    /// The file systems.
    pub result: Items<FileSystem>,
}

/// A file system, as the agent sees it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct FileSystem {
    /// Where it is mounted.
    #[serde(deserialize_with = "lax")]
    pub mountpoint: Option<String>,
    /// Bytes.
    #[serde(rename = "used-bytes", deserialize_with = "lax")]
    pub used: Option<i64>,
    /// Bytes.
    #[serde(rename = "total-bytes", deserialize_with = "lax")]
    pub total: Option<i64>,
}

/// A network card, as an agent or a container's host sees it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Interface {
    /// Its name in the guest.
    #[serde(deserialize_with = "lax")]
    pub name: Option<String>,
    /// Its addresses.
    #[serde(rename = "ip-addresses")]
    pub addresses: Items<Address>,
}

/// An IP address.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Address {
    /// The address.
    #[serde(rename = "ip-address", deserialize_with = "lax")]
    pub address: Option<String>,
}
