//! The description of one thing: what is wrong on top, then everything that Omni knows of it.

mod cluster;
pub(super) mod log;
mod machine;
mod template;

use std::time::Duration;

use super::Omni;
use super::kinds::{CLUSTERS, MACHINES, kinds};
use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::{Tone, Value};
use crate::model::snapshot::Layer;
use crate::model::view::{Doc, Fact, View};

/// How often an open description is read again.
const PACE: Duration = Duration::from_secs(5);

/// Sends the description and keeps it fresh until nobody looks any more.
pub(super) async fn open(omni: &Omni, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
    if view == "log" && id.kind.as_str() == MACHINES {
        return log::follow(omni, &id.key, &sink).await;
    }
    let compared = view == "template" && id.kind.as_str() == CLUSTERS;
    if view != "describe" && !compared {
        return Err(ApiError::unsupported(format!("Omni has no view `{view}` of {}", id.kind)));
    }
    loop {
        let doc = if compared {
            template::compare(omni, &id.key).await?.ok_or_else(|| gone(id))?
        } else {
            describe(omni, id).await?
        };
        if sink.send(View::Doc(doc)).await.is_err() {
            return Ok(());
        }
        tokio::time::sleep(PACE).await;
    }
}

async fn describe(omni: &Omni, id: &EntityId) -> Result<Doc, ApiError> {
    let doc = match id.kind.as_str() {
        CLUSTERS => cluster::describe(omni, &id.key).await?,
        MACHINES => machine::describe(omni, &id.key).await?,
        _ => listed(omni, id).await?,
    };
    doc.ok_or_else(|| gone(id))
}

fn gone(id: &EntityId) -> ApiError {
    ApiError::new(Layer::App, format!("{} does not exist any more", id.key))
}

/// What the list knows of a thing, one fact for each of its columns.
async fn listed(omni: &Omni, id: &EntityId) -> Result<Option<Doc>, ApiError> {
    let unknown = || ApiError::unsupported(format!("Omni cannot describe `{}`", id.kind));
    let spec = kinds().into_iter().find(|spec| spec.id == id.kind).ok_or_else(unknown)?;
    let snapshot = omni.rows(id.kind.name()).await?;
    let row = snapshot.rows.into_iter().find(|row| row.id.key == id.key);
    Ok(row.map(|row| {
        let why = row.note.as_deref().map(|note| Fact::new("why", note).tone(Tone::from(row.health)));
        let cells = spec.columns.iter().zip(&row.cells).filter(|(_, cell)| cell.value != Value::Empty);
        let facts = cells.map(|(column, cell)| {
            Fact::new(column.title.clone(), cell.value.clone()).format(column.format).tone(cell.tone)
        });
        Doc::default().facts("", why.into_iter().chain(facts).collect())
    }))
}

/// A fact that is only worth a line where there is something to say.
fn fact(label: &'static str, text: &str) -> Option<Fact> {
    (!text.is_empty()).then(|| Fact::new(label, text))
}

/// An instant as its age.
fn age(label: &'static str, at: Option<jiff::Timestamp>) -> Option<Fact> {
    at.map(|at| Fact::new(label, at).format(Format::Age))
}
