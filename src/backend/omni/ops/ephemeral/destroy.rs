//! `omni.ephemeral-destroy` and `omni.reap`.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::super::{Operation, step};
use super::{NOT_CONFIGURED, is_ours, origin};
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::headroom;
use crate::backend::omni::rows::clusters::{OWNER, expiry, identity};
use crate::backend::omni::wire::{Cluster, ClusterMachineStatus, Destroy as DestroyStatus, Link, Spec};
use crate::backend::omni::{Omni, edit};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};
use crate::model::time::{seconds_between, short};

/// How often a cluster that goes is looked at.
const PACE: Duration = if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(3) };
/// How long nothing may move before what blocks it is named, in seconds of the clock.
const STALLED: i64 = 120;
/// How many looks may fail one after the other before nobody can say.
const BLIND: u32 = 40;

/// Takes an ephemeral cluster down; a reap only what has outlived its time.
pub(in crate::backend::omni::ops) struct Destroy {
    /// Whether only leaks may go.
    pub reap: bool,
}

#[async_trait]
impl Operation for Destroy {
    fn name(&self) -> &'static str {
        if self.reap { "omni.reap" } else { "omni.ephemeral-destroy" }
    }

    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
        let (client, name) = (omni.client()?, &*job.target.id.key);
        let Some(ephemeral) = &omni.ephemeral else {
            return Ok(Verdict::refuse("ephemeral", NOT_CONFIGURED));
        };
        if !is_ours(ephemeral, name) {
            let says = format!(
                "{name} does not match {}*; other clusters are not destroyed from here",
                ephemeral.prefix
            );
            return Ok(Verdict::refuse("name", says));
        }
        let Some(cluster) = client.get::<Cluster>(name).await? else {
            return Ok(Verdict::refuse("cluster", format!("{name} does not exist any more")));
        };
        let meta = &cluster.metadata;
        let mut verdict =
            Verdict::allow(format!("Wipes all machines of {name} and removes the cluster"), identity(meta));
        verdict = verdict.and(
            Decision::Allow,
            Evidence::new("owner", meta.labels.get(OWNER).map_or("unknown", String::as_str), Tone::Text),
        );
        verdict = self.lifetime(verdict, expiry(meta), omni.clock.now());
        if meta.annotation("cluster-locked").is_some() {
            let says = format!("Omni refuses it: unlock first: vigie do omni.unlock {name}");
            verdict = verdict.and(Decision::Refuse, Evidence::new("lock", says, Tone::Error));
        }
        if job.arg("free") == "true" {
            let says = "machines that Omni cannot reach are forgotten without being wiped";
            verdict = verdict.and(Decision::Warn, Evidence::new("free", says, Tone::Warn));
        }
        let facts = origin(client, ephemeral, name).await?;
        Ok(facts.into_iter().fold(verdict, |verdict, (decision, evidence)| verdict.and(decision, evidence)))
    }

    async fn operate(&self, omni: &Omni, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        let (name, client) =
            (&*job.target.id.key, omni.client().map_err(|error| SendError::NotSent(error.fault))?);
        // Looked at again at the last moment: what was asked for may have changed while it was confirmed.
        let verdict = self.preflight(omni, job).await.map_err(|error| SendError::NotSent(error.fault))?;
        if verdict.decision >= Decision::Blind {
            let against = verdict.evidence.iter().find(|fact| fact.tone == Tone::Error);
            let says = against.map_or_else(String::new, |fact| format!("{}: {}", fact.what, fact.says));
            return Err(SendError::NotSent(Fault::new(Layer::App, says)));
        }
        edit::teardown(client, Cluster::TABLE, name).await?;
        follow(omni, client, job, &progress).await?;
        Ok(Receipt { remote: Some(name.to_owned()), said: format!("{name} is gone"), reveal: None })
    }

    async fn verify(&self, omni: &Omni, job: &Job, _: Option<&str>, _: Timestamp) -> Result<Proof, ApiError> {
        let (client, name) = (omni.client()?, &*job.target.id.key);
        if let Some(cluster) = client.get::<Cluster>(name).await? {
            let state = if cluster.metadata.tearing_down() {
                "is being destroyed"
            } else {
                "is there and not being destroyed"
            };
            let text = format!("{name} {state}");
            let look = format!("vigie get omni.clusters {name}");
            return Ok(if cluster.metadata.tearing_down() {
                Proof::Unclear(text, look)
            } else {
                Proof::Absent(text)
            });
        }
        let host = omni.ephemeral.as_ref().and_then(|ephemeral| ephemeral.host.as_deref());
        let Some(host) = host else {
            return Ok(Proof::Seen(format!(
                "{name} is gone; what it may have left behind was not looked at"
            )));
        };
        let left = headroom::leftovers(client, host, &format!("{name}-")).await?;
        Ok(if left.is_empty() {
            Proof::Seen(format!("{name} is gone, and no machine or claim of it is left on {host}"))
        } else {
            let text = format!("{name} is gone but left {} on {host}", left.join(", "));
            Proof::Unclear(text, format!("kubectl --context {host} get vmi,pvc -A"))
        })
    }
}

