//! How answers reach the owner loop: a latest-wins slot per source and per run, a bounded queue for the rest.
//!
//! Nothing here grows while the loop is busy: an unread list is overwritten, changes are merged, and whoever fills
//! the queue waits for room.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore};

use crate::app::msg::Msg;
use crate::model::id::SourceId;
use crate::model::op::{RunId, RunState};
use crate::model::snapshot::Update;

use super::slot::Slot;

/// How many messages wait at most, besides the slots.
const ROOM: usize = 256;

/// The reading end, owned by one loop.
#[derive(Debug)]
pub struct Inbox(Arc<Shared>);

/// A writing end.
#[derive(Debug, Clone)]
pub struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    filled: Notify,
    room: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    order: VecDeque<Entry>,
    sources: HashMap<SourceId, Slot>,
    runs: HashMap<RunId, RunState>,
}

#[derive(Debug)]
enum Entry {
    Source(SourceId),
    Run(RunId),
    Other(Msg),
}

/// An empty inbox and its first writing end.
pub fn inbox() -> (Outbox, Inbox) {
    let shared =
        Arc::new(Shared { state: Mutex::default(), filled: Notify::new(), room: Semaphore::new(ROOM) });
    (Outbox(shared.clone()), Inbox(shared))
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox {
    /// Puts a source's answer into its slot; never waits.
    pub fn offer(&self, update: Update) {
        let mut state = self.0.state();
        if !state.sources.contains_key(&update.source) {
            state.order.push_back(Entry::Source(update.source.clone()));
        }
        state.sources.entry(update.source).or_default().push(update.epoch, update.body);
        drop(state);
        self.0.filled.notify_one();
    }

    /// Tells where a run stands; an unread earlier state is overwritten.
    pub fn run(&self, run: &RunId, to: RunState) {
        let mut state = self.0.state();
        if state.runs.insert(run.clone(), to).is_none() {
            state.order.push_back(Entry::Run(run.clone()));
        }
        drop(state);
        self.0.filled.notify_one();
    }

    /// Queues any other message, waiting while the queue is full.
    pub async fn send(&self, msg: Msg) {
        // The semaphore is never closed; were it, one message too many does no harm.
        if let Ok(permit) = self.0.room.acquire().await {
            permit.forget();
        }
        self.0.state().order.push_back(Entry::Other(msg));
        self.0.filled.notify_one();
    }
}

impl Inbox {
    /// The next message; waits for it, and loses nothing where the wait is given up.
    pub async fn next(&mut self) -> Msg {
        loop {
            if let Some(msg) = self.pop() {
                return msg;
            }
            self.0.filled.notified().await;
        }
    }

    /// Everything that has arrived until now.
    pub fn drain(&mut self) -> Vec<Msg> {
        std::iter::from_fn(|| self.pop()).collect()
    }

    fn pop(&mut self) -> Option<Msg> {
        let mut state = self.0.state();
        let msg = state.pop()?;
        drop(state);
        if !matches!(msg, Msg::Source(_) | Msg::Run { .. }) {
            self.0.room.add_permits(1);
        }
        Some(msg)
    }
}

impl State {
    fn pop(&mut self) -> Option<Msg> {
        while let Some(entry) = self.order.pop_front() {
            let msg = match entry {
                Entry::Other(msg) => Some(msg),
                Entry::Run(run) => self.runs.remove(&run).map(|state| Msg::Run { run, state }),
                Entry::Source(source) => self.pop_source(source),
            };
            if msg.is_some() {
                return msg;
            }
        }
        None
    }

    /// One answer of a source; what is left of its slot comes next.
    fn pop_source(&mut self, source: SourceId) -> Option<Msg> {
        let slot = self.sources.get_mut(&source)?;
        let update = slot.pop(&source);
        if slot.is_empty() {
            self.sources.remove(&source);
        } else {
            self.order.push_front(Entry::Source(source));
        }
        update.map(Msg::Source)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use crate::model::row::Tone;
    use crate::model::snapshot::{Delta, Epoch, Fault, Layer, Snapshot};

    use super::*;

    fn answer(feed: &str, epoch: u64) -> Update {
        let list = Snapshot::complete(Vec::new(), Timestamp::from_second(epoch.try_into().unwrap()).unwrap());
        Update {
            source: SourceId::new("proxmox", "pve", feed),
            epoch: Epoch(epoch),
            body: Ok(Delta::Reset(list)),
        }
    }

    fn notice(text: &str) -> Msg {
        Msg::Notice { tone: Tone::Info, text: text.into() }
    }

    #[tokio::test]
    async fn messages_keep_their_order_and_a_slot_keeps_its_place() {
        let (outbox, mut inbox) = inbox();
        outbox.offer(answer("tasks", 1));
        outbox.send(notice("a")).await;
        outbox.offer(answer("resources", 1));
        outbox.offer(answer("tasks", 2));
        assert_eq!(
            inbox.drain(),
            [Msg::Source(answer("tasks", 2)), notice("a"), Msg::Source(answer("resources", 1))]
        );
        assert!(inbox.drain().is_empty());
    }

    #[tokio::test]
    async fn a_fault_comes_right_after_the_rows_it_stands_behind() {
        let (outbox, mut inbox) = inbox();
        let fault = Fault::new(Layer::Tcp, "refused");
        let failed = Update { body: Err(fault), ..answer("tasks", 2) };
        outbox.offer(answer("tasks", 1));
        outbox.offer(failed.clone());
        outbox.send(notice("a")).await;
        let rows = Update { epoch: Epoch(2), ..answer("tasks", 1) };
        assert_eq!(inbox.drain(), [Msg::Source(rows), Msg::Source(failed), notice("a")]);
    }

    #[tokio::test]
    async fn of_a_run_only_the_last_state_is_told() {
        let (outbox, mut inbox) = inbox();
        let run = RunId("r1".into());
        outbox.run(&run, RunState::Queued);
        outbox.run(&run, RunState::Verifying);
        assert_eq!(inbox.drain(), [Msg::Run { run, state: RunState::Verifying }]);
    }

    #[tokio::test]
    async fn a_full_queue_makes_the_sender_wait_and_slots_do_not() {
        let (outbox, mut inbox) = inbox();
        for _ in 0..ROOM {
            outbox.send(notice("full")).await;
        }
        let late = tokio::spawn({
            let outbox = outbox.clone();
            async move { outbox.send(notice("late")).await }
        });
        outbox.offer(answer("tasks", 1));
        tokio::task::yield_now().await;
        assert!(!late.is_finished());
        assert_eq!(inbox.next().await, notice("full"));
        late.await.unwrap();
        assert_eq!(inbox.drain().last(), Some(&notice("late")));
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_loses_nothing() {
        let (outbox, mut inbox) = inbox();
        let given_up = tokio::time::timeout(Duration::ZERO, inbox.next()).await;
        assert!(given_up.is_err());
        outbox.send(notice("kept")).await;
        assert_eq!(inbox.next().await, notice("kept"));
    }
}
