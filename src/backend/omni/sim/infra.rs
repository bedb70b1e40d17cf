//! What stands around the clusters of the lab: sets, classes, providers, requests, tokens, backups, accounts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Inside;
use super::homelab::Machine;
use super::store::{Object, Store, at};
use crate::backend::sim::World;

fn before(now: Timestamp, hours: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(now)
}

/// Puts what does not change by itself into an empty store.
pub(super) fn seed(store: &mut Store, now: Timestamp) {
    let long_ago = before(now, 24 * 300);
    let data = "cores: 2\nmemory: 4096\ndisk_size: 10\narchitecture: arm64\n";
    let classes = [
        // The first of these three is what its owner's repository holds: a class that nothing fits.
        ("control-plane", json!({})),
        ("worker", json!({"match_labels": ["omni.sidero.dev/platform = oracle"]})),
        ("gpu-worker", json!({"match_labels": ["gpu"]})),
        ("oci-kubevirt", json!({"auto_provision": {"provider_id": "kubevirt", "provider_data": data}})),
    ];
    for (name, spec) in classes {
        store.set(at("default", "MachineClasses", name), Object::new(long_ago, spec), now);
    }
    for (version, kubernetes) in [("1.9.0", ["1.32.0"].as_slice()), ("1.9.5", &["1.32.0", "1.32.3"])] {
        let spec = json!({"version": version, "compatible_kubernetes_versions": kubernetes});
        store.set(at("default", "TalosVersions", version), Object::new(long_ago, spec), now);
    }
    let tokens = [("9f0c-demo-join-token-1", "lab", true, 1), ("9f0c-demo-join-token-2", "old", false, 2)];
    for (id, name, default, state) in tokens {
        let spec = json!({"state": state, "is_default": default, "use_count": 6, "name": name});
        store.set(at("default", "JoinTokenStatuses", id), Object::new(long_ago, spec), now);
    }
    for cluster in ["prod", "cloud"] {
        for hours in 0..5_i32 {
            let made =
                before(now, i64::from(hours)).checked_sub(SignedDuration::from_mins(25)).unwrap_or(now);
            let id = format!("{cluster}-{}", made.as_second());
            let spec = json!({"created_at": made.to_string(), "snapshot": format!("{id}.snapshot"), "size": 41_943_040 + hours});
            let object = Object::new(made, spec).label("cluster", cluster);
            store.set(at("external", "EtcdBackups", &id), object, now);
        }
    }
    for (cluster, service, port) in [("prod", "grafana", 3000), ("cloud", "hubble", 8080)] {
        let url = format!("https://{service}-{cluster}.proxy.lab.example");
        let spec = json!({"port": port, "label": service, "url": url});
        let object = Object::new(long_ago, spec).label("cluster", cluster);
        store.set(at("default", "ExposedServices", &format!("{cluster}/{service}")), object, now);
    }
    let configured = json!({"configuration_name": "s3"});
    store.set(
        at("metrics", "EtcdBackupOverallStatuses", "etcdbackup-overall-status"),
        Object::new(long_ago, configured),
        now,
    );
}

/// The providers as they are now: the house's is gone when the house is off.
pub(super) fn providers(store: &mut Store, world: &World, now: Timestamp) {
    let home = world.get("home") != "off";
    let kubevirt = world.get("kubevirt") != "off";
    let providers = [
        ("kubevirt", "KubeVirt", kubevirt, "the cluster cannot be reached"),
        ("proxmox", "Proxmox", home, "no heartbeat: home off"),
    ];
    for (id, name, connected, error) in providers {
        let error = if connected { "" } else { error };
        let spec = json!({
            "name": name, "description": format!("{name} machines"), "version": "v0.1.0",
            "health": {"connected": connected, "error": error, "initialized": true},
        });
        store.set(
            at("ephemeral", "InfraProviderCombinedStatuses", id),
            Object::new(before(now, 24 * 200), spec),
            now,
        );
    }
}

/// What is under way with clusters: upgrades and ends.
pub(super) fn tasks(inside: &mut Inside, now: Timestamp) {
    let kinds = [
        ("TalosUpgradeStatuses", "talos_upgrade", "Talos upgrade"),
        ("KubernetesUpgradeStatuses", "kubernetes_upgrade", "Kubernetes upgrade"),
        ("ClusterDestroyStatuses", "destroy", "Cluster destroy"),
    ];
    let mut wanted = Vec::new();
    for (kind, field, title) in kinds {
        for cluster in inside.store.ids("default", kind) {
            let found = inside.store.get(&at("default", kind, &cluster)).map(|object| object.spec.clone());
            let Some(spec) = found.filter(|spec| field == "destroy" || spec["phase"] == 1) else { continue };
            let id = format!("{cluster}-{field}");
            wanted.push((id, json!({"title": title, "resource_id": cluster, field: spec})));
        }
    }
    for id in inside.store.ids("ephemeral", "OngoingTasks") {
        if !wanted.iter().any(|(known, _)| *known == id) {
            inside.store.remove(&at("ephemeral", "OngoingTasks", &id));
        }
    }
    for (id, spec) in wanted {
        inside.store.set(at("ephemeral", "OngoingTasks", &id), Object::new(now, spec), now);
    }
}

