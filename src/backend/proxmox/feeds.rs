//! The slower sources: configurations, backups, snapshots, disks and services, each with calls per storage, guest or
//! host, and each telling what it could not see.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::future::join_all;
use serde::de::DeserializeOwned;

use crate::backend::error::ApiError;
use crate::model::row::Row;
use crate::model::snapshot::{Snapshot, unreadable};

use super::Proxmox;
use super::client::element;
use super::find::safe;
use super::guest::{Family, GuestConfig, GuestKey};
use super::listing::Entries;
use super::memory::Facts;
use super::rights::Permissions;
use super::rows::keeping::{self, Board, Found, Kept};
use super::rows::{self, hardware};
use super::wire::{BackupJob, Disk, Resource, Service, Volume, Zpool};

/// On more guests than this nothing is asked of each of them in the background.
pub const MANY: usize = 200;
/// How many configurations one poll reads at most, and how long it may take.
const CONFIGS: usize = 32;
const CONFIGS_WITHIN: Duration = Duration::from_secs(2);

/// The board of coverage is read by people: of more guests than this the rest is counted, and the list says so.
const LISTED: usize = 2000;

impl Proxmox {
    /// Reads some configurations that are not known yet or were read long ago; never on a large cluster.
    pub(super) async fn read_configs(&self) {
        let due = {
            let memory = self.memory();
            if memory.count() > MANY { Vec::new() } else { memory.unread(CONFIGS) }
        };
        let read = due.into_iter().map(|(vmid, node)| async move {
            let container = self.memory().known(vmid).is_some_and(|known| known.container);
            let family = if container { Family::Lxc } else { Family::Qemu };
            let Some(node) = safe(&node) else { return };
            let config = self.config(GuestKey { family, vmid }, node).await;
            self.memory().learn(vmid, config.ok().map(|config| facts(&config)));
        });
        // What is not read in time is read with the next poll.
        let _ = tokio::time::timeout(CONFIGS_WITHIN, join_all(read)).await;
    }

    /// Backups on all storages, the jobs, and what both mean for each guest.
    pub(super) async fn poll_backups(&self) -> Result<Snapshot, ApiError> {
        let (reply, permissions, jobs) = tokio::join!(
            self.client.raw("/cluster/resources"),
            self.permissions(),
            self.client.list::<BackupJob>("/cluster/backup"),
        );
        let (reply, permissions) = (reply?, permissions?);
        let list = reply.read(Entries::read)?;
        let guests = self.kept(&list);
        let stores = stores(&list);
        let mut notes = Vec::new();
        let jobs = jobs.unwrap_or_else(|error| {
            notes.push(format!("jobs are hidden: {}", needed(&error)));
            Vec::new()
        });
        let asked = stores.iter().map(|(node, storage)| self.volumes(node, storage));
        let mut backups = Vec::new();
        for answer in join_all(asked).await {
            match answer {
                Ok(found) => backups.extend(found),
                Err(error) => notes.push(format!("a storage could not be read: {}", needed(&error))),
            }
        }
        let blind = blind(&permissions, &stores).or_else(|| (!notes.is_empty()).then(|| notes.join("; ")));
        notes.extend(blind.clone().filter(|_| notes.is_empty()));
        let board = Board { backups, jobs, blind };
        self.memory().keep(last_saved(&board));
        let now = self.clock.now();
        if guests.len() > LISTED {
            notes.push(format!("coverage is listed for {LISTED} of {} guests", guests.len()));
        }
        let listed = guests.values().take(LISTED);
        let mut rows: Vec<Row> =
            listed.map(|guest| keeping::coverage(guest, &board, &self.place, now)).collect();
        rows.extend(board.backups.iter().filter_map(|found| keeping::backup(found, &guests, &self.place)));
        rows.extend(board.jobs.iter().filter_map(|job| keeping::job(job, &guests, &self.place)));
        Ok(Snapshot { complete: notes.is_empty(), notes, ..Snapshot::complete(rows, now) })
    }

    async fn volumes(&self, node: &str, storage: &str) -> Result<Vec<Found>, ApiError> {
        let path = format!("/nodes/{node}/storage/{}/content?content=backup", element(storage));
        let volumes: Vec<Volume> = self.client.slow_list(&path).await?;
        let found = |volume| Found { node: node.to_owned(), storage: storage.to_owned(), volume };
        Ok(volumes.into_iter().map(found).collect())
    }

