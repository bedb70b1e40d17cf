//! The way from bytes to rows, for `benches/omni.rs` and the fuzz targets: lists, and the lines of streams.

use jiff::Timestamp;
use serde_json::json;

use super::client::Page;
use super::doc::log;
use super::feed::{Feed, Lens};
use super::rows::machines::Machines;
use super::sim::large;
use crate::model::row::{Domain, Row};

/// What a console keeps of the machines that it has seen.
#[derive(Debug, Default)]
pub struct Known(Machines);

/// The two lists behind the pane of machines as the server writes them, at an instant.
pub fn lists(machines: usize, at: Timestamp) -> [Vec<u8>; 2] {
    large(machines, at).map(|items| json!({"total": items.len(), "items": items}).to_string().into_bytes())
}

/// Whether a line of a watch is taken for an event, and one of a machine's log for something to show.
pub fn stream_line(line: &[u8]) -> (bool, bool) {
    (super::watch::is_event(line), log::read(line).is_some())
}

impl Known {
    /// Takes both lists in; the rows that they changed.
    pub fn read(&mut self, lists: &[Vec<u8>; 2], now: Timestamp) -> Vec<Row> {
        let mut touched = Vec::new();
        for (shelf, list) in self.0.shelves().into_iter().zip(lists) {
            let mut each = |text: &str| {
                if let super::feed::Taken::Changed(row) = shelf.put(text) {
                    touched.push(row);
                }
            };
            // The lists are our own and can be read.
            let _ = Page::read(list, &mut each);
        }
        touched.sort();
        touched.dedup();
        let lens = Lens { instance: "omni".into(), domain: Domain::Cloud, ephemeral: None, now };
        touched.iter().filter_map(|id| self.0.row(id, &lens)).collect()
    }
}
