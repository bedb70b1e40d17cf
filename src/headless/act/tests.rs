use std::os::unix::fs::PermissionsExt;

use clap::Parser;
use serde_json::Value;

use crate::backend::error::{ApiError, SendError};
use crate::backend::{Proof, Receipt};
use crate::exec::fake::{self, Answers, Fake, KIND, Sending, refused};
use crate::headless::session::testing::{Bench, Printed};
use crate::model::op::{Evidence, Field, FieldKind, Reveal, Rights, Targets, Tier};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

use super::*;

fn args(line: &str) -> Do {
    let words = ["vigie", "do"].into_iter().chain(line.split_whitespace());
    match crate::cli::Cli::try_parse_from(words).unwrap().command {
        Some(crate::cli::Command::Do(args)) => args,
        other => panic!("{other:?}"),
    }
}

async fn run(bench: &Bench, line: &str) -> Printed {
    let args = args(line);
    bench
        .run(
            async |session, io| {
                if args.help {
                    explain(&session.operations, &args, io)
                } else {
                    act(session, &args, io).await
                }
            },
        )
        .await
}

fn bench() -> Bench {
    Bench::new(Fake::default(), fake::op())
}

fn tiered(tier: Tier) -> Bench {
    Bench::new(Fake::default(), OpSpec { tier, ..fake::op() })
}

fn invite() -> OpSpec {
    let op = OpSpec { targets: Targets::New { kind: KIND.into(), what: "label".into() }, ..fake::op() };
    let days =
        Field::new("expires", "expires", FieldKind::Duration { max: 604_800 }, "How long.").default("1d");
    op.form(vec![days, Field::new("group", "group", FieldKind::Line, "Into which group.")]).reveals()
}

fn secretive() -> Bench {
    let reveal = Reveal { title: "link".into(), secret: "https://planted".into(), message: String::new() };
    let receipt = Receipt { remote: None, said: "made".into(), reveal: Some(reveal) };
    let fake = Fake { sending: Answers::new([Sending::Answers(Ok(receipt))]), ..Fake::default() };
    Bench::new(fake, invite())
}

#[tokio::test]
async fn a_confirmed_operation_is_done_when_it_is_read_back() {
    let bench = bench();
    for (line, name) in [("start a --yes", "a"), ("fake.start fake.things/one/b --yes", "b")] {
        let printed = run(&bench, line).await;
        assert_eq!((printed.code, printed.out.as_str()), (0, &*format!("{name}: done: it runs\n")));
        assert!(printed.err.contains(&format!("{name}: starts it")), "{printed:?}");
    }
    assert_eq!(bench.backend.sent(), 2);
}

#[tokio::test]
async fn each_tier_wants_its_own_confirmation() {
    let cases = [
        (Tier::T0, "start a", 0),
        (Tier::T1, "start a", 4),
        (Tier::T1, "start a --yes", 0),
        (Tier::T2, "start a --yes", 4),
        (Tier::T2, "start a --confirm a", 4),
        (Tier::T2, "start a --confirm b --reason why", 4),
        (Tier::T2, "start a --confirm a --reason why", 0),
        (Tier::T2, "start a b --confirm b --confirm a --reason why", 0),
        (Tier::T3, "start a --yes --confirm a --reason why", 4),
    ];
    for (tier, line, code) in cases {
        let bench = tiered(tier);
        let printed = run(&bench, line).await;
        assert_eq!(printed.code, code, "{tier} {line}: {printed:?}");
        assert_eq!(bench.backend.sent() > 0, code == 0, "{tier} {line}");
    }
}

#[tokio::test]
async fn the_exit_code_tells_what_became_of_it() {
    let fault = || Fault::new(Layer::Http, "no answer in 10 s");
    let cases = [
        (Ok(Receipt::default()), Proof::Absent("stopped".into()), 1),
        (Err(SendError::Refused(fault())), Proof::Absent("stopped".into()), 1),
        (Err(SendError::NotSent(fault())), Proof::Absent("stopped".into()), 4),
        (Err(SendError::Unknown(fault())), Proof::Unclear("no answer".into(), "look there".into()), 5),
        (Err(SendError::Unknown(fault())), Proof::Seen("it runs".into()), 0),
    ];
    for (sent, proof, code) in cases {
        let bench = bench();
        bench.backend.sending.set([Sending::Answers(sent)]);
        bench.backend.proofs.set([Ok(proof)]);
        let printed = run(&bench, "start a --yes -o json").await;
        assert_eq!(printed.code, code, "{printed:?}");
        let answer: Value = serde_json::from_str(&printed.out).unwrap();
        assert_eq!(answer["runs"][0]["target"], "fake.things/one/a");
        assert_eq!(answer["runs"][0]["look"].is_string(), code == 5);
    }
}

