//! Inviting one person into one group. The link is shown once and kept nowhere.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::json;

use crate::backend::authentik::client::Ask;
use crate::backend::authentik::find::incomplete;
use crate::backend::authentik::people::Groups;
use crate::backend::authentik::rights::Look;
use crate::backend::authentik::rows::invitations;
use crate::backend::authentik::seal::seal;
use crate::backend::authentik::watch::{VIEW_INVITATION, is_slug};
use crate::backend::authentik::wire::{Flow, Group, Invitation};
use crate::backend::authentik::{Authentik, kinds};
use crate::backend::error::{ApiError, SendError};
use crate::backend::{Proof, Receipt};
use crate::model::id::Identity;
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, OpSpec, Reveal, Targets, Tier, Verdict};
use crate::model::row::Tone;
use crate::model::time::{parse_duration, seconds_between};

use super::{Stop, label};

/// The operation's name.
pub const NAME: &str = "authentik.invite";
/// The right to make an invitation.
pub const ADD: &str = "authentik_stages_invitation.add_invitation";
/// The longest that an invitation lives, in seconds.
const LONGEST: i64 = 30 * 86_400;

/// The lists that it reads.
pub const LOOKS: &[Look] = &[
    Look { path: "/stages/invitation/invitations/", right: VIEW_INVITATION },
    Look { path: "/core/groups/", right: "authentik_core.view_group" },
    Look { path: "/flows/instances/", right: "authentik_flows.view_flow" },
];

/// The specification.
pub fn spec() -> OpSpec {
    let form = vec![
        Field::new(
            "group",
            "group",
            FieldKind::Offered,
            "The group that the new account belongs to; its exact name.",
        ),
        Field::new(
            "expires",
            "expires in",
            FieldKind::Duration { max: LONGEST },
            "How long the link works, at most 30d.",
        )
        .default("7d"),
        Field::new(
            "single_use",
            "once only",
            FieldKind::Flag,
            "Whether the link is used up when it is opened.",
        )
        .default("true"),
        Field::new(
            "flow",
            "flow",
            FieldKind::Line,
            "The slug of the enrolment flow; empty for the configured one.",
        )
        .optional(),
        super::message::field(),
    ];
    let doc = "Makes an invitation into one group and shows its link once.";
    let mut spec =
        OpSpec::on(kinds::INVITATIONS, NAME, "invite", Tier::T1, doc).right(ADD).form(form).reveals();
    spec.targets = Targets::New { kind: kinds::INVITATIONS.into(), what: "label".into() };
    spec
}

/// Everything that is decided before sending.
#[derive(Debug)]
pub(super) struct Plan {
    pub name: String,
    group: Group,
    flow: Flow,
    single_use: bool,
    expires: Timestamp,
    evidence: Vec<(Decision, Evidence)>,
}

impl Plan {
    pub(super) fn notes(&mut self, decision: Decision, what: &str, says: impl Into<String>) {
        let tone = if decision == Decision::Allow { Tone::Ok } else { Tone::Warn };
        self.evidence.push((decision, Evidence::new(what, says, tone)));
    }

    /// What will happen, with what was found on the way.
    pub(super) fn verdict(self) -> Verdict {
        let who = if self.single_use { "one person" } else { "everybody who has its link" };
        let until = self.expires.strftime("%F %R UTC");
        let group = self.group.name.as_str();
        let effect = format!("lets {who} join {group} until {until}; the link is shown once");
        let verdict = Verdict::allow(effect, Identity::new());
        self.evidence.into_iter().fold(verdict, |verdict, (decision, fact)| verdict.and(decision, fact))
    }
}

impl Authentik {
    pub(super) async fn offer_invite(&self, op: &OpSpec) -> Result<Vec<Field>, ApiError> {
        let groups = self.all_groups().await?;
        let mut form = op.form.clone();
        for field in &mut form {
            match &*field.name {
                "language" => *field = self.language_field(),
                "group" => {
                    field.kind = FieldKind::Choice(groups.inviting().into_iter().map(Into::into).collect());
                }
                "flow" => field.default = self.settings.enrollment_flow.clone().into(),
                _ => {}
            }
        }
        Ok(form)
    }

    pub(super) async fn judge_invite(&self, job: &Job) -> Result<Verdict, Stop> {
        let mut plan = self.plan(&job.target.name, job).await?;
        self.look_for_twins(&job.target.name, &mut plan).await?;
        Ok(plan.verdict())
    }

