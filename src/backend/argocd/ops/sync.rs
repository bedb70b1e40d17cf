//! Sync: an operation written into the Application, as argocd-server writes it, with a note that names our run.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::backend::error::{SendError, first_line};
use crate::backend::follow::Look;
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, RunId, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

use super::super::Argo;
use super::super::rows;
use super::super::wire::{Application, OperationState, Resource, short};
use super::follow::{self, not_before};
use super::{Held, RUN, patch, settled};

/// Waves of a large application take their time; the run can be looked at again afterwards.
const LIMIT: Duration = Duration::from_secs(1800);

pub fn preflight(job: &Job, now: &Held) -> Verdict {
    let app = &now.app;
    if let Some(why) = occupied(app) {
        return Verdict { identity: now.identity(), ..Verdict::refuse("operation", why) };
    }
    let mut verdict = Verdict::allow(effect(job, app), now.identity());
    if let Some(error) = app.error() {
        let says = format!("{}: {}", error.about.as_str(), first_line(&error.message));
        verdict = verdict.and(Decision::Warn, Evidence::new("condition", says, Tone::Error));
    }
    for evidence in facts(job, app) {
        verdict = verdict.and(Decision::Allow, evidence);
    }
    let wrong =
        [("only", selected(job, app).err()), ("options", options(job).err()), ("retry", retry(job).err())];
    for (what, why) in wrong {
        if let Some(why) = why {
            verdict = verdict.and(Decision::Refuse, Evidence::new(what, why, Tone::Error));
        }
    }
    verdict
}

/// Options besides the application's own.
fn options(job: &Job) -> Result<Vec<&str>, String> {
    let is_option = |word: &&str| {
        let letters = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric());
        word.split_once('=').is_some_and(|(name, value)| letters(name) && letters(value))
    };
    match job.arg("options").split_whitespace().find(|word| !is_option(word)) {
        Some(wrong) => Err(format!("`{wrong}` is not NAME=VALUE")),
        None => Ok(job.arg("options").split_whitespace().collect()),
    }
}

/// How often it is tried again; `None` leaves that to the application.
fn retry(job: &Job) -> Result<Option<u8>, String> {
    match job.arg("retry").trim() {
        "" => Ok(None),
        text => match text.parse() {
            Ok(times @ 0..=10) => Ok(Some(times)),
            _ => Err(format!("`{text}` is no whole number from 0 to 10")),
        },
    }
}

/// Objects to which the sync is limited, as `KIND/NAME` words that each mean exactly one; none is all.
fn selected<'a>(job: &Job, app: &'a Application) -> Result<Vec<&'a Resource>, String> {
    let words = job.arg("only").split([',', ' ']).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let (kind, name) = word.split_once('/').ok_or_else(|| format!("`{word}` is not KIND/NAME"))?;
            let hits: Vec<_> =
                app.status.resources.iter().filter(|r| &*r.kind == kind && &*r.name == name).collect();
            match hits.as_slice() {
                [one] => Ok(*one),
                other => Err(format!("`{word}` names {} objects of the application", other.len())),
            }
        })
        .collect()
}

fn effect(job: &Job, app: &Application) -> String {
    let differing = app.status.resources.iter().filter(|resource| &*resource.status == "OutOfSync").count();
    let to = format!("{}/{}", app.spec.destination.cluster(), app.spec.destination.namespace.as_str());
    let what = if is_dry(job) { "asks what applying would do" } else { "applies" };
    let pruning =
        if prunes(job) { "with pruning: what is no longer in Git is REMOVED" } else { "without pruning" };
    format!("{what} {differing} differing of {} objects to {to}, {pruning}", app.status.resources.len())
}

fn facts(job: &Job, app: &Application) -> Vec<Evidence> {
    let status = &app.status;
    let mut facts = vec![Evidence::new(
        "sync",
        format!("{} at {}", status.sync.status.as_str(), status.sync.short()),
        if &*status.sync.status == "Synced" { Tone::Ok } else { Tone::Warn },
    )];
    facts.push(Evidence::new(
        "health",
        status.health.status.as_str(),
        rows::health_tone(&status.health.status),
    ));
    let differing = status.resources.iter().filter(|resource| &*resource.status == "OutOfSync");
    facts.extend(differing.take(8).map(|resource| Evidence::new("differs", resource.label(), Tone::Text)));
    let prunable = status.resources.iter().filter(|resource| resource.requires_pruning.is_true());
    for resource in prunable.take(8) {
        let (says, tone) = if prunes(job) {
            ("is removed", Tone::Danger)
        } else {
            ("stays, although not in Git", Tone::Info)
        };
        facts.push(Evidence::new("prune", format!("{} {says}", resource.label()), tone));
    }
    if app.auto_sync() {
        facts.push(Evidence::new("auto-sync", "on: Argo CD syncs it by itself as well", Tone::Info));
    }
    facts
}

