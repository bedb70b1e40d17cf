//! Pods: kubectl's STATUS word, made into a health with the reason behind it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::backend::lenient::Text;
use crate::model::id::KindId;
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row, Tone, Value};
use crate::model::time::seconds_between;

use super::super::wire::{Condition, ContainerStatus, Pod};
use super::{Maker, State, age, application};

/// A pod that is not ready after so many seconds is no longer on its way.
const PATIENCE: i64 = 600;

/// Reasons to wait that do not go away by waiting.
const BROKEN: [&str; 8] = [
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "ErrImageNeverPull",
];

/// The row of a pod.
pub fn row(maker: &Maker, kind: &KindId, pod: &Pod, now: Timestamp) -> Row {
    let state = state(pod, now);
    let (ready, all) = ready(pod);
    let restarts = restarts(pod);
    let short = Cell { value: Value::Text(maker.once(&format!("{ready}/{all}"))), tone: Tone::Text };
    let cells = vec![
        Cell { value: Value::Text(maker.once(&state.word)), tone: state.health.into() },
        Cell { value: Value::Text(pod.metadata.name.shared()), tone: Tone::Text },
        maker.cell(&pod.metadata.namespace),
        short,
        Cell::toned(restarts, if restarts > 0 { Tone::Warn } else { Tone::Dim }),
        maker.cell(&state.why),
        maker.cell(&pod.spec.node_name),
        Cell::new(pod.status.pod_ip.as_str()),
        maker.cell(owner(pod)),
        maker.labels(&pod.metadata),
        age(&pod.metadata.creation_timestamp),
    ];
    let mut row = maker.row(kind, &pod.metadata, &state, cells);
    row.facets = facets(maker, pod);
    row
}

fn facets(maker: &Maker, pod: &Pod) -> Box<[Facet]> {
    let mut facets = vec![maker.object(&pod.metadata.namespace, &pod.metadata.name)];
    facets.extend(pod.spec.node_name.some().map(|name| maker.node(name)));
    let runs = workload(pod);
    if !runs.is_empty() {
        facets.push(maker.workload(&pod.metadata.namespace, runs));
    }
    facets.extend(application(&pod.metadata).map(|app| Facet { value: maker.once(&app.value), ..app }));
    if let Some(ip) = pod.status.pod_ip.some() {
        let ip: Arc<str> = Arc::from(ip);
        facets.push(Facet::new(FacetKey::Ip, ip, Grade::Likely));
    }
    facets.into_boxed_slice()
}

/// How many containers are ready, of how many; side-cars count, as kubectl counts them.
fn ready(pod: &Pod) -> (usize, usize) {
    let sidecar = |name: &str| {
        pod.spec.init_containers.iter().any(|c| &*c.name == name && &*c.restart_policy == "Always")
    };
    let side = pod.status.init_container_statuses.iter().filter(|status| sidecar(&status.name));
    let up = pod.status.container_statuses.iter().chain(side).filter(|status| status.ready.is_true()).count();
    let sides = pod.spec.init_containers.iter().filter(|c| &*c.restart_policy == "Always").count();
    (up, pod.spec.containers.len() + sides)
}

fn restarts(pod: &Pod) -> i64 {
    pod.status.container_statuses.iter().map(|status| status.restart_count.or_zero()).sum()
}

/// `ReplicaSet/lidarr-6f7d` as the workload that people know: `lidarr`.
fn owner(pod: &Pod) -> &str {
    let Some(owner) = pod.metadata.owner_references.first() else { return "" };
    match &*owner.kind {
        "ReplicaSet" => owner.name.rsplit_once('-').map_or(&*owner.name, |(name, _)| name),
        _ => owner.name.as_str(),
    }
}

/// What keeps running it: a Job that a `CronJob` made is named after it and the minute of its schedule since 1970.
fn workload(pod: &Pod) -> &str {
    let name = owner(pod);
    let minute = |text: &str| text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    match name.rsplit_once('-') {
        Some((cron, number)) if minute(number) => cron,
        _ => name,
    }
}

/// The state of a pod, in the order in which kubectl decides its STATUS column.
pub fn state(pod: &Pod, now: Timestamp) -> State {
    if pod.metadata.deletion_timestamp.some().is_some() {
        return terminating(pod, now);
    }
    if let Some(state) = starting(pod, now) {
        return state;
    }
    match &*pod.status.phase {
        "Succeeded" => return State::new("Completed", Health::Off),
        "Failed" => {
            let word = pod.status.reason.some().or_else(|| ended(pod)).unwrap_or("Failed");
            return State::new(word, Health::Warning).why(pod.status.message.as_str());
        }
        _ => {}
    }
    if let Some(state) = pod.status.container_statuses.iter().find_map(broken) {
        return state;
    }
    match &*pod.status.phase {
        "Running" => running(pod, now),
        "Pending" => pending(pod, now),
        "" | "Unknown" => State::new("Unknown", Health::Unknown).why(pod.status.reason.as_str()),
        other => State::new(other, Health::Unknown),
    }
}

