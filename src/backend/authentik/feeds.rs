//! The lists that are put together from several: what became of people, keys, and the server's own upkeep.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use crate::backend::error::ApiError;
use crate::backend::lenient::Int;
use crate::model::row::Row;
use crate::model::snapshot::Snapshot;

use super::audit::Told;
use super::client::{Ask, Listed};
use super::exposure::Census;
use super::fates::{End, Fate, Trail};
use super::people::Groups;
use super::rows::devices::{Factor, TYPES, Type};
use super::rows::onboarding::{self, Terms};
use super::seal::seal;
use super::wire::{
    Blueprint, Device, Event, Flow, FlowStage, InvitationStage, Login, LoginStage, System, Task,
    TaskSchedule, Token, User, Worker,
};
use super::{Authentik, rows};

/// The right to read events.
pub const VIEW_EVENT: &str = "authentik_events.view_event";
/// The right to read tokens.
pub const VIEW_TOKEN: &str = "authentik_core.view_token";
/// Pages of events that are read: the newest three hundred.
const EVENT_PAGES: i64 = 3;
/// What became of an invitation is told for so many days.
const REMEMBERED: i64 = 30;
/// Second factors are read again after so many seconds where only their summary is wanted.
const FRESH: i64 = 300;
/// The most invitations of which it is asked who came of them.
const MOST_ASKED: usize = 20;

/// What is known besides of users.
#[derive(Debug, Default)]
pub struct Known {
    /// Second factors and when they were read.
    factors: Option<(Timestamp, Arc<Vec<Factor>>)>,
    /// Who came of which invitation.
    enrolled: BTreeMap<String, String>,
    /// The groups that invitations were for, by their seals.
    wants: BTreeMap<String, String>,
    /// Whether users were shown already.
    told_users: bool,
    /// What the audit needs to know of all users.
    pub census: Option<Arc<Census>>,
    /// What the audit has said.
    pub told: Option<Told>,
}

impl Known {
    /// What was known of second factors is not true any more.
    pub fn forget_factors(&mut self) {
        self.factors = None;
    }

    /// Whether users were shown already.
    pub fn has_told_users(&self) -> bool {
        self.told_users
    }

    /// Users were shown.
    pub fn told_users(&mut self) {
        self.told_users = true;
    }
}

impl Authentik {
    /// What became of invitations, told by events; the error says why nothing is known.
    pub(super) async fn trail(&self) -> Result<Trail, ApiError> {
        let opened = [("action", "invitation_used")];
        let changed = [("context_model_name", "invitation")];
        let ask = |filters| Ask::new("/events/events/", VIEW_EVENT).filtered(filters);
        let (opened, changed) = (ask(&opened), ask(&changed));
        let (opened, changed) = futures_util::join!(
            self.client.recent::<Event>(&opened, EVENT_PAGES),
            self.client.recent::<Event>(&changed, EVENT_PAGES),
        );
        Ok(Trail::new(opened?.items.iter().chain(&changed?.items)))
    }

    /// Invitations that are gone, with who came of them.
    pub(super) async fn fates(&self, trail: &Trail, living: &BTreeSet<String>) -> Vec<Fate> {
        let since = self.now() - SignedDuration::from_hours(24 * REMEMBERED);
        let fates = trail.gone(living, since);
        let asked = fates.into_iter().enumerate().map(|(at, mut fate)| async move {
            if fate.end == End::Burnt
                && at < MOST_ASKED
                && let Some(who) = self.came_of(&fate.name).await
            {
                fate.end = End::Used(who);
            }
            fate
        });
        stream::iter(asked).buffered(4).collect().await
    }

