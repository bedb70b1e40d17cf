//! Who am I, may I: the reviews that a client asks about itself.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::api::{failure, respond};
use super::lab::Lab;

/// The answer to a review; `None` where the path is none.
pub fn answer(lab: &Lab, method: &Method, path: &str, body: &[u8]) -> Option<Response> {
    let kind = match path {
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => "SelfSubjectAccessReview",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews" => "SelfSubjectReview",
        _ => return None,
    };
    if method != Method::POST {
        return Some(failure(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ));
    }
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    if asked["kind"] != kind {
        return Some(failure(
            400,
            "BadRequest",
            &format!("the object provided is unrecognized (must be of type {kind})"),
        ));
    }
    let status = if kind == "SelfSubjectReview" {
        json!({"userInfo": {"username": lab.user, "groups": ["system:serviceaccounts", "system:authenticated"]}})
    } else {
        json!({"allowed": allowed(lab, &asked["spec"]["resourceAttributes"]), "reason": "RBAC"})
    };
    let group = if kind == "SelfSubjectReview" { "authentication" } else { "authorization" };
    let answer = json!({"kind": kind, "apiVersion": format!("{group}.k8s.io/v1"), "metadata": {}, "spec": asked["spec"], "status": status});
    Some(respond(StatusCode::CREATED, &answer))
}

fn allowed(lab: &Lab, asked: &Value) -> bool {
    let word = |name: &str| asked[name].as_str().unwrap_or_default();
    !lab.denied(word("verb"), word("resource"), word("subresource"))
}
