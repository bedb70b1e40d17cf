//! The clusters of the lab: the homelab, and one of ten hosts for load.

use std::collections::BTreeMap;

use crate::backend::proxmox::guest::Family;
use crate::backend::sim::{World, lab};

use super::lab::{Backup, GIB, Guest, Lab, Node, Snap, Storage};
use super::task::Task;

/// What a host takes for itself, bytes.
pub const HOST: i64 = GIB * 19 / 10;
/// The ZFS cache, bytes.
pub const ARC: i64 = 8_371_830_784;
/// What "64 GB" are to the kernel.
const MEMORY: i64 = 67_321_151_488;
const DAY: i64 = 86_400;

/// Fills a lab for its scenario.
pub fn fill(lab: &mut Lab, world: &World) {
    if world.size.guests > 0 { cluster(lab, world.size.guests) } else { home(lab, &world.scenario) }
}

fn home(lab: &mut Lab, scenario: &str) {
    lab.nodes.push(Node { name: "pve".into(), memory: MEMORY, booted: lab.now - 41 * DAY, threads: 16 });
    for (name, kind, content, size, used) in [
        ("local", "dir", "backup,iso,vztmpl,import", 239_444_426_752, 38_654_705_664),
        ("local-zfs", "zfspool", "images,rootdir", 755_914_244_096, 310_311_387_136),
        ("tank", "zfspool", "images,rootdir", 19_791_209_299_968, 8_246_337_208_320),
        ("backup-hdd", "dir", "backup", 4_947_802_324_992, 1_511_828_488_192),
    ] {
        lab.storages.push(Storage { node: "pve".into(), name: name.into(), kind, content, size, used });
    }
    let day = 41 * DAY - 300;
    let dev = if scenario == "gaming-refused" { 3 * 3_600 } else { 0 };
    for guest in [
        machine(100, "talos-prod-cp", 2, 4, 50, day, "control-plane;prod;talos"),
        machine(101, "talos-prod-worker-1", 6, 12, 200, day, "prod;talos;worker"),
        machine(110, "windows-gaming", 8, 32, 1000, 0, "desktop;gpu"),
        machine(120, "talos-dev", 2, 4, 50, dev, "dev;talos"),
    ] {
        add(lab, guest);
    }
    let gaming = [
        ("balloon", "0"),
        ("hostpci0", "0000:01:00,pcie=1,x-vga=1"),
        ("ostype", "win11"),
        ("agent", "1"),
        ("startup", "order=9,up=0,down=120"),
        ("description", "Gaming, off most of the time\n"),
    ];
    set(lab, 110, &gaming);
    for prod in [100, 101] {
        set(lab, prod, &[("onboot", "1"), ("agent", "enabled=1")]);
    }
    // The control plane first, and half a minute for it.
    set(lab, 100, &[("startup", "order=1,up=30")]);
    set(lab, 101, &[("startup", "order=2")]);
    let template = Guest { template: true, ..machine(9000, "talos-template", 2, 2, 10, 0, "") };
    add(lab, template);
    let container = Guest { family: Family::Lxc, ..machine(130, "build-ct", 2, 1, 8, 0, "lab") };
    add(lab, container);
    kept(lab);
    history(lab);
}

/// Snapshots and backups from before.
fn kept(lab: &mut Lab) {
    let now = lab.now;
    let snap = |name: &str, parent: Option<&str>, days: i64, description: &str| Snap {
        name: name.to_owned(),
        parent: parent.map(str::to_owned),
        time: now - days * DAY,
        memory: false,
        description: format!("{description}\n"),
    };
    if let Some(guest) = lab.guests.get_mut(&100) {
        guest.snapshots = vec![
            snap("pre_talos_1_8", None, 120, "before Talos 1.8"),
            snap("pre_talos_1_9", Some("pre_talos_1_8"), 40, "before Talos 1.9"),
        ];
        guest.at = Some("pre_talos_1_9".to_owned());
    }
    for (vmid, hours, gib) in [(100, 8, 3), (101, 8, 32), (100, 32, 3), (101, 32, 31), (110, 24 * 80, 4)] {
        lab.backups.push(Backup {
            node: "pve".into(),
            storage: "backup-hdd".into(),
            vmid,
            family: Family::Qemu,
            time: now - hours * 3_600,
            size: gib * GIB,
            notes: lab.guests.get(&vmid).map(|guest| guest.name.clone()).unwrap_or_default(),
            protected: vmid == 110,
        });
    }
}

