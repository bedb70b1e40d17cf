//! One poll of what Alertmanagers hold or a Prometheus evaluates, to rows.

pub(super) mod told;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::backend::error::ApiError;
use crate::model::id::KindId;
use crate::model::op::Target;
use crate::model::row::Row;
use crate::model::snapshot::Snapshot;
use crate::model::time::seconds_between;

use super::cluster::{Cluster, Observation};
use super::feed::{Knowledge, Placed, Seen};
use super::rows::alerts::{Around, State};
use super::rows::history::Bursts;
use super::rows::quiet::Lapsed;
use super::rows::{alerts, receivers, rules, silences, trust};
use super::{ALERTMANAGER, Alerts, DATABASES, GROUPS, HISTORY, PROMETHEUS, Shared, databases};

/// How long Prometheus and Alertmanager may disagree, in seconds, before it is called a fault.
const GRACE: i64 = 120;

/// Asks one of an instance's sources.
pub(super) async fn poll(backend: &Alerts, feed: &str) -> Result<Snapshot, ApiError> {
    match feed {
        ALERTMANAGER => alertmanager(backend).await,
        PROMETHEUS => prometheus(backend).await,
        GROUPS => told::groups(backend).await,
        HISTORY => told::history(backend).await,
        DATABASES => databases::list(backend.feed()?, backend.around(&[])).await,
        other => Err(ApiError::unsupported(format!("there is no source {other}"))),
    }
}

/// The rows of what the Alertmanagers of an instance hold.
pub(super) async fn alertmanager(backend: &Alerts) -> Result<Snapshot, ApiError> {
    let cluster = backend.cluster()?;
    let (seen, feeds) = futures_util::future::join(cluster.observe(0), knowledge(&backend.shared)).await;
    let seen = seen?;
    let around = backend.around(&feeds);
    let mut notes = member_notes(cluster, &seen, &backend.shared.watchdog);
    if feeds.len() < backend.shared.feeds.len() {
        notes.push(
            "a Prometheus does not answer: some values, pending alerts and rule errors are missing"
                .to_owned(),
        );
    }
    let ways = match seen.routing() {
        Some(Ok(routing)) => Some(routing.at(around.now)),
        Some(Err(why)) => {
            notes.push(format!("{why}: whom an alert reaches cannot be told"));
            None
        }
        None => None,
    };
    let bursts = Bursts::count(cluster.history().episodes(), around.now);
    let lapsed = Lapsed::all(&seen, around.now);
    let around = Around { ways: ways.as_ref(), lapsed: &lapsed, bursts: Some(&bursts), ..around };
    let alerts = seen.alerts.iter().map(|held| alerts::held(held, &seen, around));
    let listed = seen.silences.values().filter(|silence| silences::is_listed(silence, around.now));
    let mut rows: Vec<Row> =
        alerts.chain(listed.map(|silence| silences::row(silence, &seen, around))).collect();
    rows.extend(ways.iter().flat_map(|ways| receivers::rows(ways, &seen, around)));
    rows.extend(trust::of_cluster(cluster, &seen, &backend.shared.watchdog, around));
    Ok(Snapshot { rows, complete: seen.complete(), observed_at: seen.at, notes })
}

/// What every Prometheus knows, without waiting for one that does not answer.
pub(super) async fn knowledge(shared: &Shared) -> Vec<Arc<Knowledge>> {
    let asked = shared.feeds.iter().map(|feed| feed.know_soon());
    futures_util::future::join_all(asked).await.into_iter().flatten().collect()
}

/// What the reader of the list must know of the members.
pub(super) fn member_notes(cluster: &Cluster, seen: &Observation, watchdog: &str) -> Vec<String> {
    let mut notes = Vec::new();
    for (member, said) in cluster.members.iter().zip(&seen.members) {
        if let Err(fault) = &said.lists {
            notes.push(format!("{} does not answer ({fault}): what only it holds is missing", member.name));
        }
        if said.told.as_ref().is_some_and(|told| told.status.cluster.status == "settling") {
            notes.push(format!("{} is settling: it holds notifications back", member.name));
        }
        if said.ahead.abs() > 30 {
            let way = if said.ahead > 0 { "ahead of" } else { "behind" };
            notes.push(format!("the clock of {} is {}s {way} ours", member.name, said.ahead.abs()));
        }
    }
    if !seen.alerts.iter().any(|held| held.alert.labels.get("alertname") == watchdog) {
        notes.push(format!("no {watchdog} alert: nothing proves that alerts arrive here at all"));
    }
    notes
}

/// The rows of what the Prometheus of an instance evaluates.
pub(super) async fn prometheus(backend: &Alerts) -> Result<Snapshot, ApiError> {
    let known = backend.feed()?.know(0).await?;
    let feeds = std::slice::from_ref(&known);
    let around = backend.around(feeds);
    let mut counts = vec![0; known.rules.len()];
    for seen in &known.alerts {
        if let Some(count) = counts.get_mut(seen.rule) {
            *count += 1;
        }
    }
    let mut rows: Vec<Row> =
        known.rules.iter().zip(counts).map(|(placed, count)| rules::row(placed, count, around)).collect();
    for (_, cluster) in &backend.shared.clusters {
        cluster.ask_first().await;
    }
    let held: Vec<Arc<Observation>> =
        backend.shared.clusters.iter().filter_map(|(_, cluster)| cluster.known()).collect();
    let blind = held.len() < backend.shared.clusters.len();
    let own = backend.shared.clusters.is_empty().then_some(backend.shared.watchdog.as_str());
    rows.extend(trust::of_feed(&known, own, around));
    rows.extend(known.alerts.iter().filter_map(|seen| {
        let placed = known.rules.get(seen.rule)?;
        let state = unsent(seen, placed, &held, blind, around.now)?;
        Some(alerts::unsent(seen, placed, &state, around))
    }));
    Ok(Snapshot { rows, complete: true, observed_at: known.at, notes: known.notes.clone() })
}

