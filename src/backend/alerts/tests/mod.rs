//! The backend against its own simulators over real HTTP.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::backend::sim::{Fault, FaultKind, Running, Setting, Size, World, serve};
use crate::backend::{Backend, Proof};
use crate::config::{self, Config, Connection, HttpAuth, Secret, SecretSource};
use crate::model::id::{EntityId, KindId};
use crate::model::op::{Decision, Job, RunId};
use crate::model::row::{Domain, Health, Row};
use crate::model::snapshot::{Layer, Snapshot};
use crate::model::time::Clock;
use crate::model::view::{Body, Doc, View};

use super::super::error::SendError;
use super::*;

mod acks;
mod told;
mod traps;

const BEGAN: &str = "2026-11-22T10:00:00Z";

/// A running lab and a console connected to it.
struct Lab {
    world: Arc<World>,
    servers: Vec<Running>,
    config: Config,
    backends: Vec<Arc<dyn Backend>>,
}

fn connection(name: &str, url: &str) -> Connection {
    Connection { domain: Domain::Home, timeout: Duration::from_secs(20), ..Connection::to(name, url) }
}

async fn lab(scenario: &str) -> Lab {
    patient_lab(scenario, Duration::from_secs(20)).await
}

/// Starts the simulators and reads their settings as the configuration file would give them.
async fn patient_lab(scenario: &str, timeout: Duration) -> Lab {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = Clock::manual(BEGAN.parse().unwrap());
    let world = World::new(clock.clone(), 7, scenario, Size::default());
    let mut servers = Vec::new();
    let mut config = Config { operator: "alice".into(), ..Config::default() };
    for simulator in sim::all(&world) {
        let (running, simulator) = serve(simulator, world.clone()).await.unwrap();
        for (table, settings) in &simulator.tables {
            let settings: BTreeMap<_, _> = settings(&running.address).into_iter().collect();
            let text = |key: &str| match settings.get(key) {
                Some(Setting::Text(text) | Setting::Secret(text)) => text.clone(),
                _ => String::new(),
            };
            let connection = Connection { timeout, ..connection(&text("name"), &text("url")) };
            if *table == "prometheus" {
                config.prometheus.push(config::Prometheus { connection, auth: HttpAuth::None });
                continue;
            }
            let password = Secret::new(SecretSource::Memory(text("password").into()));
            let auth = HttpAuth::Basic { user: text("user"), password };
            config.alertmanager.push(config::Alertmanager {
                connection,
                cluster: Some(text("cluster")),
                auth,
            });
        }
        servers.push(running);
    }
    let backends = connect(&config, &clock);
    Lab { world, servers, config, backends }
}

impl Lab {
    fn alertmanager(&self) -> &Arc<dyn Backend> {
        &self.backends[0]
    }

    fn prometheus(&self) -> &Arc<dyn Backend> {
        &self.backends[1]
    }

    async fn list(&self) -> Snapshot {
        let source = &self.alertmanager().sources()[0].id;
        self.alertmanager().poll(source).await.unwrap()
    }

    async fn rules(&self) -> Snapshot {
        let source = &self.prometheus().sources()[0].id;
        self.prometheus().poll(source).await.unwrap()
    }

    /// Waits for nothing: the manual clock moves, and whatever is remembered grows old.
    fn pass(&self, seconds: i64) {
        self.world.clock.advance(SignedDuration::from_secs(seconds));
    }

    async fn alert(&self, name: &str) -> Row {
        named(&self.list().await, name)
    }

    async fn post(&self, server: usize, alerts: Value) -> u16 {
        let member = &self.config.alertmanager[server];
        let http = client::open(&member.connection, &member.auth).unwrap();
        let call =
            crate::backend::http::Call::post("/api/v2/alerts", crate::backend::http::Payload::Json(alerts));
        http.write(&call).await.unwrap().status
    }

