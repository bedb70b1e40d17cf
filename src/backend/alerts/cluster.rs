//! The Alertmanagers of one cluster as one system: what they hold together, and one of them to write to.
//!
//! Members share silences by gossip and never alerts, so alerts are united by fingerprint and silences by id; a write
//! goes to one member, because each further one would make another silence.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::backend::error::{ApiError, SendError};
use crate::backend::http::Http;
use crate::config;
use crate::model::row::Domain;
use crate::model::snapshot::Fault;
use crate::model::time::{Clock, seconds_between};

use super::client::{self, Alertmanager};
use super::wire::{Alert, Silence, Status};

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

/// What one member said last.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its alerts and silences, or why there are none.
    pub lists: Result<(), Fault>,
    /// Its status, with the time of the answer.
    pub status: Option<(Timestamp, Arc<Status>)>,
    /// How many seconds its clock is ahead of ours.
    pub ahead: i64,
}

/// An alert as the cluster holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// What the member that heard it last says of it; its quieting united over all.
    pub alert: Alert,
    /// The hash of its labels.
    pub fingerprint: u64,
    /// Which members hold it, a bit each.
    pub members: u64,
}

/// What all members said, united.
#[derive(Debug, Clone)]
pub struct Observation {
    /// When.
    pub at: Timestamp,
    /// The alerts in order of their fingerprints.
    pub alerts: Vec<Held>,
    /// The silences, by id.
    pub silences: BTreeMap<String, Silence>,
    /// What each member said, in the order of the configuration.
    pub members: Vec<Said>,
}

impl Observation {
    /// Whether every member answered, so that absence means something.
    pub fn complete(&self) -> bool {
        self.members.iter().all(|said| said.lists.is_ok())
    }

    /// How many members answered.
    pub fn answering(&self) -> usize {
        self.members.iter().filter(|said| said.lists.is_ok()).count()
    }

    /// An alert by its fingerprint.
    pub fn alert(&self, fingerprint: u64) -> Option<&Held> {
        let at = self.alerts.binary_search_by_key(&fingerprint, |held| held.fingerprint).ok()?;
        self.alerts.get(at)
    }

    /// The alert with a fingerprint in its text form.
    pub fn alert_named(&self, hex: &str) -> Option<&Held> {
        self.alert(u64::from_str_radix(hex, 16).ok()?)
    }

    /// By how many of the members that answered an alert is held.
    pub fn seen(&self, held: &Held) -> (u32, usize) {
        (held.members.count_ones(), self.answering())
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
        }
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
            let before = before.and_then(|seen| seen.members.get(index)).and_then(|said| said.status.clone());
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
            members.push(Said { lists, status: answer.status, ahead: answer.ahead });
        }
        let (alerts, silences) = union.finish();
        Ok(Observation { at: now, alerts, silences, members })
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
    status: Option<(Timestamp, Arc<Status>)>,
    ahead: i64,
}

