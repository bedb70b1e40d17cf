//! Holding workers back: the control plane proves a version first, then each worker is let go by its own unlock.

use super::super::step;
use crate::backend::ProgressSink;
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::edit;
use crate::backend::omni::wire::{MachineSetNode, MachineStatus, PREFIX, Resource, Spec};

/// Locks every worker of a cluster that is not locked yet; their ids.
pub(super) async fn workers(
    client: &Client,
    cluster: &str,
    progress: &ProgressSink,
) -> Result<Vec<String>, SendError> {
    let not_sent = |error: ApiError| SendError::NotSent(error.fault);
    let selected = Route::selected(format!("omni.sidero.dev/cluster={cluster},omni.sidero.dev/role-worker"));
    let (nodes, _) = client.list::<MachineSetNode>(&selected).await.map_err(not_sent)?;
    let mut locked = Vec::new();
    for node in nodes.iter().filter(|node| node.metadata.annotation("locked").is_none()) {
        let id = &*node.metadata.id;
        let Some(mut draft) = edit::fetch(client, MachineSetNode::TABLE, id).await.map_err(not_sent)? else {
            continue;
        };
        draft.annotations().insert(format!("{PREFIX}locked"), "".into());
        edit::update(client, &draft).await?;
        step(progress, None, format!("worker {id} held back")).await;
        locked.push(id.to_owned());
    }
    Ok(locked)
}

/// The machines of a cluster that do not run a Talos version yet; `None` where that cannot be said.
pub(super) async fn behind(
    client: &Client,
    cluster: &str,
    wanted: &str,
) -> Result<Option<Vec<String>>, ApiError> {
    let selected = Route::selected(format!("omni.sidero.dev/cluster={cluster}"));
    let (machines, whole) = client.list::<MachineStatus>(&selected).await?;
    if !whole || machines.is_empty() {
        return Ok(None);
    }
    let behind =
        machines.iter().filter(|machine| machine.spec.talos_version.trim_start_matches('v') != wanted);
    Ok(Some(behind.map(|machine| machine.metadata.id.to_string()).collect()))
}

/// Whether no control plane is behind any more.
pub(super) async fn planes_run(client: &Client, cluster: &str, wanted: &str) -> Result<bool, ApiError> {
    let selected =
        Route::selected(format!("omni.sidero.dev/cluster={cluster},omni.sidero.dev/role-controlplane"));
    let (machines, whole) = client.list::<MachineStatus>(&selected).await?;
    let there =
        |machine: &Resource<MachineStatus>| machine.spec.talos_version.trim_start_matches('v') == wanted;
    Ok(whole && !machines.is_empty() && machines.iter().all(there))
}
