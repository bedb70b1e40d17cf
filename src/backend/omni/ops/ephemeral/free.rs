//! `omni.free`: what Omni cannot reach it cannot wipe, and a cluster that waits for it would wait for ever.
//!
//! One machine at a time, named, and only out of an ephemeral cluster that is going already: nothing is ever forgotten
//! in passing, and no machine that somebody could want back.

use async_trait::async_trait;
use jiff::Timestamp;

use super::super::{Operation, not_yet};
use super::{NOT_CONFIGURED, is_ours, origin};
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::rows::machines::identity;
use crate::backend::omni::wire::{Cluster, Link, MachineStatus, Spec};
use crate::backend::omni::{Omni, edit};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::time::{seconds_between, short};

/// Has Omni forget one machine that it cannot reach.
pub(in crate::backend::omni::ops) struct Free;

#[async_trait]
impl Operation for Free {
    fn name(&self) -> &'static str {
        "omni.free"
    }

    fn everywhere(&self) -> Option<&'static str> {
        Some("can_remove_machines")
    }

    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
        let (client, id, name) = (omni.client()?, &*job.target.id.key, &job.target.name);
        let Some(ephemeral) = &omni.ephemeral else {
            return Ok(Verdict::refuse("ephemeral", NOT_CONFIGURED));
        };
        let Some(machine) = client.get::<MachineStatus>(id).await? else {
            return Ok(Verdict::refuse("machine", format!("{name} is not in Omni any more")));
        };
        if machine.spec.connected {
            let says = "Omni reaches it, so it wipes it by itself; nothing has to be forgotten";
            return Ok(Verdict::refuse("machine", says));
        }
        let cluster = machine.spec.cluster.as_str();
        if !is_ours(ephemeral, cluster) {
            let says = format!("only machines of {}* clusters are forgotten from here", ephemeral.prefix);
            return Ok(Verdict::refuse("cluster", says));
        }
        let going = client.get::<Cluster>(cluster).await?.is_some_and(|found| found.metadata.tearing_down());
        if !going {
            let says = format!("{cluster} is not being destroyed, so nothing waits for its machines");
            return Ok(Verdict::refuse("cluster", says));
        }
        let effect = format!("Omni forgets {name} without wiping it; {cluster} then goes on going");
        let gone = machine
            .metadata
            .updated
            .map_or_else(String::new, |at| format!(" for {}", short(seconds_between(at, omni.clock.now()))));
        let reach = Evidence::new("machine", format!("not connected{gone}"), Tone::Warn);
        let rest =
            Evidence::new("its disk", "keeps what is on it; its provider removes it or nobody", Tone::Warn);
        let verdict = Verdict::allow(effect, identity(&machine)).and(Decision::Allow, reach);
        let facts = origin(client, ephemeral, cluster).await?;
        let verdict = verdict.and(Decision::Warn, rest);
        let against = facts.into_iter().filter(|(decision, _)| *decision > Decision::Warn);
        Ok(against.fold(verdict, |verdict, (decision, evidence)| verdict.and(decision, evidence)))
    }

    async fn operate(&self, omni: &Omni, job: &Job, _progress: ProgressSink) -> Result<Receipt, SendError> {
        let client = omni.client().map_err(|error| SendError::NotSent(error.fault))?;
        edit::teardown(client, Link::TABLE, &job.target.id.key).await?;
        Ok(Receipt { said: "accepted".to_owned(), ..Receipt::default() })
    }

    async fn verify(
        &self,
        omni: &Omni,
        job: &Job,
        _: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        let name = &job.target.name;
        Ok(match omni.client()?.get::<MachineStatus>(&job.target.id.key).await? {
            None => Proof::Seen(format!("Omni does not know {name} any more")),
            Some(machine) if machine.spec.connected => {
                Proof::Absent(format!("{name} is there, and connected again"))
            }
            Some(_) => {
                let look = format!("vigie get omni.machines {name}");
                not_yet(omni, since, format!("Omni still knows {name}"), look)
            }
        })
    }
}
