//! The kinds beside pods, nodes and events: what they are called and which columns they have.

use crate::model::kind::{Column, Drill, Format, KindSpec, Shape, ViewSpec, Width};

use super::kinds::{PODS, column, kind, labels, view};

/// Namespaces.
pub const NAMESPACES: &str = "kubernetes.namespaces";
/// Deployments.
pub const DEPLOYMENTS: &str = "kubernetes.deployments";
/// Stateful sets.
pub const STATEFULSETS: &str = "kubernetes.statefulsets";
/// Daemon sets.
pub const DAEMONSETS: &str = "kubernetes.daemonsets";
/// Jobs.
pub const JOBS: &str = "kubernetes.jobs";
/// Cron jobs.
pub const CRONJOBS: &str = "kubernetes.cronjobs";
/// Services.
pub const SERVICES: &str = "kubernetes.services";
/// Ingresses.
pub const INGRESSES: &str = "kubernetes.ingresses";
/// Routes of the Gateway API.
pub const ROUTES: &str = "kubernetes.routes";
/// Persistent volumes.
pub const VOLUMES: &str = "kubernetes.volumes";
/// Persistent volume claims.
pub const CLAIMS: &str = "kubernetes.claims";

/// The kinds in the order of the palette.
pub fn kinds() -> Vec<KindSpec> {
    vec![
        workload(
            DEPLOYMENTS,
            "deployment",
            &["deployment", "deploy"],
            "Deployments: wanted, new and ready pods.",
        ),
        workload(
            STATEFULSETS,
            "stateful set",
            &["statefulset", "sts"],
            "Stateful sets: wanted, new and ready pods.",
        ),
        workload(
            DAEMONSETS,
            "daemon set",
            &["daemonset", "ds"],
            "Daemon sets: one pod on each node that wants it.",
        ),
        jobs(),
        cronjobs(),
        services(),
        ingresses(),
        routes(),
        claims(),
        volumes(),
        namespaces(),
    ]
}

fn state(doc: &'static str) -> Column {
    column("state", "state", Width::Fit(6, 13), doc).format(Format::State).priority(0)
}

fn name() -> Column {
    column("name", "name", Width::Flex(18), "Its name.").priority(0)
}

fn namespace() -> Column {
    column("namespace", "namespace", Width::Fit(6, 18), "The namespace it lives in.").priority(1)
}

fn why() -> Column {
    column("why", "why", Width::Flex(12), "The reason behind a state that is not good.").priority(3)
}

fn age() -> Column {
    column("age", "age", Width::Fit(3, 4), "Since its creation.").format(Format::Age).priority(1)
}

