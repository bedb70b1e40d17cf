//! Inhibit rules: an alert that keeps others quiet.

use super::super::labels::Labels;
use super::super::matcher::Matchers;

/// One rule.
#[derive(Debug, Clone)]
pub struct Inhibition {
    /// What the alert must match that keeps others quiet.
    pub source: Matchers,
    /// What an alert must match to be kept quiet.
    pub target: Matchers,
    /// The labels in which both must agree; missing and empty are the same.
    pub equal: Vec<String>,
}

impl Inhibition {
    /// Whether one alert keeps another quiet. Whether the source is itself silenced plays no part.
    pub fn holds(&self, source: &Labels, target: &Labels) -> bool {
        let both = self.source.match_all(target) && self.target.match_all(source);
        self.source.match_all(source)
            && self.target.match_all(target)
            // What matches both sides cannot be inhibited by what does so too, itself included.
            && !both
            && self.equal.iter().all(|name| source.get(name) == target.get(name))
    }

    /// The rule in one line.
    pub fn words(&self) -> String {
        let equal = match self.equal.as_slice() {
            [] => String::new(),
            names => format!(" with the same {}", names.join(", ")),
        };
        format!("{{{}}} inhibits {{{}}}{equal}", self.source, self.target)
    }
}
