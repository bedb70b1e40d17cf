//! Power: bringing guests up and down.

use std::time::Duration;

use crate::backend::error::ApiError;
use crate::backend::proxmox::Proxmox;
use crate::backend::proxmox::budget::{gib, short};
use crate::backend::proxmox::client::Fields;
use crate::backend::proxmox::doc::mib;
use crate::backend::proxmox::guard::Finding;
use crate::backend::proxmox::guest::Family;
use crate::backend::proxmox::kinds::GUESTS;
use crate::backend::proxmox::rights::{Need, on_guests};
use crate::backend::proxmox::startup::Startup;
use crate::backend::proxmox::wire::NodeStatus;
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, OpSpec, Tier, Verdict};
use crate::model::row::Tone;
use crate::model::time;

use super::observe::{Observed, common, frozen_node, guest_of, important, refuse, right, verdict};
use super::{Effect, Request};

/// How long the server waits for a guest that has no setting of its own.
const USUAL: Duration = Duration::from_secs(60);
/// The field that asks for a suspension to disk.
const TO_DISK: &str = "todisk";

/// One way to change whether a guest runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    /// Brings it up.
    Start,
    /// Asks it to go down by itself.
    Shutdown,
    /// Takes its power away.
    Stop,
    /// Asks it to go down and brings it up again.
    Reboot,
    /// Presses its reset button.
    Reset,
    /// Holds it where it is.
    Suspend,
    /// Lets it go on.
    Resume,
}

const ALL: [Power; 7] =
    [Power::Start, Power::Shutdown, Power::Stop, Power::Reboot, Power::Reset, Power::Suspend, Power::Resume];

impl Power {
    pub(super) fn named(op: &str) -> Option<Self> {
        ALL.into_iter().find(|power| power.verb() == op)
    }

    /// Its name, and the last element of its path.
    fn verb(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Shutdown => "shutdown",
            Self::Stop => "stop",
            Self::Reboot => "reboot",
            Self::Reset => "reset",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
        }
    }

    /// The types of the tasks that it makes.
    pub(super) fn tasks(self) -> &'static [&'static str] {
        match self {
            Self::Start => &["qmstart", "vzstart", "hastart"],
            Self::Shutdown => &["qmshutdown", "vzshutdown", "hastop"],
            Self::Stop => &["qmstop", "vzstop", "hastop"],
            Self::Reboot => &["qmreboot", "vzreboot"],
            Self::Reset => &["qmreset"],
            Self::Suspend => &["qmpause", "qmsuspend"],
            Self::Resume => &["qmresume"],
        }
    }

    /// The state that it leads to.
    fn leads_to(self) -> &'static str {
        match self {
            Self::Start | Self::Reboot | Self::Reset | Self::Resume => "running",
            Self::Shutdown | Self::Stop => "stopped",
            Self::Suspend => "paused",
        }
    }

    /// How long a guest is asked, where it is asked at all.
    pub(super) fn limit(self, job: &Job, startup: Startup) -> Option<Duration> {
        let asked = matches!(self, Self::Shutdown | Self::Reboot);
        let wait = time::parse_duration(job.arg("timeout")).and_then(|wait| Duration::try_from(wait).ok());
        asked.then(|| wait.or(startup.down).unwrap_or(USUAL))
    }

    /// How long the next of several guests waits after this one was started.
    pub(super) fn pause_after(self, startup: Startup) -> Duration {
        if self == Self::Start { startup.up.unwrap_or_default() } else { Duration::ZERO }
    }

    /// The place among several guests: what others depend on comes up first and goes down last.
    fn rank(self, seen: &Observed) -> i64 {
        let rank = seen.config.startup().rank(seen.key.vmid);
        match self {
            Self::Start | Self::Resume => rank,
            Self::Shutdown | Self::Stop | Self::Suspend => -rank,
            Self::Reboot | Self::Reset => 0,
        }
    }

    /// What it does, for the confirmation.
    fn does(self) -> &'static str {
        match self {
            Self::Start => "starts",
            Self::Shutdown => "asks to shut down:",
            Self::Stop => "takes the power away from",
            Self::Reboot => "asks to reboot:",
            Self::Reset => "presses the reset button of",
            Self::Suspend => "holds",
            Self::Resume => "lets go on:",
        }
    }
}

