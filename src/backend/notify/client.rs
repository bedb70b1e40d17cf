//! Typed calls to one ntfy, and what its refusals mean.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::backend::error::{ApiError, SendError};
use crate::backend::http::{Call, Http, Payload, Profile, Reply, resolve};
use crate::config::{HttpAuth, Ntfy};
use crate::model::snapshot::Layer;

use super::wire::{Message, Refused};

/// Opens a connection with its credential; resolves secrets, so it may block.
pub fn open(config: &Ntfy) -> Result<Http, ApiError> {
    let value = match &config.auth {
        HttpAuth::None => None,
        HttpAuth::Basic { user, password } => {
            Some(format!("Basic {}", STANDARD.encode(format!("{user}:{}", resolve(password)?))))
        }
        HttpAuth::Bearer(token) => Some(format!("Bearer {}", resolve(token)?)),
    };
    let auth: Vec<_> = value.into_iter().map(|value| ("authorization", value)).collect();
    Http::new(&config.connection, &auth, &Profile::default())
}

/// `GET /<topics>/json?poll=1`: what the server still keeps of these topics, oldest first.
pub async fn messages(http: &Http, topics: &[String], since: &str) -> Result<Vec<Message>, ApiError> {
    let call = Call::get(format!("/{}/json", topics.join(","))).query("poll", "1").query("since", since);
    let reply = http.read(&call).await?;
    if !reply.is_success() {
        return Err(refusal(&reply));
    }
    lines(reply.body())
}

/// The messages of a stream of lines; those that only open it or keep it alive are none.
pub fn lines(body: &[u8]) -> Result<Vec<Message>, ApiError> {
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let read = lines.map(serde_json::from_slice::<Message>).collect::<Result<Vec<_>, _>>();
    let messages = read.map_err(|error| {
        ApiError::new(Layer::App, format!("a line of the answer cannot be read: {error}"))
    })?;
    Ok(messages.into_iter().filter(|message| &*message.event == "message").collect())
}

/// `POST /` with a message as JSON, once: headers would not carry every letter.
pub async fn publish(http: &Http, message: Value) -> Result<Message, SendError> {
    let reply = http.write(&Call::post("/", Payload::Json(message))).await?;
    if !reply.is_success() {
        return Err(SendError::Refused(refusal(&reply).fault));
    }
    reply.json().map_err(|error: ApiError| SendError::Unknown(error.fault))
}

/// `GET /v1/health`.
pub async fn health(http: &Http) -> Result<Reply, ApiError> {
    let reply = http.read(&Call::get("/v1/health")).await?;
    if reply.is_success() { Ok(reply) } else { Err(refusal(&reply)) }
}

/// Reads its own error, or whatever stands before it.
pub fn refusal(reply: &Reply) -> ApiError {
    let said: Refused = serde_json::from_slice(reply.body()).unwrap_or_default();
    let Some(what) = said.error.some() else { return reply.unexpected() };
    let layer = if matches!(reply.status, 401 | 403) { Layer::Auth } else { Layer::App };
    let error = ApiError::new(layer, what).status(reply.status);
    match (said.code.or_zero() / 100, said.code.or_zero()) {
        (_, 42901..=42999) => error.hint("it limits how much is asked: wait a minute"),
        (401 | 403, _) => error.hint("check the credential, and whether it may read and write these topics"),
        _ => error,
    }
}