/// The state of an alert that no Alertmanager tells of; `None` where one does or soon will.
fn unsent(
    seen: &Seen,
    placed: &Placed,
    held: &[Arc<Observation>],
    blind: bool,
    now: Timestamp,
) -> Option<State> {
    if seen.alert.state == "pending" {
        return Some(State::Pending);
    }
    if held.is_empty() && !blind {
        let recovering = seen.alert.keep_firing_since.is_some();
        return Some(if recovering { State::Recovering } else { State::Firing });
    }
    // Labels may be rewritten on the way: a namesake that contradicts nothing is the same alert.
    let arrived = |seen_there: &Arc<Observation>| {
        let twin = |held: &super::cluster::Held| {
            held.alert.labels.find("alertname") == seen.labels.find("alertname")
                && held.alert.labels.agrees(&seen.labels)
        };
        seen_there.alert(seen.fingerprint).is_some() || seen_there.alerts.iter().any(twin)
    };
    if held.iter().any(arrived) {
        return None;
    }
    if placed.rule.health == "err" {
        return Some(State::Unsent(format!("resolved?? its rule is broken: {}", placed.rule.last_error)));
    }
    if blind {
        return Some(State::Unsent("no Alertmanager can be asked about it".to_owned()));
    }
    let wait = SignedDuration::try_from_secs_f64(placed.rule.duration.unwrap_or(0.0)).unwrap_or_default();
    let fired = seen.alert.active_at? + wait;
    let late = seconds_between(fired, now) > GRACE;
    late.then(|| State::Unsent("Prometheus fires it, but no Alertmanager has it".to_owned()))
}

/// Rows of a kind whose name, or whose key, is exactly this.
pub(super) async fn resolve(backend: &Alerts, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
    let mut found = Vec::new();
    for source in super::Backend::sources(backend).into_iter().filter(|source| source.kinds.contains(kind)) {
        let snapshot = poll(backend, &source.id.feed).await?;
        if !snapshot.complete {
            let why = snapshot.notes.first().cloned().unwrap_or_default();
            return Err(ApiError::unsupported(format!("the list of {kind} is incomplete: {why}")));
        }
        let rows = snapshot.rows.into_iter().filter(|row| row.id.kind == *kind);
        found.extend(rows.filter(|row| &*row.name == exact || &*row.id.key == exact).map(Target::from));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::cluster::Held;
    use super::super::labels::Labels;
    use super::super::promwire::{Rule, RuleAlert};
    use super::super::wire::Alert;
    use super::*;

    fn seen(state: &str, labels: &[(&str, &str)]) -> Seen {
        let labels: Labels = labels.iter().copied().collect();
        let alert = RuleAlert {
            labels: labels.clone(),
            state: state.into(),
            active_at: "2026-11-22T09:00:00Z".parse().ok(),
            ..RuleAlert::default()
        };
        Seen { alert, fingerprint: labels.fingerprint(), labels, rule: 0 }
    }

    fn observation(labels: &[&[(&str, &str)]]) -> Arc<Observation> {
        let held = |labels: &&[(&str, &str)]| {
            let labels: Labels = labels.iter().copied().collect();
            let fingerprint = labels.fingerprint();
            Held { alert: Alert { labels, ..Alert::default() }, fingerprint, members: 1 }
        };
        let mut alerts: Vec<Held> = labels.iter().map(held).collect();
        alerts.sort_by_key(|held| held.fingerprint);
        let at = "2026-11-22T10:00:00Z".parse().unwrap();
        let silences = BTreeMap::new();
        Arc::new(Observation { at, alerts, silences, ghosts: BTreeMap::new(), members: Vec::new() })
    }

    #[test]
    fn an_alert_that_no_alertmanager_holds_is_told_from_prometheus() {
        let x: &[(&str, &str)] = &[("alertname", "X"), ("instance", "a")];
        let rewritten: &[(&str, &str)] = &[("alertname", "X"), ("cluster", "lab")];
        let other: &[(&str, &str)] = &[("alertname", "X"), ("instance", "b")];
        let cases = [
            ("pending", "ok", vec![observation(&[])], false, Some("pending")),
            ("firing", "ok", vec![], false, Some("firing")),
            ("firing", "ok", vec![observation(&[x])], false, None),
            ("firing", "ok", vec![observation(&[rewritten])], false, None),
            ("firing", "ok", vec![observation(&[other])], false, Some("unsent")),
            ("firing", "ok", vec![], true, Some("unsent")),
            ("firing", "err", vec![observation(&[])], false, Some("unsent")),
        ];
        for (state, health, held, blind, expected) in cases {
            let placed = Placed {
                key: "k".into(),
                group: Arc::from("g"),
                interval: 30.0,
                rule: Rule { health: health.into(), ..Rule::default() },
            };
            let now = "2026-11-22T10:00:00Z".parse().unwrap();
            let found = unsent(&seen(state, x), &placed, &held, blind, now);
            assert_eq!(found.as_ref().map(State::word), expected, "{state} {health}");
        }
    }

    #[test]
    fn an_alert_on_its_way_is_not_yet_missing() {
        let placed = Placed { key: "k".into(), group: Arc::from("g"), interval: 30.0, rule: Rule::default() };
        let now = "2026-11-22T09:01:30Z".parse().unwrap();
        assert_eq!(
            unsent(&seen("firing", &[("alertname", "X")]), &placed, &[observation(&[])], false, now),
            None
        );
    }
}
