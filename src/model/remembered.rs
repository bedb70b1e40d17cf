//! What an earlier process saw of a source: shown until the source answers, and never as good.
//!
//! The first frame at 3 am is drawn from it, before any server has been asked. What was seen then proves nothing now:
//! every cell is drawn in the unknown role, no row has a health, and the age stands beside the list.

use std::sync::Arc;

use jiff::Timestamp;

use super::row::{Cell, Health, Row, Tone};
use super::snapshot::SourceSpec;

/// The last good list of one source.
#[derive(Debug, Clone, PartialEq)]
pub struct Remembered {
    /// The source as its backend described it.
    pub spec: SourceSpec,
    /// When the list was good.
    pub at: Timestamp,
    /// Whether the source announced that it would go.
    pub farewell: bool,
    /// Its rows, in no order.
    pub rows: Vec<Arc<Row>>,
}

/// A row as it may be shown from memory.
pub fn faded(row: Row) -> Row {
    let fade = |cell: Cell| Cell { tone: Tone::Unknown, ..cell };
    Row {
        cells: row.cells.into_iter().map(fade).collect(),
        health: Health::Unknown,
        note: None,
        facets: Box::default(),
        ..row
    }
}

#[cfg(test)]
mod tests {
    use super::super::id::EntityId;
    use super::*;

    #[test]
    fn nothing_that_is_remembered_is_good_or_bad() {
        let cells = vec![Cell::toned("running", Tone::Ok), Cell::toned("x", Tone::Error)];
        let mut row = Row::new(EntityId::new("proxmox.guests", "pve", "qemu/110"), "gaming", cells);
        (row.health, row.note) = (Health::Critical, Some("QEMU says io-error".into()));
        let faded = faded(row.clone());
        assert_eq!((faded.health, faded.note), (Health::Unknown, None));
        assert!(faded.cells.iter().all(|cell| cell.tone == Tone::Unknown));
        assert_eq!((faded.id, &faded.cells[0].value), (row.id, &row.cells[0].value));
    }
}
