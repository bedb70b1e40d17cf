//! The command line without a screen: the same backends, gate, journal and read-back as the console.

mod act;
mod ask;
mod audit;
mod check;
mod doctor;
mod gather;
mod get;
mod handover;
mod io;
mod listing;
mod print;
#[cfg(feature = "demo")]
mod serve;
mod session;

use crate::cli::{Command, Common};
use crate::config::Env;
pub use crate::exec::block_on;
use crate::exec::operate::Patience;
use crate::model::time::Clock;

pub use io::{Failure, Io};
#[cfg(feature = "demo")]
pub use serve::options;
use session::Session;
pub use session::operations;

/// What a command lives by: the system's clock and the usual patience, or those of a lab.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    /// The clock of ages, journal lines and signatures.
    pub clock: Clock,
    /// How long each step of an operation may take.
    pub patience: Patience,
}

/// Runs a command that needs no screen and gives its exit code.
pub fn run(command: &Command, common: &Common, env: &Env, io: &mut Io<'_>) -> Result<u8, Failure> {
    run_at(&Pace::default(), command, common, env, io)
}

/// Runs a command at a pace of the caller's.
pub fn run_at(
    pace: &Pace,
    command: &Command,
    common: &Common,
    env: &Env,
    io: &mut Io<'_>,
) -> Result<u8, Failure> {
    let session = || Session::open(common.config.as_deref(), env, pace);
    let done = match command {
        Command::Config => return print::example(io),
        Command::Completions { shell } => return print::completions(*shell, io),
        Command::Man => return print::manual(io),
        Command::Get(args) => {
            let session = session()?;
            block_on(get::get(&session, args, io))
        }
        Command::Do(args) if args.help => return act::explain(&session::operations(), args, io),
        Command::Do(args) => {
            let session = session()?;
            block_on(act::act(&session, args, io))
        }
        Command::Handover(args) => {
            let session = session()?;
            block_on(handover::handover(&session, args, io))
        }
        Command::Audit(args) => {
            let session = session()?;
            block_on(audit::audit(&session, args, io))
        }
        Command::Check(args) => {
            let session = session()?;
            block_on(check::check(&session, args, io))
        }
        Command::Doctor(args) => {
            let session = session()?;
            block_on(doctor::doctor(&session, args, io))
        }
        #[cfg(feature = "demo")]
        Command::Demo(args) => block_on(serve::serve(args, io)),
        #[cfg(not(feature = "demo"))]
        Command::Demo(_) => return Err(Failure::Usage("this vigie was built without its demo".to_owned())),
    };
    done.map_err(|error| Failure::Failed(format!("cannot start: {error}")))?
}
