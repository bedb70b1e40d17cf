//! The kinds about what keeps guests safe: snapshots, backups, jobs, and what they are kept on.

use crate::model::id::KindId;
use crate::model::kind::{Column, Drill, Format, KindSpec, Shape, Width};

use super::{BACKUPS, COVERAGE, DISKS, JOBS, POOLS, SERVICES, SNAPSHOTS, bytes, name, percent, state, view};

/// These kinds in the order of the palette.
pub(super) fn all() -> Vec<KindSpec> {
    vec![snapshots(), backups(), coverage(), jobs(), pools(), disks(), services()]
}

fn spec(id: &'static str, singular: &'static str, aliases: &[&'static str], doc: &'static str) -> KindSpec {
    KindSpec {
        id: id.into(),
        singular: singular.into(),
        aliases: aliases.iter().map(|alias| (*alias).into()).collect(),
        doc: doc.into(),
        columns: Vec::new(),
        sort: (1, false),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}

fn guest() -> Column {
    Column::new("guest", "guest", Width::Fit(5, 28), "The guest's name.").priority(0)
}

fn vmid() -> Column {
    Column::new("vmid", "id", Width::Fit(3, 9), "The guest's number.").priority(3)
}

fn node() -> Column {
    Column::new("node", "node", Width::Fit(4, 12), "The host.").priority(4)
}

fn age(title: &'static str, doc: &'static str) -> Column {
    Column::new("age", title, Width::Fixed(5), doc).format(Format::Age).priority(1)
}

fn snapshots() -> KindSpec {
    KindSpec {
        columns: vec![
            state(),
            name("The snapshot's name."),
            guest(),
            vmid(),
            node(),
            Column::new("memory", "memory", Width::Fixed(6), "Whether the memory is in it.")
                .format(Format::Flag)
                .priority(5),
            Column::new("description", "description", Width::Flex(12), "What somebody wrote about it.")
                .priority(3),
            age("age", "Time since it was made."),
        ],
        sort: (7, false),
        ..spec(SNAPSHOTS, "snapshot", &["snap", "snapshot"], "Snapshots of all guests, the oldest first.")
    }
}

fn backups() -> KindSpec {
    KindSpec {
        columns: vec![
            state(),
            name("The guest's name."),
            vmid(),
            Column::new("storage", "storage", Width::Fit(7, 16), "Where it is.").priority(2),
            bytes("size", "size", "Its size."),
            Column::new("protected", "kept", Width::Fixed(4), "Whether it refuses to be removed.")
                .format(Format::Flag)
                .priority(3),
            Column::new("notes", "notes", Width::Flex(10), "The first line of its notes.").priority(4),
            Column::new("volume", "volume", Width::Flex(20), "Its volume.").wide(),
            age("age", "Time since it was made."),
        ],
        sort: (8, true),
        ..spec(BACKUPS, "backup", &["backup", "vzdump"], "Backups on all storages, the newest first.")
    }
}

fn coverage() -> KindSpec {
    KindSpec {
        columns: vec![
            state(),
            name("The guest's name."),
            vmid(),
            age("last", "Time since its last good backup."),
            bytes("size", "size", "Its size."),
            Column::new("storage", "on", Width::Fit(4, 16), "Where that is.").priority(3),
            Column::new(
                "verified",
                "verified",
                Width::Fit(4, 8),
                "What a backup server found when it checked it.",
            )
            .priority(5),
            Column::new("count", "all", Width::Fixed(4), "How many there are.")
                .format(Format::Plain)
                .priority(4),
            Column::new("jobs", "jobs", Width::Flex(10), "The enabled jobs that cover it.").priority(2),
            Column::new("next", "next", Width::Fixed(5), "Time until the next of them runs.")
                .format(Format::Until)
                .priority(2),
        ],
        sort: (0, false),
        drill: Some(Drill { kind: KindId::from(BACKUPS), column: "name".into() }),
        ..spec(
            COVERAGE,
            "guest's backups",
            &["board", "backup-board"],
            "Per guest: its last good backup, and what will make the next.",
        )
    }
}

fn jobs() -> KindSpec {
    KindSpec {
        columns: vec![
            state(),
            name("The job's id, or what somebody wrote about it."),
            Column::new("guests", "guests", Width::Flex(10), "The guests that it backs up.").priority(0),
            Column::new("storage", "storage", Width::Fit(7, 16), "Where to.").priority(2),
            Column::new("mode", "mode", Width::Fit(4, 8), "What happens to the guests meanwhile.")
                .priority(4),
            Column::new("schedule", "when", Width::Fit(4, 16), "When it runs (systemd calendar).")
                .priority(1),
            Column::new("next", "next", Width::Fixed(5), "Time until it runs next.")
                .format(Format::Until)
                .priority(1),
        ],
        sort: (6, false),
        ..spec(JOBS, "backup job", &["job", "backup-jobs"], "Backup jobs of the cluster.")
    }
}

fn pools() -> KindSpec {
    KindSpec {
        columns: vec![
            state(),
            name("The pool's name."),
            node(),
            bytes("used", "used", "Bytes allocated, before parity."),
            bytes("size", "of", "Its size, before parity."),
            percent("full", "full", "Share allocated.").priority(0),
            percent("frag", "frag", "Fragmentation of what is free.").priority(4),
        ],
        views: vec![view("tree", "devices", Shape::Tree)],
        ..spec(POOLS, "pool", &["zpool", "zfs"], "ZFS pools of the hosts.")
    }
}

fn disks() -> KindSpec {
    KindSpec {
        columns: vec![
            state(),
            name("The device."),
            node(),
            Column::new("type", "type", Width::Fit(3, 7), "nvme, ssd, hdd or usb.").priority(2),
            Column::new("model", "model", Width::Flex(12), "The model.").priority(1),
            Column::new("serial", "serial", Width::Fit(6, 20), "The serial number.").wide(),
            bytes("size", "size", "Its size."),
            percent(
                "life",
                "life",
                "Share of its life that is left; only where it was read without waking it.",
            )
            .priority(3),
            Column::new("used", "used", Width::Fit(4, 12), "What it is used for.").priority(3),
        ],
        views: vec![view("smart", "SMART, which wakes it", Shape::Doc)],
        ..spec(DISKS, "disk", &["disk"], "Disks of the hosts; asked without waking those that sleep.")
    }
}

fn services() -> KindSpec {
    KindSpec {
        columns: vec![
            state(),
            name("The service's name."),
            node(),
            Column::new("unit", "unit", Width::Fit(6, 10), "Whether it starts with its host.").priority(3),
            Column::new("description", "description", Width::Flex(12), "What it does.").priority(2),
        ],
        ..spec(SERVICES, "service", &["service", "svc"], "Services of the hosts.")
    }
}
