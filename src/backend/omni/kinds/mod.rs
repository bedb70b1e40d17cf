//! The kinds that Omni lists and the operations that it takes, as the generic browser and the gate see them.

mod infra;
mod operations;

use crate::model::kind::{Column, Drill, Format, KindSpec, Shape, ViewSpec, Width};

pub(super) use operations::operations;

/// `omni.clusters`.
pub(super) const CLUSTERS: &str = "omni.clusters";
/// `omni.machines`.
pub(super) const MACHINES: &str = "omni.machines";
/// `omni.machinesets`.
pub(super) const MACHINE_SETS: &str = "omni.machinesets";
/// `omni.machineclasses`.
pub(super) const MACHINE_CLASSES: &str = "omni.machineclasses";
/// `omni.providers`.
pub(super) const PROVIDERS: &str = "omni.providers";
/// `omni.requests`.
pub(super) const REQUESTS: &str = "omni.requests";
/// `omni.etcdbackups`.
pub(super) const BACKUPS: &str = "omni.etcdbackups";
/// `omni.tokens`.
pub(super) const TOKENS: &str = "omni.tokens";
/// `omni.accounts`.
pub(super) const ACCOUNTS: &str = "omni.accounts";
/// `omni.audit`.
pub(super) const AUDIT: &str = "omni.audit";

/// All kinds.
pub(super) fn kinds() -> Vec<KindSpec> {
    let mut all = vec![clusters(), machines()];
    all.extend(infra::kinds());
    all
}

fn clusters() -> KindSpec {
    KindSpec {
        id: CLUSTERS.into(),
        singular: "cluster".into(),
        aliases: vec!["cluster".into(), "cl".into()],
        doc: "Talos clusters: phase, machines, versions, backups, and how long an ephemeral one still lives."
            .into(),
        columns: cluster_columns(),
        sort: (1, false),
        views: vec![ViewSpec { name: "template".into(), title: "template".into(), shape: Shape::Doc }],
        drill: Some(Drill { kind: MACHINES.into(), column: "cluster".into() }),
        pane: Some('2'),
    }
}

fn cluster_columns() -> Vec<Column> {
    let col = Column::new;
    vec![
        col("state", "state", Width::Fit(7, 13), "The phase; `not ready` where it runs but lacks something")
            .format(Format::State)
            .priority(0),
        col("name", "name", Width::Flex(2), "The cluster's name").priority(0),
        col("machines", "machines", Width::Fit(8, 9), "Healthy machines of all machines").priority(1),
        col("talos", "talos", Width::Fit(6, 14), "The Talos version that it is to have").priority(2),
        col("kubernetes", "k8s", Width::Fit(6, 10), "The Kubernetes version that it is to have").priority(2),
        col("upgrade", "upgrade", Width::Fit(8, 28), "The newest versions that Omni offers").priority(6),
        col("backup", "backup", Width::Fixed(6), "The age of the last etcd backup")
            .format(Format::Age)
            .priority(4),
        col(
            "expires",
            "expires",
            Width::Fixed(7),
            "When its time to live ends; only ephemeral clusters have one",
        )
        .format(Format::Until)
        .counts_down()
        .priority(3),
        col("owner", "owner", Width::Fit(5, 18), "The run or person that an ephemeral cluster was made for")
            .priority(5),
        col("cp", "cp", Width::Fixed(4), "Whether the control plane is ready").format(Format::Flag).wide(),
        col("api", "api", Width::Fixed(4), "Whether the Kubernetes API answers").format(Format::Flag).wide(),
        col("managed", "managed", Width::Fit(7, 9), "What brings it back to its desired state").wide(),
        col("locked", "lock", Width::Fixed(4), "Whether Omni refuses changes of it")
            .format(Format::Flag)
            .wide(),
        col("age", "age", Width::Fixed(5), "When it was made").format(Format::Age).priority(3),
    ]
}

fn machines() -> KindSpec {
    KindSpec {
        id: MACHINES.into(),
        singular: "machine".into(),
        aliases: vec!["machine".into(), "ma".into()],
        doc: "Machines that have joined Omni: stage, cluster, role, hardware, and what is wrong with them."
            .into(),
        columns: machine_columns(),
        sort: (1, false),
        views: vec![ViewSpec { name: "log".into(), title: "log".into(), shape: Shape::Log }],
        drill: None,
        pane: None,
    }
}

fn machine_columns() -> Vec<Column> {
    let col = Column::new;
    vec![
        col("state", "state", Width::Fit(7, 14), "Its stage in the cluster, `available`, or `disconnected`")
            .format(Format::State)
            .priority(0),
        col("name", "name", Width::Flex(2), "The host name, else the UUID").priority(0),
        col("cluster", "cluster", Width::Fit(7, 24), "The cluster that it belongs to").priority(1),
        col("role", "role", Width::Fit(6, 13), "What it is in its cluster").priority(2),
        col("talos", "talos", Width::Fit(6, 14), "The Talos version that runs on it").priority(3),
        col("cpu", "cpu", Width::Fixed(4), "Processor cores").priority(5),
        col("mem", "mem", Width::Fixed(6), "Memory in bytes").format(Format::Bytes).priority(4),
        col("disk", "disk", Width::Fixed(6), "The system disk's size in bytes")
            .format(Format::Bytes)
            .priority(6),
        col("address", "address", Width::Fit(9, 15), "Its first address").priority(4),
        col("lock", "lock", Width::Fit(6, 12), "Whether changes of it are held back").priority(5),
        col("platform", "platform", Width::Fit(6, 12), "Where it runs").wide(),
        col("arch", "arch", Width::Fit(5, 6), "Its processor's architecture").wide(),
        col("labels", "labels", Width::Fit(6, 40), "The labels that people gave it").wide(),
        col("uuid", "uuid", Width::Fixed(36), "Its SMBIOS UUID, which is its id").wide(),
        col("age", "age", Width::Fixed(5), "When it first joined").format(Format::Age).priority(6),
    ]
}
