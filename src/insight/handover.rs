//! Handing over: what is wrong, what was done, what is quiet or armed, what ends tonight, on one page.
//!
//! The same page is read on the screen and copied or saved as Markdown; with the time line below it is the first draft
//! of a post-mortem.

use std::fmt::Write;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::journal::{Entry, Line};
use crate::model::kind::Kinds;
use crate::model::row::{Health, Row, Tone, Value};
use crate::model::run::RunState;
use crate::model::time::{seconds_between, short};
use crate::model::view::{Doc, DocLine};

use super::lookout::{Facts, Lookout};
use super::problem::Problem;
use super::recovery::Over;
use super::timeline::{Event, Sort};

/// A shift: so far back the page reaches.
pub const SHIFT: SignedDuration = SignedDuration::from_hours(12);
/// So many lines a part has at most.
const MOST: usize = 40;

/// One part of the page: a heading and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The heading.
    pub title: &'static str,
    /// Its lines; never empty, as "nothing" is said too.
    pub lines: Vec<DocLine>,
}

/// The page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// When it was written.
    pub at: Timestamp,
    /// How far back it reaches.
    pub since: Timestamp,
    /// Its parts in order.
    pub parts: Vec<Part>,
}

/// Until when writes are armed, where they are.
pub type Armed = Option<Timestamp>;

/// Writes the page of a shift.
pub fn page(lookout: &Lookout, facts: Facts<'_>, back: SignedDuration, armed: Armed) -> Page {
    let since = facts.now - back;
    let parts = vec![
        part("Wrong now", problems(lookout, facts.now)),
        part("Over again", over(lookout, since)),
        part("Known and not told", known(lookout, facts.now)),
        part("Done by this operator", done(lookout.lines(), since)),
        part("Still to follow in Git", follow(lookout.lines(), since)),
        part("Quiet", quiet(facts)),
        part("Armed and under way", under_way(facts, armed)),
        part("Ends tonight", tonight(lookout, facts.now)),
        part("Not seen", unseen(facts)),
        part("Notes", notes(lookout.lines(), since)),
        part("Time line", happened(lookout, facts, since)),
    ];
    Page { at: facts.now, since, parts }
}

fn part(title: &'static str, mut lines: Vec<DocLine>) -> Part {
    if lines.len() > MOST {
        let more = lines.len() - MOST;
        lines.truncate(MOST);
        lines.push(DocLine::toned(format!("and {more} more"), Tone::Dim));
    }
    if lines.is_empty() {
        lines.push(DocLine::toned("nothing", Tone::Dim));
    }
    Part { title, lines }
}

impl Page {
    /// As a document for the screen.
    pub fn doc(&self) -> Doc {
        let head = format!("{} to {} (UTC)", written(self.since), written(self.at));
        let keys = "Y copies it as Markdown, :save FILE writes it, `vigie handover` prints it";
        let doc =
            Doc::default().lines("hand-over", vec![DocLine::new(head), DocLine::toned(keys, Tone::Dim)]);
        self.parts.iter().fold(doc, |doc, part| doc.lines(part.title, part.lines.clone()))
    }

    /// As Markdown; nothing in it comes from anywhere but the page.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "# Hand-over {}\n\n{} to {} (UTC)\n",
            written(self.at),
            written(self.since),
            written(self.at)
        );
        for part in &self.parts {
            let _ = write!(text, "\n## {}\n\n", part.title);
            for line in &part.lines {
                let _ = writeln!(text, "- {}", escaped(&line.text));
            }
        }
        text
    }
}

/// Remote text in Markdown: one line, without anything that is markup or a control character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() => out.push(' '),
            '<' => out.push_str("&lt;"),
            '*' | '_' | '`' | '[' | ']' | '|' | '\\' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", at.strftime("%H:%M"), short(seconds_between(at, now)))
}

fn tone(health: Health) -> Tone {
    health.into()
}

