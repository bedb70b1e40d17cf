//! Label sets and their fingerprint, by which Alertmanager and Prometheus speak of the same alert.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::backend::lenient::Text;

use super::fields;

/// Labels (or annotations), sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Labels(Box<[(Arc<str>, Arc<str>)]>);

impl Labels {
    /// The value of a label; empty where it is missing, as matchers see it.
    pub fn get(&self, name: &str) -> &str {
        self.find(name).map_or("", |value| value)
    }

    /// The value of a label that is there.
    pub fn find(&self, name: &str) -> Option<&Arc<str>> {
        let at = self.0.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The first of several labels that is there.
    pub fn any(&self, names: &[&str]) -> Option<&Arc<str>> {
        names.iter().find_map(|name| self.find(name))
    }

    /// Name and value in order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// These labels and those of `other` that are missing here, as a Prometheus adds its external labels.
    #[must_use]
    pub fn completed(&self, other: &Self) -> Self {
        let missing = other.0.iter().filter(|(name, _)| self.find(name).is_none());
        self.0.iter().chain(missing).cloned().collect()
    }

    /// True where no label that both have differs.
    pub fn agrees(&self, other: &Self) -> bool {
        self.0.iter().all(|(name, value)| other.find(name).is_none_or(|there| there == value))
    }

    /// Alertmanager's fingerprint: FNV-1a, 64 bit, over `name 0xFF value 0xFF` of each label in order.
    pub fn fingerprint(&self) -> u64 {
        const PRIME: u64 = 1_099_511_628_211;
        let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
        self.0.iter().fold(14_695_981_039_346_656_037, |mut sum, (name, value)| {
            for part in [name, value] {
                sum = hash(part.as_bytes().iter().fold(sum, hash), &0xFF);
            }
            sum
        })
    }
}

/// Sorts; of a name that comes twice the last value counts, and an empty value is no label.
impl FromIterator<(Arc<str>, Arc<str>)> for Labels {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Arc<str>)>>(pairs: I) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.reverse();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.dedup_by(|a, b| a.0 == b.0);
        pairs.retain(|(_, value)| !value.is_empty());
        Self(pairs.into_boxed_slice())
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Labels {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        pairs.into_iter().map(|(name, value)| (Arc::from(name), Arc::from(value))).collect()
    }
}

/// `{a="x", b="y"}`, for messages.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        write!(f, "{{{}}}", pairs.join(", "))
    }
}

/// Anything but an object is no labels; a value that is no scalar is no label.
impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fields::object::<D, Pairs>(deserializer).map(|pairs| pairs.0.into_iter().collect())
    }
}

#[derive(Default)]
struct Pairs(Vec<(Arc<str>, Arc<str>)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self::default())
    }
}

impl<'de> Visitor<'de> for Pairs {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("labels")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(name) = map.next_key::<Arc<str>>()? {
            let value = map.next_value::<Text>()?;
            self.0.push((name, value.shared()));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_those_of_alertmanager() {
        // Recorded on Alertmanager 0.25.
        let cases: [(&str, &[(&str, &str)]); 2] = [
            ("9f3e929a6fe20fb3", &[("alertname", "EdgeNoSeverity")]),
            (
                "8e899edfae6b2cc8",
                &[
                    ("alertname", "CertManagerCertExpirySoon"),
                    ("cluster", "oci-cloud"),
                    ("exported_namespace", "authentik"),
                    ("name", "auth-lab-example-tls"),
                    ("namespace", "authentik"),
                    ("prometheus", "monitoring/kube-prometheus-stack-prometheus"),
                    ("severity", "warning"),
                ],
            ),
        ];
        for (fingerprint, labels) in cases {
            let labels: Labels = labels.iter().rev().copied().collect();
            assert_eq!(format!("{:016x}", labels.fingerprint()), fingerprint);
        }
    }

    #[test]
    fn external_labels_complete_and_never_replace() {
        let own: Labels = [("alertname", "X"), ("cluster", "prod")].into_iter().collect();
        let external: Labels = [("cluster", "other"), ("prometheus", "p")].into_iter().collect();
        assert_eq!(
            own.completed(&external).to_string(),
            r#"{alertname="X", cluster="prod", prometheus="p"}"#
        );
    }

    #[test]
    fn labels_of_a_wrong_type_cost_only_themselves() {
        let labels: Labels = serde_json::from_str(r#"{"a":"x","b":7,"c":["y"],"d":null,"e":""}"#).unwrap();
        assert_eq!(labels.to_string(), r#"{a="x", b="7"}"#);
        let none: Labels = serde_json::from_str("[1,2]").unwrap();
        assert_eq!(none, Labels::default());
    }
}
