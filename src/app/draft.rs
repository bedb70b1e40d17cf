//! One operation on its way from wanting to sending: form, check, confirmation; asking and doing stay two steps.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::id::{EntityId, KindId};
use crate::model::op::{Args, Job, OpSpec, RunId, Target, Targets, Verdict};
use crate::model::row::Domain;

use super::gate::{self, Refusal};
use super::msg::DraftId;

/// The form field that names a thing that does not exist yet.
pub const NEW_NAME: &str = "name";

/// An operation being prepared.
#[derive(Debug, Clone)]
pub struct Draft {
    /// By which answers find it.
    pub id: DraftId,
    /// What is to be done.
    pub op: Arc<OpSpec>,
    /// On which instance.
    pub instance: Arc<str>,
    /// To what; for a new thing, filled in from the form.
    pub targets: Vec<Target>,
    /// The form's values.
    pub args: Args,
    /// What the checks said.
    pub verdicts: HashMap<EntityId, Verdict>,
}

/// How the checks ended.
#[derive(Debug)]
pub enum Judged {
    /// Some are still under way.
    Waiting,
    /// All allow it; the targets are frozen.
    Allowed,
    /// At least one does not.
    Refused(Refusal),
}

impl Draft {
    /// A draft on existing rows.
    pub fn on(id: DraftId, op: Arc<OpSpec>, instance: Arc<str>, targets: Vec<Target>) -> Self {
        Self { id, op, instance, targets, args: Args::new(), verdicts: HashMap::new() }
    }

    /// Takes the form's values; a new thing's name among them becomes the target.
    pub fn fill(&mut self, mut args: Args) {
        if let Targets::New { kind, .. } = &self.op.targets
            && let Some(name) = args.remove(NEW_NAME)
        {
            self.targets = vec![new_target(kind, &self.instance, &name)];
        }
        self.args = args;
        self.verdicts.clear();
    }

    /// One job per target; `ids` gives each its run.
    pub fn jobs(
        &self,
        operator: &Arc<str>,
        reason: Option<&str>,
        mut ids: impl FnMut() -> RunId,
    ) -> Vec<Job> {
        let job = |target: &Target| Job {
            run: ids(),
            op: Arc::from(&*self.op.name),
            target: target.clone(),
            args: self.args.clone(),
            reason: reason.map(str::to_owned),
            operator: operator.clone(),
        };
        self.targets.iter().map(job).collect()
    }

    /// Takes a check's answer in and judges once all are there.
    pub fn judge(&mut self, target: EntityId, verdict: Verdict) -> Judged {
        if self.targets.iter().any(|known| known.id == target) {
            self.verdicts.insert(target, verdict);
        }
        if self.verdicts.len() < self.targets.len() {
            return Judged::Waiting;
        }
        let mut frozen = Vec::with_capacity(self.targets.len());
        for target in &self.targets {
            let Some(verdict) = self.verdicts.get(&target.id) else { return Judged::Waiting };
            match gate::judge(&self.op, target, verdict) {
                Ok(target) => frozen.push((verdict.rank, target)),
                Err(refusal) => return Judged::Refused(refusal),
            }
        }
        frozen.sort_by_key(|(rank, _)| *rank);
        self.targets = frozen.into_iter().map(|(_, target)| target).collect();
        Judged::Allowed
    }
}

/// A thing that an operation will create.
pub fn new_target(kind: &KindId, instance: &Arc<str>, name: &str) -> Target {
    let name = name.trim();
    Target {
        id: EntityId::new(kind.clone(), instance.clone(), name),
        name: name.into(),
        identity: crate::model::id::Identity::new(),
        domain: Domain::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use crate::model::id::Identity;
    use crate::model::op::{Decision, Evidence, Tier};
    use crate::model::row::{Row, Tone};

    use super::*;

    fn draft(count: usize) -> Draft {
        let op = OpSpec::on("proxmox.guests", "proxmox.start", "start", Tier::T1, "Starts it.").bulk();
        let row = |n| {
            Row::new(EntityId::new("proxmox.guests", "pve", format!("qemu/{n}")), format!("vm-{n}"), vec![])
        };
        Draft::on(DraftId(1), Arc::new(op), "pve".into(), (0..count).map(|n| row(n).into()).collect())
    }

    fn verdict() -> Verdict {
        Verdict::allow("starts it", Identity::new().with("uuid", "4c4c"))
    }

    #[test]
    fn a_bulk_draft_waits_for_every_check_and_freezes_what_they_saw() {
        let mut draft = draft(2);
        let ids: Vec<_> = draft.targets.iter().map(|target| target.id.clone()).collect();
        assert!(matches!(draft.judge(ids[0].clone(), verdict()), Judged::Waiting));
        assert!(matches!(draft.judge(ids[1].clone(), verdict()), Judged::Allowed));
        assert!(draft.targets.iter().all(|target| target.identity.get("uuid") == Some("4c4c")));
    }

    #[test]
    fn targets_are_taken_in_the_order_of_their_ranks() {
        let mut draft = draft(3);
        let ids: Vec<_> = draft.targets.iter().map(|target| target.id.clone()).collect();
        for (id, rank) in ids.iter().zip([7, 7, -1]) {
            draft.judge(id.clone(), verdict().ranked(rank));
        }
        let names: Vec<&str> = draft.targets.iter().map(|target| &*target.name).collect();
        assert_eq!(names, ["vm-2", "vm-0", "vm-1"]);
    }

    #[test]
    fn one_refusal_stops_them_all() {
        let mut draft = draft(2);
        let ids: Vec<_> = draft.targets.iter().map(|target| target.id.clone()).collect();
        let against = verdict().and(Decision::Refuse, Evidence::new("lock", "backup", Tone::Error));
        draft.judge(ids[0].clone(), verdict());
        assert!(matches!(draft.judge(ids[1].clone(), against), Judged::Refused(_)));
    }

    #[test]
    fn an_answer_for_something_else_counts_for_nothing() {
        let mut draft = draft(1);
        let stranger = EntityId::new("proxmox.guests", "pve", "qemu/999");
        assert!(matches!(draft.judge(stranger, verdict()), Judged::Waiting));
    }

    #[test]
    fn a_new_thing_is_named_by_the_form() {
        let mut op = OpSpec::on("x", "authentik.invite", "invite", Tier::T1, "Invites.");
        op.targets = Targets::New { kind: "authentik.invitations".into(), what: "label".into() };
        let mut draft = Draft::on(DraftId(1), Arc::new(op), "main".into(), vec![]);
        draft.fill([("name".into(), " aunt ".into()), ("group".into(), "family".into())].into());
        assert_eq!(&*draft.targets[0].name, "aunt");
        assert_eq!(draft.args.len(), 1);
    }
}
