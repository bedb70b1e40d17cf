//! Snapshots: made, gone back to, and deleted.

use reqwest::Method;

use crate::backend::error::ApiError;
use crate::backend::proxmox::Proxmox;
use crate::backend::proxmox::client::{Fields, element};
use crate::backend::proxmox::guard::Finding;
use crate::backend::proxmox::guest::{Family, GuestConfig, GuestKey};
use crate::backend::proxmox::kinds::{GUESTS, SNAPSHOTS};
use crate::backend::proxmox::rights::{Need, on_guests};
use crate::backend::proxmox::wire::{Resources, Snapshot as Taken};
use crate::model::id::{EntityId, Identity};
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, OpSpec, Tier, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::Layer;
use crate::model::time;

use super::observe::{Observed, common, frozen_node, guest_of, important, judged, refuse, verdict};
use super::{Effect, Request};

/// What is done to snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Snapshot {
    /// One is made.
    Make,
    /// The guest goes back to it.
    Rollback,
    /// It is deleted.
    Delete,
}

impl Snapshot {
    pub(super) fn named(op: &str) -> Option<Self> {
        match op {
            "snapshot" => Some(Self::Make),
            "rollback" => Some(Self::Rollback),
            "delete-snapshot" => Some(Self::Delete),
            _ => None,
        }
    }

    pub(super) fn tasks(self) -> &'static [&'static str] {
        match self {
            Self::Make => &["qmsnapshot", "vzsnapshot"],
            Self::Rollback => &["qmrollback", "vzrollback"],
            Self::Delete => &["qmdelsnapshot", "vzdelsnapshot"],
        }
    }

    fn right(self) -> &'static str {
        match self {
            Self::Make | Self::Delete => "VM.Snapshot",
            Self::Rollback => "VM.Snapshot|VM.Snapshot.Rollback",
        }
    }
}

pub(super) fn specs() -> Vec<OpSpec> {
    let name = "A letter first, then letters, digits, `_` or `-`; at most 40, and not `current`.";
    let form = vec![
        Field::new("name", "name", FieldKind::Line, name),
        Field::new("description", "description", FieldKind::Line, "What it is for.").optional(),
        Field::new(
            "ram",
            "with memory",
            FieldKind::Flag,
            "Keeps the memory too; not for guests with passed-through devices.",
        )
        .default("false"),
    ];
    vec![
        OpSpec::on(GUESTS, "proxmox.snapshot", "snapshot", Tier::T1, "Makes a snapshot of the guest.")
            .right("VM.Snapshot")
            .form(form)
            .bulk()
            .warn_if_blind(),
        OpSpec::on(
            SNAPSHOTS,
            "proxmox.rollback",
            "roll back",
            Tier::T2,
            "Takes the guest back to the snapshot; everything since then is lost.",
        )
        .right("VM.Snapshot|VM.Snapshot.Rollback"),
        OpSpec::on(SNAPSHOTS, "proxmox.delete-snapshot", "delete", Tier::T2, "Deletes the snapshot.")
            .right("VM.Snapshot")
            .bulk()
            .warn_if_blind(),
    ]
}

pub(super) fn needs() -> Vec<(&'static str, Vec<Need>)> {
    vec![
        ("snapshot", vec![on_guests(Snapshot::Make.right())]),
        ("rollback", vec![on_guests(Snapshot::Rollback.right())]),
        ("delete-snapshot", vec![on_guests(Snapshot::Delete.right())]),
    ]
}

/// The guest and the name behind a snapshot's key, `qemu/100/pre_upgrade`.
pub(super) fn of(target: &EntityId) -> Result<(GuestKey, &str), ApiError> {
    let parts = target.key.rsplit_once('/').filter(|_| target.kind.as_str() == SNAPSHOTS);
    let found = parts.and_then(|(guest, name)| Some((GuestKey::parse(guest)?, name)));
    found
        .filter(|(_, name)| usable(name))
        .ok_or_else(|| ApiError::new(Layer::App, format!("`{}` is no snapshot", target.key)))
}

/// Whether Proxmox takes a name.
fn usable(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    name.len() <= 40
        && name != "current"
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(plain)
}

