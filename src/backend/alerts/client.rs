//! Typed calls to one Alertmanager and one Prometheus, and what their refusals mean. No policy here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::backend::error::{ApiError, SendError};
use crate::backend::http::{Call, Http, Payload, Profile, Reply, resolve};
use crate::backend::lenient::Maybe;
use crate::config::{Connection, HttpAuth};
use crate::model::snapshot::Layer;

use super::promwire::{Alertmanagers, BuildInfo, Envelope, Queried, Rules, ServerConfig};
use super::wire::{Alert, AlertGroup, Created, Silence, Status};

/// Opens a connection with its credential; resolves secrets, so it may block.
pub fn open(connection: &Connection, auth: &HttpAuth) -> Result<Http, ApiError> {
    let value = match auth {
        HttpAuth::None => None,
        HttpAuth::Basic { user, password } => {
            Some(format!("Basic {}", STANDARD.encode(format!("{user}:{}", resolve(password)?))))
        }
        HttpAuth::Bearer(token) => Some(format!("Bearer {}", resolve(token)?)),
    };
    let auth: Vec<_> = value.into_iter().map(|value| ("authorization", value)).collect();
    Http::new(connection, &auth, &Profile::default())
}

/// Asks for JSON, so that a login wall in front answers 401 instead of a page.
fn get(path: impl Into<String>) -> Call {
    Call::get(path).header("accept", "application/json")
}

/// A question in a form, so that a long expression fits.
fn form<const N: usize>(path: &str, fields: [(&str, String); N]) -> Call {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Call::post(path, Payload::Form(fields)).header("accept", "application/json")
}

/// An answer and what its envelope told.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// The decoded body.
    pub body: T,
    /// The reply around it, without its body's meaning.
    pub reply: Reply,
}

/// The calls to one Alertmanager.
#[derive(Debug, Clone, Copy)]
pub struct Alertmanager<'a>(pub &'a Http);

impl Alertmanager<'_> {
    /// `GET /alerts`: all that fire, quiet ones too.
    pub async fn alerts(&self) -> Result<Answer<Vec<Alert>>, ApiError> {
        self.list("/api/v2/alerts").await
    }

    /// `GET /alerts/groups`: what is told together; only here newer versions name the intervals that mute an alert.
    pub async fn groups(&self) -> Result<Answer<Vec<AlertGroup>>, ApiError> {
        self.list("/api/v2/alerts/groups").await
    }

    /// `GET /metrics`: its own counters, in Prometheus' text form.
    pub async fn metrics(&self) -> Result<String, ApiError> {
        let reply = self.0.read(&Call::get("/metrics")).await?;
        if reply.is_success() { Ok(reply.text()) } else { Err(refusal(&reply)) }
    }

    /// `GET /silences`: active, pending and those that expired within the server's retention.
    pub async fn silences(&self) -> Result<Answer<Vec<Silence>>, ApiError> {
        self.list("/api/v2/silences").await
    }

    /// `GET /status`.
    pub async fn status(&self) -> Result<Answer<Status>, ApiError> {
        let reply = self.ask("/api/v2/status").await?;
        Ok(Answer { body: reply.json()?, reply })
    }

    /// `GET /silence/{id}` as the server wrote it, so that sending it back changes nothing else; `None` where there is none.
    pub async fn silence(&self, id: &str) -> Result<Option<serde_json::Value>, ApiError> {
        let reply = self.0.read(&get(format!("/api/v2/silence/{}", uuid(id)?))).await?;
        match reply.status {
            200 => reply.json().map(Some),
            404 => Ok(None),
            _ => Err(refusal(&reply)),
        }
    }

    /// `POST /silences`: makes one, or changes the one whose id the body names. Returns the id that holds from now on.
    pub async fn put_silence(&self, body: serde_json::Value) -> Result<String, SendError> {
        let reply = self.0.write(&Call::post("/api/v2/silences", Payload::Json(body))).await?;
        let reply = accepted(reply)?;
        let created: Created = reply.json().map_err(|error| SendError::Unknown(error.fault))?;
        Ok(created.silence_id)
    }

    /// `DELETE /silence/{id}`: ends it; 0.25 answers 500 where there is none, newer ones 404.
    pub async fn expire(&self, id: &str) -> Result<(), SendError> {
        let id = uuid(id).map_err(|error| SendError::NotSent(error.fault))?;
        let reply = self.0.write(&Call::delete(format!("/api/v2/silence/{id}"))).await?;
        if reply.status == 404 {
            let error = ApiError::new(Layer::App, "there is no such silence").status(404).raw(reply.text());
            return Err(SendError::Refused(error.fault));
        }
        accepted(reply).map(drop)
    }

    async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<Vec<T>>, ApiError> {
        let reply = self.ask(path).await?;
        let items: Vec<Maybe<T>> = reply.json()?;
        Ok(Answer { body: items.into_iter().filter_map(|item| item.0).collect(), reply })
    }

    async fn ask(&self, path: &str) -> Result<Reply, ApiError> {
        let reply = self.0.read(&get(path)).await?;
        if reply.is_success() { Ok(reply) } else { Err(refusal(&reply)) }
    }
}