impl Destroy {
    fn lifetime(&self, verdict: Verdict, end: Option<Timestamp>, now: Timestamp) -> Verdict {
        let (decision, says, tone) = match end {
            Some(end) if end <= now => {
                (Decision::Allow, format!("expired {} ago", short(seconds_between(end, now))), Tone::Warn)
            }
            Some(end) if self.reap => (
                Decision::Refuse,
                format!("no leak: it lives for another {}", short(seconds_between(now, end))),
                Tone::Error,
            ),
            Some(end) => (
                Decision::Allow,
                format!("lives for another {}", short(seconds_between(now, end))),
                Tone::Text,
            ),
            None if self.reap => (
                Decision::Refuse,
                "it has no time to live, so nothing says that it is a leak".to_owned(),
                Tone::Error,
            ),
            None => (Decision::Allow, "no time to live".to_owned(), Tone::Text),
        };
        verdict.and(decision, Evidence::new("life", says, tone))
    }
}

/// The machines of a cluster that is going which Omni cannot reach and therefore cannot wipe.
async fn blockers(client: &Client, cluster: &str) -> Result<Vec<(String, String)>, ApiError> {
    let selected = Route::selected(format!("omni.sidero.dev/cluster={cluster},omni.sidero.dev/disconnected"));
    let (machines, _) = client.list::<ClusterMachineStatus>(&selected).await?;
    let named = machines.into_iter().map(|machine| {
        let name = machine.metadata.label("hostname").unwrap_or(&machine.metadata.id).to_owned();
        (machine.metadata.id.to_string(), name)
    });
    Ok(named.collect())
}

/// Follows the end of a cluster; frees what blocks it where that was asked for.
async fn follow(omni: &Omni, client: &Client, job: &Job, progress: &ProgressSink) -> Result<(), SendError> {
    let name = &*job.target.id.key;
    let (mut last, mut moved, mut blind) = (String::new(), omni.clock.now(), 0);
    loop {
        match look(client, name).await {
            Ok(None) => return Ok(()),
            Ok(Some(words)) => {
                blind = 0;
                if words != last {
                    (last, moved) = (words, omni.clock.now());
                }
            }
            Err(error) if blind >= BLIND => return Err(SendError::Unknown(error.fault)),
            Err(_) => blind += 1,
        }
        step(progress, None, last.as_str()).await;
        let blocked = blockers(client, name).await.unwrap_or_default();
        if job.arg("free") == "true" {
            free(client, &blocked, progress).await?;
        } else if !blocked.is_empty() && seconds_between(moved, omni.clock.now()) > STALLED {
            return Err(stalled(name, &blocked));
        }
        omni.pause(PACE).await;
    }
}

/// What the end of a cluster looks like now; `None` when it is over.
async fn look(client: &Client, name: &str) -> Result<Option<String>, ApiError> {
    if client.get::<Cluster>(name).await?.is_none() {
        return Ok(None);
    }
    let words = client.get::<DestroyStatus>(name).await?.map(|found| found.spec.phase);
    Ok(Some(words.filter(|words| !words.is_empty()).unwrap_or_else(|| "being destroyed".to_owned())))
}

/// Has Omni forget machines that it cannot reach.
async fn free(
    client: &Client,
    blocked: &[(String, String)],
    progress: &ProgressSink,
) -> Result<(), SendError> {
    for (uuid, name) in blocked {
        step(progress, None, format!("forgetting {name}, which cannot be reached")).await;
        match edit::teardown(client, Link::TABLE, uuid).await {
            Ok(_) => {}
            // Gone meanwhile.
            Err(SendError::Refused(fault)) if fault.status == Some(404) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn stalled(name: &str, blocked: &[(String, String)]) -> SendError {
    let names: Vec<&str> = blocked.iter().map(|(_, name)| name.as_str()).collect();
    let fault = Fault::new(
        Layer::App,
        format!("{name} waits for {}, which Omni cannot reach and so cannot wipe", names.join(", ")),
    );
    let cure = format!(
        "reconnect it, or have Omni forget it: vigie do omni.ephemeral-destroy {name} --set free=true"
    );
    SendError::Failed(fault.hint(cure))
}
