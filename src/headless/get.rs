//! `vigie get`: the rows of a kind for scripts and people, and an exit code that tells blindness from emptiness.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::backend::Backend;
use crate::cli::{Get, Listing};
use crate::config::suggest;
use crate::exec::call::within;
use crate::model::id::{KindId, SourceId};
use crate::model::kind::KindSpec;
use crate::model::query::Query;
use crate::model::row::{Domain, Row, natural};
use crate::model::snapshot::{Cadence, Delta, Epoch, Fault, Mode, SourceSpec, Update};
use crate::model::store::Store;

use super::ask::{ask, kind, sources, stream};
use super::gather::gather;
use super::io::{Failure, Io};
use super::listing::{Answer, RowJson, SourceJson, Trailer, csv, table};
use super::session::Session;

/// The backend whose servers know kinds of their own.
const TEACHABLE: &str = "kubernetes";

/// How long a server may take to tell the kinds that only it knows.
const PATIENCE: Duration = Duration::from_secs(20);

/// Exit code where a source could not be reached, denied access or gave an incomplete list.
const INCOMPLETE: u8 = 3;

/// Runs `vigie get`.
pub async fn get(session: &Session, args: &Get, io: &mut Io<'_>) -> Result<u8, Failure> {
    let Known { kind, sources, blind } = known(session, &args.kind).await?;
    let kind = &*kind;
    let choice = Choice::new(kind, args, session.clock.now())?;
    if crate::insight::kinds::is_insight(&kind.id) {
        return choice.print(&gather(session).await?.store, args.output, io);
    }
    if sources.is_empty() && blind.is_empty() {
        let backend = kind.id.backend();
        return Err(Failure::Usage(format!("no {backend} is configured in {}", session.file.display())));
    }
    let silent = blind.iter().map(|(source, _)| source.clone());
    let mut store = Store::new(sources.iter().map(|(_, source)| source.clone()).chain(silent));
    for (source, fault) in blind {
        store.apply(Update { source: source.id, epoch: Epoch(1), body: Err(fault) });
    }
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

/// A kind, the streams that carry it, and the instances that could not say whether they have it.
struct Known {
    kind: Arc<KindSpec>,
    sources: Sources,
    blind: Vec<(SourceSpec, Fault)>,
}

/// What a word means; one that no registry knows is asked of the servers that know kinds of their own.
async fn known(session: &Session, word: &str) -> Result<Known, Failure> {
    if let Ok(kind) = kind(&session.kinds, word) {
        let backends = session.connect(Some(kind.id.backend())).await?;
        return Ok(Known { kind: kind.clone(), sources: sources(&backends, &kind.id), blind: Vec::new() });
    }
    let (mut kinds, mut learnt, mut silent) = (session.kinds.clone(), Sources::new(), Vec::new());
    for backend in session.connect(Some(TEACHABLE)).await? {
        match within(PATIENCE, backend.learn()).await {
            Ok(found) => {
                for (spec, source) in found {
                    kinds.learn(spec);
                    learnt.push((backend.clone(), source));
                }
            }
            Err(fault) => silent.push((backend, fault)),
        }
    }
    let kind = kind(&kinds, word)?.clone();
    learnt.retain(|(_, source)| source.kinds.contains(&kind.id));
    let blind = silent.into_iter().map(|(backend, fault)| (unanswered(&*backend, &kind.id), fault)).collect();
    Ok(Known { kind, sources: learnt, blind })
}

/// The stream that an instance would have had.
fn unanswered(backend: &dyn Backend, kind: &KindId) -> SourceSpec {
    SourceSpec {
        id: SourceId::new(backend.id(), backend.instance().clone(), kind.name()),
        kinds: vec![kind.clone()],
        mode: Mode::Poll(Cadence { focused: 0, visible: 0, hidden: 0 }),
        domain: Domain::Unknown,
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
