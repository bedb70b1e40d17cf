//! The cursor and the viewport: both hold on to a row's id, so that they stay with it while rows come, go and move.

use std::sync::Arc;

use crate::model::id::EntityId;
use crate::model::row::Row;

use super::order::Order;

/// A cursor over ordered rows.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    id: Option<EntityId>,
    at: usize,
    top: usize,
    height: usize,
    /// Whether the operator has put it somewhere; until then it stays on the first row.
    placed: bool,
    /// Scroll by half a page at the edge: cheaper where another pane stands beside the rows and no scroll region helps.
    leaps: bool,
}

impl Cursor {
    /// The row it stands on, or wants to stand on once it appears.
    pub fn id(&self) -> Option<&EntityId> {
        self.id.as_ref()
    }

    /// Its position in the order.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The position of the first visible row.
    pub fn top(&self) -> usize {
        self.top
    }

    /// How many rows are visible.
    pub fn height(&self) -> usize {
        self.height.max(1)
    }

    /// Takes the size of the viewport; the row under the cursor stays visible.
    pub fn view(&mut self, height: usize, leaps: bool, rows: usize) {
        self.leaps = leaps;
        if self.height != height {
            self.height = height;
            self.reveal(rows, false);
        }
    }

    /// Goes to a position.
    pub fn go(&mut self, at: usize, rows: &[Arc<Row>]) {
        self.at = at.min(rows.len().saturating_sub(1));
        self.id = rows.get(self.at).map(|row| row.id.clone());
        self.placed = true;
        self.reveal(rows.len(), self.leaps);
    }

    /// Stays on its row from now on, even if it has not been moved.
    pub fn pin(&mut self) {
        self.placed = self.id.is_some();
    }

    /// Goes so many rows down, or up where negative.
    pub fn step(&mut self, by: isize, rows: &[Arc<Row>]) {
        self.go(self.at.saturating_add_signed(by), rows);
    }

    /// Goes a whole or half a page, keeping the row's place on the screen.
    pub fn page(&mut self, by: isize, rows: &[Arc<Row>]) {
        let offset = self.at.saturating_sub(self.top);
        self.go(self.at.saturating_add_signed(by), rows);
        self.top = self.at.saturating_sub(offset);
        self.reveal(rows.len(), false);
    }

    /// Asks for a row that may not be there yet.
    pub fn want(&mut self, id: EntityId, order: &Order) {
        if let Some(at) = order.position(&id) {
            self.go(at, &order.rows);
        }
        self.id = Some(id);
        self.placed = true;
    }

    /// Follows its row into a new order; where the row is gone, goes to its nearest neighbour of before.
    pub fn follow(&mut self, old: &[Arc<Row>], order: &Order) {
        let rows = order.rows.len();
        let offset = self.at.saturating_sub(self.top);
        if !self.placed {
            self.at = 0;
            self.id = order.rows.first().map(|row| row.id.clone());
        } else if let Some(at) = self.id.as_ref().and_then(|id| order.position(id)) {
            self.at = at;
        } else if old.get(self.at).map(|row| &row.id) == self.id.as_ref() && rows > 0 {
            self.at = order.neighbour(old, self.at).unwrap_or_else(|| self.at.min(rows - 1));
            self.id = Some(order.rows[self.at].id.clone());
        } else {
            self.at = self.at.min(rows.saturating_sub(1));
        }
        if self.top > 0 || self.at >= self.height() {
            self.top = self.at.saturating_sub(offset);
        }
        self.reveal(rows, false);
    }

    /// Moves the viewport no further than needed; `leap` moves it by half a page.
    fn reveal(&mut self, rows: usize, leap: bool) {
        let height = self.height();
        let half = if leap { height / 2 } else { 0 };
        if self.at < self.top {
            self.top = self.at.saturating_sub(half);
        } else if self.at >= self.top + height {
            self.top = self.at + 1 + half - height;
        }
        self.top = self.top.min(rows.saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(keys: &[&str]) -> Vec<Arc<Row>> {
        let row = |key: &&str| Arc::new(Row::new(EntityId::new("a.b", "i", *key), *key, vec![]));
        keys.iter().map(row).collect()
    }

    fn order(keys: &[&str]) -> Order {
        Order { rows: rows(keys), total: keys.len() }
    }

    fn key(cursor: &Cursor) -> &str {
        cursor.id().map_or("", |id| &*id.key)
    }

    #[test]
    fn it_stays_on_its_row_when_rows_move() {
        let old = rows(&["a", "b", "c"]);
        let mut cursor = Cursor::default();
        cursor.view(10, false, 3);
        cursor.go(1, &old);
        cursor.follow(&old, &order(&["c", "new", "a", "b"]));
        assert_eq!((key(&cursor), cursor.at()), ("b", 3));
    }

    #[test]
    fn it_goes_to_the_neighbour_when_its_row_vanishes() {
        let old = rows(&["a", "b", "c", "d"]);
        let mut cursor = Cursor::default();
        cursor.view(10, false, 4);
        cursor.go(1, &old);
        cursor.follow(&old, &order(&["d", "c", "a"]));
        assert_eq!(key(&cursor), "c");
        cursor.follow(&rows(&["d", "c", "a"]), &order(&["d"]));
        assert_eq!(key(&cursor), "d");
    }

    #[test]
    fn until_it_is_placed_it_shows_the_first_row() {
        let mut cursor = Cursor::default();
        cursor.follow(&[], &order(&["m"]));
        cursor.follow(&rows(&["m"]), &order(&["a", "m"]));
        assert_eq!(key(&cursor), "a");
    }

    #[test]
    fn it_waits_for_a_row_that_is_not_there_yet() {
        let mut cursor = Cursor::default();
        cursor.want(EntityId::new("a.b", "i", "z"), &order(&["a"]));
        cursor.follow(&rows(&["a"]), &order(&["a", "b"]));
        assert_eq!(key(&cursor), "z");
        cursor.follow(&rows(&["a", "b"]), &order(&["a", "b", "z"]));
        assert_eq!((key(&cursor), cursor.at()), ("z", 2));
    }

    #[test]
    fn at_the_edge_it_scrolls_by_one_row_or_by_half_a_page() {
        let names: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        let rows = rows(&names.iter().map(String::as_str).collect::<Vec<_>>());
        for (leaps, top) in [(false, 1), (true, 6)] {
            let mut cursor = Cursor::default();
            cursor.view(10, leaps, 40);
            cursor.go(9, &rows);
            assert_eq!(cursor.top(), 0);
            cursor.step(1, &rows);
            assert_eq!(cursor.top(), top);
        }
    }

    #[test]
    fn pages_keep_the_place_on_the_screen() {
        let names: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        let rows = rows(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let mut cursor = Cursor::default();
        cursor.view(10, false, 40);
        cursor.go(3, &rows);
        cursor.page(10, &rows);
        assert_eq!((cursor.at(), cursor.top()), (13, 10));
        cursor.page(100, &rows);
        assert_eq!((cursor.at(), cursor.top()), (39, 30));
    }
}
