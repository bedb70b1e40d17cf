//! Sync wave by wave: what Argo CD's own gates do not promise is done by waiting here between the waves.
//!
//! Each application gets one operation that carries the run's note, under its own uid and version. The first wave that
//! does not get good ends it, and later ones are left alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::backend::error::{ApiError, SendError};
use crate::backend::kubernetes::watch::Follow as _;
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::id::{EntityId, Identity};
use crate::model::op::{Decision, Evidence, Job, Target, Verdict};
use crate::model::row::{Health, Row, Tone};
use crate::model::snapshot::{Fault, Layer};
use crate::model::time::{parse_duration, seconds_between};

use super::super::{Argo, kinds, waves};
use super::{Held, patch, sync};

/// How long a wave may take where nothing else was said.
const PATIENCE: Duration = Duration::from_secs(900);

/// The waves of a cluster from one on, each with its applications.
type Waves = BTreeMap<i64, Vec<Row>>;

/// The applications of a wave and of all later ones of its cluster.
async fn from(argo: &Argo, id: &EntityId) -> Result<Waves, ApiError> {
    let unknown = || ApiError::unsupported(format!("`{}` is no wave", id.key));
    let (cluster, number) = id.key.rsplit_once('/').ok_or_else(unknown)?;
    let number: i64 = number.parse().map_err(|_| unknown())?;
    let applications = argo.applications.snapshot().await?;
    let mut found = Waves::new();
    for row in applications.rows {
        let (of, wave) = waves::place(&row);
        if of == cluster && wave >= number {
            found.entry(wave).or_default().push(row);
        }
    }
    for rows in found.values_mut() {
        rows.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(found)
}

/// Which applications they are: another one in any of the waves makes it another thing to do.
fn identity(id: &EntityId, waves: &Waves) -> Identity {
    let uids = waves.values().flatten().filter_map(|row| row.identity.get("uid"));
    let mark = uids.flat_map(str::bytes).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Identity::new().with("wave", id.key.clone()).with("members", format!("{mark:016x}"))
}

/// The identity that a wave has now.
pub async fn identify(argo: &Argo, id: &EntityId) -> Result<Identity, ApiError> {
    Ok(identity(id, &from(argo, id).await?))
}

/// A wave by its key (`prod/3`) or its name (`prod wave 3`).
pub async fn resolve(argo: &Argo, exact: &str) -> Result<Vec<Target>, ApiError> {
    let applications = argo.applications.snapshot().await?;
    let rows = waves::rows(&argo.maker, &kinds::WAVES.into(), &applications.rows);
    let named = rows.into_iter().filter(|row| *row.id.key == *exact || *row.name == *exact);
    Ok(named.map(Target::from).collect())
}

fn is_good(row: &Row) -> bool {
    row.health == Health::Ok
}

fn words(row: &Row) -> String {
    let word = row.cell(0).value.as_text().unwrap_or_default();
    row.note.as_deref().map_or_else(|| word.to_owned(), |note| format!("{word}: {note}"))
}

pub async fn preflight(argo: &Argo, job: &Job) -> Result<Verdict, ApiError> {
    let waves = from(argo, &job.target.id).await?;
    let identity = identity(&job.target.id, &waves);
    let due: Vec<&Row> = waves.values().flatten().filter(|row| !is_good(row)).collect();
    if due.is_empty() {
        return Ok(Verdict { identity, ..Verdict::refuse("waves", "all of them are synced and healthy") });
    }
    let pruning =
        if job.arg("prune") == "true" { ", with pruning: what is no longer in Git is REMOVED" } else { "" };
    let effect = format!(
        "syncs {} of {} applications, wave by wave{pruning}",
        due.len(),
        waves.values().flatten().count()
    );
    let mut verdict = Verdict::allow(effect, identity);
    for (number, rows) in &waves {
        for row in rows.iter().filter(|row| !is_good(row)) {
            let fact = Evidence::new(format!("wave {number} {}", row.name), words(row), row.health.into());
            verdict = verdict.and(Decision::Allow, fact);
        }
    }
    for row in due {
        let app = application(argo, row).await?;
        if let Some(why) = sync::occupied(&app.app) {
            let fact = Evidence::new(row.name.to_string(), why, Tone::Error);
            verdict = verdict.and(Decision::Refuse, fact);
        }
        verdict = super::windowed(argo, &app, verdict).await;
    }
    Ok(verdict)
}

/// An application as it is now, which has to be the one of the row.
async fn application(argo: &Argo, row: &Row) -> Result<Held, ApiError> {
    let now = super::read_at(argo, &row.id.key).await?;
    if row.identity.conflicts(&now.identity()).is_empty() {
        return Ok(now);
    }
    Err(ApiError::unsupported(format!("{} is another application than before", row.name)))
}

pub async fn operate(argo: &Argo, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
    let refuse = |what: String| SendError::NotSent(Fault::new(Layer::App, what));
    let waves = from(argo, &job.target.id).await.map_err(|error| SendError::NotSent(error.fault))?;
    if !job.target.identity.conflicts(&identity(&job.target.id, &waves)).is_empty() {
        return Err(refuse("the waves hold other applications than those that were chosen".to_owned()));
    }
    let series = Series { argo, job, progress, patience: patience(job) };
    let mut sent = 0;
    for (number, rows) in waves {
        series.wave(number, &rows, &mut sent).await?;
    }
    if sent == 0 {
        return Err(refuse("nothing was left to do".to_owned()));
    }
    let said = format!("{sent} applications were synced, wave by wave");
    Ok(Receipt { remote: Some(job.run.to_string()), said, reveal: None })
}

/// One run over several waves.
struct Series<'a> {
    argo: &'a Argo,
    job: &'a Job,
    progress: &'a ProgressSink,
    patience: Duration,
}