/// A virtual machine that has been up for so many seconds; 0 is off.
fn machine(vmid: u32, name: &str, cores: i64, gib: i64, disk: i64, up: i64, tags: &str) -> Guest {
    Guest {
        family: Family::Qemu,
        vmid,
        name: name.to_owned(),
        node: "pve".to_owned(),
        cores,
        memory: gib * 1024,
        disk,
        state: if up > 0 { "running" } else { "stopped" },
        started: up,
        lock: None,
        template: false,
        tags: tags.to_owned(),
        config: BTreeMap::new(),
        snapshots: Vec::new(),
        at: None,
    }
}

fn add(cluster: &mut Lab, mut guest: Guest) {
    guest.started = cluster.now - guest.started;
    let mac = lab::mac(&guest.name).to_uppercase();
    match guest.family {
        Family::Qemu => {
            let uuid = lab::machine_uuid(&guest.name);
            guest.config.insert("smbios1".into(), format!("uuid={uuid}"));
            guest.config.insert("net0".into(), format!("virtio={mac},bridge=vmbr0"));
            let disk =
                format!("local-zfs:vm-{}-disk-0,discard=on,iothread=1,size={}G", guest.vmid, guest.disk);
            guest.config.insert("scsi0".into(), disk);
        }
        Family::Lxc => {
            guest
                .config
                .insert("net0".into(), format!("name=eth0,bridge=vmbr0,hwaddr={mac},ip=dhcp,type=veth"));
            let disk = format!("local-zfs:subvol-{}-disk-0,size={}G", guest.vmid, guest.disk);
            guest.config.insert("rootfs".into(), disk);
        }
    }
    cluster.guests.insert(guest.vmid, guest);
}

fn set(lab: &mut Lab, vmid: u32, entries: &[(&str, &str)]) {
    if let Some(guest) = lab.guests.get_mut(&vmid) {
        guest.config.extend(entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    }
}

/// Scatters a number (splitmix64).
pub fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What happened before.
fn history(lab: &mut Lab) {
    let now = lab.now;
    let past: [(i64, &str, &str, i64, &str, &str); 5] = [
        (41 * DAY, "startall", "", 12, "OK", "root@pam"),
        (2 * DAY + 7_200, "qmshutdown", "110", 41, "OK", "admin1@pve"),
        (2 * DAY + 14_400, "qmstart", "110", 21, "OK", "admin1@pve"),
        (8 * 3_600, "vzdump", "101", 267, "WARNINGS: 1", "root@pam"),
        (8 * 3_600 + 300, "vzdump", "100", 64, "OK", "root@pam"),
    ];
    for (ago, kind, id, took, exit, user) in past {
        lab.now = now - ago;
        let task = Task { exit: exit.to_owned(), user: user.to_owned(), ..Task::lasting(took) };
        lab.begin("pve", kind, id, Task { applied: true, ..task });
    }
    lab.now = now;
    lab.tasks.sort_by_key(|task| task.starts);
}

/// Ten hosts that share so many guests.
fn cluster(lab: &mut Lab, guests: usize) {
    for n in 1..=10 {
        let name = format!("pve{n:02}");
        lab.nodes.push(Node {
            name: name.clone(),
            memory: 8192 * GIB,
            booted: lab.now - 90 * DAY,
            threads: 128,
        });
        for (storage, used) in [("local", 20), ("local-zfs", 55), ("backup", 70)] {
            lab.storages.push(Storage {
                node: name.clone(),
                name: storage.into(),
                kind: if storage == "local-zfs" { "zfspool" } else { "dir" },
                content: if storage == "local-zfs" { "images,rootdir" } else { "backup,iso" },
                size: 20_000 * GIB,
                used: 200 * GIB * used,
            });
        }
    }
    for n in 0..guests {
        let vmid = 100 + u32::try_from(n).unwrap_or(0);
        let dice = mix(lab.seed ^ u64::from(vmid));
        let (role, gib) = [("web", 4), ("db", 16), ("cache", 2), ("queue", 2), ("build", 8)][n % 5];
        let up = if dice % 10 < 8 { i64::try_from(dice % 8_000_000).unwrap_or(1) + 60 } else { 0 };
        let tags = format!("{};{role}", if dice.is_multiple_of(3) { "prod" } else { "dev" });
        let mut guest = machine(vmid, &format!("{role}-{n:05}"), 4, gib, 40, up, &tags);
        guest.node = format!("pve{:02}", n % 10 + 1);
        if dice.is_multiple_of(7) {
            guest.family = Family::Lxc;
        }
        add(lab, guest);
    }
}
