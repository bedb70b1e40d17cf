//! Lists onto shelves: whole, or only what changed since, newest first.
//!
//! Thousands of machines are megabytes of JSON; asked for every few seconds they would cost more than everything else
//! together. The server sorts by the last change, so a poll reads as far as it knows already and counts the rest.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Deserialize;

use super::{Eye, whole};
use crate::backend::error::ApiError;
use crate::backend::omni::client::{Client, Part, Route};
use crate::backend::omni::feed::{Feed, Shelved, Taken};
use crate::backend::omni::lenient::soft;
use crate::model::snapshot::Snapshot;

/// Tables with fewer resources are always read whole.
const LARGE: usize = 200;
/// How many changes are asked for at a time.
const STEP: usize = 100;

/// What a table's list was.
struct Stock {
    kind: &'static str,
    all: usize,
    lost: usize,
    complete: bool,
}

/// Asks for all lists of a feed.
///
/// Without its first list there is no answer; a further one that fails costs its cells and leaves a note.
pub(super) async fn fill<F: Feed>(eye: &Eye<'_>, feed: &mut F) -> Result<Snapshot, ApiError> {
    let answers = join_all(feed.shelves().into_iter().map(|shelf| stock(eye.client, shelf))).await;
    let mut notes = Vec::new();
    let mut complete = true;
    for (at, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(stock) => {
                if at == 0 {
                    complete = stock.complete && stock.lost == 0;
                }
                if stock.lost > 0 || !stock.complete {
                    notes.push(format!("{} of {} {} cannot be read", stock.lost, stock.all, stock.kind));
                }
            }
            Err((_, error)) if at == 0 => return Err(error),
            Err((kind, error)) => notes.push(format!("no {kind}: {error}")),
        }
    }
    Ok(Snapshot { complete, notes, ..whole(eye, feed) })
}

/// Puts a list onto its shelf in place of what was there.
async fn stock(client: &Client, shelf: &mut dyn Shelved) -> Result<Stock, (&'static str, ApiError)> {
    let table = shelf.table();
    let (mut all, mut lost) = (0, 0);
    shelf.begin();
    let mut each = |text: &str| {
        all += 1;
        lost += usize::from(shelf.put(text) == Taken::Unreadable);
    };
    match client.list_each(table, &Route::omni(), &mut each).await {
        Ok(complete) => {
            shelf.finish();
            Ok(Stock { kind: table.kind, all, lost, complete })
        }
        Err(error) => {
            shelf.give_up();
            Err((table.kind, error))
        }
    }
}

/// The rows that changed since the lists were last read; `None` where only the whole lists can tell.
pub(super) async fn changes<F: Feed>(
    eye: &Eye<'_>,
    feed: &mut F,
) -> Result<Option<BTreeSet<Arc<str>>>, ApiError> {
    let shelves = feed.shelves();
    if shelves.iter().any(|shelf| shelf.count() < LARGE) {
        return Ok(None);
    }
    let mut touched = BTreeSet::new();
    for answer in join_all(shelves.into_iter().map(|shelf| news(eye.client, shelf))).await {
        match answer? {
            Some(rows) => touched.extend(rows),
            None => return Ok(None),
        }
    }
    Ok(Some(touched))
}

#[derive(Deserialize)]
struct Dated {
    metadata: Updated,
}

#[derive(Deserialize)]
struct Updated {
    #[serde(default, deserialize_with = "soft")]
    updated: Option<Timestamp>,
}

/// What one page of news was.
#[derive(Default)]
struct Read {
    rows: Vec<Arc<str>>,
    /// The last one's date.
    at: Option<Timestamp>,
    /// Whether it reached what is known already.
    known: bool,
    /// Whether it is no sorted list of readable resources.
    odd: bool,
}

impl Read {
    /// Dates have whole seconds, so what was changed in the same second as the newest is read again.
    fn take(&mut self, into: &mut dyn Shelved, since: Timestamp, text: &str) {
        let at = serde_json::from_str::<Dated>(text).ok().and_then(|dated| dated.metadata.updated);
        let Some(at) = at.filter(|at| self.at.is_none_or(|last| *at <= last)) else {
            self.odd = true;
            return;
        };
        self.at = Some(at);
        if at < since {
            self.known = true;
            return;
        }
        match into.put(text) {
            Taken::Changed(row) => self.rows.push(row),
            Taken::Known => {}
            Taken::Unreadable => self.odd = true,
        }
    }
}

/// The changes of one table; `None` where something went, or the server does not sort.
async fn news(client: &Client, shelf: &mut dyn Shelved) -> Result<Option<Vec<Arc<str>>>, ApiError> {
    let (table, Some(since)) = (shelf.table(), shelf.newest()) else { return Ok(None) };
    let mut read = Read::default();
    let mut part = Part { offset: 0, limit: STEP, newest_first: true };
    loop {
        let mut each = |text: &str| read.take(shelf, since, text);
        let page = client.page(table, &Route::omni(), part, &mut each).await?;
        part.offset += page.got;
        let all = page.total.is_some_and(|total| part.offset >= total) || page.got == 0;
        if read.odd || page.bad > 0 || (part.offset > shelf.count() / 2 && !read.known) {
            return Ok(None);
        }
        if read.known || all {
            return Ok((page.total == Some(shelf.count())).then_some(read.rows));
        }
    }
}
