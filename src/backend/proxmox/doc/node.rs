//! One host.

use crate::backend::error::ApiError;
use crate::backend::proxmox::find::safe;
use crate::backend::proxmox::wire::{Certificate, NodeStatus, Sample};
use crate::backend::proxmox::{Proxmox, watch};
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::{Cell, Tone};
use crate::model::view::{Doc, Fact};

use super::{bytes, fact, facts_of};

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
        if let Ok(certificates) = certificates {
            let rows = certificates.iter().map(|certificate| line(certificate, now)).collect();
            doc = doc.table("certificates", vec!["file".into(), "ends".into(), "sha-256".into()], rows);
        }
        Ok(doc)
    }
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