    /// Decides everything about an invitation for a label.
    pub(super) async fn plan(&self, label: &str, job: &Job) -> Result<Plan, Stop> {
        self.check_link()?;
        self.check_language(job)?;
        if label::slug(label).is_empty() {
            return Err(Stop::refused("label", "holds no letter or digit that a name may have"));
        }
        let group = self.group_to_join(job.arg("group")).await?;
        let (flow, server_time) = self.enrolment(job.arg("flow")).await?;
        // The server's clock decides when a link ends; ours may be wrong.
        let now = server_time.unwrap_or_else(|| self.now());
        let single_use = job.arg("single_use") != "false";
        let name = label::name(label, &group.name, &job.run.0);
        let expires = now + lifetime(job.arg("expires"))?;
        let mut plan = Plan { name, group, flow, single_use, expires, evidence: Vec::new() };
        let (members, roles) =
            (plan.group.members().map_or(0, |members| members.len()), plan.group.roles.0.len());
        plan.notes(Decision::Allow, "group", format!("{}, {members} members", plan.group.name.as_str()));
        plan.notes(Decision::Allow, "flow", plan.flow.slug.as_str().to_owned());
        if roles > 0 {
            let besides = if roles == 1 { "a role".to_owned() } else { format!("{roles} roles") };
            let says = format!("{} grants {besides} besides", plan.group.name.as_str());
            plan.notes(Decision::Warn, "roles", says);
        }
        if !single_use {
            plan.notes(Decision::Warn, "uses", "whoever has the link can use it, again and again");
        }
        Ok(plan)
    }

    /// A link to this machine would be of no use to anybody.
    pub(super) fn check_link(&self) -> Result<(), Stop> {
        let url = self.settings.connection.browser_url();
        let local = match url::Url::parse(url).ok().as_ref().and_then(url::Url::host) {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => true,
        };
        if local {
            let why = format!("it would lead to {url}: set `public_url` of this [[authentik]]");
            return Err(Stop::refused("link", why));
        }
        Ok(())
    }

    pub(super) async fn all_groups(&self) -> Result<Groups, ApiError> {
        let listed = self.groups().await?;
        if !listed.complete() {
            return Err(incomplete(&listed.gaps));
        }
        Ok(Groups::new(listed.items, &self.settings.admin_groups))
    }

    /// The one group of exactly this name that people may be invited into.
    async fn group_to_join(&self, name: &str) -> Result<Group, Stop> {
        let groups = self.all_groups().await.map_err(Stop::blind("group"))?;
        let group = groups.exactly(name).map_err(|why| Stop::refused("group", why))?;
        if groups.is_admin(&group.pk) {
            let why = format!("{name} is for administrators, nobody is invited into it");
            return Err(Stop::refused("group", why));
        }
        Ok(group.clone())
    }

    /// The one enrolment flow of exactly this slug, and the server's clock.
    async fn enrolment(&self, slug: &str) -> Result<(Flow, Option<Timestamp>), Stop> {
        let slug = if slug.trim().is_empty() { self.settings.enrollment_flow.as_str() } else { slug.trim() };
        let filters = [("slug", slug)];
        let ask = Ask::new("/flows/instances/", "authentik_flows.view_flow").filtered(&filters);
        let listed = self.client.list::<Flow>(&ask).await.map_err(Stop::blind("flow"))?;
        let found: Vec<Flow> = listed.items.into_iter().filter(|flow| flow.slug.as_str() == slug).collect();
        let flow = match <[Flow; 1]>::try_from(found) {
            Ok([flow]) => flow,
            Err(found) if found.is_empty() => {
                return Err(Stop::refused("flow", format!("no flow has the slug {slug}")));
            }
            Err(found) => {
                return Err(Stop::refused("flow", format!("{} flows have the slug {slug}", found.len())));
            }
        };
        if flow.designation.as_str() != "enrollment" {
            let purpose = flow.designation.as_str();
            return Err(Stop::refused("flow", format!("{slug} is for {purpose}, not for enrolment")));
        }
        Ok((flow, listed.server_time))
    }

    /// Invitations that were made for the same label and still wait.
    pub(super) async fn look_for_twins(&self, label: &str, plan: &mut Plan) -> Result<(), Stop> {
        let slug = label::slug(label);
        let search = [("search", slug.as_str())];
        let (listed, users) = futures_util::join!(self.invitations(&[]), self.users(&search));
        let listed = listed.map_err(Stop::blind("invitations"))?;
        // Only shown: nothing that a search finds is ever acted on.
        let alike = users.map(|users| users.items).unwrap_or_default();
        let alike = alike.iter().filter(|user| crate::backend::authentik::people::resembles(user, &slug));
        for user in alike.take(3) {
            plan.notes(Decision::Warn, "somebody alike", super::person::describe(user));
        }
        let prefix = format!("{slug}-");
        let twins = listed.items.iter().filter(|invitation| invitation.name.starts_with(&prefix));
        for twin in twins.take(3) {
            let state = invitations::state(twin, self.now()).word;
            let group = self.keys.group(twin).unwrap_or("no group");
            plan.notes(
                Decision::Warn,
                "exists already",
                format!("{} into {group}, {state}", twin.name.as_str()),
            );
        }
        Ok(())
    }

