//! The console's three hands on the terminal, and how they let go of it together: for a child, and for ctrl-z.

use std::ffi::OsStr;
use std::io;
use std::process::ExitStatus;

use rustix::stdio::stdin;
use rustix::termios::{QueueSelector, tcflush};

use super::child::Child;
use super::input::Reader;
use super::signals::Signals;
use super::terminal::{Terminal, TerminalError};

/// The terminal with its input and its signals. Fields are public so that a loop can wait for two of them at once.
#[derive(Debug)]
pub struct Console {
    /// What was typed.
    pub reader: Reader,
    /// What was signalled.
    pub signals: Signals,
    /// The modes; leaves when dropped, which is after the others.
    pub terminal: Terminal,
}

impl Console {
    /// Enters the terminal, reads it, and restores it before a panic is printed; `term` is the value of `$TERM`.
    pub fn open(term: Option<&OsStr>, mouse: bool) -> Result<Self, TerminalError> {
        let terminal = Terminal::open(term, mouse)?;
        let rescue = terminal.rescue();
        let signals = Signals::start(&rescue)?;
        rescue.clone().before_panics();
        terminal.enter()?;
        let reader = Reader::start(&rescue)?;
        Ok(Self { reader, signals, terminal })
    }

    /// Runs a child that has the terminal to itself, and returns how it ended. Afterwards the screen is unknown and
    /// perhaps of another size: `screen.resize(terminal.size())`.
    ///
    /// A fatal signal meanwhile ends the process without the loop's help.
    pub async fn lend(&self, child: &Child) -> io::Result<ExitStatus> {
        self.let_go()?;
        let ended = child.run().await;
        self.take_back()?;
        ended
    }

    /// Stops the process until the shell continues it; afterwards the screen is unknown, as after [`Self::lend`]. False
    /// where there is no shell to continue it, and nothing happened.
    pub fn suspend(&self) -> io::Result<bool> {
        if !Signals::can_stop()? {
            return Ok(false);
        }
        self.let_go()?;
        let stopped = self.signals.stop();
        self.take_back()?;
        stopped.map(|()| true)
    }

    fn let_go(&self) -> io::Result<()> {
        self.reader.pause()?;
        self.signals.lend();
        self.terminal.leave();
        Ok(())
    }

    fn take_back(&self) -> io::Result<()> {
        let entered = self.terminal.enter();
        // What was typed or answered into the child's last moments is not meant for us.
        let _ = tcflush(stdin(), QueueSelector::IFlush);
        self.signals.take_back();
        self.reader.resume()?;
        entered
    }
}
