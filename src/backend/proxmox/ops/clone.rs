//! A copy of a guest under a number of its own.

use crate::backend::error::ApiError;
use crate::backend::proxmox::Proxmox;
use crate::backend::proxmox::client::{Fields, is_missing};
use crate::backend::proxmox::guard::{Finding, blind};
use crate::backend::proxmox::guest::{Family, GuestConfig, GuestKey};
use crate::backend::proxmox::kinds::GUESTS;
use crate::backend::proxmox::lenient::LaxText;
use crate::backend::proxmox::rights::{Need, on_guests};
use crate::backend::proxmox::wire::Feature;
use crate::model::op::{Field, FieldKind, Job, OpSpec, Target, Tier, Verdict};
use crate::model::snapshot::Layer;

use super::observe::{Observed, alike, frozen_node, guest_of, refuse, right, verdict};
use super::{Effect, Request};

pub(super) fn spec() -> OpSpec {
    let full = "Copies the disks; without it only a template can be cloned, and the copy hangs on it.";
    OpSpec::on(GUESTS, "proxmox.clone", "clone", Tier::T1, "Makes a copy of the guest under another number.")
        .right("VM.Clone, VM.Allocate, Datastore.AllocateSpace")
        .form(vec![
            Field::new("newid", "number", FieldKind::Line, "A number that no guest has, 100 to 999999999."),
            Field::new("name", "name", FieldKind::Line, "The copy's name: letters, digits, `-` and `.`."),
            Field::new("full", "full", FieldKind::Flag, full).default("true"),
        ])
}

pub(super) fn needs() -> (&'static str, Vec<Need>) {
    let space = Need { privilege: "Datastore.AllocateSpace", below: "/storage" };
    ("clone", vec![on_guests("VM.Clone"), on_guests("VM.Allocate"), space])
}

/// The number that the copy will have.
fn number(job: &Job) -> Option<u32> {
    job.arg("newid").trim().parse().ok().filter(|id| (100..=999_999_999).contains(id))
}

/// Whether Proxmox takes a name: it is a DNS name.
fn usable(name: &str) -> bool {
    let label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        !label.is_empty() && label.len() <= 63 && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    name.split('.').all(label)
}

pub(super) fn request(job: &Job) -> Result<Request, ApiError> {
    let key = guest_of(&job.target.id)?;
    let wrong = || ApiError::new(Layer::App, format!("`{}` is no number for a guest", job.arg("newid")));
    let id = number(job).ok_or_else(wrong)?;
    let name = if key.family == Family::Qemu { "name" } else { "hostname" };
    let fields: Fields = vec![
        ("newid", id.to_string()),
        (name, job.arg("name").to_owned()),
        ("full", u8::from(job.arg("full") != "false").to_string()),
    ];
    Ok(Request::post(format!("{}/clone", key.path(frozen_node(job)?)), fields))
}

impl Proxmox {
    pub(super) async fn clone_form(&self, op: &OpSpec, target: &Target) -> Result<Vec<Field>, ApiError> {
        let next: LaxText = self.client.get("/cluster/nextid").await?;
        let mut form = op.form.clone();
        for field in &mut form {
            match field.name.as_ref() {
                "newid" => field.default = next.0.clone().unwrap_or_default().into(),
                "name" => field.default = format!("{}-copy", target.name).into(),
                _ => {}
            }
        }
        Ok(form)
    }

    pub(super) async fn judge_clone(&self, job: &Job) -> Result<Verdict, ApiError> {
        let seen = self.observe(guest_of(&job.target.id)?).await?;
        let mut findings = alike(&seen, "VM.Clone");
        let full = job.arg("full") != "false";
        if !full && !seen.is_template() {
            findings.push(refuse("full", "only a template can be cloned without copying its disks"));
        } else if !full {
            findings.extend(self.cannot_link(&seen).await);
        }
        if !job.arg("newid").is_empty() {
            match number(job) {
                None => findings
                    .push(refuse("number", format!("`{}` is no number for a guest", job.arg("newid")))),
                Some(id) => {
                    findings.extend(right(&seen.permissions, "VM.Allocate", &format!("/vms/{id}")));
                    if let Some(name) = self.holder(id).await? {
                        findings.push(refuse("number", format!("{id} belongs to {name}")));
                    }
                }
            }
        }
        for store in seen.config.storages() {
            findings.extend(right(
                &seen.permissions,
                "Datastore.AllocateSpace",
                &format!("/storage/{store}"),
            ));
        }
        let name = job.arg("name");
        if !name.is_empty() && !usable(name) {
            findings.push(refuse("name", format!("`{name}` is no DNS name")));
        }
        Ok(verdict(format!("copies {} to {name} ({})", seen.title(), job.arg("newid")), &seen, findings))
    }

    /// Whether the storages of its disks can let a copy hang on them.
    async fn cannot_link(&self, seen: &Observed) -> Option<Finding> {
        let path = format!("{}/feature?feature=clone", seen.key.path(&seen.node));
        match self.client.get::<Feature>(&path).await {
            Ok(feature) if feature.has == Some(true) => None,
            Ok(_) => {
                let stores: Vec<&str> = seen.config.storages().into_iter().collect();
                Some(refuse(
                    "storage",
                    format!("no copy can hang on a disk in {}: copy them", stores.join(", ")),
                ))
            }
            Err(error) => Some(blind("storage", &error)),
        }
    }

    /// Who has a number.
    async fn holder(&self, id: u32) -> Result<Option<String>, ApiError> {
        let reply = self.client.raw("/cluster/resources?type=vm").await?;
        let list = reply.json::<crate::backend::proxmox::wire::Resources<'_>>()?.data.items;
        let found = list.iter().find(|guest| guest.vmid == Some(i64::from(id)));
        Ok(found.map(|guest| guest.name.as_deref().unwrap_or("another guest").to_owned()))
    }

    pub(super) async fn clone_effect(&self, job: &Job) -> Result<Effect, ApiError> {
        let key = guest_of(&job.target.id)?;
        let node = frozen_node(job)?;
        let Some(vmid) = number(job) else { return Ok(Effect::new(false, "there is no copy")) };
        let copy = GuestKey { vmid, ..key };
        let config: Result<GuestConfig, ApiError> = self.config(copy, node).await;
        match config {
            Ok(config) if matches!(config.text("lock"), Some("clone" | "create")) => {
                Ok(Effect::new(false, format!("{vmid} is still being made")))
            }
            Ok(config) => {
                let name = config.name().unwrap_or_default().to_owned();
                let there = name == job.arg("name");
                Ok(Effect::new(there, format!("{name} ({vmid}) is there")))
            }
            Err(error) if is_missing(&error) => Ok(Effect::new(false, format!("there is no {vmid}"))),
            Err(error) => Err(error),
        }
    }
}
