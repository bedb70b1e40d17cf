//! The operations of a cluster: names, tiers, rights and forms.

use crate::model::op::{Field, FieldKind, OpSpec, Targets, Tier, Verb};

use super::super::kinds::{NODES, PODS};
use super::super::more::{DAEMONSETS, DEPLOYMENTS, JOBS, STATEFULSETS};

/// Delete one pod, so that its workload makes another.
pub const DELETE_POD: &str = "kubernetes.delete-pod";
/// Delete one job.
pub const DELETE_JOB: &str = "kubernetes.delete-job";
/// Replace a workload's pods one after the other.
pub const RESTART: &str = "kubernetes.restart";
/// Change how many pods a workload has.
pub const SCALE: &str = "kubernetes.scale";
/// Keep new pods away from a node.
pub const CORDON: &str = "kubernetes.cordon";
/// Let new pods onto a node again.
pub const UNCORDON: &str = "kubernetes.uncordon";
/// Move a node's pods elsewhere.
pub const DRAIN: &str = "kubernetes.drain";

/// All of them.
pub fn operations() -> Vec<OpSpec> {
    vec![
        OpSpec::on(
            PODS,
            DELETE_POD,
            "delete",
            Tier::T1,
            "Deletes the pod gracefully; its workload makes another.",
        )
        .right("delete pods")
        .verb(Verb::End)
        .bulk()
        .warn_if_blind(),
        OpSpec::on(JOBS, DELETE_JOB, "delete", Tier::T1, "Deletes the job and its pods.")
            .right("delete jobs.batch")
            .verb(Verb::End)
            .bulk()
            .warn_if_blind(),
        on_workloads(
            &[DEPLOYMENTS, STATEFULSETS, DAEMONSETS],
            OpSpec::on(
                DEPLOYMENTS,
                RESTART,
                "restart",
                Tier::T2,
                "Replaces its pods one after the other, as a roll-out.",
            )
            .right("patch deployments.apps")
            .bulk(),
        ),
        on_workloads(
            &[DEPLOYMENTS, STATEFULSETS],
            OpSpec::on(DEPLOYMENTS, SCALE, "scale", Tier::T2, "Changes how many pods it has.")
                .right("patch deployments.apps")
                .form(vec![replicas()]),
        ),
        OpSpec::on(
            NODES,
            CORDON,
            "cordon",
            Tier::T2,
            "Keeps new pods away from the node; those that run stay.",
        )
        .right("patch nodes")
        .warn_if_blind(),
        OpSpec::on(NODES, UNCORDON, "uncordon", Tier::T2, "Lets new pods onto the node again.")
            .right("patch nodes"),
        OpSpec::on(
            NODES,
            DRAIN,
            "drain",
            Tier::T2,
            "Cordons the node and evicts its pods, as their budgets allow.",
        )
        .right("create pods/eviction")
        .form(vec![lose_scratch(), lose_bare()]),
    ]
}

fn on_workloads(kinds: &[&'static str], op: OpSpec) -> OpSpec {
    OpSpec { targets: Targets::Rows(kinds.iter().map(|kind| (*kind).into()).collect()), ..op }
}

fn replicas() -> Field {
    Field::new("replicas", "replicas", FieldKind::Line, "How many pods, a whole number from 0 to 50.")
}

fn lose_scratch() -> Field {
    let doc = "Evict pods that keep data in emptyDir volumes, although that data is lost.";
    Field::new("lose-scratch", "lose emptyDir data", FieldKind::Flag, doc).default("false")
}

fn lose_bare() -> Field {
    let doc = "Evict pods that belong to no workload, although nothing makes them anew.";
    Field::new("lose-bare", "lose bare pods", FieldKind::Flag, doc).default("false")
}
