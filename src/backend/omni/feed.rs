//! What a pane's rows are made of: resources of several types, kept by row and projected one row at a time.
//!
//! Lists and watches fill the same shelves, so that polling and streaming cannot disagree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::wire::{Resource, Spec, Table};
use crate::model::row::{Domain, Row};

/// Resources of one type, by the row that they belong to; only what rows are made of is kept of each.
#[derive(Debug)]
pub(super) struct Shelf<S: Spec> {
    items: BTreeMap<Arc<str>, Resource<S>>,
    /// What has been put since the last stock-taking began.
    seen: Option<BTreeSet<Arc<str>>>,
    newest: Option<Timestamp>,
}

impl<S: Spec> Default for Shelf<S> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), seen: None, newest: None }
    }
}

/// What became of a resource that was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// Its JSON cannot be read.
    Unreadable,
    /// It was there in this version.
    Known,
    /// It is new or changed; the row that it belongs to.
    Changed(Arc<str>),
}

impl<S: Spec> Shelf<S> {
    /// The resource of a row.
    pub(super) fn of(&self, row: &str) -> Option<&Resource<S>> {
        self.items.get(row)
    }

    /// The spec of a row's resource.
    pub(super) fn spec(&self, row: &str) -> Option<&S> {
        self.items.get(row).map(|resource| &resource.spec)
    }

    /// The rows that it knows.
    pub(super) fn ids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.items.keys()
    }
}

/// A shelf without its type.
pub(super) trait Shelved: Send + Sync {
    /// Where its resources live.
    fn table(&self) -> Table;
    /// Takes a resource.
    fn put(&mut self, json: &str) -> Taken;
    /// Removes a resource that is gone; the row that it belonged to.
    fn drop(&mut self, json: &str) -> Option<Arc<str>>;
    /// Everything that exists will be put from here on.
    fn begin(&mut self);
    /// It has been: what was not put is gone.
    fn finish(&mut self);
    /// It could not be: what was there stays.
    fn give_up(&mut self);
    /// How many there are.
    fn count(&self) -> usize;
    /// The last change that was seen, as the server dates it.
    fn newest(&self) -> Option<Timestamp>;
}

impl<S: Spec> Shelved for Shelf<S> {
    fn table(&self) -> Table {
        S::TABLE
    }

    fn put(&mut self, json: &str) -> Taken {
        let Ok(mut resource) = serde_json::from_str::<Resource<S>>(json) else { return Taken::Unreadable };
        let row = S::row(&resource);
        self.newest = self.newest.max(resource.metadata.updated);
        if let Some(seen) = &mut self.seen {
            seen.insert(row.clone());
        }
        if let Some(before) = self.items.get(&row) {
            if before.metadata.is_version_of(&resource.metadata) {
                return Taken::Known;
            }
            resource.spec.remember(&before.spec);
        }
        S::thin(&mut resource);
        self.items.insert(row.clone(), resource);
        Taken::Changed(row)
    }

    fn drop(&mut self, json: &str) -> Option<Arc<str>> {
        let row = S::row(&serde_json::from_str(json).ok()?);
        self.items.remove(&row);
        Some(row)
    }

    fn begin(&mut self) {
        self.seen = Some(BTreeSet::new());
    }

    fn finish(&mut self) {
        if let Some(seen) = self.seen.take() {
            self.items.retain(|row, _| seen.contains(row));
        }
    }

    fn give_up(&mut self) {
        self.seen = None;
    }

    fn count(&self) -> usize {
        self.items.len()
    }

    fn newest(&self) -> Option<Timestamp> {
        self.newest
    }
}

/// How a row is to be seen.
#[derive(Debug, Clone)]
pub(super) struct Lens {
    /// The configured name of the instance.
    pub instance: Arc<str>,
    /// The domain of the instance, where a cluster names no other.
    pub domain: Domain,
    /// What the names of short-lived clusters begin with, where there may be any.
    pub ephemeral: Option<Arc<str>>,
    /// Now.
    pub now: Timestamp,
}

impl Lens {
    /// The domain that a cluster's own label `domain` names, else the instance's.
    pub(super) fn domain_of(&self, labels: &BTreeMap<String, String>) -> Domain {
        match labels.get("domain").map(String::as_str) {
            Some("home") => Domain::Home,
            Some("cloud") => Domain::Cloud,
            Some("edge") => Domain::Edge,
            _ => self.domain,
        }
    }
}

/// The facts behind one pane.
pub(super) trait Feed: Default + Send + Sync + 'static {
    /// The kind of its rows.
    const KIND: &'static str;

    /// Every shelf; the first holds the resources that make rows, the others only complete them.
    fn shelves(&mut self) -> Vec<&mut dyn Shelved>;

    /// The rows there are.
    fn ids(&self) -> Vec<Arc<str>>;

    /// One row; `None` where it is none, or none any more.
    fn row(&self, id: &str, lens: &Lens) -> Option<Row>;
}
