//! Backups: made now, protected, and annotated.

use jiff::Timestamp;
use reqwest::Method;

use crate::backend::error::ApiError;
use crate::backend::proxmox::Proxmox;
use crate::backend::proxmox::client::{Fields, element, is_missing};
use crate::backend::proxmox::find;
use crate::backend::proxmox::guest::Family;
use crate::backend::proxmox::kinds::{BACKUPS, GUESTS};
use crate::backend::proxmox::rights::{Need, Permissions, on_guests};
use crate::backend::proxmox::wire::{Resources, Volume};
use crate::model::id::{EntityId, Identity};
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, OpSpec, Target, Tier, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::Layer;

use super::observe::{alike, frozen_node, guest_of, judged, right, verdict};
use super::{Effect, Request};

/// What is done about backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backup {
    /// One is made.
    Make,
    /// It refuses to be removed from now on, or no longer.
    Protect,
    /// Something is written about it.
    Note,
}

impl Backup {
    pub(super) fn named(op: &str) -> Option<Self> {
        match op {
            "backup" => Some(Self::Make),
            "protect-backup" => Some(Self::Protect),
            "note-backup" => Some(Self::Note),
            _ => None,
        }
    }
}

/// Where backups are written to.
const SPACE: Need = Need { privilege: "Datastore.AllocateSpace|Datastore.Allocate", below: "/storage" };
/// The right to change one.
const CHANGE: &str = "Datastore.AllocateSpace|Datastore.Allocate";

pub(super) fn specs() -> Vec<OpSpec> {
    let mode = "snapshot goes on meanwhile, suspend holds it, stop shuts it down and starts it again.";
    let modes = FieldKind::Choice(vec!["snapshot".into(), "suspend".into(), "stop".into()]);
    let form = vec![
        Field::new("storage", "to", FieldKind::Offered, "The storage that takes it."),
        Field::new("mode", "mode", modes, mode).default("snapshot"),
        Field::new("notes", "notes", FieldKind::Line, "What it is for.").default("{{guestname}}").optional(),
        Field::new("protected", "protected", FieldKind::Flag, "Refuses to be removed by pruning.")
            .default("false"),
    ];
    let protect = "Whether it refuses to be removed.";
    vec![
        OpSpec::on(
            GUESTS,
            "proxmox.backup",
            "back up",
            Tier::T1,
            "Backs the guest up now; nothing is pruned.",
        )
        .right("VM.Backup, Datastore.AllocateSpace")
        .form(form)
        .bulk(),
        OpSpec::on(
            BACKUPS,
            "proxmox.protect-backup",
            "protect",
            Tier::T1,
            "Protects a backup from removal, or releases it.",
        )
        .right("VM.Backup, Datastore.AllocateSpace")
        .form(vec![Field::new("protected", "protected", FieldKind::Flag, protect).default("true")])
        .bulk()
        .warn_if_blind(),
        OpSpec::on(BACKUPS, "proxmox.note-backup", "annotate", Tier::T1, "Writes notes on a backup.")
            .right("VM.Backup, Datastore.AllocateSpace")
            .form(vec![Field::new("notes", "notes", FieldKind::Lines, "What is written on it.").optional()])
            .warn_if_blind(),
    ]
}

pub(super) fn needs() -> Vec<(&'static str, Vec<Need>)> {
    ["backup", "protect-backup", "note-backup"]
        .into_iter()
        .map(|op| (op, vec![on_guests("VM.Backup"), SPACE]))
        .collect()
}

/// A backup's place: the node that is asked, the storage, and the volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::backend::proxmox) struct Place<'a> {
    pub node: &'a str,
    pub storage: &'a str,
    pub volume: &'a str,
}

impl Place<'_> {
    fn path(&self) -> String {
        format!("/nodes/{}/storage/{}/content/{}", self.node, element(self.storage), element(self.volume))
    }
}

/// The place behind a backup's key, `pve/store:backup/vzdump-…`.
pub(in crate::backend::proxmox) fn place(target: &EntityId) -> Result<Place<'_>, ApiError> {
    let parts = target.key.split_once('/').filter(|_| target.kind.as_str() == BACKUPS);
    let found = parts.and_then(|(node, volume)| {
        Some(Place { node: find::safe(node)?, storage: volume.split_once(':')?.0, volume })
    });
    found.ok_or_else(|| ApiError::new(Layer::App, format!("`{}` is no backup", target.key)))
}

