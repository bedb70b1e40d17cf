//! A machine's own labels, which machine classes select by.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Operation, not_yet};
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::Omni;
use crate::backend::omni::edit::{self, Draft};
use crate::backend::omni::rows::machines::identity;
use crate::backend::omni::wire::{MachineLabels, MachineStatus, Metadata, PREFIX, Spec};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Field, Job, Verdict};
use crate::model::row::Tone;

/// `omni.set-labels`.
pub(super) struct SetLabels;

/// The fact that holds the version of the labels' resource; 0 where there is none yet.
const VERSION: &str = "labels version";

/// Reads `key=value` words.
fn wanted(job: &Job) -> Result<BTreeMap<String, String>, String> {
    let mut labels = BTreeMap::new();
    for word in job.arg("labels").split_whitespace() {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        if key.is_empty() || key.starts_with(PREFIX) {
            return Err(format!("`{word}`: a label is KEY or KEY=VALUE, and {PREFIX} is Omni's own"));
        }
        labels.insert(key.to_owned(), value.to_owned());
    }
    Ok(labels)
}

fn written(labels: &BTreeMap<String, String>) -> String {
    let words = labels
        .iter()
        .map(|(key, value)| if value.is_empty() { key.clone() } else { format!("{key}={value}") });
    words.collect::<Vec<_>>().join(" ")
}

fn own(meta: &Metadata) -> BTreeMap<String, String> {
    meta.user_labels().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[async_trait]
impl Operation for SetLabels {
    fn name(&self) -> &'static str {
        "omni.set-labels"
    }

    async fn form(&self, omni: &Omni, target: &str, mut form: Vec<Field>) -> Result<Vec<Field>, ApiError> {
        let machine = omni.client()?.get::<MachineStatus>(target).await?;
        let labels = machine.map(|machine| written(&own(&machine.metadata))).unwrap_or_default();
        if let Some(field) = form.iter_mut().find(|field| field.name == "labels") {
            field.default = labels.into();
        }
        Ok(form)
    }

    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
        let (client, id) = (omni.client()?, &*job.target.id.key);
        let labels = match wanted(job) {
            Ok(labels) => labels,
            Err(why) => return Ok(Verdict::refuse("labels", why)),
        };
        let Some(machine) = client.get::<MachineStatus>(id).await? else {
            return Ok(Verdict::refuse("machine", format!("{} is not in Omni any more", job.target.name)));
        };
        let before = own(&machine.metadata);
        if before == labels {
            return Ok(Verdict::refuse("labels", "it has exactly these already"));
        }
        let version = client.get::<MachineLabels>(id).await?.map_or(0, |found| found.metadata.version);
        let effect = format!(
            "{} is labelled `{}` instead of `{}`",
            job.target.name,
            written(&labels),
            written(&before)
        );
        let note =
            Evidence::new("classes", "machine classes that select by labels may take or drop it", Tone::Info);
        let identity = identity(&machine).with(VERSION, version.to_string());
        Ok(Verdict::allow(effect, identity).and(Decision::Allow, note))
    }

    async fn operate(&self, omni: &Omni, job: &Job, _progress: ProgressSink) -> Result<Receipt, SendError> {
        let client = omni.client().map_err(|error| SendError::NotSent(error.fault))?;
        let id = &*job.target.id.key;
        let labels = wanted(job).unwrap_or_default();
        let labels = labels.into_iter().map(|(key, value)| (key, value.into()));
        if job.target.identity.get(VERSION) == Some("0") {
            // A first version replaces what the machine was registered with, so all of them are written.
            let mut draft = Draft::new(MachineLabels::TABLE, id);
            draft.labels().extend(labels);
            edit::create(client, &draft).await?;
        } else {
            let mut draft = edit::checkout(client, MachineLabels::TABLE, id, job, VERSION).await?;
            draft.labels().retain(|key, _| key.starts_with(PREFIX));
            draft.labels().extend(labels);
            edit::update(client, &draft).await?;
        }
        Ok(Receipt { said: "accepted".to_owned(), ..Receipt::default() })
    }

    async fn verify(
        &self,
        omni: &Omni,
        job: &Job,
        _: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        let machine = omni.client()?.get::<MachineStatus>(&job.target.id.key).await?;
        let Some(machine) = machine else { return Ok(Proof::Absent("the machine is gone".to_owned())) };
        let now = own(&machine.metadata);
        let text = format!("{} is labelled `{}`", job.target.name, written(&now));
        let look = format!("vigie get omni.machines {}", job.target.name);
        let there = wanted(job).as_ref() == Ok(&now);
        Ok(if there { Proof::Seen(text) } else { not_yet(omni, since, text, look) })
    }
}
