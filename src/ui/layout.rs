//! How the screen is divided: header, body, hint line; one pane, two from 120 columns on.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::config::theme::Role;

use super::component::Ctx;
use super::text::{Strip, blank, line};

/// The smallest screen on which anything useful fits.
pub const SMALLEST: (u16, u16) = (40, 8);
/// From so many columns on a detail pane stands beside the list.
pub const SPLIT: u16 = 120;
/// A list beside a detail pane gets no wider than this: the eye loses its line.
const WIDEST_LIST: u16 = 110;

/// The parts of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// The header, one line.
    pub header: Rect,
    /// What lies between.
    pub body: Rect,
    /// The hint line at the bottom.
    pub hints: Rect,
}

/// Divides the screen; `None` where it is too small for anything.
pub fn frame(area: Rect) -> Option<Frame> {
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return None;
    }
    let body = Rect { y: area.y + 2, height: area.height - 3, ..area };
    Some(Frame { header: line(area, 0), body, hints: line(area, area.height - 1) })
}

/// Says calmly that there is too little room.
pub fn too_small(buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
    let (width, height) = SMALLEST;
    let words = format!("vigie needs {width}x{height}, this is {}x{}", area.width, area.height);
    let at = line(area, area.height / 2);
    Strip::new(buf, at, ctx.ascii).put(&words, ctx.theme.style(Role::Text));
}

/// List and detail side by side where there is room: the list, the line between, the detail.
pub fn split(area: Rect) -> Option<(Rect, Rect, Rect)> {
    if area.width < SPLIT {
        return None;
    }
    let list = (area.width * 3 / 5).min(WIDEST_LIST);
    let left = Rect { width: list, ..area };
    let between = Rect { x: area.x + list, width: 1, ..area };
    let right = Rect { x: between.x + 2, width: area.width - list - 2, ..area };
    Some((left, between, right))
}

/// Draws the line between two panes.
pub fn divide(buf: &mut Buffer, area: Rect, focused: bool, ctx: &Ctx<'_>) {
    let style = ctx.theme.style(if focused { Role::Focused } else { Role::Border });
    for y in 0..area.height {
        Strip::at(buf, area, y, ctx.ascii).put(if ctx.ascii { "|" } else { "│" }, style);
    }
}

/// Empties the lower part of an area for a dialog of so many lines, under a rule that carries its title.
///
/// A dialog is a sheet at the bottom instead of a box in the middle: what it is about stays readable above it.
pub fn sheet(buf: &mut Buffer, area: Rect, lines: usize, title: &str, role: Role, ctx: &Ctx<'_>) -> Rect {
    let height = u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(1).min(area.height);
    let at = Rect { y: area.bottom() - height, height, ..area };
    blank(buf, at, ctx.theme.style(Role::Text));
    let faint = ctx.theme.style(if role == Role::Danger { Role::Error } else { Role::Border });
    let dash = if ctx.ascii { "-" } else { "─" };
    let mut strip = Strip::new(buf, line(at, 0), ctx.ascii);
    strip.put(&dash.repeat(2), faint).gap(1).put(title, ctx.theme.style(role)).gap(1);
    let rest = usize::from(strip.left());
    strip.put(&dash.repeat(rest), faint);
    Rect { y: at.y + at.height.min(1), height: at.height.saturating_sub(1), ..at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_lies_inside_and_none_overlaps() {
        for (width, height) in [(40, 8), (80, 24), (140, 40), (300, 100)] {
            let area = Rect::new(0, 0, width, height);
            let frame = frame(area).unwrap();
            assert_eq!(
                frame.header.height + frame.body.height + frame.hints.height,
                height - 1,
                "one line is air"
            );
            assert!(!frame.body.intersects(frame.header) && !frame.body.intersects(frame.hints));
            if let Some((left, between, right)) = split(frame.body) {
                assert!(!left.intersects(between) && !between.intersects(right));
                assert_eq!(right.right(), frame.body.right());
            }
        }
    }

    #[test]
    fn below_the_smallest_size_there_is_nothing_to_divide() {
        assert_eq!(frame(Rect::new(0, 0, 39, 24)), None);
        assert_eq!(frame(Rect::new(0, 0, 80, 7)), None);
        assert_eq!(split(Rect::new(0, 0, 119, 40)), None);
    }
}
