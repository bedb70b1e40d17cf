//! Typed calls to one engine over whichever way leads to it, and what its refusals mean. No policy here.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::backend::error::{ApiError, SendError};
use crate::backend::http::{Call, Http, Payload, Profile, Reply};
use crate::backend::lenient::{Maybe, Text};
use crate::config::{Connection, Docker, DockerWay};
use crate::model::snapshot::Layer;

use super::dial::Dial;
use super::wire::{Event, Image, Inspected, Listed, Stats, Version};

/// How long the engine waits for a container to stop by itself before it kills it, in seconds.
pub const GRACE: u32 = 10;

/// A way to an engine.
#[derive(Debug)]
enum Way {
    Http(Box<Http>),
    Dial(Dial),
}

/// One engine.
#[derive(Debug)]
pub struct Engine(Way);

impl Engine {
    /// Opens the configured way; does no IO over the network.
    pub fn new(config: &Docker) -> Result<Self, ApiError> {
        let http = |connection: &Connection, profile: &Profile| {
            Http::new(connection, &[], profile).map(|http| Self(Way::Http(Box::new(http))))
        };
        match &config.way {
            DockerWay::Http(connection) => http(connection, &Profile::default()),
            DockerWay::Socket(path) => {
                let profile = Profile { socket: Some(path.clone()), ..Profile::default() };
                http(&local(config), &profile)
            }
            DockerWay::Ssh(host) => Ok(Self(Way::Dial(Dial::ssh(host, config.timeout)))),
        }
    }

    /// Through a command, for tests.
    #[cfg(test)]
    pub fn dialled(dial: Dial) -> Self {
        Self(Way::Dial(dial))
    }

    /// `GET /containers/json?all=true`.
    pub async fn containers(&self) -> Result<Vec<Listed>, ApiError> {
        self.list("/containers/json?all=true").await
    }

    /// `GET /images/json`.
    pub async fn images(&self) -> Result<Vec<Image>, ApiError> {
        self.list("/images/json").await
    }

    /// `GET /containers/{id}/json`.
    pub async fn inspect(&self, id: &str) -> Result<Inspected, ApiError> {
        self.get(&format!("/containers/{}/json", hex(id)?), None).await?.json()
    }

    /// `GET /containers/{id}/stats`: the engine takes two samples, which lasts a second or two.
    pub async fn stats(&self, id: &str) -> Result<Stats, ApiError> {
        self.get(&format!("/containers/{}/stats?stream=false", hex(id)?), None).await?.json()
    }

    /// `GET /version`.
    pub async fn version(&self) -> Result<(Version, Reply), ApiError> {
        let reply = self.get("/version", None).await?;
        Ok((reply.json()?, reply))
    }

    /// `GET /events` of a time that has passed: the engine remembers a few hundred.
    pub async fn events(&self, since: Timestamp, until: Timestamp) -> Result<Vec<Event>, ApiError> {
        let path = format!("/events?since={}&until={}", since.as_second(), until.as_second());
        let reply = self.get(&path, Some(Duration::from_secs(20))).await?;
        let lines = reply.body().split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let read = lines.map(serde_json::from_slice).collect::<Result<_, _>>();
        read.map_err(|error| ApiError::new(Layer::App, format!("an event cannot be read: {error}")))
    }

    /// `GET /containers/{id}/logs`: the framed or plain bytes, each line with its time.
    pub async fn logs(&self, id: &str, since: Option<Timestamp>, tail: u32) -> Result<Reply, ApiError> {
        let from = since.map_or_else(String::new, |at| {
            format!("&since={}.{:09}", at.as_second(), at.subsec_nanosecond().max(0))
        });
        let path = format!(
            "/containers/{}/logs?stdout=true&stderr=true&timestamps=true&tail={tail}{from}",
            hex(id)?
        );
        self.get(&path, None).await
    }

    /// `POST /containers/{id}/restart`, once.
    pub async fn restart(&self, id: &str) -> Result<(), SendError> {
        let id = hex(id).map_err(|error| SendError::NotSent(error.fault))?;
        let path = format!("/containers/{id}/restart?t={GRACE}");
        let within = Duration::from_secs(u64::from(GRACE) + 30);
        let reply = match &self.0 {
            Way::Http(http) => http.write(&Call::post(path, Payload::Empty).within(within)).await?,
            Way::Dial(dial) => dial.write(&path, Some(within)).await?,
        };
        if reply.is_success() { Ok(()) } else { Err(SendError::Refused(refusal(&reply).fault)) }
    }

    async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, ApiError> {
        let items: Vec<Maybe<T>> = self.get(path, None).await?.json()?;
        Ok(items.into_iter().filter_map(|item| item.0).collect())
    }

    async fn get(&self, path: &str, within: Option<Duration>) -> Result<Reply, ApiError> {
        let reply = match &self.0 {
            Way::Http(http) => {
                let call = Call::get(path);
                http.read(&within.map_or(call.clone(), |time| call.within(time))).await?
            }
            Way::Dial(dial) => dial.read(path, within).await?,
        };
        if reply.is_success() { Ok(reply) } else { Err(refusal(&reply)) }
    }
}

/// The URL of a socket is only a name.
fn local(config: &Docker) -> Connection {
    Connection {
        domain: config.domain,
        plaintext: true,
        timeout: config.timeout,
        ..Connection::to(config.name.clone(), "http://localhost")
    }
}

/// Only a container's own id goes into a path: a name might have moved to another one.
fn hex(id: &str) -> Result<&str, ApiError> {
    let whole = id.len() >= 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if whole { Ok(id) } else { Err(ApiError::unsupported(format!("`{id}` is no id of a container"))) }
}

/// The engine refuses with `{"message": "…"}`; a proxy in front of its socket with a text or a page.
fn refusal(reply: &Reply) -> ApiError {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Refused {
        message: Text,
    }
    let said: Refused = serde_json::from_slice(reply.body()).unwrap_or_default();
    let status = reply.status;
    match (said.message.some(), status) {
        (Some(message), 404) => ApiError::new(Layer::App, message).status(404),
        (Some(message), _) => ApiError::new(Layer::App, message).status(status),
        (None, 401 | 403) => ApiError::new(
            Layer::Auth,
            "the proxy in front of the engine does not let this through",
        )
        .status(status)
        .raw(reply.text())
        .hint("allow it there: CONTAINERS, IMAGES, EVENTS, INFO to read, and restarts where they are wanted"),
        (None, _) => reply.unexpected(),
    }
}
