//! Checklists as a system among the others: they are listed without asking anybody, and asked step by step while somebody looks.
//!
//! The servers are asked through connections of their own, so that a checklist sees what is there now and not what
//! the screen remembers. Nothing is changed by any of it.

mod run;
mod ticks;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::app::desk::{CHECKLISTS, TICK};
use crate::backend::error::{ApiError, SendError};
use crate::backend::{self, Backend, Diagnosis, Finding, ProgressSink, Proof, Receipt, ViewSink};
use crate::config::Config;
use crate::config::checklist::Checklist;
use crate::insight::checklist::{Mark, Outcome};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::kind::{Format, Kinds, Text};
use crate::model::op::{Field, FieldKind, Job, OpSpec, Rights, Target, Verdict};
use crate::model::row::{Cell, Domain, Health, Row, Tone};
use crate::model::snapshot::{Cadence, Fault, Layer, Mode, Snapshot, SourceSpec};
use crate::model::time::Clock;
use crate::model::view::{Doc, DocLine, Fact, View};

use super::connect::Connector;
use super::journal::Journal;

use ticks::Ticks;

/// The backend's id, the first part of its kind's and operation's names.
pub const ID: &str = "checks";
/// The only instance.
const INSTANCE: &str = "vigie";

/// Makes the backends that are asked; may block.
pub type Makes = Arc<dyn Fn() -> Vec<Arc<dyn Backend>> + Send + Sync>;

/// All checklists, and whom they ask.
pub struct Checks {
    instance: Arc<str>,
    lists: Vec<Checklist>,
    /// Read when a checklist is first run.
    kinds: LazyLock<Kinds>,
    clock: Clock,
    makes: Makes,
    made: tokio::sync::OnceCell<Vec<Arc<dyn Backend>>>,
    /// Where ticks are kept, as every other thing that somebody did.
    journal: Option<Journal>,
    ticks: Mutex<Ticks>,
    last: Mutex<BTreeMap<String, (Timestamp, Vec<Outcome>)>>,
}

/// Makes the checklists.
pub fn connector(config: &Arc<Config>, clock: &Clock, journal: &Journal) -> Connector {
    let checks = Checks::configured(config, clock, journal);
    Box::new(move || vec![Arc::new(checks)])
}

impl Checks {
    /// The shipped checklists and the configured ones, asking what is configured; ticks are lines of the journal.
    pub fn configured(config: &Arc<Config>, clock: &Clock, journal: &Journal) -> Self {
        let mut lists = Checklist::shipped();
        for own in &config.checklists {
            lists.retain(|list| list.name != own.name);
            lists.push(own.clone());
        }
        let (config, time) = (config.clone(), clock.clone());
        let makes = Arc::new(move || backend::connect(&config, &time));
        Self { journal: Some(journal.clone()), ..Self::new(lists, clock.clone(), makes) }
    }

    /// These checklists, asking those backends; ticks end with them.
    pub fn new(lists: Vec<Checklist>, clock: Clock, makes: Makes) -> Self {
        Self {
            instance: INSTANCE.into(),
            lists,
            kinds: LazyLock::new(|| Kinds::new(backend::kinds())),
            clock,
            makes,
            made: tokio::sync::OnceCell::new(),
            journal: None,
            ticks: Mutex::default(),
            last: Mutex::default(),
        }
    }

    /// The names of all of them.
    pub fn names(&self) -> Vec<&str> {
        self.lists.iter().map(|list| list.name.as_str()).collect()
    }

    /// One by its name.
    pub fn named(&self, name: &str) -> Option<&Checklist> {
        self.lists.iter().find(|list| list.name == name)
    }

