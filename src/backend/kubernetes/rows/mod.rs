//! From the API server's objects to rows: one file for each sort of object.

pub mod batch;
pub mod events;
pub mod network;
pub mod nodes;
pub mod pods;
pub mod quantity;
pub mod workloads;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::backend::lenient::Text;
use crate::model::id::{EntityId, Identity, KindId};
use crate::model::row::{Cell, Domain, Facet, FacetKey, Grade, Health, Row, Tone, Value};

use super::resource;
use super::wire::Meta;

/// What every row of an instance has in common; texts that repeat over thousands of rows are kept once.
#[derive(Debug)]
pub struct Maker {
    /// The configured name of the cluster.
    pub instance: Arc<str>,
    /// Its failure domain.
    pub domain: Domain,
    texts: Mutex<HashSet<Arc<str>>>,
}

/// How a thing is: its word, its health, and the one fact behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The word in the first column.
    pub word: String,
    /// How it is.
    pub health: Health,
    /// Why, where it is not good.
    pub why: String,
}

impl State {
    /// A state without more to say.
    pub fn new(word: &str, health: Health) -> Self {
        Self { word: word.to_owned(), health, why: String::new() }
    }

    /// Adds the fact behind it.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// The first column's cell.
    pub fn cell(&self) -> Cell {
        Cell::toned(self.word.as_str(), self.health.into())
    }
}

/// Labels that controllers write for themselves, other ones for each pod.
const MADE: [&str; 7] = [
    "pod-template-hash",
    "controller-revision-hash",
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
];

/// More different texts than this are not worth keeping.
const MOST_TEXTS: usize = 4096;

impl Maker {
    /// A maker for one instance.
    pub fn new(instance: Arc<str>, domain: Domain) -> Self {
        Self { instance, domain, texts: Mutex::default() }
    }

    /// The one copy of a text that many rows hold (namespaces, nodes, reasons).
    pub fn once(&self, text: &str) -> Arc<str> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = texts.get(text) {
            return known.clone();
        }
        let new: Arc<str> = Arc::from(text);
        if texts.len() < MOST_TEXTS {
            texts.insert(new.clone());
        }
        new
    }

    /// A cell with a text that many rows hold.
    pub fn cell(&self, text: &str) -> Cell {
        if text.is_empty() {
            Cell::empty()
        } else {
            Cell { value: Value::Text(self.once(text)), tone: Tone::Text }
        }
    }

    /// The labels that somebody chose, `name=value` after `name=value`; one copy for all pods of a workload.
    pub fn labels(&self, meta: &Meta) -> Cell {
        let chosen = meta.labels.iter().filter(|(name, _)| !MADE.contains(name));
        let words: Vec<String> = chosen.map(|(name, value)| format!("{name}={value}")).collect();
        self.cell(&words.join(","))
    }

    /// A row of an object.
    pub fn row(&self, kind: &KindId, meta: &Meta, state: &State, cells: Vec<Cell>) -> Row {
        let key = resource::key(&meta.namespace, &meta.name);
        let id = EntityId { kind: kind.clone(), instance: self.instance.clone(), key: key.into() };
        let mut row = Row::new(id, meta.name.shared(), cells);
        row.health = state.health;
        row.note = (!state.why.is_empty()).then(|| self.once(&state.why));
        row.domain = self.domain;
        row.identity = Identity::new().with(self.once("uid"), meta.uid.shared());
        row
    }

    /// The join key of an object of this cluster: `cluster/namespace/name`.
    pub fn object(&self, namespace: &str, name: &str) -> Facet {
        Facet::new(FacetKey::Object, format!("{}/{namespace}/{name}", self.instance), Grade::Certain)
    }

    /// The join key of what runs pods of this cluster: `cluster/namespace/name`; one text for all of its pods.
    pub fn workload(&self, namespace: &str, name: &str) -> Facet {
        let value = self.once(&format!("{}/{namespace}/{name}", self.instance));
        Facet::new(FacetKey::Workload, value, Grade::Likely)
    }

    /// The join key of a node of this cluster: `cluster/name`.
    pub fn node(&self, name: &str) -> Facet {
        Facet::new(FacetKey::Node, self.once(&format!("{}/{name}", self.instance)), Grade::Certain)
    }
}

/// The application that an object says it belongs to, and how much that proves.
pub fn application(meta: &Meta) -> Option<Facet> {
    // `APP:GROUP/KIND:NAMESPACE/NAME`, written by Argo CD itself.
    if let Some(tracking) = meta.annotations.get("argocd.argoproj.io/tracking-id") {
        let app = tracking.split(':').next().unwrap_or_default();
        return Some(Facet::new(FacetKey::App, app, Grade::Likely));
    }
    let app = meta.labels.get("app.kubernetes.io/instance")?;
    Some(Facet::new(FacetKey::App, app, Grade::Hint))
}

/// An age cell out of a timestamp.
pub fn age(text: &Text) -> Cell {
    Cell::new(text.time())
}
