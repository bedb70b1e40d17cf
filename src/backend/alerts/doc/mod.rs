//! One thing described: why it is as it is on top, then what it consists of.

mod alert;
mod rule;
mod silence;

use std::sync::Arc;
use std::time::Duration;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::{Cell, Tone, Value};
use crate::model::view::{Doc, DocLine, Fact, View};

use super::labels::Labels;
use super::rows::alerts::Around;
use super::watch::knowledge;
use super::{Alerts, kinds};

/// How long a description stands before it is written anew.
const REFRESH: Duration = Duration::from_secs(10);

/// Sends the description until nobody looks any more.
pub(super) async fn open(
    backend: &Alerts,
    id: &EntityId,
    view: &str,
    sink: ViewSink,
) -> Result<(), ApiError> {
    if view != "describe" {
        return Err(ApiError::unsupported(format!("there is no view {view} of {}", id.kind)));
    }
    let mut shown = false;
    loop {
        let doc = match describe(backend, id).await {
            Ok(doc) => doc,
            Err(error) if shown => stale(&error),
            Err(error) => return Err(error),
        };
        shown = true;
        if sink.send(View::Doc(doc)).await.is_err() {
            return Ok(());
        }
        tokio::select! {
            () = sink.closed() => return Ok(()),
            () = tokio::time::sleep(REFRESH) => {}
        }
    }
}

fn stale(error: &ApiError) -> Doc {
    Doc::default().lines("", vec![DocLine::toned(format!("cannot be read now: {error}"), Tone::Unknown)])
}

async fn describe(backend: &Alerts, id: &EntityId) -> Result<Doc, ApiError> {
    match id.kind.as_str() {
        kinds::ALERTS if id.key.starts_with("prometheus/") => {
            let known = backend.feed()?.know(5).await?;
            let feeds = std::slice::from_ref(&known);
            alert::of_prometheus(id, &known, around(backend, feeds))
        }
        kinds::ALERTS => {
            let cluster = backend.cluster()?;
            let (seen, feeds) =
                futures_util::future::join(cluster.observe(5), knowledge(&backend.shared)).await;
            Ok(alert::of_alertmanager(id, cluster, &*seen?, around(backend, &feeds)))
        }
        kinds::SILENCES => {
            let seen = backend.cluster()?.observe(5).await?;
            silence::doc(id, &seen, around(backend, &[]))
        }
        kinds::RULES => {
            let known = backend.feed()?.know(5).await?;
            rule::doc(id, &known, around(backend, &[]))
        }
        other => Err(ApiError::unsupported(format!("there is no description of {other}"))),
    }
}

fn around<'a>(backend: &'a Alerts, feeds: &'a [Arc<super::feed::Knowledge>]) -> Around<'a> {
    Around { instance: &backend.instance, domain: backend.domain(), now: backend.now(), feeds }
}

/// Labels or annotations as facts.
fn pairs(labels: &Labels) -> Vec<Fact> {
    labels.iter().map(|(name, value)| Fact::new(name.to_string(), Value::Text(value.clone()))).collect()
}

/// Lines of a text that may have several.
fn lines(text: &str) -> Vec<DocLine> {
    text.lines().map(DocLine::new).collect()
}

/// A text cell.
fn cell(text: impl AsRef<str>) -> Cell {
    Cell::new(Value::text(text))
}

/// Facts about an instant and its age.
fn when(label: &'static str, at: Option<jiff::Timestamp>, format: Format) -> Option<Fact> {
    at.map(|at| Fact::new(label, at).format(format))
}
