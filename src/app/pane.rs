//! What a place shows: one component of the ui, and the view that feeds it where there is one.

use crate::model::id::EntityId;
use crate::model::ledger::Ledger;
use crate::model::notice::Notices;
use crate::model::snapshot::{Fault, Layer};
use crate::model::view::View;
use crate::ui::browser::Browser;
use crate::ui::component::{Component, Ctx};
use crate::ui::home::HomePage;
use crate::ui::jobs::Jobs;
use crate::ui::messages::Messages;
use crate::ui::opened::Opened;
use crate::ui::overview::Overview;
use crate::ui::welcome::Welcome;

use super::msg::ViewId;
use super::places::PlaceKey;

/// A component with what it needs to be fed.
#[derive(Debug)]
pub(super) enum Pane {
    Overview(Overview),
    Browser(Box<Browser>),
    Opened { pane: Box<Opened>, view: Option<ViewId> },
    Messages(Messages),
    Jobs(Jobs),
    Home(HomePage),
    Welcome(Welcome),
}

impl Pane {
    /// The overview.
    pub fn overview() -> Self {
        Self::Overview(Overview::default())
    }

    /// The welcome page; `path` is the file that would be read.
    pub fn welcome(path: &str) -> Self {
        Self::Welcome(Welcome::new(path))
    }

    /// The pane of a place; `None` where its kind is not known.
    pub fn of(key: &PlaceKey, ctx: &Ctx<'_>) -> Option<Self> {
        Some(match key {
            PlaceKey::Overview => Self::overview(),
            PlaceKey::Kind { kind, scope } => {
                Self::Browser(Box::new(Browser::new(ctx.kinds.get(kind)?.clone(), scope.clone())))
            }
            PlaceKey::View { id, name } => {
                Self::Opened { pane: Box::new(Opened::new(id.clone(), name, ctx)), view: None }
            }
            PlaceKey::Messages => Self::Messages(Messages::default()),
            PlaceKey::Jobs => Self::Jobs(Jobs::default()),
            PlaceKey::Home => Self::Home(HomePage::new(super::home::row_id())),
            PlaceKey::Welcome => return None,
        })
    }

    /// Its component.
    pub fn component(&self) -> &dyn Component {
        match self {
            Self::Overview(pane) => pane,
            Self::Browser(pane) => &**pane,
            Self::Opened { pane, .. } => &**pane,
            Self::Messages(pane) => pane,
            Self::Jobs(pane) => pane,
            Self::Home(pane) => pane,
            Self::Welcome(pane) => pane,
        }
    }

    /// Its component, to act and to draw.
    pub fn component_mut(&mut self) -> &mut dyn Component {
        match self {
            Self::Overview(pane) => pane,
            Self::Browser(pane) => &mut **pane,
            Self::Opened { pane, .. } => &mut **pane,
            Self::Messages(pane) => pane,
            Self::Jobs(pane) => pane,
            Self::Home(pane) => pane,
            Self::Welcome(pane) => pane,
        }
    }

    /// Hands over what is not in the store.
    pub fn sync(&mut self, ledger: &Ledger, notices: &Notices) {
        match self {
            Self::Messages(pane) => pane.set(notices),
            Self::Jobs(pane) => pane.set(ledger),
            _ => {}
        }
    }

    /// The view that feeds it.
    pub fn view(&self) -> Option<ViewId> {
        if let Self::Opened { view, .. } = self { *view } else { None }
    }

    /// Notes by which view it is fed from now on, and tells the one before.
    pub fn feed(&mut self, new: Option<ViewId>) -> Option<ViewId> {
        if let Self::Opened { view, .. } = self { std::mem::replace(view, new) } else { None }
    }

    /// Content of its view.
    pub fn set_view(&mut self, body: Result<View, Fault>) {
        if let Self::Opened { pane, .. } = self {
            pane.set(body);
        }
    }

    /// The description for the detail beside a list.
    pub fn describe(&mut self, id: &EntityId, body: Result<View, Fault>) {
        if let Self::Browser(pane) = self {
            pane.describe(
                id,
                body.and_then(|view| match view {
                    View::Doc(doc) => Ok(doc),
                    _ => Err(Fault::new(Layer::App, "the description is no document")),
                }),
            );
        }
    }

    /// Sets the filter of a list.
    pub fn set_filter(&mut self, text: &str, ctx: &Ctx<'_>) {
        if let Self::Browser(pane) = self {
            pane.table_mut().set_filter(text, ctx);
        }
    }

    /// Moves a list's cursor to a row.
    pub fn go_to(&mut self, id: &EntityId, ctx: &Ctx<'_>) {
        if let Self::Browser(pane) = self {
            pane.table_mut().go_to(id, ctx);
        }
    }

    /// Sorts a list; false where there is no such column.
    pub fn sort_by(&mut self, name: &str, down: bool, ctx: &Ctx<'_>) -> bool {
        match self {
            Self::Browser(pane) => pane.table_mut().sort_by(name, down, ctx),
            _ => false,
        }
    }
}
