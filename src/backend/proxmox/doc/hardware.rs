//! What a disk says of itself, asked for on purpose: it wakes a disk that sleeps.

use crate::backend::error::ApiError;
use crate::backend::proxmox::Proxmox;
use crate::backend::proxmox::client::element;
use crate::backend::proxmox::find::safe;
use crate::backend::proxmox::wire::{Smart, SmartAttribute};
use crate::model::id::EntityId;
use crate::model::row::{Cell, Tone};
use crate::model::view::{Doc, DocLine};

use super::fact;

/// Attributes that foretell a failure: reallocated, pending and uncorrectable sectors, command time-outs, cable errors.
const TELLING: [&str; 7] = ["5", "187", "188", "196", "197", "198", "199"];

impl Proxmox {
    pub(super) async fn smart(&self, id: &EntityId) -> Result<Doc, ApiError> {
        let wrong = || ApiError::unsupported(format!("`{}` is no disk", id.key));
        let (node, disk) = id.key.split_once('/').ok_or_else(wrong)?;
        let node = safe(node).ok_or_else(wrong)?;
        let smart: Smart =
            self.client.get(&format!("/nodes/{node}/disks/smart?disk={}", element(disk))).await?;
        let health = smart.health.as_deref().unwrap_or("unknown");
        let tone = match health {
            "PASSED" | "OK" => Tone::Ok,
            "unknown" | "UNKNOWN" => Tone::Unknown,
            _ => Tone::Error,
        };
        let columns = vec!["attribute".into(), "counts".into(), "state".into()];
        let lines = smart.text.as_deref().unwrap_or_default().trim().lines().map(DocLine::new).collect();
        Ok(Doc::default()
            .facts("", fact("health", health).map(|fact| fact.tone(tone)).into_iter().collect())
            .table("attributes", columns, smart.attributes.items.iter().map(attribute).collect())
            .lines("report", lines))
    }
}

fn attribute(attribute: &SmartAttribute) -> Vec<Cell> {
    let text = |value: &Option<String>| value.as_deref().unwrap_or_default().trim().to_owned();
    let (name, raw, fail) = (text(&attribute.name), text(&attribute.raw), text(&attribute.fail));
    let telling = TELLING.contains(&text(&attribute.id).as_str()) && !matches!(raw.as_str(), "" | "0");
    let failing = !matches!(fail.as_str(), "" | "-");
    let tone = match (failing, telling) {
        (true, _) => Tone::Error,
        (false, true) => Tone::Warn,
        (false, false) => Tone::Text,
    };
    vec![
        Cell::new(name.as_str()),
        Cell::toned(raw.as_str(), tone),
        Cell::toned(if failing { fail.as_str() } else { "ok" }, tone),
    ]
}
