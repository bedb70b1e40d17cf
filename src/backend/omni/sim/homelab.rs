//! The homelab: its clusters and machines, and what the passing of time does to them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Inside;
use super::infra;
use super::life::{self, PROVISIONING, Plan};
use super::load;
use super::machine;
use super::store::{Object, Store, at};
use crate::backend::sim::World;
use crate::backend::sim::lab::machine_uuid;

/// The Talos version of the lab.
pub(super) const TALOS: &str = "1.9.0";
/// Its Kubernetes version.
pub(super) const KUBERNETES: &str = "1.32.0";

/// `ClusterMachineStatusSpec.stage` of a machine that is up.
pub(super) const RUNNING: i64 = 4;

/// A machine by its UUID.
pub(super) type Machines = BTreeMap<String, Machine>;

/// A machine behind the resources that tell of it.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    /// Its host name.
    pub name: String,
    /// Its cluster and machine set; empty where it is free.
    pub cluster: String,
    /// The set.
    pub set: String,
    /// Whether it is a control plane.
    pub control_plane: bool,
    /// Where it runs.
    pub platform: &'static str,
    /// Cores.
    pub cores: u32,
    /// Mebibytes.
    pub memory: u32,
    /// Gigabytes.
    pub disk: u64,
    /// The Talos version on it.
    pub talos: String,
    /// Its stage.
    pub stage: i64,
    /// When it reached it.
    pub since: Timestamp,
    /// Whether it is connected.
    pub connected: bool,
    /// The provider and request that made it.
    pub request: Option<String>,
    /// When it joined.
    pub joined: Timestamp,
    /// What it will go through.
    pub plan: Plan,
    /// The Talos version that it is being brought to.
    pub upgrade: Option<String>,
}

impl Machine {
    /// A machine in no cluster.
    pub(super) fn free(name: &str, platform: &'static str, joined: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            cluster: String::new(),
            set: String::new(),
            control_plane: false,
            platform,
            cores: 2,
            memory: 4096,
            disk: 10,
            talos: TALOS.to_owned(),
            stage: RUNNING,
            since: joined,
            connected: true,
            request: None,
            joined,
            plan: Plan::new(),
            upgrade: None,
        }
    }
}

fn ago(now: Timestamp, hours: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(now)
}

/// Puts the homelab into an empty store.
pub(super) fn seed(inside: &mut Inside, world: &World) {
    let now = world.clock.now();
    let template = &[("managed-by-cluster-templates", "")][..];
    let mut clusters = vec![
        ("prod".to_owned(), 24 * 320, "home", template),
        ("cloud".to_owned(), 24 * 300, "cloud", template),
        (LEAK.to_owned(), 9, "cloud", &[][..]),
    ];
    clusters.extend(leaks(world).map(|name| (name, 9, "cloud", &[][..])));
    for (name, age, domain, annotations) in clusters {
        let mut cluster = Object::new(ago(now, age), cluster_spec());
        cluster.labels.insert("domain".into(), domain.into());
        if let Some(run) = name.strip_prefix("dev-ephemeral-") {
            cluster.labels.insert("vigie/ttl".into(), "2h".into());
            cluster.labels.insert("vigie/owner".into(), format!("ci-run-{run}"));
        }
        for (key, value) in annotations {
            cluster.annotations.insert(format!("omni.sidero.dev/{key}"), (*value).to_owned());
        }
        cluster.finalizers = vec!["ClusterController".into(), "ClusterStatusController".into()];
        inside.store.set(at("default", "Clusters", &name), cluster, now);
        backup(&mut inside.store, &name, now);
    }
    infra::seed(&mut inside.store, now);
    for machine in machines(world) {
        infra::machine_set(&mut inside.store, &machine, now);
        inside.machines.insert(machine_uuid(&machine.name), machine);
    }
    let version =
        json!({"backend_version": "v1.10.4", "instance_name": "omni.lab.example", "backend_api_version": 2});
    let address = ("ephemeral".to_owned(), "SysVersions.system.sidero.dev".to_owned(), "current".to_owned());
    inside.store.set(address, Object::new(ago(now, 100), version), now);
}

