//! The sources: one list each, so that one that may not be seen hides no other.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use crate::backend::DeltaSink;
use crate::backend::error::ApiError;
use crate::model::id::SourceId;
use crate::model::row::{Domain, Row};
use crate::model::snapshot::{Cadence, Delta, Mode, Snapshot, SourceSpec};

use super::access::Bindings;
use super::client::{Ask, Listed};
use super::fates::Trail;
use super::people::Groups;
use super::roll::Seen;
use super::rows::devices::summaries;
use super::rows::users::Besides;
use super::seal::seal;
use super::wire::{
    Application, Binding, Group, Invitation, Login, Me, Outpost, OutpostHealth, Provider, Session, User,
    Version,
};
use super::{Authentik, ID, kinds, rows};

/// The invitations' list.
const INVITATIONS: &str = "/stages/invitation/invitations/";
/// The right to read it.
pub const VIEW_INVITATION: &str = "authentik_stages_invitation.view_invitation";

/// The sources of an instance.
pub fn sources(instance: &Arc<str>, domain: Domain) -> Vec<SourceSpec> {
    let spec = |feed: &str, kind: &str, focused, visible, hidden| SourceSpec {
        id: SourceId::new(ID, instance.clone(), feed),
        kinds: vec![kind.into()],
        mode: Mode::Poll(Cadence { focused, visible, hidden }),
        domain,
    };
    vec![
        spec("users", kinds::USERS, 20, 60, 300),
        spec("groups", kinds::GROUPS, 20, 60, 300),
        spec("invitations", kinds::INVITATIONS, 10, 30, 60),
        spec("applications", kinds::APPLICATIONS, 30, 60, 300),
        // An instance says hello every 10 s and is forgotten after 15 s.
        spec("outposts", kinds::OUTPOSTS, 10, 20, 30),
        spec("onboarding", kinds::ONBOARDING, 15, 60, 300),
        spec("tokens", kinds::TOKENS, 60, 300, 900),
        spec("service-accounts", kinds::SERVICE_ACCOUNTS, 60, 300, 900),
        spec("sessions", kinds::SESSIONS, 20, 60, 300),
        spec("devices", kinds::DEVICES, 60, 300, 900),
        spec("events", kinds::EVENTS, 10, 30, 60),
        spec("flows", kinds::FLOWS, 60, 300, 900),
        spec("tasks", kinds::TASKS, 20, 60, 120),
        // At the start, while somebody looks, and once a day.
        spec("exposure", kinds::EXPOSURE, 300, 3600, 86_400),
    ]
}

impl Authentik {
    /// Asks a source once.
    #[allow(clippy::cognitive_complexity, reason = "a table: one line for each feed")]
    pub(super) async fn poll_feed(&self, feed: &str) -> Result<Snapshot, ApiError> {
        match feed {
            "users" => self.poll_users().await,
            "groups" => self.poll_groups().await,
            "invitations" => self.poll_invitations().await,
            "applications" => self.poll_applications().await,
            "outposts" => self.poll_outposts().await,
            "onboarding" => self.poll_onboarding().await,
            "tokens" => self.poll_tokens().await,
            "service-accounts" => self.poll_accounts().await,
            "sessions" => self.poll_sessions().await,
            "devices" => self.poll_devices().await,
            "events" => self.poll_events().await,
            "flows" => self.poll_flows().await,
            "tasks" => self.poll_tasks().await,
            "exposure" => self.poll_exposure().await,
            _ => Err(ApiError::unsupported(format!("authentik has no source `{feed}`"))),
        }
    }

    async fn poll_users(&self) -> Result<Snapshot, ApiError> {
        self.list_users(|_| {}).await
    }

