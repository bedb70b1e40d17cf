//! Reboot, power off and power on of a machine.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use super::{Operation, cluster_of, not_yet};
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::Omni;
use crate::backend::omni::client::Route;
use crate::backend::omni::lenient::messages;
use crate::backend::omni::rows::machines::{identity, role};
use crate::backend::omni::wire::{ClusterMachineStatus, MachineStatus, Stage};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

/// `omni.reboot`, `omni.power-off` and `omni.power-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    /// Through Talos.
    Reboot,
    /// Through Talos.
    Off,
    /// Only where a static infrastructure provider runs the machine.
    On,
}

messages! {
    /// The answer of a Talos node, which fails with HTTP 200.
    Answers { messages: Vec<Answer>, }

    /// One node's answer.
    Answer { metadata: AnswerMetadata, actor_id: String, }

    /// Where its error is.
    AnswerMetadata { error: String, }
}

#[async_trait]
impl Operation for Power {
    fn name(&self) -> &'static str {
        match self {
            Self::Reboot => "omni.reboot",
            Self::Off => "omni.power-off",
            Self::On => "omni.power-on",
        }
    }

    fn permission(&self) -> Option<&'static str> {
        (*self == Self::Reboot).then_some("can_reboot_machines")
    }

    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
        let (client, id, name) = (omni.client()?, &*job.target.id.key, &job.target.name);
        let Some(machine) = client.get::<MachineStatus>(id).await? else {
            return Ok(Verdict::refuse("machine", format!("{name} is not in Omni any more")));
        };
        let spec = &machine.spec;
        if *self == Self::On {
            return Ok(on(spec.connected, Verdict::allow(format!("Powers {name} on"), identity(&machine))));
        }
        if !spec.connected {
            return Ok(Verdict::refuse("machine", "Omni has no connection to it"));
        }
        if *self == Self::Reboot && spec.cluster.is_empty() {
            return Ok(Verdict::refuse("cluster", "only machines of a cluster are rebooted through Talos"));
        }
        let verb = if *self == Self::Reboot { "Reboots" } else { "Shuts down" };
        let verdict = Verdict::allow(format!("{verb} {name} and everything on it"), identity(&machine));
        if role(&machine) != "control-plane" {
            return Ok(verdict);
        }
        let route = Route::selected(format!(
            "omni.sidero.dev/cluster={},omni.sidero.dev/role-controlplane",
            spec.cluster
        ));
        let (planes, _) = client.list::<ClusterMachineStatus>(&route).await?;
        let others = planes.iter().filter(|plane| &*plane.metadata.id != id && plane.spec.ready).count();
        let says = match others {
            0 => format!("the only ready control plane of {}: its API goes away", spec.cluster),
            n => format!("{n} other control planes of {} are ready", spec.cluster),
        };
        let tone = if others == 0 { Tone::Warn } else { Tone::Text };
        let decision = if others == 0 { Decision::Warn } else { Decision::Allow };
        Ok(verdict.and(decision, Evidence::new("control plane", says, tone)))
    }

    async fn operate(&self, omni: &Omni, job: &Job, _progress: ProgressSink) -> Result<Receipt, SendError> {
        let client = omni.client().map_err(|error| SendError::NotSent(error.fault))?;
        let id = &*job.target.id.key;
        let patience = Some(Duration::from_secs(60));
        let (method, route, body) = match self {
            Self::Reboot => {
                let mode = match job.arg("mode") {
                    "powercycle" => 1,
                    "force" => 2,
                    _ => 0,
                };
                let body = if mode == 0 { json!({}) } else { json!({"mode": mode}) };
                ("/machine.MachineService/Reboot", Route::talos(cluster_of(job), id), body)
            }
            Self::Off => {
                ("/management.ManagementService/MachinePowerOff", Route::default(), json!({"machine_id": id}))
            }
            Self::On => {
                ("/management.ManagementService/MachinePowerOn", Route::default(), json!({"machine_id": id}))
            }
        };
        let reply = client.send(method, &route, body, patience).await?;
        let answers: Answers = reply.json().unwrap_or_default();
        if let Some(error) =
            answers.messages.iter().map(|answer| &answer.metadata.error).find(|e| !e.is_empty())
        {
            let fault = Fault::new(Layer::App, "the node refused it").raw(error.as_str());
            return Err(SendError::Failed(fault));
        }
        let remote =
            answers.messages.into_iter().map(|answer| answer.actor_id).find(|actor| !actor.is_empty());
        Ok(Receipt { remote, said: "accepted by the node".to_owned(), reveal: None })
    }

    async fn verify(
        &self,
        omni: &Omni,
        job: &Job,
        _: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        let (client, id) = (omni.client()?, &*job.target.id.key);
        let machine = client.get::<MachineStatus>(id).await?.map(|found| found.spec);
        let member = client.get::<ClusterMachineStatus>(id).await?;
        let stage = member.as_ref().map_or(0, |member| member.spec.stage);
        let connected = machine.as_ref().is_some_and(|machine| machine.connected);
        let changed = member.as_ref().and_then(|member| member.metadata.updated);
        let since_then = changed.is_some_and(|at| at.as_second() >= since.as_second());
        let text = format!(
            "{} is {}{}",
            job.target.name,
            Stage(stage).word(),
            if connected { "" } else { ", disconnected" }
        );
        let seen = match self {
            Self::Reboot => {
                since_then && (stage == Stage::REBOOTING || !connected || stage == Stage::RUNNING)
            }
            Self::Off => stage == Stage::POWERED_OFF || stage == Stage::SHUTTING_DOWN || !connected,
            Self::On => connected || stage == Stage::POWERING_ON,
        };
        let look = format!("vigie get omni.machines {}", job.target.name);
        Ok(if seen { Proof::Seen(text) } else { not_yet(omni, since, text, look) })
    }
}

/// Powering on.
fn on(connected: bool, verdict: Verdict) -> Verdict {
    if connected {
        return Verdict::refuse("machine", "it is on already");
    }
    let says =
        "works only where a static infrastructure provider runs the machine; Omni refuses it otherwise";
    verdict.and(Decision::Allow, Evidence::new("provider", says, Tone::Info))
}
