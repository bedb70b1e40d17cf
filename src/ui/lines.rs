//! Lines of text in roles, and scrolling through them: what documents, help, messages and dialogs are made of.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::config::theme::Role;
use crate::model::action::Action;
use crate::model::kind::Text;

use super::component::Ctx;
use super::text::{Strip, line, width, wrap};

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    /// How far from the left edge; directly after the last piece where there is none.
    at: Option<u16>,
    text: Text,
    role: Role,
}

/// One line of text in roles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    spans: Vec<Span>,
    right: Option<(Text, Role)>,
}

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// A line of one piece, two cells in.
    pub fn of(text: impl Into<Text>, role: impl Into<Role>) -> Self {
        Self::new().at(2, text, role)
    }

    /// Adds a piece after the last one.
    #[must_use]
    pub fn put(mut self, text: impl Into<Text>, role: impl Into<Role>) -> Self {
        self.spans.push(Span { at: None, text: text.into(), role: role.into() });
        self
    }

    /// Adds a piece at a distance from the left edge, or later where that place is taken.
    #[must_use]
    pub fn at(mut self, x: u16, text: impl Into<Text>, role: impl Into<Role>) -> Self {
        self.spans.push(Span { at: Some(x), text: text.into(), role: role.into() });
        self
    }

    /// Puts a piece before all others.
    #[must_use]
    pub fn before(mut self, x: u16, text: impl Into<Text>, role: impl Into<Role>) -> Self {
        self.spans.insert(0, Span { at: Some(x), text: text.into(), role: role.into() });
        self
    }

    /// Puts a piece at the right edge.
    #[must_use]
    pub fn right(mut self, text: impl Into<Text>, role: impl Into<Role>) -> Self {
        self.right = Some((text.into(), role.into()));
        self
    }

    /// Adds the pieces of another line.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.spans.extend(other.spans);
        self.right = self.right.or(other.right);
        self
    }

    /// Puts a mark into the gutter and gives the piece with this text another role, for the line under a cursor.
    #[must_use]
    pub fn marked(mut self, gutter: &'static str, text: &str, role: Role) -> Self {
        if let Some(span) = self.spans.iter_mut().find(|span| span.text == text) {
            span.role = role;
        }
        self.spans.insert(0, Span { at: Some(0), text: gutter.into(), role });
        self
    }

    /// Draws it into the first line of an area, `skip` cells scrolled to the left.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, skip: u16, ctx: &Ctx<'_>) {
        let mut strip = Strip::new(buf, area, ctx.ascii);
        if let Some((text, role)) = &self.right {
            strip.right(text, ctx.theme.style(*role));
        }
        for span in &self.spans {
            if let Some(x) = span.at {
                let x = area.x.saturating_add(x.saturating_sub(skip));
                // A place that is taken: the pieces stay apart.
                strip.gap(u16::from(strip.x() >= x && strip.x() > area.x)).to(x);
            }
            strip.put(&span.text, ctx.theme.style(span.role));
        }
    }
}

/// Wraps a text into lines of a role, the later ones indented like the first.
pub fn wrapped(text: &str, x: u16, room: u16, role: impl Into<Role>) -> Vec<Line> {
    let role = role.into();
    let cells = usize::from(room.saturating_sub(x)).max(8);
    wrap(text, cells).into_iter().map(|part| Line::new().at(x, part, role)).collect()
}

/// A label in its column and a value wrapped beside it.
pub fn labelled(
    label: &str,
    value: &str,
    x: u16,
    column: u16,
    room: u16,
    role: impl Into<Role>,
) -> Vec<Line> {
    let role = role.into();
    let start = x + column.max(u16::try_from(width(label)).unwrap_or(column).min(room / 2)) + 2;
    let mut lines = wrapped(value, start, room, role);
    if let Some(first) = lines.first_mut() {
        let value = std::mem::take(first);
        let mut named = Line::new().at(x, label.to_owned(), Role::Dim);
        named.spans.extend(value.spans);
        *first = named;
    }
    lines
}

/// Where a viewport stands in lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scroll {
    top: usize,
    left: u16,
    height: usize,
    total: usize,
}

impl Scroll {
    /// Takes the size of the viewport and of its content.
    pub fn view(&mut self, height: u16, total: usize) {
        (self.height, self.total) = (usize::from(height), total);
        self.top = self.top.min(self.last());
    }

    /// How many lines the viewport shows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The first visible line.
    pub fn top(&self) -> usize {
        self.top
    }

    /// How many cells are scrolled off at the left.
    pub fn left(&self) -> u16 {
        self.left
    }

    /// Goes to the start.
    pub fn home(&mut self) {
        (self.top, self.left) = (0, 0);
    }

    /// Brings a line into view.
    pub fn reveal(&mut self, at: usize) {
        if at < self.top {
            self.top = at;
        } else if at >= self.top + self.height.max(1) {
            self.top = at + 1 - self.height.max(1);
        }
    }

    fn last(&self) -> usize {
        self.total.saturating_sub(self.height.max(1))
    }

    /// Takes a scrolling action; false where it is none.
    pub fn on(&mut self, action: &Action) -> bool {
        let page = self.height.max(1);
        let half = (page / 2).max(1);
        let last = self.last();
        self.top = match action {
            Action::Down => self.top + 1,
            Action::Up => self.top.saturating_sub(1),
            Action::PageDown => self.top + page,
            Action::PageUp => self.top.saturating_sub(page),
            Action::HalfPageDown => self.top + half,
            Action::HalfPageUp => self.top.saturating_sub(half),
            Action::Top => 0,
            Action::Bottom => last,
            Action::Left => {
                self.left = self.left.saturating_sub(8);
                self.top
            }
            Action::Right => {
                self.left = self.left.saturating_add(8).min(1024);
                self.top
            }
            _ => return false,
        };
        self.top = self.top.min(last);
        true
    }

    /// Where it stands, in a word; empty where everything is visible.
    pub fn word(&self) -> String {
        match self.last() {
            0 => String::new(),
            _ if self.top == 0 => "top".to_owned(),
            last if self.top >= last => "end".to_owned(),
            last => format!("{}%", (self.top * 100 / last).clamp(1, 99)),
        }
    }

    /// Draws the visible lines.
    pub fn draw(&mut self, lines: &[Line], buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
        self.view(area.height, lines.len());
        for (index, content) in (0..area.height).zip(lines.iter().skip(self.top)) {
            content.draw(buf, line(area, index), self.left, ctx);
        }
    }
}

/// Draws the title of a page, how many things are on it, and answers what is left of the area below.
pub fn titled(title: &str, count: usize, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Rect {
    let count = if count > 0 { format!(" {count}") } else { String::new() };
    let head = Line::new().put(title.to_owned(), Role::Title).put(count, Role::Text);
    head.draw(buf, line(area, 0), 0, ctx);
    let y = area.y.saturating_add(1).min(area.bottom());
    Rect { y, height: area.bottom() - y, ..area }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrolling_stays_within_the_lines() {
        let mut scroll = Scroll::default();
        scroll.view(10, 25);
        let cases = [
            (Action::Up, 0),
            (Action::PageDown, 10),
            (Action::HalfPageDown, 15),
            (Action::Down, 15),
            (Action::Top, 0),
            (Action::Bottom, 15),
        ];
        for (action, top) in cases {
            assert!(scroll.on(&action));
            assert_eq!(scroll.top(), top, "{action}");
        }
        assert_eq!(scroll.word(), "end");
        scroll.view(30, 25);
        assert_eq!((scroll.top(), scroll.word()), (0, String::new()));
        assert!(!scroll.on(&Action::Enter));
    }
}
