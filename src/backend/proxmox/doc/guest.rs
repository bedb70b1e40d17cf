//! One guest.

use crate::backend::error::ApiError;
use crate::backend::proxmox::guest::{Family, GuestConfig, GuestKey};
use crate::backend::proxmox::memory::Told;
use crate::backend::proxmox::upid::{End, Upid};
use crate::backend::proxmox::wire::{
    AgentDisks, AgentInterfaces, AgentSystem, Current, FileSystem, Interface, Pending, Task,
};
use crate::backend::proxmox::{Proxmox, rows};
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::{Cell, Health, Tone};
use crate::model::view::{Doc, Fact};

use super::{bytes, fact, mib};

/// How long a guest agent is waited for.
const AGENT: std::time::Duration = std::time::Duration::from_secs(3);

/// How many of its tasks are shown.
const TASKS: usize = 6;

impl Proxmox {
    pub(super) async fn describe_guest(&self, id: &EntityId) -> Result<Doc, ApiError> {
        let no_guest = || ApiError::unsupported(format!("`{}` is no guest", id.key));
        let key = GuestKey::of(id).ok_or_else(no_guest)?;
        let (node, config) = self.locate(key).await?;
        let recent = format!("/nodes/{node}/tasks?source=all&limit={TASKS}&vmid={}", key.vmid);
        let pending = format!("{}/pending", key.path(&node));
        let (current, tasks, pending) = tokio::join!(
            self.current(key, &node),
            self.client.list::<Task>(&recent),
            self.client.list::<Pending>(&pending),
        );
        let current = current?;
        let told = self.told(key, &node, &current, &config).await;
        let instants = (self.clock.now().as_second(), self.memory().saved(key.vmid));
        let mut doc = Doc::default()
            .facts("", summary(key, &node, &current, &config, instants))
            .facts("network", labelled(told.network))
            .facts("inside", labelled(told.inside))
            .facts("after the next start", waiting(&pending.unwrap_or_default()))
            .facts("memory", memory(&current, &config))
            .facts("pressure", pressure(&current));
        // Its tasks may belong to others: without Sys.Audit the rest is still worth showing.
        if let Ok(tasks) = tasks {
            doc = doc.table(
                "tasks",
                vec!["began".into(), "task".into(), "by".into(), "result".into()],
                recent_rows(&tasks),
            );
        }
        Ok(doc.facts("hardware", hardware(&config)).facts("options", options(&config)))
    }
}

impl Proxmox {
    /// What a guest tells of itself: a container through its host, a machine through its agent, which may not answer.
    async fn told(&self, key: GuestKey, node: &str, current: &Current, config: &GuestConfig) -> Told {
        let agent = current.agent == Some(true) || config.flag("agent");
        if current.state() != "running" || (key.family == Family::Qemu && !agent) {
            return Told::default();
        }
        if let Some(known) = self.memory().told(key.vmid) {
            return known;
        }
        let base = key.path(node);
        let asked = async {
            match key.family {
                Family::Lxc => {
                    let cards = self.client.list::<Interface>(&format!("{base}/interfaces")).await;
                    Told {
                        network: cards.unwrap_or_default().iter().filter_map(card).collect(),
                        inside: vec![],
                    }
                }
                Family::Qemu => self.ask_agent(&base).await,
            }
        };
        // A silent agent costs the server three seconds: it is not waited for, and not asked again soon.
        let told = tokio::time::timeout(AGENT, asked).await.unwrap_or_default();
        self.memory().tell(key.vmid, told.clone());
        told
    }

