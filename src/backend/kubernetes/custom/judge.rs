//! How an object of a custom resource is: by what is known of its kind, else by the conditions that they all have.

use jiff::Timestamp;
use serde_json::Value;

use crate::backend::error::first_line;
use crate::model::row::Health;
use crate::model::time::{parse_duration, seconds_between, short};

use super::super::rows::State;

/// A certificate that ends sooner should have been renewed.
const ENDING: i64 = 14 * 86_400;

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    text(value, pointer).parse().ok()
}

/// A condition's status and message.
fn condition<'a>(object: &'a Value, about: &str) -> Option<(&'a str, &'a str)> {
    let all = object.pointer("/status/conditions")?.as_array()?;
    let found = all.iter().find(|condition| condition["type"] == about)?;
    Some((text(found, "/status"), text(found, "/message")))
}

/// How an object is.
pub fn judge(group: &str, kind: &str, object: &Value, now: Timestamp) -> State {
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return State::new("Deleting", Health::Pending);
    }
    match (group, kind) {
        ("cert-manager.io", "Certificate") => certificate(object, now),
        ("external-secrets.io", "ExternalSecret") => secret(object, now),
        ("longhorn.io", "Volume") => volume(object),
        ("longhorn.io", "BackupTarget") => target(object),
        ("velero.io", "Backup" | "Restore") => backup(object),
        ("velero.io", "Schedule") => schedule(object, now),
        ("velero.io", "BackupStorageLocation") => location(object),
        ("volsync.backube", _) => replication(object, now),
        ("postgresql.cnpg.io", "Cluster") => database(object),
        ("kubevirt.io", "VirtualMachine") => machine(object),
        ("kubevirt.io", "VirtualMachineInstance") => instance(object),
        ("gateway.networking.k8s.io", "Gateway") => by_condition(object, &["Programmed", "Accepted"]),
        ("gateway.networking.k8s.io", "HTTPRoute") => route(object),
        _ => by_condition(object, &["Ready", "Available", "Succeeded", "Established"]),
    }
}

/// The general rule: a condition that says no is bad, a status of an older wish is on its way.
fn by_condition(object: &Value, abouts: &[&str]) -> State {
    for about in abouts {
        match condition(object, about) {
            Some(("False", why)) => return State::new("NotReady", Health::Critical).why(first_line(why)),
            Some(("Unknown", why)) => return State::new("Unknown", Health::Unknown).why(first_line(why)),
            Some(_) => return behind(object).unwrap_or_else(|| State::new(about, Health::Ok)),
            None => {}
        }
    }
    if let Some(state) = behind(object) {
        return state;
    }
    match text(object, "/status/phase") {
        "" => State::new("Present", Health::Unknown),
        phase => State::new(phase, by_word(phase)),
    }
}

fn behind(object: &Value) -> Option<State> {
    let wanted = object.pointer("/metadata/generation")?.as_i64()?;
    let seen = object.pointer("/status/observedGeneration")?.as_i64()?;
    (seen < wanted).then(|| {
        State::new("Progressing", Health::Pending).why("its controller has not seen the last change")
    })
}

fn by_word(phase: &str) -> Health {
    match phase.to_ascii_lowercase().as_str() {
        "ready" | "running" | "bound" | "available" | "active" | "completed" | "succeeded" | "enabled"
        | "healthy" => Health::Ok,
        "failed" | "error" | "lost" | "unavailable" | "degraded" => Health::Critical,
        "pending" | "creating" | "inprogress" | "deleting" | "terminating" => Health::Pending,
        _ => Health::Unknown,
    }
}

fn certificate(object: &Value, now: Timestamp) -> State {
    let left = time(object, "/status/notAfter").map(|ends| seconds_between(now, ends));
    match (condition(object, "Ready"), condition(object, "Issuing")) {
        (_, Some(("True", why))) => State::new("Issuing", Health::Pending).why(first_line(why)),
        (Some(("True", _)), _) => match left {
            Some(left) if left <= 0 => {
                State::new("Ended", Health::Critical).why(format!("ended {} ago", short(left)))
            }
            Some(left) if left < ENDING => {
                State::new("Ending", Health::Warning).why(format!("ends in {}", short(left)))
            }
            _ => State::new("Ready", Health::Ok),
        },
        (Some((_, why)), _) => State::new("NotReady", Health::Critical).why(first_line(why)),
        (None, _) => State::new("Unknown", Health::Unknown).why("it says nothing of itself"),
    }
}

