//! Plays text files against the whole console without a terminal: the pure machine, the executor, and the lab over
//! real sockets, on a clock that only the play moves.
//!
//! | line | meaning |
//! |---|---|
//! | `size 80x24` | the screen; before anything else |
//! | `key g g` | keys, one after the other, as keymaps write them |
//! | `type text` | characters, one after the other |
//! | `paste text` | pasted text |
//! | `see text` | waits until the screen holds it |
//! | `not text` | the screen does not hold it now |
//! | `gone text` | waits until the screen does not hold it any more |
//! | `wait 2s` | moves the clock |
//! | `fault proxmox:timeout` | something goes wrong from now on |
//! | `copied text` | waits until something with it was copied |
//! | `restart` | the console is gone, and another one starts on the same lab and state |
//! | `well` | nothing goes wrong any more |
//! | `set flag value` | a fact that the simulators look at |
//! | `journal text` | waits until a line of the journal holds it and the console knows of it |
//! | `file path text` | the file holds it; `{lab}` is the lab's own folder, here and in every other text |
//! | `# …` | a remark |
#![cfg(feature = "demo")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test's helpers may fail the test")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use vigie::app::effect::Effect;
use vigie::app::msg::Msg;
use vigie::app::{App, Setup, desk};
use vigie::backend;
use vigie::config::env::Env;
use vigie::config::key::{Key, KeyCode, sequence};
use vigie::config::keymap::Keymap;
use vigie::config::load;
use vigie::config::theme::Theme;
use vigie::demo::{Lab, Options};
use vigie::exec::connect::connectors;
use vigie::exec::executor::{Executor, Parts};
use vigie::exec::inbox::Inbox;
use vigie::exec::journal::Journal;
use vigie::exec::locks::Locks;
use vigie::exec::operate::{Door, Patience};
use vigie::exec::state::LastState;
use vigie::insight::lookout::Settings;
use vigie::model::journal::{Entry, Line};
use vigie::model::op::Operations;
use vigie::model::time::{Clock, parse_duration};

/// What a form and a confirmation say while no answer counts: whoever plays waits for it, as a reader does.
const ASKING: [&str; 3] =
    ["asking the server what it offers", "checking with the server", "read first: no key counts"];
/// So long in real time something may take to show.
///
/// A server that was switched off costs the time-outs of connections that were open to it.
const PATIENCE: Duration = Duration::from_secs(60);

struct Stage {
    app: App,
    executor: Executor,
    inbox: Inbox,
    lab: Lab,
    clock: Clock,
    size: (u16, u16),
    copied: Vec<String>,
}

impl Stage {
    async fn open(scenario: &str, size: (u16, u16)) -> Self {
        let clock = Clock::manual("2026-03-01T20:00:00Z".parse().unwrap());
        let options = Options {
            scenario: scenario.to_owned(),
            seed: 7,
            faults: Vec::new(),
            clock: clock.clone(),
            config_out: None,
        };
        let lab = Lab::start(&options).await.unwrap();
        Self::console(lab, clock, size)
    }

    /// A console on a lab that runs.
    fn console(lab: Lab, clock: Clock, size: (u16, u16)) -> Self {
        let env = Env::default();
        let config = Arc::new(load::read(&lab.config, &env).unwrap());
        let journal = Journal::new(lab.state());
        let locks = Locks::new(lab.state().join("locks"));
        let door = Door::new(journal.clone(), locks, clock.clone(), Patience::default());
        let mut operations = backend::operations();
        operations.extend(desk::operations());
        let app = App::new(Setup {
            kinds: backend::kinds().into_iter().chain(desk::kinds()).collect(),
            operations: operations.clone(),
            theme: Theme::load(&config.ui, &env).0,
            keymap: Keymap::default(),
            themes: Theme::shipped().map(str::to_owned).collect(),
            ascii: false,
            wide: false,
            zone: TimeZone::UTC,
            operator: "ada".into(),
            armed_for: 600,
            boot: "flow".into(),
            demo: Some(lab.title.clone()),
            insight: Settings::from(&*config),
            welcome: None,
            now: clock.now(),
            size,
        });
        let (executor, inbox) = Executor::new(Parts {
            clock: clock.clone(),
            refresh: config.ui.refresh,
            seed: 7,
            operations: Operations::new(operations),
            door,
            operator: "ada".into(),
            last: LastState::new(lab.state()),
        });
        executor.start(connectors(&config, &clock, &journal));
        let mut stage = Self { app, executor, inbox, lab, clock, size, copied: Vec::new() };
        // The loop tells the size first, as a terminal would.
        stage.tell(Msg::Resize { width: size.0, height: size.1 });
        stage
    }

    /// Leaves the console as a crash would, and starts another one on the same lab and state.
    fn restart(self) -> Self {
        let Self { executor, lab, clock, size, .. } = self;
        executor.stop();
        Self::console(lab, clock, size)
    }

    fn tell(&mut self, msg: Msg) {
        let effects = self.app.update(self.clock.now(), msg);
        for effect in effects {
            match effect {
                Effect::Copy { text, .. } => self.copied.push(text),
                Effect::Quit(_) => {}
                effect => self.executor.carry_out(effect),
            }
        }
    }