pub(super) fn request(step: Backup, job: &Job) -> Result<Request, ApiError> {
    if step == Backup::Make {
        let key = guest_of(&job.target.id)?;
        let flag = |name: &str| if job.arg(name) == "true" { "1" } else { "0" }.to_owned();
        let mut fields: Fields = vec![
            ("vmid", key.vmid.to_string()),
            ("storage", job.arg("storage").to_owned()),
            ("mode", job.arg("mode").to_owned()),
            ("compress", "zstd".to_owned()),
            // Pruning would need another right, and is not what was asked for.
            ("remove", "0".to_owned()),
            ("protected", flag("protected")),
        ];
        if !job.arg("notes").is_empty() {
            fields.push(("notes-template", job.arg("notes").replace('\n', "\\n")));
        }
        return Ok(Request::post(format!("/nodes/{}/vzdump", frozen_node(job)?), fields));
    }
    let fields: Fields = match step {
        Backup::Protect => vec![("protected", u8::from(job.arg("protected") != "false").to_string())],
        _ => vec![("notes", job.arg("notes").to_owned())],
    };
    Ok(Request { method: Method::PUT, path: place(&job.target.id)?.path(), fields })
}

impl Proxmox {
    pub(super) async fn backup_form(&self, op: &OpSpec, target: &Target) -> Result<Vec<Field>, ApiError> {
        let (node, _) = self.locate(guest_of(&target.id)?).await?;
        let stores = self.backup_stores(&node).await?;
        let mut form = op.form.clone();
        if let Some(field) = form.iter_mut().find(|field| field.name == "storage") {
            field.default = stores.first().cloned().unwrap_or_default().into();
            field.kind = FieldKind::Choice(stores.into_iter().map(Into::into).collect());
        }
        Ok(form)
    }

    /// The storages of a node that take backups, those made for nothing else first.
    async fn backup_stores(&self, node: &str) -> Result<Vec<String>, ApiError> {
        let reply = self.client.raw("/cluster/resources?type=storage").await?;
        let list = reply.json::<Resources<'_>>()?.data.items;
        let mut stores: Vec<(usize, String)> = list
            .iter()
            .filter(|storage| {
                storage.node.as_deref() == Some(node) && storage.status.as_deref() == Some("available")
            })
            .filter_map(|storage| {
                let content: Vec<&str> = storage.content.as_deref()?.split(',').collect();
                content.contains(&"backup").then_some((content.len(), storage.storage.as_deref()?.to_owned()))
            })
            .collect();
        stores.sort();
        Ok(stores.into_iter().map(|(_, name)| name).collect())
    }

    pub(super) async fn judge_backup(&self, step: Backup, job: &Job) -> Result<Verdict, ApiError> {
        if step == Backup::Make {
            self.judge_make_backup(job).await
        } else {
            self.judge_change(step, job).await
        }
    }

    async fn judge_make_backup(&self, job: &Job) -> Result<Verdict, ApiError> {
        let seen = self.observe(guest_of(&job.target.id)?).await?;
        let mut findings = alike(&seen, "VM.Backup");
        let store = job.arg("storage");
        if !store.is_empty() {
            findings.extend(right(&seen.permissions, CHANGE, &format!("/storage/{store}")));
        }
        if let Some(upid) = seen.active.iter().find(|upid| upid.kind == "vzdump") {
            let says = format!("a backup by {} runs on {}: this one waits for it", upid.user, seen.node);
            findings.push((Decision::Warn, Evidence::new("queue", says, Tone::Warn)));
        }
        let stopped = seen.key.family == Family::Qemu && seen.current.state() == "stopped";
        if stopped && !seen.config.passthrough().is_empty() {
            let says = "a stopped machine is started, paused and with its devices, while it is backed up";
            findings.push((Decision::Warn, Evidence::new("start", says, Tone::Warn)));
            let max = seen.current.maxmem;
            findings.extend(self.guard(seen.key, &seen.node, &seen.config, max, &seen.active).await);
        }
        let effect =
            format!("backs up {} to {}", seen.title(), if store.is_empty() { "a storage" } else { store });
        Ok(verdict(effect, &seen, findings))
    }

