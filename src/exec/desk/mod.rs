//! vigie's own desk as a system among the others: what is declared of the house goes through the same gate, checks,
//! journal and read-back as what is done to a server.
//!
//! A declaration is a line of the journal with an end and a reason. Where alerts can be reached a silence goes with it,
//! with an end of its own, and ends before that only where the operator says so.

mod silence;
mod spoken;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::desk::{DOMAINS, HOME_OFF, HOME_ON};
use crate::backend::error::{ApiError, SendError};
use crate::backend::{
    Backend, Diagnosis, Finding, Progress, ProgressSink, Proof, REGISTRY, Receipt, ViewSink,
};
use crate::config::Config;
use crate::insight::home::TOPIC;
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::journal::{Entry, Line};
use crate::model::op::{Decision, Evidence, Job, Rights, Target, Verdict};
use crate::model::row::{Cell, Domain, Health, Row, Tone};
use crate::model::snapshot::{Cadence, Fault, Layer, Mode, Snapshot, SourceSpec};
use crate::model::time::{Clock, parse_duration};
use crate::model::view::{Doc, Fact, View};

use super::call::blocking;
use super::connect::Connector;
use super::journal::Journal;

use spoken::Spoken;

/// The backend's id, the first part of its operations' names.
pub const ID: &str = "home";
/// The only instance.
const INSTANCE: &str = "vigie";
/// The only domain that is declared on and off.
const HOME: &str = "home";

/// The desk.
pub struct Desk {
    instance: Arc<str>,
    journal: Journal,
    clock: Clock,
    /// The longest silence that may be made, in seconds.
    longest: i64,
    alerts: Vec<Arc<dyn Backend>>,
}

/// Makes the desk.
pub fn connector(config: &Arc<Config>, clock: &Clock, journal: &Journal) -> Connector {
    Box::new(Desk::maker(config, clock, journal))
}

impl Desk {
    /// A desk that writes into a journal and silences these alert sources.
    pub fn new(journal: Journal, clock: Clock, longest: i64, alerts: Vec<Arc<dyn Backend>>) -> Self {
        Self { instance: INSTANCE.into(), journal, clock, longest, alerts }
    }

    /// Makes a desk with alert sources of its own to silence; may block.
    pub fn maker(
        config: &Arc<Config>,
        clock: &Clock,
        journal: &Journal,
    ) -> impl Fn() -> Vec<Arc<dyn Backend>> + Send + Sync + use<> {
        let (config, clock, journal) = (config.clone(), clock.clone(), journal.clone());
        move || {
            let alerts = REGISTRY.iter().filter(|definition| definition.id == silence::BACKEND);
            let alerts = alerts.flat_map(|definition| (definition.connect)(&config, &clock)).collect();
            let longest = i64::try_from(config.guard.longest_silence.as_secs()).unwrap_or(8 * 3600);
            vec![Arc::new(Self::new(journal.clone(), clock.clone(), longest, alerts))]
        }
    }

    async fn lines(&self) -> Result<Vec<Line>, ApiError> {
        let journal = self.journal.clone();
        let read = blocking(move || journal.read()).await;
        let unread = |error: std::io::Error| {
            ApiError::new(Layer::Config, "the journal cannot be read").raw(error.to_string())
        };
        Ok(read.map_err(unread)?.lines)
    }

    /// What is declared now.
    async fn spoken(&self) -> Result<Option<Spoken>, ApiError> {
        Ok(Spoken::standing(&self.lines().await?, self.clock.now()))
    }

    async fn declare(&self, job: &Job, until: Option<Timestamp>) -> Result<(), SendError> {
        let entry = Entry::Declared {
            topic: TOPIC.into(),
            about: None,
            until,
            text: job.arg("reason").trim().to_owned(),
        };
        let line = Line { at: self.clock.now(), run: job.run.clone(), operator: job.operator.clone(), entry };
        let journal = self.journal.clone();
        let written = blocking(move || journal.append(&line)).await;
        written.map_err(|error| {
            let fault = Fault::new(Layer::Config, "the journal cannot be written").raw(error.to_string());
            SendError::NotSent(fault)
        })
    }

