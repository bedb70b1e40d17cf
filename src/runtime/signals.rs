//! Signals as values for the loop, and the promise that a fatal one ends the process even when the loop is stuck.
//!
//! They have a thread of their own: the loop blocks in write(2) when the terminal does not read, and a signal that
//! only the loop could see would then wait as long as the terminal does.

use std::fs;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Signal as Posix, getpgrp, getpid, getsid, kill_current_process_group, kill_process};
use tokio::runtime;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::terminal::Rescue;
use crate::app::msg::Signal;

/// How long the loop has to leave before it is done for it.
pub(super) const GRACE: Duration = Duration::from_millis(300);
/// How late a signal may be that was meant for a child.
const LATE: Duration = Duration::from_millis(100);
/// How long a stop may take to reach every thread.
const STOP_REACHES: Duration = Duration::from_secs(1);

/// What a signal means to the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raised {
    /// For the application; after a fatal one, 300 ms are left to leave.
    Tell(Signal),
    /// SIGTSTP: stop as ctrl-z does.
    Suspend,
    /// SIGCONT without a stop of ours: whoever ran meanwhile may have changed the terminal; enter again, repaint.
    /// A terminal that is gone also sends it; entering fails then, and the reader says why.
    Continued,
    /// SIGWINCH: ask for the size again.
    Resized,
}

/// Every signal that is handled; the keyboard's other interrupt, SIGQUIT, leaves no core file behind either.
const HANDLED: [(i32, Raised); 8] = [
    (Posix::TERM.as_raw(), Raised::Tell(Signal::Terminate)),
    (Posix::INT.as_raw(), Raised::Tell(Signal::Interrupt)),
    (Posix::QUIT.as_raw(), Raised::Tell(Signal::Interrupt)),
    (Posix::HUP.as_raw(), Raised::Tell(Signal::Hangup)),
    (Posix::USR1.as_raw(), Raised::Tell(Signal::Refresh)),
    (Posix::TSTP.as_raw(), Raised::Suspend),
    (Posix::CONT.as_raw(), Raised::Continued),
    (Posix::WINCH.as_raw(), Raised::Resized),
];

/// The signals of this process.
#[derive(Debug)]
pub struct Signals {
    raised: UnboundedReceiver<Raised>,
    watch: Watch,
}

impl Signals {
    /// Installs the handlers, except for signals that the parent wants ignored, and starts the thread.
    pub fn start(rescue: &Rescue) -> io::Result<Self> {
        let (sender, raised) = unbounded_channel();
        let watch = Watch { rescue: rescue.clone(), sender, flags: Arc::default() };
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let ignored = inherited_ignored(&fs::read_to_string("/proc/self/status").unwrap_or_default());
        for (number, meaning) in HANDLED {
            if !ignores(ignored, number) {
                let _context = runtime.enter();
                let stream = signal(SignalKind::from_raw(number))?;
                runtime.spawn(watch.clone().forward(stream, meaning));
            }
        }
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
        Ok(Self { raised, watch })
    }

    /// The next signal.
    pub async fn next(&mut self) -> Raised {
        match self.raised.recv().await {
            Some(raised) => raised,
            None => std::future::pending().await,
        }
    }

    /// From now on a child has the terminal, and its keys' signals are the child's alone.
    pub(super) fn lend(&self) {
        *lock(&self.watch.flags.lease) = Lease::Lent;
    }

    /// The child is gone; the signal that ended it may still be on its way to us.
    pub(super) fn take_back(&self) {
        let over = Instant::now() + LATE;
        *lock(&self.watch.flags.lease) = Lease::Until(over);
    }

    /// Whether a shell is there to continue us: it gives each of its jobs a process group, a session's first
    /// process (`ssh host vigie`, a tmux window's command) has none above it.
    pub(super) fn can_stop() -> io::Result<bool> {
        Ok(getsid(None)? != getpgrp())
    }

