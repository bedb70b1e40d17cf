//! One look at a source: a poll, or a watch until it has caught up.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::backend::Backend;
use crate::model::snapshot::{Delta, Epoch, Fault, Layer, Mode, Snapshot, SourceSpec, Update};

use super::call::{guarded, within};
use super::slot::Slot;

/// The rows of a source now; incomplete where its watch does not catch up within `patience`.
pub async fn once(backend: &dyn Backend, source: &SourceSpec, patience: Duration) -> Result<Snapshot, Fault> {
    match source.mode {
        Mode::Poll(_) => within(patience, backend.poll(&source.id)).await,
        Mode::Watch => caught_up(backend, source, Instant::now() + patience).await,
    }
}

async fn caught_up(backend: &dyn Backend, source: &SourceSpec, until: Instant) -> Result<Snapshot, Fault> {
    let (sink, mut changes) = mpsc::channel(16);
    let mut watch = std::pin::pin!(guarded(backend.watch(&source.id, sink)));
    let mut slot = Slot::default();
    let mut fault = None;
    loop {
        let change = timeout_at(until, async {
            tokio::select! {
                biased;
                Some(change) = changes.recv() => Ok(change),
                end = &mut watch => Err(end),
            }
        });
        match change.await {
            Ok(Ok(change)) => {
                let complete = is_complete(&change);
                slot.push(Epoch(1), Ok(change));
                if complete {
                    break;
                }
            }
            Ok(Err(end)) => {
                fault = end.and_then(|end| end.map_err(Fault::from)).err();
                break;
            }
            Err(_) => break,
        }
    }
    while let Ok(change) = changes.try_recv() {
        slot.push(Epoch(1), Ok(change));
    }
    match slot.pop(&source.id).map(|update| update.body) {
        Some(Ok(Delta::Reset(list))) => Ok(list),
        _ => Err(fault.unwrap_or_else(|| Fault::new(Layer::Http, "no list came in time"))),
    }
}

/// Hands a source's rows on piece by piece, each as soon as it is there, and keeps none; ends with the list or a fault.
pub async fn pieces(
    backend: &dyn Backend,
    source: &SourceSpec,
    patience: Duration,
    out: &mpsc::Sender<Update>,
) {
    let told = |body| Update { source: source.id.clone(), epoch: Epoch(1), body };
    if let Mode::Poll(_) = source.mode {
        let body = within(patience, backend.poll(&source.id)).await.map(Delta::Reset);
        // Whoever does not listen any more has seen enough.
        let _ = out.send(told(body)).await;
        return;
    }
    if let Err(fault) =
        pass_on(backend, source, Instant::now() + patience, |delta| out.send(told(Ok(delta)))).await
    {
        let _ = out.send(told(Err(fault))).await;
    }
}

async fn pass_on<F, E>(
    backend: &dyn Backend,
    source: &SourceSpec,
    until: Instant,
    out: impl Fn(Delta) -> F,
) -> Result<(), Fault>
where
    F: Future<Output = Result<(), E>>,
{
    let (sink, mut changes) = mpsc::channel(1);
    let mut watch = std::pin::pin!(guarded(backend.watch(&source.id, sink)));
    let mut begun = false;
    loop {
        let change = timeout_at(until, async {
            tokio::select! {
                biased;
                Some(change) = changes.recv() => Ok(change),
                end = &mut watch => Err(end),
            }
        });
        let change = match change.await {
            Ok(Ok(change)) => change,
            Ok(Err(Err(panic))) => return Err(panic),
            Ok(Err(Ok(Err(error)))) => return Err(error.fault),
            Ok(Err(Ok(Ok(())))) => return Err(Fault::new(Layer::Http, "the list broke off")),
            Err(_) => return Err(Fault::new(Layer::Http, "the list did not end in time")),
        };
        if begun && matches!(change, Delta::Reset(_)) {
            return Err(Fault::new(Layer::App, "the list began anew while it was read"));
        }
        begun = true;
        let complete = is_complete(&change);
        if out(change).await.is_err() || complete {
            return Ok(());
        }
    }
}

fn is_complete(change: &Delta) -> bool {
    match change {
        Delta::Reset(list) => list.complete,
        Delta::Change { complete, .. } => *complete,
        Delta::Same(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::backend::error::ApiError;
    use crate::exec::fake::Fake;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    async fn read(fake: &Fake, patience: Duration) -> Result<Snapshot, Fault> {
        once(fake, &fake.sources()[0], patience).await
    }

    #[tokio::test]
    async fn polled_and_watched_sources_give_the_same_list() {
        for mode in [Fake::default().mode, Mode::Watch] {
            let list = read(&Fake { mode, ..Fake::default() }, PATIENCE).await.unwrap();
            assert_eq!((list.rows.len(), list.complete), (2, true));
        }
    }

    #[tokio::test]
    async fn a_watch_that_does_not_catch_up_gives_what_it_has() {
        let fake = Fake { mode: Mode::Watch, ..Fake::default() };
        let partial = fake.lists.peek().map(|list| Snapshot { complete: false, ..list });
        fake.lists.set([partial]);
        let list = read(&fake, Duration::from_millis(20)).await.unwrap();
        assert_eq!((list.rows.len(), list.complete), (2, false));
    }

    #[tokio::test]
    async fn no_list_is_a_fault() {
        let fake = Fake { mode: Mode::Watch, ..Fake::default() };
        fake.lists.set([Err(ApiError::new(Layer::Tcp, "refused"))]);
        assert_eq!(read(&fake, PATIENCE).await.unwrap_err().layer, Layer::Tcp);
    }
}
