//! The few expressions that the console asks, evaluated: the `ALERTS` series, and what the lab's rules measure.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Lab;
use super::homelab::{Found, Rule};
use super::prometheus::{error, success};

/// More points than this the real server refuses.
const MOST_POINTS: i64 = 11_000;

type Fields = BTreeMap<String, String>;

/// The parameters, of the address and of the body alike.
fn fields(query: Option<String>, body: &Bytes) -> Fields {
    let read = |text: &str| {
        let url = reqwest::Url::parse(&format!("http://x/?{text}"));
        url.map(|url| url.query_pairs().into_owned().collect::<Vec<_>>()).unwrap_or_default()
    };
    let form = String::from_utf8_lossy(body);
    read(&query.unwrap_or_default()).into_iter().chain(read(&form)).collect()
}

fn bad(text: &str) -> Response {
    error(StatusCode::BAD_REQUEST, "bad_data", text)
}

/// A series: its labels, and its value at an instant where it has one there.
struct Line<'l> {
    metric: Value,
    value: Box<dyn Fn(Timestamp) -> Option<f64> + 'l>,
}

/// What an expression selects.
fn evaluate<'l>(expression: &str, lab: &'l Lab) -> Vec<Line<'l>> {
    let text: String = expression.chars().filter(|c| !c.is_whitespace()).collect();
    if text.contains("(pg_") {
        let storm = lab.world.scenario == "boot-storm" && lab.world.get("authentik-image") != "pinned";
        return postgres(&text, storm).into_iter().collect();
    }
    let found = || lab.rules.iter().flat_map(|rule| rule.finds(lab).iter().map(move |found| (rule, found)));
    match text.as_str() {
        "count(count_over_time(ALERTS{alertstate=\"firing\"}[24h]))" => {
            #[allow(clippy::cast_precision_loss)]
            let count = found().count() as f64;
            vec![Line { metric: json!({}), value: Box::new(move |_| Some(count)) }]
        }
        "ALERTS{alertstate=\"firing\"}" => found().map(|(rule, found)| firing(rule, found, lab)).collect(),
        other => {
            let measures = |rule: &Rule| {
                let query: String = rule.query.chars().filter(|c| !c.is_whitespace()).collect();
                query == other
                    || query.strip_prefix(other).is_some_and(|rest| rest.starts_with(['>', '<', '=']))
            };
            let (whole, rules) = (other, lab.rules.iter().filter(|rule| measures(rule)));
            let line =
                |rule: &'l Rule, found: &'l Found| measured(rule, found, lab, rule.query.len() > whole.len());
            rules.flat_map(|rule| rule.found.iter().map(move |found| line(rule, found))).collect()
        }
    }
}

/// The management host's `PostgreSQL`; in a storm of starts one session holds the lock that all wait for.
fn postgres<'l>(text: &str, storm: bool) -> Option<Line<'l>> {
    let facts = [
        ("pg_up", 1.0, 1.0),
        ("pg_stat_activity_count{", 1.0, 5.0),
        ("pg_stat_activity_count)", 34.0, 97.0),
        ("pg_settings_max_connections", 100.0, 100.0),
        ("pg_stat_activity_max_tx_duration", 2.0, 184.0),
        ("pg_locks_count", 0.0, 1.0),
    ];
    let (_, calm, stormy) = facts.into_iter().find(|(name, _, _)| text.contains(name))?;
    let value = if storm { stormy } else { calm };
    Some(Line { metric: json!({"instance": "oci-mgmt:9187"}), value: Box::new(move |_| Some(value)) })
}

fn firing<'l>(rule: &'l Rule, found: &'l Found, lab: &'l Lab) -> Line<'l> {
    let mut metric = json!(rule.labels(found));
    metric["__name__"] = json!("ALERTS");
    metric["alertstate"] = json!("firing");
    let fired = found.true_since(lab) + SignedDuration::from_secs(rule.wait);
    Line { metric, value: Box::new(move |at| (at >= fired).then_some(1.0)) }
}

/// What is measured has values all the time; the comparison only where it is true.
fn measured<'l>(_rule: &'l Rule, found: &'l Found, lab: &'l Lab, always: bool) -> Line<'l> {
    let since = found.true_since(lab);
    let value = move |at: Timestamp| {
        let holds = at >= since;
        (holds || always).then(|| if holds { found.value_at(at) } else { found.value_at(at) * 0.8 })
    };
    Line { metric: json!(found.labels), value: Box::new(value) }
}

#[allow(clippy::cast_precision_loss)]
fn sample(at: Timestamp, value: f64) -> Value {
    json!([at.as_second() as f64, value.to_string()])
}

/// `GET|POST /query`.
pub(super) async fn instant(State(lab): State<Arc<Lab>>, RawQuery(query): RawQuery, body: Bytes) -> Response {
    let fields = fields(query, &body);
    let Some(expression) = fields.get("query").filter(|text| !text.is_empty()) else {
        return bad(
            "invalid parameter \"query\": unknown position: parse error: no expression found in input",
        );
    };
    let at = fields.get("time").and_then(|time| time.parse::<i64>().ok());
    let at = at.and_then(|second| Timestamp::from_second(second).ok()).unwrap_or_else(|| lab.now());
    let lines = evaluate(expression, &lab);
    let result = lines.iter().filter_map(|line| {
        let value = (line.value)(at)?;
        Some(json!({"metric": line.metric, "value": sample(at, value)}))
    });
    success(&json!({"resultType": "vector", "result": result.collect::<Vec<_>>()}))
}

/// `GET|POST /query_range`.
pub(super) async fn range(State(lab): State<Arc<Lab>>, RawQuery(query): RawQuery, body: Bytes) -> Response {
    let fields = fields(query, &body);
    let number = |name: &str| fields.get(name).and_then(|text| text.parse::<f64>().ok());
    let (Some(start), Some(end), Some(step)) = (number("start"), number("end"), number("step")) else {
        return bad("invalid parameter \"start\": cannot parse \"\" to a valid timestamp");
    };
    #[allow(clippy::cast_possible_truncation)]
    let (start, end, step) = (start as i64, end as i64, step as i64);
    if step <= 0 {
        return bad("zero or negative query resolution step widths are not accepted. Try a positive integer");
    }
    if end < start {
        return bad("end timestamp must not be before start time");
    }
    if (end - start) / step > MOST_POINTS {
        return bad(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
        );
    }
    let lines = evaluate(fields.get("query").map_or("", String::as_str), &lab);
    let instants =
        || (0..=(end - start) / step).filter_map(|n| Timestamp::from_second(start + n * step).ok());
    let result = lines.iter().map(|line| {
        let values: Vec<Value> =
            instants().filter_map(|at| (line.value)(at).map(|value| sample(at, value))).collect();
        (values.len(), json!({"metric": line.metric, "values": values}))
    });
    let result: Vec<Value> = result.filter(|(points, _)| *points > 0).map(|(_, series)| series).collect();
    success(&json!({"resultType": "matrix", "result": result}))
}
