//! The systems that vigie speaks to: one folder each, all behind one trait and one registry.
//!
//! A backend describes its world as typed data; the generic browser draws it, the gate and the
//! executor act on it. Adding a system is a folder of these files and one line in [`REGISTRY`].

pub mod alerts;
pub mod argocd;
pub mod authentik;
pub mod broken;
pub mod cloudflare;
pub mod delivery;
pub mod docker;
pub mod error;
pub mod follow;
pub mod github;
pub mod http;
pub mod kubernetes;
pub mod lenient;
pub mod loki;
pub mod notify;
pub mod omni;
pub mod pinned;
pub mod probe;
pub mod proxmox;
#[cfg(feature = "demo")]
pub mod sim;
pub mod tls;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::config::Config;
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::kind::{KindSpec, Text};
use crate::model::op::{Field, Job, OpSpec, Reveal, Rights, Target, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Delta, Snapshot, SourceSpec};
use crate::model::time::Clock;
use crate::model::view::View;

use error::{ApiError, SendError};

/// One line per backend; order is the order of kinds in the palette and of checks in `vigie doctor`.
pub static REGISTRY: &[Definition] = &[
    proxmox::DEFINITION,
    omni::DEFINITION,
    kubernetes::DEFINITION,
    argocd::DEFINITION,
    delivery::DEFINITION,
    authentik::DEFINITION,
    alerts::DEFINITION,
    docker::DEFINITION,
    loki::DEFINITION,
    notify::DEFINITION,
    pinned::DEFINITION,
    cloudflare::DEFINITION,
    github::DEFINITION,
    probe::DEFINITION,
];

/// What a backend is before any server is configured.
pub struct Definition {
    /// Its id (`proxmox`), the first part of its kinds' and operations' names.
    pub id: &'static str,
    /// The kinds that it can list.
    pub kinds: fn() -> Vec<KindSpec>,
    /// What may be done to them.
    pub operations: fn() -> Vec<OpSpec>,
    /// Makes one [`Backend`] for each configured instance; does no IO beyond reading local files.
    ///
    /// An instance that cannot be made (a secret that cannot be read, a CA file without a certificate)
    /// becomes a backend that answers every question with that fault, so that it breaks no other.
    pub connect: fn(&Config, &Clock) -> Vec<Arc<dyn Backend>>,
    /// Its simulated servers in the lab.
    #[cfg(feature = "demo")]
    pub simulators: fn(&Arc<sim::World>) -> Vec<sim::Simulator>,
}

/// All kinds of the registry.
pub fn kinds() -> Vec<KindSpec> {
    REGISTRY.iter().flat_map(|definition| (definition.kinds)()).collect()
}

/// All operations of the registry.
pub fn operations() -> Vec<OpSpec> {
    REGISTRY.iter().flat_map(|definition| (definition.operations)()).collect()
}

/// Every configured instance of every backend.
pub fn connect(config: &Config, clock: &Clock) -> Vec<Arc<dyn Backend>> {
    REGISTRY.iter().flat_map(|definition| (definition.connect)(config, clock)).collect()
}

/// Where a watch delivers its changes; a closed channel means that nobody listens any more.
pub type DeltaSink = mpsc::Sender<Delta>;

/// Where an opened view delivers its content.
pub type ViewSink = mpsc::Sender<View>;

/// Shows a view for as long as somebody looks, made anew at a pace.
pub async fn show_at_pace<F>(sink: &ViewSink, pace: Duration, make: impl Fn() -> F) -> Result<(), ApiError>
where
    F: Future<Output = Result<View, ApiError>>,
{
    loop {
        if sink.send(make().await?).await.is_err() {
            return Ok(());
        }
        tokio::select! {
            () = sink.closed() => return Ok(()),
            () = tokio::time::sleep(pace) => {}
        }
    }
}

/// How far a sent operation has come.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// The server took it on under this id (a UPID); journalled at once.
    Accepted(String),
    /// What it does now, and how much of it is done (0..1) where the server tells.
    Step {
        /// Done so far.
        fraction: Option<f32>,
        /// One line.
        note: String,
    },
}

/// Where an operation reports its progress.
pub type ProgressSink = mpsc::Sender<Progress>;

/// The server's own end of an operation, before it is read back.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Receipt {
    /// The server's id of the work or of the created thing.
    pub remote: Option<String>,
    /// What the server said.
    pub said: String,
    /// Shown once to the operator.
    pub reveal: Option<Reveal>,
}

/// What reading back found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The effect is there; in words.
    Seen(String),
    /// It is not there, and it will not come any more.
    Absent(String),
    /// It cannot be said yet, or not at all; the second text says how to look by hand.
    Unclear(String, String),
}

/// What keeps the effect of a finished run alive, where it would end by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upkeep {
    /// Nothing has to be done for so long.
    Wait(Duration),
    /// This has to be done now, as a run of its own.
    Due(Box<Job>),
    /// It is over; in words.
    Over(String),
}

/// One line of `vigie doctor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at (`reach`, `auth`, `rights`, `version`, `certificate`, `token`).
    pub what: Text,
    /// What it says.
    pub says: String,
    /// Ok, warn, error or unknown.
    pub tone: Tone,
}

