//! Restarting one container: from the configured list only, one at a time, and done when it is healthy again.

use std::time::Duration;

use jiff::Timestamp;

use crate::backend::error::{ApiError, SendError};
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::id::{EntityId, Identity};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};
use crate::model::time::{seconds_between, short};

use super::host::{Seen, image_of};
use super::rows::{identity, started, state};
use super::version::Reference;
use super::{Docker, kinds};

/// How long a container may take to become healthy.
const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);
/// A container that was not started again after so many seconds will not be: stopping it takes ten at most.
const LATE: i64 = 120;
/// One without a health check counts as up after so many seconds.
const STEADY: i64 = 10;

/// The container as the engine has it now.
pub(super) async fn identify(backend: &Docker, target: &EntityId) -> Result<Identity, ApiError> {
    let inspected = backend.engine()?.inspect(&target.key).await?;
    let name = inspected.name.trim_start_matches('/').to_owned();
    Ok(identity(&name, Some(&inspected), &inspected.image))
}

pub(super) async fn preflight(backend: &Docker, job: &Job) -> Result<Verdict, ApiError> {
    let seen = backend.observe().await?;
    let Some(one) = seen.containers.iter().find(|one| *one.listed.id == *job.target.id.key) else {
        return Ok(Verdict::refuse("container", "it is gone: one that was made anew has another id"));
    };
    if !backend.config.restart.iter().any(|name| name == one.name()) {
        let why = format!("{} is not in `restart` of this `[[docker]]`", one.name());
        return Ok(Verdict::refuse("allowed", why));
    }
    let busy = seen.containers.iter().find(|other| {
        other.listed.id != one.listed.id
            && (other.health() == "starting" || &*other.listed.state == "restarting")
    });
    if let Some(busy) = busy {
        let why = format!("one at a time: {} is still starting", busy.name());
        return Ok(Verdict::refuse("others", why));
    }
    Ok(evidence(one, backend.clock.now()))
}

fn evidence(one: &Seen, now: Timestamp) -> Verdict {
    let (word, health, note) = state(one, now);
    let digest = one.inspected.as_ref().map_or(&*one.listed.image_id, |inspected| &*inspected.image);
    let mut verdict = Verdict::allow(
        "stops it, starts it again, and waits until it is healthy; what it serves is away for so long",
        identity(one.name(), one.inspected.as_ref(), digest),
    );
    let says = note.map_or_else(|| word.to_owned(), |note| format!("{word}: {note}"));
    verdict.evidence.push(Evidence::new("state", says, Tone::from(health)));
    if let Some(inspected) = &one.inspected {
        let restarts = inspected.restart_count.or_zero();
        let up = started(inspected).map_or_else(|| "never".to_owned(), |at| short(seconds_between(at, now)));
        verdict.evidence.push(Evidence::new(
            "up",
            format!("{up}, restarted {restarts} times by its policy"),
            Tone::Text,
        ));
    }
    verdict.evidence.push(Evidence::new("image", image_of(one).to_owned(), Tone::Text));
    if Reference::read(image_of(one)).moves().is_some() {
        let says = "a restart keeps the image that it has; only making it anew takes another one";
        verdict.evidence.push(Evidence::new("unpinned", says, Tone::Info));
    }
    verdict.and(
        Decision::Warn,
        Evidence::new("cause", "a restart cures what is stuck, not what filled it up", Tone::Warn),
    )
}

pub(super) async fn operate(
    backend: &Docker,
    job: &Job,
    progress: ProgressSink,
) -> Result<Receipt, SendError> {
    let engine = backend.engine().map_err(|error| SendError::NotSent(error.fault))?;
    if !backend.config.restart.iter().any(|name| **name == *job.target.name) {
        return Err(SendError::NotSent(Fault::new(
            Layer::App,
            "it is not in the list of what may be restarted",
        )));
    }
    // Two at once would take down what one of them needs to come up.
    let Ok(_one) = backend.restarting.try_lock() else {
        return Err(SendError::NotSent(Fault::new(
            Layer::App,
            "another container of this host is being restarted",
        )));
    };
    let id = &*job.target.id.key;
    engine.restart(id).await?;
    let _ = progress.send(Progress::Accepted(id.to_owned())).await;
    let waiting = async {
        loop {
            let word = match engine.inspect(id).await {
                Ok(inspected) if up(&inspected, backend.clock.now()) => return,
                Ok(inspected) => inspected.state.health.0.as_ref().map_or_else(
                    || inspected.state.status.as_str().to_owned(),
                    |health| health.status.as_str().to_owned(),
                ),
                Err(error) => error.to_string(),
            };
            let _ = progress
                .send(Progress::Step { fraction: None, note: format!("waits until healthy: {word}") })
                .await;
            tokio::time::sleep(PAUSE).await;
        }
    };
    // Where it does not become healthy, reading back says so.
    let _ = tokio::time::timeout(PATIENCE, waiting).await;
    Ok(Receipt { remote: Some(id.to_owned()), said: "it was restarted".to_owned(), reveal: None })
}

/// Healthy, or up for a while where nothing checks it.
fn up(inspected: &super::wire::Inspected, now: Timestamp) -> bool {
    let runs = &*inspected.state.status == "running";
    match &inspected.state.health.0 {
        Some(health) if !matches!(&*health.status, "none" | "") => runs && &*health.status == "healthy",
        _ => runs && started(inspected).is_some_and(|at| seconds_between(at, now) >= STEADY),
    }
}

/// Reads back: started since, and healthy.
pub(super) async fn verify(backend: &Docker, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
    let look = || format!("docker inspect {}", job.target.name);
    let inspected = match backend.engine()?.inspect(&job.target.id.key).await {
        Ok(inspected) => inspected,
        Err(error) if error.fault.status == Some(404) => {
            return Ok(Proof::Absent("the container is gone".to_owned()));
        }
        Err(error) => return Err(error),
    };
    let before = job.target.identity.get("started").unwrap_or_default();
    if &*inspected.state.started_at == before {
        let says = format!("it has not been started since {before}");
        let late = seconds_between(since, backend.clock.now()) >= LATE;
        return Ok(if late { Proof::Absent(says) } else { Proof::Unclear(says, look()) });
    }
    let health = inspected.state.health.0.as_ref().map_or("no health check", |health| &*health.status);
    Ok(if up(&inspected, backend.clock.now()) {
        Proof::Seen(format!("started {}, {health}", &*inspected.state.started_at))
    } else {
        let word = inspected.state.status.as_str();
        Proof::Unclear(format!("started again, but it is {word} ({health})"), look())
    })
}

/// Only this one operation is known.
pub(super) fn known(op: &str) -> bool {
    op == kinds::RESTART
}