    /// Checks, sends and reads back, as the executor does it.
    async fn run(&self, job: &mut Job) -> (Decision, Option<Result<Proof, SendError>>) {
        let backend = self.alertmanager();
        let verdict = backend.preflight(job).await.unwrap();
        if verdict.decision == Decision::Refuse {
            return (verdict.decision, None);
        }
        job.target.identity = job.target.identity.clone().joined(&verdict.identity);
        let now = backend.identify(&job.target.id).await.unwrap();
        assert_eq!(job.target.identity.conflicts(&now), []);
        let sent = self.world.clock.now();
        let outcome = backend.operate(job, mpsc::channel(8).0).await;
        let remote = outcome.as_ref().ok().and_then(|receipt| receipt.remote.clone());
        if let Err(error) = outcome {
            return (verdict.decision, Some(Err(error)));
        }
        (verdict.decision, Some(Ok(backend.verify(job, remote.as_deref(), sent).await.unwrap())))
    }
}

fn named(snapshot: &Snapshot, name: &str) -> Row {
    snapshot.rows.iter().find(|row| &*row.name == name).unwrap_or_else(|| panic!("no {name}")).clone()
}

fn job(op: &str, row: &Row, args: &[(&str, &str)]) -> Job {
    Job {
        run: RunId("run".into()),
        op: op.into(),
        target: row.clone().into(),
        args: args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        reason: None,
        operator: "alice".into(),
    }
}

fn cell<'a>(row: &'a Row, column: &str) -> &'a crate::model::row::Value {
    let kind = kinds::all().into_iter().find(|kind| kind.id == row.id.kind).unwrap();
    &row.cells[kind.column(column).unwrap()].value
}

fn word(row: &Row, column: &str) -> String {
    cell(row, column).as_text().unwrap_or_default().to_owned()
}

async fn describe(backend: &Arc<dyn Backend>, id: &EntityId) -> Doc {
    let (sink, mut views) = mpsc::channel(1);
    let (backend, id) = (backend.clone(), id.clone());
    let task = tokio::spawn(async move { backend.open(&id, "describe", sink).await });
    let view = views.recv().await;
    drop(views);
    match view {
        Some(View::Doc(doc)) => doc,
        _ => panic!("{:?}", task.await),
    }
}

fn text(doc: &Doc) -> String {
    let section = |section: &crate::model::view::Section| {
        let lines: Vec<String> = match &section.body {
            Body::Facts(facts) => {
                facts.iter().map(|fact| format!("{}: {:?}", fact.label, fact.value)).collect()
            }
            Body::Lines(lines) => lines.iter().map(|line| line.text.clone()).collect(),
            Body::Series(_) => Vec::new(),
            Body::Table { rows, .. } => rows.iter().map(|row| format!("{row:?}")).collect(),
        };
        format!("# {}\n{}\n", section.heading, lines.join("\n"))
    };
    doc.sections.iter().map(section).collect()
}

#[tokio::test]
async fn the_pair_is_one_instance_and_its_alerts_have_values() {
    let lab = lab("calm").await;
    let names: Vec<&str> = lab.backends.iter().map(|backend| &**backend.instance()).collect();
    assert_eq!(names, ["lab", "prometheus"]);
    let list = lab.list().await;
    assert!(list.complete, "{:?}", list.notes);
    let memory = named(&list, "HighMemoryUsage");
    assert_eq!((word(&memory, "state"), word(&memory, "seen")), ("firing".into(), "2/2".into()));
    assert_eq!((memory.health, word(&memory, "on")), (Health::Warning, "oci-node-1".into()));
    assert!(cell(&memory, "value").as_number().unwrap() >= 82.0);
    assert_eq!(named(&list, "Watchdog").health, Health::Ok);
}

#[tokio::test]
async fn every_quiet_alert_says_why() {
    let lab = lab("calm").await;
    let list = lab.list().await;
    let certificate = named(&list, "CertificateExpiringSoon");
    assert_eq!(word(&certificate, "state"), "silenced");
    assert_eq!(certificate.note.as_deref(), Some("admin1, 3h left: renewal waits for DNS-01"));
    let throttled = named(&list, "CPUThrottlingHigh");
    assert_eq!((word(&throttled, "state"), throttled.health), ("inhibited".into(), Health::Off));
    let doc = text(&describe(lab.alertmanager(), &certificate.id).await);
    for part in [
        "admin1",
        "renewal waits for DNS-01",
        "# labels",
        "# expression",
        "probe_ssl_earliest_cert_expiry",
        "2/2",
    ] {
        assert!(doc.contains(part), "{part} in {doc}");
    }
}

