//! The people, groups, invitations and applications of the lab.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::backend::sim::lab::machine_uuid;

use super::store::Store;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The flow that invitations open.
pub const ENROLMENT: &str = "invitation-enrollment";

/// The id of an object of a model.
pub fn id(model: &str, name: &str) -> String {
    machine_uuid(&format!("authentik {model} {name}"))
}

/// The primary key of an invitation, which nobody can guess from its name.
pub fn invitation_key(seed: u64, name: &str) -> String {
    id("invitation", &format!("{seed} {name}"))
}

/// Bytes as the server writes them.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Fills a store as the lab is at `now`.
pub fn seed(store: &mut Store, seed: u64, now: Timestamp, crowd: usize) {
    groups(store);
    people(store, now);
    self::crowd(store, now, crowd);
    accounts(store, now);
    sessions(store, now);
    flows(store);
    invitations(store, seed, now);
    applications(store);
    outposts(store);
    super::keeping::seed(store, seed, now);
}

/// A crowd; where it is large, each twenty of it have a group, and each fifty an application.
fn crowd(store: &mut Store, now: Timestamp, crowd: usize) {
    let (teams, apps) = if crowd < 1_000 { (0, 0) } else { (crowd / 20, crowd / 50) };
    for n in 0..teams {
        group(store, (100 + n, &team(n)), &["family-validated"], false);
    }
    for n in 0..apps {
        let (slug, team) = (format!("app-{n:03}"), team(n));
        let provider = i64::try_from(1_000 + n).unwrap_or(0);
        application(store, provider, (&slug, &slug, "oauth2"), &[&team]);
    }
    for n in 0..crowd {
        let (name, team) = (format!("guest{n:05}"), team(n / 20));
        let all = ["family-validated", team.as_str()];
        let groups = if n / 20 < teams { &all[..] } else { &all[..1] };
        let login = Some(i64::try_from(n % 90).unwrap_or(0) * DAY);
        user(store, now, &Person { groups, login, ..person(1000 + n, &name, "external") });
    }
}

fn team(n: usize) -> String {
    format!("team-{n:03}")
}

fn groups(store: &mut Store) {
    let all: [(&str, &[&str], bool); 8] = [
        ("admin", &[], false),
        ("family-validated", &[], false),
        ("family-app-nextcloud", &["family-validated"], false),
        ("family-app-navidrome", &["family-validated"], false),
        ("family-app-immich", &["family-validated"], false),
        ("authentik Admins", &[], true),
        ("authentik Read-only", &[], false),
        ("ops", &[], false),
    ];
    for (n, (name, above, superuser)) in all.into_iter().enumerate() {
        group(store, (n, name), above, superuser);
    }
}

fn group(store: &mut Store, (n, name): (usize, &str), above: &[&str], superuser: bool) {
    let above: Vec<String> = above.iter().map(|name| id("group", name)).collect();
    let roles = if name == "authentik Read-only" { json!([id("role", name)]) } else { json!([]) };
    store.groups.push(json!({
        "pk": id("group", name), "num_pk": 18_000 + n, "name": name, "is_superuser": superuser,
        "parents": above, "parents_obj": null, "attributes": {}, "roles": roles, "roles_obj": [],
        "inherited_roles_obj": null, "children": [], "children_obj": null,
    }));
}

struct Person<'a> {
    pk: usize,
    username: &'a str,
    name: &'a str,
    kind: &'a str,
    groups: &'a [&'a str],
    active: bool,
    /// Seconds since its last login.
    login: Option<i64>,
    joined: i64,
}

fn person<'a>(pk: usize, username: &'a str, kind: &'a str) -> Person<'a> {
    Person { pk, username, name: username, kind, groups: &[], active: true, login: None, joined: 200 * DAY }
}

