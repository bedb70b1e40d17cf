//! The terminal's manners, proven on a pseudo-terminal with a small program that is built from `runtime`'s pieces.
//!
//! The program is in `terminal/program.rs`; it panics, floods the terminal and runs children on request, which the real
//! console does not.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's helpers may fail the test"
)]

#[path = "terminal/program.rs"]
mod program;
mod support;

use std::env;
use std::time::Duration;

use rustix::process::Signal;
use support::pty::{Exit, Pty};

const SIZE: (u16, u16) = (80, 24);
/// Far more than any exit takes; without the measures under test it would be never.
const SOON: Duration = Duration::from_secs(5);
const QUIET: Duration = Duration::from_millis(100);
/// How this test executable is told to be the program.
const BE_THE_PROGRAM: [&str; 4] = ["--ignored", "--nocapture", "--exact", "the_program"];

const STARTED_BY_A_TEST: (&str, &str) = ("STARTED_BY_A_TEST", "yes");

#[test]
#[ignore = "the program under test, which the other tests start"]
fn the_program() {
    if env::var_os(STARTED_BY_A_TEST.0).is_some() {
        program::main();
    }
}

fn myself() -> String {
    env::current_exe().unwrap().to_str().unwrap().to_owned()
}

/// The program as the first process of a session.
fn started() -> Pty {
    let terminal = Pty::spawn(&myself(), &BE_THE_PROGRAM, &[STARTED_BY_A_TEST], SIZE);
    terminal.wait_for("status: ready");
    terminal
}

/// The program as a job of a shell that tells when the job stops, continues it, and tells its exit code.
fn started_by_a_shell() -> Pty {
    let program = BE_THE_PROGRAM.join(" ");
    // 147 is SIGSTOP's way of being an exit code.
    let stopped = "if test $code = 147; then echo STOPPED; fg; code=$?; fi";
    let script = format!("\"$0\" {program}; code=$?; {stopped}; echo DONE $code");
    let terminal = Pty::spawn_job(&script, &myself(), &[STARTED_BY_A_TEST], SIZE);
    terminal.wait_for("status: ready");
    terminal
}

fn repaints(terminal: &Pty) -> usize {
    String::from_utf8_lossy(&terminal.since(0)).matches("\x1b[2J").count()
}

/// The shell's word, and whether it found a terminal that breaks lines.
fn was_stopped(terminal: &Pty, cooked: bool) -> bool {
    let word = if cooked { "STOPPED\r\n" } else { "STOPPED" };
    String::from_utf8_lossy(&terminal.since(0)).contains(word)
}

#[test]
fn every_key_that_ends_it_leaves_the_terminal_clean() {
    for (key, code) in [("q", 0), ("\x03", 130)] {
        let mut terminal = started();
        terminal.send(key);
        assert_eq!(terminal.wait_exit(SOON), Exit::with(code), "{key:?}");
        terminal.assert_clean();
    }
}

#[test]
fn every_signal_that_ends_it_leaves_the_terminal_clean() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::QUIT, 130), (Signal::HUP, 129)] {
        let terminal = started();
        terminal.signal(signal);
        assert_eq!(terminal.wait_exit(SOON), Exit::with(code), "{signal:?}");
        terminal.assert_clean();
    }
}

#[test]
fn a_panic_is_printed_on_a_clean_terminal() {
    let mut terminal = started();
    terminal.send("p");
    assert_eq!(terminal.wait_exit(SOON), Exit::with(101));
    terminal.assert_clean();
    terminal.wait_for("the program panics");
}

#[test]
fn a_panic_in_a_task_leaves_the_screen_alone() {
    let mut terminal = started();
    terminal.send("t");
    terminal.wait_for("status: a task panicked");
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON), Exit::with(0));
    assert!(!terminal.text().contains("a task panics"), "{}", terminal.text());
}

#[test]
fn a_pulled_cable_ends_it() {
    let mut terminal = started();
    terminal.hang_up();
    assert_eq!(terminal.wait_exit(SOON), Exit::with(129));
}

#[test]
fn a_pulled_cable_ends_it_even_where_hangups_are_ignored() {
    let mut arguments = vec!["-c", "trap '' HUP; exec \"$0\" \"$@\""];
    let myself = myself();
    arguments.push(&myself);
    arguments.extend(BE_THE_PROGRAM);
    let mut terminal = Pty::spawn("sh", &arguments, &[STARTED_BY_A_TEST], SIZE);
    terminal.wait_for("status: ready");
    terminal.signal(Signal::HUP);
    terminal.send("x");
    terminal.wait_for("Char('x')");
    terminal.hang_up();
    assert_eq!(terminal.wait_exit(SOON), Exit::with(129));
}

