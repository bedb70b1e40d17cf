//! One line of typed text: the filter, the command line and the fields of forms are all this.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::model::action::Action;

use super::text::{Strip, clean};

/// The longest line that can be typed or pasted, in bytes.
const LONGEST: usize = 4096;

/// An editable line; the cursor always stands between two graphemes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    text: String,
    at: usize,
}

impl Input {
    /// A line with the cursor at its end.
    pub fn new(text: impl AsRef<str>) -> Self {
        let text = clean(text.as_ref()).into_owned();
        Self { at: text.len(), text }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True where nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Replaces the text; the cursor goes to its end.
    pub fn set(&mut self, text: impl AsRef<str>) {
        *self = Self::new(text);
    }

    /// Takes an editing action; false where it is none.
    pub fn on(&mut self, action: &Action) -> bool {
        match action {
            Action::Insert(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            Action::Paste(text) => self.insert(text),
            Action::Left => self.at = self.before(),
            Action::Right => self.at = self.after(),
            Action::LineStart => self.at = 0,
            Action::LineEnd => self.at = self.text.len(),
            Action::DeleteBack => self.delete(self.before(), self.at),
            Action::DeleteForward => self.delete(self.at, self.after()),
            Action::DeleteWord => self.delete(self.word(), self.at),
            Action::DeleteLine => self.delete(0, self.text.len()),
            _ => return false,
        }
        true
    }

    fn insert(&mut self, raw: &str) {
        let clean = clean(raw);
        if self.text.len() + clean.len() <= LONGEST {
            self.text.insert_str(self.at, &clean);
            self.at += clean.len();
        }
    }

    fn delete(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.at = from;
    }

    fn before(&self) -> usize {
        self.text[..self.at].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.text[self.at..].graphemes(true).next().map_or(self.at, |grapheme| self.at + grapheme.len())
    }

    /// Where the word before the cursor begins.
    fn word(&self) -> usize {
        let before = self.text[..self.at].trim_end();
        before
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))
    }

    /// Draws the part around the cursor and says where the cursor stands.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, style: Style, ascii: bool) -> Position {
        let room = usize::from(area.width).saturating_sub(1);
        let (mut start, mut used) = (self.at, 0);
        for (at, grapheme) in self.text[..self.at].grapheme_indices(true).rev() {
            used += grapheme.width();
            if used > room {
                break;
            }
            start = at;
        }
        let x = Strip::new(buf, area, ascii).put(&self.text[start..self.at], style).x();
        let rest = Rect { x, width: area.right().saturating_sub(x), ..area };
        Strip::new(buf, rest, ascii).put(&self.text[self.at..], style);
        Position { x: x.min(area.right().saturating_sub(1)), y: area.y }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str, actions: &[Action]) -> Input {
        let mut input = Input::new(text);
        for action in actions {
            assert!(input.on(action));
        }
        input
    }

    #[test]
    fn editing_goes_by_what_one_sees_as_a_character() {
        use Action::{
            DeleteBack, DeleteForward, DeleteLine, DeleteWord, Insert, Left, LineEnd, LineStart, Right,
        };
        let cases = [
            ("abc", vec![Left, DeleteBack], "ac"),
            ("abc", vec![LineStart, DeleteForward, Insert('x')], "xbc"),
            ("cafe\u{301}", vec![DeleteBack], "caf"),
            ("漢字", vec![Left, Insert('x')], "漢x字"),
            ("one two  ", vec![DeleteWord], "one "),
            ("one", vec![DeleteWord, DeleteWord], ""),
            ("one two", vec![Left, DeleteLine], ""),
            ("ab", vec![LineStart, Left, Right, Insert('-'), LineEnd, Insert('!')], "a-b!"),
        ];
        for (text, actions, expected) in cases {
            assert_eq!(typed(text, &actions).text(), expected, "{actions:?}");
        }
    }

    #[test]
    fn a_paste_is_cleaned_and_bounded() {
        let paste = Action::Paste("line one\nline\u{1b}[31m two\u{202e}".to_owned());
        assert_eq!(typed("", &[paste]).text(), "line one line two");
        let huge = Action::Paste("x".repeat(5_000));
        assert_eq!(typed("kept", &[huge]).text(), "kept");
    }

    #[test]
    fn a_long_line_scrolls_with_its_cursor() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 6, 1));
        let area = buf.area;
        let at = Input::new("abcdefghij").draw(&mut buf, area, Style::new(), false);
        assert_eq!((buf, at), (Buffer::with_lines(["fghij "]), Position { x: 5, y: 0 }));
    }

    #[test]
    fn other_actions_are_left_to_others() {
        assert!(!Input::new("x").on(&Action::Enter));
    }
}
