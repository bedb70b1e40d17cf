//! What the controllers of the real server do as time passes: machines are made, boot, upgrade, and go.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Inside;
use super::homelab::{Machine, RUNNING};
use super::store::{Object, at};
use crate::backend::sim::World;
use crate::backend::sim::lab::machine_uuid;

/// A machine that its provider is still making.
pub(super) const PROVISIONING: i64 = -2;
/// A machine without power.
pub(super) const OFF: i64 = 11;
/// A machine that is no more.
const GONE: i64 = -1;
const BOOTING: i64 = 1;
const DESTROYING: i64 = 5;
const UPGRADING: i64 = 6;
const REBOOTING: i64 = 7;

/// What comes next: after so many seconds, that stage.
pub(super) type Plan = VecDeque<(i64, i64)>;

/// From a provider's order to a ready member: one minute.
fn birth() -> Plan {
    VecDeque::from([(20, BOOTING), (10, 2), (15, 3), (15, RUNNING)])
}

/// A restart.
pub(super) fn restart() -> Plan {
    VecDeque::from([(0, REBOOTING), (15, RUNNING)])
}

/// A shutdown.
pub(super) fn shutdown() -> Plan {
    VecDeque::from([(0, 8), (10, OFF)])
}

/// A start from nothing.
pub(super) fn start() -> Plan {
    VecDeque::from([(0, 10), (10, BOOTING), (10, RUNNING)])
}

/// The Kubernetes version that runs, and since when another one is on its way.
#[derive(Debug, Clone)]
pub(super) struct Running {
    /// What runs.
    pub version: String,
    /// When the change to what is wanted began.
    pub since: Option<Timestamp>,
}

/// Everything that time does.
pub(super) fn pass(inside: &mut Inside, world: &World, now: Timestamp) {
    allocate(inside, world, now);
    let pace = inside.pace;
    for machine in inside.machines.values_mut() {
        machine.advance(now, pace);
    }
    leave(inside, world, now);
    upgrade_talos(inside, now);
    upgrade_kubernetes(inside, now);
    back_up(inside, now);
}

impl Machine {
    /// Begins a plan.
    pub(super) fn begin(&mut self, plan: Plan, now: Timestamp) {
        self.plan = plan;
        self.since = now;
        self.advance(now, 1);
    }

    fn advance(&mut self, now: Timestamp, pace: i64) {
        while let Some((seconds, stage)) = self.plan.front().copied() {
            // However fast the lab is, every stage can be seen.
            let takes = (seconds / pace).max(seconds.min(1));
            let due = self.since + SignedDuration::from_secs(takes);
            if due > now {
                return;
            }
            self.plan.pop_front();
            if self.stage == UPGRADING
                && let Some(version) = self.upgrade.take()
            {
                self.talos = version;
            }
            self.stage = stage;
            self.since = due;
        }
    }
}

/// Machines for sets that a class fills.
fn allocate(inside: &mut Inside, world: &World, now: Timestamp) {
    if world.get("kubevirt") == "off" {
        return;
    }
    for id in inside.store.ids("default", "MachineSets") {
        let Some(set) = inside.store.get(&at("default", "MachineSets", &id)) else { continue };
        let (Some(cluster), false) = (set.labelled("cluster").map(str::to_owned), set.tearing) else {
            continue;
        };
        let standing =
            inside.store.get(&at("default", "Clusters", &cluster)).is_some_and(|found| !found.tearing);
        if !standing {
            continue;
        }
        let wanted = set.spec["machine_allocation"]["machine_count"].as_u64().unwrap_or_default();
        let control_plane = set.labelled("role-controlplane").is_some();
        let mut members: Vec<String> = inside
            .machines
            .iter()
            .filter(|(_, machine)| {
                machine.set == id && machine.request.is_some() && machine.stage != DESTROYING
            })
            .map(|(uuid, _)| uuid.clone())
            .collect();
        for number in 0_u64.. {
            if members.len() as u64 >= wanted {
                break;
            }
            let talos = version(inside, &cluster, "talos_version");
            let machine = Machine { talos, ..made(&id, &cluster, control_plane, number, now) };
            let uuid = machine_uuid(&machine.name);
            if let Entry::Vacant(place) = inside.machines.entry(uuid.clone()) {
                members.push(uuid);
                place.insert(machine);
            }
        }
        let surplus = usize::try_from(wanted).map_or(0, |wanted| members.len().saturating_sub(wanted));
        if set_is_by_class(inside, &id) {
            for uuid in members.iter().rev().take(surplus) {
                go(inside, uuid, now);
            }
        }
    }
}

fn set_is_by_class(inside: &Inside, id: &str) -> bool {
    inside
        .store
        .get(&at("default", "MachineSets", id))
        .is_some_and(|set| set.spec["machine_allocation"].is_object())
}

