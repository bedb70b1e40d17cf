//! Letting somebody go, step by step: out of the groups, inactive, without sessions, tokens or invitations. Everything but
//! the deletion of tokens and invitations can be undone; nobody is deleted here.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;

use crate::backend::authentik::client::Ask;
use crate::backend::authentik::feeds::VIEW_TOKEN;
use crate::backend::authentik::find::incomplete;
use crate::backend::authentik::rights::Look;
use crate::backend::authentik::rows::users::{group_names, identity};
use crate::backend::authentik::watch::{VIEW_INVITATION, is_slug};
use crate::backend::authentik::wire::{Invitation, Login, Token, User};
use crate::backend::authentik::{Authentik, kinds};
use crate::backend::error::{ApiError, SendError};
use crate::backend::lenient::{Int, Text};
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, OpSpec, Tier, Verb, Verdict};
use crate::model::row::Tone;

use super::{Stop, membership, revoke, standing};

/// The operation's name.
pub const NAME: &str = "authentik.offboard";
/// The right to delete a token.
const DELETE_TOKEN: &str = "authentik_core.delete_token";

/// The lists that it reads.
pub const LOOKS: &[Look] = &[
    Look { path: "/core/users/", right: "authentik_core.view_user" },
    Look { path: "/core/groups/", right: "authentik_core.view_group" },
    Look { path: "/stages/invitation/invitations/", right: VIEW_INVITATION },
];

/// The specification.
pub fn spec() -> OpSpec {
    let doc = "Takes somebody out of all groups, deactivates, and ends sessions, tokens and invitations.";
    OpSpec::on(kinds::USERS, NAME, "offboard", Tier::T2, doc)
        .right(standing::CHANGE)
        .verb(Verb::End)
        .warn_if_blind()
}

/// One thing to do, in the order in which it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Out of a group: its key and its name.
    Leave(String, String),
    /// No more logins; the server ends the sessions with it.
    Deactivate,
    /// A session that outlived that, by its id.
    EndSession(String),
    /// A token, by its identifier.
    DeleteToken(String),
    /// A token that some application holds: `refresh` or `access`, and its number.
    DeleteGrant(&'static str, i64),
    /// An invitation that the person has made: its key and its name.
    Revoke(Text, String),
}

impl Step {
    /// What it does, in words.
    pub fn says(&self) -> String {
        match self {
            Self::Leave(_, group) => format!("leaves {group}"),
            Self::Deactivate => "becomes inactive, and the sessions end".to_owned(),
            Self::EndSession(_) => "a session that is still alive ends".to_owned(),
            Self::DeleteToken(name) => format!("the token {name} is deleted"),
            Self::DeleteGrant(kind, number) => {
                format!("the {kind} token number {number} of an application is deleted")
            }
            Self::Revoke(_, name) => format!("the invitation {name} is revoked"),
        }
    }
}

/// A token that an application holds.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
struct Grant {
    pk: Int,
    user: crate::backend::lenient::Obj<crate::backend::authentik::wire::UserRef>,
}

/// What there is to do, and what could not be looked at.
#[derive(Debug)]
pub struct Plan {
    /// Who goes.
    pub user: User,
    /// What is to be done.
    pub steps: Vec<Step>,
    /// What could not be seen.
    pub unseen: Vec<String>,
}

impl Authentik {
    /// What is left to do for a person.
    pub(in crate::backend::authentik) async fn leaving(&self, user: User) -> Result<Plan, ApiError> {
        let mut steps: Vec<Step> = user
            .groups_obj
            .iter()
            .map(|group| Step::Leave(group.pk.to_string(), group.name.to_string()))
            .collect();
        let direct = user.groups.as_ref().map_or(0, |groups| groups.0.len());
        if direct != steps.len() {
            return Err(ApiError::unsupported("not all of the user's groups are told"));
        }
        let name = user.username.to_string();
        let filter = [("user__username", name.as_str())];
        let (sessions, tokens, invitations) =
            futures_util::join!(self.sessions(&filter), self.tokens(&filter), self.invitations(&[]));
        let mut unseen = Vec::new();
        let active = user.is_active.0 != Some(false);
        if active {
            steps.push(Step::Deactivate);
        }
        let sessions: Vec<Login> = told(sessions.map(|l| (l.items, l.gaps)), "sessions", &mut unseen);
        let mine = sessions.iter().filter(|login| login.user == user.pk && !active);
        steps.extend(mine.map(|login| Step::EndSession(login.uuid.to_string())));
        let tokens: Vec<Token> = told(tokens.map(|l| (l.items, l.gaps)), "tokens", &mut unseen);
        let mine = tokens.iter().filter(|token| token.user == user.pk && token.managed.some().is_none());
        steps.extend(mine.map(|token| Step::DeleteToken(token.identifier.to_string())));
        for (kind, path) in [("refresh", "/oauth2/refresh_tokens/"), ("access", "/oauth2/access_tokens/")] {
            steps.extend(self.grants(kind, path, &user, &mut unseen).await);
        }
        let invitations: Vec<Invitation> =
            told(invitations.map(|l| (l.items, l.gaps)), "invitations", &mut unseen);
        let mine = invitations.iter().filter(|invitation| {
            self.keys.marked(invitation, "invited_by") == Some(name.as_str())
                || invitation.created_by.pk == user.pk
        });
        steps.extend(mine.map(|invitation| Step::Revoke(invitation.pk.clone(), invitation.name.to_string())));
        Ok(Plan { user, steps, unseen })
    }

