//! From what is shown to what shall be shown, in few bytes.

use super::ansi;
use super::grid::{Cluster, Grid, Slot, Symbol};
use super::motion::{self, Cursor};
use super::pen::{self, Pen};
use super::scroll::Shift;

/// Blanks at the end of a row that are worth an erase.
const ERASE_FROM: usize = 4;
/// Unchanged cells that may be written again instead of jumped over.
const GAP: u16 = 4;

/// What the terminal remembers between frames.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub cursor: Cursor,
    /// `None` until it was set once.
    pub pen: Option<Pen>,
    /// Whether the hardware cursor is shown; `None` until it was set once.
    pub cursor_shown: Option<bool>,
}

impl State {
    /// A terminal about which nothing is known.
    pub const UNKNOWN: Self = Self { cursor: Cursor::Unknown, pen: None, cursor_shown: None };
}

/// A frame in the making: the bytes so far, and the terminal's state after them.
#[derive(Debug)]
pub(super) struct Encoder {
    pub bytes: Vec<u8>,
    pub state: State,
}

impl Encoder {
    pub fn new(state: State) -> Self {
        Self { bytes: Vec::new(), state }
    }

    /// Erases the whole screen.
    pub fn erase(&mut self) {
        self.plain_for_erase();
        self.bytes.extend_from_slice(ansi::ERASE_SCREEN);
    }

    /// Scrolls rows by a scroll region and gives the region back.
    pub fn scroll(&mut self, shift: Shift, rows: u16) {
        self.plain_for_erase();
        let partial = (shift.top, shift.bottom + 1) != (0, rows);
        if partial {
            ansi::region(&mut self.bytes, shift.top, shift.bottom);
        }
        let function = if shift.lines > 0 { b'S' } else { b'T' };
        ansi::csi(&mut self.bytes, shift.distance(), function);
        if partial {
            self.bytes.extend_from_slice(ansi::WHOLE_REGION);
            self.state.cursor = Cursor::At(0, 0);
        }
    }

    /// Writes the cells in which `next` differs from `shown`.
    pub fn paint(&mut self, shown: &Grid, next: &Grid) {
        for y in 0..next.rows() {
            if shown.row(y) != next.row(y) {
                self.paint_row(y, shown.row(y), next.row(y));
            }
        }
    }

    /// Shows the hardware cursor at a place, or hides it.
    pub fn place_cursor(&mut self, place: Option<(u16, u16)>) {
        if let Some((x, y)) = place {
            self.go(x, y);
        }
        if self.state.cursor_shown != Some(place.is_some()) {
            let switch = if place.is_some() { ansi::SHOW_CURSOR } else { ansi::HIDE_CURSOR };
            self.bytes.extend_from_slice(switch);
            self.state.cursor_shown = Some(place.is_some());
        }
    }

    fn paint_row(&mut self, y: u16, shown: &[Slot], next: &[Slot]) {
        let stale = stale(shown, next);
        let blank_from = next.iter().rposition(|slot| *slot != Slot::BLANK).map_or(0, |last| last + 1);
        let blank_stale = stale[blank_from..].iter().filter(|&&stale| stale).count();
        for (x, slot) in (0..).zip(next) {
            let index = usize::from(x);
            if !stale[index] || slot.symbol == Symbol::Tail {
                continue;
            }
            if index >= blank_from && blank_stale >= ERASE_FROM {
                self.go(x, y);
                self.plain_for_erase();
                self.bytes.extend_from_slice(ansi::ERASE_LINE);
                return;
            }
            self.approach(x, y, next);
            self.write(slot, &shown[index..], x, y, next.len());
        }
    }

    /// Moves to a cell, over a short gap by writing it again if that is no longer.
    fn approach(&mut self, x: u16, y: u16, row: &[Slot]) {
        let Cursor::At(from, line) = self.state.cursor else { return self.go(x, y) };
        let near = line == y && from < x && x - from <= GAP;
        let again = near.then(|| self.rewritten(&row[usize::from(from)..usize::from(x)])).flatten();
        match again {
            Some(bytes) if bytes.len() <= motion::cost(self.state.cursor, x, y) => {
                self.bytes.extend_from_slice(bytes.as_bytes());
                self.state.cursor = Cursor::At(x, y);
            }
            _ => self.go(x, y),
        }
    }

    /// The text of cells that the pen in hand would write unchanged.
    fn rewritten(&self, gap: &[Slot]) -> Option<String> {
        let pen = self.state.pen?;
        gap.iter()
            .map(|slot| match slot.symbol {
                Symbol::Char(' ') if pen.blanks_like(slot.pen) => Some(' '),
                Symbol::Char(c) if pen == slot.pen => Some(c),
                _ => None,
            })
            .collect()
    }

    fn write(&mut self, slot: &Slot, shown: &[Slot], x: u16, y: u16, columns: usize) {
        self.take(slot);
        match &slot.symbol {
            Symbol::Char(c) | Symbol::Wide(c) => self.put(*c),
            Symbol::Doubtful(cluster) => return self.write_doubtful(cluster, slot.pen, shown, x, y),
            Symbol::Tail => return,
        }
        let after = x + slot.width();
        self.state.cursor =
            if usize::from(after) >= columns { Cursor::Wrapping(y) } else { Cursor::At(after, y) };
    }