#[tokio::test]
async fn pending_alerts_and_broken_rules_come_from_prometheus() {
    let lab = lab("calm").await;
    lab.list().await;
    let rules = lab.rules().await;
    let pending = named(&rules, "StatefulSetNotReady");
    let pending_alert = rules.rows.iter().find(|row| row.id.kind == KindId::from(kinds::ALERTS)).unwrap();
    assert_eq!((word(pending_alert, "state"), &pending_alert.name), ("pending".into(), &pending.name));
    let broken = named(&rules, "NodeLoadPerCore");
    assert_eq!((word(&broken, "state"), broken.health), ("broken".into(), Health::Warning));
    let others = rules.rows.iter().filter(|row| row.id.kind == KindId::from(kinds::ALERTS)).count();
    assert_eq!(others, 1, "what fires is told by the Alertmanagers");
    let doc = text(&describe(lab.prometheus(), &broken.id).await);
    assert!(doc.contains("duplicate series"), "{doc}");
}

#[tokio::test]
async fn an_alert_on_one_member_only_is_in_the_union() {
    let lab = lab("calm").await;
    assert_eq!(lab.post(0, json!([{"labels": {"alertname": "OnlyOnOne"}}])).await, 200);
    let row = lab.alert("OnlyOnOne").await;
    assert_eq!((word(&row, "seen"), row.health), ("1/2".into(), Health::Unknown));
}

#[tokio::test]
async fn with_one_member_gone_the_rest_is_shown_and_never_called_complete() {
    let lab = lab("calm").await;
    lab.world.inject(Fault::on("alertmanager-2", FaultKind::BadGateway));
    let list = lab.list().await;
    assert!(!list.complete && list.rows.len() > 5);
    assert!(list.notes.iter().any(|note| note.contains("alertmanager-2")), "{:?}", list.notes);
    lab.world.inject(Fault::on("alertmanager-1", FaultKind::Login));
    let error = lab.alertmanager().poll(&lab.alertmanager().sources()[0].id).await.unwrap_err();
    assert_eq!(error.fault.layer, Layer::Edge);
}

#[tokio::test]
async fn a_dead_prometheus_costs_values_and_nothing_else() {
    let lab = lab("calm").await;
    lab.world.inject(Fault::on("prometheus", FaultKind::Reset));
    let memory = lab.alert("HighMemoryUsage").await;
    assert_eq!(cell(&memory, "value").as_number(), None);
    assert!(lab.prometheus().poll(&lab.prometheus().sources()[0].id).await.is_err());
}

#[tokio::test]
async fn wrong_types_cost_cells_and_truncation_the_answer() {
    let lab = lab("calm").await;
    lab.world.inject(Fault::on("alertmanager-2", FaultKind::WrongTypes));
    lab.world.inject(Fault::on("prometheus", FaultKind::WrongTypes));
    let list = lab.list().await;
    assert!(list.rows.iter().any(|row| &*row.name == "HighMemoryUsage"));
    lab.world.inject(Fault::on("alertmanager-1", FaultKind::Truncated));
    lab.world.inject(Fault::on("alertmanager-2", FaultKind::Truncated));
    let error = lab.alertmanager().poll(&lab.alertmanager().sources()[0].id).await.unwrap_err();
    assert!(error.fault.what.contains("breaks off"), "{error}");
}