    /// Users again. The first time those of the first page come before the others, so that a long list is on the screen
    /// after one question.
    pub(super) async fn refresh_users(&self, parts: &DeltaSink) -> Result<Delta, ApiError> {
        let mut waits = !self.known().has_told_users();
        let list = self.list_users(|seen| {
            if waits && !seen.first.is_empty() {
                waits = false;
                let row = |user| {
                    rows::users::row(
                        user,
                        Besides { mark: &self.keys.mark, ..Besides::default() },
                        &self.place,
                    )
                };
                let note = format!("{} of {} users so far", seen.read, seen.of);
                let first = self.snapshot(seen.first.iter().filter_map(row).collect(), vec![note]);
                // Whoever is too busy to look sees the whole list next.
                let _ = parts.try_send(Delta::Reset(first));
            }
        });
        let list = list.await?;
        self.known().told_users();
        Ok(Delta::Reset(list))
    }

    async fn list_users(&self, told: impl FnMut(&Seen) + Send) -> Result<Snapshot, ApiError> {
        let everybody = self.roll.join(&self.client).end(told);
        let (users, sessions, factors) =
            futures_util::join!(everybody, self.sessions(&[]), self.recent_factors());
        let users = users?;
        // Whoever may not see sessions sees its own: they only ever add a warning.
        let mut count: HashMap<i64, usize> = HashMap::new();
        for pk in sessions.iter().flat_map(|listed| &listed.items).filter_map(|session| session.user.0) {
            *count.entry(pk).or_default() += 1;
        }
        let factors = factors.as_ref().map(|factors| summaries(factors));
        let row = |user: &User| {
            let sessions = user.pk.0.and_then(|pk| count.get(&pk)).copied().unwrap_or(0);
            let factors =
                factors.as_ref().map(|all| all.get(&user.pk.or_zero()).cloned().unwrap_or_default());
            let besides =
                Besides { sessions: Some(sessions), factors: factors.as_deref(), mark: &self.keys.mark };
            rows::users::row(user, besides, &self.place)
        };
        Ok(self.snapshot(users.items.iter().filter_map(row).collect(), users.gaps.clone()))
    }

    /// All users, read once for all who ask at the same time.
    pub(super) async fn everybody(&self) -> Result<Arc<Listed<User>>, ApiError> {
        self.roll.join(&self.client).end(|_| {}).await
    }

    async fn poll_groups(&self) -> Result<Snapshot, ApiError> {
        let (groups, inactive) = futures_util::join!(self.groups(), self.inactive());
        let listed = groups?;
        let groups = Groups::new(listed.items, &self.settings.admin_groups);
        let inactive = inactive.ok();
        let row = |group| rows::groups::row(group, &groups, inactive.as_ref(), &self.place);
        Ok(self.snapshot(groups.iter().filter_map(row).collect(), listed.gaps))
    }

    async fn poll_invitations(&self) -> Result<Snapshot, ApiError> {
        let (invitations, trail) = futures_util::join!(self.invitations(&[]), self.trail());
        let invitations = invitations?;
        self.remember_groups(&invitations.items);
        let (trail, note) = match trail {
            Ok(trail) => (trail, None),
            Err(error) => (Trail::default(), Some(format!("what became of gone ones is not known: {error}"))),
        };
        let now = self.clock.now();
        let row = |invitation| rows::invitations::row(invitation, &self.keys, &trail, &self.place, now);
        let mut all: Vec<Row> = invitations.items.iter().filter_map(row).collect();
        if invitations.gaps.is_empty() {
            let living = invitations.items.iter().map(|invitation| seal(&invitation.pk)).collect();
            let gone = self.fates(&trail, &living).await;
            let row = |fate| rows::invitations::gone(fate, self.wanted(fate).as_deref(), &self.place);
            all.extend(gone.iter().map(row));
        }
        let mut snapshot = self.snapshot(all, invitations.gaps);
        snapshot.notes.extend(note);
        Ok(snapshot)
    }

