//! What the server tells of one machine: the hardware, and its place in a cluster.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::homelab::{Machine, RUNNING};
use super::store::{Object, Store, at};
use crate::backend::sim::lab::{address, mac};

/// The resources that tell of one machine.
pub(super) fn tell(store: &mut Store, uuid: &str, machine: &Machine, now: Timestamp) {
    let wire = |text: String| json!(text);
    let tunnel =
        format!("fdae:41e4:649b:9303::{:x}", u16::from_str_radix(&uuid[..4], 16).unwrap_or_default());
    let role = if machine.cluster.is_empty() { 0 } else { 2 - i64::from(machine.control_plane) };
    let mut status = Object::new(
        machine.joined,
        json!({
            "talos_version": format!("v{}", machine.talos),
            "hardware": {
                "processors": [{"core_count": machine.cores, "thread_count": machine.cores, "frequency": 2800}],
                "memory_modules": [{"size_mb": machine.memory}],
                "blockdevices": [{"size": machine.disk * 1_000_000_000, "linux_name": "/dev/sda", "type": "SSD", "system_disk": true}],
                "arch": if machine.platform == "oracle" { "arm64" } else { "amd64" },
            },
            "network": {
                "hostname": machine.name,
                "addresses": [wire(format!("{}/24", address(&machine.name))), wire(format!("{tunnel}/64"))],
                "network_links": [{"linux_name": "eth0", "hardware_address": mac(&machine.name), "link_up": true}],
            },
            "management_address": tunnel,
            "connected": machine.connected,
            "cluster": machine.cluster,
            "role": role,
            "maintenance": machine.cluster.is_empty(),
            "platform_metadata": {"platform": machine.platform},
            "power_state": if machine.connected { 2 } else { 0 },
        }),
    );
    status = connection(status.owned("MachineStatusController"), machine.connected);
    let own = store.get(&at("default", "MachineLabels", uuid)).map(|own| own.labels.clone());
    let domain = if machine.cluster == "prod" { "home" } else { "cloud" };
    status.labels.extend(own.unwrap_or_else(|| BTreeMap::from([("domain".to_owned(), domain.to_owned())])));
    if !machine.cluster.is_empty() {
        let role = if machine.control_plane { "role-controlplane" } else { "role-worker" };
        status = status.label("cluster", &machine.cluster).label("machine-set", &machine.set).label(role, "");
    }
    let link = Object::new(machine.joined, json!({"connected": machine.connected}));
    store.set_once(at("default", "Links", uuid), link, now);
    store.set(at("default", "MachineStatuses", uuid), status, now);
    if machine.cluster.is_empty() {
        return store.remove(&at("default", "ClusterMachineStatuses", uuid));
    }
    member(store, uuid, machine, &tunnel, now);
}

/// Its place in its cluster.
fn member(store: &mut Store, uuid: &str, machine: &Machine, tunnel: &str, now: Timestamp) {
    let ready = machine.connected && machine.stage == RUNNING;
    let provision = machine.request.as_ref().map(|id| json!({"provider_id": "kubevirt", "request_id": id}));
    let spec = json!({
        "ready": ready, "stage": machine.stage, "config_up_to_date": true, "management_address": tunnel,
        "config_apply_status": 2, "provision_status": provision,
    });
    let role = if machine.control_plane { "role-controlplane" } else { "role-worker" };
    let mut member = Object::new(machine.joined, spec)
        .owned("ClusterMachineStatusController")
        .label("cluster", &machine.cluster)
        .label("machine-set", &machine.set)
        .label("hostname", &machine.name)
        .label(role, "");
    if let Some(node) = store.get(&at("default", "MachineSetNodes", uuid)) {
        member.annotations.clone_from(&node.annotations);
    }
    let wanted = store.get(&at("default", "Clusters", &machine.cluster));
    let wanted = wanted.and_then(|cluster| cluster.spec["talos_version"].as_str()).unwrap_or(&machine.talos);
    let pending = at("default", "MachinePendingUpdates", uuid);
    if member.annotations.contains_key("omni.sidero.dev/locked") && wanted != machine.talos {
        member = member.label("locked-update", "");
        let upgrade = json!({"upgrade": {"from_version": machine.talos, "to_version": wanted}});
        store.set(pending, Object::new(now, upgrade).owned("MachinePendingUpdatesController"), now);
    } else {
        store.remove(&pending);
    }
    store.set(at("default", "ClusterMachineStatuses", uuid), connection(member, machine.connected), now);
}

fn connection(object: Object, connected: bool) -> Object {
    object.label(if connected { "connected" } else { "disconnected" }, "")
}
