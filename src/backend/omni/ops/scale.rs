//! Scaling a machine set that a class fills.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Operation;
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::Omni;
use crate::backend::omni::edit;
use crate::backend::omni::rows::machinesets::identity;
use crate::backend::omni::wire::{MachineSet, Spec};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

/// `omni.scale`.
pub(super) struct Scale;

/// More machines at once than this are a typing error.
const MOST: i64 = 50;

fn count(job: &Job) -> Option<i64> {
    job.arg("count").trim().parse().ok().filter(|count| (0..=MOST).contains(count))
}

#[async_trait]
impl Operation for Scale {
    fn name(&self) -> &'static str {
        "omni.scale"
    }

    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
        let name = &job.target.name;
        let Some(count) = count(job) else {
            return Ok(Verdict::refuse(
                "count",
                format!("`{}` is no number from 0 to {MOST}", job.arg("count")),
            ));
        };
        let Some(set) = omni.client()?.get::<MachineSet>(&job.target.id.key).await? else {
            return Ok(Verdict::refuse("machine set", format!("{name} does not exist any more")));
        };
        let Some(allocation) = set.spec.allocation().filter(|allocation| allocation.allocation_type == 0)
        else {
            return Ok(Verdict::refuse(
                "class",
                "no class fills this set: its machines are chosen one by one",
            ));
        };
        let now = allocation.machine_count;
        if now == count {
            return Ok(Verdict::refuse("count", format!("it has {count} already")));
        }
        let effect = if count < now {
            format!("{name} goes from {now} to {count}: {} machines are wiped and removed", now - count)
        } else {
            format!("{name} goes from {now} to {count} machines of class {}", allocation.name)
        };
        let verdict = Verdict::allow(effect, identity(&set.metadata));
        if set.metadata.label("role-controlplane").is_none() {
            return Ok(verdict);
        }
        let plane = |decision, says: &str, tone| {
            verdict.clone().and(decision, Evidence::new("control plane", says, tone))
        };
        Ok(match (count, (count - now).abs()) {
            (count, _) if count % 2 == 0 => {
                plane(Decision::Refuse, "etcd wants an odd number of members", Tone::Error)
            }
            (_, step) if step > 2 => plane(Decision::Refuse, "change it by one pair at a time", Tone::Error),
            _ => {
                plane(Decision::Warn, "etcd changes its members one at a time; watch its health", Tone::Warn)
            }
        })
    }

    async fn operate(&self, omni: &Omni, job: &Job, _progress: ProgressSink) -> Result<Receipt, SendError> {
        let client = omni.client().map_err(|error| SendError::NotSent(error.fault))?;
        let not_sent = |what: &str| SendError::NotSent(Fault::new(Layer::App, what));
        let count = count(job).ok_or_else(|| not_sent("the count is no number"))?;
        let mut draft = edit::checkout(client, MachineSet::TABLE, &job.target.id.key, job, "version").await?;
        let field = ["machine_allocation", "machine_class"]
            .into_iter()
            .find(|field| draft.spec().contains_key(*field));
        let allocation = field.and_then(|field| draft.spec().get_mut(field)?.as_object_mut());
        let allocation = allocation.ok_or_else(|| not_sent("no class fills this set any more"))?;
        allocation.insert("machine_count".to_owned(), count.into());
        edit::update(client, &draft).await?;
        Ok(Receipt { said: format!("{count} machines wanted"), ..Receipt::default() })
    }

    async fn verify(&self, omni: &Omni, job: &Job, _: Option<&str>, _: Timestamp) -> Result<Proof, ApiError> {
        let set = omni.client()?.get::<MachineSet>(&job.target.id.key).await?;
        let wanted =
            set.as_ref().and_then(|set| set.spec.allocation()).map(|allocation| allocation.machine_count);
        let text = match wanted {
            Some(wanted) => format!("{} wants {wanted} machines", job.target.name),
            None => format!("{} wants no machines of a class", job.target.name),
        };
        Ok(if wanted.is_some() && wanted == count(job) { Proof::Seen(text) } else { Proof::Absent(text) })
    }
}