pub(super) fn request(step: Snapshot, job: &Job) -> Result<Request, ApiError> {
    let node = frozen_node(job)?;
    if step == Snapshot::Make {
        let key = guest_of(&job.target.id)?;
        let mut fields: Fields = vec![("snapname", job.arg("name").to_owned())];
        if !job.arg("description").is_empty() {
            fields.push(("description", job.arg("description").to_owned()));
        }
        if job.arg("ram") == "true" && key.family == Family::Qemu {
            fields.push(("vmstate", "1".to_owned()));
        }
        return Ok(Request::post(format!("{}/snapshot", key.path(node)), fields));
    }
    let (key, name) = of(&job.target.id)?;
    let path = format!("{}/snapshot/{}", key.path(node), element(name));
    Ok(match step {
        Snapshot::Rollback => Request::post(format!("{path}/rollback"), Fields::new()),
        _ => Request { method: Method::DELETE, path, fields: Fields::new() },
    })
}

impl Proxmox {
    /// The snapshots of a guest, without the place where it stands.
    pub(in crate::backend::proxmox) async fn snapshots(
        &self,
        key: GuestKey,
        node: &str,
    ) -> Result<Vec<Taken>, ApiError> {
        self.client.list(&format!("{}/snapshot", key.path(node))).await
    }

    pub(super) async fn judge_snapshot(&self, step: Snapshot, job: &Job) -> Result<Verdict, ApiError> {
        if step == Snapshot::Make { self.judge_make(job).await } else { self.judge_taken(step, job).await }
    }

    async fn judge_make(&self, job: &Job) -> Result<Verdict, ApiError> {
        let seen = self.observe(guest_of(&job.target.id)?).await?;
        let taken = self.snapshots(seen.key, &seen.node).await?;
        let mut findings = common(&seen, Snapshot::Make.right());
        let name = job.arg("name");
        // Before the form is filled in there is nothing to say about the name.
        if !name.is_empty() && !usable(name) {
            findings.push(refuse("name", format!("`{name}` is no name for a snapshot")));
        }
        if taken.iter().any(|snapshot| snapshot.name.as_deref() == Some(name)) {
            findings.push(refuse("name", format!("there is a snapshot `{name}` already")));
        }
        let ram = job.arg("ram") == "true";
        if ram && !seen.config.passthrough().is_empty() {
            findings
                .push(refuse("memory", "a guest with passed-through devices cannot be held with its memory"));
        }
        if ram && seen.key.family == Family::Lxc {
            findings.push(refuse("memory", "the memory of a container cannot be kept"));
        }
        let kept = if ram { " and its memory" } else { "" };
        let effect = format!("makes the snapshot {name} of {}{kept}", seen.title());
        Ok(verdict(effect, &seen, findings))
    }

    async fn judge_taken(&self, step: Snapshot, job: &Job) -> Result<Verdict, ApiError> {
        let (key, name) = of(&job.target.id)?;
        let seen = self.observe(key).await?;
        let taken = self.snapshots(key, &seen.node).await?;
        let mut findings = common(&seen, step.right());
        let found = taken.iter().find(|snapshot| snapshot.name.as_deref() == Some(name));
        let Some(found) = found else {
            findings.push(refuse("snapshot", format!("{} has no snapshot {name}", seen.title())));
            return Ok(judged(String::new(), seen.identity(), findings));
        };
        if let Some(state) = found.snapstate.as_deref() {
            findings.push(refuse("snapshot", format!("{state} is under way")));
        }
        let age = found.snaptime.map_or_else(String::new, |at| {
            format!(", {} old", time::short(self.clock.now().as_second() - at))
        });
        let effect = match step {
            Snapshot::Rollback => {
                findings.extend(self.before_rollback(&seen, found, &taken).await);
                format!("takes {} back to {name}{age}; everything since then is lost", seen.title())
            }
            _ => format!("deletes the snapshot {name} of {}{age}", seen.title()),
        };
        Ok(judged(effect, identity(&seen, found), findings))
    }

    async fn before_rollback(&self, seen: &Observed, to: &Taken, taken: &[Taken]) -> Vec<Finding> {
        let mut findings: Vec<Finding> = important(seen).into_iter().collect();
        let newer: Vec<&str> = taken
            .iter()
            .filter(|other| other.name.as_deref() != Some("current") && other.snaptime > to.snaptime)
            .filter_map(|other| other.name.as_deref())
            .collect();
        if !newer.is_empty() {
            let names = newer.join(", ");
            findings.push(match self.on_zfs(&seen.config).await {
                Ok(true) => {
                    refuse("newer", format!("ZFS goes back to the newest only; delete first: {names}"))
                }
                Ok(false) => (
                    Decision::Warn,
                    Evidence::new("newer", format!("there are newer ones: {names}"), Tone::Warn),
                ),
                Err(_) => (
                    Decision::Blind,
                    Evidence::new(
                        "newer",
                        format!("whether its storage can pass over {names} cannot be seen"),
                        Tone::Unknown,
                    ),
                ),
            });
        }
        // With its memory the guest runs afterwards.
        if to.vmstate == Some(true) && seen.current.state() == "stopped" {
            let max = seen.current.maxmem;
            findings.extend(self.guard(seen.key, &seen.node, &seen.config, max, &seen.active).await);
        }
        findings
    }