    /// Blanks where they are not yet, then the glyph, and from there on the cursor is anywhere.
    fn write_doubtful(&mut self, cluster: &Cluster, pen: Pen, shown: &[Slot], x: u16, y: u16) {
        let width = usize::from(cluster.width);
        let blank = |slot: &Slot| slot.is_blank() && pen.blanks_like(slot.pen);
        if !shown.iter().take(width).all(blank) {
            self.bytes.extend(std::iter::repeat_n(b' ', width));
            self.state.cursor =
                if width >= shown.len() { Cursor::Wrapping(y) } else { Cursor::At(x + cluster.width, y) };
            self.go(x, y);
        }
        self.bytes.extend_from_slice(cluster.text.as_bytes());
        self.state.cursor = Cursor::Unknown;
    }

    fn put(&mut self, c: char) {
        self.bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn go(&mut self, x: u16, y: u16) {
        motion::go(&mut self.bytes, self.state.cursor, x, y);
        self.state.cursor = Cursor::At(x, y);
    }

    /// Takes a pen that writes this slot.
    fn take(&mut self, slot: &Slot) {
        if !slot.is_blank() {
            return self.change_pen(slot.pen);
        }
        let Some(pen) = self.state.pen else { return self.change_pen(slot.pen) };
        if pen.blanks_like(slot.pen) {
            return;
        }
        let bent = pen.bent_for_blank(slot.pen);
        let exact_is_shorter = pen::change(Some(pen), slot.pen).len() < pen::change(Some(pen), bent).len();
        self.change_pen(if exact_is_shorter { slot.pen } else { bent });
    }

    /// Erasing and scrolling with a plain background do not depend on background-colour erase.
    fn plain_for_erase(&mut self) {
        if !self.state.pen.is_some_and(Pen::erases_plain) {
            self.change_pen(Pen::PLAIN);
        }
    }

    fn change_pen(&mut self, pen: Pen) {
        self.bytes.extend(pen::change(self.state.pen, pen));
        self.state.pen = Some(pen);
    }
}

/// Which cells of a row must be written: those that differ, all of a glyph of which a part differs, and the
/// neighbours that a doubtful glyph may have spilled over.
fn stale(shown: &[Slot], next: &[Slot]) -> Vec<bool> {
    let mut stale: Vec<bool> = shown.iter().zip(next).map(|(shown, next)| shown != next).collect();
    let mut spill = 0;
    for (x, slot) in next.iter().enumerate() {
        let end = (x + usize::from(slot.width())).min(next.len());
        if x >= end {
            continue;
        }
        if x < spill || stale[x..end].contains(&true) {
            stale[x..end].fill(true);
            if let Symbol::Doubtful(cluster) = &slot.symbol {
                spill = spill.max(x + cluster.reach);
            }
        }
    }
    stale
}

#[cfg(test)]
mod tests {
    use super::{Encoder, State};
    use crate::runtime::screen::grid::Grid;
    use crate::runtime::screen::motion::Cursor;
    use crate::runtime::screen::pen::Pen;
    use ratatui::buffer::Buffer;

    const AT_HOME: State =
        State { cursor: Cursor::At(0, 0), pen: Some(Pen::PLAIN), cursor_shown: Some(false) };

    fn grid(lines: &[&str]) -> Grid {
        let drawn = Buffer::with_lines(lines.iter().copied());
        let mut grid = Grid::new(drawn.area.width, drawn.area.height);
        grid.read(&drawn);
        grid
    }

    fn painted(shown: &[&str], next: &[&str]) -> String {
        let mut encoder = Encoder::new(AT_HOME);
        encoder.paint(&grid(shown), &grid(next));
        String::from_utf8(encoder.bytes).unwrap()
    }

    #[test]
    fn only_what_differs_is_written() {
        let cases: [(&[&str], &[&str], &str); 5] = [
            (&["same", "same"], &["same", "same"], ""),
            (&["abcdefghij"], &["Abcdefghij"], "A"),
            (&["abcdefghij"], &["AbcDefghij"], "AbcD"),
            (&["abcdefghij"], &["AbcdefghiJ"], "A\x1b[8CJ"),
            (&["a long tail", "x          "], &["a          ", "x          "], "\x1b[2C\x1b[K"),
        ];
        for (shown, next, expected) in cases {
            assert_eq!(painted(shown, next), expected, "{shown:?} -> {next:?}");
        }
    }

    #[test]
    fn the_last_column_leaves_only_safe_moves() {
        assert_eq!(painted(&["ab", "ab"], &["aX", "Yb"]), "aX\r\nY");
    }

    #[test]
    fn the_hardware_cursor_costs_nothing_while_it_stays() {
        let mut encoder = Encoder::new(AT_HOME);
        encoder.place_cursor(Some((3, 1)));
        assert_eq!(encoder.bytes, b"\x1b[3C\n\x1b[?25h");
        let mut again = Encoder::new(encoder.state);
        again.place_cursor(Some((3, 1)));
        assert_eq!(again.bytes, b"");
        again.place_cursor(None);
        assert_eq!(again.bytes, b"\x1b[?25l");
    }
}
