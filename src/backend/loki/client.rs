//! The few questions that Loki is asked: which labels there are, which streams, and their lines over a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;

use crate::backend::error::ApiError;
use crate::backend::http::{Call, Http, Profile, Reply, resolve};
use crate::backend::lenient::{List, Many, Obj, Text, Words};
use crate::config::{HttpAuth, Loki};
use crate::model::row::Tone;
use crate::model::snapshot::Layer;
use crate::model::view::LogLine;

/// How many lines are asked for at most.
pub const LINES: u32 = 500;

/// One Loki.
#[derive(Debug)]
pub struct Client {
    http: Result<Http, ApiError>,
    tenant: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer<T: Default> {
    data: T,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Streams {
    result: List<Stream>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stream {
    stream: Obj<BTreeMap<String, Text>>,
    /// `["nanoseconds", "line"]`, perhaps with more behind.
    values: Many<Words>,
}

impl Client {
    /// Resolves secrets, so it may block.
    pub fn new(config: &Loki) -> Self {
        let open = || {
            let value = match &config.auth {
                HttpAuth::None => None,
                HttpAuth::Basic { user, password } => {
                    let pair = format!("{user}:{}", resolve(password)?);
                    Some(format!("Basic {}", STANDARD.encode(pair)))
                }
                HttpAuth::Bearer(token) => Some(format!("Bearer {}", resolve(token)?)),
            };
            let auth: Vec<_> = value.into_iter().map(|value| ("authorization", value)).collect();
            Http::new(&config.connection, &auth, &Profile::default())
        };
        Self { http: open(), tenant: config.tenant.clone() }
    }

    /// `GET /labels`: the names of all labels.
    pub async fn labels(&self) -> Result<Vec<String>, ApiError> {
        let answer: Answer<Words> = self.ask(Call::get("/loki/api/v1/labels")).await?.json()?;
        Ok(answer.data.iter().map(str::to_owned).collect())
    }

    /// `GET /series`: the label sets of the streams that match, within a time.
    pub async fn series(
        &self,
        selector: &str,
        (start, end): (Timestamp, Timestamp),
    ) -> Result<Vec<BTreeMap<String, String>>, ApiError> {
        let call = Call::get("/loki/api/v1/series").query("match[]", selector);
        let call = call.query("start", nanos(start)).query("end", nanos(end));
        let answer: Answer<List<BTreeMap<String, Text>>> = self.ask(call).await?.json()?;
        let plain = |labels: BTreeMap<String, Text>| {
            labels.into_iter().map(|(name, value)| (name, value.as_str().to_owned())).collect()
        };
        Ok(answer.data.0.into_iter().map(plain).collect())
    }

    /// `GET /query_range`: the lines of all matching streams, merged by time; the end is not included.
    pub async fn lines(
        &self,
        selector: &str,
        (start, end): (Timestamp, Timestamp),
    ) -> Result<Vec<LogLine>, ApiError> {
        let call = Call::get("/loki/api/v1/query_range").query("query", selector);
        let call = call.query("start", nanos(start)).query("end", nanos(end));
        let call = call.query("limit", LINES.to_string()).query("direction", "backward");
        let answer: Answer<Obj<Streams>> = self.ask(call).await?.json()?;
        let streams = &answer.data.result;
        let several = streams.len() > 1;
        let mut lines: Vec<LogLine> = streams.iter().flat_map(|stream| read(stream, several)).collect();
        lines.sort_by_key(|line| line.at);
        Ok(lines)
    }

    /// `GET /ready`.
    pub async fn ready(&self) -> Result<Reply, ApiError> {
        self.ask(Call::get("/ready")).await
    }

    async fn ask(&self, call: Call) -> Result<Reply, ApiError> {
        let http = self.http.as_ref().map_err(Clone::clone)?;
        let call = self.tenant.iter().fold(call, |call, tenant| call.header("x-scope-orgid", tenant));
        let reply = http.read(&call).await?;
        if reply.is_success() {
            return Ok(reply);
        }
        // Mostly plain text, such as `no org id` and `parse error at line 1, col 2: …`.
        Err(match (reply.status, reply.text().trim()) {
            (401, "no org id") => ApiError::new(Layer::Auth, "it keeps several tenants apart")
                .status(401)
                .raw("no org id")
                .hint("set `tenant` in this `[[loki]]`"),
            (401 | 403, text) => ApiError::new(Layer::Auth, "the credential is missing or wrong")
                .status(reply.status)
                .raw(text),
            (400, text) => ApiError::new(Layer::App, "the question is not understood").status(400).raw(text),
            _ => reply.unexpected(),
        })
    }
}

fn nanos(at: Timestamp) -> String {
    at.as_nanosecond().to_string()
}

fn read(stream: &Stream, several: bool) -> Vec<LogLine> {
    let label = |name: &str| stream.stream.get(name).and_then(Text::some);
    let source = ["container", "pod", "app", "service_name", "job"].into_iter().find_map(label);
    let source: Option<Arc<str>> = source.filter(|_| several).map(Arc::from);
    let line = |value: &Words| {
        let mut parts = value.iter();
        let at = parts.next()?.parse::<i128>().ok().and_then(|at| Timestamp::from_nanosecond(at).ok())?;
        let text = parts.next().unwrap_or_default().trim_end();
        Some(LogLine { at: Some(at), source: source.clone(), text: text.into(), tone: tone(text) })
    };
    stream.values.0.iter().filter_map(line).collect()
}

/// The role of a line by the level word near its beginning.
fn tone(text: &str) -> Tone {
    let start: String = text.chars().take(80).collect::<String>().to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| start.contains(word));
    match (says(&["error", "fatal", "panic", "critical", "no space left"]), says(&["warn"])) {
        (true, _) => Tone::Error,
        (false, true) => Tone::Warn,
        (false, false) => Tone::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_more_behind_and_of_wrong_types_are_read_as_far_as_they_go() {
        let body = r#"{"stream":{"pod":"a"},"values":[["1732449600000000000","level=error x\n",{"k":"v"}],["soon","y"],7,["1732449600000000001"]]}"#;
        let stream: Stream = serde_json::from_str(body).unwrap();
        let lines = read(&stream, true);
        assert_eq!(lines.len(), 2);
        assert_eq!(
            (&*lines[0].text, lines[0].tone, lines[0].source.as_deref()),
            ("level=error x", Tone::Error, Some("a"))
        );
    }
}
