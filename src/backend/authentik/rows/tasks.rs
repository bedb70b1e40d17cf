//! Workers, the queue, schedules, blueprints, and the tasks that went wrong.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::backend::authentik::kinds::TASKS;
use crate::backend::authentik::wire::{Blueprint, System, Task, TaskSchedule, Worker};
use crate::backend::lenient::Int;
use crate::model::row::{Cell, Health, Row, Tone};
use crate::model::time::seconds_between;

use super::{Place, State};

/// A schedule that should have run longer ago than this has stopped, in seconds.
const LATE: i64 = 600;
/// So many waiting tasks without a worker that takes them are a dead queue.
const QUEUE: i64 = 50;

/// Everything but the state that a row shows.
#[derive(Default)]
struct Line<'a> {
    kind: &'static str,
    name: &'a str,
    at: Option<Timestamp>,
    next: Option<Timestamp>,
    cron: &'a str,
}

fn row(key: &str, line: &Line<'_>, state: State, place: &Place) -> Row {
    let cells = vec![
        state.cell(),
        Cell::new(line.name),
        Cell::toned(line.kind, Tone::Dim),
        Cell::new(line.at),
        Cell::new(line.next),
        Cell::new(state.note.as_deref().unwrap_or_default()),
        Cell::toned(line.cron, Tone::Dim),
    ];
    place.row(TASKS, format!("{}:{key}", line.kind), line.name, cells, state)
}

/// The server itself: whether it calls itself ready, and which release it is.
pub fn server(ready: Result<u16, String>, version: &str, place: &Place) -> Row {
    let state = match ready {
        Ok(200..300) => State::new("ok", Health::Ok).note(version.to_owned()),
        Ok(status) => State::new("not ready", Health::Critical)
            .note(format!("{version} answers {status} on its health page")),
        Err(why) => State::new("unknown", Health::Unknown).note(why),
    };
    row("server", &Line { kind: "server", name: "server", ..Line::default() }, state, place)
}

/// Whether the server knows that people reach it over TLS; `public` says that they do.
pub fn proxy(system: &System, public: bool, place: &Place) -> Row {
    let host = system.http_host.as_str();
    let state = match system.http_is_secure.0 {
        Some(false) if public => State::new("warning", Health::Warning)
            .note(format!("it takes {host} for plain http: X-Forwarded-Proto is missing or not trusted")),
        Some(_) => State::new("ok", Health::Ok).note(host.to_owned()),
        None => State::new("unknown", Health::Unknown).note("it does not say"),
    };
    row("proxy", &Line { kind: "proxy", name: "reverse proxy", ..Line::default() }, state, place)
}

/// The workers that were seen in the last two minutes; without any nothing in the background happens.
pub fn workers(workers: &[Worker], server: &str, place: &Place) -> Vec<Row> {
    if workers.is_empty() {
        let state = State::new("none", Health::Critical)
            .note("no worker is connected: nothing in the background happens");
        return vec![row(
            "none",
            &Line { kind: "worker", name: "no worker", ..Line::default() },
            state,
            place,
        )];
    }
    let one = |worker: &Worker| {
        let host = worker.worker_id.split_once('@').map_or(worker.worker_id.as_str(), |(_, host)| host);
        let state = match worker.version_matching.0 {
            Some(false) => {
                let note = format!("runs {}, the server {server}", worker.version.as_str());
                State::new("outdated", Health::Warning).note(note)
            }
            _ => State::new("ok", Health::Ok).note(worker.version.to_string()),
        };
        row(&worker.worker_id, &Line { kind: "worker", name: host, ..Line::default() }, state, place)
    };
    workers.iter().map(one).collect()
}

/// The queue as a whole.
pub fn queue(counts: &BTreeMap<String, Int>, place: &Place) -> Row {
    let count = |word: &str| counts.get(word).copied().unwrap_or_default().or_zero();
    let (queued, wrong) = (count("queued"), count("error") + count("rejected"));
    let note =
        format!("{queued} queued, {} running, {wrong} failed, {} done", count("running"), count("done"));
    let state = match (queued, wrong) {
        (QUEUE.., _) => State::new("queued", Health::Warning),
        (_, 1..) => State::new("error", Health::Warning),
        _ => State::new("ok", Health::Ok),
    };
    row("all", &Line { kind: "queue", name: "tasks", ..Line::default() }, state.note(note), place)
}

