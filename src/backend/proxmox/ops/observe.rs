//! A guest as it is in the moment before something is done to it, and what that means for every operation.

use crate::backend::error::ApiError;
use crate::backend::proxmox::guard::Finding;
use crate::backend::proxmox::guest::{Family, GuestConfig, GuestKey};
use crate::backend::proxmox::kinds::GUESTS;
use crate::backend::proxmox::rights::Permissions;
use crate::backend::proxmox::upid::Upid;
use crate::backend::proxmox::wire::Current;
use crate::backend::proxmox::{Proxmox, find, rows};
use crate::model::id::EntityId;
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::Layer;

/// A guest as it is in the moment before something is done to it.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) key: GuestKey,
    pub(super) node: String,
    pub(super) config: GuestConfig,
    pub(super) current: Current,
    pub(super) permissions: Permissions,
    /// What works on this node.
    pub(super) active: Vec<Upid>,
}

impl Observed {
    /// Its name and number, as people write them.
    pub(super) fn title(&self) -> String {
        format!("{} ({})", self.config.name().unwrap_or(self.key.family.short()), self.key.vmid)
    }

    /// What works on this guest.
    pub(super) fn busy(&self) -> Option<&Upid> {
        self.active.iter().find(|upid| upid.vmid() == Some(self.key.vmid))
    }

    /// Its lock, whichever answer knows it.
    pub(super) fn lock(&self) -> Option<&str> {
        self.current.lock.as_deref().or_else(|| self.config.text("lock")).filter(|lock| !lock.is_empty())
    }
}

impl Proxmox {
    /// Looks at a guest from all sides.
    pub(super) async fn observe(&self, target: &EntityId) -> Result<Observed, ApiError> {
        let key = guest_of(target)?;
        let (node, config) = self.locate(key).await?;
        let current = format!("{}/status/current", key.path(&node));
        let (current, permissions, active) =
            tokio::join!(self.client.get::<Current>(&current), self.permissions(), self.active(&node));
        let (current, permissions, active) = (current?, permissions?, active?);
        self.memory().saw(key.vmid, current.state());
        Ok(Observed { key, node, config, current, permissions, active })
    }
}

/// The guest that a row stands for.
pub(super) fn guest_of(target: &EntityId) -> Result<GuestKey, ApiError> {
    let wrong = || ApiError::new(Layer::App, format!("`{}` is no guest", target.key));
    GuestKey::of(target).filter(|_| target.kind.as_str() == GUESTS).ok_or_else(wrong)
}

/// The node on which the target was when it was frozen.
pub(super) fn frozen_node(job: &Job) -> Result<&str, ApiError> {
    let node = job.target.identity.get("node").and_then(find::safe);
    node.ok_or_else(|| ApiError::new(Layer::App, "the target's node is not known: refresh the list"))
}

/// What is true for every operation on a guest: the right, the lock, and who else works on it.
pub(super) fn common(seen: &Observed, privilege: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let path = seen.key.rights_path();
    if !seen.permissions.allows_one(&path, privilege) {
        let says = format!("the token lacks {privilege} on {path}");
        findings.push((Decision::Refuse, Evidence::new("right", says, Tone::Error)));
    }
    if seen.current.template == Some(true) || seen.config.flag("template") {
        findings.push((Decision::Refuse, Evidence::new("state", "it is a template", Tone::Error)));
    }
    if let Some(upid) = seen.busy() {
        let says = format!("{} by {} works on it: wait for its end", rows::task_title(&upid.kind), upid.user);
        findings.push((Decision::Refuse, Evidence::new("task", says, Tone::Error)));
    }
    findings.extend(locked(seen));
    findings
}

/// A lock refuses everything; one that no task stands behind has outlived its owner.
fn locked(seen: &Observed) -> Option<Finding> {
    let lock = seen.lock().filter(|lock| *lock != "suspended")?;
    // A backup of several guests names none of them in its id.
    let many = |upid: &&Upid| upid.vmid().is_none() && upid.kind == "vzdump" && lock == "backup";
    let sees_all = seen.permissions.allows(&format!("/nodes/{}", seen.node), "Sys.Audit");
    let says = match seen.busy().or_else(|| seen.active.iter().find(many)) {
        Some(upid) => format!("locked ({lock}) by the running task of {}", upid.user),
        None if !sees_all => format!("locked ({lock}); by whom cannot be seen without Sys.Audit"),
        None => {
            let tool = if seen.key.family == Family::Qemu { "qm" } else { "pct" };
            format!(
                "locked ({lock}), and no task stands behind it: a stale lock. vigie does not force it; on {} run \
                 `{tool} unlock {}`",
                seen.node, seen.key.vmid
            )
        }
    };
    Some((Decision::Refuse, Evidence::new("lock", says, Tone::Error)))
}

/// Tags that say that others depend on it.
pub(super) fn important(seen: &Observed) -> Option<Finding> {
    let tags = rows::tags(seen.config.text("tags").unwrap_or_default());
    let marked: Vec<&str> =
        tags.split(' ').filter(|tag| matches!(*tag, "prod" | "production" | "control-plane")).collect();
    let says = format!("tagged {}: what runs on it goes down with it", marked.join(", "));
    (!marked.is_empty()).then(|| (Decision::Warn, Evidence::new("tags", says, Tone::Warn)))
}

/// Puts a verdict together.
pub(super) fn verdict(effect: String, seen: &Observed, findings: Vec<Finding>) -> Verdict {
    let key = seen.key.to_string();
    let identity = rows::guest_identity(&key, &seen.node, seen.config.name(), seen.config.uuid().as_deref());
    let verdict = Verdict::allow(effect, identity);
    findings.into_iter().fold(verdict, |verdict, (decision, evidence)| verdict.and(decision, evidence))
}
