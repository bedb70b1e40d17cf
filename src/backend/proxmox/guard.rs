//! Before a guest is brought up: the memory sums and the device check, with every figure read afresh.
//!
//! What cannot be read makes the check blind, and blind is no permission.

use futures_util::future::join_all;

use crate::backend::error::ApiError;
use crate::model::op::{Decision, Evidence};
use crate::model::row::Tone;

use super::Proxmox;
use super::budget::{self, Fit, Host, Need, Share, Standing, Sum};
use super::guest::{Family, GuestConfig, GuestKey};
use super::pci::{self, Claim, Conflict, Holder};
use super::upid::Upid;
use super::wire::{Mapping, NodeStatus, Resource, Sample};

/// A fact and what it means for the decision.
pub type Finding = (Decision, Evidence);

/// A guest that shares the node, with its configuration where it could be read.
#[derive(Debug)]
struct Neighbour {
    key: GuestKey,
    name: String,
    running: bool,
    starting: bool,
    max: i64,
    now: i64,
    config: Result<GuestConfig, ApiError>,
}

impl Neighbour {
    fn title(&self) -> String {
        format!("{} ({})", self.name, self.key.vmid)
    }

    /// Whether it holds memory or devices now or in a moment.
    fn counts(&self) -> bool {
        self.running || self.starting
    }
}

impl Proxmox {
    /// Everything that speaks for or against bringing a guest up on a node.
    pub(super) async fn guard(
        &self,
        guest: GuestKey,
        node: &str,
        config: &GuestConfig,
        memory: Option<i64>,
        active: &[Upid],
    ) -> Vec<Finding> {
        let neighbours = match self.neighbours(guest, node, active).await {
            Ok(neighbours) => neighbours,
            Err(error) => return vec![blind("neighbours", &error)],
        };
        let unread = neighbours.iter().filter(|other| other.counts() && other.config.is_err());
        let mut findings: Vec<Finding> = unread
            .map(|other| {
                let says = format!("the configuration of {}, which runs, cannot be read", other.title());
                (Decision::Blind, Evidence::new("neighbours", says, Tone::Unknown))
            })
            .collect();
        findings.extend(self.memory_findings(guest, node, config, memory, &neighbours).await);
        findings.extend(self.device_findings(node, config, &neighbours).await);
        findings
    }

    /// The other guests of a node, live; the cluster's list lags by up to 10 s.
    async fn neighbours(
        &self,
        guest: GuestKey,
        node: &str,
        active: &[Upid],
    ) -> Result<Vec<Neighbour>, ApiError> {
        let permissions = self.permissions().await?;
        if !permissions.allows("/vms", "VM.Audit") {
            let error = ApiError::unsupported("the token does not see all guests of the node");
            return Err(error.missing("VM.Audit on /vms"));
        }
        let (qemu_path, lxc_path) = (format!("/nodes/{node}/qemu"), format!("/nodes/{node}/lxc"));
        let (machines, containers) = tokio::join!(self.client.raw(&qemu_path), self.client.raw(&lxc_path));
        let (machines, containers) = (machines?, containers?);
        let (machines, containers) = (
            machines.json::<super::wire::Resources<'_>>()?.data.items,
            containers.json::<super::wire::Resources<'_>>()?.data.items,
        );
        let all = machines.iter().map(|item| (Family::Qemu, item));
        let all = all.chain(containers.iter().map(|item| (Family::Lxc, item)));
        let others = all.filter_map(|(family, item)| neighbour(family, item, active));
        let others = others.filter(|other| other.key != guest);
        let read = others.map(|mut other| async {
            other.config = self.config(other.key, node).await;
            other
        });
        Ok(join_all(read).await)
    }

