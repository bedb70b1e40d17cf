//! One thing described: why it is as it is on top, then what it consists of.

mod alert;
mod lines;
mod quiet;
mod rule;
mod silence;
mod told;

use std::sync::Arc;
use std::time::Duration;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::{Cell, Tone, Value};
use crate::model::view::{Chart, Doc, DocLine, Fact, Tree, View};

use super::cluster::Observation;
use super::feed::Knowledge;
use super::labels::Labels;
use super::rows::alerts::Around;
use super::rows::history::Bursts;
use super::rows::quiet::Lapsed;
use super::watch::told::{past as past_of, united};
use super::watch::{knowledge, poll};
use super::{Alerts, databases, kinds, past};

/// How long a description stands before it is written anew.
const REFRESH: Duration = Duration::from_secs(10);

/// Sends the description until nobody looks any more.
pub(super) async fn open(
    backend: &Alerts,
    id: &EntityId,
    view: &str,
    sink: ViewSink,
) -> Result<(), ApiError> {
    if (view, id.kind.as_str()) == ("log", kinds::ALERTS) {
        return lines::around(backend, id, sink).await;
    }
    let mut shown = false;
    loop {
        let content = match content(backend, id, view).await {
            Ok(content) => content,
            Err(error) if shown => View::Doc(stale(&error)),
            Err(error) => return Err(error),
        };
        shown = true;
        if sink.send(content).await.is_err() {
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

async fn content(backend: &Alerts, id: &EntityId, view: &str) -> Result<View, ApiError> {
    match (view, id.kind.as_str()) {
        ("describe", _) => describe(backend, id).await.map(View::Doc),
        ("chart", kinds::ALERTS) => curve(backend, id).await.map(View::Chart),
        ("tree", kinds::GROUPS) => tree(backend, id).await.map(View::Tree),
        _ => Err(ApiError::unsupported(format!("there is no view {view} of {}", id.kind))),
    }
}

async fn describe(backend: &Alerts, id: &EntityId) -> Result<Doc, ApiError> {
    match id.kind.as_str() {
        kinds::ALERTS if id.key.starts_with("prometheus/") => {
            let known = backend.feed()?.know(5).await?;
            let feeds = std::slice::from_ref(&known);
            alert::of_prometheus(id, &known, backend.around(feeds))
        }
        kinds::ALERTS => {
            let (seen, feeds) = observed(backend).await?;
            let around = backend.around(&feeds);
            let ways = seen.routing().and_then(Result::ok).map(|routing| routing.at(around.now));
            let cluster = backend.cluster()?;
            let bursts = Bursts::count(cluster.history().episodes(), around.now);
            let lapsed = Lapsed::all(&seen, around.now);
            let around = Around { ways: ways.as_ref(), bursts: Some(&bursts), lapsed: &lapsed, ..around };
            Ok(alert::of_alertmanager(id, cluster, &seen, around))
        }
        kinds::GROUPS | kinds::RECEIVERS => {
            let seen = backend.cluster()?.observe(5).await?;
            let around = backend.around(&[]);
            let ways = seen.routing().and_then(Result::ok).map(|routing| routing.at(around.now));
            let around = Around { ways: ways.as_ref(), ..around };
            if id.kind.as_str() == kinds::RECEIVERS {
                return told::receiver(id, &seen, around);
            }
            told::group(id, &united(backend).await?.0, &seen, around)
        }
        kinds::HISTORY => {
            let past = past_of(backend).await?;
            told::episode(id, &past, backend.around(&past.feeds))
        }
        kinds::TRUST => check(backend, id).await,
        kinds::DATABASES => databases::describe(backend.feed()?, id, backend.around(&[])).await,
        kinds::SILENCES => {
            let seen = backend.cluster()?.observe(5).await?;
            silence::doc(id, &seen, backend.around(&[]))
        }
        kinds::RULES => {
            let known = backend.feed()?.know(5).await?;
            rule::doc(id, &known, backend.around(&[]))
        }
        other => Err(ApiError::unsupported(format!("there is no description of {other}"))),
    }
}

async fn observed(backend: &Alerts) -> Result<(Arc<Observation>, Vec<Arc<Knowledge>>), ApiError> {
    let cluster = backend.cluster()?;
    let (seen, feeds) = futures_util::future::join(cluster.observe(5), knowledge(&backend.shared)).await;
    Ok((seen?, feeds))
}

async fn tree(backend: &Alerts, id: &EntityId) -> Result<Tree, ApiError> {
    let (groups, _) = united(backend).await?;
    let seen = backend.cluster()?.observe(5).await?;
    told::tree(id, &groups, &seen, backend.around(&[]))
}

/// A check is what its row says.
async fn check(backend: &Alerts, id: &EntityId) -> Result<Doc, ApiError> {
    let feeds = [super::ALERTMANAGER, super::PROMETHEUS];
    for source in super::Backend::sources(backend).iter().filter(|source| feeds.contains(&&*source.id.feed)) {
        let snapshot = poll(backend, &source.id.feed).await?;
        if let Some(row) = snapshot.rows.iter().find(|row| row.id == *id) {
            return Ok(told::check(row));
        }
    }
    Err(ApiError::unsupported("the check is gone"))
}

/// The curve of an alert's expression, from the Prometheus whose rule it is.
async fn curve(backend: &Alerts, id: &EntityId) -> Result<Chart, ApiError> {
    let none = || ApiError::unsupported("no Prometheus that answers has this alert");
    let key = id.key.trim_start_matches("prometheus/");
    let fingerprint = u64::from_str_radix(key, 16).map_err(|_| none())?;
    let held = match &backend.cluster {
        Some(cluster) => cluster.observe(30).await?.alert(fingerprint).map(|held| held.alert.labels.clone()),
        None => None,
    };
    let labels = held.unwrap_or_default();
    for feed in &backend.shared.feeds {
        let Some(known) = feed.know_soon().await else { continue };
        if let Some((seen, placed)) = known.find(fingerprint, &labels) {
            return past::curve(feed, &placed.rule.query, &seen.labels, backend.now()).await;
        }
    }
    Err(none())
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
