//! The board: where each invited person stands, from the link to the applications.

use crate::backend::authentik::Authentik;
use crate::backend::authentik::rows::onboarding::LANES;
use crate::backend::error::ApiError;
use crate::model::row::{Row, Tone};
use crate::model::view::{Board, Card, Lane};

impl Authentik {
    pub(super) async fn board(&self) -> Result<Board, ApiError> {
        let rows = self.poll_onboarding().await?.rows;
        let lanes = LANES.iter().map(|(title, words)| lane(title, words, &rows)).collect();
        Ok(Board { lanes, start: 0 })
    }
}

fn lane(title: &str, words: &[&str], rows: &[Row]) -> Lane {
    let here = |row: &&Row| row.cell(0).value.as_text().is_some_and(|word| words.contains(&word));
    let cards: Vec<Card> = rows.iter().filter(here).map(card).collect();
    let tone = cards.iter().map(|card| card.tone).find(|tone| matches!(tone, Tone::Error | Tone::Warn));
    Lane { title: title.to_owned(), count: cards.len().to_string(), tone: tone.unwrap_or(Tone::Text), cards }
}

fn card(row: &Row) -> Card {
    let next = row.cell(6).value.as_text().unwrap_or_default();
    let wants = row.cell(4).value.as_text().unwrap_or_default();
    let note = row.note.as_deref().unwrap_or(if next.is_empty() { wants } else { next });
    Card {
        title: row.name.to_string(),
        note: note.to_owned(),
        tone: Tone::from(row.health),
        id: Some(row.id.clone()),
    }
}
