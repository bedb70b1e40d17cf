//! What one Prometheus knows that no Alertmanager tells: values, pending alerts and whether rules work at all.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::backend::error::ApiError;
use crate::backend::http::Http;
use crate::config;
use crate::model::row::Domain;
use crate::model::time::{Clock, seconds_between};

use super::client::{self, Prometheus};
use super::fields;
use super::labels::Labels;
use super::promwire::{Rule, RuleAlert, Rules};

/// How long external labels are believed, in seconds: they change with the configuration only.
const LABELS_AGE: i64 = 300;
/// How long another list waits for this server before it goes without.
const PATIENCE: Duration = Duration::from_secs(3);

/// A rule and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Its key: `group/name/hash of what tells it from its namesakes`.
    pub key: String,
    /// Its group.
    pub group: Arc<str>,
    /// How often the group is evaluated, in seconds.
    pub interval: f64,
    /// The rule; its alerts are in [`Knowledge::alerts`].
    pub rule: Rule,
}

/// An alert as Prometheus sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Its state, value and times, without external labels.
    pub alert: RuleAlert,
    /// Its labels as they are sent.
    pub labels: Labels,
    /// Their hash, which is Alertmanager's fingerprint unless labels are rewritten on the way.
    pub fingerprint: u64,
    /// The index of its rule.
    pub rule: usize,
}

/// What one Prometheus said.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    /// When.
    pub at: Timestamp,
    /// Its rules.
    pub rules: Vec<Placed>,
    /// Its pending and firing alerts.
    pub alerts: Vec<Seen>,
    /// What it warned of, and what could not be had.
    pub notes: Vec<String>,
    /// To how many Alertmanagers it sends; `None` where it does not tell.
    pub alertmanagers: Option<usize>,
    /// The labels that it adds to what it sends; empty where they could not be read.
    pub external: Labels,
    by_fingerprint: HashMap<u64, usize>,
    by_name: HashMap<Arc<str>, Vec<usize>>,
}

impl Knowledge {
    /// Takes an answer apart.
    pub fn new(at: Timestamp, rules: Rules, external: Option<&Labels>, notes: Vec<String>) -> Self {
        let none = Labels::default();
        let mut known = Self { at, notes, external: external.unwrap_or(&none).clone(), ..Self::default() };
        for group in rules.groups {
            let name: Arc<str> = Arc::from(group.name.as_str());
            for mut rule in group.rules {
                for alert in std::mem::take(&mut rule.alerts) {
                    known.add(alert, external.unwrap_or(&none));
                }
                let key = key(&group.file, &group.name, &rule);
                known.rules.push(Placed {
                    key,
                    group: name.clone(),
                    interval: group.interval.unwrap_or(60.0),
                    rule,
                });
            }
        }
        known
    }

    fn add(&mut self, alert: RuleAlert, external: &Labels) {
        let labels = alert.labels.completed(external);
        let (fingerprint, index) = (labels.fingerprint(), self.alerts.len());
        self.by_fingerprint.insert(fingerprint, index);
        if let Some(name) = labels.find("alertname") {
            self.by_name.entry(name.clone()).or_default().push(index);
        }
        self.alerts.push(Seen { alert, labels, fingerprint, rule: self.rules.len() });
    }

    /// The alert that an Alertmanager holds under this fingerprint; else the only one of its name whose labels are
    /// all among those that the Alertmanager has.
    pub fn find(&self, fingerprint: u64, labels: &Labels) -> Option<(&Seen, &Placed)> {
        let index = self.by_fingerprint.get(&fingerprint).copied().or_else(|| {
            let named = self.by_name.get(labels.find("alertname")?)?;
            let within = |index: &&usize| {
                self.alerts.get(**index).is_some_and(|seen| {
                    seen.alert.labels.iter().all(|(name, value)| labels.find(name) == Some(value))
                })
            };
            let mut found = named.iter().filter(within);
            found.next().copied().filter(|_| found.next().is_none())
        })?;
        let seen = self.alerts.get(index)?;
        Some((seen, self.rules.get(seen.rule)?))
    }

    /// The rules of an alert's name, whether it fires or not.
    pub fn rules_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Placed> {
        self.rules.iter().filter(move |placed| placed.rule.kind == "alerting" && placed.rule.name == name)
    }
}

/// A group may hold several rules of one name, told apart by what they compute.
fn key(file: &str, group: &str, rule: &Rule) -> String {
    let parts = [("file", file), ("query", rule.query.as_str())];
    let labels = rule.labels.fingerprint();
    let hash = parts.into_iter().collect::<Labels>().fingerprint() ^ labels.rotate_left(1);
    format!("{group}/{}/{:08x}", rule.name, hash >> 32)
}

/// One Prometheus.
#[derive(Debug)]
pub struct Feed {
    /// Its configured name.
    pub name: Arc<str>,
    /// Its domain.
    pub domain: Domain,
    http: Result<Http, ApiError>,
    clock: Clock,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    answer: Option<(Timestamp, Result<Arc<Knowledge>, ApiError>)>,
    external: Option<(Timestamp, Option<Labels>)>,
}

impl Feed {
    /// Resolves secrets, so it may block; a server that cannot be made answers with its fault.
    pub fn new(config: &config::Prometheus, clock: &Clock) -> Self {
        Self {
            name: config.connection.name.clone(),
            domain: config.connection.domain,
            http: client::open(&config.connection, &config.auth),
            clock: clock.clone(),
            last: Mutex::default(),
        }
    }

