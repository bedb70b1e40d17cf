//! Where Argo CD delivers to and where it reads from: clusters and repositories, which only its REST API tells.

use jiff::Timestamp;

use crate::backend::ViewSink;
use crate::backend::error::{ApiError, first_line};
use crate::backend::kubernetes::repeat;
use crate::backend::kubernetes::rows::{Maker, State};
use crate::model::id::{EntityId, Identity, KindId};
use crate::model::kind::Format;
use crate::model::row::{Cell, Health, Row};
use crate::model::snapshot::Snapshot;
use crate::model::view::{Doc, Fact, View};

use super::rest::wire::{Cluster, ConnectionState, Repository};
use super::{Argo, kinds};

/// How often an open one is read again.
const PACE: std::time::Duration = std::time::Duration::from_secs(10);

/// The clusters or repositories; without the REST API nothing is known of them, which is said.
pub async fn snapshot(argo: &Argo, kind: &str, now: Timestamp) -> Result<Snapshot, ApiError> {
    let Some(rest) = &argo.rest else {
        let note = format!("{kind} are told by the REST API only: give this `[[argocd]]` `url` and `token`");
        return Ok(Snapshot { rows: Vec::new(), complete: false, observed_at: now, notes: vec![note] });
    };
    let id = KindId::from(kind);
    let rows = if kind == kinds::CLUSTERS {
        rest.clusters().await?.iter().map(|cluster| cluster_row(&argo.maker, &id, cluster)).collect()
    } else {
        rest.repositories()
            .await?
            .iter()
            .map(|repository| repository_row(&argo.maker, &id, repository))
            .collect()
    };
    Ok(Snapshot::complete(rows, now))
}

/// Whether the connection works; a failure keeps the server's own first line.
fn state(connection: &ConnectionState) -> State {
    let why = first_line(&connection.message);
    match &*connection.status {
        "Successful" => State::new("Connected", Health::Ok),
        "Failed" => State::new("Failed", Health::Critical).why(why),
        _ => State::new("Unknown", Health::Unknown).why(if why.is_empty() {
            "not tried yet".to_owned()
        } else {
            why
        }),
    }
}

fn row(maker: &Maker, kind: &KindId, key: &str, name: &str, state: &State, cells: Vec<Cell>) -> Row {
    let id = EntityId { kind: kind.clone(), instance: maker.instance.clone(), key: key.into() };
    let mut row = Row::new(id, name, cells);
    row.health = state.health;
    row.note = (!state.why.is_empty()).then(|| state.why.as_str().into());
    row.domain = maker.domain;
    row.identity = Identity::new().with("url", key);
    row
}

fn cluster_row(maker: &Maker, kind: &KindId, cluster: &Cluster) -> Row {
    let state = state(&cluster.connection_state);
    let name = cluster.name.some().unwrap_or(&cluster.server);
    let info = &cluster.info;
    let cells = vec![
        state.cell(),
        Cell::new(name),
        Cell::new(info.applications_count.0),
        Cell::new(cluster.server_version.as_str()),
        Cell::new(info.cache_info.resources_count.0),
        Cell::new(state.why.as_str()),
        Cell::new(cluster.server.as_str()),
        Cell::new(info.cache_info.last_cache_sync_time.time()),
        Cell::new(cluster.connection_state.attempted_at.time()),
    ];
    row(maker, kind, &cluster.server, name, &state, cells)
}

fn repository_row(maker: &Maker, kind: &KindId, repository: &Repository) -> Row {
    let state = state(&repository.connection_state);
    let name = repository.name.some().unwrap_or(&repository.repo);
    let cells = vec![
        state.cell(),
        Cell::new(name),
        Cell::new(repository.sort.some().unwrap_or("git")),
        Cell::new(repository.repo.as_str()),
        Cell::new(state.why.as_str()),
        Cell::new(repository.project.as_str()),
        Cell::new(repository.connection_state.attempted_at.time()),
    ];
    row(maker, kind, &repository.repo, name, &state, cells)
}

/// Keeps the description of one of them fresh.
pub async fn open(argo: &Argo, id: &EntityId, sink: &ViewSink) -> Result<(), ApiError> {
    repeat(sink, PACE, || async {
        let rest =
            argo.rest.as_ref().ok_or_else(|| ApiError::unsupported("the REST API is not configured"))?;
        let gone = || ApiError::unsupported("it is not known to Argo CD any more");
        let facts = if id.kind.as_str() == kinds::CLUSTERS {
            let clusters = rest.clusters().await?;
            cluster_facts(clusters.iter().find(|cluster| *cluster.server == *id.key).ok_or_else(gone)?)
        } else {
            let repositories = rest.repositories().await?;
            repository_facts(repositories.iter().find(|r| *r.repo == *id.key).ok_or_else(gone)?)
        };
        Ok(View::Doc(Doc::default().facts("", facts)))
    })
    .await
}

fn connection(connection: &ConnectionState) -> Vec<Fact> {
    let state = state(connection);
    let mut facts = vec![Fact::new("state", state.word.as_str()).tone(state.health.into())];
    if !connection.message.is_empty() {
        facts.push(Fact::new("why", connection.message.as_str()));
    }
    facts.push(Fact::new("tried", connection.attempted_at.time()).format(Format::Age));
    facts
}

fn cluster_facts(cluster: &Cluster) -> Vec<Fact> {
    let mut facts = connection(&cluster.connection_state);
    let cache = &cluster.info.cache_info;
    facts.push(Fact::new("server", cluster.server.as_str()));
    facts.push(Fact::new("kubernetes", cluster.server_version.as_str()));
    facts.push(Fact::new("applications", cluster.info.applications_count.0));
    facts.push(Fact::new("watched", cache.resources_count.0));
    facts.push(Fact::new("cache filled", cache.last_cache_sync_time.time()).format(Format::Age));
    facts
}

fn repository_facts(repository: &Repository) -> Vec<Fact> {
    let mut facts = connection(&repository.connection_state);
    facts.push(Fact::new("url", repository.repo.as_str()));
    facts.push(Fact::new("type", repository.sort.as_str()));
    facts.push(Fact::new("project", repository.project.as_str()));
    facts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::model::row::Domain;

    use super::*;

    #[test]
    fn a_connection_is_good_only_where_it_was_tried_with_success() {
        let maker = Maker::new("argo".into(), Domain::Cloud);
        let failed = json!({"status": "Failed", "message": "dial tcp: no such host\nmore"});
        for (connection, health, note) in [
            (json!({"status": "Successful"}), Health::Ok, None),
            (failed, Health::Critical, Some("dial tcp: no such host")),
            (json!({}), Health::Unknown, Some("not tried yet")),
            (json!("odd"), Health::Unknown, Some("not tried yet")),
        ] {
            let wire = json!({"repo": "https://git.example/x", "name": 7, "connectionState": connection});
            let repository: Repository = serde_json::from_value(wire).unwrap();
            let row = repository_row(&maker, &kinds::REPOSITORIES.into(), &repository);
            assert_eq!((row.health, row.note.as_deref(), &*row.name), (health, note, "7"));
        }
    }
}
