//! Lists of what happened and of what keeps the server going.

use serde_json::{Value, json};

use crate::backend::authentik::rows::devices::{TYPES, Type};

use super::list::Filter;
use super::read::Listing;
use super::request::Request;
use super::store::Store;
use super::{Lab, homelab};

/// What a path answers.
pub(super) enum Answer {
    /// A list in pages.
    List(&'static Listing),
    /// One bare value, and the right to see it.
    Array(&'static str, fn(&Lab, &Store, &Request) -> Value),
}

const EVENTS: Listing = Listing {
    right: "authentik_events.view_event",
    filters: &[
        Filter::Contains("action", "action"),
        Filter::Exact("username", "user.username"),
        Filter::Exact("client_ip", "client_ip"),
        Filter::Exact("context_model_name", "context.model.model_name"),
        Filter::Exact("context_model_app", "context.model.app"),
        Filter::Exact("context_model_pk", "context.model.pk"),
    ],
    rows: |_, store, _| store.events.iter().rev().cloned().collect(),
};

const INVITATION_STAGES: Listing = Listing {
    right: "authentik_stages_invitation.view_invitationstage",
    filters: &[Filter::Exact("name", "name")],
    rows: |_, store, _| store.invitation_stages.iter().map(|row| store.stage(row)).collect(),
};

const LOGIN_STAGES: Listing = Listing {
    right: "authentik_stages_user_login.view_userloginstage",
    filters: &[Filter::Exact("name", "name")],
    rows: |_, store, _| store.login_stages.iter().map(|row| store.stage(row)).collect(),
};

const FLOW_STAGES: Listing = Listing {
    right: "authentik_flows.view_flowstagebinding",
    filters: &[Filter::Exact("target", "target")],
    rows: |_, store, _| store.flow_stages.clone(),
};

const PROXY_PROVIDERS: Listing = Listing {
    right: "authentik_providers_proxy.view_proxyprovider",
    filters: &[Filter::Search(&["name"])],
    rows: |_, store, _| {
        let proxies = store.providers.iter().filter(|row| row["verbose_name"] == "Proxy Provider");
        proxies.cloned().collect()
    },
};

const TASKS: Listing = Listing {
    right: "authentik_tasks.view_task",
    filters: &[Filter::OneOf(
        "aggregated_status",
        "aggregated_status",
        &["queued", "running", "done", "info", "warning", "error", "rejected"],
    )],
    rows: |lab, _, _| {
        let failed = lab.world.get("authentik-tasks") == "failing";
        failed.then(|| failing(lab)).into_iter().collect()
    },
};

const SCHEDULES: Listing = Listing {
    right: "authentik_tasks.view_schedule",
    filters: &[],
    rows: |_, store, _| store.schedules.clone(),
};

const BLUEPRINTS: Listing = Listing {
    right: "authentik_blueprints.view_blueprintinstance",
    filters: &[Filter::Exact("name", "name"), Filter::Exact("path", "path")],
    rows: |_, store, _| store.blueprints.clone(),
};

const GRANTS: Listing = Listing {
    right: "authentik_providers_oauth2.view_refreshtoken",
    filters: &[Filter::Exact("user", "user.pk")],
    rows: |_, _, _| Vec::new(),
};

macro_rules! devices {
    ($name:ident, $at:literal) => {
        const $name: Listing = Listing {
            right: TYPES[$at].view,
            // There is no filter for the owner, and the one that people try is ignored.
            filters: &[Filter::Exact("name", "name"), Filter::Search(&["name"])],
            rows: |_, store, _| {
                let list = store.devices.get(TYPES[$at].path).into_iter().flatten();
                list.map(|row| store.device(row)).collect()
            },
        };
    };
}

devices!(WEBAUTHN, 0);
devices!(TOTP, 1);
devices!(STATIC, 2);
devices!(SMS, 3);
devices!(EMAIL, 4);
devices!(DUO, 5);

/// What a path answers; the workers' path has its slash only on releases from 2026.5.
pub(super) fn of(path: &str, modern: bool) -> Option<Answer> {
    Some(match path {
        "/events/events/" => Answer::List(&EVENTS),
        "/stages/invitation/stages/" => Answer::List(&INVITATION_STAGES),
        "/stages/user_login/" => Answer::List(&LOGIN_STAGES),
        "/flows/bindings/" => Answer::List(&FLOW_STAGES),
        "/providers/proxy/" => Answer::List(&PROXY_PROVIDERS),
        "/oauth2/refresh_tokens/" | "/oauth2/access_tokens/" => Answer::List(&GRANTS),
        "/tasks/tasks/" => Answer::List(&TASKS),
        "/tasks/tasks/status/" => Answer::Array(TASKS.right, status),
        "/tasks/schedules/" => Answer::List(&SCHEDULES),
        "/tasks/workers" if !modern => Answer::Array(TASKS.right, workers),
        "/tasks/workers/" if modern => Answer::Array(TASKS.right, workers),
        "/managed/blueprints/" => Answer::List(&BLUEPRINTS),
        "/authenticators/admin/webauthn/" => Answer::List(&WEBAUTHN),
        "/authenticators/admin/totp/" => Answer::List(&TOTP),
        "/authenticators/admin/static/" => Answer::List(&STATIC),
        "/authenticators/admin/sms/" => Answer::List(&SMS),
        "/authenticators/admin/email/" => Answer::List(&EMAIL),
        "/authenticators/admin/duo/" => Answer::List(&DUO),
        "/authenticators/admin/all/" => Answer::Array(TYPES[0].view, all_devices),
        _ => return None,
    })
}

/// The type that a part of a path names.
pub(super) fn kind_of(path: &str) -> Option<&'static Type> {
    TYPES.iter().find(|kind| kind.path == path)
}

/// The devices of one user, or of everybody where none is named; of none it is said whose it is.
fn all_devices(_: &Lab, store: &Store, request: &Request) -> Value {
    let wanted = request.param("user").and_then(|pk| pk.parse::<i64>().ok());
    let classes = [("webauthn", "WebAuthnDevice"), ("totp", "TOTPDevice"), ("static", "StaticDevice")];
    let of = |(path, class): (&str, &str)| {
        let kind = format!("authentik_stages_authenticator_{path}.{class}");
        let rows = store.devices.get(path).into_iter().flatten();
        let rows = rows.filter(move |row| wanted.is_none_or(|pk| row["user"] == json!(pk)));
        rows.map(|row| {
            json!({
                "pk": row["pk"].to_string(), "name": row["name"], "type": kind, "confirmed": true,
                "created": row["created_on"], "last_used": null, "extra_description": null, "external_id": null,
            })
        })
        .collect::<Vec<Value>>()
    };
    classes.into_iter().flat_map(of).collect()
}

fn status(lab: &Lab, _: &Store, _: &Request) -> Value {
    let failing = i64::from(lab.world.get("authentik-tasks") == "failing");
    json!({ "queued": 2, "consumed": 0, "preprocess": 0, "running": 1, "postprocess": 0, "rejected": 0,
        "done": 864, "info": 0, "warning": 0, "error": failing })
}

fn workers(lab: &Lab, _: &Store, _: &Request) -> Value {
    if lab.world.get("authentik-worker") == "down" {
        return json!([]);
    }
    json!([{ "worker_id": "8436b7ec-c0a5-4640-8087-9dbb600380f2@oci-mgmt", "version": lab.version, "version_matching": true }])
}

fn failing(lab: &Lab) -> Value {
    json!({
        "message_id": homelab::id("task", "outpost"), "queue_name": "default",
        "actor_name": "authentik.outposts.tasks.outpost_controller", "state": "rejected",
        "mtime": homelab::at(lab.now(), -90), "retries": 3, "uid": "authentik.outposts.tasks.outpost_controller",
        "logs": [{ "timestamp": homelab::at(lab.now(), -90), "log_level": "error",
            "logger": "authentik.outposts.tasks", "event": "Docker connection refused", "attributes": {} }],
        "previous_logs": [], "aggregated_status": "error", "description": "Create/update/monitor the outpost.",
    })
}
