//! What the server has stored, and how its objects refer to each other.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::list::{at, text};

/// Everything, in the order of creation.
#[derive(Debug, Default)]
pub struct Store {
    /// Users without what is computed.
    pub users: Vec<Value>,
    /// Groups without their members.
    pub groups: Vec<Value>,
    /// Invitations with numbers and ids for what they refer to.
    pub invitations: Vec<Value>,
    /// Flows.
    pub flows: Vec<Value>,
    /// Applications.
    pub applications: Vec<Value>,
    /// Providers.
    pub providers: Vec<Value>,
    /// Policy bindings.
    pub bindings: Vec<Value>,
    /// Outposts.
    pub outposts: Vec<Value>,
    /// Sessions of browsers.
    pub sessions: Vec<Value>,
    /// Tokens without their keys.
    pub tokens: Vec<Value>,
    /// Second factors by the part of the path that their type has.
    pub devices: std::collections::BTreeMap<&'static str, Vec<Value>>,
    /// What happened, the newest last.
    pub events: Vec<Value>,
    /// Stages that ask for an invitation.
    pub invitation_stages: Vec<Value>,
    /// Stages that log in.
    pub login_stages: Vec<Value>,
    /// Stages in flows.
    pub flow_stages: Vec<Value>,
    /// Policies.
    pub policies: Vec<Value>,
    /// Blueprints.
    pub blueprints: Vec<Value>,
    /// Schedules.
    pub schedules: Vec<Value>,
    /// Invitations whose links were opened and whose enrolment is under way.
    pub opened: Vec<Value>,
}

/// The object of a list whose field is this value.
pub fn by<'a>(list: &'a [Value], field: &str, value: &Value) -> Option<&'a Value> {
    list.iter().find(|item| item.get(field) == Some(value))
}

