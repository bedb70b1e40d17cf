//! What may be done to Actions. Each of them lets something else act, so each asks for a typed name and a reason.

mod dispatch;
mod runs;

use jiff::Timestamp;

use crate::backend::error::{ApiError, SendError};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::id::Identity;
use crate::model::op::{Decision, Evidence, Field, Job, OpSpec, Target, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

use super::Github;

pub(super) use dispatch::explain;

/// All operations.
pub fn all() -> Vec<OpSpec> {
    let mut all = vec![dispatch::spec()];
    all.extend(runs::specs());
    all
}

/// Why an operation is not sent.
#[derive(Debug)]
enum Stop {
    Refused(&'static str, String),
    Blind(&'static str, ApiError),
}

impl Stop {
    fn blind(what: &'static str) -> impl Fn(ApiError) -> Self {
        move |error| match error.fault.status {
            Some(404) => Self::Refused(what, error.fault.what),
            _ => Self::Blind(what, error),
        }
    }

    fn verdict(self) -> Verdict {
        match self {
            Self::Refused(what, why) => Verdict::refuse(what, why),
            Self::Blind(what, error) => {
                let evidence = Evidence::new(what, error.to_string(), Tone::Unknown);
                Verdict::allow("", Identity::new()).and(Decision::Blind, evidence)
            }
        }
    }

    fn unsent(self) -> SendError {
        SendError::NotSent(match self {
            Self::Refused(what, why) => Fault::new(Layer::App, format!("{what}: {why}")),
            Self::Blind(_, error) => error.fault,
        })
    }
}

impl Github {
    pub(super) async fn offer(&self, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
        match (&*op.name, targets) {
            (dispatch::NAME, [target]) => self.offer_dispatch(op, target).await,
            _ => Ok(op.form.clone()),
        }
    }

    pub(super) async fn judge(&self, job: &Job) -> Result<Verdict, ApiError> {
        let verdict = match &*job.op {
            dispatch::NAME => self.judge_dispatch(job).await,
            _ => self.judge_run(job).await,
        };
        Ok(verdict.unwrap_or_else(Stop::verdict))
    }

    pub(super) async fn carry_out(&self, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        match &*job.op {
            dispatch::NAME => self.dispatch(job, progress).await,
            _ => self.change_run(job).await,
        }
    }

    pub(super) async fn read_back(
        &self,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        match &*job.op {
            dispatch::NAME => self.prove_dispatch(job, remote, since).await,
            _ => self.prove_run(job, since).await,
        }
    }

    /// An effect that is not there yet may still come for a while after it was sent.
    fn weigh(&self, there: bool, says: String, since: Timestamp, look: &str) -> Proof {
        let grace = i64::try_from(self.grace.as_secs()).unwrap_or(i64::MAX);
        let waited = crate::model::time::seconds_between(since, self.clock.now());
        match there {
            true => Proof::Seen(says),
            false if waited < grace => Proof::Unclear(says, look.to_owned()),
            false => Proof::Absent(says),
        }
    }
}
