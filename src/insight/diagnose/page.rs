//! A diagnosis as a document: the problem, what to look at, what changed, logs, runbook, and what may be done.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::insight::lookout::{Facts, Lookout};
use crate::insight::timeline;
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::op::Operations;
use crate::model::row::{Cell, Row, Tone, Value};
use crate::model::view::{Doc, DocLine, Fact, LogLine};

use super::looks::{Look, Looks};
use super::pick::{operable, subjects, things};

/// So many lines of a log are shown.
const LINES: usize = 8;
/// Lines of a log count from so long before a problem to so long after its start.
const BEFORE: SignedDuration = SignedDuration::from_mins(10);
const AFTER: SignedDuration = SignedDuration::from_mins(5);
/// So many changes are shown.
const CHANGES: usize = 4;

/// The end of a log that belongs to a diagnosis.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogPart {
    /// Whose, as a heading.
    pub title: String,
    /// Its lines so far, oldest first.
    pub lines: Vec<LogLine>,
    /// Why there is none.
    pub fault: Option<String>,
}

/// The diagnosis of a row; empty where nothing is known to be wrong with it and no look is for it.
pub fn page(
    row: &Row,
    looks: &Looks,
    lookout: &Lookout,
    operations: &Operations,
    logs: &[LogPart],
    facts: Facts<'_>,
) -> Doc {
    let found = looks_for(row, looks, lookout, facts);
    let at = lookout.focus_on(row, facts).at;
    let doc = if row.id.kind.backend() == "vigie" { Doc::default() } else { problems(row, lookout) };
    if found.is_empty() && doc.sections.is_empty() && row.id.kind.backend() != "vigie" {
        return doc;
    }
    let doc = doc.lines("changed just before", changes(row, lookout, facts));
    let doc = logs.iter().fold(doc, |doc, log| doc.lines(log.title.clone(), tail(log, at)));
    let columns = ["state", "what", "kind", "says"].map(Into::into).to_vec();
    let doc = doc.table("look at", columns, seen(row, &found, lookout, facts));
    let say = found.iter().flat_map(|look| &look.say).map(|line| DocLine::new(format!("- {line}"))).collect();
    let doc = doc.lines("mind", say);
    let doc = doc.lines("runbook", runbook(row, &found, looks, lookout, facts));
    doc.lines("may be done", allowed(row, &found, lookout, operations, facts))
}

/// The looks for a row, and for the signs of its problem.
pub fn looks_for<'l>(row: &Row, looks: &'l Looks, lookout: &Lookout, facts: Facts<'_>) -> Vec<&'l Look> {
    let mut found: Vec<&Look> = Vec::new();
    for subject in subjects(row, lookout, facts).iter().map(AsRef::as_ref).chain([row]).take(12) {
        for look in looks.of(subject) {
            if !found.contains(&look) {
                found.push(look);
            }
        }
    }
    found.truncate(3);
    found
}

/// The problems that it is a sign of.
fn problems(row: &Row, lookout: &Lookout) -> Doc {
    let mut doc = Doc::default();
    for problem in lookout.problems_of(&row.id).take(2) {
        let tone: Tone = problem.health.into();
        let mut facts =
            vec![Fact::new("problem", format!("{}: {}", problem.name, problem.what).as_str()).tone(tone)];
        let felt = problem.felt.words();
        facts.extend((!felt.is_empty()).then(|| Fact::new("felt by", felt.as_str())));
        facts.extend(problem.since.map(|since| Fact::new("since", since).format(Format::Clock)));
        if let Some(cause) = &problem.cause {
            facts.push(Fact::new("cause?", cause.text.as_str()).tone(Tone::Warn));
        }
        doc = doc.facts("", facts);
    }
    doc
}

fn seen(row: &Row, found: &[&Look], lookout: &Lookout, facts: Facts<'_>) -> Vec<Vec<Cell>> {
    let subjects = subjects(row, lookout, facts);
    let mut shown: Vec<EntityId> = Vec::new();
    let mut cells = Vec::new();
    for word in found.iter().flat_map(|look| &look.see) {
        for thing in things(word, &subjects, lookout, facts) {
            if thing.id == row.id || shown.contains(&thing.id) || shown.len() >= 16 {
                continue;
            }
            shown.push(thing.id.clone());
            cells.push(line_of(&thing, facts));
        }
    }
    cells
}

fn line_of(row: &Arc<Row>, facts: Facts<'_>) -> Vec<Cell> {
    let kind = facts.kinds.get(&row.id.kind);
    let state = kind.and_then(|kind| kind.columns.iter().position(|column| column.format == Format::State));
    let state = state.and_then(|at| row.cell(at).value.as_text()).unwrap_or_default();
    vec![
        Cell::toned(Value::text(state), row.health.into()),
        Cell::new(&*row.name),
        Cell::toned(kind.map_or("", |kind| kind.singular.as_ref()), Tone::Dim),
        Cell::new(Value::text(row.note.as_deref().unwrap_or_default())),
    ]
}

