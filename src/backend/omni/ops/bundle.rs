//! A support bundle: everything Omni and the nodes know of a cluster, as one archive.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::download::{Download, unpacked};
use super::step;
use crate::backend::ProgressSink;
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::file::Place;
use crate::backend::omni::lenient::messages;
use crate::model::op::Job;
use crate::model::snapshot::{Fault, Layer};

/// `omni.support-bundle`.
pub(super) struct SupportBundle;

/// How long the server may collect without a word.
const QUIET: Duration = if cfg!(test) { Duration::from_secs(2) } else { Duration::from_secs(120) };
/// How long it may take in all: a stream that never ends is none.
const WHOLE: Duration = if cfg!(test) { Duration::from_secs(4) } else { Duration::from_secs(20 * 60) };
/// The largest bundle, in bytes of base64.
const LARGEST: usize = if cfg!(test) { 4 << 20 } else { 256 << 20 };

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
impl Download for SupportBundle {
    fn name(&self) -> &'static str {
        "omni.support-bundle"
    }

    fn sort(&self) -> &'static str {
        "support"
    }

    fn permission(&self) -> Option<&'static str> {
        Some("can_download_support_bundle")
    }

    fn effect(&self, job: &Job, place: &Place) -> String {
        format!("Collects logs and resources of {} into {} (zip)", job.target.id.key, place.path.display())
    }

    async fn fetch(&self, client: &Client, job: &Job, progress: &ProgressSink) -> Result<Vec<u8>, SendError> {
        let failed = |what: &str| SendError::Failed(Fault::new(Layer::App, what));
        let body = json!({"cluster": job.target.id.key});
        let method = "/management.ManagementService/GetSupportBundle";
        let opened = client.stream_as(client.writer(), method, &Route::default(), body, QUIET).await;
        // Collecting changes nothing, so a stream that fails has done nothing.
        let stream = opened.map_err(|error| SendError::Refused(error.fault))?;
        let mut stream = stream.lines_up_to(LARGEST);
        let broken = |error: ApiError| SendError::Failed(error.fault);
        let until = Instant::now() + WHOLE;
        loop {
            let line = timeout_at(until, stream.line()).await;
            let line = line.map_err(|_| failed("the collecting does not end: 20 minutes are over"))?;
            let Some(line) = line.map_err(broken)? else { break };
            let Ok(line) = serde_json::from_slice::<Line>(&line) else { continue };
            let part = line.result;
            if !part.bundle_data.is_empty() {
                return unpacked(&part.bundle_data);
            }
            step(progress, fraction(&part.progress), words(&part.progress)).await;
        }
        Err(failed("the stream ended without the bundle"))
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