    pub(super) async fn invite(&self, job: &Job) -> Result<Receipt, SendError> {
        let plan = self.plan(&job.target.name, job).await.map_err(Stop::unsent)?;
        self.make(&plan, job).await
    }

    /// Makes the invitation that was planned, and shows its link.
    pub(super) async fn make(&self, plan: &Plan, job: &Job) -> Result<Receipt, SendError> {
        let mark = json!({ "invitation": plan.name, "invited_by": job.operator, "wants": [plan.group.name.as_str()] });
        let mut data = serde_json::Map::new();
        data.insert(self.keys.group.clone(), json!(plan.group.name.as_str()));
        data.insert("attributes".to_owned(), json!({ self.keys.mark.clone(): mark }));
        let body = json!({
            "name": plan.name,
            "expires": plan.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "fixed_data": data,
            "single_use": plan.single_use,
            "flow": plan.flow.pk.as_str(),
        });
        let reply =
            self.client.send(Method::POST, "/stages/invitation/invitations/", Some(body), ADD).await?;
        let made = reply.json::<Invitation>().unwrap_or_default();
        if made.name.as_str() != plan.name || !is_slug(&made.pk) {
            let said =
                format!("{} was made, but the answer holds no link: revoke it and invite again", plan.name);
            return Ok(Receipt { said, ..Receipt::default() });
        }
        let said = format!("{} was made", plan.name);
        Ok(Receipt { remote: Some(seal(&made.pk)), said, reveal: Some(self.reveal(plan, &made.pk, job)) })
    }

    fn reveal(&self, plan: &Plan, pk: &str, job: &Job) -> Reveal {
        let public = self.settings.connection.browser_url().trim_end_matches('/');
        let secret = format!("{public}/if/flow/{}/?itoken={pk}", plan.flow.slug.as_str());
        let until = plan.expires.strftime("%F").to_string();
        let message = self.message(job.arg("language"), &secret, &until, &plan.group.name, &plan.name);
        Reveal { title: format!("invitation link of {}", plan.name), secret, message }
    }

    pub(super) async fn prove_invite(
        &self,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        let name = label::name(&job.target.name, job.arg("group"), &job.run.0);
        self.prove_made(&name, job, remote, since).await
    }

    /// Looks for an invitation by the name that its run gives it.
    pub(super) async fn prove_made(
        &self,
        name: &str,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        let listed = self.invitations(&[("name", name)]).await?;
        let found: Vec<&Invitation> =
            listed.items.iter().filter(|invitation| invitation.name.as_str() == name).collect();
        if let [invitation] = found.as_slice() {
            return Ok(self.compare(job, invitation, remote.is_some()));
        }
        let look = format!("look for {name} in authentik.invitations");
        Ok(match found.len() {
            0 if !listed.complete() => Proof::Unclear(listed.gaps.join("; "), look),
            0 if remote.is_some() => {
                Proof::Absent(format!("{name} is gone again: opened, or revoked by somebody"))
            }
            0 if seconds_between(since, self.now())
                < i64::try_from(self.grace.as_secs()).unwrap_or(i64::MAX) =>
            {
                Proof::Unclear(format!("{name} is not there yet"), look)
            }
            0 => Proof::Absent(format!("{name} is not there")),
            many => Proof::Unclear(format!("{many} invitations are called {name}"), look),
        })
    }

    fn compare(&self, job: &Job, invitation: &Invitation, shown: bool) -> Proof {
        let name = invitation.name.as_str();
        let group = self.keys.group(invitation);
        if group != Some(job.arg("group")) {
            let group = group.unwrap_or("no group");
            return Proof::Absent(format!("{name} is there, but into {group}: revoke it"));
        }
        let state = invitations::state(invitation, self.now());
        let left = invitation.ends().map(|at| crate::model::time::short(seconds_between(self.now(), at)));
        let left = left.unwrap_or_else(|| "no end".to_owned());
        let seen = format!("{name} is {}, {left} left", state.word);
        if shown {
            return Proof::Seen(seen);
        }
        Proof::Seen(format!("{seen}; its link was not shown: revoke it and invite again"))
    }
}

/// How long an invitation lives.
fn lifetime(text: &str) -> Result<SignedDuration, Stop> {
    let wrong = |why: &str| Stop::refused("expires in", format!("`{text}` {why}"));
    let duration = parse_duration(text).ok_or_else(|| wrong("is no duration; write it like 12h or 7d"))?;
    match duration.as_secs() {
        seconds if seconds <= 0 => Err(wrong("is no time at all")),
        seconds if seconds > LONGEST => Err(wrong("is more than 30d")),
        _ => Ok(duration),
    }
}