fn problems(lookout: &Lookout, now: Timestamp) -> Vec<DocLine> {
    let line = |problem: &Problem| {
        let word = match (problem.acked, problem.health) {
            (true, _) => "ACK",
            (false, Health::Critical) => "CRT",
            (false, _) => "WRN",
        };
        let since = problem.since.map(|since| format!(", since {}", ago(since, now))).unwrap_or_default();
        let felt = problem.felt.words();
        let felt = if felt.is_empty() { felt } else { format!(", felt by {felt}") };
        let cause =
            problem.cause.as_ref().map(|cause| format!(", cause? {}", cause.text)).unwrap_or_default();
        DocLine::toned(
            format!("{word} {}: {}{since}{felt}{cause}", problem.name, problem.what),
            tone(problem.health),
        )
    };
    lookout.problems().iter().filter(|problem| problem.is_open()).map(line).collect()
}

/// What was wrong in the shift and is over, with how long it lasted and whether that is proven.
fn over(lookout: &Lookout, since: Timestamp) -> Vec<DocLine> {
    let line = |over: &Over| {
        let lasted = over.since.map(|since| short(seconds_between(since, over.at)));
        let lasted = lasted.map(|lasted| format!(", lasted {lasted}")).unwrap_or_default();
        let at = over.proven_at().strftime("%H:%M");
        let (proof, tone) = if over.is_proven() {
            (format!("stable at {at}"), Tone::Ok)
        } else {
            (format!("watched until {at}"), Tone::Pending)
        };
        let text = format!("{} {}: {}{lasted}, {proof}", over.at.strftime("%H:%M"), over.name, over.what);
        DocLine::toned(text, tone)
    };
    lookout.over().iter().filter(|over| over.at >= since).map(line).collect()
}

fn known(lookout: &Lookout, now: Timestamp) -> Vec<DocLine> {
    let of = |problem: &Problem| {
        let known = problem.known.as_ref()?;
        let left = short(seconds_between(now, known.until));
        let text = format!("{}: {} ({}), told again in {left}", problem.name, known.reason, known.by);
        Some(DocLine::toned(text, Tone::Off))
    };
    let mut lines: Vec<DocLine> = lookout.problems().iter().filter_map(of).collect();
    for declaration in lookout.declared().iter().filter(|d| d.about.is_none()) {
        let left = short(seconds_between(now, declaration.until));
        let text = format!(
            "{} declared by {}: {}, {left} left",
            declaration.topic, declaration.by, declaration.text
        );
        lines.push(DocLine::toned(text, Tone::Off));
    }
    lines
}

/// What was sent, each with what became of it.
fn done(lines: &[Line], since: Timestamp) -> Vec<DocLine> {
    let of = |line: &Line| {
        let Entry::Sending { op, target, reason, .. } = &line.entry else { return None };
        let outcome = lines.iter().rev().find(|other| {
            other.run == line.run && !matches!(other.entry, Entry::Sending { .. } | Entry::Accepted { .. })
        });
        let (word, text, tone) = match outcome.map(|line| &line.entry) {
            Some(Entry::Done { text }) => ("done", text.as_str(), Tone::Ok),
            Some(Entry::Failed { text }) => ("failed", text.as_str(), Tone::Error),
            Some(Entry::Unknown { text }) => ("UNKNOWN", text.as_str(), Tone::Unknown),
            Some(Entry::Refused { text }) => ("refused", text.as_str(), Tone::Warn),
            _ => ("without an outcome", "", Tone::Unknown),
        };
        let why = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let text = format!("{} {op} {}{why}: {word} {text}", written(line.at), target.name);
        Some(DocLine::toned(text.trim_end().to_owned(), tone))
    };
    lines.iter().filter(|line| line.at >= since).filter_map(of).collect()
}

