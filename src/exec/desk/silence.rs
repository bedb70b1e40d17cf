//! The silences that go with a declaration: made, ended and read back at each alert source that can be reached.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::backend::error::SendError;
use crate::backend::{Backend, ProgressSink, Proof, Receipt};
use crate::model::id::{EntityId, Identity};
use crate::model::op::{Args, Decision, Evidence, Job, Target, Verdict};
use crate::model::row::{Domain, Tone};
use crate::model::snapshot::{Fault, Layer};
use crate::model::time::{parse_duration, short};

use super::super::call::within;
use super::spoken::{Silence, Spoken};
use super::{Desk, HOME, accepted};

/// The backend that holds silences.
pub(super) const BACKEND: &str = "alerts";
/// The kind of its silences.
const SILENCES: &str = "alerts.silences";
/// Makes one for a whole domain.
const HUSH: &str = "alerts.hush";
/// Ends one.
const EXPIRE: &str = "alerts.expire-silence";
/// What the alerts of the house carry.
const MATCHER: &str = "domain=home";
/// How long an alert source is waited for: a declaration does not hang on it.
const PATIENCE: Duration = Duration::from_secs(8);

/// What became of several writes.
#[derive(Default)]
struct Outcome {
    said: Vec<String>,
    refused: Vec<String>,
    unknown: Vec<String>,
}

impl Outcome {
    fn take(&mut self, at: &str, result: Result<Receipt, SendError>) -> Option<String> {
        match result {
            Ok(receipt) => {
                self.said.push(format!("{at}: {}", receipt.said));
                return receipt.remote;
            }
            // It was said beforehand that this one would not be told.
            Err(SendError::NotSent(fault)) => self.said.push(format!("{at}: nothing was sent ({fault})")),
            Err(SendError::Refused(fault) | SendError::Failed(fault)) => {
                self.refused.push(format!("{at}: {fault}"));
            }
            Err(SendError::Unknown(fault)) => self.unknown.push(format!("{at}: {fault}")),
        }
        None
    }

    fn receipt(self, said: &str) -> Result<Receipt, SendError> {
        let all = |more: Vec<String>| [vec![said.to_owned()], more].concat().join("; ");
        if !self.unknown.is_empty() {
            return Err(SendError::Unknown(Fault::new(Layer::App, all(self.unknown))));
        }
        if !self.refused.is_empty() {
            return Err(SendError::Failed(Fault::new(Layer::App, all(self.refused))));
        }
        Ok(Receipt { said: all(self.said), ..Receipt::default() })
    }
}

impl Desk {
    /// The alert sources that hold silences.
    fn silencers(&self) -> impl Iterator<Item = &Arc<dyn Backend>> {
        let holds = |backend: &&Arc<dyn Backend>| {
            backend.sources().iter().any(|source| source.kinds.iter().any(|kind| kind.as_str() == SILENCES))
        };
        self.alerts.iter().filter(holds)
    }

    fn silencer(&self, instance: &str) -> Option<&Arc<dyn Backend>> {
        self.silencers().find(|backend| &**backend.instance() == instance)
    }