    fn ticks(&self) -> MutexGuard<'_, Ticks> {
        self.ticks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last(&self) -> MutexGuard<'_, BTreeMap<String, (Timestamp, Vec<Outcome>)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, id: &EntityId) -> Result<&Checklist, ApiError> {
        self.named(&id.key)
            .ok_or_else(|| ApiError::unsupported(format!("there is no checklist `{}`", id.key)))
    }

    fn row(&self, list: &Checklist) -> Row {
        let last = self.last().get(&list.name).cloned();
        let (word, health) = match &last {
            None => ("not asked", Health::Unknown),
            Some((_, outcomes)) => overall(outcomes),
        };
        let manual = list.steps.iter().filter(|step| step.manual).count();
        let steps = i64::try_from(list.steps.len()).unwrap_or(i64::MAX);
        let cells = vec![
            Cell::toned(word, Tone::from(health)),
            Cell::new(list.name.as_str()),
            Cell::new(list.title.as_str()),
            Cell::new(steps),
            Cell::new(i64::try_from(manual).ok().filter(|n| *n > 0)),
            Cell::new(last.as_ref().map(|(at, _)| *at)),
        ];
        let id = EntityId::new(CHECKLISTS, self.instance.clone(), list.name.as_str());
        let mut row = Row::new(id, list.name.as_str(), cells);
        // What failed stands in its own list already: here it is only a page that was read, or was not.
        row.health = if last.is_some() { Health::Ok } else { Health::Unknown };
        row.identity = Identity::new().with("name", list.name.as_str());
        row
    }

    /// What is known so far, step by step.
    pub fn doc(&self, list: &Checklist, outcomes: &[Outcome], done: bool) -> Doc {
        let (word, health) = if done { overall(outcomes) } else { ("asking", Health::Pending) };
        let head = vec![
            Fact::new("state", word).format(Format::State).tone(Tone::from(health)),
            Fact::new("asks", list.title.as_str()),
        ];
        let mut doc = Doc::default().facts(list.name.clone(), head);
        for (at, step) in list.steps.iter().enumerate() {
            let Some(outcome) = outcomes.get(at) else { break };
            let heading: Text = format!("{}. {}", at + 1, step.title).into();
            let mark = outcome.mark;
            let mut lines = vec![DocLine::toned(mark.word(), mark.tone())];
            lines.extend(outcome.evidence.iter().map(DocLine::new));
            if !matches!(mark, Mark::Pass | Mark::Ticked | Mark::Skipped) && !step.next.is_empty() {
                lines.push(DocLine::toned(format!("next: {}", step.next), Tone::Info));
            }
            doc = doc.lines(heading, lines);
        }
        doc
    }

    /// What somebody has said of a step that nobody else can look at.
    fn by_hand(&self, list: &Checklist, at: usize) -> Outcome {
        let title = list.steps.get(at).map_or("", |step| step.title.as_str());
        self.ticks().outcome(&list.name, title, self.clock.now())
    }

    /// Takes in what was ticked before, here or elsewhere.
    pub(super) async fn recall(&self) {
        let Some(journal) = self.journal.clone() else { return };
        match super::call::blocking(move || journal.read()).await {
            Ok(reading) => self.ticks().recall(&reading.lines),
            Err(error) => tracing::warn!(%error, "earlier ticks cannot be read"),
        }
    }

    fn step_of(&self, job: &Job) -> Result<(&Checklist, usize), ApiError> {
        let list = self.known(&job.target.id)?;
        let wanted = job.arg("step");
        let at = list.steps.iter().position(|step| step.manual && step.title == wanted);
        at.map(|at| (list, at))
            .ok_or_else(|| ApiError::unsupported(format!("`{wanted}` is no step that is looked at by hand")))
    }
}

/// The worst of all steps.
pub fn overall(outcomes: &[Outcome]) -> (&'static str, Health) {
    let has = |mark| outcomes.iter().any(|outcome| outcome.mark == mark);
    match () {
        () if has(Mark::Fail) => ("fail", Health::Critical),
        () if has(Mark::Unknown) => ("unknown", Health::Unknown),
        () if has(Mark::Open) => ("by hand", Health::Pending),
        () => ("pass", Health::Ok),
    }
}

