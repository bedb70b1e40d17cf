//! The runs of the lab: each goes from queued to done by the lab's clock.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::backend::argocd::sim::apps::HEAD;
use crate::backend::sim::World;

use super::{json_answer, message};

/// A run takes so long, in seconds.
const TAKES: i64 = 40;

/// The workflows of the repository: file, title, and the text of the file.
const FILES: [(&str, &str, &str); 6] = [
    ("ci.yml", "CI", "on: [push]\n"),
    (
        "deploy-dev-ephemeral.yml",
        "Deploy to an ephemeral cluster",
        "on:\n  workflow_dispatch:\n    inputs:\n      keep:\n        description: Keep the cluster afterwards.\n        type: boolean\n",
    ),
    (
        "promote-prod.yml",
        "Promote to production",
        "on:\n  workflow_dispatch:\n    inputs:\n      sha:\n        description: The commit to promote.\n        required: true\n      \
         plan_only:\n        description: Show what would change.\n        type: boolean\n        default: false\n",
    ),
    (
        "terraform-authentik.yml",
        "Terraform: Authentik",
        "on:\n  push:\n  workflow_dispatch:\n    inputs:\n      plan_only:\n        type: boolean\n        default: true\n",
    ),
    (
        "provision-user.yml",
        "Provision an account",
        "on:\n  repository_dispatch:\n  workflow_dispatch:\n    inputs:\n      user:\n        description: The user name.\n        \
         required: true\n      app:\n        description: The application.\n        type: choice\n        options: [nextcloud, navidrome, immich]\n",
    ),
    (
        "authentik-rotate-keys.yml",
        "Rotate Authentik keys",
        "on:\n  schedule:\n    - cron: '0 2 1 * *'\n  workflow_dispatch:\n    inputs:\n      token:\n        description: The token's identifier.\n        \
         required: true\n",
    ),
];

/// The text of a workflow's file.
pub(super) fn file(name: &str) -> Option<&'static str> {
    FILES.iter().find(|(file, ..)| *file == name).map(|(_, _, text)| *text)
}

/// Everything that the repository has run, the newest last.
#[derive(Debug, Default)]
pub(super) struct Store {
    runs: Vec<Value>,
    /// Runs that have not ended, with when and how they will.
    ends: Vec<(i64, Timestamp, &'static str)>,
    inputs: std::collections::BTreeMap<i64, Value>,
}

impl Store {
    pub(super) fn new(world: &World) -> Self {
        let (mut store, now) = (Self::default(), world.clock.now());
        let blocked = world.scenario == "ci-challenge";
        let terraform = if blocked { "failure" } else { "success" };
        let past: [(usize, i64, &str, &str, &str); 6] = [
            (5, 21 * 86_400, "completed", "success", "Rotate keys"),
            (1, 9 * 3600, "completed", "success", "dev-ephemeral-8841"),
            (4, 2 * 3600, "completed", "success", "provision designer nextcloud"),
            (0, 3 * 3600, "completed", "success", "Update nextcloud"),
            (3, 20 * 60, "completed", terraform, "terraform apply"),
            (2, 41 * 60, "waiting", "", "promote 8f2c1a"),
        ];
        // The head of the repository, where it ran first: what it made was taken down again.
        let mut proven =
            run(8830, 1, now - SignedDuration::from_secs(2 * 86_400), "completed", "success", "head");
        proven["head_sha"] = json!(HEAD);
        store.runs.push(proven);
        for (number, (which, ago, status, conclusion, title)) in past.into_iter().enumerate() {
            let id = 8836 + i64::try_from(number).unwrap_or(0);
            let at = now - SignedDuration::from_secs(ago);
            store.runs.push(run(id, which, at, status, conclusion, title));
        }
        // What waits for an approval is the promotion of that head.
        if let Some(waiting) = store.runs.iter_mut().find(|run| run["status"] == "waiting") {
            waiting["head_sha"] = json!(HEAD);
        }
        store
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, world: &World, now: Timestamp) {
        let due: Vec<_> = self.ends.iter().filter(|(_, at, _)| *at <= now).copied().collect();
        self.ends.retain(|(_, at, _)| *at > now);
        for (id, at, conclusion) in due {
            let Some(run) = self.runs.iter_mut().find(|run| run["id"] == id) else { continue };
            run["status"] = json!("completed");
            // The edge stops the pipeline for as long as nobody has opened a door.
            let challenged = world.scenario == "ci-challenge" && world.get("edge-rule") != "open";
            let blocked = challenged && run["path"] == ".github/workflows/terraform-authentik.yml";
            run["conclusion"] = if blocked { json!("failure") } else { json!(conclusion) };
            run["updated_at"] = json!(at.to_string());
            if conclusion == "success" && run["path"] == ".github/workflows/promote-prod.yml" {
                // Git says so from now on; Argo CD finds it there.
                let asked = self.inputs.get(&id).and_then(|inputs| inputs["sha"].as_str());
                world.set("argocd.promoted", asked.or(run["head_sha"].as_str()).unwrap_or_default());
            }
            if conclusion == "success" && run["path"] == ".github/workflows/authentik-rotate-keys.yml" {
                // Only the run itself knows the key; Authentik shows that the token has another end.
                let token =
                    self.inputs.get(&id).and_then(|inputs| inputs["token"].as_str()).unwrap_or_default();
                world.set("authentik-rotated", token);
            }
        }
    }