    async fn judge_change(&self, step: Backup, job: &Job) -> Result<Verdict, ApiError> {
        let place = place(&job.target.id)?;
        let (volume, permissions) = tokio::join!(self.volume(&place), self.permissions());
        let (volume, permissions) = (volume?, permissions?);
        let findings = change_rights(&permissions, &place, &volume);
        let effect = match (step, job.arg("protected")) {
            (Backup::Protect, "false") => format!("lets {} be removed again", place.volume),
            (Backup::Protect, _) => format!("protects {} from removal", place.volume),
            _ => format!("writes notes on {}", place.volume),
        };
        Ok(judged(effect, identity(&place, &volume), findings))
    }

    async fn volume(&self, place: &Place<'_>) -> Result<Volume, ApiError> {
        self.client.get(&place.path()).await
    }

    /// A backup as its storage has it now.
    pub(in crate::backend::proxmox) async fn recognise_backup(
        &self,
        target: &EntityId,
    ) -> Result<Identity, ApiError> {
        let place = place(target)?;
        let volume = self.volume(&place).await.map_err(|error| {
            let gone = || ApiError::new(Layer::App, format!("there is no {} any more", place.volume));
            if is_missing(&error) { gone() } else { error }
        })?;
        Ok(identity(&place, &volume))
    }

    pub(super) async fn backup_effect(
        &self,
        step: Backup,
        job: &Job,
        since: Timestamp,
    ) -> Result<Effect, ApiError> {
        if step == Backup::Make {
            return self.backup_made(job, since).await;
        }
        let volume = self.volume(&place(&job.target.id)?).await?;
        if step == Backup::Protect {
            let protected = volume.protected == Some(true);
            let words = if protected { "it is protected" } else { "it can be removed" };
            return Ok(Effect::new(protected == (job.arg("protected") != "false"), words));
        }
        let notes = volume.notes.unwrap_or_default();
        let there = notes.trim() == job.arg("notes").trim();
        Ok(Effect::new(there, format!("its notes read `{}`", notes.trim())))
    }

    async fn backup_made(&self, job: &Job, since: Timestamp) -> Result<Effect, ApiError> {
        let key = guest_of(&job.target.id)?;
        let (node, store) = (frozen_node(job)?, element(job.arg("storage")));
        let path = format!("/nodes/{node}/storage/{store}/content?content=backup&vmid={}", key.vmid);
        let volumes: Vec<Volume> = self.client.slow_list(&path).await?;
        // The time in a backup's name is the host's; a minute allows for clocks that differ.
        let made =
            volumes.iter().filter(|volume| volume.ctime.is_some_and(|at| at >= since.as_second() - 60));
        let Some(made) = made.max_by_key(|volume| volume.ctime) else {
            return Ok(Effect::new(false, "no new backup of it is to be seen"));
        };
        let name = made.volid.as_deref().unwrap_or("a backup");
        let size = made.size.map_or_else(String::new, |size| {
            let gib = crate::backend::proxmox::budget::gib(size);
            format!(", {} GiB", crate::backend::proxmox::budget::short(gib))
        });
        Ok(Effect::new(true, format!("{name} is there{size}")))
    }
}

/// Either the storage is ours to administer, or both the space and the guest are ours to use.
fn change_rights(
    permissions: &Permissions,
    place: &Place<'_>,
    volume: &Volume,
) -> Vec<crate::backend::proxmox::guard::Finding> {
    let path = format!("/storage/{}", place.storage);
    if permissions.allows(&path, "Datastore.Allocate") {
        return Vec::new();
    }
    let space = right(permissions, "Datastore.AllocateSpace", &path);
    let guest = volume.vmid.and_then(|vmid| right(permissions, "VM.Backup", &format!("/vms/{vmid}")));
    space.into_iter().chain(guest).collect()
}

pub(in crate::backend::proxmox) fn identity(place: &Place<'_>, volume: &Volume) -> Identity {
    let identity = Identity::new().with("volume", place.volume).with("node", place.node);
    match volume.size {
        Some(size) => identity.with("size", size.to_string()),
        None => identity,
    }
}
