use axum::routing::get;

use crate::backend::http::{Call, Http, Profile};
use crate::config::{Connection, Trust};
use crate::model::snapshot::Layer;

use super::*;

async fn started(tls: bool) -> (Arc<World>, Running, Connection) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let world = World::calm(1);
    let router =
        Router::new().route("/x", get(|| async { axum::Json(serde_json::json!({"n": 1, "s": "a"})) }));
    let simulator = Simulator { server: "probe".into(), tls, router, tables: Vec::new() };
    let (running, _) = serve(simulator, world.clone()).await.unwrap();
    let trust = running.address.fingerprint.as_deref().map_or(Trust::System, |hex| {
        let byte = |at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
        Trust::Fingerprint(std::array::from_fn(byte))
    });
    let connection = Connection {
        trust,
        timeout: std::time::Duration::from_millis(500),
        ..Connection::to("probe", running.address.url.clone())
    };
    (world, running, connection)
}

async fn ask(connection: &Connection) -> Result<String, crate::backend::error::ApiError> {
    let http = Http::new(connection, &[], &Profile::default()).unwrap();
    http.read(&Call::get("/x").limit(1 << 20)).await.map(|reply| reply.text())
}

#[tokio::test]
async fn a_pinned_server_answers_until_its_certificate_changes() {
    let (world, _running, connection) = started(true).await;
    assert_eq!(ask(&connection).await.unwrap(), r#"{"n":1,"s":"a"}"#);
    world.inject(Fault::on("probe", FaultKind::CertificateChange));
    let error = ask(&connection).await.unwrap_err();
    assert_eq!(error.fault.layer, Layer::Tls);
    assert!(error.fault.raw.starts_with("pinned "), "{error:?}");
}

#[tokio::test]
async fn every_fault_shows_at_its_layer() {
    let (world, _running, connection) = started(false).await;
    let cases = [
        ("probe:timeout", Layer::Http),
        ("probe:off", Layer::Http),
        ("probe:reset", Layer::Http),
        ("probe:502", Layer::Edge),
        ("probe:challenge", Layer::Edge),
        ("probe:login", Layer::Edge),
        ("probe:endless", Layer::App),
        ("probe:latency=2s", Layer::Http),
    ];
    for (text, layer) in cases {
        world.clear_faults();
        world.inject(text.parse().unwrap());
        let error = ask(&connection).await.unwrap_err();
        assert_eq!(error.fault.layer, layer, "{text}: {error}");
    }
}

#[tokio::test]
async fn bodies_are_cut_and_twisted() {
    let (world, _running, connection) = started(false).await;
    world.inject("probe:truncated*1".parse().unwrap());
    assert_eq!(ask(&connection).await.unwrap(), r#"{"n":1,"#);
    world.inject("probe:wrong-types*1".parse().unwrap());
    assert_eq!(ask(&connection).await.unwrap(), r#"{"n":"~1","s":42}"#);
    assert_eq!(ask(&connection).await.unwrap(), r#"{"n":1,"s":"a"}"#);
}

#[test]
fn faults_are_read_from_the_command_line() {
    let fault: Fault = "proxmox:latency=300ms@/api2*3".parse().unwrap();
    assert_eq!(fault.kind, FaultKind::Latency(std::time::Duration::from_millis(300)));
    assert_eq!((fault.path.as_str(), fault.left), ("/api2", Some(3)));
    assert!(fault.hits("proxmox-pve", "/api2/json") && !fault.hits("omni", "/api2"));
    let writes: Fault = "proxmox:lost-answer@POST /api2".parse().unwrap();
    assert!(writes.hits("proxmox", "POST /api2/json") && !writes.hits("proxmox", "GET /api2/json"));
    for wrong in ["proxmox", "proxmox:fly", "proxmox:latency=soon", "proxmox:500*x", "proxmox:answer=no"] {
        assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn nobody_connects_to_a_server_that_is_off() {
    let (world, _running, connection) = started(true).await;
    world.inject("probe:off".parse().unwrap());
    let error = ask(&connection).await.unwrap_err();
    assert_eq!(error.fault.layer, Layer::Tcp, "{error}");
    world.clear_faults();
    assert!(ask(&connection).await.is_ok());
}

#[tokio::test]
async fn requests_are_heard_held_up_and_answered_in_the_server_s_own_words() {
    let (world, _running, connection) = started(false).await;
    world.inject(r#"probe:answer=403 {"detail":"no"}*1"#.parse().unwrap());
    assert_eq!(ask(&connection).await.unwrap(), r#"{"detail":"no"}"#);
    assert!(world.heard().is_empty(), "nobody listens yet");
    world.listen();
    world.inject("probe:held*1".parse().unwrap());
    let release = async {
        while world.heard().is_empty() {
            tokio::task::yield_now().await;
        }
        world.release();
    };
    let (answer, ()) = tokio::join!(ask(&connection), release);
    assert_eq!(answer.unwrap(), r#"{"n":1,"s":"a"}"#);
    assert_eq!(world.heard(), ["probe GET /x"]);
}
