//! A secret that is shown once: copied on `y`, gone with the next key, and in no log, list or journal.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::op::Reveal;

use super::component::{Component, Ctx, Outcome, Request};
use super::layout::sheet;
use super::lines::{Line, Scroll, wrapped};

/// The secret on screen.
#[derive(Debug)]
pub struct Secret {
    reveal: Reveal,
}

impl Secret {
    /// Shows it until the next key.
    pub fn new(reveal: Reveal) -> Self {
        Self { reveal }
    }

    /// What goes to the clipboard: the text to send, or else the secret alone.
    fn text(&self) -> &str {
        if self.reveal.message.is_empty() { &self.reveal.secret } else { &self.reveal.message }
    }
}

impl Component for Secret {
    fn context(&self) -> Context {
        Context::Confirm
    }

    /// Any key at all takes it from the screen.
    fn takes_text(&self) -> bool {
        true
    }

    fn on(&mut self, action: &Action, _ctx: &Ctx<'_>) -> Outcome {
        let mut requests = vec![Request::Cancel];
        if *action == Action::Yes {
            let text = self.text().to_owned();
            requests.push(Request::Copy { text, what: self.reveal.title.clone() });
        }
        Outcome::Emit(requests)
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let room = area.width.min(100);
        let mut lines = wrapped(&self.reveal.secret, 2, room, Role::Accent);
        if !self.reveal.message.is_empty() {
            lines.push(Line::new());
            lines.extend(self.reveal.message.lines().flat_map(|text| wrapped(text, 2, room, Role::Text)));
        }
        lines.push(Line::new());
        let hint = " copies it; it leaves the screen with the next key";
        lines.push(Line::new().at(2, "y", Role::Key).put(hint, Role::Hint));
        let inner = sheet(buf, area, lines.len(), &self.reveal.title, Role::Title, ctx);
        Scroll::default().draw(&lines, buf, inner, ctx);
        None
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::Yes, Action::Back]
    }
}
