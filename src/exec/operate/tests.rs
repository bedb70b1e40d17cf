use std::sync::Mutex;

use crate::backend::error::{ApiError, SendError};
use crate::backend::{Progress, Proof, Receipt};
use crate::exec::fake::{Answers, Fake, Sending, identity, job, op, refused};
use crate::insight::guard;
use crate::model::id::{EntityId, Identity};
use crate::model::journal::OpenRun;
use crate::model::op::{Reveal, Tier};
use crate::model::row::{Cell, Facet, FacetKey, Grade, Row};
use crate::model::snapshot::{Fault, Layer, Snapshot};

use super::*;

mod crash;

struct Desk {
    dir: tempfile::TempDir,
    door: Door,
    backend: Fake,
    told: Mutex<Vec<RunState>>,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let door = door(dir.path(), Patience { proof: Duration::ZERO, ..quick() });
        Self { dir, door, backend: Fake::default(), told: Mutex::default() }
    }

    async fn run(&self, job: &Job) -> RunState {
        self.run_as(job, &op()).await
    }

    async fn run_as(&self, job: &Job, op: &OpSpec) -> RunState {
        let order = Order { backend: &self.backend, op, job, key: None, around: &[] };
        self.door.run(order, &|state| self.told.lock().unwrap().push(state)).await
    }

    fn journal(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("journal.jsonl")).unwrap_or_default()
    }

    fn entries(&self) -> Vec<&'static str> {
        let lines = self.door.journal().read().unwrap().lines;
        let word = |line: Line| match line.entry {
            Entry::Sending { .. } => "sending",
            Entry::Accepted { .. } => "accepted",
            Entry::Done { .. } => "done",
            Entry::Failed { .. } => "failed",
            Entry::Unknown { .. } => "unknown",
            Entry::Refused { .. } => "refused",
            Entry::Declared { .. } => "declared",
            Entry::Note { .. } => "note",
        };
        lines.into_iter().map(word).collect()
    }

    fn open_run(&self) -> OpenRun {
        self.door.journal().read().unwrap().open_on(&job("", "a").target.id).unwrap()
    }
}

fn quick() -> Patience {
    Patience { pause: Duration::from_millis(1), ..Patience::default() }
}

fn door(dir: &std::path::Path, patience: Patience) -> Door {
    Door::new(Journal::new(dir), Locks::new(dir.join("locks")), Clock::System, patience)
}

fn fault() -> Fault {
    Fault::new(Layer::Http, "no answer in 10 s")
}

fn answers(result: Result<Receipt, SendError>) -> [Sending; 1] {
    [Sending::Answers(result)]
}

#[tokio::test]
async fn done_means_read_back_and_every_step_is_on_the_disk_in_order() {
    let desk = Desk::new();
    desk.backend.steps.set([vec![
        Progress::Accepted("UPID:1".into()),
        Progress::Step { fraction: Some(0.5), note: "half".into() },
    ]]);
    let state = desk.run(&job("r1", "a")).await;
    assert_eq!(state, RunState::Done { proof: "it runs".into(), reveal: None });
    assert_eq!(desk.entries(), ["sending", "accepted", "done"]);
    assert_eq!(*desk.backend.calls.lock().unwrap(), ["preflight", "identify", "operate", "verify"]);
    let told: Vec<_> = desk.told.lock().unwrap().iter().map(RunState::word).collect();
    assert_eq!(told, ["running", "running", "running", "verifying", "done"]);
}

#[tokio::test]
async fn the_effect_may_take_its_time() {
    let desk = Desk { door: door(tempfile::tempdir().unwrap().path(), quick()), ..Desk::new() };
    let unclear = || Ok(Proof::Unclear("still stopped".into(), "look".into()));
    let lost = || Err(ApiError::new(Layer::Tcp, "refused"));
    desk.backend.proofs.set([unclear(), lost(), unclear(), Ok(Proof::Seen("it runs".into()))]);
    assert_eq!(desk.run(&job("r1", "a")).await, RunState::Done { proof: "it runs".into(), reveal: None });
}

