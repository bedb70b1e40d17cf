//! Everything that the console can want done, as values: the executor carries them out, tests compare them.

use crate::model::id::{EntityId, KindId};
use crate::model::journal::Entry;
use crate::model::op::{Job, Target};
use crate::model::remembered::Remembered;

use super::msg::{DraftId, ViewId};

/// Something to do; `update` never waits for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Which kinds are in front of the operator: sources of `focused` kinds are asked more often than those of
    /// `visible` ones, and both more often than the rest.
    Attend {
        /// Kinds of the pane with the focus.
        focused: Vec<KindId>,
        /// Kinds that are on screen elsewhere.
        visible: Vec<KindId>,
    },
    /// Ask the sources of these kinds now; all sources where the list is empty.
    Refresh(Vec<KindId>),
    /// Stop or resume asking.
    Pause(bool),
    /// Writes are armed, or no longer: credentials for writes may be used only while they are.
    Arm(bool),
    /// Open a view and stream it until it is shut.
    Open {
        /// The view that answers go to.
        view: ViewId,
        /// On which row.
        id: EntityId,
        /// Which of its views.
        name: String,
        /// Wait so long first, in milliseconds; shutting it before then costs no request.
        after: u64,
    },
    /// Stop an opened view.
    Shut(ViewId),
    /// Fetch the form of an operation.
    Form {
        /// For which draft.
        draft: DraftId,
        /// The operation's full name.
        op: String,
        /// The instance that will carry it out.
        instance: String,
        /// On what.
        targets: Vec<Target>,
    },
    /// Check jobs before they are confirmed.
    Preflight {
        /// For which draft.
        draft: DraftId,
        /// One per target.
        jobs: Vec<Job>,
    },
    /// Lock, journal, send, follow and read back, one after the other.
    Operate(Vec<Job>),
    /// Write a note into the journal.
    Note {
        /// What it is about.
        about: Option<EntityId>,
        /// The text.
        text: String,
    },
    /// Write a line of the operator's own into the journal: a declaration, which acts on no server.
    Record(Entry),
    /// Keep what was seen for the next start.
    Remember(Vec<Remembered>),
    /// Put text on the operator's clipboard.
    Copy {
        /// The text.
        text: String,
        /// What it is, for the message.
        what: String,
    },
    /// Ask for the command that opens a terminal on a row; it comes with [`super::msg::Msg::Terminal`].
    Terminal(EntityId),
    /// Ask for the address of a row in a browser; it comes with [`super::msg::Msg::Link`].
    Link(EntityId),
    /// Write text into a new file that only the operator can read.
    Save {
        /// Where, as typed.
        path: String,
        /// The text.
        text: String,
        /// What it is, for the message.
        what: String,
    },
    /// Hand the terminal to a command and take it back.
    Child(Vec<String>),
    /// Load a theme by its name; it comes with [`super::msg::Msg::Theme`].
    Theme(String),
    /// Stop this process as the shell's ctrl-z does.
    Suspend,
    /// Send the whole screen anew.
    Redraw,
    /// Ring the bell.
    Bell,
    /// Show a line on the operator's desktop, where the terminal can.
    Notify(String),
    /// Leave with an exit code.
    Quit(u8),
}
