//! What the operations that write a file share: where it goes, what stands in the way, the one call, and the proof.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::{Fact, Operation};
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::Omni;
use crate::backend::omni::client::Client;
use crate::backend::omni::file::{self, Place};
use crate::backend::omni::rows::clusters::identity;
use crate::backend::omni::wire::{Cluster, Role};
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Field, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

/// Something about a cluster that Omni hands out and that is kept in a file.
#[async_trait]
pub(super) trait Download: Send + Sync {
    /// The operation's full name.
    fn name(&self) -> &'static str;

    /// The folder of vigie's own place for it.
    fn sort(&self) -> &'static str;

    /// The role that it needs.
    fn role(&self) -> Role {
        Role::Operator
    }

    /// The field of `ClusterPermissions` that stands for it, where there is one.
    fn permission(&self) -> Option<&'static str> {
        None
    }

    /// What will happen, in one sentence.
    fn effect(&self, job: &Job, place: &Place) -> String;

    /// What there is to mind before it is asked for.
    async fn concerns(&self, _client: &Client, _cluster: &str) -> Result<Vec<Fact>, ApiError> {
        Ok(Vec::new())
    }

    /// Asks for it once.
    async fn fetch(&self, client: &Client, job: &Job, progress: &ProgressSink) -> Result<Vec<u8>, SendError>;

    /// Puts it into what the file holds already; an error names what does not go together.
    fn merge(&self, _known: &str, _new: &str) -> Result<String, String> {
        Err("it cannot be merged into a file".to_owned())
    }
}

/// The operation around a [`Download`].
pub(super) struct File<D>(pub D);

#[async_trait]
impl<D: Download> Operation for File<D> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn role(&self) -> Role {
        self.0.role()
    }

    fn permission(&self) -> Option<&'static str> {
        self.0.permission()
    }

    async fn form(&self, omni: &Omni, target: &str, form: Vec<Field>) -> Result<Vec<Field>, ApiError> {
        file::offer(&omni.instance, target, self.0.sort(), form)
    }

    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
        let (client, name) = (omni.client()?, &*job.target.id.key);
        let Some(cluster) = client.get::<Cluster>(name).await? else {
            return Ok(Verdict::refuse("cluster", format!("{name} does not exist")));
        };
        let place = match Place::of(&omni.instance, job, self.0.sort()) {
            Ok(place) => place,
            Err(error) => return Ok(Verdict::refuse("file", error.to_string())),
        };
        let mut facts = self.0.concerns(client, name).await?;
        facts.extend(self.file(&place));
        let verdict = Verdict::allow(self.0.effect(job, &place), identity(&cluster.metadata));
        Ok(facts.into_iter().fold(verdict, |verdict, (decision, evidence)| verdict.and(decision, evidence)))
    }

    async fn operate(&self, omni: &Omni, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        let not_sent = |error: ApiError| SendError::NotSent(error.fault);
        let failed = |what: String| SendError::Failed(Fault::new(Layer::App, what));
        let client = omni.client().map_err(not_sent)?;
        let place = Place::of(&omni.instance, job, self.0.sort()).map_err(not_sent)?;
        // The file is opened first, so that nothing is issued that cannot be kept.
        let draft = place.open().map_err(not_sent)?;
        let path = place.path.to_string_lossy().into_owned();
        let _ = progress.send(Progress::Accepted(path.clone())).await;
        let mut content = self.0.fetch(client, job, &progress).await?;
        if content.is_empty() {
            return Err(failed("Omni's answer holds nothing".to_owned()));
        }
        if let Some(known) = place.to_merge_into().map_err(|error| failed(error.to_string()))? {
            let new = String::from_utf8_lossy(&content);
            content = self.0.merge(&known, &new).map_err(failed)?.into_bytes();
        }
        let bytes = content.len();
        draft.keep(&content).map_err(|error| failed(error.to_string()))?;
        let said = format!("{bytes} bytes about {} in {path}", job.target.name);
        Ok(Receipt { remote: Some(path), said, reveal: None })
    }

    async fn verify(
        &self,
        omni: &Omni,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        file::proof(&omni.instance, job, self.0.sort(), remote, since)
    }
}

impl<D: Download> File<D> {
    /// What the place itself says: something in the way, or a file that this cannot be merged into.
    fn file(&self, place: &Place) -> Vec<Fact> {
        let refuse = |says: String| vec![(Decision::Refuse, Evidence::new("file", says, Tone::Error))];
        if let Some(obstacle) = place.obstacle() {
            return refuse(obstacle);
        }
        match place.to_merge_into() {
            Err(error) => refuse(error.to_string()),
            Ok(None) => Vec::new(),
            Ok(Some(known)) => self.0.merge(&known, "{}").map_or_else(refuse, |_| {
                let says = "its other contexts stay; comments in it are not kept";
                vec![(Decision::Allow, Evidence::new("file", says, Tone::Info))]
            }),
        }
    }
}

/// The content behind a field of base64.
pub(super) fn unpacked(text: &str) -> Result<Vec<u8>, SendError> {
    let wrong = || SendError::Failed(Fault::new(Layer::App, "the content of Omni's answer is not base64"));
    STANDARD.decode(text).map_err(|_| wrong())
}
