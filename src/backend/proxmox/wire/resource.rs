//! The one list that is polled, read without copying its texts.

use std::borrow::Cow;

use serde::Deserialize;

use crate::backend::proxmox::lenient::{Items, lax};

use super::Data;

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
