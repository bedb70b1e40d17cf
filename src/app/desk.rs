//! vigie's own operations: what the admin keeps in the console's journal instead of on a server.

use crate::model::kind::{Column, Format, KindSpec, Width};
use crate::model::op::{Field, FieldKind, OpSpec, Targets, Tier, Verb};

/// The operation that writes a note.
pub const NOTE: &str = "note.add";
/// The operation that declares the house off.
pub const HOME_OFF: &str = "home.off";
/// The operation that ends that declaration.
pub const HOME_ON: &str = "home.on";
/// What can be declared off: domains.
pub const DOMAINS: &str = "home.domains";

/// Checklists, which ask what other lists show.
pub const CHECKLISTS: &str = "checks.checklists";
/// The operation that says that somebody has looked at a step.
pub const TICK: &str = "checks.tick";

/// The longest that a house is declared off, in seconds.
const LONGEST: i64 = 60 * 86_400;

/// The operations that no server carries out.
pub fn operations() -> Vec<OpSpec> {
    let text = Field::new("text", "note", FieldKind::Line, "What to remember; one line.");
    let note = OpSpec::on("vigie.notes", NOTE, "note", Tier::T0, "Writes a note into the journal.");
    let note = OpSpec { targets: Targets::Any, ..note.form(vec![text]).bulk() };
    [note, home_off(), home_on(), tick()].into_iter().chain(super::known::operations()).collect()
}

fn tick() -> OpSpec {
    let step = Field::new("step", "step", FieldKind::Offered, "The step that you have looked at yourself.");
    let doc =
        "Says that you have looked at a step that nothing can ask; it stays marked as said, not proven.";
    OpSpec::on(CHECKLISTS, TICK, "tick", Tier::T0, doc).form(vec![step]).verb(Verb::Special)
}

fn checklists() -> KindSpec {
    let columns = vec![
        Column::new("state", "state", Width::Fixed(12), "How it went when it was last asked here.")
            .format(Format::State)
            .priority(0),
        Column::new("name", "name", Width::Fit(8, 28), "Its name, for `vigie check`.").priority(0),
        Column::new("asks", "asks", Width::Flex(16), "The question that it answers.").priority(1),
        Column::new("steps", "steps", Width::Fixed(5), "How many steps it has.").priority(2),
        Column::new("manual", "by hand", Width::Fixed(7), "How many of them somebody has to look at.")
            .priority(3),
        Column::new("asked", "asked", Width::Fixed(6), "Since it was last asked here.")
            .format(Format::Age)
            .priority(1),
    ];
    KindSpec {
        id: CHECKLISTS.into(),
        singular: "checklist".into(),
        aliases: vec!["checklist".into(), "checks".into(), "check".into()],
        doc: "Checklists: open one to ask it, step by step.".into(),
        columns,
        sort: (1, false),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}

fn home_off() -> OpSpec {
    let silence = "Alerts with domain=home are silenced for as long, or for the longest that is allowed.";
    OpSpec::on(
        DOMAINS,
        HOME_OFF,
        "declare off",
        Tier::T1,
        "Declares that the house is off on purpose, until an end and for a reason.",
    )
    .form(vec![
        Field::new("for", "for", FieldKind::Duration { max: LONGEST }, "How long it stays off.")
            .default("10h"),
        Field::new("reason", "why", FieldKind::Line, "Why; whoever looks next reads it."),
        Field::new("silence", "silence", FieldKind::Flag, silence).default("true"),
    ])
}

fn home_on() -> OpSpec {
    let silence = "Whether the silence that was made with it ends now too, or at its own end.";
    OpSpec::on(DOMAINS, HOME_ON, "declare on", Tier::T1, "Ends the declaration that the house is off.").form(
        vec![
            Field::new("reason", "why", FieldKind::Line, "What to remember of it.").optional(),
            Field::new("silence", "end silence", FieldKind::Flag, silence).default("true"),
        ],
    )
}

/// The kinds that no server lists.
pub fn kinds() -> Vec<KindSpec> {
    let columns = vec![
        Column::new("state", "state", Width::Fit(7, 14), "Whether it is declared off.")
            .format(Format::State)
            .priority(0),
        Column::new("name", "name", Width::Fit(4, 8), "The domain.").priority(0),
        Column::new("until", "until", Width::Fixed(12), "When the declaration ends.")
            .format(Format::Clock)
            .priority(0),
        Column::new("why", "why", Width::Flex(12), "The reason that was given.").priority(1),
        Column::new("by", "by", Width::Fit(2, 16), "Who declared it.").priority(2),
        Column::new("silence", "silence", Width::Fit(7, 40), "The silences that were made with it.").wide(),
        Column::new("since", "since", Width::Fixed(5), "Time since it was declared.")
            .format(Format::Age)
            .priority(3),
    ];
    let domains = KindSpec {
        id: DOMAINS.into(),
        singular: "domain".into(),
        aliases: vec!["declared".into(), "domain".into()],
        doc: "What was declared of the house: off until when, and why.".into(),
        columns,
        sort: (1, false),
        views: Vec::new(),
        drill: None,
        pane: None,
    };
    vec![domains, checklists()]
}
