//! A lab with its own clock, and vigie on it as its command line is: in this process, without a screen.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use jiff::SignedDuration;
use tokio::runtime::Runtime;
use vigie::cli::Cli;
use vigie::config::Env;
use vigie::demo::{Lab, Options};
use vigie::exec::operate::Patience;
use vigie::headless::{self, Io, Pace};
use vigie::model::journal::{Entry, Line, open_runs};
use vigie::model::time::Clock;

use super::table::Row;

/// How long a server may stay silent where it will.
const SHORT: &str = "timeout = \"2s\"\n";
/// How long its work may take then, also where a client is more patient than its configuration.
const SHORT_WORK: Duration = Duration::from_millis(2500);
/// How long its work may take otherwise; the lab is twenty times as fast.
const WORK: Duration = Duration::from_secs(30);
/// So long in real time something may take to show.
const PATIENCE: Duration = Duration::from_secs(40);
/// Whoever comes back to a run of unknown outcome comes so much later.
const LATER: SignedDuration = SignedDuration::from_mins(11);
/// The lab lives so much faster than the world.
const FASTER: i32 = 20;

/// What a call printed, and its exit code.
#[derive(Debug)]
pub struct Said {
    pub code: u8,
    pub text: String,
}

/// A lab, and who works on it.
pub struct Stage<'a> {
    row: &'a Row,
    pub lab: Lab,
    clock: Clock,
    dir: tempfile::TempDir,
    config: PathBuf,
    work: Duration,
    over: Arc<AtomicBool>,
}

impl<'a> Stage<'a> {
    /// A lab as a row wants it, before anything is done; in a hurry where an answer will fail to come.
    pub fn set(row: &'a Row, runtime: &Runtime, hurry: bool) -> Result<Self, String> {
        let clock = Clock::manual("2026-03-01T20:00:00Z".parse().unwrap());
        let options = Options {
            scenario: row.played.scenario.clone(),
            seed: 1,
            faults: Vec::new(),
            clock: clock.clone(),
            config_out: None,
        };
        let lab = runtime.block_on(Lab::start(&options))?;
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config.toml");
        std::fs::copy(&lab.config, &config).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        std::thread::spawn({
            let (clock, over) = (clock.clone(), over.clone());
            move || pass(&clock, &over)
        });
        let mut stage = Self { row, lab, clock, dir, config, work: WORK, over };
        for line in &row.played.given {
            stage.give(line)?;
        }
        if hurry {
            stage.hurry();
        }
        stage.lab.world.listen();
        Ok(stage)
    }

    /// Makes everybody impatient.
    fn hurry(&mut self) {
        let text = std::fs::read_to_string(&self.config).unwrap();
        std::fs::write(&self.config, hurried(&text)).unwrap();
        self.work = SHORT_WORK;
    }

