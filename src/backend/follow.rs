//! Work that a server does by itself, looked at again and again until it says its end.

use std::time::Duration;

use crate::model::snapshot::{Fault, Layer};

use super::error::{ApiError, SendError};
use super::{Progress, ProgressSink};

/// How many looks in a row may fail before we have lost sight of it.
pub const LOST: u32 = 12;

/// What a look at something under way says.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// Not yet; what it does or what is missing, and how much of it is done (0..1).
    Going(String, Option<f32>),
    /// The server's own end of it.
    Done(String),
    /// The server's work failed.
    Failed(String),
}

/// Looks until there is an end; a limit of time or of failing looks leaves the outcome unknown.
pub async fn until<F>(
    pace: Duration,
    progress: &ProgressSink,
    limit: Duration,
    mut look: impl FnMut() -> F,
) -> Result<String, SendError>
where
    F: Future<Output = Result<Look, ApiError>>,
{
    let end = tokio::time::Instant::now() + limit;
    let (mut failures, mut last) = (0, String::new());
    loop {
        match look().await {
            Ok(Look::Done(said)) => return Ok(said),
            Ok(Look::Failed(why)) => return Err(SendError::Failed(Fault::new(Layer::App, why))),
            Ok(Look::Going(note, fraction)) => {
                failures = 0;
                if note != last {
                    last.clone_from(&note);
                    // Nobody has to listen for the work to go on.
                    let _ = progress.send(Progress::Step { fraction, note }).await;
                }
            }
            Err(error) if failures + 1 >= LOST => return Err(lost(error)),
            Err(_) => failures += 1,
        }
        if tokio::time::Instant::now() >= end {
            let what = format!("it was accepted and has not ended within {} s: {last}", limit.as_secs());
            return Err(SendError::Unknown(Fault::new(Layer::App, what)));
        }
        tokio::time::sleep(pace).await;
    }
}

fn lost(error: ApiError) -> SendError {
    let mut fault = error.fault;
    fault.what = format!("it was accepted, then it could not be followed any more: {}", fault.what);
    SendError::Unknown(fault)
}
