//! What became of the runs of one call, in words, in JSON and as an exit code.

use serde::Serialize;

use crate::cli::Report;
use crate::headless::io::{Failure, Io};
use crate::model::id::EntityId;
use crate::model::op::{Job, OpSpec, RunId, RunState};

/// A run that has ended.
pub struct Outcome {
    /// What was to be done.
    pub job: Job,
    /// What became of it.
    pub state: RunState,
}

#[derive(Serialize)]
struct Answer<'a> {
    operation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a str>,
    runs: Vec<Ended<'a>>,
}

#[derive(Serialize)]
struct Ended<'a> {
    run: &'a RunId,
    target: &'a EntityId,
    name: &'a str,
    state: &'static str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    look: Option<&'a str>,
}

/// The answer where nothing was even tried.
pub fn refused<'a>(op: &'a OpSpec, why: &'a str) -> impl Serialize + 'a {
    Answer { operation: &op.name, refused: Some(why), runs: Vec::new() }
}

/// Prints the outcomes and gives the exit code.
pub fn report(op: &OpSpec, outcomes: &[Outcome], how: Report, io: &mut Io<'_>) -> Result<u8, Failure> {
    match how {
        Report::Json => {
            let runs = outcomes.iter().map(Ended::of).collect();
            io.json(&Answer { operation: &op.name, refused: None, runs })?;
        }
        Report::Text => {
            for outcome in outcomes {
                for line in words(outcome) {
                    io.line(crate::app::words::clean(&line))?;
                }
            }
        }
    }
    Ok(code(outcomes))
}

impl<'a> Ended<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        Self {
            run: &outcome.job.run,
            target: &outcome.job.target.id,
            name: &outcome.job.target.name,
            state: outcome.state.word(),
            text: outcome.state.text(),
            look: look(&outcome.state),
        }
    }
}

fn look(state: &RunState) -> Option<&str> {
    if let RunState::Unknown { look, .. } = state { Some(look) } else { None }
}

fn words(outcome: &Outcome) -> Vec<String> {
    let (name, state) = (&outcome.job.target.name, &outcome.state);
    let mut lines = vec![format!("{name}: {}: {}", state.word(), state.text())];
    if let Some(look) = look(state) {
        lines.push(format!("  to look: {look}"));
        lines.push(format!("  then settle it: vigie do run.settle {}", outcome.job.run));
    }
    lines
}

/// The worst that happened; 4 only where really nothing was sent.
fn code(outcomes: &[Outcome]) -> u8 {
    let any = |is: fn(&RunState) -> bool| outcomes.iter().any(|outcome| is(&outcome.state));
    let refused = |state: &RunState| matches!(state, RunState::Refused(_));
    match () {
        () if any(|state| matches!(state, RunState::Unknown { .. })) => 5,
        () if outcomes.iter().all(|outcome| refused(&outcome.state)) => 4,
        () if any(|state| !matches!(state, RunState::Done { .. })) => 1,
        () => 0,
    }
}