pub(super) fn specs() -> Vec<OpSpec> {
    let op = |name, title, tier, doc| OpSpec::on(GUESTS, name, title, tier, doc).right("VM.PowerMgmt").bulk();
    let wait = || {
        let doc = "How long it may take; without it the guest's own setting or 60 s.";
        Field::new("timeout", "wait", FieldKind::Duration { max: 3_600 }, doc).optional()
    };
    let to_disk = || {
        let doc = "Writes its memory to disk and stops it; the next start resumes it.";
        Field::new(TO_DISK, "to disk", FieldKind::Flag, doc).default("false")
    };
    let hard = "Takes the power away at once; what it has not written is lost.";
    vec![
        op(
            "proxmox.start",
            "start",
            Tier::T1,
            "Starts the guest, once its memory fits and its devices are free.",
        ),
        op(
            "proxmox.shutdown",
            "shut down",
            Tier::T2,
            "Asks the guest to shut down by itself, through its agent or ACPI.",
        )
        .form(vec![wait()])
        .fallback("proxmox.stop")
        .warn_if_blind(),
        op("proxmox.stop", "stop hard", Tier::T2, hard).warn_if_blind(),
        op("proxmox.reboot", "reboot", Tier::T2, "Asks the guest to reboot; pending changes take effect.")
            .form(vec![wait()])
            .warn_if_blind(),
        op("proxmox.reset", "reset", Tier::T2, "Presses the reset button; what it has not written is lost.")
            .warn_if_blind(),
        op(
            "proxmox.suspend",
            "suspend",
            Tier::T2,
            "Holds a virtual machine where it is; its memory stays taken unless it is written to disk.",
        )
        .form(vec![to_disk()])
        .warn_if_blind(),
        op("proxmox.resume", "resume", Tier::T1, "Lets a virtual machine that is held go on.")
            .warn_if_blind(),
    ]
}

pub(super) fn needs() -> Vec<(&'static str, Vec<Need>)> {
    ALL.into_iter().map(|power| (power.verb(), vec![on_guests("VM.PowerMgmt")])).collect()
}

impl Proxmox {
    pub(super) async fn judge_power(&self, power: Power, job: &Job) -> Result<Verdict, ApiError> {
        let seen = self.observe(guest_of(&job.target.id)?).await?;
        let mut findings = common(&seen, "VM.PowerMgmt");
        if power == Power::Stop {
            // A stop may overrule the shutdown that hangs.
            findings.retain(|(_, evidence)| evidence.what != "task" || !hanging(&seen));
        }
        findings.extend(before(power, &seen));
        if hibernates(power, job) {
            findings.extend(before_hibernation(&seen));
        }
        if power == Power::Start {
            let max = seen.current.maxmem;
            findings.extend(self.guard(seen.key, &seen.node, &seen.config, max, &seen.active).await);
        }
        findings.extend(turn(power, &seen));
        Ok(verdict(effect(power, &seen), &seen, findings).ranked(power.rank(&seen)))
    }

    pub(super) async fn power_request(&self, power: Power, job: &Job) -> Result<Request, ApiError> {
        let key = guest_of(&job.target.id)?;
        let node = frozen_node(job)?;
        let mut fields = Fields::new();
        if let Some(wait) = time::parse_duration(job.arg("timeout")) {
            fields.push(("timeout", wait.as_secs().to_string()));
        }
        if hibernates(power, job) {
            fields.push(("todisk", "1".to_owned()));
        }
        if power == Power::Stop {
            let active = self.active(node).await?;
            if active.iter().any(|upid| upid.vmid() == Some(key.vmid) && is_shutdown(&upid.kind)) {
                fields.push(("overrule-shutdown", "1".to_owned()));
            }
        }
        Ok(Request::post(format!("{}/status/{}", key.path(node), power.verb()), fields))
    }

    pub(super) async fn power_effect(&self, power: Power, job: &Job) -> Result<Effect, ApiError> {
        let key = guest_of(&job.target.id)?;
        let (node, _) = self.locate(key).await?;
        let current = self.current(key, &node).await?;
        let state = current.state().to_owned();
        if hibernates(power, job) {
            let there = state == "stopped" && current.lock.as_deref() == Some("suspended");
            let words = if there {
                "its memory is on disk and it is off".to_owned()
            } else {
                format!("it is {state}")
            };
            return Ok(Effect::new(there, words));
        }
        let there = state == power.leads_to();
        let mut words = format!("it is {state}");
        if there && power == Power::Start {
            words.push_str(&self.memory_left(&node).await);
        }
        let proves = !matches!(power, Power::Reboot | Power::Reset);
        Ok(Effect { there, proves, words })
    }

    /// What a start left of the host's memory, in words; nothing where it cannot be seen.
    async fn memory_left(&self, node: &str) -> String {
        let status: Result<NodeStatus, _> = self.client.get(&format!("/nodes/{node}/status")).await;
        let memory = status.ok().and_then(|status| status.memory.0);
        let Some(left) = memory.and_then(|memory| memory.left()) else { return String::new() };
        let warning = if gib(left) < self.budget.tight_left { ", which is too little" } else { "" };
        format!("; {node} has {} GiB of memory left{warning}", short(gib(left)))
    }
}

