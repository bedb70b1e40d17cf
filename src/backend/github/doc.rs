//! A run with its jobs and steps: what failed first, in GitHub's own words.

use std::time::Duration;

use crate::backend::error::ApiError;
use crate::backend::{ViewSink, show_at_pace};
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::{Cell, Tone};
use crate::model::view::{Doc, DocLine, Fact, View};

use super::actions::{Run, RunJob};
use super::{Github, kinds, rows};

/// How often an open description is read again.
const PACE: Duration = Duration::from_secs(10);
/// So many lines of what the runner noted are shown.
const MOST_LINES: usize = 12;

impl Github {
    pub(super) async fn show(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        if view != "describe" {
            return Err(ApiError::unsupported(format!("{} has no view `{view}`", id.kind)));
        }
        let doc = || async {
            let doc = match id.kind.as_str() {
                kinds::WORKFLOWS => self.describe_workflow(&id.key).await?,
                _ => self.describe(rows::run_of(id)?).await?,
            };
            Ok(View::Doc(doc))
        };
        show_at_pace(&sink, PACE, doc).await
    }

    /// A workflow: what it asks for, and its last runs.
    async fn describe_workflow(&self, file: &str) -> Result<Doc, ApiError> {
        let (runs, inputs) = futures_util::join!(self.actions.runs_of(file), self.actions.inputs(file));
        let now = self.clock.now();
        let rows = runs?.into_iter().take(10).map(|run| {
            let (word, health, _) = rows::state(&run, now);
            let when = Cell::new(run.created_at.time());
            vec![Cell::toned(word, Tone::from(health)), Cell::new(rows::name(&run).as_str()), when]
        });
        let asked = match &inputs {
            Ok(inputs) => inputs.iter().map(|input| DocLine::new(super::ops::explain(input))).collect(),
            Err(error) => vec![DocLine::toned(error.fault.what.clone(), Tone::Warn)],
        };
        let columns = vec!["state".into(), "run".into(), "started".into()];
        Ok(Doc::default().lines("inputs", asked).table("last runs", columns, rows.collect()))
    }

    async fn describe(&self, id: i64) -> Result<Doc, ApiError> {
        let (run, jobs) = futures_util::join!(self.actions.run(id), self.actions.jobs(id));
        let (run, jobs) = (run?, jobs?);
        let failed: Vec<&RunJob> = jobs.iter().filter(|job| is_bad(&job.conclusion)).collect();
        let mut said = Vec::new();
        for job in &failed {
            said.extend(self.said(job).await);
        }
        let (word, health, note) = rows::state(&run, self.clock.now());
        let facts = vec![
            Fact::new("state", word).format(Format::State).tone(Tone::from(health)),
            Fact::new("why", note.unwrap_or_default().as_str()),
            Fact::new("first failing step", first_failure(&failed).as_str()).tone(Tone::Error),
            Fact::new("title", run.display_title.as_str()),
            Fact::new(
                "commit",
                format!("{} on {}", run.head_sha.as_str(), run.head_branch.as_str()).as_str(),
            ),
            Fact::new("started", run.created_at.time()).format(Format::Age),
            Fact::new("by", run.actor.login.as_str()),
            Fact::new("attempt", run.run_attempt.0),
            Fact::new("address", run.html_url.as_str()).tone(Tone::Dim),
        ];
        let facts = facts.into_iter().filter(|fact| fact.value != crate::model::row::Value::Empty).collect();
        let columns = vec!["state".into(), "job".into(), "step".into()];
        Ok(Doc::default()
            .facts("run", facts)
            .lines("what was said", said)
            .table("jobs", columns, steps(&jobs))
            .lines("mind", reminder(&run)))
    }

    /// What the runner noted about a failed job.
    async fn said(&self, job: &RunJob) -> Vec<DocLine> {
        let Ok(notes) = self.actions.annotations(job.id.or_zero()).await else { return Vec::new() };
        let bad = notes.iter().filter(|note| note.annotation_level.as_str() != "notice");
        bad.take(MOST_LINES).map(|note| DocLine::toned(note.message.to_string(), Tone::Error)).collect()
    }
}

/// Whether a conclusion is a failure.
pub fn is_bad(conclusion: &str) -> bool {
    matches!(conclusion, "failure" | "timed_out" | "startup_failure")
}

/// The first step that failed.
pub fn first_failure(failed: &[&RunJob]) -> String {
    let step = |job: &&RunJob| {
        let step = job.steps.iter().find(|step| is_bad(&step.conclusion))?;
        Some(format!("{}: {}", job.name.as_str(), step.name.as_str()))
    };
    failed.iter().find_map(step).unwrap_or_default()
}

fn steps(jobs: &[RunJob]) -> Vec<Vec<Cell>> {
    let cell = |status: &str, conclusion: &str| {
        let word = if conclusion.is_empty() { status } else { conclusion };
        let tone = match word {
            "success" => Tone::Ok,
            "skipped" | "cancelled" | "neutral" => Tone::Off,
            "failure" | "timed_out" => Tone::Error,
            _ => Tone::Pending,
        };
        Cell::toned(word, tone)
    };
    let rows = jobs.iter().flat_map(|job| {
        let head = vec![cell(&job.status, &job.conclusion), Cell::new(job.name.as_str()), Cell::default()];
        let steps = job.steps.iter().map(move |step| {
            vec![cell(&step.status, &step.conclusion), Cell::default(), Cell::new(step.name.as_str())]
        });
        std::iter::once(head).chain(steps)
    });
    rows.collect()
}

/// Green proves that the steps ran, not that they did what they were for.
fn reminder(run: &Run) -> Vec<DocLine> {
    if run.conclusion.as_str() != "success" {
        return Vec::new();
    }
    vec![DocLine::toned("A green run is not a proof: look at what it was to change.", Tone::Dim)]
}
