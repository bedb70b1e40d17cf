//! What one poll of three thousand alerts and five hundred rules costs besides the network: two answers to rows.

use std::fmt::Write;

use divan::Bencher;
use divan::counter::BytesCount;
use jiff::Timestamp;
use vigie::backend::alerts::read_whole;

const ALERTS: usize = 3_000;
const RULES: usize = 500;

const CONFIG: &str = r#"
route:
  receiver: ops
  group_by: [alertname, cluster, namespace]
  routes:
  - {receiver: deadman, matchers: ['alertname="Watchdog"']}
  - {receiver: "null", matchers: ['alertname="InfoInhibitor"']}
  - {receiver: page, matchers: ['severity="critical"'], continue: true}
  - {receiver: night, matchers: ['severity=~"warning|info"', 'namespace="team-3"'], mute_time_intervals: [nights]}
  - {receiver: ops, matchers: ['severity=~"critical|warning"']}
receivers: [{name: ops, webhook_configs: [{}]}, {name: deadman, webhook_configs: [{}]}, {name: "null"}, {name: page, webhook_configs: [{}]}, {name: night, webhook_configs: [{}]}]
time_intervals: [{name: nights, time_intervals: [{times: [{start_time: "22:00", end_time: "24:00"}]}]}]
"#;

fn main() {
    divan::main();
}

fn labels(n: usize) -> String {
    format!(
        "{{\"alertname\":\"Rule{:03}\",\"cluster\":\"cloud\",\"container\":\"app\",\"job\":\"kube-state-metrics\",\
         \"namespace\":\"team-{}\",\"pod\":\"app-{n:05}\",\"severity\":\"{}\"}}",
        n % RULES,
        n % 40,
        ["critical", "warning", "info"][n % 3]
    )
}

fn alerts() -> String {
    let mut text = String::from("[");
    for n in 0..ALERTS {
        let _ = write!(
            text,
            "{{\"annotations\":{{\"summary\":\"Something about app-{n:05} is not as it should be.\",\"runbook_url\":\"https://runbooks.example/{n}\"}},\
             \"endsAt\":\"2026-11-24T10:04:00.000Z\",\"fingerprint\":\"{n:016x}\",\"receivers\":[{{\"name\":\"ops\"}}],\
             \"startsAt\":\"2026-11-24T09:00:00.000Z\",\"status\":{{\"inhibitedBy\":[],\"silencedBy\":[],\"state\":\"active\"}},\
             \"updatedAt\":\"2026-11-24T10:00:00.000Z\",\"generatorURL\":\"http://prometheus.example/graph?g0.expr=up\",\"labels\":{}}},",
            labels(n)
        );
    }
    text.pop();
    text + "]"
}

fn rules() -> String {
    let mut text = String::from(
        "{\"status\":\"success\",\"data\":{\"groups\":[{\"name\":\"g\",\"file\":\"f\",\"interval\":30,\"rules\":[",
    );
    for rule in 0..RULES {
        let _ = write!(
            text,
            "{{\"type\":\"alerting\",\"name\":\"Rule{rule:03}\",\"query\":\"up{{job=\\\"x\\\"}} == {rule}\",\"duration\":300,\"health\":\"ok\",\
             \"state\":\"firing\",\"lastEvaluation\":\"2026-11-24T10:00:00Z\",\"labels\":{{\"severity\":\"warning\"}},\"alerts\":["
        );
        for n in (rule..ALERTS).step_by(RULES) {
            let _ = write!(
                text,
                "{{\"labels\":{},\"annotations\":{{\"summary\":\"Something.\"}},\"state\":\"firing\",\"activeAt\":\"2026-11-24T08:55:00Z\",\"value\":\"9.3e+01\"}},",
                labels(n)
            );
        }
        text.pop();
        text.push_str("]},");
    }
    text.pop();
    text + "]}]}}"
}

/// Parsed, united, joined by fingerprint, sent through the routes and written as rows.
#[divan::bench]
fn three_thousand_alerts_and_five_hundred_rules(bencher: Bencher<'_, '_>) {
    let (alerts, rules) = (alerts(), rules());
    bencher.counter(BytesCount::new(alerts.len() + rules.len())).bench(|| {
        let rows = read_whole(alerts.as_bytes(), rules.as_bytes(), CONFIG, Timestamp::UNIX_EPOCH);
        assert_eq!(rows.map(|rows| rows.len()), Ok(ALERTS + RULES));
    });
}
