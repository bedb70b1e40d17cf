//! ntfy: what a phone was told, as rows for the time line, and a test message that proves the last hop.

mod client;
#[cfg(feature = "demo")]
mod sim;
mod wire;

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use crate::config::{self, Config};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::kind::{Column, Format, KindSpec, Width};
use crate::model::op::{
    Decision, Evidence, Field, FieldKind, Job, OpSpec, Rights, Target, Targets, Tier, Verdict,
};
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row, Tone, Value};
use crate::model::snapshot::{Cadence, Mode, Snapshot, SourceSpec};
use crate::model::time::{Clock, seconds_between};
use crate::model::view::{Doc, DocLine, Fact, View};

use super::error::{ApiError, SendError};
use super::http::Http;
use super::{Backend, Definition, Diagnosis, Finding, ProgressSink, Proof, Receipt, ViewSink};

use wire::Message;

const ID: &str = "notify";
/// What the topics hold.
const MESSAGES: &str = "notify.messages";
/// Publishes one message.
const NTFY: &str = "notify.ntfy";
/// The stream of messages.
const FEED: &str = "messages";
/// How far back messages are asked for; the server keeps half a day unless it was told otherwise.
const SINCE: &str = "24h";
/// The longest text, in bytes: a longer one would become an attachment.
const LONGEST: usize = 4096;
/// After so many seconds a lost message will not arrive any more.
const LOST: i64 = 60;

/// The backend's line in the registry.
pub const DEFINITION: Definition = Definition {
    id: ID,
    kinds: || vec![kind()],
    operations: || vec![operation()],
    connect,
    #[cfg(feature = "demo")]
    simulators: sim::all,
};

fn kind() -> KindSpec {
    KindSpec {
        id: MESSAGES.into(),
        singular: "message".into(),
        aliases: vec!["message".into(), "ntfy".into()],
        doc: "What the phone was told: the messages of the configured topics, as long as the server keeps them.".into(),
        columns: vec![
            Column::new("priority", "priority", Width::Fit(3, 7), "min, low, default, high or urgent")
                .format(Format::State)
                .priority(1),
            Column::new("name", "title", Width::Flex(2), "its heading").priority(0),
            Column::new("message", "message", Width::Flex(3), "its text").priority(1),
            Column::new("topic", "topic", Width::Fit(4, 24), "where it was published").priority(2),
            Column::new("at", "at", Width::Fit(3, 5), "when").format(Format::Age).priority(0),
            Column::new("tags", "tags", Width::Fit(4, 20), "its tags").wide(),
        ],
        sort: (4, true),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}

fn operation() -> OpSpec {
    let choices = ["min", "low", "default", "high", "urgent"].map(Into::into).to_vec();
    let base = OpSpec::on(
        MESSAGES,
        NTFY,
        "publish",
        Tier::T1,
        "Publishes one message to the configured topic: a test that reaches the phone.",
    );
    OpSpec { targets: Targets::New { kind: MESSAGES.into(), what: "title".into() }, ..base }
        .form(vec![
            Field::new("message", "message", FieldKind::Line, "What it says, at most 4096 bytes.")
                .default("A test message from vigie."),
            Field::new("priority", "priority", FieldKind::Choice(choices), "How loud it is.")
                .default("default"),
        ])
        .right("to publish to the topic of `publish`")
}

/// One ntfy.
struct Notify {
    config: config::Ntfy,
    http: Result<Http, ApiError>,
    clock: Clock,
}

fn connect(config: &Config, clock: &Clock) -> Vec<Arc<dyn Backend>> {
    let make = |ntfy: &config::Ntfy| -> Arc<dyn Backend> {
        Arc::new(Notify { http: client::open(ntfy), config: ntfy.clone(), clock: clock.clone() })
    };
    config.ntfy.iter().map(make).collect()
}

impl Notify {
    fn http(&self) -> Result<&Http, ApiError> {
        self.http.as_ref().map_err(Clone::clone)
    }

    /// The topics that are read: those of the list, and the one that a test goes to.
    fn topics(&self) -> Vec<String> {
        let mut topics = self.config.topics.clone();
        topics.extend(self.config.publish.clone().filter(|topic| !self.config.topics.contains(topic)));
        topics
    }

    async fn list(&self) -> Result<Snapshot, ApiError> {
        let topics = self.topics();
        if topics.is_empty() {
            return Err(
                ApiError::unsupported("no topic is configured").hint("set `topics` of this `[[ntfy]]`")
            );
        }
        let messages = client::messages(self.http()?, &topics, SINCE).await?;
        let rows = messages.iter().map(|message| self.row(message)).collect();
        Ok(Snapshot::complete(rows, self.clock.now()))
    }

    fn row(&self, message: &Message) -> Row {
        let (word, tone) = priority(message.priority.0);
        let title = message.title.some().unwrap_or(&message.message);
        let at = message.time.0.and_then(|second| Timestamp::from_second(second).ok());
        let tags: Vec<&str> = message.tags.iter().collect();
        let cells = vec![
            Cell::toned(word, tone),
            Cell::new(Value::text(title)),
            Cell::new(Value::text(&*message.message)),
            Cell::new(Value::text(&*message.topic)),
            Cell::new(at),
            Cell::new(Value::text(tags.join(" "))),
        ];
        let id = EntityId::new(MESSAGES, self.config.connection.name.clone(), &*message.id);
        let name: String = title.chars().take(80).collect();
        let mut row = Row::new(id, if name.is_empty() { "message" } else { name.as_str() }, cells);
        row.health = Health::Ok;
        row.note = message.message.some().filter(|text| *text != title).map(Arc::from);
        row.domain = self.config.connection.domain;
        row.identity = Identity::new().with("id", &*message.id);
        // An alert's name in the heading is the only trace that leads back to it.
        let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 5);
        row.facets = words.map(|word| Facet::new(FacetKey::Name, word, Grade::Hint)).collect();
        row
    }
}

