//! The API server's manners over HTTP: who are you, may you, lists in pages, watches, patches, reviews, discovery.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::lab::Lab;
use super::place::{Filter, Place, place, query};
use super::store::Refused;
use super::watching::watch;
use super::{discovery, reviews};

/// Everything that one API server answers.
pub fn router(lab: Arc<Lab>) -> Router {
    Router::new().fallback(answer).with_state(lab)
}

/// A failure as the API server words it.
pub fn failure(code: u16, reason: &str, message: &str) -> Response {
    let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code});
    respond(StatusCode::from_u16(code).unwrap_or_default(), &body)
}

/// A JSON answer.
pub fn respond(status: StatusCode, body: &Value) -> Response {
    text(status, body.to_string())
}

fn text(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn answer(State(lab): State<Arc<Lab>>, request: Request) -> Response {
    lab.wake();
    if lab.is_off() {
        // A house without power answers nothing at all.
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
    let (parts, body) = request.into_parts();
    if !lab.knows(&parts.headers) {
        return failure(401, "Unauthorized", "Unauthorized");
    }
    let bytes = axum::body::to_bytes(body, 3 << 20).await.unwrap_or_default();
    let query = query(&parts.uri);
    let path = parts.uri.path();
    if let Some(found) = discovery::answer(&lab, path) {
        return respond(StatusCode::OK, &found);
    }
    if let Some(found) = reviews::answer(&lab, &parts.method, path, &bytes) {
        return found;
    }
    if let Some(found) = super::usage::answer(&lab, path) {
        return respond(StatusCode::OK, &found);
    }
    let Some(place) = place(path).filter(|place| super::crds::has(&lab, &place.resource.group)) else {
        return not_found();
    };
    let verb = verb(&parts.method, &place, &query);
    if !lab.allows(verb, &place) {
        return forbidden(&lab, verb, &place);
    }
    match parts.method {
        Method::GET => read(&lab, &place, &query),
        Method::PATCH => patch(&lab, &place, &parts.headers, &bytes),
        Method::DELETE => delete(&lab, &place, &bytes),
        Method::POST => lab.posted(&place, &bytes),
        _ => failure(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ),
    }
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/plain")], "404 page not found\n").into_response()
}

fn verb(method: &Method, place: &Place, query: &BTreeMap<String, String>) -> &'static str {
    match *method {
        Method::GET if place.name.is_some() => "get",
        Method::GET if query.get("watch").is_some_and(|w| w == "1" || w == "true") => "watch",
        Method::GET => "list",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "create",
    }
}

fn forbidden(lab: &Lab, verb: &str, place: &Place) -> Response {
    let (plural, group) = (&place.resource.plural, &place.resource.group);
    let object = place.name.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default();
    let full = if group.is_empty() { plural.to_string() } else { format!("{plural}.{group}") };
    let scope = place
        .namespace
        .as_ref()
        .map_or("at the cluster scope".to_owned(), |n| format!("in the namespace \"{n}\""));
    let message = format!(
        "{full}{object} is forbidden: User \"{}\" cannot {verb} resource \"{plural}\" in API group \"{group}\" {scope}",
        lab.user
    );
    failure(403, "Forbidden", &message)
}

fn read(lab: &Arc<Lab>, place: &Place, query: &BTreeMap<String, String>) -> Response {
    match (&place.name, place.subresource.as_deref()) {
        (Some(_), Some("log")) => super::logs::answer(lab, place, query),
        (Some(_), Some("scale")) => lab.scale(place),
        (Some(_), Some(_)) => not_found(),
        (Some(name), None) => match lab.store.get(&place.resource.plural, &place.key()) {
            Some(object) => respond(StatusCode::OK, &object),
            None => missing(place, name),
        },
        (None, _) if query.get("watch").is_some_and(|w| w == "1" || w == "true") => watch(lab, place, query),
        (None, _) => list(lab, place, query),
    }
}

/// The 404 of a resource.
pub fn missing(place: &Place, name: &str) -> Response {
    let (plural, group) = (&place.resource.plural, &place.resource.group);
    let full = if group.is_empty() { plural.to_string() } else { format!("{plural}.{group}") };
    failure(404, "NotFound", &format!("{full} \"{name}\" not found"))
}

fn list(lab: &Lab, place: &Place, query: &BTreeMap<String, String>) -> Response {
    let limit = query
        .get("limit")
        .and_then(|limit| limit.parse().ok())
        .filter(|limit| *limit > 0)
        .unwrap_or(usize::MAX);
    let token = query.get("continue").map(String::as_str).unwrap_or_default();
    // A token holds the version of the list it continues, as the real one does.
    let (version, after) = token.split_once(':').unwrap_or_default();
    if !token.is_empty()
        && version.parse().is_ok_and(|version| lab.store.since(&place.resource.plural, version).is_none())
    {
        return failure(
            410,
            "Expired",
            "The provided continue parameter is too old to display a consistent list result.",
        );
    }
    let filter = Filter::new(query);
    let fetched = if filter.is_empty() { limit.saturating_add(1) } else { usize::MAX };
    let (mut rows, now) = lab.store.page(&place.resource.plural, place.namespace.as_deref(), after, fetched);
    rows.retain(|(_, object)| filter.passes(object));
    let at = if version.is_empty() { now.to_string() } else { version.to_owned() };
    let mut meta = json!({"resourceVersion": at});
    if rows.len() > limit {
        rows.truncate(limit);
        meta["continue"] =
            Value::from(format!("{at}:{}", rows.last().map(|(key, _)| key.as_str()).unwrap_or_default()));
    }
    let resource = place.resource;
    let api = if resource.group.is_empty() {
        resource.version.to_string()
    } else {
        format!("{}/{}", resource.group, resource.version)
    };
    let items: Vec<&str> = rows.iter().map(|(_, object)| &**object).collect();
    text(
        StatusCode::OK,
        format!(
            "{{\"kind\":\"{}List\",\"apiVersion\":\"{api}\",\"metadata\":{meta},\"items\":[{}]}}",
            resource.kind,
            items.join(",")
        ),
    )
}

fn patch(lab: &Arc<Lab>, place: &Place, headers: &HeaderMap, body: &Bytes) -> Response {
    let Some(name) = &place.name else { return failure(405, "MethodNotAllowed", "name the object") };
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media != "application/merge-patch+json" {
        let accepted =
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {accepted}"
        );
        return failure(415, "UnsupportedMediaType", &message);
    }
    let Ok(patch) = serde_json::from_slice::<Value>(body) else {
        return failure(400, "BadRequest", "error decoding patch: invalid JSON");
    };
    // Applications have no status subresource, and the real server's answer misleads.
    if place.subresource.as_deref() == Some("status") {
        return missing(place, name);
    }
    if let Err(why) = lab.validate(place, &patch) {
        return failure(422, "Invalid", &why);
    }
    written(place, name, lab.patched(place, &patch))
}

