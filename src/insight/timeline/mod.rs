//! The time line: everything that happened, on one clock, with the gaps in which nobody watched.
//!
//! Events that servers remember are read from their rows; what no server remembers (a state that changed between two
//! polls, an alert that went, a source that could not be seen) is remembered by the chronicle.

mod chronicle;
mod journal;
mod rank;
mod read;
mod rows;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::id::EntityId;
use crate::model::row::Tone;

pub use chronicle::Chronicle;
pub use journal::{events as of_journal, row as journal_row};
pub use rank::{Focus, ranked};
pub use read::read;
pub use rows::row;

/// What sort of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sort {
    /// An alert began or ended.
    Alert,
    /// A task of a hypervisor.
    Task,
    /// A delivery, or its revision.
    Deploy,
    /// Something was done to a cluster.
    Cluster,
    /// Somebody did something at the login.
    Login,
    /// What Kubernetes says of its objects.
    Event,
    /// A run of a workflow.
    Run,
    /// A container of a host.
    Container,
    /// A state that was seen to be another one than before.
    Change,
    /// An operation of this console.
    Own,
    /// A remark or declaration of the operator.
    Note,
    /// Nobody watched.
    Gap,
}

impl Sort {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Task => "task",
            Self::Deploy => "deploy",
            Self::Cluster => "cluster",
            Self::Login => "login",
            Self::Event => "event",
            Self::Run => "run",
            Self::Container => "container",
            Self::Change => "state",
            Self::Own => "own",
            Self::Note => "note",
            Self::Gap => "gap",
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Until when, for what lasts: a gap.
    pub until: Option<Timestamp>,
    /// What sort of thing.
    pub sort: Sort,
    /// In words, not yet cleaned.
    pub text: String,
    /// In which role.
    pub tone: Tone,
    /// Who did it; empty where nobody knows.
    pub who: Arc<str>,
    /// What it happened to.
    pub about: Option<EntityId>,
    /// The name of that.
    pub on: Arc<str>,
    /// Where it was read.
    pub source: Arc<str>,
    /// Whether it changed something, so that it may be a cause.
    pub change: bool,
}
