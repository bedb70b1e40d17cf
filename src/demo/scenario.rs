//! Scenarios: what is wrong in the lab, as small TOML files that are compiled in.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::Deserialize;

use crate::backend::sim::{Fault, Size};
use crate::model::time::parse_duration;

const EMBEDDED: &[(&str, &str)] = &[
    ("calm", include_str!("../../demo/calm.toml")),
    ("load", include_str!("../../demo/load.toml")),
    ("cluster", include_str!("../../demo/cluster.toml")),
    ("many-pods", include_str!("../../demo/many-pods.toml")),
    ("many-users", include_str!("../../demo/many-users.toml")),
    ("many-apps", include_str!("../../demo/many-apps.toml")),
    ("wave-stuck", include_str!("../../demo/wave-stuck.toml")),
    ("promotion", include_str!("../../demo/promotion.toml")),
    ("promotion-workflow", include_str!("../../demo/promotion-workflow.toml")),
    ("leaked-window", include_str!("../../demo/leaked-window.toml")),
    ("many-machines", include_str!("../../demo/many-machines.toml")),
    ("leaks", include_str!("../../demo/leaks.toml")),
    ("bad-line", include_str!("../../demo/bad-line.toml")),
    ("alert-storm", include_str!("../../demo/alert-storm.toml")),
    ("gaming-refused", include_str!("../../demo/gaming-refused.toml")),
    ("home-off-declared", include_str!("../../demo/home-off-declared.toml")),
    ("home-lost", include_str!("../../demo/home-lost.toml")),
    ("outpost-down", include_str!("../../demo/outpost-down.toml")),
    ("comet-moved", include_str!("../../demo/comet-moved.toml")),
    ("ci-challenge", include_str!("../../demo/ci-challenge.toml")),
    ("boot-storm", include_str!("../../demo/boot-storm.toml")),
];

/// A scenario as its file gives it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line for the header and `vigie demo --help`.
    pub title: String,
    /// Faults in force from the start, as `--faults` takes them.
    #[serde(default)]
    faults: Vec<String>,
    /// Guests on the simulated Proxmox; 0 is the homelab.
    #[serde(default)]
    guests: usize,
    /// Pods on the simulated Kubernetes; 0 is the homelab.
    #[serde(default)]
    pods: usize,
    /// Machines of the simulated Omni beside those of the homelab.
    #[serde(default)]
    machines: usize,
    /// Applications of the simulated Argo CD beside those of the homelab.
    #[serde(default)]
    applications: usize,
    /// Facts that the simulators look at (`home = "off"`).
    #[serde(default)]
    pub flags: BTreeMap<String, String>,
    /// What somebody has declared of the house before.
    pub declared: Option<Declared>,
    /// What happens after a while.
    pub later: Option<Later>,
}

/// The house was declared off.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// For how long, from the start of the lab (`10h`).
    #[serde(rename = "for")]
    pub long: String,
    /// Why.
    pub reason: String,
}

/// Something that happens while the lab runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Later {
    /// How long after its start (`15s`).
    pub after: String,
    /// Faults in force from then on.
    #[serde(default)]
    faults: Vec<String>,
    /// Facts from then on.
    #[serde(default)]
    pub flags: BTreeMap<String, String>,
}

impl Later {
    /// How long after the start.
    pub fn after(&self) -> Result<SignedDuration, String> {
        parse_duration(&self.after).ok_or_else(|| format!("`{}` is no duration", self.after))
    }

    /// Its faults.
    pub fn faults(&self) -> Result<Vec<Fault>, String> {
        self.faults.iter().map(|text| text.parse()).collect()
    }
}

impl Scenario {
    /// A scenario by its name; the error lists those that exist.
    pub fn named(name: &str) -> Result<Self, String> {
        let (_, text) = EMBEDDED.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            format!("`{name}` is no scenario; there are {}", names().collect::<Vec<_>>().join(", "))
        })?;
        toml::from_str(text).map_err(|error| format!("scenario {name}: {error}"))
    }

    /// How large its lab is.
    pub fn size(&self) -> Size {
        let Self { guests, pods, machines, applications, .. } = *self;
        Size { guests, pods, machines, applications }
    }

    /// Its faults.
    pub fn faults(&self) -> Result<Vec<Fault>, String> {
        self.faults.iter().map(|text| text.parse()).collect()
    }
}

/// The names of all scenarios.
pub fn names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_scenario_can_be_read() {
        for name in names() {
            let scenario = Scenario::named(name).unwrap();
            assert!(!scenario.title.is_empty(), "{name}");
            scenario.faults().unwrap();
            if let Some(later) = scenario.later {
                later.after().unwrap();
                later.faults().unwrap();
            }
            let declared = scenario.declared.map(|declared| parse_duration(&declared.long));
            assert!(declared.is_none_or(|long| long.is_some()), "{name}");
        }
    }

    #[test]
    fn an_unknown_name_lists_those_that_exist() {
        assert!(Scenario::named("clam").unwrap_err().contains("calm"));
    }
}
