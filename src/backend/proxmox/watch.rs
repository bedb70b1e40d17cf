//! The sources: one poll of `/cluster/resources` carries nodes, guests and storages; tasks have their own.

use std::sync::Arc;

use crate::backend::error::ApiError;
use crate::model::id::SourceId;
use crate::model::row::Domain;
use crate::model::snapshot::{Cadence, Mode, Snapshot, SourceSpec};

use super::kinds::{GUESTS, NODES, STORAGES, TASKS};
use super::wire::{Resources, Task};
use super::{ID, Proxmox, rows};

/// The feed of nodes, guests and storages.
pub const RESOURCES: &str = "resources";
/// The feed of tasks.
pub const RECENT: &str = "tasks";

/// The sources of an instance.
pub fn sources(instance: &Arc<str>, domain: Domain) -> Vec<SourceSpec> {
    let spec = |feed: &str, kinds: &[&str], focused, visible, hidden| SourceSpec {
        id: SourceId::new(ID, instance.clone(), feed),
        kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
        mode: Mode::Poll(Cadence { focused, visible, hidden }),
        domain,
    };
    vec![
        // pvestatd broadcasts about every 10 s: asking more often than every 5 s tells nothing new.
        spec(RESOURCES, &[GUESTS, NODES, STORAGES], 5, 5, 15),
        spec(RECENT, &[TASKS], 3, 5, 20),
    ]
}

impl Proxmox {
    /// Asks a source once.
    pub(super) async fn poll_feed(&self, feed: &str) -> Result<Snapshot, ApiError> {
        match feed {
            RESOURCES => self.poll_resources().await,
            RECENT => self.poll_tasks().await,
            _ => Err(ApiError::unsupported(format!("proxmox has no source `{feed}`"))),
        }
    }

    async fn poll_resources(&self) -> Result<Snapshot, ApiError> {
        let reply = self.client.raw("/cluster/resources").await?;
        let list = reply.json::<Resources<'_>>()?.data;
        let now = self.clock.now();
        let mut snapshot = {
            let mut memory = self.memory();
            rows::project(&list.items, &self.place, &mut memory, now)
        };
        if list.skipped > 0 {
            snapshot.complete = false;
            snapshot.notes.push(format!("{} entries are no objects", list.skipped));
        }
        if snapshot.rows.is_empty() {
            snapshot.notes.push(
                "the server lists nothing: a token of its own needs rights of its own (VM.Audit, Sys.Audit, \
                 Datastore.Audit)"
                    .to_owned(),
            );
        }
        Ok(snapshot)
    }

    async fn poll_tasks(&self) -> Result<Snapshot, ApiError> {
        let tasks: Vec<Task> = self.client.list("/cluster/tasks").await?;
        let now = self.clock.now();
        let rows = rows::project_tasks(&tasks, &self.memory(), &self.place, now);
        Ok(Snapshot::complete(rows, now))
    }
}