/// A repair on a server is undone by Git unless it is written there; a note that says so closes it.
fn follow(lines: &[Line], since: Timestamp) -> Vec<DocLine> {
    let open = |line: &&Line| {
        let Entry::Sending { target, .. } = &line.entry else { return false };
        let repaired =
            lines.iter().any(|other| other.run == line.run && matches!(other.entry, Entry::Done { .. }));
        let closed = lines.iter().any(|other| match &other.entry {
            Entry::Note { text, about } => {
                other.at >= line.at
                    && text.to_lowercase().contains("git")
                    && about.as_ref().is_none_or(|about| {
                        *about == target.id || about.kind.backend() == super::kinds::VIGIE
                    })
            }
            _ => false,
        });
        repaired && !closed
    };
    let line = |line: &Line| match &line.entry {
        Entry::Sending { op, target, .. } => DocLine::toned(
            format!("{op} {}: no note says what changes in Git (c writes one)", target.name),
            Tone::Warn,
        ),
        _ => DocLine::new(""),
    };
    lines.iter().filter(|line| line.at >= since).filter(open).map(line).collect()
}

/// Silences that hold, with who made them and when they end.
fn quiet(facts: Facts<'_>) -> Vec<DocLine> {
    let kind = "alerts.silences".into();
    let text = |row: &Row, kinds: &Kinds, column: &str| {
        let at = kinds.get(&row.id.kind).and_then(|kind| kind.column(column));
        at.and_then(|at| row.cell(at).value.as_text()).unwrap_or_default().to_owned()
    };
    let mut lines = Vec::new();
    let holds = |row: &&Arc<Row>| matches!(row.cell(0).value.as_text(), Some("active" | "ending" | "unused"));
    for row in facts.store.rows(&kind).filter(holds) {
        let ends = facts.kinds.get(&kind).and_then(|kind| kind.column("ends"));
        let left = match ends.map(|at| &row.cell(at).value) {
            Some(Value::Time(at)) => format!(", {} left", short(seconds_between(facts.now, *at))),
            _ => String::new(),
        };
        let (matchers, by) = (text(row, facts.kinds, "matchers"), text(row, facts.kinds, "by"));
        let comment = text(row, facts.kinds, "comment");
        let note = row.note.as_deref().filter(|_| row.health == Health::Off);
        let unused = note.map(|note| format!(", {note}")).unwrap_or_default();
        lines.push(DocLine::new(format!("silence {matchers} by {by}: {comment}{left}{unused}")));
    }
    lines.sort_by(|a, b| a.text.cmp(&b.text));
    lines
}

fn under_way(facts: Facts<'_>, armed: Armed) -> Vec<DocLine> {
    let mut lines = Vec::new();
    if let Some(until) = armed {
        lines.push(DocLine::toned(
            format!("writes are armed until {} UTC", until.strftime("%H:%M")),
            Tone::Danger,
        ));
    }
    for run in facts.runs.runs() {
        if !run.state.is_final() || matches!(run.state, RunState::Unknown { .. }) {
            let text =
                format!("{} {}: {} {}", run.job.op, run.job.target.name, run.state.word(), run.state.text());
            lines.push(DocLine::toned(text.trim_end().to_owned(), run.state.tone()));
        }
    }
    lines
}

fn tonight(lookout: &Lookout, now: Timestamp) -> Vec<DocLine> {
    let line = |remark: &super::digest::Remark| {
        let left =
            remark.at.map(|at| format!("in {}: ", short(seconds_between(now, at)))).unwrap_or_default();
        DocLine::new(format!("{left}{}", remark.text))
    };
    lookout.digest().tonight.iter().map(line).collect()
}

/// What the page cannot know.
fn unseen(facts: Facts<'_>) -> Vec<DocLine> {
    let sources = facts.store.sources().filter(|source| !super::lookout::is_own(source));
    let line = |source: &crate::model::store::Source| {
        let fault = source.health.fault()?;
        Some(DocLine::toned(format!("{}: {fault}", source.spec.id), Tone::Unknown))
    };
    sources.filter_map(line).collect()
}

