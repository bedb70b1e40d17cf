//! The custom resources of Argo CD (`argoproj.io/v1alpha1`), names as they are, only the fields that are used.

use serde::Deserialize;

use crate::backend::kubernetes::wire::Meta;
use crate::backend::lenient::{Flag, List, Maybe, Obj, Text};

mod status;

pub use status::{Condition, History, OperationState, Resource, ResourceResult, Status, short};

/// `Application`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Application {
    /// Its metadata; the sync wave is an annotation.
    pub metadata: Obj<Meta>,
    /// What is wanted.
    pub spec: Obj<Spec>,
    /// An operation that was asked for and has not ended.
    pub operation: Maybe<Operation>,
    /// What the controller found.
    pub status: Obj<Status>,
}

/// `ApplicationSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Spec {
    /// The project.
    pub project: Text,
    /// Where the manifests are; absent with several sources.
    pub source: Maybe<Source>,
    /// Where they are, with several sources.
    pub sources: List<Source>,
    /// Where they are applied.
    pub destination: Obj<Destination>,
    /// When they are applied.
    pub sync_policy: Obj<SyncPolicy>,
}

/// `ApplicationSource`.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Source {
    /// The repository.
    #[serde(rename = "repoURL")]
    pub repo_url: Text,
    /// The folder in it.
    pub path: Text,
    /// The chart in it.
    pub chart: Text,
    /// The branch, tag, commit or chart version.
    pub target_revision: Text,
}

/// `ApplicationDestination`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Destination {
    /// The API server's URL.
    pub server: Text,
    /// Or the cluster's name in Argo CD.
    pub name: Text,
    /// The namespace.
    pub namespace: Text,
}

impl Destination {
    /// How people name the cluster.
    pub fn cluster(&self) -> &str {
        match (self.name.some(), &*self.server) {
            (Some(name), _) => name,
            (None, "https://kubernetes.default.svc") => "in-cluster",
            (None, server) => server.trim_start_matches("https://"),
        }
    }
}

/// `SyncPolicy`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncPolicy {
    /// Whether Argo CD syncs by itself.
    pub automated: Maybe<Automated>,
}

/// `SyncPolicyAutomated`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Automated {
    /// Absent counts as true (Argo CD 3.1 and later know it at all).
    pub enabled: Flag,
    /// Removes what is no longer in Git.
    pub prune: Flag,
    /// Undoes changes that were made by hand.
    pub self_heal: Flag,
}

/// `Operation`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Operation {
    /// Notes that travel with it.
    pub info: List<Info>,
    /// Who asked for it.
    pub initiated_by: Obj<Initiator>,
    /// What is to be synced.
    pub sync: Obj<SyncOperation>,
}

impl Operation {
    /// Whether it carries a note.
    pub fn says(&self, name: &str, value: &str) -> bool {
        self.info.iter().any(|info| &*info.name == name && &*info.value == value)
    }
}

/// `Info`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Info {
    /// Its name.
    pub name: Text,
    /// Its value.
    pub value: Text,
}

/// `OperationInitiator`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Initiator {
    /// A person or account.
    pub username: Text,
    /// Argo CD itself.
    pub automated: Flag,
}

impl Initiator {
    /// Its name.
    pub fn name(&self) -> &str {
        if self.automated.is_true() { "auto-sync" } else { &self.username }
    }
}

/// `SyncOperation`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncOperation {
    /// The revision; empty takes the application's own.
    pub revision: Text,
    /// Only looks.
    pub dry_run: Flag,
    /// Removes what is no longer in Git.
    pub prune: Flag,
}

/// The annotation that asks for a comparison; gone when it was made.
pub const REFRESH: &str = "argocd.argoproj.io/refresh";

impl Application {
    /// Its sync wave: the annotation, else Helm's weight, else 0.
    pub fn wave(&self) -> i64 {
        let annotations = &self.metadata.annotations;
        let number = |name: &str| annotations.get(name).and_then(|text| text.trim().parse().ok());
        number("argocd.argoproj.io/sync-wave").or_else(|| number("helm.sh/hook-weight")).unwrap_or(0)
    }

    /// Whether Argo CD syncs it by itself.
    pub fn auto_sync(&self) -> bool {
        self.spec.sync_policy.automated.0.as_ref().is_some_and(|automated| automated.enabled.0 != Some(false))
    }

    /// The first condition that is an error.
    pub fn error(&self) -> Option<&Condition> {
        self.status.conditions.iter().find(|condition| condition.is_error())
    }

    /// The operation under way.
    pub fn running(&self) -> Option<&OperationState> {
        self.status.operation_state.0.as_ref().filter(|state| state.is_running())
    }

    /// Who manages it and would undo a change of its spec: an application set or a parent application.
    pub fn manager(&self) -> Option<String> {
        let set = self.metadata.owner_references.iter().find(|owner| &*owner.kind == "ApplicationSet");
        if let Some(set) = set {
            return Some(format!("ApplicationSet {}", set.name.as_str()));
        }
        let tracking = self.metadata.annotations.get("argocd.argoproj.io/tracking-id")?;
        tracking.split(':').next().map(|parent| format!("application {parent}"))
    }
}