    /// Whether any of its disks is on ZFS.
    async fn on_zfs(&self, config: &GuestConfig) -> Result<bool, ApiError> {
        let reply = self.client.raw("/cluster/resources?type=storage").await?;
        let storages = reply.json::<Resources<'_>>()?.data.items;
        let used = config.storages();
        let known = |name: &str| storages.iter().find(|storage| storage.storage.as_deref() == Some(name));
        if used.iter().any(|name| known(name).is_none()) {
            return Err(ApiError::unsupported("a storage cannot be seen"));
        }
        Ok(used.iter().any(|name| known(name).is_some_and(|s| s.plugintype.as_deref() == Some("zfspool"))))
    }

    pub(super) async fn snapshot_effect(&self, step: Snapshot, job: &Job) -> Result<Effect, ApiError> {
        let (key, name) = match step {
            Snapshot::Make => (guest_of(&job.target.id)?, job.arg("name")),
            _ => of(&job.target.id)?,
        };
        let (node, _) = self.locate(key).await?;
        let taken = self.snapshots(key, &node).await?;
        let named = |wanted: &str| taken.iter().find(|snapshot| snapshot.name.as_deref() == Some(wanted));
        let found = named(name);
        let done = found.is_some_and(|snapshot| snapshot.snapstate.is_none());
        Ok(match step {
            Snapshot::Make if done => Effect::new(true, format!("the snapshot {name} is there")),
            Snapshot::Make => Effect::new(false, format!("there is no finished snapshot {name}")),
            Snapshot::Delete if found.is_none() => Effect::new(true, format!("the snapshot {name} is gone")),
            Snapshot::Delete => Effect::new(false, format!("the snapshot {name} is still there")),
            Snapshot::Rollback => {
                let at = named("current").and_then(|current| current.parent.as_deref());
                let words = format!("it stands on {}", at.unwrap_or("no snapshot"));
                // It may have stood there before.
                Effect { proves: false, ..Effect::new(at == Some(name), words) }
            }
        })
    }

    /// A snapshot as its guest has it now.
    pub(in crate::backend::proxmox) async fn recognise_snapshot(
        &self,
        target: &EntityId,
    ) -> Result<Identity, ApiError> {
        let (key, name) = of(target)?;
        let (node, config) = self.locate(key).await?;
        let taken = self.snapshots(key, &node).await?;
        let found = taken.iter().find(|snapshot| snapshot.name.as_deref() == Some(name));
        let found = found
            .ok_or_else(|| ApiError::new(Layer::App, format!("{key} has no snapshot {name} any more")))?;
        Ok(with_snapshot(
            crate::backend::proxmox::rows::guest_identity(
                &key.to_string(),
                &node,
                config.name(),
                config.uuid().as_deref(),
            ),
            found,
        ))
    }
}

fn identity(seen: &Observed, found: &Taken) -> Identity {
    with_snapshot(seen.identity(), found)
}

/// A name can be given again: the time tells which one it is.
pub(in crate::backend::proxmox) fn with_snapshot(guest: Identity, snapshot: &Taken) -> Identity {
    let named = guest.with("snapshot", snapshot.name.as_deref().unwrap_or_default());
    match snapshot.snaptime {
        Some(at) => named.with("taken", at.to_string()),
        None => named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_guest_and_a_usable_name() {
        let id = |key: &str| EntityId::new(SNAPSHOTS, "pve", key);
        let found = id("qemu/100/pre_upgrade");
        assert_eq!(of(&found).unwrap().1, "pre_upgrade");
        for wrong in
            ["qemu/100", "qemu/100/current", "qemu/100/1st", "qemu/100/a b", "qemu/x/a", "qemu/100/../a"]
        {
            assert!(of(&id(wrong)).is_err(), "{wrong}");
        }
    }
}
