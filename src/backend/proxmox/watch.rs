//! The sources: one poll of `/cluster/resources` carries nodes, guests and storages; tasks have their own.

use std::sync::Arc;

use crate::backend::error::ApiError;
use crate::model::id::{EntityId, SourceId};
use crate::model::row::Domain;
use crate::model::snapshot::{Cadence, Delta, Layer, Mode, Snapshot, SourceSpec};

use super::kinds::{
    BACKUPS, COVERAGE, DISKS, GUESTS, JOBS, NODES, POOLS, SERVICES, SNAPSHOTS, STORAGES, TASKS,
};
use super::listing::Entries;
use super::upid::Upid;
use super::wire::Task;
use super::{ID, Proxmox, rows};

/// The feed of nodes, guests and storages.
pub const RESOURCES: &str = "resources";
/// The feed of tasks.
pub const RECENT: &str = "tasks";
/// The feed of backups, what they cover, and the jobs that make them.
pub const BACKUP: &str = "backups";
/// The feed of snapshots.
pub const SNAPSHOT: &str = "snapshots";
/// The feed of disks and pools.
pub const HARDWARE: &str = "hardware";
/// The feed of services.
pub const SERVICE: &str = "services";

/// The feed that carries a kind.
pub fn feed_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        GUESTS | NODES | STORAGES => RESOURCES,
        TASKS => RECENT,
        COVERAGE | BACKUPS | JOBS => BACKUP,
        SNAPSHOTS => SNAPSHOT,
        POOLS | DISKS => HARDWARE,
        SERVICES => SERVICE,
        _ => return None,
    })
}

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
        // Storages are mounted and probed for these, and snapshots cost a call for each guest.
        spec(BACKUP, &[COVERAGE, BACKUPS, JOBS], 60, 120, 600),
        spec(SNAPSHOT, &[SNAPSHOTS], 60, 120, 600),
        spec(HARDWARE, &[POOLS, DISKS], 300, 300, 900),
        spec(SERVICE, &[SERVICES], 30, 60, 600),
    ]
}

impl Proxmox {
    /// Asks a source once.
    pub(super) async fn poll_feed(&self, feed: &str) -> Result<Snapshot, ApiError> {
        self.poll_known(feed).await.map_err(|error| self.parting(error))
    }

    /// Asks a source again. The list of resources is told every ten seconds and asked for every five: of what stands
    /// there as it did before, and about which nothing else was learnt, nothing is told again.
    pub(super) async fn refresh_feed(&self, feed: &str) -> Result<Delta, ApiError> {
        if feed != RESOURCES {
            return self.poll_feed(feed).await.map(Delta::Reset);
        }
        self.read_configs().await;
        let reply = self.client.raw("/cluster/resources").await.map_err(|error| self.parting(error))?;
        let (entries, now) = (reply.read(Entries::read)?, self.clock.now());
        let mut memory = self.memory();
        let before = memory.settled();
        let mut listed = rows::project(&entries, before.as_ref(), &self.place, &mut memory, now);
        let delta = match before {
            Some(before) if before.notes == listed.told.notes => {
                let id = |(vmid, container)| {
                    let family = if container { "lxc" } else { "qemu" };
                    EntityId::new(GUESTS, self.place.instance.clone(), format!("{family}/{vmid}"))
                };
                listed.change(&before, id, now)
            }
            // Only a whole list carries notes.
            Some(_) => {
                listed = rows::project(&entries, None, &self.place, &mut memory, now);
                Delta::Reset(listed.snapshot(now))
            }
            None => Delta::Reset(listed.snapshot(now)),
        };
        memory.settle(listed.told);
        Ok(delta)
    }

    /// Its guests were being stopped when it was last heard of: it was shut down, it did not fail.
    fn parting(&self, mut error: ApiError) -> ApiError {
        error.fault.farewell = error.fault.layer == Layer::Tcp && self.memory().leaving;
        error
    }

    async fn poll_known(&self, feed: &str) -> Result<Snapshot, ApiError> {
        match feed {
            RESOURCES => self.poll_resources().await,
            RECENT => self.poll_tasks().await,
            BACKUP => self.poll_backups().await,
            SNAPSHOT => self.poll_snapshots().await,
            HARDWARE => self.poll_hardware().await,
            SERVICE => self.poll_services().await,
            _ => Err(ApiError::unsupported(format!("proxmox has no source `{feed}`"))),
        }
    }

    async fn poll_resources(&self) -> Result<Snapshot, ApiError> {
        self.read_configs().await;
        let reply = self.client.raw("/cluster/resources").await?;
        let (entries, now) = (reply.read(Entries::read)?, self.clock.now());
        Ok(rows::project(&entries, None, &self.place, &mut self.memory(), now).snapshot(now))
    }

    async fn poll_tasks(&self) -> Result<Snapshot, ApiError> {
        let tasks: Vec<Task> = self.client.list("/cluster/tasks").await?;
        let now = self.clock.now();
        self.memory().leaving = is_leaving(&tasks, now.as_second());
        let rows = rows::project_tasks(&tasks, &self.memory(), &self.place, now);
        let odd = tasks.iter().filter(|task| task.upid.as_deref().and_then(Upid::parse).is_none()).count();
        let all = rows.len() + odd;
        Ok(Snapshot::of(rows, all, now))
    }
}

/// A host stops all its guests before it goes down; after so many seconds that was something else.
const GOING: i64 = 900;

/// Whether the last thing that was done to all guests of a host was to stop them, lately.
fn is_leaving(tasks: &[Task], now: i64) -> bool {
    let all = tasks.iter().filter_map(|task| Upid::parse(task.upid.as_deref()?));
    let last =
        all.filter(|upid| matches!(upid.kind.as_str(), "startall" | "stopall")).max_by_key(|upid| upid.start);
    last.is_some_and(|upid| upid.kind == "stopall" && now - upid.start < GOING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(kind: &str, start: i64) -> Task {
        let upid = format!("UPID:pve:00000001:00000001:{start:08X}:{kind}::root@pam:");
        Task { upid: Some(upid), ..Task::default() }
    }

    #[test]
    fn a_host_that_stops_all_its_guests_is_leaving_until_it_starts_them() {
        assert!(!is_leaving(&[], 1_000));
        assert!(is_leaving(&[task("startall", 100), task("stopall", 900), task("qmstop", 950)], 1_000));
        assert!(!is_leaving(&[task("stopall", 100), task("startall", 900)], 1_000));
        assert!(!is_leaving(&[task("stopall", 100)], 100 + GOING));
    }
}
