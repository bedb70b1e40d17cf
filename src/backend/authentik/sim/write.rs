//! Changes.

use axum::http::Method;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::caller::Caller;
use super::request::Request;
use super::store::by;
use super::{Lab, answer};

impl Lab {
    pub(super) fn write(&self, path: &str, request: &Request, caller: &Caller) -> Response {
        if !path.ends_with('/') {
            return answer::no_such_path();
        }
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match (&request.method, parts.as_slice()) {
            (&Method::POST, ["stages", "invitation", "invitations"]) => self.invite(request, caller),
            (&Method::DELETE, ["stages", "invitation", "invitations", pk]) => self.revoke(pk, caller),
            // The serializer looks a missing target up and dies of it.
            (&Method::PATCH, ["policies", "bindings", _])
                if request.json().is_ok_and(|b| b["target"].is_null()) =>
            {
                answer::crash()
            }
            (
                method,
                ["core", "users" | "groups" | "applications", ..] | ["stages" | "flows" | "outposts", ..],
            ) => answer::detail(405, &format!("Method \"{method}\" not allowed.")),
            _ => answer::no_such_path(),
        }
    }

    fn invite(&self, request: &Request, caller: &Caller) -> Response {
        if !caller.may("authentik_stages_invitation.add_invitation") {
            return answer::forbidden();
        }
        let body = match request.json() {
            Ok(body) => body,
            Err((status, says)) => return answer::detail(status, &says),
        };
        if let Some(wrong) = wrong_invitation(&body) {
            return answer::json(400, &wrong);
        }
        let mut store = self.store();
        if !body["flow"].is_null() && by(&store.flows, "pk", &body["flow"]).is_none() {
            let says =
                format!("Invalid pk \"{}\" - object does not exist.", super::list::text(&body["flow"]));
            return answer::field("flow", &says);
        }
        let row = json!({
            "pk": uuid::Uuid::new_v4().to_string(),
            "name": body["name"],
            "expires": body["expires"],
            "fixed_data": if body["fixed_data"].is_null() { json!({}) } else { body["fixed_data"].clone() },
            "created_by": caller.user["pk"],
            "single_use": body["single_use"] == json!(true),
            "flow": body["flow"],
        });
        store.invitations.push(row.clone());
        answer::json(201, &store.invitation(&row))
    }

    fn revoke(&self, pk: &str, caller: &Caller) -> Response {
        if !caller.may("authentik_stages_invitation.delete_invitation") {
            return answer::forbidden();
        }
        let mut store = self.store();
        let before = store.invitations.len();
        store.invitations.retain(|row| row["pk"] != pk);
        if store.invitations.len() == before { answer::absent("Invitation") } else { answer::empty() }
    }
}

/// One list of messages a field, as the serializer collects them.
fn wrong_invitation(body: &Value) -> Option<Value> {
    let mut wrong = serde_json::Map::new();
    match body["name"].as_str() {
        None => {
            wrong.insert("name".into(), json!(["This field is required."]));
        }
        Some(name) if !crate::backend::authentik::watch::is_slug(name) => {
            let says =
                "Enter a valid \u{201c}slug\u{201d} consisting of letters, numbers, underscores or hyphens.";
            wrong.insert("name".into(), json!([says]));
        }
        Some(_) => {}
    }
    let expires = &body["expires"];
    if !expires.is_null() && expires.as_str().and_then(|at| at.parse::<Timestamp>().ok()).is_none() {
        let says = "Datetime has wrong format. Use one of these formats instead: \
                    YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
        wrong.insert("expires".into(), json!([says]));
    }
    (!wrong.is_empty()).then_some(Value::Object(wrong))
}