    /// The user that carries the mark of an invitation.
    async fn came_of(&self, invitation: &str) -> Option<String> {
        if let Some(who) = self.known().enrolled.get(invitation) {
            return Some(who.clone());
        }
        let filter = serde_json::json!({ format!("{}__invitation", self.keys.mark): invitation }).to_string();
        let users = self.users(&[("attributes", &filter)]).await.ok()?;
        let marked = |user: &&User| {
            let mark = user.attributes.get(&self.keys.mark).and_then(|mark| mark.get("invitation"));
            mark.and_then(serde_json::Value::as_str) == Some(invitation)
        };
        let who = users.items.iter().find(marked)?.username.to_string();
        self.known().enrolled.insert(invitation.to_owned(), who.clone());
        Some(who)
    }

    /// The group that an invitation was for: seen while it was alive, else as its name tells.
    pub(super) fn wanted(&self, fate: &Fate) -> Option<String> {
        self.known_group(&fate.seal)
    }

    /// The group that an invitation was for, where it was seen while it was alive.
    pub(super) fn known_group(&self, seal: &str) -> Option<String> {
        self.known().wants.get(seal).cloned()
    }

    /// Keeps in mind which group each invitation is for, since nothing else tells once it is gone.
    pub(super) fn remember_groups(&self, invitations: &[super::wire::Invitation]) {
        let mut known = self.known();
        for invitation in invitations {
            if let Some(group) = self.keys.group(invitation) {
                known.wants.insert(seal(&invitation.pk), group.to_owned());
            }
        }
    }

    pub(super) async fn poll_onboarding(&self) -> Result<Snapshot, ApiError> {
        let (users, groups, invitations, trail, uses) = futures_util::join!(
            self.everybody(),
            self.groups(),
            self.invitations(&[]),
            self.trail(),
            self.openers()
        );
        let (users, groups, invitations) = (users?, groups?, invitations?);
        self.remember_groups(&invitations.items);
        let mut gaps: Vec<String> = [users.gaps.clone(), groups.gaps, invitations.gaps].concat();
        let (trail, uses) = match (trail, uses) {
            (Ok(trail), Ok(uses)) => (trail, uses),
            (Err(error), _) | (_, Err(error)) => {
                gaps.push(format!("what became of gone invitations is not known: {error}"));
                (Trail::default(), BTreeSet::new())
            }
        };
        let groups = Groups::new(groups.items, &self.settings.admin_groups);
        let family = self.settings.family_groups.as_slice();
        let (keys, place, now) = (&self.keys, &self.place, self.now());
        let terms = Terms { groups: &groups, keys, family, place, now };
        let living: BTreeSet<String> = invitations.items.iter().map(|i| seal(&i.pk)).collect();
        let waiting = invitations.items.iter().filter(|invitation| invitation.single_use.0 != Some(false));
        let mut rows: Vec<Row> =
            waiting.filter_map(|i| onboarding::invited(i, trail.made(&seal(&i.pk)), terms)).collect();
        for fate in self.fates(&trail, &living).await {
            rows.extend(onboarding::lost(&fate, self.wanted(&fate).as_deref(), terms));
        }
        let arrived = |user: &User| uses.contains(user.username.as_str());
        rows.extend(users.items.iter().filter_map(|user| onboarding::enrolled(user, arrived(user), terms)));
        Ok(self.snapshot(rows, gaps))
    }

    /// Who opened an application of late.
    async fn openers(&self) -> Result<BTreeSet<String>, ApiError> {
        let filter = [("action", "authorize_application")];
        let ask = Ask::new("/events/events/", VIEW_EVENT).filtered(&filter);
        let events = self.client.recent::<Event>(&ask, EVENT_PAGES).await?.items;
        let exact = events.iter().filter(|event| event.action.as_str() == "authorize_application");
        Ok(exact.map(|event| event.user.username.to_string()).collect())
    }

