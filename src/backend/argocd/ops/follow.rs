//! Following the controller's work: the application is read again and again until it says what is waited for.

use std::time::Duration;

use jiff::Timestamp;

use crate::backend::ProgressSink;
use crate::backend::error::SendError;
use crate::backend::follow::{self, Look};
use crate::model::op::Job;

use super::super::Argo;
use super::super::wire::Application;

/// Reads the application until `look` sees an end.
pub async fn until(
    argo: &Argo,
    job: &Job,
    progress: &ProgressSink,
    limit: Duration,
    look: impl Fn(&Application) -> Look + Sync,
) -> Result<String, SendError> {
    follow::until(argo.pace, progress, limit, || async { Ok(look(&super::read(argo, job).await?.app)) }).await
}

/// Whether an instant is not before another one, to the second: servers write no fractions.
pub fn not_before(at: Option<Timestamp>, since: Timestamp) -> bool {
    at.is_some_and(|at| at.as_second() >= since.as_second())
}
