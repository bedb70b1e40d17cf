//! The judgement on a step: what the rows of a kind say to its question, with the rows that say it.

use jiff::Timestamp;

use crate::config::checklist::Step;
use crate::model::kind::{Format, KindSpec};
use crate::model::query::Query;
use crate::model::row::{Row, Tone, Value};
use crate::model::snapshot::Fault;
use crate::model::time::{seconds_between, short};

/// So many rows are shown as evidence.
const MOST: usize = 4;

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Pass,
    /// Not as it should be.
    Fail,
    /// It could not be looked at.
    Unknown,
    /// Somebody has to look, and nobody has said so yet.
    Open,
    /// Somebody has looked and says that it is well.
    Ticked,
    /// Not asked, since a step before it failed.
    Skipped,
}

impl Mark {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Open => "by hand",
            Self::Ticked => "ticked",
            Self::Skipped => "not asked",
        }
    }

    /// The role.
    pub fn tone(self) -> Tone {
        match self {
            Self::Pass => Tone::Ok,
            Self::Fail => Tone::Error,
            Self::Unknown => Tone::Unknown,
            Self::Open => Tone::Pending,
            Self::Ticked => Tone::Info,
            Self::Skipped => Tone::Off,
        }
    }
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it went.
    pub mark: Mark,
    /// What that rests on.
    pub evidence: Vec<String>,
}

impl Outcome {
    /// An outcome that rests on one line.
    pub fn new(mark: Mark, evidence: impl Into<String>) -> Self {
        Self { mark, evidence: vec![evidence.into()] }
    }
}

/// What a kind's sources answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Their rows, each source in its own order.
    pub rows: Vec<Row>,
    /// Whether these are all.
    pub complete: bool,
    /// Why some could not be had.
    pub faults: Vec<Fault>,
}

/// Judges a step by what was answered.
pub fn judge(step: &Step, kind: &KindSpec, answer: &Answer, now: Timestamp) -> Outcome {
    let matching = |text: &str| {
        let query = Query::parse(text);
        move |row: &Row| query.matches(row, kind, now)
    };
    let only = matching(&step.only);
    let asked: Vec<&Row> = answer.rows.iter().filter(|row| row.id.kind == kind.id && only(row)).collect();
    let rows = if step.newest == 0 { &asked[..] } else { &asked[..asked.len().min(step.newest)] };
    let shown = |rows: &[&Row]| evidence(step, kind, rows, now);
    let forbidden: Vec<_> = step.fail.iter().map(|text| matching(text)).collect();
    let bad: Vec<&Row> = rows.iter().copied().filter(|row| forbidden.iter().any(|bad| bad(row))).collect();
    if !bad.is_empty() {
        return Outcome { mark: Mark::Fail, evidence: shown(&bad) };
    }
    // What is missing may be just what would have failed.
    if let Some(fault) = answer.faults.first() {
        return Outcome::new(Mark::Unknown, fault.to_string());
    }
    let least = step.least.unwrap_or(1);
    if rows.len() < least {
        let mark = if answer.complete { Mark::Fail } else { Mark::Unknown };
        return Outcome::new(mark, format!("{} rows of {} fit, {least} are needed", rows.len(), kind.id));
    }
    if step.pass.is_empty() {
        let mark = if answer.complete { Mark::Pass } else { Mark::Unknown };
        return Outcome::new(mark, format!("none of {} rows", rows.len()));
    }
    let wanted = matching(&step.pass);
    let (good, other): (Vec<&Row>, Vec<&Row>) = rows.iter().copied().partition(|row| wanted(row));
    match (step.any, good.is_empty(), other.is_empty()) {
        (true, false, _) => Outcome { mark: Mark::Pass, evidence: shown(&good[..1]) },
        (false, _, true) if answer.complete => Outcome { mark: Mark::Pass, evidence: shown(&good) },
        (false, _, true) => Outcome { mark: Mark::Unknown, evidence: shown(&good) },
        (_, _, false) => Outcome { mark: Mark::Fail, evidence: shown(&other) },
        (true, true, true) => Outcome::new(Mark::Unknown, "there is nothing to look at"),
    }
}

