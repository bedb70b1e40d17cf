//! Letting somebody in or keeping them out as a whole: reversible, and proven with their sessions gone.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;

use crate::backend::authentik::find::Subject;
use crate::backend::authentik::rights::Look;
use crate::backend::authentik::rows::users::identity;
use crate::backend::authentik::wire::User;
use crate::backend::authentik::{Authentik, kinds};
use crate::backend::error::{ApiError, SendError};
use crate::backend::{Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, OpSpec, Tier, Verdict};
use crate::model::row::{Tone, natural};

use super::Stop;

/// Keeping out.
pub const DEACTIVATE: &str = "authentik.deactivate";
/// Letting in again.
pub const ACTIVATE: &str = "authentik.activate";
/// Ending sessions.
pub const END_SESSIONS: &str = "authentik.end-sessions";
/// The right to change a user.
pub const CHANGE: &str = "authentik_core.change_user";
/// The right to end a session.
pub const DELETE_SESSION: &str = "authentik_core.delete_authenticatedsession";
/// The first administrator, who must always be able to come in.
pub const FIRST: &str = "akadmin";

/// The lists that they read.
pub const LOOKS: &[Look] = &[Look { path: "/core/users/", right: "authentik_core.view_user" }];

/// The specifications.
pub fn specs() -> [OpSpec; 3] {
    let deactivate = "Keeps the user out and ends the sessions; nothing is deleted.";
    let activate = "Lets the user in again.";
    let end = "Ends the user's sessions; a new login is needed everywhere.";
    [
        OpSpec::on(kinds::USERS, DEACTIVATE, "deactivate", Tier::T2, deactivate)
            .right(CHANGE)
            .warn_if_blind(),
        OpSpec::on(kinds::USERS, ACTIVATE, "activate", Tier::T1, activate).right(CHANGE),
        OpSpec::on(kinds::USERS, END_SESSIONS, "end sessions", Tier::T2, end)
            .right(DELETE_SESSION)
            .warn_if_blind(),
    ]
}

impl Authentik {
    /// What speaks against the change, or the person as the server has it now.
    async fn subject(&self, job: &Job) -> Result<(User, i64), Stop> {
        let (user, pk) = self.person(job).await?;
        let name = user.username.as_str();
        let active = user.is_active.0;
        match &*job.op {
            ACTIVATE if active == Some(true) => {
                return Err(Stop::refused("user", format!("{name} is active already")));
            }
            DEACTIVATE if active == Some(false) => {
                return Err(Stop::refused("user", format!("{name} is inactive already")));
            }
            ACTIVATE => return Ok((user, pk)),
            END_SESSIONS => self.needs_bulk_delete().await?,
            _ => {}
        }
        if *job.op == *DEACTIVATE && (name == FIRST || user.is_superuser.0 != Some(false)) {
            return Err(Stop::refused(
                "user",
                format!("{name} is a superuser: nobody is locked out from here"),
            ));
        }
        if user.kind.as_str() == "internal_service_account" {
            return Err(Stop::refused(
                "user",
                format!("{name} is an outpost: everything behind it would close"),
            ));
        }
        let me = self.me().await.map_err(Stop::blind("caller"))?;
        if me.pk.0 == Some(pk) {
            return Err(Stop::refused("user", format!("{name} is who vigie itself asks as")));
        }
        Ok((user, pk))
    }

    /// Sessions are ended in one call from 2026.2.
    async fn needs_bulk_delete(&self) -> Result<(), Stop> {
        let version = self.version().await.map_err(Stop::blind("version"))?;
        if natural(&version.current, "2026.2").is_lt() {
            let why = format!("{} cannot end them at once; 2026.2 can", version.current.as_str());
            return Err(Stop::refused("version", why));
        }
        Ok(())
    }

    pub(super) async fn judge_standing(&self, job: &Job) -> Result<Verdict, Stop> {
        let (user, pk) = self.subject(job).await?;
        let name = user.username.as_str();
        let effect = match &*job.op {
            ACTIVATE => format!("{name} can log in again"),
            DEACTIVATE => format!("{name} cannot log in any more, and the sessions end"),
            _ => format!("{name} has to log in again everywhere"),
        };
        let verdict = self.portrait(&user, Verdict::allow(effect, identity(&user))).await?;
        if *job.op == *ACTIVATE {
            return Ok(verdict);
        }
        let sessions = self.sessions_of(&user, pk).await;
        let verdict = match sessions {
            Ok(count) => {
                verdict.and(Decision::Allow, Evidence::new("sessions", format!("{count} seen"), Tone::Text))
            }
            Err(error) => {
                verdict.and(Decision::Blind, Evidence::new("sessions", error.to_string(), Tone::Unknown))
            }
        };
        let later = "applications with tokens of their own let it in until those expire";
        Ok(verdict.and(Decision::Allow, Evidence::new("not ended", later, Tone::Dim)))
    }

    /// How many sessions of a user there are, as far as the caller may see them.
    pub(super) async fn sessions_of(&self, user: &User, pk: i64) -> Result<usize, ApiError> {
        let sessions = self.sessions(&[("user__username", &user.username)]).await?;
        if !sessions.complete() {
            return Err(crate::backend::authentik::find::incomplete(&sessions.gaps));
        }
        Ok(sessions.items.iter().filter(|session| session.user.0 == Some(pk)).count())
    }

    pub(super) async fn change_standing(&self, job: &Job) -> Result<Receipt, SendError> {
        let (_, pk) = self.subject(job).await.map_err(Stop::unsent)?;
        if *job.op == *END_SESSIONS {
            let path = format!("/core/authenticated_sessions/bulk_delete/?user_pks={pk}");
            self.client.send(Method::DELETE, &path, None, DELETE_SESSION).await?;
            return Ok(Receipt { said: "the server ended the sessions".to_owned(), ..Receipt::default() });
        }
        // PATCH ends the sessions of whoever becomes inactive; PUT leaves them alive.
        let body = json!({ "is_active": *job.op == *ACTIVATE });
        self.client.send(Method::PATCH, &format!("/core/users/{pk}/"), Some(body), CHANGE).await?;
        Ok(Receipt { said: "the server changed the user".to_owned(), ..Receipt::default() })
    }

    pub(super) async fn prove_standing(&self, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
        let user = self.user(Subject::user(&job.target.id)).await?;
        let name = user.username.as_str();
        let active = user.is_active.0;
        let word = match active {
            Some(true) => "active",
            Some(false) => "inactive",
            None => "unknown",
        };
        if *job.op == *ACTIVATE {
            return Ok(self.weigh(
                active == Some(true),
                format!("{name} is {word}"),
                since,
                "look at the user",
            ));
        }
        let sessions = self.sessions_of(&user, user.pk.0.unwrap_or_default()).await?;
        let out = *job.op != *DEACTIVATE || active == Some(false);
        let says = format!("{name} is {word}, {sessions} sessions seen");
        Ok(self.weigh(out && sessions == 0, says, since, "look at the user and its sessions"))
    }
}
