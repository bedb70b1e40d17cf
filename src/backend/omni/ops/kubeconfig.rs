//! A kubeconfig with a service account token, which also works without a browser at 3 am.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use super::download::{Download, unpacked};
use super::{Fact, merge};
use crate::backend::ProgressSink;
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::file::Place;
use crate::backend::omni::rows::clusters::phase;
use crate::backend::omni::wire::ClusterStatus;
use crate::model::op::{Decision, Evidence, Job};
use crate::model::row::Tone;
use crate::model::time::parse_duration;

/// `omni.kubeconfig`.
pub(super) struct Kubeconfig;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    kubeconfig: String,
}

#[async_trait]
impl Download for Kubeconfig {
    fn name(&self) -> &'static str {
        "omni.kubeconfig"
    }

    fn sort(&self) -> &'static str {
        "kubeconfig"
    }

    fn effect(&self, job: &Job, place: &Place) -> String {
        format!(
            "{} {} with a token of {} ({}) for cluster {}, good for {} and not revocable on its own",
            place.verb(),
            place.path.display(),
            job.arg("user"),
            groups(job).join(", "),
            job.target.id.key,
            job.arg("ttl")
        )
    }

    async fn concerns(&self, client: &Client, cluster: &str) -> Result<Vec<Fact>, ApiError> {
        let status =
            client.get::<ClusterStatus>(cluster).await?.map(|status| status.spec).unwrap_or_default();
        let mut facts = vec![(Decision::Allow, Evidence::new("cluster", phase(status.phase), Tone::Text))];
        if !status.kubernetes_api_ready {
            let says = "does not answer; the token may not work";
            facts.push((Decision::Warn, Evidence::new("Kubernetes API", says, Tone::Warn)));
        }
        Ok(facts)
    }

    async fn fetch(&self, client: &Client, job: &Job, _: &ProgressSink) -> Result<Vec<u8>, SendError> {
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
        let answer: Answer = reply.json().map_err(|error| SendError::Failed(error.fault))?;
        unpacked(&answer.kubeconfig)
    }

    fn merge(&self, known: &str, new: &str) -> Result<String, String> {
        merge::kubeconfig(known, new)
    }
}

fn groups(job: &Job) -> Vec<&str> {
    job.arg("groups").split(',').map(str::trim).filter(|group| !group.is_empty()).collect()
}
