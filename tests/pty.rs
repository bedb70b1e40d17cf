//! The real console on a pseudo-terminal: what it costs, and how it leaves. (`terminal.rs` proves the pieces.)
#![cfg(feature = "demo")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's helpers may fail the test"
)]

mod support;

use std::time::Duration;

use rustix::process::Signal;
use support::pty::{Exit, Pty};
use tempfile::TempDir;

const VIGIE: &str = env!("CARGO_BIN_EXE_vigie");
const DESIGN_SIZE: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);
/// Far more than any exit takes.
const SOON: Duration = Duration::from_secs(5);
/// Longer than two frames lie apart.
const QUIET: Duration = Duration::from_millis(150);
/// Longer than the last answers take that were asked for before a pause.
const SETTLED: Duration = Duration::from_millis(500);

/// A demo console and the home it lives in.
struct Demo {
    terminal: Pty,
    _home: TempDir,
}

impl Demo {
    /// The overview, with the sources of the lab on screen.
    fn started(size: (u16, u16)) -> Self {
        Self::spawn(|home| Pty::spawn(VIGIE, &["demo"], &[("HOME", home)], size))
    }

    /// The same as a job of a shell.
    fn started_by_a_shell() -> Self {
        let stopped = "if test $code = 147; then echo STOPPED; fg; code=$?; fi";
        let script = format!("\"$0\" demo; code=$?; {stopped}; echo DONE $code");
        Self::spawn(|home| Pty::spawn_job(&script, VIGIE, &[("HOME", home)], DESIGN_SIZE))
    }

    fn spawn(spawn: impl FnOnce(&str) -> Pty) -> Self {
        let home = TempDir::new().unwrap();
        let terminal = spawn(home.path().to_str().unwrap());
        terminal.wait_for("argocd argo");
        Self { terminal, _home: home }
    }

    /// A list longer than the screen, its sources paused, so that only keys change anything.
    fn with_a_list(size: (u16, u16)) -> Self {
        let mut demo = Self::started(size);
        demo.terminal.send(":argocd.applications\r");
        demo.terminal.wait_for("adguard-home");
        demo.terminal.send("p");
        demo.terminal.wait_for("paused");
        demo.terminal.wait_quiet(SETTLED);
        demo
    }

    /// The bytes that a key takes.
    fn key(&mut self, key: &str) -> usize {
        self.terminal.cost_of(key, QUIET).len()
    }

    /// The bytes that each of some keys takes, the cheapest first. The last may hold the minute's redraw of ages.
    fn costs(&mut self, keys: [&str; 7]) -> [usize; 7] {
        let mut costs = keys.map(|key| self.key(key));
        costs.sort_unstable();
        costs
    }
}

#[test]
fn it_starts_without_asking_the_terminal_anything() {
    let demo = Demo::started(DESIGN_SIZE);
    let sent = String::from_utf8_lossy(&demo.terminal.since(0)).into_owned();
    for query in ["\x1b[c", "\x1b[>c", "\x1b[5n", "\x1b[6n", "\x1b[?u", ";?\x07", ";?\x1b\\", "$p", "\x1bP+q"]
    {
        assert!(!sent.contains(query), "{query:?}");
    }
}

#[test]
fn keys_that_leave_leave_it_clean() {
    for key in ["q", "\x03"] {
        let mut demo = Demo::started(DESIGN_SIZE);
        demo.terminal.send(key);
        assert_eq!(demo.terminal.wait_exit(SOON), Exit::with(0), "{key:?}");
        demo.terminal.assert_clean();
    }
}

#[test]
fn signals_that_end_it_leave_it_clean() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let demo = Demo::started(DESIGN_SIZE);
        demo.terminal.signal(signal);
        assert_eq!(demo.terminal.wait_exit(SOON), Exit::with(code), "{signal:?}");
        demo.terminal.assert_clean();
    }
}

#[test]
fn what_was_seen_is_kept_whoever_ends_it() {
    let lab = support::lab::Lab::start(&[]);
    let (config, state) = (lab.dir.path().join("lab.toml"), lab.dir.path().join("state"));
    let kept = lab.state().join("last-state.jsonl");
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let environment = [("XDG_STATE_HOME", state.to_str().unwrap())];
        let terminal = Pty::spawn(VIGIE, &["--config", config.to_str().unwrap()], &environment, DESIGN_SIZE);
        terminal.wait_for("46 applications");
        // What was kept in between would prove nothing.
        let _ = std::fs::remove_file(&kept);
        terminal.signal(signal);
        assert_eq!(terminal.wait_exit(SOON), Exit::with(code), "{signal:?}");
        let text = std::fs::read_to_string(&kept).unwrap();
        assert!(text.lines().count() > 20 && text.ends_with('\n'), "{signal:?}: {text}");
    }
}

#[test]
fn a_pulled_cable_ends_it() {
    let mut demo = Demo::started(DESIGN_SIZE);
    demo.terminal.hang_up();
    assert_eq!(demo.terminal.wait_exit(SOON), Exit::with(129));
}

#[test]
fn a_terminal_that_does_not_read_cannot_keep_it() {
    let mut demo = Demo::started(DESIGN_SIZE);
    demo.terminal.stall();
    demo.terminal.send(&"\x0c".repeat(200));
    demo.terminal.wait_quiet(QUIET);
    demo.terminal.signal(Signal::TERM);
    assert_eq!(demo.terminal.wait_exit(SOON), Exit::with(143));
}

