//! An invitation, without its link.

use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::Tone;
use crate::model::view::{Doc, DocLine, Fact};

use crate::backend::authentik::Authentik;
use crate::backend::authentik::rows::invitations::{by, state};

impl Authentik {
    pub(super) async fn describe_invitation(&self, id: &EntityId) -> Result<Doc, ApiError> {
        let key = &*id.key;
        let invitation = match self.invitation(key).await {
            // Of one that is gone, events tell.
            Err(error) if error.fault.status == Some(404) => {
                return self.describe_row("invitations", id).await;
            }
            other => other?,
        };
        let state = state(&invitation, self.now());
        let once = invitation.single_use.is_true();
        let facts = vec![
            Fact::new("state", state.word).format(Format::State).tone(Tone::from(state.health)),
            Fact::new("why", state.note.unwrap_or_default().as_str()),
            Fact::new("group", self.keys.group(&invitation).unwrap_or("none is given")),
            Fact::new("expires", invitation.ends()).format(Format::Until),
            Fact::new("uses", if once { "once" } else { "many, until it expires" }),
            Fact::new("invited by", by(&invitation, &self.keys)),
            Fact::new("created by", invitation.created_by.username.as_str()),
            Fact::new("flow", invitation.flow_obj.slug.some().unwrap_or("any enrolment")),
            Fact::new("seal", key).tone(Tone::Dim),
        ];
        let used_up = "It is used up when its link is opened, not when the account exists.";
        let lines = vec![
            DocLine::toned(
                "The link was shown once and is kept nowhere: revoke this one and invite again.",
                Tone::Dim,
            ),
            DocLine::toned(if once { used_up } else { "" }, Tone::Dim),
        ];
        Ok(Doc::default().facts("invitation", facts).lines("link", lines))
    }
}
