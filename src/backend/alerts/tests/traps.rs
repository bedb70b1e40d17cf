//! What the two servers and whatever stands before them answer besides what was asked for.

use reqwest::header::HeaderMap;

use crate::backend::alerts::client::refusal;
use crate::backend::alerts::promwire::{Envelope, Queried, RuleAlert};
use crate::backend::alerts::wire::{Alert, Silence, Status};
use crate::backend::http::Reply;

use super::*;

fn reply(status: u16, body: &str) -> Reply {
    let url = "http://alertmanager.lab.example".into();
    Reply::assembled(status, url, HeaderMap::new(), body.as_bytes().to_vec())
}

#[test]
fn a_refusal_is_read_in_each_of_the_forms_in_which_it_comes() {
    let cases = [
        (400, r#""bad matcher format: {a=b}""#, Layer::App, "bad matcher format: {a=b}"),
        (
            422,
            r#"{"code":612,"message":"matchers in body should have at least 1 items"}"#,
            Layer::App,
            "at least 1",
        ),
        (
            400,
            r#"{"status":"error","errorType":"bad_data","error":"1:4: parse error"}"#,
            Layer::App,
            "1:4: parse",
        ),
        (401, "Unauthorized\n", Layer::Auth, "credential is missing or wrong"),
        (403, "<html>forbidden</html>", Layer::Auth, "may not do this"),
        (
            503,
            "Limit of concurrent GET requests reached (8), try again later.\n",
            Layer::App,
            "busy or not ready",
        ),
        (404, "404 page not found", Layer::App, "no such API"),
        (404, "", Layer::App, "no such API"),
        (404, r#""silence not found""#, Layer::App, "silence not found"),
        (500, r#""silence not found""#, Layer::App, "silence not found"),
        (500, "", Layer::App, "the server refused"),
    ];
    for (status, body, layer, what) in cases {
        let error = refusal(&reply(status, body));
        assert!(error.fault.what.contains(what), "{status} {body}: {error}");
        assert_eq!((error.fault.layer, error.fault.status), (layer, Some(status)), "{status} {body}");
    }
}

#[test]
fn fields_that_a_version_does_not_have_cost_nothing() {
    let alone = r#"{"cluster":{"status":"disabled","peers":[]},"uptime":"2026-11-22T09:00:00Z","versionInfo":{"version":"0.25.0"},"config":{"original":""}}"#;
    let status: Status = serde_json::from_str(alone).unwrap();
    assert_eq!(status.cluster.status, "disabled");
    for bare in ["{}", r#"{"labels":{},"annotations":{},"status":{"state":"active"}}"#] {
        let alert: Alert = serde_json::from_str(bare).unwrap();
        assert!(alert.labels.find("alertname").is_none() && alert.status.muted_by.is_empty(), "{bare}");
    }
    let offset = r#"{"id":"a","endsAt":"2026-11-22T23:00:00.000+01:00","status":{"state":"active"}}"#;
    let silence: Silence = serde_json::from_str(offset).unwrap();
    assert_eq!(silence.ends_at, "2026-11-22T22:00:00Z".parse().ok());
}

#[test]
fn numbers_of_prometheus_are_texts_and_some_are_none() {
    let body = r#"{"status":"success","warnings":["PromQL warning: one store did not answer"],"data":{"resultType":"matrix","result":[
        {"metric":{},"values":[[1,"9.3e+01"],[2,"NaN"],[3,"+Inf"],[4,"-Inf"],["soon","1"]]}]}}"#;
    let answer: Envelope<Queried> = serde_json::from_str(body).unwrap();
    let values: Vec<_> = answer.data.result[0].values.0.iter().map(|sample| sample.value).collect();
    assert_eq!(values, [Some(93.0), None, None, None, Some(1.0)]);
    assert_eq!(answer.warnings.len(), 1);
    let held = r#"{"labels":{"alertname":"X"},"state":"firing","activeAt":"2026-11-22T09:54:26.860Z","value":"1e+00","keepFiringSince":"2026-11-22T10:00:00Z"}"#;
    let alert: RuleAlert = serde_json::from_str(held).unwrap();
    assert!(alert.keep_firing_since.is_some() && alert.value == Some(1.0));
}

#[tokio::test]
async fn whatever_stands_before_it_is_named_and_never_read_as_an_empty_list() {
    let lab = patient_lab("calm", Duration::from_secs(1)).await;
    let cases = [
        (FaultKind::Login, Layer::Edge),
        (FaultKind::Challenge, Layer::Edge),
        (FaultKind::BadGateway, Layer::Edge),
        (FaultKind::Status(401), Layer::Auth),
        (FaultKind::Status(403), Layer::Auth),
        (FaultKind::Status(500), Layer::App),
        (FaultKind::Truncated, Layer::App),
        (FaultKind::Timeout, Layer::Http),
    ];
    for (kind, layer) in cases {
        lab.world.inject(Fault::on("alertmanager", kind.clone()));
        let polled = lab.alertmanager().poll(&lab.alertmanager().sources()[0].id).await;
        let error = polled.expect_err("an empty list would read as all clear");
        assert_eq!(error.fault.layer, layer, "{kind:?}: {error}");
        lab.world.clear_faults();
    }
}

#[tokio::test]
async fn addresses_and_tokens_of_receivers_never_come_out_of_the_configuration() {
    let lab = lab("calm").await;
    let list = lab.list().await;
    assert!(list.rows.iter().any(|row| row.id.kind.as_str() == kinds::RECEIVERS));
    let mut said = format!("{:?}", list.rows);
    for row in list.rows.iter().filter(|row| row.id.kind.as_str() == kinds::RECEIVERS) {
        said.push_str(&text(&describe(lab.alertmanager(), &row.id).await));
    }
    assert!(!said.contains("/ping/watchdog") && !said.contains("127.0.0.1:9095"), "{said}");
}

#[tokio::test]
async fn expiring_what_is_not_there_is_a_refusal_in_either_version() {
    let lab = lab("calm").await;
    let member = &lab.config.alertmanager[0];
    let http = client::open(&member.connection, &member.auth).unwrap();
    let unknown = "00000000-0000-4000-8000-000000000000";
    let error = client::Alertmanager(&http).expire(unknown).await.unwrap_err();
    assert!(matches!(&error, SendError::Refused(fault) if fault.what.contains("not found")), "{error:?}");
    let error = client::Alertmanager(&http).expire("../../-/reload").await.unwrap_err();
    assert!(matches!(error, SendError::NotSent(_)), "only an id goes into a path");
    assert_eq!(client::Alertmanager(&http).silence(unknown).await.unwrap(), None);
}
