//! Watches as the API server answers them: changes as lines, bookmarks, and 410 in a line of its own.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;

use super::lab::Lab;
use super::place::{Filter, Place};
use super::store::Change;

/// One watch call: what happened since the version, then what happens, with bookmarks, until its time is over.
pub fn watch(lab: &Arc<Lab>, place: &Place, query: &BTreeMap<String, String>) -> Response {
    let number = |name: &str| query.get(name).and_then(|value| value.parse::<u64>().ok());
    let until = tokio::time::Instant::now() + Duration::from_secs(number("timeoutSeconds").unwrap_or(1800));
    let bookmarks = query.get("allowWatchBookmarks").is_some_and(|value| value == "true");
    let state = Watcher {
        lab: lab.clone(),
        place: place.clone(),
        version: number("resourceVersion").unwrap_or_else(|| lab.store.version()),
        filter: Filter::new(query),
        until,
        bookmarks,
        changes: lab.store.changes(),
        over: false,
    };
    let lines = stream::unfold(state, |mut state| async move {
        let lines = state.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(lines)), state))
    });
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(lines)).into_response()
}

struct Watcher {
    lab: Arc<Lab>,
    place: Place,
    version: u64,
    filter: Filter,
    until: tokio::time::Instant,
    bookmarks: bool,
    changes: tokio::sync::watch::Receiver<u64>,
    over: bool,
}

impl Watcher {
    async fn next(&mut self) -> Option<String> {
        loop {
            if self.over {
                return None;
            }
            self.changes.borrow_and_update();
            let Some((changes, now)) = self.lab.store.since(&self.place.resource.plural, self.version) else {
                self.over = true;
                return Some(gone(self.version));
            };
            self.version = now;
            let lines: String = changes.iter().filter(|change| self.wants(change)).map(line).collect();
            if !lines.is_empty() {
                return Some(lines);
            }
            tokio::select! {
                woken = self.changes.changed() => woken.ok()?,
                () = tokio::time::sleep_until(self.until) => {
                    self.over = true;
                    return self.bookmarks.then(|| self.bookmark());
                }
            }
        }
    }

    fn wants(&self, change: &Change) -> bool {
        self.place.namespace.as_deref().is_none_or(|namespace| namespace == &*change.namespace)
            && self.filter.passes(&change.object)
    }

    fn bookmark(&self) -> String {
        let kind = &self.place.resource.kind;
        let version = self.version.to_string();
        format!(
            "{}\n",
            json!({"type": "BOOKMARK", "object": {"kind": kind, "metadata": {"resourceVersion": version}}})
        )
    }
}

fn line(change: &Change) -> String {
    format!("{{\"type\":\"{}\",\"object\":{}}}\n", change.event, change.object)
}

fn gone(version: u64) -> String {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("too old resource version: {version}"), "reason": "Expired", "code": 410});
    format!("{}\n", json!({"type": "ERROR", "object": status}))
}