/// What every cluster of the lab asks for.
pub(super) fn cluster_spec() -> Value {
    json!({
        "kubernetes_version": KUBERNETES, "talos_version": TALOS,
        "features": {"enable_workload_proxy": true, "use_embedded_discovery_service": true},
        "backup_configuration": {"interval": "3600s", "enabled": true},
    })
}

fn backup(store: &mut Store, cluster: &str, now: Timestamp) {
    if cluster.starts_with("dev-") {
        return;
    }
    let last = now.checked_sub(SignedDuration::from_mins(25)).unwrap_or(now);
    let spec =
        json!({"status": 1, "last_backup_time": last.to_string(), "last_backup_attempt": last.to_string()});
    store.set(
        at("metrics", "EtcdBackupStatuses", cluster),
        Object::new(last, spec).owned("EtcdBackupController"),
        last,
    );
}

/// The short-lived cluster of the homelab, whose time is over.
const LEAK: &str = "dev-ephemeral-8841";

/// More of them, as many as the world wants.
fn leaks(world: &World) -> impl Iterator<Item = String> {
    let more: u32 = world.get("omni-leaks").parse().unwrap_or_default();
    (0..more).map(|number| format!("dev-ephemeral-{}", 9001 + number))
}

fn machines(world: &World) -> Vec<Machine> {
    let now = world.clock.now();
    let machine = |name: &str, cluster: &str, control_plane, platform, cores, memory, disk, age| Machine {
        cluster: cluster.to_owned(),
        set: format!("{cluster}-{}", if control_plane { "control-planes" } else { "workers" }),
        control_plane,
        cores,
        memory,
        disk,
        since: ago(now, age - 1),
        ..Machine::free(name, platform, ago(now, age))
    };
    let ephemeral = |cluster: &str, role: &str, letters: &str| {
        let name = format!("{cluster}-{role}-{letters}");
        let control_plane = role == "control-planes";
        let made = machine(&name, cluster, control_plane, "nocloud", 2, 4096, 10, 9);
        Machine { request: Some(name), ..made }
    };
    let pair = |cluster: &str| {
        [ephemeral(cluster, "control-planes", "k7x2mq"), ephemeral(cluster, "workers", "p4d9vz")]
    };
    let mut all = vec![
        machine("talos-prod-cp", "prod", true, "nocloud", 2, 4096, 50, 24 * 320),
        machine("talos-prod-worker-1", "prod", false, "nocloud", 6, 12_288, 200, 24 * 320),
        machine("oci-node-1", "cloud", true, "oracle", 2, 12_288, 64, 24 * 300),
        machine("oci-node-2", "cloud", false, "oracle", 1, 6144, 75, 24 * 300),
    ];
    all.extend(std::iter::once(LEAK.to_owned()).chain(leaks(world)).flat_map(|cluster| pair(&cluster)));
    all
}

/// Lets the lab become what it is now.
pub(super) fn tick(inside: &mut Inside, world: &World) {
    let now = world.clock.now();
    let home = world.get("home") != "off";
    let unreachable = world.get("omni-unreachable");
    for machine in inside.machines.values_mut() {
        let lost = (machine.cluster == "prod" && !home)
            || (machine.set == unreachable && !unreachable.is_empty())
            || machine.stage == life::OFF;
        if machine.connected == lost {
            machine.connected = !lost;
            machine.since = now;
        }
    }
    if world.get("omni-orphans") == "yes" {
        inside.leftovers.insert("dev-ephemeral-8800-workers-a1b2c3".to_owned());
    }
    inside.pace = world.get("omni-pace").parse().unwrap_or(1).max(1);
    inside.load.turn(&mut inside.store, now);
    forget(inside, &world.get("omni-forget"));
    life::pass(inside, world, now);
    infra::providers(&mut inside.store, world, now);
    for (uuid, machine) in &inside.machines {
        infra::node(&mut inside.store, uuid, machine, now);
        if machine.stage == PROVISIONING {
            infra::request(&mut inside.store, machine, world, now);
            continue;
        }
        infra::fulfilled(&mut inside.store, machine);
        machine::tell(&mut inside.store, uuid, machine, now);
    }
    for cluster in inside.store.ids("default", "Clusters").iter().filter(|name| !load::is_load(name)) {
        summarise(inside, cluster, now);
    }
    infra::tasks(inside, now);
}