fn priority(level: Option<i64>) -> (&'static str, Tone) {
    match level.unwrap_or(3) {
        1 => ("min", Tone::Dim),
        2 => ("low", Tone::Dim),
        4 => ("high", Tone::Warn),
        5 => ("urgent", Tone::Error),
        _ => ("default", Tone::Text),
    }
}

fn level(word: &str) -> i64 {
    let words = ["min", "low", "default", "high", "urgent"];
    words.iter().position(|known| *known == word).and_then(|at| i64::try_from(at).ok()).map_or(3, |at| at + 1)
}

#[async_trait]
impl Backend for Notify {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.config.connection.name
    }

    fn sources(&self) -> Vec<SourceSpec> {
        vec![SourceSpec {
            id: SourceId::new(ID, self.config.connection.name.clone(), FEED),
            kinds: vec![MESSAGES.into()],
            mode: Mode::Poll(Cadence { focused: 10, visible: 30, hidden: 60 }),
            domain: self.config.connection.domain,
        }]
    }

    async fn poll(&self, _source: &SourceId) -> Result<Snapshot, ApiError> {
        self.list().await
    }

    async fn resolve(&self, _kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let rows = self.list().await?.rows.into_iter();
        let rows = rows.filter(|row| &*row.name == exact || &*row.id.key == exact);
        Ok(rows.map(Target::from).collect())
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        if view != "describe" {
            return Err(ApiError::unsupported(format!("there is no view {view} of {}", id.kind)));
        }
        let messages = client::messages(self.http()?, &self.topics(), SINCE).await?;
        let found = messages.iter().find(|message| *message.id == *id.key);
        let message = found.ok_or_else(|| ApiError::unsupported("the server keeps it no longer"))?;
        let (word, tone) = priority(message.priority.0);
        let at = message.time.0.and_then(|second| Timestamp::from_second(second).ok());
        let mut facts = vec![Fact::new("priority", word).tone(tone), Fact::new("topic", &*message.topic)];
        facts.extend(at.map(|at| Fact::new("at", at).format(Format::Age)));
        facts.extend(message.click.some().map(|link| Fact::new("leads to", link)));
        let title = message.title.some().unwrap_or("message").to_owned();
        let lines = message.message.lines().map(DocLine::new).collect();
        let _ = sink.send(View::Doc(Doc::default().facts("", facts).lines(title, lines))).await;
        sink.closed().await;
        Ok(())
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        let mut rights = Rights::default();
        if self.config.publish.is_none() {
            rights.missing.insert(NTFY.to_owned(), "`publish` of this `[[ntfy]]`".to_owned());
        }
        Ok(rights)
    }

    async fn doctor(&self) -> Diagnosis {
        let started = Instant::now();
        let asked = async { client::health(self.http()?).await };
        let mut findings = match asked.await {
            Ok(reply) => {
                vec![Finding::new(
                    "reach",
                    format!("{} in {} ms", reply.url, started.elapsed().as_millis()),
                    Tone::Ok,
                )]
            }
            Err(error) => vec![Finding::new("reach", error.to_string(), Tone::Error)],
        };
        findings.push(match self.list().await {
            Ok(list) => Finding::new("topics", format!("{} messages", list.rows.len()), Tone::Ok),
            Err(error) => Finding::new("topics", format!("{error}; {}", error.fault.hint), Tone::Error),
        });
        Diagnosis { findings, ..Diagnosis::default() }
    }

    async fn identify(&self, _target: &EntityId) -> Result<Identity, ApiError> {
        Ok(Identity::new())
    }

    async fn preflight(&self, job: &Job) -> Result<Verdict, ApiError> {
        let Some(topic) = &self.config.publish else {
            return Ok(Verdict::refuse("topic", "no `publish` is configured for this `[[ntfy]]`"));
        };
        if job.arg("message").len() > LONGEST {
            return Ok(Verdict::refuse("message", "it is longer than 4096 bytes"));
        }
        let effect = format!("publishes it to {topic}: every phone that listens there is told");
        let verdict = Verdict::allow(effect, Identity::new());
        Ok(match client::health(self.http()?).await {
            Ok(_) => verdict,
            Err(error) => {
                verdict.and(Decision::Blind, Evidence::new("server", error.to_string(), Tone::Unknown))
            }
        })
    }

    async fn operate(&self, job: &Job, _progress: ProgressSink) -> Result<Receipt, SendError> {
        let http = self.http().map_err(|error| SendError::NotSent(error.fault))?;
        let topic = self.config.publish.clone().unwrap_or_default();
        let message = json!({
            "topic": topic, "title": &*job.target.name, "message": job.arg("message"),
            "priority": level(job.arg("priority")), "tags": ["vigie"],
        });
        let sent = client::publish(http, message).await?;
        Ok(Receipt {
            remote: Some((*sent.id).to_owned()),
            said: format!("published to {topic}"),
            reveal: None,
        })
    }

    async fn verify(&self, job: &Job, remote: Option<&str>, since: Timestamp) -> Result<Proof, ApiError> {
        let messages = client::messages(self.http()?, &self.topics(), SINCE).await?;
        let ours = |message: &&Message| match remote {
            Some(id) => *message.id == *id,
            None => {
                message.time.or_zero() >= since.as_second() - 2
                    && *message.title == *job.target.name
                    && *message.message == *job.arg("message")
            }
        };
        let look = || "look at the topic, or at the phone".to_owned();
        Ok(match messages.iter().find(ours) {
            Some(message) => Proof::Seen(format!("{} holds it as {}", &*message.topic, &*message.id)),
            None if seconds_between(since, self.clock.now()) > LOST => {
                Proof::Absent("the topic does not hold it".to_owned())
            }
            None => Proof::Unclear("the topic does not hold it yet".to_owned(), look()),
        })
    }
}

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;
