//! Waking a host: sent by vigie itself, as nobody else is awake to do it.

use crate::backend::error::{ApiError, SendError};
use crate::backend::proxmox::find;
use crate::backend::proxmox::kinds::NODES;
use crate::backend::proxmox::wire::{NodeConfig, Version};
use crate::backend::proxmox::{Proxmox, wol};
use crate::backend::{Proof, Receipt};
use crate::config::connector::hardware_address;
use crate::model::id::Identity;
use crate::model::op::{Decision, Evidence, Job, OpSpec, Tier, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

use super::observe::{judged, refuse};

pub(super) fn spec() -> OpSpec {
    OpSpec::on(
        NODES,
        "proxmox.wake",
        "wake",
        Tier::T1,
        "Sends the host a Wake-on-LAN packet from this machine.",
    )
    .right("none: it is sent from this machine")
    .warn_if_blind()
}

impl Proxmox {
    pub(super) async fn judge_wake(&self, job: &Job) -> Result<Verdict, ApiError> {
        let node = &*job.target.id.key;
        let mut findings = Vec::new();
        match self.address(node).await {
            Some(_) => {
                let says = format!("sent to {}; nobody acknowledges it", self.wake_to);
                findings.push((Decision::Allow, Evidence::new("packet", says, Tone::Text)));
            }
            None => findings
                .push(refuse("address", format!("its hardware address is not known: set `wake` for {node}"))),
        }
        Ok(judged(format!("wakes {node}"), Identity::new().with("node", node), findings))
    }

    /// A host's hardware address: as configured, else as the host itself tells it while it is up.
    async fn address(&self, node: &str) -> Option<[u8; 6]> {
        if let Some(mac) = self.wake.get(node) {
            return Some(*mac);
        }
        let config: NodeConfig =
            self.client.get(&format!("/nodes/{}/config", find::safe(node)?)).await.ok()?;
        let text = config.wakeonlan?;
        let first = text.split(',').next().unwrap_or_default();
        hardware_address(first.strip_prefix("mac=").unwrap_or(first))
    }

    pub(super) async fn send_wake(&self, job: &Job) -> Result<Receipt, SendError> {
        let node = &*job.target.id.key;
        let Some(mac) = self.address(node).await else {
            return Err(SendError::NotSent(Fault::new(Layer::Config, "its hardware address is not known")));
        };
        let sent = wol::send(mac, self.wake_to).await;
        sent.map_err(|error| {
            SendError::NotSent(Fault::new(Layer::Tcp, "the packet could not be sent").raw(error.to_string()))
        })?;
        Ok(Receipt { remote: None, said: "sent; nobody acknowledges it".to_owned(), reveal: None })
    }

    /// A host is awake once its API answers; booting takes minutes, so that silence proves nothing.
    pub(super) async fn awake(&self) -> Proof {
        match self.client.get::<Version>("/version").await {
            Ok(_) => Proof::Seen("its API answers".to_owned()),
            Err(error) => {
                let says = format!("its API does not answer yet ({error})");
                Proof::Unclear(says, "look at it in some minutes".to_owned())
            }
        }
    }
}