fn terminating(pod: &Pod, now: Timestamp) -> State {
    let since = pod.metadata.deletion_timestamp.time().map_or(0, |at| seconds_between(at, now));
    if since > PATIENCE {
        let why = format!("should have ended {} ago", crate::model::time::short(since));
        return State::new("Terminating", Health::Warning).why(why);
    }
    State::new("Terminating", Health::Pending)
}

/// Init containers that have not finished.
fn starting(pod: &Pod, now: Timestamp) -> Option<State> {
    let all = pod.spec.init_containers.len();
    let statuses = pod.status.init_container_statuses.iter().enumerate();
    for (index, status) in statuses {
        let ended = status.state.terminated.0.as_ref();
        if ended.is_some_and(|end| end.exit_code.0 == Some(0)) || status.started.is_true() {
            continue;
        }
        if let Some(end) = ended {
            let word = format!("Init:{}", end.reason.some().unwrap_or("Error"));
            return Some(State::new(&word, Health::Critical).why(exit(status, end.exit_code.or_zero())));
        }
        let waiting = status.state.waiting.0.as_ref().and_then(|w| w.reason.some()).unwrap_or_default();
        if BROKEN.contains(&waiting) {
            return Some(State::new(&format!("Init:{waiting}"), Health::Critical).why(last_end(status)));
        }
        let health = if waited(pod, now) > PATIENCE { Health::Warning } else { Health::Pending };
        return Some(State::new(&format!("Init:{index}/{all}"), health).why(status.name.as_str()));
    }
    None
}

/// A container that waits for a reason of its own, or has ended badly.
fn broken(status: &ContainerStatus) -> Option<State> {
    if let Some(waiting) = &status.state.waiting.0 {
        let reason = waiting.reason.some()?;
        if BROKEN.contains(&reason) {
            let why = if reason == "CrashLoopBackOff" {
                last_end(status)
            } else {
                waiting.message.as_str().to_owned()
            };
            return Some(State::new(reason, Health::Critical).why(why));
        }
        return None;
    }
    let end = status.state.terminated.0.as_ref()?;
    let code = end.exit_code.or_zero();
    if code == 0 {
        return None;
    }
    let word = end.reason.some().unwrap_or("Error");
    Some(State::new(word, Health::Critical).why(exit(status, code)))
}

fn running(pod: &Pod, now: Timestamp) -> State {
    let (up, all) = ready(pod);
    if up >= all && all > 0 {
        return State::new("Running", Health::Ok);
    }
    let unready = pod.status.container_statuses.iter().find(|status| !status.ready.is_true());
    let name = unready.map(|status| status.name.as_str()).unwrap_or_default();
    let since = condition(&pod.status.conditions, "Ready")
        .and_then(|ready| ready.last_transition_time.time())
        .map_or_else(|| waited(pod, now), |at| seconds_between(at, now));
    let health = if since > PATIENCE { Health::Warning } else { Health::Pending };
    State::new("NotReady", health).why(format!("{up}/{all} ready: {name}"))
}

fn pending(pod: &Pod, now: Timestamp) -> State {
    let scheduled = condition(&pod.status.conditions, "PodScheduled");
    if let Some(refused) = scheduled.filter(|c| &*c.status == "False" && &*c.reason == "Unschedulable") {
        return State::new("Unschedulable", Health::Warning).why(refused.message.as_str());
    }
    let waiting = pod.status.container_statuses.iter().find_map(|status| {
        let waiting = status.state.waiting.0.as_ref()?;
        waiting.reason.some().map(|reason| (reason, waiting.message.as_str()))
    });
    let (word, why) = waiting.unwrap_or(("Pending", ""));
    let health = if waited(pod, now) > PATIENCE { Health::Warning } else { Health::Pending };
    State::new(word, health).why(why)
}

fn waited(pod: &Pod, now: Timestamp) -> i64 {
    pod.metadata.creation_timestamp.time().map_or(0, |at| seconds_between(at, now))
}

fn condition<'a>(conditions: &'a [Condition], about: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| &*condition.about == about)
}

/// The word of the first container that ended.
fn ended(pod: &Pod) -> Option<&str> {
    pod.status.container_statuses.iter().find_map(|s| s.state.terminated.0.as_ref()?.reason.some())
}

fn exit(status: &ContainerStatus, code: i64) -> String {
    format!("{} ended with {code}", status.name.as_str())
}

