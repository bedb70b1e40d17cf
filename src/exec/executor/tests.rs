use crate::app::msg::DraftId;
use crate::backend::Proof;
use crate::backend::error::ApiError;
use crate::exec::fake::{self, Fake, KIND, Sending, identity, job, op};
use crate::exec::journal::Journal;
use crate::exec::locks::Locks;
use crate::exec::operate::Patience;
use crate::model::journal::{Entry, Line};
use crate::model::op::{Rights, RunId, RunState, Verdict};
use crate::model::snapshot::{Delta, Epoch, Mode, SourceHealth, Update};
use crate::model::store::Store;
use crate::model::view::View;

use super::*;

struct Room {
    dir: tempfile::TempDir,
    backend: Arc<Fake>,
    executor: Executor,
    inbox: Inbox,
}

impl Room {
    fn new(backend: Fake) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (executor, inbox) = executor(dir.path());
        Self { dir, backend: Arc::new(backend), executor, inbox }
    }

    async fn started(backend: Fake) -> Self {
        let mut room = Self::new(backend);
        room.start();
        room.until(|msg| matches!(msg, Msg::Rights { .. })).await;
        room
    }

    fn start(&self) {
        let backend: Arc<dyn Backend> = self.backend.clone();
        self.executor.start(vec![Box::new(move || vec![backend])]);
    }

    /// Everything up to the message that is waited for.
    async fn until(&mut self, mut enough: impl FnMut(&Msg) -> bool) -> Vec<Msg> {
        let mut seen = Vec::new();
        let waited = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                let msg = self.inbox.next().await;
                let found = enough(&msg);
                seen.push(msg);
                if found {
                    return;
                }
            }
        });
        assert!(waited.await.is_ok(), "it never came; seen: {seen:?}");
        seen
    }

    async fn view(&mut self, wanted: ViewId) -> Result<View, Fault> {
        let seen = self.until(|msg| matches!(msg, Msg::View { view, .. } if *view == wanted)).await;
        let Some(Msg::View { body, .. }) = seen.last().cloned() else { unreachable!() };
        body
    }

    fn open(&self, view: u64, name: &str, after: u64) {
        let (id, name) = (fake::row("a").id, name.to_owned());
        self.executor.carry_out(Effect::Open { view: ViewId(view), id, name, after });
    }
}

fn executor(dir: &std::path::Path) -> (Executor, Inbox) {
    let patience = Patience { proof: Duration::ZERO, pause: Duration::from_millis(1), ..Patience::default() };
    Executor::new(Parts {
        clock: Clock::System,
        refresh: Refresh::default(),
        seed: 1,
        operations: Operations::new([op()]),
        door: Door::new(Journal::new(dir), Locks::new(dir.join("locks")), Clock::System, patience),
        operator: "ada".into(),
        last: LastState::new(dir),
    })
}

fn rows(msg: &Msg) -> bool {
    matches!(msg, Msg::Source(Update { body: Ok(_), .. }))
}

fn last_state(seen: &[Msg]) -> RunState {
    let state = |msg: &Msg| if let Msg::Run { state, .. } = msg { Some(state.clone()) } else { None };
    seen.iter().rev().find_map(state).unwrap()
}

#[tokio::test]
async fn what_is_connected_is_told_before_its_rows() {
    for mode in [Fake::default().mode, Mode::Watch] {
        let mut room = Room::new(Fake { mode, ..Fake::default() });
        room.start();
        let seen = room.until(rows).await;
        let mut store = Store::default();
        for msg in seen {
            match msg {
                Msg::Connected(sources) => sources.into_iter().for_each(|source| store.declare(source)),
                Msg::Source(update) => assert_eq!(store.apply(update).ids.len(), 2),
                _ => {}
            }
        }
        assert!(store.sources().all(|source| source.health == SourceHealth::Fresh));
    }
}

#[tokio::test]
async fn nothing_configured_is_told_too() {
    let mut room = Room::new(Fake::default());
    room.executor.start(vec![Box::new(Vec::new)]);
    let seen = room.until(|msg| matches!(msg, Msg::Connected(_))).await;
    assert_eq!(seen.last(), Some(&Msg::Connected(vec![])));
}

