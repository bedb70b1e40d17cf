//! Rows of what the hosts are made of: pools, disks and services.

use crate::backend::proxmox::kinds::{DISKS, POOLS, SERVICES};
use crate::backend::proxmox::wire::{Disk, Service, Zpool};
use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Health, Row, Tone};

use super::{Place, share, size};

/// From here on ZFS becomes slow.
const FULL: f64 = 0.85;

fn row(kind: &str, place: &Place, node: &str, name: &str, cells: Vec<Cell>) -> Row {
    let mut row =
        Row::new(EntityId::new(kind, place.instance.clone(), format!("{node}/{name}")), name, cells);
    row.domain = place.domain;
    row.identity = Identity::new().with("node", node).with("name", name);
    row
}

fn with(mut row: Row, health: Health, note: Option<String>) -> Row {
    row.health = health;
    row.note = note.map(Into::into);
    if let Some(first) = row.cells.first_mut() {
        first.tone = health.into();
    }
    row
}

/// A pool's row.
pub fn pool(pool: &Zpool, node: &str, place: &Place) -> Option<Row> {
    let name = pool.name.as_deref()?;
    let state = pool.health.as_deref().unwrap_or("unknown");
    let full = share(pool.alloc, pool.size);
    let (health, why) = match (state, full) {
        ("ONLINE", Some(full)) if full >= FULL => {
            (Health::Warning, Some(format!("{:.0} % full", full * 100.0)))
        }
        ("ONLINE", _) => (Health::Ok, None),
        ("DEGRADED", _) => (Health::Warning, Some("a device is missing or faulty".to_owned())),
        ("FAULTED" | "SUSPENDED" | "UNAVAIL" | "REMOVED", _) => {
            (Health::Critical, Some("its data cannot be reached".to_owned()))
        }
        _ => (Health::Unknown, None),
    };
    let cells = vec![
        Cell::new(state.to_lowercase().as_str()),
        Cell::new(name),
        Cell::new(node),
        size(pool.alloc),
        size(pool.size),
        Cell::toned(full, if full.is_some_and(|full| full >= FULL) { Tone::Warn } else { Tone::Text }),
        Cell::new(pool.frag.map(|percent| percent / 100.0)),
    ];
    Some(with(row(POOLS, place, node, name, cells), health, why))
}

/// A disk's row.
pub fn disk(disk: &Disk, node: &str, place: &Place) -> Option<Row> {
    let name = disk.devpath.as_deref()?;
    let state = disk.health.as_deref().unwrap_or("UNKNOWN");
    let life = disk.wearout.map(|percent| percent / 100.0);
    let (word, health, why) = match state {
        "PASSED" | "OK" => ("ok", Health::Ok, None),
        state if state.starts_with("FAIL") => {
            ("failing", Health::Critical, Some("SMART expects it to fail".to_owned()))
        }
        // Lists are asked without SMART, so that sleeping disks go on sleeping.
        _ => ("not asked", Health::Unknown, None),
    };
    let (health, why) = match life {
        Some(life) if life <= 0.1 && health != Health::Critical => {
            (Health::Warning, Some(format!("{:.0} % of its life left", life * 100.0)))
        }
        _ => (health, why),
    };
    let cells = vec![
        Cell::new(word),
        Cell::new(name),
        Cell::new(node),
        Cell::new(disk.kind.as_deref().unwrap_or_default()),
        Cell::new(disk.model.as_deref().unwrap_or_default()),
        Cell::new(disk.serial.as_deref().unwrap_or_default()),
        size(disk.size),
        Cell::new(life),
        Cell::new(disk.used.as_deref().unwrap_or_default()),
    ];
    Some(with(row(DISKS, place, node, name, cells), health, why))
}

/// A service's row.
pub fn service(service: &Service, node: &str, place: &Place) -> Option<Row> {
    let name = service.name.as_deref()?;
    let state = service.state.as_deref().unwrap_or("unknown");
    let enabled = service.unit_state.as_deref() == Some("enabled");
    let (health, why) = match service.active_state.as_deref() {
        Some("failed") => (Health::Warning, Some("failed".to_owned())),
        Some("active") => (Health::Ok, None),
        // A single host runs no corosync, and that is well.
        Some("inactive") if !enabled => (Health::Off, None),
        Some("inactive") => (Health::Warning, Some("enabled, but it does not run".to_owned())),
        Some(_) => (Health::Pending, None),
        None => (Health::Unknown, None),
    };
    let cells = vec![
        Cell::new(state),
        Cell::new(name),
        Cell::new(node),
        Cell::new(service.unit_state.as_deref().unwrap_or_default()),
        Cell::new(service.desc.as_deref().unwrap_or_default()),
    ];
    Some(with(row(SERVICES, place, node, name, cells), health, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::row::Domain;

    fn place() -> Place {
        Place { instance: "pve".into(), domain: Domain::Home }
    }

    #[test]
    fn services_are_judged_by_what_they_should_do() {
        let cases = [
            (
                r#"{"service":"pveproxy","state":"running","active-state":"active","unit-state":"enabled"}"#,
                Health::Ok,
            ),
            (
                r#"{"service":"corosync","state":"dead","active-state":"inactive","unit-state":"disabled"}"#,
                Health::Off,
            ),
            (
                r#"{"service":"chrony","state":"dead","active-state":"inactive","unit-state":"enabled"}"#,
                Health::Warning,
            ),
            (
                r#"{"service":"ksmtuned","state":"failed","active-state":"failed","unit-state":"enabled"}"#,
                Health::Warning,
            ),
        ];
        for (json, health) in cases {
            let read: Service = serde_json::from_str(json).unwrap();
            assert_eq!(service(&read, "pve", &place()).unwrap().health, health, "{json}");
        }
    }

    #[test]
    fn disks_and_pools_tell_the_worst_first() {
        let failing: Disk =
            serde_json::from_str(r#"{"devpath":"/dev/sda","health":"FAILED!","wearout":"N/A"}"#).unwrap();
        assert_eq!(disk(&failing, "pve", &place()).unwrap().health, Health::Critical);
        let worn: Disk =
            serde_json::from_str(r#"{"devpath":"/dev/nvme0n1","health":"PASSED","wearout":"7"}"#).unwrap();
        assert_eq!(disk(&worn, "pve", &place()).unwrap().health, Health::Warning);
        let degraded: Zpool =
            serde_json::from_str(r#"{"name":"tank","health":"DEGRADED","size":10,"alloc":4}"#).unwrap();
        assert_eq!(pool(&degraded, "pve", &place()).unwrap().health, Health::Warning);
    }
}
