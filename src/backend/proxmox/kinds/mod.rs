//! The kinds that Proxmox can list: their columns, views and drill-downs.

mod keeping;

use crate::model::id::KindId;
use crate::model::kind::{Column, Drill, Format, KindSpec, Shape, ViewSpec, Width};

/// Virtual machines and containers.
pub const GUESTS: &str = "proxmox.guests";
/// Hosts.
pub const NODES: &str = "proxmox.nodes";
/// Storages, one row per node.
pub const STORAGES: &str = "proxmox.storages";
/// What the servers work on and worked on.
pub const TASKS: &str = "proxmox.tasks";

/// Snapshots of guests.
pub const SNAPSHOTS: &str = "proxmox.snapshots";
/// Backups, one row each.
pub const BACKUPS: &str = "proxmox.backups";
/// The backup board: one row per guest.
pub const COVERAGE: &str = "proxmox.coverage";
/// Backup jobs.
pub const JOBS: &str = "proxmox.jobs";
/// ZFS pools.
pub const POOLS: &str = "proxmox.pools";
/// Disks.
pub const DISKS: &str = "proxmox.disks";
/// Services of the hosts.
pub const SERVICES: &str = "proxmox.services";

/// All kinds in the order of the palette.
pub fn all() -> Vec<KindSpec> {
    let mut kinds = vec![guests(), nodes(), storages(), tasks()];
    kinds.extend(keeping::all());
    kinds
}

fn view(name: &'static str, title: &'static str, shape: Shape) -> ViewSpec {
    ViewSpec { name: name.into(), title: title.into(), shape }
}

fn state() -> Column {
    let doc = "What the server says of it; QEMU's own word where it says more.";
    Column::new("state", "state", Width::Fit(7, 12), doc).format(Format::State).priority(0)
}

fn name(doc: &'static str) -> Column {
    Column::new("name", "name", Width::Flex(12), doc).priority(0)
}

fn bytes(name: &'static str, title: &'static str, doc: &'static str) -> Column {
    Column::new(name, title, Width::Fixed(6), doc).format(Format::Bytes)
}

fn percent(name: &'static str, title: &'static str, doc: &'static str) -> Column {
    Column::new(name, title, Width::Fixed(4), doc).format(Format::Percent)
}

fn guests() -> KindSpec {
    let columns = vec![
        state(),
        name("The guest's name; typed to confirm what is costly."),
        Column::new("vmid", "id", Width::Fit(3, 9), "Its number, unique in the cluster.").priority(3),
        Column::new("type", "type", Width::Fixed(4), "vm (QEMU) or ct (LXC).").priority(7),
        Column::new("node", "node", Width::Fit(4, 12), "The host it is on.").priority(6),
        percent("cpu", "cpu", "Share of its own processors in use.").priority(2),
        bytes("mem", "mem", "Memory in use, as the guest sees it where its balloon driver reports.")
            .priority(1),
        bytes("maxmem", "of", "Memory it may use.").priority(1),
        bytes("host", "host", "What it costs its host, with QEMU's own share (PVE 9).").wide(),
        bytes("disk", "disk", "Size of its boot disk; for containers what is used of it.").wide(),
        Column::new("net", "net", Width::Fixed(6), "Bytes in and out per second.")
            .format(Format::Rate)
            .priority(5),
        Column::new("lock", "lock", Width::Fit(4, 15), "Why power, configuration and snapshots are refused.")
            .priority(4),
        Column::new("backup", "saved", Width::Fixed(5), "Time since its last good backup.")
            .format(Format::Age)
            .priority(5),
        Column::new(
            "snapshot",
            "snap",
            Width::Fixed(4),
            "Time since its newest snapshot, where they were read.",
        )
        .format(Format::Age)
        .wide(),
        Column::new("ip", "ip", Width::Fit(2, 15), "An address that it told when it was last opened.").wide(),
        Column::new("tags", "tags", Width::Fit(4, 24), "Its tags.").priority(8),
        Column::new("pool", "pool", Width::Fit(4, 12), "The pool it belongs to.").wide(),
        Column::new("ha", "ha", Width::Fit(2, 14), "What the HA manager does with it.").wide(),
        Column::new(
            "onboot",
            "boot",
            Width::Fixed(4),
            "Whether it starts with its host, where that is known.",
        )
        .format(Format::Flag)
        .wide(),
        Column::new("age", "age", Width::Fixed(4), "Time since it started.").format(Format::Age).priority(2),
    ];
    KindSpec {
        id: GUESTS.into(),
        singular: "guest".into(),
        aliases: vec!["vm".into(), "vms".into(), "guest".into(), "ct".into(), "lxc".into(), "qemu".into()],
        doc: "Virtual machines and containers of Proxmox VE.".into(),
        columns,
        sort: (1, false),
        views: vec![
            view("snapshots", "snapshots", Shape::Tree),
            view("hour", "last hour", Shape::Chart),
            view("day", "last day", Shape::Chart),
            view("week", "last week", Shape::Chart),
            view("month", "last month", Shape::Chart),
        ],
        drill: None,
        pane: Some('1'),
    }
}

