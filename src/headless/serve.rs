//! `vigie demo --serve`: the simulated servers alone, for another vigie or a script to talk to.

use crate::cli::Demo;
use crate::demo::{Lab, Options};
use crate::model::time::Clock;

use super::io::{Failure, Io};

/// What the lab was asked for on the command line; a fault that cannot be read is a mistake.
pub fn options(args: &Demo) -> Result<Options, Failure> {
    let faults: Result<Vec<_>, String> = args.faults.iter().map(|text| text.parse()).collect();
    Ok(Options {
        scenario: args.scenario.clone(),
        seed: args.seed,
        faults: faults.map_err(Failure::Usage)?,
        clock: Clock::System,
        config_out: args.config_out.clone(),
    })
}

/// Runs the lab until the process is told to end.
pub async fn serve(args: &Demo, io: &mut Io<'_>) -> Result<u8, Failure> {
    let lab = Lab::start(&options(args)?).await.map_err(Failure::Failed)?;
    io.line(format!("{}: vigie --config {}", lab.title, lab.config.display()))?;
    io.flush()?;
    let code = ended().await.map_err(|error| Failure::Failed(error.to_string()))?;
    drop(lab);
    Ok(code)
}

/// Waits for a signal to end, and gives its exit code.
async fn ended() -> std::io::Result<u8> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt.map(|()| 130),
        _ = terminate.recv() => Ok(143),
        _ = hangup.recv() => Ok(129),
    }
}
