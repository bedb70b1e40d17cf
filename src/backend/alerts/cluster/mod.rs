//! The Alertmanagers of one cluster as one system: what they hold together, and one of them to write to.
//!
//! Members share silences by gossip and never alerts, so alerts are united by fingerprint and silences by id; a write
//! goes to one member, because each further one would make another silence.

mod history;
mod metrics;
mod observation;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::backend::error::{ApiError, SendError};
use crate::backend::http::Http;
use crate::config;
use crate::model::row::Domain;
use crate::model::snapshot::Fault;
use crate::model::time::{Clock, seconds_between};

use super::client::{self, Alertmanager};
use super::routing::Routing;
use super::wire::{Alert, Silence};

pub use history::{Ending, Episode, History};
pub use metrics::Metrics;
pub use observation::{Ghost, Held, Observation, Said, Told};

use observation::Union;

/// How long a status is believed, in seconds: it carries the whole configuration and changes rarely.
const STATUS_AGE: i64 = 60;

/// One member.
#[derive(Debug)]
pub struct Member {
    /// Its configured name.
    pub name: Arc<str>,
    http: Result<Http, ApiError>,
}

impl Member {
    fn new(config: &config::Alertmanager) -> Self {
        Self { name: config.connection.name.clone(), http: client::open(&config.connection, &config.auth) }
    }

    /// Its calls, or why there can be none.
    pub fn api(&self) -> Result<Alertmanager<'_>, ApiError> {
        self.http.as_ref().map(Alertmanager).map_err(Clone::clone)
    }
}

/// The members of one cluster, or a single Alertmanager.
#[derive(Debug)]
pub struct Cluster {
    /// The members in the order of the configuration.
    pub members: Vec<Member>,
    /// The domain of the first member.
    pub domain: Domain,
    clock: Clock,
    /// Held while a round of questions is under way.
    flight: tokio::sync::Mutex<()>,
    last: Mutex<Last>,
    history: Mutex<History>,
}

/// The last good answer, and whether the last question brought one.
#[derive(Debug, Clone, Default)]
struct Last {
    good: Option<Arc<Observation>>,
    failing: bool,
}

impl Cluster {
    /// Resolves secrets, so it may block; a member that cannot be made answers with its fault.
    pub fn new(members: &[&config::Alertmanager], clock: &Clock) -> Self {
        Self {
            members: members.iter().map(|member| Member::new(member)).collect(),
            domain: members.first().map_or(Domain::Unknown, |member| member.connection.domain),
            clock: clock.clone(),
            flight: tokio::sync::Mutex::default(),
            last: Mutex::default(),
            history: Mutex::default(),
        }
    }

    /// What its own polls have seen come and go.
    pub fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the members say, at most so many seconds old; several askers at once share one round of questions.
    pub async fn observe(&self, max_age: i64) -> Result<Arc<Observation>, ApiError> {
        let asked = self.clock.now();
        let _flight = self.flight.lock().await;
        let before = self.last().good;
        if let Some(known) = &before
            && (known.at > asked || seconds_between(known.at, asked) < max_age)
        {
            return Ok(known.clone());
        }
        let answer = self.ask(before.as_deref()).await.map(Arc::new);
        match &answer {
            Ok(seen) => self.history().see(seen),
            Err(_) => self.history().miss(asked),
        }
        let good = answer.as_ref().ok().cloned().or(before);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Last { good, failing: answer.is_err() };
        answer
    }

    /// The last good answer without asking, unless the last question brought none.
    pub fn known(&self) -> Option<Arc<Observation>> {
        let last = self.last();
        last.good.filter(|_| !last.failing)
    }

    /// Asks once where nobody has yet: "not asked" is not "cannot be asked".
    pub async fn ask_first(&self) {
        let last = self.last();
        if last.good.is_none() && !last.failing {
            // The answer is remembered either way; whoever looks next sees which it was.
            let _ = self.observe(0).await;
        }
    }

