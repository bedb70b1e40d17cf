//! `PostgreSQL` as a Prometheus sees it: connections, sessions that hold a transaction open, and exclusive locks.
//!
//! One forgotten session can hold the lock for which every start of an application waits; the servers themselves only
//! say that they are not ready.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::backend::error::ApiError;
use crate::model::id::{EntityId, Identity};
use crate::model::kind::{Column, Format, KindSpec, Width};
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row, Tone, Value};
use crate::model::snapshot::Snapshot;
use crate::model::view::{Doc, DocLine, Fact};

use super::feed::Feed;
use super::kinds::DATABASES;
use super::promwire::Series;
use super::rows::alerts::Around;

/// A session that holds a transaction open for so many seconds is in somebody's way.
const IDLE: f64 = 120.0;
/// So full a pool is about to refuse.
const FULL: f64 = 0.9;

/// What is asked (`postgres_exporter`'s names), one series for each server.
const QUERIES: [&str; 6] = [
    "max by (instance) (pg_up)",
    "sum by (instance) (pg_stat_activity_count)",
    "max by (instance) (pg_settings_max_connections)",
    "sum by (instance) (pg_stat_activity_count{state=\"idle in transaction\"})",
    "max by (instance) (pg_stat_activity_max_tx_duration{state=\"idle in transaction\"})",
    "sum by (instance) (pg_locks_count{mode=~\"exclusivelock|accessexclusivelock\"})",
];

/// One server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Database {
    /// Up, used, most, idle, oldest, locks; `None` where the exporter does not tell.
    facts: [Option<f64>; 6],
}

impl Database {
    fn state(&self) -> (&'static str, Health, Option<String>) {
        let [up, used, most, idle, oldest, locks] = self.facts;
        if up == Some(0.0) {
            return ("down", Health::Critical, Some("its exporter cannot reach it".to_owned()));
        }
        if let Some(seconds) = oldest.filter(|seconds| *seconds > IDLE) {
            let count = idle.unwrap_or(1.0);
            let held = locks.filter(|locks| *locks > 0.0);
            let held = held.map_or_else(String::new, |locks| format!(", {locks} exclusive locks are held"));
            let note = format!("{count} idle in transaction, the oldest for {seconds:.0} s{held}");
            let health = if held.is_empty() { Health::Warning } else { Health::Critical };
            return ("blocked", health, Some(note));
        }
        if let (Some(used), Some(most)) = (used, most.filter(|most| *most > 0.0))
            && used / most >= FULL
        {
            return ("full", Health::Warning, Some(format!("{used} of {most} connections")));
        }
        match up {
            Some(_) => ("ok", Health::Ok, None),
            None => ("unknown", Health::Unknown, None),
        }
    }
}

/// The kind.
pub fn kind() -> KindSpec {
    let columns = vec![
        Column::new("state", "state", Width::Fit(6, 10), "ok, full, blocked by an open transaction, or down")
            .format(Format::State)
            .priority(0),
        Column::new("name", "server", Width::Flex(2), "its exporter's instance").priority(0),
        Column::new("used", "used", Width::Fit(2, 5), "connections in use").format(Format::Count).priority(1),
        Column::new("of", "of", Width::Fit(2, 5), "connections that it allows")
            .format(Format::Count)
            .priority(2),
        Column::new(
            "idle",
            "idle tx",
            Width::Fit(2, 7),
            "sessions that hold a transaction open and do nothing",
        )
        .format(Format::Count)
        .priority(1),
        Column::new("oldest", "oldest", Width::Fit(3, 7), "how long the oldest of them has done so")
            .format(Format::Seconds)
            .priority(1),
        Column::new("locks", "locks", Width::Fit(2, 5), "exclusive locks that are held")
            .format(Format::Count)
            .priority(2),
    ];
    KindSpec {
        id: DATABASES.into(),
        singular: "database server".into(),
        aliases: vec!["postgres".into(), "db".into()],
        doc: "PostgreSQL servers as their exporters tell of them to Prometheus.".into(),
        columns,
        sort: (0, false),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}

/// Asks all at once; a question without an answer costs its column.
async fn ask(
    feed: &Feed,
    around: Around<'_>,
) -> Result<(BTreeMap<Arc<str>, Database>, Vec<String>), ApiError> {
    let api = feed.api()?;
    let answers = futures_util::future::join_all(QUERIES.map(|query| api.query(query, around.now))).await;
    let mut servers: BTreeMap<Arc<str>, Database> = BTreeMap::new();
    let (mut notes, mut fault, mut any) = (Vec::new(), None, false);
    for (index, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(answer) => {
                any = true;
                answer.body.data.result.iter().for_each(|series| take(&mut servers, index, series));
            }
            Err(error) => {
                notes.push(format!("{}: {error}", QUERIES[index]));
                fault = Some(error);
            }
        }
    }
    match fault {
        Some(error) if !any => Err(error),
        _ => Ok((servers, notes)),
    }
}

