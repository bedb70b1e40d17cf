//! What a pane's rows are made of: resources of several types, kept by row and projected one row at a time.
//!
//! Lists and watches fill the same shelves, so that polling and streaming cannot disagree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::wire::{Resource, Spec, Table};
use crate::model::row::{Domain, Row};

/// Resources of one type, by the row that they belong to.
#[derive(Debug)]
pub(super) struct Shelf<S: Spec> {
    items: BTreeMap<Arc<str>, Resource<S>>,
    /// What has been put since the last stock-taking began.
    seen: Option<BTreeSet<Arc<str>>>,
}

impl<S: Spec> Default for Shelf<S> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), seen: None }
    }
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
    /// Takes a new or changed resource; `None` where its JSON cannot be read, else the row that it belongs to.
    fn put(&mut self, json: &str) -> Option<Arc<str>>;
    /// Removes a resource that is gone; the row that it belonged to.
    fn drop(&mut self, json: &str) -> Option<Arc<str>>;
    /// Everything that exists will be put from here on.
    fn begin(&mut self);
    /// It has been: what was not put is gone.
    fn finish(&mut self);
}

impl<S: Spec> Shelved for Shelf<S> {
    fn table(&self) -> Table {
        S::TABLE
    }

    fn put(&mut self, json: &str) -> Option<Arc<str>> {
        let mut resource: Resource<S> = serde_json::from_str(json).ok()?;
        let row = S::row(&resource);
        if let Some(before) = self.items.get(&row) {
            resource.spec.remember(&before.spec);
        }
        if let Some(seen) = &mut self.seen {
            seen.insert(row.clone());
        }
        self.items.insert(row.clone(), resource);
        Some(row)
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
}

/// How a row is to be seen.
#[derive(Debug, Clone)]
pub(super) struct Lens {
    /// The configured name of the instance.
    pub instance: Arc<str>,
    /// The domain of the instance, where a cluster names no other.
    pub domain: Domain,
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
