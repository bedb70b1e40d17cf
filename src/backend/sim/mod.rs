//! What the simulators share: one world with one clock, real sockets with real TLS, and faults on demand.
//!
//! The demo and the tests run the console against these servers over HTTP, so that nothing in the product
//! knows whether it talks to a simulator.

pub mod fault;
mod inject;
pub mod lab;
mod serve;

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use tokio::sync::watch;

use crate::model::time::Clock;

pub use fault::{Fault, FaultKind};
pub use serve::{Connection, Running, serve};

/// How large the simulated lab is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Guests on the simulated Proxmox cluster; 0 is the homelab as it is.
    pub guests: usize,
    /// Pods on the simulated Kubernetes; 0 is the homelab as it is.
    pub pods: usize,
    /// Machines of the simulated Omni beside those of the homelab.
    pub machines: usize,
    /// Applications of the simulated Argo CD beside those of the homelab.
    pub applications: usize,
}

/// The state that all simulators of one lab share.
#[derive(Debug)]
pub struct World {
    /// The lab's clock.
    pub clock: Clock,
    /// Where all its randomness comes from.
    pub seed: u64,
    /// The scenario's name (`calm`).
    pub scenario: String,
    /// How large it is.
    pub size: Size,
    faults: Mutex<Vec<Fault>>,
    flags: Mutex<BTreeMap<String, String>>,
    heard: Mutex<Option<Vec<String>>>,
    released: watch::Sender<bool>,
    shared: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl World {
    /// A calm lab of ordinary size on the system's clock.
    pub fn calm(seed: u64) -> Arc<Self> {
        Self::new(Clock::System, seed, "calm", Size::default())
    }

    /// A lab.
    pub fn new(clock: Clock, seed: u64, scenario: &str, size: Size) -> Arc<Self> {
        Arc::new(Self {
            clock,
            seed,
            scenario: scenario.to_owned(),
            size,
            faults: Mutex::default(),
            flags: Mutex::default(),
            heard: Mutex::default(),
            released: watch::Sender::new(false),
            shared: Mutex::default(),
        })
    }

    /// Makes something go wrong from now on.
    pub fn inject(&self, fault: Fault) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    /// Makes everything go right again.
    pub fn clear_faults(&self) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The faults that hit a request (`METHOD PATH`) now; those with a count are used up by it.
    pub fn faults_for(&self, server: &str, request: &str) -> Vec<FaultKind> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hits = Vec::new();
        for fault in faults.iter_mut().filter(|fault| fault.hits(server, request)) {
            if let Some(left) = &mut fault.left {
                *left -= 1;
            }
            hits.push(fault.kind.clone());
        }
        faults.retain(|fault| fault.left != Some(0));
        hits
    }

    /// Keeps in mind what is asked of the servers from now on.
    pub fn listen(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// Every request since [`Self::listen`], also those that a fault kept from their server, as `SERVER METHOD PATH`.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
    }

    fn note(&self, request: String) {
        if let Some(heard) = &mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner) {
            heard.push(request);
        }
    }

    /// Lets every request go on that [`FaultKind::Held`] holds up.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    async fn held(&self) {
        // It fails only where the world has ended.
        let _ = self.released.subscribe().wait_for(|released| *released).await;
    }

    /// True while a server is to show its second certificate.
    pub fn certificate_changed(&self, server: &str) -> bool {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter().any(|fault| fault.kind == FaultKind::CertificateChange && fault.is_for(server))
    }

    /// By how many seconds a server's clock is to be ahead.
    pub fn skew(&self, server: &str) -> i64 {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let skews = faults.iter().filter(|fault| fault.is_for(server)).map(|fault| match fault.kind {
            FaultKind::Skew(seconds) => seconds,
            _ => 0,
        });
        skews.sum()
    }

    /// The one state of its type in this lab, made by whoever asks first: how two simulators serve the same objects.
    pub fn share<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shared.get(&TypeId::of::<T>()).cloned().and_then(|any| any.downcast().ok()) {
            return known;
        }
        let new = Arc::new(make());
        shared.insert(TypeId::of::<T>(), new.clone());
        new
    }

    /// True while a server is switched off.
    pub fn is_off(&self, server: &str) -> bool {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter().any(|fault| fault.kind == FaultKind::Off && fault.is_for(server))
    }

    /// Sets a fact that other simulators look at (`home` = `off`).
    pub fn set(&self, flag: &str, value: &str) {
        self.flags.lock().unwrap_or_else(PoisonError::into_inner).insert(flag.to_owned(), value.to_owned());
    }

    /// A fact that some simulator set; empty where none did.
    pub fn get(&self, flag: &str) -> String {
        self.flags.lock().unwrap_or_else(PoisonError::into_inner).get(flag).cloned().unwrap_or_default()
    }
}

/// Where a simulator can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Its URL, without trailing slash.
    pub url: String,
    /// The SHA-256 of its certificate in hex, where it speaks TLS.
    pub fingerprint: Option<String>,
    /// Its certificate in PEM, where it speaks TLS.
    pub certificate: Option<String>,
}

/// One setting of the configuration that leads to a simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// A string.
    Text(String),
    /// Any TOML value, written as it is.
    Raw(String),
    /// A secret: written to a file of its own with mode 0600 and referred to.
    Secret(String),
    /// The contents of a file (a kubeconfig): written beside the configuration with mode 0600, its path becomes the setting.
    File(String),
}

/// The settings of one table, made once the address is known.
pub type Settings = Box<dyn Fn(&Address) -> Vec<(&'static str, Setting)> + Send>;

/// A server that is ready to be started.
pub struct Simulator {
    /// The name that faults and messages use (`proxmox`, `kubernetes-prod`).
    pub server: String,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// What it answers.
    pub router: Router,
    /// The configuration tables that lead to it: the table's name and its settings.
    pub tables: Vec<(&'static str, Settings)>,
}

#[cfg(test)]
mod tests;
