//! What the controller writes down of an Application.

use jiff::Timestamp;
use serde::Deserialize;

use crate::backend::lenient::{Flag, Int, List, Maybe, Obj, Text, Words};

use super::{Initiator, Operation};

/// `ApplicationStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    /// Compared with Git.
    pub sync: Obj<SyncStatus>,
    /// How the objects are.
    pub health: Obj<Health>,
    /// The last operation, or the one under way.
    pub operation_state: Maybe<OperationState>,
    /// What is wrong with the application itself.
    pub conditions: List<Condition>,
    /// What was deployed, the oldest first.
    pub history: List<History>,
    /// When it was last compared.
    pub reconciled_at: Text,
    /// Its objects.
    pub resources: List<Resource>,
    /// Images and URLs.
    pub summary: Obj<Summary>,
}

/// `SyncStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SyncStatus {
    /// `Synced`, `OutOfSync`, `Unknown`.
    pub status: Text,
    /// The commit or chart version.
    pub revision: Text,
    /// One for each of several sources.
    pub revisions: Words,
}

impl SyncStatus {
    /// The revision that people quote: a commit's first seven digits, or the version as it is.
    pub fn short(&self) -> String {
        let full = self.revision.some().or_else(|| self.revisions.iter().next()).unwrap_or_default();
        short(full)
    }
}

/// Shortens a commit; leaves versions and branches alone.
pub fn short(revision: &str) -> String {
    let commit = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    if commit { revision.chars().take(7).collect() } else { revision.to_owned() }
}

/// `HealthStatus`, of an application or of one object.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Health {
    /// `Healthy`, `Progressing`, `Degraded`, `Suspended`, `Missing`, `Unknown`.
    pub status: Text,
    /// Why; for applications only from Argo CD 3.6 on.
    pub message: Text,
    /// Since when.
    pub last_transition_time: Text,
}

/// `OperationState`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OperationState {
    /// What was asked for.
    pub operation: Obj<Operation>,
    /// `Running`, `Terminating`, `Succeeded`, `Failed`, `Error`.
    pub phase: Text,
    /// What it does, or why it failed.
    pub message: Text,
    /// When it began.
    pub started_at: Text,
    /// When it ended; with phase `Running` it waits for its next try.
    pub finished_at: Text,
    /// What became of each object.
    pub sync_result: Obj<SyncResult>,
}

impl OperationState {
    /// Whether it is under way.
    pub fn is_running(&self) -> bool {
        matches!(&*self.phase, "Running" | "Terminating")
    }

    /// Whether it has ended without success.
    pub fn is_over(&self) -> bool {
        matches!(&*self.phase, "Failed" | "Error")
    }

    /// When it began.
    pub fn began(&self) -> Option<Timestamp> {
        self.started_at.time()
    }

    /// When it ended, or its last try did.
    pub fn ended(&self) -> Option<Timestamp> {
        self.finished_at.time()
    }
}

/// `SyncOperationResult`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SyncResult {
    /// What became of each object.
    pub resources: List<ResourceResult>,
    /// The revision that was applied.
    pub revision: Text,
}

/// `ResourceResult`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceResult {
    /// Its kind.
    pub kind: Text,
    /// Its namespace.
    pub namespace: Text,
    /// Its name.
    pub name: Text,
    /// `Synced`, `SyncFailed`, `Pruned`, `PruneSkipped`; empty for hooks and what is still to come.
    pub status: Text,
    /// What the API server said.
    pub message: Text,
    /// How a hook, or the object, is doing.
    pub hook_phase: Text,
}

/// `ApplicationCondition`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Condition {
    /// `ComparisonError`, `OrphanedResourceWarning`.
    #[serde(rename = "type")]
    pub about: Text,
    /// Several lines, often.
    pub message: Text,
    /// Since when.
    pub last_transition_time: Text,
}

impl Condition {
    /// Whether the application does not work because of it.
    pub fn is_error(&self) -> bool {
        self.about.ends_with("Error")
    }
}

/// `RevisionHistory`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct History {
    /// Counts up.
    pub id: Int,
    /// The revision.
    pub revision: Text,
    /// One for each of several sources.
    pub revisions: Words,
    /// When it was there.
    pub deployed_at: Text,
    /// Who asked for it.
    pub initiated_by: Obj<Initiator>,
}

/// `ResourceStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Resource {
    /// Its API group.
    pub group: Text,
    /// Its version.
    pub version: Text,
    /// Its kind.
    pub kind: Text,
    /// Its namespace.
    pub namespace: Text,
    /// Its name.
    pub name: Text,
    /// `Synced`, `OutOfSync`, `Unknown`.
    pub status: Text,
    /// Only where the controller keeps it in the resource.
    pub health: Obj<Health>,
    /// It is in the cluster and no longer in Git.
    pub requires_pruning: Flag,
    /// Its wave within the application.
    pub sync_wave: Int,
}

impl Resource {
    /// `Deployment nextcloud/nextcloud`.
    pub fn label(&self) -> String {
        let slash = if self.namespace.is_empty() { "" } else { "/" };
        format!("{} {}{slash}{}", self.kind.as_str(), self.namespace.as_str(), self.name.as_str())
    }
}

/// `ApplicationSummary`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Summary {
    /// The images in use.
    pub images: Words,
    /// Where it can be reached.
    #[serde(rename = "externalURLs")]
    pub external_urls: Words,
}
