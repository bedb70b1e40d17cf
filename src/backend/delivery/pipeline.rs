//! What GitHub Actions have to do with a promotion: a run that proves the revision, and a workflow that takes it over.
//!
//! A green run is not a proof by itself: it counts only at the very commit, and only where it has taken down again what
//! it made. GitHub does not tell with what inputs a run was started, so that its title and commit are shown instead.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::backend::argocd::wire::short;
use crate::backend::error::{ApiError, SendError};
use crate::backend::follow::Look;
use crate::backend::github::actions::{Actions, Run, Step, name, state};
use crate::backend::lenient::Text;
use crate::backend::{Progress, ProgressSink};
use crate::config::Pipeline;
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};
use crate::model::time::seconds_between;

use super::Delivery;
use super::plan::Plan;

/// Words of a step that takes down what a run made.
const TAKES_DOWN: [&str; 3] = ["destroy", "tear down", "teardown"];

/// A run that nobody sees may still come for so long, in seconds.
const GRACE: i64 = 120;

/// How the workflow is set going.
pub enum Start {
    /// A new run, with the revision as its input.
    Dispatch,
    /// A run that waits for somebody to let it into environments.
    Approve {
        /// Its number at GitHub.
        run: i64,
        /// The environments.
        environments: Vec<i64>,
    },
}

/// The workflow that changes what the environment runs, where one is configured.
pub fn workflow(desk: &Delivery) -> Option<(&Pipeline, &str)> {
    let pipeline = desk.promotion.pipeline.as_ref()?;
    Some((pipeline, pipeline.workflow.as_deref()?))
}

/// Whether the revision went well where it ran first.
pub async fn check(desk: &Delivery, plan: &Plan, verdict: Verdict) -> Verdict {
    let file = desk.promotion.pipeline.as_ref().and_then(|pipeline| pipeline.check.as_deref());
    let Some(file) = file else {
        let says = "no workflow is asked: `github` and `check` are not set";
        return verdict.and(Decision::Warn, Evidence::new("CI", says, Tone::Unknown));
    };
    match proven(desk, file, &plan.wanted).await {
        Ok(Ok(says)) => verdict.and(Decision::Allow, Evidence::new("CI", says, Tone::Ok)),
        Ok(Err(why)) => verdict.and(Decision::Refuse, Evidence::new("CI", why, Tone::Error)),
        Err(error) => verdict.and(Decision::Blind, Evidence::new("CI", error.to_string(), Tone::Unknown)),
    }
}

async fn proven(desk: &Delivery, file: &str, wanted: &str) -> Result<Result<String, String>, ApiError> {
    if !(wanted.len() == 40 && wanted.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Ok(Err(format!("`{wanted}` is no whole commit, so that no run of {file} can be found")));
    }
    let actions = desk.actions().await?;
    let runs = actions.runs_at(file, wanted).await?;
    let Some(run) = runs.first() else {
        return Ok(Err(format!("{file} has never run at {}", short(wanted))));
    };
    let says = format!("{} at {}: {}", name(run), short(wanted), state(run, desk.clock.now()).0);
    if run.conclusion.as_str() != "success" {
        return Ok(Err(says));
    }
    let jobs = actions.jobs(run.id.or_zero()).await?;
    let down: Vec<&Step> =
        jobs.iter().flat_map(|job| job.steps.iter()).filter(|step| takes_down(step)).collect();
    Ok(match down.iter().find(|step| step.conclusion.as_str() != "success") {
        Some(step) => {
            let became = step.conclusion.some().unwrap_or("not done");
            Err(format!(
                "{says}, but its step `{}` was {became}: what it made may still be there",
                step.name.as_str()
            ))
        }
        None if down.is_empty() => Ok(format!("{says}; it has no step that takes anything down")),
        None => Ok(format!("{says}, and it took down what it made")),
    })
}

fn takes_down(step: &Step) -> bool {
    let name = step.name.as_str().to_lowercase();
    TAKES_DOWN.iter().any(|word| name.contains(word))
}

/// What the workflow would be told, with what is known of its runs; nothing where the application is patched.
pub async fn order(desk: &Delivery, plan: &Plan, verdict: Verdict) -> Verdict {
    let Some((pipeline, file)) = workflow(desk) else { return verdict };
    match start(desk, file, &plan.wanted).await {
        Err(Stop::Blind(error)) => {
            verdict.and(Decision::Blind, Evidence::new("workflow", error.to_string(), Tone::Unknown))
        }
        Err(Stop::Refused(why)) => verdict.and(Decision::Refuse, Evidence::new("workflow", why, Tone::Error)),
        Ok((start, waits)) => {
            let says = match start {
                Start::Dispatch => format!("starts {file} with {}={}", pipeline.input, plan.wanted),
                Start::Approve { .. } => format!("approves {}", waits.as_deref().unwrap_or(file)),
            };
            let verdict = verdict.and(Decision::Allow, Evidence::new("workflow", says, Tone::Info));
            match (start, waits) {
                (Start::Dispatch, Some(other)) => {
                    let says = format!("{other}, for another commit");
                    verdict.and(Decision::Warn, Evidence::new("waiting", says, Tone::Warn))
                }
                _ => verdict,
            }
        }
    }
}

