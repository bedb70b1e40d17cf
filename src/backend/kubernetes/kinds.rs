//! What a cluster's kinds are called, which columns they have, and where they lead.

use crate::model::kind::{Column, Drill, Format, KindSpec, Shape, Text, ViewSpec, Width};

/// Machines of a cluster.
pub const NODES: &str = "kubernetes.nodes";
/// Pods of all namespaces.
pub const PODS: &str = "kubernetes.pods";
/// What the cluster says of its objects.
pub const EVENTS: &str = "kubernetes.events";

/// Contexts of the kubeconfig.
pub const CONTEXTS: &str = "kubernetes.contexts";
/// Systems that are installed as custom resources.
pub const HEALTH: &str = "kubernetes.health";
/// What nodes and pods use now.
pub const USAGE: &str = "kubernetes.usage";

/// The kinds in the order of the palette.
pub fn kinds() -> Vec<KindSpec> {
    let mut kinds = vec![pods(), nodes(), events()];
    kinds.extend(super::more::kinds());
    kinds.extend([health(), usage(), contexts()]);
    kinds
}

/// A kind with its YAML and nothing else yet, by name.
pub fn kind(
    id: &'static str,
    singular: &'static str,
    aliases: &[&'static str],
    doc: &'static str,
) -> KindSpec {
    KindSpec {
        id: id.into(),
        singular: singular.into(),
        aliases: aliases.iter().map(|alias| Text::Borrowed(alias)).collect(),
        doc: doc.into(),
        columns: Vec::new(),
        sort: (1, false),
        views: vec![view("yaml", "YAML", Shape::Doc)],
        drill: None,
        pane: None,
    }
}

/// A view of a row.
pub fn view(name: &'static str, title: &'static str, shape: Shape) -> ViewSpec {
    ViewSpec { name: name.into(), title: title.into(), shape }
}

/// A column.
pub fn column(name: &'static str, title: &'static str, width: Width, doc: &'static str) -> Column {
    Column::new(name, title, width, doc)
}

/// The labels of an object.
pub fn labels() -> Column {
    let doc = "Its labels, NAME=VALUE; the filter `labels:app=x` keeps what carries one.";
    column("labels", "labels", Width::Fit(8, 48), doc).priority(9).wide()
}

fn pods() -> KindSpec {
    let columns = vec![
        column("state", "state", Width::Fit(9, 19), "kubectl's STATUS: phase, or why it is not running.")
            .format(Format::State)
            .priority(0),
        column("name", "name", Width::Flex(18), "The pod's name.").priority(0),
        column("namespace", "namespace", Width::Fit(6, 18), "The namespace it lives in.").priority(1),
        column("ready", "ready", Width::Fit(5, 6), "Ready containers of all containers.")
            .format(Format::Count)
            .priority(2),
        column("restarts", "rst", Width::Fit(3, 5), "How often its containers were restarted.")
            .format(Format::Count)
            .priority(3),
        column("why", "why", Width::Flex(12), "The reason behind a state that is not good.").priority(1),
        column("node", "node", Width::Fit(6, 20), "The node it runs on.").priority(3),
        column("ip", "ip", Width::Fit(7, 15), "Its address in the cluster.").priority(8).wide(),
        column("owner", "owner", Width::Fit(6, 24), "The workload it belongs to.").priority(7).wide(),
        labels(),
        column("age", "age", Width::Fit(3, 4), "Since its creation.").format(Format::Age).priority(1),
    ];
    let mut views = vec![
        view("log", "log", Shape::Log),
        view("previous", "previous log", Shape::Log),
        view("forward", "port forwards", Shape::Doc),
    ];
    let base =
        kind(PODS, "pod", &["pod", "po"], "Pods of every namespace, with kubectl's status and its reason.");
    views.extend(base.views);
    KindSpec { columns, views, pane: Some('6'), ..base }
}

fn nodes() -> KindSpec {
    let columns = vec![
        column("state", "state", Width::Fit(8, 13), "Ready, or the worst condition.")
            .format(Format::State)
            .priority(0),
        column("name", "name", Width::Flex(14), "The node's name.").priority(0),
        column("roles", "roles", Width::Fit(6, 14), "Roles from its labels.").priority(3),
        column("version", "version", Width::Fit(7, 10), "The kubelet's version.").priority(2),
        column("why", "why", Width::Flex(12), "The condition behind a state that is not good.").priority(2),
        column("cpu", "cpu", Width::Fit(3, 5), "Cores that pods may use.").format(Format::Count).priority(4),
        column("mem", "mem", Width::Fit(4, 6), "Memory that pods may use, in bytes.")
            .format(Format::Bytes)
            .priority(4),
        column("pods", "pods", Width::Fit(4, 5), "How many pods it takes.")
            .format(Format::Count)
            .priority(6)
            .wide(),
        column("ip", "ip", Width::Fit(7, 15), "Its internal address.").priority(5),
        column("os", "os", Width::Fit(6, 20), "Its operating system.").priority(7).wide(),
        column("arch", "arch", Width::Fit(5, 6), "Its architecture.").priority(8).wide(),
        column("age", "age", Width::Fit(3, 4), "Since it joined the cluster.")
            .format(Format::Age)
            .priority(1),
    ];
    let drill = Drill { kind: PODS.into(), column: "node".into() };
    let base = kind(
        NODES,
        "node",
        &["node", "no"],
        "Machines of the cluster: conditions, pressure, version, capacity.",
    );
    KindSpec { columns, drill: Some(drill), ..base }
}

fn events() -> KindSpec {
    let columns = vec![
        column("type", "type", Width::Fit(6, 7), "Warning or Normal.").format(Format::State).priority(0),
        column("object", "object", Width::Flex(16), "What it is about, kind and name.").priority(0),
        column("reason", "reason", Width::Fit(6, 18), "One word.").priority(1),
        column("message", "message", Width::Flex(24), "The first line of what is said.").priority(1),
        column("namespace", "namespace", Width::Fit(6, 18), "The namespace it lives in.").priority(3),
        column("count", "n", Width::Fit(2, 5), "How often.").format(Format::Count).priority(4),
        column("source", "source", Width::Fit(6, 20), "Who says so.").priority(7).wide(),
        column("last", "last", Width::Fit(3, 4), "When it happened last.").format(Format::Age).priority(0),
    ];
    let base =
        kind(EVENTS, "event", &["event", "ev"], "What the cluster says of its objects, the latest first.");
    KindSpec { columns, sort: (7, true), ..base }
}

fn health() -> KindSpec {
    let columns = vec![
        column("state", "state", Width::Fit(7, 13), "The worst of its objects, in a word.")
            .format(Format::State)
            .priority(0),
        column("name", "name", Width::Fit(8, 18), "The system.").priority(0),
        column("good", "good", Width::Fit(4, 9), "Objects that are good, of all.")
            .format(Format::Count)
            .priority(1),
        column("why", "why", Width::Flex(24), "The worst object and what is wrong with it.").priority(0),
        column("group", "group", Width::Fit(8, 28), "Its API group.").priority(7).wide(),
    ];
    let doc = "Systems that are installed as custom resources (certificates, secrets, storage, backups, databases, \
        virtual machines, network), each by its worst object; what is not installed has no row.";
    KindSpec { columns, views: Vec::new(), ..kind(HEALTH, "system", &["systems"], doc) }
}

fn usage() -> KindSpec {
    let columns = vec![
        column("what", "what", Width::Fit(4, 4), "A node or a pod.").priority(2),
        column("name", "name", Width::Flex(18), "Its name.").priority(0),
        column("namespace", "namespace", Width::Fit(6, 18), "The pod's namespace.").priority(2),
        column("cpu", "cpu", Width::Fit(4, 8), "Cores in use.").format(Format::Count).priority(1),
        column("cpu-part", "cpu%", Width::Fit(4, 5), "Of the cores that the node has to give.")
            .format(Format::Percent)
            .priority(3),
        column("mem", "mem", Width::Fit(4, 6), "Memory in use, in bytes.").format(Format::Bytes).priority(0),
        column("mem-part", "mem%", Width::Fit(4, 5), "Of the memory that the node has to give.")
            .format(Format::Percent)
            .priority(3),
    ];
    let doc = "What nodes and pods use now, where metrics-server measures it.";
    KindSpec { columns, views: Vec::new(), sort: (5, true), ..kind(USAGE, "usage", &["top", "metrics"], doc) }
}

fn contexts() -> KindSpec {
    let columns = vec![
        column("state", "state", Width::Fit(6, 9), "Whether it answers; unused where nobody configured it.")
            .format(Format::State)
            .priority(0),
        column("name", "name", Width::Flex(14), "Its name in the kubeconfig.").priority(0),
        column("cluster", "cluster", Width::Fit(6, 20), "The cluster that it leads to.").priority(3),
        column("user", "user", Width::Fit(6, 20), "The credential that it uses.").priority(4),
        column("version", "version", Width::Fit(7, 10), "The version of its API server.").priority(2),
        column("as", "we are", Width::Flex(14), "Whom the API server takes us for.").priority(5),
        column("why", "why", Width::Flex(16), "Why it does not answer.").priority(1),
        column("ends", "ends", Width::Fit(4, 5), "When the credential ends.")
            .format(Format::Until)
            .priority(2),
    ];
    let doc = "Contexts of the kubeconfig: which are used, by which credential, and whether they answer.";
    KindSpec { columns, views: Vec::new(), ..kind(CONTEXTS, "context", &["context", "ctx"], doc) }
}
