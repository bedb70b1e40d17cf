//! A config patch: checked by the server, shown as a difference, then written.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use super::Operation;
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::Omni;
use crate::backend::omni::client::Route;
use crate::backend::omni::difference;
use crate::backend::omni::edit::{self, Draft};
use crate::backend::omni::rows::clusters::{identity, manager};
use crate::backend::omni::wire::{Cluster, ConfigPatch, Spec};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;

/// `omni.patch`.
pub(super) struct Patch;

/// The fact that holds the patch's version; 0 where it is new.
const VERSION: &str = "patch version";
/// The most lines of a difference that are shown.
const LINES: usize = 40;

/// The patch's id, as Omni's tools name a cluster's patches.
fn id(job: &Job) -> String {
    format!("500-cluster-{}-{}", job.target.id.key, job.arg("name").trim())
}

fn named_well(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        && name.len() <= 64
}

#[async_trait]
impl Operation for Patch {
    fn name(&self) -> &'static str {
        "omni.patch"
    }

    fn permission(&self) -> Option<&'static str> {
        Some("can_manage_config_patches")
    }

    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
        let (client, cluster) = (omni.client()?, &*job.target.id.key);
        if !named_well(job.arg("name").trim()) {
            return Ok(Verdict::refuse("name", "letters, digits, `.`, `_` and `-`, at most 64"));
        }
        let Some(found) = client.get::<Cluster>(cluster).await? else {
            return Ok(Verdict::refuse("cluster", format!("{cluster} does not exist any more")));
        };
        let body = json!({"config": job.arg("patch")});
        if let Err(error) =
            client.ask("/management.ManagementService/ValidateConfig", &Route::default(), body).await
        {
            return match error.fault.status {
                Some(400) => Ok(Verdict::refuse("patch", error.fault.raw)),
                _ => Err(error),
            };
        }
        let before = client.get::<ConfigPatch>(&id(job)).await?;
        let (version, old) =
            before.map_or((0, String::new()), |found| (found.metadata.version, found.spec.data));
        let lines = difference::lines(&old, job.arg("patch"));
        if lines.is_empty() {
            return Ok(Verdict::refuse("patch", "it is there already, word for word"));
        }
        let verb = if version == 0 { "Adds" } else { "Changes" };
        let effect = format!("{verb} patch {} of {cluster}; machines may restart to take it on", id(job));
        let identity = identity(&found.metadata).with(VERSION, version.to_string());
        let mut verdict = Verdict::allow(effect, identity);
        if !manager(&found.metadata).is_empty() {
            let says = "the cluster's template removes patches that it does not know at its next sync";
            verdict = verdict.and(Decision::Warn, Evidence::new("template", says, Tone::Warn));
        }
        let shown = lines.iter().take(LINES).map(|line| Evidence::new("", line.as_str(), Tone::Text));
        Ok(shown.fold(verdict, |verdict, line| verdict.and(Decision::Allow, line)))
    }

    async fn operate(&self, omni: &Omni, job: &Job, _progress: ProgressSink) -> Result<Receipt, SendError> {
        let client = omni.client().map_err(|error| SendError::NotSent(error.fault))?;
        let new = job.target.identity.get(VERSION) == Some("0");
        let mut draft = if new {
            let draft = Draft::new(ConfigPatch::TABLE, &id(job)).label("cluster", &job.target.id.key);
            let mut draft = draft;
            draft.annotations().insert("name".to_owned(), job.arg("name").trim().into());
            draft
        } else {
            edit::checkout(client, ConfigPatch::TABLE, &id(job), job, VERSION).await?
        };
        draft.spec().insert("data".to_owned(), job.arg("patch").into());
        if new {
            edit::create(client, &draft).await?
        } else {
            edit::update(client, &draft).await?
        };
        Ok(Receipt { remote: Some(id(job)), said: "accepted".to_owned(), reveal: None })
    }

    async fn verify(&self, omni: &Omni, job: &Job, _: Option<&str>, _: Timestamp) -> Result<Proof, ApiError> {
        let found = omni.client()?.get::<ConfigPatch>(&id(job)).await?;
        Ok(match found {
            Some(patch) if patch.spec.data == job.arg("patch") => {
                Proof::Seen(format!("{} holds it, version {}", id(job), patch.metadata.version))
            }
            Some(_) => Proof::Absent(format!("{} holds another text", id(job))),
            None => Proof::Absent(format!("{} does not exist", id(job))),
        })
    }
}