/// Why nothing can be asked of it now.
pub fn occupied(app: &Application) -> Option<String> {
    if app.metadata.deletion_timestamp.some().is_some() {
        return Some("the application is being deleted".to_owned());
    }
    if let Some(running) = app.running() {
        let who = running.operation.initiated_by.name();
        return Some(format!(
            "another one is {}, by {who}: {}",
            running.phase.as_str(),
            first_line(&running.message)
        ));
    }
    app.operation
        .0
        .as_ref()
        .map(|operation| format!("another one waits to begin, by {}", operation.initiated_by.name()))
}

/// Whether nothing is applied at all.
fn is_dry(job: &Job) -> bool {
    job.arg("dry-run") == "only"
}

fn prunes(job: &Job) -> bool {
    job.arg("prune") == "true"
}

/// The patch: the application's own options and retry are copied, as argocd-server does.
pub fn body(job: &Job, now: &Held) -> Result<Value, SendError> {
    let not_sent = |why: String| SendError::NotSent(Fault::new(Layer::App, why));
    let raw = &now.raw;
    let mut sync = json!({"prune": prunes(job), "syncStrategy": {"hook": {}}});
    let selected = selected(job, &now.app).map_err(not_sent)?;
    if !selected.is_empty() {
        let whole = |r: &&Resource| json!({"group": &*r.group, "kind": &*r.kind, "namespace": &*r.namespace, "name": &*r.name});
        sync["resources"] = selected.iter().map(whole).collect();
    }
    if is_dry(job) {
        sync["dryRun"] = json!(true);
    }
    let policy = &raw["spec"]["syncPolicy"];
    let own = policy["syncOptions"].as_array().cloned().unwrap_or_default();
    let more = options(job).map_err(not_sent)?.into_iter().map(Value::from);
    let all: Vec<Value> = own.into_iter().chain(more).collect();
    if !all.is_empty() {
        sync["syncOptions"] = all.into();
    }
    let mut body = operation(job, &sync);
    if policy["retry"].is_object() {
        body["operation"]["retry"] = policy["retry"].clone();
    }
    if let Some(times) = retry(job).map_err(not_sent)? {
        body["operation"]["retry"]["limit"] = times.into();
    }
    Ok(body)
}

/// An operation with who asked for it, why, and the note by which our run is known again.
pub fn operation(job: &Job, sync: &Value) -> Value {
    let mut info = vec![json!({"name": RUN, "value": job.run.0})];
    if let Some(reason) = &job.reason {
        info.push(json!({"name": "Reason", "value": reason}));
    }
    json!({"operation": {"initiatedBy": {"username": &*job.operator}, "info": info, "sync": sync}})
}

pub async fn operate(argo: &Argo, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
    if job.arg("dry-run") == "first" {
        rehearse(argo, job, progress).await?;
    }
    carry(argo, job, progress, |now| body(job, now)).await
}

/// The same sync as a dry run, under a run of its own: what it refuses is not tried for real.
async fn rehearse(argo: &Argo, job: &Job, progress: &ProgressSink) -> Result<(), SendError> {
    let mut dry = job.clone();
    dry.run = RunId(format!("{}, dry run", job.run).into());
    dry.args.insert("dry-run".to_owned(), "only".to_owned());
    let now = settled(argo, &dry).await?;
    if let Some(why) = occupied(&now.app) {
        return Err(SendError::NotSent(Fault::new(Layer::App, why)));
    }
    patch(argo, &now, body(&dry, &now)?).await.map_err(|error| unapplied(&error))?;
    let _ = progress.send(Progress::Step { fraction: None, note: "dry run first".to_owned() }).await;
    follow::until(argo, &dry, progress, LIMIT, |app| look(&dry, app))
        .await
        .map(|_| ())
        .map_err(|error| unapplied(&error))
}

