//! The resource store: versions, phases, finalizers and owners as COSI keeps them, and an event for every change.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::{Refusal, message};

/// Namespace, type without the common suffix, and id.
pub(super) type Address = (String, String, String);

/// What every type of Omni ends in.
pub(super) const SUFFIX: &str = ".omni.sidero.dev";

/// The address of a resource of Omni's own.
pub(super) fn at(namespace: &str, kind: &str, id: &str) -> Address {
    (namespace.to_owned(), format!("{kind}{SUFFIX}"), id.to_owned())
}

/// A stored resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Object {
    /// The controller that alone may change it; empty where people may.
    pub owner: String,
    /// Whether it is being torn down.
    pub tearing: bool,
    /// Grows with every change.
    pub version: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Who still has to clean up.
    pub finalizers: Vec<String>,
    /// The type's own fields.
    pub spec: Value,
}

impl Object {
    /// A first version without labels, owned by nobody.
    pub(super) fn new(now: Timestamp, spec: Value) -> Self {
        Self {
            owner: String::new(),
            tearing: false,
            version: 1,
            created: now,
            updated: now,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            finalizers: Vec::new(),
            spec,
        }
    }

    /// Adds a label with Omni's prefix.
    pub(super) fn label(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(format!("omni.sidero.dev/{name}"), value.to_owned());
        self
    }

    /// Adds an owner.
    pub(super) fn owned(mut self, owner: &str) -> Self {
        owner.clone_into(&mut self.owner);
        self
    }

    /// A label with Omni's prefix.
    pub(super) fn labelled(&self, name: &str) -> Option<&str> {
        self.labels.get(&format!("omni.sidero.dev/{name}")).map(String::as_str)
    }

    /// The JSON that travels inside a string.
    pub(super) fn json(&self, (namespace, kind, id): &Address) -> String {
        let second = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut meta = Map::new();
        meta.insert("created".into(), second(self.created).into());
        meta.insert("updated".into(), second(self.updated).into());
        meta.insert("namespace".into(), namespace.as_str().into());
        meta.insert("type".into(), kind.as_str().into());
        meta.insert("id".into(), id.as_str().into());
        meta.insert("owner".into(), self.owner.as_str().into());
        meta.insert("phase".into(), (if self.tearing { "tearingDown" } else { "running" }).into());
        if !self.labels.is_empty() {
            meta.insert("labels".into(), json!(self.labels));
        }
        if !self.annotations.is_empty() {
            meta.insert("annotations".into(), json!(self.annotations));
        }
        if !self.finalizers.is_empty() {
            meta.insert("finalizers".into(), json!(self.finalizers));
        }
        meta.insert("version".into(), self.version.into());
        json!({"spec": message(self.spec.clone()), "metadata": meta}).to_string()
    }
}

/// A change, as a watch tells it.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Its place in the order of all changes.
    pub number: u64,
    /// What changed.
    pub address: Address,
    /// 1 created, 2 updated, 3 destroyed.
    pub kind: i64,
    /// The resource, now or at its end.
    pub resource: String,
    /// The resource before an update.
    pub old: Option<String>,
}

/// Changes that are remembered for watches that lag behind.
const MEMORY: usize = 5_000;

/// All resources.
#[derive(Debug, Default)]
pub(super) struct Store {
    objects: BTreeMap<Address, Object>,
    events: std::collections::VecDeque<Event>,
    number: u64,
}

impl Store {
    /// One resource.
    pub(super) fn get(&self, address: &Address) -> Option<&Object> {
        self.objects.get(address)
    }

