//! What is told of backups, and of the disks and pools that hold everything.

use serde::Deserialize;

use crate::backend::proxmox::lenient::{Items, Maybe, lax};

/// One entry of a storage's content.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// `store:backup/vzdump-qemu-101-…`.
    #[serde(deserialize_with = "lax")]
    pub volid: Option<String>,
    /// The guest.
    #[serde(deserialize_with = "lax")]
    pub vmid: Option<i64>,
    /// `qemu` or `lxc`.
    #[serde(deserialize_with = "lax")]
    pub subtype: Option<String>,
    /// Epoch seconds.
    #[serde(deserialize_with = "lax")]
    pub ctime: Option<i64>,
    /// Bytes.
    #[serde(deserialize_with = "lax")]
    pub size: Option<i64>,
    /// The first line of its notes.
    #[serde(deserialize_with = "lax")]
    pub notes: Option<String>,
    /// Whether it refuses to be removed.
    #[serde(deserialize_with = "lax")]
    pub protected: Option<bool>,
    /// What a backup server found when it verified it.
    pub verification: Maybe<Verification>,
}

/// The verification of a backup (Proxmox Backup Server).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Verification {
    /// `ok` or `failed`.
    #[serde(deserialize_with = "lax")]
    pub state: Option<String>,
}

/// One entry of `GET /cluster/backup`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct BackupJob {
    /// Its id.
    #[serde(deserialize_with = "lax")]
    pub id: Option<String>,
    /// Absent is on.
    #[serde(deserialize_with = "lax")]
    pub enabled: Option<bool>,
    /// A calendar event.
    #[serde(deserialize_with = "lax")]
    pub schedule: Option<String>,
    /// Epoch seconds; absent while it is off.
    #[serde(rename = "next-run", deserialize_with = "lax")]
    pub next_run: Option<i64>,
    /// Where to.
    #[serde(deserialize_with = "lax")]
    pub storage: Option<String>,
    /// `snapshot`, `suspend` or `stop`.
    #[serde(deserialize_with = "lax")]
    pub mode: Option<String>,
    /// All guests.
    #[serde(deserialize_with = "lax")]
    pub all: Option<bool>,
    /// These guests.
    #[serde(deserialize_with = "lax")]
    pub vmid: Option<String>,
    /// All but these guests.
    #[serde(deserialize_with = "lax")]
    pub exclude: Option<String>,
    /// The guests of this pool.
    #[serde(deserialize_with = "lax")]
    pub pool: Option<String>,
    /// Only on this node.
    #[serde(deserialize_with = "lax")]
    pub node: Option<String>,
    /// What somebody wrote about it.
    #[serde(deserialize_with = "lax")]
    pub comment: Option<String>,
}

/// One entry of `GET /nodes/{node}/disks/list`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Disk {
    /// `/dev/sda`.
    #[serde(deserialize_with = "lax")]
    pub devpath: Option<String>,
    /// `nvme`, `ssd`, `hdd`, `usb`, `unknown`.
    #[serde(rename = "type", deserialize_with = "lax")]
    pub kind: Option<String>,
    /// The model.
    #[serde(deserialize_with = "lax")]
    pub model: Option<String>,
    /// The serial number.
    #[serde(deserialize_with = "lax")]
    pub serial: Option<String>,
    /// Bytes.
    #[serde(deserialize_with = "lax")]
    pub size: Option<i64>,
    /// `PASSED`, `OK`, `FAILED!`, `UNKNOWN`; not asked for in lists.
    #[serde(deserialize_with = "lax")]
    pub health: Option<String>,
    /// Percent of its life that is left, or `N/A`.
    #[serde(deserialize_with = "lax")]
    pub wearout: Option<f64>,
    /// What it is used for.
    #[serde(deserialize_with = "lax")]
    pub used: Option<String>,
}

/// `GET /nodes/{node}/disks/smart`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Smart {
    /// `PASSED`, `OK`, `FAILED!`.
    #[serde(deserialize_with = "lax")]
    pub health: Option<String>,
    /// The attributes of ATA disks.
    pub attributes: Items<SmartAttribute>,
    /// What `NVMe` and SAS disks tell.
    #[serde(deserialize_with = "lax")]
    pub text: Option<String>,
}

/// One SMART attribute.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SmartAttribute {
    /// Its number.
    #[serde(deserialize_with = "lax")]
    pub id: Option<String>,
    /// Its name.
    #[serde(deserialize_with = "lax")]
    pub name: Option<String>,
    /// What it counts.
    #[serde(deserialize_with = "lax")]
    pub raw: Option<String>,
    /// `-` is fine.
    #[serde(deserialize_with = "lax")]
    pub fail: Option<String>,
}

/// One entry of `GET /nodes/{node}/disks/zfs`; sizes before parity.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Zpool {
    /// Its name.
    #[serde(deserialize_with = "lax")]
    pub name: Option<String>,
    /// Bytes.
    #[serde(deserialize_with = "lax")]
    pub size: Option<i64>,
    /// Bytes.
    #[serde(deserialize_with = "lax")]
    pub alloc: Option<i64>,
    /// Percent.
    #[serde(deserialize_with = "lax")]
    pub frag: Option<f64>,
    /// `ONLINE`, `DEGRADED`, `FAULTED`, `SUSPENDED`.
    #[serde(deserialize_with = "lax")]
    pub health: Option<String>,
}

/// `GET /nodes/{node}/disks/zfs/{pool}`, and each device below it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Vdev {
    /// Its name.
    #[serde(deserialize_with = "lax")]
    pub name: Option<String>,
    /// `ONLINE`, `DEGRADED`, …
    #[serde(deserialize_with = "lax")]
    pub state: Option<String>,
    /// Read errors.
    #[serde(deserialize_with = "lax")]
    pub read: Option<i64>,
    /// Write errors.
    #[serde(deserialize_with = "lax")]
    pub write: Option<i64>,
    /// Checksum errors.
    #[serde(deserialize_with = "lax")]
    pub cksum: Option<i64>,
    /// What ZFS says about it.
    #[serde(deserialize_with = "lax")]
    pub msg: Option<String>,
    /// What happened (the pool).
    #[serde(deserialize_with = "lax")]
    pub status: Option<String>,
    /// What to do (the pool).
    #[serde(deserialize_with = "lax")]
    pub action: Option<String>,
    /// The last or running scrub in ZFS' own words (the pool).
    #[serde(deserialize_with = "lax")]
    pub scan: Option<String>,
    /// Known data errors (the pool).
    #[serde(deserialize_with = "lax")]
    pub errors: Option<String>,
    /// The devices below it.
    pub children: Items<Vdev>,
}
