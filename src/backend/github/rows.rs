//! Runs and what they wait for, as rows.

use std::sync::Arc;

use jiff::Timestamp;

use crate::backend::error::ApiError;
use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Domain, Facet, FacetKey, Grade, Health, Row, Tone};
use crate::model::time::seconds_between;

use super::kinds::{APPROVALS, RUNS, WORKFLOWS};
use super::wire::{Pending, Run, Workflow};

/// A failure that is older than this is history, in seconds.
const OLD: i64 = 2 * 86_400;

/// Where the rows live.
#[derive(Debug, Clone)]
pub struct Place {
    /// The configured name.
    pub instance: Arc<str>,
    /// The failure domain.
    pub domain: Domain,
}

/// A row for a run.
pub fn run(run: &Run, place: &Place, now: Timestamp) -> Option<Row> {
    let id = run.id.0?;
    let (word, health, note) = state(run, now);
    let (started, ended) = (run.run_started_at.time(), run.updated_at.time());
    let took = started.zip(ended).map(|(from, to)| seconds_between(from, to).max(0));
    let name = name(run);
    let cells = vec![
        Cell::toned(word, Tone::from(health)),
        Cell::new(name.as_str()),
        Cell::new(run.display_title.as_str()),
        Cell::new(run.head_branch.as_str()),
        Cell::toned(short_sha(run), Tone::Dim),
        Cell::toned(run.event.as_str(), Tone::Dim),
        Cell::new(run.actor.login.as_str()),
        Cell::new(took.filter(|_| run.status.as_str() == "completed")),
        Cell::new(run.created_at.time()),
        Cell::toned(file(run), Tone::Dim),
        Cell::toned(id, Tone::Dim),
    ];
    let mut row = Row::new(EntityId::new(RUNS, place.instance.clone(), id.to_string()), name.as_str(), cells);
    row.health = health;
    row.note = note.map(Arc::from);
    row.domain = place.domain;
    row.identity = identity(run);
    row.facets = Box::new([Facet::new(FacetKey::Name, file(run), Grade::Hint)]);
    Some(row)
}

/// A row for an environment that a run waits for.
pub fn approval(run: &Run, pending: &Pending, place: &Place, now: Timestamp) -> Option<Row> {
    let (id, environment) = (run.id.0?, pending.environment.id.0?);
    let mine = pending.current_user_can_approve.0;
    let (word, health) =
        if mine == Some(false) { ("blocked", Health::Unknown) } else { ("waiting", Health::Pending) };
    let name = name(run);
    let cells = vec![
        Cell::toned(word, Tone::from(health)),
        Cell::new(name.as_str()),
        Cell::new(pending.environment.name.as_str()),
        Cell::new(run.display_title.as_str()),
        Cell::toned(short_sha(run), Tone::Dim),
        Cell::new(run.actor.login.as_str()),
        Cell::new(run.created_at.time()),
    ];
    let id = EntityId::new(APPROVALS, place.instance.clone(), format!("{id}:{environment}"));
    let mut row = Row::new(id, name.as_str(), cells);
    row.health = health;
    row.note = (mine == Some(false)).then(|| Arc::from("the token's user may not approve it"));
    row.domain = place.domain;
    row.identity = identity(run);
    let waits = run.created_at.time().map_or(0, |at| seconds_between(at, now));
    if waits > OLD {
        row.note = Some(Arc::from("has been waiting for days"));
    }
    Some(row)
}

/// A row for a workflow with the newest of its runs.
pub fn workflow(workflow: &Workflow, runs: &[Run], place: &Place, now: Timestamp) -> Option<Row> {
    let name = Some(workflow_file(workflow)).filter(|name| !name.is_empty())?;
    let last = runs.iter().find(|run| file(run) == name);
    let (word, health, note) = match last {
        Some(run) => state(run, now),
        None if workflow.state.as_str() == "active" => ("idle", Health::Ok, None),
        None => ("off", Health::Off, Some(workflow.state.replace('_', " "))),
    };
    let cells = vec![
        Cell::toned(word, Tone::from(health)),
        Cell::new(name),
        Cell::new(workflow.name.as_str()),
        Cell::new(last.and_then(|run| run.created_at.time())),
        Cell::new(last.map_or("", |run| run.actor.login.as_str())),
    ];
    let mut row = Row::new(EntityId::new(WORKFLOWS, place.instance.clone(), name), name, cells);
    row.health = health;
    row.note = note.map(Arc::from);
    row.domain = place.domain;
    row.identity = workflow_identity(workflow);
    Some(row)
}