/// The rows that decided, with the columns that say why.
fn evidence(step: &Step, kind: &KindSpec, rows: &[&Row], now: Timestamp) -> Vec<String> {
    let line = |row: &&Row| {
        let said = step.show.iter().filter_map(|name| {
            let column = kind.column(name)?;
            words(&row.cell(column).value, kind.columns[column].format, now)
        });
        let said: Vec<String> = said.collect();
        format!("{}: {}", row.name, if said.is_empty() { "ok".to_owned() } else { said.join(", ") })
    };
    let mut lines: Vec<String> = rows.iter().take(MOST).map(line).collect();
    if rows.len() > MOST {
        lines.push(format!("and {} more", rows.len() - MOST));
    }
    lines
}

fn words(value: &Value, format: Format, now: Timestamp) -> Option<String> {
    Some(match value {
        Value::Empty => return None,
        Value::Text(text) => text.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Float(x) => x.to_string(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Time(at) if format == Format::Until => format!("in {}", short(seconds_between(now, *at))),
        Value::Time(at) => format!("{} ago", short(seconds_between(*at, now))),
    })
}

#[cfg(test)]
mod tests {
    use crate::model::id::EntityId;
    use crate::model::kind::{Column, Width};
    use crate::model::row::Cell;
    use crate::model::snapshot::Layer;

    use super::*;

    fn kind() -> KindSpec {
        KindSpec {
            id: "t.outposts".into(),
            singular: "outpost".into(),
            aliases: Vec::new(),
            doc: "Outposts.".into(),
            columns: vec![
                Column::new("state", "state", Width::Fixed(8), "State."),
                Column::new("name", "name", Width::Fixed(8), "Name."),
            ],
            sort: (0, false),
            views: Vec::new(),
            drill: None,
            pane: None,
        }
    }

    fn answer(rows: &[(&str, &str)], complete: bool) -> Answer {
        let row = |(name, state): &(&str, &str)| {
            Row::new(
                EntityId::new("t.outposts", "x", *name),
                *name,
                vec![Cell::new(*state), Cell::new(*name)],
            )
        };
        Answer { rows: rows.iter().map(row).collect(), complete, faults: Vec::new() }
    }

    fn step(toml: &str) -> Step {
        toml::from_str(&format!("title = 'x'\nask = 't.outposts'\nshow = ['state']\n{toml}")).unwrap()
    }

    #[test]
    fn a_step_is_judged_by_rows_and_unknown_is_not_a_pass() {
        let (all, up) = ("pass = 'state:up'", &[("a", "up"), ("b", "up")][..]);
        let cases: [(&str, Answer, Mark, &str); 11] = [
            (all, answer(up, true), Mark::Pass, "a: up"),
            (all, answer(up, false), Mark::Unknown, "a: up"),
            (all, answer(&[("a", "up"), ("b", "down")], true), Mark::Fail, "b: down"),
            (all, answer(&[], true), Mark::Fail, "0 rows"),
            (all, answer(&[], false), Mark::Unknown, "0 rows"),
            ("fail = ['state:down']", answer(up, true), Mark::Pass, "none of 2"),
            ("fail = ['state:down']", answer(up, false), Mark::Unknown, "none of 2"),
            ("fail = ['state:down']", answer(&[("b", "down")], false), Mark::Fail, "b: down"),
            ("fail = ['state:down']\nleast = 0", answer(&[], true), Mark::Pass, "none of 0"),
            (
                "pass = 'state:up'\nnewest = 1",
                answer(&[("a", "up"), ("b", "down")], true),
                Mark::Pass,
                "a: up",
            ),
            ("pass = 'state:up'\nany = true", answer(&[("a", "x"), ("b", "up")], true), Mark::Pass, "b: up"),
        ];
        for (toml, answer, mark, says) in cases {
            let outcome = judge(&step(toml), &kind(), &answer, Timestamp::UNIX_EPOCH);
            assert_eq!(outcome.mark, mark, "{toml}: {outcome:?}");
            assert!(outcome.evidence[0].contains(says), "{toml}: {outcome:?}");
        }
    }

    #[test]
    fn a_source_that_does_not_answer_leaves_a_step_unknown() {
        let fault = Fault::new(Layer::Tcp, "no connection");
        let blind = Answer { rows: Vec::new(), complete: false, faults: vec![fault] };
        let outcome = judge(&step("fail = ['state:down']"), &kind(), &blind, Timestamp::UNIX_EPOCH);
        assert_eq!((outcome.mark, outcome.evidence[0].as_str()), (Mark::Unknown, "tcp: no connection"));
    }
}
