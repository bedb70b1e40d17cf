//! What Prometheus' HTTP API sends, with its own names (2.42 to 3.x); absent fields are defaults.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::backend::lenient::{Many, Words};

use super::fields;
use super::labels::Labels;

/// What every answer comes in.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", bound = "T: DeserializeOwned + Default")]
pub struct Envelope<T> {
    /// `success` or `error`.
    #[serde(deserialize_with = "fields::text")]
    pub status: String,
    /// The answer.
    #[serde(deserialize_with = "fields::object")]
    pub data: T,
    /// The class of an error (`bad_data`, `execution`, `timeout`).
    #[serde(deserialize_with = "fields::text")]
    pub error_type: String,
    /// The error.
    #[serde(deserialize_with = "fields::text")]
    pub error: String,
    /// What to mind although there is an answer.
    #[serde(deserialize_with = "fields::texts")]
    pub warnings: Vec<String>,
}

/// The data of `GET /rules`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Groups; file and name together are unique.
    #[serde(deserialize_with = "fields::list")]
    pub groups: Vec<Group>,
}

/// A rule group.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Group {
    /// Its name.
    #[serde(deserialize_with = "fields::text")]
    pub name: String,
    /// The file that it stands in.
    #[serde(deserialize_with = "fields::text")]
    pub file: String,
    /// How often it is evaluated, in seconds.
    #[serde(deserialize_with = "fields::number")]
    pub interval: Option<f64>,
    /// Its rules.
    #[serde(deserialize_with = "fields::list")]
    pub rules: Vec<Rule>,
}

/// An alerting or recording rule.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Rule {
    /// `alerting` or `recording`.
    #[serde(rename = "type", deserialize_with = "fields::text")]
    pub kind: String,
    /// The alert's or the series' name.
    #[serde(deserialize_with = "fields::text")]
    pub name: String,
    /// Its expression.
    #[serde(deserialize_with = "fields::text")]
    pub query: String,
    /// How long it must be true before it fires, in seconds.
    #[serde(deserialize_with = "fields::number")]
    pub duration: Option<f64>,
    /// How long it keeps firing after it is false, in seconds.
    #[serde(deserialize_with = "fields::number")]
    pub keep_firing_for: Option<f64>,
    /// The labels that it adds.
    pub labels: Labels,
    /// The templates of its annotations.
    pub annotations: Labels,
    /// `firing`, `pending` or `inactive`; stays `firing` while the rule is broken.
    #[serde(deserialize_with = "fields::text")]
    pub state: String,
    /// `ok`, `err` or `unknown`.
    #[serde(deserialize_with = "fields::text")]
    pub health: String,
    /// Why it could not be evaluated.
    #[serde(deserialize_with = "fields::text")]
    pub last_error: String,
    /// How long the last evaluation took, in seconds.
    #[serde(deserialize_with = "fields::number")]
    pub evaluation_time: Option<f64>,
    /// When it was evaluated last.
    #[serde(deserialize_with = "fields::time")]
    pub last_evaluation: Option<Timestamp>,
    /// Its alerts, pending ones too.
    #[serde(deserialize_with = "fields::list")]
    pub alerts: Vec<RuleAlert>,
}

/// One alert of a rule, without external labels.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RuleAlert {
    /// Its labels.
    pub labels: Labels,
    /// Its annotations, expanded.
    pub annotations: Labels,
    /// `pending` or `firing`.
    #[serde(deserialize_with = "fields::text")]
    pub state: String,
    /// When the expression became true.
    #[serde(deserialize_with = "fields::time")]
    pub active_at: Option<Timestamp>,
    /// Since when it is only held by `keep_firing_for` (2.42 and newer).
    #[serde(deserialize_with = "fields::time")]
    pub keep_firing_since: Option<Timestamp>,
    /// What the expression was at the last evaluation.
    #[serde(deserialize_with = "fields::number")]
    pub value: Option<f64>,
}

/// The data of `GET /query` and `/query_range`: series with one sample or many.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Queried {
    /// The series; a scalar or a text has none.
    #[serde(deserialize_with = "fields::list")]
    pub result: Vec<Series>,
}

/// One series of an answer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Series {
    /// Its labels, perhaps with `__name__`.
    pub metric: Labels,
    /// Its sample, where one instant was asked for.
    pub value: Sample,
    /// Its samples, where a time was asked for; a missing one is a gap.
    pub values: Many<Sample>,
}

/// `[unix seconds, "value"]`; values are texts, among them `NaN` and `+Inf`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(from = "Words")]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// The value; `None` where it is not a number.
    pub value: Option<f64>,
}

impl From<Words> for Sample {
    fn from(words: Words) -> Self {
        let mut parts = words.iter().map(|part| part.parse::<f64>().ok().filter(|part| part.is_finite()));
        let (at, value) = (parts.next().flatten(), parts.next().flatten());
        #[allow(clippy::cast_possible_truncation)]
        let at = at.and_then(|at| Timestamp::from_millisecond((at * 1000.0) as i64).ok());
        Self { at: at.unwrap_or_default(), value }
    }
}

/// The data of `GET /status/config`.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ServerConfig {
    /// The configuration it runs with. Never logged: it may hold passwords.
    #[serde(deserialize_with = "fields::text")]
    pub yaml: String,
}

impl std::fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServerConfig({} bytes)", self.yaml.len())
    }
}

/// The data of `GET /status/buildinfo`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct BuildInfo {
    /// The version.
    #[serde(deserialize_with = "fields::text")]
    pub version: String,
}

/// The data of `GET /alertmanagers`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Alertmanagers {
    /// Those that alerts are sent to.
    #[serde(deserialize_with = "fields::list")]
    pub active_alertmanagers: Vec<AlertmanagerUrl>,
}

/// One Alertmanager that a Prometheus knows.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AlertmanagerUrl {
    /// Its API's URL.
    #[serde(deserialize_with = "fields::text")]
    pub url: String,
}
