//! Ways in: the command that opens a terminal on a host or in a guest, as single arguments and never as a line for a
//! shell of ours, and the page of its screen for a browser.

use crate::model::id::EntityId;

use super::Proxmox;
use super::client::element;
use super::find::safe;
use super::guest::{Family, GuestKey};
use super::kinds::{GUESTS, NODES};

impl Proxmox {
    /// The command for a row; `None` where there is no way in.
    pub(super) fn shell_of(&self, id: &EntityId) -> Option<Vec<String>> {
        match id.kind.as_str() {
            NODES => self.on(safe(&id.key)?, &[]),
            GUESTS => {
                let guest = GuestKey::of(id)?;
                let node = self.memory().known(guest.vmid)?.node.clone()?;
                let enter = match guest.family {
                    Family::Qemu => ["qm", "terminal"],
                    Family::Lxc => ["pct", "enter"],
                };
                self.on(safe(&node)?, &[enter[0], enter[1], &guest.vmid.to_string()])
            }
            _ => None,
        }
    }

    /// The page of a guest's screen (noVNC), of a container's or a host's terminal, or of anything else in the web
    /// interface; it asks for its own login.
    pub(super) fn page_of(&self, id: &EntityId) -> Option<String> {
        let base = &self.page;
        match id.kind.as_str() {
            GUESTS => {
                let guest = GuestKey::of(id)?;
                let known = self.memory().known(guest.vmid)?.clone();
                let (node, name) = (known.node?, element(&known.name));
                let (console, screen) = match guest.family {
                    Family::Qemu => ("kvm", "novnc=1"),
                    Family::Lxc => ("lxc", "xtermjs=1"),
                };
                let (node, vmid) = (safe(&node)?, guest.vmid);
                Some(format!("{base}/?console={console}&{screen}&vmid={vmid}&vmname={name}&node={node}"))
            }
            NODES => Some(format!("{base}/?console=shell&xtermjs=1&node={}", safe(&id.key)?)),
            _ => None,
        }
    }

    /// The way to a host with something to do there.
    fn on(&self, node: &str, command: &[&str]) -> Option<Vec<String>> {
        if self.shell.is_empty() {
            return None;
        }
        let way = self.shell.iter().map(|word| word.replace("{node}", node));
        Some(way.chain(command.iter().map(|word| (*word).to_owned())).collect())
    }
}
