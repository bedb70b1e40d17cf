//! One container's log: opened, and opened again where it ends because the container restarted.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::model::row::Tone;
use crate::model::view::{LogLine, View};

use super::super::client::Cluster;
use super::super::watch::encoded;
use super::Options;

/// How long a log may be silent before its connection counts as dead.
const QUIET: Duration = Duration::from_secs(3600);

/// How long to wait before a log that ended is opened again.
const PAUSE: Duration = Duration::from_secs(2);

/// What to read of a pod.
pub struct Stream {
    pub cluster: Arc<Cluster>,
    pub path: String,
    pub container: String,
    pub source: Option<Arc<str>>,
    pub options: Options,
    pub sink: ViewSink,
}

impl Stream {
    pub async fn run(&self) -> Result<(), ApiError> {
        let previous = self.options.previous;
        let mut last = None;
        loop {
            match self.read(&mut last).await {
                Ok(()) => {}
                // Not started yet: kubectl says the same and gives up, here it is waited for.
                Err(error) if error.fault.status == Some(400) && !previous => {
                    self.say(&error.fault.raw, Tone::Dim).await;
                }
                Err(error) if error.fault.status == Some(404) => {
                    self.say("the pod is gone", Tone::Dim).await;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
            if previous || self.sink.is_closed() {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Reads until the log ends; lines up to `last` are known already.
    async fn read(&self, last: &mut Option<Timestamp>) -> Result<(), ApiError> {
        let from = if let Some(at) = last {
            format!("&sinceTime={}", encoded(&at.to_string()))
        } else {
            let since = self.options.since.map(|seconds| format!("&sinceSeconds={seconds}"));
            format!("&tailLines={}{}", self.options.tail, since.unwrap_or_default())
        };
        let follow = if self.options.previous { "previous=true" } else { "follow=true" };
        let path = format!(
            "{}/log?container={}&timestamps=true&{follow}{from}",
            self.path,
            encoded(&self.container)
        );
        let mut lines = self.cluster.stream(&path, QUIET).await?;
        loop {
            let more = tokio::select! {
                more = lines.next() => more?,
                () = self.sink.closed() => return Ok(()),
            };
            let Some(more) = more else { return Ok(()) };
            let batch: Vec<LogLine> = more.iter().filter_map(|line| self.line(line, last)).collect();
            if !batch.is_empty() && self.sink.send(View::Log(batch)).await.is_err() {
                return Ok(());
            }
        }
    }

    fn line(&self, line: &[u8], last: &mut Option<Timestamp>) -> Option<LogLine> {
        let line = String::from_utf8_lossy(line);
        let (at, text) = match line.split_once(' ') {
            Some((stamp, text)) => stamp.parse::<Timestamp>().map_or((None, &*line), |at| (Some(at), text)),
            None => (None, &*line),
        };
        if let (Some(at), Some(known)) = (at, *last)
            && at <= known
        {
            return None;
        }
        *last = at.or(*last);
        let at = at.filter(|_| self.options.stamps);
        self.options.keeps(text).then(|| LogLine {
            at,
            source: self.source.clone(),
            text: text.trim_end().into(),
            tone: tone(text),
        })
    }

    async fn say(&self, text: &str, tone: Tone) {
        let line = LogLine { at: None, source: self.source.clone(), text: text.into(), tone };
        // A view that was shut needs no last word.
        let _ = self.sink.send(View::Log(vec![line])).await;
    }
}

/// The role of a line by the level word near its beginning.
pub fn tone(text: &str) -> Tone {
    let start: String = text.chars().take(80).collect::<String>().to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| start.contains(word));
    if says(&["error", "fatal", "panic", "level=err", "critical"]) {
        Tone::Error
    } else if says(&["warn"]) {
        Tone::Warn
    } else {
        Tone::Text
    }
}
