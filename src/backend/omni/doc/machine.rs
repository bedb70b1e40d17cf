//! Describes a machine.

use super::{age, fact};
use crate::backend::error::ApiError;
use crate::backend::omni::Omni;
use crate::backend::omni::client::Client;
use crate::backend::omni::feed::Feed;
use crate::backend::omni::rows::machines::{Machines, addresses, memory, role};
use crate::backend::omni::wire::{
    BlockDevice, ClusterMachineStatus, Hardware, MachineSnapshot, MachineStatus, NetworkLink, PendingUpdates,
    Resource, Stage,
};
use crate::model::kind::Format;
use crate::model::row::{Cell, Row, Tone};
use crate::model::view::{Doc, DocLine, Fact};

/// The description; `None` where the machine does not exist.
pub(super) async fn describe(omni: &Omni, id: &str) -> Result<Option<Doc>, ApiError> {
    let client = omni.client()?;
    let (mut feed, mut texts) = (Machines::default(), Vec::new());
    for shelf in feed.shelves() {
        let json = client.get_raw(shelf.table(), id, client.reader()).await?.unwrap_or_default();
        shelf.put(&json);
        texts.push(json);
    }
    // The row is made as in the list; what the list lets go of is shown here.
    let whole = serde_json::from_str::<Resource<MachineStatus>>(&texts[0]).ok();
    let (Some(row), Some(machine)) = (feed.row(id, &omni.lens()), whole.as_ref()) else { return Ok(None) };
    let member = serde_json::from_str::<Resource<ClusterMachineStatus>>(&texts[1]).ok();
    let member = member.as_ref();
    let snapshot = client.get::<MachineSnapshot>(id).await?.map(|found| found.spec).unwrap_or_default();
    let doc = Doc::default()
        .facts("", state(&row, machine, member))
        .lines("unmet conditions", unmet(&snapshot))
        .lines("Omni's diagnosis", diagnosis(&machine.spec))
        .facts("place", place(machine, member))
        .lines("waiting", waiting(client, id).await?)
        .facts("hardware", hardware(&machine.spec.hardware))
        .table("disks", DISK_COLUMNS.map(Into::into).to_vec(), disks(&machine.spec.hardware))
        .table("network", LINK_COLUMNS.map(Into::into).to_vec(), links(&machine.spec))
        .lines("extensions", machine.spec.schematic.extensions.iter().map(DocLine::new).collect())
        .lines("labels", labels(machine));
    Ok(Some(doc))
}

fn state(
    row: &Row,
    machine: &Resource<MachineStatus>,
    member: Option<&Resource<ClusterMachineStatus>>,
) -> Vec<Fact> {
    let tone = Tone::from(row.health);
    let word = row.cell(0).value.as_text().unwrap_or_default();
    let changed = member.map_or(machine.metadata.updated, |member| member.metadata.updated);
    let facts = [
        Some(Fact::new("state", word).format(Format::State).tone(tone)),
        row.note.as_deref().map(|note| Fact::new("why", note).tone(tone)),
        member.and_then(|member| fact("config error", &member.spec.last_config_error)),
        fact("last error", &machine.spec.last_error),
        Some(Fact::new("stage", member.map_or("in no cluster", |member| Stage(member.spec.stage).word()))),
        Some(Fact::new("connected", yes(machine.spec.connected))),
        Some(Fact::new("maintenance", yes(machine.spec.maintenance))),
        member.map(|member| Fact::new("locked", yes(member.metadata.annotation("locked").is_some()))),
        member.map(|member| Fact::new("config", applied(&member.spec))),
        fact("power", power(machine.spec.power_state)),
        age("since", changed),
    ];
    facts.into_iter().flatten().collect()
}

fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

/// `ClusterMachineStatusSpec.config_apply_status`, and whether it is the newest.
fn applied(member: &ClusterMachineStatus) -> &'static str {
    match (member.config_apply_status, member.config_up_to_date) {
        (3, _) => "failed to apply",
        (1, _) => "waits to be applied",
        (_, true) => "current",
        (_, false) => "behind",
    }
}

/// `MachineStatusSpec.power_state`.
fn power(state: i64) -> &'static str {
    match state {
        2 => "on",
        3 => "off",
        _ => "",
    }
}

