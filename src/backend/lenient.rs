//! JSON as servers really send it: a field of an unexpected type costs that field and nothing else.
//!
//! Each type here accepts any JSON value in one pass and is empty where the value is of another type, so that a
//! struct made of them (with `#[serde(default)]`) can only fail on text that is no JSON at all.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A text; a number or a truth value is taken as its text, as some servers write the one for the other.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub struct Text(Option<Arc<str>>);

impl Text {
    /// The text; empty where there is none.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// The text where it is there and not empty.
    pub fn some(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }

    /// The text, shared with whoever keeps it.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone().unwrap_or_else(|| Arc::from(""))
    }

    /// The instant that it writes in RFC 3339.
    pub fn time(&self) -> Option<Timestamp> {
        self.some()?.parse().ok()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Some(Arc::from(text)))
    }
}

/// A whole number, also one in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Int(pub Option<i64>);

impl Int {
    /// The number; 0 where there is none.
    pub fn or_zero(self) -> i64 {
        self.0.unwrap_or(0)
    }
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flag(pub Option<bool>);

impl Flag {
    /// True where it is there and true.
    pub fn is_true(self) -> bool {
        self.0 == Some(true)
    }
}

/// A nested object; its default where something else stands there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Obj<T>(pub T);

impl<T> Deref for Obj<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A nested object of which it matters whether it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maybe<T>(pub Option<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// A list without those items that are something else; empty where no list stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

/// A list whose items take any value themselves (lists in a list); empty where no list stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// A list of texts; items that are something else are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words(pub Vec<Text>);

impl Words {
    /// The texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(Text::some)
    }
}

/// Names and texts, in the server's order (labels, annotations).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dict(Vec<(Arc<str>, Text)>);

impl Dict {
    /// The text under a name; `None` where it is not there or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| &**key == name).and_then(|(_, text)| text.some())
    }

    /// Whether the name is there, whatever it holds.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| &**key == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, text)| (&**key, text.as_str()))
    }
}

/// What any JSON value is, as far as the types above care.
enum Seen<T> {
    Text(Arc<str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    Nested(T),
    Other,
}

/// How a visitor takes maps and sequences in; both must be drained, or the rest of the document is lost.
trait Nest: Sized {
    type Out;
    fn map<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Self::Out>, A::Error>;
    fn list<'de, A: SeqAccess<'de>>(list: A) -> Result<Option<Self::Out>, A::Error>;
}

struct Any<N>(PhantomData<N>);

impl<'de, N: Nest> Visitor<'de> for Any<N> {
    type Value = Seen<N::Out>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Seen::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Seen::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Seen::Other, Seen::Int))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Seen::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Seen::Text(Arc::from(value)))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Seen::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Ok(N::map(map)?.map_or(Seen::Other, Seen::Nested))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        Ok(N::list(list)?.map_or(Seen::Other, Seen::Nested))
    }
}

fn seen<'de, N: Nest, D: Deserializer<'de>>(deserializer: D) -> Result<Seen<N::Out>, D::Error> {
    deserializer.deserialize_any(Any::<N>(PhantomData))
}

fn drain_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

fn drain_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

struct Scalar;

impl Nest for Scalar {
    type Out = ();

    fn map<'de, A: MapAccess<'de>>(map: A) -> Result<Option<()>, A::Error> {
        drain_map(map).map(|()| None)
    }

    fn list<'de, A: SeqAccess<'de>>(list: A) -> Result<Option<()>, A::Error> {
        drain_list(list).map(|()| None)
    }
}

struct Object<T>(PhantomData<T>);

impl<T: for<'a> Deserialize<'a>> Nest for Object<T> {
    type Out = T;

    fn map<'de, A: MapAccess<'de>>(map: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }

    fn list<'de, A: SeqAccess<'de>>(list: A) -> Result<Option<T>, A::Error> {
        drain_list(list).map(|()| None)
    }
}

/// An item of a list: whatever its type makes of it, or nothing where an object is wanted and is not there.
struct Items<T>(PhantomData<T>);

impl<T: for<'a> Deserialize<'a>> Nest for Items<T> {
    type Out = Vec<T>;

    fn map<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Vec<T>>, A::Error> {
        drain_map(map).map(|()| None)
    }

    fn list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Option<Vec<T>>, A::Error> {
        let mut items = Vec::with_capacity(list.size_hint().unwrap_or(0).min(1024));
        while let Some(item) = list.next_element::<Maybe<T>>()? {
            items.extend(item.0);
        }
        Ok(Some(items))
    }
}

/// An item of a list, as it is.
struct Each<T>(PhantomData<T>);

impl<T: for<'a> Deserialize<'a>> Nest for Each<T> {
    type Out = Vec<T>;