/// The calls to one Prometheus.
#[derive(Debug, Clone, Copy)]
pub struct Prometheus<'a>(pub &'a Http);

impl Prometheus<'_> {
    /// `GET /rules`, alerting and recording ones, with their pending and firing alerts.
    pub async fn rules(&self) -> Result<Answer<Envelope<Rules>>, ApiError> {
        self.ask(&get("/api/v1/rules")).await
    }

    /// `GET /status/config`, which may be refused.
    pub async fn config(&self) -> Result<Answer<Envelope<ServerConfig>>, ApiError> {
        self.ask(&get("/api/v1/status/config")).await
    }

    /// `GET /status/buildinfo`.
    pub async fn build(&self) -> Result<Answer<Envelope<BuildInfo>>, ApiError> {
        self.ask(&get("/api/v1/status/buildinfo")).await
    }

    /// `GET /alertmanagers`: where it sends alerts to.
    pub async fn alertmanagers(&self) -> Result<Answer<Envelope<Alertmanagers>>, ApiError> {
        self.ask(&get("/api/v1/alertmanagers")).await
    }

    /// `POST /query`: an expression at an instant.
    pub async fn query(
        &self,
        expression: &str,
        at: Timestamp,
    ) -> Result<Answer<Envelope<Queried>>, ApiError> {
        let fields = [("query", expression.to_owned()), ("time", at.as_second().to_string())];
        self.ask(&form("/api/v1/query", fields)).await
    }

    /// `POST /query_range`: an expression over a time, at steps of so many seconds.
    pub async fn range(
        &self,
        expression: &str,
        (start, end): (Timestamp, Timestamp),
        step: i64,
    ) -> Result<Answer<Envelope<Queried>>, ApiError> {
        let fields = [
            ("query", expression.to_owned()),
            ("start", start.as_second().to_string()),
            ("end", end.as_second().to_string()),
            ("step", step.to_string()),
        ];
        self.ask(&form("/api/v1/query_range", fields)).await
    }

    /// `GET /-/ready`: an error while the write-ahead log is replayed.
    pub async fn ready(&self) -> Result<(), ApiError> {
        let reply = self.0.read(&Call::get("/-/ready")).await?;
        if reply.is_success() { Ok(()) } else { Err(refusal(&reply)) }
    }

    async fn ask<T: DeserializeOwned + Default>(&self, call: &Call) -> Result<Answer<Envelope<T>>, ApiError> {
        let reply = self.0.read(call).await?;
        if !reply.is_success() {
            return Err(refusal(&reply));
        }
        let body: Envelope<T> = reply.json()?;
        if body.status == "success" {
            return Ok(Answer { body, reply });
        }
        let what = if body.error.is_empty() { "the answer is not Prometheus'" } else { &body.error };
        Err(ApiError::new(Layer::App, what).raw(reply.text()))
    }
}

/// Only what has the form of a UUID goes into a path.
fn uuid(id: &str) -> Result<uuid::Uuid, ApiError> {
    id.parse().map_err(|_| ApiError::new(Layer::App, format!("`{id}` is no id of a silence")))
}

fn accepted(reply: Reply) -> Result<Reply, SendError> {
    if reply.is_success() { Ok(reply) } else { Err(SendError::Refused(refusal(&reply).fault)) }
}

/// Reads a refusal in any of the forms in which they come: a JSON text, an object with a message, plain text, nothing.
pub fn refusal(reply: &Reply) -> ApiError {
    let said = said(reply);
    let status = reply.status;
    let (layer, what, hint) = match status {
        401 => (
            Layer::Auth,
            "the credential is missing or wrong",
            "check `user` and `password`, or `bearer`, of this server",
        ),
        403 => (Layer::Auth, "the credential may not do this", "a proxy in front decides this"),
        404 if !said.from_api => {
            (Layer::App, "there is no such API here", "check `url` and its route prefix")
        }
        404 => (Layer::App, "not found", ""),
        503 => (Layer::App, "the server is busy or not ready", ""),
        _ => (Layer::App, "the server refused", ""),
    };
    let what = if said.from_api { said.text.as_str() } else { what };
    ApiError::new(layer, what).status(status).raw(&said.text).hint(hint)
}

struct Said {
    text: String,
    from_api: bool,
}

fn said(reply: &Reply) -> Said {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Shape {
        Text(String),
        Alertmanager { message: String },
        Prometheus { error: String },
    }
    match serde_json::from_slice(reply.body()) {
        Ok(Shape::Text(text) | Shape::Alertmanager { message: text } | Shape::Prometheus { error: text }) => {
            Said { text, from_api: true }
        }
        Err(_) if reply.body().is_empty() => Said { text: format!("HTTP {}", reply.status), from_api: false },
        Err(_) => Said { text: reply.text(), from_api: false },
    }
}
