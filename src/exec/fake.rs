//! A backend for tests that answers as it was told and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::backend::error::{ApiError, SendError};
use crate::backend::{Backend, Diagnosis, Finding, Progress, ProgressSink, Proof, Receipt, ViewSink};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::op::{Args, Decision, Evidence, Job, OpSpec, Rights, RunId, Target, Tier, Verdict};
use crate::model::row::{Cell, Domain, Row, Tone};
use crate::model::snapshot::{Cadence, Delta, Layer, Mode, Snapshot, SourceSpec};
use crate::model::view::{Doc, View};

/// The kind that it carries.
pub const KIND: &str = "fake.things";

/// Answers that were prepared; the last one is repeated.
pub struct Answers<T>(Mutex<VecDeque<T>>);

impl<T: Clone> Answers<T> {
    pub fn new(answers: impl IntoIterator<Item = T>) -> Self {
        Self(Mutex::new(answers.into_iter().collect()))
    }

    pub fn set(&self, answers: impl IntoIterator<Item = T>) {
        *self.0.lock().unwrap() = answers.into_iter().collect();
    }

    pub fn peek(&self) -> T {
        self.0.lock().unwrap()[0].clone()
    }

    fn next(&self) -> T {
        let mut answers = self.0.lock().unwrap();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
    }
}

/// What sending does.
#[derive(Clone)]
pub enum Sending {
    Answers(Result<Receipt, SendError>),
    Panics,
    Never,
}

pub struct Fake {
    pub instance: Arc<str>,
    pub kind: &'static str,
    pub mode: Mode,
    pub lists: Answers<Result<Snapshot, ApiError>>,
    pub rights: Answers<Result<Rights, ApiError>>,
    pub verdict: Answers<Result<Verdict, ApiError>>,
    pub identity: Answers<Result<Identity, ApiError>>,
    pub steps: Answers<Vec<Progress>>,
    pub sending: Answers<Sending>,
    pub proofs: Answers<Result<Proof, ApiError>>,
    pub calls: Mutex<Vec<&'static str>>,
    /// Sent on when an operation is under way, for tests that wait for it.
    pub under_way: mpsc::Sender<()>,
    /// The receiving end.
    pub arrived: tokio::sync::Mutex<mpsc::Receiver<()>>,
}

impl Default for Fake {
    fn default() -> Self {
        let (under_way, arrived) = mpsc::channel(64);
        let receipt = Receipt { remote: None, said: "accepted by the server".into(), reveal: None };
        Self {
            instance: "one".into(),
            kind: KIND,
            mode: Mode::Poll(Cadence { focused: 5, visible: 10, hidden: 30 }),
            lists: Answers::new([Ok(Snapshot::complete(vec![row("a"), row("b")], Timestamp::UNIX_EPOCH))]),
            rights: Answers::new([Ok(Rights::default())]),
            verdict: Answers::new([Ok(Verdict::allow("starts it", identity("1")))]),
            identity: Answers::new([Ok(identity("1"))]),
            steps: Answers::new([vec![]]),
            sending: Answers::new([Sending::Answers(Ok(receipt))]),
            proofs: Answers::new([Ok(Proof::Seen("it runs".into()))]),
            calls: Mutex::default(),
            under_way,
            arrived: tokio::sync::Mutex::new(arrived),
        }
    }
}

impl Fake {
    pub fn sent(&self) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| **call == "operate").count()
    }

    fn note(&self, call: &'static str) {
        self.calls.lock().unwrap().push(call);
    }
}

pub fn identity(uid: &str) -> Identity {
    Identity::new().with("uid", uid)
}

pub fn row(key: &str) -> Row {
    let id = EntityId::new(KIND, "one", key);
    Row { identity: identity("1"), ..Row::new(id, key, vec![Cell::new("running")]) }
}

pub fn op() -> OpSpec {
    OpSpec::on(KIND, "fake.start", "start", Tier::T1, "Starts the thing.").bulk()
}

pub fn job(run: &str, key: &str) -> Job {
    Job {
        run: RunId(run.into()),
        op: "fake.start".into(),
        target: Target {
            id: EntityId::new(KIND, "one", key),
            name: key.into(),
            identity: identity("1"),
            domain: Domain::Home,
        },
        args: Args::new(),
        reason: None,
        operator: "ada".into(),
    }
}

pub fn refused(what: &str) -> Verdict {
    Verdict::allow("", Identity::new()).and(Decision::Refuse, Evidence::new("memory", what, Tone::Error))
}

#[async_trait]
impl Backend for Fake {
    fn id(&self) -> &'static str {
        "fake"
    }

    fn instance(&self) -> &Arc<str> {
        &self.instance
    }

    fn sources(&self) -> Vec<SourceSpec> {
        let id = SourceId::new("fake", self.instance.clone(), "things");
        vec![SourceSpec { id, kinds: vec![self.kind.into()], mode: self.mode, domain: Domain::Home }]
    }

    async fn poll(&self, _source: &SourceId) -> Result<Snapshot, ApiError> {
        self.note("poll");
        self.lists.next()
    }

    async fn watch(&self, _source: &SourceId, sink: mpsc::Sender<Delta>) -> Result<(), ApiError> {
        self.note("watch");
        let list = self.lists.next()?;
        let _ = sink.send(Delta::Reset(list)).await;
        std::future::pending().await
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let list = self.lists.next()?;
        if !list.complete {
            return Err(ApiError::new(Layer::App, "the list is incomplete"));
        }
        let hits = list.rows.into_iter().filter(|row| row.id.kind == *kind && &*row.name == exact);
        Ok(hits.map(Target::from).collect())
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        self.note("open");
        match view {
            "describe" => {
                let doc = Doc::default().lines(id.key.to_string(), vec![]);
                let _ = sink.send(View::Doc(doc)).await;
                std::future::pending().await
            }
            "panic" => panic!("no such view"),
            other => Err(ApiError::unsupported(format!("no view {other}"))),
        }
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        self.note("rights");
        self.rights.next()
    }

    async fn doctor(&self) -> Diagnosis {
        let mut findings = vec![Finding::new("reach", "answers in 3 ms", Tone::Ok)];
        let rights = self.rights.next();
        if let Err(error) = &rights {
            findings.push(Finding::new("auth", error.to_string(), Tone::Error));
        }
        Diagnosis { findings, rights: rights.ok(), ..Diagnosis::default() }
    }

    async fn identify(&self, _target: &EntityId) -> Result<Identity, ApiError> {
        self.note("identify");
        self.identity.next()
    }

    async fn preflight(&self, _job: &Job) -> Result<Verdict, ApiError> {
        self.note("preflight");
        self.verdict.next()
    }

    async fn operate(&self, _job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        self.note("operate");
        for step in self.steps.next() {
            let _ = progress.send(step).await;
        }
        let _ = self.under_way.try_send(());
        match self.sending.next() {
            Sending::Answers(result) => result,
            Sending::Panics => panic!("broken while sending"),
            Sending::Never => std::future::pending().await,
        }
    }

    async fn verify(&self, _job: &Job, _remote: Option<&str>, _since: Timestamp) -> Result<Proof, ApiError> {
        self.note("verify");
        self.proofs.next()
    }
}