fn changes(row: &Row, lookout: &Lookout, facts: Facts<'_>) -> Vec<DocLine> {
    let focus = lookout.focus_on(row, facts);
    let Some(at) = focus.at else { return Vec::new() };
    let (from, to) = focus.window(facts.now);
    let events = lookout.happened(facts, from, to);
    let mut lines: Vec<DocLine> = timeline::ranked(&events, &focus)
        .into_iter()
        .take(CHANGES)
        .map(|(points, why, event)| {
            let before = crate::model::time::short(crate::model::time::seconds_between(event.at, at));
            let who = if event.who.is_empty() { String::new() } else { format!(" by {}", event.who) };
            let tone = if points >= 4 { Tone::Warn } else { Tone::Text };
            DocLine::toned(format!("{before} before: {}{who} ({why})", event.text), tone)
        })
        .collect();
    if lines.is_empty() && lookout.began() > at {
        lines.push(DocLine::toned(
            "nothing that servers remember; this console was not watching then",
            Tone::Unknown,
        ));
    }
    lines
}

/// The end of a log around an instant; its very end where nothing falls there.
fn tail(log: &LogPart, at: Option<Timestamp>) -> Vec<DocLine> {
    if let Some(fault) = &log.fault {
        return vec![DocLine::toned(fault.clone(), Tone::Warn)];
    }
    let near = |line: &&LogLine| match (line.at, at) {
        (Some(when), Some(at)) => when >= at - BEFORE && when <= at + AFTER,
        _ => false,
    };
    let around: Vec<&LogLine> = log.lines.iter().filter(near).collect();
    let lines = if around.is_empty() { log.lines.iter().collect() } else { around };
    let skip = lines.len().saturating_sub(LINES);
    let text = |line: &&LogLine| {
        let clock = line.at.map(|at| at.strftime("%H:%M:%S ").to_string()).unwrap_or_default();
        DocLine::toned(format!("{clock}{}", line.text), line.tone)
    };
    if lines.is_empty() {
        return vec![DocLine::toned("asking", Tone::Pending)];
    }
    lines.iter().skip(skip).map(text).collect()
}

/// The local runbook in full, or where it is.
fn runbook(row: &Row, found: &[&Look], looks: &Looks, lookout: &Lookout, facts: Facts<'_>) -> Vec<DocLine> {
    let alerts = subjects(row, lookout, facts);
    let names =
        alerts.iter().filter(|row| row.id.kind.as_str() == "alerts.alerts").map(|row| row.name.to_string());
    let kinds = [row.id.kind.as_str().to_owned()];
    if let Some(text) = names.chain(kinds).find_map(|name| looks.runbook(&name)) {
        return markdown(text);
    }
    let link = found.iter().find(|look| !look.runbook.is_empty()).map(|look| look.runbook.clone());
    link.map(|link| vec![DocLine::toned(link, Tone::Info)]).unwrap_or_default()
}

/// Markdown as plain lines: headings stand out, everything else is read as it is written.
fn markdown(text: &str) -> Vec<DocLine> {
    let mut code = false;
    let line = |line: &str| {
        if line.trim_start().starts_with("```") {
            code = !code;
            return None;
        }
        let plain = line.trim_start_matches('#');
        Some(match (code, plain.len() < line.len()) {
            (true, _) => DocLine::toned(format!("  {line}"), Tone::Info),
            (false, true) => DocLine::toned(plain.trim().to_owned(), Tone::Warn),
            (false, false) => DocLine::new(line.replace("**", "").replace('`', "")),
        })
    };
    text.lines().filter_map(line).take(200).collect()
}

fn allowed(
    row: &Row,
    found: &[&Look],
    lookout: &Lookout,
    operations: &Operations,
    facts: Facts<'_>,
) -> Vec<DocLine> {
    let mut lines = Vec::new();
    for thing in operable(row, found, lookout, facts) {
        let names: Vec<&str> = operations
            .on(&thing.id.kind)
            .into_iter()
            .filter(|op| op.targets != crate::model::op::Targets::Any)
            .map(|op| op.title.as_ref())
            .collect();
        if !names.is_empty() {
            let kind = facts.kinds.get(&thing.id.kind).map_or("", |kind| kind.singular.as_ref());
            lines.push(DocLine::new(format!("{kind} {}: {}", thing.name, names.join(", "))));
        }
    }
    if !lines.is_empty() {
        lines.push(DocLine::toned(
            "W arms writes, a chooses one; every one is read back; c notes what was found",
            Tone::Dim,
        ));
    }
    lines
}
