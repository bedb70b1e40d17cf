//! A screen as cells: what the terminal shows, or shall show.
//!
//! Cells are normalised on the way in, so that equal looks are equal values: a blank keeps no foreground, control
//! characters and lone combining marks become blanks, and the hidden part of a wide glyph is recorded as such.

use ratatui::buffer::{Buffer, Cell, CellWidth};
use unicode_width::UnicodeWidthChar;

use super::pen::Pen;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Symbol {
    /// One character, one column.
    Char(char),
    /// One character of two columns on whose width all terminals agree.
    Wide(char),
    /// Emoji and clusters: how far the cursor moves is the terminal's opinion.
    Doubtful(Box<Cluster>),
    /// Covered by the glyph to its left.
    Tail,
}

/// A glyph whose width terminals disagree about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Cluster {
    pub text: String,
    /// Columns it takes here.
    pub width: u16,
    /// Columns it takes in a terminal that draws each character on its own.
    pub reach: usize,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Slot {
    pub symbol: Symbol,
    pub pen: Pen,
}

impl Slot {
    /// An erased cell.
    pub const BLANK: Self = Self { symbol: Symbol::Char(' '), pen: Pen::PLAIN };

    fn new(symbol: Symbol, pen: Pen) -> Self {
        let pen = if symbol == Symbol::Char(' ') { pen.on_blank() } else { pen };
        Self { symbol, pen }
    }

    /// Columns the glyph takes here; none for a tail.
    pub fn width(&self) -> u16 {
        match &self.symbol {
            Symbol::Char(_) => 1,
            Symbol::Wide(_) => 2,
            Symbol::Doubtful(cluster) => cluster.width,
            Symbol::Tail => 0,
        }
    }

    pub fn is_blank(&self) -> bool {
        self.symbol == Symbol::Char(' ')
    }
}

/// Rows of cells, the size of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grid {
    columns: u16,
    rows: u16,
    slots: Vec<Slot>,
}

impl Grid {
    /// An erased screen.
    pub fn new(columns: u16, rows: u16) -> Self {
        Self { columns, rows, slots: vec![Slot::BLANK; usize::from(columns) * usize::from(rows)] }
    }

    pub fn columns(&self) -> u16 {
        self.columns
    }

    pub fn rows(&self) -> u16 {
        self.rows
    }

    pub fn row(&self, y: u16) -> &[Slot] {
        let start = usize::from(y) * usize::from(self.columns);
        self.slots.get(start..start + usize::from(self.columns)).unwrap_or_default()
    }

    /// Takes over a drawn buffer of the same size.
    pub fn read(&mut self, drawn: &Buffer) {
        let columns = usize::from(self.columns).max(1);
        for (row, cells) in self.slots.chunks_mut(columns).zip(drawn.content.chunks(columns)) {
            read_row(row, cells);
        }
    }

    /// Moves the rows `top..=bottom` up (`lines` > 0) or down as the terminal does: what comes in is blank.
    pub fn scroll(&mut self, top: u16, bottom: u16, lines: i32) {
        let columns = usize::from(self.columns);
        let rows = usize::from(top) * columns..(usize::from(bottom) + 1) * columns;
        let Some(region) = self.slots.get_mut(rows) else { return };
        let cells = (lines.unsigned_abs() as usize * columns).min(region.len());
        let kept = region.len() - cells;
        if lines > 0 {
            region.rotate_left(cells);
            region[kept..].fill(Slot::BLANK);
        } else {
            region.rotate_right(cells);
            region[..cells].fill(Slot::BLANK);
        }
    }
}

/// Reads a row from the left; what a wide glyph covers is not looked at.
fn read_row(row: &mut [Slot], cells: &[Cell]) {
    let (mut covered, mut head) = (0, Pen::PLAIN);
    for (x, (slot, cell)) in row.iter_mut().zip(cells).enumerate() {
        if covered > 0 {
            *slot = Slot { symbol: Symbol::Tail, pen: head };
            covered -= 1;
        } else {
            let pen = Pen { fg: cell.fg, bg: cell.bg, attributes: cell.modifier };
            *slot = Slot::new(symbol(cell, cells.len() - x), pen);
            (covered, head) = (slot.width() - 1, slot.pen);
        }
    }
}

