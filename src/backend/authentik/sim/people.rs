//! The people of the lab: they open links and enrol when a scenario or a test says so.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::backend::sim::World;

use super::homelab;
use super::store::Store;

/// Lets people do what the world's facts say: `authentik-open` and `authentik-enrol` name the beginning of an
/// invitation's name, `authentik-use` a user and an application,
/// `authentik-bind` an application and a group.
pub(super) fn live(world: &World, store: &mut Store, now: Timestamp) {
    if let Some(name) = told(world, "authentik-open") {
        open_named(store, &name, now);
    }
    if let Some(name) = told(world, "authentik-enrol")
        && let Some(invitation) = open_named(store, &name, now)
    {
        // The flow's own policy puts the new account into the group, unless it is broken.
        enrol(store, &invitation, world.get("authentik-policy") != "broken", now);
    }
    // The workflow gave the token a new key by the API, which notes a change and shows nothing else of it.
    if let Some(token) = told(world, "authentik-rotated") {
        let name = Value::from(token.as_str());
        store.log(now, "ci-github", "model_updated", model("token", "", &name));
    }
    // Somebody binds a group to an application.
    if let Some(bound) = told(world, "authentik-bind") {
        let (slug, group) = bound.split_once(' ').unwrap_or((&bound, "family-validated"));
        store.bindings.push(homelab::binding(slug, group, 9));
    }
    if let Some(used) = told(world, "authentik-use") {
        let (user, application) = used.split_once(' ').unwrap_or((&used, "nextcloud"));
        let context = json!({ "authorized_application": { "name": application, "app": "authentik_core" } });
        store.log(now, user, "authorize_application", context);
    }
}

/// A fact that counts once.
fn told(world: &World, fact: &str) -> Option<String> {
    let value = world.get(fact);
    if value.is_empty() {
        return None;
    }
    world.set(fact, "");
    Some(value)
}

fn open_named(store: &mut Store, name: &str, now: Timestamp) -> Option<Value> {
    let begins = |row: &Value| row["name"].as_str().is_some_and(|known| known.starts_with(name));
    let key = store.invitations.iter().find(|row| begins(row))?["pk"].clone();
    open(store, &key, now)
}

/// Opens the link of an invitation: one that is for a single use is gone from then on.
pub(super) fn open(store: &mut Store, key: &Value, now: Timestamp) -> Option<Value> {
    let at = store.invitations.iter().position(|row| row["pk"] == *key)?;
    let invitation = store.invitations[at].clone();
    let hex = key.as_str().unwrap_or_default().replace('-', "");
    let request = json!({ "path": "/api/v3/flows/executor/invitation-enrollment/", "method": "GET",
        "args": { "itoken": "********************" } });
    store.log(
        now,
        "AnonymousUser",
        "invitation_used",
        json!({ "invitation_uuid": hex, "http_request": request }),
    );
    if invitation["single_use"] == json!(true) {
        store.invitations.remove(at);
        store.log(now, "AnonymousUser", "model_deleted", model("invitation", &hex, &invitation["name"]));
    }
    store.opened.push(invitation.clone());
    Some(invitation)
}

/// An account comes of it, named after the invitation's label.
fn enrol(store: &mut Store, invitation: &Value, policy: bool, now: Timestamp) {
    let name = invitation["name"].as_str().unwrap_or_default();
    let username = name.split('-').next().unwrap_or(name).to_owned();
    let next = store.users.iter().filter_map(|user| user["pk"].as_i64()).max().unwrap_or(0) + 1;
    let group = invitation["fixed_data"]["group"].as_str().unwrap_or_default();
    let groups: Vec<String> = if policy { vec![homelab::id("group", group)] } else { Vec::new() };
    store.users.push(json!({
        "pk": next, "username": username, "name": username, "is_active": true, "last_login": homelab::at(now, 0),
        "date_joined": homelab::at(now, 0), "groups": groups, "roles": [], "roles_obj": null,
        "email": format!("{username}@lab.example"), "avatar": "", "uid": homelab::id("uid", &username),
        "attributes": invitation["fixed_data"]["attributes"], "path": "users", "type": "external",
        "uuid": homelab::id("user", &username), "password_change_date": homelab::at(now, 0),
        "last_updated": homelab::at(now, 0),
    }));
    let context = json!({ "created": true, "username": username, "password": "********************" });
    store.log(now, &username, "user_write", context);
}

/// What an event says of an object: the key without its dashes.
pub(super) fn model(kind: &str, key: &str, name: &Value) -> Value {
    json!({ "model": { "app": "authentik_core", "model_name": kind, "pk": key.replace('-', ""), "name": name } })
}