#[tokio::test]
async fn a_connector_that_panics_breaks_no_other() {
    let mut room = Room::new(Fake::default());
    let backend: Arc<dyn Backend> = room.backend.clone();
    let broken: Connector = Box::new(|| panic!("no luck"));
    room.executor.start(vec![broken, Box::new(move || vec![backend])]);
    let (mut complained, mut connected) = (false, false);
    room.until(|msg| {
        (complained, connected) = (complained | matches!(msg, Msg::Notice { .. }), connected | rows(msg));
        complained && connected
    })
    .await;
}

#[tokio::test]
async fn a_slow_connector_delays_no_other() {
    let mut room = Room::new(Fake::default());
    let backend: Arc<dyn Backend> = room.backend.clone();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let slow: Connector = Box::new(move || held.recv().map(|()| Vec::new()).unwrap_or_default());
    room.executor.start(vec![slow, Box::new(move || vec![backend])]);
    room.until(rows).await;
    drop(release);
}

#[tokio::test]
async fn a_fault_is_told_and_a_wish_asks_again() {
    let fake = Fake::default();
    let good = fake.lists.peek();
    fake.lists.set([Err(ApiError::new(Layer::Tcp, "refused")), good]);
    let mut room = Room::new(fake);
    room.start();
    room.until(|msg| matches!(msg, Msg::Source(Update { body: Err(_), .. }))).await;
    room.executor.carry_out(Effect::Refresh(vec![KIND.into()]));
    room.until(rows).await;
}

#[tokio::test]
async fn a_view_is_streamed_until_it_is_shut_and_its_end_is_told() {
    let mut room = Room::started(Fake::default()).await;
    room.open(1, "describe", 0);
    assert!(room.view(ViewId(1)).await.is_ok());
    room.executor.carry_out(Effect::Shut(ViewId(1)));
    room.open(2, "nonsense", 0);
    assert_eq!(room.view(ViewId(2)).await.unwrap_err().what, "no view nonsense");
    room.open(3, "panic", 0);
    assert_eq!(room.view(ViewId(3)).await.unwrap_err().raw, "no such view");
}

#[tokio::test]
async fn a_view_that_is_shut_at_once_costs_no_request() {
    let mut room = Room::started(Fake::default()).await;
    room.open(1, "describe", 60_000);
    room.executor.carry_out(Effect::Shut(ViewId(1)));
    room.open(2, "describe", 0);
    room.view(ViewId(2)).await.unwrap();
    let opened = room.backend.calls.lock().unwrap().iter().filter(|call| **call == "open").count();
    assert_eq!(opened, 1);
}

#[tokio::test]
async fn checks_and_forms_answer_their_draft() {
    let mut room = Room::started(Fake::default()).await;
    room.executor
        .carry_out(Effect::Preflight { draft: DraftId(7), jobs: vec![job("r1", "a"), job("r2", "b")] });
    let verdict = Verdict::allow("starts it", identity("1"));
    for key in ["a", "b"] {
        let wanted =
            Msg::Verdict { draft: DraftId(7), target: job("", key).target.id, body: Ok(verdict.clone()) };
        room.until(|msg| *msg == wanted).await;
    }
    for (name, ok) in [("fake.start", true), ("fake.fly", false)] {
        let (op, instance) = (name.to_owned(), "one".to_owned());
        room.executor.carry_out(Effect::Form { draft: DraftId(8), op, instance, targets: vec![] });
        room.until(|msg| matches!(msg, Msg::Form { draft: DraftId(8), body } if body.is_ok() == ok)).await;
    }
}

#[tokio::test]
async fn operations_run_one_after_the_other_and_the_rows_are_asked_again() {
    let mut room = Room::started(Fake::default()).await;
    room.until(rows).await;
    room.executor.carry_out(Effect::Operate(vec![job("r1", "a"), job("r2", "b")]));
    let done = |id: &'static str| move |msg: &Msg| matches!(msg, Msg::Run { run, state: RunState::Done { .. } } if &*run.0 == id);
    room.until(done("r1")).await;
    room.until(done("r2")).await;
    assert_eq!(room.backend.sent(), 2);
    room.until(rows).await;
}

