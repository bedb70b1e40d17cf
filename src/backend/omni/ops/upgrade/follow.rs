//! Following an upgrade: machine by machine to its end, then watching that the cluster stays well.

use std::time::Duration;

use jiff::SignedDuration;

use super::super::step;
use super::{DONE, FAILED, Upgrade};
use crate::backend::ProgressSink;
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::Omni;
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::headroom::{self, Readiness};
use crate::backend::omni::wire::{ClusterMachineStatus, ClusterStatus, Stage};
use crate::model::op::Job;
use crate::model::snapshot::{Fault, Layer};
use crate::model::time::{parse_duration, seconds_between, short};

/// How often an upgrade under way is looked at.
const PACE: Duration = if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(3) };
/// How long a cluster may take to be ready after the last restart, in seconds.
const SETTLE: i64 = 15 * 60;
/// How many looks may fail one after the other before nobody can say.
const BLIND: u32 = 40;

impl Upgrade {
    /// Follows the upgrade to its end: of all machines, or of all that no lock holds back.
    pub(super) async fn follow(
        self,
        omni: &Omni,
        client: &Client,
        job: &Job,
        progress: &ProgressSink,
    ) -> Result<(), SendError> {
        let (name, wanted) = (&*job.target.id.key, job.arg("version").trim());
        let mut blind = 0;
        loop {
            match self.status(client, name).await {
                Ok(status) if status.phase == DONE && status.last_upgrade_version == wanted => return Ok(()),
                Ok(status) if status.phase == FAILED => {
                    let fault = Fault::new(Layer::App, "the upgrade failed").raw(status.error);
                    let back = format!("go back: {}", self.way_back(name, &status.last_upgrade_version));
                    return Err(SendError::Failed(fault.hint(back)));
                }
                Ok(status) => {
                    blind = 0;
                    let (moving, held) = members(client, name, wanted).await.unwrap_or_default();
                    if held == Some(Held::All) {
                        return Ok(());
                    }
                    let words = [status.step, status.status, moving];
                    let words: Vec<&str> =
                        words.iter().map(|word| word.trim()).filter(|word| !word.is_empty()).collect();
                    step(progress, None, words.join(" · ")).await;
                }
                Err(error) if blind >= BLIND => return Err(SendError::Unknown(error.fault)),
                Err(_) => blind += 1,
            }
            omni.pause(PACE).await;
        }
    }

    /// Waits for the cluster to be ready after the last restart, then watches that it stays so.
    pub(super) async fn soak(
        self,
        omni: &Omni,
        client: &Client,
        job: &Job,
        progress: &ProgressSink,
    ) -> Result<(), SendError> {
        let soak = parse_duration(job.arg("soak")).unwrap_or(SignedDuration::ZERO);
        let done = omni.clock.now();
        let mut ready_since = None;
        loop {
            let now = omni.clock.now();
            let status = client.get::<ClusterStatus>(&job.target.id.key).await;
            let ready = status.map(|found| found.is_some_and(|found| found.spec.ready));
            match (ready, ready_since) {
                (Ok(true), None) => ready_since = Some(now),
                (Ok(true), Some(since)) if now >= since + soak => return Ok(()),
                (Ok(true), Some(since)) => {
                    let left = short(seconds_between(now, since + soak));
                    step(progress, None, format!("done; watched for another {left}")).await;
                }
                (Ok(false), Some(_)) => return Err(self.relapsed("was ready and is not any more")),
                (Ok(false), None) if seconds_between(done, now) > SETTLE => {
                    return Err(self.relapsed("is still not ready"));
                }
                (Ok(false), None) => step(progress, None, "done; not ready yet").await,
                (Err(_), _) => step(progress, None, "done; Omni does not answer").await,
            }
            omni.pause(PACE).await;
        }
    }

    /// What an upgrade may leave behind on the nodes, in words; an error where a node is not ready.
    pub(super) async fn aftermath(self, client: &Client, cluster: &str) -> Result<String, SendError> {
        let Ok(nodes) = headroom::readiness(client, cluster).await else {
            return Ok("its nodes were not looked at".to_owned());
        };
        let named = |is: fn(&Readiness) -> bool| -> Vec<&str> {
            nodes.iter().filter(|node| is(node)).map(|node| node.name.as_str()).collect()
        };
        let (down, cordoned) = (named(|node| !node.ready), named(|node| node.cordoned));
        match (down.as_slice(), cordoned.as_slice()) {
            ([], []) => Ok(format!("{} nodes ready", nodes.len())),
            ([], cordoned) => Ok(format!("left cordoned: {}", cordoned.join(", "))),
            (down, _) => Err(self.relapsed(&format!("has nodes that are not ready: {}", down.join(", ")))),
        }
    }

    fn relapsed(self, how: &str) -> SendError {
        let what = format!("{} was upgraded, and the cluster {how}", self.word());
        SendError::Failed(Fault::new(Layer::App, what))
    }
}

/// What locks hold back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Every machine that has not arrived yet.
    All,
    /// Some of them at most.
    Some,
}

/// Which machine moves now, control planes before workers, and whether only locked ones are left.
async fn members(client: &Client, cluster: &str, wanted: &str) -> Result<(String, Option<Held>), ApiError> {
    let selected = Route::selected(format!("omni.sidero.dev/cluster={cluster}"));
    let (members, whole) = client.list::<ClusterMachineStatus>(&selected).await?;
    let planes = members.iter().filter(|member| member.metadata.label("role-controlplane").is_some()).count();
    let moving = members.iter().filter(|member| member.spec.stage != Stage::RUNNING);
    let words: Vec<String> = moving
        .map(|member| {
            let role = if member.metadata.label("role-controlplane").is_some() {
                format!("control plane of {planes}")
            } else {
                "worker".to_owned()
            };
            let name = member.metadata.label("hostname").unwrap_or(&member.metadata.id);
            format!("{role} {name} {}", Stage(member.spec.stage).word())
        })
        .collect();
    let locked = members.iter().filter(|member| member.metadata.annotation("locked").is_some()).count();
    if locked == 0 || !whole || !words.is_empty() {
        return Ok((words.join(", "), None));
    }
    let Some(behind) = super::hold::behind(client, cluster, wanted).await? else {
        return Ok((String::new(), None));
    };
    let held = members.iter().filter(|member| member.metadata.annotation("locked").is_some());
    let held: Vec<&str> = held.map(|member| &*member.metadata.id).collect();
    let all = behind.iter().all(|id| held.contains(&id.as_str()));
    Ok((String::new(), Some(if all { Held::All } else { Held::Some })))
}