/// How long one wave may take.
fn patience(job: &Job) -> Duration {
    let asked = parse_duration(job.arg("patience")).and_then(|span| Duration::try_from(span).ok());
    asked.unwrap_or(PATIENCE)
}

impl Series<'_> {
    /// Asks for the syncs of one wave and waits until all of its applications are good.
    async fn wave(&self, number: i64, rows: &[Row], sent: &mut usize) -> Result<(), SendError> {
        for row in rows {
            // What the waves before have changed counts, not what was seen at the beginning.
            let now = self.now(row, *sent).await?;
            if is_good(&self.seen(&now)) {
                continue;
            }
            self.ask(&now, *sent).await?;
            *sent += 1;
            if *sent == 1 {
                // The work of the controller has no id of its own; the run's note in it is what it is known by.
                let _ = self.progress.send(Progress::Accepted(self.job.run.to_string())).await;
            }
        }
        self.wait(number, rows).await
    }

    async fn now(&self, row: &Row, sent: usize) -> Result<Held, SendError> {
        application(self.argo, row).await.map_err(|error| stopped(error.fault, sent))
    }

    fn seen(&self, now: &Held) -> Row {
        let kind = kinds::APPLICATIONS.into();
        let limit = self.argo.stale();
        super::super::rows::project(
            &self.argo.maker,
            &kind,
            &Vec::new(),
            limit,
            &now.app,
            self.argo.clock.now(),
        )
        .row
    }

    async fn ask(&self, now: &Held, sent: usize) -> Result<(), SendError> {
        if let Some(why) = sync::occupied(&now.app) {
            return Err(stopped(Fault::new(Layer::App, format!("{}: {why}", &*now.app.metadata.name)), sent));
        }
        let body = sync::body(self.job, now)?;
        match patch(self.argo, now, body).await {
            Err(SendError::NotSent(fault) | SendError::Refused(fault)) if sent > 0 => {
                Err(stopped(fault, sent))
            }
            other => other,
        }
    }

    /// Waits until every application of a wave is good; an operation of ours that failed ends it.
    async fn wait(&self, number: i64, rows: &[Row]) -> Result<(), SendError> {
        let end = Instant::now() + self.patience;
        let mut last = String::new();
        loop {
            let mut waiting = Vec::new();
            for row in rows {
                let Ok(now) = super::read_at(self.argo, &row.id.key).await else {
                    waiting.push(format!("{} cannot be read", row.name));
                    continue;
                };
                if let Some(state) = sync::ours(self.job, &now.app).filter(|state| state.is_over()) {
                    let what = format!("wave {number}: {}: {}", row.name, sync::failure(state));
                    return Err(SendError::Failed(Fault::new(Layer::App, what)));
                }
                let seen = self.seen(&now);
                if !is_good(&seen) {
                    waiting.push(format!("{} {}", row.name, words(&seen)));
                }
            }
            let Some(first) = waiting.first() else { return Ok(()) };
            let note = format!("wave {number}: waiting for {first}");
            if Instant::now() >= end {
                let what =
                    format!("{note}, longer than {} s; later waves were left alone", self.patience.as_secs());
                return Err(SendError::Failed(Fault::new(Layer::App, what)));
            }
            if note != last {
                last.clone_from(&note);
                let fraction = fraction(rows.len() - waiting.len(), rows.len());
                let _ = self.progress.send(Progress::Step { fraction, note }).await;
            }
            tokio::time::sleep(self.argo.pace).await;
        }
    }
}

