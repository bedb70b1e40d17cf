//! Projected things: what every backend turns its servers' objects into, once per change and off the UI task.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{EntityId, Identity};

/// How a thing is, as far as the last successful observation tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Broken for somebody now.
    Critical,
    /// Wants attention.
    Warning,
    /// On its way to another state.
    Pending,
    /// Nobody knows: never shown as good.
    #[default]
    Unknown,
    /// Switched off.
    Off,
    /// Seen to be good.
    Ok,
}

/// The failure domain that a thing belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Domain {
    /// The house: may be powered off on purpose.
    Home,
    /// The rented machines.
    Cloud,
    /// What stands between them and the users.
    Edge,
    /// Not configured.
    #[default]
    Unknown,
}

/// The role in which a cell is drawn; themes turn it into a style.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// Ordinary text.
    #[default]
    Text,
    /// Less important.
    Dim,
    /// Good.
    Ok,
    /// Worth knowing.
    Info,
    /// Wants attention.
    Warn,
    /// Broken.
    Error,
    /// Under way.
    Pending,
    /// Not known.
    Unknown,
    /// Switched off.
    Off,
    /// Can do harm.
    Danger,
}

impl From<Health> for Tone {
    fn from(health: Health) -> Self {
        match health {
            Health::Critical => Self::Error,
            Health::Warning => Self::Warn,
            Health::Pending => Self::Pending,
            Health::Unknown => Self::Unknown,
            Health::Off => Self::Off,
            Health::Ok => Self::Ok,
        }
    }
}

/// A typed cell value; how it is written is the column's [`Format`](super::kind::Format).
///
/// The short names are those of the state on disk.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub enum Value {
    /// Nothing there, or a field that could not be read.
    #[default]
    #[serde(rename = "-")]
    Empty,
    /// Text, not yet cleaned of control characters: the screen's door does that.
    #[serde(rename = "t")]
    Text(Arc<str>),
    /// A whole number, also bytes and seconds.
    #[serde(rename = "i")]
    Int(i64),
    /// A fraction or a measured number.
    #[serde(rename = "f")]
    Float(f64),
    /// Yes or no.
    #[serde(rename = "b")]
    Bool(bool),
    /// An instant.
    #[serde(rename = "at")]
    Time(Timestamp),
}

impl Value {
    /// Text, or `Empty` where there is none.
    pub fn text(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        if text.is_empty() { Self::Empty } else { Self::Text(Arc::from(text)) }
    }

    /// The text of a textual value.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A number out of any numeric value; instants count as seconds since the epoch.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            #[allow(clippy::cast_precision_loss)]
            Self::Int(n) => Some(*n as f64),
            Self::Float(x) => Some(*x),
            Self::Bool(b) => Some(f64::from(u8::from(*b))),
            #[allow(clippy::cast_precision_loss)]
            Self::Time(at) => Some(at.as_second() as f64),
            Self::Text(_) | Self::Empty => None,
        }
    }

    /// The typed JSON form that `vigie get` prints: instants as RFC 3339, nothing as null.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Empty => serde_json::Value::Null,
            Self::Text(text) => serde_json::Value::from(&**text),
            Self::Int(n) => serde_json::Value::from(*n),
            Self::Float(x) => serde_json::Value::from(*x),
            Self::Bool(b) => serde_json::Value::from(*b),
            Self::Time(at) => serde_json::Value::from(at.to_string()),
        }
    }

    /// The order of a sorted column: numbers by size, text by natural order, nothing last.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Empty, Self::Empty) => Ordering::Equal,
            (Self::Empty, _) => Ordering::Greater,
            (_, Self::Empty) => Ordering::Less,
            (Self::Text(a), Self::Text(b)) => natural(a, b),
            (a, b) => match (a.as_number(), b.as_number()) {
                (Some(x), Some(y)) => x.total_cmp(&y),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            },
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<f64> for Value {
    fn from(x: f64) -> Self {
        Self::Float(x)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Time(at)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

/// Compares digit runs by their number, so that `node-9` comes before `node-10`; ASCII case is ignored first.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        let order = match (left.first(), right.first()) {
            (None, None) => return a.cmp(b),
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(one), Some(other)) if one.is_ascii_digit() && other.is_ascii_digit() => {
                let (mine, rest) = digits(left);
                let (theirs, others) = digits(right);
                (left, right) = (rest, others);
                mine.len().cmp(&theirs.len()).then_with(|| mine.cmp(theirs))
            }
            (Some(one), Some(other)) => {
                (left, right) = (&left[1..], &right[1..]);
                one.to_ascii_lowercase().cmp(&other.to_ascii_lowercase())
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// A digit run without its leading zeros, and what follows it.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    let start = run.iter().position(|c| *c != b'0').unwrap_or(run.len());
    (&run[start..], rest)
}

/// One cell of a row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cell {
    /// What it holds.
    pub value: Value,
    /// The role in which it is drawn.
    pub tone: Tone,
}

