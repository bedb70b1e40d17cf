//! `vigie check`: a checklist without a screen; the exit code tells a failure from what could not be looked at.

use serde::Serialize;

use crate::app::words::clean;
use crate::cli::{Check, Report};
use crate::config::suggest;
use crate::exec::checks::{Checks, overall};
use crate::insight::checklist::{Mark, Outcome};

use super::io::{Failure, Io};
use super::session::Session;

/// Exit code where a step fails.
const FAILED: u8 = 1;
/// Exit code where a step could not be looked at.
const BLIND: u8 = 3;

/// Runs `vigie check`.
pub async fn check(session: &Session, args: &Check, io: &mut Io<'_>) -> Result<u8, Failure> {
    let checks = Checks::configured(&session.config, &session.clock, session.door.journal());
    let Some(name) = &args.name else {
        for name in checks.names() {
            let title = checks.named(name).map_or("", |list| list.title.as_str());
            io.line(format!("{name:20}  {title}"))?;
        }
        return Ok(0);
    };
    let list = checks.named(name).cloned().ok_or_else(|| {
        let advice = suggest::advice(name, checks.names());
        Failure::Usage(format!("there is no checklist `{name}`; {advice}"))
    })?;
    let outcomes = checks.ask(&list, |_| {}).await;
    match args.output {
        Report::Json => {
            let steps = list.steps.iter().zip(&outcomes).map(|(step, outcome)| StepJson::new(step, outcome));
            io.json(&Answer { name, state: overall(&outcomes).0, steps: steps.collect() })?;
        }
        Report::Text => {
            for (at, (step, outcome)) in list.steps.iter().zip(&outcomes).enumerate() {
                io.line(format!("{:9}  {}. {}", outcome.mark.word(), at + 1, clean(&step.title)))?;
                for line in &outcome.evidence {
                    io.line(format!("           {}", clean(line)))?;
                }
                if !step.next.is_empty() && matches!(outcome.mark, Mark::Fail | Mark::Unknown | Mark::Open) {
                    io.line(format!("           next: {}", clean(&step.next)))?;
                }
            }
        }
    }
    Ok(code(&outcomes))
}

fn code(outcomes: &[Outcome]) -> u8 {
    match overall(outcomes).0 {
        "fail" => FAILED,
        "unknown" => BLIND,
        _ => 0,
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    name: &'a str,
    state: &'static str,
    steps: Vec<StepJson<'a>>,
}

#[derive(Serialize)]
struct StepJson<'a> {
    title: &'a str,
    mark: &'static str,
    evidence: &'a [String],
    next: &'a str,
}

impl<'a> StepJson<'a> {
    fn new(step: &'a crate::config::checklist::Step, outcome: &'a Outcome) -> Self {
        Self { title: &step.title, mark: outcome.mark.word(), evidence: &outcome.evidence, next: &step.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_from_what_nobody_could_look_at() {
        let of = |marks: &[Mark]| code(&marks.iter().map(|mark| Outcome::new(*mark, "")).collect::<Vec<_>>());
        assert_eq!(of(&[Mark::Pass, Mark::Open, Mark::Ticked]), 0);
        assert_eq!(of(&[Mark::Pass, Mark::Unknown]), 3);
        assert_eq!(of(&[Mark::Unknown, Mark::Fail, Mark::Skipped]), 1);
    }
}
