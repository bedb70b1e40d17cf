//! A problem in full: what, who, since, why it is thought so, every sign, and what changed just before.

use crate::model::kind::Format;
use crate::model::row::{Cell, Tone, Value};
use crate::model::view::{Doc, DocLine, Fact};

use super::{Point, Problem, Sight};

/// The page of a problem.
pub fn doc(problem: &Problem, sight: &Sight<'_>) -> Doc {
    let doc = Doc::default().facts("", facts(problem));
    let doc = match &problem.cause {
        Some(cause) => doc.lines("suspected cause", cause_lines(&cause.text, &cause.points)),
        None => doc,
    };
    let names = ["state", "what", "where", "says"].map(Into::into).to_vec();
    let doc = doc.table("signs", names, signs(problem, sight));
    let blind = problem.blind.iter().map(|text| DocLine::toned(text.clone(), Tone::Unknown)).collect();
    let doc = doc.lines("not seen", blind);
    let apps = &problem.felt.apps;
    let felt = if apps.is_empty() { Vec::new() } else { vec![DocLine::new(apps.join(", "))] };
    doc.lines("felt by", felt).lines("why it stands here", reasons(&problem.score))
}

fn facts(problem: &Problem) -> Vec<Fact> {
    let mut facts = vec![Fact::new("what", problem.what.as_str()).tone(problem.health.into())];
    facts.push(match problem.since {
        Some(since) => Fact::new("since", since).format(Format::Clock),
        None => Fact::new("since", "before this console began to watch").tone(Tone::Unknown),
    });
    let felt = problem.felt.words();
    let felt = if felt.is_empty() {
        Fact::new("felt by", "nobody that is known").tone(Tone::Dim)
    } else {
        Fact::new("felt by", felt.as_str())
    };
    facts.push(felt);
    if !problem.felt.people.is_empty() {
        facts.push(Fact::new("people", problem.felt.people.join(", ").as_str()));
    }
    if let Some(known) = &problem.known {
        facts.push(Fact::new("known", format!("{} ({})", known.reason, known.by).as_str()).tone(Tone::Off));
        facts.push(Fact::new("until", known.until).format(Format::Clock));
    }
    facts
}

fn cause_lines(text: &str, points: &[Point]) -> Vec<DocLine> {
    let mut lines = vec![DocLine::toned(format!("? {text}"), Tone::Warn)];
    lines.extend(reasons(points));
    lines
}

/// Points with their sum in front.
fn reasons(points: &[Point]) -> Vec<DocLine> {
    let line = |point: &Point| DocLine::toned(format!("{:+} {}", point.points, point.why), Tone::Dim);
    let sum: i32 = points.iter().map(|point| point.points).sum();
    let total = (points.len() > 1).then(|| DocLine::toned(format!("{sum:+} in all"), Tone::Dim));
    points.iter().map(line).chain(total).collect()
}

fn signs(problem: &Problem, sight: &Sight<'_>) -> Vec<Vec<Cell>> {
    let row = |id: &crate::model::id::EntityId| {
        let row = sight.store.get(id)?;
        let state = row.cell(0).value.as_text().unwrap_or_default().to_owned();
        let note = row.note.as_deref().unwrap_or_default();
        Some(vec![
            Cell::toned(Value::text(state), row.health.into()),
            Cell::new(&*row.name),
            Cell::toned(format!("{} {}", id.kind, id.instance).as_str(), Tone::Dim),
            Cell::new(Value::text(note)),
        ])
    };
    problem.members.iter().take(40).filter_map(row).collect()
}
