//! Following a task by its UPID to its end: the only way to know what became of an accepted request.

use std::fmt::Write;
use std::time::Duration;

use tokio::time::Instant;

use crate::backend::error::ApiError;
use crate::backend::{Progress, ProgressSink};
use crate::model::snapshot::Layer;

use super::Proxmox;
use super::client::element;
use super::lenient::Items;
use super::progress::Log;
use super::upid::{End, Upid};
use super::wire::{Data, LogEntry, Task, TaskStatus};

/// How many log lines are read at once.
const LINES: i64 = 500;
/// How often a stopped task may lack its exit status before that is taken for the end.
const SILENT: u32 = 4;

/// A task that has come to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// How.
    pub end: End,
    /// The last lines of its log.
    pub tail: Vec<String>,
}

impl Proxmox {
    /// Follows a task to its end, however long it takes; the error says that it can no longer be asked about.
    ///
    /// Where it has to end within `limit`, what is left of that is told with each step.
    pub(super) async fn follow(
        &self,
        upid: &Upid,
        limit: Option<Duration>,
        progress: &ProgressSink,
    ) -> Result<Ended, ApiError> {
        let started = Instant::now();
        let (mut log, mut heard, mut silent) = (Log::default(), Instant::now(), 0);
        loop {
            tokio::time::sleep(self.pause(started.elapsed())).await;
            // The status first, so that the lines written before the end are not missed.
            let status = match self.task_status(upid).await {
                Ok(status) => status,
                Err(error) if heard.elapsed() > self.pace.lost || error.fault.status == Some(400) => {
                    return Err(error);
                }
                Err(error) => {
                    let note = format!("cannot be asked about: {error}");
                    let _ = progress.send(Progress::Step { fraction: log.fraction, note }).await;
                    continue;
                }
            };
            heard = Instant::now();
            // A log that cannot be read costs the percentage, not the outcome.
            let _ = self.read_log(upid, &mut log).await;
            let stopped = status.status.as_deref() == Some("stopped");
            if let Some(exit) = status.exitstatus.filter(|_| stopped) {
                return Ok(Ended { end: End::parse(&exit), tail: log.tail });
            }
            silent = if stopped { silent + 1 } else { 0 };
            if silent > SILENT {
                return Ok(Ended { end: End::Lost, tail: log.tail });
            }
            let left = limit.map(|limit| limit.saturating_sub(started.elapsed()).as_secs());
            let note = left.map_or_else(|| log.note(), |left| format!("asked to go down; {left} s left"));
            let _ = progress.send(Progress::Step { fraction: log.fraction, note }).await;
        }
    }

    /// 0.5 s while a task is young, 1 s up to half a minute, then 2 s.
    fn pause(&self, age: Duration) -> Duration {
        match age.as_secs() {
            0..5 => self.pace.step,
            5..30 => self.pace.step * 2,
            _ => self.pace.step * 4,
        }
    }

    /// Where a task stands.
    pub(super) async fn task_status(&self, upid: &Upid) -> Result<TaskStatus, ApiError> {
        self.client.get(&format!("{}/status", path(upid))).await
    }

    /// Reads what a task has logged since the last time.
    pub(super) async fn read_log(&self, upid: &Upid, log: &mut Log) -> Result<Vec<String>, ApiError> {
        let mut fresh = Vec::new();
        loop {
            let path = format!("{}/log?start={}&limit={LINES}", path(upid), log.lines);
            let entries: Vec<LogEntry> = self.client.list(&path).await?;
            let count = i64::try_from(entries.len()).unwrap_or(LINES);
            let lines: Vec<String> = entries.into_iter().filter_map(|entry| entry.t).collect();
            // A task without output shows this one line, which is not a line of its log.
            if log.lines == 0 && lines == ["no content"] {
                return Ok(fresh);
            }
            log.lines += count;
            for line in lines {
                log.read(&line);
                fresh.push(line);
            }
            if count < LINES {
                return Ok(fresh);
            }
        }
    }

    /// The task that an unanswered request may have made: one of these types on this thing, ours, not older than `since`.
    pub(super) async fn adopt(
        &self,
        node: &str,
        kinds: &[&str],
        id: &str,
        since: i64,
    ) -> Result<Option<Upid>, ApiError> {
        // The margin allows for clocks that differ; the answer's own date tells by how much.
        let mut path = format!("/nodes/{node}/tasks?source=all&limit=50&since={}", (since - 300).max(0));
        if id.parse::<u32>().is_ok() {
            let _ = write!(path, "&vmid={id}");
        }
        let reply = self.client.raw(&path).await?;
        let skew = reply.date().map_or(0, |date| date.as_second() - self.clock.now().as_second());
        let tasks = reply.json::<Data<Items<Task>>>()?.data.items;
        let ours = format!("{}!{}", self.owner.user, self.owner.token);
        let fits = |upid: &Upid| {
            let young = upid.start >= since + skew - 5;
            young && kinds.contains(&upid.kind.as_str()) && upid.id == id && upid.user == ours
        };
        Ok(tasks.iter().filter_map(|task| Upid::parse(task.upid.as_deref()?)).find(fits))
    }

    /// What works on a guest right now.
    pub(super) async fn active(&self, node: &str) -> Result<Vec<Upid>, ApiError> {
        let tasks: Vec<Task> =
            self.client.list(&format!("/nodes/{node}/tasks?source=active&limit=200")).await?;
        let running = tasks.iter().filter(|task| matches!(task.status.as_deref(), None | Some("RUNNING")));
        Ok(running.filter_map(|task| Upid::parse(task.upid.as_deref()?)).collect())
    }
}

/// The path of a task's calls.
pub(super) fn path(upid: &Upid) -> String {
    format!("/nodes/{}/tasks/{}", upid.node, element(&upid.raw))
}

/// The answer to a request is no task id.
pub(super) fn no_task(said: &str) -> ApiError {
    ApiError::new(Layer::App, "the server's answer is no task id")
        .raw(said)
        .hint("look at proxmox.tasks before repeating it")
}
