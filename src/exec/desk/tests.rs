//! The desk through the door that all writes take, against the simulated Alertmanagers.

use std::time::Duration;

use jiff::SignedDuration;

use crate::app::desk::operations;
use crate::backend::sim::{Running, Setting, Size, World, serve};
use crate::config::{Alertmanager, Connection, HttpAuth, Secret, SecretSource};
use crate::exec::locks::Locks;
use crate::exec::operate::{Door, Order, Patience, Recovered};
use crate::model::journal::open_runs;
use crate::model::op::{OpSpec, RunId, RunState};

use super::*;

struct Room {
    dir: tempfile::TempDir,
    world: Arc<World>,
    desk: Desk,
    door: Door,
    _servers: Vec<Running>,
}

async fn room() -> Room {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = Clock::manual("2026-11-22T20:00:00Z".parse().unwrap());
    let world = World::new(clock.clone(), 7, "calm", Size::default());
    let definition = REGISTRY.iter().find(|definition| definition.id == silence::BACKEND).unwrap();
    let (mut config, mut servers) = (Config { operator: "ada".into(), ..Config::default() }, Vec::new());
    for simulator in (definition.simulators)(&world) {
        let (running, simulator) = serve(simulator, world.clone()).await.unwrap();
        for (_, settings) in simulator.tables.iter().filter(|(table, _)| *table == "alertmanager") {
            config.alertmanager.push(member(&settings(&running.address)));
        }
        servers.push(running);
    }
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    let alerts = (definition.connect)(&config, &clock);
    let patience = Patience { proof: Duration::ZERO, pause: Duration::from_millis(1), ..Patience::default() };
    let door = Door::new(journal.clone(), Locks::new(dir.path().join("locks")), clock.clone(), patience);
    Room { dir, world, desk: Desk::new(journal, clock, 8 * 3600, alerts), door, _servers: servers }
}

