//! Upgrades of Talos and Kubernetes: guarded by what Omni knows, followed to the end, and watched for a while after it.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::{Operation, step};
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::Omni;
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::edit;
use crate::backend::omni::rows::clusters::{expiry, identity, manager};
use crate::backend::omni::wire::{
    Cluster, ClusterMachineStatus, ClusterStatus, EtcdBackupStatus, Resource, Spec, UpgradeKubernetes,
    UpgradeStatus, UpgradeTalos,
};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};
use crate::model::time::{parse_duration, seconds_between, short};

/// `omni.upgrade-talos` and `omni.upgrade-kubernetes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upgrade {
    /// The operating system: every machine restarts.
    Talos,
    /// The control plane and the kubelets.
    Kubernetes,
}

/// The oldest etcd backup with which an upgrade begins, in seconds.
const FRESH: i64 = 25 * 3600;
/// How often an upgrade under way is looked at.
const PACE: Duration = if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(3) };
/// How long a cluster may take to be ready after the last restart, in seconds.
const SETTLE: i64 = 15 * 60;
/// How many looks may fail one after the other before nobody can say.
const BLIND: u32 = 40;

/// `UpgradeStatusSpec.phase`.
const DONE: i64 = 2;
const FAILED: i64 = 3;

#[derive(Deserialize, Default)]
#[serde(default)]
struct PreChecks {
    ok: bool,
    reason: String,
}

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

    /// Whether the wanted version may be taken: offered, or the way back.
    fn offered(self, status: &UpgradeStatus, current: &str, wanted: &str) -> Option<Evidence> {
        let word = self.word();
        let refuse = |says: String| Some(Evidence::new("version", says, Tone::Error));
        if wanted == current {
            return refuse(format!("it is {word} {wanted} already"));
        }
        let way_back = !status.last_upgrade_version.is_empty() && status.last_upgrade_version == wanted;
        if way_back || status.upgrade_versions.iter().any(|version| version == wanted) {
            return None;
        }
        refuse(format!("Omni offers {} and not {wanted}", listed(&status.upgrade_versions)))
    }

    async fn prechecks(self, client: &Client, cluster: &str, wanted: &str) -> (Decision, Evidence) {
        let body = json!({"new_version": wanted});
        let method = "/management.ManagementService/KubernetesUpgradePreChecks";
        let answer = client.exchange(client.writer(), method, &Route::cluster(cluster), body).await;
        match answer.and_then(|reply| {
            if reply.is_success() { reply.json::<PreChecks>() } else { Err(reply.unexpected()) }
        }) {
            Ok(checks) if checks.ok => (Decision::Allow, Evidence::new("pre-checks", "passed", Tone::Ok)),
            Ok(checks) => (Decision::Refuse, Evidence::new("pre-checks", checks.reason, Tone::Error)),
            Err(error) => (Decision::Blind, Evidence::new("pre-checks", error.to_string(), Tone::Unknown)),
        }
    }
}

fn listed(versions: &[String]) -> String {
    if versions.is_empty() { "nothing".to_owned() } else { versions.join(", ") }
}

/// What the cluster's own state says about an upgrade now.
fn gate(
    cluster: &Resource<Cluster>,
    status: &ClusterStatus,
    backup: &EtcdBackupStatus,
    now: Timestamp,
) -> Vec<(Decision, Evidence)> {
    let machines = &status.machines;
    let health = format!("{} of {} machines healthy", machines.healthy, machines.total);
    let healthy = status.ready && machines.healthy == machines.total;
    let mut facts = vec![if healthy {
        (Decision::Allow, Evidence::new("cluster", format!("ready, {health}"), Tone::Ok))
    } else {
        (Decision::Refuse, Evidence::new("cluster", format!("not ready, {health}"), Tone::Error))
    }];
    let age = backup.last_backup_time.map(|at| seconds_between(at, now));
    facts.push(match age {
        Some(age) if age <= FRESH => {
            (Decision::Allow, Evidence::new("etcd backup", format!("{} old", short(age)), Tone::Ok))
        }
        // What ends by itself within hours needs no way back.
        _ if expiry(&cluster.metadata).is_some() => {
            (Decision::Allow, Evidence::new("etcd backup", "none; the cluster is ephemeral", Tone::Text))
        }
        Some(age) => {
            let says =
                format!("{} old; save first: vigie do omni.etcd-backup {}", short(age), cluster.metadata.id);
            (Decision::Refuse, Evidence::new("etcd backup", says, Tone::Error))
        }
        None => {
            let says = format!("none; save first: vigie do omni.etcd-backup {}", cluster.metadata.id);
            (Decision::Refuse, Evidence::new("etcd backup", says, Tone::Error))
        }
    });
    if !manager(&cluster.metadata).is_empty() {
        let says =
            "a template manages this cluster: change the version there too, or its next sync goes back";
        facts.push((Decision::Warn, Evidence::new("template", says, Tone::Warn)));
    }
    facts
}

