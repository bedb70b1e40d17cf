//! The simulated cluster's state, and how it moves with the lab's clock.

use std::collections::BTreeMap;

use axum::body::Bytes;
use jiff::Timestamp;

use crate::backend::proxmox::guest::Family;
use crate::backend::proxmox::rights::Permissions;
use crate::backend::sim::World;

use super::task::{Change, Effect, Task};
use super::{build, house};

/// Bytes in a GiB.
pub const GIB: i64 = 1 << 30;
/// How often pvestatd tells the cluster what it sees, in seconds.
pub const BROADCAST: i64 = 10;
/// What the token of the lab may do unless the world says otherwise.
const ROLE: &str = r#"{"/":{"Datastore.AllocateSpace":1,"Datastore.Audit":1,"Mapping.Audit":1,"Pool.Audit":1,"SDN.Use":1,
"Sys.Audit":1,"Sys.Modify":1,"Sys.Syslog":1,"VM.Allocate":1,"VM.Audit":1,"VM.Backup":1,"VM.Clone":1,"VM.Config.Options":1,
"VM.Config.Disk":1,"VM.Console":1,"VM.GuestAgent.Audit":1,"VM.Migrate":1,"VM.PowerMgmt":1,"VM.Snapshot":1,"VM.Snapshot.Rollback":1}}"#;

/// A host.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its memory, bytes.
    pub memory: i64,
    /// When it booted, epoch seconds.
    pub booted: i64,
    /// Threads.
    pub threads: i64,
}

/// A storage, as one node sees it.
#[derive(Debug, Clone)]
pub struct Storage {
    /// The node.
    pub node: String,
    /// Its name.
    pub name: String,
    /// `dir`, `zfspool`.
    pub kind: &'static str,
    /// What it may hold.
    pub content: &'static str,
    /// Bytes.
    pub size: i64,
    /// Bytes.
    pub used: i64,
}

/// A guest.
#[derive(Debug, Clone)]
pub struct Guest {
    /// Which sort.
    pub family: Family,
    /// Its number.
    pub vmid: u32,
    /// Its name.
    pub name: String,
    /// The host it is on.
    pub node: String,
    /// Processors.
    pub cores: i64,
    /// MiB.
    pub memory: i64,
    /// GiB.
    pub disk: i64,
    /// `running`, `stopped`, `paused`.
    pub state: &'static str,
    /// When it was started, epoch seconds.
    pub started: i64,
    /// The lock.
    pub lock: Option<&'static str>,
    /// Whether it is a template.
    pub template: bool,
    /// Separated by `;`.
    pub tags: String,
    /// The rest of its configuration.
    pub config: BTreeMap<String, String>,
    /// Its snapshots.
    pub snapshots: Vec<Snap>,
    /// The snapshot that it stands on.
    pub at: Option<String>,
}

/// A snapshot.
#[derive(Debug, Clone)]
pub struct Snap {
    /// Its name.
    pub name: String,
    /// The one before it.
    pub parent: Option<String>,
    /// Epoch seconds.
    pub time: i64,
    /// Whether the memory is in it.
    pub memory: bool,
    /// What somebody wrote about it.
    pub description: String,
}

/// A backup.
#[derive(Debug, Clone)]
pub struct Backup {
    /// The node that sees it.
    pub node: String,
    /// The storage.
    pub storage: String,
    /// The guest.
    pub vmid: u32,
    /// Which sort of guest.
    pub family: Family,
    /// Epoch seconds.
    pub time: i64,
    /// Bytes.
    pub size: i64,
    /// What is written on it.
    pub notes: String,
    /// Whether it refuses to be removed.
    pub protected: bool,
}

impl Backup {
    /// Its volume; the time in the name is the host's own.
    pub fn volid(&self) -> String {
        let at = Timestamp::from_second(self.time).unwrap_or_default().strftime("%Y_%m_%d-%H_%M_%S");
        let end = if self.family == Family::Qemu { "vma.zst" } else { "tar.zst" };
        format!("{}:backup/vzdump-{}-{}-{at}.{end}", self.storage, self.family.word(), self.vmid)
    }
}

impl Guest {
    /// What a task's end changes about it.
    fn change(&mut self, change: &Change, when: i64) {
        match change {
            Change::State(state) => {
                if *state == "running" && !self.is_up() {
                    self.started = when;
                }
                self.state = state;
            }
            Change::Restart => self.started = when,
            Change::Lock(lock) => self.lock = *lock,
            Change::Node(node) => self.node.clone_from(node),
            Change::Take(snap) => {
                self.at = Some(snap.name.clone());
                self.snapshots.push(snap.clone());
            }
            Change::Rollback(name) => self.at = Some(name.clone()),
            Change::Drop(name) => self.drop_snapshot(name),
        }
    }

