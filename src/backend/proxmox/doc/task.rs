//! One task and its log.

use std::sync::Arc;
use std::time::Duration;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::backend::proxmox::progress::Log;
use crate::backend::proxmox::upid::{End, Upid};
use crate::backend::proxmox::{Proxmox, rows};
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::Tone;
use crate::model::view::{Doc, DocLine, Fact, LogLine, View};

use super::fact;

/// How often the log of a running task is read.
const PACE: Duration = Duration::from_secs(1);

impl Proxmox {
    pub(super) async fn describe_task(&self, id: &EntityId) -> Result<Doc, ApiError> {
        let upid = parse(id)?;
        let status = self.task_status(&upid).await?;
        let mut log = Log::default();
        // Without its log the outcome is still known.
        let _ = self.read_log(&upid, &mut log).await;
        let end = status.exitstatus.as_deref().map(End::parse);
        let (word, tone) = match &end {
            None => ("running", Tone::Pending),
            Some(End::Ok) => ("ok", Tone::Ok),
            Some(End::Warnings(_)) => ("done, with warnings", Tone::Warn),
            Some(End::Lost) => ("killed, or its host went down", Tone::Error),
            Some(End::Error(_)) => ("failed", Tone::Error),
        };
        let why = match &end {
            Some(End::Error(text)) => text.as_str(),
            _ => "",
        };
        let known = upid.vmid().and_then(|vmid| self.memory().known(vmid).map(|known| known.name.clone()));
        let facts = [
            fact("state", word).map(|fact| fact.tone(tone)),
            fact("why", why).map(|fact| fact.tone(tone)),
            fact("done", log.fraction.filter(|_| end.is_none()).map(f64::from))
                .map(|f| f.format(Format::Percent)),
            fact("since", jiff::Timestamp::from_second(upid.start).ok()).map(|fact| fact.format(Format::Age)),
            fact("task", rows::task_title(&upid.kind)),
            fact("on", known.as_deref().unwrap_or(&upid.id)),
            fact("node", upid.node.as_str()),
            fact("by", upid.user.as_str()),
            fact("upid", upid.raw.as_str()),
        ];
        let facts: Vec<Fact> = facts.into_iter().flatten().collect();
        let lines = log.tail.iter().map(|line| DocLine::toned(line, tone_of(line))).collect();
        Ok(Doc::default().facts("", facts).lines("log", lines))
    }

    /// Streams a task's log from its beginning until the task has ended or nobody looks any more.
    pub(super) async fn show_log(&self, id: &EntityId, sink: &ViewSink) -> Result<(), ApiError> {
        let upid = parse(id)?;
        let mut log = Log::default();
        loop {
            let ended = self.task_status(&upid).await?.status.as_deref() == Some("stopped");
            let fresh = self.read_log(&upid, &mut log).await?;
            let lines: Vec<LogLine> = fresh.iter().map(|text| line(text)).collect();
            if !lines.is_empty() && sink.send(View::Log(lines)).await.is_err() {
                return Ok(());
            }
            if ended {
                sink.closed().await;
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(PACE) => {}
                () = sink.closed() => return Ok(()),
            }
        }
    }
}

fn parse(id: &EntityId) -> Result<Upid, ApiError> {
    Upid::parse(&id.key).ok_or_else(|| ApiError::unsupported(format!("`{}` is no task id", id.key)))
}

fn line(text: &str) -> LogLine {
    LogLine { at: None, source: None, text: Arc::from(text), tone: tone_of(text) }
}

fn tone_of(line: &str) -> Tone {
    if line.starts_with("ERROR:") || line.starts_with("TASK ERROR") {
        Tone::Error
    } else if line.starts_with("WARN") || line.starts_with("TASK WARNINGS") {
        Tone::Warn
    } else if line == "TASK OK" {
        Tone::Ok
    } else {
        Tone::Text
    }
}
