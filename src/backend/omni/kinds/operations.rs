//! What may be done on Omni: tiers, roles and forms.

use super::{CLUSTERS, MACHINE_SETS, MACHINES};
use crate::model::op::{Field, FieldKind, Minds, OpSpec, Targets, Tier};

/// Ten years, the server's own limit for a kubeconfig token, is nobody's wish here: a token cannot be revoked.
const LONGEST_TOKEN: i64 = 30 * 86_400;
/// The longest life of an ephemeral cluster, in seconds.
const LONGEST_LIFE: i64 = 8 * 3600;
/// The longest wait for machines that cannot be reached, in seconds.
const LONGEST_WAIT: i64 = 45 * 60;
/// The longest watch after an upgrade, in seconds.
const LONGEST_SOAK: i64 = 6 * 3600;

/// What an upgrade minds of others.
const OTHERS: [Minds; 4] = [Minds::CriticalAlerts, Minds::Applications, Minds::Backups, Minds::Pools];

/// All operations.
pub(in crate::backend::omni) fn operations() -> Vec<OpSpec> {
    [files(), versions(), locks(), machines(), ephemeral()].concat()
}

fn op(kind: &'static str, name: &'static str, title: &'static str, tier: Tier, doc: &'static str) -> OpSpec {
    OpSpec::on(kind, name, title, tier, doc).right("Operator")
}

fn path() -> [Field; 2] {
    [
        Field::new("path", "file", FieldKind::Line, "The file to write; empty is one of vigie's own")
            .optional(),
        Field::new("replace", "replace", FieldKind::Flag, "Replace the file where it exists")
            .default("false"),
    ]
}

fn merge() -> Field {
    let merge = "Put it into the file where it exists; other contexts in it stay";
    Field::new("merge", "merge", FieldKind::Flag, merge).default("false")
}

fn files() -> Vec<OpSpec> {
    let kubeconfig = "Write a kubeconfig with a service account token into a file that only you may read.";
    let ttl = FieldKind::Duration { max: LONGEST_TOKEN };
    let token = [
        Field::new("ttl", "valid for", ttl, "How long the token works; it cannot be revoked on its own")
            .default("8h"),
        Field::new("user", "user", FieldKind::Line, "The Kubernetes user that the token names")
            .default("vigie"),
        Field::new("groups", "groups", FieldKind::Line, "Its Kubernetes groups, separated by commas")
            .default("system:masters"),
    ];
    let talosconfig = "Write a talosconfig, with which `talosctl` signs its calls through Omni, into a file.";
    let bundle = "Collect logs and resources of a cluster and its nodes into one zip file.";
    vec![
        op(CLUSTERS, "omni.kubeconfig", "kubeconfig", Tier::T1, kubeconfig)
            .form([&path()[..], &[merge()], &token[..]].concat()),
        op(CLUSTERS, "omni.talosconfig", "talosconfig", Tier::T1, talosconfig)
            .right("Reader")
            .form([&path()[..], &[merge()]].concat()),
        op(CLUSTERS, "omni.support-bundle", "support bundle", Tier::T1, bundle)
            .form(path().to_vec())
            .warn_if_blind(),
    ]
}

fn versions() -> Vec<OpSpec> {
    let form = || {
        let soak = FieldKind::Duration { max: LONGEST_SOAK };
        vec![
            Field::new("version", "version", FieldKind::Offered, "The version to go to, or to go back to"),
            Field::new("soak", "watch for", soak, "How long the cluster must stay ready afterwards")
                .default("10m"),
        ]
    };
    let talos = "Bring the machines of a cluster to another Talos version, one after the other.";
    let kubernetes = "Bring a cluster to another Kubernetes version, after Omni's own checks.";
    let workers = "`wait` locks them first: they go one by one, each when you unlock it";
    let choices = FieldKind::Choice(vec!["follow".into(), "wait".into()]);
    let workers = Field::new("workers", "workers", choices, workers).default("follow");
    vec![
        op(CLUSTERS, "omni.upgrade-talos", "upgrade Talos", Tier::T2, talos)
            .form([form(), vec![workers]].concat())
            .minds(&OTHERS),
        op(CLUSTERS, "omni.upgrade-kubernetes", "upgrade Kubernetes", Tier::T2, kubernetes)
            .form(form())
            .minds(&OTHERS),
    ]
}

