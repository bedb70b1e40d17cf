//! The contract of everything that is drawn: state of its own, actions in, requests out.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
pub use ratatui::buffer::Buffer;
pub use ratatui::layout::{Position, Rect};

use crate::config::keymap::Keymap;
use crate::config::theme::Theme;
use crate::insight::digest::Digest;
use crate::model::action::{Action, Context};
use crate::model::id::EntityId;
use crate::model::kind::Kinds;
use crate::model::op::{Args, Operations, Rights};
use crate::model::store::Store;

/// What every component may look at while it acts or draws.
#[derive(Clone, Copy)]
pub struct Ctx<'a> {
    /// The facts.
    pub store: &'a Store,
    /// All kinds.
    pub kinds: &'a Kinds,
    /// All operations.
    pub operations: &'a Operations,
    /// What the credentials may do, by backend and instance.
    pub rights: &'a HashMap<(Arc<str>, Arc<str>), Rights>,
    /// What is pinned, was changed lately, and ends tonight.
    pub digest: &'a Digest,
    /// The styles.
    pub theme: &'a Theme,
    /// The keys.
    pub keymap: &'a Keymap,
    /// The instant that ages are counted to.
    pub now: Timestamp,
    /// The time zone that clock times are written in.
    pub zone: &'a TimeZone,
    /// Until when writes are armed.
    pub armed_until: Option<Timestamp>,
    /// ASCII instead of other glyphs.
    pub ascii: bool,
    /// Whether wide columns are shown.
    pub wide: bool,
}

/// What a component made of an action.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It changed something of its own; draw again.
    Consumed,
    /// It has no use for it; the next one may.
    Ignored,
    /// It wants something that is not its own to do.
    Emit(Vec<Request>),
}

impl Outcome {
    /// A single request.
    pub fn emit(request: Request) -> Self {
        Self::Emit(vec![request])
    }
}

/// What a component asks of the application.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Perform another action.
    Act(Action),
    /// Open a view of a row (`describe`, `log`, `tree` …).
    Open {
        /// Which row.
        id: EntityId,
        /// Which view.
        view: String,
    },
    /// Enter on a row: its drill-down, or else its description.
    Enter(EntityId),
    /// Run a line of the command language.
    Run(String),
    /// The cursor rests on another row; the detail follows it.
    Selected(Option<EntityId>),
    /// A form was filled in.
    Submit(Args),
    /// A confirmation was given, with the reason where one was asked for.
    Confirmed {
        /// Why, in the operator's words.
        reason: Option<String>,
    },
    /// This layer is done without a result.
    Cancel,
    /// One of a picker's items was chosen.
    Chosen(usize),
    /// Put text on the clipboard.
    Copy {
        /// The text.
        text: String,
        /// What it is, for the message.
        what: String,
    },
}

/// Something with state of its own that takes actions and draws itself.
pub trait Component {
    /// The context in which keys are looked up while it has the focus.
    fn context(&self) -> Context;

    /// True where typed characters are text; keys of the context still come first.
    fn takes_text(&self) -> bool {
        false
    }

    /// Takes an action.
    fn on(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome;

    /// Looks at the store again after it changed; true where something visible may differ.
    fn refresh(&mut self, _ctx: &Ctx<'_>) -> bool {
        false
    }

    /// Draws itself; may cache its viewport, nothing else. Returns where the hardware cursor belongs.
    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position>;

    /// The actions that the hint line shows, most useful first.
    fn hints(&self, ctx: &Ctx<'_>) -> Vec<Action>;

    /// The row under the cursor.
    fn selected(&self) -> Option<EntityId> {
        None
    }

    /// The marked rows, in their order.
    fn marked(&self) -> Vec<EntityId> {
        Vec::new()
    }
}
