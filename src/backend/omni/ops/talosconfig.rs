//! A talosconfig, with which `talosctl` signs its calls through Omni.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use super::download::{Download, unpacked};
use super::merge;
use crate::backend::ProgressSink;
use crate::backend::error::SendError;
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::file::Place;
use crate::backend::omni::wire::Role;
use crate::model::op::Job;

/// `omni.talosconfig`.
pub(super) struct Talosconfig;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    talosconfig: String,
}

#[async_trait]
impl Download for Talosconfig {
    fn name(&self) -> &'static str {
        "omni.talosconfig"
    }

    fn sort(&self) -> &'static str {
        "talosconfig"
    }

    fn role(&self) -> Role {
        Role::Reader
    }

    fn effect(&self, job: &Job, place: &Place) -> String {
        let (verb, path, cluster) = (place.verb(), place.path.display(), &job.target.id.key);
        format!("{verb} {path} for `talosctl` on cluster {cluster}; it holds no secret of its own")
    }

    async fn fetch(&self, client: &Client, job: &Job, _: &ProgressSink) -> Result<Vec<u8>, SendError> {
        let method = "/management.ManagementService/Talosconfig";
        let route = Route::cluster(&job.target.id.key);
        let reply = client.send(method, &route, json!({}), Some(Duration::from_secs(30))).await?;
        let answer: Answer = reply.json().map_err(|error| SendError::Failed(error.fault))?;
        unpacked(&answer.talosconfig)
    }

    fn merge(&self, known: &str, new: &str) -> Result<String, String> {
        merge::talosconfig(known, new)
    }
}
