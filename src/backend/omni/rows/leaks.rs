//! Virtual machines without a cluster, beside the machine requests that once made them.
//!
//! Omni does not know them any more: only the Kubernetes that carries them tells, and they take its memory.

use std::sync::Arc;

use jiff::Timestamp;

use crate::backend::error::ApiError;
use crate::backend::omni::Omni;
use crate::backend::omni::client::Route;
use crate::backend::omni::headroom::{self, Leftovers};
use crate::backend::omni::kinds::REQUESTS;
use crate::backend::omni::wire::Cluster;
use crate::config::Ephemeral;
use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Health, Row, Tone};
use crate::model::snapshot::Snapshot;

/// Adds what short-lived clusters left behind; a host that cannot be looked at leaves a note.
pub(in crate::backend::omni) async fn with(
    omni: &Omni,
    mut snapshot: Snapshot,
) -> Result<Snapshot, ApiError> {
    let Some(ephemeral) = &omni.ephemeral else { return Ok(snapshot) };
    let Some(host) = ephemeral.host.as_deref() else { return Ok(snapshot) };
    match orphans(omni, ephemeral, host).await {
        Ok(left) => snapshot.rows.extend(left.machines.iter().map(|name| {
            let claims = left.claims.iter().filter(|(_, claim)| claim.starts_with(name.as_str()));
            row(omni, ephemeral, host, name, claims)
        })),
        Err(error) => snapshot.notes.push(format!("what is left on {host} was not seen: {error}")),
    }
    Ok(snapshot)
}

async fn orphans(omni: &Omni, ephemeral: &Ephemeral, host: &str) -> Result<Leftovers, ApiError> {
    let client = omni.client()?;
    let (clusters, whole) = client.list::<Cluster>(&Route::omni()).await?;
    if !whole {
        return Err(ApiError::unsupported("the list of clusters is incomplete"));
    }
    let mut left = headroom::leftovers(client, host, &ephemeral.prefix).await?;
    let standing = |name: &str| {
        clusters
            .iter()
            .any(|cluster| name.strip_prefix(&*cluster.metadata.id).is_some_and(|rest| rest.starts_with('-')))
    };
    left.machines.retain(|name| !standing(name));
    Ok(left)
}

fn row<'a>(
    omni: &Omni,
    ephemeral: &Ephemeral,
    host: &str,
    name: &str,
    claims: impl Iterator<Item = &'a (String, String)>,
) -> Row {
    let claims = claims
        .map(|(namespace, claim)| format!("kubectl --context {host} -n {namespace} delete pvc {claim}"));
    let cure: Vec<String> =
        std::iter::once(format!("kubectl --context {host} delete vm {name}")).chain(claims).collect();
    let cure = cure.join(" && ");
    let run = name.strip_prefix(&ephemeral.prefix).unwrap_or(name);
    let run = ["-control-planes-", "-workers-"].iter().find_map(|middle| run.split_once(middle));
    let cluster = run.map_or_else(String::new, |(run, _)| format!("{}{run}", ephemeral.prefix));
    let cells = vec![
        Cell::toned("left behind", Tone::Warn),
        Cell::new(name),
        Cell::new(cluster.as_str()),
        Cell::empty(),
        Cell::empty(),
        Cell::toned(cure.as_str(), Tone::Warn),
        Cell::new(None::<Timestamp>),
    ];
    let id = EntityId::new(REQUESTS, omni.instance.clone(), name);
    let mut row = Row::new(id, name, cells);
    row.health = Health::Warning;
    row.note = Some(Arc::from(format!("runs on {host}, and its cluster is gone").as_str()));
    row.domain = omni.domain;
    row.identity = Identity::new().with("id", name);
    row
}
