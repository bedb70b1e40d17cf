//! What the overview says besides problems: what is pinned, what was changed lately, what ends tonight.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::id::EntityId;
use crate::model::journal::Declaration;
use crate::model::kind::{Format, Kinds};
use crate::model::row::{Health, Tone, Value};
use crate::model::store::Store;

use super::timeline::{Event, Sort};

/// Tonight is the next twelve hours.
const TONIGHT: SignedDuration = SignedDuration::from_hours(12);
/// What was changed longer ago is history.
const LATELY: SignedDuration = SignedDuration::from_hours(24);
/// So many of each are kept.
const MOST: usize = 8;

/// One short remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// In words.
    pub text: String,
    /// When it was, or will be.
    pub at: Option<Timestamp>,
    /// In which role.
    pub tone: Tone,
    /// Where it leads.
    pub id: Option<EntityId>,
}

/// The overview's three lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digest {
    /// Services that are watched closely.
    pub pinned: Vec<Remark>,
    /// The latest changes, newest first.
    pub changed: Vec<Remark>,
    /// What ends or begins soon, soonest first.
    pub tonight: Vec<Remark>,
}

/// The digest of now.
pub fn digest(
    store: &Store,
    kinds: &Kinds,
    changes: &[Event],
    declared: &[Declaration],
    now: Timestamp,
) -> Digest {
    Digest {
        pinned: pinned(store),
        changed: changed(changes, now),
        tonight: tonight(store, kinds, declared, now),
    }
}

fn pinned(store: &Store) -> Vec<Remark> {
    let kind = "vigie.pinned".into();
    let mut rows: Vec<_> = store.rows(&kind).collect();
    rows.sort_by(|a, b| a.health.cmp(&b.health).then_with(|| a.name.cmp(&b.name)));
    let remark = |row: &Arc<crate::model::row::Row>| {
        let word = match row.health {
            Health::Critical => "CRT",
            Health::Warning => "WRN",
            Health::Ok => "ok",
            Health::Off => "off",
            Health::Pending => "...",
            Health::Unknown => "?",
        };
        let note = row.note.as_deref().map(|note| format!(" {note}")).unwrap_or_default();
        let (text, tone) = (format!("{} {word}{note}", row.name), row.health.into());
        Remark { text, at: None, tone, id: Some(row.id.clone()) }
    };
    rows.into_iter().take(MOST).map(remark).collect()
}

/// What somebody changed: tasks, deliveries, containers, clusters; not the consequences.
fn changed(changes: &[Event], now: Timestamp) -> Vec<Remark> {
    let told = |event: &&Event| {
        event.at <= now
            && now.duration_since(event.at) < LATELY
            && (event.sort != Sort::Event || event.tone == Tone::Warn)
    };
    let remark = |event: &Event| Remark {
        text: event.text.clone(),
        at: Some(event.at),
        tone: event.tone,
        id: event.about.clone(),
    };
    changes.iter().filter(told).take(MOST).map(remark).collect()
}

/// Everything with an end, and declared ends, within the next hours.
fn tonight(store: &Store, kinds: &Kinds, declared: &[Declaration], now: Timestamp) -> Vec<Remark> {
    let mut found = Vec::new();
    for kind in kinds.iter().filter(|kind| !super::kinds::is_insight(&kind.id)) {
        let ends = kind.columns.iter().enumerate().filter(|(_, column)| column.format == Format::Until);
        for (at, column) in ends {
            for row in store.rows(&kind.id) {
                let Value::Time(when) = row.cell(at).value else { continue };
                if when > now && when.duration_since(now) < TONIGHT {
                    let text = format!("{} {} {}", kind.singular, row.name, column.title);
                    found.push(Remark { text, at: Some(when), tone: Tone::Text, id: Some(row.id.clone()) });
                }
            }
        }
    }
    for declaration in declared {
        let text = format!("{} declared until ({})", declaration.topic, declaration.text);
        found.push(Remark {
            text,
            at: Some(declaration.until),
            tone: Tone::Off,
            id: declaration.about.clone(),
        });
    }
    found.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.text.cmp(&b.text)));
    found.truncate(MOST);
    found
}