    fn drop_snapshot(&mut self, name: &str) {
        let gone =
            self.snapshots.iter().position(|snap| snap.name == name).map(|at| self.snapshots.remove(at));
        let parent = gone.and_then(|snap| snap.parent);
        for snap in self.snapshots.iter_mut().filter(|snap| snap.parent.as_deref() == Some(name)) {
            snap.parent.clone_from(&parent);
        }
        if self.at.as_deref() == Some(name) {
            self.at = parent;
        }
    }

    /// Whether it holds memory and devices.
    pub fn is_up(&self) -> bool {
        self.state != "stopped"
    }

    /// What it costs its host, bytes.
    pub fn cost(&self) -> i64 {
        let memory = self.memory << 20;
        let machine = self.family == Family::Qemu;
        match (self.is_up(), machine) {
            (false, _) => 0,
            (true, true) => memory + memory / 50,
            (true, false) => memory / 4,
        }
    }

    /// The PCI devices it takes, without their functions.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        let entries = self.config.iter().filter(|(key, _)| key.starts_with("hostpci"));
        entries.map(|(_, value)| {
            let first = value.split(',').next().unwrap_or_default();
            if first == "mapping=gpu0" { "0000:01:00" } else { first }
        })
    }
}

/// The whole cluster.
pub struct Lab {
    /// The hosts.
    pub nodes: Vec<Node>,
    /// The storages.
    pub storages: Vec<Storage>,
    /// The guests by number.
    pub guests: BTreeMap<u32, Guest>,
    /// The backups.
    pub backups: Vec<Backup>,
    /// All tasks, oldest first.
    pub tasks: Vec<Task>,
    /// What the token may do.
    pub permissions: Permissions,
    /// Now, epoch seconds.
    pub now: i64,
    /// Where its randomness comes from.
    pub seed: u64,
    /// Whether it is large, so that only a hundredth of it moves at a time.
    pub large: bool,
    /// Guests that do not hear a shutdown.
    pub deaf: Vec<u32>,
    /// The list as it was broadcast last, and when.
    pub broadcast: Option<(i64, Bytes)>,
    /// What flags of the world said at the last look.
    pub heard: BTreeMap<&'static str, String>,
    next_pid: u32,
}

impl Lab {
    /// The cluster at the beginning of a scenario.
    pub fn new(world: &World) -> Self {
        let now = world.clock.now().as_second();
        let mut lab = Self {
            nodes: Vec::new(),
            storages: Vec::new(),
            guests: BTreeMap::new(),
            backups: Vec::new(),
            tasks: Vec::new(),
            permissions: Permissions::default(),
            now,
            seed: world.seed,
            large: world.size.guests > 0,
            deaf: Vec::new(),
            broadcast: None,
            heard: BTreeMap::new(),
            next_pid: 0x0001_0000 + u32::try_from(world.seed % 4096).unwrap_or(0),
        };
        build::fill(&mut lab, world);
        lab
    }

    /// Moves to the present: tasks that have ended take effect, in the order of their ends.
    pub fn advance(&mut self, world: &World) {
        self.now = world.clock.now().as_second();
        let role = world.get("proxmox.permissions");
        let role = if role.is_empty() { ROLE } else { &role };
        self.permissions = serde_json::from_str(role).unwrap_or_default();
        self.deaf = world.get("proxmox.deaf").split(',').filter_map(|vmid| vmid.parse().ok()).collect();
        let mut due: Vec<usize> =
            (0..self.tasks.len()).filter(|at| self.tasks[*at].is_due(self.now)).collect();
        due.sort_by_key(|at| self.tasks[*at].ends);
        for at in due {
            let task = &mut self.tasks[at];
            task.applied = true;
            let (effects, when) = (std::mem::take(&mut task.effects), task.ends);
            for effect in effects {
                self.apply(&effect, when);
            }
        }
        house::disturb(self, world);
    }

    fn apply(&mut self, effect: &Effect, when: i64) {
        match effect {
            Effect::Keep(backup) => self.backups.push((**backup).clone()),
            Effect::Add(guest) => {
                self.guests.insert(guest.vmid, (**guest).clone());
            }
            Effect::On(vmid, change) => {
                if let Some(guest) = self.guests.get_mut(vmid) {
                    guest.change(change, when);
                }
            }
        }
    }

    /// Begins a task and returns its id.
    pub fn begin(&mut self, node: &str, kind: &str, id: &str, task: Task) -> String {
        self.next_pid += 17;
        let pstart = (self.now - self.nodes.first().map_or(0, |node| node.booted)).max(0) * 100;
        let upid = format!(
            "UPID:{node}:{:08X}:{pstart:08X}:{:08X}:{kind}:{id}:{}:",
            self.next_pid, self.now, task.user
        );
        self.tasks.push(Task { upid: upid.clone(), starts: self.now, ends: self.now + task.ends, ..task });
        upid
    }

    /// What a host has left, bytes.
    pub fn available(&self, node: &Node) -> i64 {
        let guests: i64 = self.guests.values().filter(|guest| guest.node == node.name).map(Guest::cost).sum();
        (node.memory - build::HOST - build::ARC - guests).max(0)
    }

    /// A host by its name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }
}