impl Finding {
    /// A finding in a role.
    pub fn new(what: impl Into<Text>, says: impl Into<String>, tone: Tone) -> Self {
        Self { what: what.into(), says: says.into(), tone }
    }
}

/// What `vigie doctor` learns of one instance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Diagnosis {
    /// Its findings in the order of the layers.
    pub findings: Vec<Finding>,
    /// What its credential may do.
    pub rights: Option<Rights>,
    /// The instant at which its certificate ends.
    pub certificate_ends: Option<Timestamp>,
    /// The instant at which its credential ends.
    pub token_ends: Option<Timestamp>,
}

impl Diagnosis {
    /// True where nothing is wrong enough to fail the doctor.
    pub fn healthy(&self) -> bool {
        self.findings.iter().all(|finding| !matches!(finding.tone, Tone::Error | Tone::Unknown))
    }
}

/// One configured instance of a system.
///
/// Methods are called from several tasks at once; a call that is dropped is cancelled. Reads may be
/// retried by the client underneath, writes never.
#[async_trait]
pub trait Backend: Send + Sync {
    /// The backend's id (`proxmox`).
    fn id(&self) -> &'static str;

    /// The configured name.
    fn instance(&self) -> &Arc<str>;

    /// Its streams of rows.
    fn sources(&self) -> Vec<SourceSpec>;

    /// Asks a polled source once.
    async fn poll(&self, source: &SourceId) -> Result<Snapshot, ApiError>;

    /// Asks a polled source again, from one task that takes every answer in: what is as it was need not be told anew.
    ///
    /// What takes long may hand on in `parts` what is known so far; the answer itself comes last and stands for all.
    async fn refresh(&self, source: &SourceId, _parts: &DeltaSink) -> Result<Delta, ApiError> {
        self.poll(source).await.map(Delta::Reset)
    }

    /// Follows a watched source until it ends; the first delta is a [`Delta::Reset`].
    ///
    /// Only called for sources of [`crate::model::snapshot::Mode::Watch`].
    async fn watch(&self, source: &SourceId, _sink: DeltaSink) -> Result<(), ApiError> {
        Err(ApiError::unsupported(format!("{source} cannot be watched")))
    }

    /// Kinds that only the server itself knows (custom resources), each with the stream that carries it.
    async fn learn(&self) -> Result<Vec<(KindSpec, SourceSpec)>, ApiError> {
        Ok(Vec::new())
    }

    /// Resolves an exact name to ids over a complete list; never fuzzy, never a prefix.
    ///
    /// More or less than one id is the caller's to refuse; an incomplete list is an error.
    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError>;

    /// Opens a view of a row (`describe`, or one of its kind's views) and keeps it fresh until it is dropped.
    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError>;

    /// What the credential may do.
    async fn rights(&self) -> Result<Rights, ApiError>;

    /// Learns whether writes are armed; true where its rights are to be asked for again because of it.
    ///
    /// A backend with a second credential for writes uses it for nothing before this.
    fn arm(&self, _armed: bool) -> bool {
        false
    }

    /// Looks at the instance from the outside in: reach, certificate, auth, version, rights, expiry.
    async fn doctor(&self) -> Diagnosis;

    /// The form of an operation with what this server offers filled in (groups, flows).
    ///
    /// The default is the form of the specification.
    async fn form(&self, op: &OpSpec, _targets: &[Target]) -> Result<Vec<Field>, ApiError> {
        Ok(op.form.clone())
    }

    /// The target as the server's own record has it now; called just before sending.
    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError>;

    /// Checks right, state, locks and budget before the confirmation; the default is that of a system that is only read.
    async fn preflight(&self, job: &Job) -> Result<Verdict, ApiError> {
        Ok(Verdict::refuse("operation", format!("{} is not known here", job.op)))
    }

    /// Sends the operation exactly once and follows the server's work to its end.
    async fn operate(&self, job: &Job, _progress: ProgressSink) -> Result<Receipt, SendError> {
        Err(SendError::NotSent(ApiError::unsupported(format!("{} is not known here", job.op)).fault))
    }

    /// Reads back whether the effect is there, after `operate`, or after a crash or time-out.
    ///
    /// `remote` is the server's id where it came to be known; `since` is when the run was sent.
    async fn verify(&self, job: &Job, _remote: Option<&str>, _since: Timestamp) -> Result<Proof, ApiError> {
        Ok(Proof::Absent(format!("{} is not known here", job.op)))
    }

    /// How long the next target of the same wish waits after this one was done; no time where nothing says so.
    fn pause_after(&self, _job: &Job) -> Duration {
        Duration::ZERO
    }

    /// What keeps the effect of a run alive that was proven at `since`; only asked for operations that say so.
    async fn upkeep(&self, job: &Job, _since: Timestamp) -> Result<Upkeep, ApiError> {
        Ok(Upkeep::Over(format!("{} is not kept alive", job.op)))
    }

    /// The address of a row in a browser, without anything secret in it; `None` where there is none.
    fn link(&self, _id: &EntityId) -> Option<String> {
        None
    }

    /// The command that opens a terminal on a row; `None` where there is none.
    fn terminal(&self, _id: &EntityId) -> Option<Vec<String>> {
        None
    }
}