    /// The guests of a list, with what is known of their configurations.
    fn kept(&self, list: &Entries<'_>) -> BTreeMap<u32, Kept> {
        let mut memory = self.memory();
        let kept = |resource: Resource<'_>| {
            let family = resource.kind.as_deref().filter(|kind| matches!(*kind, "qemu" | "lxc"))?;
            let vmid = u32::try_from(resource.vmid?).ok()?;
            let passthrough = memory.facts(vmid).is_some_and(|facts| facts.passthrough);
            let kept = Kept {
                key: memory.words.share(&format!("{family}/{vmid}")),
                vmid,
                name: memory.words.share(resource.name.as_deref().unwrap_or("?")),
                node: memory.words.share(resource.node.as_deref().unwrap_or_default()),
                pool: resource.pool.as_deref().map(|pool| memory.words.share(pool)),
                template: resource.template == Some(true),
                would_start: passthrough && resource.status.as_deref() == Some("stopped"),
            };
            Some((vmid, kept))
        };
        list.each().filter_map(kept).collect()
    }

    /// The snapshots of all guests.
    pub(super) async fn poll_snapshots(&self) -> Result<Snapshot, ApiError> {
        let reply = self.client.raw("/cluster/resources?type=vm").await?;
        let list = reply.read(Entries::read)?;
        let now = self.clock.now();
        if list.items.len() > MANY {
            let many = list.items.len();
            let note = format!("{many} guests are too many to ask each: open a guest to see its snapshots");
            return Ok(Snapshot {
                complete: false,
                notes: vec![note],
                ..Snapshot::complete(Vec::new(), now)
            });
        }
        let guests = self.kept(&list);
        let asked = guests.values().map(|guest| self.snapshot_rows(guest));
        let (mut rows, mut notes, mut newest) = (Vec::new(), Vec::new(), HashMap::new());
        let all = list.items.len() + list.skipped;
        if guests.len() < all {
            notes.push(unreadable(all - guests.len(), all));
        }
        for (answer, guest) in join_all(asked).await.into_iter().zip(guests.values()) {
            match answer {
                Ok((found, taken)) => {
                    rows.extend(found);
                    newest.extend(taken.map(|at| (guest.vmid, at)));
                }
                Err(error) => notes.push(format!("{}: {}", guest.name, needed(&error))),
            }
        }
        self.memory().snap(newest);
        Ok(Snapshot { complete: notes.is_empty(), notes, ..Snapshot::complete(rows, now) })
    }

    /// A guest's snapshots as rows, and when the newest was taken.
    async fn snapshot_rows(&self, guest: &Kept) -> Result<(Vec<Row>, Option<i64>), ApiError> {
        let unread = || ApiError::unsupported("its place cannot be read");
        let (key, node) =
            (GuestKey::parse(&guest.key).ok_or_else(unread)?, safe(&guest.node).ok_or_else(unread)?);
        let taken = self.snapshots(key, node).await?;
        let identity = rows::guest_identity(&guest.key, node, Some(&guest.name), None);
        let row = |snapshot| {
            let identity = super::ops::with_snapshot(identity.clone(), snapshot);
            keeping::snapshot(snapshot, guest, &self.place, identity)
        };
        let newest = taken.iter().filter_map(|snapshot| snapshot.snaptime).max();
        Ok((taken.iter().filter_map(row).collect(), newest))
    }

    /// Disks and pools of all hosts; disks that sleep are not woken.
    pub(super) async fn poll_hardware(&self) -> Result<Snapshot, ApiError> {
        let disks = self
            .on_hosts("/disks/list?skipsmart=1", |disk: &Disk, node| hardware::disk(disk, node, &self.place));
        let pools = self.on_hosts("/disks/zfs", |pool: &Zpool, node| hardware::pool(pool, node, &self.place));
        let (disks, pools) = tokio::join!(disks, pools);
        let (disks, pools) = (disks?, pools?);
        let rows = pools.rows.into_iter().chain(disks.rows).collect();
        let notes: Vec<String> = pools.notes.into_iter().chain(disks.notes).collect();
        Ok(Snapshot { complete: notes.is_empty(), notes, ..Snapshot::complete(rows, self.clock.now()) })
    }

    /// Services of all hosts.
    pub(super) async fn poll_services(&self) -> Result<Snapshot, ApiError> {
        self.on_hosts("/services", |service: &Service, node| hardware::service(service, node, &self.place))
            .await
    }

    /// Asks every host that is online for a list; hosts that fail are told in the notes, if any other answers.
    async fn on_hosts<T: DeserializeOwned>(
        &self,
        path: &str,
        row: impl Fn(&T, &str) -> Option<Row>,
    ) -> Result<Snapshot, ApiError> {
        let reply = self.client.raw("/cluster/resources?type=node").await?;
        let list: Vec<Resource<'_>> = reply.read(Entries::read)?.each().collect();
        let online = list.iter().filter(|node| node.status.as_deref() == Some("online"));
        let names: Vec<&str> = online.filter_map(|node| safe(node.node.as_deref()?)).collect();
        let asked = names.iter().map(|node| {
            let path = format!("/nodes/{node}{path}");
            async move { self.client.slow_list::<T>(&path).await }
        });
        let (mut rows, mut notes, mut failure) = (Vec::new(), Vec::new(), None);
        let mut answered = names.is_empty();
        // Without a state nobody knows whether a host is to be asked.
        let told = |status: &str| matches!(status, "online" | "offline" | "unknown");
        let odd = list.iter().filter(|node| !node.status.as_deref().is_some_and(told)).count();
        if odd > 0 {
            notes.push(unreadable(odd, list.len()));
        }
        for (answer, node) in join_all(asked).await.into_iter().zip(&names) {
            match answer {
                Ok(items) => {
                    answered = true;
                    let before = rows.len();
                    rows.extend(items.iter().filter_map(|item| row(item, node)));
                    let lost = items.len() - (rows.len() - before);
                    if lost > 0 {
                        notes.push(format!("{node}: {}", unreadable(lost, items.len())));
                    }
                }
                Err(error) => {
                    notes.push(format!("{node}: {}", needed(&error)));
                    failure = Some(error);
                }
            }
        }
        match failure {
            Some(error) if !answered => Err(error),
            _ => Ok(Snapshot {
                complete: notes.is_empty(),
                notes,
                ..Snapshot::complete(rows, self.clock.now())
            }),
        }
    }
}

