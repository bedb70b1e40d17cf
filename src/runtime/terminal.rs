//! The terminal's manners: what is switched on when the console enters, and switched off again in reverse whatever
//! ends it, be it an exit, a panic, a stop, an editor or a signal while the terminal does not read.
//!
//! Nothing here ever asks the terminal a question: an answer may take a round trip, or never come.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::layout::Size;
use rustix::stdio::{stdin, stdout};
use rustix::termios::{self, OptionalActions, QueueSelector, Termios};

use crate::exec::connect;

use super::tty;

/// Alternate screen, bracketed paste, focus events.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?1004h";
/// The same in reverse, a plain pen (the other screen brings back the one it was left with) and a visible cursor.
const LEAVE: &[u8] = b"\x1b[?1004l\x1b[?2004l\x1b[?1049l\x1b[m\x1b[?25h";
/// Wheel and buttons, with coordinates as decimals.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";
/// Ends whatever a frame cut off in the middle left open: a sequence, a synchronized update, a scroll region.
const CUT_OFF: &[u8] = b"\x18\x1b[?2026l\x1b[r";
/// The exit code that Rust gives to a panic on the main thread.
const PANICKED: i32 = 101;
/// How long leaving waits for a terminal that does not read.
const PATIENCE: Duration = Duration::from_millis(100);
/// Where no size is known.
const DESIGN_SIZE: Size = Size::new(80, 24);

/// Why there is no console.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// Standard input or output is a file or a pipe.
    #[error("the console needs a terminal on standard input and output; `vigie get` works without one")]
    NotATerminal,
    /// `TERM=dumb`, or no `TERM`.
    #[error("TERM={0:?} cannot place a cursor, which the console needs; `vigie get` works without it")]
    Dumb(String),
    /// The terminal refused.
    #[error("the terminal refused: {0}")]
    Io(#[from] io::Error),
}

/// The terminal the console runs in; dropping it leaves.
#[derive(Debug)]
pub struct Terminal {
    modes: Arc<Modes>,
}

impl Terminal {
    /// Looks at the terminal without changing it; `term` is the value of `$TERM`.
    pub fn open(term: Option<&OsStr>, mouse: bool) -> Result<Self, TerminalError> {
        if !termios::isatty(stdin()) || !termios::isatty(stdout()) {
            return Err(TerminalError::NotATerminal);
        }
        let term = term.unwrap_or_default().to_string_lossy();
        if term.is_empty() || term == "dumb" {
            return Err(TerminalError::Dumb(term.into_owned()));
        }
        let cooked = termios::tcgetattr(stdin()).map_err(io::Error::from)?;
        let (entered, abandoned) = (AtomicBool::new(false), AtomicBool::new(false));
        Ok(Self { modes: Arc::new(Modes { cooked, mouse, entered, abandoned }) })
    }

    /// Enters, also again after somebody else changed the terminal's modes; the screen is unknown afterwards.
    pub fn enter(&self) -> io::Result<()> {
        self.modes.enter()
    }

    /// Leaves; does nothing when left already.
    pub fn leave(&self) {
        self.modes.leave();
    }

    /// The size by the kernel's own account, which costs no query.
    pub fn size(&self) -> Size {
        match termios::tcgetwinsize(stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size::new(size.ws_col, size.ws_row),
            _ => DESIGN_SIZE,
        }
    }

    /// Where frames are written to; nothing is while the terminal is not entered.
    pub fn output(&self) -> Output {
        Output { modes: Arc::clone(&self.modes) }
    }