#[tokio::test]
async fn a_silence_is_made_extended_under_its_id_and_expired() {
    let lab = lab("calm").await;
    let alert = lab.alert("HighMemoryUsage").await;
    let mut silence = job(kinds::SILENCE, &alert, &[("duration", "1h"), ("comment", "reboot tonight")]);
    let (decision, proof) = lab.run(&mut silence).await;
    assert_eq!(decision, Decision::Allow);
    assert!(matches!(proof, Some(Ok(Proof::Seen(ref said))) if said.ends_with("kept quiet: 1")), "{proof:?}");
    let list = lab.list().await;
    let quiet = named(&list, "HighMemoryUsage");
    assert_eq!(quiet.note.as_deref(), Some("alice, 60m left: reboot tonight"));
    let row = list.rows.iter().find(|row| word_or_none(row, "comment") == "reboot tonight").unwrap().clone();
    assert_eq!(cell(&row, "hits").as_number(), Some(1.0));

    lab.pass(600);
    let row = fresh(&lab, &row).await;
    let mut extend = job(kinds::EXTEND, &row, &[("duration", "30m")]);
    let (_, proof) = lab.run(&mut extend).await;
    assert!(matches!(proof, Some(Ok(Proof::Seen(_)))), "{proof:?}");
    let longer = fresh(&lab, &row).await;
    let gained = cell(&longer, "ends").as_number().unwrap() - cell(&row, "ends").as_number().unwrap();
    assert!((gained - 1800.0).abs() < 0.5, "{gained}");

    let (_, proof) = lab.run(&mut job(kinds::EXPIRE, &longer, &[])).await;
    assert!(matches!(proof, Some(Ok(Proof::Seen(_)))), "{proof:?}");
    assert_eq!(word(&lab.alert("HighMemoryUsage").await, "state"), "firing");
    let ended = fresh(&lab, &longer).await;
    for op in [kinds::EXPIRE, kinds::EXTEND] {
        assert_eq!(lab.run(&mut job(op, &ended, &[("duration", "1h")])).await.0, Decision::Refuse, "{op}");
    }
}

fn word_or_none(row: &Row, column: &str) -> String {
    if row.id.kind == KindId::from(kinds::SILENCES) { word(row, column) } else { String::new() }
}

async fn fresh(lab: &Lab, row: &Row) -> Row {
    lab.list().await.rows.into_iter().find(|other| other.id == row.id).unwrap()
}

#[tokio::test]
async fn what_reaches_too_far_or_lasts_too_long_is_refused_before_it_is_sent() {
    let lab = lab("calm").await;
    let alert = lab.alert("PodCrashLooping").await;
    let cases: [&[(&str, &str)]; 6] = [
        &[("duration", "1h"), ("comment", "")],
        &[("duration", "9h"), ("comment", "x")],
        &[("duration", "soon"), ("comment", "x")],
        &[("duration", "1h"), ("comment", "x"), ("matchers", "severity=warning")],
        &[("duration", "1h"), ("comment", "x"), ("matchers", "alertname=~\".*\"")],
        &[("duration", "1h"), ("comment", "x"), ("matchers", "alertname=PodCrashLooping")],
    ];
    for args in cases {
        assert_eq!(lab.run(&mut job(kinds::SILENCE, &alert, args)).await.0, Decision::Refuse, "{args:?}");
    }
    assert_eq!(
        lab.list().await.rows.iter().filter(|row| row.id.kind == KindId::from(kinds::SILENCES)).count(),
        2
    );
}

