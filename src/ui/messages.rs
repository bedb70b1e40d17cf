//! Everything that was told, newest first.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::notice::{Notice, Notices};

use super::component::{Component, Ctx, Outcome, Request};
use super::format::{Writer, glyph};
use super::lines::{Line, Scroll, titled, wrapped};
use super::text::clean;

/// Where the text begins: after the age and the sign.
const TEXT: u16 = 9;

/// The page of messages.
#[derive(Debug, Clone, Default)]
pub struct Messages {
    notices: Vec<Notice>,
    revision: Option<u64>,
    scroll: Scroll,
}

impl Messages {
    /// Takes the messages over, where there are new ones.
    pub fn set(&mut self, notices: &Notices) {
        if self.revision != Some(notices.revision()) {
            self.revision = Some(notices.revision());
            self.notices = notices.iter().rev().cloned().collect();
        }
    }

    fn lines(&self, room: u16, ctx: &Ctx<'_>) -> Vec<Line> {
        let writer = Writer::from(ctx);
        let mut lines = Vec::new();
        for notice in &self.notices {
            let mut parts = wrapped(&notice.text, TEXT, room, Role::Text).into_iter();
            let head = Line::new().at(2, writer.age(notice.at), Role::Dim).at(
                7,
                glyph(notice.tone, ctx.ascii),
                notice.tone,
            );
            lines.push(head.and(parts.next().unwrap_or_default()));
            lines.extend(parts);
        }
        lines
    }
}

impl Component for Messages {
    fn context(&self) -> Context {
        Context::Doc
    }

    fn on(&mut self, action: &Action, _ctx: &Ctx<'_>) -> Outcome {
        match action {
            Action::CopyRow => {
                let lines =
                    self.notices.iter().map(|notice| format!("{} {}", notice.at, clean(&notice.text)));
                let text = lines.collect::<Vec<_>>().join("\n");
                Outcome::emit(Request::Copy { text, what: "messages".to_owned() })
            }
            action if self.scroll.on(action) => Outcome::Consumed,
            _ => Outcome::Ignored,
        }
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let area = titled("messages", self.notices.len(), buf, area, ctx);
        let lines = if self.notices.is_empty() {
            vec![Line::of("nothing was told yet", Role::Dim)]
        } else {
            self.lines(area.width, ctx)
        };
        self.scroll.draw(&lines, buf, area, ctx);
        None
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::Back, Action::CopyRow, Action::Help]
    }
}