fn member(settings: &[(&'static str, Setting)]) -> Alertmanager {
    let text = |key: &str| {
        let found = settings.iter().find(|(known, _)| *known == key).map(|(_, setting)| setting);
        if let Some(Setting::Text(text) | Setting::Secret(text)) = found {
            text.clone()
        } else {
            String::new()
        }
    };
    let connection = Connection {
        domain: Domain::Home,
        timeout: Duration::from_secs(5),
        ..Connection::to(text("name"), text("url"))
    };
    let password = Secret::new(SecretSource::Memory(text("password").into()));
    let auth = HttpAuth::Basic { user: text("user"), password };
    Alertmanager { connection, cluster: Some(text("cluster")), auth }
}

fn op(name: &str) -> OpSpec {
    operations().into_iter().find(|op| op.name == name).unwrap()
}

impl Room {
    fn job(&self, op: &str, run: &str, args: &[(&str, &str)]) -> Job {
        Job {
            run: RunId(run.into()),
            op: op.into(),
            target: Target {
                id: self.desk.home(),
                name: HOME.into(),
                identity: identity(),
                domain: Domain::Home,
            },
            args: args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            reason: None,
            operator: "ada".into(),
        }
    }

    async fn run(&self, job: &Job) -> RunState {
        let op = op(&job.op);
        self.door.run(Order { backend: &self.desk, op: &op, job, key: None, around: &[] }, &|_| {}).await
    }

    fn journal(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("journal.jsonl")).unwrap_or_default()
    }

    async fn says(&self, job: &Job) -> (Decision, String) {
        let verdict = self.desk.preflight(job).await.unwrap();
        let words: Vec<String> =
            verdict.evidence.iter().map(|fact| format!("{}: {}", fact.what, fact.says)).collect();
        (verdict.decision, format!("{}\n{}", verdict.effect, words.join("\n")))
    }
}

const OFF: [(&str, &str); 3] = [("for", "10h"), ("reason", "asleep"), ("silence", "true")];

#[tokio::test]
async fn home_is_declared_off_with_a_silence_of_its_own_end_and_on_again() {
    let room = room().await;
    let off = room.job(HOME_OFF, "r1", &OFF);
    let (decision, says) = room.says(&off).await;
    assert_eq!(decision, Decision::Allow, "{says}");
    assert!(
        says.contains("declares home off until") && says.contains("keeps domain=\"home\" quiet"),
        "{says}"
    );
    assert!(says.contains("ends after 8h"), "{says}");
    let state = room.run(&off).await;
    let RunState::Done { proof, .. } = &state else { panic!("{state:?}") };
    assert!(proof.contains("(asleep; ada)") && proof.contains("is active"), "{proof}");
    let list = room.desk.poll(&room.desk.sources()[0].id).await.unwrap();
    assert_eq!(list.rows[0].cells[0].value, "declared off".into());
    assert_eq!(list.rows[0].health, Health::Off);
    assert!(room.journal().contains(r#""what":"declared""#), "{}", room.journal());

    let on = room.job(HOME_ON, "r2", &[("reason", "back"), ("silence", "true")]);
    let (decision, says) = room.says(&on).await;
    assert!(decision <= Decision::Warn && says.contains("ends it now"), "{says}");
    let state = room.run(&on).await;
    let RunState::Done { proof, .. } = &state else { panic!("{state:?}") };
    assert!(proof.contains("not declared off any more") && proof.contains("has ended"), "{proof}");
    assert!(room.desk.spoken().await.unwrap().is_none());
    let state = room.run(&room.job(HOME_ON, "r3", &[])).await;
    assert!(matches!(&state, RunState::Refused(why) if why.contains("not declared off")), "{state:?}");
}

#[tokio::test]
async fn a_silence_stays_where_nobody_asked_for_its_end() {
    let room = room().await;
    assert!(matches!(room.run(&room.job(HOME_OFF, "r1", &OFF)).await, RunState::Done { .. }));
    let made = room.desk.spoken().await.unwrap().unwrap();
    let keep = room.job(HOME_ON, "r2", &[("silence", "false")]);
    let (_, says) = room.says(&keep).await;
    assert!(says.contains("stays until its own end"), "{says}");
    assert!(matches!(room.run(&keep).await, RunState::Done { .. }));
    let hush = room.job(HOME_OFF, "r1", &OFF);
    let proof = room.desk.proof_of_silences(&hush, &made, room.world.clock.now()).await;
    assert!(matches!(&proof, Proof::Seen(words) if words.contains("is active")), "{proof:?}");
}

#[tokio::test]
async fn what_is_declared_does_not_hang_on_the_alert_source() {
    let room = room().await;
    room.world.inject("alertmanager:reset".parse().unwrap());
    let off = room.job(HOME_OFF, "r1", &OFF);
    let (decision, says) = room.says(&off).await;
    assert!(decision == Decision::Warn && says.contains("nothing is silenced there"), "{says}");
    let unsilenced = room.job(HOME_OFF, "r2", &[("for", "10h"), ("reason", "asleep"), ("silence", "false")]);
    assert!(matches!(room.run(&unsilenced).await, RunState::Done { .. }));
    room.world.clock.advance(SignedDuration::from_hours(11));
    assert!(room.desk.spoken().await.unwrap().is_none(), "its time is over");
}

#[tokio::test]
async fn a_declaration_needs_a_reason_and_a_time() {
    let room = room().await;
    let state = room.run(&room.job(HOME_OFF, "r1", &[("for", "10h"), ("silence", "false")])).await;
    assert!(matches!(&state, RunState::Refused(why) if why.contains("a reason is required")), "{state:?}");
    assert!(room.desk.preflight(&room.job(HOME_OFF, "r2", &[("for", "soon")])).await.is_err());
    assert!(!room.journal().contains("declared"), "{}", room.journal());
}

#[tokio::test]
async fn a_declaration_whose_outcome_was_not_written_is_read_back_from_the_journal() {
    let room = room().await;
    assert!(matches!(room.run(&room.job(HOME_OFF, "r1", &OFF)).await, RunState::Done { .. }));
    let path = room.dir.path().join("journal.jsonl");
    let torn: Vec<String> =
        room.journal().lines().filter(|line| !line.contains("\"done\"")).map(str::to_owned).collect();
    std::fs::write(&path, torn.join("\n") + "\n").unwrap();
    let lines = room.desk.lines().await.unwrap();
    let open = open_runs(&lines);
    let recovered = room.door.recover(&room.desk, &open[0]).await;
    assert!(matches!(recovered, Recovered::Closed(RunState::Done { .. })), "{recovered:?}");
}
