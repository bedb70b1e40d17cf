//! Where a secret that is shown only once goes: a new file of the user's own, or the terminal; nowhere else.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags};

use crate::cli::{Do, Report};
use crate::headless::io::{Failure, Io};
use crate::model::op::{OpSpec, Reveal, RunState};

use super::outcome::Outcome;

/// A place that is ready to take a secret.
pub enum Outlet {
    /// A file that was made for it.
    File(File, PathBuf),
    /// The terminal on which the outcome is printed.
    Terminal,
    /// Nothing: the operation was not known to have one.
    None,
}

impl Outlet {
    /// Refuses an operation whose secret would have nowhere to go, before anything is asked of a server.
    pub fn check(op: &OpSpec, args: &Do, terminal: bool) -> Result<(), Failure> {
        let shown = terminal && args.output == Report::Text;
        if op.reveals && args.secret_out.is_none() && !shown {
            let why = format!("{} shows a secret once: give --secret-out FILE, or use a terminal", op.name);
            return Err(Failure::Refused(why));
        }
        Ok(())
    }

    /// Makes the file now, so that it cannot fail once the secret exists.
    pub fn open(args: &Do, terminal: bool) -> Result<Self, Failure> {
        let Some(path) = &args.secret_out else {
            let shown = terminal && args.output == Report::Text;
            return Ok(if shown { Self::Terminal } else { Self::None });
        };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        match rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => Ok(Self::File(file.into(), path.clone())),
            Err(error) => {
                let error = std::io::Error::from(error);
                Err(Failure::Refused(format!("the secret cannot be written to {}: {error}", path.display())))
            }
        }
    }

    /// Hands the secrets of successful runs over; a file that got none is removed.
    pub fn hand_over(&mut self, outcomes: &[Outcome], io: &mut Io<'_>) -> Result<(), Failure> {
        let reveals: Vec<&Reveal> = outcomes.iter().filter_map(|outcome| revealed(&outcome.state)).collect();
        match self {
            Self::File(_, path) if reveals.is_empty() => {
                let _ = std::fs::remove_file(path);
            }
            Self::File(file, path) => {
                let mut lines = reveals.iter();
                let written = lines.try_for_each(|reveal| writeln!(file, "{}", reveal.secret));
                let written = written.and_then(|()| file.sync_all());
                written.map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
            }
            Self::Terminal => {
                for reveal in reveals {
                    let text = if reveal.message.is_empty() { &reveal.secret } else { &reveal.message };
                    io.line(format!("{}, shown only now:", reveal.title))?;
                    for line in text.lines() {
                        io.line(crate::app::words::clean(line))?;
                    }
                }
            }
            Self::None => {
                for reveal in reveals {
                    io.note(&format!(
                        "{}: not shown, as this is no terminal and --secret-out is missing",
                        reveal.title
                    ));
                }
            }
        }
        Ok(())
    }
}

fn revealed(state: &RunState) -> Option<&Reveal> {
    if let RunState::Done { reveal, .. } = state { reveal.as_ref() } else { None }
}
