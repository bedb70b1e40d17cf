//! Secrets are referred to, never written down: where one is, how it is fetched, and why it could not be.
//!
//! Nothing here can print a value: errors name the variable, the file or the program, and `Debug` shows the reference.

mod fetch;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use thiserror::Error;

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
            Self::Command(argv) => write!(f, "command {}", fetch::program(argv)),
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
            SecretSource::Env(name) => fetch::from_env(name),
            SecretSource::File(path) => fetch::from_file(path),
            SecretSource::Command(argv) => fetch::from_command(argv, PATIENCE),
            SecretSource::Memory(value) => Ok(value.clone()),
        }
    }
}
