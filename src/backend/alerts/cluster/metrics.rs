//! The few counters of an Alertmanager that tell whether notifications leave it (`GET /metrics`, Prometheus text).

use std::collections::BTreeMap;

/// What its counters say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    /// Notifications sent since its start, by integration.
    pub sent: BTreeMap<String, f64>,
    /// Notifications that failed since its start, by integration.
    pub failed: BTreeMap<String, f64>,
    /// Whether the last reload of its configuration succeeded.
    pub reloaded: Option<bool>,
    /// Members of its cluster that it cannot reach.
    pub failed_peers: Option<f64>,
}

impl Metrics {
    /// Reads the text; a line that is none is passed over.
    pub fn read(text: &str) -> Self {
        let mut metrics = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.trim().parse::<f64>() else { continue };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let integration = || label(labels, "integration").unwrap_or_default().to_owned();
            match name {
                "alertmanager_notifications_total" => {
                    *metrics.sent.entry(integration()).or_default() += value;
                }
                "alertmanager_notifications_failed_total" => {
                    *metrics.failed.entry(integration()).or_default() += value;
                }
                "alertmanager_config_last_reload_successful" => metrics.reloaded = Some(value >= 1.0),
                "alertmanager_cluster_failed_peers" => metrics.failed_peers = Some(value),
                _ => {}
            }
        }
        metrics
    }

    /// How many more have failed than at an earlier look; a restart counts from nothing.
    pub fn failed_since(&self, earlier: &Self) -> f64 {
        let more = |(integration, now): (&String, &f64)| {
            let before = earlier.failed.get(integration).copied().unwrap_or(0.0);
            if *now < before { *now } else { now - before }
        };
        self.failed.iter().map(more).sum()
    }

    /// How many have failed in all.
    pub fn failed_total(&self) -> f64 {
        self.failed.values().sum()
    }
}

/// The value of a label in `a="x",b="y"}`.
fn label<'t>(labels: &'t str, name: &str) -> Option<&'t str> {
    let at = labels.find(&format!("{name}=\""))? + name.len() + 2;
    labels.get(at..)?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP alertmanager_notifications_total x\n\
        alertmanager_notifications_total{integration=\"webhook\"} 12\n\
        alertmanager_notifications_total{integration=\"telegram\"} 3\n\
        alertmanager_notifications_failed_total{integration=\"telegram\",reason=\"clientError\"} 1\n\
        alertmanager_notifications_failed_total{integration=\"telegram\",reason=\"other\"} 2\n\
        alertmanager_config_last_reload_successful 0\nalertmanager_cluster_failed_peers 1\nnonsense\nx y\n";

    #[test]
    fn counters_are_read_by_integration_whatever_stands_between() {
        let metrics = Metrics::read(TEXT);
        assert_eq!(metrics.sent.get("webhook"), Some(&12.0));
        assert_eq!((metrics.failed_total(), metrics.reloaded), (3.0, Some(false)));
        assert_eq!(metrics.failed_peers, Some(1.0));
        assert_eq!(Metrics::read("<html>login</html>"), Metrics::default());
    }

    #[test]
    fn a_restart_counts_from_nothing() {
        let reading =
            |failed: f64| Metrics { failed: [("webhook".to_owned(), failed)].into(), ..Metrics::default() };
        assert!((reading(7.0).failed_since(&reading(5.0)) - 2.0).abs() < f64::EPSILON);
        assert!((reading(1.0).failed_since(&reading(5.0)) - 1.0).abs() < f64::EPSILON);
    }
}
