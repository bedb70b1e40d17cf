//! Typed calls to `/api2/json`, and what the server's refusals mean; no policy.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde::de::DeserializeOwned;

use crate::backend::error::{ApiError, SendError};
use crate::backend::http::{Call, Http, Payload, Profile, Reply};
use crate::config::Connection;
use crate::model::snapshot::{Fault, Layer};

use super::lenient::Items;
use super::wire::{Data, Refusal};

/// The server closes a connection that is idle for 5 s.
const IDLE: Duration = Duration::from_secs(4);
/// Storage, disk and agent calls may hang behind a dead mount; pveproxy itself gives up after 30 s.
pub const SLOW: Duration = Duration::from_secs(35);
/// A refused token is not tried again before this: each try costs the host 3 s and a line in its auth log.
const AFTER_REFUSAL: Duration = Duration::from_secs(10);
/// Nor more often than this while it stays refused.
const AFTER_REFUSALS: Duration = Duration::from_secs(120);

/// Form fields.
pub type Fields = Vec<(&'static str, String)>;

/// A client of one Proxmox VE cluster or host.
#[derive(Debug)]
pub struct Client {
    http: Http,
    refused: Mutex<Option<Refused>>,
}

/// The last time the token was refused.
#[derive(Debug, Clone)]
struct Refused {
    at: Instant,
    wait: Duration,
    error: ApiError,
}

impl Client {
    /// A client that shows `token` with every request.
    pub fn new(connection: &Connection, token: &str) -> Result<Self, ApiError> {
        let profile = Profile { idle: IDLE, ..Profile::default() };
        let auth = [("authorization", format!("PVEAPIToken={}", token.trim()))];
        Ok(Self { http: Http::new(connection, &auth, &profile)?, refused: Mutex::default() })
    }

    /// Asks for one object.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.ask(&Call::get(api(path))).await?.json::<Data<T>>().map(|answer| answer.data)
    }

    /// Asks for a list; what is no object in it is left out.
    pub async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, ApiError> {
        whole(self.get::<Items<T>>(path).await?)
    }

    /// Asks for a list that may take the server long.
    pub async fn slow_list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, ApiError> {
        let reply = self.ask(&Call::get(api(path)).within(SLOW)).await?;
        whole(reply.json::<Data<Items<T>>>()?.data)
    }

    /// Asks for a list whose form the caller reads.
    pub async fn raw(&self, path: &str) -> Result<Reply, ApiError> {
        self.ask(&Call::get(api(path))).await
    }

    /// Sends a change; the answer's `data`, mostly a task id.
    pub async fn send(&self, method: Method, path: &str, fields: &Fields) -> Result<String, SendError> {
        let mut call = Call::new(method.clone(), api(path)).within(SLOW);
        // A body on DELETE is refused with 501.
        if method == Method::DELETE {
            call = fields.iter().fold(call, |call, (name, value)| call.query(*name, value.clone()));
        } else {
            let owned = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
            call = call.payload(Payload::Form(owned.collect()));
        }
        let reply = self.http.write(&call).await.map_err(explained)?;
        if !reply.is_success() {
            return Err(SendError::Refused(refusal(&reply).fault));
        }
        let unread = |error: ApiError| SendError::Unknown(error.fault);
        let answer = reply.json::<Data<super::lenient::LaxText>>().map_err(unread)?;
        Ok(answer.data.0.unwrap_or_default())
    }

    async fn ask(&self, call: &Call) -> Result<Reply, ApiError> {
        if let Some(refused) = self.known_refusal() {
            return Err(refused);
        }
        let reply = self.http.read(call).await.map_err(host_state)?;
        if reply.is_success() {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = None;
            return Ok(reply);
        }
        let error = refusal(&reply);
        if reply.status == 401 {
            self.remember(&error);
        }
        Err(error)
    }

    fn known_refusal(&self) -> Option<ApiError> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.as_ref().filter(|last| last.at.elapsed() < last.wait).map(|last| last.error.clone())
    }

    fn remember(&self, error: &ApiError) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = if refused.is_some() { AFTER_REFUSALS } else { AFTER_REFUSAL };
        *refused = Some(Refused { at: Instant::now(), wait, error: error.clone() });
    }
}

/// A list of which nothing can be read is no empty list.
fn whole<T>(list: Items<T>) -> Result<Vec<T>, ApiError> {
    if list.items.is_empty() && list.skipped > 0 {
        return Err(ApiError::new(Layer::App, "the answer is not the list that was expected"));
    }
    Ok(list.items)
}

fn api(path: &str) -> String {
    format!("/api2/json{path}")
}

