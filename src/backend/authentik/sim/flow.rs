//! The flow behind an invitation's link: a single-use invitation is gone as soon as its link is opened.

use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::request::Request;
use super::store::Store;
use super::{answer, people};

/// Opens a flow with the query that its page was called with.
pub fn open(store: &mut Store, slug: &str, request: &Request, now: Timestamp) -> Response {
    if !store.has_slug(slug) {
        return answer::absent("Flow");
    }
    if slug != super::homelab::ENROLMENT {
        return answer::json(200, &stage("ak-stage-identification", &Value::Null));
    }
    let query = request.param("query").unwrap_or_default().to_owned();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let key = pairs.find(|(name, _)| name == "itoken").map(|(_, value)| value.into_owned());
    match key.and_then(|key| people::open(store, &json!(key), now)) {
        Some(_) => answer::json(200, &stage("ak-stage-prompt", &Value::Null)),
        None => {
            answer::json(200, &stage("ak-stage-access-denied", &json!("Invalid invite/invite not found")))
        }
    }
}

fn stage(component: &str, error: &Value) -> Value {
    let mut stage = json!({
        "flow_info": { "title": "Welcome", "cancel_url": "/flows/-/cancel/", "layout": "stacked" },
        "component": component,
    });
    if !error.is_null() {
        stage["error_message"] = error.clone();
    }
    stage
}