    async fn memory_findings(
        &self,
        guest: GuestKey,
        node: &str,
        config: &GuestConfig,
        memory: Option<i64>,
        neighbours: &[Neighbour],
    ) -> Vec<Finding> {
        let memory = config.memory_mib().map(|mib| mib.saturating_mul(1 << 20)).or(memory);
        let Some(memory) = memory else {
            let says = "how much it needs cannot be read";
            return vec![(Decision::Blind, Evidence::new("memory", says, Tone::Unknown))];
        };
        let need = Need { memory, machine: guest.family == Family::Qemu };
        let shares: Vec<Share> = neighbours.iter().filter_map(share).collect();
        let mut findings = Vec::new();
        let plan = budget::plan(&shares, &need, &self.budget);
        if let Some(plan) = &plan {
            findings.push(weighed("plan", plan));
        }
        let measured = match self.host(node).await {
            Ok(host) => budget::measured(&host, &shares, &need, &self.budget),
            Err(error) => {
                findings.push(blind("memory", &error));
                return findings;
            }
        };
        findings.push(weighed("measured", &measured));
        if plan.is_some_and(|plan| plan.fit == Fit::Unsafe) || measured.fit == Fit::Unsafe {
            let missing = budget::lacking(&shares, &need, &self.budget);
            findings.push((Decision::Refuse, remedy(&shares, missing)));
        }
        findings
    }

    async fn host(&self, node: &str) -> Result<Host, ApiError> {
        let status: NodeStatus = self.client.get(&format!("/nodes/{node}/status")).await?;
        let memory = status.memory.0.unwrap_or_default();
        let (Some(total), Some(available)) = (memory.total, memory.left()) else {
            return Err(ApiError::unsupported("the host does not tell its memory"));
        };
        Ok(Host { total, available, arc: self.arc(node).await })
    }

    /// The ZFS cache: the newest sample that has one (9); 8 does not tell it.
    async fn arc(&self, node: &str) -> Option<i64> {
        let path = format!("/nodes/{node}/rrddata?timeframe=hour&cf=AVERAGE");
        let samples: Vec<Sample> = self.client.list(&path).await.ok()?;
        #[allow(clippy::cast_possible_truncation)]
        samples.iter().rev().find_map(|sample| sample.arcsize).map(|bytes| bytes as i64)
    }

    async fn device_findings(
        &self,
        node: &str,
        config: &GuestConfig,
        neighbours: &[Neighbour],
    ) -> Vec<Finding> {
        let entries = config.passthrough();
        if entries.is_empty() {
            return Vec::new();
        }
        let mapped = |config: &GuestConfig| config.passthrough().iter().any(|e| e.starts_with("mapping="));
        let holders: Vec<&Neighbour> = neighbours.iter().filter(|other| other.counts()).collect();
        let any = mapped(config) || holders.iter().any(|other| other.config.as_ref().is_ok_and(mapped));
        let mappings = if any { self.mappings().await } else { Ok(Vec::new()) };
        let known = mappings.as_deref().ok();
        let wanted = match claims(config, node, known) {
            Ok(wanted) => wanted,
            Err(why) => return vec![(Decision::Blind, Evidence::new("devices", why, Tone::Unknown))],
        };
        let mut findings = Vec::new();
        let mut held = Vec::new();
        for other in holders {
            match other.config.as_ref().map(|config| claims(config, node, known)) {
                Ok(Ok(claims)) => held.push(Holder { name: other.title(), claims }),
                Ok(Err(why)) => {
                    let says = format!("{}: {why}", other.title());
                    findings.push((Decision::Blind, Evidence::new("devices", says, Tone::Unknown)));
                }
                // Said once already, among the neighbours.
                Err(_) => {}
            }
        }
        let conflicts = pci::conflicts(&wanted, &held);
        if conflicts.is_empty() && findings.is_empty() {
            let says = format!("{} free on {node}", pci::devices(&wanted).join(", "));
            return vec![(Decision::Allow, Evidence::new("devices", says, Tone::Ok))];
        }
        findings.extend(conflicts.into_iter().map(conflicting));
        findings
    }

