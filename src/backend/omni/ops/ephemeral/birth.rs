//! From an accepted cluster to one that is ready: followed through its provider and its machines.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::step;
use crate::backend::ProgressSink;
use crate::backend::error::SendError;
use crate::backend::omni::Omni;
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::rows::clusters::phase;
use crate::backend::omni::wire::{ClusterMachineStatus, ClusterRequestStatus, ClusterStatus, Stage};
use crate::model::snapshot::{Fault, Layer};

/// How often a cluster that is being made is looked at.
const PACE: Duration = if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(3) };
/// How long it may take to become ready, in seconds of the server's clock.
const PATIENCE: i64 = 30 * 60;

/// Where its machines are on their way: at the provider, then in the cluster; nothing where that cannot be seen.
async fn stages(client: &Client, name: &str) -> String {
    let selected = Route::selected(format!("omni.sidero.dev/cluster={name}"));
    let requests =
        client.list::<ClusterRequestStatus>(&selected).await.map_or_else(|_| Vec::new(), |found| found.0);
    let members =
        client.list::<ClusterMachineStatus>(&selected).await.map_or_else(|_| Vec::new(), |found| found.0);
    let made = requests.iter().map(|request| match request.spec.error.as_str() {
        "" => request.spec.status.clone(),
        error => format!("{}: {error}", request.spec.status),
    });
    let joined = members.iter().filter(|member| !member.spec.ready);
    let joined = joined.map(|member| Stage(member.spec.stage).word().to_owned());
    let words: BTreeSet<String> = made.chain(joined).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        String::new()
    } else {
        format!("; {}", words.into_iter().collect::<Vec<_>>().join(", "))
    }
}

/// Follows a cluster until it is ready.
pub(super) async fn ready(
    omni: &Omni,
    client: &Client,
    name: &str,
    progress: &ProgressSink,
) -> Result<(), SendError> {
    let started = omni.clock.now();
    loop {
        let status = client.get::<ClusterStatus>(name).await;
        let note = match &status {
            Ok(Some(found)) if found.spec.ready => return Ok(()),
            Ok(Some(found)) => {
                let machines = &found.spec.machines;
                format!(
                    "{}: {} of {} machines healthy{}",
                    phase(found.spec.phase),
                    machines.healthy,
                    machines.requested,
                    stages(client, name).await
                )
            }
            Ok(None) => "Omni has not begun".to_owned(),
            Err(error) => error.to_string(),
        };
        if omni.clock.now().as_second() - started.as_second() > PATIENCE {
            let fault = Fault::new(Layer::App, format!("{name} is not ready after 30 minutes ({note})"));
            let cure =
                format!("see vigie get omni.requests; take it down: vigie do omni.ephemeral-destroy {name}");
            return Err(SendError::Failed(fault.hint(cure)));
        }
        step(progress, None, note).await;
        omni.pause(PACE).await;
    }
}