    /// A handle for other threads and the panic hook, to leave when the loop no longer can.
    pub fn rescue(&self) -> Rescue {
        Rescue { modes: Arc::clone(&self.modes) }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The terminal as something to write frames to; one `write` is one write(2), so that a frame is never torn.
#[derive(Debug, Clone)]
pub struct Output {
    modes: Arc<Modes>,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let entered = self.modes.entered.load(Ordering::SeqCst);
        let result = if entered { tty::write(bytes) } else { Err(io::ErrorKind::BrokenPipe.into()) };
        while self.modes.abandoned.load(Ordering::SeqCst) {
            // The thread that gave us up is ending the process, with the right exit code.
            std::thread::park();
        }
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Leaves the terminal from outside the loop.
#[derive(Debug, Clone)]
pub struct Rescue {
    modes: Arc<Modes>,
}

impl Rescue {
    /// Leaves without waiting for a terminal that does not read, and ends the process.
    pub fn exit(&self, code: u8) -> ! {
        self.modes.abandon();
        std::process::exit(code.into())
    }

    /// Restores the terminal before a panic is printed, and logs the panic.
    ///
    /// A panic in a task, or of a thread that connects, is only logged: its owner sees it as an error, and the screen
    /// stays. Any other ends the console, on whichever thread it happens; so the loop itself must not run in a task, but
    /// in `block_on`.
    pub fn before_panics(self) {
        let print = panic::take_hook();
        let ui = std::thread::current().id();
        panic::set_hook(Box::new(move |info| {
            tracing::error!(panic = %info, "panicked");
            if tokio::task::try_id().is_some() || std::thread::current().name() == Some(connect::THREAD) {
                return;
            }
            if std::thread::current().id() == ui {
                self.modes.leave();
                return print(info);
            }
            self.modes.abandon();
            print(info);
            std::process::exit(PANICKED);
        }));
    }
}

/// The terminal's state before us, and whether ours is in force.
#[derive(Debug)]
struct Modes {
    cooked: Termios,
    mouse: bool,
    entered: AtomicBool,
    /// Whether the process is being ended in the middle of a frame.
    abandoned: AtomicBool,
}

impl Modes {
    fn enter(&self) -> io::Result<()> {
        let mut raw = self.cooked.clone();
        raw.make_raw();
        self.entered.store(true, Ordering::SeqCst);
        termios::tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        tty::write_all(ENTER)?;
        if self.mouse { tty::write_all(MOUSE_ON) } else { Ok(()) }
    }

    fn leave(&self) {
        if self.entered.swap(false, Ordering::SeqCst) {
            if !tty::write_within(PATIENCE, &self.farewell()) {
                Self::discard();
                self.say_farewell_after_a_cut();
            }
            self.restore();
        }
    }

    /// For when the loop may be blocked in the middle of a frame. Setting the modes wakes it up on Linux, to find the
    /// room that discarding made; the rest of its frame goes out, and then the farewell.
    fn abandon(&self) {
        self.abandoned.store(true, Ordering::SeqCst);
        if self.entered.swap(false, Ordering::SeqCst) {
            Self::discard();
            self.restore();
            self.say_farewell_after_a_cut();
        }
    }

    /// Throws away what the terminal has not read.
    fn discard() {
        let _ = termios::tcflush(stdout(), QueueSelector::OFlush);
    }

    fn say_farewell_after_a_cut(&self) {
        tty::write_within(PATIENCE, &[CUT_OFF, &self.farewell()].concat());
    }

    fn farewell(&self) -> Vec<u8> {
        if self.mouse { [MOUSE_OFF, LEAVE].concat() } else { LEAVE.to_vec() }
    }

    fn restore(&self) {
        // There is nobody left to tell when this fails, and nothing else to try.
        let _ = termios::tcsetattr(stdin(), OptionalActions::Now, &self.cooked);
    }
}

#[cfg(test)]
mod tests {
    use super::{Terminal, TerminalError};
    use std::ffi::OsStr;

    #[test]
    fn without_a_terminal_there_is_no_console_but_a_hint() {
        // Under a test runner at least one of the two is a pipe or a file; under a terminal, TERM=dumb refuses.
        let error = Terminal::open(Some(OsStr::new("dumb")), false).unwrap_err();
        assert!(matches!(error, TerminalError::NotATerminal | TerminalError::Dumb(_)));
        assert!(error.to_string().contains("vigie get"));
    }
}
