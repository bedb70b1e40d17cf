//! Rows of `omni.machines`: the hardware's state joined with that of the machine's place in a cluster.

use std::sync::Arc;

use super::Judgement;
use crate::backend::omni::feed::{Feed, Lens, Shelf, Shelved};
use crate::backend::omni::kinds::MACHINES;
use crate::backend::omni::wire::{ClusterMachineStatus, Hardware, MachineStatus, Metadata, Resource, Stage};
use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row, Tone};

/// What the machines' rows are made of.
#[derive(Debug, Default)]
pub(in crate::backend::omni) struct Machines {
    pub(in crate::backend::omni) machines: Shelf<MachineStatus>,
    pub(in crate::backend::omni) members: Shelf<ClusterMachineStatus>,
}

impl Feed for Machines {
    const KIND: &'static str = MACHINES;

    fn shelves(&mut self) -> Vec<&mut dyn Shelved> {
        vec![&mut self.machines, &mut self.members]
    }

    fn ids(&self) -> Vec<Arc<str>> {
        self.machines.ids().cloned().collect()
    }

    fn row(&self, id: &str, lens: &Lens) -> Option<Row> {
        let machine = self.machines.of(id)?;
        let member = self.members.of(id);
        let (spec, meta) = (&machine.spec, &machine.metadata);
        let name = hostname(machine, member);
        let (word, judgement) = judge(machine, member);
        let cores: i64 = spec.hardware.processors.iter().map(|cpu| cpu.core_count).sum();
        let cells = vec![
            Cell::toned(word, judgement.health.into()),
            Cell::new(&*name),
            Cell::new(spec.cluster.as_str()),
            Cell::new(role(machine)),
            Cell::new(spec.talos_version.trim_start_matches('v')),
            Cell::new((cores > 0).then_some(cores)),
            Cell::new(memory(&spec.hardware)),
            Cell::new(spec.hardware.disk()),
            Cell::new(address(spec).unwrap_or_default()),
            Cell::toned(locked(member), Tone::Info),
            Cell::new(spec.platform_metadata.platform.as_str()),
            Cell::new(spec.hardware.arch.as_str()),
            Cell::new(labels(meta).as_str()),
            Cell::toned(&*meta.id, Tone::Dim),
            Cell::new(meta.created),
        ];
        let key = EntityId::new(MACHINES, lens.instance.clone(), meta.id.clone());
        let mut row = Row::new(key, name.clone(), cells);
        row.health = judgement.health;
        row.note = judgement.note.map(Arc::from);
        row.domain = lens.domain_of(&meta.labels);
        row.identity = identity(machine);
        row.facets = facets(machine, &name).into_boxed_slice();
        Some(row)
    }
}

/// What makes a machine that machine in its present place.
pub(in crate::backend::omni) fn identity(machine: &Resource<MachineStatus>) -> Identity {
    let cluster = machine.spec.cluster.as_str();
    Identity::new().with("uuid", machine.metadata.id.clone()).with("cluster", cluster)
}

/// The name that people use: the host name, else the UUID.
pub(in crate::backend::omni) fn hostname(
    machine: &Resource<MachineStatus>,
    member: Option<&Resource<ClusterMachineStatus>>,
) -> Arc<str> {
    let labelled = member.and_then(|member| member.metadata.label("hostname"));
    let own = machine.spec.network.hostname.as_str();
    [own, labelled.unwrap_or_default()]
        .into_iter()
        .find(|name| !name.is_empty())
        .map_or_else(|| machine.metadata.id.clone(), Arc::from)
}

/// What it is in its cluster.
pub(in crate::backend::omni) fn role(machine: &Resource<MachineStatus>) -> &'static str {
    match machine.spec.role {
        1 => "control-plane",
        2 => "worker",
        _ => "",
    }
}

/// The role that the labels of a resource about it name.
pub(in crate::backend::omni) fn role_of(meta: &Metadata) -> &'static str {
    if meta.label("role-controlplane").is_some() {
        "control-plane"
    } else if meta.label("role-worker").is_some() {
        "worker"
    } else {
        ""
    }
}

/// Bytes of memory; `None` where the hardware is not known.
pub(in crate::backend::omni) fn memory(hardware: &Hardware) -> Option<i64> {
    let megabytes: i64 = hardware.memory_modules.iter().map(|module| module.size_mb.max(0)).sum();
    (megabytes > 0).then(|| megabytes.saturating_mul(1 << 20))
}

