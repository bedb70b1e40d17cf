//! The program on a lab in another process.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// So long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A lab of its own, with a state folder; both go when it is dropped.
#[derive(Debug)]
pub struct Lab {
    server: Child,
    /// Holds `lab.toml`, the lab's secrets beside it, and the state.
    pub dir: tempfile::TempDir,
}

impl Lab {
    /// The calm lab, with faults.
    pub fn start(faults: &[&str]) -> Self {
        let args: Vec<&str> = faults.iter().flat_map(|fault| ["--faults", fault]).collect();
        Self::with(&args)
    }

    /// A lab with options of `vigie demo`.
    pub fn with(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("lab.toml");
        let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
        command.args(["demo", "--serve", "--config-out"]).arg(&config).args(args);
        let server = command
            .env("XDG_STATE_HOME", dir.path().join("server"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lab = Self { server, dir };
        // The configuration is written last, when every server listens.
        until("the lab is up", || config.exists());
        lab
    }

    /// Where its vigie keeps journal, locks and log.
    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state/vigie")
    }

    /// vigie on this lab, ready to be started.
    pub fn vigie(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
        command
            .arg("--config")
            .arg(self.dir.path().join("lab.toml"))
            .args(args)
            .env("XDG_STATE_HOME", self.dir.path().join("state"))
            .stdin(Stdio::null());
        command
    }

    /// vigie on this lab, run to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.vigie(args).output().unwrap()
    }

    /// What its journal holds.
    pub fn journal(&self) -> String {
        std::fs::read_to_string(self.state().join("journal.jsonl")).unwrap_or_default()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Waits until something holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Everything that a process wrote.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
