//! The first page of a console without configuration: what it is, and what to do; it writes nothing.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};

use super::component::{Component, Ctx, Outcome};
use super::lines::{Line, Scroll, wrapped};

/// The welcome page.
#[derive(Debug, Clone)]
pub struct Welcome {
    path: String,
    scroll: Scroll,
}

impl Welcome {
    /// The page; `path` is the file that would be read.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), scroll: Scroll::default() }
    }

    fn lines(&self, room: u16) -> Vec<Line> {
        let command = |text: &'static str| Line::new().at(4, text, Role::Accent);
        let text = |text: &str| wrapped(text, 2, room.min(78), Role::Text);
        let mut lines = vec![Line::of("Nothing is configured yet.", Role::Title), Line::new()];
        lines.extend(text("Look around first, on a lab that runs inside this program:"));
        lines.extend([command("vigie demo"), Line::new()]);
        lines.extend(text("Then begin with the commented example, and name the systems that you have:"));
        lines.extend([Line::new().at(4, format!("vigie config > {}", self.path), Role::Accent), Line::new()]);
        lines.extend(text("See what each of them answers, and what the credentials may do:"));
        lines.extend([command("vigie doctor"), Line::new()]);
        lines.extend(text("This console has written nothing, and never writes your configuration."));
        lines
    }
}

impl Component for Welcome {
    fn context(&self) -> Context {
        Context::Doc
    }

    fn on(&mut self, action: &Action, _ctx: &Ctx<'_>) -> Outcome {
        if self.scroll.on(action) { Outcome::Consumed } else { Outcome::Ignored }
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let lines = self.lines(area.width);
        self.scroll.draw(&lines, buf, area, ctx);
        None
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::Close, Action::Help]
    }
}
