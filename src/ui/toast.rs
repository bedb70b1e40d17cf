//! A message that stands in the line of keys for a few seconds; the list of messages keeps it.

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::row::Tone;

use super::component::Ctx;
use super::format::glyph;
use super::text::{Strip, line};

/// A passing message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// One line.
    pub text: String,
    /// Its role.
    pub tone: Tone,
    /// When it goes.
    pub until: Timestamp,
}

impl Toast {
    /// A message that stays longer the worse it is.
    pub fn new(text: impl Into<String>, tone: Tone, now: Timestamp) -> Self {
        let mut toast = Self { text: text.into(), tone, until: now };
        let seconds = if toast.is_bad() { 10 } else { 4 };
        toast.until = now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
        toast
    }

    /// Whether it tells of what did not go well, or of what nobody knows.
    pub fn is_bad(&self) -> bool {
        matches!(self.tone, Tone::Error | Tone::Danger | Tone::Warn | Tone::Unknown)
    }

    /// Whether it still stands.
    pub fn is_shown(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// Draws it into one line.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
        let style = ctx.theme.style(self.tone);
        let sign = glyph(self.tone, ctx.ascii);
        Strip::new(buf, line(area, 0), ctx.ascii).gap(1).put(sign, style).gap(1).put(&self.text, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::{Screen, World};

    #[test]
    fn it_stands_for_its_time_and_is_cleaned() {
        let world = World::lab();
        let toast = Toast::new("copied \u{1b}[2J212 characters", Tone::Ok, world.now);
        assert!(toast.is_shown(world.now) && !toast.is_shown(toast.until));
        let screen = Screen::draw(40, 1, |buf, area| {
            toast.draw(buf, area, &world.ctx());
            None
        });
        assert_eq!(screen.text(), " ● copied 212 characters");
    }
}
