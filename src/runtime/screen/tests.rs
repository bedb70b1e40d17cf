//! The screen held against a terminal emulator: what it shows, and what that cost.

mod budgets;
mod equality;

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier, Style};

use super::Screen;

/// A terminal emulator behind a screen.
struct Emulated {
    screen: Screen<Wire>,
    wire: Wire,
    parser: vt100::Parser,
}

/// Collects what the screen writes, and how often.
#[derive(Clone, Default)]
struct Wire {
    bytes: Rc<RefCell<Vec<u8>>>,
    writes: Rc<RefCell<usize>>,
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.borrow_mut().extend_from_slice(bytes);
        *self.writes.borrow_mut() += 1;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Emulated {
    fn new(columns: u16, rows: u16) -> Self {
        let wire = Wire::default();
        let screen = Screen::new(wire.clone(), Size::new(columns, rows));
        Self { screen, wire, parser: vt100::Parser::new(rows, columns, 0) }
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.screen_mut().set_size(rows, columns);
        self.screen.resize(Size::new(columns, rows));
    }

    /// Draws a frame and returns the bytes it took.
    fn draw(&mut self, render: impl FnOnce(&mut Buffer) -> Option<Position>) -> Vec<u8> {
        let told = self.screen.draw(render).unwrap();
        let bytes = self.wire.bytes.take();
        assert_eq!(told, bytes.len());
        assert!(self.wire.writes.take() <= 1, "a frame is one write");
        self.parser.process(&bytes);
        bytes
    }

    /// Every cell as text and look, then the cursor.
    fn picture(&self) -> Vec<String> {
        let screen = self.parser.screen();
        let (rows, columns) = screen.size();
        let cells = (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y)));
        let mut picture: Vec<String> =
            cells.map(|(x, y)| format!("{x},{y} {}", look(screen.cell(y, x).unwrap()))).collect();
        let cursor = (!screen.hide_cursor()).then(|| screen.cursor_position());
        picture.push(format!("cursor {cursor:?}"));
        picture
    }
}

fn look(cell: &vt100::Cell) -> String {
    let text = if cell.has_contents() { cell.contents() } else { " " };
    let flags = [
        cell.underline(),
        cell.inverse(),
        cell.bold(),
        cell.dim(),
        cell.italic(),
        cell.is_wide(),
        cell.is_wide_continuation(),
    ];
    let seen_on_blank = cell.underline() || cell.inverse();
    if text == " " && !seen_on_blank {
        return format!("blank on {:?}, covered {}", cell.bgcolor(), cell.is_wide_continuation());
    }
    format!("{text:?} {:?} on {:?} {flags:?}", cell.fgcolor(), cell.bgcolor())
}

/// A console's list: header, rows with a gutter mark and a highlighted name, a border at the right, a footer.
#[derive(Debug, Clone, Default)]
struct List {
    top: usize,
    selected: usize,
    /// Changes the live columns.
    tick: usize,
    /// Columns of a detail pane at the right, which shows the guest `described`.
    detail: u16,
    described: usize,
}

impl List {
    fn page(rows: u16) -> usize {
        usize::from(rows.saturating_sub(3))
    }

    fn step(&mut self, by: i32, rows: u16) {
        self.selected = self.selected.saturating_add_signed(by as isize).min(9_999);
        let page = Self::page(rows).max(1);
        self.top = self.top.clamp((self.selected + 1).saturating_sub(page), self.selected);
    }

    fn render(&self, buffer: &mut Buffer) -> Option<Position> {
        let (columns, rows) = (buffer.area.width, buffer.area.height);
        let mut text = |x: u16, y: u16, text: &str, style: Style| {
            if x < columns && y < rows {
                buffer.set_stringn(x, y, text, usize::from(columns - x), style);
            }
        };
        let dim = Style::new().fg(Color::DarkGray);
        text(0, 0, " vigie  HOME off  CLOUD ok  EDGE ok", Style::new().bg(Color::Blue));
        text(
            0,
            1,
            "  NAME                    STATUS    NODE     CPU",
            Style::new().add_modifier(Modifier::BOLD),
        );
        for (y, index) in (2..).zip(self.top..self.top + Self::page(rows)) {
            let selected = index == self.selected;
            let name = if selected { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
            let (word, colour) = [("running", Color::Green), ("stopped", Color::DarkGray)][index * 7 % 3 % 2];
            text(0, y, if selected { "▌" } else { " " }, Style::new().fg(Color::Cyan));
            text(2, y, &format!("prod-web-{index:06}"), name);
            text(26, y, word, Style::new().fg(colour));
            text(
                36,
                y,
                &format!("node-{:02}  {:5.1}%", index * 31 % 40, live(index, self.tick)),
                Style::new(),
            );
            let wide = format!("{:6.1} GiB {:7.1} GiB", live(index, 0) * 1.7, live(index + 3, 0) * 9.0);
            text(56, y, &wide, Style::new());
            text(80, y, &format!("10.{}.{}.{}", index % 250, index * 3 % 250, index * 7 % 250), Style::new());
            text(98, y, &format!("{}d{:02}h", index * 13 % 400, index % 24), Style::new());
        }
        for y in 1..rows.saturating_sub(1) {
            let left = columns.saturating_sub(self.detail + 1);
            text(left, y, "│", dim);
            if self.detail > 0 {
                text(left + 1, y, &format!(" guest {} line {y:<60}", self.described), Style::new());
            }
        }
        text(0, rows.saturating_sub(1), " q quit  / filter  ? help", dim);
        let row = 2 + self.selected - self.top;
        (rows > 3).then(|| Position::new(0, u16::try_from(row).unwrap()))
    }
}

fn live(index: usize, tick: usize) -> f64 {
    f64::from(u32::try_from((index * 7919 + tick * 104_729) % 1000).unwrap()) / 10.0
}