    pub(super) async fn poll_tokens(&self) -> Result<Snapshot, ApiError> {
        let (tokens, me) = futures_util::join!(self.tokens(&[]), self.me());
        let mut tokens = tokens?;
        // Without the right the server shows the caller's own, and it looks the same.
        let me = me?;
        let only_own = !me.is_superuser.is_true()
            && tokens.items.iter().all(|token| token.user == me.pk)
            && !tokens.items.is_empty();
        if only_own {
            let who = me.username.as_str();
            tokens.gaps.push(format!("only the tokens of {who}: seeing others needs {VIEW_TOKEN}"));
        }
        let row = |token: &Token| rows::tokens::row(token, &self.place, self.now());
        Ok(self.snapshot(tokens.items.iter().filter_map(row).collect(), tokens.gaps))
    }

    /// Tokens; without the right to see all, the caller's own, which looks the same.
    pub(super) async fn tokens(&self, filters: &[(&str, &str)]) -> Result<Listed<Token>, ApiError> {
        self.client.list(&Ask::new("/core/tokens/", VIEW_TOKEN).filtered(filters)).await
    }

    pub(super) async fn poll_accounts(&self) -> Result<Snapshot, ApiError> {
        let filter = [("type", "service_account")];
        let (users, tokens) = futures_util::join!(self.users(&filter), self.tokens(&[]));
        let users = users?;
        let mut gaps = users.gaps;
        let tokens = match tokens {
            Ok(tokens) => {
                gaps.extend(tokens.gaps);
                Some(tokens.items)
            }
            Err(error) => {
                gaps.push(format!("tokens cannot be seen: {error}"));
                None
            }
        };
        let programs: Vec<&User> =
            users.items.iter().filter(|user| user.kind.as_str() == "service_account").collect();
        let expected = &self.settings.service_accounts;
        let row = |user: &&User| {
            let own: Option<Vec<&Token>> =
                tokens.as_ref().map(|all| all.iter().filter(|token| token.user == user.pk).collect());
            rows::accounts::row(user, own.as_deref(), expected, &self.place, self.now())
        };
        let mut all: Vec<Row> = programs.iter().filter_map(row).collect();
        if gaps.is_empty() {
            let there = |name: &&String| programs.iter().any(|user| *user.username == ***name);
            let absent = expected.iter().filter(|name| !there(name));
            all.extend(absent.map(|name| rows::accounts::missing(name, &self.place)));
        }
        Ok(self.snapshot(all, gaps))
    }

    pub(super) async fn poll_sessions(&self) -> Result<Snapshot, ApiError> {
        let (sessions, users, me) = futures_util::join!(self.sessions(&[]), self.everybody(), self.me());
        let (sessions, me) = (sessions?, me?);
        let mut gaps = sessions.gaps;
        if let Err(error) = &users {
            gaps.push(format!("whose they are is not known: {error}"));
        }
        let owners: BTreeSet<i64> = sessions.items.iter().filter_map(|login| login.user.0).collect();
        let all = users.iter().flat_map(|users| &users.items);
        let users: HashMap<i64, &User> =
            all.filter_map(|user| Some((user.pk.0.filter(|pk| owners.contains(pk))?, user))).collect();
        // A token has no session: whoever sees none may have no right to, and the server says the same.
        let others = sessions.items.iter().any(|login| login.user != me.pk);
        if !others && !me.is_superuser.is_true() {
            let who = me.username.as_str();
            gaps.push(format!(
                "none but those of {who}: it may lack authentik_core.view_authenticatedsession"
            ));
        }
        let user = |login: &Login| login.user.0.and_then(|pk| users.get(&pk).copied());
        let row = |login: &Login| rows::sessions::row(login, user(login), &self.place);
        Ok(self.snapshot(sessions.items.iter().filter_map(row).collect(), gaps))
    }