#[tokio::test]
async fn an_unknown_run_is_looked_at_again_and_never_sent_again() {
    let fake = Fake::default();
    fake.sending.set([Sending::Panics]);
    let unclear = Ok(Proof::Unclear("nothing to see".into(), "look".into()));
    fake.proofs.set([unclear, Ok(Proof::Seen("it runs".into()))]);
    let mut room = Room::started(fake).await;
    room.executor.carry_out(Effect::Operate(vec![job("r1", "a")]));
    let seen = room.until(|msg| matches!(msg, Msg::Run { state: RunState::Done { .. }, .. })).await;
    assert_eq!(last_state(&seen).text(), "it runs");
    assert_eq!(room.backend.sent(), 1);
}

#[tokio::test]
async fn a_run_left_open_by_a_killed_process_is_shown_and_read_back_at_the_start() {
    let mut room = Room::new(Fake::default());
    let job = job("r0", "a");
    let entry = Entry::Sending { op: job.op, target: job.target, args: job.args, reason: None, key: None };
    let line = Line { at: Clock::System.now(), run: RunId("r0".into()), operator: "ada".into(), entry };
    Journal::new(room.dir.path()).append(&line).unwrap();
    room.start();
    let seen = room.until(|msg| matches!(msg, Msg::Run { state: RunState::Unknown { .. }, .. })).await;
    assert!(seen.contains(&Msg::Journal(vec![line])), "the machine learns what the run was about");
    room.until(|msg| matches!(msg, Msg::Run { state: RunState::Done { .. }, .. })).await;
    assert_eq!(room.backend.sent(), 0);
}

#[tokio::test]
async fn what_no_instance_can_carry_out_is_refused() {
    let mut room = Room::started(Fake::default()).await;
    let mut lost = job("r1", "a");
    lost.target.id.instance = "two".into();
    room.executor.carry_out(Effect::Operate(vec![lost]));
    let seen = room.until(|msg| matches!(msg, Msg::Run { state, .. } if state.is_final())).await;
    assert_eq!(last_state(&seen).text(), "config: fake `two` is not connected");
}

#[tokio::test]
async fn a_note_is_in_the_journal_and_shown() {
    let mut room = Room::started(Fake::default()).await;
    room.executor.carry_out(Effect::Note { about: None, text: "look at comet".into() });
    let noted = |msg: &Msg| {
        let is_note =
            |line: &Line| matches!(&line.entry, Entry::Note { text, .. } if text == "look at comet");
        matches!(msg, Msg::Journal(lines) if lines.iter().any(is_note))
    };
    room.until(noted).await;
}

#[tokio::test]
async fn rights_are_told_whatever_they_are() {
    let fake = Fake::default();
    let lacking = Rights { missing: [("fake.start".into(), "Thing.Start".into())].into(), unknown: vec![] };
    fake.rights.set([Ok(lacking.clone())]);
    let mut room = Room::new(fake);
    room.start();
    room.until(|msg| matches!(msg, Msg::Rights { body: Ok(rights), .. } if *rights == lacking)).await;
}

#[tokio::test]
async fn what_is_stopped_is_given_up() {
    let mut room = Room::started(Fake { mode: Mode::Watch, ..Fake::default() }).await;
    room.open(1, "describe", 0);
    room.view(ViewId(1)).await.unwrap();
    room.executor.stop();
    let inner = Arc::downgrade(&room.executor.0);
    drop(room.executor);
    while inner.upgrade().is_some() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn the_terminals_effects_are_told_apart() {
    for (effect, terminal) in [
        (Effect::Bell, true),
        (Effect::Quit(0), true),
        (Effect::Pause(true), false),
        (Effect::Operate(vec![]), false),
    ] {
        assert_eq!(Executor::is_for_terminal(&effect), terminal, "{effect:?}");
    }
}

#[tokio::test]
async fn the_next_start_is_told_what_was_seen_before_any_server_is_asked() {
    let room = Room::started(Fake::default()).await;
    let mut store = Store::new(room.backend.sources());
    let list = room.backend.lists.peek().unwrap();
    let update = Update {
        source: room.backend.sources()[0].id.clone(),
        epoch: Epoch(1),
        body: Ok(Delta::Reset(list)),
    };
    store.apply(update);
    room.executor.carry_out(Effect::Remember(store.memories()));
    room.executor.settle().await;
    room.executor.stop();
    let (executor, mut inbox) = executor(room.dir.path());
    executor.start(Vec::new());
    let Msg::Remembered(memories) = inbox.next().await else { panic!("something else came first") };
    assert_eq!(memories[0].rows.len(), 2);
}
