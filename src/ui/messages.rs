//! Everything the operator was told: the toasts that are gone, with their time.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::row::Tone;

use super::component::{Component, Ctx, Outcome, Request};
use super::format::{Writer, glyph};
use super::lines::{Line, Scroll};
use super::text::{Strip, blank, clean, line, wrap};

/// Something the operator was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// In which role.
    pub tone: Tone,
    /// What.
    pub text: String,
}

/// The list of messages, the newest first.
#[derive(Debug, Default)]
pub struct Messages {
    scroll: Scroll,
}

impl Messages {
    fn lines(room: u16, ctx: &Ctx<'_>) -> Vec<Line> {
        const TEXT: u16 = 17;
        let writer = Writer::from(ctx);
        let mut lines = Vec::new();
        for notice in ctx.notices.iter().rev() {
            let cells = usize::from(room.saturating_sub(TEXT)).max(8);
            for (index, part) in wrap(&notice.text, cells).into_iter().enumerate() {
                let line = if index == 0 {
                    let sign = glyph(notice.tone, ctx.ascii);
                    Line::of(writer.clock(notice.at), Role::Dim).at(TEXT - 2, sign, notice.tone)
                } else {
                    Line::new()
                };
                lines.push(line.at(TEXT, part, notice.tone));
            }
        }
        lines
    }
}

impl Component for Messages {
    fn context(&self) -> Context {
        Context::Doc
    }

    fn on(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome {
        match action {
            Action::Back | Action::Close | Action::Messages => Outcome::emit(Request::Cancel),
            Action::CopyRow => {
                let text: Vec<String> =
                    ctx.notices.iter().map(|n| format!("{} {}", n.at, clean(&n.text))).collect();
                Outcome::emit(Request::Copy { text: text.join("\n"), what: "messages".to_owned() })
            }
            action if self.scroll.on(action) => Outcome::Consumed,
            _ => Outcome::Ignored,
        }
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        blank(buf, area, ctx.theme.style(Role::Text));
        let title = ctx.theme.style(Role::Title);
        let mut strip = Strip::new(buf, line(area, 0), ctx.ascii);
        strip.put("messages ", title).put(&ctx.notices.len().to_string(), ctx.theme.style(Role::Text));
        let rest = Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area };
        if ctx.notices.is_empty() {
            Strip::new(buf, line(rest, 1), ctx.ascii).gap(2).put("Nothing yet", ctx.theme.style(Role::Dim));
        }
        self.scroll.draw(&Self::lines(area.width, ctx), buf, rest, ctx);
        None
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::Back, Action::CopyRow]
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::proptest;

    use super::*;
    use crate::ui::testing::{Screen, World, act};

    fn world() -> World {
        let mut world = World::lab();
        let notice = |minutes, tone, text: &str| Notice { at: world.ago(minutes), tone, text: text.into() };
        world.notices = vec![
            notice(60 * 26, Tone::Warn, "theme `mine` is not used; the default stands in for it"),
            notice(
                31,
                Tone::Error,
                "proxmox pve: tcp: no connection (connect: timed out); the pane keeps its rows and says how old they are",
            ),
            notice(1, Tone::Ok, "copied 212 \u{1b}[2Jcharacters"),
        ];
        world
    }

    #[test]
    fn they_are_listed_with_their_time_the_newest_first() {
        assert_snapshot!(Screen::of(&mut Messages::default(), 80, 8, &world()).text());
        assert_snapshot!(Screen::of(&mut Messages::default(), 80, 4, &World::lab()).text());
    }

    #[test]
    fn they_can_be_copied_and_closed() {
        let world = world();
        let mut messages = Messages::default();
        assert!(matches!(act(&mut messages, &world, &[Action::CopyRow]), Outcome::Emit(_)));
        assert_eq!(act(&mut messages, &world, &[Action::Back]), Outcome::emit(Request::Cancel));
    }

    proptest! {
        #[test]
        fn any_size_can_be_drawn(width in 1_u16..50, height in 1_u16..8) {
            Screen::of(&mut Messages::default(), width, height, &world());
        }
    }
}
