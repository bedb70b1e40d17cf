//! Putting one person into one group, and taking them out again: by numbers and ids, never by a list of members, which
//! would undo what somebody else has just changed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;

use crate::backend::authentik::access::Bindings;
use crate::backend::authentik::find::Subject;
use crate::backend::authentik::people::Groups;
use crate::backend::authentik::rights::Look;
use crate::backend::authentik::rows::users::identity;
use crate::backend::authentik::wire::{Group, User};
use crate::backend::authentik::{Authentik, kinds};
use crate::backend::error::{ApiError, SendError};
use crate::backend::{Proof, Receipt};
use crate::model::op::{
    Decision, Evidence, Field, FieldKind, Job, OpSpec, Target, Targets, Tier, Verb, Verdict,
};
use crate::model::row::Tone;

use super::Stop;

/// Adding.
pub const ADD: &str = "authentik.group-add";
/// Taking out.
pub const REMOVE: &str = "authentik.group-remove";
const ADD_RIGHT: &str = "authentik_core.add_user_to_group";
/// The right to take somebody out of a group.
pub const REMOVE_RIGHT: &str = "authentik_core.remove_user_from_group";

/// The lists that both read.
pub const LOOKS: &[Look] = &[
    Look { path: "/core/users/", right: "authentik_core.view_user" },
    Look { path: "/core/groups/", right: "authentik_core.view_group" },
];

/// The specifications.
pub fn specs() -> [OpSpec; 2] {
    let field = |doc| vec![Field::new("group", "group", FieldKind::Offered, doc)];
    let add = "Makes the user a member of one group, and so opens what the group opens.";
    let remove = "Ends the user's direct membership of one group.";
    [
        OpSpec {
            targets: Targets::Rows(vec![kinds::USERS.into(), kinds::ONBOARDING.into()]),
            ..OpSpec::on(kinds::USERS, ADD, "add to group", Tier::T1, add)
                .right(ADD_RIGHT)
                .form(field("The group to join; its exact name, never one for administrators."))
                .verb(Verb::Special)
        },
        OpSpec::on(kinds::USERS, REMOVE, "remove from group", Tier::T2, remove)
            .right(REMOVE_RIGHT)
            .warn_if_blind()
            .form(field("The group to leave; its exact name.")),
    ]
}

/// One person and one group, as the server has them now.
struct Pair {
    user: User,
    pk: i64,
    group: Group,
    groups: Groups,
}

impl Pair {
    fn is_member(&self) -> bool {
        self.group.members().is_some_and(|members| members.contains(&self.pk))
    }

    /// The groups of the user by which it is a member of this one too.
    fn ways_in(&self) -> Vec<&str> {
        let direct = self.user.groups.iter().flat_map(crate::backend::lenient::Words::iter);
        let leads = |pk: &&str| {
            *pk != self.group.pk.as_str() && self.groups.with_ancestors(pk).contains(&*self.group.pk)
        };
        direct.filter(leads).filter_map(|pk| self.groups.get(pk)).map(|group| group.name.as_str()).collect()
    }
}

impl Authentik {
    /// The groups that a user may join, or has joined.
    pub(super) async fn offer_groups(&self, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
        let groups = self.all_groups().await?;
        let names = match targets {
            [target] if op.name == REMOVE => {
                let user = self.user(&target.id.key).await?;
                let joined: BTreeSet<&str> =
                    user.groups.iter().flat_map(crate::backend::lenient::Words::iter).collect();
                groups
                    .iter()
                    .filter(|group| joined.contains(&*group.pk))
                    .map(|group| group.name.to_string())
                    .collect()
            }
            _ => groups.inviting(),
        };
        let wanted = match targets {
            [target] if op.name == ADD => self.missing_group(target, &groups).await?,
            _ => None,
        };
        let mut form = op.form.clone();
        for field in &mut form {
            field.kind = FieldKind::Choice(names.iter().map(|name| name.clone().into()).collect());
            if let Some(wanted) = wanted.as_ref().filter(|wanted| names.contains(wanted)) {
                field.default = wanted.clone().into();
            }
        }
        Ok(form)
    }

    /// The group that a user's invitation was for and that the user is not in: what one key mends.
    async fn missing_group(&self, target: &Target, groups: &Groups) -> Result<Option<String>, ApiError> {
        let Some(Subject::User(pk)) = Subject::of(&target.id) else { return Ok(None) };
        let user = self.user(pk).await?;
        let direct = user.groups.iter().flat_map(crate::backend::lenient::Words::iter);
        let member: BTreeSet<String> = direct.flat_map(|pk| groups.with_ancestors(pk)).collect();
        let wants = user.attributes.get(&self.keys.mark).and_then(|mark| mark.get("wants"));
        let wants = wants.and_then(serde_json::Value::as_array).into_iter().flatten();
        let missing = |name: &&str| groups.named(name).iter().all(|group| !member.contains(&*group.pk));
        Ok(wants.filter_map(serde_json::Value::as_str).find(missing).map(str::to_owned))
    }

    async fn pair(&self, job: &Job) -> Result<Pair, Stop> {
        let (user, pk) = self.person(job).await?;
        let groups = self.all_groups().await.map_err(Stop::blind("group"))?;
        let group = groups.exactly(job.arg("group")).map_err(|why| Stop::refused("group", why))?.clone();
        let pair = Pair { user, pk, group, groups };
        let (name, group) = (pair.user.username.as_str(), pair.group.name.as_str());
        match (&*job.op, pair.is_member()) {
            (ADD, true) => Err(Stop::refused("group", format!("{name} is a member of {group} already"))),
            (ADD, false) if pair.groups.is_admin(&pair.group.pk) => {
                let why = format!("{group} is for administrators: that is decided in Authentik itself");
                Err(Stop::refused("group", why))
            }
            (REMOVE, false) => {
                let ways = pair.ways_in();
                let how = if ways.is_empty() {
                    String::new()
                } else {
                    format!(", only by way of {}", ways.join(", "))
                };
                Err(Stop::refused("group", format!("{name} is no direct member of {group}{how}")))
            }
            (REMOVE, true) if pair.group.is_superuser.0.is_none_or(|superuser| superuser) => {
                let why =
                    format!("{group} makes its members superusers: that is decided in Authentik itself");
                Err(Stop::refused("group", why))
            }
            _ => Ok(pair),
        }
    }

