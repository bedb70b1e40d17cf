//! What the operator knows that no server tells: what is the same, what to look at first, where the runbooks are.

use std::collections::BTreeMap;

/// The checked tables `[[alias]]`, `[[look]]` and `[oncall]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnCall {
    /// Pairs of full ids (`kind/instance/key`) that are one thing.
    pub same: Vec<(String, String)>,
    /// Second names of clusters, as labels of alerts often give them, with the first ones.
    pub clusters: Vec<(String, String)>,
    /// What to look at first, for some alerts and kinds.
    pub looks: Vec<Look>,
    /// Local runbooks in Markdown, by their lower-case names without ending.
    pub runbooks: BTreeMap<String, String>,
}

/// One `[[look]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Names of alerts; `*` stands for anything.
    pub alert: Vec<String>,
    /// Kinds of things.
    pub kind: Vec<String>,
    /// Kinds of things to look at, perhaps with a word after a colon that their names hold.
    pub see: Vec<String>,
    /// Kinds of things whose log is shown.
    pub log: Vec<String>,
    /// Where the runbook is.
    pub runbook: String,
    /// What only a person can answer, or has to know.
    pub say: Vec<String>,
}