fn nodes() -> KindSpec {
    let columns = vec![
        state(),
        name("The host's name."),
        percent("cpu", "cpu", "Share of all its threads in use.").priority(2),
        bytes("mem", "mem", "Memory in use; the ZFS cache counts as used.").priority(1),
        bytes("maxmem", "of", "Memory it has.").priority(1),
        percent("load", "mem%", "Share of its memory in use.").priority(3),
        bytes("disk", "root", "What is used of its root file system.").priority(4),
        bytes("maxdisk", "of", "Size of its root file system.").priority(4),
        Column::new("guests", "guests", Width::Fixed(7), "Guests that run, of all on it.").priority(2),
        Column::new("ha", "ha", Width::Fit(2, 12), "Its state in the HA manager.").wide(),
        Column::new("age", "up", Width::Fixed(4), "Time since it booted.").format(Format::Age).priority(1),
    ];
    KindSpec {
        id: NODES.into(),
        singular: "node".into(),
        aliases: vec!["host".into(), "hosts".into(), "pve".into()],
        doc: "Proxmox VE hosts.".into(),
        columns,
        sort: (1, false),
        views: vec![
            view("hour", "last hour", Shape::Chart),
            view("day", "last day", Shape::Chart),
            view("week", "last week", Shape::Chart),
            view("month", "last month", Shape::Chart),
            view("journal", "journal", Shape::Log),
        ],
        drill: Some(Drill { kind: KindId::from(GUESTS), column: "node".into() }),
        pane: None,
    }
}

fn storages() -> KindSpec {
    let columns = vec![
        state(),
        name("The storage's name."),
        Column::new("node", "node", Width::Fit(4, 12), "The host that reports it.").priority(3),
        Column::new("type", "type", Width::Fit(4, 9), "What it is made of.").priority(4),
        bytes("used", "used", "Bytes in use.").priority(1),
        bytes("size", "of", "Its size.").priority(1),
        percent("full", "full", "Share in use.").priority(0),
        Column::new("shared", "shared", Width::Fixed(6), "Whether all hosts see the same one.")
            .format(Format::Flag)
            .priority(6),
        Column::new("content", "content", Width::Fit(7, 32), "What it may hold.").priority(5),
    ];
    KindSpec {
        id: STORAGES.into(),
        singular: "storage".into(),
        aliases: vec!["storage".into(), "datastores".into()],
        doc: "Storages of Proxmox VE, as each host sees them.".into(),
        columns,
        sort: (1, false),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}

fn tasks() -> KindSpec {
    let columns = vec![
        Column::new("state", "state", Width::Fit(7, 12), "running, ok, warnings, failed or lost.")
            .format(Format::State)
            .priority(0),
        // The name says both: what is done, and to what.
        Column::new("task", "task", Width::Fit(6, 16), "What is done.").priority(2),
        Column::new("on", "on", Width::Fit(3, 22), "The guest or thing it is done to.").priority(2),
        Column::new("node", "node", Width::Fit(4, 12), "The host that does it.").priority(4),
        Column::new("user", "user", Width::Fit(4, 22), "Who started it, and with which token.").priority(3),
        Column::new("result", "result", Width::Flex(12), "How it ended, in the server's words.").priority(1),
        Column::new("took", "took", Width::Fixed(6), "How long it took.").format(Format::Seconds).priority(2),
        Column::new("age", "began", Width::Fixed(5), "Time since it began.").format(Format::Age).priority(1),
    ];
    KindSpec {
        id: TASKS.into(),
        singular: "task".into(),
        aliases: vec!["task".into()],
        doc: "What Proxmox VE works on, and what it lately worked on.".into(),
        columns,
        sort: (7, true),
        views: vec![view("log", "log", Shape::Log)],
        drill: None,
        pane: None,
    }
}