fn take(servers: &mut BTreeMap<Arc<str>, Database>, index: usize, series: &Series) {
    let Some(instance) = series.metric.find("instance") else { return };
    let server = servers.entry(instance.clone()).or_default();
    if let Some(fact) = server.facts.get_mut(index) {
        *fact = series.value.value;
    }
}

/// The rows of all servers that a Prometheus knows; none where it scrapes none.
pub async fn list(feed: &Feed, around: Around<'_>) -> Result<Snapshot, ApiError> {
    let (servers, notes) = ask(feed, around).await?;
    let rows = servers.iter().map(|(name, server)| row(name, server, around)).collect();
    Ok(Snapshot { rows, complete: notes.is_empty(), observed_at: around.now, notes })
}

fn row(name: &Arc<str>, server: &Database, around: Around<'_>) -> Row {
    let (word, health, note) = server.state();
    let [_, used, most, idle, oldest, locks] = server.facts;
    #[allow(clippy::cast_possible_truncation)]
    let whole = |fact: Option<f64>| Cell::new(fact.map(|fact| fact as i64));
    let cells = vec![
        Cell::toned(word, Tone::from(health)),
        Cell::new(Value::Text(name.clone())),
        whole(used),
        whole(most),
        whole(idle),
        Cell::toned(oldest, if oldest > Some(IDLE) { Tone::Warn } else { Tone::Text }),
        whole(locks),
    ];
    let id = EntityId::new(DATABASES, around.instance.clone(), name.clone());
    let mut row = Row::new(id, name.clone(), cells);
    row.health = health;
    row.note = note.map(Arc::from);
    row.domain = around.domain;
    row.identity = Identity::new().with("instance", name.clone());
    let host = name.rsplit_once(':').map_or(&**name, |(host, _)| host).to_ascii_lowercase();
    row.facets = Box::new([Facet::new(FacetKey::Host, host, Grade::Likely)]);
    row
}

/// A server described, with the statements that are run by hand: ending a session is not done from here.
pub async fn describe(feed: &Feed, id: &EntityId, around: Around<'_>) -> Result<Doc, ApiError> {
    let (servers, _) = ask(feed, around).await?;
    let server = servers.get(&id.key).ok_or_else(|| ApiError::unsupported("the server is gone"))?;
    let row = row(&id.key, server, around);
    let columns = kind().columns.into_iter().zip(&row.cells).filter(|(_, cell)| cell.value != Value::Empty);
    let facts = columns.map(|(column, cell)| {
        let format = if column.format == Format::State { Format::Plain } else { column.format };
        Fact { tone: cell.tone, format, ..Fact::new(column.title, cell.value.clone()) }
    });
    let because =
        row.note.iter().map(|note| DocLine::toned(note.to_string(), Tone::from(row.health))).collect();
    let by_hand = [
        "-- who holds a transaction open, the oldest first",
        "SELECT pid, usename, application_name, state, now() - xact_start AS open FROM pg_stat_activity",
        "  WHERE xact_start IS NOT NULL ORDER BY xact_start;",
        "-- who holds the lock that others wait for",
        "SELECT pid, mode, locktype, granted FROM pg_locks WHERE locktype = 'advisory' OR NOT granted;",
        "-- ends one session; look at its pid twice",
        "SELECT pg_terminate_backend(PID);",
    ];
    let by_hand = by_hand.map(DocLine::new).to_vec();
    Ok(Doc::default().facts("", facts.collect()).lines("because", because).lines("by hand", by_hand))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_transaction_is_told_before_a_full_pool() {
        let cases = [
            ([Some(1.0), Some(34.0), Some(100.0), Some(1.0), Some(2.0), Some(0.0)], "ok", Health::Ok),
            (
                [Some(1.0), Some(97.0), Some(100.0), Some(5.0), Some(181.0), Some(1.0)],
                "blocked",
                Health::Critical,
            ),
            (
                [Some(1.0), Some(40.0), Some(100.0), Some(1.0), Some(181.0), Some(0.0)],
                "blocked",
                Health::Warning,
            ),
            ([Some(1.0), Some(97.0), Some(100.0), None, None, None], "full", Health::Warning),
            ([Some(0.0), None, None, None, None, None], "down", Health::Critical),
            ([None, Some(3.0), None, None, None, None], "unknown", Health::Unknown),
        ];
        for (facts, word, health) in cases {
            let (found, as_health, note) = Database { facts }.state();
            assert_eq!((found, as_health), (word, health), "{note:?}");
        }
    }
}
