//! vigie's own desk for deliveries: taking what one environment runs into the next, which no server has a verb for.
//!
//! There is no kind here and nothing is polled: an operation acts on an application of Argo CD, through whichever way
//! changes what is wanted there, and is proven by what Argo CD says afterwards.

mod checklist;
mod git;
mod pipeline;
mod plan;
mod promote;

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::OnceCell;

use crate::config::{Config, Github, Promotion};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::op::{Field, FieldKind, Job, OpSpec, Rights, Target, Tier, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Layer, Snapshot, SourceSpec};
use crate::model::time::{Clock, short};

use super::argocd::{Argo, kinds};
use super::error::{ApiError, SendError};
use super::github::actions::Actions;
use super::{Backend, Definition, Diagnosis, Finding, ProgressSink, Proof, Receipt, ViewSink};

/// The backend's id.
pub const ID: &str = "delivery";

/// Take what one environment runs into the next.
pub const PROMOTE: &str = "delivery.promote";

/// What the registry knows of it.
pub const DEFINITION: Definition = Definition {
    id: ID,
    kinds: Vec::new,
    operations,
    connect,
    #[cfg(feature = "demo")]
    simulators: |_| Vec::new(),
};

fn operations() -> Vec<OpSpec> {
    let doc = "Takes the revision that the environment before runs into this one, and follows it until it is there.";
    let revision = Field::new("revision", "revision", FieldKind::Line, REVISION).optional();
    vec![
        OpSpec::on(kinds::APPLICATIONS, PROMOTE, "promote", Tier::T2, doc)
            .right(kinds::PATCH)
            .form(vec![revision]),
    ]
}

const REVISION: &str = "What is taken over; empty is what the environment before runs now.";

fn connect(config: &Config, clock: &Clock) -> Vec<Arc<dyn Backend>> {
    let make = |settings: &crate::config::ArgoCd| -> Option<Arc<dyn Backend>> {
        let promotion = settings.promote.clone()?;
        let argo = Argo::of(settings, config, clock)?;
        let alerts = (super::alerts::DEFINITION.connect)(config, clock);
        let named = promotion.pipeline.as_ref().map(|pipeline| &pipeline.github);
        let github = config.github.iter().find(|github| named == Some(&github.connection.name)).cloned();
        let (argo, clock, patience) = (Arc::new(argo), clock.clone(), Duration::from_secs(180));
        Some(Arc::new(Delivery {
            argo,
            promotion,
            alerts,
            github,
            actions: OnceCell::new(),
            patience,
            clock,
        }))
    };
    config.argocd.iter().filter_map(make).collect()
}

/// The way from one environment to the next, within one Argo CD.
pub struct Delivery {
    argo: Arc<Argo>,
    promotion: Promotion,
    /// Who knows whether something is on fire.
    alerts: Vec<Arc<dyn Backend>>,
    /// The repository whose workflows prove a revision and take it over.
    github: Option<Github>,
    /// Its client, made when it is first needed.
    actions: OnceCell<Actions>,
    /// How long users may be kept out after everything else is well.
    patience: Duration,
    clock: Clock,
}

impl Delivery {
    /// The Actions of the repository.
    async fn actions(&self) -> Result<&Actions, ApiError> {
        let make = || async {
            let settings = self.github.clone();
            let settings = settings.ok_or_else(|| ApiError::unsupported("no `github` is configured"))?;
            // Its token may be the answer of a command.
            let made = tokio::task::spawn_blocking(move || Actions::connect(&settings)).await;
            made.map_err(|error| ApiError::new(Layer::Config, error.to_string()))?
        };
        self.actions.get_or_try_init(make).await
    }
}

#[async_trait]
impl Backend for Delivery {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        self.argo.instance()
    }

    fn sources(&self) -> Vec<SourceSpec> {
        Vec::new()
    }

    async fn poll(&self, source: &SourceId) -> Result<Snapshot, ApiError> {
        Err(ApiError::unsupported(format!("{source} is no source")))
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        self.argo.resolve(kind, exact).await
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        self.argo.open(id, view, sink).await
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        let mut rights = Rights::default();
        let of_argo = self.argo.rights().await?;
        // A workflow needs no right here; what it may do, GitHub tells when it is asked.
        let missing = of_argo.missing.get(kinds::SYNC).filter(|_| pipeline::workflow(self).is_none());
        if let Some(missing) = missing {
            rights.missing.insert(PROMOTE.to_owned(), missing.clone());
        }
        Ok(rights)
    }

    async fn doctor(&self) -> Diagnosis {
        let way = &self.promotion;
        let says = format!(
            "{} to {} by the label {}, once {} stable",
            way.from,
            way.to,
            way.label,
            short(i64::try_from(way.stable.as_secs()).unwrap_or(i64::MAX))
        );
        let mut findings = vec![Finding::new("promotion", says, Tone::Ok)];
        if let Some(pipeline) = &way.pipeline {
            let check = pipeline.check.as_deref().unwrap_or("no workflow");
            let acts = pipeline.workflow.as_deref().unwrap_or("a patch of the application");
            let says = format!("{}: proven by {check}, carried out by {acts}", pipeline.github);
            findings.push(Finding::new("CI", says, Tone::Ok));
        }
        Diagnosis { findings, ..Diagnosis::default() }
    }

    /// The revision that would be taken over stands in the form, so that it is decided upon and frozen.
    async fn form(&self, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
        let [target] = targets else { return Ok(op.form.clone()) };
        let plan = plan::read(self, &target.id, "").await?;
        let revision = plan.map(|plan| plan.wanted).unwrap_or_default();
        Ok(op.form.iter().map(|field| field.clone().default(revision.clone())).collect())
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        self.argo.identify(target).await
    }

    async fn preflight(&self, job: &Job) -> Result<Verdict, ApiError> {
        promote::preflight(self, job).await
    }

    async fn operate(&self, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        promote::operate(self, job, &progress).await
    }

    async fn verify(&self, job: &Job, remote: Option<&str>, since: Timestamp) -> Result<Proof, ApiError> {
        promote::verify(self, job, remote, since).await
    }
}
