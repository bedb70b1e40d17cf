//! What is told together, and what has been told: the sources that are asked more seldom.

use std::sync::Arc;

use crate::backend::error::ApiError;
use crate::model::snapshot::Snapshot;

use super::super::cluster::{Episode, History};
use super::super::feed::Knowledge;
use super::super::rows::alerts::Around;
use super::super::rows::groups::{self, Group};
use super::super::rows::history::{self, Bursts};
use super::super::{Alerts, past};
use super::knowledge;

/// How many episodes are listed at most; the latest are kept.
const LISTED: usize = 1_000;

/// The groups of all members, united.
pub(in super::super) async fn united(backend: &Alerts) -> Result<(Vec<Group>, bool), ApiError> {
    let cluster = backend.cluster()?;
    let asked = cluster.members.iter().map(async |member| member.api()?.groups().await);
    let answers = futures_util::future::join_all(asked).await;
    let complete = answers.iter().all(Result::is_ok);
    let mut lists = Vec::new();
    let mut fault = None;
    for answer in answers {
        match answer {
            Ok(answer) => lists.push(answer.body),
            Err(error) => fault = Some(error),
        }
    }
    match fault {
        Some(error) if lists.is_empty() => Err(error),
        _ => Ok((groups::united(lists), complete)),
    }
}

/// The rows of the groups.
pub(super) async fn groups(backend: &Alerts) -> Result<Snapshot, ApiError> {
    let (united, complete) = united(backend).await?;
    let seen = backend.cluster()?.observe(30).await?;
    let around = backend.around(&[]);
    let ways = seen.routing().and_then(Result::ok).map(|routing| routing.at(around.now));
    let around = Around { ways: ways.as_ref(), ..around };
    let rows = united.iter().map(|group| groups::row(group, &seen, around)).collect();
    Ok(Snapshot { rows, complete, observed_at: around.now, notes: Vec::new() })
}

/// The episodes of the last day, from vigie's own polls and from each Prometheus.
#[derive(Debug, Default)]
pub(in super::super) struct Past {
    /// Seen by our own polls.
    pub own: Vec<Episode>,
    /// What each Prometheus remembers besides, with its name.
    pub theirs: Vec<(Arc<str>, Vec<Episode>)>,
    /// Times in which our own polls saw nothing, and what could not be asked.
    pub notes: Vec<String>,
    /// What the Prometheus servers know now.
    pub feeds: Vec<Arc<Knowledge>>,
}

impl Past {
    /// Every episode once.
    pub fn episodes(&self) -> Vec<(&Episode, &str)> {
        let own = self.own.iter().map(|episode| (episode, "polls"));
        let theirs = self
            .theirs
            .iter()
            .flat_map(|(name, list)| past::joined(&self.own, list).into_iter().map(|one| (one, &**name)));
        own.chain(theirs).collect()
    }
}

/// What is known of the last day.
pub(in super::super) async fn past(backend: &Alerts) -> Result<Past, ApiError> {
    let feeds = knowledge(&backend.shared).await;
    let (own, gaps) = remembered(&backend.cluster()?.history());
    let mut past = Past { own, notes: gaps, feeds, ..Past::default() };
    let now = backend.now();
    for feed in &backend.shared.feeds {
        // One that does not answer has been noted elsewhere; its past is missing, not empty.
        let Some(known) = feed.know_soon().await else {
            past.notes.push(format!("{} does not answer: what it remembers is missing", feed.name));
            continue;
        };
        match past::episodes(feed, &known, now).await {
            Ok(list) => past.theirs.push((feed.name.clone(), list)),
            Err(error) => past.notes.push(format!("{}: {error}", feed.name)),
        }
    }
    Ok(past)
}

fn remembered(history: &History) -> (Vec<Episode>, Vec<String>) {
    let gap = |(from, to): &(jiff::Timestamp, jiff::Timestamp)| {
        format!("nothing was seen from {} to {}", from.strftime("%H:%MZ"), to.strftime("%H:%MZ"))
    };
    (history.episodes().cloned().collect(), history.gaps().iter().map(gap).collect())
}

/// The rows of what fired within a day.
pub(super) async fn history(backend: &Alerts) -> Result<Snapshot, ApiError> {
    backend.cluster()?.ask_first().await;
    let past = past(backend).await?;
    let around = backend.around(&past.feeds);
    let mut all = past.episodes();
    let bursts = Bursts::count(all.iter().map(|(episode, _)| *episode), around.now);
    all.sort_by_key(|(episode, _)| std::cmp::Reverse(episode.began));
    all.dedup_by_key(|(episode, _)| (episode.fingerprint, episode.began.as_second()));
    let complete = all.len() <= LISTED && past.theirs.len() == backend.shared.feeds.len();
    all.truncate(LISTED);
    let rows = all.into_iter().map(|(episode, from)| history::row(episode, from, &bursts, around)).collect();
    Ok(Snapshot { rows, complete, observed_at: around.now, notes: past.notes })
}
