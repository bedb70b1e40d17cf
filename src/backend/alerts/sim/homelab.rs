//! The homelab's rules and what they find: one truth for the Prometheus and the Alertmanagers of the lab.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::super::labels::Labels;
use super::Lab;

/// What the lab's Prometheus adds to every alert it sends.
pub(super) const EXTERNAL: [(&str, &str); 1] = [("prometheus", "monitoring/lab")];
/// How many pods are not ready in a scene under load.
const MANY: u32 = 2000;

#[derive(Deserialize)]
struct File {
    rule: Vec<Rule>,
}

/// A rule and what it finds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Rule {
    /// The scenario that it finds something in; empty is all.
    scene: String,
    pub group: String,
    pub name: String,
    pub query: String,
    /// Seconds for which it must be true.
    pub wait: i64,
    pub severity: String,
    pub summary: String,
    /// Why it cannot be evaluated; empty where it can.
    pub broken: String,
    pub found: Vec<Found>,
}

/// One thing that a rule finds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Found {
    pub labels: BTreeMap<String, String>,
    /// Minutes before the lab began at which it became true.
    since: u32,
    value: f64,
    /// Whether its value moves, so that a refresh is seen to be one.
    moves: bool,
}

impl Rule {
    /// The labels of an alert, without external ones.
    pub fn labels<'a>(&'a self, found: &'a Found) -> BTreeMap<&'a str, &'a str> {
        let own = [("alertname", self.name.as_str()), ("severity", self.severity.as_str())];
        own.into_iter()
            .chain(found.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            .collect()
    }

    /// What it finds now: a scene is over once its cause has been dealt with.
    pub fn finds(&self, lab: &Lab) -> &[Found] {
        let over = self.scene == "outpost-down" && lab.world.get("outpost") == "restarted";
        if over { &[] } else { &self.found }
    }

    /// When an alert fires; `None` while it is pending.
    pub fn fired(&self, found: &Found, lab: &Lab) -> Option<Timestamp> {
        let at = found.true_since(lab) + SignedDuration::from_secs(self.wait);
        (at <= lab.now()).then_some(at)
    }

    /// The labels as they are sent.
    pub fn sent(&self, found: &Found) -> Labels {
        let labels: Labels = self.labels(found).into_iter().collect();
        labels.completed(&EXTERNAL.into_iter().collect())
    }
}

impl Found {
    /// When the expression became true.
    pub fn true_since(&self, lab: &Lab) -> Timestamp {
        lab.began - SignedDuration::from_mins(i64::from(self.since))
    }

    /// What the expression is now.
    pub fn value(&self, lab: &Lab) -> f64 {
        self.value_at(lab.now())
    }

    /// What the expression was at an instant.
    pub fn value_at(&self, at: Timestamp) -> f64 {
        let wave = u8::try_from((at.as_second() / 15).rem_euclid(5)).unwrap_or(0);
        if self.moves { self.value + f64::from(wave) } else { self.value }
    }
}

/// The rules of a scenario.
pub(super) fn rules(scenario: &str) -> Vec<Rule> {
    let file: Result<File, _> = toml::from_str(include_str!("homelab.toml"));
    let mut rules = file.map(|file| file.rule).unwrap_or_default();
    for rule in &mut rules {
        if !rule.scene.is_empty() && rule.scene != scenario {
            rule.found.clear();
        }
    }
    if scenario.starts_with("alert-storm") {
        rules.push(many());
    }
    rules
}

fn many() -> Rule {
    let pod = |n: u32| {
        let labels = [
            ("namespace", format!("team-{}", n % 40)),
            ("pod", format!("app-{n:04}")),
            ("cluster", "cloud".to_owned()),
            ("job", "kube-state-metrics".to_owned()),
        ];
        let labels = labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Found { labels, since: n % 600, value: 1.0, moves: false }
    };
    Rule {
        group: "kubernetes-apps".to_owned(),
        name: "KubePodNotReady".to_owned(),
        query: "kube_pod_status_phase{phase=~\"Pending|Unknown\"} > 0".to_owned(),
        wait: 900,
        severity: "warning".to_owned(),
        summary: "A pod is not ready.".to_owned(),
        found: (0..MANY).map(pod).collect(),
        ..Rule::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_rules_can_be_read_and_scenes_are_kept_apart() {
        let found = |scenario| rules(scenario).iter().map(|rule| rule.found.len()).sum::<usize>();
        assert_eq!((found("calm"), found("outpost-down"), found("alert-storm")), (9, 18, 2009));
    }
}
