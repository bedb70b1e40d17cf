//! vigie: flags to configuration to command to exit code.

use std::process::ExitCode;

use clap::Parser;
use vigie::cli::{Cli, Command, Common};
use vigie::config::{Config, Env, Loaded, load};
use vigie::headless::{self, Failure, Io, block_on};
use vigie::runtime::run::{Options, run};
use vigie::runtime::thrift::become_thrifty;

fn main() -> ExitCode {
    // One provider for the process; the second to be installed would be refused, and there is none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Cli { common, command } = Cli::parse();
    let env = Env::current();
    if command.as_ref().is_none_or(Command::is_console) {
        become_thrifty(&env);
    }
    let code = Io::standard(|io| {
        start_log(&common, &env, io);
        match command {
            None => console(&common, &env),
            #[cfg(feature = "demo")]
            Some(Command::Demo(args)) if !args.serve => demo(&args, &common, &env),
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

/// The console on the configured systems, or its welcome page where nothing is configured.
fn console(common: &Common, env: &Env) -> Result<u8, Failure> {
    let state = env
        .state_dir()
        .ok_or_else(|| Failure::Usage("set HOME or XDG_STATE_HOME: the journal needs a place".into()))?;
    let options = match load(common.config.as_deref(), env).map_err(Failure::Config)? {
        Loaded::Config(config, _) => Options::new(*config, env, state),
        Loaded::Welcome(place) => {
            let welcome = Some(place.unwrap_or_default());
            Options { welcome, ..Options::new(Config::default(), env, state) }
        }
    };
    block_on(open(options, common)).map_err(|error| Failure::Failed(error.to_string()))?
}

/// The console on the embedded lab.
#[cfg(feature = "demo")]
fn demo(args: &vigie::cli::Demo, common: &Common, env: &Env) -> Result<u8, Failure> {
    let lab = async {
        let lab = vigie::demo::Lab::start(&headless::options(args)?).await.map_err(Failure::Failed)?;
        let config = vigie::config::load::read(&lab.config, env).map_err(Failure::Config)?;
        let demo = Some(lab.title.clone());
        open(Options { demo, ..Options::new(config, env, lab.state()) }, common).await
    };
    block_on(lab).map_err(|error| Failure::Failed(error.to_string()))?
}

async fn open(mut options: Options, common: &Common) -> Result<u8, Failure> {
    if let Some(theme) = &common.theme {
        options.config.ui.theme.clone_from(theme);
    }
    run(options).await.map_err(|error| Failure::Failed(error.to_string()))
}
