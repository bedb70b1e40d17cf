//! Logs of a pod: every container followed at once, reopened where a container restarts.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::model::row::Tone;
use crate::model::view::{LogLine, View};

use super::client::Cluster;
use super::resource::PODS;
use super::watch::encoded;
use super::wire::Pod;

/// How many lines of the past are fetched.
const TAIL: u32 = 500;

/// How long a log may be silent before its connection counts as dead.
const QUIET: Duration = Duration::from_secs(3600);

/// How long to wait before a log that ended is opened again.
const PAUSE: Duration = Duration::from_secs(2);

/// What to read of a pod.
#[derive(Clone)]
struct Stream {
    cluster: Arc<Cluster>,
    path: String,
    container: String,
    source: Option<Arc<str>>,
    sink: ViewSink,
}

/// Follows the logs of a pod until the view is shut; with `previous`, reads those of the containers' last lives.
pub async fn follow(
    cluster: &Arc<Cluster>,
    key: &str,
    previous: bool,
    sink: ViewSink,
) -> Result<(), ApiError> {
    let path = PODS.object(key)?;
    let pod: Pod = cluster.get(&path).await?.json()?;
    let names: Vec<&str> = pod.spec.containers.iter().map(|container| &*container.name).collect();
    let mut streams = JoinSet::new();
    for name in &names {
        let stream = Stream {
            cluster: cluster.clone(),
            path: path.clone(),
            container: (*name).to_owned(),
            source: (names.len() > 1).then(|| Arc::from(*name)),
            sink: sink.clone(),
        };
        streams.spawn(async move { stream.run(previous).await });
    }
    let mut failed = None;
    while let Some(ended) = streams.join_next().await {
        if let Ok(Err(error)) = ended {
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

impl Stream {
    async fn run(&self, previous: bool) -> Result<(), ApiError> {
        let mut last = None;
        loop {
            match self.read(previous, &mut last).await {
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
    async fn read(&self, previous: bool, last: &mut Option<Timestamp>) -> Result<(), ApiError> {
        let from = match last {
            Some(at) => format!("&sinceTime={}", encoded(&at.to_string())),
            None => format!("&tailLines={TAIL}"),
        };
        let follow = if previous { "previous=true" } else { "follow=true" };
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
        Some(LogLine { at, source: self.source.clone(), text: text.trim_end().into(), tone: tone(text) })
    }

    async fn say(&self, text: &str, tone: Tone) {
        let line = LogLine { at: None, source: self.source.clone(), text: text.into(), tone };
        // A view that was shut needs no last word.
        let _ = self.sink.send(View::Log(vec![line])).await;
    }
}

/// The role of a line by the level word near its beginning.
fn tone(text: &str) -> Tone {
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
