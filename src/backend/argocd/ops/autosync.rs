//! Auto-sync on or off, by the field that Argo CD 3.1 and later know; who manages the application may undo it.

use serde_json::json;

use crate::backend::error::SendError;
use crate::backend::{Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;

use super::super::Argo;
use super::super::views::auto;
use super::super::wire::Application;
use super::{Held, patch, settled};

fn wanted(job: &Job) -> bool {
    job.arg("state") == "on"
}

pub fn preflight(job: &Job, now: &Held) -> Verdict {
    let app = &now.app;
    let effect = if wanted(job) {
        "Argo CD applies every difference from Git by itself from now on"
    } else {
        "differences from Git stay until somebody syncs"
    };
    let says = format!("auto-sync is {}", auto(app));
    if app.auto_sync() == wanted(job) {
        return Verdict { identity: now.identity(), ..Verdict::refuse("auto-sync", says) };
    }
    let mut verdict =
        Verdict::allow(effect, now.identity()).and(Decision::Allow, Evidence::new("now", says, Tone::Info));
    if let Some(manager) = app.manager() {
        let says = format!("{manager} manages this application and may set it back from Git");
        verdict = verdict.and(Decision::Warn, Evidence::new("Git", says, Tone::Warn));
    }
    if wanted(job) && &*app.status.sync.status == "OutOfSync" {
        let says = "it differs from Git now, so it is synced at once";
        verdict = verdict.and(Decision::Warn, Evidence::new("sync", says, Tone::Warn));
    }
    verdict
}

pub async fn operate(argo: &Argo, job: &Job) -> Result<Receipt, SendError> {
    let now = settled(argo, job).await?;
    patch(argo, &now, json!({"spec": {"syncPolicy": {"automated": {"enabled": wanted(job)}}}})).await?;
    Ok(Receipt { remote: None, said: format!("auto-sync {}", job.arg("state")), reveal: None })
}

pub fn proof(job: &Job, app: &Application) -> Proof {
    let says = format!("auto-sync is {}", auto(app));
    if app.auto_sync() == wanted(job) {
        Proof::Seen(says)
    } else {
        Proof::Absent(format!("{says}: set back, or this Argo CD is older than 3.1 and drops the field"))
    }
}