/// The set of a machine, as Omni's tools make it.
pub(super) fn machine_set(store: &mut Store, machine: &Machine, now: Timestamp) {
    let address = at("default", "MachineSets", &machine.set);
    if store.get(&address).is_some() {
        return;
    }
    let role = if machine.control_plane { "role-controlplane" } else { "role-worker" };
    let mut spec = json!({"update_strategy": 1});
    if machine.request.is_some() {
        spec["machine_allocation"] = json!({"name": "oci-kubevirt", "machine_count": 1});
    }
    let set = Object::new(machine.joined, spec).label("cluster", &machine.cluster).label(role, "");
    store.set(address, set, now);
}

/// The resource that makes a machine a member of its set; locks are its annotations.
pub(super) fn node(store: &mut Store, uuid: &str, machine: &Machine, now: Timestamp) {
    if machine.cluster.is_empty() {
        return;
    }
    let role = if machine.control_plane { "role-controlplane" } else { "role-worker" };
    let node = Object::new(machine.joined, json!({}))
        .label("cluster", &machine.cluster)
        .label("machine-set", &machine.set);
    store.set_once(at("default", "MachineSetNodes", uuid), node.label(role, ""), now);
}

/// A machine that a provider is making.
pub(super) fn request(store: &mut Store, machine: &Machine, world: &World, now: Timestamp) {
    let Some(id) = &machine.request else { return };
    let request = Object::new(machine.joined, json!({"talos_version": machine.talos}))
        .label("infra-provider-id", "kubevirt");
    store.set(at("infra-provider", "MachineRequests", id), request, now);
    // The provider shows its error for a moment and clears it with each retry.
    let failing = world.get("kubevirt-error");
    let error = if now.as_second() % 10 == 0 { failing.as_str() } else { "" };
    let spec = json!({"id": "", "stage": 1, "status": "syncMachine", "error": error});
    store.set(at("infra-provider", "MachineRequestStatuses", id), Object::new(machine.joined, spec), now);
    let place = json!({"status": "syncMachine", "provider_id": "kubevirt", "stage": 2, "error": error});
    let place = Object::new(machine.joined, place)
        .label("cluster", &machine.cluster)
        .label("machine-set", &machine.set);
    store.set(at("default", "ClusterMachineRequestStatuses", id), place, now);
}

/// The request of a machine that is there is not shown any more.
pub(super) fn fulfilled(store: &mut Store, machine: &Machine) {
    if let Some(id) = &machine.request {
        store.remove(&at("infra-provider", "MachineRequests", id));
        store.remove(&at("infra-provider", "MachineRequestStatuses", id));
        store.remove(&at("default", "ClusterMachineRequestStatuses", id));
    }
}

/// Users and service accounts.
pub(super) fn users(now: Timestamp) -> Value {
    json!({"users": [
        {"id": "0f8b0c7e-1d1f-4f0b-9b1b-2f8f6c1f0a11", "email": "admin1@lab.example", "role": "Admin",
         "last_active": before(now, 1).to_string()},
        {"id": "2d7c1f0e-7a55-4c0e-8d3e-5a9f6c1f0a12", "email": "designer@lab.example", "role": "Reader",
         "last_active": before(now, 50).to_string()},
    ]})
}

/// Lines of the audit log, newest first.
pub(super) fn audit(now: Timestamp) -> Vec<String> {
    let events = [
        (10, "create", "Clusters", "dev-ephemeral-8841"),
        (9, "create", "MachineSets", "dev-ephemeral-8841-workers"),
        (5, "update", "Clusters", "cloud"),
        (2, "k8s_access", "Clusters", "prod"),
    ];
    let mut lines: Vec<(i64, String)> = events
        .iter()
        .map(|(hours, event, kind, id)| {
            let at = before(now, *hours).as_millisecond();
            let entry = json!({
                "event_type": event, "resource_type": format!("{kind}.omni.sidero.dev"), "resource_id": id, "event_ts": at,
                "event_data": {"session": {"email": "ci@serviceaccount.omni.sidero.dev", "role": "Operator", "user_agent": "omnictl"}},
            });
            (at, json!({"result": {"audit_log": STANDARD.encode(entry.to_string())}}).to_string())
        })
        .collect();
    lines.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    lines.into_iter().map(|(_, line)| line).collect()
}
