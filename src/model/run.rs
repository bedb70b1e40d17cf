//! Runs: one operation on one target, from the decision to what became of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::id::{EntityId, Identity};
use super::row::{Domain, Row, Tone};

/// The values of a form.
pub type Args = BTreeMap<String, String>;

/// The id that vigie gives to one run, journalled before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub Arc<str>);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A target as it was when the operator decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its stable id.
    pub id: EntityId,
    /// The name that is typed to confirm.
    pub name: Arc<str>,
    /// What made it that thing when it was chosen.
    pub identity: Identity,
    /// Where it lives.
    pub domain: Domain,
}

impl From<&Row> for Target {
    fn from(row: &Row) -> Self {
        Self {
            id: row.id.clone(),
            name: row.name.clone(),
            identity: row.identity.clone(),
            domain: row.domain,
        }
    }
}

impl From<Row> for Target {
    fn from(row: Row) -> Self {
        Self { id: row.id, name: row.name, identity: row.identity, domain: row.domain }
    }
}

/// One operation on one target: the unit that is locked, journalled, sent and read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its run.
    pub run: RunId,
    /// The operation's full name.
    pub op: Arc<str>,
    /// What it acts on.
    pub target: Target,
    /// The form's values.
    pub args: Args,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// Who, as the journal and silences name them.
    pub operator: Arc<str>,
}

impl Job {
    /// A form value; empty where it was not given.
    pub fn arg(&self, name: &str) -> &str {
        self.args.get(name).map_or("", String::as_str)
    }
}

/// Something shown once to the operator and never written anywhere else (a link, a path to a key).
#[derive(Clone, PartialEq, Eq)]
pub struct Reveal {
    /// What it is (`invitation link`).
    pub title: String,
    /// The secret text.
    pub secret: String,
    /// The text to send along with it, with the secret in it; empty where there is none.
    pub message: String,
}

impl fmt::Debug for Reveal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reveal({}, redacted)", self.title)
    }
}

/// Where one run stands.
#[derive(Debug, Clone, PartialEq)]
pub enum RunState {
    /// Waits for its turn.
    Queued,
    /// Sent; the server works on it.
    Running {
        /// The server's own id of the work (a UPID).
        remote: Option<String>,
        /// Done so far, 0..1, where the server tells.
        fraction: Option<f32>,
        /// What it does now.
        note: String,
    },
    /// The server says done; the effect is being read back.
    Verifying,
    /// Read back.
    Done {
        /// The proof in words.
        proof: String,
        /// Shown once.
        reveal: Option<Reveal>,
    },
    /// The server refused it or its work failed.
    Failed(String),
    /// Sent, and nobody can say what became of it.
    Unknown {
        /// What is known.
        text: String,
        /// How to look.
        look: String,
    },
    /// Not sent.
    Refused(String),
}

impl RunState {
    /// True where nothing more will come.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Failed(_) | Self::Unknown { .. } | Self::Refused(_))
    }

    /// True while another operation on the same target is refused.
    pub fn holds_target(&self) -> bool {
        matches!(self, Self::Queued | Self::Running { .. } | Self::Verifying | Self::Unknown { .. })
    }

    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running { .. } => "running",
            Self::Verifying => "verifying",
            Self::Done { .. } => "done",
            Self::Failed(_) => "failed",
            Self::Unknown { .. } => "unknown",
            Self::Refused(_) => "refused",
        }
    }

    /// The role in which it is drawn.
    pub fn tone(&self) -> Tone {
        match self {
            Self::Queued | Self::Running { .. } | Self::Verifying => Tone::Pending,
            Self::Done { .. } => Tone::Ok,
            Self::Failed(_) => Tone::Error,
            Self::Unknown { .. } => Tone::Unknown,
            Self::Refused(_) => Tone::Warn,
        }
    }

    /// What there is to say about it in one line.
    pub fn text(&self) -> &str {
        match self {
            Self::Running { note, .. } => note,
            Self::Done { proof, .. } => proof,
            Self::Failed(text) | Self::Refused(text) | Self::Unknown { text, .. } => text,
            Self::Queued | Self::Verifying => "",
        }
    }
}

/// Its word and what is known: `done: compared, Synced`.
impl std::fmt::Display for RunState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.text() {
            "" => f.write_str(self.word()),
            text => write!(f, "{}: {text}", self.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_revealed_never_prints_itself() {
        let reveal = Reveal { title: "link".into(), secret: "hunter2".into(), message: "see hunter2".into() };
        assert!(!format!("{reveal:?}").contains("hunter2"));
    }
}