fn notes(lines: &[Line], since: Timestamp) -> Vec<DocLine> {
    let note = |line: &Line| match &line.entry {
        Entry::Note { about, text } => {
            let about = about.as_ref().map(|about| format!(" on {}", about.key)).unwrap_or_default();
            Some(DocLine::new(format!("{} {}{about}: {text}", written(line.at), line.operator)))
        }
        _ => None,
    };
    lines.iter().filter(|line| line.at >= since).filter_map(note).collect()
}

/// What belongs into a post-mortem: own steps, notes, changes, alerts and gaps, oldest first.
fn happened(lookout: &Lookout, facts: Facts<'_>, since: Timestamp) -> Vec<DocLine> {
    let told = |event: &Event| {
        event.change && event.sort != Sort::Event
            || matches!(event.sort, Sort::Own | Sort::Note | Sort::Gap | Sort::Alert)
    };
    let line = |event: &Event| {
        let who = if event.who.is_empty() { String::new() } else { format!(" ({})", event.who) };
        let until =
            event.until.map(|until| format!(" until {}", until.strftime("%H:%M"))).unwrap_or_default();
        DocLine::toned(
            format!("{} {}: {}{until}{who}", written(event.at), event.sort.word(), event.text),
            event.tone,
        )
    };
    let mut events: Vec<Event> = lookout.happened(facts, since, facts.now).into_iter().filter(told).collect();
    events.truncate(MOST);
    events.reverse();
    events.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::lookout::Settings;
    use crate::model::id::{EntityId, Identity};
    use crate::model::ledger::Ledger;
    use crate::model::op::{Args, RunId, Target};
    use crate::model::row::Domain;
    use crate::model::store::Store;

    fn lines(now: Timestamp) -> Vec<Line> {
        let target = Target {
            id: EntityId::new("docker.containers", "mgmt", "outpost"),
            name: "outpost".into(),
            identity: Identity::new(),
            domain: Domain::Cloud,
        };
        let line = |minutes: i64, run: &str, entry| Line {
            at: now - SignedDuration::from_mins(minutes),
            run: RunId(run.into()),
            operator: "ada".into(),
            entry,
        };
        let sending = Entry::Sending {
            op: "docker.restart".into(),
            target,
            args: Args::new(),
            reason: Some("shm full".into()),
            key: None,
        };
        vec![
            line(9, "r1", sending),
            line(8, "r1", Entry::Done { text: "healthy".into() }),
            line(7, "n", Entry::Note { about: None, text: "the *cause* is\na full shm".into() }),
        ]
    }

    fn markdown(lines: Vec<Line>, now: Timestamp) -> String {
        let (store, kinds, runs) = (Store::default(), Kinds::default(), Ledger::default());
        let mut lookout = Lookout::new(Settings::default(), now);
        lookout.journal(lines);
        let facts = Facts { store: &store, kinds: &kinds, runs: &runs, now };
        page(&lookout, facts, SHIFT, Some(now)).markdown()
    }

    #[test]
    fn it_tells_what_was_done_what_is_armed_and_what_git_has_to_learn() {
        let now = "2026-03-01T03:00:00Z".parse().unwrap();
        let text = markdown(lines(now), now);
        for part in [
            "- 2026-03-01 02:51 docker.restart outpost (shm full): done healthy",
            "- docker.restart outpost: no note says what changes in Git",
            "- writes are armed until 03:00 UTC",
            r"ada: the \*cause\* is a full shm",
            "## Wrong now\n\n- nothing",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn a_note_about_git_closes_the_repair() {
        let now = "2026-03-01T03:00:00Z".parse().unwrap();
        let mut lines = lines(now);
        lines.push(Line {
            at: now,
            run: RunId("m".into()),
            operator: "ada".into(),
            entry: Entry::Note { about: None, text: "Git: shm 256M, issue 12".into() },
        });
        assert!(!markdown(lines, now).contains("no note says"));
    }
}