#[tokio::test]
async fn a_target_is_exactly_one_thing_or_nothing_is_sent() {
    let twin = || Fake { instance: "two".into(), ..Fake::default() };
    let broken = || Fake {
        instance: "two".into(),
        lists: Answers::new([Err(ApiError::new(Layer::Tcp, "connection refused"))]),
        ..Fake::default()
    };
    let cases = [
        (vec![Fake::default()], "nobody", 4, "nothing in fake.things is called exactly `nobody`"),
        (vec![Fake::default()], "fake.things/one/z", 4, "does not exist"),
        (vec![Fake::default(), twin()], "a", 4, "is not clear"),
        (vec![Fake::default(), broken()], "a", 4, "two does not answer"),
        (vec![Fake::default(), broken()], "a --instance one", 0, ""),
        (vec![Fake::default(), broken()], "fake.things/one/a", 0, ""),
        (vec![broken()], "fake.things/two/a", 4, "cannot be looked up"),
        (vec![Fake::default()], "a --instance nine", 2, "only one"),
        (vec![Fake::default()], "a a", 2, "named twice"),
        (vec![Fake::default()], "", 2, "on what?"),
    ];
    for (backends, words, code, says) in cases {
        let bench = Bench::with(backends, fake::op());
        let printed = run(&bench, &format!("start {words} --yes")).await;
        assert_eq!(printed.code, code, "{words}: {printed:?}");
        assert!(printed.err.contains(says), "{words}: {printed:?}");
        assert_eq!(bench.backend.sent(), usize::from(code == 0), "{words}");
    }
}

#[tokio::test]
async fn what_speaks_against_it_is_shown_and_refuses_all() {
    let bench = bench();
    bench.backend.verdict.set([Ok(refused("68 of 64 GiB"))]);
    let printed = run(&bench, "start a b --yes -o json").await;
    assert_eq!((printed.code, bench.backend.sent()), (4, 0));
    assert!(printed.err.contains("memory: 68 of 64 GiB"), "{printed:?}");
    let answer: Value = serde_json::from_str(&printed.out).unwrap();
    assert_eq!((&answer["runs"], answer["refused"].is_string()), (&Value::Array(vec![]), true));
}

#[tokio::test]
async fn a_missing_right_is_named() {
    let bench = bench();
    let missing = [("fake.start".into(), "Thing.Start".into())].into();
    bench.backend.rights.set([Ok(Rights { missing, unknown: vec![] })]);
    let printed = run(&bench, "start a --yes").await;
    assert_eq!(printed.code, 4);
    assert!(printed.err.contains("lacks Thing.Start"), "{printed:?}");
}

#[tokio::test]
async fn evidence_that_only_warns_is_told_and_lets_it_through() {
    let bench = bench();
    let verdict = bench.backend.verdict.peek().unwrap();
    let warning = Evidence::new("backup", "26 h old", Tone::Warn);
    bench.backend.verdict.set([Ok(verdict.and(crate::model::op::Decision::Warn, warning))]);
    let printed = run(&bench, "start a --yes").await;
    assert_eq!(printed.code, 0);
    assert!(printed.err.contains("backup: 26 h old"));
}

