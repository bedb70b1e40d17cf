//! The one door through which text of other people reaches the screen.
//!
//! Names, log lines and error messages come from servers and may hold escape sequences, direction overrides or ten
//! kilobytes of nothing visible. Everything that is drawn passes through [`Strip`] or [`clean`], so that no component
//! has to remember it; the work is bounded by what can be seen, not by what was sent.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The longest text that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;
/// The longest grapheme that is drawn, in bytes; a stack of combining marks ends here.
const GRAPHEME: usize = 24;

/// Text without anything that a terminal could obey or that cannot be seen.
///
/// Escape sequences, C0 and C1 controls, direction overrides, zero-width characters and variation selectors go;
/// tabs and line ends become spaces.
pub fn clean(raw: &str) -> Cow<'_, str> {
    let raw = head(raw, LONGEST);
    if raw.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\t' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => text.push(' '),
            '\u{1b}' | '\u{9b}' => rest = after_escape(c, rest),
            c if c.is_control() || invisible(c) => {}
            c => text.push(c),
        }
    }
    Cow::Owned(text)
}

/// The start of a text, at most so many bytes, never half a character.
fn head(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// What follows an escape sequence; where none is complete only its first character is dropped, so that a lone
/// introducer cannot hide the rest of a line.
fn after_escape(introducer: char, rest: &str) -> &str {
    let (kind, body) = match rest.chars().next() {
        _ if introducer == '\u{9b}' => ('[', rest),
        Some(kind) if kind.is_ascii() => (kind, &rest[1..]),
        _ => return rest,
    };
    let end = match kind {
        '[' => {
            body.find(|c: char| !matches!(c, ' '..='?')).filter(|at| body.as_bytes()[*at].is_ascii_graphic())
        }
        ']' | 'P' | 'X' | '^' | '_' => body.find(['\u{7}', '\u{1b}', '\u{9c}']),
        _ => return rest,
    };
    match end {
        Some(at) => &body[body[at..].chars().next().map_or(at, |c| at + c.len_utf8())..],
        None => rest,
    }
}

/// Characters that take no room and change how others look or where they stand.
fn invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// How many cells a text takes once it is cleaned.
pub fn width(raw: &str) -> usize {
    clean(raw).width()
}

/// A text cleaned and cut to so many cells, with an ellipsis where something is missing.
pub fn fit(raw: &str, cells: usize, ascii: bool) -> Cow<'_, str> {
    let seen = head(raw, cells.saturating_mul(8).saturating_add(64));
    let whole = seen.len() == raw.len();
    let text = clean(seen);
    if whole && text.width() <= cells {
        return text;
    }
    let mut cut = String::with_capacity(cells + 4);
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let wide = grapheme.width();
        if used + wide + 1 > cells {
            break;
        }
        cut.push_str(grapheme);
        used += wide;
    }
    if cells > 0 {
        cut.push_str(ellipsis(ascii));
    }
    Cow::Owned(cut)
}

/// The mark of a cut text, one cell.
pub fn ellipsis(ascii: bool) -> &'static str {
    if ascii { "~" } else { "…" }
}

/// A cleaned text broken into lines of at most so many cells, between words where there are any.
pub fn wrap(raw: &str, cells: usize) -> Vec<String> {
    let text = clean(raw);
    let cells = cells.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in words(&text) {
        let wide = word.width();
        if used + wide <= cells {
            line.push_str(word);
            used += wide;
            continue;
        }
        if used > 0 {
            lines.push(std::mem::take(&mut line));
            used = 0;
            if word.trim().is_empty() {
                continue;
            }
        }
        for grapheme in word.graphemes(true) {
            if used + grapheme.width() > cells && used > 0 {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push_str(grapheme);
            used += grapheme.width();
        }
    }
    lines.push(line);
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

/// Runs of blanks and of what stands between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let blank = rest.chars().next()?.is_whitespace();
        let end = rest.find(|c: char| c.is_whitespace() != blank).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        rest = tail;
        Some(word)
    })
}

