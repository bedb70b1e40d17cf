//! Power: bringing guests up and down.

use jiff::Timestamp;
use reqwest::Method;

use crate::backend::error::{ApiError, SendError};
use crate::backend::proxmox::Proxmox;
use crate::backend::proxmox::client::Fields;
use crate::backend::proxmox::guard::Finding;
use crate::backend::proxmox::guest::{Family, GuestKey};
use crate::backend::proxmox::kinds::GUESTS;
use crate::backend::proxmox::rights::{Need, on_guests};
use crate::backend::proxmox::upid::{End, Upid};
use crate::backend::proxmox::wire::{Current, NodeStatus};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, OpSpec, Tier, Verdict};
use crate::model::row::Tone;
use crate::model::time;

use super::observe::{Observed, common, frozen_node, guest_of, important, verdict};
use super::{cure, settled, short};

/// One way to change whether a guest runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    /// Brings it up.
    Start,
    /// Asks it to go down by itself.
    Shutdown,
}

impl Power {
    pub(super) fn named(op: &str) -> Option<Self> {
        match op {
            "start" => Some(Self::Start),
            "shutdown" => Some(Self::Shutdown),
            _ => None,
        }
    }

    /// The last element of its path.
    fn verb(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Shutdown => "shutdown",
        }
    }

    /// The types of the tasks that it makes.
    fn tasks(self) -> &'static [&'static str] {
        match self {
            Self::Start => &["qmstart", "vzstart", "hastart"],
            Self::Shutdown => &["qmshutdown", "vzshutdown", "hastop"],
        }
    }

    /// The state that proves it.
    fn leads_to(self) -> &'static str {
        match self {
            Self::Start => "running",
            Self::Shutdown => "stopped",
        }
    }
}

pub(super) fn specs() -> Vec<OpSpec> {
    let start = OpSpec::on(
        GUESTS,
        "proxmox.start",
        "start",
        Tier::T1,
        "Starts the guest, once its memory fits and its devices are free.",
    );
    let wait = FieldKind::Duration { max: 3_600 };
    let wait = Field::new(
        "timeout",
        "wait",
        wait,
        "How long it may take; without it the guest's own setting or 60 s.",
    );
    let shutdown = OpSpec::on(
        GUESTS,
        "proxmox.shutdown",
        "shut down",
        Tier::T2,
        "Asks the guest to shut down by itself, through its agent or ACPI.",
    );
    vec![
        start.right("VM.PowerMgmt").bulk(),
        shutdown.right("VM.PowerMgmt").form(vec![wait.optional()]).bulk().warn_if_blind(),
    ]
}

pub(super) fn needs() -> Vec<(&'static str, Vec<Need>)> {
    ["start", "shutdown"].into_iter().map(|op| (op, vec![on_guests("VM.PowerMgmt")])).collect()
}

impl Proxmox {
    pub(super) async fn judge_power(&self, job: &Job) -> Result<Verdict, ApiError> {
        let Some(power) = Power::named(short(job)) else { return Err(super::unknown(short(job))) };
        let seen = self.observe(&job.target.id).await?;
        let mut findings = common(&seen, "VM.PowerMgmt");
        match power {
            Power::Start => {
                findings.extend(before_start(&seen));
                let max = seen.current.maxmem;
                findings.extend(self.guard(seen.key, &seen.node, &seen.config, max, &seen.active).await);
            }
            Power::Shutdown => findings.extend(before_shutdown(&seen)),
        }
        Ok(verdict(effect(power, &seen), &seen, findings))
    }

    pub(super) async fn send_power(&self, job: &Job, progress: &ProgressSink) -> Result<Receipt, SendError> {
        let refuse = |error: ApiError| SendError::NotSent(error.fault);
        let power = Power::named(short(job)).ok_or_else(|| refuse(super::unknown(short(job))))?;
        let key = guest_of(&job.target.id).map_err(refuse)?;
        let node = frozen_node(job).map_err(refuse)?;
        let mut fields = Fields::new();
        if let Some(wait) = time::parse_duration(job.arg("timeout")) {
            fields.push(("timeout", wait.as_secs().to_string()));
        }
        let path = format!("{}/status/{}", key.path(node), power.verb());
        let said = self.client.send(Method::POST, &path, &fields).await?;
        let (upid, ended) = self.await_task(&said, progress).await?;
        // Somebody else was faster: the wish is fulfilled.
        if let (Power::Start, End::Error(text)) = (power, &ended.end)
            && text.contains("already running")
        {
            return Ok(Receipt { remote: Some(upid.raw), said: text.clone(), reveal: None });
        }
        settled(&upid, ended)
    }

    pub(super) async fn verify_power(
        &self,
        job: &Job,
        remote: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        let Some(power) = Power::named(short(job)) else { return Err(super::unknown(short(job))) };
        let key = guest_of(&job.target.id)?;
        let (node, _) = self.locate(key).await?;
        let upid = match remote.and_then(Upid::parse) {
            Some(upid) => Some(upid),
            None => self.adopt(&node, power.tasks(), &key.vmid.to_string(), since.as_second()).await?,
        };
        let Some(upid) = upid else { return self.without_task(power, key, &node, since).await };
        if let Some(proof) = self.task_proof(&upid, power).await? {
            return Ok(proof);
        }
        let current = self.settle(key, &node, power.leads_to()).await?;
        let state = current.state();
        if state != power.leads_to() {
            let says = format!("the task ended OK, but the guest is {state}");
            // The HA manager acts by itself, seconds after the task.
            let managed = current.ha.0.as_ref().and_then(|ha| ha.managed) == Some(true);
            let look = "look at its state again in a minute".to_owned();
            return Ok(if managed { Proof::Unclear(says, look) } else { Proof::Absent(says) });
        }
        Ok(Proof::Seen(self.seen(power, &node, &current).await))
    }

