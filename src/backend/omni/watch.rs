//! Sources: a feed's resources, asked for or followed, become rows.
//!
//! Streams are followed where the path lets them through. Proxies hold chunked JSON back (Cloudflare until the answer
//! ends, nginx with its default buffering), so a stream that has not caught up in time is replaced by polling.

mod events;
mod lists;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{BoxStream, select_all};
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::client::Client;
use super::feed::{Feed, Lens, Shelved, Taken};
use crate::backend::DeltaSink;
use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::snapshot::{Delta, Snapshot};

use events::Event;
use lists::fill;

/// How long streams may take to catch up before they count as held back.
const PATIENCE: Duration = if cfg!(test) { Duration::from_secs(3) } else { Duration::from_secs(5) };
/// How often a source is asked whose stream is held back.
const PACE: Duration = Duration::from_secs(3);
/// How often a source is asked before its streams get another chance.
const POLLS: u32 = 200;
/// Every so many times the whole list is asked for, whatever the changes said.
const WHOLE: u32 = 20;
/// How long changes are gathered before they are handed on together.
const GATHER: Duration = Duration::from_millis(100);
/// How long a stream may be silent before the list is compared: an idle watch sends nothing, not even a heartbeat.
const SILENCE: Duration = Duration::from_secs(60);
/// Said once with the rows while streams are held back.
const HELD_BACK: &str =
    "changes are asked for every 3 s: something on the way to Omni holds its streams back";

/// What a source is asked with: the client, and how to see rows at an instant.
pub(super) struct Eye<'a> {
    /// The client.
    pub client: &'a Client,
    /// The lens of an instant.
    pub lens: &'a (dyn Fn() -> Lens + Sync),
}

impl Eye<'_> {
    fn now(&self) -> Timestamp {
        self.client.clock().now()
    }
}

/// Whether a line of a stream says anything.
#[cfg(feature = "demo")]
pub(super) fn is_event(line: &[u8]) -> bool {
    events::read(line).is_some()
}

/// Asks for all resources of a feed once.
///
/// Without its first list there is no answer; a further one that fails costs its cells and leaves a note.
pub(super) async fn poll<F: Feed>(eye: &Eye<'_>) -> Result<Snapshot, ApiError> {
    let mut feed = F::default();
    fill(eye, &mut feed).await
}

fn whole<F: Feed>(eye: &Eye<'_>, feed: &F) -> Snapshot {
    let lens = (eye.lens)();
    let rows = feed.ids().iter().filter_map(|id| feed.row(id, &lens)).collect();
    Snapshot::complete(rows, eye.now())
}

/// Why following came to an end.
enum End {
    /// Nobody listens any more.
    Unheard,
    /// The streams did not catch up in time.
    HeldBack,
    /// A stream that had caught up ended, as proxies end them.
    Broken,
    /// The server refuses to stream.
    Refused(ApiError),
}

/// Follows a feed until nobody listens: rows at once by a list, then by streams, else by polling.
pub(super) async fn follow<F: Feed>(eye: &Eye<'_>, sink: &DeltaSink) -> Result<(), ApiError> {
    let mut failures = 0_u32;
    let mut feed = F::default();
    loop {
        let first = fill(eye, &mut feed).await?;
        if sink.send(Delta::Reset(first)).await.is_err() {
            return Ok(());
        }
        let started = Instant::now();
        match stream(eye, &mut feed, sink).await {
            End::Unheard => return Ok(()),
            End::Refused(error) => return Err(error),
            End::HeldBack if !ask_again_and_again(eye, &mut feed, sink).await? => return Ok(()),
            End::HeldBack | End::Broken => {}
        }
        failures = if started.elapsed() > SILENCE { 0 } else { (failures + 1).min(5) };
        // As Omni's own console does: (2^n - 1) / 2 seconds, at most ten.
        sleep(Duration::from_millis(((1_u64 << failures) - 1) * 500).min(Duration::from_secs(10))).await;
    }
}

/// Polls for a while; false where nobody listens any more.
async fn ask_again_and_again<F: Feed>(
    eye: &Eye<'_>,
    feed: &mut F,
    sink: &DeltaSink,
) -> Result<bool, ApiError> {
    for poll in 0..POLLS {
        let news = if poll % WHOLE == 0 { None } else { lists::changes(eye, feed).await? };
        let delta = if let Some(touched) = news {
            change(eye, feed, touched)
        } else {
            let mut snapshot = fill(eye, feed).await?;
            snapshot.notes.push(HELD_BACK.to_owned());
            Delta::Reset(snapshot)
        };
        if sink.send(delta).await.is_err() {
            return Ok(false);
        }
        sleep(PACE).await;
    }
    Ok(true)
}

