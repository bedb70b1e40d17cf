//! Sources: a feed's resources, asked for or followed, become rows.

use futures_util::future::join_all;

use super::client::{Client, Listed, Route};
use super::feed::{Feed, Lens};
use crate::backend::error::ApiError;
use crate::model::snapshot::Snapshot;

/// Asks for all resources of a feed once.
///
/// Without its first list there is no answer; a further one that fails costs its cells and leaves a note.
pub(super) async fn poll<F: Feed>(client: &Client, lens: &Lens) -> Result<Snapshot, ApiError> {
    let mut feed = F::default();
    let tables: Vec<_> = feed.shelves().iter().map(|shelf| shelf.table()).collect();
    let route = Route::omni();
    let answers = join_all(tables.iter().map(|table| client.list_raw(*table, &route))).await;
    let mut notes = Vec::new();
    let mut complete = true;
    for (at, (answer, shelf)) in answers.into_iter().zip(feed.shelves()).enumerate() {
        match answer {
            Ok(listed) => {
                let lost = fill(&listed, shelf);
                if at == 0 {
                    complete = listed.complete && lost == 0;
                }
                if lost > 0 || !listed.complete {
                    notes.push(format!(
                        "{lost} of {} {} cannot be read",
                        listed.items.len(),
                        shelf.table().kind
                    ));
                }
            }
            Err(error) if at == 0 => return Err(error),
            Err(error) => notes.push(format!("no {}: {error}", shelf.table().kind)),
        }
    }
    let rows = feed.ids().iter().filter_map(|id| feed.row(id, lens)).collect();
    Ok(Snapshot { rows, complete, observed_at: client.clock().now(), notes })
}

fn fill(listed: &Listed, shelf: &mut dyn super::feed::Shelved) -> usize {
    listed.items.iter().filter(|item| shelf.put(item).is_none()).count()
}
