//! The journal as events and as rows.

use std::sync::Arc;

use crate::insight::kinds::{CONSOLE, JOURNAL};
use crate::model::id::{EntityId, Identity};
use crate::model::journal::{Entry, Line};
use crate::model::op::RunId;
use crate::model::row::{Cell, Health, Row, Tone, Value};

use super::{Event, Sort};

/// What one line says, for rows and events alike.
struct Said<'l> {
    word: &'static str,
    what: &'l str,
    about: Option<&'l EntityId>,
    on: &'l str,
    text: String,
    tone: Tone,
}

fn said<'l>(line: &'l Line, lines: &'l [Line]) -> Said<'l> {
    let sending = || {
        lines.iter().find_map(|other| match &other.entry {
            Entry::Sending { op, target, .. } if other.run == line.run => Some((&**op, target)),
            _ => None,
        })
    };
    let outcome = |word, text: &str, tone| {
        let (what, about, on) = sending().map_or(("", None, ""), |(op, t)| (op, Some(&t.id), &*t.name));
        Said { word, what, about, on, text: text.to_owned(), tone }
    };
    match &line.entry {
        Entry::Sending { op, target, reason, .. } => Said {
            word: "sending",
            what: op,
            about: Some(&target.id),
            on: &target.name,
            text: reason.clone().unwrap_or_default(),
            tone: Tone::Pending,
        },
        Entry::Accepted { remote } => outcome("accepted", remote, Tone::Dim),
        Entry::Done { text } => outcome("done", text, Tone::Ok),
        Entry::Failed { text } => outcome("failed", text, Tone::Error),
        Entry::Unknown { text } => outcome("unknown", text, Tone::Unknown),
        Entry::Refused { text } => outcome("refused", text, Tone::Warn),
        Entry::Declared { topic, about, until, text } => Said {
            word: if until.is_some() { "declared" } else { "ended" },
            what: topic,
            about: about.as_ref(),
            on: about.as_ref().map_or("", |id| &*id.key),
            text: text.clone(),
            tone: Tone::Info,
        },
        Entry::Note { about, text } => Said {
            word: "note",
            what: "note",
            about: about.as_ref(),
            on: about.as_ref().map_or("", |id| &*id.key),
            text: text.clone(),
            tone: Tone::Text,
        },
    }
}

/// The lines as events: what was sent and what became of it, declarations and remarks.
pub fn events(lines: &[Line]) -> Vec<Event> {
    // What became of it since is said with what was sent.
    let outcome = |run: &RunId| {
        let ends = |line: &&Line| line.run == *run && !matches!(line.entry, Entry::Accepted { .. });
        lines.iter().rev().find(ends).map(|line| said(line, lines)).map(|said| (said.word, said.tone))
    };
    let of = |line: &Line| {
        let mut said = said(line, lines);
        if let (Entry::Sending { .. }, Some(now)) = (&line.entry, outcome(&line.run)) {
            (said.word, said.tone) = now;
        }
        let (sort, change) = match &line.entry {
            Entry::Accepted { .. } | Entry::Refused { .. } => return None,
            Entry::Note { .. } => (Sort::Note, false),
            Entry::Declared { .. } => (Sort::Note, true),
            Entry::Sending { .. } => (Sort::Own, true),
            _ => (Sort::Own, false),
        };
        let text = match (&line.entry, said.word) {
            (Entry::Note { .. }, _) => said.text,
            (Entry::Sending { .. }, word) => {
                [said.what, said.on, word, &said.text].join(" ").trim().to_owned()
            }
            (_, word) => [said.what, word, &said.text].join(" ").trim().to_owned(),
        };
        Some(Event {
            at: line.at,
            until: None,
            sort,
            text,
            tone: said.tone,
            who: line.operator.clone(),
            about: said.about.cloned(),
            on: Arc::from(said.on),
            source: Arc::from(JOURNAL),
            change,
        })
    };
    lines.iter().filter_map(of).collect()
}

/// The row of a line; `number` tells lines of one run apart.
pub fn row(line: &Line, number: usize, lines: &[Line]) -> Row {
    let said = said(line, lines);
    let cells = vec![
        Cell::toned(said.word, said.tone),
        Cell::new(Value::text(said.what)),
        Cell::new(Value::text(said.on)),
        Cell::new(Value::text(&said.text)),
        Cell::toned(&*line.operator, Tone::Dim),
        Cell::new(line.at),
    ];
    let key = format!("{}/{}/{number}", line.at.as_millisecond(), line.run);
    let name = if said.text.is_empty() { said.what.to_owned() } else { said.text.clone() };
    let mut row = Row::new(EntityId::new(JOURNAL, CONSOLE, key), name, cells);
    row.health = match said.tone {
        Tone::Error => Health::Warning,
        Tone::Ok => Health::Ok,
        _ => Health::Unknown,
    };
    row.identity = Identity::new().with("run", line.run.0.clone());
    row
}
