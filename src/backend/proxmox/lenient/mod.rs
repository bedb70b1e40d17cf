//! Decoding without trust: Proxmox writes one field as a number, a numeric string or a boolean, depending on its
//! release and the kind of guest. A field of a wrong type is a field that is absent; nothing else is lost.

mod list;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

pub use list::{Items, Maybe};

/// What a field makes of each JSON scalar; `None` where it makes no sense to it.
pub trait Scalar<'de>: Sized {
    /// `true` or `false`.
    fn from_bool(value: bool) -> Option<Self>;
    /// A whole number.
    fn from_int(value: i64) -> Option<Self>;
    /// Any other number.
    fn from_float(value: f64) -> Option<Self>;
    /// Text.
    fn from_text(value: &str) -> Option<Self>;
    /// Text that lives as long as the answer.
    fn from_borrowed(value: &'de str) -> Option<Self> {
        Self::from_text(value)
    }
}

impl Scalar<'_> for i64 {
    fn from_bool(value: bool) -> Option<Self> {
        Some(Self::from(value))
    }

    fn from_int(value: i64) -> Option<Self> {
        Some(value)
    }

    fn from_float(value: f64) -> Option<Self> {
        // Beyond 2^63 the cast saturates, which is as good as any other wrong number.
        #[allow(clippy::cast_possible_truncation)]
        value.is_finite().then_some(value as Self)
    }

    fn from_text(value: &str) -> Option<Self> {
        let value = value.trim();
        value.parse().ok().or_else(|| Self::from_float(value.parse().ok()?))
    }
}

impl Scalar<'_> for f64 {
    fn from_bool(value: bool) -> Option<Self> {
        Some(Self::from(u8::from(value)))
    }

    #[allow(clippy::cast_precision_loss)]
    fn from_int(value: i64) -> Option<Self> {
        Some(value as Self)
    }

    fn from_float(value: f64) -> Option<Self> {
        value.is_finite().then_some(value)
    }

    fn from_text(value: &str) -> Option<Self> {
        value.trim().parse().ok().filter(|x: &Self| x.is_finite())
    }
}

impl Scalar<'_> for bool {
    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }

    fn from_int(value: i64) -> Option<Self> {
        Some(value != 0)
    }

    fn from_float(value: f64) -> Option<Self> {
        Some(value != 0.0)
    }

    fn from_text(value: &str) -> Option<Self> {
        match value.trim() {
            "1" | "true" | "yes" | "on" => Some(true),
            "0" | "false" | "no" | "off" | "" => Some(false),
            _ => None,
        }
    }
}

impl Scalar<'_> for String {
    fn from_bool(value: bool) -> Option<Self> {
        Some(u8::from(value).to_string())
    }

    fn from_int(value: i64) -> Option<Self> {
        Some(value.to_string())
    }

    fn from_float(value: f64) -> Option<Self> {
        Some(value.to_string())
    }

    fn from_text(value: &str) -> Option<Self> {
        Some(value.to_owned())
    }
}

impl Scalar<'_> for Arc<str> {
    fn from_bool(value: bool) -> Option<Self> {
        String::from_bool(value).map(Into::into)
    }

    fn from_int(value: i64) -> Option<Self> {
        String::from_int(value).map(Into::into)
    }

    fn from_float(value: f64) -> Option<Self> {
        String::from_float(value).map(Into::into)
    }

    fn from_text(value: &str) -> Option<Self> {
        Some(value.into())
    }
}

impl<'de: 'a, 'a> Scalar<'de> for Cow<'a, str> {
    fn from_bool(value: bool) -> Option<Self> {
        String::from_bool(value).map(Cow::Owned)
    }

    fn from_int(value: i64) -> Option<Self> {
        String::from_int(value).map(Cow::Owned)
    }

    fn from_float(value: f64) -> Option<Self> {
        String::from_float(value).map(Cow::Owned)
    }

    fn from_text(value: &str) -> Option<Self> {
        Some(Cow::Owned(value.to_owned()))
    }

    fn from_borrowed(value: &'de str) -> Option<Self> {
        Some(Cow::Borrowed(value))
    }
}

/// Reads a field of any type: `#[serde(deserialize_with = "lax")]` on an `Option`.
pub fn lax<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Scalar<'de>,
{
    deserializer.deserialize_any(LaxVisitor(PhantomData))
}

struct LaxVisitor<T>(PhantomData<T>);

impl<'de, T: Scalar<'de>> Visitor<'de> for LaxVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(T::from_bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(T::from_int(value))
    }

    #[allow(clippy::cast_precision_loss)]
    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or_else(|_| T::from_float(value as f64), T::from_int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(T::from_float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(T::from_text(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(T::from_borrowed(value))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// Text out of any scalar, absent where there is none; for maps whose keys are not known beforehand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaxText(pub Option<String>);

impl<'de> Deserialize<'de> for LaxText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        lax(deserializer).map(LaxText)
    }
}

/// Reads a list of scalars as texts; anything else is an empty list.
pub fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let items = value.as_array().cloned().unwrap_or_default();
    let text = |item: serde_json::Value| LaxText::deserialize(item).ok()?.0;
    Ok(items.into_iter().filter_map(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(default)]
    struct Probe {
        #[serde(deserialize_with = "lax")]
        int: Option<i64>,
        #[serde(deserialize_with = "lax")]
        float: Option<f64>,
        #[serde(deserialize_with = "lax")]
        flag: Option<bool>,
        #[serde(deserialize_with = "lax")]
        text: Option<String>,
    }

    fn probe(value: &str) -> Probe {
        let json =
            format!(r#"{{"int":{value},"float":{value},"flag":{value},"text":{value},"new":{value}}}"#);
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn every_way_to_write_a_number_or_a_flag_is_read() {
        let cases = [
            ("1", Some(1), Some(1.0), Some(true), Some("1")),
            ("\"1\"", Some(1), Some(1.0), Some(true), Some("1")),
            ("true", Some(1), Some(1.0), Some(true), Some("1")),
            ("\"\"", None, None, Some(false), Some("")),
            ("2.5", Some(2), Some(2.5), Some(true), Some("2.5")),
            ("\"0.00\"", Some(0), Some(0.0), None, Some("0.00")),
            ("\"N/A\"", None, None, None, Some("N/A")),
            (
                "18446744073709551615",
                Some(i64::MAX),
                Some(1.844_674_407_370_955_2e19),
                Some(true),
                Some("18446744073709552000"),
            ),
        ];
        for (json, int, float, flag, text) in cases {
            let read = probe(json);
            let wanted = Probe { int, float, flag, text: text.map(str::to_owned) };
            assert_eq!(read, wanted, "{json}");
        }
    }

    #[test]
    fn a_wrong_type_costs_the_field_only() {
        for json in ["null", "[1,[2]]", r#"{"a":{"b":[1]}}"#] {
            assert_eq!(probe(json), Probe::default(), "{json}");
        }
    }

    #[test]
    fn what_is_no_object_is_left_out_of_a_list_and_counted() {
        let list: Items<Probe> =
            serde_json::from_str(r#"[{"int":1}, 2, "x", null, [3], true, 1.5, {}]"#).unwrap();
        assert_eq!((list.items.len(), list.skipped), (2, 6));
        assert_eq!(serde_json::from_str::<Items<Probe>>("null").unwrap(), Items::default());
        for odd in ["\"text\"", "7", "1.5", "true", r#"{"a":[1]}"#] {
            assert_eq!(serde_json::from_str::<Items<Probe>>(odd).unwrap(), Items::none(), "{odd}");
        }
    }
}