/// One line of the screen that is written from its left end, and from its right end where asked.
///
/// Nothing is ever written outside it, whatever the text.
pub struct Strip<'b> {
    buf: &'b mut Buffer,
    x: u16,
    end: u16,
    y: u16,
    ascii: bool,
}

impl<'b> Strip<'b> {
    /// The first line of an area; empty where the area lies outside the screen.
    pub fn new(buf: &'b mut Buffer, area: Rect, ascii: bool) -> Self {
        let area = area.intersection(buf.area);
        let end = if area.height == 0 { area.x } else { area.right() };
        Self { buf, x: area.x, end, y: area.y, ascii }
    }

    /// Line `index` of an area.
    pub fn at(buf: &'b mut Buffer, area: Rect, index: u16, ascii: bool) -> Self {
        Self::new(buf, line(area, index), ascii)
    }

    /// Where the next text begins.
    pub fn x(&self) -> u16 {
        self.x
    }

    /// How many cells are left.
    pub fn left(&self) -> u16 {
        self.end.saturating_sub(self.x)
    }

    /// Writes a text, cut with an ellipsis where it does not fit.
    pub fn put(&mut self, text: &str, style: impl Into<Style>) -> &mut Self {
        let room = usize::from(self.left());
        let text = fit(text, room, self.ascii);
        self.x = write(self.buf, self.x, self.y, &text, room, style.into());
        self
    }

    /// Writes a text into a field of so many cells, at its left or right edge.
    pub fn field(&mut self, text: &str, cells: u16, right: bool, style: impl Into<Style>) -> &mut Self {
        let cells = cells.min(self.left());
        let text = fit(text, usize::from(cells), self.ascii);
        let used = u16::try_from(text.width()).unwrap_or(cells).min(cells);
        let start = if right { self.x + cells - used } else { self.x };
        write(self.buf, start, self.y, &text, usize::from(cells), style.into());
        self.x += cells;
        self
    }

    /// Leaves cells free.
    pub fn gap(&mut self, cells: u16) -> &mut Self {
        self.x = self.x.saturating_add(cells).min(self.end);
        self
    }

    /// Goes to a column of the screen, if it lies ahead.
    pub fn to(&mut self, x: u16) -> &mut Self {
        self.x = self.x.max(x).min(self.end);
        self
    }

    /// Writes a text at the right end, if it fits whole with a blank before it; the room left ends before it.
    pub fn right(&mut self, text: &str, style: impl Into<Style>) -> &mut Self {
        let text = clean(text);
        let cells = u16::try_from(text.width()).unwrap_or(u16::MAX);
        if cells > 0 && cells < self.left() {
            let start = self.end - cells;
            write(self.buf, start, self.y, &text, usize::from(cells), style.into());
            self.end = start - 1;
        }
        self
    }

    /// Leaves cells free at the right end.
    pub fn right_gap(&mut self, cells: u16) -> &mut Self {
        self.end = self.end.saturating_sub(cells).max(self.x);
        self
    }
}

/// Line `index` of an area, without height where there is none.
pub fn line(area: Rect, index: u16) -> Rect {
    if index < area.height {
        Rect { y: area.y + index, height: 1, ..area }
    } else {
        Rect { y: area.bottom(), height: 0, ..area }
    }
}

/// Writes cleaned text and returns the column after it.
fn write(buf: &mut Buffer, x: u16, y: u16, text: &str, room: usize, style: Style) -> u16 {
    if text.is_ascii() || text.graphemes(true).all(|grapheme| grapheme.len() <= GRAPHEME) {
        return buf.set_stringn(x, y, text, room, style).0;
    }
    let shorter: String = text.graphemes(true).map(|grapheme| head(grapheme, GRAPHEME)).collect();
    buf.set_stringn(x, y, shorter, room, style).0
}

