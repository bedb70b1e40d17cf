//! Thousands of machines, for looking at speed and memory: a hundred to a cluster, of which one in a hundred changes
//! every five seconds.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::homelab::{KUBERNETES, RUNNING, TALOS, cluster_spec};
use super::store::{Object, Store, at};
use crate::backend::sim::lab::{mac, machine_uuid};

/// Machines of one cluster.
const CLUSTER: usize = 100;
/// Between two changes, in seconds.
const TURN: i64 = 5;
/// One in so many changes at a time.
const PART: usize = 100;
const REBOOTING: i64 = 7;

/// Whether a cluster belongs to the load.
pub(super) fn is_load(cluster: &str) -> bool {
    cluster.starts_with("load-")
}

/// The machines, and which of them restart just now.
#[derive(Debug, Default)]
pub(super) struct Load {
    machines: Vec<Member>,
    turn: Option<i64>,
}

#[derive(Debug)]
struct Member {
    uuid: String,
    name: String,
    cluster: String,
    control_plane: bool,
    since: Timestamp,
}

impl Load {
    /// Puts so many machines and their clusters into a store.
    pub(super) fn seed(store: &mut Store, machines: usize, now: Timestamp) -> Self {
        let since = now.checked_sub(SignedDuration::from_hours(24 * 30)).unwrap_or(now);
        let member = |number: usize| {
            let name = format!("load-node-{number:05}");
            let cluster = format!("load-{:02}", number / CLUSTER);
            Member { uuid: machine_uuid(&name), name, cluster, control_plane: number % CLUSTER < 3, since }
        };
        let load = Self { machines: (0..machines).map(member).collect(), turn: None };
        for first in load.machines.iter().step_by(CLUSTER) {
            let size = load.machines.iter().filter(|member| member.cluster == first.cluster).count();
            cluster(store, &first.cluster, size, since);
        }
        for member in &load.machines {
            store.set(at("default", "MachineStatuses", &member.uuid), member.machine(), since);
            store.set(at("default", "ClusterMachineStatuses", &member.uuid), member.place(RUNNING), since);
        }
        load
    }

    /// One in a hundred restarts, and those before it run again.
    pub(super) fn turn(&mut self, store: &mut Store, now: Timestamp) {
        let turn = now.as_second() / TURN;
        let before = self.turn.replace(turn);
        if self.machines.is_empty() || before == Some(turn) {
            return;
        }
        let part = |turn: i64| {
            let at = usize::try_from(turn).unwrap_or_default() % PART;
            self.machines.iter().skip(at).step_by(PART)
        };
        let changes = before.into_iter().flat_map(part).map(|member| (member, RUNNING));
        for (member, stage) in changes.chain(part(turn).map(|member| (member, REBOOTING))) {
            store.set(at("default", "ClusterMachineStatuses", &member.uuid), member.place(stage), now);
        }
    }
}

fn cluster(store: &mut Store, name: &str, size: usize, since: Timestamp) {
    let mut object = Object::new(since, cluster_spec());
    object.labels.insert("domain".into(), "cloud".into());
    store.set(at("default", "Clusters", name), object, since);
    let counts = json!({"total": size, "healthy": size, "connected": size, "requested": size});
    let status = json!({
        "available": true, "machines": counts, "phase": 3, "ready": true, "kubernetesAPIReady": true,
        "controlplaneReady": true, "has_connected_control_planes": true, "talos_version": TALOS,
        "kubernetes_version": KUBERNETES,
    });
    store.set(at("default", "ClusterStatuses", name), Object::new(since, status), since);
    for (set, role) in [("control-planes", "role-controlplane"), ("workers", "role-worker")] {
        let id = format!("{name}-{set}");
        let labelled = |spec: Value| Object::new(since, spec).label("cluster", name).label(role, "");
        store.set(at("default", "MachineSets", &id), labelled(json!({"update_strategy": 1})), since);
        store.set(
            at("default", "MachineSetStatuses", &id),
            labelled(json!({"phase": 3, "ready": true})),
            since,
        );
    }
}

impl Member {
    fn machine(&self) -> Object {
        let number: usize =
            self.name.rsplit('-').next().and_then(|text| text.parse().ok()).unwrap_or_default();
        let spec = json!({
            "talos_version": format!("v{TALOS}"),
            "hardware": {
                "processors": [{"core_count": 8, "thread_count": 16, "frequency": 2800, "description": "AMD EPYC 7402P"}],
                "memory_modules": [{"size_mb": 16_384, "description": "DIMM A1"}, {"size_mb": 16_384, "description": "DIMM B1"}],
                "blockdevices": [
                    {"size": 480_103_981_056_u64, "model": "SAMSUNG MZ7L3480", "linux_name": "/dev/sda", "name": "sda",
                     "serial": format!("S{number:012}"), "type": "SSD", "bus_path": "/pci0000:00/0000:00:05.0/virtio2", "system_disk": true},
                    {"size": 3_840_755_982_336_u64, "model": "SAMSUNG MZQL23T8", "linux_name": "/dev/nvme0n1", "name": "nvme0n1",
                     "serial": format!("N{number:012}"), "type": "NVME", "transport": "nvme"},
                ],
                "arch": "amd64",
            },
            "network": {
                "hostname": self.name, "domainname": "lab.example",
                "addresses": [format!("203.0.113.{}/24", 1 + number % 250), format!("fdae:41e4:649b:9303::{number:x}/64")],
                "default_gateways": ["203.0.113.254"],
                "network_links": [{"linux_name": "eth0", "hardware_address": mac(&self.name), "speed_mbps": 10_000, "link_up": true,
                    "description": "Virtio network device"}],
            },
            "management_address": format!("fdae:41e4:649b:9303::{number:x}"),
            "connected": true, "cluster": self.cluster, "role": if self.control_plane { 1 } else { 2 },
            "platform_metadata": {"platform": "metal", "hostname": self.name, "region": "fr-par", "zone": "fr-par-1"},
            "schematic": {
                "extensions": ["siderolabs/iscsi-tools", "siderolabs/util-linux-tools"], "kernel_args": ["console=ttyS0"],
                "full_id": "613e1592b2da41ae5e265e8789429f22e121aab91cb4deb6bc3c0b6262961245",
            },
            "power_state": 2,
        });
        let mut machine = self.labelled(Object::new(self.since, spec)).owned("MachineStatusController");
        for (label, value) in [
            ("connected", ""),
            ("reporting-events", ""),
            ("installed", ""),
            ("arch", "amd64"),
            ("cores", "8"),
            ("mem", "32GiB"),
            ("storage", "4TB"),
            ("platform", "metal"),
            ("region", "fr-par"),
            ("zone", "fr-par-1"),
            ("talos-version", TALOS),
        ] {
            machine = machine.label(label, value);
        }
        machine.labels.insert("rack".into(), format!("r{}", number / 20));
        machine
    }

    fn place(&self, stage: i64) -> Object {
        let spec = json!({
            "ready": stage == RUNNING, "stage": stage, "config_up_to_date": true, "config_apply_status": 2,
            "management_address": "fdae:41e4:649b:9303::1",
        });
        self.labelled(Object::new(self.since, spec))
            .owned("ClusterMachineStatusController")
            .label("hostname", &self.name)
            .label("connected", "")
    }

    fn labelled(&self, object: Object) -> Object {
        let (role, set) = if self.control_plane {
            ("role-controlplane", "control-planes")
        } else {
            ("role-worker", "workers")
        };
        object
            .label("cluster", &self.cluster)
            .label("machine-set", &format!("{}-{set}", self.cluster))
            .label(role, "")
    }
}
