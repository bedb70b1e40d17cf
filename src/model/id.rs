//! Stable identities: what selection, marks, links and operations hold on to instead of a position or a name.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A kind's full name, `backend.plural` (`proxmox.guests`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KindId(Arc<str>);

impl KindId {
    /// Takes a full name as it is.
    pub fn new(full: impl Into<Arc<str>>) -> Self {
        Self(full.into())
    }

    /// The full name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first dot.
    pub fn backend(&self) -> &str {
        self.0.split_once('.').map_or(&*self.0, |(backend, _)| backend)
    }

    /// The part after the first dot.
    pub fn name(&self) -> &str {
        self.0.split_once('.').map_or(&*self.0, |(_, name)| name)
    }
}

impl From<&str> for KindId {
    fn from(full: &str) -> Self {
        Self::new(full)
    }
}

impl fmt::Display for KindId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identity of one thing on one server, stable over refreshes.
///
/// Its text form is `kind/instance/key`; only the key may hold further slashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntityId {
    /// What sort of thing it is.
    pub kind: KindId,
    /// The configured name of the server or cluster that it lives on.
    pub instance: Arc<str>,
    /// The key that the server itself uses (`qemu/110`, `media/lidarr-0`, a UUID, a fingerprint).
    pub key: Arc<str>,
}

impl EntityId {
    /// Joins the three parts.
    pub fn new(kind: impl Into<KindId>, instance: impl Into<Arc<str>>, key: impl Into<Arc<str>>) -> Self {
        Self { kind: kind.into(), instance: instance.into(), key: key.into() }
    }

    /// Reads the text form; `None` where a part is missing or empty.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let (kind, instance, key) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = kind.contains('.') && !instance.is_empty() && !key.is_empty();
        whole.then(|| Self::new(kind, instance, key))
    }
}

/// By the key alone: it is what tells the ten thousand rows of one list apart, and every refresh looks them all up.
impl Hash for EntityId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.instance, self.key)
    }
}

impl Serialize for EntityId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EntityId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is no id of the form kind/instance/key"))
        })
    }
}

/// What makes a frozen target *that* thing and no other: named facts in a fixed order.
///
/// A listed row knows some of them, the server's own record more; two identities conflict where they
/// name the same fact with different values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(Vec<(Arc<str>, Arc<str>)>);

/// One fact in which two identities differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The fact's name (`uid`, `vmid`, `node`).
    pub fact: Arc<str>,
    /// What was frozen when the operator decided.
    pub frozen: Arc<str>,
    /// What the server says now.
    pub now: Arc<str>,
}

impl Identity {
    /// An identity without facts, which conflicts with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, fact: impl Into<Arc<str>>, value: impl Into<Arc<str>>) -> Self {
        self.0.push((fact.into(), value.into()));
        self
    }

    /// The value of a fact.
    pub fn get(&self, fact: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| &**name == fact).map(|(_, value)| &**value)
    }

    /// All facts in order.
    pub fn facts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// True where nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The facts that both know and that differ; empty means "still the same thing".
    pub fn conflicts(&self, now: &Self) -> Vec<Conflict> {
        let differs = |(fact, frozen): &(Arc<str>, Arc<str>)| {
            let other = now.0.iter().find(|(name, _)| name == fact).map(|(_, value)| value)?;
            (other != frozen).then(|| Conflict {
                fact: fact.clone(),
                frozen: frozen.clone(),
                now: other.clone(),
            })
        };
        self.0.iter().filter_map(differs).collect()
    }

    /// This identity completed with the facts that only `other` knows.
    #[must_use]
    pub fn joined(mut self, other: &Self) -> Self {
        for (fact, value) in &other.0 {
            if self.get(fact).is_none() {
                self.0.push((fact.clone(), value.clone()));
            }
        }
        self
    }
}

/// One stream of rows: the unit of scheduling, health and staleness.
///
/// A feed may carry rows of several kinds (`proxmox`'s `resources` carries nodes, guests and storages).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceId {
    /// The backend's id (`proxmox`).
    pub backend: Arc<str>,
    /// The configured instance (`pve`).
    pub instance: Arc<str>,
    /// The stream's name within the backend (`resources`, `tasks`, `pods`).
    pub feed: Arc<str>,
}

impl SourceId {
    /// Joins the three parts.
    pub fn new(
        backend: impl Into<Arc<str>>,
        instance: impl Into<Arc<str>>,
        feed: impl Into<Arc<str>>,
    ) -> Self {
        Self { backend: backend.into(), instance: instance.into(), feed: feed.into() }
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.backend, self.instance, self.feed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form_even_with_slashes_in_the_key() {
        let id = EntityId::new("kubernetes.pods", "prod", "media/lidarr-0");
        assert_eq!(EntityId::parse(&id.to_string()), Some(id));
    }

    #[test]
    fn half_an_id_is_no_id() {
        for text in ["", "proxmox.guests", "proxmox.guests/pve", "proxmox.guests/pve/", "guests/pve/110"] {
            assert_eq!(EntityId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn identities_conflict_only_in_facts_that_both_know() {
        let listed = Identity::new().with("vmid", "110").with("node", "pve1");
        let now = Identity::new().with("vmid", "110").with("node", "pve2").with("uuid", "4c4c");
        let conflicts = listed.conflicts(&now);
        assert_eq!(conflicts.len(), 1);
        assert_eq!((&*conflicts[0].fact, &*conflicts[0].now), ("node", "pve2"));
        assert!(listed.conflicts(&Identity::new()).is_empty());
    }

    #[test]
    fn joining_keeps_the_frozen_value() {
        let joined =
            Identity::new().with("node", "a").joined(&Identity::new().with("node", "b").with("uuid", "c"));
        assert_eq!((joined.get("node"), joined.get("uuid")), (Some("a"), Some("c")));
    }
}