    async fn poll_applications(&self) -> Result<Snapshot, ApiError> {
        let (applications, bindings) = futures_util::join!(self.applications(), self.bindings());
        let applications = applications?;
        let mut notes = applications.gaps;
        let bindings = self.all_bindings(bindings, &mut notes);
        let row = |application| rows::applications::row(application, bindings.as_ref(), &self.place);
        Ok(self.snapshot(applications.items.iter().filter_map(row).collect(), notes))
    }

    /// All bindings or none: a part of them would make a gated application look open.
    pub(super) fn all_bindings(
        &self,
        listed: Result<Listed<Binding>, ApiError>,
        notes: &mut Vec<String>,
    ) -> Option<Bindings> {
        match listed {
            Ok(listed) if listed.complete() => return Some(Bindings::new(listed.items)),
            Ok(listed) => notes.extend(listed.gaps),
            Err(error) => notes.push(format!("bindings of {}: {error}", self.place.instance)),
        }
        None
    }

    async fn poll_outposts(&self) -> Result<Snapshot, ApiError> {
        let (outposts, version) = futures_util::join!(self.outposts(), self.version());
        let outposts = outposts?;
        let server = version.map(|version| version.current.shared()).unwrap_or_default();
        let now = outposts.server_time.unwrap_or_else(|| self.clock.now());
        let instances = stream::iter(outposts.items).map(|outpost| async move {
            let instances = self.instances(&outpost.pk).await.ok();
            (outpost, instances)
        });
        let known: Vec<(Outpost, Option<Vec<OutpostHealth>>)> = instances.buffered(4).collect().await;
        let row = |(outpost, instances): &(Outpost, Option<Vec<OutpostHealth>>)| {
            rows::outposts::row(outpost, instances.as_deref(), &server, &self.place, now)
        };
        Ok(self.snapshot(known.iter().filter_map(row).collect(), outposts.gaps))
    }

    pub(super) fn snapshot(&self, rows: Vec<Row>, gaps: Vec<String>) -> Snapshot {
        Snapshot { rows, complete: gaps.is_empty(), observed_at: self.clock.now(), notes: gaps }
    }

    /// Users; a filter that the server ignores is for the caller to notice.
    pub(super) async fn users(&self, filters: &[(&str, &str)]) -> Result<Listed<User>, ApiError> {
        let mut all = vec![("include_roles", "false"), ("ordering", "username")];
        all.extend_from_slice(filters);
        self.client.list(&Ask::new("/core/users/", "authentik_core.view_user").filtered(&all)).await
    }

    /// Sessions; without the right to see all, the caller's own, which looks the same.
    pub(super) async fn sessions(&self, filters: &[(&str, &str)]) -> Result<Listed<Login>, ApiError> {
        let right = "authentik_core.view_authenticatedsession";
        self.client.list(&Ask::new("/core/authenticated_sessions/", right).filtered(filters)).await
    }

    async fn inactive(&self) -> Result<BTreeSet<i64>, ApiError> {
        let users = self.users(&[("is_active", "false"), ("include_groups", "false")]).await?;
        Ok(users
            .items
            .iter()
            .filter(|user| user.is_active.0 == Some(false))
            .filter_map(|user| user.pk.0)
            .collect())
    }

    /// Groups with the numbers of their members.
    pub(super) async fn groups(&self) -> Result<Listed<Group>, ApiError> {
        let ask = Ask::new("/core/groups/", "authentik_core.view_group");
        self.client.list(&ask.filtered(&[("include_users", "false")])).await
    }

    /// Invitations, expired ones included until the cleaner comes.
    pub(super) async fn invitations(&self, filters: &[(&str, &str)]) -> Result<Listed<Invitation>, ApiError> {
        self.client.list(&Ask::new(INVITATIONS, VIEW_INVITATION).filtered(filters)).await
    }

    /// Policy bindings of everything.
    pub(super) async fn bindings(&self) -> Result<Listed<Binding>, ApiError> {
        let right = "authentik_policies.view_policybinding";
        self.client.list(&Ask::new("/policies/bindings/", right)).await
    }

