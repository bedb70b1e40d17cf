//! All users, read once for whoever wants them at the same time: four lists are made of them, and ten thousand are a
//! hundred pages. Nothing of them is kept when the last of those who wait has them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::watch;

use crate::backend::error::ApiError;

use super::client::{Ask, Client, Listed};
use super::wire::{Page, User};

/// The right to read users.
const VIEW_USER: &str = "authentik_core.view_user";

type Answer = Result<Arc<Listed<User>>, ApiError>;
type Walk = BoxFuture<'static, Answer>;

/// How far a walk has come.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Users that were read.
    pub read: usize,
    /// Users that there are.
    pub of: usize,
    /// Those of the first page, until the others are there.
    pub first: Arc<Vec<User>>,
}

impl Seen {
    /// Whether it is the first page, or about a thousand more than when it was told last.
    pub fn is_milestone(&self) -> bool {
        self.read > 0 && self.read < self.of && (self.read == self.first.len() || self.read % 1_000 < 100)
    }
}

/// Who walks now.
#[derive(Default)]
pub struct Roll(Mutex<Option<(WeakShared<Walk>, watch::Receiver<Seen>)>>);

/// A walk that somebody waits for.
#[derive(Clone)]
pub struct Walking {
    answer: Shared<Walk>,
    seen: watch::Receiver<Seen>,
}

impl Roll {
    /// Joins the walk that is under way, or begins one.
    pub fn join(&self, client: &Client) -> Walking {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((walk, seen)) = &*now
            && let Some(answer) = walk.upgrade()
        {
            return Walking { answer, seen: seen.clone() };
        }
        let (tell, seen) = watch::channel(Seen::default());
        let answer = walk(client.clone(), tell).boxed().shared();
        *now = answer.downgrade().map(|walk| (walk, seen.clone()));
        Walking { answer, seen }
    }

    /// What is under way began before something was changed: the next one who asks begins anew.
    pub fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Walking {
    /// Waits for its end, telling how far it has come.
    pub async fn end(self, mut told: impl FnMut(&Seen)) -> Answer {
        let Self { mut answer, mut seen } = self;
        loop {
            tokio::select! {
                biased;
                end = &mut answer => return end,
                Ok(()) = seen.changed() => told(&seen.borrow_and_update()),
            }
        }
    }
}

async fn walk(client: Client, tell: watch::Sender<Seen>) -> Answer {
    let read = AtomicUsize::new(0);
    let told = |page: &Page<User>| {
        let read = page.results.len() + read.fetch_add(page.results.len(), Ordering::Relaxed);
        let of = page.pagination.count.0.and_then(|count| usize::try_from(count).ok()).unwrap_or(read);
        tell.send_modify(|seen| {
            if seen.read == 0 && read < of {
                seen.first = Arc::new(page.results.iter().filter_map(|user| user.0.clone()).collect());
            }
            (seen.read, seen.of) = (read, of);
        });
    };
    let filters = [("include_roles", "false"), ("ordering", "username")];
    let all = client.list_telling(&Ask::new("/core/users/", VIEW_USER).filtered(&filters), told).await;
    tell.send_modify(|seen| seen.first = Arc::default());
    all.map(Arc::new)
}