/// What the machines say: locks that hold the upgrade back, and how many control planes there are.
fn members(machines: &[Resource<ClusterMachineStatus>]) -> Vec<(Decision, Evidence)> {
    let locked = machines.iter().filter(|machine| machine.metadata.annotation("locked").is_some()).count();
    let planes =
        machines.iter().filter(|machine| machine.metadata.label("role-controlplane").is_some()).count();
    let mut facts = Vec::new();
    if locked > 0 {
        let says = format!("{locked} machines are locked and stay behind");
        facts.push((Decision::Warn, Evidence::new("locks", says, Tone::Warn)));
    }
    if planes < 3 {
        let says = format!("{planes} control planes: the API goes away while one restarts");
        facts.push((Decision::Warn, Evidence::new("control plane", says, Tone::Warn)));
    } else {
        let says = format!("{planes}, taken one at a time");
        facts.push((Decision::Allow, Evidence::new("control plane", says, Tone::Text)));
    }
    facts
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
        let state = client.get::<ClusterStatus>(name).await?.map(|found| found.spec).unwrap_or_default();
        let backup = client.get::<EtcdBackupStatus>(name).await?.map(|found| found.spec).unwrap_or_default();
        let selected = Route::selected(format!("omni.sidero.dev/cluster={name}"));
        let (machines, _) = client.list::<ClusterMachineStatus>(&selected).await?;
        let mut facts = gate(&cluster, &state, &backup, omni.clock.now());
        facts.extend(members(&machines));
        if *self == Self::Kubernetes {
            facts.push(self.prechecks(client, name, wanted).await);
        }
        let back = format!("vigie do {} {name} --set version={current}", self.name());
        facts.push((Decision::Allow, Evidence::new("way back", back, Tone::Info)));
        Ok(facts.into_iter().fold(verdict, |verdict, (decision, evidence)| verdict.and(decision, evidence)))
    }

    async fn operate(&self, omni: &Omni, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        let client = omni.client().map_err(|error| SendError::NotSent(error.fault))?;
        let name = &*job.target.id.key;
        let mut draft = edit::checkout(client, Cluster::TABLE, name, job, "version").await?;
        draft.spec().insert(self.field().to_owned(), job.arg("version").trim().into());
        edit::update(client, &draft).await?;
        self.follow(omni, client, job, &progress).await?;
        self.soak(omni, client, job, &progress).await?;
        let said = format!("{} {} on {name}", self.word(), job.arg("version").trim());
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
            FAILED => Proof::Absent(format!("the upgrade failed: {}", status.error)),
            _ => Proof::Unclear(format!("under way: {} {}", status.step, status.status), look),
        })
    }
}

impl Upgrade {
    /// Follows the upgrade to its end.
    async fn follow(
        self,
        omni: &Omni,
        client: &Client,
        job: &Job,
        progress: &ProgressSink,
    ) -> Result<(), SendError> {
        let (name, wanted) = (&*job.target.id.key, job.arg("version").trim());
        let mut blind = 0;
        loop {
            match self.status(client, name).await {
                Ok(status) if status.phase == DONE && status.last_upgrade_version == wanted => return Ok(()),
                Ok(status) if status.phase == FAILED => {
                    let fault = Fault::new(Layer::App, "the upgrade failed").raw(status.error);
                    return Err(SendError::Failed(fault.hint(format!(
                        "go back: vigie do {} {name} --set version={}",
                        self.name(),
                        status.last_upgrade_version
                    ))));
                }
                Ok(status) => {
                    blind = 0;
                    step(progress, None, format!("{} {}", status.step, status.status).trim()).await;
                }
                Err(error) if blind >= BLIND => return Err(SendError::Unknown(error.fault)),
                Err(_) => blind += 1,
            }
            omni.pause(PACE).await;
        }
    }

    /// Waits for the cluster to be ready after the last restart, then watches that it stays so.
    async fn soak(
        self,
        omni: &Omni,
        client: &Client,
        job: &Job,
        progress: &ProgressSink,
    ) -> Result<(), SendError> {
        let soak = parse_duration(job.arg("soak")).unwrap_or(SignedDuration::ZERO);
        let done = omni.clock.now();
        let mut ready_since = None;
        loop {
            let now = omni.clock.now();
            let status = client.get::<ClusterStatus>(&job.target.id.key).await;
            let ready = status.map(|found| found.is_some_and(|found| found.spec.ready));
            match (ready, ready_since) {
                (Ok(true), None) => ready_since = Some(now),
                (Ok(true), Some(since)) if now >= since + soak => return Ok(()),
                (Ok(true), Some(since)) => {
                    let left = short(seconds_between(now, since + soak));
                    step(progress, None, format!("done; watched for another {left}")).await;
                }
                (Ok(false), Some(_)) => return Err(self.relapsed("was ready and is not any more")),
                (Ok(false), None) if seconds_between(done, now) > SETTLE => {
                    return Err(self.relapsed("is still not ready"));
                }
                (Ok(false), None) => step(progress, None, "done; not ready yet").await,
                (Err(_), _) => step(progress, None, "done; Omni does not answer").await,
            }
            omni.pause(PACE).await;
        }
    }

    fn relapsed(self, how: &str) -> SendError {
        let what = format!("{} was upgraded, and the cluster {how}", self.word());
        SendError::Failed(Fault::new(Layer::App, what))
    }
}
