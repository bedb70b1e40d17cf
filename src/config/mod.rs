//! Configuration: raw TOML in, validated settings out, and every way to be wrong explained.
//!
//! Raw settings are optional everywhere, valid settings nowhere: what a backend receives has been checked, so that
//! nothing behind this door asks "is it set?" again.

mod check;
pub mod checklist;
pub mod colour;
pub mod connector;
pub mod edge;
pub mod env;
pub mod key;
pub mod keymap;
mod layered;
pub mod load;
pub mod oncall;
mod quote;
mod raw;
pub mod report;
pub mod secret;
mod source;
pub mod suggest;
pub mod theme;
pub mod ui;
mod valid;
pub mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use colour::Depth;
pub use connector::{
    Alertmanager, ArgoCd, Authentik, Connection, Ephemeral, HttpAuth, Kubernetes, MemoryBudget, Omni,
    Pipeline, Prometheus, Promotion, Proxmox, Trust,
};
pub use edge::{Cloudflare, Expect, Github, Probe, Rotation};
pub use env::Env;
pub use load::{EXAMPLE, Loaded, load};
pub use report::{Report, Reports};
pub use secret::{Secret, SecretError, SecretSource};
pub use ui::{Refresh, Ui};
pub use watch::{Docker, DockerWay, Loki, Ntfy, Pinned};

/// Everything the user has set, checked and completed with defaults.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Proxmox VE clusters or single hosts.
    pub proxmox: Vec<Proxmox>,
    /// Omni instances.
    pub omni: Vec<Omni>,
    /// Kubernetes contexts.
    pub kubernetes: Vec<Kubernetes>,
    /// Argo CD instances.
    pub argocd: Vec<ArgoCd>,
    /// Authentik instances.
    pub authentik: Vec<Authentik>,
    /// Alertmanagers; members of one cluster share [`Alertmanager::cluster`].
    pub alertmanager: Vec<Alertmanager>,
    /// Prometheus servers.
    pub prometheus: Vec<Prometheus>,
    /// Hosts whose containers are watched.
    pub docker: Vec<Docker>,
    /// Where logs are kept.
    pub loki: Vec<Loki>,
    /// What a phone is told.
    pub ntfy: Vec<Ntfy>,
    /// Services that must stay where they are.
    pub pinned: Vec<Pinned>,
    /// How alerts are judged.
    pub alerts: Alerts,
    /// What the operator knows that no server tells.
    pub oncall: oncall::OnCall,
    /// Cloudflare accounts.
    pub cloudflare: Vec<Cloudflare>,
    /// Repositories on GitHub.
    pub github: Vec<Github>,
    /// Addresses that are tried.
    pub probe: Vec<Probe>,
    /// Checklists of your own.
    pub checklists: Vec<checklist::Checklist>,
    /// How the console looks and how often it asks.
    pub ui: Ui,
    /// Limits of what the console does to the platform.
    pub guard: Guard,
    /// Who acts: the author of silences, invitations and journal lines.
    pub operator: Arc<str>,
    /// What was wrong but could be replaced by a default, such as a theme; shown on the screen.
    pub warnings: Vec<Report>,
}

/// Limits of what the console does to the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// How long writes stay armed.
    pub armed_for: Duration,
    /// The longest silence that may be created.
    pub longest_silence: Duration,
}

/// How alerts are judged: the table `[alerts]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// What other words of the label `severity` mean, as one of `critical`, `major`, `warning`, `info`, `none`.
    pub severity: BTreeMap<String, String>,
    /// The name of the alert that always fires, whose absence means that alerts do not arrive.
    pub watchdog: String,
}

impl Default for Alerts {
    fn default() -> Self {
        Self { severity: BTreeMap::new(), watchdog: "Watchdog".to_owned() }
    }
}

impl Default for Guard {
    fn default() -> Self {
        Self { armed_for: Duration::from_secs(600), longest_silence: Duration::from_secs(8 * 3600) }
    }
}

impl Config {
    /// Whether no connector is configured at all, so that there is nothing to show but the welcome page.
    pub fn is_empty(&self) -> bool {
        self.proxmox.is_empty()
            && self.omni.is_empty()
            && self.kubernetes.is_empty()
            && self.argocd.is_empty()
            && self.authentik.is_empty()
            && self.alertmanager.is_empty()
            && self.prometheus.is_empty()
            && self.docker.is_empty()
            && self.loki.is_empty()
            && self.ntfy.is_empty()
            && self.cloudflare.is_empty()
            && self.github.is_empty()
            && self.probe.is_empty()
    }
}
