//! The screen: components draw into a buffer, and the fewest bytes that bring the terminal there leave in one write.
//!
//! Over SSH the bytes are the latency, and a stock backend spends 5 kB on a list that scrolls by a row. This one keeps
//! a shadow of what the terminal shows, compares whole frames, lets the terminal scroll where rows merely moved, and
//! says nothing when nothing changed. It never asks the terminal anything.

mod ansi;
mod encode;
mod grid;
mod motion;
mod pen;
mod scroll;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};

use encode::{Encoder, State};
use grid::Grid;

/// Frames longer than this are worth the 16 bytes that make the terminal paint them at once.
const SYNC_OVER: usize = 256;
/// Frames shorter than this cannot be improved by scrolling.
const SCROLL_OVER: usize = 96;

/// Where the console draws its frames.
pub struct Screen<W: Write> {
    out: W,
    canvas: Buffer,
    /// The frame to come.
    next: Grid,
    /// What the terminal shows and remembers, as far as `known`.
    shown: Grid,
    state: State,
    known: bool,
}

impl<W: Write> Screen<W> {
    /// A screen of a size, about whose present content nothing is known.
    pub fn new(out: W, size: Size) -> Self {
        let canvas = Buffer::empty(Rect::from((Position::ORIGIN, size)));
        let blank = Grid::new(size.width, size.height);
        Self { out, canvas, next: blank.clone(), shown: blank, state: State::UNKNOWN, known: false }
    }

    /// Draws one frame and returns the bytes it took; none when nothing visible changed.
    ///
    /// `render` gets an empty buffer and says where the hardware cursor belongs; without a place it is hidden.
    pub fn draw(&mut self, render: impl FnOnce(&mut Buffer) -> Option<Position>) -> io::Result<usize> {
        self.canvas.reset();
        let cursor = render(&mut self.canvas).filter(|&place| self.canvas.area.contains(place));
        self.next.read(&self.canvas);
        let Encoder { bytes, state } = self.encode(cursor.map(|place| (place.x, place.y)));
        // A frame of which only a part could be written leaves an unknown screen.
        self.known = false;
        let sent = self.write_frame(bytes)?;
        self.known = true;
        self.state = state;
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(sent)
    }

    /// The terminal has a new size; the next frame is painted in full.
    pub fn resize(&mut self, size: Size) {
        self.canvas.resize(Rect::from((Position::ORIGIN, size)));
        self.next = Grid::new(size.width, size.height);
        self.shown = self.next.clone();
        self.known = false;
    }

    /// Something else wrote to the terminal; the next frame is painted in full.
    pub fn forget(&mut self) {
        self.known = false;
    }

    /// Sends bytes that neither print nor move (a bell, the clipboard) between two frames.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
    }

    /// The size frames are drawn at.
    pub fn size(&self) -> Size {
        self.canvas.area.as_size()
    }

    fn write_frame(&mut self, bytes: Vec<u8>) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let long = bytes.len() > SYNC_OVER;
        let frame = if long { [ansi::BEGIN_SYNC, &bytes, ansi::END_SYNC].concat() } else { bytes };
        self.send(&frame)?;
        Ok(frame.len())
    }

    fn encode(&self, cursor: Option<(u16, u16)>) -> Encoder {
        if !self.known {
            return self.repaint(cursor);
        }
        let plain = self.difference(Encoder::new(self.state), &self.shown, cursor);
        match self.scrolled(plain.bytes.len(), cursor) {
            Some(scrolled) if scrolled.bytes.len() < plain.bytes.len() => scrolled,
            _ => plain,
        }
    }

    fn repaint(&self, cursor: Option<(u16, u16)>) -> Encoder {
        let mut encoder = Encoder::new(State::UNKNOWN);
        encoder.erase();
        self.difference(encoder, &Grid::new(self.next.columns(), self.next.rows()), cursor)
    }

    /// The frame by way of a scroll, if the plain one is long enough to hope for less.
    fn scrolled(&self, plain: usize, cursor: Option<(u16, u16)>) -> Option<Encoder> {
        let shift = (plain > SCROLL_OVER).then(|| scroll::detect(&self.shown, &self.next)).flatten()?;
        let mut moved = self.shown.clone();
        moved.scroll(shift.top, shift.bottom, shift.lines);
        let mut encoder = Encoder::new(self.state);
        encoder.scroll(shift, self.next.rows());
        Some(self.difference(encoder, &moved, cursor))
    }

    fn difference(&self, mut encoder: Encoder, shown: &Grid, cursor: Option<(u16, u16)>) -> Encoder {
        encoder.paint(shown, &self.next);
        encoder.place_cursor(cursor);
        encoder
    }
}
