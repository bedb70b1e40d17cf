//! The objects of one simulated cluster: a version that grows with every write, and a bounded history for watches.
//!
//! Objects are kept as JSON text, so that fifty thousand of them fit and a list is written by joining them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;

/// How many changes of a resource a watch can look back to.
const HISTORY: usize = 4096;

/// One change of an object.
#[derive(Debug, Clone)]
pub struct Change {
    /// The version after it.
    pub version: u64,
    /// `ADDED`, `MODIFIED`, `DELETED`.
    pub event: &'static str,
    /// The namespace, for watches of one.
    pub namespace: Arc<str>,
    /// The object as it then was.
    pub object: Arc<str>,
}

#[derive(Debug, Default)]
struct Table {
    objects: BTreeMap<String, Arc<str>>,
    history: VecDeque<Change>,
    /// Changes up to this version are forgotten.
    compacted: u64,
}

#[derive(Debug, Default)]
struct Inner {
    version: u64,
    uids: u64,
    tables: BTreeMap<String, Table>,
}

/// Why a write is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// No such object.
    Missing,
    /// The precondition names another version or uid; the text is the server's.
    Conflict(String),
    /// The object would not be valid.
    Invalid(String),
}

/// The objects of a cluster.
#[derive(Debug)]
pub struct Store {
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
}

