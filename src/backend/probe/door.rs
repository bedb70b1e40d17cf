//! An address that is tried on behalf of others: whoever says that something runs may ask here whether anybody gets in.

use std::sync::Arc;

use crate::config::Probe as Settings;
use crate::model::row::Health;

use super::{Address, rows};

/// A configured address, made to be tried.
pub struct Door(Address);

/// What a stranger met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The probe's name.
    pub name: Arc<str>,
    /// Whether that is as it should be.
    pub health: Health,
    /// What was met, and what that means.
    pub says: String,
}

impl Door {
    /// The probes of these hosts, in the order of the configuration.
    pub fn of(probes: &[Settings], hosts: &[String]) -> Vec<Self> {
        let fits = |probe: &&Settings| {
            rows::host(probe).is_some_and(|host| hosts.iter().any(|known| known.eq_ignore_ascii_case(&host)))
        };
        probes.iter().filter(fits).map(|probe| Self(Address::new(probe))).collect()
    }

    /// Tries it once, both ways where there are two.
    pub async fn look(&self) -> Tried {
        let Address { name, settings, .. } = &self.0;
        let (edge, origin) = self.0.walk().await;
        let walked = rows::Walked { name, settings, edge, origin };
        let verdict = walked.verdict();
        let met = rows::told(&walked.edge);
        let says = if verdict.why.is_empty() { met } else { verdict.why };
        Tried { name: name.clone(), health: verdict.health, says }
    }
}
