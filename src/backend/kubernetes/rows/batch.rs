//! Jobs and cron jobs.

use jiff::Timestamp;

use crate::model::id::KindId;
use crate::model::row::{Cell, Health, Row};

use super::super::wire::{Condition, CronJob, Job};
use super::{Maker, State, age};

/// The row of a Job.
pub fn job(maker: &Maker, kind: &KindId, job: &Job, _now: Timestamp) -> Row {
    let state = job_state(job);
    let wanted = job.spec.completions.0.unwrap_or(1);
    let cells = vec![
        state.cell(),
        Cell::new(job.metadata.name.as_str()),
        maker.cell(&job.metadata.namespace),
        Cell::new(format!("{}/{wanted}", job.status.succeeded.or_zero()).as_str()),
        Cell::new(job.status.failed.or_zero()),
        Cell::new(state.why.as_str()),
        maker.cell(job.metadata.owner_references.first().map_or("", |owner| owner.name.as_str())),
        Cell::new(job.status.completion_time.time()),
        age(&job.metadata.creation_timestamp),
    ];
    let owner = job.metadata.owner_references.first().map_or("", |owner| owner.name.as_str());
    known(maker, maker.row(kind, &job.metadata, &state, cells), owner)
}

fn job_state(job: &Job) -> State {
    let holds = |about: &str| -> Option<&Condition> {
        job.status.conditions.iter().find(|c| &*c.about == about && &*c.status == "True")
    };
    if let Some(failed) = holds("Failed") {
        return State::new("Failed", Health::Critical).why(failed.message.as_str());
    }
    if holds("Complete").is_some() {
        return State::new("Complete", Health::Off);
    }
    if job.spec.suspend.is_true() {
        return State::new("Suspended", Health::Off);
    }
    State::new("Running", Health::Pending)
}

/// The row of a `CronJob`.
pub fn cron(maker: &Maker, kind: &KindId, cron: &CronJob, _now: Timestamp) -> Row {
    let (last, good) = (cron.status.last_schedule_time.time(), cron.status.last_successful_time.time());
    let active = !cron.status.active.is_empty();
    let state = if cron.spec.suspend.is_true() {
        State::new("Suspended", Health::Off)
    } else if active {
        State::new("Running", Health::Pending)
    } else if last.is_some() && good.is_none_or(|good| Some(good) < last) {
        State::new("Failed", Health::Warning).why("the last run did not succeed")
    } else {
        State::new("Waiting", Health::Ok)
    };
    let cells = vec![
        state.cell(),
        Cell::new(cron.metadata.name.as_str()),
        maker.cell(&cron.metadata.namespace),
        Cell::new(cron.spec.schedule.as_str()),
        Cell::new(state.why.as_str()),
        Cell::new(last),
        Cell::new(good),
        age(&cron.metadata.creation_timestamp),
    ];
    known(maker, maker.row(kind, &cron.metadata, &state, cells), &cron.metadata.name)
}

/// A row with its join keys: the object, and the `CronJob` that it is or that made it.
fn known(maker: &Maker, mut row: Row, workload: &str) -> Row {
    if let Some((namespace, name)) = row.id.key.split_once('/') {
        let workload = (!workload.is_empty()).then(|| maker.workload(namespace, workload));
        row.facets = std::iter::once(maker.object(namespace, name)).chain(workload).collect();
    }
    row
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_cron_job_whose_last_run_failed_is_a_warning() {
        let maker = Maker::new("prod".into(), crate::model::row::Domain::Home);
        let cases: [(Value, &str); 4] = [
            (
                json!({"lastScheduleTime": "2026-11-20T03:00:00Z", "lastSuccessfulTime": "2026-11-20T03:01:00Z"}),
                "Waiting",
            ),
            (
                json!({"lastScheduleTime": "2026-11-20T03:00:00Z", "lastSuccessfulTime": "2026-11-19T03:01:00Z"}),
                "Failed",
            ),
            (json!({"lastScheduleTime": "2026-11-20T03:00:00Z", "active": [{"name": "a"}]}), "Running"),
            (json!({}), "Waiting"),
        ];
        for (status, word) in cases {
            let object: CronJob = serde_json::from_value(json!({"status": status})).unwrap();
            let row = cron(&maker, &"kubernetes.cronjobs".into(), &object, Timestamp::UNIX_EPOCH);
            assert_eq!(row.cell(0).value.as_text(), Some(word), "{status}");
        }
    }
}
