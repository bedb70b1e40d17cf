//! What is told of one host.

use serde::Deserialize;

use crate::backend::proxmox::lenient::{Maybe, lax, texts};

/// One entry of `GET /nodes/{node}/network`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Link {
    /// `vmbr0`, `enp5s0`.
    #[serde(deserialize_with = "lax")]
    pub iface: Option<String>,
    /// `bridge`, `bond`, `eth`, `vlan`.
    #[serde(rename = "type", deserialize_with = "lax")]
    pub kind: Option<String>,
    /// Its address with the length of its prefix.
    #[serde(deserialize_with = "lax")]
    pub cidr: Option<String>,
    /// The way out.
    #[serde(deserialize_with = "lax")]
    pub gateway: Option<String>,
    /// The cards behind a bridge.
    #[serde(deserialize_with = "lax")]
    pub bridge_ports: Option<String>,
    /// Whether it is up.
    #[serde(deserialize_with = "lax")]
    pub active: Option<bool>,
    /// Whether it comes up by itself.
    #[serde(deserialize_with = "lax")]
    pub autostart: Option<bool>,
}

/// One entry of `GET /cluster/log`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ClusterLog {
    /// Epoch seconds.
    #[serde(deserialize_with = "lax")]
    pub time: Option<i64>,
    /// The node that says so.
    #[serde(deserialize_with = "lax")]
    pub node: Option<String>,
    /// Who.
    #[serde(deserialize_with = "lax")]
    pub user: Option<String>,
    /// From 0, the worst, to 7.
    #[serde(deserialize_with = "lax")]
    pub pri: Option<i64>,
    /// What.
    #[serde(deserialize_with = "lax")]
    pub msg: Option<String>,
}

/// `GET /nodes/{node}/status`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NodeStatus {
    /// Seconds.
    #[serde(deserialize_with = "lax")]
    pub uptime: Option<i64>,
    /// Fraction of all threads.
    #[serde(deserialize_with = "lax")]
    pub cpu: Option<f64>,
    /// Fraction of time spent waiting for storage.
    #[serde(deserialize_with = "lax")]
    pub wait: Option<f64>,
    /// Three numbers as strings.
    #[serde(deserialize_with = "texts")]
    pub loadavg: Vec<String>,
    /// The kernel.
    #[serde(deserialize_with = "lax")]
    pub kversion: Option<String>,
    /// `pve-manager/9.1.4/…`.
    #[serde(deserialize_with = "lax")]
    pub pveversion: Option<String>,
    /// Memory.
    pub memory: Maybe<Memory>,
    /// Swap.
    pub swap: Maybe<Memory>,
    /// The root file system.
    pub rootfs: Maybe<Memory>,
    /// Processors.
    pub cpuinfo: Maybe<CpuInfo>,
}

/// Sizes in bytes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// All of it.
    #[serde(deserialize_with = "lax")]
    pub total: Option<i64>,
    /// In use; for memory the ZFS cache counts as used.
    #[serde(deserialize_with = "lax")]
    pub used: Option<i64>,
    /// `MemAvailable` (9); on 8 there is none.
    #[serde(deserialize_with = "lax")]
    pub available: Option<i64>,
}

impl Memory {
    /// What can be had; PVE 8 tells it only as what is not used, with the page cache left out.
    pub fn left(&self) -> Option<i64> {
        self.available.or_else(|| Some(self.total? - self.used?))
    }
}

/// The processors of a node.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct CpuInfo {
    /// Threads.
    #[serde(deserialize_with = "lax")]
    pub cpus: Option<i64>,
    /// The model.
    #[serde(deserialize_with = "lax")]
    pub model: Option<String>,
}