    fn until(job: &Job, since: Timestamp) -> Result<Timestamp, ApiError> {
        let text = job.arg("for");
        let wait = parse_duration(text).filter(|wait| wait.as_secs() > 0);
        let wait = wait.ok_or_else(|| ApiError::new(Layer::App, format!("`{text}` is no duration")))?;
        since.checked_add(wait).map_err(|_| ApiError::new(Layer::App, format!("`{text}` is too long")))
    }

    async fn judge_off(&self, job: &Job) -> Result<Verdict, ApiError> {
        let until = Self::until(job, self.clock.now())?;
        let mut verdict = Verdict::allow(format!("declares home off until {}", local(until)), identity());
        if job.arg("reason").trim().is_empty() {
            verdict = refused(verdict, "reason", "a reason is required: the next one at the desk reads it");
        }
        if let Some(spoken) = self.spoken().await? {
            let says = format!("off already {}: this takes its place", spoken.words());
            verdict = verdict.and(Decision::Warn, Evidence::new("declared", says, Tone::Warn));
        }
        let says = "its sources are off, not lost; their last rows stay, greyed with their age";
        verdict.evidence.push(Evidence::new("screen", says, Tone::Text));
        if job.arg("silence") == "false" {
            verdict.evidence.push(Evidence::new("silence", "none is made", Tone::Text));
            return Ok(verdict);
        }
        Ok(self.judge_silences(job, verdict).await)
    }

    async fn judge_on(&self, job: &Job) -> Result<Verdict, ApiError> {
        let verdict = Verdict::allow("ends the declaration that home is off", identity());
        let Some(spoken) = self.spoken().await? else {
            return Ok(refused(verdict, "declared", "home is not declared off"));
        };
        let evidence = Evidence::new("declared", format!("off {}", spoken.words()), Tone::Text);
        let verdict = verdict.and(Decision::Allow, evidence);
        Ok(self.judge_expiry(job, &spoken, verdict).await)
    }

    async fn off(&self, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
        let until = Self::until(job, self.clock.now()).map_err(|error| SendError::NotSent(error.fault))?;
        self.declare(job, Some(until)).await?;
        let said = format!("declared off until {}", local(until));
        if job.arg("silence") == "false" {
            return Ok(Receipt { said, ..Receipt::default() });
        }
        self.hush(job, said, progress).await
    }

    async fn on(&self, job: &Job) -> Result<Receipt, SendError> {
        let spoken = self.spoken().await.map_err(|error| SendError::NotSent(error.fault))?;
        self.declare(job, None).await?;
        let said = "not declared off any more".to_owned();
        match spoken.filter(|_| job.arg("silence") != "false") {
            Some(spoken) => self.expire(job, &spoken, said).await,
            None => Ok(Receipt { said, ..Receipt::default() }),
        }
    }

    fn row(&self, spoken: Option<&Spoken>) -> Row {
        let text = |text: Option<&str>| Cell::new(text.unwrap_or_default());
        let state = if spoken.is_some() { "declared off" } else { "not declared" };
        let said = spoken.map(|spoken| &spoken.declaration);
        let cells = vec![
            Cell::toned(state, if spoken.is_some() { Tone::Off } else { Tone::Dim }),
            Cell::new(HOME),
            Cell::new(said.map(|said| said.until)),
            text(said.map(|said| said.text.as_str())),
            text(said.map(|said| &*said.by)),
            text(spoken.map(Spoken::silence_words).as_deref()),
            Cell::new(said.map(|said| said.since)),
        ];
        let mut row = Row::new(self.home(), HOME, cells);
        row.health = if spoken.is_some() { Health::Off } else { Health::Unknown };
        row.identity = identity();
        row
    }