    /// Stops this process group like the shell's ctrl-z, and returns when it is continued.
    pub(super) fn stop(&self) -> io::Result<()> {
        let flags = &self.watch.flags;
        let mut stopped = lock(&flags.stopped);
        *stopped = true;
        kill_current_process_group(Posix::STOP)?;
        // The stop may reach this thread a little after the call, so only SIGCONT says that it is over. The limit is for
        // a SIGCONT that was lost; it does not run out early, for it is looked at only while the process runs.
        drop(flags.resumed.wait_timeout_while(stopped, STOP_REACHES, |stopped| *stopped));
        Ok(())
    }
}

/// What the signal thread needs.
#[derive(Debug, Clone)]
struct Watch {
    rescue: Rescue,
    sender: UnboundedSender<Raised>,
    flags: Arc<Flags>,
}

#[derive(Debug, Default)]
struct Flags {
    lease: Mutex<Lease>,
    /// Whether we stopped ourselves and the SIGCONT that ends it, which is no news, has not been seen.
    stopped: Mutex<bool>,
    resumed: Condvar,
}

/// Whether a child has the terminal.
#[derive(Debug, Clone, Copy, Default)]
enum Lease {
    #[default]
    Ours,
    Lent,
    Until(Instant),
}

impl Watch {
    async fn forward(self, mut stream: Stream, meaning: Raised) {
        while stream.recv().await.is_some() {
            if self.concerns_us(meaning) {
                // Without a receiver the loop has ended already.
                let _ = self.sender.send(meaning);
                self.hasten(meaning).await;
            }
        }
    }

    /// Whether the loop should hear of it.
    fn concerns_us(&self, meaning: Raised) -> bool {
        let lease = *lock(&self.flags.lease);
        let lent = match lease {
            Lease::Ours => false,
            Lease::Lent => true,
            Lease::Until(over) => Instant::now() < over,
        };
        match meaning {
            Raised::Suspend if matches!(lease, Lease::Lent) => {
                // The keyboard stopped the child; the shell waits for us to stop too.
                let _ = kill_process(getpid(), Posix::STOP);
                false
            }
            Raised::Continued => !self.ends_our_stop() && !lent,
            Raised::Tell(Signal::Interrupt) => !lent,
            _ => true,
        }
    }

    fn ends_our_stop(&self) -> bool {
        let mut stopped = lock(&self.flags.stopped);
        self.flags.resumed.notify_all();
        std::mem::take(&mut *stopped)
    }

    /// Ends the process if the loop does not do so in time.
    async fn hasten(&self, meaning: Raised) {
        let Raised::Tell(signal) = meaning else { return };
        if let Some(code) = exit_code(signal) {
            tokio::time::sleep(GRACE).await;
            self.rescue.exit(code);
        }
    }
}

/// The flags are plain values, whole even after a panic.
fn lock<T>(flag: &Mutex<T>) -> MutexGuard<'_, T> {
    flag.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The exit code of a fatal signal: 128 and its number.
pub fn exit_code(signal: Signal) -> Option<u8> {
    match signal {
        Signal::Terminate => Some(143),
        Signal::Interrupt => Some(130),
        Signal::Hangup => Some(129),
        Signal::Refresh => None,
    }
}

/// The mask of ignored signals in the text of `/proc/self/status` (Linux; elsewhere none is known).
fn inherited_ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Whether the mask has a signal; SIGTERM is always heeded.
fn ignores(mask: u64, number: i32) -> bool {
    number != Posix::TERM.as_raw() && mask & (1 << (number - 1)) != 0
}

#[cfg(test)]
mod tests {
    use super::{ignores, inherited_ignored};

    #[test]
    fn a_signal_that_was_inherited_as_ignored_stays_ignored() {
        let nohup = inherited_ignored("Name:\tvigie\nSigIgn:\t0000000000001001\nSigCgt:\t0\n");
        for (signal, number, ignored) in
            [("HUP", 1, true), ("INT", 2, false), ("PIPE", 13, true), ("TERM", 15, false)]
        {
            assert_eq!(ignores(nohup, number), ignored, "{signal}");
        }
        assert!(!ignores(u64::MAX, 15), "TERM always ends it");
        assert_eq!(inherited_ignored("no such line"), 0);
    }
}
