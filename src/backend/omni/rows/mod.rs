//! From the server's resources to rows: state, health, the one fact that matters, and how other systems know the thing.

pub(super) mod clusters;
pub(super) mod infra;
pub(super) mod leaks;
pub(super) mod ledgers;
pub(super) mod machines;
pub(super) mod machinesets;

use crate::model::row::Health;

/// A health with the fact that explains it; the worst one of several wins, the first of equals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    /// How it is.
    pub health: Health,
    /// Why.
    pub note: Option<String>,
}

impl Judgement {
    /// Starts from a health that needs no explanation.
    pub(super) fn new(health: Health) -> Self {
        Self { health, note: None }
    }

    /// Makes it at least as bad as `health`, for a reason.
    pub(super) fn at_least(&mut self, health: Health, why: impl Into<String>) {
        if health < self.health || (health == self.health && self.note.is_none()) {
            self.health = health;
            self.note = Some(why.into());
        }
    }
}
