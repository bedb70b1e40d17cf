//! The alerts backend against Debian's own Prometheus, which sends to Debian's own Alertmanager.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test's helpers may fail the test, and say why they were skipped"
)]
#![allow(dead_code, reason = "the other test uses the rest of the helpers")]

mod real;

use std::fs;

use real::{Server, config, connect, free_port, poll, programs, row, single, until, value, word};
use vigie::model::id::KindId;
use vigie::model::row::Health;

const RULES: &str = r#"
groups:
- name: lab
  interval: 1s
  rules:
  - alert: Watchdog
    expr: vector(1)
    labels: {severity: none}
  - alert: MemoryHigh
    expr: label_replace(vector(93), "instance", "oci-node-1", "", "") > 90
    labels: {severity: warning}
    annotations: {summary: "memory is at {{ $value }} %"}
  - alert: NotYet
    expr: vector(1)
    for: 1h
    labels: {severity: critical}
  - alert: Broken
    expr: (vector(1) or label_replace(vector(1), "a", "b", "", "")) * on() (vector(1) or label_replace(vector(1), "a", "b", "", ""))
    labels: {severity: info}
  - record: lab:one
    expr: vector(1)
"#;

#[tokio::test]
async fn values_pending_alerts_and_rule_errors_join_what_alertmanager_holds() {
    let Some([alertmanager, prometheus]) = programs(["prometheus-alertmanager", "prometheus"]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let holds = single(&alertmanager, folder.path()).await;
    let port = free_port();
    let own = folder.path().join("prometheus.yml");
    let target = holds.url.trim_start_matches("http://");
    let text = format!(
        "global: {{evaluation_interval: 1s, external_labels: {{cluster: lab, prometheus: real}}}}\n\
         alerting:\n  alertmanagers: [{{static_configs: [{{targets: ['{target}']}}]}}]\nrule_files: [rules.yml]\n"
    );
    fs::write(&own, text).unwrap();
    fs::write(folder.path().join("rules.yml"), RULES).unwrap();
    let arguments = [
        format!("--config.file={}", own.display()),
        format!("--storage.tsdb.path={}", folder.path().join("tsdb").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        // It learns of its Alertmanager only seconds after the first alerts, and sends them again after a minute.
        "--rules.alert.resend-delay=1s".to_owned(),
    ];
    let evaluates = Server::start(&prometheus, &arguments, port, folder.path(), None).await;
    let toml = format!(
        "[[alertmanager]]\nname = \"am\"\nurl = \"{}\"\n[[prometheus]]\nname = \"prom\"\nurl = \"{}\"\n",
        holds.url, evaluates.url
    );
    let backends = connect(&config(&toml, folder.path()));

    let list = until(async || {
        let list = poll(&backends[0], "alertmanager").await;
        list.rows
            .iter()
            .any(|row| &*row.name == "MemoryHigh" && value(row, "value").as_number().is_some())
            .then_some(list)
    })
    .await;
    let memory = row(&list, "alerts.alerts", "MemoryHigh");
    assert_eq!(
        value(&memory, "value").as_number(),
        Some(93.0),
        "joined by a fingerprint with external labels"
    );
    assert!(value(&memory, "true").as_number().is_some());
    assert_eq!((word(&memory, "on").as_str(), memory.health), ("oci-node-1", Health::Warning));
    assert_eq!(row(&list, "alerts.alerts", "Watchdog").health, Health::Ok);

    let rules = until(async || {
        let rules = poll(&backends[1], "prometheus").await;
        rules.rows.iter().any(|row| word(row, "state") == "broken").then_some(rules)
    })
    .await;
    let broken = row(&rules, "alerts.rules", "Broken");
    assert_eq!(broken.health, Health::Warning);
    assert!(word(&broken, "error").contains("many-to-many"), "{}", word(&broken, "error"));
    assert_eq!(word(&row(&rules, "alerts.rules", "lab:one"), "state"), "ok");
    assert_eq!(word(&row(&rules, "alerts.rules", "MemoryHigh"), "state"), "firing");
    let alerts = rules.rows.iter().filter(|row| row.id.kind == KindId::from("alerts.alerts"));
    let states: Vec<_> = alerts.map(|row| (row.name.to_string(), word(row, "state"), row.health)).collect();
    assert_eq!(states, [("NotYet".to_owned(), "pending".to_owned(), Health::Pending)]);

    let found = backends[1].doctor().await.findings;
    assert!(found.iter().any(|finding| finding.says == "5 rules, 1 broken"), "{found:?}");
    assert!(found.iter().any(|finding| finding.says == "sends alerts to 1"), "{found:?}");
}
