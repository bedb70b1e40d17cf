//! Changes.

use axum::http::Method;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::caller::Caller;
use super::request::Request;
use super::store::{Store, by};
use super::{Lab, answer, homelab, ledger, people};

impl Lab {
    pub(super) fn write(&self, path: &str, request: &Request, caller: &Caller) -> Response {
        if !path.ends_with('/') {
            return answer::no_such_path();
        }
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match (&request.method, parts.as_slice()) {
            (&Method::POST, ["stages", "invitation", "invitations"]) => self.invite(request, caller),
            (&Method::DELETE, ["stages", "invitation", "invitations", pk]) => self.revoke(pk, caller),
            (&Method::POST, ["core", "groups", group, verb @ ("add_user" | "remove_user")]) => {
                self.membership(group, verb, request, caller)
            }
            (&Method::PATCH, ["core", "users", pk]) if *pk != "me" => self.change_user(pk, request, caller),
            (&Method::DELETE, ["core", "authenticated_sessions", "bulk_delete"]) => {
                self.end_sessions(request, caller)
            }
            (&Method::POST, ["core", "users", pk, "recovery"]) => self.recovery(pk, request, caller),
            (&Method::DELETE, ["authenticators", "admin", kind, pk]) => self.delete_device(kind, pk, caller),
            (&Method::DELETE, ["core", "authenticated_sessions", uuid]) => self.remove(
                "authentik_core.delete_authenticatedsession",
                caller,
                "AuthenticatedSession",
                |store| take(&mut store.sessions, "uuid", &json!(uuid)),
            ),
            (&Method::DELETE, ["core", "tokens", identifier]) => {
                self.remove("authentik_core.delete_token", caller, "Token", |store| {
                    take(&mut store.tokens, "identifier", &json!(identifier))
                })
            }
            (&Method::PATCH, ["core", "tokens", identifier]) => self.patch_token(identifier, request, caller),
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
        let key = row["pk"].as_str().unwrap_or_default();
        store.log(
            self.now(),
            &caller.name(),
            "model_created",
            people::model("invitation", key, &row["name"]),
        );
        answer::json(201, &store.invitation(&row))
    }

    /// Done again it changes nothing and says the same.
    fn membership(&self, group: &str, verb: &str, request: &Request, caller: &Caller) -> Response {
        let adds = verb == "add_user";
        let right =
            if adds { "authentik_core.add_user_to_group" } else { "authentik_core.remove_user_from_group" };
        if !caller.may(right) {
            return answer::forbidden();
        }
        let body = match request.json() {
            Ok(body) => body,
            Err((status, says)) => return answer::detail(status, &says),
        };
        let mut store = self.store();
        if by(&store.groups, "pk", &json!(group)).is_none() {
            return answer::absent("Group");
        }
        let user = store.users.iter_mut().find(|user| user["pk"] == body["pk"]);
        let Some(groups) = user.and_then(|user| user["groups"].as_array_mut()) else {
            return answer::detail(404, "Not found.");
        };
        groups.retain(|pk| pk != group);
        if adds {
            groups.push(json!(group));
        }
        // The event is the group's, and of the member it says nothing.
        let name = by(&store.groups, "pk", &json!(group)).map_or(Value::Null, |group| group["name"].clone());
        let mut context = people::model("group", group, &name);
        context["http_request"] =
            json!({ "path": format!("/api/v3/core/groups/{group}/{verb}/"), "method": "POST", "args": {} });
        store.log(self.now(), &caller.name(), "model_updated", context);
        answer::empty()
    }

    /// Whoever becomes inactive this way loses every session.
    fn change_user(&self, pk: &str, request: &Request, caller: &Caller) -> Response {
        if !caller.may("authentik_core.change_user") {
            return answer::forbidden();
        }
        let body = match request.json() {
            Ok(body) => body,
            Err((status, says)) => return answer::detail(status, &says),
        };
        let mut store = self.store();
        let pk = pk.parse::<i64>().map_or(Value::Null, Value::from);
        let Some(user) = store.users.iter_mut().find(|user| user["pk"] == pk) else {
            return answer::absent("User");
        };
        for field in ["is_active", "name", "email", "attributes", "groups"] {
            if let Some(value) = body.get(field) {
                user[field] = value.clone();
            }
        }
        user["last_updated"] = json!(homelab::at(self.now(), 0));
        let user = user.clone();
        if user["is_active"] == json!(false) {
            store.sessions.retain(|session| session["user"] != pk);
        }
        answer::json(200, &store.user(&user, true))
    }

    fn end_sessions(&self, request: &Request, caller: &Caller) -> Response {
        if !caller.may("authentik_core.delete_authenticatedsession") {
            return answer::forbidden();
        }
        let pks: Vec<&str> = request.params("user_pks").collect();
        if pks.is_empty() {
            return answer::field("user_pks", "This field is required.");
        }
        let mut store = self.store();
        let before = store.sessions.len();
        store.sessions.retain(|session| !pks.contains(&session["user"].to_string().as_str()));
        answer::json(200, &json!({ "deleted": before - store.sessions.len() }))
    }

    fn revoke(&self, pk: &str, caller: &Caller) -> Response {
        if !caller.may("authentik_stages_invitation.delete_invitation") {
            return answer::forbidden();
        }
        let mut store = self.store();
        match take(&mut store.invitations, "pk", &json!(pk)) {
            None => answer::absent("Invitation"),
            Some(row) => {
                store.log(
                    self.now(),
                    &caller.name(),
                    "model_deleted",
                    people::model("invitation", pk, &row["name"]),
                );
                answer::empty()
            }
        }
    }

    /// A link that logs in as the user; another one replaces it.
    fn recovery(&self, pk: &str, request: &Request, caller: &Caller) -> Response {
        if !caller.may("authentik_core.reset_user_password") {
            return answer::forbidden();
        }
        let mut store = self.store();
        let pk = pk.parse::<i64>().map_or(Value::Null, Value::from);
        let Some(user) = by(&store.users, "pk", &pk).cloned() else { return answer::absent("User") };
        if self.world.get("authentik-recovery") == "none" {
            // A plain text where other refusals have a list.
            return answer::json(400, &json!({ "non_field_errors": "No recovery flow set." }));
        }
        let body = request.json().unwrap_or_default();
        let seconds =
            body["token_duration"].as_str().and_then(|text| text.strip_prefix("seconds=")?.parse().ok());
        let identifier = format!("{}-password-reset", user["uid"].as_str().unwrap_or_default());
        store.tokens.retain(|token| token["identifier"] != identifier.as_str());
        store.tokens.push(json!({
            "pk": uuid::Uuid::new_v4().to_string(), "managed": null, "identifier": identifier, "intent": "recovery",
            "user": pk, "description": "", "expires": super::homelab::at(self.now(), seconds.unwrap_or(1800)),
            "expiring": true,
        }));
        let key = uuid::Uuid::new_v4().simple().to_string();
        // The link is for the host that was called.
        answer::json(
            200,
            &json!({ "link": format!("http://{}/if/flow/recovery/?flow_token={key}", super::HOST) }),
        )
    }

    /// Whatever has this number in this type goes, whoever it belongs to.
    fn delete_device(&self, kind: &str, pk: &str, caller: &Caller) -> Response {
        let Some(kind) = ledger::kind_of(kind) else { return answer::no_such_path() };
        let pk = pk.parse::<i64>().map_or(Value::Null, Value::from);
        self.remove(kind.delete, caller, "Device", |store| take(store.devices.get_mut(kind.path)?, "pk", &pk))
    }

    fn remove(
        &self,
        right: &str,
        caller: &Caller,
        model: &str,
        take: impl FnOnce(&mut Store) -> Option<Value>,
    ) -> Response {
        if !caller.may(right) {
            return answer::forbidden();
        }
        let mut store = self.store();
        match take(&mut store) {
            None => answer::absent(model),
            Some(row) => {
                let name =
                    if row["name"].is_null() { row["identifier"].clone() } else { row["name"].clone() };
                store.log(
                    self.now(),
                    &caller.name(),
                    "model_deleted",
                    people::model(&model.to_lowercase(), "", &name),
                );
                answer::empty()
            }
        }
    }

    /// The trap: a body without `user` gives the token to the caller, one without `intent` makes it an API token.
    fn patch_token(&self, identifier: &str, request: &Request, caller: &Caller) -> Response {
        let body = match request.json() {
            Ok(body) => body,
            Err((status, says)) => return answer::detail(status, &says),
        };
        let mut store = self.store();
        let Some(token) = store.tokens.iter_mut().find(|token| token["identifier"] == identifier) else {
            return answer::absent("Token");
        };
        token["user"] = if body["user"].is_null() { caller.user["pk"].clone() } else { body["user"].clone() };
        token["intent"] = if body["intent"].is_null() { json!("api") } else { body["intent"].clone() };
        answer::json(200, &token.clone())
    }
}

fn take(list: &mut Vec<Value>, field: &str, value: &Value) -> Option<Value> {
    let at = list.iter().position(|row| row[field] == *value)?;
    Some(list.remove(at))
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