fn people(store: &mut Store, now: Timestamp) {
    let all = [
        Person {
            name: "authentik Default Admin",
            groups: &["authentik Admins"],
            login: Some(40 * DAY),
            ..person(1, "akadmin", "internal")
        },
        Person {
            name: "Ada Admin",
            groups: &["admin", "family-validated"],
            login: Some(HOUR),
            ..person(4, "admin1", "internal")
        },
        Person {
            name: "Dana Designer",
            groups: &["family-validated", "family-app-nextcloud"],
            login: Some(2 * DAY),
            ..person(7, "designer", "external")
        },
        Person {
            name: "Aunt Alma",
            groups: &["family-validated", "family-app-navidrome"],
            login: Some(6 * DAY),
            ..person(9, "aunt", "external")
        },
        // The same person to a fuzzy search, another one to the server.
        Person { name: "Aunt Alma", joined: 3 * HOUR, ..person(10, "aunt2", "external") },
        Person {
            name: "Cousin Carl",
            active: false,
            login: Some(30 * DAY),
            ..person(11, "cousin", "external")
        },
    ];
    for one in &all {
        user(store, now, one);
    }
}

fn accounts(store: &mut Store, now: Timestamp) {
    for (pk, name) in [(20, "ci-github"), (21, "argocd"), (22, "backup"), (23, "n8n")] {
        user(store, now, &person(pk, name, "service_account"));
    }
    user(store, now, &Person { groups: &["ops"], ..person(24, "ops-console", "service_account") });
    let outpost = "ak-outpost-9f2c41d07c1b4c4f9d0e7a6b5c4d3e2f";
    user(store, now, &person(30, outpost, "internal_service_account"));
    let tokens = [
        ("ci-github-api", "api", 20, Some(3 * DAY)),
        ("argocd-api", "api", 21, None),
        ("backup-app", "app_password", 22, Some(200 * DAY)),
        ("n8n-api", "api", 23, None),
        ("ops-console-api", "api", 24, Some(27 * DAY)),
    ];
    for (identifier, intent, user, ends) in tokens {
        // One that never expires still shows the instant at which it would have.
        let expires = at(now, ends.unwrap_or(-100 * DAY));
        store.tokens.push(json!({
            "pk": id("token", identifier), "managed": null, "identifier": identifier, "intent": intent, "user": user,
            "description": "", "expires": expires, "expiring": ends.is_some(),
        }));
    }
}

fn user(store: &mut Store, now: Timestamp, person: &Person<'_>) {
    let groups: Vec<String> = person.groups.iter().map(|name| id("group", name)).collect();
    let uid = hex(&Sha256::digest(person.username));
    let path = if person.kind.contains("service") { "goauthentik.io/service-accounts" } else { "users" };
    let person_like = !person.kind.contains("service");
    let email = if person_like { format!("{}@lab.example", person.username) } else { String::new() };
    store.users.push(json!({
        "pk": person.pk, "username": person.username, "name": person.name, "is_active": person.active,
        "last_login": person.login.map(|ago| at(now, -ago)), "date_joined": at(now, -person.joined),
        "groups": groups, "roles": [], "roles_obj": null, "email": email,
        "avatar": "data:image/svg+xml;base64,PHN2Zy8+", "attributes": {}, "uid": uid, "path": path,
        "type": person.kind, "uuid": id("user", person.username), "password_change_date": at(now, -person.joined),
        "last_updated": at(now, -person.joined),
    }));
}

fn sessions(store: &mut Store, now: Timestamp) {
    // The last one outlived its user's deactivation.
    for (user, name, ago) in [(4, "admin1", HOUR), (7, "designer", 2 * DAY), (11, "cousin", 30 * DAY)] {
        store.sessions.push(json!({
            "uuid": id("session", name), "current": false, "user": user, "last_ip": "203.0.113.20",
            "last_user_agent": "Mozilla/5.0", "last_used": at(now, -ago), "expires": at(now, 28 * DAY - ago),
            "user_agent": { "string": "Mozilla/5.0" }, "geo_ip": null, "asn": null,
        }));
    }
}

fn flows(store: &mut Store) {
    let all = [
        (ENROLMENT, "Invitation enrollment", "enrollment"),
        ("default-source-enrollment", "Welcome to authentik! Please select a username.", "enrollment"),
        ("default-authentication-flow", "Welcome to authentik!", "authentication"),
    ];
    for (slug, name, designation) in all {
        store.flows.push(json!({
            "pk": id("flow", slug), "policybindingmodel_ptr_id": id("flow policy", slug), "name": name, "slug": slug,
            "title": name, "designation": designation, "stages": [], "policies": [], "policy_engine_mode": "any",
            "denied_action": "message_continue", "authentication": "none", "layout": "stacked",
        }));
    }
}