fn delete(lab: &Arc<Lab>, place: &Place, body: &Bytes) -> Response {
    let Some(name) = &place.name else { return failure(405, "MethodNotAllowed", "name the object") };
    let options = if body.is_empty() { json!({}) } else { serde_json::from_slice(body).unwrap_or_default() };
    written(place, name, lab.deleted(place, &options))
}

/// The 429 of an eviction that a budget does not allow.
pub fn blocked(budget: &Value) -> Response {
    let name = budget["metadata"]["name"].as_str().unwrap_or_default();
    let (wanted, now) = (&budget["status"]["desiredHealthy"], &budget["status"]["currentHealthy"]);
    let cause = format!("The disruption budget {name} needs {wanted} healthy pods and has {now} currently");
    let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "TooManyRequests", "code": 429,
        "message": "Cannot evict pod as it would violate the pod's disruption budget.",
        "details": {"causes": [{"reason": "DisruptionBudget", "message": cause}]}});
    respond(StatusCode::TOO_MANY_REQUESTS, &body)
}

/// The answer to a write.
pub fn written(place: &Place, name: &str, outcome: Result<Arc<str>, Refused>) -> Response {
    match outcome {
        Ok(object) => text(StatusCode::OK, object.to_string()),
        Err(Refused::Missing) => missing(place, name),
        Err(Refused::Invalid(why)) => failure(422, "Invalid", &why),
        Err(Refused::Conflict(why)) => {
            let (plural, group) = (&place.resource.plural, &place.resource.group);
            let full = if group.is_empty() { plural.to_string() } else { format!("{plural}.{group}") };
            failure(409, "Conflict", &format!("Operation cannot be fulfilled on {full} \"{name}\": {why}"))
        }
    }
}
