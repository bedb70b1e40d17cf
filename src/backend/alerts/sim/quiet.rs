//! What keeps an alert of the lab quiet besides silences, and who is told: the lab's Alertmanager configuration,
//! once as YAML for the console to read and once as behaviour.

use super::super::labels::Labels;
use super::super::matcher::{Matcher, Matchers};

/// The configuration as `GET /status` prints it: with defaults filled in, and the webhook's URL in clear.
pub(super) const CONFIG: &str = r#"global:
  resolve_timeout: 5m
route:
  receiver: telegram-ops
  group_by:
  - alertname
  - cluster
  - namespace
  continue: false
  routes:
  - receiver: deadman
    matchers:
    - alertname="Watchdog"
    continue: false
    group_wait: 0s
    group_interval: 1m
    repeat_interval: 1m
  - receiver: "null"
    matchers:
    - alertname="InfoInhibitor"
    continue: false
  - receiver: ntfy-critical
    matchers:
    - severity="critical"
    continue: true
  - receiver: ntfy-night
    matchers:
    - severity=~"warning|info"
    - namespace="media"
    mute_time_intervals:
    - nights
    continue: false
  - receiver: telegram-ops
    matchers:
    - severity=~"critical|warning"
    continue: false
  group_wait: 5s
  group_interval: 10s
  repeat_interval: 4h
inhibit_rules:
- source_matchers:
  - severity="critical"
  target_matchers:
  - severity=~"warning|info"
  equal:
  - namespace
  - alertname
- source_matchers:
  - alertname="InfoInhibitor"
  target_matchers:
  - severity="info"
  equal:
  - namespace
receivers:
- name: "null"
- name: deadman
  webhook_configs:
  - send_resolved: false
    url: http://127.0.0.1:9095/ping/watchdog
- name: ntfy-critical
  webhook_configs:
  - send_resolved: true
    url: http://127.0.0.1:9095/ntfy/critical
- name: ntfy-night
  webhook_configs:
  - send_resolved: true
    url: http://127.0.0.1:9095/ntfy/night
- name: telegram-ops
  webhook_configs:
  - send_resolved: true
    url: http://127.0.0.1:9095/telegram
mute_time_intervals:
- name: nights
  time_intervals:
  - times:
    - start_time: "22:00"
      end_time: "24:00"
    - start_time: "00:00"
      end_time: "07:00"
"#;

/// Who is told of an alert.
pub(super) fn receivers(labels: &Labels) -> Vec<&'static str> {
    match (labels.get("alertname"), labels.get("severity"), labels.get("namespace")) {
        ("Watchdog", _, _) => vec!["deadman"],
        ("InfoInhibitor", _, _) => vec!["null"],
        (_, "critical", _) => vec!["ntfy-critical", "telegram-ops"],
        (_, "warning" | "info", "media") => vec!["ntfy-night"],
        _ => vec!["telegram-ops"],
    }
}

/// Whether one alert inhibits another.
pub(super) fn inhibits(source: &Labels, target: &Labels) -> bool {
    let rules: [(&str, &str, &[&str]); 2] = [
        ("severity=critical", "severity=~warning|info", &["namespace", "alertname"]),
        ("alertname=InfoInhibitor", "severity=info", &["namespace"]),
    ];
    let matches = |text: &str, labels: &Labels| {
        let matcher = Matcher::parse(text).and_then(|matcher| Matchers::new([matcher]));
        matcher.is_ok_and(|matcher| matcher.match_all(labels))
    };
    rules.iter().any(|(from, to, equal)| {
        matches(from, source)
            && matches(to, target)
            && equal.iter().all(|name| source.get(name) == target.get(name))
    })
}
