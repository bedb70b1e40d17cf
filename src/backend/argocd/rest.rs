//! argocd-server's REST API: the second way in, for what the custom resources do not carry.
//!
//! Every request that is no GET carries `Content-Type: application/json`, even a DELETE without body, or the server
//! answers 415. A 403 without an explanation means that the application is absent or not visible; one with an
//! explanation is a denial.

use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::backend::error::ApiError;
use crate::backend::http::{Call, Http, Profile, Reply, resolve};
use crate::backend::kubernetes::access::token_ends;
use crate::backend::lenient::{Flag, Int, Text};
use crate::config::{Connection, Secret};
use crate::model::snapshot::Layer;

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

    async fn get(&self, call: &Call) -> Result<Reply, ApiError> {
        let reply = self.http().await?.0.read(call).await?;
        if reply.is_success() { Ok(reply) } else { Err(failure(&reply)) }
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
