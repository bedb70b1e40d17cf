//! Logs of a pod, or of all pods of a workload: every container followed at once, merged, reopened where one restarts.

mod options;
mod stream;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::row::Tone;
use crate::model::view::{LogLine, View};

use super::client::Cluster;
use super::resource::{self, PODS};
use super::watch::encoded;
use super::wire::{Page, Pod};
use super::{catalog, kinds};

use stream::Stream;

pub use options::Options;
pub use stream::tone;

/// More pods than this are not followed at once.
const MOST_PODS: usize = 20;

/// How often a workload is asked for new pods.
const LOOK: Duration = Duration::from_secs(10);

/// Follows the logs of a pod or workload until the view is shut.
pub async fn open(cluster: &Arc<Cluster>, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
    let (word, words) = view.split_once(' ').unwrap_or((view, ""));
    let mut options = Options::read(words)?;
    options.previous |= word == "previous";
    let path = catalog::of(&id.kind)?.resource.object(&id.key)?;
    if id.kind.as_str() == kinds::PODS {
        let pod: Pod = cluster.get(&path).await?.json()?;
        let mut streams = JoinSet::new();
        start(cluster, &pod, false, &options, &sink, &mut streams)?;
        return all(streams).await;
    }
    let workload: Value = cluster.get(&path).await?.json()?;
    let namespace = resource::namespace(id);
    let list = format!("{}?labelSelector={}", PODS.list(namespace), encoded(&selector(&workload)?));
    follow(cluster, &list, &options, &sink).await
}

/// Follows the pods of a list, also those that come later.
async fn follow(
    cluster: &Arc<Cluster>,
    list: &str,
    options: &Options,
    sink: &ViewSink,
) -> Result<(), ApiError> {
    let mut known = HashSet::new();
    let mut streams = JoinSet::new();
    let mut told = false;
    loop {
        let page: Page<Pod> = cluster.get(list).await?.json()?;
        for pod in page.items.iter() {
            if known.len() < MOST_PODS && known.insert(pod.metadata.uid.shared()) {
                start(cluster, pod, true, options, sink, &mut streams)?;
            }
        }
        if known.len() < page.items.len() && !std::mem::replace(&mut told, true) {
            say(sink, &format!("only {MOST_PODS} of {} pods are followed", page.items.len())).await;
        }
        if page.items.is_empty() && !std::mem::replace(&mut told, true) {
            say(sink, "it has no pods").await;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = sink.closed() => return Ok(()),
        }
        while let Some(ended) = streams.try_join_next() {
            if let Ok(Err(error)) = ended {
                say(sink, &error.to_string()).await;
            }
        }
    }
}

/// Starts a stream for each wanted container of a pod; lines say where they come from where that is in question.
fn start(
    cluster: &Arc<Cluster>,
    pod: &Pod,
    many: bool,
    options: &Options,
    sink: &ViewSink,
    streams: &mut JoinSet<Result<(), ApiError>>,
) -> Result<(), ApiError> {
    let (namespace, name) = (pod.metadata.namespace.as_str(), pod.metadata.name.as_str());
    let path = PODS.object(&resource::key(namespace, name))?;
    let all: Vec<&str> = pod.spec.containers.iter().map(|container| &*container.name).collect();
    let wanted: Vec<&str> = all.iter().copied().filter(|name| options.takes(name)).collect();
    if wanted.is_empty() {
        let names = all.join(", ");
        return Err(ApiError::unsupported(format!("{name} has no such container, only {names}")));
    }
    for container in wanted {
        let source = match (many, all.len() > 1) {
            (true, true) => Some(format!("{}/{container}", tail(name))),
            (true, false) => Some(tail(name).to_owned()),
            (false, true) => Some(container.to_owned()),
            (false, false) => None,
        };
        let stream = Stream {
            cluster: cluster.clone(),
            path: path.clone(),
            container: container.to_owned(),
            source: source.map(Into::into),
            options: options.clone(),
            sink: sink.clone(),
        };
        streams.spawn(async move { stream.run().await });
    }
    Ok(())
}

/// The end of a pod's name, by which siblings are told apart.
fn tail(name: &str) -> &str {
    let cut = name
        .rsplit_once('-')
        .and_then(|(head, _)| head.rsplit_once('-'))
        .map_or(0, |(head, _)| head.len() + 1);
    &name[cut..]
}

/// Waits for all; the last failure counts.
async fn all(mut streams: JoinSet<Result<(), ApiError>>) -> Result<(), ApiError> {
    let mut failed = None;
    while let Some(ended) = streams.join_next().await {
        if let Ok(Err(error)) = ended {
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn say(sink: &ViewSink, text: &str) {
    let line = LogLine { at: None, source: None, text: text.into(), tone: Tone::Dim };
    // A view that was shut needs no last word.
    let _ = sink.send(View::Log(vec![line])).await;
}

/// A workload's selector as a query writes it.
fn selector(workload: &Value) -> Result<String, ApiError> {
    let selector = &workload["spec"]["selector"];
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let mut terms: Vec<String> =
        labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = expression["key"].as_str().unwrap_or_default();
        let values: Vec<&str> =
            expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut term = String::new();
        // Writing into a string cannot fail.
        let _ = match expression["operator"].as_str().unwrap_or_default() {
            "In" => write!(term, "{key} in ({})", values.join(",")),
            "NotIn" => write!(term, "{key} notin ({})", values.join(",")),
            "DoesNotExist" => write!(term, "!{key}"),
            _ => write!(term, "{key}"),
        };
        terms.push(term);
    }
    if terms.is_empty() {
        return Err(ApiError::unsupported("it selects no pods by label"));
    }
    Ok(terms.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_are_written_as_queries_are() {
        let workload = json!({"spec": {"selector": {"matchLabels": {"app": "loki"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"}]}}});
        assert_eq!(selector(&workload).unwrap(), "app=loki,tier in (a,b),!old");
        assert!(selector(&json!({})).is_err());
    }

    #[test]
    fn siblings_are_told_apart_by_their_ends() {
        assert_eq!(tail("immich-server-6f7d9c5b8-x2k4q"), "6f7d9c5b8-x2k4q");
        assert_eq!(tail("loki-0"), "loki-0");
    }
}
