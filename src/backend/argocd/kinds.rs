//! What Argo CD's kinds are called, which columns they have, and what may be done to them.

use crate::model::kind::{Column, Format, KindSpec, Shape, ViewSpec, Width};
use crate::model::op::{Field, FieldKind, OpSpec, Tier, Verb};

/// Applications.
pub const APPLICATIONS: &str = "argocd.applications";

/// Compare with Git now.
pub const REFRESH: &str = "argocd.refresh";
/// Apply what is in Git.
pub const SYNC: &str = "argocd.sync";

/// The right that every change of an Application needs.
pub const PATCH: &str = "patch applications.argoproj.io";

/// The kinds in the order of the palette.
pub fn kinds() -> Vec<KindSpec> {
    vec![applications()]
}

/// What may be done to them.
pub fn operations() -> Vec<OpSpec> {
    let refresh = OpSpec::on(
        APPLICATIONS,
        REFRESH,
        "refresh",
        Tier::T1,
        "Compares the application with Git now instead of at the next period.",
    );
    let sync = OpSpec::on(
        APPLICATIONS,
        SYNC,
        "sync",
        Tier::T2,
        "Applies what is in Git, with hooks and waves; removes nothing.",
    );
    vec![
        sync.right(PATCH).form(vec![dry_run()]).bulk().verb(Verb::Special),
        refresh.right(PATCH).bulk().warn_if_blind(),
    ]
}

fn dry_run() -> Field {
    Field::new(
        "dry-run",
        "dry run",
        FieldKind::Flag,
        "Only asks the API server what it would do; changes nothing, but occupies the application meanwhile.",
    )
    .default("false")
}

fn column(name: &'static str, title: &'static str, width: Width, doc: &'static str) -> Column {
    Column::new(name, title, width, doc)
}

fn applications() -> KindSpec {
    let columns = vec![
        column(
            "state",
            "state",
            Width::Fit(7, 11),
            "The verdict: the worst of operation, conditions, health and sync.",
        )
        .format(Format::State)
        .priority(0),
        column("name", "name", Width::Flex(16), "The application's name.").priority(0),
        column("sync", "sync", Width::Fit(6, 9), "Compared with Git: Synced, OutOfSync, Unknown.")
            .priority(1),
        column("health", "health", Width::Fit(7, 11), "How its objects are.").priority(3),
        column("wave", "wave", Width::Fit(4, 4), "Its sync wave, from the annotation on the application.")
            .priority(2),
        column("revision", "rev", Width::Fit(7, 12), "The revision it was compared with, shortened.")
            .priority(2),
        column("why", "why", Width::Flex(12), "The first error, culprit or message behind the state.")
            .priority(3),
        column("op", "op", Width::Fit(4, 11), "The phase of its last operation.").priority(5),
        column("project", "project", Width::Fit(7, 14), "Its project.").priority(7),
        column("destination", "to", Width::Fit(5, 24), "The cluster and namespace it is delivered into.")
            .priority(6),
        column("auto", "auto", Width::Fit(4, 4), "Whether Argo CD syncs it by itself.")
            .format(Format::Flag)
            .priority(5),
        column("since", "since", Width::Fit(4, 5), "How long its health has been what it is.")
            .format(Format::Age)
            .priority(4),
        column("reconciled", "cmp", Width::Fit(3, 4), "When it was last compared with Git.")
            .format(Format::Age)
            .priority(1),
    ];
    KindSpec {
        id: APPLICATIONS.into(),
        singular: "application".into(),
        aliases: ["application", "app", "apps"].map(Into::into).to_vec(),
        doc: "Argo CD applications: sync, health, wave, revision and what they wait for.".into(),
        columns,
        sort: (1, false),
        views: vec![ViewSpec { name: "yaml".into(), title: "YAML".into(), shape: Shape::Doc }],
        drill: None,
        pane: Some('3'),
    }
}