    /// The tokens that applications hold for a user; here the filter by user is one that the server knows.
    async fn grants(
        &self,
        kind: &'static str,
        path: &str,
        user: &User,
        unseen: &mut Vec<String>,
    ) -> Vec<Step> {
        let pk = user.pk.or_zero().to_string();
        let filter = [("user", pk.as_str())];
        let right = if kind == "refresh" {
            "authentik_providers_oauth2.view_refreshtoken"
        } else {
            "authentik_providers_oauth2.view_accesstoken"
        };
        match self.client.list::<Grant>(&Ask::new(path, right).filtered(&filter)).await {
            Ok(listed) => {
                let mine = listed.items.iter().filter(|grant| grant.user.pk == user.pk);
                mine.filter_map(|grant| Some(Step::DeleteGrant(kind, grant.pk.0?))).collect()
            }
            Err(error) => {
                unseen.push(format!("{kind} tokens of applications: {error}"));
                Vec::new()
            }
        }
    }

    /// The person, if that person may be let go.
    async fn leaver(&self, job: &Job) -> Result<Plan, Stop> {
        let (user, pk) = self.person(job).await?;
        let name = user.username.as_str();
        let no = |why: &str| Err(Stop::refused("user", format!("{name} {why}")));
        match () {
            () if name == standing::FIRST || user.is_superuser.0 != Some(false) => {
                return no("is a superuser: nobody is locked out from here");
            }
            () if user.kind.as_str() == "internal_service_account" => return no("is an outpost"),
            () => {}
        }
        let me = self.me().await.map_err(Stop::blind("caller"))?;
        if me.pk.0 == Some(pk) {
            return no("is who vigie itself asks as");
        }
        self.not_the_last_administrator(&user).await?;
        let plan = self.leaving(user).await.map_err(Stop::blind("what there is"))?;
        if plan.steps.is_empty() && plan.unseen.is_empty() {
            let name = plan.user.username.as_str();
            return Err(Stop::refused("user", format!("{name} has nothing left that could be taken away")));
        }
        Ok(plan)
    }

    async fn not_the_last_administrator(&self, user: &User) -> Result<(), Stop> {
        let groups = self.all_groups().await.map_err(Stop::blind("groups"))?;
        let is_admin = |user: &User| {
            let mut direct = user.groups.iter().flat_map(crate::backend::lenient::Words::iter);
            direct.any(|pk| groups.is_admin(pk))
        };
        if !is_admin(user) {
            return Ok(());
        }
        let users = self.users(&[]).await.map_err(Stop::blind("users"))?;
        if !users.complete() {
            return Err(Stop::Blind { what: "users", error: incomplete(&users.gaps) });
        }
        let human = |other: &&User| {
            matches!(other.kind.as_str(), "internal" | "external") && other.is_active.is_true()
        };
        let others = users.items.iter().filter(human).filter(|other| other.pk != user.pk && is_admin(other));
        let others = others.filter(|other| *other.username != *standing::FIRST).count();
        if others == 0 {
            let name = user.username.as_str();
            return Err(Stop::refused(
                "user",
                format!("{name} is the last administrator besides {}", standing::FIRST),
            ));
        }
        Ok(())
    }

    pub(super) async fn judge_offboard(&self, job: &Job) -> Result<Verdict, Stop> {
        let plan = self.leaver(job).await?;
        let (name, steps) = (plan.user.username.as_str(), plan.steps.len());
        let effect = format!("{name} is let go in {steps} steps; nobody is deleted");
        let mut verdict = self.portrait(&plan.user, Verdict::allow(effect, identity(&plan.user))).await?;
        for (at, step) in plan.steps.iter().enumerate() {
            let what = format!("step {}", at + 1);
            verdict = verdict.and(Decision::Allow, Evidence::new(what, step.says(), Tone::Text));
        }
        for unseen in &plan.unseen {
            verdict = verdict.and(Decision::Blind, Evidence::new("not seen", unseen.as_str(), Tone::Unknown));
        }
        for hand in self.by_hand(name) {
            verdict = verdict.and(Decision::Allow, Evidence::new("by hand", hand, Tone::Warn));
        }
        Ok(verdict)
    }

    /// What nobody but a person can do, in the order in which it should be done.
    pub(in crate::backend::authentik) fn by_hand(&self, name: &str) -> Vec<String> {
        let native =
            self.settings.native_accounts.iter().map(|app| format!("close the account of {name} in {app}"));
        let rest = [
            format!("remove the Omni user of {name}, if there is one"),
            "proxied applications let open browsers in until their own session ends".to_owned(),
        ];
        native.chain(rest).collect()
    }

