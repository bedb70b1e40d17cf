//! Terminate: a request to the controller, which ends the operation when it next looks.

use std::time::Duration;

use serde_json::json;

use crate::backend::error::{SendError, first_line};
use crate::backend::follow::Look;
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

use super::super::Argo;
use super::super::wire::Application;
use super::follow;
use super::{Held, patch, settled};

const LIMIT: Duration = Duration::from_secs(300);

/// Why there is nothing to end.
const IDLE: &str = "no operation is under way";

pub fn preflight(now: &Held) -> Verdict {
    let Some(state) = now.app.running() else {
        return Verdict { identity: now.identity(), ..Verdict::refuse("operation", IDLE) };
    };
    let effect = "ends the operation where it is; what was applied stays applied";
    let says = format!(
        "{} by {}: {}",
        &*state.phase,
        state.operation.initiated_by.name(),
        first_line(&state.message)
    );
    let verdict = Verdict::allow(effect, now.identity())
        .and(Decision::Warn, Evidence::new("operation", says, Tone::Pending));
    if &*state.phase == "Terminating" {
        let says = "it is being ended already";
        return verdict.and(Decision::Refuse, Evidence::new("state", says, Tone::Error));
    }
    verdict
}

pub async fn operate(argo: &Argo, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
    let now = settled(argo, job).await?;
    if now.app.running().is_none() {
        return Err(SendError::NotSent(Fault::new(Layer::App, IDLE)));
    }
    patch(argo, &now, json!({"status": {"operationState": {"phase": "Terminating"}}})).await?;
    let said = follow::until(argo, job, progress, LIMIT, |app| {
        if app.running().is_some() || app.operation.0.is_some() {
            Look::Going("waiting for the controller to end it".to_owned(), None)
        } else {
            Look::Done(outcome(app))
        }
    })
    .await?;
    Ok(Receipt { remote: None, said, reveal: None })
}

fn outcome(app: &Application) -> String {
    let state = app.status.operation_state.0.as_ref();
    state.map_or_else(String::new, |state| format!("{}: {}", &*state.phase, first_line(&state.message)))
}

pub fn proof(app: &Application) -> Proof {
    match app.running() {
        Some(state) if &*state.phase == "Terminating" => Proof::Unclear(
            "the controller has not ended it yet".to_owned(),
            "look at the operation's phase".to_owned(),
        ),
        Some(state) => Proof::Absent(format!("an operation is {}", &*state.phase)),
        None => Proof::Seen(format!("no operation is under way; the last one {}", outcome(app))),
    }
}