fn invitations(store: &mut Store, seed: u64, now: Timestamp) {
    let all = [
        ("invite-navidrome-a1", "family-app-navidrome", 6 * DAY),
        ("invite-validated-b2", "family-validated", 20 * HOUR),
    ];
    for (name, group, left) in all {
        let mark = json!({ "invitation": name, "invited_by": "admin1", "wants": [group] });
        store.invitations.push(json!({
            "pk": invitation_key(seed, name), "name": name, "expires": at(now, left),
            "fixed_data": { "group": group, "attributes": { "vigie": mark } },
            "created_by": 24, "single_use": true, "flow": id("flow", ENROLMENT),
        }));
    }
}

fn applications(store: &mut Store) {
    let all: [(&str, &str, &str, &[&str]); 6] = [
        ("nextcloud", "Nextcloud", "oauth2", &["family-app-nextcloud"]),
        ("omni", "Omni", "proxy", &["admin"]),
        ("argocd", "Argo CD", "oauth2", &["admin"]),
        ("grafana", "Grafana", "oauth2", &["admin"]),
        ("prometheus", "Prometheus", "proxy", &[]),
        ("ntfy", "ntfy", "proxy", &["family-validated"]),
    ];
    for (provider, (slug, name, kind, bound)) in (1_i64..).zip(all) {
        application(store, provider, (slug, name, kind), bound);
    }
}

fn application(store: &mut Store, provider: i64, (slug, name, kind): (&str, &str, &str), bound: &[&str]) {
    let admin = bound == ["admin"] || slug == "prometheus";
    // A tile that leads nowhere is hidden, and still opens.
    let tile = if slug == "ntfy" { "blank://blank".to_owned() } else { String::new() };
    let launch = if tile.is_empty() { format!("https://{slug}.lab.example") } else { tile.clone() };
    store.providers.push(provider_of(provider, slug, kind));
    store.applications.push(json!({
        "pk": id("application", slug), "name": name, "slug": slug, "provider": provider,
        "backchannel_providers": [], "backchannel_providers_obj": [], "launch_url": launch,
        "open_in_new_tab": false, "meta_launch_url": tile, "meta_icon": "", "meta_icon_url": null,
        "meta_description": "", "meta_publisher": "", "policy_engine_mode": "any",
        "group": if admin { "Admin" } else { "Family" },
    }));
    for (order, group) in bound.iter().enumerate() {
        store.bindings.push(binding(slug, group, order));
    }
}

fn provider_of(pk: i64, slug: &str, kind: &str) -> Value {
    let (component, verbose) = match kind {
        "proxy" => ("ak-provider-proxy-form", "Proxy Provider"),
        _ => ("ak-provider-oauth2-form", "OAuth2/OpenID Provider"),
    };
    json!({
        "pk": pk, "name": slug, "authentication_flow": null, "authorization_flow": id("flow", "authorization"),
        "invalidation_flow": id("flow", "invalidation"), "property_mappings": [], "component": component,
        "assigned_application_slug": slug, "assigned_application_name": slug,
        "assigned_backchannel_application_slug": null, "verbose_name": verbose,
    })
}

/// A binding of a group to an application.
pub fn binding(slug: &str, group: &str, order: usize) -> Value {
    json!({
        "pk": id("binding", &format!("{slug} {group}")), "policy": null, "group": id("group", group), "user": null,
        "policy_obj": null, "user_obj": null, "target": id("application", slug), "negate": false, "enabled": true,
        "order": order, "timeout": 30, "failure_result": false,
    })
}

fn outposts(store: &mut Store) {
    store.outposts.push(json!({
        "pk": id("outpost", "proxy"), "name": "authentik-outpost-proxy", "type": "proxy", "providers": [2, 5, 6],
        "service_connection": null, "service_connection_obj": null, "refresh_interval_s": 300,
        "token_identifier": "ak-outpost-9f2c41d0-7c1b-4c4f-9d0e-7a6b5c4d3e2f-api",
        "config": {
            "authentik_host": "https://auth.lab.example", "authentik_host_browser": "", "log_level": "info",
            "object_naming_template": "ak-outpost-%(name)s", "kubernetes_replicas": 1, "kubernetes_json_patches": null,
        },
        "managed": null,
    }));
}

/// An instant so many seconds from `now`, as the server writes it.
pub fn at(now: Timestamp, seconds: i64) -> String {
    (now + SignedDuration::from_secs(seconds)).strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
