//! Workloads and what belongs to them: one lenient shape for each family of objects.

use serde::Deserialize;

use crate::backend::lenient::{Dict, Flag, Int, List, Maybe, Obj, Text};

use super::{Condition, Meta};

/// `apps/v1` Deployment, `StatefulSet` and `DaemonSet`: their fields do not get in each other's way.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Workload {
    /// Its metadata.
    pub metadata: Obj<Meta>,
    /// What is wanted.
    pub spec: Obj<WorkloadSpec>,
    /// How far it is.
    pub status: Obj<WorkloadStatus>,
}

/// What a workload wants.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WorkloadSpec {
    /// How many pods; absent counts as 1, and a `DaemonSet` has none.
    pub replicas: Int,
    /// Rolling out is paused.
    pub paused: Flag,
    /// Which pods are its own.
    pub selector: Obj<Selector>,
    /// What its pods are made from.
    pub template: Obj<Template>,
}

/// `meta/v1.LabelSelector`, as far as labels are named.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Selector {
    /// Labels that must be equal.
    pub match_labels: Dict,
}

/// `v1.PodTemplateSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Template {
    /// Its metadata; a restart leaves its mark here.
    pub metadata: Obj<Meta>,
    /// The pods' own spec.
    pub spec: Obj<super::PodSpec>,
}

/// How far a workload is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WorkloadStatus {
    /// The generation that the controller has seen.
    pub observed_generation: Int,
    /// Pods there are.
    pub replicas: Int,
    /// Pods of the newest template.
    pub updated_replicas: Int,
    /// Pods that are ready.
    pub ready_replicas: Int,
    /// Pods that are ready for long enough.
    pub available_replicas: Int,
    /// Nodes that should run one (`DaemonSet`).
    pub desired_number_scheduled: Int,
    /// Nodes on which one is ready (`DaemonSet`).
    pub number_ready: Int,
    /// Nodes that run one of the newest template (`DaemonSet`).
    pub updated_number_scheduled: Int,
    /// Available, Progressing.
    pub conditions: List<Condition>,
}

/// `batch/v1.Job`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Job {
    /// Its metadata.
    pub metadata: Obj<Meta>,
    /// What is wanted.
    pub spec: Obj<JobSpec>,
    /// How far it is.
    pub status: Obj<JobStatus>,
}

/// `batch/v1.JobSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct JobSpec {
    /// How many pods have to succeed.
    pub completions: Int,
    /// It waits.
    pub suspend: Flag,
}

/// `batch/v1.JobStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct JobStatus {
    /// Pods under way.
    pub active: Int,
    /// Pods that succeeded.
    pub succeeded: Int,
    /// Pods that failed.
    pub failed: Int,
    /// Since when.
    pub start_time: Text,
    /// Until when.
    pub completion_time: Text,
    /// Complete, Failed.
    pub conditions: List<Condition>,
}

/// `batch/v1.CronJob`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CronJob {
    /// Its metadata.
    pub metadata: Obj<Meta>,
    /// What is wanted.
    pub spec: Obj<CronSpec>,
    /// What was done.
    pub status: Obj<CronStatus>,
}

/// `batch/v1.CronJobSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CronSpec {
    /// Five fields of cron.
    pub schedule: Text,
    /// Nothing is started.
    pub suspend: Flag,
    /// The zone of the schedule.
    pub time_zone: Text,
}

/// `batch/v1.CronJobStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CronStatus {
    /// Jobs under way.
    pub active: List<super::Reference>,
    /// The last start.
    pub last_schedule_time: Text,
    /// The last success.
    pub last_successful_time: Text,
}

/// `policy/v1` `PodDisruptionBudget`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Its metadata.
    pub metadata: Obj<Meta>,
    /// Whom it protects.
    pub spec: Obj<BudgetSpec>,
    /// How much it allows now.
    pub status: Obj<BudgetStatus>,
}

/// `policy/v1.PodDisruptionBudgetSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct BudgetSpec {
    /// Whom it protects; absent protects nobody.
    pub selector: Maybe<Selector>,
}

/// `policy/v1.PodDisruptionBudgetStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BudgetStatus {
    /// How many pods may go now.
    pub disruptions_allowed: Int,
    /// How many are healthy.
    pub current_healthy: Int,
    /// How many have to be.
    pub desired_healthy: Int,
}

impl Selector {
    /// Whether labels are selected; a selector without labels selects everything.
    pub fn selects(&self, labels: &Dict) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}