#[tokio::test]
async fn what_became_of_it_follows_from_the_answer_and_the_read_back() {
    let ok = || Ok(Receipt::default());
    let unclear = || Ok(Proof::Unclear("nothing to see yet".into(), "look".into()));
    let absent = || Ok(Proof::Absent("still stopped".into()));
    let seen = || Ok(Proof::Seen("it runs".into()));
    let lost = || Err(ApiError::new(Layer::Tcp, "refused"));
    let cases = [
        ("accepted and seen", ok(), seen(), "done", vec!["sending", "done"], true),
        ("accepted, not there", ok(), absent(), "failed", vec!["sending", "failed"], true),
        ("accepted, unclear", ok(), unclear(), "unknown", vec!["sending", "unknown"], true),
        ("accepted, then lost", ok(), lost(), "unknown", vec!["sending", "unknown"], true),
        ("not sent", Err(SendError::NotSent(fault())), seen(), "refused", vec!["sending", "refused"], false),
        ("refused", Err(SendError::Refused(fault())), seen(), "failed", vec!["sending", "failed"], false),
        ("failed", Err(SendError::Failed(fault())), seen(), "failed", vec!["sending", "failed"], false),
        (
            "in doubt, seen",
            Err(SendError::Unknown(fault())),
            seen(),
            "done",
            vec!["sending", "unknown", "done"],
            true,
        ),
        (
            "in doubt, not there",
            Err(SendError::Unknown(fault())),
            absent(),
            "failed",
            vec!["sending", "unknown", "failed"],
            true,
        ),
        (
            "in doubt, unclear",
            Err(SendError::Unknown(fault())),
            unclear(),
            "unknown",
            vec!["sending", "unknown", "unknown"],
            true,
        ),
    ];
    for (case, sent, proof, word, entries, looked) in cases {
        let desk = Desk::new();
        desk.backend.sending.set(answers(sent));
        desk.backend.proofs.set([proof]);
        assert_eq!(desk.run(&job("r1", "a")).await.word(), word, "{case}");
        assert_eq!(desk.entries(), entries, "{case}");
        assert_eq!(desk.backend.sent(), 1, "{case}: writes are never repeated");
        assert_eq!(desk.backend.calls.lock().unwrap().contains(&"verify"), looked, "{case}");
    }
}

#[tokio::test]
async fn a_panic_or_no_end_while_sending_is_unknown() {
    for sending in [Sending::Panics, Sending::Never] {
        let patience = Patience { work: Duration::from_millis(5), proof: Duration::ZERO, ..quick() };
        let dir = tempfile::tempdir().unwrap();
        let desk = Desk { door: door(dir.path(), patience), ..Desk::new() };
        desk.backend.sending.set([sending]);
        desk.backend.proofs.set([Ok(Proof::Unclear("nothing to see".into(), "look".into()))]);
        assert_eq!(desk.run(&job("r1", "a")).await.word(), "unknown");
    }
}

type Prepare<'a> = &'a dyn Fn(&Fake);

#[tokio::test]
async fn what_must_not_be_sent_is_refused_before_it_is() {
    let unsure = ApiError::new(Layer::Tcp, "refused");
    let cases: [(&str, Prepare<'_>); 5] = [
        ("uid was 1, is 2", &|fake| fake.identity.set([Ok(identity("2"))])),
        ("just before sending: tcp: refused", &|fake| fake.identity.set([Err(unsure.clone())])),
        ("nothing tells whether", &|fake| fake.identity.set([Ok(Identity::default())])),
        ("memory: 68 of 64 GiB", &|fake| fake.verdict.set([Ok(refused("68 of 64 GiB"))])),
        ("cannot be judged: check: tcp: refused", &|fake| fake.verdict.set([Err(unsure.clone())])),
    ];
    for (why, prepare) in cases {
        let desk = Desk::new();
        prepare(&desk.backend);
        let state = desk.run(&job("r1", "a")).await;
        assert!(matches!(&state, RunState::Refused(text) if text.contains(why)), "{why}: {state:?}");
        assert_eq!((desk.backend.sent(), desk.entries()), (0, vec!["refused"]));
    }
}

#[tokio::test]
async fn where_the_journal_cannot_be_read_or_written_nothing_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let unreadable = dir.path().join("unreadable");
    std::fs::create_dir_all(unreadable.join("journal.jsonl")).unwrap();
    // Nothing can be made in there: reading finds no journal, writing fails.
    let unwritable = std::path::Path::new("/proc/vigie");
    for (state_dir, why) in [(&*unreadable, "not a regular file"), (unwritable, "so nothing was sent")] {
        let locks = Locks::new(dir.path().join("locks"));
        let door = Door::new(Journal::new(state_dir), locks, Clock::System, quick());
        let desk = Desk { door, ..Desk::new() };
        let state = desk.run(&job("r1", "a")).await;
        assert!(matches!(&state, RunState::Refused(text) if text.contains(why)), "{state:?}");
        assert_eq!(desk.backend.sent(), 0);
    }
}

