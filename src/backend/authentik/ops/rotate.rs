//! Swapping the key of a token by the workflow that is made for it. vigie reads no key and writes no token: what it does
//! is to start the workflow, to follow it, and to look at what the server says of the token afterwards.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::backend::authentik::client::Ask;
use crate::backend::authentik::feeds::{VIEW_EVENT, VIEW_TOKEN};
use crate::backend::authentik::rights::Look;
use crate::backend::authentik::rows::tokens::{ends, identity, state};
use crate::backend::authentik::wire::{Event, Token};
use crate::backend::authentik::{Authentik, kinds};
use crate::backend::error::{ApiError, SendError};
use crate::backend::github::actions::Actions;
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::config::Rotation;
use crate::model::op::{Decision, Evidence, Job, OpSpec, Tier, Verb, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};
use crate::model::time::short;

use super::Stop;

/// The operation's name.
pub const NAME: &str = "authentik.rotate-token";
/// How often the run is asked for.
const PACE: Duration = Duration::from_secs(5);
/// How many times, before it is left to itself.
const TIMES: usize = 120;

/// The lists that it reads.
pub const LOOKS: &[Look] = &[
    Look { path: "/core/tokens/", right: VIEW_TOKEN },
    Look { path: "/core/users/", right: "authentik_core.view_user" },
];

/// The specification.
pub fn spec() -> OpSpec {
    let doc = "Starts the workflow that swaps the token's key, and looks at what became of it.";
    OpSpec::on(kinds::TOKENS, NAME, "rotate", Tier::T2, doc)
        .right(crate::backend::github::actions::WRITE)
        .verb(Verb::Special)
}

impl Authentik {
    fn rotation(&self) -> Result<(&Rotation, &Actions), Stop> {
        let missing = || Stop::refused("workflow", "no `rotation` is configured for this [[authentik]]");
        let rotation = self.settings.rotation.as_ref().ok_or_else(missing)?;
        match &self.github {
            Some(Ok(actions)) => Ok((rotation, actions)),
            Some(Err(error)) => Err(Stop::Blind { what: "github", error: error.clone() }),
            None => Err(missing()),
        }
    }

    /// The token as it is now, if its key may be swapped.
    async fn rotated(&self, job: &Job) -> Result<Token, Stop> {
        let token = self.token(&job.target.id.key).await.map_err(Stop::blind("token"))?;
        if let Some(conflict) = job.target.identity.conflicts(&identity(&token)).first() {
            return Err(Stop::refused("token", format!("its {} is {} now", conflict.fact, conflict.now)));
        }
        let name = token.identifier.as_str();
        let no = |why: &str| Err(Stop::refused("token", format!("{name} {why}")));
        match token.intent.as_str() {
            _ if token.managed.some().is_some() => no("is the server's own"),
            "api" | "app_password" => Ok(token),
            intent => no(&format!("is for {intent}, which nobody rotates")),
        }
    }

    pub(super) async fn judge_rotate(&self, job: &Job) -> Result<Verdict, Stop> {
        let (rotation, actions) = self.rotation()?;
        let token = self.rotated(job).await?;
        let (name, owner) = (token.identifier.as_str(), token.user_obj.username.as_str());
        let inputs = actions.inputs(&rotation.workflow).await.map_err(Stop::blind("workflow"))?;
        if !inputs.iter().any(|input| input.name == rotation.input) {
            let why = format!("{} takes no input `{}`", rotation.workflow, rotation.input);
            return Err(Stop::refused("workflow", why));
        }
        let effect = format!(
            "{} swaps the key of {name}; programs of {owner} that do not get the new one get 403",
            rotation.workflow
        );
        let user = self.user(&token.user.or_zero().to_string()).await.map_err(Stop::blind("owner"))?;
        let verdict = self.portrait(&user, Verdict::allow(effect, identity(&token))).await?;
        let left = ends(&token).map(|at| short(crate::model::time::seconds_between(self.now(), at)));
        let says = format!(
            "{}, {}",
            state(&token, self.now()).word,
            left.map_or("never expires".to_owned(), |left| format!("{left} left"))
        );
        let runs = actions.runs_of(&rotation.workflow).await.map_err(Stop::blind("runs"))?;
        let last = runs.first().map_or("never ran".to_owned(), |run| {
            format!("{} {}", run.status.as_str(), run.conclusion.as_str())
        });
        let open = "the workflow has to remove the old key itself: look whether it does";
        Ok(verdict
            .and(Decision::Allow, Evidence::new("token", says, Tone::Text))
            .and(Decision::Allow, Evidence::new("last run", last, Tone::Dim))
            .and(Decision::Allow, Evidence::new("open step", open, Tone::Warn)))
    }