    /// One thing that was before.
    pub fn give(&self, line: &str) -> Result<(), String> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "set" => {
                let (flag, value) = rest.split_once(' ').ok_or("set FLAG VALUE")?;
                self.lab.world.set(flag, value);
            }
            "fault" => self.lab.world.inject(rest.parse()?),
            "try" => drop(self.vigie("before", &format!("do {rest}"))),
            "mine" => drop(self.vigie("ada", &format!("do {rest}"))),
            "do" => {
                let said = self.vigie("before", line);
                if said.code != 0 {
                    return Err(format!("given `{line}`: {said:?}"));
                }
            }
            other => return Err(format!("`{other}` gives nothing")),
        }
        Ok(())
    }

    /// Makes the request go wrong that the row sends.
    pub fn fault(&self, kind: &str) -> Result<(), String> {
        let fault: vigie::backend::sim::Fault = format!("{}:{kind}", self.row.server).parse()?;
        self.lab.world.inject(fault.at(&self.row.played.sends).times(1));
        Ok(())
    }

    /// The row's operation by somebody, each with a journal of their own.
    pub fn act(&self, operator: &str, call: &str) -> Said {
        self.vigie(operator, &format!("do {} {call}", self.row.operation))
    }

    /// One call of vigie.
    pub fn vigie(&self, operator: &str, line: &str) -> Said {
        let line = line.replace("{dir}", &self.dir.path().to_string_lossy());
        let line = line.replace("{open}", &self.open().unwrap_or_default());
        let words = ["vigie".to_owned(), "--config".to_owned(), self.config.to_string_lossy().into_owned()];
        let cli = Cli::try_parse_from(words.into_iter().chain(self::words(&line)));
        let Cli { common, command } = cli.unwrap_or_else(|error| panic!("{line}: {error}"));
        let state = self.dir.path().join(operator);
        let env =
            Env::from_iter([("XDG_STATE_HOME", state.to_string_lossy()), ("HOME", state.to_string_lossy())]);
        let patience = Patience {
            work: self.work,
            proof: Duration::from_secs(10),
            pause: Duration::from_millis(50),
            ..Patience::default()
        };
        let pace = Pace { clock: self.clock.clone(), patience };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut io = Io { out: &mut out, err: &mut err, terminal: false };
        let code =
            headless::run_at(&pace, &command.unwrap(), &common, &env, &mut io).unwrap_or_else(|failure| {
                io.note(&failure.to_string());
                failure.code()
            });
        out.extend(err);
        Said { code, text: String::from_utf8_lossy(&out).into_owned() }
    }

    /// How often the row's request went out.
    pub fn sent(&self) -> usize {
        let request = format!("{} {}", self.row.server, self.row.played.sends);
        self.lab.world.heard().iter().filter(|heard| heard.starts_with(&request)).count()
    }

    /// What was asked for that is no plain question.
    pub fn writes(&self) -> Vec<String> {
        let question = [" GET ", "/List ", "/Get ", "/Watch ", "subjectaccessreviews"];
        let heard = self.lab.world.heard().into_iter();
        heard.filter(|heard| !question.iter().any(|word| format!("{heard} ").contains(word))).collect()
    }

    /// Waits until the world shows something, or shows it no more.
    pub fn shows(&self, wanted: &str) -> Result<(), String> {
        let look = &self.row.played.look;
        let mut seen = String::new();
        let shown = until(|| {
            seen = self.vigie("ada", look).text;
            wanted.strip_prefix('!').map_or_else(|| seen.contains(wanted), |gone| !seen.contains(gone))
        });
        if shown { Ok(()) } else { Err(format!("`{look}` never shows `{wanted}` but\n{seen}")) }
    }

    /// Lets time pass in the lab, as it does until somebody comes back.
    pub fn wait(&self) {
        self.clock.advance(LATER);
    }

    /// The journal of whoever plays.
    pub fn journal(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("ada/vigie/journal.jsonl")).unwrap_or_default()
    }

    fn lines(&self) -> Vec<Line> {
        self.journal().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What the journal says of the last run of the row's operation, a word a line.
    pub fn course(&self) -> String {
        let lines = self.lines();
        let Some(run) = lines.iter().rev().find(|line| self.is_ours(line)).map(|line| line.run.clone())
        else {
            return String::new();
        };
        let ours = lines.iter().filter(|line| line.run == run).filter_map(|line| match &line.entry {
            Entry::Sending { .. } => Some("sending"),
            Entry::Done { .. } => Some("done"),
            Entry::Failed { .. } => Some("failed"),
            Entry::Unknown { .. } => Some("unknown"),
            Entry::Refused { .. } => Some("refused"),
            // What the server called it, and what was said of the house.
            Entry::Accepted { .. } | Entry::Declared { .. } | Entry::Note { .. } => None,
        });
        ours.collect::<Vec<_>>().join(" ")
    }

    fn is_ours(&self, line: &Line) -> bool {
        matches!(&line.entry, Entry::Sending { op, .. } if **op == *self.row.operation)
    }

    /// The run that has no outcome, if there is one.
    pub fn open(&self) -> Option<String> {
        open_runs(&self.lines()).first().map(|open| open.line.run.to_string())
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

/// Waits until something holds, and looks less often the longer it takes.
pub fn until(mut holds: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !holds() {
        let waited = started.elapsed();
        if waited > PATIENCE {
            return false;
        }
        std::thread::sleep((waited / 4).clamp(Duration::from_millis(20), Duration::from_secs(1)));
    }
    true
}

/// Time passes in the lab.
fn pass(clock: &Clock, over: &AtomicBool) {
    while !over.load(Ordering::SeqCst) {
        let began = Instant::now();
        std::thread::sleep(Duration::from_millis(10));
        let passed = SignedDuration::try_from(began.elapsed()).unwrap_or_default();
        clock.advance(passed * FASTER);
    }
}

/// A configuration whose servers must answer soon.
fn hurried(config: &str) -> String {
    let mut text = String::new();
    for line in config.lines() {
        text.push_str(line);
        text.push('\n');
        let name = line.strip_prefix("[[").and_then(|rest| rest.split_once("]]")).map(|(name, _)| name);
        if name.is_some_and(|name| !matches!(name, "argocd" | "pinned" | "probe")) {
            text.push_str(SHORT);
        }
    }
    text
}

/// Words as a shell would cut them; what stands in quotes is one.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, piece) in line.split('"').enumerate() {
        if number % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}
