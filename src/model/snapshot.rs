//! What a poll or a watch brings home, and what is known of a source's health.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{EntityId, KindId, SourceId};
use super::row::{Domain, Row, Tone};
use super::time::seconds_between;

/// The layer at which an answer went wrong; the first question at 3 am.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Our own configuration or credentials could not be read.
    Config,
    /// The name did not resolve.
    Dns,
    /// No connection.
    Tcp,
    /// No trust, or the wrong certificate.
    Tls,
    /// No answer in time, or an answer that is not HTTP as it should be.
    Http,
    /// Who are you, or you may not.
    Auth,
    /// Something in front answered: Cloudflare, an access proxy, a login page.
    Edge,
    /// The application itself refused or answered nonsense.
    App,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Config => "config",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Auth => "auth",
            Self::Edge => "edge",
            Self::App => "app",
        })
    }
}

/// Why there is no fresh answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The layer.
    pub layer: Layer,
    /// Our reading of it, one sentence.
    pub what: String,
    /// The first line of what the other side really said; may be empty.
    pub raw: String,
    /// What to do; may be empty.
    pub hint: String,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// The right that is missing, where the server named it.
    pub missing: Option<String>,
    /// Whether the other side had announced that it would go: it was shut down, it did not fail.
    #[serde(default)]
    pub farewell: bool,
}

impl Fault {
    /// A fault at a layer.
    pub fn new(layer: Layer, what: impl Into<String>) -> Self {
        Self {
            layer,
            what: what.into(),
            raw: String::new(),
            hint: String::new(),
            status: None,
            missing: None,
            farewell: false,
        }
    }

    /// Adds the raw first line.
    #[must_use]
    pub fn raw(mut self, raw: impl Into<String>) -> Self {
        self.raw = raw.into();
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.layer, self.what)?;
        if !self.raw.is_empty() && !self.what.contains(&self.raw) {
            write!(f, " ({})", self.raw)?;
        }
        Ok(())
    }
}

/// The number of a connection or request; an answer of an older one is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u64);

/// A whole list as it was at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The rows, of any kinds that the source carries.
    pub rows: Vec<Row>,
    /// Whether this is everything: a partial list disables every conclusion of absence.
    pub complete: bool,
    /// When the server answered.
    pub observed_at: Timestamp,
    /// What the reader must know of it (`cannot see backups: needs Datastore.Audit`).
    pub notes: Vec<String>,
}

impl Snapshot {
    /// A complete list without notes.
    pub fn complete(rows: Vec<Row>, observed_at: Timestamp) -> Self {
        Self { rows, complete: true, observed_at, notes: Vec::new() }
    }

    /// The same, unless there were more things than rows could be made of: then it is not complete, and says so.
    pub fn of(rows: Vec<Row>, things: usize, observed_at: Timestamp) -> Self {
        let lost = things.saturating_sub(rows.len());
        let notes = if lost == 0 { Vec::new() } else { vec![unreadable(lost, things)] };
        Self { complete: lost == 0, notes, ..Self::complete(rows, observed_at) }
    }
}

/// What is said of things in a list that cannot be read.
pub fn unreadable(lost: usize, all: usize) -> String {
    format!("{lost} of {all} cannot be read")
}

/// A change of a source's rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// Everything anew.
    Reset(Snapshot),
    /// Some rows changed, some went; everything else stands.
    Change {
        /// New and changed rows.
        upserts: Vec<Row>,
        /// Rows that are gone.
        removes: Vec<EntityId>,
        /// When the server told.
        observed_at: Timestamp,
        /// Whether the list is complete from here on (a watch that has caught up).
        complete: bool,
    },
    /// Nothing changed, and the server has just said so.
    Same(Timestamp),
}

/// One answer of a source: good news, or the reason why there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Whose.
    pub source: SourceId,
    /// Of which request or connection.
    pub epoch: Epoch,
    /// What.
    pub body: Result<Delta, Fault>,
}

/// How often a source is asked, in seconds, by how visible its rows are; 0 is not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cadence {
    /// Its rows are in the pane that has the focus.
    pub focused: u32,
    /// Its rows are on screen elsewhere (the overview counts).
    pub visible: u32,
    /// Nobody looks.
    pub hidden: u32,
}

/// How a source brings its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Asked at its cadence.
    Poll(Cadence),
    /// A stream that stays open; restarted with back-off when it ends.
    Watch,
}

/// What a backend says of one of its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpec {
    /// Its id.
    pub id: SourceId,
    /// The kinds whose rows it carries.
    pub kinds: Vec<KindId>,
    /// How it brings them.
    pub mode: Mode,
    /// The domain of the instance.
    pub domain: Domain,
}

impl SourceSpec {
    /// Whether it is asked only while somebody looks, so that its silence says nothing of its instance.
    pub fn is_on_demand(&self) -> bool {
        matches!(self.mode, Mode::Poll(Cadence { hidden: 0, .. }))
    }
}

/// What is known of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SourceHealth {
    /// Asked, not yet answered.
    #[default]
    Loading,
    /// The last answer was good.
    Fresh,
    /// The last answer was none; the rows are those of the last good one.
    Stale(Arc<Fault>),
    /// The credential lacks a right; the rows are what it may see, or none.
    Denied(Arc<Fault>),
}

impl SourceHealth {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Fresh => "fresh",
            Self::Stale(_) => "stale",
            Self::Denied(_) => "denied",
        }
    }

    /// The fault behind it.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Stale(fault) | Self::Denied(fault) => Some(fault),
            Self::Loading | Self::Fresh => None,
        }
    }
}

/// A loss is alarming only once it has lasted so long, in seconds.
const LASTING: i64 = 300;

/// Why a whole domain does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// Somebody said that it would be off, until this instant.
    Declared(Timestamp),
    /// It was shut down in order, and nobody has said so.
    Clean,
    /// It went without a word; this is when it was last heard of.
    Lost(Timestamp),
}

impl Absence {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Declared(_) => "off",
            Self::Clean => "off, not declared",
            Self::Lost(_) => "lost",
        }
    }

    /// The role in which it is drawn at an instant.
    pub fn tone(self, now: Timestamp) -> Tone {
        match self {
            Self::Declared(_) => Tone::Off,
            Self::Lost(heard) if seconds_between(heard, now) >= LASTING => Tone::Error,
            Self::Clean | Self::Lost(_) => Tone::Warn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_turns_red_once_it_has_lasted() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(Absence::Lost(at(0)).tone(at(LASTING - 1)), Tone::Warn);
        assert_eq!(Absence::Lost(at(0)).tone(at(LASTING)), Tone::Error);
        assert_eq!(Absence::Declared(at(0)).tone(at(9_000)), Tone::Off);
    }
}