    fn map<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Vec<T>>, A::Error> {
        drain_map(map).map(|()| None)
    }

    fn list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Option<Vec<T>>, A::Error> {
        let mut items = Vec::with_capacity(list.size_hint().unwrap_or(0).min(1024));
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Some(items))
    }
}

struct Texts;

impl Nest for Texts {
    type Out = Vec<Text>;

    fn map<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Vec<Text>>, A::Error> {
        drain_map(map).map(|()| None)
    }

    fn list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Option<Vec<Text>>, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element::<Text>()? {
            texts.push(text);
        }
        Ok(Some(texts))
    }
}

struct Entries;

impl Nest for Entries {
    type Out = Vec<(Arc<str>, Text)>;

    fn map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Option<Self::Out>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry::<Arc<str>, Text>()? {
            entries.push(entry);
        }
        Ok(Some(entries))
    }

    fn list<'de, A: SeqAccess<'de>>(list: A) -> Result<Option<Self::Out>, A::Error> {
        drain_list(list).map(|()| None)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match seen::<Scalar, D>(deserializer)? {
            Seen::Text(text) => Some(text),
            Seen::Int(n) => Some(n.to_string().into()),
            Seen::Float(x) => Some(x.to_string().into()),
            Seen::Bool(b) => Some(b.to_string().into()),
            Seen::Nested(()) | Seen::Other => None,
        }))
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match seen::<Scalar, D>(deserializer)? {
            Seen::Int(n) => Some(n),
            Seen::Text(text) => text.trim().parse().ok(),
            _ => None,
        }))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match seen::<Scalar, D>(deserializer)? {
            Seen::Bool(b) => Some(b),
            _ => None,
        }))
    }
}

impl<'de, T: for<'a> Deserialize<'a> + Default> Deserialize<'de> for Obj<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Maybe::deserialize(deserializer).map(|Maybe(found)| Self(found.unwrap_or_default()))
    }
}

impl<'de, T: for<'a> Deserialize<'a>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match seen::<Object<T>, D>(deserializer)? {
            Seen::Nested(found) => Some(found),
            _ => None,
        }))
    }
}

impl<'de, T: for<'a> Deserialize<'a>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match seen::<Items<T>, D>(deserializer)? {
            Seen::Nested(items) => items,
            _ => Vec::new(),
        }))
    }
}

impl<'de, T: for<'a> Deserialize<'a>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match seen::<Each<T>, D>(deserializer)? {
            Seen::Nested(items) => items,
            _ => Vec::new(),
        }))
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match seen::<Texts, D>(deserializer)? {
            Seen::Nested(texts) => texts,
            _ => Vec::new(),
        }))
    }
}

impl<'de> Deserialize<'de> for Dict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match seen::<Entries, D>(deserializer)? {
            Seen::Nested(entries) => entries,
            _ => Vec::new(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Thing {
        name: Text,
        count: Int,
        up: Flag,
        labels: Dict,
        inner: Obj<Inner>,
        many: List<Inner>,
        words: Words,
        pairs: Many<Words>,
        last: Text,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Inner {
        id: Int,
    }

    #[test]
    fn every_value_of_a_wrong_type_costs_its_own_field_only() {
        let wrong = ["null", "7", "-1.5", "true", "\"x\"", "[1,[2]]", "{\"a\":{\"b\":1}}"];
        for field in ["name", "count", "up", "labels", "inner", "many", "words", "pairs"] {
            for value in wrong {
                let text = format!("{{\"{field}\":{value},\"last\":\"here\"}}");
                let thing: Thing = serde_json::from_str(&text).unwrap();
                assert_eq!(&*thing.last, "here", "{text}");
            }
        }
    }

    #[test]
    fn right_values_are_read_and_numbers_in_quotes_count() {
        let text = r#"{"name":"a","count":"12","up":true,"labels":{"k":"v","n":3},"inner":{"id":4},"many":[{"id":1},null,7,{"id":2}]}"#;
        let thing: Thing = serde_json::from_str(text).unwrap();
        assert_eq!((&*thing.name, thing.count.0, thing.up.is_true()), ("a", Some(12), true));
        assert_eq!((thing.labels.get("k"), thing.labels.get("n")), (Some("v"), Some("3")));
        assert_eq!(thing.inner.id.0, Some(4));
        let ids: Vec<_> = thing.many.iter().map(|inner| inner.id.or_zero()).collect();
        assert_eq!(ids, [1, 2]);
        let thing: Thing = serde_json::from_str(r#"{"words":["a",null,{"b":1},"c"]}"#).unwrap();
        assert_eq!(thing.words.iter().collect::<Vec<_>>(), ["a", "c"]);
    }
}
