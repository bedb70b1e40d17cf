//! `vigie get`: the rows of a kind for scripts and people, and an exit code that tells blindness from emptiness.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::backend::Backend;
use crate::cli::{Get, Listing};
use crate::config::suggest;
use crate::exec::call::within;
use crate::model::id::KindId;
use crate::model::kind::KindSpec;
use crate::model::query::Query;
use crate::model::row::{Row, natural};
use crate::model::snapshot::{Delta, SourceSpec, Update};
use crate::model::store::Store;

use super::ask::{ask, kind, sources, stream};
use super::gather::gather;
use super::io::{Failure, Io};
use super::listing::{Answer, RowJson, SourceJson, Trailer, csv, table};
use super::session::Session;

/// How long a server may take to tell the kinds that only it knows.
const PATIENCE: Duration = Duration::from_secs(20);

/// Exit code where a source could not be reached, denied access or gave an incomplete list.
const INCOMPLETE: u8 = 3;

/// Runs `vigie get`.
pub async fn get(session: &Session, args: &Get, io: &mut Io<'_>) -> Result<u8, Failure> {
    let (kind, backends) = known(session, &args.kind).await?;
    let kind = &*kind;
    let choice = Choice::new(kind, args, session.clock.now())?;
    if crate::insight::kinds::is_insight(&kind.id) {
        return choice.print(&gather(session).await?.store, args.output, io);
    }
    let sources = sources(&backends, &kind.id);
    let sources: Vec<_> = sources.into_iter().chain(learnt(session, &backends, &kind.id).await).collect();
    if sources.is_empty() {
        let backend = kind.id.backend();
        return Err(Failure::Usage(format!("no {backend} is configured in {}", session.file.display())));
    }
    let mut store = Store::new(sources.iter().map(|(_, source)| source.clone()));
    if args.output == Listing::Jsonl {
        return choice.stream(sources, store, io).await;
    }
    ask(sources, |update| {
        store.apply(update);
        Ok(())
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

    /// Prints rows as they come and keeps none of them; the trailer says whether they were everything.
    async fn stream(&self, sources: Sources, mut store: Store, io: &mut Io<'_>) -> Result<u8, Failure> {
        let mut printed = 0_usize;
        stream(sources, |mut piece| {
            let rows = taken(&mut piece);
            for row in self.sorted(rows.iter().filter(|row| self.wants(row))) {
                io.json(&RowJson::new(row, self.kind))?;
                printed += 1;
            }
            store.apply(piece);
            io.flush()
        })
        .await?;
        let complete = store.proves_absence(&self.kind.id);
        io.json(&Trailer { sources: SourceJson::all(&store), complete })?;
        remarks(&store, io);
        Ok(self.code(printed == 0, complete, io))
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
            // Rows that stream are printed as they come.
            Listing::Jsonl => {}
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

type Sources = Vec<(Arc<dyn Backend>, SourceSpec)>;

/// Takes the rows out of an answer; what is left says how the source is.
fn taken(update: &mut Update) -> Vec<Row> {
    match &mut update.body {
        Ok(Delta::Reset(list)) => std::mem::take(&mut list.rows),
        Ok(Delta::Change { upserts, .. }) => std::mem::take(upserts),
        Ok(Delta::Same(_)) | Err(_) => Vec::new(),
    }
}

/// The kind that a word means, and the instances that have it; a word that no registry knows is asked of the servers.
async fn known(session: &Session, word: &str) -> Result<(Arc<KindSpec>, Vec<Arc<dyn Backend>>), Failure> {
    let found = kind(&session.kinds, word);
    if let Ok(kind) = found {
        return Ok((kind.clone(), session.connect(Some(kind.id.backend())).await?));
    }
    let backends = session.connect(None).await?;
    let mut kinds = session.kinds.clone();
    for backend in &backends {
        let learnt = within(PATIENCE, backend.learn()).await.unwrap_or_default();
        for (spec, _) in learnt {
            kinds.learn(spec);
        }
    }
    let kind = kind(&kinds, word)?.clone();
    Ok((kind, backends))
}

/// The streams of a kind that only servers know.
async fn learnt(session: &Session, backends: &[Arc<dyn Backend>], kind: &KindId) -> Sources {
    let mut sources = Vec::new();
    if session.kinds.get(kind).is_some() {
        return sources;
    }
    for backend in backends {
        let learnt = within(PATIENCE, backend.learn()).await.unwrap_or_default();
        let of_kind = learnt.into_iter().filter(|(spec, _)| spec.id == *kind);
        sources.extend(of_kind.map(|(_, source)| (backend.clone(), source)));
    }
    sources
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
