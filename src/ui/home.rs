//! The page of the house: whether it is there, what was declared, and what is not as it should be.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::id::EntityId;
use crate::model::view::Doc;

use super::component::{Component, Ctx, Outcome};
use super::doc::DocPane;
use super::text::{Strip, line};

/// The page; the row that it stands for is what operations on it act on.
#[derive(Debug)]
pub struct HomePage {
    id: EntityId,
    doc: DocPane,
}

impl HomePage {
    /// The page of a row, still empty.
    pub fn new(id: EntityId) -> Self {
        Self { id, doc: DocPane::default() }
    }

    /// Takes what is known over.
    pub fn set(&mut self, doc: Doc) {
        self.doc.set(doc);
    }
}

impl Component for HomePage {
    fn context(&self) -> Context {
        self.doc.context()
    }

    fn on(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome {
        self.doc.on(action, ctx)
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        Strip::new(buf, line(area, 0), ctx.ascii).gap(1).put("home", ctx.theme.style(Role::Title));
        let above = (1 + u16::from(area.height > 10)).min(area.height);
        let rest = Rect { y: area.y + above, height: area.height - above, ..area };
        self.doc.draw(buf, rest, ctx)
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::HomeState, Action::Arm, Action::Operations, Action::Back, Action::CopyRow, Action::Help]
    }

    fn selected(&self) -> Option<EntityId> {
        Some(self.id.clone())
    }
}
