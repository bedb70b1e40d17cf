//! The backend against its simulator: over HTTP, over a unix socket and through a command.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use crate::backend::sim::{Fault, FaultKind, Running, Setting, Size, World, serve};
use crate::config::{Connection, DockerWay};
use crate::model::op::{Decision, RunId};
use crate::model::row::{Domain, Health, Row};
use crate::model::snapshot::Layer;
use crate::model::view::Body;

use super::dial::Dial;
use super::*;

struct Lab {
    world: Arc<World>,
    running: Running,
    backend: Docker,
}

fn connection(url: &str) -> Connection {
    Connection { domain: Domain::Cloud, ..Connection::to("oci-mgmt", url) }
}

fn settings(way: DockerWay, restart: &[&str]) -> config::Docker {
    config::Docker {
        name: "oci-mgmt".into(),
        way,
        domain: Domain::Cloud,
        timeout: Duration::from_secs(10),
        restart: restart.iter().map(ToString::to_string).collect(),
    }
}

async fn lab(scenario: &str) -> Lab {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let world = World::new(Clock::System, 7, scenario, Size::default());
    let simulator = sim::all(&world).remove(0);
    let (running, simulator) = serve(simulator, world.clone()).await.unwrap();
    let (_, settings_of) = &simulator.tables[0];
    let table: BTreeMap<_, _> = settings_of(&running.address).into_iter().collect();
    let Some(Setting::Raw(list)) = table.get("restart") else { panic!("no list") };
    let list: Vec<String> = serde_json::from_str(list).unwrap();
    let way = DockerWay::Http(Box::new(connection(&running.address.url)));
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    let backend = Docker::new(settings(way, &list), Clock::System);
    Lab { world, running, backend }
}

async fn rows(backend: &Docker, feed: &str) -> Snapshot {
    watch::poll(backend, feed).await.unwrap()
}

fn named(list: &Snapshot, name: &str) -> Row {
    list.rows.iter().find(|row| &*row.name == name).unwrap_or_else(|| panic!("no {name}")).clone()
}

fn word(row: &Row, column: &str) -> String {
    let kind = kinds::all().into_iter().find(|kind| kind.id == row.id.kind).unwrap();
    row.cells[kind.column(column).unwrap()].value.as_text().unwrap_or_default().to_owned()
}

fn job(row: &Row) -> Job {
    Job {
        run: RunId("run".into()),
        op: kinds::RESTART.into(),
        target: row.into(),
        args: BTreeMap::new(),
        reason: Some("it hangs".into()),
        operator: "alice".into(),
    }
}

const OUTPOST: &str = "oci-mgmt-authentik-outpost-proxy";

#[tokio::test]
async fn a_calm_host_shows_what_is_unpinned_and_nothing_else() {
    let lab = lab("calm").await;
    let list = rows(&lab.backend, watch::HOST).await;
    assert!(list.complete, "{:?}", list.notes);
    let containers: Vec<&Row> =
        list.rows.iter().filter(|row| row.id.kind.as_str() == kinds::CONTAINERS).collect();
    assert_eq!(containers.len(), 8);
    let amber: Vec<&str> =
        containers.iter().filter(|row| row.health == Health::Warning).map(|row| &*row.name).collect();
    assert_eq!(amber, ["oci-mgmt-authentik-server", "oci-mgmt-authentik-worker"]);
    let server = named(&list, "oci-mgmt-authentik-server");
    assert_eq!((word(&server, "pin"), word(&server, "version")), ("unpinned".into(), "2026.2.4".into()));
    assert!(server.facets.iter().any(|facet| &*facet.value == "auth.lab.example"));
    assert_eq!(server.cells[5].value.as_number(), Some(0.02));
    let image = named(&list, "ghcr.io/goauthentik/server:latest");
    assert_eq!(word(&image, "used"), "oci-mgmt-authentik-server oci-mgmt-authentik-worker");
}

