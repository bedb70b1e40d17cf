//! The kinds around clusters and machines: what they are made from, let in by, saved to and seen in.

use super::{ACCOUNTS, AUDIT, BACKUPS, MACHINE_CLASSES, MACHINE_SETS, PROVIDERS, REQUESTS, TOKENS};
use crate::model::kind::{Column, Format, KindSpec, Width};

/// All of them.
pub(super) fn kinds() -> Vec<KindSpec> {
    vec![machine_sets(), machine_classes(), providers(), requests(), backups(), tokens(), accounts(), audit()]
}

fn spec(
    id: &'static str,
    singular: &'static str,
    alias: &'static str,
    doc: &'static str,
    columns: Vec<Column>,
) -> KindSpec {
    KindSpec {
        id: id.into(),
        singular: singular.into(),
        aliases: vec![alias.into()],
        doc: doc.into(),
        columns,
        sort: (1, false),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}

const COL: fn(&'static str, &'static str, Width, &'static str) -> Column = Column::new;

fn state(doc: &'static str) -> Column {
    COL("state", "state", Width::Fit(7, 14), doc).format(Format::State).priority(0)
}

fn age(doc: &'static str) -> Column {
    COL("age", "age", Width::Fixed(5), doc).format(Format::Age).priority(4)
}

fn machine_sets() -> KindSpec {
    let columns = vec![
        state("The phase; `not ready` where it runs but lacks something"),
        COL("name", "name", Width::Flex(2), "The set's name, which begins with its cluster's").priority(0),
        COL("cluster", "cluster", Width::Fit(7, 24), "The cluster that it belongs to").priority(2),
        COL("role", "role", Width::Fit(6, 13), "What its machines are in the cluster").priority(2),
        COL("machines", "machines", Width::Fit(8, 9), "Healthy machines of all machines").priority(1),
        COL("class", "class", Width::Fit(5, 24), "The machine class that fills it, and how many it takes")
            .priority(3),
        COL("held", "held", Width::Fixed(4), "Updates that locks hold back").priority(5),
        age("When it was made"),
    ];
    spec(MACHINE_SETS, "machine set", "ms", "Groups of machines with one role in a cluster.", columns)
}

fn machine_classes() -> KindSpec {
    let columns = vec![
        state("`provisions` or `selects`; `empty` where it can do neither"),
        COL("name", "name", Width::Flex(2), "The class' name").priority(0),
        COL("provider", "provider", Width::Fit(8, 16), "The provider that makes its machines").priority(1),
        COL("selectors", "selectors", Width::Fit(9, 40), "The label queries of which a machine must fit one")
            .priority(2),
        age("When it was made"),
    ];
    spec(MACHINE_CLASSES, "machine class", "mc", "Where machine sets get their machines from.", columns)
}

fn providers() -> KindSpec {
    let columns = vec![
        state("Whether its heartbeat arrives"),
        COL("id", "id", Width::Fit(8, 20), "The provider's id").priority(0),
        COL("name", "name", Width::Flex(1), "What it calls itself").priority(2),
        COL("error", "error", Width::Flex(2), "What it says is wrong").priority(1),
        COL("description", "description", Width::Fit(8, 40), "What it makes").wide(),
        COL("version", "version", Width::Fit(7, 12), "Its version").priority(3),
    ];
    spec(
        PROVIDERS,
        "provider",
        "provider",
        "Infrastructure providers, which make machines on demand.",
        columns,
    )
}

fn requests() -> KindSpec {
    let columns = vec![
        state("How far the provider is"),
        COL("name", "id", Width::Flex(2), "The request's id").priority(0),
        COL("cluster", "cluster", Width::Fit(7, 24), "The cluster that it is for").priority(2),
        COL("provider", "provider", Width::Fit(8, 16), "The provider that carries it out").priority(2),
        COL("step", "step", Width::Fit(5, 20), "The step that it is at").priority(3),
        COL(
            "error",
            "error",
            Width::Flex(2),
            "Its error, else the last one seen: providers clear it with each retry",
        )
        .priority(1),
        age("When it was made"),
    ];
    spec(REQUESTS, "machine request", "mr", "Machines that are being made on demand.", columns)
}

fn backups() -> KindSpec {
    let columns = vec![
        COL("name", "id", Width::Flex(1), "The backup's id").priority(0),
        COL("cluster", "cluster", Width::Fit(7, 24), "The cluster that was saved").priority(1),
        COL("size", "size", Width::Fixed(7), "Its size in bytes").format(Format::Bytes).priority(2),
        age("When it was made").priority(1),
    ];
    KindSpec { sort: (3, true), ..spec(BACKUPS, "etcd backup", "eb", "Saved states of etcd.", columns) }
}

fn tokens() -> KindSpec {
    let columns = vec![
        state("Whether machines can join with it"),
        COL("name", "name", Width::Flex(1), "The token's name; the token itself is never shown").priority(0),
        COL("default", "default", Width::Fixed(7), "Whether it is the one that is used unasked")
            .format(Format::Flag),
        COL("uses", "uses", Width::Fixed(5), "How many machines joined with it").priority(2),
        COL("expires", "expires", Width::Fixed(7), "When it ends").format(Format::Until).priority(1),
        age("When it was made"),
    ];
    spec(TOKENS, "join token", "jt", "Secrets with which machines join Omni.", columns)
}

fn accounts() -> KindSpec {
    let columns = vec![
        COL("sort", "sort", Width::Fit(4, 7), "`user` or `service`").priority(1),
        COL("name", "name", Width::Flex(1), "The address or the account's name").priority(0),
        COL("role", "role", Width::Fit(6, 13), "Its role").priority(0),
        COL("keys", "keys", Width::Fixed(4), "How many keys it has").priority(3),
        COL("expires", "expires", Width::Fixed(7), "When its last key ends")
            .format(Format::Until)
            .priority(1),
        COL("active", "active", Width::Fixed(6), "When it last did something")
            .format(Format::Age)
            .priority(2),
    ];
    let doc = "Users and service accounts; the list takes the role Admin.";
    spec(ACCOUNTS, "account", "account", doc, columns)
}

fn audit() -> KindSpec {
    let columns = vec![
        COL("age", "age", Width::Fixed(5), "When it happened").format(Format::Age).priority(0),
        COL("event", "event", Width::Fit(6, 22), "What was done").priority(0),
        COL("type", "type", Width::Fit(6, 24), "The type of what it was done to").priority(1),
        COL("id", "id", Width::Flex(1), "The id of what it was done to").priority(1),
        COL("actor", "actor", Width::Flex(1), "Who did it").priority(0),
        COL("role", "role", Width::Fit(6, 13), "In which role").priority(3),
        COL("agent", "agent", Width::Fit(6, 30), "With which program").wide(),
    ];
    let doc = "Who changed what since yesterday; the list takes the role Auditor or Admin.";
    KindSpec { sort: (0, true), ..spec(AUDIT, "audit entry", "audit", doc, columns) }
}
