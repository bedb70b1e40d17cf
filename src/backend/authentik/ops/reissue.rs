//! Inviting again: the same person and group with a new link, and never two links at once.

use jiff::Timestamp;
use reqwest::Method;

use crate::backend::authentik::find::Subject;
use crate::backend::authentik::rights::Look;
use crate::backend::authentik::rows::invitations::{fate_identity, identity, state};
use crate::backend::authentik::watch::{VIEW_INVITATION, is_slug};
use crate::backend::authentik::wire::Invitation;
use crate::backend::authentik::{Authentik, kinds};
use crate::backend::error::{ApiError, SendError};
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::id::Identity;
use crate::model::op::{
    Decision, Evidence, Field, FieldKind, Job, OpSpec, Target, Targets, Tier, Verb, Verdict,
};
use crate::model::row::Tone;

use super::{Stop, invite, label, revoke};

/// The operation's name.
pub const NAME: &str = "authentik.reissue";

/// The lists that it reads.
pub const LOOKS: &[Look] = &[
    Look { path: "/stages/invitation/invitations/", right: VIEW_INVITATION },
    Look { path: "/core/groups/", right: "authentik_core.view_group" },
    Look { path: "/flows/instances/", right: "authentik_flows.view_flow" },
    Look { path: "/events/events/", right: crate::backend::authentik::feeds::VIEW_EVENT },
];

/// The specification.
pub fn spec() -> OpSpec {
    let doc = "Invites again with a new link; the old one, if it still works, is revoked first.";
    let form = invite::spec().form;
    let base = OpSpec::on(kinds::INVITATIONS, NAME, "invite again", Tier::T1, doc);
    OpSpec {
        targets: Targets::Rows(vec![kinds::INVITATIONS.into(), kinds::ONBOARDING.into()]),
        ..base.right(invite::ADD).form(form).verb(Verb::Edit).reveals()
    }
}

/// What there is of the invitation that is to be made again.
#[derive(Debug)]
enum Old {
    /// Its link still works, or has run out a moment ago.
    Alive(Box<Invitation>),
    /// Events tell of it.
    Gone {
        /// Its name.
        name: String,
        /// How it ended.
        word: String,
        /// What makes it that one.
        identity: Identity,
    },
}

impl Old {
    fn name(&self) -> &str {
        match self {
            Self::Alive(invitation) => invitation.name.as_str(),
            Self::Gone { name, .. } => name,
        }
    }
}

impl Authentik {
    async fn old(&self, target: &Target) -> Result<Old, Stop> {
        let Some(Subject::Invitation(seal)) = Subject::of(&target.id) else {
            return Err(Stop::refused("invitation", format!("{} has an account already", target.name)));
        };
        match self.invitation(seal).await {
            Ok(invitation) => return Ok(Old::Alive(Box::new(invitation))),
            Err(error) if error.fault.status == Some(404) => {}
            Err(error) => return Err(Stop::blind("invitation")(error)),
        }
        let trail = self.trail().await.map_err(Stop::blind("events"))?;
        let fates = self.fates(&trail, &std::collections::BTreeSet::new()).await;
        let fate = fates.into_iter().find(|fate| fate.seal == seal);
        let fate = fate.ok_or_else(|| Stop::refused("invitation", "nothing tells of it any more"))?;
        let word = match &fate.end {
            crate::backend::authentik::fates::End::Used(who) => {
                return Err(Stop::refused("invitation", format!("{who} enrolled with it")));
            }
            crate::backend::authentik::fates::End::Burnt => "opened, and nobody enrolled".to_owned(),
            crate::backend::authentik::fates::End::Revoked(who) => format!("revoked by {who}"),
            crate::backend::authentik::fates::End::Expired => "ran out".to_owned(),
        };
        Ok(Old::Gone { name: fate.name.clone(), word, identity: fate_identity(&fate) })
    }

    /// The form, with the group that the old one was for where anything tells.
    pub(super) async fn offer_reissue(
        &self,
        op: &OpSpec,
        targets: &[Target],
    ) -> Result<Vec<Field>, ApiError> {
        let mut form = self.offer_invite(op).await?;
        let [target] = targets else { return Ok(form) };
        let groups = self.all_groups().await?;
        let known = self.known_group(Subject::invitation(&target.id));
        let (_, told) = label::parts(&target.name, groups.iter().map(|group| group.name.as_str()));
        let names = groups.inviting();
        let guessed = || only_like(&names, &target.name);
        let wanted = known.or(told.map(str::to_owned)).or_else(guessed);
        for field in form.iter_mut().filter(|field| field.name == "group") {
            if let (FieldKind::Choice(choices), Some(wanted)) = (&field.kind, &wanted)
                && choices.iter().any(|choice| choice == wanted)
            {
                field.default = wanted.clone().into();
            }
        }
        Ok(form)
    }

