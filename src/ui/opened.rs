//! One opened view of a row: whatever shape its content turns out to have, under a line that says what it is.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::id::EntityId;
use crate::model::snapshot::{Fault, Layer};
use crate::model::view::{Doc, View};

use super::component::{Component, Ctx, Outcome};
use super::detail;
use super::doc::DocPane;
use super::text::{Strip, line};

/// An opened view.
#[derive(Debug)]
pub struct Opened {
    id: EntityId,
    name: String,
    pane: DocPane,
    answered: bool,
    fault: Option<Fault>,
}

impl Opened {
    /// A view that waits for its content; a description shows the row's own cells until then.
    pub fn new(id: EntityId, name: &str, ctx: &Ctx<'_>) -> Self {
        let doc = match ctx.store.get(&id).zip(ctx.kinds.get(&id.kind)) {
            Some((row, kind)) if name == "describe" => detail::cells(kind, row),
            _ => Doc::default(),
        };
        Self { id, name: name.to_owned(), pane: DocPane::new(doc), answered: false, fault: None }
    }

    /// Takes content in: a log grows, everything else is replaced; a fault leaves the content as it was.
    pub fn set(&mut self, body: Result<View, Fault>) {
        let view = match body {
            Ok(view) => view,
            Err(fault) => {
                self.fault = Some(fault);
                return;
            }
        };
        self.answered = true;
        self.fault = None;
        match view {
            View::Doc(doc) => self.pane.set(doc),
            other => self.fault = Some(Fault::new(Layer::App, format!("no way to draw {other:?}"))),
        }
    }

    /// The line above: what it is, of what, and why it is not fresh.
    fn head(&self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
        let style = |role: Role| ctx.theme.style(role);
        let name =
            ctx.store.get(&self.id).map_or_else(|| self.id.key.to_string(), |row| row.name.to_string());
        let mut strip = Strip::new(buf, area, ctx.ascii);
        strip.right(&format!("{} · {}", self.id.kind, self.id.instance), style(Role::Dim));
        strip.put(&name, style(Role::Title)).put(" ", style(Role::Text)).put(&self.name, style(Role::Text));
        match &self.fault {
            Some(fault) => strip.gap(2).put(&fault.to_string(), style(Role::Warn)),
            None if !self.answered => strip.gap(2).put("asking", style(Role::Pending)),
            None => strip.gap(0),
        };
    }
}

impl Component for Opened {
    fn context(&self) -> Context {
        self.pane.context()
    }

    fn takes_text(&self) -> bool {
        self.pane.takes_text()
    }

    fn on(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome {
        self.pane.on(action, ctx)
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        self.head(buf, line(area, 0), ctx);
        let rest = Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1), ..area };
        self.pane.draw(buf, rest, ctx)
    }

    fn hints(&self, ctx: &Ctx<'_>) -> Vec<Action> {
        self.pane.hints(ctx)
    }

    fn selected(&self) -> Option<EntityId> {
        Some(self.pane.selected().unwrap_or_else(|| self.id.clone()))
    }
}