fn facts(config: &GuestConfig) -> Facts {
    Facts {
        uuid: config.uuid().map(Into::into),
        macs: config.macs().into_iter().map(Into::into).collect(),
        onboot: config.flag("onboot"),
        passthrough: !config.passthrough().is_empty(),
    }
}

/// What a refusal lacked, or what went wrong.
fn needed(error: &ApiError) -> String {
    error.fault.missing.as_ref().map_or_else(|| error.to_string(), |right| format!("needs {right}"))
}

/// The storages that hold backups, with a node to ask; a shared one is asked once.
fn stores(list: &Entries<'_>) -> Vec<(String, String)> {
    let mut stores: Vec<(String, String)> = Vec::new();
    for storage in list.each().filter(|entry| entry.kind.as_deref() == Some("storage")) {
        let holds =
            storage.content.as_deref().is_some_and(|content| content.split(',').any(|what| what == "backup"));
        let (Some(node), Some(name)) = (storage.node.as_deref().and_then(safe), storage.storage.as_deref())
        else {
            continue;
        };
        let known = storage.shared == Some(true) && stores.iter().any(|(_, known)| known == name);
        if holds && storage.status.as_deref() == Some("available") && !known {
            stores.push((node.to_owned(), name.to_owned()));
        }
    }
    stores
}

/// Why backups may be there that cannot be seen: the server leaves out what the token may not see, without a word.
fn blind(permissions: &Permissions, stores: &[(String, String)]) -> Option<String> {
    let sees = |store: &str| {
        let path = format!("/storage/{store}");
        permissions.allows(&path, "Datastore.Allocate")
            || (permissions.allows(&path, "Datastore.AllocateSpace")
                && permissions.allows("/vms", "VM.Backup"))
    };
    let all = !stores.is_empty() && stores.iter().all(|(_, store)| sees(store));
    (!all).then(|| {
        "cannot see backups (needs Datastore.AllocateSpace and VM.Backup, or Datastore.Allocate)".to_owned()
    })
}

fn last_saved(board: &Board) -> HashMap<u32, i64> {
    let mut saved = HashMap::new();
    for found in &board.backups {
        let vmid = found.volume.vmid.and_then(|vmid| u32::try_from(vmid).ok());
        if let (Some(vmid), Some(at)) = (vmid, found.volume.ctime) {
            let last = saved.entry(vmid).or_insert(at);
            *last = at.max(*last);
        }
    }
    saved
}
