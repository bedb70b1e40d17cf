//! The table `[[proxmox]]`: a host or cluster, what its memory may be used for, and how its hosts are woken and entered.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Validator;
use super::connection::domain;
use crate::config::connector::{MemoryBudget, Proxmox, hardware_address};
use crate::config::raw::Table;
use crate::config::source::Fault;

impl Validator<'_> {
    pub(super) fn proxmox(&self, table: &Table<'_>, name: Arc<str>) -> Option<Proxmox> {
        let domain = domain(table).unwrap_or_default();
        let connection = self.connection(table, name, domain, "\"https://pve.example:8006\"");
        let token = self.required_secret(table, "token");
        let budget = table.table("budget").map(budget).unwrap_or_default();
        let wake = table.table("wake").map(|hosts| wake(&hosts)).unwrap_or_default();
        let wake_to = table.checked("wake_to", |text| {
            let wrong = |_| {
                Fault::new(
                    "no address to send to",
                    "an IP address and a port",
                    "write it like `192.0.2.255:9`",
                )
            };
            text.parse().map_err(wrong)
        });
        let shell = table.list("shell").map(|words| words.iter().map(|word| word.value.to_owned()).collect());
        let default = Proxmox::new(connection?, token?);
        Some(Proxmox {
            budget,
            wake,
            wake_to: wake_to.unwrap_or(default.wake_to),
            shell: shell.unwrap_or_else(|| default.shell.clone()),
            ..default
        })
    }
}

/// Hosts and the hardware addresses that wake them.
fn wake(hosts: &Table<'_>) -> BTreeMap<String, [u8; 6]> {
    let entries = hosts.entries().filter_map(|(name, value)| {
        let text = hosts.as_text(name.value, value)?;
        let address = hardware_address(text.value);
        if address.is_none() {
            let cure = "write it like `\"BC:24:11:00:00:01\"`";
            hosts.note(text.span, Fault::new("no hardware address", "six pairs of hex digits", cure));
        }
        Some((name.value.to_owned(), address?))
    });
    entries.collect()
}

/// The table `budget` of a `[[proxmox]]`; sizes in GiB.
fn budget(table: Table<'_>) -> MemoryBudget {
    let default = MemoryBudget::default();
    let size = |key, default| table.decimal(key, 0.0..=65_536.0).unwrap_or(default);
    let part = |key, default| table.decimal(key, 0.0..=1.0).unwrap_or(default);
    let budget = MemoryBudget {
        ram: table.decimal("ram", 1.0..=65_536.0),
        host: size("host", default.host),
        arc: size("arc", default.arc),
        reserve: size("reserve", default.reserve),
        arc_floor: size("arc_floor", default.arc_floor),
        reclaim: part("reclaim", default.reclaim),
        overhead: size("overhead", default.overhead),
        overhead_part: part("overhead_part", default.overhead_part),
        tight_growth: part("tight_growth", default.tight_growth),
        tight_left: size("tight_left", default.tight_left),
    };
    table.finish();
    budget
}
