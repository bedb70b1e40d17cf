//! The loop: wait for input, signals, answers or the next frame; drain what is there; update; draw once.
//!
//! There is no tick: it sleeps until something happens or something on screen is due to change by itself.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use ratatui::layout::Size;
use tokio::time::Instant;

use crate::app::effect::Effect;
use crate::app::msg::Msg;
use crate::app::{App, Setup};
use crate::backend;
use crate::config::env::Env;
use crate::config::keymap::Keymap;
use crate::config::theme::Theme;
use crate::config::{Config, Ui};
use crate::exec::connect::connectors;
use crate::exec::executor::{Executor, Parts};
use crate::exec::inbox::Inbox;
use crate::exec::journal::Journal;
use crate::exec::locks::Locks;
use crate::exec::operate::{Door, Patience};
use crate::exec::state::LastState;
use crate::insight::lookout;
use crate::model::op::Operations;
use crate::model::row::Tone;
use crate::model::time::Clock;

use super::child::Child;
use super::clipboard::{self, Multiplexer};
use super::console::Console;
use super::input::Input;
use super::screen::Screen;
use super::signals::Raised;
use super::terminal::{Output, TerminalError};

/// The exit code where the terminal is gone, SIGHUP's.
const HANGUP: u8 = 129;

/// What a console is started with.
pub struct Options {
    /// The settings; defaults where nothing is configured yet.
    pub config: Config,
    /// The file that would be read, where nothing is configured yet.
    pub welcome: Option<PathBuf>,
    /// The title of the lab, where this is a demo.
    pub demo: Option<String>,
    /// The environment.
    pub env: Env,
    /// The clock.
    pub clock: Clock,
    /// Where the journal and the locks are.
    pub state: PathBuf,
}

impl Options {
    /// A console on configured systems.
    pub fn new(config: Config, env: &Env, state: impl Into<PathBuf>) -> Self {
        let (env, state) = (env.clone(), state.into());
        Self { config, welcome: None, demo: None, env, clock: Clock::System, state }
    }
}

/// Runs the console until it is left; returns the exit code.
pub async fn run(options: Options) -> Result<u8, TerminalError> {
    // Plugins that log in want the terminal as it is; later they are never asked to.
    backend::kubernetes::login::before_screen(&options.config).await;
    let term = std::env::var_os("TERM");
    let console = Console::open(term.as_deref(), options.config.ui.mouse)?;
    let size = console.terminal.size();
    let screen = Screen::new(console.terminal.output(), size);
    let (app, complaints) = open(&options, size);
    let operations = Operations::new(operations());
    let locks = Locks::new(options.state.join("locks"));
    let journal = Journal::new(&options.state);
    let door = Door::new(journal.clone(), locks, options.clock.clone(), Patience::default());
    let parts = Parts {
        clock: options.clock.clone(),
        refresh: options.config.ui.refresh,
        seed: u64::from(std::process::id()),
        operations,
        door,
        operator: options.config.operator.clone(),
        last: LastState::new(&options.state),
    };
    let (executor, inbox) = Executor::new(parts);
    let frame = pace(&options.config.ui, &options.env);
    let config = Arc::new(options.config);
    let mut shell = Shell {
        console,
        screen,
        app,
        executor,
        inbox,
        clock: options.clock,
        env: options.env,
        frame,
        drawn: None,
    };
    for text in complaints {
        shell.tell(Msg::Notice { tone: Tone::Warn, text });
    }
    shell.draw()?;
    shell.executor.start(connectors(&config, &shell.clock, &journal));
    match shell.serve().await {
        // A terminal that takes no frame is gone; its hang-up was only slower.
        Err(TerminalError::Io(error)) => {
            tracing::warn!(%error, "the terminal is gone");
            Ok(HANGUP)
        }
        ended => ended,
    }
}

/// All kinds: the backends' and vigie's own.
fn kinds() -> Vec<crate::model::kind::KindSpec> {
    let mut kinds = backend::kinds();
    kinds.extend(crate::app::desk::kinds());
    kinds
}

/// All operations: the backends' and vigie's own.
fn operations() -> Vec<crate::model::op::OpSpec> {
    let mut operations = backend::operations();
    operations.extend(crate::app::desk::operations());
    operations
}

