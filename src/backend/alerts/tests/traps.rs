//! What the two servers and whatever stands before them answer besides what was asked for.

use reqwest::header::HeaderMap;

use crate::backend::alerts::client::refusal;
use crate::backend::alerts::cluster::Observation;
use crate::backend::alerts::promwire::{Envelope, Queried, RuleAlert};
use crate::backend::alerts::wire::{Alert, Silence, Status};
use crate::backend::http::{Call, Payload, Reply};

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

#[test]
fn an_alert_out_of_a_webhook_has_no_end_yet_and_a_status_of_another_shape() {
    // `POST` of a notification, version 4: a firing alert ends in the year 1, and `status` is a word.
    let body = r#"{"version":"4","receiver":"ops","status":"firing","truncatedAlerts":0,"alerts":[
        {"status":"firing","labels":{"alertname":"X"},"annotations":{},"startsAt":"2026-11-22T09:54:46.860Z",
         "endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"9f3e929a6fe20fb3"}]}"#;
    let group: crate::backend::alerts::wire::AlertGroup = serde_json::from_str(body).unwrap();
    let alert = &group.alerts[0];
    assert_eq!((alert.ends_at, alert.status.state.as_str()), (None, ""));
    assert_eq!(
        (alert.fingerprint.as_str(), alert.starts_at),
        ("9f3e929a6fe20fb3", "2026-11-22T09:54:46.860Z".parse().ok())
    );
}

#[tokio::test]
async fn clusters_are_instances_of_their_own_and_members_are_not() {
    let mut lab = lab("calm").await;
    lab.config.prometheus.clear();
    let names = |config: &Config| -> Vec<String> {
        let backends = connect(config, &lab.world.clock);
        backends.iter().map(|backend| backend.instance().to_string()).collect()
    };
    assert_eq!(names(&lab.config), ["lab"]);
    let mut apart = lab.config.clone();
    apart.alertmanager[1].cluster = Some("oci".into());
    assert_eq!(names(&apart), ["lab", "oci"]);
    apart.alertmanager.iter_mut().for_each(|member| member.cluster = None);
    assert_eq!(names(&apart), ["alertmanager-1", "alertmanager-2"]);
}

#[tokio::test]
async fn a_member_that_nobody_configured_is_asked_for() {
    let mut lab = lab("calm").await;
    let says = async |config: &Config| {
        let doctor = connect(config, &lab.world.clock)[0].doctor().await;
        doctor.findings.into_iter().find(|finding| finding.what == "members").map(|finding| finding.says)
    };
    assert_eq!(says(&lab.config).await, None);
    lab.config.alertmanager.pop();
    let said = says(&lab.config).await.unwrap();
    assert!(said.contains("2 members, 1 configured"), "{said}");
}

#[tokio::test]
async fn a_member_that_settles_or_has_another_clock_is_told_of_and_not_trusted() {
    let lab = lab("calm").await;
    let cluster = Cluster::new(&lab.config.alertmanager.iter().collect::<Vec<_>>(), &lab.world.clock);
    let mut seen = Observation::clone(&*cluster.observe(0).await.unwrap());
    assert_eq!(watch::member_notes(&cluster, &seen, "Watchdog"), [""; 0]);
    let told = seen.members[0].told.as_mut().unwrap();
    Arc::make_mut(&mut told.status).cluster.status = "settling".into();
    seen.members[1].ahead = -90;
    let notes = watch::member_notes(&cluster, &seen, "Watchdog");
    assert!(notes[0].starts_with("alertmanager-1 is settling"), "{notes:?}");
    assert_eq!(notes[1], "the clock of alertmanager-2 is 90s behind ours");
    let instance = Arc::from("lab");
    let around = Around::plain(&instance, Domain::Home, lab.world.clock.now());
    let rows = rows::trust::of_cluster(&cluster, &seen, "Watchdog", around);
    let blind: Vec<_> = rows.iter().filter(|row| row.health != Health::Ok).map(|row| &*row.name).collect();
    assert_eq!(blind, ["cluster alertmanager-1"]);
}

#[tokio::test]
async fn each_sender_needs_a_watchdog_that_was_heard_lately() {
    let lab = lab("calm").await;
    let cluster = Cluster::new(&lab.config.alertmanager.iter().collect::<Vec<_>>(), &lab.world.clock);
    let mut seen = Observation::clone(&*cluster.observe(0).await.unwrap());
    let now = lab.world.clock.now();
    let instance = Arc::from("lab");
    let around = Around::plain(&instance, Domain::Home, now);
    let blind = |seen: &Observation| -> Vec<String> {
        let rows = rows::trust::of_cluster(&cluster, seen, "Watchdog", around);
        let rows = rows.iter().filter(|row| row.health != Health::Ok);
        rows.map(|row| format!("{}: {}", row.name, row.note.as_deref().unwrap_or_default())).collect()
    };
    assert_eq!(blind(&seen), [""; 0]);
    let mut other =
        seen.alerts.iter().find(|held| held.alert.labels.get("alertname") == "Watchdog").unwrap().clone();
    let pairs = [("alertname", "Watchdog"), ("prometheus", "second")];
    other.alert.labels = pairs.into_iter().collect();
    other.alert.updated_at = Some(now - SignedDuration::from_secs(200));
    seen.alerts.push(other);
    let said = blind(&seen);
    assert_eq!(said.len(), 1, "the first sender is still heard: {said:?}");
    assert!(said[0].starts_with("watchdog second: the alert path is broken: last heard 3m"), "{said:?}");
    seen.alerts.retain(|held| held.alert.labels.get("alertname") != "Watchdog");
    assert!(blind(&seen)[0].starts_with("watchdog: no Watchdog alert"), "{:?}", blind(&seen));
}

#[tokio::test]
async fn the_server_forgives_a_wrong_boolean_and_no_wrong_filter_and_keeps_what_is_good_of_a_post() {
    let lab = lab("calm").await;
    let member = &lab.config.alertmanager[0];
    let http = client::open(&member.connection, &member.auth).unwrap();
    let list = async |query: &[(&'static str, &str)]| {
        let call =
            query.iter().fold(Call::get("/api/v2/alerts"), |call, (name, value)| call.query(*name, *value));
        let reply = http.read(&call).await.unwrap();
        (reply.status, reply.json::<Vec<Alert>>().map(|list| list.len()).unwrap_or_default())
    };
    let (_, all) = list(&[("nonsense", "1")]).await;
    let (status, suppressed) = list(&[("active", "maybe")]).await;
    assert!(status == 200 && suppressed > 0 && suppressed < all, "{suppressed} of {all}");
    assert_eq!(list(&[("filter", "{a=\"b\",c=\"d\"}")]).await, (400, 0));
    assert_eq!(
        list(&[("filter", "alertname=~\"Watch.*\""), ("receiver", "dead")]).await,
        (200, 0),
        "anchored"
    );
    let mixed = json!([{"labels": {"alertname": "Good"}}, {"labels": {}}, {"labels": {"bad-name": "x"}}]);
    assert_eq!(lab.post(0, mixed).await, 400);
    assert_eq!(list(&[("filter", "alertname=Good")]).await, (200, 1));
    let text = http.write(&Call::post("/api/v2/alerts", Payload::Form(Vec::new()))).await.unwrap();
    assert_eq!(text.status, 415);
}
