//! Whether users get in: the addresses of an application, tried as a stranger does where a probe says how.

use jiff::Timestamp;

use crate::backend::probe::{Door, Tried};
use crate::config::Probe;

use crate::model::time::seconds_between;

use super::super::wire::Application;

/// An address is not tried again sooner, in seconds.
const AGAIN: i64 = 15;

/// The addresses of one application, and what was met there the last time.
#[derive(Default)]
pub struct Users {
    hosts: Vec<String>,
    doors: Vec<Door>,
    tried: Vec<Tried>,
    at: Option<Timestamp>,
}

impl Users {
    /// What is met at these hosts, as of a moment ago.
    pub async fn look(&mut self, probes: &[Probe], hosts: Vec<String>, now: Timestamp) -> &[Tried] {
        if self.hosts != hosts {
            *self = Self { doors: Door::of(probes, &hosts), hosts, ..Self::default() };
        }
        if self.at.is_none_or(|at| seconds_between(at, now) >= AGAIN) {
            self.at = Some(now);
            self.tried = each(&self.doors).await;
        }
        &self.tried
    }
}

/// What is met now at the addresses that Argo CD knows of an application.
pub async fn tried(probes: &[Probe], app: &Application) -> Vec<Tried> {
    each(&Door::of(probes, &hosts(app).collect::<Vec<_>>())).await
}

async fn each(doors: &[Door]) -> Vec<Tried> {
    futures_util::future::join_all(doors.iter().map(Door::look)).await
}

/// The hosts of an application's own addresses.
pub fn hosts(app: &Application) -> impl Iterator<Item = String> {
    let host = |address: &str| Some(url::Url::parse(address).ok()?.host_str()?.to_owned());
    app.status.summary.external_urls.iter().filter_map(host)
}
