//! A secret that is shown once: copied on `y`, gone with the next key, and in no log, list or journal.

use qrcodegen::{QrCode, QrCodeEcc};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Style};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::op::Reveal;

use super::component::{Component, Ctx, Outcome, Request};
use super::layout::sheet;
use super::lines::{Line, Scroll, wrapped};

/// Light modules around a code.
const RIM: i32 = 2;

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
        let text = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let code = code(&self.reveal.secret).filter(|_| !ctx.ascii);
        if let Some(code) = code.as_ref().filter(|code| !fits(code, text, area)) {
            let (columns, rows) = needs(code, text);
            let hint = format!("a code for a camera needs {columns}×{rows}: make the window larger first");
            lines.push(Line::new().at(2, hint, Role::Dim));
        }
        let code = code.filter(|code| fits(code, text, area));
        let rows = code.as_ref().map_or(0, |code| usize::from(rows(code)) + 1);
        let inner = sheet(buf, area, lines.len() + rows, &self.reveal.title, Role::Title, ctx);
        Scroll::default().draw(&lines, buf, inner, ctx);
        if let Some(code) = code {
            draw_code(&code, buf, Position { x: inner.x + 2, y: inner.y + text + 1 }, inner);
        }
        None
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::Yes, Action::Back]
    }
}

/// The secret for a telephone's camera; what is too long for one has none.
fn code(secret: &str) -> Option<QrCode> {
    QrCode::encode_text(secret, QrCodeEcc::Low).ok()
}

/// Its side with the light rim that cameras look for.
fn side(code: &QrCode) -> u16 {
    u16::try_from(code.size() + 2 * RIM).unwrap_or(u16::MAX)
}

/// Two modules stand in one cell, one above the other.
fn rows(code: &QrCode) -> u16 {
    side(code).div_ceil(2)
}

/// The columns and rows of a screen that has room for it below so many lines.
fn needs(code: &QrCode, lines: u16) -> (u16, u16) {
    (side(code).saturating_add(8), rows(code).saturating_add(lines).saturating_add(5))
}

/// Whether it fits below so many lines; on a small screen the link alone has to do.
fn fits(code: &QrCode, lines: u16, area: Rect) -> bool {
    let (columns, rows) = needs(code, lines);
    columns <= area.width && rows <= area.height
}

/// Draws it in black on white, whatever the theme: a camera knows no other.
fn draw_code(code: &QrCode, buf: &mut Buffer, at: Position, within: Rect) {
    let style = Style::new().fg(Color::White).bg(Color::Black);
    let light = |x: u16, y: u16| !code.get_module(i32::from(x) - RIM, i32::from(y) - RIM);
    for y in 0..rows(code) {
        for x in 0..side(code) {
            let lower = 2 * y + 1 < side(code) && light(x, 2 * y + 1);
            let symbol = match (light(x, 2 * y), lower) {
                (true, true) => "█",
                (true, false) => "▀",
                (false, true) => "▄",
                (false, false) => " ",
            };
            let place = Position { x: at.x + x, y: at.y + y };
            if within.contains(place)
                && let Some(cell) = buf.cell_mut(place)
            {
                cell.set_symbol(symbol).set_style(style);
            }
        }
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
    fn a_camera_can_read_it_where_there_is_room() {
        let world = World::lab();
        let blocks = |screen: &str| screen.chars().filter(|c| "█▀▄".contains(*c)).count();
        let large = Screen::of(&mut secret(), 120, 40, &world).text();
        assert!(blocks(&large) > 300 && large.contains("itoken=0b1c"), "{large}");
        // The rim is light on every side.
        let first = large.lines().find(|line| line.contains('█')).unwrap();
        assert!(first.trim().trim_matches(|c| !"█▀▄".contains(c)).chars().all(|c| c == '█'), "{first}");
        assert_eq!(blocks(&Screen::of(&mut secret(), 80, 24, &world).text()), 0);
    }

    #[test]
    fn every_size_can_be_drawn() {
        for (width, height) in [(1, 1), (20, 3), (40, 5), (140, 40)] {
            Screen::of(&mut secret(), width, height, &World::lab());
        }
    }
}