#[allow(clippy::cast_precision_loss)]
fn fraction(done: usize, all: usize) -> Option<f32> {
    (all > 0).then(|| done as f32 / all as f32)
}

/// What it means that the series cannot go on: nothing was sent yet, or some of it is done.
fn stopped(fault: Fault, sent: usize) -> SendError {
    if sent == 0 {
        return SendError::NotSent(fault);
    }
    let what = format!("{sent} applications were synced, then it stopped: {}", fault.what);
    SendError::Failed(Fault { what, ..fault })
}

/// Reads our operations back by their note.
pub async fn proof(argo: &Argo, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
    let waves = from(argo, &job.target.id).await?;
    let look = "argocd app list, and the waves' board".to_owned();
    let (mut mine, mut bad): (Vec<Arc<str>>, Vec<String>) = (Vec::new(), Vec::new());
    for row in waves.values().flatten() {
        let now = super::read_at(argo, &row.id.key).await?;
        let waits =
            now.app.operation.0.as_ref().is_some_and(|operation| operation.says(super::RUN, &job.run.0));
        match sync::ours(job, &now.app) {
            Some(state) if state.is_running() || waits => {
                return Ok(Proof::Unclear(format!("{}: {}", row.name, sync::step(state)), look));
            }
            Some(state) if state.is_over() => bad.push(format!("{}: {}", row.name, sync::failure(state))),
            Some(_) => mine.push(row.name.clone()),
            None if waits => return Ok(Proof::Unclear(format!("{} waits to begin", row.name), look)),
            None => {}
        }
    }
    if let Some(first) = bad.first() {
        return Ok(Proof::Absent(first.clone()));
    }
    if mine.is_empty() {
        return Ok(Proof::Absent("no application holds an operation of this run".to_owned()));
    }
    match waves.values().flatten().find(|row| !is_good(row)) {
        Some(row) => {
            let says = format!("{} is {}", row.name, words(row));
            let waited = seconds_between(since, argo.clock.now());
            let late = u64::try_from(waited).unwrap_or(0) >= patience(job).as_secs();
            // What we have asked for may still come up; what we have not is left alone.
            Ok(if late || !mine.contains(&row.name) {
                Proof::Absent(says)
            } else {
                Proof::Unclear(says, look)
            })
        }
        None => Ok(Proof::Seen(format!("synced and healthy: {}", mine.join(", ")))),
    }
}
