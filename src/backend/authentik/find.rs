//! From a name or an id to exactly one thing: rows are compared with what was asked, whatever the server filtered.

use crate::backend::error::ApiError;
use crate::model::id::{EntityId, Identity, KindId};
use crate::model::op::Target;
use crate::model::snapshot::Layer;

use super::client::Ask;
use super::rows;
use super::rows::devices::{Factor, TYPES};
use super::rows::users::Besides;
use super::seal::seal;
use super::watch::is_slug;
use super::wire::{Group, Invitation, Login, Outpost, Token, User};
use super::{Authentik, kinds};

impl Authentik {
    /// The things of exactly this name; an incomplete list is an error.
    pub(super) async fn resolve_exact(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let feed = kind.name();
        let snapshot = match kind.as_str() {
            kinds::USERS => return self.resolve_user(exact).await,
            kinds::EVENTS => return Err(ApiError::unsupported(format!("{kind} has no names"))),
            _ => self.poll_feed(feed).await?,
        };
        if !snapshot.complete {
            return Err(incomplete(&snapshot.notes));
        }
        Ok(snapshot.rows.iter().filter(|row| &*row.name == exact).map(Target::from).collect())
    }

    async fn resolve_user(&self, exact: &str) -> Result<Vec<Target>, ApiError> {
        let users = self.users(&[("username", exact)]).await?;
        if !users.complete() {
            return Err(incomplete(&users.gaps));
        }
        let exact = users.items.iter().filter(|user| user.username.as_str() == exact);
        Ok(exact
            .filter_map(|user| rows::users::row(user, Besides::default(), &self.place))
            .map(Target::from)
            .collect())
    }

    /// What the server says a thing is now.
    pub(super) async fn recognise(&self, id: &EntityId) -> Result<Identity, ApiError> {
        match id.kind.as_str() {
            kinds::USERS | kinds::SERVICE_ACCOUNTS => Ok(rows::users::identity(&self.user(&id.key).await?)),
            kinds::GROUPS => Ok(rows::groups::identity(&self.group(&id.key).await?)),
            kinds::INVITATIONS => self.recognise_invitation(&id.key).await,
            kinds::EXPOSURE if id.key.starts_with("remark:") => Ok(Identity::new()),
            kinds::APPLICATIONS | kinds::EXPOSURE => {
                let found = if is_slug(&id.key) { self.application(&id.key).await? } else { None };
                Ok(rows::applications::identity(&found.ok_or_else(|| gone(id))?))
            }
            kinds::OUTPOSTS => Ok(rows::outposts::identity(&self.outpost(&id.key).await?)),
            kinds::ONBOARDING => self.recognise_person(id).await,
            kinds::TOKENS => Ok(rows::tokens::identity(&self.token(&id.key).await?)),
            kinds::SESSIONS => Ok(rows::sessions::identity(&self.session(&id.key).await?)),
            kinds::DEVICES => Ok(rows::devices::identity(&self.device(&id.key).await?)),
            _ => Err(ApiError::unsupported(format!("{} cannot be recognised", id.kind))),
        }
    }

    /// A row of the board is a user, an invitation, or what is left of one.
    async fn recognise_person(&self, id: &EntityId) -> Result<Identity, ApiError> {
        match Subject::of(id) {
            Some(Subject::User(pk)) => Ok(rows::users::identity(&self.user(pk).await?)),
            Some(Subject::Invitation(seal)) => self.recognise_invitation(seal).await,
            None => Err(gone(id)),
        }
    }

    /// An invitation that is there, or one of which events tell.
    async fn recognise_invitation(&self, seal: &str) -> Result<Identity, ApiError> {
        match self.invitation(seal).await {
            Ok(invitation) => Ok(rows::invitations::identity(&invitation, &self.keys)),
            Err(error) if error.fault.status == Some(404) => match self.trail().await?.name(seal) {
                Some(name) => Ok(Identity::new().with("seal", seal).with("name", name)),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// One token by its identifier.
    pub(super) async fn token(&self, key: &str) -> Result<Token, ApiError> {
        let none = || gone(&self.place.id(kinds::TOKENS, key));
        if !is_slug(key) {
            return Err(none());
        }
        let path = format!("/core/tokens/{key}/");
        let found: Option<Token> = self.client.find(&Ask::new(&path, super::feeds::VIEW_TOKEN)).await?;
        found.filter(|token| token.identifier.as_str() == key).ok_or_else(none)
    }

    /// One session by its id.
    pub(super) async fn session(&self, key: &str) -> Result<Login, ApiError> {
        let none = || gone(&self.place.id(kinds::SESSIONS, key));
        if !is_slug(key) {
            return Err(none());
        }
        let path = format!("/core/authenticated_sessions/{key}/");
        let ask = Ask::new(&path, "authentik_core.view_authenticatedsession");
        let found: Option<Login> = self.client.find(&ask).await?;
        found.filter(|login| login.uuid.as_str() == key).ok_or_else(none)
    }

    /// One second factor by its type and number.
    pub(super) async fn device(&self, key: &str) -> Result<Factor, ApiError> {
        let none = || gone(&self.place.id(kinds::DEVICES, key));
        let (path, number) = key.split_once(':').ok_or_else(none)?;
        let kind = TYPES.iter().find(|kind| kind.path == path).ok_or_else(none)?;
        let number: i64 = number.parse().map_err(|_| none())?;
        let path = format!("/authenticators/admin/{}/{number}/", kind.path);
        let device: Option<super::wire::Device> = self.client.find(&Ask::new(&path, kind.view)).await?;
        let device = device.filter(|device| device.pk.0 == Some(number)).ok_or_else(none)?;
        Ok(Factor { kind, device })
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

/// What a row of the board stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A user's number.
    User(&'a str),
    /// An invitation's seal.
    Invitation(&'a str),
}

impl<'a> Subject<'a> {
    /// What an id of any kind stands for.
    pub fn of(id: &'a EntityId) -> Option<Self> {
        match id.kind.as_str() {
            kinds::USERS => Some(Self::User(&id.key)),
            kinds::INVITATIONS => Some(Self::Invitation(&id.key)),
            _ => {
                let user = id.key.strip_prefix("user-").map(Self::User);
                user.or_else(|| id.key.strip_prefix("inv-").map(Self::Invitation))
            }
        }
    }

    /// The user's number in an id of any kind; the id's own key where it stands for none, which no user has.
    pub fn user(id: &'a EntityId) -> &'a str {
        if let Some(Self::User(pk)) = Self::of(id) { pk } else { &id.key }
    }

    /// The invitation's seal in an id of any kind.
    pub fn invitation(id: &'a EntityId) -> &'a str {
        if let Some(Self::Invitation(seal)) = Self::of(id) { seal } else { &id.key }
    }
}

/// A thing that the server does not know any more.
pub fn gone(id: &EntityId) -> ApiError {
    ApiError::new(Layer::App, format!("{id} does not exist any more")).status(404)
}

/// Nothing can be concluded from a part.
pub fn incomplete(gaps: &[String]) -> ApiError {
    ApiError::new(Layer::App, format!("the list is not complete: {}", gaps.join("; ")))
}