/// A secret that was not looked at for two of its periods is overdue.
fn secret(object: &Value, now: Timestamp) -> State {
    let period = parse_duration(text(object, "/spec/refreshInterval")).map_or(0, |period| period.as_secs());
    let age = time(object, "/status/refreshTime").map(|at| seconds_between(at, now));
    match condition(object, "Ready") {
        Some(("True", _)) => match age {
            Some(age) if period > 0 && age > 2 * period => {
                let why = format!("last synced {} ago, every {}", short(age), short(period));
                State::new("Overdue", Health::Warning).why(why)
            }
            _ => State::new("Synced", Health::Ok),
        },
        Some((_, why)) => State::new("Failed", Health::Critical).why(first_line(why)),
        None => State::new("Unknown", Health::Unknown).why("it was never synced"),
    }
}

fn volume(object: &Value) -> State {
    let (state, robust) = (text(object, "/status/state"), text(object, "/status/robustness"));
    let claim = text(object, "/status/kubernetesStatus/pvcName");
    match (state, robust) {
        (_, "faulted") => State::new("Faulted", Health::Critical).why(format!("claim {claim}")),
        (_, "degraded") => {
            State::new("Degraded", Health::Warning).why(format!("a replica is missing, claim {claim}"))
        }
        ("attached", "healthy") => State::new("Healthy", Health::Ok),
        // Nobody uses it, so nobody looks at its replicas.
        ("detached", _) => State::new("Detached", Health::Off),
        ("attaching" | "detaching" | "creating" | "deleting", _) => State::new(state, Health::Pending),
        _ => State::new("Unknown", Health::Unknown),
    }
}

fn target(object: &Value) -> State {
    if object.pointer("/status/available") == Some(&Value::Bool(true)) {
        State::new("Available", Health::Ok)
    } else {
        State::new("Unavailable", Health::Critical).why("backups have nowhere to go")
    }
}

fn backup(object: &Value) -> State {
    let errors = object.pointer("/status/errors").and_then(Value::as_i64).unwrap_or(0);
    match text(object, "/status/phase") {
        "Completed" => State::new("Completed", Health::Ok),
        word @ "PartiallyFailed" => State::new(word, Health::Warning).why(format!("{errors} errors")),
        word @ ("Failed" | "FailedValidation") => {
            State::new(word, Health::Critical).why(format!("{errors} errors"))
        }
        "" => State::new("New", Health::Pending),
        word => State::new(word, Health::Pending),
    }
}

fn schedule(object: &Value, now: Timestamp) -> State {
    if object.pointer("/spec/paused") == Some(&Value::Bool(true)) {
        return State::new("Paused", Health::Warning).why("nothing is backed up");
    }
    match text(object, "/status/phase") {
        "Enabled" => {}
        "FailedValidation" => {
            return State::new("Invalid", Health::Critical).why("its schedule or template is wrong");
        }
        _ => return State::new("New", Health::Pending),
    }
    let every = period(text(object, "/spec/schedule"));
    match time(object, "/status/lastBackup").map(|at| seconds_between(at, now)) {
        Some(age) if age > every + every / 24 => {
            let why = format!("last backup {} ago, every {}", short(age), short(every));
            State::new("Overdue", Health::Critical).why(why)
        }
        Some(_) => State::new("Enabled", Health::Ok),
        None => State::new("Never", Health::Warning).why("it has made no backup yet"),
    }
}

/// About how often a schedule of five fields fires, in seconds.
fn period(cron: &str) -> i64 {
    let fields: Vec<&str> = cron.trim_start_matches("CRON_TZ=").split_whitespace().collect();
    match fields.as_slice() {
        [.., _, _, day, _, weekday] if *day == "*" && *weekday == "*" => {
            let hour = fields[fields.len() - 4];
            if hour == "*" || hour.contains('/') || hour.contains(',') { 6 * 3600 } else { 86_400 }
        }
        [.., weekday] if *weekday != "*" => 7 * 86_400,
        ["@hourly"] => 3600,
        ["@daily" | "@midnight"] => 86_400,
        _ => 31 * 86_400,
    }
}

fn location(object: &Value) -> State {
    match text(object, "/status/phase") {
        "Available" => State::new("Available", Health::Ok),
        "" => State::new("Unknown", Health::Unknown).why("nobody has looked at it yet"),
        word => State::new(word, Health::Critical).why(first_line(text(object, "/status/message"))),
    }
}