#[async_trait]
impl Backend for Checks {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.instance
    }

    fn sources(&self) -> Vec<SourceSpec> {
        vec![SourceSpec {
            id: SourceId::new(ID, self.instance.clone(), "checklists"),
            kinds: vec![CHECKLISTS.into()],
            mode: Mode::Poll(Cadence { focused: 5, visible: 30, hidden: 3600 }),
            domain: Domain::Unknown,
        }]
    }

    async fn poll(&self, _source: &SourceId) -> Result<Snapshot, ApiError> {
        let rows = self.lists.iter().map(|list| self.row(list)).collect();
        Ok(Snapshot::complete(rows, self.clock.now()))
    }

    async fn resolve(&self, _kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        Ok(self.named(exact).map(|list| self.row(list).into()).into_iter().collect())
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        if view != "describe" {
            return Err(ApiError::unsupported(format!("{} has no view `{view}`", id.kind)));
        }
        let list = self.known(id)?.clone();
        let mut told = Vec::new();
        self.ask(&list, |outcomes| {
            told = outcomes.to_vec();
            // Whoever looks sees each step as it is answered; a reader who is slow sees the next one.
            let _ = sink.try_send(View::Doc(self.doc(&list, outcomes, false)));
        })
        .await;
        loop {
            for (at, step) in list.steps.iter().enumerate().filter(|(_, step)| step.manual) {
                if told.get(at).is_some_and(|outcome| outcome.mark != Mark::Skipped) && step.manual {
                    told[at] = self.by_hand(&list, at);
                }
            }
            if sink.send(View::Doc(self.doc(&list, &told, true))).await.is_err() {
                return Ok(());
            }
            tokio::select! {
                () = sink.closed() => return Ok(()),
                () = tokio::time::sleep(std::time::Duration::from_secs(2)) => {}
            }
        }
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        Ok(Rights::default())
    }

    async fn doctor(&self) -> Diagnosis {
        let says = format!("{} checklists: {}", self.lists.len(), self.names().join(", "));
        Diagnosis {
            findings: vec![Finding::new("reach", says, Tone::Ok)],
            rights: Some(Rights::default()),
            ..Diagnosis::default()
        }
    }

    async fn form(&self, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
        let [target] = targets else { return Ok(op.form.clone()) };
        let list = self.known(&target.id)?;
        let titles: Vec<Text> =
            list.steps.iter().filter(|step| step.manual).map(|step| step.title.clone().into()).collect();
        if titles.is_empty() {
            return Err(ApiError::unsupported(format!(
                "{} has no step that is looked at by hand",
                list.name
            )));
        }
        let mut form = op.form.clone();
        for field in &mut form {
            field.kind = FieldKind::Choice(titles.clone());
        }
        Ok(form)
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        Ok(Identity::new().with("name", self.known(target)?.name.as_str()))
    }

    async fn preflight(&self, job: &Job) -> Result<Verdict, ApiError> {
        match self.step_of(job) {
            Ok((list, at)) => {
                let effect = format!("says that somebody has looked at step {} of {}", at + 1, list.name);
                Ok(Verdict::allow(effect, job.target.identity.clone()))
            }
            Err(error) => Ok(Verdict::refuse("step", error.fault.what)),
        }
    }

    async fn operate(&self, job: &Job, _progress: ProgressSink) -> Result<Receipt, SendError> {
        if *job.op != *TICK {
            let fault = Fault::new(Layer::App, format!("checks has no operation `{}`", job.op));
            return Err(SendError::NotSent(fault));
        }
        let (list, at) = self.step_of(job).map_err(|error| SendError::NotSent(error.fault))?;
        self.ticks().add(&list.name, &list.steps[at].title, self.clock.now(), &job.operator);
        Ok(Receipt { said: format!("step {} of {} is ticked", at + 1, list.name), ..Receipt::default() })
    }

    async fn verify(&self, job: &Job, _remote: Option<&str>, _since: Timestamp) -> Result<Proof, ApiError> {
        let (list, at) = self.step_of(job)?;
        let ticked =
            self.ticks().outcome(&list.name, &list.steps[at].title, self.clock.now()).mark == Mark::Ticked;
        let says = format!("step {} of {}", at + 1, list.name);
        Ok(if ticked {
            Proof::Seen(format!("{says} is ticked"))
        } else {
            Proof::Absent(format!("{says} is not ticked"))
        })
    }
}

#[cfg(test)]
mod tests;
