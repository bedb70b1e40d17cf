//! To another host.

use crate::backend::error::ApiError;
use crate::backend::proxmox::Proxmox;
use crate::backend::proxmox::client::Fields;
use crate::backend::proxmox::find;
use crate::backend::proxmox::guard::{Finding, blind};
use crate::backend::proxmox::guest::{Family, GuestKey};
use crate::backend::proxmox::kinds::GUESTS;
use crate::backend::proxmox::rights::{Need, on_guests};
use crate::backend::proxmox::wire::{Migration, Resources};
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, OpSpec, Target, Tier, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::Layer;

use super::observe::{Observed, common, frozen_node, guest_of, important, refuse, verdict};
use super::{Effect, Request};

pub(super) fn spec() -> OpSpec {
    OpSpec::on(
        GUESTS,
        "proxmox.migrate",
        "migrate",
        Tier::T2,
        "Moves the guest to another host; one that runs goes on running, a container restarts.",
    )
    .right("VM.Migrate")
    .form(vec![Field::new("target", "to", FieldKind::Offered, "The host that takes it.")])
}

pub(super) fn needs() -> (&'static str, Vec<Need>) {
    ("migrate", vec![on_guests("VM.Migrate")])
}

impl Proxmox {
    pub(super) async fn migrate_form(&self, op: &OpSpec, target: &Target) -> Result<Vec<Field>, ApiError> {
        let (node, _) = self.locate(guest_of(&target.id)?).await?;
        let others = self.other_nodes(&node).await?;
        if others.is_empty() {
            return Err(ApiError::new(Layer::App, format!("{node} is the only host that is online")));
        }
        let mut form = op.form.clone();
        if let Some(field) = form.first_mut() {
            field.default = others.first().cloned().unwrap_or_default().into();
            field.kind = FieldKind::Choice(others.into_iter().map(Into::into).collect());
        }
        Ok(form)
    }

    /// The other hosts that are online.
    async fn other_nodes(&self, node: &str) -> Result<Vec<String>, ApiError> {
        let reply = self.client.raw("/cluster/resources?type=node").await?;
        let list = reply.json::<Resources<'_>>()?.data.items;
        let online = list.iter().filter(|entry| entry.status.as_deref() == Some("online"));
        let names = online.filter_map(|entry| entry.node.as_deref()).filter_map(find::safe);
        Ok(names.filter(|name| *name != node).map(str::to_owned).collect())
    }

    async fn migration(&self, key: GuestKey, node: &str, to: &str) -> Result<Migration, ApiError> {
        self.client.get(&format!("{}/migrate?target={to}", key.path(node))).await
    }

    pub(super) async fn judge_migrate(&self, job: &Job) -> Result<Verdict, ApiError> {
        let seen = self.observe(guest_of(&job.target.id)?).await?;
        let mut findings = common(&seen, "VM.Migrate");
        findings.extend(important(&seen));
        let to = job.arg("target");
        let effect = format!("moves {} from {} to {to}", seen.title(), seen.node);
        if to.is_empty() {
            return Ok(verdict(effect, &seen, findings));
        }
        let others = self.other_nodes(&seen.node).await?;
        if !others.iter().any(|node| node == to) {
            findings.push(refuse("target", format!("{to} is no other host that is online")));
            return Ok(verdict(effect, &seen, findings));
        }
        if !seen.config.passthrough().is_empty() && seen.current.state() == "running" {
            findings
                .push(refuse("devices", "a machine with passed-through devices cannot move while it runs"));
        }
        if seen.key.family == Family::Qemu {
            match self.migration(seen.key, &seen.node, to).await {
                Ok(migration) => findings.extend(conditions(&migration, to)),
                Err(error) => findings.push(blind("conditions", &error)),
            }
        } else if seen.current.state() == "running" {
            let says = "a container is stopped here and started there";
            findings.push((Decision::Warn, Evidence::new("restart", says, Tone::Warn)));
        }
        findings.extend(self.room(&seen, to).await);
        Ok(verdict(effect, &seen, findings))
    }

    /// A guest that runs needs its memory there.
    async fn room(&self, seen: &Observed, to: &str) -> Vec<Finding> {
        if seen.current.state() == "stopped" {
            return Vec::new();
        }
        match self.active(to).await {
            Ok(active) => self.guard(seen.key, to, &seen.config, seen.current.maxmem, &active).await,
            Err(error) => vec![blind("target", &error)],
        }
    }

    pub(super) async fn migrate_request(&self, job: &Job) -> Result<Request, ApiError> {
        let key = guest_of(&job.target.id)?;
        let (node, to) = (frozen_node(job)?, job.arg("target"));
        let wrong = || ApiError::new(Layer::App, format!("`{to}` is no host"));
        let to = find::safe(to).ok_or_else(wrong)?;
        let running = self.current(key, node).await?.state() == "running";
        let mut fields: Fields = vec![("target", to.to_owned())];
        if key.family == Family::Lxc {
            if running {
                fields.push(("restart", "1".to_owned()));
            }
        } else {
            if running {
                fields.push(("online", "1".to_owned()));
            }
            if !disks(&self.migration(key, node, to).await?).is_empty() {
                fields.push(("with-local-disks", "1".to_owned()));
            }
        }
        Ok(Request::post(format!("{}/migrate", key.path(node)), fields))
    }

    pub(super) async fn migrate_effect(&self, job: &Job) -> Result<Effect, ApiError> {
        let key = guest_of(&job.target.id)?;
        let (node, _) = self.locate(key).await?;
        Ok(Effect::new(node == job.arg("target"), format!("it is on {node}")))
    }
}

/// Disks that have to be copied along.
fn disks(migration: &Migration) -> Vec<&str> {
    let disks = migration.local_disks.items.iter().filter(|disk| disk.cdrom != Some(true));
    disks.filter_map(|disk| disk.volid.as_deref()).collect()
}

/// What the server says of a move.
fn conditions(migration: &Migration, to: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let barred = migration.not_allowed_nodes.0.as_ref().and_then(|nodes| nodes.get(to));
    if let Some(why) = barred {
        findings.push(refuse("target", format!("{to} will not do: {why}")));
    }
    if !migration.local_resources.is_empty() {
        let names = migration.local_resources.join(", ");
        findings.push(refuse("devices", format!("{names} are bound to this host")));
    }
    let disks = disks(migration);
    if !disks.is_empty() {
        let says = format!("copied along, which takes its time: {}", disks.join(", "));
        findings.push((Decision::Warn, Evidence::new("disks", says, Tone::Warn)));
    }
    findings
}