/// The machine at its start, and what there was to complain about themes, keys and settings.
fn open(options: &Options, size: Size) -> (App, Vec<String>) {
    let ui = &options.config.ui;
    let (theme, mut reports) = Theme::load(ui, &options.env);
    let (keymap, more) = Keymap::load(&ui.keymap, &options.env);
    reports.extend(more);
    reports.extend(options.config.warnings.iter().cloned());
    let app = App::new(Setup {
        kinds: kinds(),
        operations: operations(),
        theme,
        keymap,
        themes: Theme::shipped().map(str::to_owned).collect(),
        ascii: ui.ascii,
        wide: ui.wide,
        zone: TimeZone::system(),
        operator: options.config.operator.clone(),
        armed_for: i64::try_from(options.config.guard.armed_for.as_secs()).unwrap_or(600),
        boot: uuid::Uuid::new_v4().to_string().into(),
        demo: options.demo.clone(),
        welcome: options.welcome.as_ref().map(|path| path.display().to_string()),
        insight: lookout::Settings::from(&options.config),
        now: options.clock.now(),
        size: (size.width, size.height),
    });
    (app, reports.iter().map(|report| report.to_string().replace('\n', " ")).collect())
}

/// The least time between two frames.
fn pace(ui: &Ui, env: &Env) -> Duration {
    let remote = env.get("SSH_CONNECTION").or_else(|| env.get("SSH_TTY")).is_some();
    let fps = if remote { ui.fps_ssh } else { ui.fps };
    Duration::from_secs(1) / u32::from(fps.max(1))
}

struct Shell {
    console: Console,
    screen: Screen<Output>,
    app: App,
    executor: Executor,
    inbox: Inbox,
    clock: Clock,
    env: Env,
    frame: Duration,
    drawn: Option<Instant>,
}

/// What ended the waiting.
enum Event {
    Input(Input),
    Raised(Raised),
    Answer(Box<Msg>),
    Due,
}

impl Shell {
    async fn serve(mut self) -> Result<u8, TerminalError> {
        loop {
            let event = self.wait().await;
            if let Some(code) = self.take(event).await? {
                return Ok(self.leave(code));
            }
            if let Some(code) = self.drain().await? {
                return Ok(self.leave(code));
            }
            if self.app.is_dirty() && self.frame_left().is_none() {
                self.draw()?;
            }
        }
    }

