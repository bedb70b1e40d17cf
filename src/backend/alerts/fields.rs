//! How single fields are read: each becomes an ordinary value, empty where the server sent something else.

use jiff::Timestamp;
use serde::de::{Deserialize, DeserializeOwned, Deserializer};

use crate::backend::lenient::{Flag, List, Obj, Text, Words};

/// Text; empty where there is none.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Text::deserialize(deserializer).map(|text| text.as_str().to_owned())
}

/// An RFC 3339 instant with any offset; Go's zero time is none.
pub fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Text::deserialize(deserializer).map(|text| text.time().filter(|at| at.as_second() > 0))
}

/// A number, also one written as text (`"9.3e+01"`, `"NaN"`).
pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Text::deserialize(deserializer).map(|text| text.parse().ok())
}

/// Yes or no; yes where nothing is told.
pub fn unless_no<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Flag::deserialize(deserializer).map(|flag| flag.0 != Some(false))
}

/// Yes or no; no where nothing is told.
pub fn if_yes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Flag::deserialize(deserializer).map(Flag::is_true)
}

/// An object, or its default.
pub fn object<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Obj::deserialize(deserializer).map(|object| object.0)
}

/// A list of what can be read.
pub fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    List::deserialize(deserializer).map(|list| list.0)
}

/// A list of texts.
pub fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Words::deserialize(deserializer).map(|words| words.iter().map(str::to_owned).collect())
}
