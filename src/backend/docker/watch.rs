//! The sources of a host: what is there, and what happened.

use jiff::SignedDuration;

use crate::backend::error::ApiError;
use crate::model::id::KindId;
use crate::model::op::Target;
use crate::model::snapshot::{Snapshot, unreadable};

use super::{Docker, kinds, rows};

/// The stream of containers and images.
pub(super) const HOST: &str = "host";
/// The stream of events.
pub(super) const EVENTS: &str = "events";
/// How far back events are asked for.
const DAY: i64 = 86_400;

pub(super) async fn poll(backend: &Docker, feed: &str) -> Result<Snapshot, ApiError> {
    match feed {
        HOST => {
            let seen = backend.observe().await?;
            let place = backend.place();
            let complete = seen.notes.is_empty();
            let rows = rows::all(&seen, &place);
            Ok(Snapshot { rows, complete, observed_at: place.now, notes: seen.notes.clone() })
        }
        EVENTS => events(backend).await,
        other => Err(ApiError::unsupported(format!("there is no source {other}"))),
    }
}

/// What the engine did within a day; it forgets all but a few hundred, so that this is never all.
pub(super) async fn events(backend: &Docker) -> Result<Snapshot, ApiError> {
    let place = backend.place();
    let since = place.now - SignedDuration::from_secs(DAY);
    let found = backend.engine()?.events(since, place.now).await?;
    let mut rows: Vec<_> = found.iter().filter_map(|event| rows::event(event, &place)).collect();
    let lost = found.len() - rows.len();
    let notes = if lost == 0 { Vec::new() } else { vec![unreadable(lost, found.len())] };
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    rows.dedup_by(|a, b| a.id == b.id);
    Ok(Snapshot { rows, complete: lost == 0, observed_at: place.now, notes })
}

/// Rows of a kind whose name or key is exactly this.
pub(super) async fn resolve(backend: &Docker, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
    let feed = if kind.as_str() == kinds::EVENTS { EVENTS } else { HOST };
    let snapshot = poll(backend, feed).await?;
    let named = snapshot.rows.into_iter().filter(|row| row.id.kind == *kind);
    let named = named.filter(|row| &*row.name == exact || &*row.id.key == exact);
    Ok(named.map(Target::from).collect())
}