#[tokio::test]
async fn a_version_that_went_down_is_red_with_what_it_was() {
    let lab = lab("boot-storm").await;
    let server = named(&rows(&lab.backend, watch::HOST).await, "oci-mgmt-authentik-server");
    assert_eq!(server.health, Health::Critical);
    assert_eq!(server.note.as_deref(), Some("version WENT DOWN from 2026.2.4 to 2026.2.2"));
    lab.world.set("authentik-image", "pinned");
    let server = named(&rows(&lab.backend, watch::HOST).await, "oci-mgmt-authentik-server");
    assert_eq!((server.health, word(&server, "pin")), (Health::Ok, "pinned".into()), "{:?}", server.note);
    let events = rows(&lab.backend, watch::EVENTS).await;
    assert!(events.rows.iter().any(|row| word(row, "action") == "pull"), "{:?}", events.rows.len());
}

#[tokio::test]
async fn a_restart_waits_until_it_is_healthy_and_is_read_back() {
    let lab = lab("outpost-down").await;
    let outpost = named(&rows(&lab.backend, watch::HOST).await, OUTPOST);
    assert_eq!((word(&outpost, "state"), outpost.health), ("unhealthy".into(), Health::Critical));
    assert!(outpost.note.as_deref().is_some_and(|note| note.contains("no space left")), "{:?}", outpost.note);
    let mut job = job(&outpost);
    let verdict = lab.backend.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Warn, "{verdict:?}");
    job.target.identity = job.target.identity.joined(&verdict.identity);
    let now = lab.backend.identify(&job.target.id).await.unwrap();
    assert_eq!(job.target.identity.conflicts(&now), []);
    let (sink, mut told) = mpsc::channel(64);
    lab.backend.operate(&job, sink).await.unwrap();
    let mut notes = Vec::new();
    while let Ok(step) = told.try_recv() {
        notes.push(format!("{step:?}"));
    }
    assert!(notes.iter().any(|note| note.contains("waits until healthy: starting")), "{notes:?}");
    let proof = lab.backend.verify(&job, None, Timestamp::UNIX_EPOCH).await.unwrap();
    assert!(matches!(&proof, Proof::Seen(text) if text.contains("healthy")), "{proof:?}");
    let later = lab.backend.identify(&job.target.id).await.unwrap();
    assert_eq!(job.target.identity.conflicts(&later).len(), 1, "who comes second sees that it was restarted");
}

#[tokio::test]
async fn what_is_not_in_the_list_or_gone_is_refused_before_it_is_sent() {
    let lab = lab("calm").await;
    let list = rows(&lab.backend, watch::HOST).await;
    let refused = async |job: &Job| {
        let verdict = lab.backend.preflight(job).await.unwrap();
        assert_eq!(verdict.decision, Decision::Refuse);
        verdict.evidence[0].says.clone()
    };
    let mut postgres = job(&named(&list, "oci-mgmt-postgres"));
    assert!(refused(&postgres).await.contains("not in `restart`"));
    assert!(matches!(lab.backend.operate(&postgres, mpsc::channel(1).0).await, Err(SendError::NotSent(_))));
    postgres.target.id.key = "0123456789ab".into();
    assert!(refused(&postgres).await.contains("gone"));
    postgres.target.id.key = "../../x".into();
    assert!(lab.backend.identify(&postgres.target.id).await.is_err(), "only an id goes into a path");
}

#[tokio::test]
async fn one_at_a_time_while_another_is_starting() {
    let lab = lab("calm").await;
    let list = rows(&lab.backend, watch::HOST).await;
    lab.backend.engine().unwrap().restart(&named(&list, "oci-mgmt-traefik").id.key).await.unwrap();
    let verdict = lab.backend.preflight(&job(&named(&list, OUTPOST))).await.unwrap();
    assert_eq!(verdict.decision, Decision::Refuse);
    assert!(verdict.evidence[0].says.contains("oci-mgmt-traefik is still starting"), "{verdict:?}");
}

#[tokio::test]
async fn a_proxy_that_forbids_is_told_from_an_engine_that_refuses() {
    let lab = lab("calm").await;
    let engine = lab.backend.engine().unwrap();
    let error = engine.inspect("0123456789abcdef").await.unwrap_err();
    assert_eq!((error.fault.layer, error.fault.status), (Layer::App, Some(404)));
    lab.world.inject(Fault::on("docker", FaultKind::Status(403)).at("/images"));
    let list = rows(&lab.backend, watch::HOST).await;
    assert!(!list.complete && list.notes[0].contains("does not let this through"), "{:?}", list.notes);
    assert_eq!(list.rows.len(), 8, "the containers are still told");
}

