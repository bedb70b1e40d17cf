//! What the lab has besides people and applications: second factors, events, stages, tasks and blueprints.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::homelab::{ENROLMENT, at, id, invitation_key};
use super::people::model;
use super::store::Store;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Fills a store as the lab is at `now`.
pub(super) fn seed(store: &mut Store, seed: u64, now: Timestamp) {
    devices(store, now);
    stages(store);
    upkeep(store, now);
    events(store, seed, now);
}

fn devices(store: &mut Store, now: Timestamp) {
    // Numbers are counted by type: key 1 and phone 1 are two devices.
    let all = [
        ("webauthn", 1, 4, "YubiKey 5C", 300),
        ("webauthn", 2, 4, "Laptop", 120),
        ("webauthn", 3, 7, "iPhone", 60),
        ("webauthn", 4, 9, "Tablet", 40),
        ("webauthn", 5, 10, "Tablet", 1),
        ("totp", 1, 7, "Aegis", 200),
        ("static", 1, 4, "Recovery codes", 300),
    ];
    for (kind, pk, user, name, days) in all {
        let mut device = json!({ "pk": pk, "name": name, "user": user, "created_on": at(now, -days * DAY) });
        if kind == "webauthn" {
            device["aaguid"] = json!("2fc0579f-8113-47ea-b116-bb5a8db9202a");
            device["device_type"] = json!({ "aaguid": "2fc0579f-8113-47ea-b116-bb5a8db9202a", "description": "YubiKey 5 Series" });
        } else {
            // The list of its type says neither when it was made nor what it is.
            device.as_object_mut().map(|fields| fields.remove("created_on"));
        }
        if kind == "static" {
            device["token_set"] = json!([{ "token": "abcd1234efgh" }]);
        }
        store.devices.entry(kind).or_default().push(device);
    }
}

fn stages(store: &mut Store) {
    store.invitation_stages.push(json!({
        "pk": id("stage", "invitation"), "name": "enrollment-invitation", "flow_set": [ENROLMENT],
        "continue_flow_without_invitation": false,
    }));
    let logins = [
        ("default-authentication-login", "default-authentication-flow", "weeks=4"),
        ("enrollment-login", ENROLMENT, "weeks=4"),
        ("default-source-enrollment-login", "default-source-enrollment", "seconds=0"),
    ];
    for (name, flow, duration) in logins {
        store.login_stages.push(json!({
            "pk": id("stage", name), "name": name, "flow_set": [flow], "session_duration": duration,
        }));
    }
    for (flow, count) in
        [(ENROLMENT, 4), ("default-source-enrollment", 3), ("default-authentication-flow", 3)]
    {
        for order in 0..count {
            let stage = json!({ "name": format!("{flow}-{order}") });
            store.flow_stages.push(json!({
                "pk": id("flow stage", &format!("{flow} {order}")), "target": id("flow", flow), "stage_obj": stage,
                "order": 10 * order,
            }));
        }
    }
    for flow in &mut store.flows {
        if flow["slug"] == "default-source-enrollment" {
            flow["policies"] = json!([id("policy", "if-sso")]);
        }
    }
}

fn upkeep(store: &mut Store, now: Timestamp) {
    for (name, cron, next) in [
        ("admin.tasks.update_latest_version", "3 * * * *", 20 * 60),
        ("core.tasks.clean_expired_models", "2-59/5 * * * *", 120),
        ("outposts.tasks.outpost_connection_discovery", "51 */8 * * *", 5 * HOUR),
    ] {
        store.schedules.push(json!({
            "id": id("schedule", name), "identifier": "None", "uid": format!("authentik.{name}"),
            "actor_name": format!("authentik.{name}"), "crontab": cron, "paused": false, "next_run": at(now, next),
            "description": null, "last_task_status": "done",
        }));
    }
    for (name, status) in
        [("Default - Authentication flow", "successful"), ("homelab - Enrolment", "successful")]
    {
        store.blueprints.push(json!({
            "pk": id("blueprint", name), "name": name, "path": format!("homelab/{}.yaml", name.len()), "context": {},
            "last_applied": at(now, -2 * HOUR), "last_applied_hash": "8c42", "status": status, "enabled": true,
            "managed_models": [], "metadata": {}, "content": "",
        }));
    }
}

fn events(store: &mut Store, seed: u64, now: Timestamp) {
    let ago = |seconds: i64| now - SignedDuration::from_secs(seconds);
    let key = |name: &str| invitation_key(seed, name);
    for (name, made) in
        [("invite-navidrome-a1", DAY), ("invite-validated-b2", 6 * DAY), ("invite-nextcloud-c3", 2 * DAY)]
    {
        store.log(ago(made), "ops-console", "model_created", model("invitation", &key(name), &json!(name)));
    }
    store.log(ago(2 * DAY), "designer", "login", json!({ "auth_method": "auth_webauthn_pwl" }));
    store.log(
        ago(2 * DAY - 60),
        "designer",
        "authorize_application",
        json!({ "authorized_application": { "name": "Nextcloud" } }),
    );
    store.log(ago(6 * HOUR), "cousin", "login_failed", json!({ "username": "cousin" }));
    let group = json!({
        "model": { "app": "authentik_core", "model_name": "group", "pk": id("group", "family-validated").replace('-', ""), "name": "family-validated" },
        "http_request": { "path": format!("/api/v3/core/groups/{}/add_user/", id("group", "family-validated")), "method": "POST" },
    });
    store.log(ago(5 * HOUR), "admin1", "model_updated", group);
    store.log(ago(HOUR), "admin1", "login", json!({ "auth_method": "auth_webauthn_pwl" }));
    // Opened twelve minutes ago on a device that was not used to go on.
    let hex = key("invite-nextcloud-c3").replace('-', "");
    let request = json!({ "path": "/api/v3/flows/executor/invitation-enrollment/", "method": "GET" });
    store.log(
        ago(720),
        "AnonymousUser",
        "invitation_used",
        json!({ "invitation_uuid": hex, "http_request": request }),
    );
    store.log(
        ago(720),
        "AnonymousUser",
        "model_deleted",
        model("invitation", &hex, &Value::from("invite-nextcloud-c3")),
    );
}
