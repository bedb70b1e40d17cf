//! argocd-server's REST API: the second way in, for what the custom resources do not carry.
//!
//! Every request that is no GET carries `Content-Type: application/json`, even a DELETE without body, or the server
//! answers 415. A 403 without an explanation means that the application is absent or not visible; one with an
//! explanation is a denial.

mod stream;
pub mod wire;

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::backend::error::{ApiError, SendError};
use crate::backend::http::{Call, Http, Payload, Profile, Reply, resolve};
use crate::backend::kubernetes::access::token_ends;
use crate::backend::kubernetes::watch::encoded;
use crate::backend::lenient::{Flag, Int, Text};
use crate::config::{Connection, Secret};
use crate::model::snapshot::Layer;

use super::wire::Application;
pub use stream::Messages;
use wire::{Actions, Cluster, Commit, Items, Live, Managed, Manifests, Repository, Tree};

/// Rendering manifests may wait for a clone and a chart.
const RENDERING: Duration = Duration::from_secs(60);

/// A client that is made at its first use, because its token may come from a command.
pub struct Rest {
    connection: Connection,
    token: Secret,
    http: OnceCell<(Http, Option<jiff::Timestamp>)>,
}

/// `GET /api/version`; its keys are capitalised.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Version {
    /// `v3.5.1+8a2b6f1`.
    pub version: Text,
}

/// `GET /api/v1/session/userinfo`; `{}` where nobody is logged in.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UserInfo {
    /// Whether the token is accepted.
    pub logged_in: Flag,
    /// Whose it is.
    pub username: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    message: Text,
    code: Int,
}

impl Rest {
    /// Remembers where it is; nothing is read or asked before the first call.
    pub fn new(connection: Connection, token: Secret) -> Self {
        Self { connection, token, http: OnceCell::new() }
    }

    async fn http(&self) -> Result<&(Http, Option<jiff::Timestamp>), ApiError> {
        self.http
            .get_or_try_init(|| async {
                let (connection, token) = (self.connection.clone(), self.token.clone());
                let made = tokio::task::spawn_blocking(move || {
                    let token = resolve(&token)?;
                    let ends = token_ends(&token);
                    let auth = [("authorization", format!("Bearer {token}"))];
                    Http::new(&connection, &auth, &Profile::default()).map(|http| (http, ends))
                });
                made.await.map_err(|error| ApiError::new(Layer::Config, error.to_string()))?
            })
            .await
    }

    /// When the token ends, where it tells.
    pub async fn token_ends(&self) -> Option<jiff::Timestamp> {
        self.http().await.ok()?.1
    }

    /// The server's version, which it tells anybody.
    pub async fn version(&self) -> Result<(Version, Arc<Reply>), ApiError> {
        let reply = self.get(&Call::get("/api/version")).await?;
        Ok((reply.json()?, Arc::new(reply)))
    }

    /// Whom the server takes us for.
    pub async fn userinfo(&self) -> Result<UserInfo, ApiError> {
        self.get(&Call::get("/api/v1/session/userinfo")).await?.json()
    }

    /// The clusters that Argo CD knows.
    pub async fn clusters(&self) -> Result<Vec<Cluster>, ApiError> {
        let found: Items<Cluster> = self.get(&Call::get("/api/v1/clusters")).await?.json()?;
        Ok(found.items.0)
    }

    /// The repositories that it reads.
    pub async fn repositories(&self) -> Result<Vec<Repository>, ApiError> {
        let found: Items<Repository> = self.get(&Call::get("/api/v1/repositories")).await?.json()?;
        Ok(found.items.0)
    }

    /// The objects of an application and what they made, with the health of each.
    pub async fn tree(&self, of: &Of<'_>) -> Result<Tree, ApiError> {
        self.get(&of.get("/resource-tree")).await?.json()
    }

    /// Each object as it is and as it would be.
    pub async fn managed(&self, of: &Of<'_>) -> Result<Vec<Managed>, ApiError> {
        let found: Items<Managed> = self.get(&of.get("/managed-resources")).await?.json()?;
        Ok(found.items.0)
    }

    /// What Git makes of it.
    pub async fn manifests(&self, of: &Of<'_>) -> Result<Manifests, ApiError> {
        self.get(&of.get("/manifests").within(RENDERING)).await?.json()
    }

    /// Who wrote a revision, and what.
    pub async fn commit(&self, of: &Of<'_>, revision: &str) -> Result<Commit, ApiError> {
        let path = format!("/revisions/{}/metadata", encoded(revision));
        self.get(&of.get(&path)).await?.json()
    }