    pub(super) async fn judge_membership(&self, job: &Job) -> Result<Verdict, Stop> {
        let pair = self.pair(job).await?;
        let (name, group) = (pair.user.username.as_str(), pair.group.name.as_str());
        let adds = *job.op == *ADD;
        let effect = if adds { format!("{name} joins {group}") } else { format!("{name} leaves {group}") };
        let members = pair.group.members().map_or(0, |members| members.len());
        let mut verdict = self.portrait(&pair.user, Verdict::allow(effect, identity(&pair.user))).await?;
        verdict = verdict
            .and(Decision::Allow, Evidence::new("group", format!("{group}, {members} members"), Tone::Text));
        let opens = self.opens(&pair).await;
        let what = if adds { "opens" } else { "closes" };
        Ok(match opens {
            Ok(opens) if opens.is_empty() => {
                verdict.and(Decision::Allow, Evidence::new(what, "no application", Tone::Dim))
            }
            Ok(opens) => {
                let verdict = verdict.and(Decision::Allow, Evidence::new(what, opens.join(", "), Tone::Text));
                let later = "an account in the application is the pipeline's to make: checklist provisioning";
                if adds {
                    verdict.and(Decision::Allow, Evidence::new("then", later, Tone::Dim))
                } else {
                    verdict
                }
            }
            Err(error) => verdict.and(Decision::Warn, Evidence::new(what, error.to_string(), Tone::Unknown)),
        })
    }

    /// The applications that this membership opens and the user's other groups do not.
    async fn opens(&self, pair: &Pair) -> Result<Vec<String>, ApiError> {
        let (applications, bindings) = futures_util::join!(self.applications(), self.bindings());
        let bindings = Bindings::new(bindings?.items);
        let through = pair.groups.with_ancestors(&pair.group.pk);
        let direct = pair.user.groups.iter().flat_map(crate::backend::lenient::Words::iter);
        let others: BTreeSet<String> = direct
            .filter(|pk| *pk != pair.group.pk.as_str())
            .flat_map(|pk| pair.groups.with_ancestors(pk))
            .collect();
        let applications = applications?.items;
        let opened = applications.iter().filter(|app| {
            bindings.admits(app, &through).is_some() && bindings.admits(app, &others).is_none()
        });
        Ok(opened
            .map(|app| {
                if app.policy_engine_mode.as_str() == "all" {
                    format!("{} (asks for all its groups)", app.slug.as_str())
                } else {
                    app.slug.to_string()
                }
            })
            .collect())
    }

    pub(super) async fn change_membership(&self, job: &Job) -> Result<Receipt, SendError> {
        let pair = self.pair(job).await.map_err(Stop::unsent)?;
        let (verb, right) =
            if *job.op == *ADD { ("add_user", ADD_RIGHT) } else { ("remove_user", REMOVE_RIGHT) };
        let path = format!("/core/groups/{}/{verb}/", pair.group.pk.as_str());
        self.client.send(Method::POST, &path, Some(json!({ "pk": pair.pk })), right).await?;
        Ok(Receipt { said: "the server changed the membership".to_owned(), ..Receipt::default() })
    }

    pub(super) async fn prove_membership(&self, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
        let (name, wanted) = (&job.target.name, *job.op == *ADD);
        let groups = self.all_groups().await?;
        let group = groups.exactly(job.arg("group")).map_err(ApiError::unsupported)?;
        let members = group.members().ok_or_else(|| ApiError::unsupported("the members cannot be read"))?;
        let is_member = members.iter().any(|pk| pk.to_string() == Subject::user(&job.target.id));
        let says = format!(
            "{name} is {} {}",
            if is_member { "a member of" } else { "no direct member of" },
            group.name.as_str()
        );
        let says = match (wanted && is_member, Subject::user(&job.target.id).parse()) {
            (true, Ok(pk)) => says + &self.opened(name, pk, group, &groups).await,
            _ => says,
        };
        Ok(self.weigh(is_member == wanted, says, since, "look at the user's groups"))
    }

    /// Which of the applications that a group opens the server itself lets a user open; nothing where it opens none.
    async fn opened(&self, name: &str, pk: i64, group: &Group, groups: &Groups) -> String {
        let (applications, bindings, open) =
            futures_util::join!(self.applications(), self.bindings(), self.may_open(pk));
        let (Ok(applications), Ok(bindings), Ok(open)) = (applications, bindings, open) else {
            return "; what it opens was not tried".to_owned();
        };
        let (bindings, through) = (Bindings::new(bindings.items), groups.with_ancestors(&group.pk));
        let bound = applications.items.iter().filter(|app| bindings.admits(app, &through).is_some());
        let (tried, shut): (Vec<&str>, Vec<&str>) = bound
            .map(|app| app.slug.as_str())
            .partition(|slug| open.items.iter().any(|app| app.slug.as_str() == *slug));
        match (tried.is_empty(), shut.is_empty()) {
            (true, true) => String::new(),
            (_, true) => format!("; the server lets {name} open {}", tried.join(", ")),
            (_, false) => format!("; the server does not let {name} open {} yet", shut.join(", ")),
        }
    }
}
