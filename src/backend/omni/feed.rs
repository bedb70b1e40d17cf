//! What a pane's rows are made of: resources of several types, kept by row and projected one row at a time.
//!
//! Lists and watches fill the same shelves, so that polling and streaming cannot disagree.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::wire::{Resource, Spec, Table};
use crate::model::row::{Domain, Row};

/// Resources of one type, by the row that they belong to.
#[derive(Debug)]
pub(super) struct Shelf<S: Spec>(BTreeMap<Arc<str>, Resource<S>>);

impl<S: Spec> Default for Shelf<S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<S: Spec> Shelf<S> {
    /// The resource of a row.
    pub(super) fn of(&self, row: &str) -> Option<&Resource<S>> {
        self.0.get(row)
    }

    /// The spec of a row's resource.
    pub(super) fn spec(&self, row: &str) -> Option<&S> {
        self.0.get(row).map(|resource| &resource.spec)
    }

    /// The rows that it knows.
    pub(super) fn ids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.keys()
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
    /// Forgets everything.
    fn clear(&mut self);
}

impl<S: Spec> Shelved for Shelf<S> {
    fn table(&self) -> Table {
        S::TABLE
    }

    fn put(&mut self, json: &str) -> Option<Arc<str>> {
        let resource: Resource<S> = serde_json::from_str(json).ok()?;
        let row = S::row(&resource);
        self.0.insert(row.clone(), resource);
        Some(row)
    }

    fn drop(&mut self, json: &str) -> Option<Arc<str>> {
        let row = S::row(&serde_json::from_str(json).ok()?);
        self.0.remove(&row);
        Some(row)
    }

    fn clear(&mut self) {
        self.0.clear();
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
    /// Every shelf; the first holds the resources that make rows, the others only complete them.
    fn shelves(&mut self) -> Vec<&mut dyn Shelved>;

    /// The rows there are.
    fn ids(&self) -> Vec<Arc<str>>;

    /// One row; `None` where it is none, or none any more.
    fn row(&self, id: &str, lens: &Lens) -> Option<Row>;
}