    fn home(&self) -> EntityId {
        EntityId::new(DOMAINS, self.instance.clone(), HOME)
    }
}

/// There is only one house.
fn identity() -> Identity {
    Identity::new().with("domain", HOME)
}

fn refused(verdict: Verdict, what: &str, why: &str) -> Verdict {
    verdict.and(Decision::Refuse, Evidence::new(what, why, Tone::Error))
}

/// A clock time where the operator is.
fn local(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%a %d %b %H:%M").to_string()
}

#[async_trait]
impl Backend for Desk {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.instance
    }

    fn sources(&self) -> Vec<SourceSpec> {
        vec![SourceSpec {
            id: SourceId::new(ID, self.instance.clone(), "domains"),
            kinds: vec![DOMAINS.into()],
            mode: Mode::Poll(Cadence { focused: 10, visible: 60, hidden: 300 }),
            domain: Domain::Unknown,
        }]
    }

    async fn poll(&self, _source: &SourceId) -> Result<Snapshot, ApiError> {
        let spoken = self.spoken().await?;
        Ok(Snapshot::complete(vec![self.row(spoken.as_ref())], self.clock.now()))
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let known = kind.as_str() == DOMAINS && exact == HOME;
        let target =
            || Target { id: self.home(), name: HOME.into(), identity: identity(), domain: Domain::Home };
        Ok(known.then(target).into_iter().collect())
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        if *id != self.home() || view != "describe" {
            return Err(ApiError::unsupported(format!("{id} has no view `{view}`")));
        }
        let spoken = self.spoken().await?;
        let facts = match &spoken {
            Some(spoken) => spoken.facts(),
            None => vec![Fact::new("declared", "nothing: it is expected to answer")],
        };
        let _ = sink.send(View::Doc(Doc::default().facts("", facts))).await;
        sink.closed().await;
        Ok(())
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        Ok(Rights::default())
    }

    async fn doctor(&self) -> Diagnosis {
        let finding = match self.lines().await {
            Ok(lines) => Finding::new("journal", format!("{} lines can be read", lines.len()), Tone::Ok),
            Err(error) => Finding::new("journal", error.to_string(), Tone::Error),
        };
        Diagnosis { findings: vec![finding], rights: Some(Rights::default()), ..Diagnosis::default() }
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        let unknown = || ApiError::unsupported(format!("{target} is no domain"));
        (*target == self.home()).then(identity).ok_or_else(unknown)
    }

    async fn preflight(&self, job: &Job) -> Result<Verdict, ApiError> {
        match &*job.op {
            HOME_OFF => self.judge_off(job).await,
            HOME_ON => self.judge_on(job).await,
            other => Err(ApiError::unsupported(format!("the desk has no operation `{other}`"))),
        }
    }

    async fn operate(&self, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        match &*job.op {
            HOME_OFF => self.off(job, &progress).await,
            HOME_ON => self.on(job).await,
            other => {
                let fault = Fault::new(Layer::App, format!("the desk has no operation `{other}`"));
                Err(SendError::NotSent(fault))
            }
        }
    }

    async fn verify(&self, job: &Job, _remote: Option<&str>, since: Timestamp) -> Result<Proof, ApiError> {
        let lines = self.lines().await?;
        if &*job.op == HOME_ON {
            return Ok(if Spoken::ended_by(&lines, &job.run) {
                self.proof_of_expiry(job, &lines, since).await
            } else {
                Proof::Absent("the journal says nothing of it".to_owned())
            });
        }
        Ok(match Spoken::by_run(&lines, &job.run) {
            Some(spoken) => self.proof_of_silences(job, &spoken, since).await,
            None => Proof::Absent("the journal says nothing of it".to_owned()),
        })
    }
}

/// Tells that a silence was taken on, so that it is found again after a crash.
async fn accepted(progress: &ProgressSink, remote: String) {
    let _ = progress.send(Progress::Accepted(remote)).await;
}

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;