    /// What may be done to one of its objects.
    pub async fn actions(&self, of: &Of<'_>, object: &Object<'_>) -> Result<Actions, ApiError> {
        self.get(&object.on(of.get("/resource/actions"))).await?.json()
    }

    /// One of its objects as it is now.
    pub async fn live(&self, of: &Of<'_>, object: &Object<'_>) -> Result<serde_json::Value, ApiError> {
        let live: Live = self.get(&object.on(of.get("/resource"))).await?.json()?;
        serde_json::from_str(&live.manifest)
            .map_err(|error| ApiError::new(Layer::App, format!("the object cannot be read: {error}")))
    }

    /// Runs an action on one of its objects, exactly once (`…/actions/v2`, Argo CD 3.1 and later).
    pub async fn act(
        &self,
        of: &Of<'_>,
        object: &Object<'_>,
        action: &str,
        parameters: &[(String, String)],
    ) -> Result<(), SendError> {
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let body = json!({
            "name": of.name, "appNamespace": of.namespace, "project": of.project,
            "namespace": object.namespace, "resourceName": object.name, "version": object.version,
            "group": object.group, "kind": object.kind, "action": action, "resourceActionParameters": parameters,
        });
        let path = format!("{}/resource/actions/v2", of.path());
        let http = &self.http().await.map_err(|error| SendError::NotSent(error.fault))?.0;
        let reply = http.write(&Call::post(path, Payload::Json(body))).await?;
        if reply.is_success() { Ok(()) } else { Err(SendError::Refused(failure(&reply).fault)) }
    }

    async fn get(&self, call: &Call) -> Result<Reply, ApiError> {
        let reply = self.http().await?.0.read(call).await?;
        if reply.is_success() { Ok(reply) } else { Err(failure(&reply)) }
    }
}

/// Which application a call is about: name, namespace and project, so that one of the same name elsewhere is not meant.
#[derive(Debug, Clone, Copy)]
pub struct Of<'a> {
    /// Its name.
    pub name: &'a str,
    /// The namespace of the resource.
    pub namespace: &'a str,
    /// Its project; without it a missing application reads as a denial.
    pub project: &'a str,
}

impl<'a> Of<'a> {
    /// The application of a resource.
    pub fn new(app: &'a Application) -> Self {
        let project = app.spec.project.some().unwrap_or("default");
        Self { name: &app.metadata.name, namespace: &app.metadata.namespace, project }
    }

    fn path(&self) -> String {
        format!("/api/v1/applications/{}", encoded(self.name))
    }

    /// A question about it.
    pub fn get(&self, what: &str) -> Call {
        self.at(format!("{}{what}", self.path()))
    }

    /// A stream about it.
    pub fn streamed(&self, what: &str) -> Call {
        self.at(format!("/api/v1/stream/applications/{}{what}", encoded(self.name)))
    }

    fn at(&self, path: String) -> Call {
        Call::get(path).query("appNamespace", self.namespace).query("project", self.project)
    }
}

/// One object of an application.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// Its API group.
    pub group: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl<'a> Object<'a> {
    /// A managed object as the resource lists it.
    pub fn new(resource: &'a super::wire::Resource) -> Self {
        Self {
            group: &resource.group,
            version: resource.version.some().unwrap_or("v1"),
            kind: &resource.kind,
            namespace: &resource.namespace,
            name: &resource.name,
        }
    }

    fn on(&self, call: Call) -> Call {
        call.query("group", self.group)
            .query("version", self.version)
            .query("kind", self.kind)
            .query("namespace", self.namespace)
            .query("resourceName", self.name)
    }
}

/// Reads `{error, code, message}`; the gRPC code tells 400s apart.
pub fn failure(reply: &Reply) -> ApiError {
    let Ok(refusal) = reply.json::<Refusal>() else { return reply.unexpected() };
    let said =
        |layer, what: &str| ApiError::new(layer, what).raw(refusal.message.as_str()).status(reply.status);
    match (reply.status, refusal.code.or_zero()) {
        (401, _) => {
            said(Layer::Auth, "the token is not accepted").hint("it has ended or was revoked: make a new one")
        }
        (403, _) if &*refusal.message == "permission denied" => {
            said(Layer::Auth, "there is no such application, or it may not be seen")
        }
        (403, _) => {
            let right = refusal.message.trim_start_matches("permission denied: ");
            said(Layer::Auth, "the token may not do this")
                .missing(right.split(", sub:").next().unwrap_or(right))
        }
        (404, _) => said(Layer::App, "there is no such thing"),
        (_, 9) => said(Layer::App, "not now: the application is not in the state for it"),
        (_, 14) => said(Layer::App, "a part of Argo CD is down"),
        _ => said(Layer::App, "refused"),
    }
}
