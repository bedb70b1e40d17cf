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
use crate::backend::omni::wire::{
    Cluster, ClusterMachineStatus, Destroy as DestroyStatus, MachineRequest, Metadata, Provider, Spec,
};
use crate::backend::omni::{Omni, edit};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};
use crate::model::time::{parse_duration, seconds_between, short};

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

    fn everywhere(&self) -> Option<&'static str> {
        Some("can_create_clusters")
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
        verdict = self.lifetime(verdict, meta, job.arg("ended").trim(), omni.clock.now());
        if meta.annotation("cluster-locked").is_some() {
            let says = format!("Omni refuses it: unlock first: vigie do omni.unlock {name}");
            verdict = verdict.and(Decision::Refuse, Evidence::new("lock", says, Tone::Error));
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
        let left = headroom::leftovers(client, host, &format!("{name}-")).await?.words();
        Ok(if left.is_empty() {
            Proof::Seen(format!("{name} is gone, and no machine or claim of it is left on {host}"))
        } else {
            let text = format!("{name} is gone but left {} on {host}", left.join(", "));
            Proof::Unclear(text, format!("kubectl --context {host} get vmi,pvc -A"))
        })
    }
}

impl Destroy {
    /// What speaks for its end: its time is over, or whoever it was made for is.
    fn lifetime(&self, verdict: Verdict, meta: &Metadata, ended: &str, now: Timestamp) -> Verdict {
        let owner = meta.labels.get(OWNER).map_or("", String::as_str);
        let left = expiry(meta).map(|end| seconds_between(now, end));
        let (decision, says, tone) = match left {
            Some(left) if left <= 0 => (Decision::Allow, format!("expired {} ago", short(left)), Tone::Warn),
            _ if self.reap && !ended.is_empty() && ended == owner => {
                (Decision::Allow, format!("{owner} has ended"), Tone::Warn)
            }
            _ if self.reap && !ended.is_empty() => (
                Decision::Refuse,
                format!("no leak: it belongs to {owner:?} and not to {ended:?}"),
                Tone::Error,
            ),
            Some(left) if self.reap => {
                (Decision::Refuse, format!("no leak: it lives for another {}", short(left)), Tone::Error)
            }
            None if self.reap => {
                let says = "it has no time to live, so nothing says that it is a leak";
                (Decision::Refuse, says.to_owned(), Tone::Error)
            }
            Some(left) => (Decision::Allow, format!("lives for another {}", short(left)), Tone::Text),
            None => (Decision::Allow, "no time to live".to_owned(), Tone::Text),
        };
        verdict.and(decision, Evidence::new("life", says, tone))
    }
}

/// What holds the end of a cluster up, and what to do about it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Blocked {
    /// Machines that Omni cannot reach and therefore cannot wipe.
    machines: Vec<String>,
    /// Requests whose provider is not there to take its machines back.
    orphans: Vec<String>,
}

impl Blocked {
    fn is_empty(&self) -> bool {
        self.machines.is_empty() && self.orphans.is_empty()
    }

    /// What it waits for, in words.
    fn words(&self) -> String {
        let machines = (!self.machines.is_empty())
            .then(|| format!("{}, which Omni cannot reach and so cannot wipe", self.machines.join(", ")));
        let orphans = (!self.orphans.is_empty())
            .then(|| format!("{}, whose provider is not connected", self.orphans.join(", ")));
        machines.into_iter().chain(orphans).collect::<Vec<_>>().join("; and ")
    }

    /// The way out.
    fn cure(&self) -> String {
        let free = self.machines.iter().map(|name| format!("vigie do omni.free {name}"));
        let free: Vec<String> = free.collect();
        match free.as_slice() {
            [] => "bring the provider back".to_owned(),
            free => format!("reconnect it, or have Omni forget it: {}", free.join(", ")),
        }
    }
}

async fn blockers(client: &Client, cluster: &str) -> Result<Blocked, ApiError> {
    let selected = Route::selected(format!("omni.sidero.dev/cluster={cluster},omni.sidero.dev/disconnected"));
    let (machines, _) = client.list::<ClusterMachineStatus>(&selected).await?;
    let named = |meta: &Metadata| meta.label("hostname").unwrap_or(&meta.id).to_owned();
    let machines = machines.iter().map(|machine| named(&machine.metadata)).collect();
    let (requests, _) = client.list::<MachineRequest>(&Route::omni()).await?;
    let begin = format!("{cluster}-");
    let going = requests.into_iter().map(|request| request.metadata);
    let going = going.filter(|meta| meta.tearing_down() && meta.id.starts_with(&begin));
    let mut orphans = Vec::new();
    for meta in going {
        let provider = meta.label("infra-provider-id").unwrap_or_default();
        let health = client.get::<Provider>(provider).await?.map(|found| found.spec.health);
        if !health.is_some_and(|health| health.connected) {
            orphans.push(meta.id.to_string());
        }
    }
    Ok(Blocked { machines, orphans })
}

/// Follows the end of a cluster; what holds it up is named, and waited for as long as the operator said.
async fn follow(omni: &Omni, client: &Client, job: &Job, progress: &ProgressSink) -> Result<(), SendError> {
    let name = &*job.target.id.key;
    let patience = parse_duration(job.arg("wait")).map_or(STALLED, |wait| wait.as_secs().max(STALLED));
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
        let still = seconds_between(moved, omni.clock.now());
        let blocked = if still > STALLED {
            blockers(client, name).await.unwrap_or_default()
        } else {
            Blocked::default()
        };
        if blocked.is_empty() {
            step(progress, None, last.as_str()).await;
        } else if still > patience {
            return Err(stalled(name, &blocked));
        } else {
            step(progress, None, format!("waits for {}; {}", blocked.words(), blocked.cure())).await;
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

fn stalled(name: &str, blocked: &Blocked) -> SendError {
    let fault = Fault::new(Layer::App, format!("{name} waits for {}", blocked.words()));
    SendError::Failed(fault.hint(blocked.cure()))
}