/// Empties an area, for what lies on top of something else.
pub fn blank(buf: &mut Buffer, area: Rect, style: Style) {
    let area = area.intersection(buf.area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            buf[(x, y)].reset();
        }
    }
    buf.set_style(area, style);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn nothing_a_terminal_obeys_comes_through() {
        let cases = [
            ("plain name", "plain name"),
            ("a\tb\nc\r\nd", "a b c d"),
            ("\u{1b}[31mred\u{1b}[0m alert", "red alert"),
            ("\u{1b}]0;title\u{7}shown", "shown"),
            ("\u{1b}]52;c;aGk=\u{1b}\\shown", "\\shown"),
            ("\u{1b}]never ends", "]never ends"),
            ("\u{9b}2Jwiped", "wiped"),
            ("half \u{1b}", "half "),
            ("bell\u{7}\u{0}\u{7f}", "bell"),
            ("\u{202e}gnp.exe\u{202c}", "gnp.exe"),
            ("zero\u{200b}\u{200d}width\u{feff}", "zerowidth"),
            ("caf\u{65}\u{301}", "caf\u{65}\u{301}"),
            ("Ünïcode 漢字 ok", "Ünïcode 漢字 ok"),
        ];
        for (raw, expected) in cases {
            assert_eq!(clean(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(fit("talos-prod-worker-1", 10, false), "talos-pro…");
        assert_eq!(fit("talos-prod-worker-1", 10, true), "talos-pro~");
        assert_eq!(fit("exactly-10", 10, false), "exactly-10");
        assert_eq!(fit("漢字漢字", 5, false), "漢字…");
        assert_eq!(fit("漢字漢字", 4, false), "漢…");
        assert_eq!(fit("x", 0, false), "");
    }

    #[test]
    fn ten_kilobytes_cost_no_more_than_what_is_seen() {
        let long = "\u{200b}".repeat(5_000) + &"x".repeat(10_000);
        assert_eq!(fit(&long, 8, false), "…");
        assert_eq!(fit(&"y".repeat(10_000), 8, false), "yyyyyyy…");
        assert!(clean(&"z".repeat(1_000_000)).len() <= LONGEST);
    }

    #[test]
    fn lines_break_between_words_and_inside_words_only_where_they_must() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("supercalifragilistic", 8), ["supercal", "ifragili", "stic"]);
        assert_eq!(wrap("", 8), [""]);
        assert_eq!(wrap("漢字漢字", 3), ["漢", "字", "漢", "字"]);
    }

    #[test]
    fn a_strip_fills_from_both_ends_and_never_overlaps() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 1));
        let area = buf.area;
        Strip::new(&mut buf, area, false).right("26m", Style::new()).put("a long name", Style::new());
        assert_eq!(buf, Buffer::with_lines(["a long … 26m"]));
    }

    proptest! {
        #[test]
        fn whatever_the_text_it_stays_inside(raw in any::<String>(), x in 0u16..12, cells in 0u16..12) {
            let mut buf = Buffer::filled(Rect::new(0, 0, 14, 3), ratatui::buffer::Cell::new("#"));
            let area = Rect::new(x, 1, cells, 1);
            Strip::new(&mut buf, area, false).put(&raw, Style::new()).field(&raw, 3, true, Style::new());
            for (at, cell) in buf.content.iter().enumerate() {
                let inside = at / 14 == 1 && (at % 14) >= usize::from(x) && (at % 14) < usize::from(x + cells);
                prop_assert!(inside || cell.symbol() == "#");
            }
            prop_assert!(fit(&raw, usize::from(cells), false).width() <= usize::from(cells));
            prop_assert!(wrap(&raw, 7).iter().all(|line| line.width() <= 7));
            prop_assert_eq!(clean(&clean(&raw)).into_owned(), clean(&raw).into_owned());
        }
    }
}