/// A workflow's file, without its folder.
pub fn workflow_file(workflow: &Workflow) -> &str {
    workflow.path.rsplit('/').next().unwrap_or_default()
}

/// What makes a workflow that workflow.
pub fn workflow_identity(workflow: &Workflow) -> Identity {
    Identity::new().with("id", workflow.id.or_zero().to_string()).with("path", workflow.path.as_str())
}

/// The run that a row of either kind is about.
pub fn run_of(id: &EntityId) -> Result<i64, ApiError> {
    let number = id.key.split(':').next().unwrap_or_default();
    number.parse().map_err(|_| ApiError::unsupported(format!("{id} is no run")))
}

/// The environment that a row of approvals is about.
pub fn environment_of(id: &EntityId) -> Option<i64> {
    id.key.split_once(':')?.1.parse().ok()
}

/// What makes a run that run: a re-run is another attempt.
pub fn identity(run: &Run) -> Identity {
    Identity::new()
        .with("id", run.id.or_zero().to_string())
        .with("attempt", run.run_attempt.or_zero().to_string())
        .with("sha", run.head_sha.as_str())
}

/// The workflow's file, without its folder.
pub fn file(run: &Run) -> &str {
    let path = run.path.split('@').next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

/// The file without its ending, and the number of the run.
pub fn name(run: &Run) -> String {
    let file = file(run);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let stem = if stem.is_empty() { run.name.as_str() } else { stem };
    format!("{stem} #{}", run.run_number.or_zero())
}

/// The first letters of its commit.
pub fn short_sha(run: &Run) -> &str {
    run.head_sha.get(..7).unwrap_or(run.head_sha.as_str())
}

/// How a run is; a failure of long ago is history.
pub fn state(run: &Run, now: Timestamp) -> (&'static str, Health, Option<String>) {
    let old = run.updated_at.time().is_some_and(|at| seconds_between(at, now) > OLD);
    let bad = if old { Health::Off } else { Health::Warning };
    match (run.status.as_str(), run.conclusion.as_str()) {
        ("completed", "success") => ("ok", Health::Ok, None),
        ("completed", "cancelled") => ("cancelled", Health::Off, None),
        ("completed", "skipped" | "neutral" | "stale") => ("skipped", Health::Off, None),
        ("completed", "timed_out") => ("failed", bad, Some("ran out of time".to_owned())),
        ("completed", "action_required") => {
            ("waiting", Health::Pending, Some("somebody has to act".to_owned()))
        }
        ("completed", "startup_failure") => ("failed", bad, Some("its file could not be started".to_owned())),
        ("completed", _) => ("failed", bad, None),
        ("waiting", _) => ("waiting", Health::Pending, Some("waits for an approval".to_owned())),
        ("in_progress", _) => ("running", Health::Pending, None),
        ("queued" | "requested" | "pending", _) => ("queued", Health::Pending, None),
        _ => ("unknown", Health::Unknown, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_by_its_file_and_number_and_an_old_failure_is_history() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let run = |json: &str| serde_json::from_str::<Run>(&format!("{{{json}}}")).unwrap();
        let named =
            run(r#""path":".github/workflows/promote-prod.yml@main","run_number":12,"name":"Promote""#);
        assert_eq!((name(&named).as_str(), file(&named)), ("promote-prod #12", "promote-prod.yml"));
        let cases = [
            (
                r#""status":"completed","conclusion":"failure","updated_at":"2026-11-22T11:00:00Z""#,
                "failed",
                Health::Warning,
            ),
            (
                r#""status":"completed","conclusion":"failure","updated_at":"2026-11-12T11:00:00Z""#,
                "failed",
                Health::Off,
            ),
            (r#""status":"completed","conclusion":"success""#, "ok", Health::Ok),
            (r#""status":"waiting""#, "waiting", Health::Pending),
            (r#""status":"in_progress""#, "running", Health::Pending),
            (r#""status":7"#, "unknown", Health::Unknown),
        ];
        for (json, word, health) in cases {
            let (got, how, _) = state(&run(json), now);
            assert_eq!((got, how), (word, health), "{json}");
        }
    }
}
