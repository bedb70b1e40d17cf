//! Typed calls on the Actions of one repository; other backends start and follow workflows through it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::backend::error::{ApiError, SendError};
use crate::backend::http::{self, Call, Http, Payload, Profile, Reply};
use crate::config::Github as Settings;
use crate::model::snapshot::Layer;

pub use super::rows::{name, short_sha, state};
pub use super::wire::{Annotation, Pending, Run, RunJob, Step, Workflow};

use super::wire::{Dispatched, Jobs, Runs, Workflows};
use super::workflow::Input;

/// The right that every change needs.
pub const WRITE: &str = "actions: write";
/// The right that every question needs.
const READ: &str = "actions: read";
/// More inputs than this are refused by GitHub.
const MOST_INPUTS: usize = 25;

/// The Actions of one repository.
#[derive(Debug, Clone)]
pub struct Actions {
    http: Http,
    repo: String,
    branch: String,
}

impl Actions {
    /// Makes the client; resolves the token, so that it may block.
    pub fn connect(settings: &Settings) -> Result<Self, ApiError> {
        let token = http::resolve(&settings.token)?;
        if token.trim().is_empty() {
            return Err(ApiError::new(Layer::Config, "the token is empty"));
        }
        let auth = [
            ("authorization", format!("Bearer {}", token.trim())),
            ("accept", "application/vnd.github+json".to_owned()),
            ("x-github-api-version", "2022-11-28".to_owned()),
        ];
        let http = Http::new(&settings.connection, &auth, &Profile::default())?;
        Ok(Self { http, repo: settings.repo.clone(), branch: settings.branch.clone() })
    }

    /// The branch on which workflows are dispatched unless something else is said.
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// The repository, `owner/name`.
    pub fn repo(&self) -> &str {
        &self.repo
    }

    /// Asks for something below the repository.
    pub(super) async fn ask(&self, call: Call) -> Result<Reply, ApiError> {
        let reply = self.http.read(&call).await?;
        if reply.is_success() { Ok(reply) } else { Err(refused(&reply, READ)) }
    }

    fn get(&self, path: &str) -> Call {
        Call::get(format!("/repos/{}{path}", self.repo))
    }

    async fn one<T: DeserializeOwned>(&self, call: Call) -> Result<T, ApiError> {
        self.ask(call).await?.json()
    }

    /// The newest hundred runs of all workflows.
    pub async fn recent(&self) -> Result<Vec<Run>, ApiError> {
        let runs: Runs = self.one(self.get("/actions/runs").query("per_page", "100")).await?;
        Ok(runs.workflow_runs)
    }

    /// Runs that wait for somebody's approval.
    pub async fn waiting(&self) -> Result<Vec<Run>, ApiError> {
        let call = self.get("/actions/runs").query("status", "waiting").query("per_page", "50");
        let runs: Runs = self.one(call).await?;
        if runs.workflow_runs.iter().any(|run| run.id.or_zero() == 0) {
            return Err(ApiError::new(Layer::App, "a run that waits cannot be read"));
        }
        Ok(runs.workflow_runs.into_iter().filter(|run| run.status.as_str() == "waiting").collect())
    }

    /// The newest runs of one workflow, by its file name.
    pub async fn runs_of(&self, workflow: &str) -> Result<Vec<Run>, ApiError> {
        let path = format!("/actions/workflows/{}/runs", file_name(workflow)?);
        let runs: Runs = self.one(self.get(&path).query("per_page", "30")).await?;
        Ok(runs.workflow_runs)
    }

    /// The runs of one workflow at one commit, the newest first.
    pub async fn runs_at(&self, workflow: &str, commit: &str) -> Result<Vec<Run>, ApiError> {
        let path = format!("/actions/workflows/{}/runs", file_name(workflow)?);
        let call = self.get(&path).query("head_sha", commit).query("per_page", "30");
        let runs: Runs = self.one(call).await?;
        Ok(runs.workflow_runs.into_iter().filter(|run| run.head_sha.as_str() == commit).collect())
    }

    /// One run.
    pub async fn run(&self, id: i64) -> Result<Run, ApiError> {
        let run: Run = self.one(self.get(&format!("/actions/runs/{id}"))).await?;
        if run.id.0 == Some(id) { Ok(run) } else { Err(ApiError::new(Layer::App, "another run came back")) }
    }

    /// The jobs of a run.
    pub async fn jobs(&self, id: i64) -> Result<Vec<RunJob>, ApiError> {
        let path = format!("/actions/runs/{id}/jobs");
        let jobs: Jobs = self.one(self.get(&path).query("per_page", "100")).await?;
        Ok(jobs.jobs)
    }

    /// What the runner noted about a job: the first lines of what went wrong.
    pub async fn annotations(&self, job: i64) -> Result<Vec<Annotation>, ApiError> {
        self.one(self.get(&format!("/check-runs/{job}/annotations"))).await
    }

    /// The environments that a run waits for.
    pub async fn pending(&self, id: i64) -> Result<Vec<Pending>, ApiError> {
        self.one(self.get(&format!("/actions/runs/{id}/pending_deployments"))).await
    }

    /// All workflows.
    pub async fn workflows(&self) -> Result<Vec<Workflow>, ApiError> {
        let list: Workflows = self.one(self.get("/actions/workflows").query("per_page", "100")).await?;
        Ok(list.workflows)
    }

