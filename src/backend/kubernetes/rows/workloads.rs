//! Deployments, stateful sets and daemon sets: how many of the wanted pods are there, new, and ready.

use jiff::Timestamp;

use crate::model::id::KindId;
use crate::model::row::{Cell, Health, Row, Tone};
use crate::model::time::seconds_between;

use super::super::wire::{Condition, Workload};
use super::{Maker, State, age, application};

/// A roll-out that takes longer than this is stuck.
const PATIENCE: i64 = 600;

/// How far a workload is.
pub struct Counts {
    /// Pods that are wanted.
    pub wanted: i64,
    /// Pods of the newest template.
    pub updated: i64,
    /// Pods that are ready.
    pub ready: i64,
}

/// The counts of any of the three.
pub fn counts(workload: &Workload, daemon: bool) -> Counts {
    let status = &workload.status;
    if daemon {
        return Counts {
            wanted: status.desired_number_scheduled.or_zero(),
            updated: status.updated_number_scheduled.or_zero(),
            ready: status.number_ready.or_zero(),
        };
    }
    Counts {
        wanted: workload.spec.replicas.0.unwrap_or(1),
        updated: status.updated_replicas.or_zero(),
        ready: status.ready_replicas.or_zero(),
    }
}

/// The row of a Deployment or `StatefulSet`.
pub fn row(maker: &Maker, kind: &KindId, workload: &Workload, now: Timestamp) -> Row {
    project(maker, kind, workload, now, false)
}

/// The row of a `DaemonSet`.
pub fn daemon(maker: &Maker, kind: &KindId, workload: &Workload, now: Timestamp) -> Row {
    project(maker, kind, workload, now, true)
}

fn project(maker: &Maker, kind: &KindId, workload: &Workload, now: Timestamp, daemon: bool) -> Row {
    let counts = counts(workload, daemon);
    let state = state(workload, &counts, now);
    let image = workload.spec.template.spec.containers.first().map_or("", |c| c.image.as_str());
    let short = counts.ready < counts.wanted;
    let cells = vec![
        state.cell(),
        Cell::new(workload.metadata.name.as_str()),
        maker.cell(&workload.metadata.namespace),
        Cell::toned(
            format!("{}/{}", counts.ready, counts.wanted).as_str(),
            if short { Tone::Warn } else { Tone::Text },
        ),
        Cell::new(counts.updated),
        Cell::new(state.why.as_str()),
        Cell::new(image),
        maker.labels(&workload.metadata),
        age(&workload.metadata.creation_timestamp),
    ];
    let mut row = maker.row(kind, &workload.metadata, &state, cells);
    let object = maker.object(&workload.metadata.namespace, &workload.metadata.name);
    let itself = maker.workload(&workload.metadata.namespace, &workload.metadata.name);
    row.facets = [object, itself].into_iter().chain(application(&workload.metadata)).collect();
    row
}

/// The state of a workload.
pub fn state(workload: &Workload, counts: &Counts, now: Timestamp) -> State {
    if workload.metadata.deletion_timestamp.some().is_some() {
        return State::new("Deleting", Health::Pending);
    }
    let condition = |about: &str| workload.status.conditions.iter().find(|c| &*c.about == about);
    if let Some(stuck) = condition("Progressing").filter(|c| &*c.status == "False") {
        return State::new("Stuck", Health::Critical).why(stuck.message.as_str());
    }
    if counts.wanted == 0 {
        return State::new("Scaled to 0", Health::Off);
    }
    if workload.spec.paused.is_true() {
        return State::new("Paused", Health::Warning).why("its roll-out is paused");
    }
    if counts.ready == 0 {
        return down(workload, condition("Available").filter(|c| &*c.status == "False"), now);
    }
    if counts.updated < counts.wanted {
        return State::new("Rolling", Health::Pending)
            .why(format!("{} of {} new", counts.updated, counts.wanted));
    }
    if counts.ready < counts.wanted {
        return State::new("Partial", Health::Warning)
            .why(format!("{} of {} ready", counts.ready, counts.wanted));
    }
    State::new("Ready", Health::Ok)
}

/// None is ready: on its way while it is young, broken afterwards.
fn down(workload: &Workload, available: Option<&Condition>, now: Timestamp) -> State {
    let since = available
        .and_then(|condition| condition.last_transition_time.time())
        .or_else(|| workload.metadata.creation_timestamp.time());
    let young = since.is_some_and(|at| seconds_between(at, now) < PATIENCE);
    let health = if young { Health::Pending } else { Health::Critical };
    State::new("Down", health).why(available.map_or("none is ready", |condition| condition.message.as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_workload_is_as_good_as_its_pods() {
        let now = "2026-11-20T03:00:00Z".parse().unwrap();
        let status = |updated: i64, ready: i64| json!({"updatedReplicas": updated, "readyReplicas": ready});
        let stuck = json!({"readyReplicas": 2, "conditions": [{"type": "Progressing", "status": "False", "message": "has timed out"}]});
        let cases: [(Value, Value, &str, Health); 7] = [
            (json!({"replicas": 2}), status(2, 2), "Ready", Health::Ok),
            (json!({"replicas": 2}), status(1, 2), "Rolling", Health::Pending),
            (json!({"replicas": 2}), status(2, 1), "Partial", Health::Warning),
            (json!({"replicas": 2}), status(2, 0), "Down", Health::Critical),
            (json!({"replicas": 0}), status(0, 0), "Scaled to 0", Health::Off),
            (json!({"replicas": 2}), stuck, "Stuck", Health::Critical),
            (json!({"paused": true}), status(1, 1), "Paused", Health::Warning),
        ];
        for (spec, status, word, health) in cases {
            let workload: Workload = serde_json::from_value(json!({"spec": spec, "status": status})).unwrap();
            let state = state(&workload, &counts(&workload, false), now);
            assert_eq!((state.word.as_str(), state.health), (word, health), "{spec} {status}");
        }
    }
}