fn made(set: &str, cluster: &str, control_plane: bool, number: u64, now: Timestamp) -> Machine {
    let digest = Sha256::digest(format!("{set} {number}").as_bytes());
    let letters: String = digest[..6]
        .iter()
        .map(|byte| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(byte % 32)]))
        .collect();
    let name = format!("{set}-{letters}");
    Machine {
        cluster: cluster.to_owned(),
        set: set.to_owned(),
        control_plane,
        stage: PROVISIONING,
        since: now,
        joined: now,
        request: Some(name.clone()),
        plan: birth(),
        ..Machine::free(&name, "nocloud", now)
    }
}

/// Starts a machine's end.
fn go(inside: &mut Inside, uuid: &str, now: Timestamp) {
    if let Some(machine) = inside.machines.get_mut(uuid)
        && !matches!(machine.stage, DESTROYING | GONE)
    {
        machine.stage = DESTROYING;
        // What cannot be reached cannot be wiped, and waits for ever.
        machine.begin(if machine.connected { VecDeque::from([(15, GONE)]) } else { VecDeque::new() }, now);
    }
}

/// Takes clusters down that are to go, and removes what is gone.
fn leave(inside: &mut Inside, world: &World, now: Timestamp) {
    let leaving: Vec<String> = inside
        .store
        .ids("default", "Clusters")
        .into_iter()
        .filter(|id| inside.store.get(&at("default", "Clusters", id)).is_some_and(|cluster| cluster.tearing))
        .collect();
    let doomed: Vec<String> = inside
        .machines
        .iter()
        .filter(|(_, machine)| leaving.contains(&machine.cluster))
        .map(|(uuid, _)| uuid.clone())
        .collect();
    for uuid in &doomed {
        go(inside, uuid, now);
    }
    remove_gone(inside, world);
    for cluster in leaving {
        let left = inside.machines.values().filter(|machine| machine.cluster == cluster).count();
        let spec = json!({"phase": format!("Destroying: {left} machines")});
        inside.store.set(at("default", "ClusterDestroyStatuses", &cluster), Object::new(now, spec), now);
        if left == 0 {
            forget_cluster(inside, &cluster);
            // Its machines were guests of the cloud's first node: that has room again.
            if cluster.starts_with("dev-ephemeral-") {
                world.set("memory-oci-node-1", "");
            }
        }
    }
}

fn remove_gone(inside: &mut Inside, world: &World) {
    let links: BTreeSet<String> = inside
        .store
        .ids("default", "Links")
        .into_iter()
        .filter(|id| inside.store.get(&at("default", "Links", id)).is_some_and(|link| link.tearing))
        .collect();
    let gone: Vec<String> = inside
        .machines
        .iter()
        .filter(|(uuid, machine)| machine.stage == GONE || links.contains(*uuid))
        .map(|(uuid, _)| uuid.clone())
        .collect();
    for uuid in gone {
        for kind in [
            "MachineStatuses",
            "ClusterMachineStatuses",
            "MachineSetNodes",
            "Links",
            "MachineLabels",
            "ClusterMachines",
        ] {
            inside.store.remove(&at("default", kind, &uuid));
        }
        if let Some(request) = inside.machines.remove(&uuid).and_then(|machine| machine.request) {
            for (namespace, kind) in [
                ("infra-provider", "MachineRequests"),
                ("infra-provider", "MachineRequestStatuses"),
                ("default", "ClusterMachineRequestStatuses"),
            ] {
                inside.store.remove(&at(namespace, kind, &request));
            }
            if world.get("omni-leak") == "yes" {
                inside.leftovers.insert(request);
            }
        }
    }
}

fn forget_cluster(inside: &mut Inside, cluster: &str) {
    for kind in ["MachineSets", "MachineSetStatuses", "ConfigPatches", "ExtensionsConfigurations"] {
        for id in inside.store.ids("default", kind) {
            let address = at("default", kind, &id);
            if inside.store.get(&address).is_some_and(|object| object.labelled("cluster") == Some(cluster)) {
                inside.store.remove(&address);
            }
        }
    }
    inside.store.remove(&at("default", "ControlPlaneStatuses", &format!("{cluster}-control-planes")));
    for kind in [
        "Clusters",
        "ClusterStatuses",
        "ClusterDestroyStatuses",
        "LoadBalancerStatuses",
        "TalosUpgradeStatuses",
        "KubernetesUpgradeStatuses",
    ] {
        inside.store.remove(&at("default", kind, cluster));
    }
    inside.kubernetes.remove(cluster);
}

