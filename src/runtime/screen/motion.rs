//! The cursor and the fewest bytes that bring it somewhere else.

use super::ansi;

/// Where the terminal's cursor is, as far as it is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cursor {
    /// Only an absolute position helps.
    Unknown,
    /// On this column and row, from zero.
    At(u16, u16),
    /// The last column of this row was written: the next glyph would wrap, and relative moves differ by terminal.
    Wrapping(u16),
}

/// Half of a move, along one axis.
#[derive(Clone, Copy)]
enum Step {
    Stay,
    Return,
    Control(u8, u16),
    Csi(u16, u8),
}

impl Step {
    fn len(self) -> usize {
        match self {
            Self::Stay => 0,
            Self::Return => 1,
            Self::Control(_, n) => usize::from(n),
            Self::Csi(n, _) => ansi::csi_len(n),
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Stay => {}
            Self::Return => out.push(b'\r'),
            Self::Control(byte, n) => out.extend(std::iter::repeat_n(byte, usize::from(n))),
            Self::Csi(n, function) => ansi::csi(out, n, function),
        }
    }
}

/// Appends the shortest move from `from` to column `x`, row `y` among CR, LF, BS, CUU, CUD, CUF, CUB, CHA, VPA, CUP.
///
/// LF as "down" relies on output processing being off, and on rows above the last: it never scrolls.
pub(super) fn go(out: &mut Vec<u8>, from: Cursor, x: u16, y: u16) {
    let steps = match from {
        Cursor::Unknown => None,
        Cursor::At(fx, fy) => Some([Step::Stay, horizontal(fx, x), vertical(fy, y)]),
        Cursor::Wrapping(fy) => Some([Step::Return, horizontal(0, x), vertical(fy, y)]),
    };
    match steps.filter(|steps| steps.iter().map(|s| s.len()).sum::<usize>() <= absolute_len(x, y)) {
        Some(steps) => steps.into_iter().for_each(|step| step.write(out)),
        None => absolute(out, x, y),
    }
}

/// How many bytes [`go`] takes.
pub(super) fn cost(from: Cursor, x: u16, y: u16) -> usize {
    let mut bytes = Vec::with_capacity(10);
    go(&mut bytes, from, x, y);
    bytes.len()
}

fn vertical(from: u16, to: u16) -> Step {
    let absolute = Step::Csi(to + 1, b'd');
    match to.checked_sub(from) {
        Some(0) => Step::Stay,
        Some(down) => shortest([Step::Control(b'\n', down), Step::Csi(down, b'B'), absolute]),
        None => shortest([Step::Csi(from - to, b'A'), absolute, absolute]),
    }
}

fn horizontal(from: u16, to: u16) -> Step {
    let absolute = Step::Csi(to + 1, b'G');
    match to.checked_sub(from) {
        Some(0) => Step::Stay,
        Some(right) => shortest([Step::Csi(right, b'C'), absolute, absolute]),
        None if to == 0 => Step::Return,
        None => shortest([Step::Control(b'\x08', from - to), Step::Csi(from - to, b'D'), absolute]),
    }
}

fn shortest(steps: [Step; 3]) -> Step {
    let [first, second, third] = steps;
    let nearer = if second.len() < first.len() { second } else { first };
    if third.len() < nearer.len() { third } else { nearer }
}

fn absolute(out: &mut Vec<u8>, x: u16, y: u16) {
    out.extend_from_slice(b"\x1b[");
    if (x, y) != (0, 0) {
        ansi::number(out, y + 1);
    }
    if x > 0 {
        out.push(b';');
        ansi::number(out, x + 1);
    }
    out.push(b'H');
}

fn absolute_len(x: u16, y: u16) -> usize {
    let row = if (x, y) == (0, 0) { 0 } else { ansi::digits(y + 1) };
    let column = if x > 0 { 1 + ansi::digits(x + 1) } else { 0 };
    3 + row + column
}

#[cfg(test)]
mod tests {
    use super::{Cursor, cost, go};

    fn moved(from: Cursor, x: u16, y: u16) -> String {
        let mut out = Vec::new();
        go(&mut out, from, x, y);
        assert_eq!(out.len(), cost(from, x, y));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_shortest_move_is_taken() {
        let cases = [
            (Cursor::At(5, 5), (5, 5), ""),
            (Cursor::At(5, 5), (0, 5), "\r"),
            (Cursor::At(5, 5), (0, 6), "\r\n"),
            (Cursor::At(5, 5), (3, 5), "\x08\x08"),
            (Cursor::At(5, 5), (5, 7), "\n\n"),
            (Cursor::At(5, 5), (5, 15), "\x1b[10B"),
            (Cursor::At(5, 5), (6, 5), "\x1b[C"),
            (Cursor::At(5, 5), (60, 5), "\x1b[55C"),
            (Cursor::At(119, 5), (9, 5), "\x1b[10G"),
            (Cursor::At(50, 20), (50, 19), "\x1b[A"),
            (Cursor::At(50, 20), (50, 2), "\x1b[3d"),
            (Cursor::At(100, 30), (0, 0), "\x1b[H"),
            (Cursor::At(100, 30), (7, 3), "\x1b[4;8H"),
            (Cursor::Unknown, (0, 9), "\x1b[10H"),
            (Cursor::Wrapping(5), (0, 6), "\r\n"),
            (Cursor::Wrapping(5), (3, 5), "\r\x1b[3C"),
        ];
        for (from, (x, y), expected) in cases {
            assert_eq!(moved(from, x, y), expected, "{from:?} -> {x},{y}");
        }
    }

    #[test]
    fn an_uncertain_cursor_is_only_moved_absolutely_or_by_return() {
        for (x, y) in [(0, 0), (1, 5), (79, 5), (0, 23), (40, 12)] {
            assert!(moved(Cursor::Unknown, x, y).ends_with('H'));
            let wrapping = moved(Cursor::Wrapping(5), x, y);
            assert!(wrapping.starts_with('\r') || wrapping.ends_with('H'), "{wrapping:?}");
        }
    }
}
