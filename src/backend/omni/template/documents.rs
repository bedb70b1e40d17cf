//! The documents of a template, field by field as omnictl has them (`client/pkg/template`); an unknown field is an error.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Labels or annotations.
pub(super) type Words = BTreeMap<String, String>;

/// `kind: Cluster`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ClusterDoc {
    pub name: String,
    #[serde(default)]
    pub labels: Words,
    #[serde(default)]
    pub annotations: Words,
    pub kubernetes: KubernetesDoc,
    pub talos: VersionDoc,
    #[serde(default)]
    pub features: FeaturesDoc,
    #[serde(default)]
    pub patches: Vec<PatchDoc>,
    #[serde(default)]
    pub system_extensions: Vec<String>,
    #[serde(default)]
    pub kernel_args: Vec<String>,
}

/// `kubernetes` of a cluster.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KubernetesDoc {
    pub version: String,
    #[serde(default)]
    pub manifests: Vec<Value>,
    #[serde(default)]
    pub healthchecks: Vec<Value>,
}

/// A version with its `v`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VersionDoc {
    pub version: String,
}

// The switches are those of omnictl's own schema.
#[allow(clippy::struct_excessive_bools)]
/// `features` of a cluster.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct FeaturesDoc {
    pub disk_encryption: bool,
    pub enable_workload_proxy: bool,
    pub use_embedded_discovery_service: bool,
    pub disable_public_discovery_service: bool,
    pub enable_node_audit_skip: bool,
    pub backup_configuration: Option<BackupDoc>,
}

/// How often etcd is saved.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BackupDoc {
    pub interval: String,
}

/// `kind: ControlPlane` and `kind: Workers`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SetDoc {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub labels: Words,
    #[serde(default)]
    pub annotations: Words,
    #[serde(default)]
    pub machines: Option<Vec<String>>,
    #[serde(default)]
    pub machine_class: Option<ClassDoc>,
    #[serde(default)]
    pub patches: Vec<PatchDoc>,
    #[serde(default)]
    pub system_extensions: Vec<String>,
    #[serde(default)]
    pub kernel_args: Vec<String>,
    #[serde(default)]
    pub update_strategy: Option<Value>,
    #[serde(default)]
    pub delete_strategy: Option<Value>,
    #[serde(default)]
    pub upgrade_strategy: Option<Value>,
    #[serde(default)]
    pub bootstrap_spec: Option<Value>,
    #[serde(skip)]
    pub control_plane: bool,
}

/// A machine class, and how many of its machines.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClassDoc {
    pub name: String,
    pub size: Size,
}

/// How many machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// So many.
    Count(u32),
    /// Every one that fits.
    Unlimited,
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;
        impl Visitor<'_> for Reading {
            type Value = Size;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or `unlimited`")
            }
            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Size, E> {
                u32::try_from(count).map(Size::Count).map_err(E::custom)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
                if text == "unlimited" {
                    Ok(Size::Unlimited)
                } else {
                    Err(E::invalid_value(de::Unexpected::Str(text), &self))
                }
            }
        }
        deserializer.deserialize_any(Reading)
    }
}

/// `kind: Machine`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MachineDoc {
    pub name: String,
    #[serde(default)]
    pub labels: Words,
    #[serde(default)]
    pub annotations: Words,
    #[serde(default)]
    pub locked: bool,
    #[serde(default)]
    pub install: Option<InstallDoc>,
    #[serde(default)]
    pub patches: Vec<PatchDoc>,
    #[serde(default)]
    pub system_extensions: Vec<String>,
    #[serde(default)]
    pub kernel_args: Vec<String>,
}

/// Where Talos is installed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstallDoc {
    pub disk: String,
}

/// A config patch, written here or in a file beside.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PatchDoc {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub id_override: String,
    #[serde(default)]
    pub inline: Option<Value>,
    #[serde(default)]
    pub file: String,
    #[serde(default)]
    pub labels: Words,
    #[serde(default)]
    pub annotations: Words,
    /// Its text, once it is known to be there.
    #[serde(skip)]
    pub text: String,
}

impl PatchDoc {
    /// Fetches the text.
    pub(super) fn load(&mut self, folder: Option<&Path>) -> Result<(), String> {
        match (&self.inline, self.file.as_str()) {
            (Some(_), "") if self.name.is_empty() && self.id_override.is_empty() => {
                return Err("a patch with `inline` needs a `name` or `idOverride`".to_owned());
            }
            // JSON is YAML, and the server takes either.
            (Some(inline), "") => self.text = inline.to_string(),
            (None, file) if !file.is_empty() => {
                let path = folder.map_or_else(|| Path::new(file).to_owned(), |folder| folder.join(file));
                let text =
                    std::fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
                self.text = text;
            }
            _ => return Err(format!("patch `{}`: either `inline` or `file` is needed", self.name)),
        }
        Ok(())
    }

    /// What it is called: its name, else that of its file.
    pub(super) fn called(&self) -> &str {
        if self.name.is_empty() { &self.file } else { &self.name }
    }
}
