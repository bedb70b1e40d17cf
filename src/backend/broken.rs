//! The stand-in for an instance that cannot be made: it answers every question with the reason, so that one
//! unreadable secret breaks no other pane.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::op::{Job, Rights, Target, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Snapshot, SourceSpec};

use super::error::{ApiError, SendError};
use super::{Backend, Diagnosis, Finding, ProgressSink, Proof, Receipt, ViewSink};

/// An instance that could not be made, and why.
#[derive(Debug, Clone)]
pub struct Broken {
    /// The backend's id.
    pub id: &'static str,
    /// The configured name.
    pub instance: Arc<str>,
    /// The sources it would have had; each of them reports the fault.
    pub sources: Vec<SourceSpec>,
    /// Why it could not be made.
    pub fault: Fault,
}

impl Broken {
    fn error(&self) -> ApiError {
        ApiError { fault: self.fault.clone() }
    }
}

#[async_trait]
impl Backend for Broken {
    fn id(&self) -> &'static str {
        self.id
    }

    fn instance(&self) -> &Arc<str> {
        &self.instance
    }

    fn sources(&self) -> Vec<SourceSpec> {
        self.sources.clone()
    }

    async fn poll(&self, _source: &SourceId) -> Result<Snapshot, ApiError> {
        Err(self.error())
    }

    async fn watch(&self, _source: &SourceId, _sink: super::DeltaSink) -> Result<(), ApiError> {
        Err(self.error())
    }

    async fn resolve(&self, _kind: &KindId, _exact: &str) -> Result<Vec<Target>, ApiError> {
        Err(self.error())
    }

    async fn open(&self, _id: &EntityId, _view: &str, _sink: ViewSink) -> Result<(), ApiError> {
        Err(self.error())
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        Err(self.error())
    }

    async fn doctor(&self) -> Diagnosis {
        let mut says = self.fault.what.clone();
        if !self.fault.hint.is_empty() {
            says = format!("{says}: {}", self.fault.hint);
        }
        Diagnosis { findings: vec![Finding::new("config", says, Tone::Error)], ..Diagnosis::default() }
    }

    async fn identify(&self, _target: &EntityId) -> Result<Identity, ApiError> {
        Err(self.error())
    }

    async fn preflight(&self, _job: &Job) -> Result<Verdict, ApiError> {
        Err(self.error())
    }

    async fn operate(&self, _job: &Job, _progress: ProgressSink) -> Result<Receipt, SendError> {
        Err(SendError::NotSent(self.fault.clone()))
    }

    async fn verify(&self, _job: &Job, _remote: Option<&str>, _since: Timestamp) -> Result<Proof, ApiError> {
        Err(self.error())
    }
}