fn workload(
    id: &'static str,
    singular: &'static str,
    aliases: &[&'static str],
    doc: &'static str,
) -> KindSpec {
    let columns = vec![
        state("Ready, or what is missing."),
        name(),
        namespace(),
        column("ready", "ready", Width::Fit(5, 7), "Ready pods of wanted pods.")
            .format(Format::Count)
            .priority(1),
        column("new", "new", Width::Fit(3, 5), "Pods of the newest template.")
            .format(Format::Count)
            .priority(4),
        why(),
        column("image", "image", Width::Flex(16), "The image of its first container.").priority(6).wide(),
        labels(),
        age(),
    ];
    let base = kind(id, singular, aliases, doc);
    KindSpec { columns, views: logged(base.views), ..base }
}

/// Views of what runs pods: the logs of all of them come first.
fn logged(views: Vec<ViewSpec>) -> Vec<ViewSpec> {
    let logs = [view("log", "log of all its pods", Shape::Log), view("previous", "previous log", Shape::Log)];
    logs.into_iter().chain(views).collect()
}

fn jobs() -> KindSpec {
    let columns = vec![
        state("Running, Complete or Failed."),
        name(),
        namespace(),
        column("done", "done", Width::Fit(4, 7), "Pods that succeeded of those wanted.")
            .format(Format::Count)
            .priority(2),
        column("failed", "fail", Width::Fit(4, 5), "Pods that failed.").format(Format::Count).priority(3),
        why(),
        column("owner", "owner", Width::Fit(6, 20), "The cron job that made it.").priority(6).wide(),
        column("ended", "ended", Width::Fit(4, 5), "When it was done.").format(Format::Age).priority(4),
        age(),
    ];
    let base = kind(JOBS, "job", &["job"], "Jobs: done, under way, failed.");
    KindSpec { columns, sort: (8, true), views: logged(base.views), ..base }
}

fn cronjobs() -> KindSpec {
    let columns = vec![
        state("Waiting, Running, Suspended or Failed."),
        name(),
        namespace(),
        column("schedule", "schedule", Width::Fit(9, 16), "Five fields of cron.").priority(1),
        why(),
        column("last", "last", Width::Fit(4, 4), "The last start.").format(Format::Age).priority(2),
        column("good", "good", Width::Fit(4, 4), "The last success.").format(Format::Age).priority(2),
        age(),
    ];
    let doc = "Cron jobs: schedule, last start, last success.";
    KindSpec { columns, ..kind(CRONJOBS, "cron job", &["cronjob", "cj"], doc) }
}

fn services() -> KindSpec {
    let columns = vec![
        state("Ready, or waiting for an address."),
        name(),
        namespace(),
        column("type", "type", Width::Fit(9, 12), "ClusterIP, NodePort, LoadBalancer or ExternalName.")
            .priority(3),
        column("ip", "ip", Width::Fit(7, 15), "Its address in the cluster.").priority(5),
        column("outside", "outside", Width::Fit(7, 24), "Its address or name outside.").priority(2),
        column("ports", "ports", Width::Fit(5, 14), "Its ports.").priority(4),
        why(),
        age(),
    ];
    let doc = "Services: addresses inside and outside, ports.";
    let base = kind(SERVICES, "service", &["service", "svc"], doc);
    let views = std::iter::once(view("forward", "port forwards", Shape::Doc)).chain(base.views).collect();
    KindSpec { columns, views, ..base }
}

fn ingresses() -> KindSpec {
    let columns = vec![
        state("Ready, or waiting for an address."),
        name(),
        namespace(),
        column("hosts", "hosts", Width::Flex(18), "The hosts it answers to.").priority(1),
        column("class", "class", Width::Fit(5, 12), "Who serves it.").priority(4),
        column("address", "address", Width::Fit(7, 24), "Where it can be reached.").priority(3),
        column("tls", "tls", Width::Fit(4, 18), "The secret with its certificate.").priority(5),
        age(),
    ];
    let doc = "Ingresses: hosts, class, address.";
    KindSpec { columns, ..kind(INGRESSES, "ingress", &["ingress", "ing"], doc) }
}

fn routes() -> KindSpec {
    let columns = vec![
        state("Accepted by a gateway, or why not."),
        name(),
        namespace(),
        column("hosts", "hosts", Width::Flex(18), "The hosts it answers to.").priority(1),
        column("gateways", "gateways", Width::Fit(8, 18), "The gateways it hangs on.").priority(3),
        why(),
        age(),
    ];
    let doc = "HTTP routes of the Gateway API: hosts, gateways, acceptance.";
    KindSpec { columns, ..kind(ROUTES, "route", &["route", "httproute"], doc) }
}

fn claims() -> KindSpec {
    let columns = vec![
        state("Bound, Pending or Lost."),
        name(),
        namespace(),
        column("size", "size", Width::Fit(4, 6), "What it was given, in bytes.")
            .format(Format::Bytes)
            .priority(2),
        column("class", "class", Width::Fit(5, 14), "Who provides it.").priority(3),
        column("modes", "modes", Width::Fit(5, 16), "Who may use it at once.").priority(5),
        column("volume", "volume", Width::Flex(12), "The volume behind it.").priority(7).wide(),
        why(),
        age(),
    ];
    let doc = "Persistent volume claims: bound to what, how large.";
    KindSpec { columns, ..kind(CLAIMS, "claim", &["claim", "pvc"], doc) }
}

fn volumes() -> KindSpec {
    let columns = vec![
        state("Bound, Available, Released or Failed."),
        name(),
        column("size", "size", Width::Fit(4, 6), "Its capacity, in bytes.").format(Format::Bytes).priority(2),
        column("claim", "claim", Width::Flex(16), "The claim that it is bound to.").priority(1),
        column("class", "class", Width::Fit(5, 14), "Who provides it.").priority(3),
        column("policy", "policy", Width::Fit(6, 8), "What becomes of it without its claim.").priority(4),
        why(),
        age(),
    ];
    let doc = "Persistent volumes: bound to which claim, kept or deleted without it.";
    KindSpec { columns, ..kind(VOLUMES, "volume", &["volume", "pv"], doc) }
}

fn namespaces() -> KindSpec {
    let columns = vec![state("Active or Terminating."), name(), why(), age()];
    let drill = Drill { kind: PODS.into(), column: "namespace".into() };
    let base = kind(NAMESPACES, "namespace", &["namespace", "ns"], "Namespaces; Enter leads to their pods.");
    KindSpec { columns, drill: Some(drill), ..base }
}
