//! Faults on demand: what can go wrong between a console and a server, as values.

use std::str::FromStr;
use std::time::Duration;

use crate::model::time::parse_duration;

/// One way to go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// Answers later.
    Latency(Duration),
    /// Never answers.
    Timeout,
    /// Is switched off: no connection comes about.
    Off,
    /// Closes the connection without an answer.
    Reset,
    /// Answers with this status and an empty body.
    Status(u16),
    /// Answers with this status in the server's own words: JSON, or the reason phrase of an answer without a body.
    Answer(u16, String),
    /// Is held up before the server sees it, until it is released.
    Held,
    /// A proxy's 502 page.
    BadGateway,
    /// Cloudflare's browser challenge.
    Challenge,
    /// A redirect to a login page.
    Login,
    /// The answer breaks off in the middle.
    Truncated,
    /// Every number becomes text and every text a number.
    WrongTypes,
    /// An answer without an end.
    Endless,
    /// Always the first answer, whatever happened since.
    Stale,
    /// The server's clock is ahead by so many seconds.
    Skew(i64),
    /// Another certificate.
    CertificateChange,
    /// Carries the request out, then answers 504.
    LostAnswer,
    /// Carries the request out, then never answers.
    Swallowed,
}

/// A fault, where it hits and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The server (`proxmox`), or a prefix of its name; empty hits all.
    pub server: String,
    /// The path's beginning, also after its method (`PATCH /apis`); empty hits all.
    pub path: String,
    /// How many requests it still hits; `None` is all.
    pub left: Option<u32>,
    /// What goes wrong.
    pub kind: FaultKind,
}

impl Fault {
    /// A fault on every request to a server.
    pub fn on(server: &str, kind: FaultKind) -> Self {
        Self { server: server.to_owned(), path: String::new(), left: None, kind }
    }

    /// Only on paths that begin so.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Only on so many requests.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.left = Some(count);
        self
    }

    /// Whether it is meant for a server.
    pub fn is_for(&self, server: &str) -> bool {
        server.starts_with(&self.server)
    }

    /// Whether it hits a request, given as `PATH` or `METHOD PATH`.
    pub fn hits(&self, server: &str, request: &str) -> bool {
        let path = request.split_once(' ').map_or(request, |(_, path)| path);
        let here = path.starts_with(&self.path) || request.starts_with(&self.path);
        self.is_for(server) && here && self.left != Some(0)
    }
}

/// Reads `SERVER:KIND[=VALUE][@PATH][*COUNT]`, as `vigie demo --faults` takes it.
impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (server, rest) = text.split_once(':').ok_or_else(|| format!("`{text}`: write SERVER:FAULT"))?;
        let (rest, left) = match rest.rsplit_once('*') {
            Some((rest, count)) => {
                (rest, Some(count.parse().map_err(|_| format!("`{count}` is no number of requests"))?))
            }
            None => (rest, None),
        };
        let (kind, path) = rest.split_once('@').unwrap_or((rest, ""));
        Ok(Self { server: server.to_owned(), path: path.to_owned(), left, kind: kind.parse()? })
    }
}

impl FromStr for FaultKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let seconds = || {
            parse_duration(value).ok_or_else(|| format!("`{value}` is no duration; write it like {name}=5s"))
        };
        Ok(match name {
            "latency" => match value.strip_suffix("ms") {
                Some(millis) => Self::Latency(Duration::from_millis(
                    millis.parse().map_err(|_| format!("`{value}` is no duration"))?,
                )),
                None => Self::Latency(seconds()?.unsigned_abs()),
            },
            "timeout" => Self::Timeout,
            "off" => Self::Off,
            "reset" => Self::Reset,
            "401" | "403" | "429" | "500" | "503" => Self::Status(name.parse().unwrap_or(500)),
            "answer" => answer(value)?,
            "held" => Self::Held,
            "502" => Self::BadGateway,
            "challenge" => Self::Challenge,
            "login" => Self::Login,
            "truncated" => Self::Truncated,
            "wrong-types" => Self::WrongTypes,
            "endless" => Self::Endless,
            "stale" => Self::Stale,
            "skew" => Self::Skew(seconds()?.as_secs()),
            "certificate" => Self::CertificateChange,
            "lost-answer" => Self::LostAnswer,
            "swallowed" => Self::Swallowed,
            _ => {
                return Err(format!(
                    "`{name}` is no fault; there are latency=, timeout, off, reset, 401, 403, 429, 500, 502, 503, answer=, held, \
                     challenge, login, truncated, wrong-types, endless, stale, skew=, certificate, lost-answer, swallowed"
                ));
            }
        })
    }
}

/// `403 the server's words`.
fn answer(value: &str) -> Result<FaultKind, String> {
    let (status, words) = value.split_once(' ').unwrap_or((value, ""));
    let status = status.parse().map_err(|_| format!("`{status}` is no status; write answer=403 WORDS"))?;
    Ok(FaultKind::Answer(status, words.to_owned()))
}
