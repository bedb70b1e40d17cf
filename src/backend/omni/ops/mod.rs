//! Operations: one file per intent, each with its check, its one sending and its reading back.

mod backup;
mod bundle;
mod download;
mod ephemeral;
mod kubeconfig;
mod labels;
mod lock;
mod merge;
mod patch;
mod power;
mod scale;
mod talosconfig;
mod upgrade;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Omni;
use super::client::{Client, Route};
use super::key::ServiceKey;
use super::kinds::{CLUSTERS, MACHINES};
use super::wire::{Cluster, ClusterPermissions, Permissions, Resource, Role, Spec};
use crate::backend::error::{ApiError, SendError};
use crate::backend::{Progress, ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Field, Job, Rights, Verdict};
use crate::model::row::Tone;
use crate::model::time::seconds_between;

/// A fact and how it bears on the decision.
type Fact = (Decision, Evidence);

/// What is not to be seen after so many seconds was never taken on.
const LATE: i64 = 600;
/// Of so many clusters it is looked whether a policy raises the role on one of them.
const CLUSTERS_ASKED: usize = 50;

/// One operation.
#[async_trait]
pub(super) trait Operation: Send + Sync {
    /// Its full name.
    fn name(&self) -> &'static str;

    /// The role that it needs.
    fn role(&self) -> Role {
        Role::Operator
    }

    /// The field of `ClusterPermissions` that stands for it, where there is one.
    fn permission(&self) -> Option<&'static str> {
        None
    }

    /// The field of `Permissions` that stands for it, where there is one.
    fn everywhere(&self) -> Option<&'static str> {
        None
    }

    /// Looks before anything is sent.
    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError>;

    /// Sends it once and follows it to its end.
    async fn operate(&self, omni: &Omni, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError>;

    /// Reads back.
    async fn verify(
        &self,
        omni: &Omni,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError>;

    /// Fills what this server and target offer into the form.
    async fn form(&self, _omni: &Omni, _target: &str, form: Vec<Field>) -> Result<Vec<Field>, ApiError> {
        Ok(form)
    }
}

static OPERATIONS: &[&dyn Operation] = &[
    &download::File(kubeconfig::Kubeconfig),
    &download::File(talosconfig::Talosconfig),
    &upgrade::Upgrade::Talos,
    &upgrade::Upgrade::Kubernetes,
    &lock::Lock { set: true },
    &lock::Lock { set: false },
    &power::Power::Reboot,
    &power::Power::On,
    &power::Power::Off,
    &scale::Scale,
    &labels::SetLabels,
    &backup::EtcdBackupNow,
    &download::File(bundle::SupportBundle),
    &patch::Patch,
    &ephemeral::Create,
    &ephemeral::Destroy { reap: false },
    &ephemeral::Destroy { reap: true },
    &ephemeral::Free,
];

/// All operations.
pub(super) fn all() -> impl Iterator<Item = &'static dyn Operation> {
    OPERATIONS.iter().copied()
}

/// An operation by its full name.
pub(super) fn named(name: &str) -> Result<&'static dyn Operation, ApiError> {
    all()
        .find(|op| op.name() == name)
        .ok_or_else(|| ApiError::unsupported(format!("Omni has no operation `{name}`")))
}

/// The operation's own check, joined with that of the role.
pub(super) async fn preflight(omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
    let op = named(&job.op)?;
    let verdict = op.preflight(omni, job).await?;
    Ok(match lacks(omni, op, job).await? {
        Some(says) => verdict.and(Decision::Refuse, Evidence::new("role", says, Tone::Error)),
        None => verdict,
    })
}

/// What the account that writes lacks for an operation; an access policy may raise its role on one cluster.
async fn lacks(omni: &Omni, op: &dyn Operation, job: &Job) -> Result<Option<String>, ApiError> {
    let client = omni.client()?;
    let (key, needed) = (client.writer(), op.role());
    let role = omni.role(key).await?;
    let refused = |lacking: &str| {
        let why = if role == Role::Reader && client.has_operator() {
            "; a suspended account or Omni is a Reader whatever its role"
        } else {
            ""
        };
        Some(format!("{} is {role}{lacking}; this needs {needed}{why}", key.name))
    };
    if let Some(permission) = op.everywhere() {
        let may = permissions(client, key).await?.is_none_or(|found| found.grants(permission));
        return Ok(if may && role >= needed { None } else { refused(&format!(" and lacks {permission}")) });
    }
    if role >= needed {
        return Ok(None);
    }
    let Some(permission) = op.permission() else { return Ok(refused("")) };
    let permissions = told(client.get_as::<ClusterPermissions>(cluster_of(job), key).await)?;
    let may = permissions.is_some_and(|found| found.grants(permission));
    Ok(if may { None } else { refused(&format!(" and lacks {permission}")) })
}