    pub(super) fn runs(&self, keeps: impl Fn(&Value) -> bool) -> Response {
        let runs: Vec<&Value> = self.runs.iter().rev().filter(|run| keeps(run)).collect();
        json_answer(200, &json!({ "total_count": runs.len(), "workflow_runs": runs }))
    }

    pub(super) fn workflows() -> Response {
        let workflow = |(at, (file, name, _)): (usize, &(&str, &str, &str))| json!({ "id": 100 + at, "name": name, "path": format!(".github/workflows/{file}"), "state": "active" });
        let workflows: Vec<Value> = FILES.iter().enumerate().map(workflow).collect();
        json_answer(200, &json!({ "total_count": workflows.len(), "workflows": workflows }))
    }

    pub(super) fn run(&self, id: Option<i64>) -> Option<&Value> {
        self.runs.iter().find(|run| id.is_some() && run["id"].as_i64() == id)
    }

    fn run_mut(&mut self, id: Option<i64>) -> Option<&mut Value> {
        self.runs.iter_mut().find(|run| id.is_some() && run["id"].as_i64() == id)
    }

    pub(super) fn jobs(&self, id: Option<i64>) -> Option<Value> {
        let run = self.run(id)?;
        let (status, conclusion) = (run["status"].clone(), run["conclusion"].clone());
        let failed = conclusion == "failure";
        let leak = run["display_title"] == "dev-ephemeral-8841";
        let deploys = run["path"] == ".github/workflows/deploy-dev-ephemeral.yml";
        let step = |number: i64, name: &str, conclusion: &Value| json!({ "name": name, "number": number, "status": status, "conclusion": conclusion });
        let last = if leak { json!("skipped") } else { json!("success") };
        let steps = if failed {
            vec![
                step(1, "checkout", &json!("success")),
                step(2, "terraform plan", &json!("failure")),
                step(3, "terraform apply", &json!("skipped")),
            ]
        } else {
            vec![
                step(1, "checkout", &conclusion),
                step(2, "run", &conclusion),
                step(3, if deploys { "destroy cluster" } else { "report" }, &last),
            ]
        };
        let job = json!({ "id": id? * 10, "name": "main", "status": run["status"], "conclusion": run["conclusion"],
            "started_at": run["run_started_at"], "completed_at": run["updated_at"], "steps": steps });
        Some(json!({ "total_count": 1, "jobs": [job] }))
    }

    /// What the runner noted about a job that failed.
    pub(super) fn annotations(&self, job: &str) -> Value {
        let run = self.run(job.parse::<i64>().ok().map(|id| id / 10));
        if run.is_none_or(|run| run["conclusion"] != "failure") {
            return json!([]);
        }
        json!([
            { "annotation_level": "failure", "message": "Error: invalid character '<' looking for beginning of value: <title>Just a moment...</title>" },
            { "annotation_level": "failure", "message": "HTTP 403, cf-mitigated: challenge, on https://auth.lab.example/api/v3/root/config/" },
        ])
    }

    pub(super) fn pending(&self, id: Option<i64>) -> Option<Value> {
        let run = self.run(id)?;
        if run["status"] != "waiting" {
            return Some(json!([]));
        }
        Some(json!([{ "environment": { "id": 1, "name": "production" }, "wait_timer": 0,
            "wait_timer_started_at": null, "current_user_can_approve": true, "reviewers": [] }]))
    }

