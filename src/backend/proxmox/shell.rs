//! The command that opens a terminal on a host or in a guest: single arguments, never a line for a shell of ours.

use crate::model::id::EntityId;

use super::Proxmox;
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

    /// The way to a host with something to do there.
    fn on(&self, node: &str, command: &[&str]) -> Option<Vec<String>> {
        if self.shell.is_empty() {
            return None;
        }
        let way = self.shell.iter().map(|word| word.replace("{node}", node));
        Some(way.chain(command.iter().map(|word| (*word).to_owned())).collect())
    }
}
