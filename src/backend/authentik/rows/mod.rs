//! From the server's objects to rows: state, the one fact that matters, identity and join keys.

pub mod accounts;
pub mod applications;
pub mod devices;
pub mod events;
pub mod exposure;
pub mod flows;
pub mod groups;
pub mod invitations;
pub mod onboarding;
pub mod outposts;
pub mod sessions;
pub mod tasks;
pub mod tokens;
pub mod users;

use std::sync::Arc;

use crate::model::id::EntityId;
use crate::model::row::{Cell, Domain, Facet, FacetKey, Grade, Health, Row, Tone};

/// Where the rows live.
#[derive(Debug, Clone)]
pub struct Place {
    /// The configured name.
    pub instance: Arc<str>,
    /// The failure domain.
    pub domain: Domain,
}

impl Place {
    /// The id of a row.
    pub fn id(&self, kind: &'static str, key: impl Into<Arc<str>>) -> EntityId {
        EntityId::new(kind, self.instance.clone(), key)
    }

    /// What an outpost and the applications behind it share: a provider of this server.
    pub fn gate(&self, provider: &str) -> Facet {
        Facet::new(FacetKey::Gate, format!("{}/provider/{provider}", self.instance), Grade::Certain)
    }

    /// A row here, as its state says it is.
    pub fn row(
        &self,
        kind: &'static str,
        key: impl Into<Arc<str>>,
        name: &str,
        cells: Vec<Cell>,
        state: State,
    ) -> Row {
        let mut row = Row::new(self.id(kind, key), name, cells);
        row.health = state.health;
        row.note = state.note.map(Arc::from);
        row.domain = self.domain;
        row
    }
}

/// A state: its word, how it is, and the fact that explains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The word.
    pub word: &'static str,
    /// How it is.
    pub health: Health,
    /// The fact, where there is one to tell.
    pub note: Option<String>,
}

impl State {
    /// A state without anything to explain.
    pub fn new(word: &'static str, health: Health) -> Self {
        Self { word, health, note: None }
    }

    /// Adds the fact that explains it.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// The word in the role of its health.
    pub fn cell(&self) -> Cell {
        Cell::toned(self.word, Tone::from(self.health))
    }
}