    /// All resources of a type.
    pub(super) fn of<'a>(
        &'a self,
        namespace: &'a str,
        kind: &'a str,
    ) -> impl Iterator<Item = (&'a Address, &'a Object)> {
        let from = (namespace.to_owned(), kind.to_owned(), String::new());
        self.objects.range(from..).take_while(move |((ns, k, _), _)| ns == namespace && k == kind)
    }

    /// The ids of Omni's own resources of a type.
    pub(super) fn ids(&self, namespace: &str, kind: &str) -> Vec<String> {
        let kind = format!("{kind}{SUFFIX}");
        self.of(namespace, &kind).map(|((_, _, id), _)| id.clone()).collect()
    }

    /// The number of the last change.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Changes after a number, as far as they are remembered.
    pub(super) fn since(&self, number: u64) -> impl Iterator<Item = &Event> {
        let first = self.events.front().map_or(0, |event| event.number);
        let known = (number + 1).saturating_sub(first);
        self.events.iter().skip(usize::try_from(known).unwrap_or(usize::MAX))
    }

    /// Forgets the changes so far: nobody watched yet.
    pub(super) fn forget_changes(&mut self) {
        self.events.clear();
    }

    fn record(&mut self, address: Address, kind: i64, resource: String, old: Option<String>) {
        self.number += 1;
        self.events.push_back(Event { number: self.number, address, kind, resource, old });
        if self.events.len() > MEMORY {
            self.events.pop_front();
        }
    }

    /// Makes or changes a resource as a controller does; nothing happens where nothing differs.
    pub(super) fn set(&mut self, address: Address, mut object: Object, now: Timestamp) {
        let Some(old) = self.objects.get(&address) else {
            let text = object.json(&address);
            self.objects.insert(address.clone(), object);
            return self.record(address, 1, text, None);
        };
        object.created = old.created;
        object.updated = old.updated;
        object.version = old.version;
        if *old == object {
            return;
        }
        let before = old.json(&address);
        object.version += 1;
        object.updated = now;
        let text = object.json(&address);
        self.objects.insert(address.clone(), object);
        self.record(address, 2, text, Some(before));
    }

    /// Makes a resource where there is none; people may have changed the one that is there.
    pub(super) fn set_once(&mut self, address: Address, object: Object, now: Timestamp) {
        if !self.objects.contains_key(&address) {
            self.set(address, object, now);
        }
    }

    /// Changes a resource in place as a controller does.
    pub(super) fn change(&mut self, address: &Address, now: Timestamp, change: impl FnOnce(&mut Object)) {
        if let Some(mut object) = self.objects.get(address).cloned() {
            change(&mut object);
            self.set(address.clone(), object, now);
        }
    }

    /// Removes a resource.
    pub(super) fn remove(&mut self, address: &Address) {
        if let Some(object) = self.objects.remove(address) {
            let text = object.json(address);
            self.record(address.clone(), 3, text, None);
        }
    }

    /// Creates what people ask for.
    pub(super) fn create(&mut self, address: Address, object: Object, now: Timestamp) -> Result<(), Refusal> {
        if self.objects.contains_key(&address) {
            return Err(Refusal::new(
                6,
                format!("failed to create: resource {} already exists", shown(&address, 1)),
            ));
        }
        self.set(address, object, now);
        Ok(())
    }

    /// Updates what people ask for: the version must be the stored one, nobody else may own it.
    pub(super) fn update(
        &mut self,
        address: Address,
        wanted: Object,
        version: Option<u64>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let stored = self.objects.get(&address).ok_or_else(|| missing(&address))?;
        let current = stored.version;
        if !stored.owner.is_empty() {
            let name = shown(&address, current);
            return Err(Refusal::new(
                7,
                format!("failed to update: resource {name} is owned by \"{}\"", stored.owner),
            ));
        }
        if version.is_some_and(|version| version != current) {
            let name = shown(&address, current);
            let expected = version.unwrap_or_default();
            return Err(Refusal::new(
                6,
                format!(
                    "failed to update: resource {name} update conflict: expected version \"{expected}\", actual version \"{current}\""
                ),
            ));
        }
        if stored.tearing {
            let name = shown(&address, current);
            return Err(Refusal::new(
                3,
                format!("failed to update: resource {name} is not in phase running"),
            ));
        }
        self.set(address, Object { owner: String::new(), ..wanted }, now);
        Ok(())
    }

    /// Starts the end of a resource.
    pub(super) fn teardown(&mut self, address: &Address, now: Timestamp) -> Result<(), Refusal> {
        let stored = self.objects.get(address).ok_or_else(|| missing(address))?;
        if !stored.owner.is_empty() {
            let name = shown(address, stored.version);
            return Err(Refusal::new(
                7,
                format!("failed to teardown: resource {name} is owned by \"{}\"", stored.owner),
            ));
        }
        self.change(address, now, |object| object.tearing = true);
        Ok(())
    }
}

/// The answer for what is not there.
pub(super) fn missing(address: &Address) -> Refusal {
    let (namespace, kind, id) = address;
    Refusal::new(5, format!("resource {kind}({namespace}/{id}@undefined) doesn't exist"))
}

fn shown((namespace, kind, id): &Address, version: u64) -> String {
    format!("{kind}({namespace}/{id}@{version})")
}