#[tokio::test]
async fn of_two_writers_on_one_target_the_second_is_refused() {
    let desk = Desk::new();
    desk.backend.sending.set([Sending::Never]);
    let (first, second) = (job("r1", "a"), job("r2", "a"));
    let other_process = door(desk.dir.path(), quick());
    let order_op = op();
    let order = Order { backend: &desk.backend, op: &order_op, job: &second, key: None, around: &[] };
    let state = tokio::select! {
        _ = desk.run(&first) => panic!("it never ends"),
        state = async {
            desk.backend.arrived.lock().await.recv().await;
            other_process.run(order, &|_| {}).await
        } => state,
    };
    assert!(matches!(&state, RunState::Refused(why) if why.contains("run r1")), "{state:?}");
    assert_eq!(desk.backend.sent(), 1);
}

/// A service that runs on a node and must stay there.
fn pinned(node: &str) -> Snapshot {
    let cells = ["ok", "comet", node, "", "", "", "", "bound", "", "block"].map(Cell::new).to_vec();
    let mut row = Row::new(EntityId::new(guard::PINNED, "one", "comet"), "comet", cells);
    row.facets = Box::new([Facet::new(FacetKey::Node, format!("cloud/{node}"), Grade::Certain)]);
    Snapshot::complete(vec![row], jiff::Timestamp::UNIX_EPOCH)
}

#[tokio::test]
async fn what_must_stay_is_asked_for_again_under_the_lock() {
    let lost = || Err(ApiError::new(Layer::Tcp, "refused"));
    let cases = [
        (Ok(pinned("b")), "done", 1),
        (Ok(pinned("a")), "would move comet", 0),
        (lost(), "cannot all be seen", 0),
    ];
    for (seen, expected, sent) in cases {
        let desk = Desk::new();
        let services = Fake { kind: guard::PINNED, lists: Answers::new([seen]), ..Fake::default() };
        let around: [Arc<dyn Backend>; 1] = [Arc::new(services)];
        let mut job = job("r1", "a");
        job.target.id = EntityId::new("kubernetes.nodes", "cloud", "a");
        let drain = OpSpec::on("kubernetes.nodes", "kubernetes.drain", "drain", Tier::T1, "");
        let order = Order { backend: &desk.backend, op: &drain, job: &job, key: None, around: &around };
        let state = desk.door.run(order, &|_| {}).await;
        assert!(state.word() == expected || state.text().contains(expected), "{expected}: {state:?}");
        assert_eq!(desk.backend.sent(), sent, "{expected}");
    }
}

#[tokio::test]
async fn a_callers_key_serves_once() {
    let desk = Desk::new();
    let claim = desk.door.claim("deploy-7").await.unwrap();
    assert!(desk.door.claim("deploy-7").await.is_err(), "somebody is using it");
    let (order_op, job) = (op(), job("r1", "a"));
    let order =
        Order { backend: &desk.backend, op: &order_op, job: &job, key: Some("deploy-7"), around: &[] };
    desk.door.run(order, &|_| {}).await;
    drop(claim);
    assert!(desk.door.claim("deploy-7").await.unwrap_err().contains("was used before"));
    assert!(desk.door.claim("deploy-8").await.is_ok());
}

#[tokio::test]
async fn what_is_shown_once_is_never_written_down() {
    let secret = "hunter2-planted";
    let reveal = Reveal { title: "link".into(), secret: secret.into(), message: format!("open {secret}") };
    let says = format!("made {secret}");
    for proof in
        [Proof::Seen(says.clone()), Proof::Absent(says.clone()), Proof::Unclear(says.clone(), says.clone())]
    {
        let desk = Desk::new();
        let receipt = Receipt { remote: None, said: says.clone(), reveal: Some(reveal.clone()) };
        desk.backend.sending.set(answers(Ok(receipt)));
        desk.backend.proofs.set([Ok(proof.clone())]);
        let state = desk.run(&job("r1", "a")).await;
        assert!(desk.journal().contains("[redacted]"), "{proof:?}");
        assert!(!desk.journal().contains(secret) && !format!("{state:?}").contains(secret), "{proof:?}");
    }
}
