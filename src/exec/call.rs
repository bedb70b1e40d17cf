//! Questions to a backend that always end: with an answer, a fault, or the end of our patience; a panic is a fault too.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use crate::backend::error::ApiError;
use crate::model::snapshot::{Fault, Layer};

/// Waits for an answer at most so long.
pub async fn within<T>(
    patience: Duration,
    call: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(patience, guarded(call)).await {
        Ok(Ok(answer)) => answer.map_err(Fault::from),
        Ok(Err(panic)) => Err(panic),
        Err(_) => Err(Fault::new(Layer::Http, format!("no answer within {} s", patience.as_secs()))),
    }
}

/// Turns a panic into a fault, so that one broken backend takes nothing else with it.
pub async fn guarded<T>(call: impl Future<Output = T>) -> Result<T, Fault> {
    AssertUnwindSafe(call).catch_unwind().await.map_err(|panic| {
        let what = panic_text(&*panic);
        tracing::error!(panic = what, "a task panicked");
        Fault::new(Layer::App, "internal error of vigie").raw(what).hint("please report it")
    })
}

/// Runs work that blocks (files, locks) away from the tasks.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown panic")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_ends_with_an_answer_or_a_fault() {
        let patience = Duration::from_secs(60);
        assert_eq!(within(patience, async { Ok(7) }).await, Ok(7));
        let refused = within::<()>(patience, async { Err(ApiError::new(Layer::Tcp, "refused")) }).await;
        assert_eq!(refused.unwrap_err().layer, Layer::Tcp);
        let never = within::<()>(Duration::ZERO, std::future::pending()).await;
        assert_eq!(never.unwrap_err().to_string(), "http: no answer within 0 s");
        let broken = within::<()>(patience, async { panic!("out of {}", "luck") }).await;
        assert_eq!(broken.unwrap_err().raw, "out of luck");
    }
}
