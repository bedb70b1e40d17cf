//! One host.

use std::time::Duration;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::backend::proxmox::client::element;
use crate::backend::proxmox::find::safe;
use crate::backend::proxmox::lenient::texts;
use crate::backend::proxmox::wire::{
    Certificate, ClusterLog, Data, Link, NodeStatus, PciDevice, Sample, Update,
};
use crate::backend::proxmox::{Proxmox, watch};
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::{Cell, Tone};
use crate::model::view::{Doc, Fact, LogLine, View};

use super::{bytes, fact, facts_of};

/// How often the journal is asked for more.
const JOURNAL: Duration = Duration::from_secs(3);

/// How many lines of the cluster's log are looked at.
const LOG: u32 = 40;
/// A certificate that ends sooner than this wants attention, in seconds.
const SOON: i64 = 30 * 86_400;

impl Proxmox {
    pub(super) async fn describe_node(&self, id: &EntityId) -> Result<Doc, ApiError> {
        let row = self.row(watch::RESOURCES, id).await?;
        let Some(node) = safe(&id.key) else { return Err(ApiError::unsupported("this is no node")) };
        let paths = (
            format!("/nodes/{node}/status"),
            format!("/nodes/{node}/rrddata?timeframe=hour&cf=AVERAGE"),
            format!("/nodes/{node}/certificates/info"),
        );
        let (status, samples, certificates) = tokio::join!(
            self.client.get::<NodeStatus>(&paths.0),
            self.client.list::<Sample>(&paths.1),
            self.client.list::<Certificate>(&paths.2),
        );
        let mut doc = Doc::default().facts("", facts_of(&row));
        doc = match status {
            Ok(status) => {
                let samples = samples.unwrap_or_default();
                let last = samples.iter().rev().find(|sample| sample.cpu.is_some());
                doc.facts("load", load(&status))
                    .facts("memory", memory(&status, last))
                    .facts("system", system(&status))
            }
            Err(error) => doc.facts("load", vec![denied(&error)]),
        };
        let now = self.clock.now().as_second();
        doc = self.node_parts(node, doc).await;
        doc = self.node_links(node, doc).await;
        if let Ok(certificates) = certificates {
            let rows = certificates.iter().map(|certificate| line(certificate, now)).collect();
            doc = doc.table("certificates", vec!["file".into(), "ends".into(), "sha-256".into()], rows);
        }
        Ok(doc)
    }
}

impl Proxmox {
    /// Updates and passed-through hardware; a part that is refused names the right.
    async fn node_parts(&self, node: &str, doc: Doc) -> Doc {
        let paths = (format!("/nodes/{node}/apt/update"), format!("/nodes/{node}/hardware/pci"));
        let (updates, devices) =
            tokio::join!(self.client.list::<Update>(&paths.0), self.client.list::<PciDevice>(&paths.1));
        let doc = match updates {
            Ok(updates) => doc.table(
                "updates",
                vec!["package".into(), "is".into(), "can be".into()],
                updates.iter().map(update).collect(),
            ),
            Err(error) => doc.facts("updates", vec![denied(&error)]),
        };
        match devices {
            Ok(devices) => {
                let rows: Vec<Vec<Cell>> =
                    devices.iter().filter(|device| is_graphics(device)).map(pci).collect();
                doc.table("graphics", vec!["address".into(), "device".into(), "IOMMU group".into()], rows)
            }
            Err(error) => doc.facts("graphics", vec![denied(&error)]),
        }
    }

    /// Its network, and what the cluster says of it; a part that is refused names the right.
    async fn node_links(&self, node: &str, doc: Doc) -> Doc {
        let network = format!("/nodes/{node}/network");
        let said = format!("/cluster/log?max={LOG}");
        let (cards, said) =
            tokio::join!(self.client.list::<Link>(&network), self.client.list::<ClusterLog>(&said));
        let doc = match cards {
            Ok(cards) => {
                let columns = ["card", "type", "address", "over", "state"].map(Into::into).to_vec();
                doc.table("network", columns, cards.iter().map(card).collect())
            }
            Err(error) => doc.facts("network", vec![denied(&error)]),
        };
        match said {
            Ok(entries) => {
                let own = entries.iter().filter(|line| line.node.as_deref() == Some(node));
                doc.table(
                    "cluster log",
                    vec!["when".into(), "who".into(), "what".into()],
                    own.map(said_by).collect(),
                )
            }
            Err(error) => doc.facts("cluster log", vec![denied(&error)]),
        }
    }