    pub(super) fn dispatch(&mut self, name: &str, body: &Value, now: Timestamp) -> Response {
        let Some(which) = FILES.iter().position(|(file, ..)| *file == name) else {
            return message(404, "Not Found");
        };
        let Ok(known) = super::super::workflow::inputs(FILES[which].2) else {
            return message(422, "Workflow does not have 'workflow_dispatch' trigger");
        };
        let given = body["inputs"].as_object().cloned().unwrap_or_default();
        if let Some(name) = given.keys().find(|name| !known.iter().any(|input| input.name == **name)) {
            return message(422, &format!("Unexpected inputs provided: [\"{name}\"]"));
        }
        if let Some(missing) = known.iter().find(|input| input.required && !given.contains_key(&input.name)) {
            return message(422, &format!("Required input '{}' not provided", missing.name));
        }
        if body["ref"].as_str().is_none_or(str::is_empty) {
            return message(422, "No ref found for: ");
        }
        let id = self.runs.iter().filter_map(|run| run["id"].as_i64()).max().unwrap_or(8800) + 1;
        let title = format!(
            "{} {}",
            FILES[which].1,
            given.values().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
        );
        let mut made = run(id, which, now, "in_progress", "", title.trim());
        made["event"] = json!("workflow_dispatch");
        self.runs.push(made);
        self.inputs.insert(id, Value::Object(given));
        self.ends.push((id, now + SignedDuration::from_secs(TAKES), "success"));
        if body["return_run_details"] == true {
            return json_answer(200, &json!({ "workflow_run_id": id, "run_url": "", "html_url": "" }));
        }
        StatusCode::NO_CONTENT.into_response()
    }

    pub(super) fn approve(&mut self, id: Option<i64>, body: &Value, now: Timestamp) -> Response {
        let right = body["environment_ids"] == json!([1]) && body["state"] == "approved";
        let Some(run) = self.run_mut(id) else { return message(404, "Not Found") };
        if run["status"] != "waiting" || !right {
            return message(422, "Validation Failed");
        }
        run["status"] = json!("in_progress");
        self.go_on(id, now);
        json_answer(200, &json!([]))
    }

    pub(super) fn rerun(&mut self, id: Option<i64>, now: Timestamp) -> Response {
        let Some(run) = self.run_mut(id) else { return message(404, "Not Found") };
        if run["status"] != "completed" {
            return message(403, "This workflow is already running");
        }
        run["status"] = json!("in_progress");
        run["conclusion"] = Value::Null;
        run["run_attempt"] = json!(run["run_attempt"].as_i64().unwrap_or(1) + 1);
        run["run_started_at"] = json!(now.to_string());
        self.go_on(id, now);
        json_answer(201, &json!({}))
    }

    pub(super) fn cancel(&mut self, id: Option<i64>, now: Timestamp) -> Response {
        let Some(run) = self.run_mut(id) else { return message(404, "Not Found") };
        if run["status"] == "completed" {
            return message(409, "Cannot cancel a workflow run that is completed.");
        }
        // Taken on, not yet done.
        let ends = now + SignedDuration::from_secs(3);
        self.ends.retain(|(known, ..)| Some(*known) != id);
        self.ends.extend(id.map(|id| (id, ends, "cancelled")));
        json_answer(202, &json!({}))
    }

    fn go_on(&mut self, id: Option<i64>, now: Timestamp) {
        let ends = now + SignedDuration::from_secs(TAKES);
        self.ends.extend(id.map(|id| (id, ends, "success")));
    }
}

fn run(id: i64, which: usize, at: Timestamp, status: &str, conclusion: &str, title: &str) -> Value {
    use std::fmt::Write;
    let digest = Sha256::digest(title.as_bytes());
    let sha = digest[..20].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let (file, name, _) = FILES[which];
    let ended = at + SignedDuration::from_secs(if status == "completed" { TAKES } else { 0 });
    json!({
        "id": id, "name": name, "display_title": title, "path": format!(".github/workflows/{file}"), "run_number": id,
        "run_attempt": 1, "event": "push", "status": status,
        "conclusion": if conclusion.is_empty() { Value::Null } else { json!(conclusion) },
        "workflow_id": 100 + which, "head_branch": "main", "head_sha": sha,
        "html_url": format!("https://github.example/lab/homelab/actions/runs/{id}"), "created_at": at.to_string(),
        "updated_at": ended.to_string(), "run_started_at": at.to_string(), "actor": { "login": "admin1" },
        "triggering_actor": { "login": "admin1" },
    })
}