    /// Every second factor with its owner, by walking the list of each type.
    ///
    /// The one list of all types says of no device whose it is, and leaves out without a word what may not be seen.
    pub(super) async fn factors(&self) -> Result<(Vec<Factor>, Vec<String>), ApiError> {
        let walked = stream::iter(0..TYPES.len()).map(|at| async move { self.devices_of(&TYPES[at]).await });
        let walked: Vec<Result<Option<Listed<Device>>, ApiError>> = walked.buffered(4).collect().await;
        let (mut factors, mut gaps, mut seen) = (Vec::new(), Vec::new(), false);
        let mut first = None;
        for (kind, listed) in TYPES.iter().zip(walked) {
            match listed {
                Ok(Some(listed)) => {
                    seen = true;
                    gaps.extend(listed.gaps);
                    factors.extend(listed.items.into_iter().map(|device| Factor { kind, device }));
                }
                Ok(None) => {}
                Err(error) => {
                    gaps.push(format!("{} devices cannot be seen: {error}", kind.word));
                    first = first.or(Some(error));
                }
            }
        }
        match first {
            Some(error) if !seen => Err(error),
            _ => Ok((factors, gaps)),
        }
    }

    /// The devices of a type; none where this release does not know the type.
    async fn devices_of(&self, kind: &Type) -> Result<Option<Listed<Device>>, ApiError> {
        let path = format!("/authenticators/admin/{}/", kind.path);
        match self.client.list(&Ask::new(&path, kind.view)).await {
            Err(error) if error.fault.status == Some(404) => Ok(None),
            other => other.map(Some),
        }
    }

    pub(super) async fn poll_devices(&self) -> Result<Snapshot, ApiError> {
        let (factors, gaps) = self.factors().await?;
        let count = rows::devices::count(&factors);
        let row = |factor: &Factor| {
            let own = factor.device.user.pk.0.and_then(|pk| count.get(&pk)).copied().unwrap_or(0);
            rows::devices::row(factor, own, &self.place)
        };
        let rows = factors.iter().filter_map(row).collect();
        if gaps.is_empty() {
            self.known().factors = Some((self.now(), Arc::new(factors)));
        }
        Ok(self.snapshot(rows, gaps))
    }

    /// Second factors of everybody, perhaps a few minutes old; none where not all of them can be seen.
    pub(super) async fn recent_factors(&self) -> Option<Arc<Vec<Factor>>> {
        let known = self.known().factors.clone();
        if let Some((at, factors)) = known
            && crate::model::time::seconds_between(at, self.now()).abs() < FRESH
        {
            return Some(factors);
        }
        let (factors, gaps) = self.factors().await.ok()?;
        if !gaps.is_empty() {
            return None;
        }
        let factors = Arc::new(factors);
        self.known().factors = Some((self.now(), factors.clone()));
        Some(factors)
    }

    pub(super) async fn poll_events(&self) -> Result<Snapshot, ApiError> {
        let events =
            self.client.recent::<Event>(&Ask::new("/events/events/", VIEW_EVENT), EVENT_PAGES).await?;
        Ok(self.snapshot(rows::events::rows(&events.items, &self.place), events.gaps))
    }

    pub(super) async fn poll_flows(&self) -> Result<Snapshot, ApiError> {
        let stages = |path, right| async move { self.client.list::<FlowStage>(&Ask::new(path, right)).await };
        let flows = Ask::new("/flows/instances/", "authentik_flows.view_flow");
        let invitations =
            Ask::new("/stages/invitation/stages/", "authentik_stages_invitation.view_invitationstage");
        let logins = Ask::new("/stages/user_login/", "authentik_stages_user_login.view_userloginstage");
        let (flows, bindings, invitations, logins) = futures_util::join!(
            self.client.list::<Flow>(&flows),
            stages("/flows/bindings/", "authentik_flows.view_flowstagebinding"),
            self.client.list::<InvitationStage>(&invitations),
            self.client.list::<LoginStage>(&logins),
        );
        let flows = flows?;
        let mut gaps = flows.gaps;
        let bindings = or_gap(bindings, "stages", &mut gaps);
        let invitations = or_gap(invitations, "invitation stages", &mut gaps);
        let logins = or_gap(logins, "login stages", &mut gaps);
        let around = rows::flows::Around::new(&bindings, &invitations, &logins);
        let row = |flow: &Flow| rows::flows::row(flow, &around, &self.place);
        Ok(self.snapshot(flows.items.iter().filter_map(row).collect(), gaps))
    }