/// A machine that goes without a word.
fn forget(inside: &mut Inside, uuid: &str) {
    inside.machines.remove(uuid);
    for kind in ["MachineStatuses", "ClusterMachineStatuses"] {
        inside.store.remove(&at("default", kind, uuid));
    }
}

/// What follows for a cluster from its machines.
fn summarise(inside: &mut Inside, name: &str, now: Timestamp) {
    let all: Vec<&Machine> = inside.machines.values().filter(|machine| machine.cluster == name).collect();
    let members: Vec<&&Machine> = all.iter().filter(|machine| machine.stage != PROVISIONING).collect();
    let up = |machine: &Machine| machine.connected && machine.stage == RUNNING;
    let healthy = members.iter().filter(|machine| up(machine)).count();
    let connected = members.iter().filter(|machine| machine.connected).count();
    let control_plane = members.iter().any(|machine| machine.control_plane && up(machine));
    let growing = all.is_empty() || all.iter().any(|machine| matches!(machine.stage, PROVISIONING | 1..=3));
    let Some(cluster) = inside.store.get(&at("default", "Clusters", name)).cloned() else { return };
    let phase = match (cluster.tearing, growing) {
        (true, _) => 4,
        (false, true) => 1,
        (false, false) => 3,
    };
    let spec = json!({
        "available": control_plane,
        "machines": {"total": members.len(), "healthy": healthy, "connected": connected, "requested": all.len()},
        "phase": phase, "ready": phase == 3 && healthy == all.len(),
        "kubernetesAPIReady": control_plane, "controlplaneReady": control_plane,
        "has_connected_control_planes": control_plane, "use_embedded_discovery_service": true,
        "talos_version": cluster.spec["talos_version"], "kubernetes_version": cluster.spec["kubernetes_version"],
        "initial_talos_version": TALOS,
    });
    let mut status = Object::new(cluster.created, spec).owned("ClusterStatusController");
    status.labels.clone_from(&cluster.labels);
    status.annotations.clone_from(&cluster.annotations);
    inside.store.set(at("default", "ClusterStatuses", name), status, now);
    let etcd = if control_plane {
        json!({"type": 1, "status": 1})
    } else {
        json!({"type": 1, "reason": "no control plane is connected", "status": 2, "severity": 2})
    };
    let told = |spec| Object::new(cluster.created, spec).owned("ClusterController").label("cluster", name);
    let plane = at("default", "ControlPlaneStatuses", &format!("{name}-control-planes"));
    inside.store.set(plane, told(json!({"conditions": [etcd]})), now);
    inside.store.set(
        at("default", "LoadBalancerStatuses", name),
        told(json!({"healthy": control_plane})),
        now,
    );
    for (kind, spec) in life::upgrades(inside, name) {
        inside.store.set(at("default", kind, name), told(spec), now);
    }
    set_statuses(inside, name, now);
}

/// How the machine sets of a cluster are.
fn set_statuses(inside: &mut Inside, cluster: &str, now: Timestamp) {
    for id in inside.store.ids("default", "MachineSets") {
        let members: Vec<&Machine> = inside.machines.values().filter(|machine| machine.set == id).collect();
        let Some(set) = inside.store.get(&at("default", "MachineSets", &id)).cloned() else { continue };
        if set.labelled("cluster") != Some(cluster) {
            continue;
        }
        let healthy = members.iter().filter(|machine| machine.connected && machine.stage == RUNNING).count();
        let growing = members.iter().any(|machine| matches!(machine.stage, PROVISIONING | 1..=3));
        let leaving = members.iter().any(|machine| machine.stage == 5);
        let phase = match (growing, leaving) {
            (true, _) => 1,
            (false, true) => 2,
            (false, false) => 3,
        };
        let spec = json!({
            "phase": phase, "ready": healthy == members.len(),
            "machines": {"total": members.len(), "healthy": healthy, "requested": members.len()},
        });
        let mut status = Object::new(set.created, spec).owned("MachineSetStatusController");
        status.labels.clone_from(&set.labels);
        inside.store.set(at("default", "MachineSetStatuses", &id), status, now);
    }
}