/// What to show for a cell with `room` columns up to the right edge, itself included.
fn symbol(cell: &Cell, room: usize) -> Symbol {
    let text = cell.symbol();
    if let [printable @ b' '..=b'~'] = text.as_bytes() {
        return Symbol::Char(char::from(*printable));
    }
    let width = if text.contains(char::is_control) { 0 } else { cell.cell_width() };
    let Some(first) = text.chars().next().filter(|_| width > 0) else { return Symbol::Char(' ') };
    let single = first.len_utf8() == text.len();
    if single && width == 1 {
        return Symbol::Char(first);
    }
    let reach = text.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>().max(usize::from(width));
    if reach > room {
        Symbol::Char('?')
    } else if single && agreed_wide(first) {
        Symbol::Wide(first)
    } else {
        Symbol::Doubtful(Box::new(Cluster { text: text.to_owned(), width, reach }))
    }
}

/// CJK, Hangul, kana and full-width forms: two columns everywhere, unlike emoji.
fn agreed_wide(c: char) -> bool {
    matches!(u32::from(c),
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xA960..=0xA97F | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x20000..=0x3FFFD)
}

#[cfg(test)]
mod tests {
    use super::{Grid, Slot, Symbol};
    use ratatui::buffer::{Buffer, Cell};
    use ratatui::layout::Rect;
    use ratatui::style::{Color, Style};

    fn row(symbols: &[&'static str]) -> Vec<Symbol> {
        let columns = u16::try_from(symbols.len()).unwrap();
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, 1));
        buffer.content = symbols.iter().map(|symbol| Cell::new(symbol)).collect();
        let mut grid = Grid::new(columns, 1);
        grid.read(&buffer);
        grid.row(0).iter().map(|slot| slot.symbol.clone()).collect()
    }

    #[test]
    fn hostile_or_impossible_symbols_become_harmless() {
        assert_eq!(row(&["界"]), [Symbol::Char('?')], "no room at the edge");
        for hostile in ["\x1b", "\u{9b}", "a\x1b[2J", "\u{301}", ""] {
            assert_eq!(row(&[hostile]), [Symbol::Char(' ')], "{hostile:?}");
        }
    }

    #[test]
    fn a_wide_glyph_hides_whatever_stands_behind_it() {
        assert_eq!(row(&["界", "x", "y"]), [Symbol::Wide('界'), Symbol::Tail, Symbol::Char('y')]);
    }

    #[test]
    fn a_blank_keeps_only_what_can_be_seen() {
        let mut buffer = Buffer::with_lines(["  "]);
        buffer.set_style(Rect::new(0, 0, 2, 1), Style::new().fg(Color::Red));
        buffer.set_style(Rect::new(1, 0, 1, 1), Style::new().bg(Color::Blue));
        let mut grid = Grid::new(2, 1);
        grid.read(&buffer);
        assert_eq!(grid.row(0)[0], Slot::BLANK);
        assert_eq!((grid.row(0)[1].pen.fg, grid.row(0)[1].pen.bg), (Color::Reset, Color::Blue));
    }

    #[test]
    fn scrolling_loses_rows_and_brings_blanks() {
        let mut grid = Grid::new(1, 4);
        grid.read(&Buffer::with_lines(["a", "b", "c", "d"]));
        let text = |grid: &Grid| (0..4).map(|y| grid.row(y)[0].symbol.clone()).collect::<Vec<_>>();
        let mut up = grid.clone();
        up.scroll(1, 3, 1);
        assert_eq!(text(&up), ['a', 'c', 'd', ' '].map(Symbol::Char));
        grid.scroll(0, 2, -2);
        assert_eq!(text(&grid), [' ', ' ', 'a', 'd'].map(Symbol::Char));
    }
}
