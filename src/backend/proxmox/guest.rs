//! One guest: how it is addressed, and what its configuration says.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::model::id::EntityId;

use super::lenient::LaxText;
use super::startup::Startup;

/// The two sorts of guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// A virtual machine.
    Qemu,
    /// A container.
    Lxc,
}

impl Family {
    /// Its name in paths and ids.
    pub fn word(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::Lxc => "lxc",
        }
    }

    /// What people call it.
    pub fn short(self) -> &'static str {
        match self {
            Self::Qemu => "VM",
            Self::Lxc => "CT",
        }
    }
}

/// A guest's key, `qemu/110`: its number is unique in the cluster, but can be used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GuestKey {
    /// Which sort.
    pub family: Family,
    /// Its number.
    pub vmid: u32,
}

impl GuestKey {
    /// Reads a key.
    pub fn parse(key: &str) -> Option<Self> {
        let (family, vmid) = key.split_once('/')?;
        let family = match family {
            "qemu" => Family::Qemu,
            "lxc" => Family::Lxc,
            _ => return None,
        };
        Some(Self { family, vmid: vmid.parse().ok()? })
    }

    /// The key of a row.
    pub fn of(id: &EntityId) -> Option<Self> {
        Self::parse(&id.key)
    }

    /// The path of its calls below a node.
    pub fn path(self, node: &str) -> String {
        format!("/nodes/{node}/{self}")
    }

    /// The path that its rights hang on.
    pub fn rights_path(self) -> String {
        format!("/vms/{}", self.vmid)
    }
}

impl fmt::Display for GuestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.family.word(), self.vmid)
    }
}

/// `GET …/config` of a guest: keys that nobody can list beforehand.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct GuestConfig(BTreeMap<String, LaxText>);

impl GuestConfig {
    /// A key's value as text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.0.as_deref().filter(|text| !text.is_empty())
    }

    /// A key's value as a flag; property strings such as `1,fstrim=1` or `enabled=1` count by their first part.
    pub fn flag(&self, key: &str) -> bool {
        let first = self.text(key).and_then(|text| text.split(',').next()).unwrap_or_default();
        matches!(first.strip_prefix("enabled=").unwrap_or(first), "1" | "true" | "yes" | "on")
    }

    /// The guest's name.
    pub fn name(&self) -> Option<&str> {
        self.text("name").or_else(|| self.text("hostname"))
    }

    /// Memory in MiB; `32768` or `current=32768`.
    pub fn memory_mib(&self) -> Option<i64> {
        let text = self.text("memory")?;
        let value = text.split(',').find_map(|part| match part.split_once('=') {
            Some(("current", value)) => Some(value),
            Some(_) => None,
            None => Some(part),
        });
        value?.trim().parse().ok()
    }

    /// The SMBIOS UUID, lower case.
    pub fn uuid(&self) -> Option<String> {
        let mut parts = self.text("smbios1")?.split(',');
        parts.find_map(|part| part.strip_prefix("uuid=")).map(str::to_ascii_lowercase)
    }

    /// The addresses of its network cards, lower case.
    pub fn macs(&self) -> Vec<String> {
        let cards = self.numbered("net");
        let looks = |value: &&str| {
            let pairs: Vec<&str> = value.split(':').collect();
            pairs.len() == 6
                && pairs.iter().all(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))
        };
        let address = |card: &str| {
            let mut values = card.split(',').filter_map(|part| part.split_once('=').map(|(_, value)| value));
            values.find(looks).map(str::to_ascii_lowercase)
        };
        cards.filter_map(|(_, card)| address(card)).collect()
    }

    /// The devices that are passed through to it.
    pub fn passthrough(&self) -> Vec<&str> {
        self.numbered("hostpci").map(|(_, device)| device).collect()
    }

    /// Its place among others when several are started or stopped.
    pub(super) fn startup(&self) -> Startup {
        self.text("startup").map_or_else(Startup::default, Startup::parse)
    }

    /// The storages that its disks are on.
    pub fn storages(&self) -> std::collections::BTreeSet<&str> {
        let disks = ["scsi", "virtio", "sata", "ide", "efidisk", "tpmstate", "mp"];
        let disks = disks.into_iter().flat_map(|prefix| self.numbered(prefix)).map(|(_, disk)| disk);
        let volumes = disks.chain(self.text("rootfs")).filter(|disk| !disk.contains("media=cdrom"));
        volumes.filter_map(|disk| disk.split_once(':')).map(|(storage, _)| storage).collect()
    }

    /// The entries `prefix0`, `prefix1`, … in order.
    pub fn numbered<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.range(prefix.to_owned()..).take_while(move |(key, _)| key.starts_with(prefix)).filter_map(
            move |(key, value)| {
                let number = key.strip_prefix(prefix)?;
                let numeric = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
                numeric.then_some((key.as_str(), value.0.as_deref()?))
            },
        )
    }

    /// All keys and their values in order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(key, value)| Some((key.as_str(), value.0.as_deref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_and_written() {
        let key = GuestKey::parse("qemu/110").unwrap();
        assert_eq!((key.to_string().as_str(), key.path("pve").as_str()), ("qemu/110", "/nodes/pve/qemu/110"));
        for wrong in ["110", "qemu/", "qemu/x", "node/110", "qemu/-1"] {
            assert_eq!(GuestKey::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_configuration_is_read_in_all_its_spellings() {
        let config: GuestConfig = serde_json::from_str(
            r#"{"memory":"current=32768","onboot":1,"agent":"enabled=1,fstrim_cloned_disks=1","name":"windows-gaming",
                "smbios1":"uuid=5F1D7C5E-5C52-4F6B-9D0E-0F5B2B9F0B11,base64=1","net0":"virtio=BC:24:11:7A:10:C8,bridge=vmbr0",
                "net1":"name=eth0,bridge=vmbr0,hwaddr=BC:24:11:AA:BB:CC,ip=dhcp","hostpci0":"0000:01:00,pcie=1",
                "hostpcix":"no","cores":8,"odd":{"a":1}}"#,
        )
        .unwrap();
        assert_eq!(config.memory_mib(), Some(32_768));
        assert!(config.flag("onboot") && config.flag("agent") && !config.flag("protection"));
        assert_eq!(config.uuid().as_deref(), Some("5f1d7c5e-5c52-4f6b-9d0e-0f5b2b9f0b11"));
        assert_eq!(config.macs(), ["bc:24:11:7a:10:c8", "bc:24:11:aa:bb:cc"]);
        assert_eq!(config.passthrough(), ["0000:01:00,pcie=1"]);
        let older: GuestConfig = serde_json::from_str(r#"{"memory":4096,"hostname":"adguard"}"#).unwrap();
        assert_eq!((older.memory_mib(), older.name()), (Some(4_096), Some("adguard")));
    }
}
