//! Typed questions: the envelope opened, its errors told, pages walked to their end.

use serde::de::DeserializeOwned;

use crate::backend::error::ApiError;
use crate::backend::http::{self, Call, Http, Profile, Reply};
use crate::config::Cloudflare as Settings;
use crate::model::snapshot::Layer;

use super::wire::{AccessApp, Connector, Envelope, Policy, Record, ServiceToken, Token, Tunnel, Zone};

/// No list here is longer, in pages of a hundred.
const MOST_PAGES: i64 = 100;

/// A client of one account.
#[derive(Debug, Clone)]
pub struct Client {
    http: Http,
    account: String,
}

impl Client {
    /// Makes the client; resolves the token, so that it may block.
    pub fn new(settings: &Settings) -> Result<Self, ApiError> {
        let token = http::resolve(&settings.token)?;
        if token.trim().is_empty() {
            return Err(ApiError::new(Layer::Config, "the token is empty"));
        }
        let auth = [
            ("authorization", format!("Bearer {}", token.trim())),
            ("accept", "application/json".to_owned()),
        ];
        Ok(Self {
            http: Http::new(&settings.connection, &auth, &Profile::default())?,
            account: settings.account.clone(),
        })
    }

    async fn asked<T: DeserializeOwned>(
        &self,
        call: Call,
        scope: &'static str,
    ) -> Result<Envelope<T>, ApiError> {
        let reply = self.http.read(&call).await?;
        let envelope: Result<Envelope<T>, ApiError> = reply.json();
        match envelope {
            Ok(envelope) if reply.is_success() && envelope.success.is_true() => Ok(envelope),
            other => Err(refused(&reply, &other, scope)),
        }
    }

    async fn list<T: DeserializeOwned>(&self, path: &str, scope: &'static str) -> Result<Vec<T>, ApiError> {
        let page = |number: i64| {
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            let call = Call::get(path).query("per_page", "100").query("page", number.to_string());
            url::form_urlencoded::parse(query.as_bytes())
                .fold(call, |call, (name, value)| call.query(name, value))
        };
        let first: Envelope<Vec<T>> = self.asked(page(1), scope).await?;
        let last = first.result_info.total_pages.0.unwrap_or(1).min(MOST_PAGES);
        let mut all = first.result.unwrap_or_default();
        for number in 2..=last {
            all.extend(self.asked::<Vec<T>>(page(number), scope).await?.result.unwrap_or_default());
        }
        Ok(all)
    }

    fn account(&self, path: &str) -> String {
        format!("/accounts/{}{path}", self.account)
    }

    /// Whether the token counts, and until when.
    pub async fn verify(&self) -> Result<Token, ApiError> {
        let token: Envelope<Token> = self.asked(Call::get("/user/tokens/verify"), "").await?;
        let token = token.result.unwrap_or_default();
        match token.status.as_str() {
            "active" => Ok(token),
            other => Err(ApiError::new(Layer::Auth, format!("the token is {other}"))),
        }
    }

    /// Tunnels that have not been deleted.
    pub async fn tunnels(&self) -> Result<Vec<Tunnel>, ApiError> {
        let path = self.account("/cfd_tunnel?is_deleted=false");
        let tunnels: Vec<Tunnel> = self.list(&path, "Cloudflare Tunnel: Read").await?;
        Ok(tunnels.into_iter().filter(|tunnel| tunnel.deleted_at.some().is_none()).collect())
    }

    /// The cloudflared processes of a tunnel.
    pub async fn connectors(&self, tunnel: &str) -> Result<Vec<Connector>, ApiError> {
        let path = self.account(&format!("/cfd_tunnel/{}/connections", plain(tunnel)?));
        Ok(self.asked(Call::get(path), "Cloudflare Tunnel: Read").await?.result.unwrap_or_default())
    }

    /// The applications that Access guards.
    pub async fn access(&self) -> Result<Vec<AccessApp>, ApiError> {
        self.list(&self.account("/access/apps"), "Access: Apps and Policies Read").await
    }

    /// The policies of one of them.
    pub async fn policies(&self, app: &str) -> Result<Vec<Policy>, ApiError> {
        let path = self.account(&format!("/access/apps/{}/policies", plain(app)?));
        self.list(&path, "Access: Apps and Policies Read").await
    }

    /// Service tokens, without their secrets.
    pub async fn service_tokens(&self) -> Result<Vec<ServiceToken>, ApiError> {
        self.list(&self.account("/access/service_tokens"), "Access: Service Tokens Read").await
    }

    /// The zone of exactly this name.
    pub async fn zone(&self, name: &str) -> Result<Option<Zone>, ApiError> {
        let zones: Vec<Zone> = self.list(&format!("/zones?name={name}"), "Zone: Read").await?;
        Ok(zones.into_iter().find(|zone| zone.name.eq_ignore_ascii_case(name)))
    }

    /// The records of a zone.
    pub async fn records(&self, zone: &str) -> Result<Vec<Record>, ApiError> {
        self.list(&format!("/zones/{}/dns_records", plain(zone)?), "DNS: Read").await
    }
}

/// An id that can be a part of a path.
fn plain(id: &str) -> Result<&str, ApiError> {
    let fits = !id.is_empty() && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    if fits { Ok(id) } else { Err(ApiError::new(Layer::App, "an id cannot be part of a path")) }
}

fn refused<T>(reply: &Reply, envelope: &Result<Envelope<T>, ApiError>, scope: &'static str) -> ApiError {
    let said = match envelope {
        Ok(envelope) => {
            envelope.errors.first().map(|e| format!("{} ({})", e.message.as_str(), e.code.or_zero()))
        }
        Err(error) => Some(error.fault.what.clone()),
    };
    let said = said.unwrap_or_default();
    let error = match reply.status {
        400 | 401
            if said.contains("9109")
                || said.contains("1000")
                || said.contains("6003")
                || reply.status == 401 =>
        {
            ApiError::new(Layer::Auth, "the token is not accepted")
                .hint("it is wrong, expired, or barred from this address")
        }
        403 if scope.is_empty() => ApiError::new(Layer::Auth, "the token may not do this"),
        403 => ApiError::new(Layer::Auth, "the token may not do this").missing(scope),
        429 => ApiError::new(Layer::App, "Cloudflare has been asked too often"),
        status => ApiError::new(Layer::App, format!("HTTP {status}")),
    };
    error.status(reply.status).raw(said)
}
