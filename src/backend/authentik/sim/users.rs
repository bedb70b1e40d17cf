//! The list of users. There may be ten thousand, so they are filtered and cut into pages as they are stored and shown
//! only then.

use axum::response::Response;
use serde_json::{Value, json};

use super::answer::{self, Refusal};
use super::caller::Caller;
use super::list::{Filter, page};
use super::request::Request;
use super::{Lab, list};

/// The right to see users.
pub const RIGHT: &str = "authentik_core.view_user";
/// The kinds of users; another one is refused, while an unknown parameter is ignored.
const TYPES: &[&str] = &["internal", "external", "service_account", "internal_service_account"];

const FILTERS: &[Filter] = &[
    Filter::Exact("username", "username"),
    Filter::Exact("email", "email"),
    Filter::Exact("name", "name"),
    Filter::Exact("uuid", "uuid"),
    Filter::Flag("is_active", "is_active"),
    Filter::OneOf("type", "type", TYPES),
    Filter::Attributes,
    Filter::Search(&["username", "name", "email", "uuid"]),
];

impl Lab {
    pub(super) fn users(&self, request: &Request, caller: &Caller) -> Response {
        if !caller.may(RIGHT) {
            return answer::forbidden();
        }
        let store = self.store();
        let mut rows: Vec<&Value> = Vec::new();
        for user in &store.users {
            match self.passes(user, request) {
                Ok(true) => rows.push(user),
                Ok(false) => {}
                Err(refusal) => return *refusal,
            }
        }
        if let Some(wanted @ ("true" | "false")) = request.param("is_superuser") {
            rows.retain(|user| store.user(user, false)["is_superuser"] == json!(wanted == "true"));
        }
        rows.sort_by_key(|user| user["username"].as_str().unwrap_or_default());
        let with_groups = request.switch("include_groups", true);
        page(&rows, request, self.modern(), |user| Some(store.user(user, with_groups)))
    }

    fn passes(&self, user: &Value, request: &Request) -> Result<bool, Refusal> {
        let mut passes = self.is_later(user, request);
        for filter in FILTERS {
            passes &= filter.passes(user, request)?;
        }
        Ok(passes)
    }

    /// From 2026.2 users can be asked for by when they changed; before, the parameter is ignored like any other.
    fn is_later(&self, user: &Value, request: &Request) -> bool {
        let known = crate::model::row::natural(&self.version, "2026.2").is_ge();
        let time = |text: &str| text.parse::<jiff::Timestamp>().ok();
        let wanted = request.param("last_updated__gt").filter(|_| known).and_then(time);
        wanted.is_none_or(|after| time(&list::text(&user["last_updated"])).is_some_and(|at| at > after))
    }
}
