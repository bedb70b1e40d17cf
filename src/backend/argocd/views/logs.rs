//! Logs through argocd-server, which reaches the pods of every cluster that it delivers to.

use std::sync::Arc;
use std::time::Duration;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::backend::kubernetes;
use crate::backend::kubernetes::logs::{Options, tone};
use crate::model::row::Tone;
use crate::model::view::{LogLine, View};

use super::super::Argo;
use super::super::rest::wire::LogEntry;
use super::super::rest::{Messages, Of};
use super::super::wire::Application;
use super::{rest, shut};

/// What runs pods.
const WORKLOADS: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "Job", "Rollout"];

/// Between two openings of a log that ended.
const PAUSE: Duration = Duration::from_secs(3);

/// Follows the logs of every workload of an application, merged, until the view is shut.
pub async fn open(argo: &Argo, path: &str, options: &str, sink: &ViewSink) -> Result<(), ApiError> {
    let rest = rest(argo, "logs through Argo CD")?;
    let options = Options::read(options)?;
    let app: Application = kubernetes::read(&argo.cluster, path).await?;
    let runs = |resource: &&super::super::wire::Resource| WORKLOADS.contains(&&*resource.kind);
    let workloads: Vec<_> = app.status.resources.iter().filter(runs).collect();
    if workloads.is_empty() {
        return Err(ApiError::unsupported("this application runs nothing that keeps a log"));
    }
    let of = Of::new(&app);
    let mut tasks = tokio::task::JoinSet::new();
    for workload in workloads {
        let mut call = of
            .get("/logs")
            .query("namespace", workload.namespace.as_str())
            .query("kind", workload.kind.as_str())
            .query("group", workload.group.as_str())
            .query("resourceName", workload.name.as_str())
            .query("follow", if options.previous { "false" } else { "true" })
            .query("tailLines", options.tail.to_string());
        if options.previous {
            call = call.query("previous", "true");
        }
        if let Some(since) = options.since {
            call = call.query("sinceSeconds", since.to_string());
        }
        for container in options.containers.iter().take(1) {
            call = call.query("container", container.clone());
        }
        let (sink, options) = (sink.clone(), options.clone());
        let messages = rest.stream(call).await?;
        tasks.spawn(async move { read(messages, &options, &sink).await });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Ok(Err(error)) = ended {
            return Err(error);
        }
    }
    if !sink.is_closed() {
        let line = LogLine { at: None, source: None, text: "the log has ended".into(), tone: Tone::Dim };
        // A view that was shut needs no last word.
        let _ = sink.send(View::Log(vec![line])).await;
        while !shut(sink, PAUSE).await {}
    }
    Ok(())
}

async fn read(mut messages: Messages, options: &Options, sink: &ViewSink) -> Result<(), ApiError> {
    loop {
        let entry = tokio::select! {
            entry = messages.next::<LogEntry>() => entry?,
            () = sink.closed() => return Ok(()),
        };
        let Some(entry) = entry.filter(|entry| !entry.last.is_true()) else { return Ok(()) };
        if !options.keeps(&entry.content) {
            continue;
        }
        let line = LogLine {
            at: entry.time_stamp_str.time().filter(|_| options.stamps),
            source: entry.pod_name.some().map(Arc::from),
            text: entry.content.as_str().trim_end().into(),
            tone: tone(&entry.content),
        };
        if sink.send(View::Log(vec![line])).await.is_err() {
            return Ok(());
        }
    }
}
