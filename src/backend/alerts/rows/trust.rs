//! What has to hold before silence means that all is well, a row for each check: the servers themselves never tell
//! that they have become deaf.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Health, Row, Tone, Value};
use crate::model::time::{seconds_between, short};

use super::super::cluster::{Cluster, Held, Observation};
use super::super::feed::{Knowledge, Seen};
use super::super::kinds;
use super::alerts::Around;

/// A watchdog is sent each minute; a sender that has not spoken for so many seconds is deaf or dead.
const WATCHDOG: i64 = 180;
/// A failed notification stays worth telling for so many seconds.
const FAILED: i64 = 1800;

/// One check.
struct Check {
    name: String,
    says: String,
    holds: bool,
    at: Option<Timestamp>,
    /// Whether nothing else on the screen tells it.
    alone: bool,
}

/// The checks of a cluster of Alertmanagers.
pub fn of_cluster(cluster: &Cluster, seen: &Observation, watchdog: &str, around: Around<'_>) -> Vec<Row> {
    let mut checks = watchdogs(seen, watchdog, around.now);
    let (answering, all) = (seen.answering(), seen.members.len());
    checks.push(Check {
        name: "members".to_owned(),
        says: format!("{answering} of {all} answer"),
        holds: answering == all,
        at: Some(seen.at),
        alone: false,
    });
    for (member, said) in cluster.members.iter().zip(&seen.members) {
        let Some(told) = &said.told else {
            checks.push(unknown(&format!("status {}", member.name), "has not told its status"));
            continue;
        };
        let word = told.status.cluster.status.as_str();
        let ready = matches!(word, "ready" | "disabled");
        let says = match word {
            "ready" => format!("ready, {} members", told.status.cluster.peers.len()),
            "disabled" => "stands alone".to_owned(),
            "settling" => "settling: notifications are held back".to_owned(),
            other => format!("`{other}`"),
        };
        let name = format!("cluster {}", member.name);
        checks.push(Check { name, says, holds: ready, at: Some(told.at), alone: true });
        checks.extend(notifications(&member.name, told, around.now));
    }
    checks.into_iter().map(|check| row(check, around)).collect()
}

/// One check for each Prometheus that sends a watchdog, told apart by its external labels.
fn watchdogs(seen: &Observation, name: &str, now: Timestamp) -> Vec<Check> {
    let found: Vec<&Held> =
        seen.alerts.iter().filter(|held| held.alert.labels.get("alertname") == name).collect();
    if found.is_empty() {
        let says = format!("no {name} alert: nothing proves that alerts arrive here at all");
        return vec![Check { name: "watchdog".to_owned(), says, holds: false, at: None, alone: true }];
    }
    let check = |held: &&Held| {
        let sender = held.alert.labels.any(&["prometheus", "cluster", "prometheus_replica"]);
        let heard = held.alert.updated_at;
        let age = heard.map(|at| seconds_between(at, now));
        let fresh = age.is_some_and(|age| age < WATCHDOG);
        let says = match age {
            Some(_) if fresh => "heard within three minutes".to_owned(),
            Some(age) => format!("the alert path is broken: last heard {} ago", short(age)),
            None => "nobody knows when it was heard last".to_owned(),
        };
        let name = sender.map_or_else(|| "watchdog".to_owned(), |sender| format!("watchdog {sender}"));
        Check { name, says, holds: fresh, at: heard, alone: true }
    };
    found.iter().map(check).collect()
}

fn notifications(member: &str, told: &super::super::cluster::Told, now: Timestamp) -> Vec<Check> {
    let mut checks = Vec::new();
    let Some(metrics) = &told.metrics else {
        return vec![unknown(&format!("notify {member}"), "its counters cannot be read")];
    };
    let recent = told.failed_at.filter(|at| seconds_between(*at, now) < FAILED);
    let total = metrics.failed_total();
    let says = match recent {
        Some(at) => {
            format!("a notification failed {} ago; {total} since its start", short(seconds_between(at, now)))
        }
        None if total > 0.0 => format!("none fails now; {total} have since its start"),
        None => "none has failed".to_owned(),
    };
    let name = format!("notify {member}");
    checks.push(Check { name, says, holds: recent.is_none(), at: Some(told.at), alone: true });
    if metrics.reloaded == Some(false) {
        let says = "its configuration could not be reloaded: an older one is in force".to_owned();
        checks.push(Check {
            name: format!("config {member}"),
            says,
            holds: false,
            at: Some(told.at),
            alone: true,
        });
    }
    checks
}

/// The checks of a Prometheus; `watchdog` is looked for among its own alerts where there is no Alertmanager.
pub fn of_feed(known: &Knowledge, watchdog: Option<&str>, around: Around<'_>) -> Vec<Row> {
    let broken = known.rules.iter().filter(|placed| placed.rule.health == "err").count();
    let late = known.rules.iter().filter(|placed| super::rules::state(placed, around).0 == "late").count();
    let says = match (broken, late) {
        (0, 0) => format!("{} rules, all evaluated", known.rules.len()),
        (0, late) => format!("{late} of {} rules are evaluated late", known.rules.len()),
        (broken, _) => format!("{broken} of {} rules are broken", known.rules.len()),
    };
    let rules =
        Check { name: "rules".to_owned(), says, holds: broken + late == 0, at: Some(known.at), alone: false };
    let sends = match known.alertmanagers {
        None => unknown("sends to", "it does not tell where it sends alerts"),
        Some(count) => Check {
            name: "sends to".to_owned(),
            says: if count == 0 {
                "it sends alerts to nobody".to_owned()
            } else {
                format!("sends alerts to {count}")
            },
            holds: count > 0,
            at: Some(known.at),
            alone: true,
        },
    };
    let own = watchdog.map(|name| {
        let fires = |seen: &&Seen| seen.labels.get("alertname") == name && seen.alert.state == "firing";
        let heard = known.alerts.iter().any(|seen| fires(&seen)).then_some(known.at);
        let says = if heard.is_some() { "fires in Prometheus" } else { "no such alert fires" };
        let holds = heard.is_some();
        Check { name: "watchdog".to_owned(), says: says.to_owned(), holds, at: heard, alone: true }
    });
    let checks = [Some(rules), own.is_none().then_some(sends), own];
    checks.into_iter().flatten().map(|check| row(check, around)).collect()
}

fn unknown(name: &str, says: &str) -> Check {
    Check { name: name.to_owned(), says: says.to_owned(), holds: false, at: None, alone: false }
}

fn row(check: Check, around: Around<'_>) -> Row {
    let (word, tone) = if check.holds { ("ok", Tone::Ok) } else { ("blind", Tone::Warn) };
    let cells = vec![
        Cell::toned(word, tone),
        Cell::new(Value::text(&check.name)),
        Cell::new(Value::text(&check.says)),
        Cell::new(check.at),
    ];
    let id = EntityId::new(kinds::TRUST, around.instance.clone(), check.name.as_str());
    let mut row = Row::new(id, check.name.as_str(), cells);
    row.health = match (check.holds, check.alone) {
        (true, _) => Health::Ok,
        (false, true) => Health::Warning,
        // What it looks at has rows or a source of its own, which say so already.
        (false, false) => Health::Unknown,
    };
    row.note = (!check.holds && check.alone).then(|| Arc::from(check.says));
    row.domain = around.domain;
    row.identity = Identity::new().with("check", check.name);
    row
}