impl Store {
    /// What the cleaner does: expired invitations go about five minutes after their end.
    pub fn clean(&mut self, now: Timestamp) {
        let ends = |row: &Value| row["expires"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        self.invitations.retain(|row| ends(row).is_none_or(|ends| ends.as_second() + 300 > now.as_second()));
    }

    /// Notes that something happened.
    #[allow(clippy::needless_pass_by_value, reason = "every caller makes the context for it")]
    pub fn log(&mut self, now: Timestamp, actor: &str, action: &str, context: Value) {
        let pk = by(&self.users, "username", &json!(actor)).map_or(json!(1), |user| user["pk"].clone());
        let at = super::homelab::at(now, 0);
        self.events.push(json!({
            "pk": super::homelab::id("event", &format!("{} {action}", self.events.len())),
            "user": { "pk": pk, "email": "", "username": actor }, "action": action,
            "app": "authentik.events.signals", "context": context, "client_ip": "203.0.113.20", "created": at,
            "expires": super::homelab::at(now, 365 * 86_400),
        }));
    }

    /// A device with its owner.
    pub fn device(&self, row: &Value) -> Value {
        let mut shown = row.clone();
        shown["user"] = self.partial_user(&row["user"]);
        shown
    }

    /// A stage with the flows that it stands in.
    pub fn stage(&self, row: &Value) -> Value {
        let mut shown = row.clone();
        let flows = row["flow_set"].as_array().into_iter().flatten();
        shown["flow_set"] = flows.filter_map(|slug| by(&self.flows, "slug", slug)).cloned().collect();
        shown
    }

    /// A group and everything above it.
    fn with_ancestors(&self, pk: &Value) -> Vec<&Value> {
        let Some(group) = by(&self.groups, "pk", pk) else { return Vec::new() };
        let above = group["parents"].as_array().into_iter().flatten();
        std::iter::once(group).chain(above.flat_map(|pk| self.with_ancestors(pk))).collect()
    }

    /// Whether a user is a member of a group, directly or by way of one below it.
    pub fn is_member(&self, user: &Value, group: &Value) -> bool {
        let direct = user["groups"].as_array().into_iter().flatten();
        direct.flat_map(|pk| self.with_ancestors(pk)).any(|known| known["pk"] == *group)
    }

    fn is_superuser(&self, user: &Value) -> bool {
        let direct = user["groups"].as_array().into_iter().flatten();
        direct.flat_map(|pk| self.with_ancestors(pk)).any(|group| group["is_superuser"] == json!(true))
    }

    /// A user as the API shows it.
    pub fn user(&self, user: &Value, with_groups: bool) -> Value {
        let mut shown = user.clone();
        shown["is_superuser"] = json!(self.is_superuser(user));
        let groups =
            user["groups"].as_array().into_iter().flatten().filter_map(|pk| by(&self.groups, "pk", pk));
        let groups = groups.map(|group| part(group, &["pk", "num_pk", "name", "is_superuser", "attributes"]));
        shown["groups_obj"] = if with_groups { groups.collect() } else { Value::Null };
        shown
    }

    /// A user as it stands in other objects.
    pub fn partial_user(&self, pk: &Value) -> Value {
        let fields = ["pk", "username", "name", "is_active", "last_login", "email", "attributes", "uid"];
        by(&self.users, "pk", pk).map_or(Value::Null, |user| part(user, &fields))
    }

    /// A group as the API shows it; until 2025.10 it has one parent.
    pub fn group(&self, group: &Value, with_users: bool, modern: bool) -> Value {
        let is_in = |user: &&Value| user["groups"].as_array().is_some_and(|all| all.contains(&group["pk"]));
        self.group_of(group, self.users.iter().filter(is_in).collect(), with_users, modern)
    }

    /// All groups, with one look at each user.
    pub fn all_groups(&self, with_users: bool, modern: bool) -> Vec<Value> {
        let mut members: HashMap<&str, Vec<&Value>> = HashMap::new();
        for user in &self.users {
            for group in user["groups"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                members.entry(group).or_default().push(user);
            }
        }
        let of = |group: &Value| {
            members.get(group["pk"].as_str().unwrap_or_default()).cloned().unwrap_or_default()
        };
        self.groups.iter().map(|group| self.group_of(group, of(group), with_users, modern)).collect()
    }

    #[allow(clippy::needless_pass_by_value, reason = "every caller makes the list for it")]
    fn group_of(&self, group: &Value, members: Vec<&Value>, with_users: bool, modern: bool) -> Value {
        let mut shown = group.clone();
        let pks: Vec<&Value> = members.iter().map(|user| &user["pk"]).collect();
        shown["users"] = json!(pks);
        let partial = || members.iter().map(|user| self.partial_user(&user["pk"])).collect();
        shown["users_obj"] = if with_users { partial() } else { Value::Null };
        if !modern {
            shown["parent"] = group["parents"].get(0).cloned().unwrap_or_default();
            shown["parent_name"] =
                by(&self.groups, "pk", &shown["parent"]).map_or(Value::Null, |above| above["name"].clone());
            if let Some(fields) = shown.as_object_mut() {
                fields.remove("parents");
                fields.remove("parents_obj");
            }
        }
        shown
    }

    /// An invitation as the API shows it.
    pub fn invitation(&self, row: &Value) -> Value {
        let mut shown = row.clone();
        shown["created_by"] = self.partial_user(&row["created_by"]);
        shown["flow_obj"] = by(&self.flows, "pk", &row["flow"]).cloned().unwrap_or_default();
        shown
    }

    /// An application as the API shows it.
    pub fn application(&self, row: &Value) -> Value {
        let mut shown = row.clone();
        shown["provider_obj"] = by(&self.providers, "pk", &row["provider"]).cloned().unwrap_or_default();
        shown
    }

    /// A binding as the API shows it.
    pub fn binding(&self, row: &Value) -> Value {
        let mut shown = row.clone();
        let group = by(&self.groups, "pk", &row["group"]);
        let fields = ["pk", "num_pk", "name", "is_superuser", "attributes"];
        shown["group_obj"] = group.map_or(Value::Null, |group| part(group, &fields));
        shown["user_obj"] = self.partial_user(&row["user"]);
        shown["policy_obj"] = by(&self.policies, "pk", &row["policy"]).cloned().unwrap_or_default();
        shown
    }

    /// An outpost as the API shows it.
    pub fn outpost(&self, row: &Value) -> Value {
        let mut shown = row.clone();
        let pks = row["providers"].as_array().into_iter().flatten();
        shown["providers_obj"] = pks.filter_map(|pk| by(&self.providers, "pk", pk)).cloned().collect();
        shown
    }

    /// A session with the name that its filter asks for.
    pub fn session(&self, row: &Value) -> Value {
        let mut shown = row.clone();
        let user = by(&self.users, "pk", &row["user"]);
        shown["user_obj"] = user.map_or(Value::Null, |user| json!({ "username": user["username"] }));
        shown
    }

    /// A token as the API shows it.
    pub fn token(&self, row: &Value) -> Value {
        let mut shown = row.clone();
        let user = by(&self.users, "pk", &row["user"]);
        shown["user_obj"] = user.map_or(Value::Null, |user| self.user(user, true));
        shown
    }

    /// Whether a user may open an application: no enabled binding lets everybody in, or nobody where a tenant is `shut`.
    pub fn may_open(&self, user: &Value, application: &Value, shut: bool) -> bool {
        let bound: Vec<&Value> = self
            .bindings
            .iter()
            .filter(|row| row["target"] == application["pk"] && row["enabled"] == json!(true))
            .collect();
        let passes = |row: &&Value| {
            let matched = self.is_member(user, &row["group"]) || row["user"] == user["pk"];
            matched != (row["negate"] == json!(true))
        };
        if bound.is_empty() { !shut } else { bound.iter().any(passes) }
    }

    /// A free primary key is never guessed: the same name may be used twice.
    pub fn has_slug(&self, slug: &str) -> bool {
        self.flows.iter().any(|flow| text(at(flow, "slug")) == slug)
    }
}

fn part(object: &Value, fields: &[&str]) -> Value {
    fields.iter().map(|field| ((*field).to_owned(), object[*field].clone())).collect()
}
