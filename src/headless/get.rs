//! `vigie get`: the rows of a kind for scripts and people, and an exit code that tells blindness from emptiness.

use std::sync::Arc;

use jiff::Timestamp;

use crate::cli::{Get, Listing};
use crate::config::suggest;
use crate::model::kind::KindSpec;
use crate::model::query::Query;
use crate::model::row::{Row, natural};
use crate::model::snapshot::{Delta, Update};
use crate::model::store::Store;

use super::ask::{ask, kind, sources};
use super::io::{Failure, Io};
use super::listing::{Answer, RowJson, SourceJson, Trailer, csv, table};
use super::session::Session;

/// Exit code where a source could not be reached, denied access or gave an incomplete list.
const INCOMPLETE: u8 = 3;

/// Runs `vigie get`.
pub async fn get(session: &Session, args: &Get, io: &mut Io<'_>) -> Result<u8, Failure> {
    let kind = kind(&session.kinds, &args.kind)?;
    let choice = Choice::new(kind, args, session.clock.now())?;
    let backends = session.connect(Some(kind.id.backend())).await?;
    let sources = sources(&backends, &kind.id);
    if sources.is_empty() {
        let backend = kind.id.backend();
        return Err(Failure::Usage(format!("no {backend} is configured in {}", session.file.display())));
    }
    let mut store = Store::new(sources.iter().map(|(_, source)| source.clone()));
    let streamed = args.output == Listing::Jsonl;
    ask(sources, |update| {
        let rows = if streamed { choice.of(&update) } else { Vec::new() };
        for row in rows {
            io.json(&RowJson::new(row, kind))?;
        }
        store.apply(update);
        if streamed { io.flush() } else { Ok(()) }
    })
    .await?;
    choice.print(&store, args.output, io)
}

/// Which rows are wanted, and how ages are counted.
struct Choice<'a> {
    kind: &'a KindSpec,
    name: Option<&'a str>,
    query: Query,
    now: Timestamp,
}

impl<'a> Choice<'a> {
    fn new(kind: &'a KindSpec, args: &'a Get, now: Timestamp) -> Result<Self, Failure> {
        let query = Query::parse(&args.filter);
        if let Some(key) = query.unknown_keys(kind).next() {
            let columns = kind.columns.iter().map(|column| &*column.name).chain(["name", "health", "domain"]);
            let known: Vec<&str> = columns.collect();
            let advice = suggest::advice(key, known);
            return Err(Failure::Usage(format!("{} has no column `{key}`; {advice}", kind.id)));
        }
        Ok(Self { kind, name: args.name.as_deref(), query, now })
    }

    fn wants(&self, row: &Row) -> bool {
        let named = self.name.is_none_or(|name| *row.name == *name || row.id.to_string() == name);
        row.id.kind == self.kind.id && named && self.query.matches(row, self.kind, self.now)
    }

    /// The wanted rows of one answer.
    fn of<'u>(&self, update: &'u Update) -> Vec<&'u Row> {
        let Ok(Delta::Reset(list)) = &update.body else { return Vec::new() };
        self.sorted(list.rows.iter().filter(|row| self.wants(row)))
    }

    fn sorted<'r>(&self, rows: impl Iterator<Item = &'r Row>) -> Vec<&'r Row> {
        let (column, down) = self.kind.sort;
        let mut rows: Vec<&Row> = rows.collect();
        rows.sort_by(|a, b| {
            let order = a.cell(column).value.order(&b.cell(column).value);
            let order = if down { order.reverse() } else { order };
            order.then_with(|| natural(&a.name, &b.name)).then_with(|| a.id.cmp(&b.id))
        });
        rows
    }

    fn print(&self, store: &Store, listing: Listing, io: &mut Io<'_>) -> Result<u8, Failure> {
        let rows = self.sorted(store.rows(&self.kind.id).map(Arc::as_ref).filter(|row| self.wants(row)));
        let sources = SourceJson::all(store);
        let complete = store.proves_absence(&self.kind.id);
        match listing {
            Listing::Table => table(&rows, self.kind, self.now, io)?,
            Listing::Csv => csv(&rows, self.kind, io)?,
            Listing::Json => {
                let rows = rows.iter().map(|row| RowJson::new(row, self.kind)).collect();
                io.json(&Answer { kind: &self.kind.id, rows, sources, complete })?;
            }
            Listing::Jsonl => io.json(&Trailer { sources, complete })?,
        }
        remarks(store, io);
        Ok(self.code(rows.is_empty(), complete, io))
    }

    /// A name that nothing has is a failure only where everything was seen.
    fn code(&self, empty: bool, complete: bool, io: &mut Io<'_>) -> u8 {
        match self.name {
            _ if !complete => INCOMPLETE,
            Some(name) if empty => {
                io.note(&format!("no {} is called `{name}`", self.kind.singular));
                1
            }
            _ => 0,
        }
    }
}

/// What the reader must know of the rows, on the side.
fn remarks(store: &Store, io: &mut Io<'_>) {
    for source in store.sources() {
        let id = &source.spec.id;
        match source.health.fault() {
            Some(fault) => io.note(&format!("{id}: {}: {fault}", source.health.word())),
            None if !source.complete => io.note(&format!("{id}: the list is incomplete")),
            None => {}
        }
        for note in &source.notes {
            io.note(&format!("{id}: {note}"));
        }
    }
}

#[cfg(test)]
mod tests;
