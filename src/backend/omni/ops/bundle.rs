//! A support bundle: everything Omni and the nodes know of a cluster, as one archive.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{Operation, step};
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::Omni;
use crate::backend::omni::client::Route;
use crate::backend::omni::file::{self, Place};
use crate::backend::omni::lenient::messages;
use crate::backend::omni::rows::clusters::identity;
use crate::backend::omni::wire::Cluster;
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Field, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

/// `omni.support-bundle`.
pub(super) struct SupportBundle;

/// How long the server may collect without a word.
const QUIET: Duration = Duration::from_secs(120);

messages! {
    /// One line of `GetSupportBundle`.
    Part { progress: Collecting, bundle_data: String, }

    /// How far the server is.
    Collecting { source: String, state: String, error: String, total: i64, value: i64, }
}

#[derive(Deserialize)]
struct Line {
    #[serde(default, deserialize_with = "crate::backend::omni::lenient::soft")]
    result: Part,
}

#[async_trait]
impl Operation for SupportBundle {
    fn name(&self) -> &'static str {
        "omni.support-bundle"
    }

    fn permission(&self) -> Option<&'static str> {
        Some("can_download_support_bundle")
    }

    async fn form(&self, omni: &Omni, target: &str, form: Vec<Field>) -> Result<Vec<Field>, ApiError> {
        file::offer(&omni.instance, target, "support", form)
    }

    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
        let name = &*job.target.id.key;
        let Some(cluster) = omni.client()?.get::<Cluster>(name).await? else {
            return Ok(Verdict::refuse("cluster", format!("{name} does not exist")));
        };
        let place = match Place::of(&omni.instance, job, "support") {
            Ok(place) => place,
            Err(error) => return Ok(Verdict::refuse("file", error.to_string())),
        };
        let effect = format!("Collects logs and resources of {name} into {} (zip)", place.path.display());
        let verdict = Verdict::allow(effect, identity(&cluster.metadata));
        Ok(match place.obstacle() {
            Some(obstacle) => verdict.and(Decision::Refuse, Evidence::new("file", obstacle, Tone::Error)),
            None => verdict,
        })
    }

    async fn operate(&self, omni: &Omni, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        let not_sent = |error: ApiError| SendError::NotSent(error.fault);
        let failed = |what: &str| SendError::Failed(Fault::new(Layer::App, what));
        let client = omni.client().map_err(not_sent)?;
        let place = Place::of(&omni.instance, job, "support").map_err(not_sent)?;
        let draft = place.open().map_err(not_sent)?;
        let path = place.path.to_string_lossy().into_owned();
        let _ = progress.send(Progress::Accepted(path.clone())).await;
        let body = json!({"cluster": job.target.id.key});
        let method = "/management.ManagementService/GetSupportBundle";
        let opened = client.stream_as(client.writer(), method, &Route::default(), body, QUIET).await;
        // Collecting changes nothing, so a stream that fails has done nothing.
        let mut stream = opened.map_err(|error| SendError::Refused(error.fault))?;
        let broken = |error: ApiError| SendError::Failed(error.fault);
        while let Some(line) = stream.line().await.map_err(broken)? {
            let Ok(line) = serde_json::from_slice::<Line>(&line) else { continue };
            let part = line.result;
            if !part.bundle_data.is_empty() {
                let bytes =
                    STANDARD.decode(part.bundle_data).map_err(|_| failed("the bundle is not base64"))?;
                draft.keep(&bytes).map_err(broken)?;
                let said = format!("{} bytes in {path}", bytes.len());
                return Ok(Receipt { said, remote: Some(path), reveal: None });
            }
            step(&progress, fraction(&part.progress), words(&part.progress)).await;
        }
        Err(failed("the stream ended without the bundle"))
    }

    async fn verify(
        &self,
        omni: &Omni,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        file::proof(&omni.instance, job, "support", remote, since)
    }
}

fn fraction(collecting: &Collecting) -> Option<f32> {
    #[allow(clippy::cast_precision_loss)]
    (collecting.total > 0).then(|| collecting.value as f32 / collecting.total as f32)
}

fn words(collecting: &Collecting) -> String {
    let words = [&collecting.source, &collecting.state, &collecting.error];
    words.into_iter().filter(|word| !word.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ")
}
