//! vigie: flags to configuration to command to exit code.

use std::process::ExitCode;

use clap::Parser;
use vigie::cli::{Cli, Command, Common};
use vigie::config::Env;
use vigie::headless::{self, Failure, Io};

fn main() -> ExitCode {
    // One provider for the process; the second to be installed would be refused, and there is none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Cli { common, command } = Cli::parse();
    let env = Env::current();
    let code = Io::standard(|io| {
        start_log(&common, &env, io);
        match command {
            None => console(),
            Some(Command::Demo(demo)) if !demo.serve => console(),
            Some(command) => headless::run(&command, &common, &env, io),
        }
    });
    ExitCode::from(code)
}

/// Without a log everything else still works.
fn start_log(common: &Common, env: &Env, io: &mut Io<'_>) {
    let path = common.log.clone().or_else(|| Some(env.state_dir()?.join("vigie.log")));
    if let Some(path) = path
        && let Err(error) = vigie::log::start(&path, common.log_level.word())
    {
        io.note(&format!("no log: {}: {error}", path.display()));
    }
}

fn console() -> Result<u8, Failure> {
    Err(Failure::Failed("the console is not built in".to_owned()))
}