    pub(super) async fn poll_tasks(&self) -> Result<Snapshot, ApiError> {
        let right = "authentik_tasks.view_task";
        let wrong = [
            ("aggregated_status", "error"),
            ("aggregated_status", "rejected"),
            ("aggregated_status", "warning"),
        ];
        let failed = Ask::new("/tasks/tasks/", right).filtered(&wrong);
        let counts = Ask::new("/tasks/tasks/status/", right);
        let schedules = Ask::new("/tasks/schedules/", "authentik_tasks.view_schedule");
        let blueprints = Ask::new("/managed/blueprints/", "authentik_blueprints.view_blueprintinstance");
        let (workers, version, counts, failed, schedules, blueprints) = futures_util::join!(
            self.workers(),
            self.version(),
            self.client.find::<BTreeMap<String, Int>>(&counts),
            self.client.recent::<Task>(&failed, 1),
            self.client.list::<TaskSchedule>(&schedules),
            self.client.list::<Blueprint>(&blueprints),
        );
        let (place, now, mut gaps) = (&self.place, self.now(), Vec::new());
        let server = version.map(|version| version.current.to_string()).unwrap_or_default();
        let mut all = vec![rows::tasks::server(self.readiness().await, &server, place)];
        all.extend(rows::tasks::workers(&workers?, &server, place));
        all.extend(self.proxied().await);
        match counts {
            Ok(counts) => all.extend(counts.map(|counts| rows::tasks::queue(&counts, place))),
            Err(error) => gaps.push(format!("the queue cannot be seen: {error}")),
        }
        let failed = failed.map(|listed| Listed { gaps: Vec::new(), ..listed });
        let failed = or_gap(failed, "tasks", &mut gaps);
        all.extend(failed.iter().filter_map(|task| rows::tasks::task(task, place)));
        let schedules = or_gap(schedules, "schedules", &mut gaps);
        all.extend(schedules.iter().filter_map(|schedule| rows::tasks::schedule(schedule, place, now)));
        let blueprints = or_gap(blueprints, "blueprints", &mut gaps);
        all.extend(blueprints.iter().filter_map(|blueprint| rows::tasks::blueprint(blueprint, place)));
        Ok(self.snapshot(all, gaps))
    }

    /// What the health page answers; it is empty, and wants its slash.
    async fn readiness(&self) -> Result<u16, String> {
        let reply = self.client.probe("/-/health/ready/").await;
        reply.map(|reply| reply.status).map_err(|error| error.to_string())
    }

    /// Whether the server knows that it is behind TLS, where the caller may ask that.
    async fn proxied(&self) -> Option<Row> {
        let ask = Ask::new("/admin/system/", "authentik_rbac.view_system_info");
        let system: System = self.client.one(&ask).await.ok()?;
        let public = self.settings.connection.browser_url().starts_with("https:");
        Some(rows::tasks::proxy(&system, public, &self.place))
    }

    /// Workers; the one path that has its slash only from 2026.5.
    async fn workers(&self) -> Result<Vec<Worker>, ApiError> {
        let right = "authentik_tasks.view_task";
        match self.client.array(&Ask::new("/tasks/workers", right)).await {
            Err(error) if error.fault.status == Some(404) => {
                self.client.array(&Ask::new("/tasks/workers/", right)).await
            }
            other => other,
        }
    }
}

/// The items of a list; that it may not be seen, or not all of it, is noted.
fn or_gap<T>(listed: Result<Listed<T>, ApiError>, what: &str, gaps: &mut Vec<String>) -> Vec<T> {
    match listed {
        Ok(listed) => {
            gaps.extend(listed.gaps);
            listed.items
        }
        Err(error) => {
            gaps.push(format!("{what} cannot be seen: {error}"));
            Vec::new()
        }
    }
}