    /// An agent that does not answer the first question is not asked the others.
    async fn ask_agent(&self, base: &str) -> Told {
        let path = format!("{base}/agent/network-get-interfaces");
        let Ok(cards) = self.client.get::<AgentInterfaces>(&path).await else { return Told::default() };
        let network = cards.result.items.iter().filter_map(card).collect();
        let paths = (format!("{base}/agent/get-osinfo"), format!("{base}/agent/get-fsinfo"));
        let (system, disks) =
            tokio::join!(self.client.get::<AgentSystem>(&paths.0), self.client.get::<AgentDisks>(&paths.1),);
        let system = system.unwrap_or_default().result.0.unwrap_or_default();
        let words = [("system", system.name), ("kernel", system.kernel)];
        let words = words.into_iter().filter_map(|(label, word)| Some((label.to_owned(), word?)));
        let disks = disks.unwrap_or_default();
        Told { network, inside: words.chain(disks.result.items.iter().filter_map(file_system)).collect() }
    }
}

/// A file system with what is used of it.
fn file_system(disk: &FileSystem) -> Option<(String, String)> {
    let (used, total) = (disk.used?, disk.total.filter(|total| *total > 0)?);
    let size = |bytes| crate::backend::proxmox::budget::short(crate::backend::proxmox::budget::gib(bytes));
    let share = 100 * i128::from(used) / i128::from(total);
    Some((disk.mountpoint.clone()?, format!("{} of {} GiB, {share} %", size(used), size(total))))
}

fn labelled(told: Vec<(String, String)>) -> Vec<Fact> {
    told.into_iter().map(|(label, words)| Fact::new(label, words.as_str())).collect()
}

/// A card that is no loopback, with its addresses.
fn card(card: &Interface) -> Option<(String, String)> {
    let name = card.name.as_deref().filter(|name| *name != "lo")?;
    let ips: Vec<&str> = card
        .addresses
        .items
        .iter()
        .filter_map(|ip| ip.address.as_deref())
        .filter(|ip| !ip.starts_with("fe80:"))
        .collect();
    (!ips.is_empty()).then(|| (name.to_owned(), ips.join(" ")))
}

/// What a restart will change.
fn waiting(pending: &[Pending]) -> Vec<Fact> {
    let change = |entry: &Pending| {
        let key = entry.key.clone()?;
        let says = match (&entry.next, entry.delete) {
            (Some(new), _) => format!("{} → {new}", entry.value.as_deref().unwrap_or("nothing")),
            (None, Some(true)) => "removed".to_owned(),
            (None, _) => return None,
        };
        Some(Fact::new(key, says.as_str()).tone(Tone::Pending))
    };
    pending.iter().filter_map(change).collect()
}

