//! Everything that can happen to the console, as values: input, answers, signals.

use std::sync::Arc;

use crate::config::key::Key;
use crate::config::theme::Theme;
use crate::model::id::EntityId;
use crate::model::journal::Line;
use crate::model::kind::KindSpec;
use crate::model::op::{Field, Rights, RunId, RunState, Verdict};
use crate::model::remembered::Remembered;
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, SourceSpec, Update};
use crate::model::view::View;

/// One opened view; answers for another one are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ViewId(pub u64);

/// One operation being prepared; answers for another one are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DraftId(pub u64);

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: leave, exit code 143.
    Terminate,
    /// SIGINT from outside: leave, exit code 130.
    Interrupt,
    /// The terminal is gone: leave, exit code 129.
    Hangup,
    /// SIGUSR1: refresh everything.
    Refresh,
}

/// Something happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// A key was pressed.
    Key {
        /// Which.
        key: Key,
        /// Whether the terminal says that it is held down.
        repeat: bool,
    },
    /// Text was pasted.
    Paste(String),
    /// The terminal has another size.
    Resize {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// The terminal window got or lost the focus.
    Focus(bool),
    /// The mouse wheel was turned by one notch.
    Scroll {
        /// Away from the operator.
        up: bool,
    },
    /// A wake-up that was asked for, or the minute's redraw of ages.
    Tick,
    /// What an earlier process saw, read at the start.
    Remembered(Vec<Remembered>),
    /// Every configured instance has been connected, or will not be.
    AllConnected,
    /// The connected instances, once their credentials have been read.
    Connected(Vec<SourceSpec>),
    /// A source answered.
    Source(Update),
    /// A kind was learnt from a server.
    Kind(Box<KindSpec>),
    /// What a credential may do.
    Rights {
        /// The backend's id.
        backend: Arc<str>,
        /// The instance.
        instance: Arc<str>,
        /// The answer.
        body: Result<Rights, Fault>,
    },
    /// Content of an opened view.
    View {
        /// Which view.
        view: ViewId,
        /// The content, or why there is none.
        body: Result<View, Fault>,
    },
    /// The form of an operation, with what the server offers.
    Form {
        /// Which draft.
        draft: DraftId,
        /// The fields.
        body: Result<Vec<Field>, Fault>,
    },
    /// The check before confirming, for one target.
    Verdict {
        /// Which draft.
        draft: DraftId,
        /// Which of its targets.
        target: EntityId,
        /// The answer.
        body: Result<Verdict, Fault>,
    },
    /// A run came further.
    Run {
        /// Which.
        run: RunId,
        /// Where it stands.
        state: RunState,
    },
    /// The journal's recent lines, read at the start.
    Journal(Vec<Line>),
    /// A theme that was asked for.
    Theme(Box<Theme>),
    /// The command that opens a terminal on a row, or why there is none.
    Terminal(Result<Vec<String>, Fault>),
    /// The address of a row in a browser, or why there is none.
    Link(Result<String, Fault>),
    /// Something worth telling.
    Notice {
        /// In which role.
        tone: Tone,
        /// One line.
        text: String,
    },
    /// A signal arrived.
    Signal(Signal),
}