/// One machine after the other, control planes first; locked ones wait.
fn upgrade_talos(inside: &mut Inside, now: Timestamp) {
    for cluster in inside.store.ids("default", "Clusters") {
        let wanted = version(inside, &cluster, "talos_version");
        let locked: BTreeSet<String> = inside
            .store
            .ids("default", "MachineSetNodes")
            .into_iter()
            .filter(|id| {
                let node = inside.store.get(&at("default", "MachineSetNodes", id));
                node.is_some_and(|node| node.annotations.contains_key("omni.sidero.dev/locked"))
            })
            .collect();
        let members: Vec<(&String, &mut Machine)> =
            inside.machines.iter_mut().filter(|(_, machine)| machine.cluster == cluster).collect();
        if members.iter().any(|(_, machine)| !machine.plan.is_empty() || machine.stage != RUNNING) {
            continue;
        }
        let mut behind: Vec<(&String, &mut Machine)> = members
            .into_iter()
            .filter(|(uuid, machine)| machine.talos != wanted && !locked.contains(*uuid) && machine.connected)
            .collect();
        behind.sort_by_key(|(_, machine)| !machine.control_plane);
        if let Some((_, machine)) = behind.into_iter().next() {
            machine.upgrade = Some(wanted);
            machine.begin(VecDeque::from([(0, UPGRADING), (10, REBOOTING), (10, RUNNING)]), now);
        }
    }
}

/// A field of a cluster's spec.
pub(super) fn version(inside: &Inside, cluster: &str, field: &str) -> String {
    let found = inside.store.get(&at("default", "Clusters", cluster));
    found.and_then(|cluster| cluster.spec[field].as_str()).unwrap_or_default().to_owned()
}

fn upgrade_kubernetes(inside: &mut Inside, now: Timestamp) {
    let takes = SignedDuration::from_secs(30 / inside.pace);
    for cluster in inside.store.ids("default", "Clusters") {
        let wanted = version(inside, &cluster, "kubernetes_version");
        let running = inside
            .kubernetes
            .entry(cluster)
            .or_insert_with(|| Running { version: wanted.clone(), since: None });
        match running.since {
            _ if running.version == wanted => running.since = None,
            None => running.since = Some(now),
            Some(since) if now >= since + takes => {
                *running = Running { version: wanted, since: None };
            }
            Some(_) => {}
        }
    }
}

/// Backups that were asked for take five seconds.
fn back_up(inside: &mut Inside, now: Timestamp) {
    for cluster in inside.store.ids("ephemeral", "EtcdManualBackups") {
        let asked =
            inside.store.get(&at("ephemeral", "EtcdManualBackups", &cluster)).map(|asked| asked.updated);
        let address = at("metrics", "EtcdBackupStatuses", &cluster);
        let Some(asked) = asked else { continue };
        let done = inside
            .store
            .get(&address)
            .and_then(|status| status.spec["last_backup_time"].as_str()?.parse().ok());
        if done.is_some_and(|done: Timestamp| done >= asked) {
            continue;
        }
        let ready = now >= asked + SignedDuration::from_secs(5 / inside.pace);
        let spec = if ready {
            json!({"status": 1, "last_backup_time": now.to_string(), "last_backup_attempt": asked.to_string()})
        } else {
            json!({"status": 3, "last_backup_attempt": asked.to_string()})
        };
        inside.store.set(address, Object::new(asked, spec), now);
        if ready {
            let id = format!("{cluster}-{}", now.as_second());
            let spec = json!({"created_at": now.to_string(), "snapshot": format!("{id}.snapshot"), "size": 41_943_040});
            inside.store.set(
                at("external", "EtcdBackups", &id),
                Object::new(now, spec).label("cluster", &cluster),
                now,
            );
        }
    }
}

/// The upgrade statuses of a cluster: Talos and Kubernetes.
pub(super) fn upgrades(inside: &Inside, cluster: &str) -> [(&'static str, Value); 2] {
    let talos = version(inside, cluster, "talos_version");
    let members: Vec<&Machine> =
        inside.machines.values().filter(|machine| machine.cluster == cluster).collect();
    let behind =
        members.iter().filter(|machine| machine.talos != talos && machine.stage != PROVISIONING).count();
    let step = format!("updating machines {}/{}", members.len() - behind.min(members.len()), members.len());
    let talos = status(behind > 0, &talos, &step, &["1.9.0", "1.9.5"]);
    let wanted = version(inside, cluster, "kubernetes_version");
    let moving = inside.kubernetes.get(cluster).is_some_and(|running| running.version != wanted);
    let kubernetes = status(moving, &wanted, "updating kube-apiserver", &["1.32.0", "1.32.3"]);
    [("TalosUpgradeStatuses", talos), ("KubernetesUpgradeStatuses", kubernetes)]
}

fn status(moving: bool, wanted: &str, step: &str, known: &[&str]) -> Value {
    let other: BTreeMap<bool, Vec<&str>> = known.iter().fold(BTreeMap::new(), |mut map, version| {
        map.entry(*version == wanted).or_default().push(*version);
        map
    });
    let others = other.get(&false).cloned().unwrap_or_default();
    if moving {
        let last = others.first().copied().unwrap_or_default();
        return json!({"phase": 1, "step": step, "current_upgrade_version": wanted, "last_upgrade_version": last});
    }
    let newer: Vec<&str> = others.into_iter().filter(|version| *version > wanted).collect();
    json!({"phase": 2, "last_upgrade_version": wanted, "upgrade_versions": newer})
}
