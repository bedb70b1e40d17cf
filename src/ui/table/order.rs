//! Which rows are shown and in which order; computed when facts, filter or sort change, never per key or per frame.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::id::{EntityId, KindId};
use crate::model::kind::{Format, KindSpec};
use crate::model::query::Query;
use crate::model::row::{Row, Value, natural};
use crate::model::store::Store;

use super::Scope;
use super::columns::Source;

/// What the rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The column.
    pub by: Source,
    /// Largest first.
    pub down: bool,
}

/// Where the rows come from and which of them are wanted.
pub struct Wanted<'a> {
    /// Their kind.
    pub kind: &'a KindSpec,
    /// The place the browser was opened from.
    pub scope: Option<&'a Scope>,
    /// The filter.
    pub query: &'a Query,
    /// The order.
    pub sort: Sort,
    /// The instant that ages in the filter are counted to.
    pub now: Timestamp,
}

/// Rows as they are shown.
#[derive(Debug, Default)]
pub struct Order {
    /// The rows that pass the filter, sorted.
    pub rows: Vec<Arc<Row>>,
    /// How many rows there are without the filter.
    pub total: usize,
}

impl Order {
    /// Takes the rows of a kind out of the store.
    pub fn new(store: &Store, wanted: &Wanted<'_>) -> Self {
        let kind: &KindId = &wanted.kind.id;
        let mut total = 0;
        let mut keyed: Vec<(Key, &Arc<Row>)> = Vec::new();
        for row in store.rows(kind).filter(|row| wanted.scope.is_none_or(|s| s.holds(row, wanted.kind))) {
            total += 1;
            if wanted.query.is_empty() || wanted.query.matches(row, wanted.kind, wanted.now) {
                keyed.push((Key::of(row, wanted), row));
            }
        }
        keyed.sort_unstable_by(|a, b| compare(a, b, wanted));
        Self { rows: keyed.into_iter().map(|(_, row)| row.clone()).collect(), total }
    }

    /// Where a row stands.
    pub fn position(&self, id: &EntityId) -> Option<usize> {
        self.rows.iter().position(|row| row.id == *id)
    }

    /// Where the nearest row stands that was beside `at` in the `old` order and is still there.
    pub fn neighbour(&self, old: &[Arc<Row>], at: usize) -> Option<usize> {
        let here: HashSet<&EntityId> = self.rows.iter().map(|row| &row.id).collect();
        let after = old.iter().skip(at);
        let before = old.iter().take(at).rev();
        let found = after.chain(before).find(|row| here.contains(&row.id))?;
        self.position(&found.id)
    }
}

/// A sort key of fixed size; equal keys fall back to a full comparison.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    rank: u8,
    prefix: u128,
}

impl Key {
    fn of(row: &Row, wanted: &Wanted<'_>) -> Self {
        match wanted.sort.by {
            Source::Cell(index) => {
                let value = &row.cell(index).value;
                if is_state(wanted, index) && *value != Value::Empty {
                    let word = value.as_text().map_or(0, prefix);
                    return Self { rank: 0, prefix: (row.health as u128) << 120 | word >> 8 };
                }
                Self::value(value)
            }
            Source::Name => Self { rank: 0, prefix: prefix(&row.name) },
            Source::Instance => Self { rank: 0, prefix: prefix(&row.id.instance) },
            Source::Domain => Self { rank: 0, prefix: row.domain as u128 },
        }
    }

    fn value(value: &Value) -> Self {
        match value {
            Value::Empty => Self { rank: 2, prefix: 0 },
            Value::Text(text) => Self { rank: 1, prefix: prefix(text) },
            number => Self { rank: 0, prefix: number.as_number().map_or(0, ordered) },
        }
    }
}

fn is_state(wanted: &Wanted<'_>, index: usize) -> bool {
    wanted.kind.columns.get(index).is_some_and(|column| column.format == Format::State)
}

/// A float as an integer of the same order.
fn ordered(x: f64) -> u128 {
    let bits = x.to_bits();
    let flipped = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    u128::from(flipped) << 64
}

/// The first sixteen bytes of what natural order compares: letters in lower case, digit runs by length, then digits.
fn prefix(text: &str) -> u128 {
    let (mut key, mut used) = (0_u128, 0);
    let mut push = |byte: u8| {
        if used < 16 {
            key = key << 8 | u128::from(byte);
            used += 1;
        }
    };
    let mut rest = text.as_bytes().get(..text.len().min(40)).unwrap_or_default();
    while let Some(first) = rest.first() {
        if !first.is_ascii_digit() {
            push(first.to_ascii_lowercase());
            rest = &rest[1..];
            continue;
        }
        let end = rest.iter().position(|c| !c.is_ascii_digit()).unwrap_or(rest.len());
        let zeros = rest[..end].iter().take_while(|c| **c == b'0').count();
        push(b'0');
        push(u8::try_from(end - zeros).unwrap_or(u8::MAX));
        rest[zeros..end].iter().copied().for_each(&mut push);
        rest = &rest[end..];
    }
    if used == 0 { 0 } else { key << (8 * (16 - used)) }
}

/// Empty values come last in both directions; equals are told apart by name, then by id.
fn compare(a: &(Key, &Arc<Row>), b: &(Key, &Arc<Row>), wanted: &Wanted<'_>) -> Ordering {
    let empty = |key: &Key| key.rank == 2;
    let mut order = a.0.cmp(&b.0).then_with(|| full(a.1, b.1, wanted));
    if wanted.sort.down && !empty(&a.0) && !empty(&b.0) {
        order = order.reverse();
    }
    order.then_with(|| natural(&a.1.name, &b.1.name)).then_with(|| a.1.id.cmp(&b.1.id))
}

fn full(a: &Row, b: &Row, wanted: &Wanted<'_>) -> Ordering {
    match wanted.sort.by {
        Source::Cell(index) => a.cell(index).value.order(&b.cell(index).value),
        Source::Name => natural(&a.name, &b.name),
        Source::Instance => natural(&a.id.instance, &b.id.instance),
        Source::Domain => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    proptest! {
        #[test]
        fn a_prefix_never_contradicts_natural_order(a in "[a-cA-C0-9 :/-]{0,24}", b in "[a-cA-C0-9 :/-]{0,24}") {
            let (short, long) = (prefix(&a).cmp(&prefix(&b)), natural(&a, &b));
            prop_assert!(short == Ordering::Equal || short == long, "{a:?} {b:?}");
        }

        #[test]
        fn floats_keep_their_order_as_integers(a in -1e12_f64..1e12, b in -1e12_f64..1e12) {
            prop_assert!(ordered(a).cmp(&ordered(b)) == a.total_cmp(&b));
        }
    }
}
