//! List and watch: rows page by page, then change by change, for as long as somebody listens.
//!
//! Objects are projected as they are read and then forgotten. A watch that ends is resumed where it stood; a place
//! that the server has forgotten (410) leads to a new list; anything else ends the call, and whoever called comes again.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;

use crate::backend::DeltaSink;
use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::row::Row;
use crate::model::snapshot::{Delta, Layer, Snapshot};
use crate::model::time::Clock;

use super::client::Cluster;
use super::wire::{Mark, Page, WatchLine};

/// How many objects a page holds.
const PAGE: usize = 500;

/// More pages than this are no list but a fault.
const MOST_PAGES: usize = 4_000;

/// How long one watch call lasts, in seconds; a peer that died in silence is noticed soon after.
pub const WATCH_SECONDS: u64 = 60;

/// A watch that ends sooner than this was cut off.
const SHORTEST: Duration = Duration::from_secs(1);

/// A projected object, and when it has to be looked at again although nothing was told (a state that grows stale).
pub struct Projected {
    /// The row.
    pub row: Row,
    /// When.
    pub due: Option<Timestamp>,
}

impl From<Row> for Projected {
    fn from(row: Row) -> Self {
        Self { row, due: None }
    }
}

/// Turns a server's object into a row; `None` for objects that are no rows.
pub type Project<T> = Arc<dyn Fn(&T, Timestamp) -> Option<Projected> + Send + Sync>;

/// One list that is followed.
pub struct Feed<T> {
    cluster: Arc<Cluster>,
    clock: Clock,
    path: String,
    project: Project<T>,
    listed: AtomicBool,
}

/// How a watch call ended.
enum End {
    /// Nobody listens any more.
    Closed,
    /// The server's time was over, or the connection was.
    Over,
    /// The place is too old, or rows have grown stale: list again.
    Relist,
}

/// Where a followed list stands.
#[derive(Default)]
struct Place {
    version: String,
    /// When rows grow stale, in seconds, by the hash of their ids: it lives as long as the list, and is kept small.
    due: HashMap<u64, i64>,
}

fn hash(id: &EntityId) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

impl Place {
    fn note(&mut self, projected: &Projected) {
        let id = hash(&projected.row.id);
        match projected.due {
            Some(at) => self.due.insert(id, at.as_second()),
            None => self.due.remove(&id),
        };
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.due.values().any(|at| *at <= now.as_second())
    }
}

/// A feed of whatever objects.
#[async_trait]
pub trait Follow: Send + Sync {
    /// The whole list at once; a resource that the cluster does not have is an empty one with a note.
    async fn snapshot(&self) -> Result<Snapshot, ApiError>;

    /// Follows the list until nobody listens or the server cannot be followed any more.
    async fn follow(&self, sink: DeltaSink) -> Result<(), ApiError>;
}

#[async_trait]
impl<T: for<'a> Deserialize<'a> + Send + Sync> Follow for Feed<T> {
    async fn snapshot(&self) -> Result<Snapshot, ApiError> {
        match self.whole().await {
            // The plain 404 of an unknown path, not the `Status` of a missing object.
            Err(error) if error.fault.status == Some(404) && error.fault.layer == Layer::Http => {
                let notes = vec![format!("this cluster has no {}", self.plural())];
                Ok(Snapshot { notes, ..Snapshot::complete(Vec::new(), self.now()) })
            }
            other => other,
        }
    }

    async fn follow(&self, sink: DeltaSink) -> Result<(), ApiError> {
        self.stay(sink).await
    }
}

impl<T: for<'a> Deserialize<'a> + Send + Sync> Feed<T> {
    /// A list at a path (`/api/v1/pods`).
    pub fn new(cluster: Arc<Cluster>, clock: Clock, path: String, project: Project<T>) -> Self {
        Self { cluster, clock, path, project, listed: AtomicBool::new(false) }
    }