/// What an account may do anywhere; `None` where Omni does not say.
async fn permissions(client: &Client, key: &ServiceKey) -> Result<Option<Permissions>, ApiError> {
    told(client.get_as::<Permissions>("permissions", key).await)
}

/// What Omni says of permissions; `None` where it has nothing to say or, being older, does not know the question.
fn told<S: Spec>(answer: Result<Option<Resource<S>>, ApiError>) -> Result<Option<S>, ApiError> {
    match answer {
        Ok(found) => Ok(found.map(|found| found.spec)),
        Err(error) if matches!(error.fault.status, Some(400 | 403 | 404 | 501)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What an account may not do on any cluster, with the role that it takes; unclear where a policy may raise its role
/// and Omni does not tell.
pub(super) async fn rights(omni: &Omni, key: &ServiceKey) -> Result<Rights, ApiError> {
    let client = omni.client()?;
    let role = omni.role(key).await?;
    let everywhere = permissions(client, key).await?;
    let denied = |op: &&dyn Operation| match (op.everywhere(), &everywhere) {
        (Some(permission), Some(found)) => !found.grants(permission) || role < op.role(),
        _ => role < op.role(),
    };
    let denied: Vec<&dyn Operation> = all().filter(denied).collect();
    let asked = denied.iter().any(|op| op.permission().is_some());
    let raised = if asked { raised(client, key).await? } else { Raised { known: Vec::new(), whole: true } };
    let mut rights = Rights::default();
    for op in denied {
        let granted = |permission| raised.known.iter().any(|known| known.grants(permission));
        let (name, told) = match (op.permission(), op.everywhere()) {
            (Some(permission), _) if granted(permission) => continue,
            (Some(_), _) => (op.name(), raised.whole),
            (None, Some(_)) => (op.name(), everywhere.is_some()),
            (None, None) => (op.name(), true),
        };
        if told {
            rights.missing.insert(name.to_owned(), op.role().to_string());
        } else {
            rights.unknown.push(name.to_owned());
        }
    }
    Ok(rights)
}

/// What policies grant beyond the role.
struct Raised {
    known: Vec<ClusterPermissions>,
    /// Whether that was told of every cluster.
    whole: bool,
}

/// Asks cluster by cluster.
async fn raised(client: &Client, key: &ServiceKey) -> Result<Raised, ApiError> {
    let (clusters, complete) = client.list::<Cluster>(&Route::omni()).await?;
    let mut raised = Raised { known: Vec::new(), whole: complete && clusters.len() <= CLUSTERS_ASKED };
    for cluster in clusters.iter().take(CLUSTERS_ASKED) {
        match told(client.get_as::<ClusterPermissions>(&cluster.metadata.id, key).await)? {
            Some(found) => raised.known.push(found),
            None => raised.whole = false,
        }
    }
    Ok(raised)
}

/// What an account above a Reader would have to be asked for, and is not while writes are not armed.
pub(super) fn unasked() -> Rights {
    let unknown = all().filter(|op| op.role() > Role::Reader).map(|op| op.name().to_owned()).collect();
    Rights { unknown, ..Rights::default() }
}

/// The cluster that a job is about.
fn cluster_of(job: &Job) -> &str {
    match job.target.id.kind.as_str() {
        CLUSTERS => &job.target.id.key,
        MACHINES => job.target.identity.get("cluster").unwrap_or_default(),
        _ => "",
    }
}

/// The proof of an effect that is not to be seen: it may still come for a while.
fn not_yet(omni: &Omni, since: Timestamp, text: String, look: String) -> Proof {
    let late = seconds_between(since, omni.clock.now()) >= LATE;
    if late { Proof::Absent(text) } else { Proof::Unclear(text, look) }
}

/// Tells how far it is; nobody has to listen.
async fn step(progress: &ProgressSink, fraction: Option<f32>, note: impl Into<String>) {
    let _ = progress.send(Progress::Step { fraction, note: note.into() }).await;
}
