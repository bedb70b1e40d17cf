//! Asking sources: one request or one open watch each, and their answers into the inbox.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::backend::Backend;
use crate::model::snapshot::{Delta, Fault, Update};

use super::call::{guarded, within};
use super::executor::Inner;
use super::schedule::{Due, End};

/// How long a whole list may take, all its pages together.
const LIST: Duration = Duration::from_secs(60);
/// How many changes of a watch wait before it is held back.
const CHANGES: usize = 64;

impl Inner {
    /// Asks what is due, and sleeps until something is again.
    pub async fn ask_what_is_due(self: Arc<Self>) {
        loop {
            let (due, next) = {
                let mut schedule = self.schedule();
                (schedule.take_due(self.ticker.now()), schedule.next_due())
            };
            for due in due {
                let this = self.clone();
                self.clone().spawn(async move { this.ask(due).await });
            }
            let Some(next) = next else {
                self.due.notified().await;
                continue;
            };
            let pause = next.saturating_sub(self.ticker.now());
            // Woken early or in time: either way the schedule is asked again.
            let _ = tokio::time::timeout(pause, self.due.notified()).await;
        }
    }

    async fn ask(&self, due: Due) {
        let end = match self.backend(&due.source.backend, &due.source.instance) {
            Ok(backend) if due.watch => self.follow(&*backend, &due).await,
            Ok(backend) => self.fetch(&*backend, &due).await,
            Err(fault) => self.answer(&due, Err(fault)),
        };
        self.schedule().ended(&due.source, self.ticker.now(), end);
        self.due.notify_one();
    }

    async fn fetch(&self, backend: &dyn Backend, due: &Due) -> End {
        let (sink, mut parts) = mpsc::channel(1);
        let mut asked = std::pin::pin!(within(LIST, backend.refresh(&due.source, &sink)));
        loop {
            tokio::select! {
                biased;
                answer = &mut asked => break self.answer(due, answer),
                Some(part) = parts.recv() => { self.answer(due, Ok(part)); }
            }
        }
    }

    async fn follow(&self, backend: &dyn Backend, due: &Due) -> End {
        let (sink, mut changes) = mpsc::channel(CHANGES);
        let mut watch = std::pin::pin!(guarded(backend.watch(&due.source, sink)));
        let end = loop {
            tokio::select! {
                biased;
                Some(change) = changes.recv() => { self.answer(due, Ok(change)); }
                end = &mut watch => break end,
            }
        };
        while let Ok(change) = changes.try_recv() {
            self.answer(due, Ok(change));
        }
        match end {
            Ok(Ok(())) => End::Good,
            Ok(Err(error)) => self.answer(due, Err(error.fault)),
            Err(panic) => self.answer(due, Err(panic)),
        }
    }

    fn answer(&self, due: &Due, body: Result<Delta, Fault>) -> End {
        let end = body.as_ref().map_or_else(End::of, |_| End::Good);
        self.outbox.offer(Update { source: due.source.clone(), epoch: due.epoch, body });
        end
    }
}