#[test]
fn ctrl_z_gives_the_shell_its_terminal_and_fg_brings_the_console_back() {
    let mut demo = Demo::started_by_a_shell();
    demo.terminal.wait_quiet(QUIET);
    let mark = demo.terminal.received();
    demo.terminal.send("\x1a");
    demo.terminal.wait_sent(mark, "STOPPED\r\n");
    demo.terminal.wait_until("console again", vt100::Screen::alternate_screen);
    demo.terminal.wait_for("argocd argo");
    demo.terminal.wait_quiet(QUIET);
    let sent = String::from_utf8_lossy(&demo.terminal.since(mark)).into_owned();
    assert_eq!(sent.matches("\x1b[2J").count(), 1, "one repaint");
    demo.terminal.send("q");
    demo.terminal.wait_for("DONE 0");
    demo.terminal.assert_clean();
}

#[test]
fn a_cursor_move_takes_at_most_80_bytes() {
    let mut demo = Demo::with_a_list(DESIGN_SIZE);
    let costs = demo.costs(["j", "j", "j", "k", "j", "k", "k"]);
    assert!((1..=80).contains(&costs[5]), "{costs:?}");
}

#[test]
fn a_scroll_step_takes_at_most_200_bytes() {
    let mut demo = Demo::with_a_list(DESIGN_SIZE);
    // To the lower edge; every further step moves the list.
    demo.key(&"j".repeat(usize::from(DESIGN_SIZE.1)));
    let costs = demo.costs(["j"; 7]);
    assert!((1..=200).contains(&costs[3]), "{costs:?}");
    assert!(costs[5] <= 240, "a row that has more to say may take a little more: {costs:?}");
}

#[test]
fn a_cursor_move_beside_the_detail_takes_at_most_120_bytes_before_the_detail_follows() {
    let mut demo = Demo::with_a_list(LARGE);
    let mut costs = ["j", "j", "j", "k", "j", "k", "k"].map(|key| {
        let mark = demo.terminal.received();
        demo.terminal.send(key);
        demo.terminal.wait_more_than(mark);
        let cost = demo.terminal.since(mark).len();
        demo.terminal.wait_quiet(QUIET);
        cost
    });
    costs.sort_unstable();
    assert!((1..=120).contains(&costs[5]), "{costs:?}");
}

#[test]
fn a_full_repaint_is_one_synchronized_frame_within_its_budget() {
    for (size, budget) in [(DESIGN_SIZE, 3_000), (LARGE, 5_500)] {
        let mut demo = Demo::with_a_list(size);
        let sent = String::from_utf8(demo.terminal.cost_of("\x0c", QUIET)).unwrap();
        let frame = sent.split("\x1b[?2026h").find(|frame| frame.contains("\x1b[2J")).unwrap();
        let (frame, _) = frame.split_once("\x1b[?2026l").unwrap();
        assert!(frame.len() + 16 <= budget, "{size:?}: {}", frame.len());
        assert_eq!(sent.matches("\x1b[2J").count(), 1);
    }
}

#[test]
fn a_key_without_a_meaning_takes_nothing_and_so_does_time() {
    let mut demo = Demo::with_a_list(DESIGN_SIZE);
    demo.terminal.send("\x1b[24~");
    let idle = demo.terminal.overhear(Duration::from_secs(2)).len();
    assert!(idle <= 200, "{idle} bytes; a minute's redraw of ages is all that may happen");
}

#[test]
fn a_storm_of_sizes_ends_in_the_right_picture() {
    let mut demo = Demo::with_a_list(DESIGN_SIZE);
    for size in
        [(300, 100), (1, 1), (20, 5), (81, 25), (2, 60), (200, 2), (40, 8), (132, 43), (1, 100), LARGE]
    {
        demo.terminal.resize(size);
    }
    demo.terminal.wait_for("adguard-home");
    demo.terminal.wait_quiet(QUIET);
    // A cell that was never written and a blank look the same.
    let picture = |text: String| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let stormed = picture(demo.terminal.text());
    demo.terminal.cost_of("\x0c", QUIET);
    assert_eq!(stormed, picture(demo.terminal.text()));
}

#[test]
fn pasted_text_is_never_taken_for_keys() {
    let mut demo = Demo::with_a_list(DESIGN_SIZE);
    demo.terminal.send("\x1b[200~q:quit\rWy\x03\x1b[201~");
    demo.terminal.send("j");
    demo.terminal.wait_quiet(QUIET);
    demo.terminal.wait_for("adguard-home");
    assert!(!demo.terminal.text().contains("armed"));
    demo.terminal.send("q");
    assert_eq!(demo.terminal.wait_exit(SOON), Exit::with(0));
}

#[test]
fn a_dumb_terminal_gets_a_word_and_no_control_characters() {
    let home = TempDir::new().unwrap();
    let home = [("HOME", home.path().to_str().unwrap()), ("TERM", "dumb")];
    let terminal = Pty::spawn(VIGIE, &["demo"], &home, DESIGN_SIZE);
    assert_ne!(terminal.wait_exit(SOON), Exit::with(0));
    terminal.wait_for("vigie get");
    assert!(!terminal.since(0).contains(&0x1b));
}

#[test]
fn a_welcome_leaves_nothing_behind() {
    let home = TempDir::new().unwrap();
    let mut terminal = Pty::spawn(VIGIE, &[], &[("HOME", home.path().to_str().unwrap())], DESIGN_SIZE);
    terminal.wait_for("has written nothing");
    terminal.send("q");
    assert_eq!(terminal.wait_exit(SOON), Exit::with(0));
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