/// Whether a suspension writes the memory to disk.
fn hibernates(power: Power, job: &Job) -> bool {
    power == Power::Suspend && job.arg(TO_DISK) == "true"
}

/// What speaks against writing a guest's memory to disk.
fn before_hibernation(seen: &Observed) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        right(&seen.permissions, "VM.Config.Disk", &seen.key.rights_path()).into_iter().collect();
    if !seen.config.passthrough().is_empty() {
        findings.push(refuse("devices", "a machine with passed-through devices cannot be written to disk"));
    }
    if let Some(storage) = seen.config.text("vmstatestorage") {
        findings.extend(right(&seen.permissions, "Datastore.AllocateSpace", &format!("/storage/{storage}")));
    }
    findings
}

fn is_shutdown(kind: &str) -> bool {
    matches!(kind, "qmshutdown" | "vzshutdown")
}

/// Whether a shutdown is what works on it.
fn hanging(seen: &Observed) -> bool {
    seen.busy().is_some_and(|upid| is_shutdown(&upid.kind))
}

/// What a guest's state means for what is wanted.
fn before(power: Power, seen: &Observed) -> Vec<Finding> {
    let state = seen.current.state();
    let container = seen.key.family == Family::Lxc;
    let mut findings = match power {
        Power::Reset | Power::Suspend | Power::Resume if container => {
            vec![refuse("kind", "containers have no such thing")]
        }
        Power::Start => before_start(state, seen),
        Power::Resume => match state {
            "paused" | "suspended" => Vec::new(),
            "stopped" => vec![refuse("state", "it is stopped: start it")],
            state => vec![refuse("state", format!("it is {state} already"))],
        },
        Power::Stop if state == "stopped" => vec![refuse("state", "it is stopped already")],
        Power::Stop => vec![stopping(seen)],
        _ if state == "stopped" => vec![refuse("state", "it is stopped")],
        Power::Shutdown | Power::Reboot if state != "running" => {
            vec![refuse("state", format!("it is {state}: it cannot hear this"))]
        }
        Power::Shutdown | Power::Reboot => vec![way(seen)],
        Power::Suspend if state == "paused" => vec![refuse("state", "it is paused already")],
        Power::Suspend | Power::Reset => Vec::new(),
    };
    if !matches!(power, Power::Start | Power::Resume) {
        findings.extend(important(seen));
    }
    findings
}

fn before_start(state: &str, seen: &Observed) -> Vec<Finding> {
    match state {
        "stopped" if seen.lock() == Some("suspended") => {
            vec![(Decision::Allow, Evidence::new("state", "hibernated: it resumes", Tone::Info))]
        }
        "stopped" => Vec::new(),
        state => vec![refuse("state", format!("it is {state} already"))],
    }
}

/// What its own setting says of its turn among several.
fn turn(power: Power, seen: &Observed) -> Option<Finding> {
    let Startup { order, up, down } = seen.config.startup();
    let order = order.map(|order| format!("its order is {order}"));
    let wait = match power {
        Power::Start => up.map(|up| format!("the next of several waits {} s after it", up.as_secs())),
        Power::Shutdown => down.map(|down| format!("it may take {} s to go down", down.as_secs())),
        _ => None,
    };
    let ordered = !matches!(power, Power::Reboot | Power::Reset);
    let words: Vec<String> = order.into_iter().chain(wait).collect();
    (ordered && !words.is_empty())
        .then(|| (Decision::Allow, Evidence::new("turn", words.join(", "), Tone::Text)))
}

fn stopping(seen: &Observed) -> Finding {
    let says = if hanging(seen) {
        "a shutdown that hangs is broken off; what the guest has not written is lost"
    } else {
        "what the guest has not written is lost; a shutdown is the gentler way"
    };
    (Decision::Warn, Evidence::new("data", says, Tone::Warn))
}

fn way(seen: &Observed) -> Finding {
    let agent = seen.current.agent == Some(true) || seen.config.flag("agent");
    let way = match (seen.key.family, agent) {
        (Family::Lxc, _) => "its init is asked",
        (Family::Qemu, true) => "its guest agent is asked, else ACPI",
        (Family::Qemu, false) => "an ACPI press, which a guest may ignore",
    };
    (Decision::Allow, Evidence::new("way", way, Tone::Text))
}

fn effect(power: Power, seen: &Observed) -> String {
    let memory = match (power, seen.config.memory_mib()) {
        (Power::Start, Some(memory)) => format!(" with {} of memory", mib(memory)),
        _ => String::new(),
    };
    format!("{} {} on {}{memory}", power.does(), seen.title(), seen.node)
}
