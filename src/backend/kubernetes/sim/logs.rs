//! Logs of simulated pods: a few lines of the past, then one every now and then.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::api::{failure, missing};
use super::lab::Lab;
use super::place::Place;

/// How many lines of the past a log holds.
const PAST: i64 = 40;

/// The log of a pod's container.
pub fn answer(lab: &Arc<Lab>, place: &Place, query: &BTreeMap<String, String>) -> Response {
    let name = place.name.clone().unwrap_or_default();
    let Some(pod) = lab.store.get("pods", &place.key()) else { return missing(place, &name) };
    let containers: Vec<&str> = names(&pod);
    let container =
        query.get("container").map_or(containers.first().copied().unwrap_or_default(), String::as_str);
    if !containers.contains(&container) {
        return failure(400, "BadRequest", &format!("container {container} is not valid for pod {name}"));
    }
    if query.get("container").is_none() && containers.len() > 1 {
        let all = containers.join(" ");
        return failure(
            400,
            "BadRequest",
            &format!("a container name must be specified for pod {name}, choose one of: [{all}]"),
        );
    }
    if pod["status"]["phase"] == "Pending" {
        let message =
            format!("container \"{container}\" in pod \"{name}\" is waiting to start: ContainerCreating");
        return failure(400, "BadRequest", &message);
    }
    let previous = query.get("previous").is_some_and(|v| v == "true");
    if previous && !restarted(&pod, container) {
        let message = format!("previous terminated container \"{container}\" in pod \"{name}\" not found");
        return failure(400, "BadRequest", &message);
    }
    let now = lab.now();
    let seconds = query.get("sinceSeconds").and_then(|text| text.parse().ok());
    let span = seconds.map(|seconds| now - SignedDuration::from_secs(seconds));
    let since = query.get("sinceTime").and_then(|at| at.parse::<Timestamp>().ok()).or(span);
    let tail = query.get("tailLines").and_then(|n| n.parse().ok()).unwrap_or(PAST).min(PAST);
    // What a program writes that does not care for encodings.
    let torn = lab.flag("kubernetes.logs") == "torn";
    let stamps = query.get("timestamps").is_some_and(|v| v == "true");
    let past = (0..tail).rev().map(|back| now - SignedDuration::from_secs(back * 7));
    let past: String =
        past.filter(|at| since.is_none_or(|since| *at >= since)).map(|at| line(&name, at, stamps)).collect();
    let past = if torn {
        [past.as_bytes(), b"level=info msg=\"\xff\xfe\x1b[2J\"\n"].concat()
    } else {
        past.into_bytes()
    };
    let first = stream::once(async move { Ok::<_, Infallible>(Bytes::from(past)) });
    if query.get("follow").is_none_or(|v| v != "true") {
        return plain(Body::from_stream(first));
    }
    let lab = lab.clone();
    let rest = stream::unfold((), move |()| {
        let (lab, name) = (lab.clone(), name.clone());
        async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            Some((Ok(Bytes::from(line(&name, lab.now(), stamps))), ()))
        }
    });
    plain(Body::from_stream(first.chain(rest)))
}

fn plain(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "text/plain")], body).into_response()
}

/// Whether a container has had another life before this one.
fn restarted(pod: &Value, container: &str) -> bool {
    let statuses = pod["status"]["containerStatuses"].as_array().map(Vec::as_slice).unwrap_or_default();
    statuses.iter().any(|status| status["name"] == container && status["restartCount"].as_i64() > Some(0))
}

fn names(pod: &Value) -> Vec<&str> {
    let containers = pod["spec"]["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    containers.iter().filter_map(|container| container["name"].as_str()).collect()
}

fn line(name: &str, at: Timestamp, stamps: bool) -> String {
    let said = match at.as_second() % 11 {
        0 => "level=warn msg=\"slow upstream\" took=1.2s",
        5 => "level=error msg=\"connection reset by peer\"",
        n if n % 2 == 0 => "level=info msg=\"GET /health 200\"",
        _ => "level=info msg=\"tick\"",
    };
    let stamp = if stamps { format!("{at} ") } else { String::new() };
    format!("{stamp}{said} pod={name}\n")
}
