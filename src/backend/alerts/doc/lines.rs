//! The lines that were written around the moment at which an alert began, from the first Loki that has some.

use jiff::Timestamp;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::backend::loki::Around;
use crate::model::id::EntityId;
use crate::model::row::Tone;
use crate::model::view::{LogLine, View};

use super::super::Alerts;
use super::super::labels::Labels;

/// Sends the lines, with a rule at the moment at which it began, and keeps the view open.
pub(super) async fn around(backend: &Alerts, id: &EntityId, sink: ViewSink) -> Result<(), ApiError> {
    let (labels, at) = about(backend, id).await?;
    let mut faults = Vec::new();
    if backend.shared.lokis.is_empty() {
        return Err(ApiError::unsupported("no Loki is configured").hint("add a `[[loki]]`"));
    }
    for loki in &backend.shared.lokis {
        let label = |name: &str| labels.find(name).map(|value| &**value);
        match loki.around(label, at, backend.now()).await {
            Ok(found) => {
                let link = loki.link(&found.selector, found.span);
                if sink.send(View::Log(told(found, at, link))).await.is_ok() {
                    sink.closed().await;
                }
                return Ok(());
            }
            Err(error) => faults.push(format!("{}: {}", loki.name, error.fault.what)),
        }
    }
    Err(ApiError::unsupported(faults.join("; ")))
}

fn told(found: Around, at: Timestamp, link: Option<String>) -> Vec<LogLine> {
    let say = |at: Option<Timestamp>, text: String, tone: Tone| LogLine {
        at,
        source: None,
        text: text.into(),
        tone,
    };
    let Around { selector, lines, span } = found;
    let mut all = vec![say(None, selector, Tone::Dim)];
    all.extend(link.map(|link| say(None, link, Tone::Dim)));
    let (before, after): (Vec<LogLine>, Vec<LogLine>) =
        lines.into_iter().partition(|line| line.at < Some(at));
    if before.is_empty() && after.is_empty() {
        let (from, to) = (span.0.strftime("%H:%MZ"), span.1.strftime("%H:%MZ"));
        all.push(say(Some(at), format!("no lines from {from} to {to}"), Tone::Dim));
    }
    all.extend(before);
    all.push(say(Some(at), "──── the alert began ────".to_owned(), Tone::Info));
    all.extend(after);
    all
}

/// An alert's labels, and when its expression became true: what made it so stands before that.
async fn about(backend: &Alerts, id: &EntityId) -> Result<(Labels, Timestamp), ApiError> {
    let key = id.key.trim_start_matches("prometheus/");
    let fingerprint = u64::from_str_radix(key, 16).map_err(|_| ApiError::unsupported("no such alert"))?;
    let held = match &backend.cluster {
        Some(cluster) => cluster.observe(30).await?.alert(fingerprint).map(|held| held.alert.clone()),
        None => None,
    };
    let labels = held.as_ref().map(|alert| alert.labels.clone()).unwrap_or_default();
    for feed in &backend.shared.feeds {
        let Some(known) = feed.know_soon().await else { continue };
        if let Some((seen, _)) = known.find(fingerprint, &labels)
            && let Some(at) = seen.alert.active_at
        {
            return Ok((seen.labels.clone(), at));
        }
    }
    let at = held.and_then(|alert| alert.starts_at);
    at.map(|at| (labels, at)).ok_or_else(|| ApiError::unsupported("the alert is no longer there"))
}
