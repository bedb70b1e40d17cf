//! Where objects live in the API: groups, versions, plurals, and paths that no name can break out of.

use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::kind::Text;
use crate::model::snapshot::Layer;

/// One resource of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its API group; empty is the core group.
    pub group: Text,
    /// Its version in the group.
    pub version: Text,
    /// Its plural, which is its place in paths and rights.
    pub plural: Text,
    /// Its objects' kind.
    pub kind: Text,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

impl Resource {
    /// A resource that is known at compile time.
    pub const fn fixed(
        group: &'static str,
        version: &'static str,
        plural: &'static str,
        kind: &'static str,
        namespaced: bool,
    ) -> Self {
        Self {
            group: Text::Borrowed(group),
            version: Text::Borrowed(version),
            plural: Text::Borrowed(plural),
            kind: Text::Borrowed(kind),
            namespaced,
        }
    }

    fn root(&self) -> String {
        if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        }
    }

    /// The path of all its objects, or of those in a namespace.
    pub fn list(&self, namespace: Option<&str>) -> String {
        match namespace {
            Some(namespace) => format!("{}/namespaces/{namespace}/{}", self.root(), self.plural),
            None => format!("{}/{}", self.root(), self.plural),
        }
    }

    /// The path of one object by its key: `name`, or `namespace/name`.
    pub fn object(&self, key: &str) -> Result<String, ApiError> {
        let (namespace, name) = self.split(key)?;
        Ok(format!("{}/{name}", self.list(namespace)))
    }

    /// The namespace and the name in a key.
    pub fn split<'a>(&self, key: &'a str) -> Result<(Option<&'a str>, &'a str), ApiError> {
        let parts = if self.namespaced {
            key.split_once('/').map(|(namespace, name)| (Some(namespace), name))
        } else {
            Some((None, key))
        };
        parts.filter(|(namespace, name)| namespace.is_none_or(is_name) && is_name(name)).ok_or_else(|| {
            let form = if self.namespaced { "NAMESPACE/NAME" } else { "NAME" };
            ApiError::new(Layer::App, format!("`{key}` cannot name one of {}", self.plural)).hint(form)
        })
    }

    /// The right to do something to it, as an access review names it (`patch applications.argoproj.io`).
    pub fn right(&self, verb: &str) -> String {
        let dot = if self.group.is_empty() { "" } else { "." };
        format!("{verb} {}{dot}{}", self.plural, self.group)
    }
}

/// Whether a text can be an object's name and nothing else in a path.
pub fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    !text.is_empty() && text.len() <= 253 && text != "." && text != ".." && text.chars().all(plain)
}

/// A row's key as namespace and name.
pub fn key(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

/// The namespace in a row's key.
pub fn namespace(id: &EntityId) -> Option<&str> {
    id.key.split_once('/').map(|(namespace, _)| namespace)
}

/// The name at the end of a row's key.
pub fn name(id: &EntityId) -> &str {
    id.key.rsplit('/').next().unwrap_or_default()
}

/// `nodes`.
pub static NODES: Resource = Resource::fixed("", "v1", "nodes", "Node", false);
/// `pods`.
pub static PODS: Resource = Resource::fixed("", "v1", "pods", "Pod", true);
/// `events`, by their old and lasting home in the core group.
pub static EVENTS: Resource = Resource::fixed("", "v1", "events", "Event", true);
/// `namespaces`.
pub static NAMESPACES: Resource = Resource::fixed("", "v1", "namespaces", "Namespace", false);
/// `services`.
pub static SERVICES: Resource = Resource::fixed("", "v1", "services", "Service", true);
/// `persistentvolumeclaims`.
pub static CLAIMS: Resource =
    Resource::fixed("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true);
/// `persistentvolumes`.
pub static VOLUMES: Resource = Resource::fixed("", "v1", "persistentvolumes", "PersistentVolume", false);
/// `deployments.apps`.
pub static DEPLOYMENTS: Resource = Resource::fixed("apps", "v1", "deployments", "Deployment", true);
/// `statefulsets.apps`.
pub static STATEFULSETS: Resource = Resource::fixed("apps", "v1", "statefulsets", "StatefulSet", true);
/// `daemonsets.apps`.
pub static DAEMONSETS: Resource = Resource::fixed("apps", "v1", "daemonsets", "DaemonSet", true);
/// `jobs.batch`.
pub static JOBS: Resource = Resource::fixed("batch", "v1", "jobs", "Job", true);
/// `cronjobs.batch`.
pub static CRONJOBS: Resource = Resource::fixed("batch", "v1", "cronjobs", "CronJob", true);
/// `ingresses.networking.k8s.io`.
pub static INGRESSES: Resource = Resource::fixed("networking.k8s.io", "v1", "ingresses", "Ingress", true);
/// `httproutes.gateway.networking.k8s.io`.
pub static ROUTES: Resource =
    Resource::fixed("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute", true);
/// `poddisruptionbudgets.policy`.
pub static BUDGETS: Resource =
    Resource::fixed("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", true);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_paths() {
        assert_eq!(PODS.object("media/lidarr-0").unwrap(), "/api/v1/namespaces/media/pods/lidarr-0");
        assert_eq!(NODES.object("oci-node-1").unwrap(), "/api/v1/nodes/oci-node-1");
        let apps = Resource::fixed("argoproj.io", "v1alpha1", "applications", "Application", true);
        assert_eq!(apps.list(Some("argocd")), "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications");
        assert_eq!(apps.right("patch"), "patch applications.argoproj.io");
    }

    #[test]
    fn a_name_never_leaves_its_place_in_the_path() {
        for key in [
            "",
            "media",
            "media/",
            "media/a/b",
            "../x",
            "media/..",
            "media/a?x=1",
            "media/a b",
            "media/a%2fb",
        ] {
            assert!(PODS.object(key).is_err(), "{key}");
        }
    }
}