/// Why a container was restarted the last time: `server: OOMKilled, exit 137`.
fn last_end(status: &ContainerStatus) -> String {
    let Some(end) = &status.last_state.terminated.0 else { return status.name.as_str().to_owned() };
    let reason = Text::some(&end.reason).unwrap_or("ended");
    format!("{}: {reason}, exit {}", status.name.as_str(), end.exit_code.or_zero())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T03:00:00Z".parse().unwrap()
    }

    fn pod(spec: &Value, status: &Value) -> Pod {
        let meta = json!({
            "name": "lidarr-6f7d9c5b8-x2k4q", "namespace": "media", "uid": "u1",
            "creationTimestamp": "2026-11-20T02:58:00Z",
            "labels": {"app.kubernetes.io/instance": "lidarr", "pod-template-hash": "6f7d9c5b8", "tier": "media"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "lidarr-6f7d9c5b8"}],
        });
        serde_json::from_value(json!({"metadata": meta, "spec": spec, "status": status})).unwrap()
    }

    fn one() -> Value {
        json!({"nodeName": "oci-node-1", "containers": [{"name": "app"}]})
    }

    /// Holds pods to what is expected of them: word, health, why.
    fn check(cases: &[(&Value, Value, &str, Health, &str)]) {
        for (spec, status, word, health, why) in cases {
            let state = state(&pod(spec, status), now());
            assert_eq!(
                (state.word.as_str(), state.health, state.why.as_str()),
                (*word, *health, *why),
                "{status}"
            );
        }
    }

    #[test]
    fn the_word_is_kubectls_and_the_reason_stands_beside_it() {
        let status = |state: Value, ready: bool| {
            json!({"phase": "Running", "containerStatuses": [{"name": "app", "ready": ready, "restartCount": 14,
                "state": state, "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]})
        };
        let crash = status(json!({"waiting": {"reason": "CrashLoopBackOff"}}), false);
        let error = status(json!({"terminated": {"reason": "Error", "exitCode": 1}}), false);
        let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"});
        check(&[
            (&one(), status(json!({"running": {}}), true), "Running", Health::Ok, ""),
            (&one(), crash, "CrashLoopBackOff", Health::Critical, "app: OOMKilled, exit 137"),
            (&one(), status(json!({"running": {}}), false), "NotReady", Health::Pending, "0/1 ready: app"),
            (&one(), error, "Error", Health::Critical, "app ended with 1"),
            (&one(), evicted, "Evicted", Health::Warning, "low on memory"),
            (&one(), json!({"phase": "Succeeded"}), "Completed", Health::Off, ""),
            (&one(), json!({}), "Unknown", Health::Unknown, ""),
        ]);
    }

    #[test]
    fn what_has_not_started_says_what_it_waits_for() {
        let init = json!({"initContainers": [{"name": "init"}], "containers": [{"name": "app"}]});
        let creating = json!({"phase": "Pending", "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "ContainerCreating"}}}]});
        let refused = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes"}]});
        let step = |state: Value| json!({"phase": "Pending", "initContainerStatuses": [{"name": "init", "state": state}]});
        let failed = step(json!({"terminated": {"reason": "Error", "exitCode": 2}}));
        check(&[
            (&one(), creating, "ContainerCreating", Health::Pending, ""),
            (&one(), refused, "Unschedulable", Health::Warning, "0/2 nodes"),
            (&init, step(json!({"running": {}})), "Init:0/1", Health::Pending, "init"),
            (&init, failed, "Init:Error", Health::Critical, "init ended with 2"),
        ]);
    }

    #[test]
    fn what_does_not_get_ready_in_time_is_a_warning() {
        let pod = pod(&one(), &json!({"phase": "Pending"}));
        assert_eq!(state(&pod, now()).health, Health::Pending);
        assert_eq!(state(&pod, "2026-11-20T04:00:00Z".parse().unwrap()).health, Health::Warning);
    }

    #[test]
    fn a_row_carries_what_links_it_to_the_rest() {
        let maker = Maker::new("cloud".into(), crate::model::row::Domain::Cloud);
        let pod = pod(&one(), &json!({"phase": "Running", "podIP": "192.0.2.7"}));
        let row = row(&maker, &"kubernetes.pods".into(), &pod, now());
        assert_eq!(row.id.to_string(), "kubernetes.pods/cloud/media/lidarr-6f7d9c5b8-x2k4q");
        assert_eq!(row.identity.get("uid"), Some("u1"));
        let values: Vec<&str> = row.facets.iter().map(|facet| &*facet.value).collect();
        let (pod, node, workload) =
            ("cloud/media/lidarr-6f7d9c5b8-x2k4q", "cloud/oci-node-1", "cloud/media/lidarr");
        assert_eq!(values, [pod, node, workload, "lidarr", "192.0.2.7"]);
        assert_eq!(row.cell(8).value.as_text(), Some("lidarr"));
        assert_eq!(row.cell(9).value.as_text(), Some("app.kubernetes.io/instance=lidarr,tier=media"));
    }
}