#[tokio::test]
async fn wrong_types_cost_cells_and_a_lost_answer_is_unknown() {
    let lab = lab("calm").await;
    let outpost = named(&rows(&lab.backend, watch::HOST).await, OUTPOST);
    lab.world.inject(Fault::on("docker", FaultKind::WrongTypes));
    rows(&lab.backend, watch::HOST).await;
    lab.world.clear_faults();
    lab.world.inject("docker:lost-answer@POST /containers".parse().unwrap());
    let sent = lab.backend.operate(&job(&outpost), mpsc::channel(64).0).await;
    assert!(matches!(sent, Err(SendError::Unknown(_))), "{sent:?}");
}

#[tokio::test]
async fn the_log_shows_why_and_its_environment_is_never_read() {
    let lab = lab("outpost-down").await;
    let outpost = named(&rows(&lab.backend, watch::HOST).await, OUTPOST);
    let (sink, mut views) = mpsc::channel(1);
    let watching = async { lab.backend.open(&outpost.id, "log", sink).await };
    let first = async {
        let view = views.recv().await;
        drop(views);
        view
    };
    let (_, view) = tokio::join!(watching, first);
    let Some(View::Log(lines)) = view else { panic!("no log") };
    assert!(lines[0].text.contains("no space left on device") && lines[0].tone == Tone::Error, "{lines:?}");
    let described = doc::describe(&lab.backend, &outpost.id).await.unwrap();
    let has = |heading: &str| described.sections.iter().any(|section| section.heading == heading);
    assert!(has("health checks") && has("image"));
    assert!(!format!("{described:?}").contains("not-for-the-screen"));
    let facts = &described.sections[0].body;
    assert!(matches!(facts, Body::Facts(facts) if facts.iter().any(|fact| fact.label == "/dev/shm")));
}

/// A command that carries bytes to the simulator and back, as `docker system dial-stdio` does.
fn carrier(lab: &Lab) -> Vec<String> {
    let port = lab.running.address.url.rsplit(':').next().unwrap();
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; cat <&3 & cat >&3");
    ["bash", "-c", &script].map(str::to_owned).to_vec()
}

#[tokio::test]
async fn an_engine_behind_a_command_is_read_and_written_to() {
    let lab = lab("calm").await;
    let through = Engine::dialled(Dial::new(carrier(&lab), Duration::from_secs(10)));
    assert_eq!(through.containers().await.unwrap().len(), 8);
    let list = rows(&lab.backend, watch::HOST).await;
    let traefik = named(&list, "oci-mgmt-traefik");
    through.restart(&traefik.id.key).await.unwrap();
    let after = through.inspect(&traefik.id.key).await.unwrap();
    assert_ne!(traefik.identity.get("started"), Some(&*after.state.started_at));
}

#[tokio::test]
async fn a_command_that_fails_has_sent_nothing() {
    let dial = Dial::new(vec!["false".into()], Duration::from_secs(5));
    let through = Engine::dialled(dial);
    assert_eq!(through.containers().await.unwrap_err().fault.layer, Layer::Tcp);
    let sent = through.restart("0123456789ab").await;
    assert!(matches!(sent, Err(SendError::NotSent(_))), "{sent:?}");
}

#[tokio::test]
async fn a_unix_socket_is_dialled_whatever_the_url_says() {
    let lab = lab("calm").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let target = lab.running.address.url.trim_start_matches("http://").to_owned();
    let bridge = tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let target = target.clone();
            tokio::spawn(async move {
                let mut far = tokio::net::TcpStream::connect(target).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    let backend = Docker::new(settings(DockerWay::Socket(path), &[]), Clock::System);
    assert_eq!(rows(&backend, watch::HOST).await.rows.len(), 8 + 7);
    assert!(backend.may().missing.contains_key(kinds::RESTART), "an empty list allows nothing");
    bridge.abort();
    let gone =
        config::Docker { way: DockerWay::Socket("/nowhere/docker.sock".into()), ..backend.config.clone() };
    assert_eq!(Docker::new(gone, Clock::System).observe().await.unwrap_err().fault.layer, Layer::Tcp);
}
