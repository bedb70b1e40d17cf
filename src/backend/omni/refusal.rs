//! What a refusal of Omni means: its gRPC code beside the HTTP status, and the reasons behind a bare "invalid signature".

use jiff::Timestamp;
use serde::Deserialize;

use super::key::ServiceKey;
use crate::backend::error::{ApiError, SendError};
use crate::backend::http::Reply;
use crate::model::snapshot::{Fault, Layer};
use crate::model::time::{seconds_between, short};

/// How far client and server clocks may differ, in seconds (go-api-signature).
pub(super) const SKEW: i64 = 300;

/// gRPC codes that have a meaning of their own here.
pub(super) mod code {
    /// A malformed request, or a change in the wrong phase.
    pub const INVALID_ARGUMENT: i64 = 3;
    /// No such resource.
    pub const NOT_FOUND: i64 = 5;
    /// It exists already, or its version is another one than the update names.
    pub const ALREADY_EXISTS: i64 = 6;
    /// The role does not suffice.
    pub const PERMISSION_DENIED: i64 = 7;
    /// The licence terms have not been accepted, or a precondition is missing.
    pub const FAILED_PRECONDITION: i64 = 9;
    /// This server or runtime cannot do it.
    pub const UNIMPLEMENTED: i64 = 12;
    /// Any failure of the signature.
    pub const UNAUTHENTICATED: i64 = 16;
}

/// The body of every error, and the last line of a stream that fails.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    /// The gRPC code.
    pub code: i64,
    /// What the server says.
    pub message: String,
}

impl Status {
    /// The status in an answer's body; nothing where something else answered.
    pub(super) fn of(reply: &Reply) -> Option<Self> {
        serde_json::from_slice(reply.body()).ok().filter(|status: &Self| status.code != 0)
    }
}

/// Whether an answer says that the resource does not exist.
pub(super) fn is_not_found(reply: &Reply) -> bool {
    reply.status == 404 && Status::of(reply).is_some_and(|status| status.code == code::NOT_FOUND)
}

/// Reads an answer that is no success.
pub(super) fn of(reply: &Reply, key: &ServiceKey, now: Timestamp) -> ApiError {
    let Some(status) = Status::of(reply) else {
        if reply.status == 404 {
            return reply.unexpected().hint("this is no Omni API: `url` must be its base, without `/api`");
        }
        return reply.unexpected();
    };
    match status.code {
        code::UNAUTHENTICATED => unauthenticated(reply, key, now, &status.message),
        _ => plain(&status).status(reply.status),
    }
}

/// Reads a status that does not depend on the answer's headers.
pub(super) fn plain(status: &Status) -> ApiError {
    let (layer, what) = match status.code {
        code::PERMISSION_DENIED => (Layer::Auth, "the account may not do this"),
        code::FAILED_PRECONDITION if status.message.contains("EULA") => {
            (Layer::App, "Omni's licence terms have not been accepted yet")
        }
        code::FAILED_PRECONDITION => (Layer::App, "a precondition is missing"),
        code::NOT_FOUND => (Layer::App, "it does not exist"),
        code::ALREADY_EXISTS => (Layer::App, "it exists already or was changed meanwhile"),
        code::INVALID_ARGUMENT => (Layer::App, "Omni does not accept this"),
        code::UNAUTHENTICATED => (Layer::Auth, "the signature is not accepted"),
        _ => (Layer::App, "Omni answered with an error"),
    };
    let error = ApiError::new(layer, what).raw(&status.message);
    match status.code {
        code::PERMISSION_DENIED => error.missing("a higher role").hint(
            "`omnictl serviceaccount` shows the account's role; a suspended instance gives everyone Reader",
        ),
        code::FAILED_PRECONDITION if status.message.contains("EULA") => {
            error.hint("accept them once in the browser, under /eula")
        }
        _ => error,
    }
}

/// The server gives one answer for every failure of a signature; clocks and dates tell them apart.
fn unauthenticated(reply: &Reply, key: &ServiceKey, now: Timestamp, message: &str) -> ApiError {
    let what = |text: String| ApiError::new(Layer::Auth, text).status(reply.status).raw(message);
    let ahead = reply.date().map_or(0, |server| seconds_between(server, now));
    if ahead.abs() > SKEW {
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        return what(format!(
            "this machine's clock is {} {way} the server's, more than the 5m allowed",
            short(ahead)
        ))
        .hint("set the clock (`timedatectl set-ntp true`), here or on the server");
    }
    if let Some(end) = key.expires.filter(|end| *end <= now) {
        return what(format!("the key of {} expired {} ago", key.name, short(seconds_between(end, now))))
            .hint(format!("renew it with `omnictl serviceaccount renew {}`", key.name));
    }
    what(format!("Omni does not accept the key of {}", key.name)).hint(format!(
        "the account or its key {} may be deleted, revoked, or of another Omni: see `omnictl serviceaccount list`",
        key.fingerprint_hex().get(..16).unwrap_or_default()
    ))
}

/// What an answer to a write means: refused where it is certain that nothing was done, else unknown.
pub(super) fn of_write(reply: &Reply, key: &ServiceKey, now: Timestamp) -> SendError {
    let fault: Fault = of(reply, key, now).into();
    if (400..500).contains(&reply.status) { SendError::Refused(fault) } else { SendError::Unknown(fault) }
}