/// Encodes one element of a path (a volume id, a task id).
pub fn element(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Says what a transport fault means for a host that may be off.
fn host_state(mut error: ApiError) -> ApiError {
    if error.fault.layer == Layer::Tcp && error.fault.hint.is_empty() {
        let hint = if error.fault.raw.contains("refused") {
            "the host is up, its API is not (pveproxy is starting or stopped)"
        } else {
            "the host is off, or the way to it is down"
        };
        hint.clone_into(&mut error.fault.hint);
    }
    error
}

fn explained(error: SendError) -> SendError {
    let named = |fault: Fault| host_state(ApiError { fault }).fault;
    match error {
        SendError::NotSent(fault) => SendError::NotSent(named(fault)),
        SendError::Unknown(fault) if fault.status.is_some_and(|status| (595..=599).contains(&status)) => {
            SendError::Unknown(Fault { status: fault.status, ..unavailable(&fault.raw).fault })
        }
        other => other,
    }
}

/// The server's words: `message`, or the parameters it names, or the reason phrase (its only place before 8.3).
pub fn message(reply: &Reply) -> String {
    let body: Refusal = serde_json::from_slice(reply.body()).unwrap_or_default();
    let errors = body.errors.0.unwrap_or_default();
    let named: Vec<String> =
        errors.into_iter().filter_map(|(name, text)| Some(format!("{name}: {}", text.0?.trim()))).collect();
    if !named.is_empty() {
        return named.join("; ");
    }
    let said = body.message.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    said.or_else(|| Some(reply.reason.clone()).filter(|text| !text.is_empty())).unwrap_or_default()
}

/// What a refusal means.
pub fn refusal(reply: &Reply) -> ApiError {
    let said = message(reply);
    let error = match reply.status {
        401 => ApiError::new(Layer::Auth, "the API token was not accepted")
            .hint("it was removed, it has expired, or its user is disabled"),
        403 => forbidden(&said),
        595..=599 => unavailable(&said),
        400 => ApiError::new(Layer::App, format!("the server refuses a parameter: {said}")),
        501 => ApiError::new(Layer::App, "this server does not know the call"),
        506 => ApiError::new(Layer::Http, "the server does not accept this form of request"),
        _ if said.is_empty() => return reply.unexpected(),
        _ => ApiError::new(Layer::App, said.clone()),
    };
    error.status(reply.status).raw(said)
}

/// `Permission check failed (/vms/200, VM.PowerMgmt)` names the path and the right.
fn forbidden(said: &str) -> ApiError {
    let inside = said.split_once("Permission check failed (").and_then(|(_, rest)| rest.split_once(')'));
    let right = inside.and_then(|(inside, _)| inside.split_once(", "));
    match right {
        Some((path, right)) => ApiError::new(Layer::Auth, format!("the token lacks {right} on {path}"))
            .missing(format!("{right} on {path}")),
        None => ApiError::new(Layer::Auth, "the token may not do this").missing("a right"),
    }
}

/// 595–599: the node that was asked could not be reached through the one that answers.
fn unavailable(said: &str) -> ApiError {
    ApiError::new(Layer::Http, "the node's API daemon did not answer")
        .raw(said)
        .hint("the node is down, or pvedaemon on it is stopped or busy")
}

/// Whether a refusal says that there is no such guest; Proxmox knows no 404.
pub fn is_missing(error: &ApiError) -> bool {
    error.fault.status == Some(500) && error.fault.raw.contains("does not exist")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_elements_are_encoded() {
        assert_eq!(element("local:backup/a b!@"), "local%3Abackup%2Fa%20b%21%40");
    }

    #[test]
    fn a_missing_right_is_named_with_its_path() {
        let error = forbidden("Permission check failed (/vms/200, VM.PowerMgmt)");
        assert_eq!(error.fault.missing.as_deref(), Some("VM.PowerMgmt on /vms/200"));
        let alternatives = forbidden("Permission check failed (/vms/1, VM.Snapshot|VM.Snapshot.Rollback)");
        assert!(alternatives.fault.what.contains("VM.Snapshot|VM.Snapshot.Rollback"));
        assert!(forbidden("no").fault.missing.is_some());
    }

    #[test]
    fn a_host_that_is_off_and_one_that_is_starting_are_told_apart() {
        let hint = |raw: &str| host_state(ApiError::new(Layer::Tcp, "no connection").raw(raw)).fault.hint;
        assert!(hint("Connection refused (os error 111)").contains("the host is up"));
        assert!(hint("no answer").contains("the host is off"));
    }
}
