//! Promote: checked, the revision set once, followed until the application runs it and is healthy.

use std::time::Duration;

use serde_json::json;

use crate::backend::argocd::wire::{Application, short};
use crate::backend::error::{ApiError, SendError, first_line};
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::op::{Job, Verdict};
use crate::model::snapshot::{Fault, Layer};

use super::plan::{self, Plan};
use super::{Delivery, checklist};

/// How long the whole way may take; the run can be looked at again afterwards.
const LIMIT: Duration = Duration::from_secs(1800);

/// Between two looks.
const PACE: Duration = Duration::from_millis(700);

/// How many looks in a row may fail before we have lost sight of it.
const LOST: u32 = 12;

pub async fn preflight(desk: &Delivery, job: &Job) -> Result<Verdict, ApiError> {
    let plan = match plan::read(desk, &job.target.id, job.arg("revision")).await? {
        Ok(plan) => plan,
        Err(why) => {
            return Ok(Verdict {
                identity: job.target.identity.clone(),
                ..Verdict::refuse("promotion", why)
            });
        }
    };
    let effect = format!(
        "sets {} to {} as {} runs it, and follows it until it is there",
        job.target.name,
        short(&plan.wanted),
        plan.source.metadata.name.as_str()
    );
    let verdict = Verdict::allow(effect, plan.target.identity());
    let verdict = checklist::check(desk, &plan, verdict).await;
    Ok(desk.argo.allowed(&plan.target, verdict).await)
}

pub async fn operate(desk: &Delivery, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
    let not_sent = |what: String| SendError::NotSent(Fault::new(Layer::App, what));
    let plan = plan::read(desk, &job.target.id, job.arg("revision")).await;
    let plan = plan.map_err(|error| SendError::NotSent(error.fault))?.map_err(not_sent)?;
    if !job.target.identity.conflicts(&plan.target.identity()).is_empty() {
        return Err(not_sent(format!(
            "{} is another application than the one that was chosen",
            job.target.name
        )));
    }
    if let Some(manager) = plan.target.app.manager() {
        return Err(not_sent(format!("{manager} manages it: the change belongs into Git")));
    }
    let before = plan.told().to_owned();
    desk.argo.set(&plan.target, json!({"spec": {"source": {"targetRevision": plan.wanted}}})).await?;
    let said = follow(desk, &plan, progress).await?;
    Ok(Receipt { remote: None, said: format!("{said}; before it was told to run {before}"), reveal: None })
}

/// How far the target is.
enum Look {
    Going(String),
    There(String),
    Failed(String),
}

fn look(desk: &Delivery, app: &Application, wanted: &str) -> Look {
    if let Some(state) = app.running() {
        return Look::Going(format!("{}: {}", state.phase.as_str(), first_line(&state.message)));
    }
    let at = app.status.sync.revision.as_str();
    if at != wanted {
        return Look::Going(format!("compared with {}, not yet with {}", short(at), short(wanted)));
    }
    if let Some(state) = app.status.operation_state.0.as_ref().filter(|state| state.is_over()) {
        return Look::Failed(format!("{}: {}", state.phase.as_str(), first_line(&state.message)));
    }
    match (&*app.status.sync.status, &*app.status.health.status) {
        ("Synced", "Healthy") => Look::There(format!("runs {} and is healthy", short(wanted))),
        ("OutOfSync", _) if !app.auto_sync() => {
            Look::There(format!("is told to run {}; auto-sync is off, so sync it now", short(wanted)))
        }
        _ => Look::Going(plan::verdict(desk, app).0),
    }
}

async fn follow(desk: &Delivery, plan: &Plan, progress: &ProgressSink) -> Result<String, SendError> {
    let meta = &plan.target.app.metadata;
    let key = format!("{}/{}", meta.namespace.as_str(), meta.name.as_str());
    let end = tokio::time::Instant::now() + LIMIT;
    let (mut failures, mut last) = (0, String::new());
    loop {
        match desk.argo.held(&key).await.map(|now| look(desk, &now.app, &plan.wanted)) {
            Ok(Look::There(said)) => return Ok(said),
            Ok(Look::Failed(why)) => return Err(SendError::Failed(Fault::new(Layer::App, why))),
            Ok(Look::Going(note)) => {
                failures = 0;
                if note != last {
                    last.clone_from(&note);
                    // Nobody has to listen for the work to go on.
                    let _ = progress.send(Progress::Step { fraction: None, note }).await;
                }
            }
            Err(error) if failures + 1 >= LOST => return Err(SendError::Unknown(error.fault)),
            Err(_) => failures += 1,
        }
        if tokio::time::Instant::now() >= end {
            let what = format!("the revision is set and is not there within {} s: {last}", LIMIT.as_secs());
            return Err(SendError::Unknown(Fault::new(Layer::App, what)));
        }
        tokio::time::sleep(desk.argo.pace().min(PACE)).await;
    }
}

pub async fn verify(desk: &Delivery, job: &Job) -> Result<Proof, ApiError> {
    let plan = match plan::read(desk, &job.target.id, job.arg("revision")).await? {
        Ok(plan) => plan,
        Err(why) => return Ok(Proof::Unclear(why, "look at the application's revision".to_owned())),
    };
    let app = &plan.target.app;
    if plan.told() != plan.wanted {
        return Ok(Proof::Absent(format!("it is told to run {}", plan.told())));
    }
    Ok(match look(desk, app, &plan.wanted) {
        Look::There(said) => Proof::Seen(said),
        Look::Failed(why) => Proof::Absent(why),
        Look::Going(note) => Proof::Unclear(note, format!("argocd app get {}", job.target.name)),
    })
}