    fn last(&self) -> Last {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn ask(&self, before: Option<&Observation>) -> Result<Observation, ApiError> {
        let now = self.clock.now();
        let questions = self.members.iter().enumerate().map(|(index, member)| {
            let before = before.and_then(|seen| seen.members.get(index)).and_then(|said| said.told.clone());
            ask_member(member, before, now)
        });
        let answers = futures_util::future::join_all(questions).await;
        if let Some(error) = common_failure(&self.members, &answers) {
            return Err(error);
        }
        let mut union = Union::default();
        let mut members = Vec::with_capacity(answers.len());
        for (index, answer) in answers.into_iter().enumerate() {
            let lists = answer.lists.map(|(alerts, silences)| union.add(index, alerts, silences));
            members.push(Said { lists, told: answer.told, ahead: answer.ahead });
        }
        let ghosts = union.ghosts(before, now);
        let (alerts, silences) = union.finish();
        Ok(Observation { at: now, alerts, silences, ghosts, members })
    }

    /// Writes to one member: the first that can be reached, the healthy ones first. Another is only tried where
    /// nothing was sent.
    pub async fn write(&self, change: &dyn Change) -> Result<(String, &Member), SendError> {
        let mut last = SendError::NotSent(ApiError::unsupported("no Alertmanager is configured here").fault);
        for member in self.healthy_first() {
            let outcome = match member.api() {
                Ok(api) => change.send(api).await,
                Err(error) => Err(SendError::NotSent(error.fault)),
            };
            match outcome {
                Ok(id) => return Ok((id, member)),
                Err(SendError::NotSent(fault)) => last = SendError::NotSent(fault),
                Err(sent) => return Err(sent),
            }
        }
        Err(last)
    }

    fn healthy_first(&self) -> Vec<&Member> {
        let known = self.last().good;
        let failed = |index: usize| {
            known.as_ref().and_then(|seen| seen.members.get(index)).is_some_and(|said| said.lists.is_err())
        };
        let mut order: Vec<(bool, &Member)> =
            self.members.iter().enumerate().map(|(index, member)| (failed(index), member)).collect();
        order.sort_by_key(|(failed, _)| *failed);
        order.into_iter().map(|(_, member)| member).collect()
    }
}

/// A write to whichever member takes it.
#[async_trait]
pub trait Change: Sync {
    /// Sends it once; returns the id of the silence that holds from then on.
    async fn send(&self, api: Alertmanager<'_>) -> Result<String, SendError>;
}

/// One member's answers to one round of questions.
struct Answered {
    lists: Result<(Vec<Alert>, Vec<Silence>), Fault>,
    told: Option<Told>,
    ahead: i64,
}

async fn ask_member(member: &Member, before: Option<Told>, now: Timestamp) -> Answered {
    let api = match member.api() {
        Ok(api) => api,
        Err(error) => return Answered { lists: Err(error.fault), told: before, ahead: 0 },
    };
    let told = async {
        let old = before.as_ref().is_none_or(|told| seconds_between(told.at, now) >= STATUS_AGE);
        if old { tell(api, before, now).await } else { before }
    };
    let (alerts, silences, told) = futures_util::future::join3(api.alerts(), api.silences(), told).await;
    let ahead = alerts
        .as_ref()
        .ok()
        .and_then(|answer| answer.reply.date())
        .map_or(0, |date| seconds_between(now, date));
    let lists = alerts.and_then(|alerts| Ok((alerts.body, silences?.body))).map_err(Fault::from);
    Answered { lists, told, ahead }
}

/// Asks what changes rarely; a configuration that is the same as before is not read again.
async fn tell(api: Alertmanager<'_>, before: Option<Told>, now: Timestamp) -> Option<Told> {
    let (status, metrics) = futures_util::future::join(api.status(), api.metrics()).await;
    let status = Arc::new(status.ok()?.body);
    let metrics = metrics.ok().map(|text| Metrics::read(&text));
    let same = before.as_ref().filter(|told| told.status.config == status.config);
    let routing = match same {
        Some(told) => told.routing.clone(),
        None => Routing::read(&status.config.original).map(Arc::new),
    };
    let failed = match (before.as_ref().and_then(|told| told.metrics.as_ref()), metrics.as_ref()) {
        (Some(old), Some(new)) => new.failed_since(old),
        _ => 0.0,
    };
    let earlier = before.as_ref().and_then(|told| told.failed_at);
    let failed_at = if failed > 0.0 { Some(now) } else { earlier };
    Some(Told { at: now, status, routing, metrics, failed_at })
}

/// The error to show where no member answered; names them where there are several.
fn common_failure(members: &[Member], answers: &[Answered]) -> Option<ApiError> {
    let faults: Vec<&Fault> = answers.iter().filter_map(|answer| answer.lists.as_ref().err()).collect();
    if faults.len() < answers.len() {
        return None;
    }
    let mut fault = (*faults.first()?).clone();
    if faults.len() > 1 {
        let names: Vec<&str> = members.iter().map(|member| &*member.name).collect();
        fault.what = format!("none of {} answers; {}: {}", names.join(", "), names.first()?, fault.what);
    }
    Some(ApiError { fault })
}
