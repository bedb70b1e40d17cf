//! What a source has said and nobody has read yet: never more than one list, one set of changes and one fault.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::model::id::{EntityId, SourceId};
use crate::model::row::Row;
use crate::model::snapshot::{Delta, Epoch, Fault, Snapshot, Update};

/// The unread answers of one source, merged.
#[derive(Debug, Default)]
pub struct Slot {
    epoch: Epoch,
    list: Option<Snapshot>,
    /// What changed since: a row, or `None` where it is gone.
    changes: HashMap<EntityId, Option<Row>>,
    /// Instant and completeness of the last change.
    changed: Option<(Timestamp, bool)>,
    same: Option<Timestamp>,
    fault: Option<Fault>,
}

impl Slot {
    /// Takes an answer in; one of an older epoch than the last is dropped.
    ///
    /// A list overwrites everything unread, changes are merged row by row, and a fault stands behind the rows, as
    /// rows that were seen stay true until they are seen otherwise.
    pub fn push(&mut self, epoch: Epoch, body: Result<Delta, Fault>) {
        if epoch < self.epoch {
            return;
        }
        self.epoch = epoch;
        match body {
            Err(fault) => self.fault = Some(fault),
            Ok(delta) => {
                self.fault = None;
                self.take_in(delta);
            }
        }
    }

    fn take_in(&mut self, delta: Delta) {
        match delta {
            Delta::Reset(list) => *self = Self { epoch: self.epoch, list: Some(list), ..Self::default() },
            Delta::Change { upserts, removes, observed_at, complete } => {
                self.changes.extend(removes.into_iter().map(|id| (id, None)));
                self.changes.extend(upserts.into_iter().map(|row| (row.id.clone(), Some(row))));
                self.changed = Some((observed_at, complete));
            }
            Delta::Same(at) => match (&mut self.changed, &mut self.list) {
                (Some((observed_at, _)), _) => *observed_at = at,
                (None, Some(list)) => list.observed_at = at,
                (None, None) => self.same = Some(at),
            },
        }
    }

    /// Hands out what is unread, the rows before the fault; `None` where everything was read.
    pub fn pop(&mut self, source: &SourceId) -> Option<Update> {
        let body = match self.rows() {
            Some(delta) => Ok(delta),
            None => Err(self.fault.take()?),
        };
        Some(Update { source: source.clone(), epoch: self.epoch, body })
    }

    /// True where everything was read.
    pub fn is_empty(&self) -> bool {
        self.list.is_none() && self.changed.is_none() && self.same.is_none() && self.fault.is_none()
    }

    fn rows(&mut self) -> Option<Delta> {
        let same = self.same.take();
        let changed = self.changed.take();
        let overlay = std::mem::take(&mut self.changes);
        match (self.list.take(), changed) {
            (Some(list), None) => Some(Delta::Reset(list)),
            (Some(list), Some((observed_at, complete))) => {
                Some(Delta::Reset(merged(list, overlay, observed_at, complete)))
            }
            (None, Some((observed_at, complete))) => Some(change(overlay, observed_at, complete)),
            (None, None) => same.map(Delta::Same),
        }
    }
}

fn merged(
    mut list: Snapshot,
    changes: HashMap<EntityId, Option<Row>>,
    at: Timestamp,
    complete: bool,
) -> Snapshot {
    list.rows.retain(|row| !changes.contains_key(&row.id));
    list.rows.extend(changes.into_values().flatten());
    Snapshot { complete, observed_at: at, ..list }
}

fn change(changes: HashMap<EntityId, Option<Row>>, observed_at: Timestamp, complete: bool) -> Delta {
    let (mut upserts, mut removes) = (Vec::new(), Vec::new());
    for (id, row) in changes {
        match row {
            Some(row) => upserts.push(row),
            None => removes.push(id),
        }
    }
    Delta::Change { upserts, removes, observed_at, complete }
}

#[cfg(test)]
mod tests {
    use crate::model::row::Cell;
    use crate::model::snapshot::Layer;

    use super::*;

    fn source() -> SourceId {
        SourceId::new("kubernetes", "prod", "pods")
    }

    fn row(key: &str, state: &str) -> Row {
        Row::new(EntityId::new("kubernetes.pods", "prod", key), key, vec![Cell::new(state)])
    }

    fn list(rows: Vec<Row>) -> Delta {
        Delta::Reset(Snapshot::complete(rows, Timestamp::UNIX_EPOCH))
    }

    fn changed(upserts: Vec<Row>, removes: Vec<Row>) -> Delta {
        let removes = removes.into_iter().map(|row| row.id).collect();
        Delta::Change { upserts, removes, observed_at: Timestamp::UNIX_EPOCH, complete: true }
    }

    fn fault() -> Fault {
        Fault::new(Layer::Tcp, "refused")
    }

    fn filled(pushes: Vec<(u64, Result<Delta, Fault>)>) -> Vec<Update> {
        let mut slot = Slot::default();
        for (epoch, body) in pushes {
            slot.push(Epoch(epoch), body);
        }
        let read: Vec<_> = std::iter::from_fn(|| slot.pop(&source())).collect();
        assert!(slot.is_empty());
        read
    }

    #[test]
    fn an_unread_list_is_overwritten_by_the_next() {
        let read = filled(vec![(1, Ok(list(vec![row("a", "old")]))), (2, Ok(list(vec![row("a", "new")])))]);
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].body, Ok(list(vec![row("a", "new")])));
    }

    #[test]
    fn changes_after_an_unread_list_are_merged_into_it() {
        let read = filled(vec![
            (1, Ok(list(vec![row("a", "1"), row("b", "1")]))),
            (1, Ok(changed(vec![row("b", "2")], vec![row("a", "")]))),
        ]);
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].body, Ok(list(vec![row("b", "2")])));
    }

    #[test]
    fn no_change_is_lost_and_of_each_row_the_last_counts() {
        let read = filled(vec![
            (1, Ok(changed(vec![row("a", "1"), row("b", "1")], vec![]))),
            (1, Ok(changed(vec![row("a", "2")], vec![row("b", "")]))),
        ]);
        assert_eq!(read[0].body, Ok(changed(vec![row("a", "2")], vec![row("b", "")])));
    }

    #[test]
    fn a_fault_stands_behind_the_unread_rows() {
        let read = filled(vec![(1, Ok(list(vec![row("a", "1")]))), (2, Err(fault()))]);
        assert_eq!(read.len(), 2);
        assert!(read[0].body.is_ok());
        assert_eq!(read[1].body, Err(fault()));
    }

    #[test]
    fn good_news_forgets_an_unread_fault() {
        let read = filled(vec![(1, Err(fault())), (2, Ok(Delta::Same(Timestamp::UNIX_EPOCH)))]);
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].body, Ok(Delta::Same(Timestamp::UNIX_EPOCH)));
    }

    #[test]
    fn an_answer_of_an_older_request_is_dropped() {
        let read = filled(vec![(2, Ok(list(vec![row("a", "new")]))), (1, Ok(list(vec![])))]);
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].body, Ok(list(vec![row("a", "new")])));
    }
}
