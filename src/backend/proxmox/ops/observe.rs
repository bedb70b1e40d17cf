//! A guest as it is in the moment before something is done to it, and what that means for every operation.

use crate::backend::error::ApiError;
use crate::backend::proxmox::guard::Finding;
use crate::backend::proxmox::guest::{Family, GuestConfig, GuestKey};
use crate::backend::proxmox::kinds::{GUESTS, SNAPSHOTS};
use crate::backend::proxmox::rights::Permissions;
use crate::backend::proxmox::upid::Upid;
use crate::backend::proxmox::wire::{Current, Task};
use crate::backend::proxmox::{Proxmox, find, rows};
use crate::model::id::{EntityId, Identity};
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
    /// The last task that takes such a lock as it has, where none works on it.
    left_by: Option<Upid>,
}

impl Observed {
    /// Its name and number, as people write them.
    pub(super) fn title(&self) -> String {
        format!("{} ({})", self.config.name().unwrap_or(self.key.family.short()), self.key.vmid)
    }

    /// What makes it this guest.
    pub(super) fn identity(&self) -> Identity {
        let key = self.key.to_string();
        rows::guest_identity(&key, &self.node, self.config.name(), self.config.uuid().as_deref())
    }

    /// What works on this guest.
    pub(super) fn busy(&self) -> Option<&Upid> {
        self.active.iter().find(|upid| upid.vmid() == Some(self.key.vmid))
    }

    /// Whether it is a template.
    pub(super) fn is_template(&self) -> bool {
        self.current.template == Some(true) || self.config.flag("template")
    }

    /// Its lock, whichever answer knows it.
    pub(super) fn lock(&self) -> Option<&str> {
        self.current.lock.as_deref().or_else(|| self.config.text("lock")).filter(|lock| !lock.is_empty())
    }
}

impl Proxmox {
    /// Looks at a guest from all sides.
    pub(super) async fn observe(&self, key: GuestKey) -> Result<Observed, ApiError> {
        let (node, config) = self.locate(key).await?;
        let current = format!("{}/status/current", key.path(&node));
        let (current, permissions, active) =
            tokio::join!(self.client.get::<Current>(&current), self.permissions(), self.active(&node));
        let (current, permissions, active) = (current?, permissions?, active?);
        {
            let mut memory = self.memory();
            memory.saw(key.vmid, current.state());
            memory.place(key.vmid, config.startup());
        }
        let mut seen = Observed { key, node, config, current, permissions, active, left_by: None };
        if let Some(lock) = seen.lock().filter(|_| seen.busy().is_none()) {
            seen.left_by = self.left_by(key, &seen.node, lock).await;
        }
        Ok(seen)
    }

    /// Who took a lock that nobody stands behind any more; nothing where that cannot be seen.
    async fn left_by(&self, key: GuestKey, node: &str, lock: &str) -> Option<Upid> {
        let path = format!("/nodes/{node}/tasks?source=all&limit=20&vmid={}", key.vmid);
        let tasks: Vec<Task> = self.client.list(&path).await.ok()?;
        let takes = match lock {
            "backup" => "vzdump",
            "snapshot-delete" => "delsnapshot",
            "suspending" => "qmsuspend",
            // The others are called as what takes them: clone, create, migrate, rollback, snapshot.
            other => other,
        };
        tasks
            .iter()
            .filter_map(|task| Upid::parse(task.upid.as_deref()?))
            .find(|upid| upid.kind.ends_with(takes))
    }
}

/// The guest that a row stands for.
pub(super) fn guest_of(target: &EntityId) -> Result<GuestKey, ApiError> {
    let wrong = || ApiError::new(Layer::App, format!("`{}` is no guest", target.key));
    GuestKey::of(target).filter(|_| target.kind.as_str() == GUESTS).ok_or_else(wrong)
}

/// The guest that a row belongs to: a guest itself, or one of its snapshots.
pub(super) fn any_guest_of(target: &EntityId) -> Result<GuestKey, ApiError> {
    match target.kind.as_str() {
        SNAPSHOTS => super::snapshot::of(target).map(|(key, _)| key),
        _ => guest_of(target),
    }
}

/// A fact that speaks against it.
pub(super) fn refuse(what: &str, says: impl Into<String>) -> Finding {
    (Decision::Refuse, Evidence::new(what, says, Tone::Error))
}

/// A right that the token lacks on a path.
pub(super) fn right(permissions: &Permissions, privilege: &str, path: &str) -> Option<Finding> {
    let lacks = !permissions.allows_one(path, privilege);
    lacks.then(|| refuse("right", format!("the token lacks {privilege} on {path}")))
}

/// The node on which the target was when it was frozen.
pub(super) fn frozen_node(job: &Job) -> Result<&str, ApiError> {
    let node = job.target.identity.get("node").and_then(find::safe);
    node.ok_or_else(|| ApiError::new(Layer::App, "the target's node is not known: refresh the list"))
}

/// What is true for every operation on a guest: the right, the lock, and who else works on it.
pub(super) fn common(seen: &Observed, privilege: &str) -> Vec<Finding> {
    let mut findings = alike(seen, privilege);
    if seen.is_template() {
        findings.push(refuse("state", "it is a template"));
    }
    findings
}

/// The same, where a template will do as well.
pub(super) fn alike(seen: &Observed, privilege: &str) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        right(&seen.permissions, privilege, &seen.key.rights_path()).into_iter().collect();
    if let Some(upid) = seen.busy() {
        let says = format!("{} by {} works on it: wait for its end", rows::task_title(&upid.kind), upid.user);
        findings.push(refuse("task", says));
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
            let who = seen.left_by.as_ref().map_or_else(String::new, |upid| {
                let since = jiff::Timestamp::from_second(upid.start).unwrap_or_default();
                let since = since.strftime("%Y-%m-%d %H:%MZ");
                format!(", left by {} of {} from {since}", rows::task_title(&upid.kind), upid.user)
            });
            format!(
                "locked ({lock}), and no task stands behind it: a stale lock{who}. vigie does not force it; on {} \
                 run `{tool} unlock {}`",
                seen.node, seen.key.vmid
            )
        }
    };
    Some(refuse("lock", says))
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
    judged(effect, seen.identity(), findings)
}

/// The same for what is no guest.
pub(super) fn judged(effect: String, identity: Identity, findings: Vec<Finding>) -> Verdict {
    let verdict = Verdict::allow(effect, identity);
    findings.into_iter().fold(verdict, |verdict, (decision, evidence)| verdict.and(decision, evidence))
}