    fn screen(&mut self) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        self.app.draw(self.clock.now(), &mut buf);
        let mut text = String::new();
        for y in 0..self.size.1 {
            let row: String = (0..self.size.0).map(|x| buf[(x, y)].symbol()).collect();
            let _ = writeln!(text, "{}", row.trim_end());
        }
        text
    }

    /// Lets a little time pass: answers arrive, the clock goes on faster than the world's.
    async fn breathe(&mut self) {
        let waited = tokio::time::timeout(Duration::from_millis(10), self.inbox.next()).await;
        if let Ok(msg) = waited {
            self.tell(msg);
            for msg in self.inbox.drain() {
                self.tell(msg);
            }
        }
        self.pass(SignedDuration::from_millis(50));
    }

    fn pass(&mut self, time: SignedDuration) {
        self.clock.advance(time);
        self.executor.nudge();
        self.tell(Msg::Tick);
    }

    async fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) -> Result<(), String> {
        let started = Instant::now();
        while !holds(self) {
            if started.elapsed() > PATIENCE {
                return Err(format!("{what}\nthe screen is:\n{}", self.screen()));
            }
            self.breathe().await;
        }
        Ok(())
    }

    /// Waits until a line holds the text and the console knows of it: it is written first, and until the console hears of
    /// the end the run still holds its target.
    async fn journal(&mut self, text: &str) -> Result<(), String> {
        let path = self.lab.state().join("journal.jsonl");
        let heard = |stage: &Self, line: &str| {
            serde_json::from_str::<Line>(line).is_ok_and(|line| match line.entry {
                Entry::Done { .. } | Entry::Failed { .. } => !stage.app.awaits(&line.run),
                _ => true,
            })
        };
        let holds = |stage: &mut Self| {
            let journal = std::fs::read_to_string(&path).unwrap_or_default();
            journal.lines().any(|line| line.contains(text) && heard(stage, line))
        };
        self.until(&format!("not in the journal: {text}"), holds).await
    }

    async fn play(&mut self, line: &str) -> Result<(), String> {
        let line = line.replace("{lab}", &self.lab.state().to_string_lossy());
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let rest = if verb == "type" { rest } else { rest.trim() };
        if matches!(verb, "key" | "type") {
            let answered = |screen: &str| !ASKING.iter().any(|words| screen.contains(words));
            self.until("an answer never came", |stage| answered(&stage.screen())).await?;
        }
        match verb {
            "key" => {
                for key in sequence(rest).map_err(|error| error.to_string())? {
                    self.tell(Msg::Key { key, repeat: false });
                }
            }
            "type" => {
                for c in rest.chars() {
                    self.tell(Msg::Key { key: Key::plain(KeyCode::Char(c)), repeat: false });
                }
            }
            "paste" => self.tell(Msg::Paste(rest.to_owned())),
            "see" => {
                return self
                    .until(&format!("never seen: {rest}"), |stage| stage.screen().contains(rest))
                    .await;
            }
            "gone" => {
                return self
                    .until(&format!("still seen: {rest}"), |stage| !stage.screen().contains(rest))
                    .await;
            }
            "not" if self.screen().contains(rest) => return Err(format!("seen: {rest}\n{}", self.screen())),
            "not" => {}
            "wait" => self.pass(parse_duration(rest).ok_or("no duration")?),
            "fault" => self.lab.world.inject(rest.parse()?),
            "copied" => {
                let holds = |stage: &mut Self| stage.copied.iter().any(|text| text.contains(rest));
                return self.until(&format!("never copied: {rest}"), holds).await;
            }
            "well" => self.lab.world.clear_faults(),
            "set" => {
                let (flag, value) = rest.split_once(' ').ok_or("set FLAG VALUE")?;
                self.lab.world.set(flag, value);
            }
            "journal" => return self.journal(rest).await,
            "file" => {
                let (path, text) = rest.split_once(' ').ok_or("file PATH TEXT")?;
                let held = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
                return if held.contains(text) { Ok(()) } else { Err(format!("{path} does not hold it")) };
            }
            other => return Err(format!("`{other}` is no verb of a flow")),
        }
        Ok(())
    }
}

/// Plays one file; `scenario NAME` and `size WxH` may stand at its beginning.
async fn play(path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let (mut scenario, mut size) = ("calm".to_owned(), (80, 24));
    let mut stage: Option<Stage> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix("scenario ") {
            name.clone_into(&mut scenario);
            continue;
        }
        if let Some((width, height)) = line.strip_prefix("size ").and_then(|size| size.split_once('x')) {
            size = (width.parse().map_err(|_| "size")?, height.parse().map_err(|_| "size")?);
            continue;
        }
        if stage.is_none() {
            stage = Some(Stage::open(&scenario, size).await);
        }
        if line == "restart" {
            stage = stage.map(Stage::restart);
            continue;
        }
        if let Some(stage) = &mut stage {
            let played = stage.play(line).await;
            played.map_err(|why| format!("{}:{}: `{line}`: {why}", path.display(), number + 1))?;
        }
    }
    Ok(())
}

#[test]
fn every_flow_plays_to_its_end() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let only = std::env::var("FLOW").unwrap_or_default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flows");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.extension().is_some_and(|ending| ending == "txt") && path.to_string_lossy().contains(&only)
    });
    paths.sort();
    assert!(!paths.is_empty(), "no flow is named like `{only}`");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // Most of a play is waiting, so that several go on at a time.
    let plays = stream::iter(paths).map(|path| async move { play(&path).await.err() }).buffer_unordered(4);
    let failures: Vec<String> = runtime.block_on(plays.filter_map(std::future::ready).collect());
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
