//! Rollback: a sync to an entry of the history, which Argo CD refuses while auto-sync is on.

use serde_json::{Value, json};

use crate::backend::error::{ApiError, SendError};
use crate::backend::{ProgressSink, Receipt};
use crate::model::kind::Text;
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, Target, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

use super::super::Argo;
use super::super::wire::{Application, History, short};
use super::{Held, sync};

/// The form with the history's entries to choose from, the latest first.
pub async fn form(argo: &Argo, target: &Target) -> Result<Vec<Field>, ApiError> {
    let path = super::APPLICATIONS.object(&target.id.key)?;
    let app: Application = crate::backend::kubernetes::read(&argo.cluster, &path).await?;
    let ids =
        app.status.history.iter().rev().filter_map(|entry| entry.id.0).map(|id| Text::Owned(id.to_string()));
    let lines: Vec<String> = app.status.history.iter().rev().map(words).collect();
    let doc = format!("The entry of the history to go back to: {}.", lines.join("; "));
    Ok(vec![Field { kind: FieldKind::Choice(ids.collect()), doc: doc.into(), ..field() }])
}

/// The form before the history is known.
pub fn field() -> Field {
    Field::new("id", "history id", FieldKind::Offered, "The entry of the history to go back to.")
}

fn words(entry: &History) -> String {
    let at = entry.deployed_at.time().map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default();
    format!("{} = {} of {at}", entry.id.or_zero(), short(&entry.revision))
}

fn entry<'a>(job: &Job, app: &'a Application) -> Option<&'a History> {
    let wanted = job.arg("id").trim().parse().ok()?;
    app.status.history.iter().find(|entry| entry.id.0 == Some(wanted))
}

pub fn preflight(job: &Job, now: &Held) -> Verdict {
    let app = &now.app;
    let refuse = |what: &str, why: String| Verdict { identity: now.identity(), ..Verdict::refuse(what, why) };
    if app.auto_sync() {
        return refuse("auto-sync", on(app));
    }
    if let Some(why) = sync::occupied(app) {
        return refuse("operation", why);
    }
    let Some(entry) = entry(job, app) else {
        return refuse("history", format!("there is no entry `{}` in its history", job.arg("id")));
    };
    let effect = format!("goes back from {} to {}, without pruning", app.status.sync.short(), words(entry));
    let says = "Git still says otherwise: the application will read OutOfSync until Git is reverted too";
    Verdict::allow(effect, now.identity()).and(Decision::Warn, Evidence::new("Git", says, Tone::Warn))
}

/// The reason, and the way in Git instead.
fn on(app: &Application) -> String {
    let source = app.spec.source.0.as_ref().or_else(|| app.spec.sources.first());
    let place = source.map(|s| format!("{} {}", &*s.repo_url, &*s.path)).unwrap_or_default();
    format!("auto-sync is on and would undo it: revert the commit in {place}, or switch auto-sync off first")
}

pub async fn operate(argo: &Argo, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
    sync::carry(argo, job, progress, |now| body(job, now)).await
}

fn body(job: &Job, now: &Held) -> Result<Value, SendError> {
    let refuse = |why: String| SendError::NotSent(Fault::new(Layer::App, why));
    if now.app.auto_sync() {
        return Err(refuse(on(&now.app)));
    }
    let wanted = entry(job, &now.app).and_then(|entry| entry.id.0);
    let history = now.raw["status"]["history"].as_array().map(Vec::as_slice).unwrap_or_default();
    let raw = history.iter().find(|entry| wanted.is_some() && entry["id"].as_i64() == wanted);
    let raw = raw.ok_or_else(|| refuse(format!("there is no entry `{}` in its history", job.arg("id"))))?;
    let mut operation = json!({"revision": raw["revision"], "prune": false, "syncStrategy": {"apply": {}}});
    for part in ["source", "sources", "revisions"] {
        if !raw[part].is_null() {
            operation[part] = raw[part].clone();
        }
    }
    Ok(sync::operation(job, &operation))
}