/// What the next restart or unlock of the machine will bring.
async fn waiting(client: &Client, id: &str) -> Result<Vec<DocLine>, ApiError> {
    let Some(pending) = client.get::<PendingUpdates>(id).await?.map(|found| found.spec) else {
        return Ok(Vec::new());
    };
    let upgrade = &pending.upgrade;
    let versions = (upgrade.from_version != upgrade.to_version)
        .then(|| format!("Talos {} to {}", upgrade.from_version, upgrade.to_version));
    let schematic = (upgrade.from_schematic != upgrade.to_schematic).then(|| "another schematic".to_owned());
    let lines = pending.config_diff.lines().map(str::to_owned);
    Ok(versions.into_iter().chain(schematic).chain(lines).map(DocLine::new).collect())
}

fn unmet(snapshot: &MachineSnapshot) -> Vec<DocLine> {
    let conditions = snapshot.machine_status.status.unmet_conditions.iter();
    conditions.map(|unmet| DocLine::toned(format!("{}: {}", unmet.name, unmet.reason), Tone::Warn)).collect()
}

fn diagnosis(spec: &MachineStatus) -> Vec<DocLine> {
    let found = spec.diagnostics.iter().flat_map(|found| {
        let details = found.details.iter().map(|detail| DocLine::new(format!("  {detail}")));
        std::iter::once(DocLine::toned(found.message.clone(), Tone::Warn)).chain(details)
    });
    found.collect()
}

fn place(machine: &Resource<MachineStatus>, member: Option<&Resource<ClusterMachineStatus>>) -> Vec<Fact> {
    let (spec, platform) = (&machine.spec, &machine.spec.platform_metadata);
    let set = member.and_then(|member| member.metadata.label("machine-set")).unwrap_or_default();
    let provision = member.map(|member| &member.spec.provision_status);
    let addresses: Vec<&str> = addresses(spec).collect();
    let facts = [
        fact("cluster", &spec.cluster),
        fact("role", role(machine)),
        fact("machine set", set),
        fact("made by", provision.map_or("", |from| &from.provider_id)),
        fact("request", provision.map_or("", |from| &from.request_id)),
        fact("Talos", &spec.talos_version),
        fact("addresses", &addresses.join(", ")),
        fact("Omni's address", &spec.management_address),
        fact("platform", &platform.platform),
        fact("region", &platform.region),
        fact("zone", &platform.zone),
        fact("type", &platform.instance_type),
        fact("schematic", &spec.schematic.full_id),
        fact("uuid", &machine.metadata.id),
        age("joined", machine.metadata.created),
    ];
    facts.into_iter().flatten().collect()
}

fn hardware(hardware: &Hardware) -> Vec<Fact> {
    let processors =
        hardware.processors.iter().map(|cpu| format!("{} cores {}", cpu.core_count, cpu.description));
    let facts = [
        fact("processors", processors.collect::<Vec<_>>().join(", ").trim()),
        memory(hardware).map(|bytes| Fact::new("memory", bytes).format(Format::Bytes)),
        fact("architecture", &hardware.arch),
    ];
    facts.into_iter().flatten().collect()
}

const DISK_COLUMNS: [&str; 5] = ["disk", "GB", "type", "model", "use"];

fn disks(hardware: &Hardware) -> Vec<Vec<Cell>> {
    let row = |disk: &BlockDevice| {
        vec![
            Cell::new(disk.linux_name.as_str()),
            Cell::new(disk.size / 1_000_000_000),
            Cell::new(disk.r#type.as_str()),
            Cell::new(disk.model.as_str()),
            Cell::new(if disk.system_disk { "system" } else { "" }),
        ]
    };
    hardware.blockdevices.iter().map(row).collect()
}

const LINK_COLUMNS: [&str; 3] = ["link", "mac", "up"];

fn links(spec: &MachineStatus) -> Vec<Vec<Cell>> {
    let row = |link: &NetworkLink| {
        vec![
            Cell::new(link.linux_name.as_str()),
            Cell::new(link.hardware_address.as_str()),
            Cell::new(if link.link_up { "up" } else { "down" }),
        ]
    };
    spec.network.network_links.iter().map(row).collect()
}

fn labels(machine: &Resource<MachineStatus>) -> Vec<DocLine> {
    machine.metadata.user_labels().map(|(key, value)| DocLine::new(format!("{key}={value}"))).collect()
}
