//! Finding out that rows only moved up or down.
//!
//! Rows are cut into blocks of eight columns and hashed: blocks that occur once before and once after vote on the
//! distance. Blocks, not rows, because the gutter's mark and the highlighted name change while the list scrolls, and
//! because a detail pane may stand beside the list.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hash, Hasher};

use super::grid::{Grid, Slot};

const BLOCK: usize = 8;
/// Votes below which a common move is chance.
const QUORUM: usize = 3;

/// A move of the rows `top..=bottom`; up if `lines` is positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    pub top: u16,
    pub bottom: u16,
    pub lines: i32,
}

impl Shift {
    /// How far, without the direction.
    pub fn distance(self) -> u16 {
        u16::try_from(self.lines.unsigned_abs()).unwrap_or(u16::MAX)
    }
}

/// The one move that explains most of the difference, if there is one worth trying.
pub(super) fn detect(shown: &Grid, next: &Grid) -> Option<Shift> {
    let lines = elect(&places(shown), &places(next))?;
    let (first, last) = best_rows(shown, next, lines)?;
    let source = |y: u16| u16::try_from(i32::from(y) + lines).ok();
    let (top, bottom) = if lines > 0 { (first, source(last)?) } else { (source(first)?, last) };
    Some(Shift { top, bottom, lines })
}

/// The row of each block by its column and fingerprint; none where it stands more than once.
type Places = HashMap<(usize, u64), Option<u16>, Mixing>;

fn places(grid: &Grid) -> Places {
    let mut places = Places::default();
    for y in 0..grid.rows() {
        for (column, block) in grid.row(y).chunks(BLOCK).enumerate() {
            if block.iter().all(Slot::is_blank) {
                continue;
            }
            match places.entry((column, fingerprint(block))) {
                Entry::Vacant(place) => drop(place.insert(Some(y))),
                Entry::Occupied(mut place) => drop(place.insert(None)),
            }
        }
    }
    places
}

/// The distance most blocks moved by.
fn elect(before: &Places, after: &Places) -> Option<i32> {
    let mut votes: HashMap<i32, usize> = HashMap::new();
    for (block, now) in after {
        if let (Some(now), Some(Some(then))) = (now, before.get(block))
            && now != then
        {
            *votes.entry(i32::from(*then) - i32::from(*now)).or_default() += 1;
        }
    }
    let (lines, count) = votes.into_iter().max_by_key(|&(lines, count)| (count, -lines.abs(), lines))?;
    (count >= QUORUM).then_some(lines)
}

/// The run of rows that gains most cells when each takes the place of the row `lines` below it (Kadane's algorithm).
fn best_rows(shown: &Grid, next: &Grid, lines: i32) -> Option<(u16, u16)> {
    let (mut best, mut best_gain) = (None, 0);
    let (mut start, mut gain) = (0, 0);
    for y in 0..next.rows() {
        let from = u16::try_from(i32::from(y) + lines).ok().filter(|&from| from < shown.rows());
        let Some(from) = from else {
            (start, gain) = (y + 1, 0);
            continue;
        };
        gain += same(shown.row(from), next.row(y)) - same(shown.row(y), next.row(y));
        if gain <= 0 {
            (start, gain) = (y + 1, 0);
        } else if gain > best_gain {
            (best, best_gain) = (Some((start, y)), gain);
        }
    }
    best
}

fn same(shown: &[Slot], next: &[Slot]) -> i32 {
    let count = shown.iter().zip(next).filter(|(shown, next)| shown == next).count();
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn fingerprint(block: &[Slot]) -> u64 {
    let mut mixer = Mixer(0);
    block.hash(&mut mixer);
    mixer.0
}

/// A fast hash for our own screen; nobody gains by making blocks collide, the worst is a longer frame.
struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u16(&mut self, value: u16) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

/// Hashes the map's keys with the same mixer.
#[derive(Clone, Copy, Default)]
struct Mixing;

impl BuildHasher for Mixing {
    type Hasher = Mixer;

    fn build_hasher(&self) -> Mixer {
        Mixer(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Shift, detect};
    use crate::runtime::screen::grid::Grid;
    use ratatui::buffer::Buffer;

    fn grid(lines: Vec<String>) -> Grid {
        let drawn = Buffer::with_lines(lines);
        let mut grid = Grid::new(drawn.area.width, drawn.area.height);
        grid.read(&drawn);
        grid
    }

    /// A header, eight rows of a list that starts at `top`, and a footer.
    fn list(top: usize) -> Grid {
        let mut lines = vec!["header".to_owned()];
        lines.extend((top..top + 8).map(|n| format!("  guest-{n:06}  running  node-{:02}", n * 7 % 40)));
        lines.push("footer".to_owned());
        grid(lines)
    }

    #[test]
    fn a_scrolled_list_is_one_shift_between_header_and_footer() {
        let cases = [(10, 11, 1), (10, 13, 3), (10, 9, -1), (10, 6, -4)];
        for (before, after, lines) in cases {
            let found = detect(&list(before), &list(after));
            assert_eq!(found, Some(Shift { top: 1, bottom: 8, lines }), "{before} -> {after}");
        }
    }

    #[test]
    fn what_did_not_move_is_no_shift() {
        assert_eq!(detect(&list(10), &list(10)), None);
        assert_eq!(detect(&list(10), &list(500)), None);
        assert_eq!(detect(&Grid::new(0, 0), &Grid::new(0, 0)), None);
    }
}
