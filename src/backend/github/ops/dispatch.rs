//! Starting a workflow by hand, with the inputs that its own file asks for.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::backend::error::{ApiError, SendError};
use crate::backend::github::actions::{Run, WRITE, file_name};
use crate::backend::github::workflow::Input;
use crate::backend::github::{Github, kinds, rows};
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, OpSpec, Target, Tier, Verb, Verdict};
use crate::model::row::Tone;

use super::Stop;

/// The operation's name.
pub const NAME: &str = "github.dispatch";

/// The specification.
pub fn spec() -> OpSpec {
    let form = vec![
        Field::new(
            "ref",
            "branch",
            FieldKind::Line,
            "The branch, tag or commit it runs on; empty for the usual one.",
        )
        .optional(),
        Field::new(
            "inputs",
            "inputs",
            FieldKind::Lines,
            "A line for each input, NAME=VALUE; never a secret, as every reader of the run sees them.",
        )
        .optional(),
    ];
    let doc = "Starts the workflow; what it was to do is still to be looked at afterwards.";
    OpSpec::on(kinds::WORKFLOWS, NAME, "dispatch", Tier::T2, doc).right(WRITE).form(form).verb(Verb::Special)
}

impl Github {
    /// The form with a line for each input that the workflow asks for.
    pub(super) async fn offer_dispatch(&self, op: &OpSpec, target: &Target) -> Result<Vec<Field>, ApiError> {
        let inputs = self.actions.inputs(&target.id.key).await?;
        let lines: Vec<String> =
            inputs.iter().map(|input| format!("{}={}", input.name, input.default)).collect();
        let told: Vec<String> = inputs.iter().map(explain).collect();
        let mut form = op.form.clone();
        for field in &mut form {
            match &*field.name {
                "ref" => field.default = self.actions.branch().to_owned().into(),
                "inputs" if told.is_empty() => field.doc = "This workflow takes none.".into(),
                "inputs" => {
                    field.default = lines.join("\n").into();
                    field.doc =
                        format!("{}; never a secret, every reader sees them.", told.join("; ")).into();
                }
                _ => {}
            }
        }
        Ok(form)
    }

    pub(super) async fn judge_dispatch(&self, job: &Job) -> Result<Verdict, Stop> {
        let (file, inputs) = self.order(job).await?;
        let reference = self.reference(job);
        let effect = format!("starts {file} on {reference}");
        let runs = self.actions.runs_of(&file).await.map_err(Stop::blind("runs"))?;
        let verdict = Verdict::allow(effect, job.target.identity.clone());
        let verdict = inputs.iter().fold(verdict, |verdict, (name, value)| {
            verdict.and(Decision::Allow, Evidence::new(name.as_str(), value.as_str(), Tone::Text))
        });
        let busy: Vec<String> = runs.iter().filter(|run| is_under_way(run)).map(rows::name).collect();
        let last = runs.first().map(|run| {
            let (word, _, _) = rows::state(run, self.clock.now());
            format!("{} {word}", rows::name(run))
        });
        let verdict = verdict.and(
            Decision::Allow,
            Evidence::new("last run", last.unwrap_or_else(|| "none".to_owned()), Tone::Dim),
        );
        Ok(if busy.is_empty() {
            verdict
        } else {
            verdict.and(Decision::Warn, Evidence::new("already running", busy.join(", "), Tone::Warn))
        })
    }

    /// The workflow's file and its checked inputs.
    async fn order(&self, job: &Job) -> Result<(String, BTreeMap<String, String>), Stop> {
        let refused = |error: ApiError| Stop::Refused("workflow", error.fault.what);
        let file = file_name(&job.target.id.key).map_err(refused)?.to_owned();
        let known = self.actions.inputs(&file).await.map_err(|error| match error.fault.status {
            None => Stop::Refused("workflow", error.fault.what),
            _ => Stop::blind("workflow")(error),
        })?;
        let given = given(job.arg("inputs")).map_err(|why| Stop::Refused("inputs", why))?;
        let inputs = check(&known, given).map_err(|why| Stop::Refused("inputs", why))?;
        Ok((file, inputs))
    }