    /// Waits for whatever comes first; input before answers, so that keys never queue behind a refresh.
    async fn wait(&mut self) -> Event {
        let due = self.due();
        let timer = async {
            match due {
                Some(due) => tokio::time::sleep(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            raised = self.console.signals.next() => Event::Raised(raised),
            input = self.console.reader.next() => Event::Input(input),
            msg = self.inbox.next() => Event::Answer(Box::new(msg)),
            () = timer => Event::Due,
        }
    }

    /// How long to sleep at most: to the next frame where one is owed, else to the next change by itself.
    fn due(&self) -> Option<Duration> {
        if self.app.is_dirty() {
            return Some(self.frame_left().unwrap_or_default());
        }
        let now = self.clock.now();
        let left = self.app.next_change().map(|at| at.duration_since(now));
        left.map(|left| Duration::try_from(left).unwrap_or_default())
    }

    /// What is left of the last frame's time; `None` where a frame may be drawn now.
    fn frame_left(&self) -> Option<Duration> {
        let since = self.drawn?.elapsed();
        self.frame.checked_sub(since).filter(|left| !left.is_zero())
    }

    /// Everything else that has already arrived, before anything is drawn.
    async fn drain(&mut self) -> Result<Option<u8>, TerminalError> {
        while let Some(input) = self.console.reader.try_next() {
            if let Some(code) = self.take(Event::Input(input)).await? {
                return Ok(Some(code));
            }
        }
        for msg in self.inbox.drain() {
            if let Some(code) = self.take(Event::Answer(Box::new(msg))).await? {
                return Ok(Some(code));
            }
        }
        Ok(None)
    }

    async fn take(&mut self, event: Event) -> Result<Option<u8>, TerminalError> {
        let msg = match event {
            Event::Input(Input::Hangup) => Msg::Signal(crate::app::msg::Signal::Hangup),
            Event::Input(input) => message(input),
            Event::Answer(msg) => *msg,
            Event::Due => Msg::Tick,
            Event::Raised(Raised::Tell(signal)) => Msg::Signal(signal),
            Event::Raised(Raised::Suspend) => return self.suspend().map(|()| None),
            Event::Raised(Raised::Resized) => self.resized(),
            Event::Raised(Raised::Continued) => {
                self.console.terminal.enter()?;
                self.screen.forget();
                self.resized()
            }
        };
        let effects = self.app.update(self.clock.now(), msg);
        self.carry_out(effects).await
    }

    /// The terminal's size may have changed; latest wins, as the size is asked for, not told.
    fn resized(&mut self) -> Msg {
        let size = self.console.terminal.size();
        if size != self.screen.size() {
            self.screen.resize(size);
        }
        Msg::Resize { width: size.width, height: size.height }
    }

    fn tell(&mut self, msg: Msg) {
        let effects = self.app.update(self.clock.now(), msg);
        for effect in effects {
            self.executor.carry_out(effect);
        }
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) -> Result<Option<u8>, TerminalError> {
        for effect in effects {
            match effect {
                Effect::Quit(code) => {
                    self.executor.settle().await;
                    return Ok(Some(code));
                }
                Effect::Suspend => self.suspend()?,
                Effect::Redraw => {
                    self.screen.forget();
                    self.draw()?;
                }
                Effect::Bell => self.screen.send(clipboard::BELL)?,
                Effect::Notify(text) => {
                    let bytes = clipboard::notification(&text, self.multiplexer());
                    self.screen.send(&bytes)?;
                }
                Effect::Copy { text, what } => self.copy(&text, &what)?,
                Effect::Child(argv) => self.lend(argv).await?,
                Effect::Theme(name) => self.theme(&name),
                other => self.executor.carry_out(other),
            }
        }
        Ok(None)
    }

    fn theme(&mut self, name: &str) {
        let (theme, reports) = Theme::named(name, crate::config::colour::Depth::detect(&self.env), &self.env);
        self.tell(Msg::Theme(Box::new(theme)));
        for report in reports {
            self.tell(Msg::Notice { tone: Tone::Warn, text: report.to_string() });
        }
    }

    fn multiplexer(&self) -> Multiplexer {
        Multiplexer::detect(self.env.get("TMUX"), self.env.get("STY"), self.env.get("TERM"))
    }

    fn copy(&mut self, text: &str, what: &str) -> io::Result<()> {
        let notice = match clipboard::osc52(text, self.multiplexer()) {
            Ok(bytes) => {
                self.screen.send(&bytes)?;
                let count = text.chars().count();
                Msg::Notice { tone: Tone::Info, text: format!("copied {what}: {count} characters") }
            }
            Err(error) => Msg::Notice { tone: Tone::Warn, text: format!("{what} was not copied: {error}") },
        };
        self.tell(notice);
        Ok(())
    }

    async fn lend(&mut self, argv: Vec<String>) -> io::Result<()> {
        let program = argv.first().cloned().unwrap_or_default();
        let ended = self.console.lend(&Child::new(argv)).await;
        self.screen.forget();
        let resized = self.resized();
        self.tell(resized);
        match ended {
            Ok(status) if status.success() => {}
            Ok(status) => {
                self.tell(Msg::Notice { tone: Tone::Warn, text: format!("{program} ended with {status}") });
            }
            Err(error) => {
                self.tell(Msg::Notice {
                    tone: Tone::Error,
                    text: format!("{program} could not be run: {error}"),
                });
            }
        }
        Ok(())
    }

    fn suspend(&mut self) -> Result<(), TerminalError> {
        if self.console.suspend()? {
            self.screen.forget();
            let resized = self.resized();
            self.tell(resized);
        } else {
            let text = "there is no shell to continue from".to_owned();
            self.tell(Msg::Notice { tone: Tone::Info, text });
        }
        Ok(())
    }

    fn draw(&mut self) -> Result<(), TerminalError> {
        let now = self.clock.now();
        let app = &mut self.app;
        self.screen.draw(|buf| app.draw(now, buf))?;
        self.drawn = Some(Instant::now());
        Ok(())
    }

    fn leave(self, code: u8) -> u8 {
        self.executor.stop();
        code
    }
}

fn message(input: Input) -> Msg {
    match input {
        Input::Key { key, repeat } => Msg::Key { key, repeat },
        Input::Paste(text) => Msg::Paste(text),
        Input::Focus(focused) => Msg::Focus(focused),
        Input::Scroll { up, .. } => Msg::Scroll { up },
        Input::Hangup => Msg::Signal(crate::app::msg::Signal::Hangup),
    }
}
