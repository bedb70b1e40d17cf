//! From a name or an id to exactly one thing: rows are compared with what was asked, whatever the server filtered.

use crate::backend::error::ApiError;
use crate::model::id::{EntityId, Identity, KindId};
use crate::model::op::Target;
use crate::model::row::Row;
use crate::model::snapshot::Layer;

use super::client::Ask;
use super::rows;
use super::seal::seal;
use super::watch::is_slug;
use super::wire::{Group, Invitation, Outpost, User};
use super::{Authentik, kinds};

impl Authentik {
    /// The things of exactly this name; an incomplete list is an error.
    pub(super) async fn resolve_exact(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let feed = kind.name();
        let snapshot = match kind.as_str() {
            kinds::USERS => return self.resolve_user(exact).await,
            kinds::GROUPS | kinds::INVITATIONS | kinds::APPLICATIONS | kinds::OUTPOSTS => {
                self.poll_feed(feed).await?
            }
            _ => return Err(ApiError::unsupported(format!("{kind} has no names"))),
        };
        if !snapshot.complete {
            return Err(incomplete(&snapshot.notes));
        }
        Ok(snapshot.rows.iter().filter(|row| &*row.name == exact).map(target).collect())
    }

    async fn resolve_user(&self, exact: &str) -> Result<Vec<Target>, ApiError> {
        let users = self.users(&[("username", exact)]).await?;
        if !users.complete() {
            return Err(incomplete(&users.gaps));
        }
        let exact = users.items.iter().filter(|user| user.username.as_str() == exact);
        Ok(exact.filter_map(|user| rows::users::row(user, 0, &self.place)).map(|row| target(&row)).collect())
    }

    /// What the server says a thing is now.
    pub(super) async fn recognise(&self, id: &EntityId) -> Result<Identity, ApiError> {
        match id.kind.as_str() {
            kinds::USERS => Ok(rows::users::identity(&self.user(&id.key).await?)),
            kinds::GROUPS => Ok(rows::groups::identity(&self.group(&id.key).await?)),
            kinds::INVITATIONS => {
                Ok(rows::invitations::identity(&self.invitation(&id.key).await?, &self.keys))
            }
            kinds::APPLICATIONS => {
                let found = if is_slug(&id.key) { self.application(&id.key).await? } else { None };
                Ok(rows::applications::identity(&found.ok_or_else(|| gone(id))?))
            }
            kinds::OUTPOSTS => Ok(rows::outposts::identity(&self.outpost(&id.key).await?)),
            _ => Err(ApiError::unsupported(format!("{} cannot be recognised", id.kind))),
        }
    }

    /// One user by number.
    pub(super) async fn user(&self, key: &str) -> Result<User, ApiError> {
        let pk: i64 =
            key.parse().map_err(|_| ApiError::unsupported(format!("`{key}` is no user's number")))?;
        let path = format!("/core/users/{pk}/");
        let found: Option<User> = self.client.find(&Ask::new(&path, "authentik_core.view_user")).await?;
        found.filter(|user| user.pk.0 == Some(pk)).ok_or_else(|| gone(&self.place.id(kinds::USERS, key)))
    }

    /// One group by its id.
    pub(super) async fn group(&self, key: &str) -> Result<Group, ApiError> {
        let none = || gone(&self.place.id(kinds::GROUPS, key));
        if !is_slug(key) {
            return Err(none());
        }
        let path = format!("/core/groups/{key}/");
        let ask = Ask::new(&path, "authentik_core.view_group");
        let found: Option<Group> = self.client.find(&ask.filtered(&[("include_users", "false")])).await?;
        found.filter(|group| group.pk.as_str() == key).ok_or_else(none)
    }

    /// One invitation by its seal, over a complete list.
    pub(super) async fn invitation(&self, key: &str) -> Result<Invitation, ApiError> {
        let listed = self.invitations(&[]).await?;
        let gaps = listed.gaps;
        let found = listed.items.into_iter().find(|invitation| seal(&invitation.pk) == key);
        match found {
            Some(invitation) => Ok(invitation),
            None if gaps.is_empty() => Err(gone(&self.place.id(kinds::INVITATIONS, key))),
            None => Err(incomplete(&gaps)),
        }
    }

    /// One outpost by its id.
    pub(super) async fn outpost(&self, key: &str) -> Result<Outpost, ApiError> {
        let none = || gone(&self.place.id(kinds::OUTPOSTS, key));
        if !is_slug(key) {
            return Err(none());
        }
        let path = format!("/outposts/instances/{key}/");
        let found: Option<Outpost> =
            self.client.find(&Ask::new(&path, "authentik_outposts.view_outpost")).await?;
        found.filter(|outpost| outpost.pk.as_str() == key).ok_or_else(none)
    }
}

fn target(row: &Row) -> Target {
    Target { id: row.id.clone(), name: row.name.clone(), identity: row.identity.clone(), domain: row.domain }
}

/// A thing that the server does not know any more.
pub fn gone(id: &EntityId) -> ApiError {
    ApiError::new(Layer::App, format!("{id} does not exist any more")).status(404)
}

/// Nothing can be concluded from a part.
pub fn incomplete(gaps: &[String]) -> ApiError {
    ApiError::new(Layer::App, format!("the list is not complete: {}", gaps.join("; ")))
}
