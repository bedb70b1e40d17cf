//! The route tree: the first child that matches takes an alert, unless it says `continue`.

use super::super::labels::Labels;
use super::super::matcher::Matchers;

/// A route with everything that it has inherited.
#[derive(Debug, Clone)]
pub struct Route {
    /// What it matches; empty is everything.
    pub matchers: Matchers,
    /// Who is told.
    pub receiver: String,
    /// The labels by which alerts are told together; `...` is all of them.
    pub group_by: Vec<String>,
    /// How long a new group waits, as it is written.
    pub group_wait: String,
    /// How long a changed group waits.
    pub group_interval: String,
    /// After how long the same is told again.
    pub repeat_interval: String,
    /// The intervals in which it says nothing; never inherited.
    pub mute: Vec<String>,
    /// The intervals outside of which it says nothing; never inherited.
    pub active: Vec<String>,
    /// Whether the routes after it are tried too.
    pub goes_on: bool,
    /// The routes below it.
    pub routes: Vec<Route>,
    /// Its place in the tree, the root's children counted from 1 (`2.1`); empty for the root.
    pub place: String,
}

impl Route {
    /// The routes that an alert ends at; empty where this route does not match.
    pub fn ends(&self, labels: &Labels) -> Vec<&Self> {
        if !self.matchers.match_all(labels) {
            return Vec::new();
        }
        let mut ends = Vec::new();
        for route in &self.routes {
            let found = route.ends(labels);
            let taken = !found.is_empty();
            ends.extend(found);
            if taken && !route.goes_on {
                break;
            }
        }
        if ends.is_empty() {
            ends.push(self);
        }
        ends
    }

    /// This route and all below it.
    pub fn all(&self) -> Vec<&Self> {
        let mut all = vec![self];
        all.extend(self.routes.iter().flat_map(Self::all));
        all
    }

    /// The labels of the group that an alert falls into here.
    pub fn group(&self, labels: &Labels) -> Labels {
        let all = self.group_by.iter().any(|name| name == "...");
        let chosen = |name: &str| all || self.group_by.iter().any(|known| known == name);
        labels
            .iter()
            .filter(|(name, _)| chosen(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Its place and what it matches.
    pub fn words(&self) -> String {
        if self.place.is_empty() {
            return "the root route".to_owned();
        }
        format!("route {} {{{}}}", self.place, self.matchers)
    }
}
