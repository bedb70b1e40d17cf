//! Every operation of the registry through the door of `vigie do`, on labs of their own: done, refused by its server,
//! without an answer, with a lost answer, overtaken by somebody else, and aimed at somebody with a twin.
//!
//! A table of `operations/*.toml` has a row for each operation; a row may leave a column out only with a reason, which
//! is printed. `OPERATION=proxmox.start` plays the rows that begin so, `COLUMN=silent` that column alone.
#![cfg(feature = "demo")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail and say why")]

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};

#[path = "operations/columns.rs"]
mod columns;
#[path = "operations/stage.rs"]
mod stage;
#[path = "operations/table.rs"]
mod table;

use columns::Column;
use table::Row;

/// Most of a play is waiting, so that several go on at a time.
const AT_ONCE: usize = 24;

/// What the environment asks for, or everything.
fn only(variable: &str) -> String {
    std::env::var(variable).unwrap_or_default()
}

/// The squares of the table that are to be played, the slow columns first.
fn squares(rows: &[Row]) -> Vec<(&Row, Column)> {
    let (operation, column) = (only("OPERATION"), only("COLUMN"));
    let columns = columns::ALL.iter().filter(|known| known.name().contains(&column));
    let squares = columns.flat_map(|column| rows.iter().map(|row| (row, *column)));
    squares.filter(|(row, column)| row.title.starts_with(&operation) && row.plays(*column)).collect()
}

/// Plays every square, several at a time, and gives what went wrong.
fn play(runtime: &Runtime, squares: Vec<(&Row, Column)>) -> Vec<String> {
    let (left, failures) = (Mutex::new(squares.into_iter()), Mutex::new(Vec::new()));
    let next = || left.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((row, column)) = next() {
                    let began = Instant::now();
                    let played = std::panic::catch_unwind(|| column.play(row, runtime));
                    let why = match played {
                        Ok(Ok(())) => None,
                        Ok(Err(why)) => Some(why),
                        Err(_) => Some("panicked; see above".to_owned()),
                    };
                    let told = why.map(|why| format!("{} / {}: {why}", row.title, column.name()));
                    let ended = told.as_deref().unwrap_or("ok");
                    eprintln!(
                        "{:>6} ms  {} / {}: {ended}",
                        began.elapsed().as_millis(),
                        row.title,
                        column.name()
                    );
                    failures.lock().unwrap().extend(told);
                }
            });
        }
    });
    failures.into_inner().unwrap()
}

#[test]
fn every_operation_is_done_refused_and_never_sent_twice() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let rows = table::read();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let squares = squares(&rows);
    assert!(!squares.is_empty(), "no operation begins so, or no column is called so");
    let failures = play(&runtime, squares);
    assert!(failures.is_empty(), "{} failed\n\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn every_operation_has_a_row_and_every_missing_square_a_reason() {
    let rows = table::read();
    let known: BTreeSet<String> =
        vigie::headless::operations().iter().map(|operation| operation.name.to_string()).collect();
    let covered: BTreeSet<String> = rows.iter().map(|row| row.operation.clone()).collect();
    let missing: Vec<_> = known.difference(&covered).collect();
    let strange: Vec<_> = covered.difference(&known).collect();
    assert!(missing.is_empty(), "no row plays {missing:?}");
    assert!(strange.is_empty(), "no such operation: {strange:?}");
    for row in &rows {
        for (column, reason) in &row.left_out {
            eprintln!("{} / {}: left out: {reason}", row.title, column.name());
            assert!(reason.split(' ').count() > 3, "{}: `{reason}` is no reason", row.title);
        }
    }
}
