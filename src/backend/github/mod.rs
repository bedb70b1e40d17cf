//! GitHub Actions of one repository: what runs, what waits for somebody, and the few things that may be started.
//!
//! A green run is not a proof: what a run was to do is for others to read back. Inputs are visible to whoever can read
//! the repository, so that no secret is ever one.

pub mod actions;
mod doc;
mod doctor;
mod kinds;
mod ops;
mod rows;
#[cfg(feature = "demo")]
mod sim;
mod why;
mod wire;
mod workflow;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::config::{Config, Github as Settings};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::op::{Field, Job, OpSpec, Rights, Target, Verdict};
use crate::model::row::{Domain, Row};
use crate::model::snapshot::{Cadence, Mode, Snapshot, SourceSpec};
use crate::model::time::Clock;

use super::broken::Broken;
use super::error::{ApiError, SendError};
use super::{Backend, Definition, Diagnosis, ProgressSink, Proof, Receipt, ViewSink};

use actions::Actions;

/// The backend's id.
const ID: &str = "github";

/// GitHub in the registry.
pub const DEFINITION: Definition = Definition {
    id: ID,
    kinds: kinds::all,
    operations: ops::all,
    connect,
    #[cfg(feature = "demo")]
    simulators: sim::simulators,
};

/// One configured repository.
struct Github {
    actions: Actions,
    place: rows::Place,
    clock: Clock,
    reasons: why::Reasons,
    /// How long an effect that is not there yet may still come.
    grace: Duration,
}

fn connect(config: &Config, clock: &Clock) -> Vec<Arc<dyn Backend>> {
    let one = |settings: &Settings| -> Arc<dyn Backend> {
        let connection = &settings.connection;
        match Actions::connect(settings) {
            Ok(actions) => {
                let place = rows::Place { instance: connection.name.clone(), domain: connection.domain };
                let grace = Duration::from_secs(120);
                Arc::new(Github {
                    actions,
                    place,
                    clock: clock.clone(),
                    reasons: why::Reasons::default(),
                    grace,
                })
            }
            Err(error) => {
                let instance = connection.name.clone();
                let sources = sources(&instance, connection.domain);
                Arc::new(Broken { id: ID, instance, sources, fault: error.fault })
            }
        }
    };
    config.github.iter().map(one).collect()
}

fn sources(instance: &Arc<str>, domain: Domain) -> Vec<SourceSpec> {
    let spec = |feed: &str, kind: &str, focused, visible, hidden| SourceSpec {
        id: SourceId::new(ID, instance.clone(), feed),
        kinds: vec![kind.into()],
        mode: Mode::Poll(Cadence { focused, visible, hidden }),
        domain,
    };
    // Five thousand questions an hour are allowed.
    vec![
        spec("runs", kinds::RUNS, 10, 30, 60),
        spec("approvals", kinds::APPROVALS, 10, 30, 60),
        spec("workflows", kinds::WORKFLOWS, 30, 120, 300),
    ]
}

impl Github {
    async fn poll_feed(&self, feed: &str) -> Result<Snapshot, ApiError> {
        let now = self.clock.now();
        match feed {
            "runs" => {
                let runs = self.actions.recent().await?;
                let mut rows: Vec<Row> =
                    runs.iter().filter_map(|run| rows::run(run, &self.place, now)).collect();
                self.reasons.explain(&self.actions, &runs, &mut rows).await;
                Ok(Snapshot::of(rows, runs.len(), now))
            }
            "approvals" => {
                let (mut rows, mut all) = (Vec::new(), 0);
                for run in self.actions.waiting().await? {
                    let pending = self.actions.pending(run.id.or_zero()).await?;
                    all += pending.len();
                    rows.extend(pending.iter().filter_map(|one| rows::approval(&run, one, &self.place, now)));
                }
                Ok(Snapshot::of(rows, all, now))
            }
            "workflows" => {
                let (workflows, runs) = futures_util::join!(self.actions.workflows(), self.actions.recent());
                let (workflows, runs) = (workflows?, runs?);
                let row = |workflow| rows::workflow(workflow, &runs, &self.place, now);
                Ok(Snapshot::of(workflows.iter().filter_map(row).collect(), workflows.len(), now))
            }
            _ => Err(ApiError::unsupported(format!("github has no source `{feed}`"))),
        }
    }
}

#[async_trait]
impl Backend for Github {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.place.instance
    }

    fn sources(&self) -> Vec<SourceSpec> {
        sources(&self.place.instance, self.place.domain)
    }

    async fn poll(&self, source: &SourceId) -> Result<Snapshot, ApiError> {
        self.poll_feed(&source.feed).await
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let snapshot = self.poll_feed(kind.name()).await?;
        let named = snapshot.rows.iter().filter(|row| &*row.name == exact);
        Ok(named.map(Target::from).collect())
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        self.show(id, view, sink).await
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        // A fine-grained token does not say what it may do; only what is tried tells.
        self.actions.recent().await?;
        let unknown = ops::all().into_iter().map(|op| op.name.to_string()).collect();
        Ok(Rights { unknown, ..Rights::default() })
    }

    async fn doctor(&self) -> Diagnosis {
        self.diagnose().await
    }

    async fn form(&self, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
        self.offer(op, targets).await
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        if target.kind.as_str() != kinds::WORKFLOWS {
            return Ok(rows::identity(&self.actions.run(rows::run_of(target)?).await?));
        }
        let workflows = self.actions.workflows().await?;
        let found = workflows.iter().find(|workflow| rows::workflow_file(workflow) == &*target.key);
        let found =
            found.ok_or_else(|| ApiError::unsupported(format!("{target} does not exist any more")))?;
        Ok(rows::workflow_identity(found))
    }

    async fn preflight(&self, job: &Job) -> Result<Verdict, ApiError> {
        self.judge(job).await
    }

    async fn operate(&self, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        self.carry_out(job, progress).await
    }

    async fn verify(&self, job: &Job, remote: Option<&str>, since: Timestamp) -> Result<Proof, ApiError> {
        self.read_back(job, remote, since).await
    }
}

#[cfg(test)]
pub(super) mod tests;
