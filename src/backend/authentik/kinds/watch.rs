//! What is going on, and what stands open.

use crate::model::kind::{Column, Format, KindSpec, Shape, Width};

use super::{EVENTS, EXPOSURE, SESSIONS, kind, name, state, view, wide};

pub(super) fn sessions() -> KindSpec {
    let columns = vec![
        state(8, "live, stale (its user is inactive), or own."),
        name(8, 32, "Whose it is, and where from."),
        Column::new("user", "user", Width::Fit(6, 24), "Whose it is.").priority(0),
        Column::new("ip", "address", Width::Fit(7, 39), "The address it was last used from.").priority(1),
        Column::new("where", "where", Width::Fit(4, 24), "Where that address is, where the server knows.")
            .priority(3),
        Column::new("with", "with", Width::Flex(10), "Browser and system.").priority(2),
        Column::new("used", "used", Width::Fixed(6), "Since it was last used.")
            .format(Format::Age)
            .priority(0),
        Column::new("expires", "expires", Width::Fixed(7), "Time until it ends.")
            .format(Format::Until)
            .priority(2),
    ];
    let doc = "Sessions of browsers; applications with tokens of their own are not among them.";
    KindSpec { columns, sort: (6, true), ..kind(SESSIONS, "session", &["session", "logins"], doc) }
}

pub(super) fn events() -> KindSpec {
    let columns = vec![
        state(23, "What was done, in the server's word."),
        Column::new("when", "when", Width::Fixed(6), "Since it happened.").format(Format::Age).priority(0),
        Column::new("actor", "by", Width::Fit(5, 20), "Who did it.").priority(0),
        name(8, 40, "What it was done to."),
        Column::new("ip", "address", Width::Fit(7, 39), "Where from.").priority(2),
        Column::new("detail", "detail", Width::Flex(10), "What else the server says of it.").priority(1),
        Column::new("kind", "kind", Width::Fit(4, 18), "The kind of thing.").priority(4),
        wide("path", "path", Width::Fit(8, 60), "The request that did it."),
        wide("at", "at", Width::Fixed(8), "The clock time.").format(Format::Clock),
    ];
    let doc = "Who did what: the newest events, with bursts of failed logins marked.";
    KindSpec { columns, sort: (1, true), ..kind(EVENTS, "event", &["auth-events", "audit-log"], doc) }
}

pub(super) fn exposure() -> KindSpec {
    let columns = vec![
        state(11, "open, exposed, undecided, hidden, closed, or shared (a family application)."),
        name(8, 24, "The application's slug."),
        Column::new("for", "for", Width::Fixed(6), "Whether the configuration says admin or family.")
            .priority(2),
        Column::new(
            "reaches",
            "reaches",
            Width::Fixed(7),
            "How many people who are no administrators it admits.",
        )
        .format(Format::Count)
        .priority(1),
        Column::new("who", "who", Width::Flex(12), "Whom its enabled bindings admit.").priority(3),
        Column::new("why", "why", Width::Flex(34), "The rule that decided.").priority(0),
        Column::new("mode", "mode", Width::Fixed(4), "any or all, and what all means on this release.")
            .priority(4),
        wide("host", "host", Width::Fit(8, 40), "Where it leads."),
    ];
    let doc = "Which application is open to whom, and whether it may be.";
    let views = vec![view("matrix", "matrix", Shape::Matrix)];
    let base = kind(EXPOSURE, "application", &["exposure", "audit"], doc);
    KindSpec { columns, views, sort: (0, false), ..base }
}
