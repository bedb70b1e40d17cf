//! Fetching a secret from where it is kept, on a thread that may block.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use secrecy::SecretString;

use super::SecretError;

/// A longer secret than this is a mistake (a log, a disk image), not a secret.
const LONGEST: usize = 64 * 1024;

/// The value of an environment variable.
pub(super) fn from_env(name: &str) -> Result<SecretString, SecretError> {
    let value = match std::env::var(name) {
        Ok(value) => value,
        Err(std::env::VarError::NotPresent) => return Err(SecretError::Unset(name.to_owned())),
        Err(std::env::VarError::NotUnicode(_)) => return Err(SecretError::NotText(name.to_owned())),
    };
    checked(value.into_bytes(), || format!("environment variable {name}"))
}

/// Opens first and asks the open file for its owner and mode, so that nobody can exchange it in between.
pub(super) fn from_file(path: &Path) -> Result<SecretString, SecretError> {
    let unreadable = |why: std::io::Error| SecretError::Unreadable { path: path.to_owned(), why };
    // NONBLOCK: a FIFO named by mistake must not hang the console.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|e| unreadable(e.into()))?;
    let stat = rustix::fs::fstat(&file).map_err(|e| unreadable(e.into()))?;
    if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(SecretError::NotAFile(path.to_owned()));
    }
    let owner = stat.st_uid;
    if owner != rustix::process::geteuid().as_raw() {
        return Err(SecretError::Foreign { path: path.to_owned(), owner });
    }
    let mode = stat.st_mode & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretError::Exposed { path: path.to_owned(), mode });
    }
    let mut bytes = Vec::new();
    std::fs::File::from(file).take(LONGEST as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    checked(bytes, || path.display().to_string())
}

/// What a program prints.
pub(super) fn from_command(argv: &[String], patience: Duration) -> Result<SecretString, SecretError> {
    let program = program(argv).to_owned();
    let started = Instant::now();
    let mut child = Command::new(&program)
        .args(argv.get(1..).unwrap_or_default())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .stdout(Stdio::piped())
        // Its own group: it cannot draw on the screen or take our keys, and its children die with it.
        .process_group(0)
        .spawn()
        .map_err(|why| SecretError::Start { program: program.clone(), why })?;
    let answer = read_aside(&mut child).recv_timeout(patience);
    let status = answer.ok().and_then(|bytes| Some((bytes, wait(&mut child, patience, started)?)));
    let Some((bytes, status)) = status else {
        end(&mut child);
        return Err(SecretError::Slow { program });
    };
    if status.success() {
        checked(bytes, || format!("the output of {program}"))
    } else {
        Err(SecretError::Failed { program, status })
    }
}

/// Reads what the child prints on a thread of its own, as a pipe has no time-out.
fn read_aside(child: &mut Child) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let stdout = child.stdout.take();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(stdout) = stdout {
            // A read error leaves what was read: an empty or cut answer is refused by whoever uses it.
            let _ = stdout.take(LONGEST as u64 + 1).read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

/// Waits for the child that has closed its output; `None` when the time is over.
fn wait(child: &mut Child, patience: Duration, started: Instant) -> Option<std::process::ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if started.elapsed() < patience => std::thread::sleep(Duration::from_millis(2)),
            _ => return None,
        }
    }
}

/// Kills the child's whole group, so that nothing it started lives on.
fn end(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // It may just have ended by itself.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

fn checked(bytes: Vec<u8>, source: impl Fn() -> String) -> Result<SecretString, SecretError> {
    if bytes.len() > LONGEST {
        return Err(SecretError::Malformed(source()));
    }
    let text = String::from_utf8(bytes).map_err(|_| SecretError::Malformed(source()))?;
    let value = text.trim_end_matches(['\n', '\r']);
    if value.trim().is_empty() { Err(SecretError::Empty(source())) } else { Ok(value.into()) }
}

/// A command's program, the only part of it that messages name.
pub(super) fn program(argv: &[String]) -> &str {
    argv.first().map_or("", String::as_str)
}