    fn reference(&self, job: &Job) -> String {
        let given = job.arg("ref").trim();
        if given.is_empty() { self.actions.branch().to_owned() } else { given.to_owned() }
    }

    pub(super) async fn dispatch(&self, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        let (file, inputs) = self.order(job).await.map_err(Stop::unsent)?;
        let run = self.actions.dispatch(&file, &self.reference(job), &inputs).await?;
        let remote = run.map(|id| id.to_string());
        if let Some(remote) = &remote {
            let _ = progress.send(Progress::Accepted(remote.clone())).await;
        }
        Ok(Receipt { remote, said: format!("GitHub took the order for {file}"), reveal: None })
    }

    pub(super) async fn prove_dispatch(
        &self,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        let look = "look at the runs of this workflow";
        if let Some(id) = remote.and_then(|id| id.parse().ok()) {
            let run = self.actions.run(id).await?;
            let (word, _, _) = rows::state(&run, self.clock.now());
            return Ok(Proof::Seen(format!(
                "{} is {word}; a green run is not yet a proof",
                rows::name(&run)
            )));
        }
        let found = self.actions.dispatched(&job.target.id.key, since).await?;
        Ok(match found.as_slice() {
            [run] => Proof::Seen(format!("{} is there", rows::name(run))),
            [] => self.weigh(false, "no run has come of it".to_owned(), since, look),
            many => Proof::Unclear(format!("{} runs are as young as that", many.len()), look.to_owned()),
        })
    }
}

fn is_under_way(run: &Run) -> bool {
    !matches!(run.status.as_str(), "completed" | "")
}

/// An input in one line: what it takes and what it says of itself.
pub fn explain(input: &Input) -> String {
    let field = input.field();
    let takes = match &field.kind {
        FieldKind::Flag => "true or false".to_owned(),
        FieldKind::Choice(options) => options.join(" | "),
        _ => "text".to_owned(),
    };
    let must = if input.required { ", required" } else { "" };
    format!("{} ({takes}{must}): {}", input.name, field.doc.trim_end_matches('.'))
}

/// The lines of a form as names and values.
fn given(text: &str) -> Result<BTreeMap<String, String>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let pair = |line: &str| {
        let (name, value) = line.split_once('=').ok_or_else(|| format!("`{line}`: write NAME=VALUE"))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    lines.map(pair).collect()
}

/// Every value as its input wants it; one that the workflow does not have is a mistake.
fn check(known: &[Input], mut given: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, String> {
    let mut checked = BTreeMap::new();
    for input in known {
        let value = given.remove(&input.name).unwrap_or_else(|| input.default.clone());
        input.field().check(&value)?;
        if !value.is_empty() {
            checked.insert(input.name.clone(), value);
        }
    }
    match given.keys().next() {
        None => Ok(checked),
        Some(name) => {
            let names: Vec<&str> = known.iter().map(|input| input.name.as_str()).collect();
            let there = if names.is_empty() {
                "it takes none".to_owned()
            } else {
                format!("it takes {}", names.join(", "))
            };
            Err(format!("`{name}` is no input of this workflow; {there}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::backend::github::workflow::inputs;

    use super::*;

    #[test]
    fn inputs_are_checked_before_anything_is_sent() {
        let yaml = "on:\n  workflow_dispatch:\n    inputs:\n      sha:\n        required: true\n      plan_only:\n        \
            type: boolean\n";
        let known = inputs(yaml).unwrap();
        let tried = |text: &str| given(text).and_then(|given| check(&known, given));
        assert_eq!(tried("sha=8f2c1a").unwrap().len(), 2);
        for (text, why) in [
            ("", "required"),
            ("sha=x\nplan_only=perhaps", "neither true nor false"),
            ("sha=x\nSHA=y", "`SHA` is no input"),
            ("sha", "write NAME=VALUE"),
        ] {
            let said = tried(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
