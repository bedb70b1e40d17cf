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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::{Screen, World, act};

    fn secret() -> Secret {
        let link = "https://auth.lab.example/if/flow/enroll/?itoken=0b1c";
        let message = format!("Welcome! Open {link} within two days.");
        Secret::new(Reveal { title: "invitation link".into(), secret: link.into(), message })
    }

    #[test]
    fn it_is_copied_on_request_and_gone_with_any_key() {
        let world = World::lab();
        let screen = Screen::of(&mut secret(), 80, 24, &world).text();
        assert!(screen.contains("itoken=0b1c") && screen.contains("invitation link"), "{screen}");
        assert_eq!(act(&mut secret(), &world, &[Action::Down]), Outcome::emit(Request::Cancel));
        let copied = act(&mut secret(), &world, &[Action::Yes]);
        assert!(matches!(copied, Outcome::Emit(requests) if requests.len() == 2));
        assert!(!format!("{:?}", secret()).contains("0b1c"));
    }

    #[test]
    fn every_size_can_be_drawn() {
        for (width, height) in [(1, 1), (20, 3), (40, 5), (140, 40)] {
            Screen::of(&mut secret(), width, height, &World::lab());
        }
    }
}