/// Whatever became of a dry run, nothing was applied.
fn unapplied(error: &SendError) -> SendError {
    let fault = error.fault().clone();
    let what = format!("dry run, nothing was applied: {}", fault.what);
    SendError::Failed(Fault { what, ..fault })
}

/// Writes an operation into the application and follows it.
pub async fn carry(
    argo: &Argo,
    job: &Job,
    progress: &ProgressSink,
    body: impl FnOnce(&Held) -> Result<Value, SendError>,
) -> Result<Receipt, SendError> {
    let now = settled(argo, job).await?;
    if let Some(why) = occupied(&now.app) {
        return Err(SendError::NotSent(Fault::new(Layer::App, why)));
    }
    patch(argo, &now, body(&now)?).await?;
    // The controller's work has no id of its own; the run's note in it is what it is known by.
    let _ = progress.send(Progress::Accepted(job.run.to_string())).await;
    let said = follow::until(argo, job, progress, LIMIT, |app| look(job, app)).await?;
    Ok(Receipt { remote: Some(job.run.to_string()), said, reveal: None })
}

/// Our operation's state, where the controller works on ours.
pub fn ours<'a>(job: &Job, app: &'a Application) -> Option<&'a OperationState> {
    app.status.operation_state.0.as_ref().filter(|state| state.operation.says(RUN, &job.run.0))
}

fn look(job: &Job, app: &Application) -> Look {
    let pending = app.operation.0.is_some();
    match ours(job, app) {
        None if pending => Look::Going("waiting for the controller to begin".to_owned(), None),
        None => Look::Failed("the operation vanished before it began; somebody may have ended it".to_owned()),
        Some(state) if state.is_running() || pending => Look::Going(step(state), fraction(app, state)),
        Some(state) if &*state.phase == "Succeeded" => Look::Done(first_line(&state.message)),
        Some(state) => Look::Failed(failure(state)),
    }
}

pub fn step(state: &OperationState) -> String {
    let message = first_line(&state.message);
    if message.is_empty() { state.phase.as_str().to_owned() } else { message }
}

#[allow(clippy::cast_precision_loss)]
fn fraction(app: &Application, state: &OperationState) -> Option<f32> {
    let all = app.status.resources.len();
    let done = state.sync_result.resources.iter().filter(|result| !result.status.is_empty()).count();
    (all > 0).then(|| (done.min(all) as f32) / (all as f32))
}

/// Why it failed: the first object that did, else the operation's message.
pub fn failure(state: &OperationState) -> String {
    let failed = state.sync_result.resources.iter().find(|result| &*result.status == "SyncFailed");
    match failed {
        Some(result) => {
            let object = format!("{} {}", result.kind.as_str(), result.name.as_str());
            format!("{object}: {}", first_line(&result.message))
        }
        None => format!("{}: {}", state.phase.as_str(), first_line(&state.message)),
    }
}

/// Reads back our operation by its note; a later one of somebody else's hides it.
pub fn proof(job: &Job, app: &Application, since: Timestamp) -> Proof {
    let look = || format!("argocd app get {} --show-operation", job.target.name);
    let waiting = app.operation.0.as_ref().is_some_and(|operation| operation.says(RUN, &job.run.0));
    match ours(job, app) {
        Some(state) if state.is_running() => Proof::Unclear(step(state), look()),
        Some(state) if &*state.phase == "Succeeded" => Proof::Seen(seen(job, app, state)),
        Some(state) => Proof::Absent(failure(state)),
        None if waiting => Proof::Unclear("it waits for the controller to begin".to_owned(), look()),
        None if not_before(app.status.operation_state.0.as_ref().and_then(OperationState::began), since) => {
            Proof::Unclear("another operation ran since and hides it".to_owned(), look())
        }
        None => {
            Proof::Absent("the application holds no operation of this run that applies anything".to_owned())
        }
    }
}

fn seen(job: &Job, app: &Application, state: &OperationState) -> String {
    if is_dry(job) {
        return format!("dry run: {}", first_line(&state.message));
    }
    let revision = state.sync_result.revision.some().unwrap_or(&app.status.sync.revision);
    let status = &app.status;
    format!("{} at {}, {}", status.sync.status.as_str(), short(revision), status.health.status.as_str())
}
