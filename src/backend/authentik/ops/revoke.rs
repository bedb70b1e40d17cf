//! Ending an invitation before somebody uses it.

use jiff::Timestamp;
use reqwest::Method;

use crate::backend::authentik::client::Ask;
use crate::backend::authentik::rights::Look;
use crate::backend::authentik::rows::invitations::{by, identity, state};
use crate::backend::authentik::seal::seal;
use crate::backend::authentik::watch::{VIEW_INVITATION, is_slug};
use crate::backend::authentik::wire::Invitation;
use crate::backend::authentik::{Authentik, kinds};
use crate::backend::error::{ApiError, SendError};
use crate::backend::{Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, OpSpec, Tier, Verb, Verdict};
use crate::model::row::Tone;
use crate::model::time::{seconds_between, short};

use super::Stop;

/// The operation's name.
pub const NAME: &str = "authentik.revoke-invitation";
/// The right to delete an invitation.
pub const DELETE: &str = "authentik_stages_invitation.delete_invitation";

/// The lists that it reads.
pub const LOOKS: &[Look] = &[Look { path: "/stages/invitation/invitations/", right: VIEW_INVITATION }];

/// The specification.
pub fn spec() -> OpSpec {
    let doc = "Deletes the invitation: its link does nothing any more.";
    OpSpec::on(kinds::INVITATIONS, NAME, "revoke", Tier::T1, doc)
        .right(DELETE)
        .bulk()
        .verb(Verb::End)
        .warn_if_blind()
}

impl Authentik {
    pub(super) async fn judge_revoke(&self, job: &Job) -> Result<Verdict, Stop> {
        let invitation = self.invitation(&job.target.id.key).await.map_err(Stop::blind("invitation"))?;
        let effect = format!("the link of {} does nothing any more", invitation.name.as_str());
        let fact = |what, says: &str| (Decision::Allow, Evidence::new(what, says, Tone::Text));
        let opened = self.trail().await.map(|trail| trail.opened(&job.target.id.key).is_some());
        let left = invitation.ends().map(|at| short(seconds_between(self.now(), at)));
        let left = left.unwrap_or_else(|| "never".to_owned());
        let facts = [
            fact("group", self.keys.group(&invitation).unwrap_or("none")),
            fact("by", by(&invitation, &self.keys)),
            fact("state", state(&invitation, self.now()).word),
            fact("expires in", &left),
        ];
        let verdict = Verdict::allow(effect, identity(&invitation, &self.keys));
        let verdict =
            facts.into_iter().fold(verdict, |verdict, (decision, fact)| verdict.and(decision, fact));
        Ok(match opened {
            Ok(true) => verdict
                .and(Decision::Warn, Evidence::new("opened", "its link was opened already", Tone::Warn)),
            Ok(false) => verdict,
            Err(error) => {
                verdict.and(Decision::Blind, Evidence::new("opened", error.to_string(), Tone::Unknown))
            }
        })
    }

    pub(super) async fn revoke(&self, job: &Job) -> Result<Receipt, SendError> {
        let found = self.invitation(&job.target.id.key).await.map_err(Stop::blind("invitation"));
        let invitation = found.map_err(Stop::unsent)?;
        if *invitation.name != *job.target.name || !is_slug(&invitation.pk) {
            let why = format!("it is called {} now", invitation.name.as_str());
            return Err(Stop::refused("invitation", why).unsent());
        }
        let path = format!("/stages/invitation/invitations/{}/", invitation.pk.as_str());
        self.remember(&invitation.pk);
        self.client.send(Method::DELETE, &path, None, DELETE).await?;
        Ok(Receipt { said: format!("{} was deleted", invitation.name.as_str()), ..Receipt::default() })
    }

    pub(super) async fn prove_revoke(&self, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
        let name = &job.target.name;
        // Asked by its key where we still know it; after a restart the complete list has to do.
        let found = match self.remembered(&job.target.id.key) {
            Some(pk) => {
                let path = format!("/stages/invitation/invitations/{pk}/");
                self.client.find::<Invitation>(&Ask::new(&path, VIEW_INVITATION)).await?
            }
            None => match self.invitation(&job.target.id.key).await {
                Ok(invitation) => Some(invitation),
                Err(error) if error.fault.status == Some(404) => None,
                Err(error) => return Err(error),
            },
        };
        let still = found.is_some_and(|invitation| *seal(&invitation.pk) == *job.target.id.key);
        if still {
            let look = format!("look for {name} in authentik.invitations");
            return Ok(self.weigh(false, format!("{name} is still there"), since, &look));
        }
        Ok(Proof::Seen(format!("{name} is gone: the server answers 404")))
    }
}