/// Why the workflow is not set going.
enum Stop {
    Refused(String),
    Blind(ApiError),
}

/// How it would be set going, and the run that waits for an approval.
async fn start(desk: &Delivery, file: &str, wanted: &str) -> Result<(Start, Option<String>), Stop> {
    let actions = desk.actions().await.map_err(Stop::Blind)?;
    let runs = actions.runs_of(file).await.map_err(Stop::Blind)?;
    let waiting: Vec<&Run> = runs.iter().filter(|run| run.status.as_str() == "waiting").collect();
    let ours: Vec<&&Run> = waiting.iter().filter(|run| run.head_sha.as_str() == wanted).collect();
    let told = |run: &Run| {
        format!("{} `{}`, started by {}", name(run), run.display_title.as_str(), run.actor.login.as_str())
    };
    let run = match ours.as_slice() {
        [] => return Ok((Start::Dispatch, waiting.first().map(|run| told(run)))),
        [only] => **only,
        many => return Err(Stop::Refused(format!("{} runs of {file} wait for an approval", many.len()))),
    };
    let id = run.id.or_zero();
    let pending = actions.pending(id).await.map_err(Stop::Blind)?;
    if pending.iter().any(|one| one.current_user_can_approve.0 == Some(false)) {
        return Err(Stop::Refused(format!("the token's user may not approve {}", told(run))));
    }
    let environments: Vec<i64> = pending.iter().filter_map(|one| one.environment.id.0).collect();
    Ok((Start::Approve { run: id, environments }, Some(told(run))))
}

/// Sets the workflow going, once, and follows its run to the end.
pub async fn run(desk: &Delivery, plan: &Plan, job: &Job, progress: &ProgressSink) -> Result<i64, SendError> {
    let not_sent = |error: ApiError| SendError::NotSent(error.fault);
    let unset = || not_sent(ApiError::unsupported("no workflow is configured"));
    let (pipeline, file) = workflow(desk).ok_or_else(unset)?;
    let actions = desk.actions().await.map_err(not_sent)?;
    let began = desk.clock.now();
    let (start, _) = start(desk, file, &plan.wanted).await.map_err(|stop| match stop {
        Stop::Refused(why) => SendError::NotSent(Fault::new(Layer::App, why)),
        Stop::Blind(error) => not_sent(error),
    })?;
    let id = match start {
        Start::Approve { run, environments } => {
            let comment = format!("{}: {}", job.operator, job.reason.as_deref().unwrap_or("promoted"));
            actions.approve(run, &environments, &comment).await?;
            run
        }
        Start::Dispatch => {
            let inputs = BTreeMap::from([(pipeline.input.clone(), plan.wanted.clone())]);
            match actions.dispatch(file, actions.branch(), &inputs).await? {
                Some(id) => id,
                None => only_since(actions, file, began).await?,
            }
        }
    };
    // Nobody has to listen for the work to go on.
    let _ = progress.send(Progress::Accepted(id.to_string())).await;
    Ok(id)
}

/// The run that came of a dispatch whose answer names none.
async fn only_since(actions: &Actions, file: &str, since: Timestamp) -> Result<i64, SendError> {
    let found = actions.dispatched(file, since).await.map_err(|error| SendError::Unknown(error.fault))?;
    match found.as_slice() {
        [run] => Ok(run.id.or_zero()),
        other => {
            let what =
                format!("GitHub took the order, and {} runs of {file} are as young as that", other.len());
            Err(SendError::Unknown(Fault::new(Layer::App, what)))
        }
    }
}

/// How far a run is.
pub async fn look(desk: &Delivery, id: i64) -> Result<Look, ApiError> {
    Ok(told(&desk.actions().await?.run(id).await?, desk.clock.now()))
}

fn told(run: &Run, now: Timestamp) -> Look {
    let says = format!("{} is {}", name(run), state(run, now).0);
    match (run.status.as_str(), run.conclusion.as_str()) {
        ("completed", "success") => Look::Done(says),
        ("completed", _) => Look::Failed(says),
        _ => Look::Going(says, None),
    }
}

/// How far the run is that an order led to whose answer was lost: the newest since, or the one that was approved.
pub async fn found(desk: &Delivery, plan: &Plan, since: Timestamp) -> Result<Look, ApiError> {
    let Some((_, file)) = workflow(desk) else { return Ok(Look::Done(String::new())) };
    let runs = desk.actions().await?.runs_of(file).await?;
    // Its clock and ours may differ by a little.
    let young = |at: &Text| at.time().is_some_and(|at| at.as_second() + 5 >= since.as_second());
    let approved = |run: &Run| {
        let moved = run.status.as_str() != "completed" || young(&run.updated_at);
        moved && run.head_sha.as_str() == plan.wanted
    };
    let ours = runs.iter().find(|run| young(&run.created_at) || approved(run));
    let may_come = seconds_between(since, desk.clock.now()) < GRACE;
    Ok(match ours {
        None if may_come => Look::Going(format!("no run of {file} is there yet"), None),
        None => Look::Failed(format!("no run of {file} has come of it")),
        Some(run) if run.status.as_str() == "waiting" && !may_come => {
            Look::Failed(format!("{} still waits for an approval", name(run)))
        }
        Some(run) => told(run, desk.clock.now()),
    })
}
