//! Authentik 2025.8 to 2026.8: who may enter, who is invited, and what stands open to whom.
//!
//! The server ignores filters that it does not know, answers fuzzy searches with the wrong person, and lists half of
//! its applications to whoever is no superuser. So every row is compared with what was asked for, every write takes
//! one exact id, and what cannot be seen is said instead of being left out.

mod access;
mod audit;
mod client;
mod doc;
mod doctor;
mod exposure;
mod fates;
mod feeds;
mod find;
mod kinds;
mod ops;
mod people;
mod rights;
mod roll;
mod rows;
mod seal;
#[cfg(feature = "demo")]
mod sim;
mod watch;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::config::{Authentik as Settings, Config};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::op::{Field, Job, OpSpec, Rights, Target, Verdict};
use crate::model::snapshot::{Delta, Layer, Snapshot, SourceSpec};
use crate::model::time::Clock;

use super::broken::Broken;
use super::error::{ApiError, SendError};
use super::github::actions::Actions;
use super::{Backend, Definition, DeltaSink, Diagnosis, ProgressSink, Proof, Receipt, ViewSink, http};

use client::Client;
use rows::Place;
use rows::invitations::Keys;

/// The backend's id.
const ID: &str = "authentik";

/// Authentik in the registry.
pub const DEFINITION: Definition = Definition {
    id: ID,
    kinds: kinds::all,
    operations: ops::all,
    connect,
    #[cfg(feature = "demo")]
    simulators: sim::simulators,
};

/// One configured server.
struct Authentik {
    client: Client,
    place: Place,
    keys: Keys,
    settings: Settings,
    clock: Clock,
    /// How long an effect that is not there yet may still come.
    grace: Duration,
    /// The keys of invitations that were deleted here, by their seals, for reading back.
    deleted: Mutex<BTreeMap<String, String>>,
    known: Mutex<feeds::Known>,
    /// All users, while somebody reads them.
    roll: roll::Roll,
    /// The accounts whose gates stand in front of ours.
    fronts: Vec<crate::config::Cloudflare>,
    /// The repository with the workflow that swaps keys, where one is configured.
    github: Option<Result<Actions, ApiError>>,
    /// How often a run that is followed is asked for, where it is not the usual pace.
    pace: Option<Duration>,
}

fn connect(config: &Config, clock: &Clock) -> Vec<Arc<dyn Backend>> {
    let one = |settings: &Settings| -> Arc<dyn Backend> {
        match Authentik::new(settings, clock) {
            Ok(mut backend) => {
                backend.github = rotating(config, settings);
                backend.fronts.clone_from(&config.cloudflare);
                Arc::new(backend)
            }
            Err(error) => {
                let instance = settings.connection.name.clone();
                let sources = watch::sources(&instance, settings.connection.domain);
                Arc::new(Broken { id: ID, instance, sources, fault: error.fault })
            }
        }
    };
    config.authentik.iter().map(one).collect()
}

/// The client of the repository that holds the workflow which swaps keys.
fn rotating(config: &Config, settings: &Settings) -> Option<Result<Actions, ApiError>> {
    let rotation = settings.rotation.as_ref()?;
    let github = config.github.iter().find(|github| github.connection.name == rotation.github)?;
    Some(Actions::connect(github))
}

impl Authentik {
    fn new(settings: &Settings, clock: &Clock) -> Result<Self, ApiError> {
        let token = http::resolve(&settings.token)?;
        if token.trim().is_empty() {
            return Err(ApiError::new(Layer::Config, "the token is empty"));
        }
        let connection = &settings.connection;
        Ok(Self {
            client: Client::new(connection, &token)?,
            place: Place { instance: connection.name.clone(), domain: connection.domain },
            keys: Keys { group: settings.group_key.clone(), mark: settings.mark.clone() },
            settings: settings.clone(),
            clock: clock.clone(),
            grace: Duration::from_secs(120),
            deleted: Mutex::default(),
            known: Mutex::default(),
            roll: roll::Roll::default(),
            fronts: Vec::new(),
            github: None,
            pace: None,
        })
    }

    fn deleted(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.deleted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, feeds::Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, pk: &str) {
        self.deleted().insert(seal::seal(pk), pk.to_owned());
    }

    fn remembered(&self, seal: &str) -> Option<String> {
        self.deleted().get(seal).cloned()
    }
}

#[async_trait]
impl Backend for Authentik {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.place.instance
    }

    fn sources(&self) -> Vec<SourceSpec> {
        watch::sources(&self.place.instance, self.place.domain)
    }

    async fn poll(&self, source: &SourceId) -> Result<Snapshot, ApiError> {
        self.poll_feed(&source.feed).await
    }

    async fn refresh(&self, source: &SourceId, parts: &DeltaSink) -> Result<Delta, ApiError> {
        match &*source.feed {
            "users" => self.refresh_users(parts).await,
            "exposure" => self.refresh_exposure(parts).await,
            feed => self.poll_feed(feed).await.map(Delta::Reset),
        }
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        self.resolve_exact(kind, exact).await
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        self.show(id, view, sink).await
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        self.read_rights().await
    }

    async fn doctor(&self) -> Diagnosis {
        self.diagnose().await
    }

    async fn form(&self, op: &OpSpec, targets: &[Target]) -> Result<Vec<Field>, ApiError> {
        self.offer(op, targets).await
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        self.recognise(target).await
    }

    async fn preflight(&self, job: &Job) -> Result<Verdict, ApiError> {
        self.judge(job).await
    }

    async fn operate(&self, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        self.carry_out(job, progress).await
    }

    async fn verify(&self, job: &Job, remote: Option<&str>, since: Timestamp) -> Result<Proof, ApiError> {
        self.read_back(job, remote, since).await
    }
}

#[cfg(test)]
mod tests;