fn summary(
    key: GuestKey,
    node: &str,
    current: &Current,
    config: &GuestConfig,
    (now, saved): (i64, Option<i64>),
) -> Vec<Fact> {
    let lock = current.lock.as_deref();
    let template = current.template == Some(true);
    let ha = current.ha.0.as_ref().filter(|ha| ha.managed == Some(true)).and_then(|ha| ha.state.as_deref());
    let (health, why) = rows::guest_health(current.state(), lock, ha, template);
    let tone = if health == Health::Ok { Tone::Ok } else { health.into() };
    let uptime = current.uptime.filter(|uptime| *uptime > 0);
    let since = uptime.and_then(|uptime| jiff::Timestamp::from_second(now - uptime).ok());
    [
        fact("state", current.state()).map(|fact| fact.tone(tone)),
        fact("why", why.as_deref().unwrap_or_default()).map(|fact| fact.tone(tone)),
        fact("since", since).map(|fact| fact.format(Format::Age)),
        fact("guest", format!("{} {} on {node}", key.family.short(), key.vmid).as_str()),
        fact("cpu", current.cpu.filter(|_| uptime.is_some())).map(|fact| fact.format(Format::Percent)),
        fact("cores", current.cpus),
        fact("tags", rows::tags(config.text("tags").unwrap_or_default()).as_str()),
        fact("ha", ha.unwrap_or_default()),
        fact("agent", agent(key, current, config)),
        fact("saved", saved.and_then(|at| jiff::Timestamp::from_second(at).ok()))
            .map(|fact| fact.format(Format::Age)),
        fact("machine", current.running_machine.as_deref().unwrap_or_default()),
        fact("qemu", current.running_qemu.as_deref().unwrap_or_default()),
        fact("notes", config.text("description").unwrap_or_default().trim()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn agent(key: GuestKey, current: &Current, config: &GuestConfig) -> &'static str {
    let configured = current.agent == Some(true) || config.flag("agent");
    match (key.family, configured) {
        (Family::Lxc, _) => "",
        (Family::Qemu, true) => "configured",
        (Family::Qemu, false) => "not configured",
    }
}

fn memory(current: &Current, config: &GuestConfig) -> Vec<Fact> {
    let running = current.uptime.is_some_and(|uptime| uptime > 0);
    let balloon = match config.text("balloon") {
        Some("0") => "off: all of its memory is its own".to_owned(),
        Some(least) => format!("may be taken down to {least} MiB"),
        None => String::new(),
    };
    let passthrough = !config.passthrough().is_empty();
    [
        bytes("in use, as it sees it", current.mem.filter(|_| running)),
        bytes("costs its host", current.memhost.filter(|_| running)),
        bytes("may use", current.maxmem),
        fact("configured", config.memory_mib().map(mib).unwrap_or_default().as_str()),
        fact("balloon", balloon.as_str()),
        passthrough
            .then(|| Fact::new("passthrough", "pins all of its memory from the start").tone(Tone::Info)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn pressure(current: &Current) -> Vec<Fact> {
    let one = |label, value: Option<f64>| {
        let tone = if value.is_some_and(|value| value >= 10.0) { Tone::Warn } else { Tone::Text };
        value.map(|value| Fact::new(label, format!("{value:.1} %").as_str()).tone(tone))
    };
    let all = [
        one("memory", current.pressurememorysome),
        one("storage", current.pressureiosome),
        one("cpu", current.pressurecpusome),
    ];
    all.into_iter().flatten().collect()
}

fn recent_rows(tasks: &[Task]) -> Vec<Vec<Cell>> {
    let row = |task: &Task| {
        let upid = Upid::parse(task.upid.as_deref()?)?;
        let end = task.status.as_deref().filter(|status| *status != "RUNNING").map(End::parse);
        let (result, tone) = match end {
            None => ("running".to_owned(), Tone::Pending),
            Some(End::Ok) => ("ok".to_owned(), Tone::Ok),
            Some(End::Warnings(count)) => {
                (format!("{count} {}", if count == 1 { "warning" } else { "warnings" }), Tone::Warn)
            }
            Some(End::Lost) => ("killed, or its host went down".to_owned(), Tone::Error),
            Some(End::Error(text)) => (text, Tone::Error),
        };
        Some(vec![
            Cell::new(jiff::Timestamp::from_second(upid.start).ok()),
            Cell::new(rows::task_title(&upid.kind)),
            Cell::new(upid.user.as_str()),
            Cell::toned(result.as_str(), tone),
        ])
    };
    tasks.iter().filter_map(row).take(TASKS).collect()
}

/// Disks, cards and devices: the keys that end in a number, and what they are built on.
fn hardware(config: &GuestConfig) -> Vec<Fact> {
    let numbered = |key: &str| key.ends_with(|c: char| c.is_ascii_digit()) && key != "smbios1";
    let named = |key: &str| {
        matches!(key, "cores" | "sockets" | "cpu" | "bios" | "machine" | "scsihw" | "vga" | "rootfs" | "swap")
    };
    select(config, |key| numbered(key) || named(key))
}

fn options(config: &GuestConfig) -> Vec<Fact> {
    let named = |key: &str| {
        matches!(
            key,
            "onboot"
                | "startup"
                | "protection"
                | "ostype"
                | "boot"
                | "hookscript"
                | "hugepages"
                | "unprivileged"
                | "features"
                | "smbios1"
        )
    };
    select(config, named)
}

fn select(config: &GuestConfig, wanted: impl Fn(&str) -> bool) -> Vec<Fact> {
    let chosen = config.entries().filter(|(key, value)| wanted(key) && !value.is_empty());
    chosen.map(|(key, value)| Fact::new(key.to_owned(), value)).collect()
}
