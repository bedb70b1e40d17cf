//! Reading JSON so that a field of a wrong type costs that field and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A value that can be read from any JSON, or not at all.
pub(super) trait Lenient: Default {
    /// The value, or `None` where the JSON is of another type.
    fn read(raw: &RawValue) -> Option<Self>;
}

/// For `deserialize_with`: what cannot be read becomes the default.
pub(super) fn soft<'de, D: Deserializer<'de>, T: Lenient>(deserializer: D) -> Result<T, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(T::read(raw).unwrap_or_default())
}

/// For `deserialize_with`: text without which the whole object means nothing.
pub(super) fn needed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    let text = String::read(raw).filter(|text| !text.is_empty());
    text.map(Arc::from).ok_or_else(|| D::Error::custom("an object without an id"))
}

macro_rules! as_it_is {
    ($($kind:ty),*) => {$(
        impl Lenient for $kind {
            fn read(raw: &RawValue) -> Option<Self> {
                serde_json::from_str(raw.get()).ok()
            }
        }
    )*};
}

as_it_is!(String, bool, f64, serde_json::Value);

/// 64-bit integers arrive as strings, smaller ones as numbers.
impl Lenient for i64 {
    fn read(raw: &RawValue) -> Option<Self> {
        raw.get().trim_matches('"').parse().ok()
    }
}

impl Lenient for Option<Timestamp> {
    fn read(raw: &RawValue) -> Option<Self> {
        Some(String::read(raw)?.parse().ok())
    }
}

impl<T: Lenient> Lenient for Vec<T> {
    fn read(raw: &RawValue) -> Option<Self> {
        let items: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
        Some(items.into_iter().filter_map(T::read).collect())
    }
}

impl<T: Lenient> Lenient for BTreeMap<String, T> {
    fn read(raw: &RawValue) -> Option<Self> {
        let items: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get()).ok()?;
        Some(items.into_iter().filter_map(|(key, raw)| Some((key, T::read(raw)?))).collect())
    }
}

/// Defines messages whose every field is lenient and absent by default, as protobuf's JSON has it.
macro_rules! messages {
    ($($(#[$meta:meta])* $name:ident {
        $($(#[$field_meta:meta])* $field:ident: $kind:ty,)*
    })*) => {$(
        $(#[$meta])*
        // The names are the server's.
        #[allow(clippy::struct_field_names)]
        #[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
        #[serde(default)]
        pub(in crate::backend::omni) struct $name {
            $($(#[$field_meta])*
            #[serde(deserialize_with = "crate::backend::omni::lenient::soft")]
            pub $field: $kind,)*
        }

        impl crate::backend::omni::lenient::Lenient for $name {
            fn read(raw: &serde_json::value::RawValue) -> Option<Self> {
                serde_json::from_str(raw.get()).ok()
            }
        }

        impl crate::backend::omni::lenient::Lenient for Option<$name> {
            fn read(raw: &serde_json::value::RawValue) -> Option<Self> {
                serde_json::from_str(raw.get()).ok().map(Some)
            }
        }
    )*};
}
pub(super) use messages;

#[cfg(test)]
mod tests {
    use super::*;

    messages! {
        /// A message for the test.
        Probe { text: String, number: i64, flag: bool, list: Vec<String>, map: BTreeMap<String, i64>, at: Option<Timestamp>, inner: Inner, }
        /// A message inside it.
        Inner { x: i64, }
    }

    #[test]
    fn numbers_come_as_numbers_or_as_strings() {
        let probe: Probe =
            serde_json::from_str(r#"{"number":"480103981056","inner":{"x":3},"at":"2026-01-05T09:12:44Z"}"#)
                .unwrap();
        assert_eq!((probe.number, probe.inner.x), (480_103_981_056, 3));
        assert!(probe.at.is_some());
    }

    #[test]
    fn a_wrong_type_costs_that_field_or_element_only() {
        let fields = ["text", "number", "flag", "list", "map", "at", "inner"];
        for field in fields {
            for wrong in [r#"{"a":[1]}"#, "[[7]]", "null", "true", "-3.5", r#""\u0007""#] {
                let json = format!(r#"{{"{field}":{wrong},"unknown":{{}}}}"#);
                let probe: Result<Probe, _> = serde_json::from_str(&json);
                assert!(probe.is_ok(), "{json}");
            }
        }
        let probe: Probe =
            serde_json::from_str(r#"{"list":["a",1,"b"],"map":{"x":1,"y":[]},"number":{},"text":"t"}"#)
                .unwrap();
        assert_eq!(probe.list, ["a", "b"]);
        assert_eq!(probe.map.len(), 1);
        assert_eq!((probe.number, probe.text.as_str()), (0, "t"));
    }
}