fn locks() -> Vec<OpSpec> {
    let lock = "Hold back updates of a machine, or all changes of a cluster.";
    let unlock = "Let updates of a machine, or changes of a cluster, go on.";
    let both = || Targets::Rows(vec![CLUSTERS.into(), MACHINES.into()]);
    let mut lock = op(CLUSTERS, "omni.lock", "lock", Tier::T1, lock).warn_if_blind();
    let mut unlock = op(CLUSTERS, "omni.unlock", "unlock", Tier::T1, unlock);
    lock.targets = both();
    unlock.targets = both();
    vec![lock, unlock]
}

fn machines() -> Vec<OpSpec> {
    let modes = ["default", "powercycle", "force"].map(Into::into).to_vec();
    let mode =
        Field::new("mode", "mode", FieldKind::Choice(modes), "How hard; `force` skips the graceful part");
    let labels = "The machine's own labels from now on, as KEY=VALUE words; those left out go";
    let labels = Field::new("labels", "labels", FieldKind::Line, labels).optional();
    let count = Field::new("count", "machines", FieldKind::Line, "How many machines the set is to have");
    let patch = [
        Field::new("name", "name", FieldKind::Line, "The patch's short name; an existing one is changed"),
        Field::new("patch", "patch", FieldKind::Lines, "A Talos machine configuration patch in YAML"),
    ];
    vec![
        op(MACHINES, "omni.reboot", "reboot", Tier::T2, "Restart a machine through Talos.")
            .form(vec![mode.default("default")]),
        op(
            MACHINES,
            "omni.power-on",
            "power on",
            Tier::T1,
            "Power a machine on, where a static provider can.",
        ),
        op(MACHINES, "omni.power-off", "power off", Tier::T2, "Shut a machine down through Talos."),
        op(MACHINES, "omni.set-labels", "labels", Tier::T1, "Set the labels that machine classes select by.")
            .form(vec![labels]),
        op(MACHINE_SETS, "omni.scale", "scale", Tier::T2, "Change how many machines of its class a set has.")
            .form(vec![count]),
        op(CLUSTERS, "omni.etcd-backup", "etcd backup", Tier::T1, "Save etcd of a cluster now.")
            .warn_if_blind(),
        op(CLUSTERS, "omni.patch", "config patch", Tier::T2, "Add or change a config patch of a cluster.")
            .form(patch.to_vec()),
    ]
}

fn ephemeral() -> Vec<OpSpec> {
    let life = FieldKind::Duration { max: LONGEST_LIFE };
    let create = vec![
        Field::new("owner", "owner", FieldKind::Line, "The run or person it is for; empty is the operator")
            .optional(),
        Field::new("ttl", "lives for", life, "How long it may live; nothing but a reap takes it down")
            .default("2h"),
        Field::new("talos", "Talos", FieldKind::Line, "The Talos version, where the template leaves it open"),
        Field::new(
            "kubernetes",
            "Kubernetes",
            FieldKind::Line,
            "The Kubernetes version, where the template leaves it open",
        ),
        Field::new("resume", "resume", FieldKind::Flag, "Finish a half-made cluster of this name")
            .default("false"),
    ];
    let wait = "How long machines that cannot be reached may hold it up before it counts as failed";
    let wait = Field::new("wait", "wait for", FieldKind::Duration { max: LONGEST_WAIT }, wait).default("10m");
    let ended = "An owner that has ended: a cluster made for exactly it is a leak before its time";
    let ended = Field::new("ended", "ended owner", FieldKind::Line, ended).optional();
    let free = "Have Omni forget a machine that it cannot reach, so that its short-lived cluster can go.";
    let making =
        "Make a short-lived cluster from the configured template, marked with owner and time to live.";
    let mut making =
        op(CLUSTERS, "omni.ephemeral-create", "new ephemeral cluster", Tier::T2, making).form(create);
    making.targets = Targets::New { kind: CLUSTERS.into(), what: "run id".into() };
    let destroy = "Take a short-lived cluster down with all its machines.";
    let reap = "Take down a short-lived cluster that has outlived its time or its owner.";
    vec![
        making,
        op(CLUSTERS, "omni.ephemeral-destroy", "destroy", Tier::T2, destroy).form(vec![wait.clone()]),
        op(CLUSTERS, "omni.reap", "reap", Tier::T2, reap).form(vec![ended, wait]).bulk(),
        op(MACHINES, "omni.free", "free", Tier::T2, free),
    ]
}