    pub(super) async fn outposts(&self) -> Result<Listed<Outpost>, ApiError> {
        self.client.list(&Ask::new("/outposts/instances/", "authentik_outposts.view_outpost")).await
    }

    /// One outpost's connected instances.
    pub(super) async fn instances(&self, pk: &str) -> Result<Vec<OutpostHealth>, ApiError> {
        let path = format!("/outposts/instances/{pk}/health/");
        self.client.array(&Ask::new(&path, "authentik_outposts.view_outpost")).await
    }

    /// The server's version, which every caller may read.
    pub(super) async fn version(&self) -> Result<Version, ApiError> {
        self.client.one(&Ask::new("/admin/version/", "")).await
    }

    /// Who asks.
    pub(super) async fn me(&self) -> Result<Me, ApiError> {
        let session: Session = self.client.one(&Ask::new("/core/users/me/", "")).await?;
        let missing = || ApiError::unsupported("the server does not say who asks");
        Some(session.user.0).filter(|me| !me.username.is_empty()).ok_or_else(missing)
    }

    /// All applications that can be found, and whether these are all that there are.
    ///
    /// The full list is a superuser's. To anyone else the server shows what the caller may open, but counts them all,
    /// so that a list completed by way of the providers can still be seen to be complete.
    pub(super) async fn applications(&self) -> Result<Listed<Application>, ApiError> {
        let me = self.me().await?;
        let full = [("superuser_full_list", "true")];
        let ask = Ask::new("/core/applications/", "authentik_core.view_application").filtered(&full);
        let mut listed: Listed<Application> = self.client.list(&ask).await?;
        if me.is_superuser.is_true() {
            return Ok(listed);
        }
        self.add_protected(&mut listed).await?;
        let found = listed.items.len();
        listed.gaps = match listed.count {
            Some(count) if count == found => Vec::new(),
            count => {
                let count = count.map_or_else(|| "an unknown number".to_owned(), |count| count.to_string());
                let who = me.username.as_str();
                vec![format!("{found} of {count} applications, as seen by {who}, who is no superuser")]
            }
        };
        Ok(listed)
    }

    /// Adds the applications that some provider names and the list leaves out.
    async fn add_protected(&self, listed: &mut Listed<Application>) -> Result<(), ApiError> {
        if listed.count == Some(listed.items.len()) {
            return Ok(());
        }
        let providers: Listed<Provider> =
            match self.client.list(&Ask::new("/providers/all/", "authentik_core.view_provider")).await {
                Err(error) if error.fault.status == Some(403) => return Ok(()),
                other => other?,
            };
        let known: BTreeSet<&str> =
            listed.items.iter().map(|application| application.slug.as_str()).collect();
        let slugs = providers.items.iter().filter_map(|provider| provider.assigned_application_slug.some());
        let missing: BTreeSet<String> = slugs
            .filter(|slug| !known.contains(slug))
            .filter(|slug| is_slug(slug))
            .map(str::to_owned)
            .collect();
        let found =
            stream::iter(missing).map(|slug| async move { self.application(&slug).await }).buffered(4);
        let found: Vec<Result<Option<Application>, ApiError>> = found.collect().await;
        // One that may not be seen leaves a gap in the count, and nothing else.
        listed.items.extend(found.into_iter().filter_map(Result::ok).flatten());
        Ok(())
    }

    /// One application by its slug.
    pub(super) async fn application(&self, slug: &str) -> Result<Option<Application>, ApiError> {
        let path = format!("/core/applications/{slug}/");
        let found: Option<Application> =
            self.client.find(&Ask::new(&path, "authentik_core.view_application")).await?;
        Ok(found.filter(|application| application.slug.as_str() == slug))
    }

    /// The local clock.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Whether a text can be a slug, and so a part of a path.
pub fn is_slug(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
}