/// Fills a JSON merge patch (RFC 7386) into a value.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Some(into) = target.as_object_mut() else { return };
    for (key, value) in fields {
        if value.is_null() {
            into.remove(key);
        } else {
            merge(into.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The key of an object in its table.
pub fn key_of(object: &Value) -> String {
    let (namespace, name) = (text(object, "/metadata/namespace"), text(object, "/metadata/name"));
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

impl Store {
    /// An empty cluster whose versions begin somewhere in the middle, as those of real ones do.
    pub fn new(first: u64) -> Self {
        let inner = Inner { version: first, ..Inner::default() };
        Self { inner: Mutex::new(inner), changed: watch::Sender::new(first) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Told after every write.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The version now.
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// Puts an object in, new or instead of the one of its name; uid and version are the store's.
    pub fn put(&self, table: &str, mut object: Value) -> Arc<str> {
        let mut inner = self.lock();
        let key = key_of(&object);
        let known = inner.tables.get(table).and_then(|t| t.objects.get(&key)).cloned();
        let uid = if let Some(old) = &known {
            uid_of(old)
        } else {
            inner.uids += 1;
            format!("{:08x}-0000-4000-8000-{:012x}", fnv(table), inner.uids)
        };
        object["metadata"]["uid"] = Value::from(uid);
        let event = if known.is_some() { "MODIFIED" } else { "ADDED" };
        self.commit(&mut inner, table, &key, object, event)
    }

    fn commit(
        &self,
        inner: &mut Inner,
        table: &str,
        key: &str,
        mut object: Value,
        event: &'static str,
    ) -> Arc<str> {
        inner.version += 1;
        let version = inner.version;
        object["metadata"]["resourceVersion"] = Value::from(version.to_string());
        let namespace: Arc<str> = text(&object, "/metadata/namespace").into();
        let object: Arc<str> = object.to_string().into();
        let table = inner.tables.entry(table.to_owned()).or_default();
        if event == "DELETED" {
            table.objects.remove(key);
        } else {
            table.objects.insert(key.to_owned(), object.clone());
        }
        table.history.push_back(Change { version, event, namespace, object: object.clone() });
        if table.history.len() > HISTORY {
            table.compacted = table.history.pop_front().map_or(table.compacted, |change| change.version);
        }
        self.changed.send_replace(version);
        object
    }

    /// One object.
    pub fn get(&self, table: &str, key: &str) -> Option<Value> {
        let text = self.lock().tables.get(table)?.objects.get(key)?.clone();
        serde_json::from_str(&text).ok()
    }

    /// The texts of all objects after a key, in the order of their keys, with the version they stand at.
    pub fn page(
        &self,
        table: &str,
        namespace: Option<&str>,
        after: &str,
        limit: usize,
    ) -> (Vec<(String, Arc<str>)>, u64) {
        let inner = self.lock();
        let Some(found) = inner.tables.get(table) else { return (Vec::new(), inner.version) };
        let prefix = namespace.map(|namespace| format!("{namespace}/")).unwrap_or_default();
        let from = if after.is_empty() { prefix.clone() } else { format!("{after}\0") };
        let rows = found.objects.range(from..).take_while(|(key, _)| key.starts_with(&prefix));
        (rows.take(limit).map(|(key, object)| (key.clone(), object.clone())).collect(), inner.version)
    }

    /// All objects of a table.
    pub fn all(&self, table: &str) -> Vec<Value> {
        let (rows, _) = self.page(table, None, "", usize::MAX);
        rows.iter().filter_map(|(_, text)| serde_json::from_str(text).ok()).collect()
    }

    /// Changes an object in place; what does not differ is not written, as on the real server.
    pub fn update(
        &self,
        table: &str,
        key: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Arc<str>, Refused> {
        self.change(table, key, |object| {
            change(object);
            Ok(())
        })
    }

    /// Changes an object by a merge patch under the preconditions in its metadata.
    pub fn patch(&self, table: &str, key: &str, patch: &Value) -> Result<Arc<str>, Refused> {
        self.change(table, key, |object| {
            held(object, &patch["metadata"])?;
            let spec = object["spec"].clone();
            merge(object, patch);
            // What is wanted has changed, which the generation counts.
            if object["spec"] != spec && object["metadata"]["generation"].is_number() {
                object["metadata"]["generation"] =
                    (object["metadata"]["generation"].as_i64().unwrap_or(0) + 1).into();
            }
            Ok(())
        })
    }

    fn change(
        &self,
        table: &str,
        key: &str,
        change: impl FnOnce(&mut Value) -> Result<(), Refused>,
    ) -> Result<Arc<str>, Refused> {
        let mut inner = self.lock();
        let old =
            inner.tables.get(table).and_then(|t| t.objects.get(key)).cloned().ok_or(Refused::Missing)?;
        let before: Value = serde_json::from_str(&old).map_err(|e| Refused::Invalid(e.to_string()))?;
        let mut after = before.clone();
        change(&mut after)?;
        if after == before {
            return Ok(old);
        }
        Ok(self.commit(&mut inner, table, key, after, "MODIFIED"))
    }

    /// An object, if it is the one that preconditions name.
    pub fn check(&self, table: &str, key: &str, preconditions: &Value) -> Result<Arc<str>, Refused> {
        let object = self.get(table, key).ok_or(Refused::Missing)?;
        held(&object, preconditions)?;
        Ok(object.to_string().into())
    }

    /// Removes an object under the preconditions of its `DeleteOptions`.
    pub fn delete(&self, table: &str, key: &str, options: &Value) -> Result<Arc<str>, Refused> {
        let mut inner = self.lock();
        let old =
            inner.tables.get(table).and_then(|t| t.objects.get(key)).cloned().ok_or(Refused::Missing)?;
        let object: Value = serde_json::from_str(&old).map_err(|e| Refused::Invalid(e.to_string()))?;
        held(&object, &options["preconditions"])?;
        Ok(self.commit(&mut inner, table, key, object, "DELETED"))
    }

    /// The changes after a version; `None` where they are forgotten (410).
    pub fn since(&self, table: &str, version: u64) -> Option<(Vec<Change>, u64)> {
        let inner = self.lock();
        let now = inner.version;
        let Some(found) = inner.tables.get(table) else { return Some((Vec::new(), now)) };
        if version < found.compacted {
            return None;
        }
        let start = found.history.partition_point(|change| change.version <= version);
        Some((found.history.range(start..).cloned().collect(), now))
    }

    /// Forgets the history, as etcd does every five minutes.
    pub fn compact(&self) {
        let mut inner = self.lock();
        inner.version += 1;
        let version = inner.version;
        for table in inner.tables.values_mut() {
            table.history.clear();
            table.compacted = version;
        }
    }
}

/// Refuses where preconditions name another uid or version.
fn held(object: &Value, preconditions: &Value) -> Result<(), Refused> {
    for fact in ["uid", "resourceVersion"] {
        let (wanted, now) = (&preconditions[fact], &object["metadata"][fact]);
        if !wanted.is_null() && wanted != now {
            return Err(Refused::Conflict(stale(fact, wanted, now)));
        }
    }
    Ok(())
}

fn stale(fact: &str, wanted: &Value, now: &Value) -> String {
    if fact == "uid" {
        let (wanted, now) = (wanted.as_str().unwrap_or_default(), now.as_str().unwrap_or_default());
        format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {now}")
    } else {
        "the object has been modified; please apply your changes to the latest version and try again"
            .to_owned()
    }
}

fn uid_of(object: &str) -> String {
    serde_json::from_str::<Value>(object)
        .map(|value| text(&value, "/metadata/uid").to_owned())
        .unwrap_or_default()
}

/// A small stable hash, so that equal seeds give equal labs.
pub fn fnv(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        let store = Store::new(100);
        store.put("pods", json!({"metadata": {"namespace": "media", "name": "a"}, "spec": {"x": 1}}));
        store
    }

    #[test]
    fn a_merge_patch_removes_with_null_and_keeps_the_rest() {
        let mut value = json!({"a": {"b": 1, "c": 2}, "d": [1]});
        merge(&mut value, &json!({"a": {"b": null, "e": {"f": null, "g": 3}}, "d": [2]}));
        assert_eq!(value, json!({"a": {"c": 2, "e": {"g": 3}}, "d": [2]}));
    }

    #[test]
    fn a_stale_version_or_another_uid_is_refused() {
        let store = store();
        for metadata in [json!({"resourceVersion": "1"}), json!({"uid": "other"})] {
            let refused = store.patch("pods", "media/a", &json!({"metadata": metadata, "spec": {"x": 2}}));
            assert!(matches!(refused, Err(Refused::Conflict(_))), "{refused:?}");
            assert_eq!(store.get("pods", "media/a").unwrap()["spec"]["x"], 1);
        }
        let version = store.get("pods", "media/a").unwrap()["metadata"]["resourceVersion"].clone();
        store
            .patch("pods", "media/a", &json!({"metadata": {"resourceVersion": version}, "spec": {"x": 2}}))
            .unwrap();
        assert_eq!(store.get("pods", "media/a").unwrap()["spec"]["x"], 2);
    }

    #[test]
    fn a_write_without_a_difference_is_no_change() {
        let store = store();
        let version = store.version();
        store.patch("pods", "media/a", &json!({"spec": {"x": 1}})).unwrap();
        assert_eq!(store.version(), version);
    }

    #[test]
    fn what_is_forgotten_cannot_be_watched() {
        let store = store();
        let before = store.version() - 1;
        assert_eq!(store.since("pods", before).unwrap().0.len(), 1);
        store.compact();
        assert!(store.since("pods", before).is_none());
        assert!(store.since("pods", store.version()).is_some());
    }
}
