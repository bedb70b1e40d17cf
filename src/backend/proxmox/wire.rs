//! What Proxmox VE 8 and 9 answer, with the names that they use; every field may be absent or of a wrong type.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::lenient::{Items, LaxText, Maybe, lax, texts};

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

/// One entry of `GET /cluster/resources`; which fields are there depends on `type`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Resource<'a> {
    /// `qemu/100`, `node/pve`, `storage/pve/local`.
    #[serde(borrow, deserialize_with = "lax")]
    pub id: Option<Cow<'a, str>>,
    /// `node`, `qemu`, `lxc`, `storage`, `pool`, `sdn` (8), `network` (9).
    #[serde(borrow, rename = "type", deserialize_with = "lax")]
    pub kind: Option<Cow<'a, str>>,
    /// The node it is on.
    #[serde(borrow, deserialize_with = "lax")]
    pub node: Option<Cow<'a, str>>,
    /// A string for containers before 8.
    #[serde(deserialize_with = "lax")]
    pub vmid: Option<i64>,
    /// Absent until pvestatd has run.
    #[serde(borrow, deserialize_with = "lax")]
    pub name: Option<Cow<'a, str>>,
    /// For QEMU any QMP state.
    #[serde(borrow, deserialize_with = "lax")]
    pub status: Option<Cow<'a, str>>,
    /// Whether it is a template.
    #[serde(deserialize_with = "lax")]
    pub template: Option<bool>,
    /// Fraction of its own processors.
    #[serde(deserialize_with = "lax")]
    pub cpu: Option<f64>,
    /// Processors; fractional for containers.
    #[serde(deserialize_with = "lax")]
    pub maxcpu: Option<f64>,
    /// Bytes in use.
    #[serde(deserialize_with = "lax")]
    pub mem: Option<i64>,
    /// Bytes.
    #[serde(deserialize_with = "lax")]
    pub maxmem: Option<i64>,
    /// What a virtual machine costs its host, bytes (9).
    #[serde(deserialize_with = "lax")]
    pub memhost: Option<i64>,
    /// Bytes in use; 0 for QEMU.
    #[serde(deserialize_with = "lax")]
    pub disk: Option<i64>,
    /// Bytes.
    #[serde(deserialize_with = "lax")]
    pub maxdisk: Option<i64>,
    /// Seconds.
    #[serde(deserialize_with = "lax")]
    pub uptime: Option<i64>,
    /// Bytes since the guest's start.
    #[serde(deserialize_with = "lax")]
    pub netin: Option<i64>,
    /// Bytes since the guest's start.
    #[serde(deserialize_with = "lax")]
    pub netout: Option<i64>,
    /// Why power, configuration and snapshots are refused.
    #[serde(borrow, deserialize_with = "lax")]
    pub lock: Option<Cow<'a, str>>,
    /// Separated by `;`.
    #[serde(borrow, deserialize_with = "lax")]
    pub tags: Option<Cow<'a, str>>,
    /// The pool it belongs to.
    #[serde(borrow, deserialize_with = "lax")]
    pub pool: Option<Cow<'a, str>>,
    /// What the HA manager does with it.
    #[serde(borrow, deserialize_with = "lax")]
    pub hastate: Option<Cow<'a, str>>,
    /// A storage's name.
    #[serde(borrow, deserialize_with = "lax")]
    pub storage: Option<Cow<'a, str>>,
    /// `dir`, `zfspool`, `pbs`, …
    #[serde(borrow, deserialize_with = "lax")]
    pub plugintype: Option<Cow<'a, str>>,
    /// What a storage may hold, separated by `,`.
    #[serde(borrow, deserialize_with = "lax")]
    pub content: Option<Cow<'a, str>>,
    /// Whether all nodes see the same storage.
    #[serde(deserialize_with = "lax")]
    pub shared: Option<bool>,
}

/// `GET /cluster/resources`.
pub type Resources<'a> = Data<Items<Resource<'a>>>;

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

/// One entry of `GET /cluster/tasks` or `GET /nodes/{node}/tasks`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Task {
    /// Its id.
    #[serde(deserialize_with = "lax")]
    pub upid: Option<String>,
    /// Who started it.
    #[serde(deserialize_with = "lax")]
    pub user: Option<String>,
    /// With which token; active entries keep it inside `user`.
    #[serde(deserialize_with = "lax")]
    pub tokenid: Option<String>,
    /// Epoch seconds.
    #[serde(deserialize_with = "lax")]
    pub starttime: Option<i64>,
    /// Epoch seconds; absent while it runs.
    #[serde(deserialize_with = "lax")]
    pub endtime: Option<i64>,
    /// How it ended; absent or `RUNNING` while it runs.
    #[serde(deserialize_with = "lax")]
    pub status: Option<String>,
}

/// `GET /nodes/{node}/tasks/{upid}/status`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TaskStatus {
    /// `running` or `stopped`.
    #[serde(deserialize_with = "lax")]
    pub status: Option<String>,
    /// `OK`, `WARNINGS: n` or the error; may be late after `stopped`.
    #[serde(deserialize_with = "lax")]
    pub exitstatus: Option<String>,
}

/// One line of a task's log.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct LogEntry {
    /// From 1.
    #[serde(deserialize_with = "lax")]
    pub n: Option<i64>,
    /// Its text.
    #[serde(deserialize_with = "lax")]
    pub t: Option<String>,
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
