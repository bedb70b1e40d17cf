//! Following the controller's work: the application is read again and again until it says what is waited for.

use std::time::Duration;

use jiff::Timestamp;

use crate::backend::error::{ApiError, SendError};
use crate::backend::{Progress, ProgressSink};
use crate::model::op::Job;
use crate::model::snapshot::{Fault, Layer};

use super::super::Argo;
use super::super::wire::Application;

/// How many reads in a row may fail before we have lost sight of it.
const LOST: u32 = 12;

/// What a look at the application says.
pub enum Look {
    /// Not yet; what it does now, and how much is done.
    Going(String, Option<f32>),
    /// The server's own end of it.
    Done(String),
    /// The server's work failed.
    Failed(String),
}

/// Reads until `look` sees an end; a limit of time or of failing reads leaves the outcome unknown.
pub async fn until(
    argo: &Argo,
    job: &Job,
    progress: &ProgressSink,
    limit: Duration,
    look: impl Fn(&Application) -> Look,
) -> Result<String, SendError> {
    let end = tokio::time::Instant::now() + limit;
    let (mut failures, mut last) = (0, String::new());
    loop {
        tokio::time::sleep(argo.pace).await;
        match super::read(argo, job).await {
            Ok(now) => {
                failures = 0;
                match look(&now.app) {
                    Look::Done(said) => return Ok(said),
                    Look::Failed(why) => return Err(SendError::Failed(Fault::new(Layer::App, why))),
                    Look::Going(note, fraction) if note != last => {
                        last.clone_from(&note);
                        // Nobody has to listen for the work to go on.
                        let _ = progress.send(Progress::Step { fraction, note }).await;
                    }
                    Look::Going(..) => {}
                }
            }
            Err(error) => {
                failures += 1;
                if failures >= LOST {
                    return Err(lost(error));
                }
            }
        }
        if tokio::time::Instant::now() >= end {
            let what = format!("it was accepted and has not ended within {} s: {last}", limit.as_secs());
            return Err(SendError::Unknown(Fault::new(Layer::App, what)));
        }
    }
}

fn lost(error: ApiError) -> SendError {
    let mut fault = error.fault;
    fault.what = format!("it was accepted, then the application could not be read any more: {}", fault.what);
    SendError::Unknown(fault)
}

/// Whether an instant is not before another one, to the second: servers write no fractions.
pub fn not_before(at: Option<Timestamp>, since: Timestamp) -> bool {
    at.is_some_and(|at| at.as_second() >= since.as_second())
}
