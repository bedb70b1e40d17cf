//! What the operator knows better than any server: that two ids are one thing, and other names of a cluster.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::model::id::EntityId;
use crate::model::row::FacetKey;

/// Names that mean the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aliases {
    ids: HashMap<EntityId, Vec<EntityId>>,
    clusters: HashMap<String, String>,
}

impl Aliases {
    /// Says that two ids are one thing.
    pub fn same(&mut self, one: EntityId, other: EntityId) {
        self.ids.entry(one.clone()).or_default().push(other.clone());
        self.ids.entry(other).or_default().push(one);
    }

    /// Says that a cluster has a second name, as labels of alerts often do.
    pub fn cluster(&mut self, name: &str, is: &str) {
        self.clusters.insert(name.to_owned(), is.to_owned());
    }

    /// The ids that are said to be this one.
    pub fn of(&self, id: &EntityId) -> &[EntityId] {
        self.ids.get(id).map_or(&[], Vec::as_slice)
    }

    /// A facet's value with the cluster's first name in it.
    pub fn plain<'v>(&self, key: FacetKey, value: &'v str) -> Cow<'v, str> {
        let named = matches!(key, FacetKey::Node | FacetKey::Object | FacetKey::Workload | FacetKey::Cluster);
        if self.clusters.is_empty() || !named {
            return Cow::Borrowed(value);
        }
        let (cluster, rest) = value.split_at(value.find('/').unwrap_or(value.len()));
        match self.clusters.get(cluster) {
            Some(first) => Cow::Owned(format!("{first}{rest}")),
            None => Cow::Borrowed(value),
        }
    }
}
