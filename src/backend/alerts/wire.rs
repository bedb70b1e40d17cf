//! What Alertmanager's API v2 sends, with its own names (0.25 to 0.34); absent fields are defaults.

use jiff::Timestamp;
use serde::Deserialize;

use super::fields;
use super::labels::Labels;
use super::matcher::Matcher;

/// An element of `GET /alerts`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Alert {
    /// Its labels, which are its identity.
    pub labels: Labels,
    /// What it says.
    pub annotations: Labels,
    /// When it began to fire; its episode.
    #[serde(deserialize_with = "fields::time")]
    pub starts_at: Option<Timestamp>,
    /// When it ends unless it is sent again: an expiry, not an end.
    #[serde(deserialize_with = "fields::time")]
    pub ends_at: Option<Timestamp>,
    /// When it was received last.
    #[serde(deserialize_with = "fields::time")]
    pub updated_at: Option<Timestamp>,
    /// The hash of its labels, 16 hex digits.
    #[serde(deserialize_with = "fields::text")]
    pub fingerprint: String,
    /// Where its expression can be seen; absent where the sender gave none.
    #[serde(rename = "generatorURL", deserialize_with = "fields::text")]
    pub generator_url: String,
    /// Who is told.
    #[serde(deserialize_with = "fields::list")]
    pub receivers: Vec<Receiver>,
    /// Whether it is kept quiet.
    #[serde(deserialize_with = "fields::object")]
    pub status: AlertStatus,
}

/// Why an alert is quiet, or that it is not.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AlertStatus {
    /// `active`, `suppressed` or `unprocessed`.
    #[serde(deserialize_with = "fields::text")]
    pub state: String,
    /// Ids of silences.
    #[serde(deserialize_with = "fields::texts")]
    pub silenced_by: Vec<String>,
    /// Fingerprints of alerts; only ever the first one found.
    #[serde(deserialize_with = "fields::texts")]
    pub inhibited_by: Vec<String>,
    /// Names of time intervals; absent before 0.28, and filled in groups only.
    #[serde(deserialize_with = "fields::texts")]
    pub muted_by: Vec<String>,
}

/// A receiver's name.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Receiver {
    /// Its name.
    #[serde(deserialize_with = "fields::text")]
    pub name: String,
}

/// An element of `GET /alerts/groups`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AlertGroup {
    /// The labels that its alerts share.
    pub labels: Labels,
    /// Who is told.
    #[serde(deserialize_with = "fields::object")]
    pub receiver: Receiver,
    /// Its alerts; one alert may stand in several groups.
    #[serde(deserialize_with = "fields::list")]
    pub alerts: Vec<Alert>,
}

/// An element of `GET /silences`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Silence {
    /// Its UUID, the same on every member of a cluster.
    #[serde(deserialize_with = "fields::text")]
    pub id: String,
    /// Its state.
    #[serde(deserialize_with = "fields::object")]
    pub status: SilenceStatus,
    /// Who made it.
    #[serde(deserialize_with = "fields::text")]
    pub created_by: String,
    /// Why.
    #[serde(deserialize_with = "fields::text")]
    pub comment: String,
    /// When it begins.
    #[serde(deserialize_with = "fields::time")]
    pub starts_at: Option<Timestamp>,
    /// When it ends.
    #[serde(deserialize_with = "fields::time")]
    pub ends_at: Option<Timestamp>,
    /// When it was changed last.
    #[serde(deserialize_with = "fields::time")]
    pub updated_at: Option<Timestamp>,
    /// What it matches: all of these.
    #[serde(deserialize_with = "fields::list")]
    pub matchers: Vec<Matcher>,
}

/// The state of a silence.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SilenceStatus {
    /// `active`, `pending` or `expired`.
    #[serde(deserialize_with = "fields::text")]
    pub state: String,
}

/// `GET /status`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    /// The gossip cluster.
    #[serde(deserialize_with = "fields::object")]
    pub cluster: ClusterStatus,
    /// The configuration it runs with. Never logged: 0.25 prints webhook URLs with their tokens.
    #[serde(deserialize_with = "fields::object")]
    pub config: OriginalConfig,
    /// When it was started.
    #[serde(deserialize_with = "fields::time")]
    pub uptime: Option<Timestamp>,
    /// What it is.
    #[serde(deserialize_with = "fields::object")]
    pub version_info: VersionInfo,
}

/// The gossip cluster as one member sees it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ClusterStatus {
    /// `ready`, `settling` or `disabled`.
    #[serde(deserialize_with = "fields::text")]
    pub status: String,
    /// All members, itself included; their addresses are gossip ports.
    #[serde(deserialize_with = "fields::list")]
    pub peers: Vec<Peer>,
}

/// A member of the gossip cluster.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Peer {
    /// Its name; a ULID unless one was set.
    #[serde(deserialize_with = "fields::text")]
    pub name: String,
}

/// The effective configuration.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct OriginalConfig {
    /// YAML.
    #[serde(deserialize_with = "fields::text")]
    pub original: String,
}

impl std::fmt::Debug for OriginalConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OriginalConfig({} bytes)", self.original.len())
    }
}

/// A server's version.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct VersionInfo {
    /// As it was built, perhaps with a distribution's suffix.
    #[serde(deserialize_with = "fields::text")]
    pub version: String,
}

/// The answer to `POST /silences`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Created {
    /// The id of the new or changed silence.
    #[serde(rename = "silenceID", deserialize_with = "fields::text")]
    pub silence_id: String,
}
