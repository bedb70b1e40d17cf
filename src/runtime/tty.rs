//! Writing to the terminal: with patience for the loop, promptly or not at all for those who must not wait.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::stdio::stdout;

/// Writes once, however long the terminal takes.
pub(super) fn write(bytes: &[u8]) -> io::Result<usize> {
    loop {
        match rustix::io::write(stdout(), bytes) {
            // Another holder of the same open file, a child or a shell, made it non-blocking.
            Err(Errno::AGAIN) => wait_writable(stdout(), None)?,
            Err(Errno::INTR) => {}
            result => return Ok(result?),
        }
    }
}

/// Writes everything, however long the terminal takes.
pub(super) fn write_all(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        bytes = &bytes[write(bytes)?..];
    }
    Ok(())
}

/// Writes everything if the terminal takes it within `patience`; never blocks longer. True if all was written.
pub(super) fn write_within(patience: Duration, mut bytes: &[u8]) -> bool {
    let Ok(terminal) = nonblocking() else { return false };
    let deadline = Instant::now() + patience;
    while !bytes.is_empty() {
        match rustix::io::write(&terminal, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() || wait_writable(&terminal, Some(left)).is_err() {
                    return false;
                }
            }
            Err(_) => return false,
        }
    }
    true
}

/// The terminal, opened anew: the non-blocking flag of this open file is ours alone.
///
/// By standard output's own name first; after `su` only the controlling terminal may be opened.
fn nonblocking() -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let open = |path| rustix::fs::open(path, flags, Mode::empty());
    Ok(open("/proc/self/fd/1").or_else(|_| open("/dev/tty"))?.into())
}

fn wait_writable(fd: impl AsFd, patience: Option<Duration>) -> io::Result<()> {
    let timeout = patience.and_then(|patience| Timespec::try_from(patience).ok());
    match poll(&mut [PollFd::new(&fd, PollFlags::OUT)], timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
