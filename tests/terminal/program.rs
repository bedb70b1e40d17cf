//! The program under test: a status line, and a key for everything that can go wrong.

use std::env;
use std::io::Write;
use std::process::exit;

use ratatui::layout::Position;
use ratatui::style::Style;
use vigie::config::key::{Key, KeyCode};
use vigie::runtime::child::Child;
use vigie::runtime::console::Console;
use vigie::runtime::input::Input;
use vigie::runtime::screen::Screen;
use vigie::runtime::signals::{Raised, exit_code};
use vigie::runtime::terminal::Output;

/// Runs it and ends the process.
pub fn main() -> ! {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    exit(runtime.block_on(run()).into())
}

struct Program {
    console: Console,
    screen: Screen<Output>,
    status: String,
}

async fn run() -> u8 {
    let console = match Console::open(env::var_os("TERM").as_deref(), false) {
        Ok(console) => console,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            return 2;
        }
    };
    let screen = Screen::new(console.terminal.output(), console.terminal.size());
    let mut program = Program { console, screen, status: "ready".to_owned() };
    loop {
        program.draw();
        let console = &mut program.console;
        let code = tokio::select! {
            input = console.reader.next() => program.take(input).await,
            raised = console.signals.next() => program.heed(raised),
        };
        if let Some(code) = code {
            return code;
        }
    }
}

impl Program {
    fn draw(&mut self) {
        let status = format!("status: {}", self.status);
        // A terminal that is gone is noticed elsewhere.
        let _ = self.screen.draw(|buffer| {
            let (columns, rows) = (buffer.area.width, buffer.area.height);
            buffer.set_stringn(0, 0, &status, columns.into(), Style::new());
            buffer.set_string(columns - 1, rows - 1, "#", Style::new().reversed());
            Some(Position::ORIGIN)
        });
    }

    async fn take(&mut self, input: Input) -> Option<u8> {
        let Input::Key { key, .. } = input else {
            self.status = format!("{input:?}");
            return (input == Input::Hangup).then_some(129);
        };
        let Key { code: KeyCode::Char(c), .. } = key else {
            self.status = format!("{key:?}");
            return None;
        };
        match (c, key.ctrl) {
            ('q', false) => return Some(0),
            ('c', true) => return Some(130),
            ('z', true) => self.suspend(),
            ('p', false) => panic!("the program panics"),
            ('t', false) => self.lose_a_task().await,
            ('f', false) => self.flood(),
            ('r', false) => self.lend().await,
            _ => self.status = format!("{key:?}"),
        }
        None
    }

    fn heed(&mut self, raised: Raised) -> Option<u8> {
        match raised {
            Raised::Tell(signal) => return exit_code(signal),
            Raised::Suspend => self.suspend(),
            Raised::Continued => {
                // A terminal that is gone is noticed elsewhere.
                let _ = self.console.terminal.enter();
                self.anew("continued");
            }
            Raised::Resized => self.screen.resize(self.console.terminal.size()),
        }
        None
    }

    fn anew(&mut self, status: &str) {
        status.clone_into(&mut self.status);
        self.screen.resize(self.console.terminal.size());
    }

    fn suspend(&mut self) {
        let suspended = self.console.suspend().unwrap();
        self.anew(&format!("suspended {suspended}"));
    }

    async fn lose_a_task(&mut self) {
        let lost = tokio::spawn(async { panic!("a task panics") }).await;
        self.status = format!("a task {}", if lost.is_err() { "panicked" } else { "ended" });
    }

    /// Writes until the terminal takes no more.
    fn flood(&mut self) {
        loop {
            self.screen.forget();
            self.draw();
        }
    }

    async fn lend(&mut self) {
        let script = "echo the child reads; read -r code; exit $code";
        let child = Child::new(["sh", "-c", script].map(str::to_owned).to_vec());
        let ended = self.console.lend(&child).await.unwrap();
        self.anew(&format!("child {ended}"));
    }
}
