//! Letting a run go on, running it again, and stopping it.

use jiff::Timestamp;

use crate::backend::error::{ApiError, SendError};
use crate::backend::github::actions::{Run, WRITE};
use crate::backend::github::{Github, kinds, rows};
use crate::backend::{Proof, Receipt};
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, OpSpec, Tier, Verb, Verdict};
use crate::model::row::Tone;

use super::Stop;

/// Approving.
const APPROVE: &str = "github.approve";
/// Running again.
const RERUN: &str = "github.rerun";
/// Stopping.
const CANCEL: &str = "github.cancel";

/// The specifications.
pub fn specs() -> [OpSpec; 3] {
    let failed = Field::new(
        "failed_only",
        "only failed jobs",
        FieldKind::Flag,
        "Whether jobs that succeeded stay done.",
    )
    .default("true");
    let approve = "Lets the run go on into its environment.";
    let rerun = "Runs a finished run again, on the same commit.";
    let cancel = "Asks the run to stop; what it has done stays done.";
    [
        OpSpec::on(kinds::APPROVALS, APPROVE, "approve", Tier::T2, approve).right(WRITE).verb(Verb::Special),
        OpSpec::on(kinds::RUNS, RERUN, "rerun", Tier::T2, rerun).right(WRITE).form(vec![failed]),
        OpSpec::on(kinds::RUNS, CANCEL, "cancel", Tier::T2, cancel)
            .right(WRITE)
            .verb(Verb::End)
            .warn_if_blind(),
    ]
}

impl Github {
    /// The run as it is now, if the operation makes sense on it.
    async fn subject(&self, job: &Job) -> Result<Run, Stop> {
        let id = rows::run_of(&job.target.id).map_err(|error| Stop::Refused("run", error.fault.what))?;
        let run = self.actions.run(id).await.map_err(Stop::blind("run"))?;
        let name = rows::name(&run);
        let attempt = run.run_attempt.or_zero().to_string();
        if job.target.identity.get("attempt").is_some_and(|known| known != attempt) {
            return Err(Stop::Refused("run", format!("{name} is at its attempt {attempt} now")));
        }
        let finished = run.status.as_str() == "completed";
        match (&*job.op, finished) {
            (RERUN, false) => Err(Stop::Refused("run", format!("{name} has not finished"))),
            (CANCEL, true) => Err(Stop::Refused("run", format!("{name} has finished already"))),
            (APPROVE, _) if run.status.as_str() != "waiting" => {
                Err(Stop::Refused("run", format!("{name} waits for nobody")))
            }
            (APPROVE, _) => self.may_approve(job, id).await.map(|()| run),
            _ => Ok(run),
        }
    }

    /// Whether the very environment of this row waits, and the token's user may approve it.
    async fn may_approve(&self, job: &Job, id: i64) -> Result<(), Stop> {
        let pending = self.actions.pending(id).await.map_err(Stop::blind("approvals"))?;
        let wanted = rows::environment_of(&job.target.id);
        let mine = pending.iter().find(|one| wanted.is_some() && one.environment.id.0 == wanted);
        match mine {
            None => Err(Stop::Refused("environment", "it does not wait any more".to_owned())),
            Some(one) if one.current_user_can_approve.0 == Some(false) => {
                let why = format!("the token's user may not approve {}", one.environment.name.as_str());
                Err(Stop::Refused("environment", why))
            }
            Some(_) => Ok(()),
        }
    }

    pub(super) async fn judge_run(&self, job: &Job) -> Result<Verdict, Stop> {
        let run = self.subject(job).await?;
        let name = rows::name(&run);
        let effect = match &*job.op {
            APPROVE => format!("{name} goes on"),
            RERUN => format!("{name} runs again"),
            _ => format!("{name} stops where it is"),
        };
        let fact = |what: &str, says: &str| (Decision::Allow, Evidence::new(what, says, Tone::Text));
        let facts = [
            fact("title", &run.display_title),
            fact("commit", rows::short_sha(&run)),
            fact("started by", &run.actor.login),
        ];
        let verdict = Verdict::allow(effect, rows::identity(&run));
        Ok(facts.into_iter().fold(verdict, |verdict, (decision, fact)| verdict.and(decision, fact)))
    }

    pub(super) async fn change_run(&self, job: &Job) -> Result<Receipt, SendError> {
        let run = self.subject(job).await.map_err(Stop::unsent)?;
        let id = run.id.or_zero();
        match &*job.op {
            APPROVE => {
                let environment: Vec<i64> = rows::environment_of(&job.target.id).into_iter().collect();
                let comment = format!("{}: {}", job.operator, job.reason.as_deref().unwrap_or("approved"));
                self.actions.approve(id, &environment, &comment).await?;
            }
            RERUN => self.actions.rerun(id, job.arg("failed_only") != "false").await?,
            _ => self.actions.cancel(id).await?,
        }
        Ok(Receipt { remote: Some(id.to_string()), said: "GitHub took the order".to_owned(), reveal: None })
    }

    pub(super) async fn prove_run(&self, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
        let id = rows::run_of(&job.target.id)?;
        let run = self.actions.run(id).await?;
        let (word, _, _) = rows::state(&run, self.clock.now());
        let name = rows::name(&run);
        let look = "look at the run";
        match &*job.op {
            APPROVE => {
                let wanted = rows::environment_of(&job.target.id);
                let waits = self.actions.pending(id).await?.iter().any(|one| one.environment.id.0 == wanted);
                Ok(self.weigh(!waits, format!("{name} is {word}"), since, look))
            }
            RERUN => {
                let before = job.target.identity.get("attempt").and_then(|n| n.parse().ok()).unwrap_or(1);
                let now = run.run_attempt.or_zero();
                let says = format!("{name} is {word}, at its attempt {now}");
                Ok(self.weigh(now > before, says, since, look))
            }
            _ => {
                let stopped = run.status.as_str() == "completed";
                Ok(self.weigh(stopped, format!("{name} is {word}"), since, look))
            }
        }
    }
}