    /// The silence ends with the declaration, or where the longest that is allowed ends before.
    fn hush_job(&self, job: &Job, instance: &str) -> Job {
        let wanted = parse_duration(job.arg("for")).map_or(0, |wait| wait.as_secs());
        let comment = format!("home is off: {}", job.arg("reason").trim());
        let args: Args = [
            ("matchers", MATCHER.to_owned()),
            ("duration", format!("{}s", wanted.min(self.longest))),
            ("comment", comment),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        on(job, HUSH, instance, HOME, args)
    }

    /// Adds what the silences will do to a verdict.
    pub(super) async fn judge_silences(&self, job: &Job, mut verdict: Verdict) -> Verdict {
        let mut any = false;
        for backend in self.silencers() {
            any = true;
            let hush = self.hush_job(job, backend.instance());
            verdict = self.judge_one(&**backend, &hush, verdict).await;
        }
        if !any {
            let evidence = Evidence::new("silence", "no Alertmanager is configured", Tone::Dim);
            verdict.evidence.push(evidence);
        } else if parse_duration(job.arg("for")).is_some_and(|wait| wait.as_secs() > self.longest) {
            let says = format!("it ends after {}, the longest that is allowed", short(self.longest));
            verdict.evidence.push(Evidence::new("silence", says, Tone::Warn));
        }
        verdict
    }

    async fn judge_one(&self, backend: &dyn Backend, job: &Job, verdict: Verdict) -> Verdict {
        let at = backend.instance();
        match within(PATIENCE, backend.preflight(job)).await {
            Ok(found) if found.decision >= Decision::Blind => {
                let why: Vec<String> = found.evidence.into_iter().map(|fact| fact.says).collect();
                let says = format!("{at}: none, {}", why.join("; "));
                verdict.and(Decision::Warn, Evidence::new("silence", says, Tone::Warn))
            }
            Ok(found) => {
                let more: Vec<String> = found.evidence.into_iter().map(|fact| fact.says).take(1).collect();
                let says = format!("{at}: {} ({})", found.effect, more.join(""));
                verdict.and(Decision::Allow, Evidence::new("silence", says, Tone::Text))
            }
            Err(fault) => {
                let says = format!("{at} cannot be asked, so nothing is silenced there: {fault}");
                verdict.and(Decision::Warn, Evidence::new("silence", says, Tone::Warn))
            }
        }
    }

    /// Whether a source would take a silence now.
    async fn takes(&self, backend: &dyn Backend, hush: &Job) -> bool {
        let verdict = within(PATIENCE, backend.preflight(hush)).await;
        verdict.is_ok_and(|verdict| verdict.decision < Decision::Blind)
    }

    /// Makes a silence at each source that takes one.
    pub(super) async fn hush(
        &self,
        job: &Job,
        said: String,
        progress: &ProgressSink,
    ) -> Result<Receipt, SendError> {
        let mut outcome = Outcome::default();
        for backend in self.silencers() {
            let at = backend.instance();
            let hush = self.hush_job(job, at);
            let result = backend.operate(&hush, progress.clone()).await;
            if let Some(id) = outcome.take(at, result) {
                accepted(progress, Silence { instance: at.to_string(), id }.to_string()).await;
            }
        }
        outcome.receipt(&said)
    }

    /// Adds what becomes of the silences of a declaration.
    pub(super) async fn judge_expiry(&self, job: &Job, spoken: &Spoken, mut verdict: Verdict) -> Verdict {
        for silence in &spoken.silences {
            verdict = if job.arg("silence") == "false" {
                let says = format!("{silence} stays until its own end");
                verdict.and(Decision::Allow, Evidence::new("silence", says, Tone::Text))
            } else if let Some(backend) = self.silencer(&silence.instance) {
                self.judge_one(&**backend, &expire_job(job, silence), verdict).await
            } else {
                let says = format!("{silence}: {} is not configured any more", silence.instance);
                verdict.and(Decision::Warn, Evidence::new("silence", says, Tone::Warn))
            };
        }
        verdict
    }

    /// Ends the silences of a declaration; one that has ended by itself is no failure.
    pub(super) async fn expire(
        &self,
        job: &Job,
        spoken: &Spoken,
        said: String,
    ) -> Result<Receipt, SendError> {
        let mut outcome = Outcome::default();
        for silence in &spoken.silences {
            let Some(backend) = self.silencer(&silence.instance) else { continue };
            let expire = expire_job(job, silence);
            let ended = within(PATIENCE, backend.verify(&expire, None, self.clock.now())).await;
            if matches!(ended, Ok(Proof::Seen(_))) {
                outcome.said.push(format!("{silence} had ended"));
                continue;
            }
            let (sink, _nobody) = tokio::sync::mpsc::channel(1);
            outcome.take(&silence.to_string(), backend.operate(&expire, sink).await);
        }
        outcome.receipt(&said)
    }

    /// Whether what was declared stands, with its silences.
    pub(super) async fn proof_of_silences(&self, job: &Job, spoken: &Spoken, since: Timestamp) -> Proof {
        let mut words = vec![format!("declared off {}", spoken.words())];
        for backend in self.silencers().filter(|_| job.arg("silence") != "false") {
            let at = backend.instance();
            let hush = self.hush_job(job, at);
            // One whose id never came back is known by its words, unless that source takes none.
            let id = spoken.silences.iter().find(|silence| *silence.instance == **at);
            let id = id.map(|silence| silence.id.as_str());
            if id.is_none() && !self.takes(&**backend, &hush).await {
                words.push(format!("{at}: no silence"));
                continue;
            }
            words.push(match within(PATIENCE, backend.verify(&hush, id, since)).await {
                Ok(Proof::Seen(proof)) => proof,
                Ok(Proof::Absent(why)) => return Proof::Absent(format!("{}; {why}", words.join("; "))),
                Ok(Proof::Unclear(text, look)) => {
                    return Proof::Unclear(format!("{}; {text}", words.join("; ")), look);
                }
                Err(fault) => return Proof::Unclear(fault.to_string(), "list the silences".to_owned()),
            });
        }
        Proof::Seen(words.join("; "))
    }

    /// Whether what was declared is taken back, with its silences where that was wished.
    pub(super) async fn proof_of_expiry(
        &self,
        job: &Job,
        lines: &[crate::model::journal::Line],
        since: Timestamp,
    ) -> Proof {
        let mut words = vec!["home is not declared off any more".to_owned()];
        let spoken = Spoken::before(lines, &job.run).filter(|_| job.arg("silence") != "false");
        for silence in spoken.iter().flat_map(|spoken| &spoken.silences) {
            let Some(backend) = self.silencer(&silence.instance) else { continue };
            let proof = within(PATIENCE, backend.verify(&expire_job(job, silence), None, since)).await;
            words.push(match proof {
                Ok(Proof::Seen(proof)) => proof,
                Ok(Proof::Absent(why)) => return Proof::Absent(format!("{}; {why}", words.join("; "))),
                Ok(Proof::Unclear(text, _)) => return Proof::Unclear(text, "list the silences".to_owned()),
                Err(fault) => return Proof::Unclear(fault.to_string(), "list the silences".to_owned()),
            });
        }
        Proof::Seen(words.join("; "))
    }
}

fn expire_job(job: &Job, silence: &Silence) -> Job {
    on(job, EXPIRE, &silence.instance, &silence.id, Args::new())
}

/// The part of a job that an alert source does.
fn on(job: &Job, op: &str, instance: &str, key: &str, args: Args) -> Job {
    let target = Target {
        id: EntityId::new(SILENCES, instance, key),
        name: key.into(),
        identity: Identity::new(),
        domain: Domain::Unknown,
    };
    Job { op: op.into(), target, args, ..job.clone() }
}