    pub(super) async fn offboard(&self, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
        let plan = self.leaver(job).await.map_err(Stop::unsent)?;
        let pk = plan.user.pk.or_zero();
        let mut done = 0;
        for step in &plan.steps {
            if let Err(error) = self.take(step, pk).await {
                return Err(halted(error, done, plan.steps.len(), step));
            }
            done += 1;
            #[allow(clippy::cast_precision_loss, reason = "a handful of steps")]
            let fraction = Some(done as f32 / plan.steps.len() as f32);
            let _ = progress.send(Progress::Step { fraction, note: step.says() }).await;
        }
        // Sessions that outlived the deactivation are seen only now.
        let left = self.sessions_of(&plan.user, pk).await.unwrap_or(0);
        if left > 0 {
            let path = format!("/core/authenticated_sessions/bulk_delete/?user_pks={pk}");
            self.client.send(Method::DELETE, &path, None, standing::DELETE_SESSION).await?;
        }
        let said =
            format!("{done} steps are done; by hand: {}", self.by_hand(&plan.user.username).join("; "));
        Ok(Receipt { said, ..Receipt::default() })
    }

    /// Takes one step; one that has been taken already is no fault.
    async fn take(&self, step: &Step, pk: i64) -> Result<(), SendError> {
        let (method, path, body, right) = match step {
            Step::Leave(group, _) if is_slug(group) => {
                let path = format!("/core/groups/{group}/remove_user/");
                (Method::POST, path, Some(json!({ "pk": pk })), membership::REMOVE_RIGHT)
            }
            Step::Deactivate => {
                let body = Some(json!({ "is_active": false }));
                (Method::PATCH, format!("/core/users/{pk}/"), body, standing::CHANGE)
            }
            Step::EndSession(id) if is_slug(id) => (
                Method::DELETE,
                format!("/core/authenticated_sessions/{id}/"),
                None,
                standing::DELETE_SESSION,
            ),
            Step::DeleteToken(name) if is_slug(name) => {
                (Method::DELETE, format!("/core/tokens/{name}/"), None, DELETE_TOKEN)
            }
            Step::DeleteGrant(kind, number) => {
                let right = if *kind == "refresh" {
                    "authentik_providers_oauth2.delete_refreshtoken"
                } else {
                    "authentik_providers_oauth2.delete_accesstoken"
                };
                (Method::DELETE, format!("/oauth2/{kind}_tokens/{number}/"), None, right)
            }
            Step::Revoke(key, _) if is_slug(key) => {
                let path = format!("/stages/invitation/invitations/{}/", key.as_str());
                (Method::DELETE, path, None, revoke::DELETE)
            }
            other => {
                return Err(Stop::refused(
                    "step",
                    format!("{}: its id cannot be part of a path", other.says()),
                )
                .unsent());
            }
        };
        match self.client.send(method, &path, body, right).await {
            Err(SendError::Refused(fault)) if fault.status == Some(404) => Ok(()),
            other => other.map(|_| ()),
        }
    }

    pub(super) async fn prove_offboard(&self, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
        let user = self.user(&job.target.id.key).await?;
        let plan = self.leaving(user).await?;
        let name = plan.user.username.as_str();
        let left: Vec<String> = plan.steps.iter().map(Step::says).collect();
        if !left.is_empty() {
            let says = format!("still to do for {name}: {}", left.join("; "));
            return Ok(self.weigh(false, says, since, "run it again: what is done is left out"));
        }
        let groups = group_names(&plan.user).len();
        let unseen = if plan.unseen.is_empty() {
            String::new()
        } else {
            format!("; not seen: {}", plan.unseen.join("; "))
        };
        Ok(Proof::Seen(format!("{name} is inactive, {groups} groups, 0 sessions seen{unseen}")))
    }
}

/// A list, or the remark that it cannot be seen.
fn told<T>(listed: Result<(Vec<T>, Vec<String>), ApiError>, what: &str, unseen: &mut Vec<String>) -> Vec<T> {
    match listed {
        Ok((items, gaps)) => {
            unseen.extend(gaps);
            items
        }
        Err(error) => {
            let right = error.fault.missing.clone().unwrap_or_else(|| VIEW_TOKEN.to_owned());
            let why =
                if error.fault.missing.is_some() { format!("needs {right}") } else { error.to_string() };
            unseen.push(format!("{what}: {why}"));
            Vec::new()
        }
    }
}

/// The end of a run in the middle: what is done stays done.
fn halted(error: SendError, done: usize, all: usize, step: &Step) -> SendError {
    let add = |mut fault: crate::model::snapshot::Fault| {
        fault.what = format!("{done} of {all} steps are done, then `{}`: {}", step.says(), fault.what);
        fault
    };
    match error {
        SendError::NotSent(fault) if done == 0 => SendError::NotSent(add(fault)),
        SendError::Refused(fault) if done == 0 => SendError::Refused(add(fault)),
        SendError::NotSent(fault) | SendError::Refused(fault) | SendError::Failed(fault) => {
            SendError::Failed(add(fault))
        }
        SendError::Unknown(fault) => SendError::Unknown(add(fault)),
    }
}