async fn ask_member(member: &Member, before: Option<(Timestamp, Arc<Status>)>, now: Timestamp) -> Answered {
    let api = match member.api() {
        Ok(api) => api,
        Err(error) => return Answered { lists: Err(error.fault), status: before, ahead: 0 },
    };
    let believed = before.filter(|(at, _)| seconds_between(*at, now) < STATUS_AGE);
    let status = async {
        match believed {
            Some(known) => Some(known),
            None => api.status().await.ok().map(|answer| (now, Arc::new(answer.body))),
        }
    };
    let (alerts, silences, status) = futures_util::future::join3(api.alerts(), api.silences(), status).await;
    let ahead = alerts
        .as_ref()
        .ok()
        .and_then(|answer| answer.reply.date())
        .map_or(0, |date| seconds_between(now, date));
    let lists = alerts.and_then(|alerts| Ok((alerts.body, silences?.body))).map_err(Fault::from);
    Answered { lists, status, ahead }
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

/// Unites what members say.
#[derive(Default)]
struct Union {
    alerts: HashMap<u64, Held>,
    silences: BTreeMap<String, Silence>,
}

impl Union {
    fn add(&mut self, member: usize, alerts: Vec<Alert>, silences: Vec<Silence>) {
        let bit = 1_u64.checked_shl(u32::try_from(member).unwrap_or(u32::MAX)).unwrap_or(0);
        self.alerts.reserve(alerts.len());
        for alert in alerts {
            let fingerprint =
                u64::from_str_radix(&alert.fingerprint, 16).unwrap_or_else(|_| alert.labels.fingerprint());
            match self.alerts.get_mut(&fingerprint) {
                Some(held) => held.join(alert, bit),
                None => {
                    self.alerts.insert(fingerprint, Held { alert, fingerprint, members: bit });
                }
            }
        }
        for silence in silences {
            match self.silences.get(&silence.id) {
                Some(known) if known.updated_at >= silence.updated_at => {}
                _ => {
                    self.silences.insert(silence.id.clone(), silence);
                }
            }
        }
    }

    /// A silence that has meanwhile ended or is nowhere to be found keeps nothing quiet.
    fn finish(self) -> (Vec<Held>, BTreeMap<String, Silence>) {
        let Self { alerts, silences } = self;
        let holds = |id: &String| silences.get(id).is_some_and(|silence| silence.status.state == "active");
        let mut alerts: Vec<Held> = alerts.into_values().collect();
        for held in &mut alerts {
            held.alert.status.silenced_by.retain(holds);
        }
        alerts.sort_unstable_by_key(|held| held.fingerprint);
        (alerts, silences)
    }
}

impl Held {
    /// What was heard later counts; what any member keeps quiet is quiet.
    fn join(&mut self, other: Alert, bit: u64) {
        self.members |= bit;
        let mut older = other;
        if older.updated_at > self.alert.updated_at {
            std::mem::swap(&mut older, &mut self.alert);
        }
        let (kept, more) = (&mut self.alert.status, older.status);
        add_missing(&mut kept.silenced_by, more.silenced_by);
        add_missing(&mut kept.inhibited_by, more.inhibited_by);
        add_missing(&mut kept.muted_by, more.muted_by);
    }
}

fn add_missing(known: &mut Vec<String>, more: Vec<String>) {
    for item in more {
        if !known.contains(&item) {
            known.push(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(fingerprint: &str, updated: &str, silenced_by: &[&str]) -> Alert {
        let mut alert =
            Alert { fingerprint: fingerprint.into(), updated_at: updated.parse().ok(), ..Alert::default() };
        alert.status.silenced_by = silenced_by.iter().map(ToString::to_string).collect();
        alert
    }

    fn silence(id: &str, state: &str) -> Silence {
        let mut silence = Silence { id: id.into(), ..Silence::default() };
        silence.status.state = state.into();
        silence
    }

    #[test]
    fn members_are_united_by_fingerprint_and_the_later_word_counts() {
        let mut union = Union::default();
        union.add(
            0,
            vec![alert("0a", "2026-11-22T10:00:00Z", &[]), alert("0b", "2026-11-22T10:00:00Z", &[])],
            vec![],
        );
        union.add(1, vec![alert("0a", "2026-11-22T11:00:00+02:00", &["s"])], vec![silence("s", "active")]);
        let (alerts, _) = union.finish();
        let found: Vec<_> = alerts.iter().map(|held| (held.fingerprint, held.members)).collect();
        assert_eq!(found, [(10, 0b11), (11, 0b01)]);
        assert_eq!(alerts[0].alert.updated_at, "2026-11-22T10:00:00Z".parse().ok());
        assert_eq!(alerts[0].alert.status.silenced_by, ["s"]);
    }

    #[test]
    fn a_silence_that_has_ended_keeps_nothing_quiet() {
        let mut union = Union::default();
        let quiet = alert("0a", "2026-11-22T10:00:00Z", &["ended", "nowhere", "holds"]);
        union.add(0, vec![quiet], vec![silence("ended", "expired"), silence("holds", "active")]);
        assert_eq!(union.finish().0[0].alert.status.silenced_by, ["holds"]);
    }
}
