//! Rows in the formats that `vigie get` prints.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde::ser::SerializeMap;

use crate::app::words::Writer;
use crate::app::words::{clean, width};
use crate::model::id::{EntityId, KindId};
use crate::model::kind::KindSpec;
use crate::model::row::{Domain, Health, Row};
use crate::model::store::{Source, Store};

use super::io::{Failure, Io};

/// The whole answer as one object.
#[derive(Serialize)]
pub(super) struct Answer<'a> {
    /// The kind's full name.
    pub kind: &'a KindId,
    /// The rows that were wanted.
    pub rows: Vec<RowJson<'a>>,
    /// Where they come from.
    pub sources: Vec<SourceJson>,
    /// Whether absence proves absence.
    pub complete: bool,
}

/// The last line of a stream of rows; a stream without it was cut.
#[derive(Serialize)]
pub(super) struct Trailer {
    /// Where the rows come from.
    pub sources: Vec<SourceJson>,
    /// Whether absence proves absence.
    pub complete: bool,
}

/// One row.
#[derive(Serialize)]
pub(super) struct RowJson<'a> {
    id: &'a EntityId,
    health: Health,
    domain: Domain,
    cells: Cells<'a>,
}

impl<'a> RowJson<'a> {
    /// A row with the columns of its kind.
    pub fn new(row: &'a Row, kind: &'a KindSpec) -> Self {
        Self { id: &row.id, health: row.health, domain: row.domain, cells: Cells { row, kind } }
    }
}

/// A row's cells by the names of its columns, in their order.
struct Cells<'a> {
    row: &'a Row,
    kind: &'a KindSpec,
}

impl Serialize for Cells<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.kind.columns.len()))?;
        for (at, column) in self.kind.columns.iter().enumerate() {
            map.serialize_entry(&column.name, &self.row.cell(at).value.to_json())?;
        }
        map.end()
    }
}

/// What is known of one source.
#[derive(Serialize)]
pub(super) struct SourceJson {
    id: String,
    health: &'static str,
    observed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl SourceJson {
    /// All sources of a store.
    pub fn all(store: &Store) -> Vec<Self> {
        let one = |source: &Source| Self {
            id: source.spec.id.to_string(),
            health: source.health.word(),
            observed_at: source.good_at,
            error: source.health.fault().map(ToString::to_string),
        };
        store.sources().map(one).collect()
    }
}

/// Aligned columns without the wide ones; with the instance where there are several.
pub(super) fn table(rows: &[&Row], kind: &KindSpec, now: Timestamp, io: &mut Io<'_>) -> Result<(), Failure> {
    let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
    let writer = Writer { now, zone: &zone, ascii: true };
    let columns: Vec<usize> = (0..kind.columns.len()).filter(|at| !kind.columns[*at].wide).collect();
    let several = rows.iter().map(|row| &row.id.instance).collect::<BTreeSet<_>>().len() > 1;
    let mut lines = vec![heading(kind, &columns, several)];
    for row in rows {
        let cell =
            |at: &usize| clean(&writer.value(&row.cell(*at).value, kind.columns[*at].format)).into_owned();
        let instance = several.then(|| row.id.instance.to_string());
        lines.push(instance.into_iter().chain(columns.iter().map(cell)).collect());
    }
    let right = columns.iter().map(|at| kind.columns[*at].right_aligned());
    let right: Vec<bool> = several.then_some(false).into_iter().chain(right).collect();
    let widest = |at: usize| lines.iter().map(|line| width(&line[at])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..right.len()).map(widest).collect();
    for line in &lines {
        io.line(aligned(line, &widths, &right).trim_end())?;
    }
    Ok(())
}

fn heading(kind: &KindSpec, columns: &[usize], several: bool) -> Vec<String> {
    let title = |at: &usize| {
        let column = &kind.columns[*at];
        let title = if column.title.is_empty() { &column.name } else { &column.title };
        title.to_uppercase()
    };
    several.then(|| "INSTANCE".to_owned()).into_iter().chain(columns.iter().map(title)).collect()
}

fn aligned(line: &[String], widths: &[usize], right: &[bool]) -> String {
    let mut text = String::new();
    for (at, cell) in line.iter().enumerate() {
        let blanks = " ".repeat(widths[at].saturating_sub(width(cell)));
        let gap = if at == 0 { "" } else { "  " };
        let parts = if right[at] { [gap, &blanks, cell] } else { [gap, cell, &blanks] };
        text.extend(parts);
    }
    text
}

/// RFC 4180 with a heading; values as in JSON, without quotes around text.
pub(super) fn csv(rows: &[&Row], kind: &KindSpec, io: &mut Io<'_>) -> Result<(), Failure> {
    let columns = kind.columns.iter().map(|column| column.name.to_string());
    let head: Vec<String> =
        ["id", "health", "domain"].map(str::to_owned).into_iter().chain(columns).collect();
    io.line(separated(&head))?;
    for row in rows {
        let known = [row.id.to_string(), word(&row.health), word(&row.domain)];
        let cells = (0..kind.columns.len()).map(|at| word(&row.cell(at).value.to_json()));
        let line: Vec<String> = known.into_iter().chain(cells).collect();
        io.line(separated(&line))?;
    }
    Ok(())
}

fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Null) | Err(_) => String::new(),
        Ok(other) => other.to_string(),
    }
}

fn separated(fields: &[String]) -> String {
    let quoted = |field: &String| {
        let field = clean(field);
        if field.contains([',', '"']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.into_owned()
        }
    };
    fields.iter().map(quoted).collect::<Vec<_>>().join(",")
}