    /// The label that the old name was made of.
    async fn old_label(&self, name: &str) -> Result<String, Stop> {
        let groups = self.all_groups().await.map_err(Stop::blind("group"))?;
        Ok(label::parts(name, groups.iter().map(|group| group.name.as_str())).0)
    }

    pub(super) async fn judge_reissue(&self, job: &Job) -> Result<Verdict, Stop> {
        let old = self.old(&job.target).await?;
        if old.name() != &*job.target.name {
            return Err(Stop::refused("invitation", format!("it is called {} now", old.name())));
        }
        let label = self.old_label(old.name()).await?;
        let mut plan = self.plan(&label, job).await?;
        let who = match &old {
            Old::Alive(invitation) => {
                let says = format!("{}: revoked first", state(invitation, self.now()).word);
                plan.notes(Decision::Warn, "the old one", says);
                identity(invitation, &self.keys)
            }
            Old::Gone { word, identity, .. } => {
                plan.notes(Decision::Allow, "the old one", word.clone());
                identity.clone()
            }
        };
        self.look_for_twins(&label, &mut plan).await?;
        let mut verdict = plan.verdict();
        verdict.identity = who;
        let mind = "open it once, on the device that will be used";
        Ok(verdict.and(Decision::Allow, Evidence::new("tell them", mind, Tone::Text)))
    }

    pub(super) async fn reissue(&self, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
        let old = self.old(&job.target).await.map_err(Stop::unsent)?;
        if old.name() != &*job.target.name {
            return Err(Stop::refused("invitation", format!("it is called {} now", old.name())).unsent());
        }
        let label = self.old_label(old.name()).await.map_err(Stop::unsent)?;
        let plan = self.plan(&label, job).await.map_err(Stop::unsent)?;
        let Old::Alive(invitation) = old else { return self.make(&plan, job).await };
        if !is_slug(&invitation.pk) {
            return Err(Stop::refused("invitation", "its key cannot be part of a path").unsent());
        }
        let path = format!("/stages/invitation/invitations/{}/", invitation.pk.as_str());
        self.client.send(Method::DELETE, &path, None, revoke::DELETE).await?;
        let note = format!("{} is revoked", invitation.name.as_str());
        let _ = progress.send(Progress::Step { fraction: Some(0.5), note: note.clone() }).await;
        // The first change is done whatever becomes of the second.
        self.make(&plan, job).await.map_err(|error| match error {
            SendError::NotSent(mut fault) | SendError::Refused(mut fault) => {
                fault.what = format!("{note}, and no new one was made: {}", fault.what);
                SendError::Failed(fault)
            }
            other => other,
        })
    }

    pub(super) async fn prove_reissue(
        &self,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        let groups = self.all_groups().await?;
        let (label, _) = label::parts(&job.target.name, groups.iter().map(|group| group.name.as_str()));
        let name = label::name(&label, job.arg("group"), &job.run.0);
        self.prove_made(&name, job, remote, since).await
    }
}

/// The only group of which a part is a part of the name too (`invite-nextcloud-c3`, `family-app-nextcloud`).
fn only_like(groups: &[String], name: &str) -> Option<String> {
    let words: Vec<String> = name.split('-').filter(|word| word.len() > 3).map(str::to_lowercase).collect();
    let mut like = groups.iter().filter(|group| {
        group.to_lowercase().split('-').next_back().is_some_and(|last| words.iter().any(|word| word == last))
    });
    let only = like.next()?.clone();
    like.next().is_none().then_some(only)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_proposed_only_where_one_alone_fits() {
        let groups = ["family-validated", "family-app-nextcloud", "family-app-immich"].map(str::to_owned);
        assert_eq!(only_like(&groups, "invite-nextcloud-c3").as_deref(), Some("family-app-nextcloud"));
        assert_eq!(only_like(&groups, "invite-aunt-c3"), None);
        let two = ["a-nextcloud", "b-nextcloud"].map(str::to_owned);
        assert_eq!(only_like(&two, "invite-nextcloud-c3"), None);
    }
}