/// One bucket of `GET …/rrddata`; a bucket without data has its time only.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Sample {
    /// Epoch seconds.
    #[serde(deserialize_with = "lax")]
    pub time: Option<i64>,
    /// Fraction.
    #[serde(deserialize_with = "lax")]
    pub cpu: Option<f64>,
    /// Bytes of a guest.
    #[serde(deserialize_with = "lax")]
    pub mem: Option<f64>,
    /// What a virtual machine costs its host, bytes (9).
    #[serde(deserialize_with = "lax")]
    pub memhost: Option<f64>,
    /// Bytes of a node.
    #[serde(deserialize_with = "lax")]
    pub memused: Option<f64>,
    /// Bytes of the ZFS cache of a node (9).
    #[serde(deserialize_with = "lax")]
    pub arcsize: Option<f64>,
    /// Bytes per second.
    #[serde(deserialize_with = "lax")]
    pub netin: Option<f64>,
    /// Bytes per second.
    #[serde(deserialize_with = "lax")]
    pub netout: Option<f64>,
    /// Bytes per second.
    #[serde(deserialize_with = "lax")]
    pub diskread: Option<f64>,
    /// Bytes per second.
    #[serde(deserialize_with = "lax")]
    pub diskwrite: Option<f64>,
    /// Fraction of time spent waiting for storage (nodes).
    #[serde(deserialize_with = "lax")]
    pub iowait: Option<f64>,
    /// Percent (9).
    #[serde(deserialize_with = "lax")]
    pub pressurecpusome: Option<f64>,
    /// Percent (9).
    #[serde(deserialize_with = "lax")]
    pub pressureiosome: Option<f64>,
    /// Percent (9).
    #[serde(deserialize_with = "lax")]
    pub pressurememorysome: Option<f64>,
}

/// One entry of `GET /cluster/mapping/pci`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Mapping {
    /// Its name.
    #[serde(deserialize_with = "lax")]
    pub id: Option<String>,
    /// `node=pve,path=0000:01:00,…`; several entries of one node are alternatives.
    #[serde(deserialize_with = "texts")]
    pub map: Vec<String>,
}

/// One entry of `GET /nodes/{node}/certificates/info`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Certificate {
    /// `pve-ssl.pem`, `pveproxy-ssl.pem`, `pve-root-ca.pem`.
    #[serde(deserialize_with = "lax")]
    pub filename: Option<String>,
    /// SHA-256 in pairs.
    #[serde(deserialize_with = "lax")]
    pub fingerprint: Option<String>,
    /// Epoch seconds.
    #[serde(deserialize_with = "lax")]
    pub notafter: Option<i64>,
}

/// `GET /nodes/{node}/config`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NodeConfig {
    /// `mac=AA:…` or the address alone.
    #[serde(deserialize_with = "lax")]
    pub wakeonlan: Option<String>,
}

/// One entry of `GET /nodes/{node}/services`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Service {
    /// Its name.
    #[serde(rename = "service", deserialize_with = "lax")]
    pub name: Option<String>,
    /// What it does.
    #[serde(deserialize_with = "lax")]
    pub desc: Option<String>,
    /// systemd's `SubState`.
    #[serde(deserialize_with = "lax")]
    pub state: Option<String>,
    /// `active`, `inactive`, `failed`.
    #[serde(rename = "active-state", deserialize_with = "lax")]
    pub active_state: Option<String>,
    /// `enabled`, `disabled`, `static`.
    #[serde(rename = "unit-state", deserialize_with = "lax")]
    pub unit_state: Option<String>,
}

/// One entry of `GET /nodes/{node}/apt/update`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Update {
    /// The package.
    #[serde(rename = "Package", deserialize_with = "lax")]
    pub package: Option<String>,
    /// The installed version.
    #[serde(rename = "OldVersion", deserialize_with = "lax")]
    pub old_version: Option<String>,
    /// The version that can be had.
    #[serde(rename = "Version", deserialize_with = "lax")]
    pub version: Option<String>,
}

/// One entry of `GET /nodes/{node}/hardware/pci`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PciDevice {
    /// `0000:01:00.0`.
    #[serde(deserialize_with = "lax")]
    pub id: Option<String>,
    /// `0x030000`.
    #[serde(deserialize_with = "lax")]
    pub class: Option<String>,
    /// Its name.
    #[serde(deserialize_with = "lax")]
    pub device_name: Option<String>,
    /// −1 where there is no IOMMU.
    #[serde(deserialize_with = "lax")]
    pub iommugroup: Option<i64>,
}
