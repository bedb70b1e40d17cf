//! Secrets are referred to, never written down: where one is, how it is fetched, and why it could not be.
//!
//! Nothing here can print a value: errors name the variable, the file or the program, and `Debug` shows the reference.

use std::fmt;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use secrecy::SecretString;
use thiserror::Error;

/// A longer secret than this is a mistake (a log, a disk image), not a secret.
const LONGEST: usize = 64 * 1024;
/// How long a command may take to print the secret.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a secret is kept.
#[derive(Clone)]
pub enum SecretSource {
    /// The environment variable of this name: `{ env = "VAR" }`.
    Env(String),
    /// A file that only the user may read: `{ file = "PATH" }`.
    File(PathBuf),
    /// What a program prints, run without a shell: `{ command = ["argv", …] }`.
    Command(Vec<String>),
    /// Held in memory by the embedded demo; cannot be written in a configuration file.
    Memory(SecretString),
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Command(argv) => write!(f, "command {}", program(argv)),
            Self::Memory(_) => f.write_str("memory"),
        }
    }
}

/// Why a secret could not be fetched; never holds any part of a value.
#[derive(Debug, Error)]
pub enum SecretError {
    /// The variable is not in the environment.
    #[error("environment variable {0} is not set: export it before starting vigie")]
    Unset(String),
    /// The variable is there but is not text.
    #[error("environment variable {0} is not UTF-8: export it again as plain text")]
    NotText(String),
    /// The file cannot be opened or read.
    #[error("{}: {why}: create it with `install -m 600 /dev/null {}` and put the secret into it", path.display(), path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// Something else than a regular file.
    #[error("{} is not a regular file: name the file that holds the secret", .0.display())]
    NotAFile(PathBuf),
    /// Somebody else may read or change the file.
    #[error("{} has mode {mode:04o}, so others can use it: run `chmod 600 {}`", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file belongs to somebody else.
    #[error("{} belongs to user id {owner}, not to you: run `chown` on it or name your own file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The user id it belongs to.
        owner: u32,
    },
    /// The program could not be started.
    #[error("cannot run {program}: {why}: check that it is installed and on PATH")]
    Start {
        /// The program's name, without its arguments.
        program: String,
        /// What the system says.
        why: std::io::Error,
    },
    /// The program ended with a failure.
    #[error("{program} ended with {status}: run the command in a shell to see why")]
    Failed {
        /// The program's name, without its arguments.
        program: String,
        /// Its exit status.
        status: std::process::ExitStatus,
    },
    /// The program was too slow and was killed.
    #[error("{program} did not answer within {} s: unlock the password store first, or use a file", PATIENCE.as_secs())]
    Slow {
        /// The program's name, without its arguments.
        program: String,
    },
    /// Nothing but white space was found.
    #[error("{0} is empty: put the secret into it")]
    Empty(String),
    /// Not text, or far too long.
    #[error("{0} does not hold a secret: expected UTF-8 text of at most 64 KiB")]
    Malformed(String),
}

/// A reference to a secret.
#[derive(Clone)]
pub struct Secret {
    source: SecretSource,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({:?})", self.source)
    }
}

impl Secret {
    /// Refers to the secret kept there.
    pub fn new(source: SecretSource) -> Self {
        Self { source }
    }

    /// Where the secret is kept.
    pub fn source(&self) -> &SecretSource {
        &self.source
    }

    /// Fetches the secret now, without its trailing line break. Blocks: up to ten seconds for a command.
    pub fn resolve(&self) -> Result<SecretString, SecretError> {
        match &self.source {
            SecretSource::Env(name) => from_env(name),
            SecretSource::File(path) => from_file(path),
            SecretSource::Command(argv) => from_command(argv, PATIENCE),
            SecretSource::Memory(value) => Ok(value.clone()),
        }
    }
}

fn from_env(name: &str) -> Result<SecretString, SecretError> {
    let value = match std::env::var(name) {
        Ok(value) => value,
        Err(std::env::VarError::NotPresent) => return Err(SecretError::Unset(name.to_owned())),
        Err(std::env::VarError::NotUnicode(_)) => return Err(SecretError::NotText(name.to_owned())),
    };
    checked(value.into_bytes(), || format!("environment variable {name}"))
}

/// Opens first and asks the open file for its owner and mode, so that nobody can exchange it in between.
fn from_file(path: &Path) -> Result<SecretString, SecretError> {
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

fn from_command(argv: &[String], patience: Duration) -> Result<SecretString, SecretError> {
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

fn program(argv: &[String]) -> &str {
    argv.first().map_or("", String::as_str)
}
