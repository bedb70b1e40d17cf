//! The table of looks: compiled in, with the operator's own before it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::row::Row;

/// The table that every vigie has.
const SHIPPED: &str = include_str!("../looks.toml");

/// What to look at for some alerts and kinds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Look {
    /// Names of alerts; `*` stands for anything.
    pub alert: Vec<String>,
    /// Kinds of things.
    pub kind: Vec<String>,
    /// Kinds of things to look at, each perhaps with a word that their names hold (`docker.containers:outpost`).
    pub see: Vec<String>,
    /// Kinds of things whose log is shown.
    pub log: Vec<String>,
    /// Where the runbook is.
    pub runbook: String,
    /// What only a person can answer, or has to know.
    pub say: Vec<String>,
}

impl From<&crate::config::oncall::Look> for Look {
    fn from(set: &crate::config::oncall::Look) -> Self {
        Self {
            alert: set.alert.clone(),
            kind: set.kind.clone(),
            see: set.see.clone(),
            log: set.log.clone(),
            runbook: set.runbook.clone(),
            say: set.say.clone(),
        }
    }
}

#[derive(Deserialize)]
struct File {
    look: Vec<Look>,
}

/// Local runbooks in Markdown, by their lower-case names without ending.
pub type Runbooks = BTreeMap<String, String>;

/// All looks, the operator's own first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looks {
    looks: Vec<Look>,
    runbooks: Runbooks,
}

impl Default for Looks {
    fn default() -> Self {
        Self::new(Vec::new(), Runbooks::new())
    }
}

/// The looks that are compiled in.
pub fn shipped() -> Result<Vec<Look>, String> {
    toml::from_str::<File>(SHIPPED).map(|file| file.look).map_err(|error| error.to_string())
}

impl Looks {
    /// The operator's own looks and runbooks over those that are compiled in.
    pub fn new(own: Vec<Look>, runbooks: Runbooks) -> Self {
        let looks = own.into_iter().chain(shipped().unwrap_or_default()).collect();
        Self { looks, runbooks }
    }

    /// The looks for a row, the most specific first: those for its alert's name, then those for its kind.
    pub fn of(&self, row: &Row) -> Vec<&Look> {
        let named = |look: &&Look| {
            row.id.kind.as_str() == "alerts.alerts"
                && look.alert.iter().any(|pattern| fits(pattern, &row.name))
        };
        let kind = |look: &&Look| look.kind.iter().any(|kind| kind == row.id.kind.as_str());
        let first = self.looks.iter().filter(named);
        first.chain(self.looks.iter().filter(|look| kind(look) && !named(look))).collect()
    }

    /// The local runbook of a name.
    pub fn runbook(&self, name: &str) -> Option<&str> {
        self.runbooks.get(&name.to_lowercase()).map(String::as_str)
    }
}

/// Whether a name fits a pattern in which `*` stands for anything.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(before) = last.replace(part) {
            match rest.find(before) {
                Some(at) => rest = &rest[at + before.len()..],
                None => return false,
            }
        }
    }
    match last {
        None => rest.is_empty(),
        Some(end) => rest.ends_with(end),
    }
}