    /// The proof that the task alone gives: that it failed, or that it still runs.
    async fn task_proof(&self, upid: &Upid, power: Power) -> Result<Option<Proof>, ApiError> {
        let look = format!("open the log of {upid}");
        let deadline = tokio::time::Instant::now() + self.pace.settle;
        loop {
            let status = self.task_status(upid).await?;
            match status.exitstatus.as_deref().map(End::parse) {
                Some(End::Ok | End::Warnings(_)) => return Ok(None),
                Some(End::Error(text)) if power == Power::Start && text.contains("already running") => {
                    return Ok(None);
                }
                Some(End::Error(text)) => {
                    let cure = cure(&text, &[]);
                    let says = if cure.is_empty() { text } else { format!("{text}: {cure}") };
                    return Ok(Some(Proof::Absent(says)));
                }
                Some(End::Lost) => return Ok(None),
                None if tokio::time::Instant::now() >= deadline => {
                    return Ok(Some(Proof::Unclear("its task still runs".to_owned(), look)));
                }
                None => tokio::time::sleep(self.pace.step * 2).await,
            }
        }
    }

    /// No task of ours is to be found: the guest's own state is all there is.
    async fn without_task(
        &self,
        power: Power,
        key: GuestKey,
        node: &str,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        let current = self.current(key, node).await?;
        let state = current.state();
        let sent = self.clock.now().as_second() - since.as_second();
        Ok(if state == power.leads_to() {
            Proof::Seen(format!("it is {state}, though no task of ours is listed"))
        } else if sent < 35 {
            let says = format!("it is {state}, and no task of ours is listed yet");
            Proof::Unclear(says, "look at proxmox.tasks in half a minute".to_owned())
        } else {
            Proof::Absent(format!("it is {state}, and no task of ours was made"))
        })
    }

    /// Asks a guest until it is in a state, or until patience ends.
    async fn settle(&self, key: GuestKey, node: &str, wanted: &str) -> Result<Current, ApiError> {
        let deadline = tokio::time::Instant::now() + self.pace.settle;
        loop {
            let current = self.current(key, node).await?;
            if current.state() == wanted || tokio::time::Instant::now() >= deadline {
                return Ok(current);
            }
            tokio::time::sleep(self.pace.step * 2).await;
        }
    }

    /// The proof in words; after a start with what it left of the host's memory.
    async fn seen(&self, power: Power, node: &str, current: &Current) -> String {
        let mut words = format!("it is {}", current.state());
        if power == Power::Start {
            let status: Result<NodeStatus, _> = self.client.get(&format!("/nodes/{node}/status")).await;
            let memory = status.ok().and_then(|status| status.memory.0);
            let left = memory.and_then(|m| m.available.or_else(|| Some(m.total? - m.used?)));
            if let Some(left) = left {
                use crate::backend::proxmox::budget::{gib, short};
                words.push_str(&format!("; {node} has {} GiB of memory left", short(gib(left))));
                if gib(left) < 1.0 {
                    words.push_str(", which is too little");
                }
            }
        }
        words
    }
}

fn before_start(seen: &Observed) -> Vec<Finding> {
    match seen.current.state() {
        "stopped" if seen.lock() == Some("suspended") => {
            vec![(Decision::Allow, Evidence::new("state", "hibernated: it resumes", Tone::Info))]
        }
        "stopped" => Vec::new(),
        state => {
            let says = format!("it is {state} already");
            vec![(Decision::Refuse, Evidence::new("state", says, Tone::Error))]
        }
    }
}

fn before_shutdown(seen: &Observed) -> Vec<Finding> {
    let mut findings = Vec::new();
    match seen.current.state() {
        "running" => {
            let agent = seen.current.agent == Some(true) || seen.config.flag("agent");
            let way = match (seen.key.family, agent) {
                (Family::Lxc, _) => "its init is asked",
                (Family::Qemu, true) => "its guest agent is asked, else ACPI",
                (Family::Qemu, false) => "an ACPI press, which a guest may ignore",
            };
            findings.push((Decision::Allow, Evidence::new("way", way, Tone::Text)));
        }
        "stopped" => {
            findings.push((Decision::Refuse, Evidence::new("state", "it is stopped already", Tone::Error)))
        }
        state => {
            let says = format!("it is {state}: it cannot hear a shutdown");
            findings.push((Decision::Refuse, Evidence::new("state", says, Tone::Error)));
        }
    }
    findings.extend(important(seen));
    findings
}

fn effect(power: Power, seen: &Observed) -> String {
    let title = seen.title();
    match power {
        Power::Start => {
            let memory = seen.config.memory_mib().map_or_else(String::new, |mib| {
                format!(" with {} of memory", crate::backend::proxmox::doc::mib(mib))
            });
            format!("starts {title} on {}{memory}", seen.node)
        }
        Power::Shutdown => format!("asks {title} on {} to shut down", seen.node),
    }
}
