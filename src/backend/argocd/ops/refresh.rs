//! Refresh: an annotation that the controller takes off when it has compared the application with Git.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::backend::error::SendError;
use crate::backend::follow::Look;
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::time::{seconds_between, short};

use super::super::Argo;
use super::super::kinds;
use super::super::wire::{Application, REFRESH};
use super::follow::{self, not_before};
use super::{Held, patch, settled};

/// A comparison takes seconds; a slow repository may take a minute or two.
const LIMIT: Duration = Duration::from_secs(180);

pub fn preflight(now: &Held) -> Verdict {
    let verdict = Verdict::allow("compares it with Git now; changes nothing in the cluster", now.identity());
    match now.app.metadata.annotations.get(REFRESH) {
        Some(pending) => {
            let says = format!("a {pending} refresh is already waiting: the controller may be stuck");
            verdict.and(Decision::Warn, Evidence::new("refresh", says, Tone::Warn))
        }
        None => verdict,
    }
}

pub async fn operate(argo: &Argo, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
    let now = settled(argo, job).await?;
    let how = if &*job.op == kinds::HARD_REFRESH { "hard" } else { "normal" };
    let body = json!({"metadata": {"annotations": {REFRESH: how}}});
    patch(argo, &now, body).await?;
    let said = follow::until(argo, job, progress, LIMIT, look).await?;
    Ok(Receipt { remote: None, said, reveal: None })
}

fn look(app: &Application) -> Look {
    if app.metadata.annotations.has(REFRESH) {
        return Look::Going("waiting for the controller to compare".to_owned(), None);
    }
    Look::Done(outcome(app))
}

fn outcome(app: &Application) -> String {
    let status = &app.status;
    format!(
        "compared: {} at {}, {}",
        status.sync.status.as_str(),
        status.sync.short(),
        status.health.status.as_str()
    )
}

/// A comparison that is younger than the request proves it, whoever asked for it.
pub fn proof(app: &Application, since: Timestamp) -> Proof {
    let compared = app.status.reconciled_at.time();
    if app.metadata.annotations.has(REFRESH) {
        let look = "look whether the annotation argocd.argoproj.io/refresh goes away".to_owned();
        return Proof::Unclear("the request still waits for the controller".to_owned(), look);
    }
    if not_before(compared, since) {
        return Proof::Seen(outcome(app));
    }
    let before = compared
        .map_or("never".to_owned(), |at| format!("{} before the request", short(seconds_between(at, since))));
    Proof::Absent(format!("no request is waiting, and the last comparison was {before}"))
}
