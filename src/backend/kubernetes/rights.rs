//! What the credential may do, asked of the server itself (`SelfSubjectAccessReview`) instead of tried.

use serde::Deserialize;
use serde_json::json;

use crate::backend::error::ApiError;
use crate::backend::lenient::{Flag, Obj, Text};
use crate::model::op::Rights;

use super::client::Cluster;
use super::resource::Resource;

/// One right: a verb on a resource, in a namespace or everywhere.
#[derive(Debug, Clone)]
pub struct Right<'a> {
    /// `get`, `patch`, `delete`, `create`.
    pub verb: &'static str,
    /// The resource.
    pub resource: &'a Resource,
    /// `eviction`, `log`, `scale`; empty for the object itself.
    pub subresource: &'static str,
    /// The namespace; `None` asks for all of them.
    pub namespace: Option<&'a str>,
}

impl Right<'_> {
    /// Its name (`patch applications.argoproj.io`).
    pub fn name(&self) -> String {
        let right = self.resource.right(self.verb);
        if self.subresource.is_empty() { right } else { format!("{right}/{}", self.subresource) }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Review {
    status: Obj<Answer>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Answer {
    allowed: Flag,
    user_info: Obj<User>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct User {
    username: Text,
}

/// Whether the credential has a right.
pub async fn has(cluster: &Cluster, right: &Right<'_>) -> Result<bool, ApiError> {
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {
            "verb": right.verb,
            "group": right.resource.group,
            "resource": right.resource.plural,
            "subresource": right.subresource,
            "namespace": right.namespace.unwrap_or_default(),
        }},
    });
    let reply = cluster.review("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &body).await?;
    Ok(reply.json::<Review>()?.status.allowed.is_true())
}

/// Whom the server takes us for (`SelfSubjectReview`, Kubernetes 1.28 and later).
pub async fn whoami(cluster: &Cluster) -> Result<String, ApiError> {
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let reply = cluster.review("/apis/authentication.k8s.io/v1/selfsubjectreviews", &body).await?;
    Ok(reply.json::<Review>()?.status.user_info.username.as_str().to_owned())
}

/// Which operations lack a right; one whose review fails is unknown, not missing.
pub async fn of(cluster: &Cluster, wanted: &[(&str, Right<'_>)]) -> Result<Rights, ApiError> {
    let mut rights = Rights::default();
    let mut failed = None;
    for (operation, right) in wanted {
        match has(cluster, right).await {
            Ok(true) => {}
            Ok(false) => {
                rights.missing.insert((*operation).to_owned(), right.name());
            }
            Err(error) => {
                rights.unknown.push((*operation).to_owned());
                failed = Some(error);
            }
        }
    }
    match failed {
        Some(error) if rights.unknown.len() == wanted.len() && !wanted.is_empty() => Err(error),
        _ => Ok(rights),
    }
}
