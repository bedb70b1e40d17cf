//! Carries effects out, for the console and the command line alike; no terminal, and it decides nothing.

pub mod around;
pub mod call;
pub mod checks;
pub mod clock;
pub mod connect;
pub mod desk;
mod effects;
pub mod executor;
#[cfg(test)]
pub(crate) mod fake;
mod feed;
pub mod inbox;
pub mod journal;
mod keep;
pub mod locks;
pub mod operate;
pub mod place;
pub mod read;
pub mod schedule;
mod slot;
pub mod state;
mod views;

use std::future::Future;

pub use effects::new_run;

/// Runs work to its end on a runtime of its own: the calling thread, one worker and at most two that may block.
pub fn block_on<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(2)
        .thread_name("vigie-worker")
        .enable_all()
        .build()?;
    let result = runtime.block_on(work);
    // A slow name look-up or a hung disk must not hold the exit up.
    runtime.shutdown_background();
    Ok(result)
}
