//! The kinds of insight: rows that no server has, in the same tables as everything else.

use crate::model::id::KindId;
use crate::model::kind::{Column, Format, KindSpec, Width};

/// Problems by cause.
pub const PROBLEMS: &str = "vigie.problems";
/// What happened, on one clock.
pub const TIMELINE: &str = "vigie.timeline";
/// The journal's lines.
pub const JOURNAL: &str = "vigie.journal";
/// The page for whoever comes next; it has one row, which is no row of a table.
pub const HANDOVER: &str = "vigie.handover";
/// The instance of everything that is this console's own.
pub const CONSOLE: &str = "console";
/// The backend id of insight.
pub const VIGIE: &str = "vigie";

/// Whether a kind is one of these; other kinds of the same name may have a backend of their own.
pub fn is_insight(kind: &KindId) -> bool {
    [PROBLEMS, TIMELINE, JOURNAL, HANDOVER].contains(&kind.as_str())
}

/// All kinds of insight.
pub fn kinds() -> Vec<KindSpec> {
    vec![problems(), timeline(), journal()]
}

fn column(name: &'static str, title: &'static str, width: Width, doc: &'static str) -> Column {
    Column::new(name, title, width, doc)
}

fn kind(id: &'static str, singular: &'static str, aliases: &[&'static str], doc: &'static str) -> KindSpec {
    KindSpec {
        id: id.into(),
        singular: singular.into(),
        aliases: aliases.iter().map(|alias| (*alias).into()).collect(),
        doc: doc.into(),
        columns: Vec::new(),
        sort: (0, false),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}

fn problems() -> KindSpec {
    let columns = vec![
        column(
            "state",
            "state",
            Width::Fit(3, 8),
            "CRT, WRN, ACK (taken on), known, or over: watched for 5 minutes more.",
        )
        .format(Format::State)
        .priority(0),
        column("name", "problem", Width::Fit(12, 26), "The thing that fails.").priority(0),
        column("what", "what", Width::Flex(16), "What is wrong with it.").priority(0),
        column("felt", "felt by", Width::Fit(8, 30), "Gates, applications and people who feel it.")
            .priority(2),
        column("cause", "cause?", Width::Flex(12), "What is suspected behind it, and why.").priority(3),
        column("signs", "n", Width::Fit(1, 4), "How many signs were merged.")
            .format(Format::Count)
            .priority(2),
        column("score", "score", Width::Fit(3, 5), "What it is sorted by; its page says why.")
            .format(Format::Count)
            .priority(4),
        column(
            "until",
            "until",
            Width::Fit(3, 5),
            "When a known problem is told again, and one that is over is closed.",
        )
        .format(Format::Until)
        .priority(5),
        column("reason", "reason", Width::Fit(6, 24), "Why a known problem is not told.").priority(6),
        column("since", "since", Width::Fixed(5), "Since when.").format(Format::Age).priority(0),
    ];
    let doc = "What is wrong now, merged by cause: what, who feels it, since when, the suspected cause.";
    KindSpec { columns, sort: (6, true), ..kind(PROBLEMS, "problem", &["problem", "pb"], doc) }
}

fn timeline() -> KindSpec {
    let columns = vec![
        column("at", "at", Width::Fit(5, 12), "When it happened.").format(Format::Clock).priority(0),
        column("sort", "sort", Width::Fit(4, 12), "What sort of event it is, or a gap in watching.")
            .format(Format::State)
            .priority(1),
        column("name", "what", Width::Flex(44), "What happened.").priority(0),
        column("on", "on", Width::Fit(6, 26), "What it happened to.").priority(2),
        column("who", "who", Width::Fit(4, 18), "Who did it, where that is known.").priority(3),
        column("near", "near", Width::Fit(4, 6), "How long before (-) or after the problem's start.")
            .priority(2),
        column("points", "pts", Width::Fit(2, 3), "How suspicious it is as a cause.")
            .format(Format::Count)
            .priority(2),
        column("why", "why", Width::Fit(8, 30), "What makes it suspicious.").priority(4),
        column("source", "source", Width::Fit(8, 24), "Where it was read.").priority(5).wide(),
    ];
    let doc = "Everything that happened, on one clock, with the gaps in which nobody watched.";
    KindSpec { columns, sort: (0, true), ..kind(TIMELINE, "event", &["tl"], doc) }
}

fn journal() -> KindSpec {
    let columns = vec![
        column(
            "state",
            "state",
            Width::Fit(4, 8),
            "sending, done, failed, unknown, refused, declared or note.",
        )
        .format(Format::State)
        .priority(0),
        column("what", "what", Width::Fit(8, 26), "The operation.").priority(0),
        column("on", "on", Width::Fit(8, 30), "What it acted on.").priority(1),
        column("name", "text", Width::Flex(20), "Reason, proof, fault or remark.").priority(0),
        column("by", "by", Width::Fit(3, 14), "Who.").priority(3),
        column("at", "at", Width::Fixed(5), "When.").format(Format::Age).priority(1),
    ];
    let doc = "What this operator did, declared and noted, out of the journal.";
    KindSpec { columns, sort: (5, true), ..kind(JOURNAL, "journal line", &["jl"], doc) }
}

#[cfg(test)]
mod tests {
    use super::kinds;

    #[test]
    fn every_kind_of_insight_explains_itself() {
        for kind in kinds() {
            assert!(kind.id.as_str().starts_with("vigie.") && !kind.doc.is_empty());
            assert!(kind.columns.iter().all(|column| !column.doc.is_empty()), "{}", kind.id);
        }
    }
}