    /// Its calls, or why there can be none.
    pub fn api(&self) -> Result<Prometheus<'_>, ApiError> {
        self.http.as_ref().map(Prometheus).map_err(Clone::clone)
    }

    /// What it says, at most so many seconds old; several askers at once share one question, and its failure too.
    pub async fn know(&self, max_age: i64) -> Result<Arc<Knowledge>, ApiError> {
        let asked = self.clock.now();
        let mut last = self.last.lock().await;
        if let Some((at, known)) = &last.answer
            && (*at > asked || seconds_between(*at, asked) < max_age)
        {
            return known.clone();
        }
        let answer = self.ask(&mut last.external).await.map(Arc::new);
        last.answer = Some((self.clock.now(), answer.clone()));
        answer
    }

    /// What it says, for a list that would rather go without than wait.
    pub async fn know_soon(&self) -> Option<Arc<Knowledge>> {
        tokio::time::timeout(PATIENCE, self.know(30)).await.ok()?.ok()
    }

    async fn ask(&self, external: &mut Option<(Timestamp, Option<Labels>)>) -> Result<Knowledge, ApiError> {
        let (api, now) = (self.api()?, self.clock.now());
        let believed = external.as_ref().is_some_and(|(at, _)| seconds_between(*at, now) < LABELS_AGE);
        let labels = async { if believed { None } else { Some(api.config().await) } };
        let (rules, config, sends) =
            futures_util::future::join3(api.rules(), labels, api.alertmanagers()).await;
        let rules = rules?;
        if let Some(config) = config {
            let read = config.ok().and_then(|answer| external_labels(&answer.body.data.yaml));
            *external = Some((now, read));
        }
        let labels = external.as_ref().and_then(|(_, labels)| labels.as_ref());
        let mut notes = rules.body.warnings;
        if labels.is_none() {
            notes.push("external labels could not be read: alerts are joined by name and labels".to_owned());
        }
        let alertmanagers = sends.ok().map(|answer| answer.body.data.active_alertmanagers.len());
        Ok(Knowledge { alertmanagers, ..Knowledge::new(now, rules.body.data, labels, notes) })
    }
}

/// `global.external_labels` of a configuration; `None` where it is no configuration.
fn external_labels(yaml: &str) -> Option<Labels> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Config {
        #[serde(deserialize_with = "fields::object")]
        global: Global,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Global {
        external_labels: Labels,
    }
    let config: serde_json::Value = serde_saphyr::from_str(yaml).ok()?;
    serde_json::from_value(config).ok().map(|config: Config| config.global.external_labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    fn known(external: Option<&Labels>) -> Knowledge {
        let body = r#"{"groups":[{"name":"g","file":"f","interval":5,"rules":[
            {"type":"alerting","name":"X","query":"up == 0","alerts":[
                {"labels":{"alertname":"X","instance":"a"},"state":"firing","value":"9.3e+01"},
                {"labels":{"alertname":"X","instance":"b"},"state":"pending","value":"NaN"}]},
            {"type":"alerting","name":"X","query":"up == 2"}, 7, "x"]}, null]}"#;
        let rules = serde_json::from_str(body).unwrap();
        Knowledge::new(Timestamp::UNIX_EPOCH, rules, external, Vec::new())
    }

    #[test]
    fn alerts_are_joined_by_the_fingerprint_with_external_labels() {
        let sent = labels(&[("alertname", "X"), ("instance", "a"), ("prometheus", "p")]);
        let external = labels(&[("prometheus", "p")]);
        let known = known(Some(&external));
        let (seen, placed) = known.find(sent.fingerprint(), &Labels::default()).unwrap();
        assert_eq!((seen.alert.value, &*placed.group), (Some(93.0), "g"));
    }

    #[test]
    fn without_external_labels_the_only_agreeing_namesake_is_taken() {
        let known = known(None);
        let sent = labels(&[("alertname", "X"), ("instance", "a"), ("prometheus", "p")]);
        assert_eq!(known.find(sent.fingerprint(), &sent).unwrap().0.alert.value, Some(93.0));
        let other = labels(&[("alertname", "X"), ("instance", "c")]);
        assert!(known.find(other.fingerprint(), &other).is_none());
    }

    #[test]
    fn rules_of_one_name_have_keys_of_their_own() {
        let known = known(None);
        assert_eq!(known.rules.len(), 2);
        assert_ne!(known.rules[0].key, known.rules[1].key);
        let of = |file: &str| {
            let rule = r#"{"type":"alerting","name":"X","query":"up == 0"}"#;
            format!(r#"{{"name":"g","file":"{file}","rules":[{rule}]}}"#)
        };
        let both = format!(r#"{{"groups":[{},{}]}}"#, of("a.yml"), of("b.yml"));
        let known =
            Knowledge::new(Timestamp::UNIX_EPOCH, serde_json::from_str(&both).unwrap(), None, Vec::new());
        assert_ne!(known.rules[0].key, known.rules[1].key, "one group's name in two files");
    }

    #[test]
    fn external_labels_are_read_from_the_configuration() {
        let yaml = "global:\n  scrape_interval: 5s\n  external_labels:\n    prometheus: monitoring/k\nalerting: {}\n";
        assert_eq!(external_labels(yaml), Some(labels(&[("prometheus", "monitoring/k")])));
        assert_eq!(external_labels("global: {}\n"), Some(Labels::default()));
        assert_eq!(external_labels(": : :\n\t"), None);
    }
}