#[tokio::test]
async fn the_verdict_previews_what_a_silence_hits() {
    let lab = lab("outpost-down").await;
    let list = lab.list().await;
    let row = list.rows.iter().find(|row| &*row.name == "ServiceDown").unwrap();
    let args = [("duration", "1h"), ("comment", "x"), ("matchers", "alertname=ServiceDown\njob=protected")];
    let verdict = lab.alertmanager().preflight(&job(kinds::SILENCE, row, &args)).await.unwrap();
    let said: Vec<&str> = verdict.evidence.iter().map(|evidence| evidence.says.as_str()).collect();
    assert!(said.contains(&r#"job="protected""#), "{said:?}");
    assert!(
        said.iter().any(|says| says.starts_with("9 of ") && says.ends_with("9 of them critical")),
        "{said:?}"
    );
}

#[tokio::test]
async fn the_form_offers_the_alerts_own_matchers() {
    let lab = lab("calm").await;
    let alert = lab.alert("PodCrashLooping").await;
    let op = kinds::operations().into_iter().find(|op| op.name == kinds::SILENCE).unwrap();
    let form = lab.alertmanager().form(&op, &[alert.into()]).await.unwrap();
    let matchers = form.iter().find(|field| field.name == "matchers").unwrap();
    assert!(matchers.default.starts_with("alertname=\"PodCrashLooping\"\n"), "{}", matchers.default);
    assert!(!matchers.default.contains("prometheus="));
}

#[tokio::test]
async fn a_lost_answer_is_unknown_is_found_by_its_words_and_is_never_sent_twice() {
    for fault in [FaultKind::LostAnswer, FaultKind::Swallowed] {
        let lab = patient_lab("calm", Duration::from_millis(1500)).await;
        let alert = lab.alert("HighMemoryUsage").await;
        let silence = job(kinds::SILENCE, &alert, &[("duration", "1h"), ("comment", "reboot")]);
        let sent = lab.world.clock.now();
        lab.world.inject(Fault::on("alertmanager", fault).at("/api/v2/silences").times(1));
        let error = lab.alertmanager().operate(&silence, mpsc::channel(8).0).await.unwrap_err();
        assert!(matches!(error, SendError::Unknown(_)), "{error}");
        let proof = lab.alertmanager().verify(&silence, None, sent).await.unwrap();
        assert!(matches!(proof, Proof::Seen(_)), "{proof:?}");
        let list = lab.list().await;
        assert_eq!(list.rows.iter().filter(|row| word_or_none(row, "comment") == "reboot").count(), 1);
    }
}

#[tokio::test]
async fn what_never_arrived_is_unclear_at_first_and_absent_later() {
    let lab = patient_lab("calm", Duration::from_millis(1500)).await;
    let alert = lab.alert("HighMemoryUsage").await;
    let silence = job(kinds::SILENCE, &alert, &[("duration", "1h"), ("comment", "reboot")]);
    let sent = lab.world.clock.now();
    lab.world.inject(Fault::on("alertmanager", FaultKind::Timeout).at("/api/v2/silences").times(1));
    let error = lab.alertmanager().operate(&silence, mpsc::channel(8).0).await.unwrap_err();
    assert!(matches!(error, SendError::Unknown(_)), "{error}");
    let proof = lab.alertmanager().verify(&silence, None, sent).await.unwrap();
    assert!(matches!(proof, Proof::Unclear(..)), "{proof:?}");
    lab.pass(120);
    let proof = lab.alertmanager().verify(&silence, None, sent).await.unwrap();
    assert!(matches!(proof, Proof::Absent(_)), "{proof:?}");
}

#[tokio::test]
async fn the_other_member_is_written_to_only_where_nothing_was_sent() {
    let mut lab = lab("calm").await;
    lab.servers.remove(0);
    tokio::task::yield_now().await;
    let alert = lab.alert("HighMemoryUsage").await;
    let mut silence = job(kinds::SILENCE, &alert, &[("duration", "1h"), ("comment", "reboot")]);
    let (decision, proof) = lab.run(&mut silence).await;
    assert_eq!(decision, Decision::Warn, "a silent member is told of");
    assert!(matches!(proof, Some(Ok(Proof::Seen(_)))), "{proof:?}");
}

#[tokio::test]
async fn a_silence_that_somebody_else_changed_is_not_extended() {
    let lab = lab("calm").await;
    let list = lab.list().await;
    let row = list.rows.iter().find(|row| row.id.kind == KindId::from(kinds::SILENCES)).unwrap();
    let extend = job(kinds::EXTEND, row, &[("duration", "1h")]);
    let verdict = lab.alertmanager().preflight(&extend).await.unwrap();
    assert_eq!(verdict.decision, Decision::Warn, "it is another's: {verdict:?}");
    lab.pass(5);
    assert!(lab.alertmanager().operate(&extend, mpsc::channel(8).0).await.is_ok());
    let error = lab.alertmanager().operate(&extend, mpsc::channel(8).0).await.unwrap_err();
    assert!(matches!(error, SendError::Refused(ref fault) if fault.what.contains("meanwhile")), "{error}");
}

#[tokio::test]
async fn an_alert_that_is_gone_or_was_never_sent_cannot_be_silenced() {
    let lab = lab("calm").await;
    let rules = lab.rules().await;
    let pending = rules.rows.iter().find(|row| row.id.kind == KindId::from(kinds::ALERTS)).unwrap();
    let args = [("duration", "1h"), ("comment", "x")];
    assert_eq!(lab.run(&mut job(kinds::SILENCE, pending, &args)).await.0, Decision::Refuse);
    let mut gone = lab.alert("HighMemoryUsage").await;
    gone.id = EntityId::new(kinds::ALERTS, "lab", "0123456789abcdef");
    assert_eq!(lab.run(&mut job(kinds::SILENCE, &gone, &args)).await.0, Decision::Refuse);
}

#[tokio::test]
async fn a_wrong_password_is_told_as_such() {
    let mut lab = lab("calm").await;
    for member in &mut lab.config.alertmanager {
        member.auth = HttpAuth::Bearer(Secret::new(SecretSource::Memory("nonsense".into())));
    }
    let backends = connect(&lab.config, &lab.world.clock);
    let error = backends[0].poll(&backends[0].sources()[0].id).await.unwrap_err();
    assert_eq!((error.fault.layer, error.fault.status), (Layer::Auth, Some(401)));
    assert!(!format!("{error:?}").contains("nonsense"));
}

#[tokio::test]
async fn the_doctor_looks_at_every_server() {
    let lab = lab("calm").await;
    let well = lab.alertmanager().doctor().await;
    assert!(well.healthy(), "{:?}", well.findings);
    let says: Vec<&str> = well.findings.iter().map(|finding| finding.says.as_str()).collect();
    assert!(says.contains(&"alertmanager-2: Alertmanager 0.25.0"), "{says:?}");
    let rules = lab.prometheus().doctor().await;
    assert!(rules.findings.iter().any(|finding| finding.says.ends_with("1 broken")), "{:?}", rules.findings);
    lab.world.inject(Fault::on("alertmanager-2", FaultKind::Challenge));
    assert!(!lab.alertmanager().doctor().await.healthy());
}

#[tokio::test]
async fn names_resolve_exactly_and_only_over_a_whole_list() {
    let lab = lab("outpost-down").await;
    let kind = KindId::from(kinds::ALERTS);
    let resolve = async |name: &str| lab.alertmanager().resolve(&kind, name).await;
    assert_eq!(resolve("HighMemoryUsage").await.unwrap().len(), 1);
    assert_eq!(resolve("HighMemory").await.unwrap().len(), 0);
    assert_eq!(resolve("ServiceDown").await.unwrap().len(), 9);
    lab.world.inject(Fault::on("alertmanager-1", FaultKind::BadGateway));
    assert!(resolve("HighMemoryUsage").await.is_err());
}

#[tokio::test]
async fn one_name_for_both_is_one_instance_with_both_sources() {
    let mut lab = lab("calm").await;
    lab.config.prometheus[0].connection.name = "lab".into();
    let backends = connect(&lab.config, &lab.world.clock);
    assert_eq!(backends.len(), 1);
    assert_eq!(backends[0].sources().len(), 5);
    let alone = Config { prometheus: lab.config.prometheus.clone(), ..Config::default() };
    let backends = connect(&alone, &lab.world.clock);
    let rows = backends[0].poll(&backends[0].sources()[0].id).await.unwrap().rows;
    let firing = rows.iter().filter(|row| row.id.kind == KindId::from(kinds::ALERTS)).count();
    assert!(firing > 5, "without an Alertmanager, Prometheus alone tells what fires");
    assert!(backends[0].rights().await.unwrap().missing.contains_key(kinds::SILENCE));
}