impl Cell {
    /// A cell in the ordinary role.
    pub fn new(value: impl Into<Value>) -> Self {
        Self { value: value.into(), tone: Tone::Text }
    }

    /// A cell in a role of its own.
    pub fn toned(value: impl Into<Value>, tone: Tone) -> Self {
        Self { value: value.into(), tone }
    }

    /// A cell with nothing in it.
    pub fn empty() -> Self {
        Self::default()
    }
}

/// What a facet's value names; equal keys and values on two rows are evidence of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FacetKey {
    /// SMBIOS or machine UUID, lower case.
    MachineUuid,
    /// MAC address, lower case with colons.
    Mac,
    /// Virtual machine or container by its number, `qemu/101`: unique in one Proxmox VE alone.
    Guest,
    /// IP address.
    Ip,
    /// Host name or FQDN, lower case.
    Host,
    /// Kubernetes node, `cluster/name`.
    Node,
    /// Kubernetes object, `cluster/namespace/name`.
    Object,
    /// What runs Kubernetes pods, `cluster/namespace/name`: its pods are what it needs.
    Workload,
    /// Argo CD application name.
    App,
    /// What stands in front of an application and lets people in: an outpost or another gate, by its name.
    Gate,
    /// Cluster, by the name that Omni, Argo CD or a kubeconfig context gives it.
    Cluster,
    /// Alert fingerprint.
    Fingerprint,
    /// The name that people use for it.
    Name,
}

/// How much a shared facet proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grade {
    /// An identifier that only one thing can have.
    Certain,
    /// An address or name that is normally unique.
    Likely,
    /// A convention, such as equal names.
    Hint,
}

/// A join key: how a row is found from other systems.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Facet {
    /// What the value names.
    pub key: FacetKey,
    /// The value, normalised as the key says.
    pub value: Arc<str>,
    /// How much equality proves.
    pub grade: Grade,
}

impl Facet {
    /// A facet of the given grade.
    pub fn new(key: FacetKey, value: impl Into<Arc<str>>, grade: Grade) -> Self {
        Self { key, value: value.into(), grade }
    }
}

/// A projected thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its stable identity.
    pub id: EntityId,
    /// The name that people use, and that a typed confirmation asks for.
    pub name: Arc<str>,
    /// One cell per column of its kind, in that order.
    pub cells: Box<[Cell]>,
    /// How it is.
    pub health: Health,
    /// The one fact that explains a health other than good, in a few words.
    pub note: Option<Arc<str>>,
    /// Where it lives.
    pub domain: Domain,
    /// What the list already knows of its identity.
    pub identity: Identity,
    /// How other systems know it.
    pub facets: Box<[Facet]>,
}

/// A row in a set of rows, each found by its id: an index that costs a pointer a row.
#[derive(Debug, Clone)]
pub struct ById(Arc<Row>);

impl ById {
    /// The row.
    pub fn row(&self) -> &Arc<Row> {
        &self.0
    }
}

impl From<Arc<Row>> for ById {
    fn from(row: Arc<Row>) -> Self {
        Self(row)
    }
}

impl Borrow<EntityId> for ById {
    fn borrow(&self) -> &EntityId {
        &self.0.id
    }
}

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for ById {}

impl Row {
    /// A row of unknown health without facets; cells in the order of the kind's columns.
    pub fn new(id: EntityId, name: impl Into<Arc<str>>, cells: Vec<Cell>) -> Self {
        Self {
            id,
            name: name.into(),
            cells: cells.into_boxed_slice(),
            health: Health::Unknown,
            note: None,
            domain: Domain::Unknown,
            identity: Identity::new(),
            facets: Box::default(),
        }
    }

    /// The cell of a column, or an empty one where the row is short.
    pub fn cell(&self, column: usize) -> &Cell {
        static EMPTY: Cell = Cell { value: Value::Empty, tone: Tone::Text };
        self.cells.get(column).unwrap_or(&EMPTY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_people_count() {
        let mut names = ["vm-10", "VM-9", "vm-9b", "vm-010", "a", "vm-"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a", "vm-", "VM-9", "vm-9b", "vm-010", "vm-10"]);
    }

    #[test]
    fn nothing_sorts_last_and_numbers_by_size() {
        let mut values = [Value::Empty, Value::Int(10), Value::Float(2.5), Value::Int(9)];
        values.sort_by(Value::order);
        assert_eq!(values, [Value::Float(2.5), Value::Int(9), Value::Int(10), Value::Empty]);
    }

    #[test]
    fn json_keeps_the_type() {
        assert_eq!(Value::Int(3).to_json(), serde_json::json!(3));
        assert_eq!(Value::Empty.to_json(), serde_json::Value::Null);
        assert_eq!(Value::Time(Timestamp::UNIX_EPOCH).to_json(), serde_json::json!("1970-01-01T00:00:00Z"));
    }
}
