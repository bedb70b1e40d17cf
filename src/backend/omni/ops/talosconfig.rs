//! A talosconfig, with which `talosctl` signs its calls through Omni.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::Operation;
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::Omni;
use crate::backend::omni::client::Route;
use crate::backend::omni::file::{self, Place};
use crate::backend::omni::rows::clusters::identity;
use crate::backend::omni::wire::{Cluster, Role};
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Field, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

/// `omni.talosconfig`.
pub(super) struct Talosconfig;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    talosconfig: String,
}

#[async_trait]
impl Operation for Talosconfig {
    fn name(&self) -> &'static str {
        "omni.talosconfig"
    }

    fn role(&self) -> Role {
        Role::Reader
    }

    async fn form(&self, omni: &Omni, target: &str, form: Vec<Field>) -> Result<Vec<Field>, ApiError> {
        file::offer(&omni.instance, target, "talosconfig", form)
    }

    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
        let name = &*job.target.id.key;
        let Some(cluster) = omni.client()?.get::<Cluster>(name).await? else {
            return Ok(Verdict::refuse("cluster", format!("{name} does not exist")));
        };
        let place = match Place::of(&omni.instance, job, "talosconfig") {
            Ok(place) => place,
            Err(error) => return Ok(Verdict::refuse("file", error.to_string())),
        };
        let effect = format!(
            "Writes {} for `talosctl` on cluster {name}; it holds no secret of its own",
            place.path.display()
        );
        let verdict = Verdict::allow(effect, identity(&cluster.metadata));
        Ok(match place.obstacle() {
            Some(obstacle) => verdict.and(Decision::Refuse, Evidence::new("file", obstacle, Tone::Error)),
            None => verdict,
        })
    }

    async fn operate(&self, omni: &Omni, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        let not_sent = |error: ApiError| SendError::NotSent(error.fault);
        let client = omni.client().map_err(not_sent)?;
        let place = Place::of(&omni.instance, job, "talosconfig").map_err(not_sent)?;
        let draft = place.open().map_err(not_sent)?;
        let path = place.path.to_string_lossy().into_owned();
        let _ = progress.send(Progress::Accepted(path.clone())).await;
        let (method, route) =
            ("/management.ManagementService/Talosconfig", Route::cluster(&job.target.id.key));
        let reply = client.send(method, &route, json!({}), Some(Duration::from_secs(30))).await?;
        let content = reply.json::<Answer>().ok().and_then(|answer| STANDARD.decode(answer.talosconfig).ok());
        let failed = |what: String| SendError::Failed(Fault::new(Layer::App, what));
        let content = content.filter(|bytes| !bytes.is_empty());
        let content = content.ok_or_else(|| failed("Omni's answer holds no talosconfig".to_owned()))?;
        draft.keep(&content).map_err(|error| failed(error.to_string()))?;
        Ok(Receipt {
            said: format!("talosconfig of {} in {path}", job.target.name),
            remote: Some(path),
            reveal: None,
        })
    }

    async fn verify(
        &self,
        omni: &Omni,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        file::proof(&omni.instance, job, "talosconfig", remote, since)
    }
}