fn replication(object: &Value, now: Timestamp) -> State {
    let failed = text(object, "/status/latestMoverStatus/result");
    if failed == "Failed" {
        return State::new("Failed", Health::Critical)
            .why(first_line(text(object, "/status/latestMoverStatus/logs")));
    }
    if let Some(late) =
        time(object, "/status/nextSyncTime").map(|at| seconds_between(at, now)).filter(|late| *late > 3600)
    {
        return State::new("Overdue", Health::Warning).why(format!("should have synced {} ago", short(late)));
    }
    match condition(object, "Synchronizing") {
        Some(("True", _)) if failed.is_empty() => State::new("Syncing", Health::Pending),
        _ if time(object, "/status/lastSyncTime").is_some() => State::new("Synced", Health::Ok),
        _ => State::new("Never", Health::Warning).why("it has never synced"),
    }
}

fn database(object: &Value) -> State {
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
    let (ready, all) = (number("/status/readyInstances"), number("/spec/instances"));
    let phase = text(object, "/status/phase");
    if ready == 0 && all > 0 {
        return State::new("Down", Health::Critical).why(phase);
    }
    if ready < all {
        return State::new("Partial", Health::Warning).why(format!("{ready} of {all} instances: {phase}"));
    }
    if let Some(("False", why)) = condition(object, "ContinuousArchiving") {
        return State::new("NoArchive", Health::Warning).why(first_line(why));
    }
    if phase == "Cluster in healthy state" {
        State::new("Healthy", Health::Ok)
    } else {
        State::new("Changing", Health::Pending).why(phase)
    }
}

/// A route is as good as what every gateway says of it.
fn route(object: &Value) -> State {
    let parents = object.pointer("/status/parents").and_then(Value::as_array);
    let conditions =
        || parents.into_iter().flatten().filter_map(|parent| parent["conditions"].as_array()).flatten();
    let no = conditions()
        .find(|c| matches!(text(c, "/type"), "Accepted" | "ResolvedRefs") && text(c, "/status") == "False");
    match no {
        Some(condition) => {
            State::new("Refused", Health::Critical).why(first_line(text(condition, "/message")))
        }
        None if conditions().any(|c| text(c, "/type") == "Accepted") => State::new("Accepted", Health::Ok),
        None => State::new("Pending", Health::Pending).why("no gateway has taken it on"),
    }
}

fn machine(object: &Value) -> State {
    let word = text(object, "/status/printableStatus");
    match word {
        "Running" if condition(object, "Ready").is_some_and(|(status, _)| status == "True") => {
            State::new("Running", Health::Ok)
        }
        "Stopped" => State::new("Stopped", Health::Off),
        "Paused" => State::new("Paused", Health::Off),
        "CrashLoopBackOff" | "ErrorUnschedulable" | "ErrImagePull" | "ImagePullBackOff"
        | "ErrorPvcNotFound" | "DataVolumeError" => {
            let why = condition(object, "Ready").map_or("", |(_, why)| why);
            State::new(word, Health::Critical).why(first_line(why))
        }
        "" => State::new("Unknown", Health::Unknown),
        word => State::new(word, Health::Pending),
    }
}

