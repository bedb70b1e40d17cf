//! What keeps the server itself going.

use crate::model::kind::{Column, Format, KindSpec, Width};

use super::{FLOWS, TASKS, kind, name, state, wide};

pub(super) fn flows() -> KindSpec {
    let columns = vec![
        state(9, "ok, guarded (a policy is bound to it), open, or short sessions."),
        name(10, 40, "The slug, by which links name it."),
        Column::new("for", "for", Width::Fit(8, 16), "What it is for.").priority(1),
        Column::new("stages", "stages", Width::Fixed(6), "How many stages it has.")
            .format(Format::Count)
            .priority(3),
        Column::new(
            "policies",
            "policies",
            Width::Fixed(8),
            "Policies bound to the flow itself, which meet people before they log in.",
        )
        .format(Format::Count)
        .priority(2),
        Column::new("session", "session", Width::Fit(6, 12), "How long a login lasts.").priority(2),
        Column::new("note", "note", Width::Flex(24), "What follows from it.").priority(1),
        wide("title", "title", Width::Fit(8, 32), "What people read."),
    ];
    let doc = "Flows, how long their logins last, and what could shut everybody out.";
    KindSpec { columns, sort: (1, false), ..kind(FLOWS, "flow", &["flow"], doc) }
}

pub(super) fn tasks() -> KindSpec {
    let columns = vec![
        state(10, "ok, queued, warning, error, rejected, late, paused, or none."),
        name(10, 48, "The worker, schedule, task or blueprint."),
        Column::new(
            "kind",
            "kind",
            Width::Fixed(9),
            "server, proxy, worker, queue, schedule, task or blueprint.",
        )
        .priority(0),
        Column::new("at", "last", Width::Fixed(6), "Since it last ran or was seen.")
            .format(Format::Age)
            .priority(1),
        Column::new("next", "next", Width::Fixed(6), "Time until it runs again.")
            .format(Format::Until)
            .priority(2),
        Column::new("note", "note", Width::Flex(14), "What it says of itself.").priority(1),
        wide("schedule", "schedule", Width::Fit(6, 16), "When it runs, as cron writes it."),
    ];
    let doc = "Workers, the queue, schedules, blueprints, and tasks that went wrong.";
    KindSpec {
        columns,
        sort: (2, false),
        ..kind(TASKS, "task", &["workers", "blueprints", "schedules"], doc)
    }
}
