//! GitHub's JSON with its own names, `X-GitHub-Api-Version: 2022-11-28`; whatever has another type is absent.
#![allow(missing_docs, reason = "the fields are the server's own")]

use serde::Deserialize;

use crate::backend::lenient::{Flag, Int, List, Obj, Text};

/// `/actions/runs`, or those of one workflow.
#[derive(Debug, Clone, Deserialize)]
pub struct Runs {
    pub workflow_runs: Vec<Run>,
}

/// One run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Run {
    pub id: Int,
    pub name: Text,
    pub display_title: Text,
    pub path: Text,
    pub run_number: Int,
    pub run_attempt: Int,
    pub event: Text,
    pub status: Text,
    pub conclusion: Text,
    pub head_branch: Text,
    pub head_sha: Text,
    pub html_url: Text,
    pub created_at: Text,
    pub updated_at: Text,
    pub run_started_at: Text,
    pub actor: Obj<Actor>,
}

/// Who did something.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Actor {
    pub login: Text,
}

/// `/actions/runs/{id}/jobs`.
#[derive(Debug, Clone, Deserialize)]
pub struct Jobs {
    pub jobs: Vec<RunJob>,
}

/// One job of a run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RunJob {
    pub id: Int,
    pub name: Text,
    pub status: Text,
    pub conclusion: Text,
    pub started_at: Text,
    pub completed_at: Text,
    pub steps: List<Step>,
}

/// One step of a job.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Step {
    pub name: Text,
    pub number: Int,
    pub status: Text,
    pub conclusion: Text,
}

/// One environment that a run waits for, `/actions/runs/{id}/pending_deployments`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Pending {
    pub environment: Obj<Environment>,
    pub wait_timer: Int,
    pub wait_timer_started_at: Text,
    pub current_user_can_approve: Flag,
}

/// An environment.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Environment {
    pub id: Int,
    pub name: Text,
}

/// `/actions/workflows`.
#[derive(Debug, Clone, Deserialize)]
pub struct Workflows {
    pub workflows: Vec<Workflow>,
}

/// One workflow.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Workflow {
    pub id: Int,
    pub name: Text,
    pub path: Text,
    pub state: Text,
}

/// A line that the runner writes about a job, `/check-runs/{job id}/annotations`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Annotation {
    pub annotation_level: Text,
    pub message: Text,
}

/// What a dispatch answers with `return_run_details`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Dispatched {
    pub workflow_run_id: Int,
    pub html_url: Text,
}