    async fn mappings(&self) -> Result<Vec<Mapping>, ApiError> {
        self.client.list("/cluster/mapping/pci").await
    }
}

fn neighbour(family: Family, item: &Resource<'_>, active: &[Upid]) -> Option<Neighbour> {
    let vmid = u32::try_from(item.vmid?).ok()?;
    if item.template == Some(true) {
        return None;
    }
    let running = !matches!(item.status.as_deref(), None | Some("stopped"));
    let brings_up = |upid: &&Upid| {
        let types = ["qmstart", "vzstart", "hastart", "qmresume", "qmrollback", "qmrestore", "vzdump"];
        upid.vmid() == Some(vmid) && types.contains(&upid.kind.as_str())
    };
    let mem = item.mem.unwrap_or(0);
    let max = item.maxmem.unwrap_or(0);
    Some(Neighbour {
        key: GuestKey { family, vmid },
        name: item.name.as_deref().unwrap_or(family.short()).to_owned(),
        running,
        starting: !running && active.iter().any(|upid| brings_up(&upid)),
        max,
        now: if running { item.memhost.filter(|host| *host > 0).unwrap_or(mem).min(max) } else { 0 },
        config: Err(ApiError::unsupported("not read")),
    })
}

/// Its part in the sums; `None` where it takes none.
fn share(other: &Neighbour) -> Option<Share> {
    let config = other.config.as_ref().ok();
    let standing = if other.running {
        Standing::Running
    } else if other.starting {
        Standing::Starting
    } else if config.is_some_and(|config| config.flag("onboot")) {
        Standing::Reserved
    } else {
        return None;
    };
    let pinned = config.is_some_and(|config| !config.passthrough().is_empty());
    Some(Share { name: other.name.clone(), max: other.max, now: other.now, pinned, standing })
}

fn claims(config: &GuestConfig, node: &str, mappings: Option<&[Mapping]>) -> Result<Vec<Claim>, String> {
    config.passthrough().into_iter().map(|entry| pci::claim(entry, node, mappings)).collect()
}

fn conflicting(conflict: Conflict) -> Finding {
    match conflict {
        Conflict::Held { device, by } => {
            let says = format!("{device} is in use by {by}; shut that down first");
            (Decision::Refuse, Evidence::new("devices", says, Tone::Error))
        }
        Conflict::Perhaps { device, by } => {
            let says = format!("{device} may be in use by {by}, which took one of several");
            (Decision::Blind, Evidence::new("devices", says, Tone::Unknown))
        }
    }
}

fn weighed(what: &str, sum: &Sum) -> Finding {
    let (decision, tone) = match sum.fit {
        Fit::Safe => (Decision::Allow, Tone::Ok),
        Fit::Tight => (Decision::Warn, Tone::Warn),
        Fit::Unsafe => (Decision::Refuse, Tone::Error),
    };
    (decision, Evidence::new(what, sum.text.clone(), tone))
}

/// The most guests that a remedy names.
const NAMED: usize = 5;

fn remedy(shares: &[Share], missing: f64) -> Evidence {
    let chosen = budget::remedy(shares, missing);
    let says = if chosen.is_empty() {
        "no guest that runs here would make enough room".to_owned()
    } else {
        let named = chosen.iter().take(NAMED);
        let mut names: Vec<String> = named
            .map(|share| format!("{} ({} GiB)", share.name, budget::short(budget::gib(share.max))))
            .collect();
        if chosen.len() > NAMED {
            names.push(format!("{} more", chosen.len() - NAMED));
        }
        format!("shut down {}", names.join(" and "))
    };
    Evidence::new("free it", says, Tone::Info)
}

/// What could not be read, and which right would allow it.
pub(super) fn blind(what: &str, error: &ApiError) -> Finding {
    let says = match &error.fault.missing {
        Some(right) => format!("cannot be judged: needs {right}"),
        None => format!("cannot be judged: {error}"),
    };
    (Decision::Blind, Evidence::new(what, says, Tone::Unknown))
}
