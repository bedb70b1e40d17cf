//! A kubeconfig with a service account token, which also works without a browser at 3 am.

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
use crate::backend::omni::rows::clusters::{identity, phase};
use crate::backend::omni::wire::{Cluster, ClusterStatus};
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Field, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};
use crate::model::time::parse_duration;

/// `omni.kubeconfig`.
pub(super) struct Kubeconfig;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    kubeconfig: String,
}

#[async_trait]
impl Operation for Kubeconfig {
    fn name(&self) -> &'static str {
        "omni.kubeconfig"
    }

    async fn form(&self, omni: &Omni, target: &str, form: Vec<Field>) -> Result<Vec<Field>, ApiError> {
        file::offer(&omni.instance, target, "kubeconfig", form)
    }

    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
        let (client, name) = (omni.client()?, &*job.target.id.key);
        let Some(cluster) = client.get::<Cluster>(name).await? else {
            return Ok(Verdict::refuse("cluster", format!("{name} does not exist")));
        };
        let place = match Place::of(&omni.instance, job, "kubeconfig") {
            Ok(place) => place,
            Err(error) => return Ok(Verdict::refuse("file", error.to_string())),
        };
        let (ttl, user, groups) = (job.arg("ttl"), job.arg("user"), groups(job).join(", "));
        let effect = format!(
            "Writes {} with a token of {user} ({groups}) for cluster {name}, good for {ttl} and not revocable on its own",
            place.path.display()
        );
        let status = client.get::<ClusterStatus>(name).await?.map(|status| status.spec).unwrap_or_default();
        let state = Evidence::new("cluster", phase(status.phase), Tone::Text);
        let mut verdict = Verdict::allow(effect, identity(&cluster.metadata)).and(Decision::Allow, state);
        if !status.kubernetes_api_ready {
            let evidence =
                Evidence::new("Kubernetes API", "does not answer; the token may not work", Tone::Warn);
            verdict = verdict.and(Decision::Warn, evidence);
        }
        Ok(match place.obstacle() {
            Some(obstacle) => verdict.and(Decision::Refuse, Evidence::new("file", obstacle, Tone::Error)),
            None => verdict,
        })
    }

    async fn operate(&self, omni: &Omni, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        let not_sent = |error: ApiError| SendError::NotSent(error.fault);
        let client = omni.client().map_err(not_sent)?;
        let place = Place::of(&omni.instance, job, "kubeconfig").map_err(not_sent)?;
        // The file is opened first, so that no token is issued that cannot be kept.
        let draft = place.open().map_err(not_sent)?;
        let path = place.path.to_string_lossy().into_owned();
        let _ = progress.send(Progress::Accepted(path.clone())).await;
        let ttl = parse_duration(job.arg("ttl")).unwrap_or_default();
        let body = json!({
            "service_account": true,
            "service_account_user": job.arg("user"),
            "service_account_groups": groups(job),
            "service_account_ttl": format!("{}s", ttl.as_secs()),
        });
        let method = "/management.ManagementService/Kubeconfig";
        let route = Route::cluster(&job.target.id.key);
        let reply = client.send(method, &route, body, Some(Duration::from_secs(60))).await?;
        let content = reply.json::<Answer>().ok().and_then(|answer| STANDARD.decode(answer.kubeconfig).ok());
        let failed = |what: &str| SendError::Failed(Fault::new(Layer::App, what.to_owned()));
        let content = content.filter(|bytes| !bytes.is_empty());
        let content = content.ok_or_else(|| failed("Omni's answer holds no kubeconfig"))?;
        draft.keep(&content).map_err(|error| failed(&error.to_string()))?;
        let said = format!("kubeconfig of {} in {path}", job.target.name);
        Ok(Receipt { remote: Some(path), said, reveal: None })
    }

    async fn verify(
        &self,
        omni: &Omni,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        let proof = file::proof(&omni.instance, job, "kubeconfig", remote, since)?;
        Ok(match proof {
            Proof::Absent(why) => {
                Proof::Absent(format!("{why}; a token that was issued all the same ends by itself"))
            }
            other => other,
        })
    }
}

fn groups(job: &Job) -> Vec<&str> {
    job.arg("groups").split(',').map(str::trim).filter(|group| !group.is_empty()).collect()
}
