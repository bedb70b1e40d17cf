use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::backend::sim::{Running, serve};
use crate::model::time::Clock;

use super::*;

async fn lab() -> (Running, reqwest::Client) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = Clock::manual("2026-11-22T12:00:00Z".parse().unwrap());
    let world = World::new(clock, 7, "calm", crate::backend::sim::Size::default());
    let (running, _) = serve(simulators(&world).remove(0), world).await.unwrap();
    (running, reqwest::Client::builder().no_proxy().build().unwrap())
}

/// Method, path, account, body; status and a part of the answer.
type Case<'a> = (&'a str, &'a str, &'a str, Option<&'a str>, u16, &'a str);

/// Sends a request as `account`, and tells status, media type and body.
async fn ask(method: &str, path: &str, account: &str, body: Option<&str>) -> (StatusCode, String, Value) {
    let (running, client) = lab().await;
    let url = format!("{}{path}", running.address.url);
    let mut request = client.request(method.parse().unwrap(), url).header("host", HOST);
    if !account.is_empty() {
        request = request.bearer_auth(caller::key(7, account));
    }
    if let Some(body) = body {
        let media =
            if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
        request = request.header("content-type", media).body(body.to_owned());
    }
    let reply = request.send().await.unwrap();
    let media =
        reply.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    let status = reply.status();
    let body = reply.text().await.unwrap();
    (status, media, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

#[tokio::test]
async fn unknown_parameters_are_ignored_and_everything_comes_back() {
    for query in ["?username__iexact=aunt", "?pk=9", "?id=9", "?is_active=maybe", "?group=family"] {
        let (status, _, body) = ask("GET", &format!("/api/v3/core/users/{query}"), "ops-console", None).await;
        assert_eq!((status.as_u16(), &body["pagination"]["count"]), (200, &json!(12)), "{query}");
    }
}

#[tokio::test]
async fn exact_filters_are_exact_and_a_search_is_not() {
    let cases =
        [("?username=aunt", 1), ("?username=AUNT", 0), ("?search=AUNT", 2), ("?email=aunt@lab.example", 1)];
    for (query, count) in cases {
        let (_, _, body) = ask("GET", &format!("/api/v3/core/users/{query}"), "ops-console", None).await;
        assert_eq!(body["pagination"]["count"], json!(count), "{query}");
    }
}

#[tokio::test]
async fn refusals_come_in_the_shapes_of_the_real_server() {
    let add = "/api/v3/stages/invitation/invitations/";
    let cases: [Case<'_>; 12] = [
        ("GET", "/api/v3/core/users/", "", None, 403, "not provided"),
        ("GET", "/api/v3/core/users/", "nobody", None, 403, "Token invalid/expired"),
        ("GET", "/api/v3/core/users/", "backup", None, 403, "Token invalid/expired"),
        ("GET", "/api/v3/core/users/", "ci-github", None, 403, "do not have permission"),
        ("GET", "/api/v3/core/users/?type=robot", "ops-console", None, 400, "Select a valid choice"),
        ("GET", "/api/v3/core/users/?page=99", "ops-console", None, 404, "Invalid page."),
        ("GET", "/api/v3/core/users/999/", "ops-console", None, 404, "No User matches"),
        ("GET", "/api/v3/core/users", "ops-console", None, 404, "<!DOCTYPE html>"),
        ("PUT", "/api/v3/core/users/me/", "ops-console", Some("{}"), 405, "not allowed"),
        ("POST", add, "ops-console", Some("a=1"), 415, "Unsupported media type"),
        ("POST", add, "ops-console", Some("{bad"), 400, "JSON parse error"),
        (
            "POST",
            add,
            "ops-console",
            Some(r#"{"name":"Bad Name !","expires":"soon"}"#),
            400,
            "Datetime has wrong format",
        ),
    ];
    for (method, path, account, body, status, text) in cases {
        let (got, _, answer) = ask(method, path, account, body).await;
        assert_eq!(got.as_u16(), status, "{method} {path}");
        assert!(answer.to_string().contains(text), "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn a_single_use_invitation_is_gone_when_its_link_is_opened() {
    let (running, client) = lab().await;
    let key = homelab::invitation_key(7, "invite-navidrome-a1");
    let url =
        format!("{}/api/v3/flows/executor/{}/?query=itoken%3D{key}", running.address.url, homelab::ENROLMENT);
    for component in ["ak-stage-prompt", "ak-stage-access-denied"] {
        let reply = client.get(&url).header("host", HOST).send().await.unwrap();
        let stage: Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap();
        assert_eq!(stage["component"], component);
    }
}

#[tokio::test]
async fn the_plain_list_of_applications_is_cut_and_its_count_is_not() {
    let (_, _, body) =
        ask("GET", "/api/v3/core/applications/?superuser_full_list=true", "ops-console", None).await;
    assert_eq!(body["pagination"]["count"], json!(6));
    assert_eq!(body["results"].as_array().unwrap().len(), 1);
}