#[tokio::test]
async fn fields_are_checked_before_anything_is_asked() {
    let cases = [
        ("invite gran --set group=family", 0, ""),
        ("invite gran --set group=family --set expires=2h", 0, ""),
        ("invite gran --set grup=family", 2, "did you mean `group`?"),
        ("invite gran --set group", 2, "write it as FIELD=VALUE"),
        ("invite gran --set group=a --set group=b", 2, "given twice"),
        ("invite gran", 2, "group: a value is required"),
        ("invite gran --set group=family --set expires=9d", 2, "more than the limit"),
    ];
    for (line, code, says) in cases {
        let op = OpSpec { name: "fake.invite".into(), reveals: false, ..invite() };
        let bench = Bench::new(Fake::default(), op);
        let printed = run(&bench, &format!("{line} --yes")).await;
        assert_eq!(printed.code, code, "{line}: {printed:?}");
        assert!(printed.err.contains(says), "{line}: {printed:?}");
        assert_eq!(
            bench.journal().contains("\"expires\":\"1d\""),
            code == 0 && !line.contains("2h"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_secret_goes_to_its_file_or_a_terminal_and_nowhere_else() {
    let bench = secretive();
    let path = bench.dir.path().join("link");
    let line = "start gran --set group=family --yes";
    let printed = run(&bench, line).await;
    assert_eq!((printed.code, bench.backend.sent()), (4, 0), "{printed:?}");

    let into_file = format!("{line} --secret-out {}", path.display());
    let printed = run(&bench, &into_file).await;
    assert_eq!(printed.code, 0, "{printed:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "https://planted\n");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!format!("{printed:?}{}", bench.journal()).contains("planted"));

    let again = run(&bench, &into_file).await;
    assert_eq!((again.code, bench.backend.sent()), (4, 1), "an existing file is not overwritten");

    let terminal = Bench { terminal: true, ..secretive() };
    assert_eq!(run(&terminal, &format!("{line} -o json")).await.code, 4);
    let printed = run(&terminal, line).await;
    assert!(printed.out.contains("https://planted"));
    assert!(!format!("{}{}", printed.err, terminal.journal()).contains("planted"));
}

#[tokio::test]
async fn a_file_for_a_secret_that_never_came_is_removed() {
    let bench = secretive();
    bench.backend.sending.set([Sending::Answers(Err(SendError::Refused(Fault::new(Layer::App, "no"))))]);
    let path = bench.dir.path().join("link");
    let line = format!("start gran --set group=family --yes --secret-out {}", path.display());
    assert_eq!(run(&bench, &line).await.code, 1);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_key_serves_for_one_call() {
    let bench = bench();
    assert_eq!(run(&bench, "start a b --yes --id deploy-7").await.code, 0);
    let printed = run(&bench, "start a --yes --id deploy-7").await;
    assert_eq!((printed.code, bench.backend.sent()), (4, 2));
    assert!(printed.err.contains("deploy-7 was used before"), "{printed:?}");
}

#[tokio::test]
async fn a_note_needs_no_server() {
    let bench = bench();
    let printed = run(&bench, "note.add fake.things/one/a --set text=seen").await;
    assert_eq!((printed.code, bench.journal().contains("\"text\":\"seen\"")), (0, true));
    assert_eq!(run(&bench, "note.add a --set text=seen").await.code, 2);
    assert_eq!(run(&bench, "note.add fake.things/one/a --set text=seen --id k").await.code, 2);
}

#[tokio::test]
async fn a_run_that_nothing_proves_is_settled_by_hand() {
    let bench = bench();
    bench.backend.sending.set([Sending::Answers(Err(SendError::Unknown(Fault::new(Layer::Http, "late"))))]);
    bench.backend.proofs.set([Ok(Proof::Unclear("no answer".into(), "look there".into()))]);
    let printed = run(&bench, "start a --yes -o json").await;
    let answer: Value = serde_json::from_str(&printed.out).unwrap();
    let id = answer["runs"][0]["run"].as_str().unwrap();
    assert_eq!(run(&bench, "start a --yes").await.code, 4, "its target is held");
    assert_eq!(run(&bench, &format!("run.settle {id} --set outcome=failed --yes")).await.code, 4);
    let settle = format!("run.settle {id} --set outcome=failed --yes --reason looked");
    assert_eq!(run(&bench, &settle).await.code, 0);
    assert_eq!(run(&bench, &settle).await.code, 4, "it is settled only once");
    assert_eq!(run(&bench, "start a --yes").await.code, 5, "its target is free again");
}

#[tokio::test]
async fn help_names_targets_confirmation_and_fields() {
    let bench = secretive();
    let printed = run(&bench, "start --help").await;
    for part in ["the label of what is new", "--yes", "--secret-out", "group", "at most 7d; default 1d"] {
        assert!(printed.out.contains(part), "{part}: {}", printed.out);
    }
    let printed = run(&bench, "--help").await;
    assert!(printed.out.contains("--confirm") && printed.out.contains("note.add"));
    assert_eq!(run(&bench, "").await.code, 2);
    assert!(run(&bench, "strat a").await.err.contains("did you mean `start`?"));
}
