//! DEV clusters that are born and die on time: made from a template, marked with owner and time to live, taken down whole.
//!
//! Omni has no time to live and lets an Operator destroy anything. So only what matches the configured name *and* takes
//! every machine from a configured class can be destroyed here, whatever its labels say.

mod birth;
mod create;
mod destroy;
mod free;

use crate::backend::error::ApiError;
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::wire::{ClusterMachineStatus, MachineSet};
use crate::config::Ephemeral;
use crate::model::op::{Decision, Evidence};
use crate::model::row::Tone;

pub(super) use create::Create;
pub(super) use destroy::Destroy;
pub(super) use free::Free;

/// Said where nothing is configured.
const NOT_CONFIGURED: &str = "no `ephemeral` is configured for this Omni: see `vigie config`";

/// Whether a name is one of an ephemeral cluster: the prefix, then a run id.
fn is_ours(ephemeral: &Ephemeral, name: &str) -> bool {
    name.strip_prefix(&ephemeral.prefix).is_some_and(is_run_id)
}

/// A run id: lower-case letters, digits and dashes, as a cluster's name allows.
fn is_run_id(id: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !id.is_empty() && id.len() <= 32 && id.chars().all(fits) && !id.starts_with('-') && !id.ends_with('-')
}

/// Whether every machine of a cluster is made on demand by a configured class; what speaks against it otherwise.
async fn origin(
    client: &Client,
    ephemeral: &Ephemeral,
    cluster: &str,
) -> Result<Vec<(Decision, Evidence)>, ApiError> {
    let selected = Route::selected(format!("omni.sidero.dev/cluster={cluster}"));
    let (sets, whole_sets) = client.list::<MachineSet>(&selected).await?;
    let (machines, whole_machines) = client.list::<ClusterMachineStatus>(&selected).await?;
    if !whole_sets || !whole_machines {
        let evidence = Evidence::new("machines", "the list is incomplete", Tone::Unknown);
        return Ok(vec![(Decision::Refuse, evidence)]);
    }
    let mut facts = Vec::new();
    for set in &sets {
        let class = set.spec.allocation().map_or("", |allocation| allocation.name.as_str());
        if !ephemeral.classes.iter().any(|known| known == class) {
            let how = if class.is_empty() {
                "is filled by hand".to_owned()
            } else {
                format!("is filled by class {class}")
            };
            let says = format!("{} {how}, which no ephemeral class does", set.metadata.id);
            facts.push((Decision::Refuse, Evidence::new("machine set", says, Tone::Error)));
        }
    }
    for machine in &machines {
        let name = machine
            .metadata
            .label("hostname")
            .filter(|name| !name.is_empty())
            .unwrap_or(&machine.metadata.id);
        let set = machine.metadata.label("machine-set").unwrap_or_default();
        let known = sets.iter().any(|known| &*known.metadata.id == set);
        if machine.spec.provision_status.request_id.is_empty() || !known {
            let says = format!("{name} was not made on demand");
            facts.push((Decision::Refuse, Evidence::new("machine", says, Tone::Error)));
        } else {
            let reach =
                if machine.metadata.label("connected").is_some() { "connected" } else { "disconnected" };
            facts.push((Decision::Allow, Evidence::new("machine", format!("{name}, {reach}"), Tone::Text)));
        }
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_prefix_with_a_plain_run_id_is_ours() {
        let ephemeral = Ephemeral { prefix: "dev-ephemeral-".into(), ..Ephemeral::default() };
        for name in ["dev-ephemeral-8841", "dev-ephemeral-a-1"] {
            assert!(is_ours(&ephemeral, name), "{name}");
        }
        for name in [
            "prod",
            "dev-ephemeral-",
            "dev-ephemeral--x",
            "dev-ephemeral-A",
            "xdev-ephemeral-1",
            "dev-ephemeral-1/../prod",
        ] {
            assert!(!is_ours(&ephemeral, name), "{name}");
        }
    }
}