type Lines<'a> = BoxStream<'a, (usize, Event)>;

async fn stream<F: Feed>(eye: &Eye<'_>, feed: &mut F, sink: &DeltaSink) -> End {
    let tables: Vec<_> = feed.shelves().iter().map(|shelf| shelf.table()).collect();
    let streams = tables.iter().enumerate().map(|(at, table)| events::of(eye.client, *table, at));
    let mut lines: Lines<'_> = select_all(streams).boxed();
    if let Err(end) = catch_up(&mut lines, feed, tables.len()).await {
        return end;
    }
    if sink.send(Delta::Reset(whole(eye, feed))).await.is_err() {
        return End::Unheard;
    }
    loop {
        let delta = match timeout(SILENCE, lines.next()).await {
            Err(_) => match compared(eye, feed).await {
                Ok(delta) => delta,
                Err(_) => return End::Broken,
            },
            Ok(first) => {
                let mut touched = BTreeSet::new();
                if let Some(end) = gather(&mut lines, first, feed, &mut touched).await {
                    return end;
                }
                change(eye, feed, touched)
            }
        };
        if sink.send(delta).await.is_err() {
            return End::Unheard;
        }
    }
}

/// What the lists say that the streams may have kept to themselves.
async fn compared<F: Feed>(eye: &Eye<'_>, feed: &mut F) -> Result<Delta, ApiError> {
    Ok(match lists::changes(eye, feed).await? {
        Some(touched) => change(eye, feed, touched),
        None => Delta::Reset(fill(eye, feed).await?),
    })
}

/// Reads until every stream has told what there is; one of a further table that is refused is done without.
async fn catch_up<F: Feed>(lines: &mut Lines<'_>, feed: &mut F, tables: usize) -> Result<(), End> {
    let until = Instant::now() + PATIENCE;
    let mut behind: BTreeSet<usize> = (0..tables).collect();
    feed.shelves().into_iter().for_each(Shelved::begin);
    while !behind.is_empty() {
        match timeout_at(until, lines.next()).await {
            Err(_) | Ok(Some((_, Event::Ended)) | None) => return Err(End::HeldBack),
            Ok(Some((at, Event::CaughtUp))) => {
                feed.shelves().into_iter().skip(at).take(1).for_each(Shelved::finish);
                behind.remove(&at);
            }
            Ok(Some((0, Event::Refused(error)))) => return Err(End::Refused(error)),
            Ok(Some((at, Event::Refused(_)))) => {
                behind.remove(&at);
            }
            Ok(Some((at, event))) => {
                apply(feed, at, &event);
            }
        }
    }
    Ok(())
}

/// Applies an event and all that follow closely; the rows that they touch.
async fn gather<F: Feed>(
    lines: &mut Lines<'_>,
    first: Option<(usize, Event)>,
    feed: &mut F,
    touched: &mut BTreeSet<Arc<str>>,
) -> Option<End> {
    let until = Instant::now() + GATHER;
    let mut next = first;
    loop {
        match next {
            None | Some((_, Event::Ended)) => return Some(End::Broken),
            Some((0, Event::Refused(error))) => return Some(End::Refused(error)),
            Some((at, event)) => touched.extend(apply(feed, at, &event)),
        }
        match timeout_at(until, lines.next()).await {
            Ok(event) => next = event,
            Err(_) => return None,
        }
    }
}

fn apply<F: Feed>(feed: &mut F, at: usize, event: &Event) -> Option<Arc<str>> {
    let mut shelves = feed.shelves();
    let shelf = shelves.get_mut(at)?;
    match event {
        Event::Put(resource) => match shelf.put(resource) {
            Taken::Changed(row) => Some(row),
            Taken::Known | Taken::Unreadable => None,
        },
        Event::Gone(resource) => shelf.drop(resource),
        Event::CaughtUp | Event::Ended | Event::Refused(_) => None,
    }
}

fn change<F: Feed>(eye: &Eye<'_>, feed: &F, touched: BTreeSet<Arc<str>>) -> Delta {
    if touched.is_empty() {
        return Delta::Same(eye.now());
    }
    let lens = (eye.lens)();
    let mut upserts = Vec::new();
    let mut removes = Vec::new();
    for id in touched {
        match feed.row(&id, &lens) {
            Some(row) => upserts.push(row),
            None => removes.push(EntityId::new(F::KIND, lens.instance.clone(), id)),
        }
    }
    Delta::Change { upserts, removes, observed_at: eye.now(), complete: true }
}