#[test]
fn a_terminal_that_does_not_read_cannot_keep_it() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut terminal = started();
        terminal.stall();
        terminal.send("f");
        terminal.wait_quiet(QUIET);
        terminal.signal(signal);
        assert_eq!(terminal.wait_exit(SOON), Exit::with(code), "{signal:?}");
    }
}

#[test]
fn a_terminal_that_reads_again_later_finds_itself_clean() {
    let mut terminal = started_by_a_shell();
    terminal.stall();
    terminal.send("f");
    terminal.wait_quiet(QUIET);
    terminal.end_job(Signal::TERM, SOON);
    terminal.unstall();
    terminal.wait_for("DONE 143");
    terminal.assert_clean();
}

#[test]
fn ctrl_z_stops_the_job_and_fg_repaints_once() {
    let mut terminal = started_by_a_shell();
    terminal.send("\x1a");
    terminal.wait_for("status: suspended true");
    terminal.wait_quiet(QUIET);
    assert!(was_stopped(&terminal, true));
    assert_eq!(repaints(&terminal), 2);
    terminal.send("q");
    terminal.wait_for("DONE 0");
    terminal.assert_clean();
}

#[test]
fn a_stop_from_outside_is_the_same() {
    let mut terminal = started_by_a_shell();
    terminal.signal(Signal::TSTP);
    terminal.wait_for("status: suspended true");
    assert!(was_stopped(&terminal, true));
    terminal.send("q");
    terminal.wait_for("DONE 0");
}

#[test]
fn after_a_stop_that_it_could_not_see_it_enters_again() {
    let mut terminal = started_by_a_shell();
    terminal.signal(Signal::STOP);
    terminal.wait_for("status: continued");
    assert!(was_stopped(&terminal, false));
    terminal.send("q");
    terminal.wait_for("DONE 0");
    terminal.assert_clean();
}

#[test]
fn without_a_shell_ctrl_z_stops_nothing() {
    let mut terminal = started();
    terminal.send("\x1a");
    terminal.wait_for("status: suspended false");
}

#[test]
fn a_child_has_the_keyboard_to_itself() {
    let mut terminal = started();
    terminal.send("r");
    terminal.wait_for("the child reads");
    terminal.send("7\r");
    terminal.wait_for("status: child exit status: 7");
    terminal.send("x");
    terminal.wait_for("Char('x')");
}

#[test]
fn the_interrupt_key_ends_only_the_child() {
    let mut terminal = started();
    terminal.send("r");
    terminal.wait_for("the child reads");
    terminal.send("\x03");
    terminal.wait_for("status: child signal: 2");
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON), Exit::with(0));
    terminal.assert_clean();
}

#[test]
fn the_stop_key_in_a_child_stops_both() {
    let mut terminal = started_by_a_shell();
    terminal.send("r");
    terminal.wait_for("the child reads");
    terminal.send("\x1a");
    terminal.wait_for("STOPPED");
    terminal.send("7\r");
    terminal.wait_for("status: child exit status: 7");
    terminal.send("q");
    terminal.wait_for("DONE 0");
    terminal.assert_clean();
}

#[test]
fn a_fatal_signal_ends_it_while_a_child_has_the_terminal() {
    let mut terminal = started();
    terminal.send("r");
    terminal.wait_for("the child reads");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.wait_exit(SOON), Exit::with(143));
    terminal.assert_clean();
}

#[test]
fn keys_pastes_and_focus_arrive_as_what_they_are() {
    let mut terminal = started();
    for (sent, seen) in [
        ("\x1b[1;5C", "code: Right, ctrl: true"),
        ("\x1b", "code: Esc"),
        ("\x1bx", "Char('x'), ctrl: false, alt: true"),
        ("\x1b[200~two\rlines\x1b[201~", r#"Paste("two\nlines")"#),
        ("\x1b[O", "Focus(false)"),
    ] {
        terminal.send(sent);
        terminal.wait_for(seen);
    }
}

#[test]
fn a_new_size_is_painted_in_full() {
    let mut terminal = started();
    for (columns, rows) in [(100, 30), (20, 5), (1, 1), (120, 40)] {
        terminal.resize((columns, rows));
        terminal.wait_until("frame of the new size", |screen| {
            let corner = screen.cell(rows - 1, columns - 1);
            corner.is_some_and(|cell| cell.contents() == "#") && screen.contents().matches('#').count() == 1
        });
    }
}

#[test]
fn a_dumb_terminal_is_refused_with_a_word() {
    let terminal = Pty::spawn(&myself(), &BE_THE_PROGRAM, &[STARTED_BY_A_TEST, ("TERM", "dumb")], SIZE);
    assert_eq!(terminal.wait_exit(SOON), Exit::with(2));
    terminal.wait_for("cannot place a cursor");
    assert!(!terminal.since(0).contains(&0x1b));
}
