//! Runs that end between sending and outcome.

use super::*;

/// Leaves a sending line without an outcome behind, as a killed process does.
async fn killed_while_sending(desk: &Desk) {
    let order_op = op();
    let job = job("r0", "a");
    desk.backend.sending.set([Sending::Never]);
    let order = Order { backend: &desk.backend, op: &order_op, job: &job, key: None, around: &[] };
    let silent = |_| {};
    tokio::select! {
        _ = desk.door.run(order, &silent) => panic!("it never ends"),
        _ = async { desk.backend.arrived.lock().await.recv().await } => {}
    }
    desk.backend.calls.lock().unwrap().clear();
    desk.backend.sending.set(answers(Ok(Receipt::default())));
}

#[tokio::test]
async fn an_open_run_is_read_back_and_still_refuses_the_next() {
    let desk = Desk::new();
    killed_while_sending(&desk).await;
    let state = desk.run(&job("r1", "a")).await;
    assert!(matches!(&state, RunState::Refused(why) if why.contains("done (it runs)")), "{state:?}");
    assert_eq!((desk.backend.sent(), desk.entries()), (0, vec!["sending", "done", "refused"]));
    assert_eq!(desk.run(&job("r2", "a")).await.word(), "done", "settled, it no longer stands in the way");
}

#[tokio::test]
async fn an_unknown_run_refuses_its_target_and_no_other() {
    let desk = Desk::new();
    killed_while_sending(&desk).await;
    desk.backend.proofs.set([Ok(Proof::Unclear("no answer".into(), "vigie get".into()))]);
    assert_eq!(desk.run(&job("r1", "a")).await.word(), "refused");
    assert_eq!(desk.backend.sent(), 0);
    assert_eq!(desk.run(&job("r2", "b")).await.word(), "unknown");
    assert_eq!(desk.backend.sent(), 1);
}

#[tokio::test]
async fn after_a_crash_the_run_is_read_back_and_nothing_is_sent_again() {
    let proofs = [
        (Ok(Proof::Seen("it runs".into())), "done", true),
        (Ok(Proof::Absent("still stopped".into())), "failed", true),
        (Ok(Proof::Unclear("no answer".into(), "look".into())), "unknown", false),
        (Err(ApiError::new(Layer::Tcp, "refused")), "unknown", false),
    ];
    for (proof, word, closed) in proofs {
        let desk = Desk::new();
        killed_while_sending(&desk).await;
        desk.backend.proofs.set([proof]);
        let next_start = door(desk.dir.path(), quick());
        let recovered = next_start.recover(&desk.backend, &desk.open_run()).await;
        match recovered {
            Recovered::Closed(state) => assert!(closed && state.word() == word, "{state:?}"),
            Recovered::Open(state) => assert!(!closed && state.word() == word, "{state:?}"),
            Recovered::Elsewhere => panic!("nobody else is there"),
        }
        assert_eq!(*desk.backend.calls.lock().unwrap(), ["verify"]);
        assert_eq!(desk.entries().len(), if closed { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_run_of_a_live_process_is_not_touched() {
    let desk = Desk::new();
    desk.backend.sending.set([Sending::Never]);
    let running = job("r1", "a");
    let other_process = door(desk.dir.path(), quick());
    let recovered = tokio::select! {
        _ = desk.run(&running) => panic!("it never ends"),
        recovered = async {
            desk.backend.arrived.lock().await.recv().await;
            other_process.recover(&desk.backend, &desk.open_run()).await
        } => recovered,
    };
    assert_eq!(recovered, Recovered::Elsewhere);
    assert!(!desk.backend.calls.lock().unwrap().contains(&"verify"));
}

#[tokio::test]
async fn a_run_that_somebody_settled_meanwhile_is_left_alone() {
    let desk = Desk::new();
    killed_while_sending(&desk).await;
    let open = desk.open_run();
    let settled = desk.door.settle(&open, true, "seen in the web interface").await;
    assert_eq!(settled.word(), "done");
    assert_eq!(desk.door.recover(&desk.backend, &open).await, Recovered::Closed(settled));
    assert!(!desk.backend.calls.lock().unwrap().contains(&"verify"));
    assert!(desk.journal().contains("settled by hand: seen in the web interface"));
}

/// The folder that a child process of [`a_killed_process_leaves_a_run_that_is_read_back`] works in.
const CHILD_DIR: &str = "VIGIE_TEST_CHILD_DIR";

/// What the child says once its operation is under way.
const UNDER_WAY: &str = "under way";

#[tokio::test]
#[ignore = "run by another test, in a process of its own that is killed"]
async fn child_that_never_ends() {
    let dir = std::path::PathBuf::from(std::env::var_os(CHILD_DIR).unwrap());
    let (backend, order_op, job) = (Fake::default(), op(), job("r0", "a"));
    backend.sending.set([Sending::Never]);
    let door = door(&dir, quick());
    let order = Order { backend: &backend, op: &order_op, job: &job, key: None, around: &[] };
    let say = async {
        backend.arrived.lock().await.recv().await;
        println!("{UNDER_WAY}");
        std::future::pending::<()>().await;
    };
    tokio::join!(door.run(order, &|_| {}), say);
}

#[tokio::test]
async fn a_killed_process_leaves_a_run_that_is_read_back() {
    use std::io::BufRead;
    let desk = Desk::new();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["exec::operate::tests::crash::child_that_never_ends", "--exact", "--ignored", "--nocapture"])
        .env(CHILD_DIR, desk.dir.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(UNDER_WAY)));

    let refused = desk.run(&job("r1", "a")).await;
    let why = format!("process {}", child.id());
    assert!(matches!(&refused, RunState::Refused(text) if text.contains(&why)), "{refused:?}");
    let open = desk.open_run();
    assert_eq!(desk.door.recover(&desk.backend, &open).await, Recovered::Elsewhere);

    child.kill().unwrap();
    child.wait().unwrap();
    let recovered = desk.door.recover(&desk.backend, &open).await;
    assert_eq!(recovered, Recovered::Closed(RunState::Done { proof: "it runs".into(), reveal: None }));
    assert_eq!((desk.backend.sent(), desk.entries()), (0, vec!["sending", "refused", "done"]));
}
