//! What has nothing to say beyond its own row, and the steps of letting somebody go.

use crate::backend::authentik::client::Ask;
use crate::backend::authentik::feeds::VIEW_EVENT;
use crate::backend::authentik::find::gone;
use crate::backend::authentik::watch::is_slug;
use crate::backend::authentik::wire::Event;
use crate::backend::authentik::{Authentik, kinds, rows};
use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::row::{Cell, Row, Tone};
use crate::model::view::{Doc, DocLine, Fact};

impl Authentik {
    /// A row of a list, fact by fact.
    pub(super) async fn describe_row(&self, feed: &str, id: &EntityId) -> Result<Doc, ApiError> {
        let rows = self.poll_feed(feed).await?.rows;
        let row = rows.into_iter().find(|row| row.id == *id).ok_or_else(|| gone(id))?;
        Ok(Doc::default().facts(id.kind.name().to_owned(), facts(id, &row)))
    }

    /// One event, however old.
    pub(super) async fn describe_event(&self, key: &str) -> Result<Doc, ApiError> {
        let id = self.place.id(kinds::EVENTS, key);
        if !is_slug(key) {
            return Err(gone(&id));
        }
        let path = format!("/events/events/{key}/");
        let event: Option<Event> = self.client.find(&Ask::new(&path, VIEW_EVENT)).await?;
        let event = event.filter(|event| event.pk.as_str() == key).ok_or_else(|| gone(&id))?;
        let row = rows::events::rows(&[event], &self.place).into_iter().next().ok_or_else(|| gone(&id))?;
        Ok(Doc::default().facts("event", facts(&id, &row)))
    }

    /// What is left to do for somebody who goes, step by step, done ones left out.
    pub(super) async fn describe_leaving(&self, key: &str) -> Result<Doc, ApiError> {
        let user = self.user(key).await?;
        let plan = self.leaving(user).await?;
        let name = plan.user.username.to_string();
        let todo: Vec<Vec<Cell>> = plan
            .steps
            .iter()
            .enumerate()
            .map(|(at, step)| {
                let at = i64::try_from(at + 1).unwrap_or(i64::MAX);
                vec![Cell::new(at), Cell::toned("open", Tone::Pending), Cell::new(step.says().as_str())]
            })
            .collect();
        let done =
            todo.is_empty().then(|| DocLine::toned("Nothing is left that could be taken away.", Tone::Ok));
        let unseen = plan.unseen.iter().map(|why| DocLine::toned(why.clone(), Tone::Unknown)).collect();
        let hand = self
            .by_hand(&name)
            .into_iter()
            .map(|text| DocLine::toned(format!("[ ] {text}"), Tone::Warn))
            .collect();
        Ok(Doc::default()
            .table("steps that `offboard` takes", vec!["#".into(), "state".into(), "what".into()], todo)
            .lines("steps that `offboard` takes", done.into_iter().collect())
            .lines("could not be looked at", unseen)
            .lines("by hand", hand))
    }
}

fn facts(id: &EntityId, row: &Row) -> Vec<Fact> {
    let kind = kinds::all().into_iter().find(|kind| kind.id == id.kind);
    let columns = kind.map(|kind| kind.columns).unwrap_or_default();
    let cells = columns.into_iter().zip(row.cells.iter()).map(|(column, cell)| Fact {
        label: column.title,
        value: cell.value.clone(),
        format: column.format,
        tone: cell.tone,
    });
    let why = row.note.as_deref().map(|note| Fact::new("why", note).tone(Tone::from(row.health)));
    cells.chain(why).collect()
}
