use jiff::Timestamp;

use crate::backend::error::ApiError;
use crate::exec::fake::{self, Answers, Fake};
use crate::headless::session::testing::{Bench, Printed};
use crate::model::id::EntityId;
use crate::model::row::Cell;
use crate::model::snapshot::{Layer, Snapshot};

use super::*;

fn row(instance: &str, key: &str, state: &str, mem: i64) -> Row {
    let id = EntityId::new(fake::KIND, instance, key);
    Row { health: crate::model::row::Health::Ok, ..Row::new(id, key, vec![Cell::new(state), Cell::new(mem)]) }
}

fn listing(instance: &str, rows: Vec<Row>) -> Fake {
    let list = Snapshot::complete(rows, Timestamp::UNIX_EPOCH);
    Fake { instance: instance.into(), lists: Answers::new([Ok(list)]), ..Fake::default() }
}

fn two_rows() -> Fake {
    listing("one", vec![row("one", "vm-10", "running", 3 << 30), row("one", "vm-9", "running", 512 << 20)])
}

fn broken(instance: &str) -> Fake {
    let fault = ApiError::new(Layer::Tcp, "connection refused");
    Fake { instance: instance.into(), lists: Answers::new([Err(fault)]), ..Fake::default() }
}

fn partial() -> Fake {
    let fake = two_rows();
    fake.lists.set([fake.lists.peek().map(|list| Snapshot {
        complete: false,
        notes: vec!["cannot see more".into()],
        ..list
    })]);
    fake
}

async fn run(backends: Vec<Fake>, words: &[&str]) -> Printed {
    let args = args(words);
    let bench = Bench::with(backends, fake::op());
    bench.run(async |session, io| get(session, &args, io).await).await
}

fn args(words: &[&str]) -> Get {
    use clap::Parser;
    let line = ["vigie", "get"].iter().chain(words);
    match crate::cli::Cli::try_parse_from(line).unwrap().command {
        Some(crate::cli::Command::Get(args)) => args,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn json_holds_kind_rows_sources_and_completeness_in_this_order() {
    let printed = run(vec![two_rows()], &["things", "-o", "json"]).await;
    assert_eq!(
        printed.out,
        concat!(
            r#"{"kind":"fake.things","rows":["#,
            r#"{"id":"fake.things/one/vm-9","health":"ok","domain":"unknown","cells":{"state":"running","mem":536870912}},"#,
            r#"{"id":"fake.things/one/vm-10","health":"ok","domain":"unknown","cells":{"state":"running","mem":3221225472}}"#,
            r#"],"sources":[{"id":"fake/one/things","health":"fresh","observed_at":"1970-01-01T00:00:00Z"}],"complete":true}"#,
            "\n"
        )
    );
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
}

#[tokio::test]
async fn a_stream_ends_with_its_trailer() {
    let printed = run(vec![two_rows(), broken("two")], &["things", "-o", "jsonl"]).await;
    let lines: Vec<serde_json::Value> =
        printed.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["id"], "fake.things/one/vm-9");
    assert_eq!(lines[2]["complete"], false);
    assert_eq!(lines[2]["sources"][1]["health"], "stale");
    assert_eq!(lines[2]["sources"][1]["error"], "tcp: connection refused");
    assert_eq!(printed.code, 3);
}

#[tokio::test]
async fn a_table_is_aligned_and_names_the_instance_where_there_are_several() {
    let printed = run(vec![two_rows()], &["things"]).await;
    assert_eq!(printed.out, "STATE     MEM\nrunning  512M\nrunning  3.0G\n".replace("3.0G", "  3G"));
    let two = listing("two", vec![row("two", "web", "off", 1 << 30)]);
    let printed = run(vec![two_rows(), two], &["things"]).await;
    assert_eq!(
        printed.out,
        "INSTANCE  STATE     MEM\ntwo       off        1G\none       running  512M\none       running    3G\n"
    );
}

#[tokio::test]
async fn csv_quotes_what_needs_it() {
    let odd = listing("one", vec![row("one", "a", "on, \"almost\"", 1)]);
    let printed = run(vec![odd], &["things", "-o", "csv"]).await;
    assert_eq!(
        printed.out,
        "id,health,domain,state,mem\nfake.things/one/a,ok,unknown,\"on, \"\"almost\"\"\",1\n"
    );
}

#[tokio::test]
async fn blindness_is_never_taken_for_emptiness() {
    let cases = [
        (vec![two_rows()], "state:=off", 0),
        (vec![two_rows(), broken("two")], "state:=off", 3),
        (vec![broken("one")], "", 3),
        (vec![partial()], "state:=off", 3),
    ];
    for (backends, filter, code) in cases {
        let printed = run(backends, &["things", "--filter", filter]).await;
        assert_eq!(printed.code, code, "{printed:?}");
        assert_eq!(printed.err.is_empty(), code == 0, "{printed:?}");
    }
}

#[tokio::test]
async fn a_name_picks_exactly_one_row_and_its_absence_needs_proof() {
    let cases = [
        (two_rows(), "vm-9", 2, 0),
        (two_rows(), "fake.things/one/vm-9", 2, 0),
        (two_rows(), "vm", 1, 1),
        (partial(), "vm", 1, 3),
    ];
    for (backend, name, lines, code) in cases {
        let printed = run(vec![backend], &["things", name]).await;
        assert_eq!((printed.out.lines().count(), printed.code), (lines, code), "{name}: {printed:?}");
    }
}

#[tokio::test]
async fn what_was_mistyped_is_told_with_what_was_meant() {
    for (words, hint) in [
        (vec!["thigns"], "did you mean `things`?"),
        (vec!["zebra"], "there are fake.things"),
        (vec!["th", "--filter", "stat:x"], "did you mean `state`?"),
    ] {
        let printed = run(vec![two_rows()], &words).await;
        assert!(printed.err.contains(hint), "{printed:?}");
        assert_eq!((printed.code, printed.out.as_str()), (2, ""));
    }
}

#[tokio::test]
async fn hostile_names_reach_no_terminal() {
    for format in ["table", "json", "jsonl", "csv"] {
        let hostile = listing("one", vec![row("one", "a\u{1b}]0;x\u{7}b", "\u{1b}[2Jrunning\u{202e}", 1)]);
        let printed = run(vec![hostile], &["things", "-o", format]).await;
        assert!(printed.out.contains("running"));
        assert!(!printed.out.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{format}: {printed:?}");
    }
}
