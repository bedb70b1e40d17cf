//! What is shown of one thing: state, why and since when on top, then what it is made of.

mod chart;
mod guest;
mod hardware;
mod node;
mod task;
mod tree;

use std::time::{Duration, Instant};

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::{Row, Value};
use crate::model::view::{Doc, Fact, Series, View};

use super::kinds::{DISKS, GUESTS, NODES, POOLS, TASKS, all};
use super::{Proxmox, watch};

/// How often an open description is asked anew.
const PACE: Duration = Duration::from_secs(5);
/// How often figures over time are: the newest bucket lasts a minute.
const CHART_PACE: Duration = Duration::from_secs(60);

impl Proxmox {
    /// Opens a view and keeps it fresh until nobody looks any more.
    pub(super) async fn show(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        match (id.kind.as_str(), view) {
            (TASKS, "log") => return self.show_log(id, &sink).await,
            (NODES, "journal") => return self.show_journal(id, &sink).await,
            _ => {}
        }
        if (id.kind.as_str(), view) == (GUESTS, "describe") {
            return self.show_guest(id, &sink).await;
        }
        let pace = if matches!(view, "hour" | "day" | "week" | "month") { CHART_PACE } else { PACE };
        let mut last = None;
        loop {
            let shown = self.look(id, view).await?;
            if last.as_ref() != Some(&shown) {
                if sink.send(shown.clone()).await.is_err() {
                    return Ok(());
                }
                last = Some(shown);
            }
            tokio::select! {
                () = tokio::time::sleep(pace) => {}
                () = sink.closed() => return Ok(()),
            }
        }
    }

    /// A guest's description with the last hour below its state: asked for only here, as long as it is open.
    async fn show_guest(&self, id: &EntityId, sink: &ViewSink) -> Result<(), ApiError> {
        let mut last: Option<View> = None;
        let mut hour = (Vec::new(), None::<Instant>);
        loop {
            let due = hour.1.is_none_or(|at| at.elapsed() >= CHART_PACE);
            let course = async { if due { Some(self.last_hour(id).await) } else { None } };
            let (doc, course) = tokio::join!(self.describe_guest(id), course);
            if let Some(course) = course {
                hour = (course, Some(Instant::now()));
            }
            let shown = View::Doc(with_hour(doc?, &hour.0));
            if last.as_ref() != Some(&shown) {
                if sink.send(shown.clone()).await.is_err() {
                    return Ok(());
                }
                last = Some(shown);
            }
            tokio::select! {
                () = tokio::time::sleep(PACE) => {}
                () = sink.closed() => return Ok(()),
            }
        }
    }

    /// One look at a view.
    async fn look(&self, id: &EntityId, view: &str) -> Result<View, ApiError> {
        Ok(match (id.kind.as_str(), view) {
            (_, "describe") => View::Doc(self.describe(id).await?),
            (GUESTS, "snapshots") => View::Tree(self.snapshot_tree(id).await?),
            (POOLS, "tree") => View::Tree(self.device_tree(id).await?),
            (DISKS, "smart") => View::Doc(self.smart(id).await?),
            (GUESTS | NODES, "hour" | "day" | "week" | "month") => View::Chart(self.chart(id, view).await?),
            (kind, view) => return Err(ApiError::unsupported(format!("{kind} has no view `{view}`"))),
        })
    }

    async fn describe(&self, id: &EntityId) -> Result<Doc, ApiError> {
        match id.kind.as_str() {
            GUESTS => self.describe_guest(id).await,
            NODES => self.describe_node(id).await,
            TASKS => self.describe_task(id).await,
            _ => self.describe_row(id).await,
        }
    }

    /// A thing of which the list already tells everything.
    async fn describe_row(&self, id: &EntityId) -> Result<Doc, ApiError> {
        let nothing = || ApiError::unsupported(format!("proxmox has no kind `{}`", id.kind));
        let row = self.row(watch::feed_of(id.kind.as_str()).ok_or_else(nothing)?, id).await?;
        Ok(Doc::default().facts("", facts_of(&row)))
    }

    async fn row(&self, feed: &str, id: &EntityId) -> Result<Row, ApiError> {
        let snapshot = self.poll_feed(feed).await?;
        let gone = || ApiError::unsupported(format!("{} is not listed any more", id.key));
        snapshot.rows.into_iter().find(|row| row.id == *id).ok_or_else(gone)
    }
}

/// The last hour stands right below what the guest is now.
fn with_hour(mut doc: Doc, hour: &[Series]) -> Doc {
    let rest = doc.sections.split_off(doc.sections.len().min(1));
    let mut doc = doc.series("last hour", hour.to_vec());
    doc.sections.extend(rest);
    doc
}

/// A row's cells as facts.
fn facts_of(row: &Row) -> Vec<Fact> {
    let kinds = all();
    let columns = kinds.into_iter().find(|kind| kind.id == row.id.kind).map(|kind| kind.columns);
    let columns = columns.unwrap_or_default();
    let note = row.note.iter().map(|note| Fact::new("why", &**note).tone(row.health.into()));
    let cells = columns.iter().zip(row.cells.iter()).filter(|(_, cell)| cell.value != Value::Empty);
    let facts = cells.map(|(column, cell)| {
        let fact = Fact::new(column.name.clone(), cell.value.clone()).tone(cell.tone);
        // A state's glyph belongs to tables.
        if column.format == Format::State { fact } else { fact.format(column.format) }
    });
    note.chain(facts).collect()
}

/// A fact where there is a value.
fn fact(label: &'static str, value: impl Into<Value>) -> Option<Fact> {
    let value = value.into();
    (value != Value::Empty).then(|| Fact::new(label, value))
}

/// A size in bytes, where there is one.
fn bytes(label: &'static str, value: Option<i64>) -> Option<Fact> {
    fact(label, value.filter(|value| *value > 0)).map(|fact| fact.format(Format::Bytes))
}

/// A size in MiB as people write it.
pub(super) fn mib(mib: i64) -> String {
    if mib % 1024 == 0 { format!("{} GiB", mib / 1024) } else { format!("{mib} MiB") }
}