    /// Streams a host's journal: the last lines, then what comes.
    pub(super) async fn show_journal(&self, id: &EntityId, sink: &ViewSink) -> Result<(), ApiError> {
        let Some(node) = safe(&id.key) else { return Err(ApiError::unsupported("this is no node")) };
        let mut path = format!("/nodes/{node}/journal?lastentries=200");
        loop {
            let reply = self.client.raw(&path).await?;
            let mut lines = reply.json::<Data<Lines>>()?.data.0;
            // The first and the last entry are places in the journal, not lines of it.
            if let Some(place) = lines.pop() {
                path = format!("/nodes/{node}/journal?startcursor={}", element(&place));
            }
            let lines: Vec<LogLine> = lines.iter().skip(1).map(|text| line_of(text)).collect();
            if !lines.is_empty() && sink.send(View::Log(lines)).await.is_err() {
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(JOURNAL) => {}
                () = sink.closed() => return Ok(()),
            }
        }
    }
}

/// A list of texts.
#[derive(Debug, Default, serde::Deserialize)]
struct Lines(#[serde(deserialize_with = "texts")] Vec<String>);

fn line_of(text: &str) -> LogLine {
    LogLine { at: None, source: None, text: text.into(), tone: Tone::Text }
}

fn card(card: &Link) -> Vec<Cell> {
    let text = |value: &Option<String>| Cell::new(value.as_deref().unwrap_or_default());
    let state = match (card.active, card.autostart) {
        (Some(true), _) => Cell::toned("up", Tone::Ok),
        (_, Some(true)) => Cell::toned("down", Tone::Warn),
        _ => Cell::toned("down", Tone::Dim),
    };
    vec![text(&card.iface), text(&card.kind), text(&card.cidr), text(&card.bridge_ports), state]
}

fn said_by(line: &ClusterLog) -> Vec<Cell> {
    let at = line.time.and_then(|at| jiff::Timestamp::from_second(at).ok());
    let tone = match line.pri {
        Some(0..=3) => Tone::Error,
        Some(4) => Tone::Warn,
        _ => Tone::Text,
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    vec![Cell::new(at), Cell::new(text(&line.user).as_str()), Cell::toned(text(&line.msg).trim_end(), tone)]
}

fn update(update: &Update) -> Vec<Cell> {
    let text = |value: &Option<String>| Cell::new(value.as_deref().unwrap_or_default());
    vec![text(&update.package), text(&update.old_version), text(&update.version)]
}

/// PCI class 03: what is passed through most often.
fn is_graphics(device: &PciDevice) -> bool {
    device.class.as_deref().is_some_and(|class| class.starts_with("0x03"))
}

fn pci(device: &PciDevice) -> Vec<Cell> {
    let group = match device.iommugroup {
        Some(group) if group >= 0 => Cell::new(group),
        _ => Cell::toned("no IOMMU", Tone::Warn),
    };
    let text = |value: &Option<String>| Cell::new(value.as_deref().unwrap_or_default());
    vec![text(&device.id), text(&device.device_name), group]
}

/// A part that the token may not see names what it needs; the rest stands.
pub(super) fn denied(error: &ApiError) -> Fact {
    let says = match &error.fault.missing {
        Some(right) => format!("hidden: needs {right}"),
        None => error.to_string(),
    };
    Fact::new("not shown", says.as_str()).tone(Tone::Unknown)
}

fn load(status: &NodeStatus) -> Vec<Fact> {
    let cpu = status.cpuinfo.0.clone().unwrap_or_default();
    [
        fact("load", status.loadavg.join(" ").as_str()),
        fact("waits for storage", status.wait).map(|fact| fact.format(Format::Percent)),
        fact("threads", cpu.cpus),
        fact("processor", cpu.model.as_deref().unwrap_or_default()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn memory(status: &NodeStatus, last: Option<&Sample>) -> Vec<Fact> {
    let memory = status.memory.0.clone().unwrap_or_default();
    let swap = status.swap.0.clone().unwrap_or_default();
    #[allow(clippy::cast_possible_truncation)]
    let arc = last.and_then(|sample| sample.arcsize).map(|bytes| bytes as i64);
    let pressure = last.and_then(|sample| sample.pressurememorysome);
    [
        bytes("total", memory.total),
        bytes("used", memory.used),
        bytes("available", memory.available),
        bytes("of it ZFS cache, which gives way slowly", arc),
        bytes("swap used", swap.used),
        pressure.map(|value| Fact::new("pressure", format!("{value:.1} %").as_str())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn system(status: &NodeStatus) -> Vec<Fact> {
    [
        fact("version", status.pveversion.as_deref().unwrap_or_default()),
        fact("kernel", status.kversion.as_deref().unwrap_or_default()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn line(certificate: &Certificate, now: i64) -> Vec<Cell> {
    let ends = certificate.notafter.and_then(|at| jiff::Timestamp::from_second(at).ok());
    let tone = if certificate.notafter.is_some_and(|at| at - now < SOON) { Tone::Warn } else { Tone::Text };
    let fingerprint = certificate.fingerprint.as_deref().unwrap_or_default();
    vec![
        Cell::new(certificate.filename.as_deref().unwrap_or_default()),
        Cell::toned(ends, tone),
        Cell::new(fingerprint),
    ]
}
