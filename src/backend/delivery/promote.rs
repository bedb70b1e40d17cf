//! Promote: checked, the revision set once or the workflow set going once, followed until the application runs it, is
//! healthy, and lets users in.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::backend::argocd::wire::{Application, short};
use crate::backend::error::{ApiError, SendError, first_line};
use crate::backend::follow::{Look, until};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Job, Verdict};
use crate::model::row::Health;
use crate::model::snapshot::{Fault, Layer};

use super::plan::{self, Plan};
use super::{Delivery, checklist, pipeline};

/// How long the whole way may take; the run can be looked at again afterwards.
const LIMIT: Duration = Duration::from_secs(1800);

/// Between two looks.
const PACE: Duration = Duration::from_millis(700);

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
    let by_workflow = pipeline::workflow(desk).is_some();
    let effect = format!(
        "{} {} to {} as {} runs it, and follows it until it is there",
        if by_workflow { "has a workflow take" } else { "sets" },
        job.target.name,
        short(&plan.wanted),
        plan.source.metadata.name.as_str()
    );
    let verdict = Verdict::allow(effect, plan.target.identity());
    let verdict = checklist::check(desk, &plan, verdict).await;
    Ok(if by_workflow {
        desk.argo.in_window(&plan.target, verdict).await
    } else {
        desk.argo.allowed(&plan.target, verdict).await
    })
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
    let before = plan.told().to_owned();
    let remote = if pipeline::workflow(desk).is_some() {
        Some(pipeline::run(desk, &plan, job, progress).await?)
    } else {
        if let Some(manager) = plan.target.app.manager() {
            return Err(not_sent(format!("{manager} manages it: the change belongs into Git")));
        }
        desk.argo.set(&plan.target, json!({"spec": {"source": {"targetRevision": plan.wanted}}})).await?;
        None
    };
    let said = follow(desk, &plan, remote, progress).await?;
    let said = format!("{said}; before it was told to run {before}");
    Ok(Receipt { remote: remote.map(|id| id.to_string()), said, reveal: None })
}

/// How far the target is.
fn look(desk: &Delivery, app: &Application, wanted: &str) -> Look {
    if let Some(state) = app.running() {
        return Look::Going(format!("{}: {}", state.phase.as_str(), first_line(&state.message)), None);
    }
    let at = app.status.sync.revision.as_str();
    if at != wanted {
        return Look::Going(format!("compared with {}, not yet with {}", short(at), short(wanted)), None);
    }
    if let Some(state) = app.status.operation_state.0.as_ref().filter(|state| state.is_over()) {
        return Look::Failed(format!("{}: {}", state.phase.as_str(), first_line(&state.message)));
    }
    match (&*app.status.sync.status, &*app.status.health.status) {
        ("Synced", "Healthy") => Look::Done(format!("runs {} and is healthy", short(wanted))),
        ("OutOfSync", _) if !app.auto_sync() => {
            Look::Done(format!("is told to run {}; auto-sync is off, so sync it now", short(wanted)))
        }
        _ => Look::Going(plan::verdict(desk, app).0, None),
    }
}

/// First the workflow, where there is one; then the application; then what users meet.
async fn follow(
    desk: &Delivery,
    plan: &Plan,
    run: Option<i64>,
    progress: &ProgressSink,
) -> Result<String, SendError> {
    let pace = desk.argo.pace().min(PACE);
    if let Some(id) = run {
        until(pace, progress, LIMIT, || pipeline::look(desk, id)).await?;
    }
    let meta = &plan.target.app.metadata;
    let key = format!("{}/{}", meta.namespace.as_str(), meta.name.as_str());
    let looked = || async { Ok(look(desk, &desk.argo.held(&key).await?.app, &plan.wanted)) };
    let said = until(pace, progress, LIMIT, looked).await?;
    let end = tokio::time::Instant::now() + desk.patience;
    let looked = || async {
        Ok(match users(desk, &plan.target.app).await {
            Ok(says) => Look::Done(says),
            Err(why) if tokio::time::Instant::now() < end => Look::Going(format!("{said}, but {why}"), None),
            Err(why) => Look::Failed(format!("{said}, but {why}")),
        })
    };
    let met = until(pace, progress, LIMIT, looked).await?;
    Ok(format!("{said}{met}"))
}

/// What strangers meet at its addresses, to be joined to what is said of it; the error is who does not get in.
async fn users(desk: &Delivery, app: &Application) -> Result<String, String> {
    let tried = desk.argo.tried(app).await;
    if let Some(bad) = tried.iter().find(|one| one.health != Health::Ok) {
        return Err(format!("users do not get in: {}: {}", bad.name, bad.says));
    }
    let said: Vec<String> = tried.iter().map(|one| format!("; {}: {}", one.name, one.says)).collect();
    Ok(said.concat())
}

pub async fn verify(
    desk: &Delivery,
    job: &Job,
    remote: Option<&str>,
    since: Timestamp,
) -> Result<Proof, ApiError> {
    let plan = match plan::read(desk, &job.target.id, job.arg("revision")).await? {
        Ok(plan) => plan,
        Err(why) => return Ok(Proof::Unclear(why, "look at the application's revision".to_owned())),
    };
    let app = &plan.target.app;
    let there = app.status.sync.revision.as_str() == plan.wanted;
    if pipeline::workflow(desk).is_none() {
        if plan.told() != plan.wanted {
            return Ok(Proof::Absent(format!("it is told to run {}", plan.told())));
        }
    } else if !there {
        let run = match remote.and_then(|id| id.parse().ok()) {
            Some(id) => pipeline::look(desk, id).await?,
            None => pipeline::found(desk, &plan, since).await?,
        };
        match run {
            Look::Failed(why) => return Ok(Proof::Absent(why)),
            Look::Going(note, _) => return Ok(Proof::Unclear(note, "look at the run".to_owned())),
            Look::Done(_) => {}
        }
    }
    Ok(match look(desk, app, &plan.wanted) {
        Look::Failed(why) => Proof::Absent(why),
        Look::Going(note, _) => Proof::Unclear(note, format!("argocd app get {}", job.target.name)),
        Look::Done(said) => match users(desk, app).await {
            Ok(met) => Proof::Seen(format!("{said}{met}")),
            Err(why) => Proof::Unclear(format!("{said}, but {why}"), "look at probe.probes".to_owned()),
        },
    })
}
