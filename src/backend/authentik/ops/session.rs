//! Ending one session.

use jiff::Timestamp;
use reqwest::Method;

use crate::backend::authentik::rights::Look;
use crate::backend::authentik::rows::sessions::{identity, with};
use crate::backend::authentik::wire::{Login, User};
use crate::backend::authentik::{Authentik, kinds};
use crate::backend::error::{ApiError, SendError};
use crate::backend::{Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, OpSpec, Tier, Verb, Verdict};
use crate::model::row::Tone;

use super::{Stop, standing};

/// The operation's name.
pub const NAME: &str = "authentik.end-session";

/// The lists that it reads.
pub const LOOKS: &[Look] =
    &[Look { path: "/core/authenticated_sessions/", right: "authentik_core.view_authenticatedsession" }];

/// The specification.
pub fn spec() -> OpSpec {
    let doc = "Ends this session; its browser has to log in again.";
    OpSpec::on(kinds::SESSIONS, NAME, "end session", Tier::T2, doc)
        .right(standing::DELETE_SESSION)
        .verb(Verb::End)
        .warn_if_blind()
}

impl Authentik {
    async fn ending(&self, job: &Job) -> Result<(Login, User), Stop> {
        let login = self.session(&job.target.id.key).await.map_err(Stop::blind("session"))?;
        if let Some(conflict) = job.target.identity.conflicts(&identity(&login)).first() {
            return Err(Stop::refused("session", format!("its {} is {} now", conflict.fact, conflict.now)));
        }
        if login.current.is_true() {
            return Err(Stop::refused("session", "is the one that asks"));
        }
        let owner = login.user.0.ok_or_else(|| Stop::refused("session", "is nobody's"))?;
        let user = self.user(&owner.to_string()).await.map_err(Stop::blind("user"))?;
        Ok((login, user))
    }

    pub(super) async fn judge_session(&self, job: &Job) -> Result<Verdict, Stop> {
        let (login, user) = self.ending(job).await?;
        let effect = format!("{} has to log in again there", user.username.as_str());
        let verdict = self.portrait(&user, Verdict::allow(effect, identity(&login))).await?;
        let fact = |what: &str, says: &str| Evidence::new(what, says, Tone::Text);
        let later = "applications with tokens of their own let it in until those expire";
        Ok(verdict
            .and(Decision::Allow, fact("from", &login.last_ip))
            .and(Decision::Allow, fact("with", &with(&login)))
            .and(Decision::Allow, Evidence::new("not ended", later, Tone::Dim)))
    }

    pub(super) async fn end_session(&self, job: &Job) -> Result<Receipt, SendError> {
        let (login, user) = self.ending(job).await.map_err(Stop::unsent)?;
        let path = format!("/core/authenticated_sessions/{}/", login.uuid.as_str());
        self.client.send(Method::DELETE, &path, None, standing::DELETE_SESSION).await?;
        Ok(Receipt {
            said: format!("a session of {} was ended", user.username.as_str()),
            ..Receipt::default()
        })
    }

    pub(super) async fn prove_session(&self, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
        let there = match self.session(&job.target.id.key).await {
            Ok(_) => true,
            Err(error) if error.fault.status == Some(404) => false,
            Err(error) => return Err(error),
        };
        let says =
            if there { "the session is still there" } else { "the session is gone: the server answers 404" };
        Ok(self.weigh(!there, says.to_owned(), since, "look at the sessions"))
    }
}