/// A schedule.
pub fn schedule(schedule: &TaskSchedule, place: &Place, now: Timestamp) -> Option<Row> {
    let key = schedule.id.some()?;
    let next = schedule.next_run.time();
    let late = next.map_or(0, |next| seconds_between(next, now));
    let status = schedule.last_task_status.as_str();
    let state = match status {
        _ if schedule.paused.is_true() => State::new("paused", Health::Off),
        "error" | "rejected" => State::new("error", Health::Warning).note("its last task failed"),
        _ if late > LATE => {
            State::new("late", Health::Warning).note("it should have run: the scheduler has stopped")
        }
        "warning" => State::new("warning", Health::Warning).note("its last task warned"),
        _ => State::new("ok", Health::Ok),
    };
    let note = state.note.clone().unwrap_or_else(|| schedule.description.to_string());
    let name = schedule.uid.some().unwrap_or(schedule.actor_name.as_str());
    let line = Line { kind: "schedule", name: tail(name), next, cron: &schedule.crontab, ..Line::default() };
    Some(row(key, &line, state.note(note), place))
}

/// A task that went wrong.
pub fn task(task: &Task, place: &Place) -> Option<Row> {
    let key = task.message_id.some()?;
    let word = match task.aggregated_status.as_str() {
        "error" => "error",
        "rejected" => "rejected",
        "warning" => "warning",
        _ => return None,
    };
    let logs = if task.logs.is_empty() { &task.messages } else { &task.logs };
    let said = logs.iter().rev().find(|log| !matches!(log.log_level.as_str(), "info" | "debug"));
    let note = said.map_or_else(|| task.description.to_string(), |log| log.event.to_string());
    let state = State::new(word, Health::Warning).note(note);
    let line = Line { kind: "task", name: tail(&task.actor_name), at: task.mtime.time(), ..Line::default() };
    Some(row(key, &line, state, place))
}

/// A blueprint.
pub fn blueprint(blueprint: &Blueprint, place: &Place) -> Option<Row> {
    let key = blueprint.pk.some()?;
    let state = match blueprint.status.as_str() {
        _ if blueprint.enabled.0 == Some(false) => State::new("off", Health::Off),
        "successful" => State::new("ok", Health::Ok),
        "warning" => State::new("warning", Health::Warning).note("was applied with warnings"),
        "error" => State::new("error", Health::Warning).note("could not be applied"),
        "orphaned" => State::new("orphaned", Health::Warning).note("its file is gone"),
        _ => State::new("unknown", Health::Unknown).note("was never applied"),
    };
    let note = state.note.clone().unwrap_or_else(|| blueprint.path.to_string());
    let line = Line {
        kind: "blueprint",
        name: &blueprint.name,
        at: blueprint.last_applied.time(),
        ..Line::default()
    };
    Some(row(key, &line, state.note(note), place))
}

/// `authentik.events.tasks.event_trigger_handler` without what all of them begin with.
fn tail(name: &str) -> &str {
    name.strip_prefix("authentik.").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { instance: "auth".into(), domain: crate::model::row::Domain::Cloud }
    }

    #[test]
    fn no_worker_is_a_row_of_its_own() {
        let none = workers(&[], "2026.2.4", &place());
        assert_eq!((none.len(), none[0].health), (1, Health::Critical));
        let one: Vec<Worker> = serde_json::from_str(
            r#"[{"worker_id":"8436b7ec@vm","version":"2026.2.0","version_matching":false}]"#,
        )
        .unwrap();
        let rows = workers(&one, "2026.2.4", &place());
        assert_eq!((&*rows[0].name, rows[0].health), ("vm", Health::Warning));
    }

    #[test]
    fn a_schedule_in_the_past_has_stopped_and_a_paused_one_has_not() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let cases = [
            (r#"{"id":"1","next_run":"2026-11-22T11:00:00Z"}"#, "late"),
            (r#"{"id":"1","next_run":"2026-11-22T11:00:00Z","paused":true}"#, "paused"),
            (r#"{"id":"1","next_run":"2026-11-22T13:00:00Z","last_task_status":"error"}"#, "error"),
            (r#"{"id":"1","next_run":"2026-11-22T13:00:00Z"}"#, "ok"),
        ];
        for (json, word) in cases {
            let row = schedule(&serde_json::from_str(json).unwrap(), &place(), now).unwrap();
            assert_eq!(row.cell(0).value, word.into(), "{json}");
        }
    }

    #[test]
    fn a_failed_task_says_its_own_last_warning() {
        let json = r#"{"message_id":"m","actor_name":"authentik.outposts.tasks.x","aggregated_status":"error",
            "logs":[{"log_level":"error","event":"Connection refused"},{"log_level":"info","event":"done"}]}"#;
        let row = task(&serde_json::from_str(json).unwrap(), &place()).unwrap();
        assert_eq!((&*row.name, row.note.as_deref()), ("outposts.tasks.x", Some("Connection refused")));
        assert!(
            task(
                &serde_json::from_str(r#"{"message_id":"m","aggregated_status":"done"}"#).unwrap(),
                &place()
            )
            .is_none()
        );
    }
}
