//! What GitHub Actions have to show.

use crate::model::kind::{Column, Format, KindSpec, Width};

/// Runs of workflows.
pub const RUNS: &str = "github.runs";
/// Environments that wait for somebody.
pub const APPROVALS: &str = "github.approvals";

/// Workflows, and whether they can be started by hand.
pub const WORKFLOWS: &str = "github.workflows";

/// All kinds.
pub fn all() -> Vec<KindSpec> {
    vec![runs(), approvals(), workflows()]
}

fn workflows() -> KindSpec {
    let columns = vec![
        Column::new("state", "last", Width::Fixed(11), "How its last run is.")
            .format(Format::State)
            .priority(0),
        Column::new("name", "name", Width::Fit(10, 36), "The workflow's file.").priority(0),
        Column::new("title", "title", Width::Flex(10), "What it calls itself.").priority(1),
        Column::new("run", "last run", Width::Fixed(8), "Since its last run.")
            .format(Format::Age)
            .priority(0),
        Column::new("by", "by", Width::Fit(4, 16), "Who started that one.").priority(2),
    ];
    kind(WORKFLOWS, "workflow", &["workflow"], "Workflows and how their last runs went.", columns, (1, false))
}

fn runs() -> KindSpec {
    let columns = vec![
        Column::new(
            "state",
            "state",
            Width::Fixed(11),
            "queued, running, waiting, ok, failed, cancelled or skipped.",
        )
        .format(Format::State)
        .priority(0),
        Column::new("name", "name", Width::Fit(8, 32), "The workflow and the number of its run.").priority(0),
        Column::new("title", "title", Width::Flex(12), "What the run says of itself.").priority(1),
        Column::new("branch", "branch", Width::Fit(4, 20), "The branch it runs on.").priority(3),
        Column::new("sha", "sha", Width::Fixed(7), "The commit it runs on.").priority(2),
        Column::new("event", "event", Width::Fit(4, 18), "What started it.").priority(4),
        Column::new("actor", "by", Width::Fit(4, 16), "Who started it.").priority(3),
        Column::new("took", "took", Width::Fixed(6), "How long it took.").format(Format::Seconds).priority(4),
        Column::new("age", "age", Width::Fixed(6), "Since it was started.").format(Format::Age).priority(0),
        Column::new("workflow", "workflow", Width::Fit(8, 32), "The workflow's file.").priority(9).wide(),
        Column::new("id", "id", Width::Fit(6, 14), "The number by which GitHub knows it.")
            .format(Format::Count)
            .priority(9)
            .wide(),
    ];
    kind(RUNS, "run", &["run", "ci"], "Runs of workflows, the newest hundred.", columns, (8, true))
}

fn approvals() -> KindSpec {
    let columns = vec![
        Column::new(
            "state",
            "state",
            Width::Fixed(9),
            "waiting, or blocked where the token's user may not approve.",
        )
        .format(Format::State)
        .priority(0),
        Column::new("name", "name", Width::Fit(8, 32), "The workflow and the number of its run.").priority(0),
        Column::new("environment", "for", Width::Fit(4, 24), "The environment it wants to go on into.")
            .priority(0),
        Column::new("title", "title", Width::Flex(12), "What the run says of itself.").priority(1),
        Column::new("sha", "sha", Width::Fixed(7), "The commit it runs on.").priority(1),
        Column::new("actor", "by", Width::Fit(4, 16), "Who started it.").priority(2),
        Column::new("age", "waits", Width::Fixed(6), "Since it was started.").format(Format::Age).priority(0),
    ];
    kind(
        APPROVALS,
        "approval",
        &["approval", "waiting"],
        "Runs that wait for somebody's approval.",
        columns,
        (6, true),
    )
}

fn kind(
    id: &'static str,
    singular: &'static str,
    aliases: &[&'static str],
    doc: &'static str,
    columns: Vec<Column>,
    sort: (usize, bool),
) -> KindSpec {
    KindSpec {
        id: id.into(),
        singular: singular.into(),
        aliases: aliases.iter().map(|alias| (*alias).into()).collect(),
        doc: doc.into(),
        columns,
        sort,
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}