    /// The inputs that a workflow asks for; the error says when nobody may start it by hand.
    pub async fn inputs(&self, workflow: &str) -> Result<Vec<Input>, ApiError> {
        let path = format!("/contents/.github/workflows/{}", file_name(workflow)?);
        let call = self.get(&path).query("ref", self.branch.as_str());
        let reply = self.ask(call.header("accept", "application/vnd.github.raw+json")).await?;
        super::workflow::inputs(&reply.text())
            .map_err(|why| ApiError::new(Layer::App, format!("{workflow}: {why}")))
    }

    /// Starts a workflow on a branch or commit; the id of its run, where this GitHub tells.
    pub async fn dispatch(
        &self,
        workflow: &str,
        reference: &str,
        inputs: &BTreeMap<String, String>,
    ) -> Result<Option<i64>, SendError> {
        let file = file_name(workflow).map_err(|error| SendError::NotSent(error.fault))?;
        if inputs.len() > MOST_INPUTS {
            let why = format!("{} inputs are more than GitHub takes ({MOST_INPUTS})", inputs.len());
            return Err(SendError::NotSent(ApiError::new(Layer::App, why).fault));
        }
        let body = json!({ "ref": reference, "inputs": inputs, "return_run_details": true });
        let reply = self.send(&format!("/actions/workflows/{file}/dispatches"), Some(body)).await?;
        Ok(reply.json::<Dispatched>().unwrap_or_default().workflow_run_id.0)
    }

    /// The run that came of a dispatch without a word about its id: the only one of the workflow that is younger.
    pub async fn dispatched(&self, workflow: &str, since: Timestamp) -> Result<Vec<Run>, ApiError> {
        let runs = self.runs_of(workflow).await?;
        // Its clock and ours may differ by a little.
        let young =
            |run: &Run| run.created_at.time().is_some_and(|at| at.as_second() + 5 >= since.as_second());
        Ok(runs.into_iter().filter(|run| run.event.as_str() == "workflow_dispatch" && young(run)).collect())
    }

    /// Lets a run go on into environments.
    pub async fn approve(&self, id: i64, environments: &[i64], comment: &str) -> Result<(), SendError> {
        let body = json!({ "environment_ids": environments, "state": "approved", "comment": comment });
        self.send(&format!("/actions/runs/{id}/pending_deployments"), Some(body)).await?;
        Ok(())
    }

    /// Runs a finished run again; only its failed jobs where that is asked for.
    pub async fn rerun(&self, id: i64, failed_only: bool) -> Result<(), SendError> {
        let verb = if failed_only { "rerun-failed-jobs" } else { "rerun" };
        self.send(&format!("/actions/runs/{id}/{verb}"), None).await?;
        Ok(())
    }

    /// Asks a run to stop.
    pub async fn cancel(&self, id: i64) -> Result<(), SendError> {
        self.send(&format!("/actions/runs/{id}/cancel"), None).await?;
        Ok(())
    }

    async fn send(&self, path: &str, body: Option<serde_json::Value>) -> Result<Reply, SendError> {
        let call = Call::new(Method::POST, format!("/repos/{}{path}", self.repo));
        let call = match body {
            Some(body) => call.payload(Payload::Json(body)),
            None => call,
        };
        let reply = self.http.write(&call).await?;
        if reply.is_success() {
            return Ok(reply);
        }
        let fault = refused(&reply, WRITE).fault;
        Err(if reply.status >= 500 { SendError::Unknown(fault) } else { SendError::Refused(fault) })
    }
}

/// A workflow's file name, alone: it becomes a part of the path.
pub(super) fn file_name(workflow: &str) -> Result<&str, ApiError> {
    let name = workflow.strip_prefix(".github/workflows/").unwrap_or(workflow);
    let plain = name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'));
    if plain && matches!(name.rsplit_once('.'), Some((_, "yml" | "yaml"))) && !name.starts_with('.') {
        return Ok(name);
    }
    Err(ApiError::new(Layer::App, format!("`{workflow}` is no file name of a workflow, such as promote.yml")))
}

/// Reads a refusal: GitHub says 404 for what may not be seen, and 403 for whoever asks too often.
fn refused(reply: &Reply, right: &str) -> ApiError {
    #[derive(serde::Deserialize, Default)]
    #[serde(default)]
    struct Message {
        message: crate::backend::lenient::Text,
    }
    let message = reply.json::<Message>().unwrap_or_default().message;
    let error = match reply.status {
        401 => {
            ApiError::new(Layer::Auth, "the token is not accepted").hint("it is wrong, revoked or expired")
        }
        403 | 429
            if reply.header("x-ratelimit-remaining") == Some("0")
                || reply.header("retry-after").is_some() =>
        {
            ApiError::new(Layer::App, "GitHub has been asked too often")
                .hint("it answers again within the hour")
        }
        403 => ApiError::new(Layer::Auth, "the token may not do this").missing(right),
        404 => ApiError::new(Layer::App, "there is none, or the token may not see it"),
        422 => ApiError::new(Layer::App, message.some().unwrap_or("GitHub refuses these values")),
        status => ApiError::new(Layer::App, format!("HTTP {status}")),
    };
    error.status(reply.status).raw(message.as_str())
}