    pub(super) async fn rotate(&self, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
        let (rotation, actions) = self.rotation().map_err(Stop::unsent)?;
        let token = self.rotated(job).await.map_err(Stop::unsent)?;
        let inputs = BTreeMap::from([(rotation.input.clone(), token.identifier.to_string())]);
        let run = actions.dispatch(&rotation.workflow, actions.branch(), &inputs).await?;
        let Some(run) = run else {
            let said = format!("GitHub took the order for {}", rotation.workflow);
            return Ok(Receipt { said, ..Receipt::default() });
        };
        let _ = progress.send(Progress::Accepted(run.to_string())).await;
        self.follow(actions, run, progress).await
    }

    /// Follows a run to its end; whatever cannot be asked is left to reading back.
    async fn follow(
        &self,
        actions: &Actions,
        run: i64,
        progress: &ProgressSink,
    ) -> Result<Receipt, SendError> {
        let remote = Some(run.to_string());
        for _ in 0..TIMES {
            if let Ok(now) = actions.run(run).await {
                let (status, conclusion) = (now.status.as_str(), now.conclusion.as_str());
                match (status, conclusion) {
                    ("completed", "success") => {
                        return Ok(Receipt { remote, said: format!("run {run} ended well"), reveal: None });
                    }
                    ("completed", other) => {
                        return Err(SendError::Failed(Fault::new(
                            Layer::App,
                            format!("run {run} ended as {other}"),
                        )));
                    }
                    _ => {
                        let note = format!("run {run} is {}", status.replace('_', " "));
                        let _ = progress.send(Progress::Step { fraction: None, note }).await;
                    }
                }
            }
            tokio::time::sleep(self.pace.unwrap_or(PACE)).await;
        }
        Ok(Receipt { remote, said: format!("run {run} has not ended yet"), reveal: None })
    }

    /// A green run is no proof: only what the server says of the token is.
    pub(super) async fn prove_rotate(
        &self,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        let (name, look) =
            (&job.target.name, "authenticate with the new key, and look at the events of the token");
        // Where the id never came back, it is one of those that were started since.
        let runs = match (remote.and_then(|id| id.parse().ok()), self.rotation()) {
            (Some(id), Ok((_, actions))) => vec![actions.run(id).await?],
            (None, Ok((rotation, actions))) => actions.dispatched(&rotation.workflow, since).await?,
            (_, Err(_)) => Vec::new(),
        };
        for run in runs {
            let id = run.id.or_zero();
            match (run.status.as_str(), run.conclusion.as_str()) {
                ("completed", "success") => {}
                ("completed", other) => return Ok(Proof::Absent(format!("run {id} ended as {other}"))),
                (status, _) => {
                    return Ok(Proof::Unclear(
                        format!("run {id} is {}", status.replace('_', " ")),
                        look.to_owned(),
                    ));
                }
            }
        }
        let filter = [("context_model_name", "token")];
        let ask = Ask::new("/events/events/", VIEW_EVENT).filtered(&filter);
        let events = self.client.recent::<Event>(&ask, 1).await?.items;
        let swapped = events
            .iter()
            .any(|event| touches(event, name) && event.created.time().is_some_and(|at| at >= since));
        let says = if swapped {
            format!("the server noted a change of {name}")
        } else {
            format!("the server has noted no change of {name}")
        };
        Ok(self.weigh(swapped, says, since, look))
    }
}

/// Whether an event is about a change of a token of this identifier.
fn touches(event: &Event, identifier: &str) -> bool {
    let name = event.context.pointer("/model/name").and_then(serde_json::Value::as_str);
    let changes = matches!(event.action.as_str(), "model_updated" | "model_created" | "secret_rotate");
    changes && name.is_some_and(|name| name == identifier || name.contains(&format!("{identifier} ")))
}
