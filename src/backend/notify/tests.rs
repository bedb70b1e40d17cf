//! Topics read and a test message sent, against the simulator over HTTP.

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;
use tokio::sync::mpsc;

use crate::backend::http::Reply;
use crate::backend::sim::{Running, Setting, Size, World, serve};
use crate::config::{Connection, HttpAuth, Secret, SecretSource};
use crate::model::op::RunId;
use crate::model::row::Domain;
use crate::model::snapshot::Layer;

use super::*;

async fn lab(token: Option<&str>) -> (Arc<World>, Running, Notify) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let world = World::new(Clock::System, 7, "calm", Size::default());
    let (running, simulator) = serve(sim::all(&world).remove(0), world.clone()).await.unwrap();
    let settings: BTreeMap<_, _> = (simulator.tables[0].1)(&running.address).into_iter().collect();
    let Some(Setting::Secret(real)) = settings.get("bearer") else { panic!("no token") };
    let connection =
        Connection { domain: Domain::Home, ..Connection::to("ntfy", running.address.url.clone()) };
    let bearer = Secret::new(SecretSource::Memory(token.unwrap_or(real).into()));
    let config = config::Ntfy {
        connection,
        auth: HttpAuth::Bearer(bearer),
        topics: vec!["lab-critical".into()],
        publish: Some("lab-test".into()),
    };
    let http = client::open(&config);
    (world, running, Notify { config, http, clock: Clock::System })
}

fn job(message: &str) -> Job {
    Job {
        run: RunId("run".into()),
        op: NTFY.into(),
        target: Target {
            id: EntityId::new(MESSAGES, "ntfy", "vigie: test"),
            name: "vigie: test".into(),
            identity: Identity::new(),
            domain: Domain::Home,
        },
        args: [("message", message), ("priority", "high")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        reason: None,
        operator: "alice".into(),
    }
}

#[tokio::test]
async fn what_the_phone_was_told_is_a_row_that_leads_back_to_the_alert() {
    let (_world, _running, notify) = lab(None).await;
    let list = notify.list().await.unwrap();
    assert_eq!(list.rows.len(), 2, "the open event is no message");
    let row = &list.rows[0];
    assert_eq!((&*row.name, row.cells[0].value.as_text()), ("HighMemoryUsage oci-node-1", Some("default")));
    assert!(row.facets.iter().any(|facet| &*facet.value == "HighMemoryUsage"));
}

#[tokio::test]
async fn a_test_message_is_sent_once_and_read_back_from_the_topic() {
    let (_world, _running, notify) = lab(None).await;
    let job = job("grüße ✓");
    assert_eq!(notify.preflight(&job).await.unwrap().decision, Decision::Allow);
    let since = Timestamp::now();
    let receipt = notify.operate(&job, mpsc::channel(1).0).await.unwrap();
    let proof = notify.verify(&job, receipt.remote.as_deref(), since).await.unwrap();
    assert!(matches!(&proof, Proof::Seen(text) if text.starts_with("lab-test holds it")), "{proof:?}");
    let list = notify.list().await.unwrap();
    let sent = list.rows.iter().find(|row| &*row.name == "vigie: test").unwrap();
    assert_eq!(sent.cells[2].value.as_text(), Some("grüße ✓"));
    assert_eq!(list.rows.len(), 3);
}

#[tokio::test]
async fn a_lost_answer_is_found_by_its_words_and_what_never_came_is_unclear_at_first() {
    let (world, _running, notify) = lab(None).await;
    world.inject("ntfy:lost-answer@POST /*1".parse().unwrap());
    let (job, since) = (job("only once"), Timestamp::now());
    assert!(matches!(notify.operate(&job, mpsc::channel(1).0).await, Err(SendError::Unknown(_))));
    assert!(matches!(notify.verify(&job, None, since).await.unwrap(), Proof::Seen(_)));
    let other = Job { args: BTreeMap::default(), ..job };
    assert!(matches!(notify.verify(&other, None, since).await.unwrap(), Proof::Unclear(..)));
    let long_ago = since - jiff::SignedDuration::from_mins(5);
    assert!(matches!(notify.verify(&other, Some("nothing"), long_ago).await.unwrap(), Proof::Absent(_)));
}

#[tokio::test]
async fn refusals_carry_its_own_words() {
    let (_world, _running, notify) = lab(Some("tk_wrong")).await;
    let error = notify.list().await.unwrap_err();
    assert_eq!((error.fault.layer, error.fault.status), (Layer::Auth, Some(401)));
    assert!(error.fault.hint.contains("topics"), "{error}");
}

#[tokio::test]
async fn without_a_topic_to_publish_to_nothing_is_sent() {
    let (_world, _running, mut notify) = lab(None).await;
    notify.config.publish = None;
    assert_eq!(notify.preflight(&job("x")).await.unwrap().decision, Decision::Refuse);
    assert!(notify.rights().await.unwrap().missing.contains_key(NTFY));
}

#[test]
fn lines_that_are_no_messages_are_skipped_and_what_is_absent_has_the_servers_default() {
    let stream = br#"{"id":"o","time":1764410400,"event":"open","topic":"t"}
{"id":"k","time":1764410445,"event":"keepalive","topic":"t"}
{"id":"m","time":1764410450,"event":"message","topic":"t","message":"hello","expires":1764453650}
{"id":"p","time":1764410451,"event":"poll_request","topic":"t"}
{"id":"n","event":"something-new","topic":"t"}
{"id":"w","time":"soon","event":"message","priority":[5],"tags":"x","message":7}
"#;
    let found = client::lines(stream).unwrap();
    let ids: Vec<&str> = found.iter().map(|message| &*message.id).collect();
    assert_eq!(ids, ["m", "w"]);
    assert_eq!(priority(found[0].priority.0).0, "default");
    assert!(client::lines(b"{\"id\":\"m\",\"event\":\"mess").is_err(), "half a line is no end of the list");
    assert!(client::lines(b"\n").unwrap().is_empty());
}

#[test]
fn each_refusal_says_what_cures_it() {
    let cases = [
        (401, r#"{"code":40101,"http":401,"error":"unauthorized"}"#, Layer::Auth, "credential"),
        (403, r#"{"code":40301,"http":403,"error":"forbidden"}"#, Layer::Auth, "credential"),
        (429, r#"{"code":42901,"http":429,"error":"limit reached: too many requests"}"#, Layer::App, "wait"),
        (
            429,
            r#"{"code":42903,"http":429,"error":"limit reached: too many subscriptions"}"#,
            Layer::App,
            "wait",
        ),
        (400, r#"{"code":40024,"http":400,"error":"invalid request"}"#, Layer::App, ""),
    ];
    for (status, body, layer, hint) in cases {
        let reply = Reply::assembled(
            status,
            "http://ntfy.example".into(),
            HeaderMap::new(),
            body.as_bytes().to_vec(),
        );
        let error = client::refusal(&reply);
        assert_eq!((error.fault.layer, error.fault.status), (layer, Some(status)), "{body}");
        assert!(error.fault.hint.contains(hint) && !error.fault.what.is_empty(), "{error}");
    }
}

#[tokio::test]
async fn what_would_become_an_attachment_is_refused() {
    let (_world, _running, notify) = lab(None).await;
    let long = "ü".repeat(2048);
    assert_eq!(notify.preflight(&job(&long)).await.unwrap().decision, Decision::Allow);
    assert_eq!(notify.preflight(&job(&format!("{long}."))).await.unwrap().decision, Decision::Refuse);
}