fn instance(object: &Value) -> State {
    match text(object, "/status/phase") {
        "Running" => State::new("Running", Health::Ok),
        "Failed" => State::new("Failed", Health::Critical),
        "Succeeded" => State::new("Succeeded", Health::Off),
        word @ ("Pending" | "Scheduling" | "Scheduled") => State::new(word, Health::Pending),
        _ => State::new("Unknown", Health::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(group: &str, kind: &str, cases: &[(Value, &str, Health)]) {
        let now = "2026-11-20T03:00:00Z".parse().unwrap();
        for (object, word, health) in cases {
            let state = judge(group, kind, object, now);
            assert_eq!(
                (state.word.as_str(), state.health),
                (*word, *health),
                "{kind} {object}: {}",
                state.why
            );
        }
    }

    fn conditions(about: &str, status: &str) -> Value {
        json!([{"type": about, "status": status, "message": "because\nof this"}])
    }

    #[test]
    fn certificates_and_secrets_are_good_only_while_they_last() {
        let ready =
            |ends: &str| json!({"status": {"notAfter": ends, "conditions": conditions("Ready", "True")}});
        check(
            "cert-manager.io",
            "Certificate",
            &[
                (ready("2027-01-20T03:00:00Z"), "Ready", Health::Ok),
                (ready("2026-11-28T03:00:00Z"), "Ending", Health::Warning),
                (ready("2026-11-19T03:00:00Z"), "Ended", Health::Critical),
                (
                    json!({"status": {"conditions": conditions("Ready", "False")}}),
                    "NotReady",
                    Health::Critical,
                ),
                (
                    json!({"status": {"conditions": conditions("Issuing", "True")}}),
                    "Issuing",
                    Health::Pending,
                ),
                (json!({"status": "odd"}), "Unknown", Health::Unknown),
            ],
        );
        let synced = |at: &str| json!({"spec": {"refreshInterval": "1h"}, "status": {"refreshTime": at, "conditions": conditions("Ready", "True")}});
        check(
            "external-secrets.io",
            "ExternalSecret",
            &[
                (synced("2026-11-20T02:30:00Z"), "Synced", Health::Ok),
                (synced("2026-11-20T00:30:00Z"), "Overdue", Health::Warning),
                (json!({"status": {"conditions": conditions("Ready", "False")}}), "Failed", Health::Critical),
                (json!({}), "Unknown", Health::Unknown),
            ],
        );
    }

    #[test]
    fn storage_and_backups_say_what_is_missing() {
        let volume = |state: &str, robust: &str| json!({"status": {"state": state, "robustness": robust}});
        check(
            "longhorn.io",
            "Volume",
            &[
                (volume("attached", "healthy"), "Healthy", Health::Ok),
                (volume("detached", "unknown"), "Detached", Health::Off),
                (volume("attached", "degraded"), "Degraded", Health::Warning),
                (volume("attached", "faulted"), "Faulted", Health::Critical),
                (volume("attaching", "unknown"), "attaching", Health::Pending),
            ],
        );
        let schedule = |last: &str| json!({"spec": {"schedule": "0 3 * * *"}, "status": {"phase": "Enabled", "lastBackup": last}});
        check(
            "velero.io",
            "Schedule",
            &[
                (schedule("2026-11-19T03:00:00Z"), "Enabled", Health::Ok),
                (schedule("2026-11-19T01:00:00Z"), "Overdue", Health::Critical),
                (json!({"status": {"phase": "Enabled"}}), "Never", Health::Warning),
                (json!({"spec": {"paused": true}}), "Paused", Health::Warning),
            ],
        );
        check(
            "velero.io",
            "Backup",
            &[(json!({"status": {"phase": "PartiallyFailed"}}), "PartiallyFailed", Health::Warning)],
        );
        check(
            "velero.io",
            "BackupStorageLocation",
            &[(json!({"status": {"phase": "Unavailable"}}), "Unavailable", Health::Critical)],
        );
        check(
            "volsync.backube",
            "ReplicationSource",
            &[
                (json!({"status": {"lastSyncTime": "2026-11-20T02:00:00Z"}}), "Synced", Health::Ok),
                (
                    json!({"status": {"latestMoverStatus": {"result": "Failed", "logs": "no space"}}}),
                    "Failed",
                    Health::Critical,
                ),
                (json!({"status": {"nextSyncTime": "2026-11-20T01:00:00Z"}}), "Overdue", Health::Warning),
            ],
        );
    }

    #[test]
    fn databases_machines_and_what_nobody_knows() {
        let database = |ready: i64, phase: &str| json!({"spec": {"instances": 3}, "status": {"readyInstances": ready, "phase": phase}});
        check(
            "postgresql.cnpg.io",
            "Cluster",
            &[
                (database(3, "Cluster in healthy state"), "Healthy", Health::Ok),
                (database(2, "Failing over"), "Partial", Health::Warning),
                (database(0, "Setting up primary"), "Down", Health::Critical),
            ],
        );
        let machine = |word: &str| json!({"status": {"printableStatus": word, "conditions": conditions("Ready", "True")}});
        check(
            "kubevirt.io",
            "VirtualMachine",
            &[
                (machine("Running"), "Running", Health::Ok),
                (machine("Stopped"), "Stopped", Health::Off),
                (machine("ErrorUnschedulable"), "ErrorUnschedulable", Health::Critical),
                (machine("Starting"), "Starting", Health::Pending),
            ],
        );
        check(
            "odd.example",
            "Thing",
            &[
                (
                    json!({"status": {"conditions": conditions("Available", "False")}}),
                    "NotReady",
                    Health::Critical,
                ),
                (
                    json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 1}}),
                    "Progressing",
                    Health::Pending,
                ),
                (json!({"status": {"phase": "Failed"}}), "Failed", Health::Critical),
                (json!({}), "Present", Health::Unknown),
                (json!({"metadata": {"deletionTimestamp": "x"}}), "Deleting", Health::Pending),
            ],
        );
    }
}