/// The addresses without masks; link-local and Omni's own tunnel (`fdae:41e4:649b::/48`) are nobody's address.
pub(in crate::backend::omni) fn addresses(machine: &MachineStatus) -> impl Iterator<Item = &str> {
    let plain = machine.network.addresses.iter().filter_map(|address| address.split('/').next());
    plain.filter(|ip| !ip.is_empty() && !ip.starts_with("fe80:") && !ip.starts_with("fdae:41e4:649b:"))
}

fn address(machine: &MachineStatus) -> Option<&str> {
    addresses(machine).next()
}

fn locked(member: Option<&Resource<ClusterMachineStatus>>) -> &'static str {
    match member.map(|member| &member.metadata) {
        Some(meta) if meta.label("locked-update").is_some() => "update waits",
        Some(meta) if meta.annotation("locked").is_some() => "locked",
        _ => "",
    }
}

fn labels(meta: &Metadata) -> String {
    let words = meta
        .user_labels()
        .map(|(key, value)| if value.is_empty() { key.to_owned() } else { format!("{key}={value}") });
    words.collect::<Vec<_>>().join(" ")
}

fn judge(
    machine: &Resource<MachineStatus>,
    member: Option<&Resource<ClusterMachineStatus>>,
) -> (&'static str, Judgement) {
    let spec = &machine.spec;
    let stage = member.map_or(0, |member| member.spec.stage);
    if !spec.connected && stage != Stage::POWERED_OFF && spec.power_state != 3 {
        let in_cluster = !spec.cluster.is_empty();
        let mut judged = Judgement::new(Health::Ok);
        let health = if in_cluster { Health::Critical } else { Health::Warning };
        judged.at_least(health, "Omni has no connection to it");
        return ("disconnected", judged);
    }
    let (word, mut judged) = match member {
        None if !spec.connected => ("powered off", Judgement::new(Health::Off)),
        None if spec.maintenance => ("available", Judgement::new(Health::Ok)),
        None => ("unallocated", Judgement::new(Health::Unknown)),
        Some(member) => member_state(&member.spec),
    };
    if let Some(member) = member {
        if !member.spec.last_config_error.is_empty() {
            judged.at_least(Health::Warning, member.spec.last_config_error.as_str());
        }
        if member.metadata.label("locked-update").is_some() {
            judged.at_least(Health::Warning, "locked: an update waits");
        }
    }
    if !spec.last_error.is_empty() {
        judged.at_least(Health::Warning, spec.last_error.as_str());
    }
    if let Some(found) = spec.diagnostics.first() {
        judged.at_least(Health::Warning, found.message.as_str());
    }
    if spec.schematic.invalid {
        judged.at_least(Health::Warning, "its schematic is invalid");
    }
    (word, judged)
}

fn member_state(member: &ClusterMachineStatus) -> (&'static str, Judgement) {
    let word = Stage(member.stage).word();
    match member.stage {
        Stage::RUNNING if member.ready => (word, Judgement::new(Health::Ok)),
        Stage::RUNNING => {
            let mut judged = Judgement::new(Health::Ok);
            judged.at_least(Health::Warning, "it runs but is not ready");
            ("not ready", judged)
        }
        Stage::POWERED_OFF => (word, Judgement::new(Health::Off)),
        0 => (word, Judgement::new(Health::Unknown)),
        _ => (word, Judgement::new(Health::Pending)),
    }
}

fn facets(machine: &Resource<MachineStatus>, name: &Arc<str>) -> Vec<Facet> {
    let spec = &machine.spec;
    let mut facets =
        vec![Facet::new(FacetKey::MachineUuid, machine.metadata.id.to_ascii_lowercase(), Grade::Certain)];
    let links = spec.network.network_links.iter().filter(|link| !link.hardware_address.is_empty());
    facets.extend(
        links.map(|link| {
            Facet::new(FacetKey::Mac, link.hardware_address.to_ascii_lowercase(), Grade::Certain)
        }),
    );
    facets.extend(addresses(spec).map(|ip| Facet::new(FacetKey::Ip, ip, Grade::Likely)));
    if !spec.network.hostname.is_empty() {
        facets.push(Facet::new(FacetKey::Host, spec.network.hostname.to_ascii_lowercase(), Grade::Likely));
    }
    if !spec.cluster.is_empty() {
        facets.push(Facet::new(FacetKey::Node, format!("{}/{name}", spec.cluster), Grade::Likely));
    }
    facets.push(Facet::new(FacetKey::Name, name.clone(), Grade::Hint));
    facets
}
