//! What must hold before anything is sent: the target is ours alone, settled, allowed, and still the same thing.

use std::sync::Arc;

use crate::app::gate;
use crate::backend::Backend;
use crate::model::id::Identity;
use crate::model::journal::OpenRun;
use crate::model::op::{Job, Target, Targets, Tier};

use super::super::around;
use super::super::call::{blocking, within};
use super::super::locks::Held;
use super::readback::Finding;
use super::{Door, Order, lock_error};

/// The right to send, held until the outcome is known.
pub(super) struct Pass {
    /// The target's lock.
    pub held: Held,
    /// The job with everything that is known of its target's identity.
    pub job: Job,
}

impl Door {
    pub(super) async fn admit(&self, order: Order<'_>) -> Result<Pass, String> {
        gate::admit(order.op, true, None, 1).map_err(|refusal| refusal.to_string())?;
        let (held, open) = self.hold(order).await?;
        if let Some(open) = open {
            return Err(self.look_back(order.backend, &open).await);
        }
        let target = self.judge(order).await?;
        let target = self.same_thing(order, target).await?;
        Ok(Pass { held, job: Job { target, ..order.job.clone() } })
    }

    /// Locks the target; what the journal says of it counts only under the lock.
    async fn hold(&self, order: Order<'_>) -> Result<(Held, Option<OpenRun>), String> {
        let (locks, journal, target) =
            (self.locks.clone(), self.journal.clone(), order.job.target.id.clone());
        let (op, run, operator) = (&order.op.name, &order.job.run, &order.job.operator);
        let claim = format!("{op} by {operator}, process {}, run {run}", std::process::id());
        let held = blocking(move || {
            let held = locks.take(&target.to_string(), &claim).map_err(lock_error)?;
            Ok((held, journal.read()?.open_on(&target)))
        });
        held.await.map_err(|error| error.to_string())
    }

    /// The operator decided without knowing what became of the earlier run: read it back, and let them decide again.
    async fn look_back(&self, backend: &dyn Backend, open: &OpenRun) -> String {
        let known = match self.settle_if_proven(backend, open).await {
            Finding::Seen(proof) => format!("now read back: done ({proof}); look again, then repeat"),
            Finding::Absent(why) => format!("now read back: not done ({why}); look again, then repeat"),
            Finding::Unclear { text, look } => format!("{text}; to look: {look}"),
        };
        format!("run {} of {} had no known outcome: {known}", open.line.run, open.line.at)
    }

    /// Rights, state and budget may have changed since the operator was asked, in a series by our own hand.
    async fn judge(&self, order: Order<'_>) -> Result<Target, String> {
        if order.op.tier == Tier::T0 {
            return Ok(order.job.target.clone());
        }
        let verdict = within(self.patience.check, order.backend.preflight(order.job)).await;
        let verdict = verdict.unwrap_or_else(|fault| gate::unanswered(&fault));
        let verdict =
            around::heard(order.around, order.op, &order.job.target, verdict, self.patience.check).await;
        gate::judge(order.op, &order.job.target, &verdict).map_err(|refusal| refusal.to_string())
    }

    async fn same_thing(&self, order: Order<'_>, target: Target) -> Result<Target, String> {
        if matches!(order.op.targets, Targets::New { .. }) {
            return Ok(target);
        }
        let now = within(self.patience.check, order.backend.identify(&target.id)).await;
        let now = now.map_err(|fault| format!("it could not be looked at just before sending: {fault}"))?;
        let conflicts = target.identity.conflicts(&now);
        if !conflicts.is_empty() {
            return Err(gate::differences(&conflicts));
        }
        if order.op.tier > Tier::T0 && !share_a_fact(&target.identity, &now) {
            return Err("nothing tells whether it is still the same thing".to_owned());
        }
        Ok(Target { identity: target.identity.joined(&now), name: Arc::clone(&target.name), ..target })
    }
}

/// Two identities that have nothing in common do not conflict, and prove nothing.
fn share_a_fact(frozen: &Identity, now: &Identity) -> bool {
    frozen.facts().any(|(fact, _)| now.get(fact).is_some())
}
