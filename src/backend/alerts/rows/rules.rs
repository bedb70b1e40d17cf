//! Rules as rows: whether they can be evaluated at all. A broken rule's alerts stay as they were and resolve by
//! themselves, which looks like good news.

use std::sync::Arc;

use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Health, Row, Tone, Value};
use crate::model::time::{seconds_between, short};

use super::super::feed::Placed;
use super::super::kinds;
use super::alerts::Around;

/// The row of a rule with so many pending or firing alerts.
pub fn row(placed: &Placed, alerts: usize, around: Around<'_>) -> Row {
    let rule = &placed.rule;
    let (word, health, note) = state(placed, around);
    let alerting = rule.kind == "alerting";
    let tone = match (health, word) {
        (Health::Ok, "firing") => Tone::Warn,
        (Health::Ok, "pending") => Tone::Pending,
        (Health::Ok, "inactive") => Tone::Dim,
        (health, _) => health.into(),
    };
    let name: Arc<str> = Arc::from(rule.name.as_str());
    let cells = vec![
        Cell::toned(word, tone),
        Cell::new(Value::Text(name.clone())),
        Cell::new(Value::Text(placed.group.clone())),
        if alerting { Cell::new(i64::try_from(alerts).ok()) } else { Cell::empty() },
        Cell::new(rule.duration.filter(|_| alerting)),
        Cell::new(rule.last_evaluation),
        Cell::toned(Value::text(&rule.last_error), Tone::Warn),
        Cell::new(Value::text(&rule.kind)),
        Cell::new(rule.evaluation_time),
        Cell::new(Value::text(&rule.query)),
    ];
    let id = EntityId::new(kinds::RULES, around.instance.clone(), placed.key.as_str());
    let mut row = Row::new(id, name, cells);
    row.health = health;
    row.note = note.map(Arc::from);
    row.domain = around.domain;
    row.identity = Identity::new().with("rule", placed.key.as_str());
    row
}

/// The state's word, what it makes of health, and the reason.
pub fn state(placed: &Placed, around: Around<'_>) -> (&'static str, Health, Option<String>) {
    let rule = &placed.rule;
    if rule.health == "err" {
        let note = match rule.state.as_str() {
            "firing" => format!("its alerts are frozen and will resolve by themselves: {}", rule.last_error),
            _ => rule.last_error.clone(),
        };
        return ("broken", Health::Warning, Some(note));
    }
    let Some(evaluated) = rule.last_evaluation.filter(|_| rule.health == "ok") else {
        return ("unknown", Health::Unknown, Some("not evaluated yet".to_owned()));
    };
    let age = seconds_between(evaluated, around.now);
    #[allow(clippy::cast_possible_truncation)]
    let late = (placed.interval * 3.0) as i64 + 60;
    if age > late {
        return ("late", Health::Warning, Some(format!("last evaluated {} ago", short(age))));
    }
    let word = match (rule.kind.as_str(), rule.state.as_str()) {
        ("recording", _) => "ok",
        (_, "firing") => "firing",
        (_, "pending") => "pending",
        _ => "inactive",
    };
    (word, Health::Ok, None)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use crate::model::row::Domain;

    use super::super::super::promwire::Rule;
    use super::*;

    #[test]
    fn a_rule_is_only_good_where_it_was_evaluated_lately() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let instance: Arc<str> = Arc::from("p");
        let around = Around::plain(&instance, Domain::Home, now);
        let cases = [
            ("alerting", "inactive", "ok", 10, "inactive", Health::Ok),
            ("alerting", "firing", "ok", 10, "firing", Health::Ok),
            ("recording", "", "ok", 10, "ok", Health::Ok),
            ("alerting", "firing", "err", 10, "broken", Health::Warning),
            ("alerting", "inactive", "ok", 300, "late", Health::Warning),
            ("alerting", "inactive", "unknown", 10, "unknown", Health::Unknown),
            ("alerting", "inactive", "", 10, "unknown", Health::Unknown),
        ];
        for (kind, state, health, age, word, expected) in cases {
            let rule = Rule {
                kind: kind.into(),
                state: state.into(),
                health: health.into(),
                last_evaluation: Some(now - SignedDuration::from_secs(age)),
                ..Rule::default()
            };
            let placed = Placed { key: "k".into(), group: Arc::from("g"), interval: 30.0, rule };
            let row = row(&placed, 0, around);
            assert_eq!((row.cells[0].value.as_text(), row.health), (Some(word), expected));
        }
    }
}
