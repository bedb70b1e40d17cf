//! A problem as a row, so that the table, the filters, the palette and `vigie get` have it like everything else.

use crate::model::id::Identity;
use crate::model::row::{Cell, Health, Row, Tone, Value};

use super::Problem;

/// The row of a problem.
pub fn row(problem: &Problem) -> Row {
    let (word, health) = match (&problem.known, problem.acked, problem.health) {
        (Some(_), _, _) => ("known", Health::Off),
        (None, true, _) => ("ACK", Health::Pending),
        (None, false, Health::Critical) => ("CRT", Health::Critical),
        (None, false, _) => ("WRN", Health::Warning),
    };
    let cause = problem.cause.as_ref().map_or("", |cause| cause.text.as_str());
    let known = problem.known.as_ref();
    let signs = problem.members.len().max(1) + problem.blind.len();
    let points = if known.is_some() { 0 } else { problem.points() };
    let cells = vec![
        Cell::toned(word, health.into()),
        Cell::new(problem.name.as_str()),
        Cell::new(problem.what.as_str()),
        Cell::new(Value::text(problem.felt.words())),
        Cell::toned(Value::text(cause), Tone::Dim),
        Cell::new(i64::try_from(signs).unwrap_or(i64::MAX)),
        Cell::toned(i64::from(points), Tone::Dim),
        Cell::new(known.map(|known| known.until)),
        Cell::toned(Value::text(known.map_or("", |known| known.reason.as_str())), Tone::Dim),
        Cell::new(problem.since),
    ];
    let mut row = Row::new(problem.id(), problem.name.as_str(), cells);
    row.health = health;
    row.note = (!problem.what.is_empty()).then(|| problem.what.as_str().into());
    row.identity = Identity::new().with("key", problem.key.clone());
    row
}
