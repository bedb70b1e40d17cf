//! Upgrades of Talos and Kubernetes: guarded by what Omni knows, followed to the end, and watched for a while after it.

mod follow;
mod gate;
mod hold;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Operation;
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::Omni;
use crate::backend::omni::client::Client;
use crate::backend::omni::edit;
use crate::backend::omni::rows::clusters::identity;
use crate::backend::omni::wire::{Cluster, Spec, UpgradeKubernetes, UpgradeStatus, UpgradeTalos};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::Fault;

/// `omni.upgrade-talos` and `omni.upgrade-kubernetes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upgrade {
    /// The operating system: every machine restarts.
    Talos,
    /// The control plane and the kubelets.
    Kubernetes,
}

/// `UpgradeStatusSpec.phase`.
const DONE: i64 = 2;
const FAILED: i64 = 3;

impl Upgrade {
    fn word(self) -> &'static str {
        match self {
            Self::Talos => "Talos",
            Self::Kubernetes => "Kubernetes",
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::Talos => "talos_version",
            Self::Kubernetes => "kubernetes_version",
        }
    }

    fn current(self, cluster: &Cluster) -> &str {
        match self {
            Self::Talos => &cluster.talos_version,
            Self::Kubernetes => &cluster.kubernetes_version,
        }
    }

    async fn status(self, client: &Client, cluster: &str) -> Result<UpgradeStatus, ApiError> {
        Ok(match self {
            Self::Talos => client.get::<UpgradeTalos>(cluster).await?.map(|found| found.spec.0),
            Self::Kubernetes => client.get::<UpgradeKubernetes>(cluster).await?.map(|found| found.spec.0),
        }
        .unwrap_or_default())
    }

    /// The command that goes back to a version.
    fn way_back(self, cluster: &str, version: &str) -> String {
        format!("vigie do {} {cluster} --set version={version}", self.name())
    }

    /// Whether the workers are to wait, each for its own unlock.
    fn holds(job: &Job) -> bool {
        job.arg("workers") == "wait"
    }
}

#[async_trait]
impl Operation for Upgrade {
    fn name(&self) -> &'static str {
        match self {
            Self::Talos => "omni.upgrade-talos",
            Self::Kubernetes => "omni.upgrade-kubernetes",
        }
    }

    fn permission(&self) -> Option<&'static str> {
        Some(match self {
            Self::Talos => "can_update_talos",
            Self::Kubernetes => "can_update_kubernetes",
        })
    }

    async fn form(&self, omni: &Omni, target: &str, mut form: Vec<Field>) -> Result<Vec<Field>, ApiError> {
        let status = self.status(omni.client()?, target).await?;
        if let Some(field) = form.iter_mut().find(|field| field.name == "version") {
            field.default = status.upgrade_versions.last().cloned().unwrap_or_default().into();
            field.kind = FieldKind::Choice(status.upgrade_versions.into_iter().map(Into::into).collect());
        }
        Ok(form)
    }

    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
        let (client, name, wanted) = (omni.client()?, &*job.target.id.key, job.arg("version").trim());
        let Some(cluster) = client.get::<Cluster>(name).await? else {
            return Ok(Verdict::refuse("cluster", format!("{name} does not exist any more")));
        };
        let current = self.current(&cluster.spec).to_owned();
        let status = self.status(client, name).await?;
        let effect = format!("{} of {name} goes from {current} to {wanted}, machine by machine", self.word());
        let mut verdict = Verdict::allow(effect, identity(&cluster.metadata));
        if let Some(evidence) = self.offered(&status, &current, wanted) {
            verdict = verdict.and(Decision::Refuse, evidence);
        }
        if !matches!(status.phase, DONE | FAILED) {
            let says = format!("{} {}", status.step, status.status);
            verdict = verdict.and(Decision::Refuse, Evidence::new("under way", says.trim(), Tone::Error));
        }
        let mut facts = self.gate(client, &cluster, wanted, omni.clock.now()).await?;
        if Self::holds(job) {
            let says = "locked first; each goes when it is unlocked: vigie do omni.unlock MACHINE";
            facts.push((Decision::Allow, Evidence::new("workers", says, Tone::Info)));
        }
        let back = Evidence::new("way back", self.way_back(name, &current), Tone::Info);
        facts.push((Decision::Allow, back));
        Ok(facts.into_iter().fold(verdict, |verdict, (decision, evidence)| verdict.and(decision, evidence)))
    }

    async fn operate(&self, omni: &Omni, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        let client = omni.client().map_err(|error| SendError::NotSent(error.fault))?;
        let name = &*job.target.id.key;
        let mut draft = edit::checkout(client, Cluster::TABLE, name, job, "version").await?;
        let held = if Self::holds(job) { hold::workers(client, name, &progress).await? } else { Vec::new() };
        draft.spec().insert(self.field().to_owned(), job.arg("version").trim().into());
        edit::update(client, &draft).await.map_err(|error| still_held(error, &held))?;
        self.follow(omni, client, job, &progress).await?;
        self.soak(omni, client, job, &progress).await?;
        let after = self.aftermath(client, name).await?;
        let said = format!("{} {} on {name}; {after}", self.word(), job.arg("version").trim());
        Ok(Receipt { remote: Some(name.to_owned()), said, reveal: None })
    }

    async fn verify(&self, omni: &Omni, job: &Job, _: Option<&str>, _: Timestamp) -> Result<Proof, ApiError> {
        let (client, name, wanted) = (omni.client()?, &*job.target.id.key, job.arg("version").trim());
        let Some(cluster) = client.get::<Cluster>(name).await? else {
            return Ok(Proof::Absent(format!("{name} is gone")));
        };
        if self.current(&cluster.spec) != wanted {
            return Ok(Proof::Absent(format!("{name} wants {}", self.current(&cluster.spec))));
        }
        let status = self.status(client, name).await?;
        let look = format!("vigie get omni.clusters {name}");
        Ok(match status.phase {
            DONE if status.last_upgrade_version == wanted => {
                Proof::Seen(format!("Omni reports {wanted} as done"))
            }
            _ if Self::holds(job) && hold::planes_run(client, name, wanted).await? => {
                Proof::Seen(format!("the control plane runs {wanted}; its workers wait for their unlock"))
            }
            FAILED => Proof::Absent(format!("the upgrade failed: {}", status.error)),
            _ => Proof::Unclear(format!("under way: {} {}", status.step, status.status), look),
        })
    }
}

/// A version that was not taken leaves workers locked: said, with the way to let them go.
fn still_held(error: SendError, held: &[String]) -> SendError {
    if held.is_empty() {
        return error;
    }
    let words: Vec<String> = held.iter().map(|id| format!("vigie do omni.unlock {id}")).collect();
    let fault = error.fault().clone();
    let fault =
        Fault { hint: format!("workers were locked for it; let them go: {}", words.join(", ")), ..fault };
    match error {
        SendError::Unknown(_) => SendError::Unknown(fault),
        _ => SendError::Failed(fault),
    }
}