    fn plural(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    async fn whole(&self) -> Result<Snapshot, ApiError> {
        let mut rows = Vec::new();
        let mut token = String::new();
        for _ in 0..MOST_PAGES {
            let (page, now) = self.page(&token).await?;
            rows.extend(self.rows(&page, now).map(|projected| projected.row));
            if page.metadata.next.is_empty() {
                return Ok(Snapshot::complete(rows, now));
            }
            page.metadata.next.as_str().clone_into(&mut token);
        }
        Err(endless())
    }

    async fn stay(&self, sink: DeltaSink) -> Result<(), ApiError> {
        let Some(mut place) = self.list(&sink).await? else { return Ok(()) };
        let mut cut = 0_u32;
        loop {
            let began = std::time::Instant::now();
            match self.watch(&mut place, &sink).await {
                Ok(End::Closed) => return Ok(()),
                Ok(End::Relist) => match self.list(&sink).await? {
                    Some(new) => place = new,
                    None => return Ok(()),
                },
                // A connection may break once; the next call shows whether the server is still there.
                Err(error) if cut > 0 || error.fault.layer != Layer::Http => return Err(error),
                Ok(End::Over) | Err(_) => {}
            }
            cut = if began.elapsed() < SHORTEST { cut + 1 } else { 0 };
            if cut > 3 {
                return Err(ApiError::new(Layer::Http, "the server ends every watch at once"));
            }
            if place.is_due(self.now()) {
                match self.list(&sink).await? {
                    Some(new) => place = new,
                    None => return Ok(()),
                }
            }
        }
    }

    /// Lists; the first time page by page, later as one reset, so that rows never vanish only to come back.
    async fn list(&self, sink: &DeltaSink) -> Result<Option<Place>, ApiError> {
        let streamed = !self.listed.load(Ordering::Relaxed);
        let mut place = Place::default();
        let (mut kept, mut token) = (Vec::new(), String::new());
        for number in 0..MOST_PAGES {
            let (page, now) = self.page(&token).await?;
            let last = page.metadata.next.is_empty();
            for projected in self.rows(&page, now) {
                place.note(&projected);
                kept.push(projected.row);
            }
            if streamed || last {
                let rows = std::mem::take(&mut kept);
                let delta = if number == 0 || !streamed {
                    Delta::Reset(Snapshot { rows, complete: last, observed_at: now, notes: Vec::new() })
                } else {
                    Delta::Change { upserts: rows, removes: Vec::new(), observed_at: now, complete: last }
                };
                if sink.send(delta).await.is_err() {
                    return Ok(None);
                }
            }
            if last {
                self.listed.store(true, Ordering::Relaxed);
                page.metadata.resource_version.as_str().clone_into(&mut place.version);
                return Ok(Some(place));
            }
            page.metadata.next.as_str().clone_into(&mut token);
        }
        Err(endless())
    }

    async fn page(&self, token: &str) -> Result<(Page<T>, Timestamp), ApiError> {
        let next = if token.is_empty() { String::new() } else { format!("&continue={}", encoded(token)) };
        let reply = self.cluster.get(&format!("{}?limit={PAGE}{next}", self.path)).await?;
        let now = self.now();
        let page: Page<T> = reply.json()?;
        if page.kind.ends_with("List") {
            Ok((page, now))
        } else {
            Err(ApiError::new(Layer::App, "the answer is no list").raw(reply.text()))
        }
    }

    fn rows<'a>(&'a self, page: &'a Page<T>, now: Timestamp) -> impl Iterator<Item = Projected> + 'a {
        page.items.iter().filter_map(move |object| (self.project)(object, now))
    }

    /// One watch call.
    async fn watch(&self, place: &mut Place, sink: &DeltaSink) -> Result<End, ApiError> {
        let path = format!(
            "{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={}",
            self.path,
            encoded(&place.version)
        );
        let mut lines = match self.cluster.stream(&path, Duration::from_secs(WATCH_SECONDS + 15)).await {
            Err(error) if error.fault.status == Some(410) => return Ok(End::Relist),
            other => other?,
        };
        if sink.send(Delta::Same(self.now())).await.is_err() {
            return Ok(End::Closed);
        }
        loop {
            let lines = tokio::select! {
                lines = lines.next() => lines?,
                () = sink.closed() => return Ok(End::Closed),
            };
            let Some(lines) = lines else { return Ok(End::Over) };
            let mut change = Change::default();
            for line in &lines {
                if self.event(line, place, &mut change)? {
                    return Ok(End::Relist);
                }
            }
            if sink.send(change.delta(self.now())).await.is_err() {
                return Ok(End::Closed);
            }
        }
    }

    /// Takes one event in; true where a new list is needed.
    fn event(&self, line: &[u8], place: &mut Place, change: &mut Change) -> Result<bool, ApiError> {
        let line: WatchLine<'_> = serde_json::from_slice(line).map_err(|error| {
            ApiError::new(Layer::App, format!("a line of the watch cannot be read: {error}"))
                .raw(String::from_utf8_lossy(line))
        })?;
        let mark: Mark = serde_json::from_str(line.object.get()).unwrap_or_default();
        if &*line.event == "ERROR" {
            return if mark.code.0 == Some(410) {
                Ok(true)
            } else {
                Err(ApiError::new(Layer::App, "the server ended the watch").raw(mark.message.as_str()))
            };
        }
        if let Some(version) = mark.metadata.resource_version.some() {
            version.clone_into(&mut place.version);
        }
        if &*line.event == "BOOKMARK" {
            return Ok(false);
        }
        let object: T = serde_json::from_str(line.object.get())
            .map_err(|error| ApiError::new(Layer::App, format!("an object cannot be read: {error}")))?;
        let Some(projected) = (self.project)(&object, self.now()) else { return Ok(false) };
        if &*line.event == "DELETED" {
            place.due.remove(&hash(&projected.row.id));
            change.0.insert(projected.row.id, None);
        } else {
            place.note(&projected);
            change.0.insert(projected.row.id.clone(), Some(projected.row));
        }
        Ok(false)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// What several events together changed: the last word on a row counts, `None` is its end.
#[derive(Default)]
struct Change(HashMap<EntityId, Option<Row>>);

impl Change {
    fn delta(self, observed_at: Timestamp) -> Delta {
        if self.0.is_empty() {
            return Delta::Same(observed_at);
        }
        let (mut upserts, mut removes) = (Vec::new(), Vec::new());
        for (id, row) in self.0 {
            match row {
                Some(row) => upserts.push(row),
                None => removes.push(id),
            }
        }
        Delta::Change { upserts, removes, observed_at, complete: true }
    }
}

fn endless() -> ApiError {
    ApiError::new(Layer::App, format!("the list has no end after {MOST_PAGES} pages"))
}

/// Percent-encodes a query value.
pub fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let piece = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(piece).collect()
}
