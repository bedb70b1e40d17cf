//! A simulated cluster that is served to the tests of this backend, and of those that work through it.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::backend::kubernetes::client::Cluster;
use crate::backend::kubernetes::sim::{self, lab::Lab, lab::Labs};
use crate::backend::sim::{Running, World, serve};
use crate::config;
use crate::model::row::Domain;
use crate::model::time::Clock;

/// When the tests begin.
pub const START: &str = "2026-11-20T03:00:00Z";

/// A cluster that is served, and who speaks to it.
pub struct Served {
    /// Its state.
    pub lab: Arc<Lab>,
    /// Its client, with a short time-out.
    pub cluster: Arc<Cluster>,
    _file: tempfile::NamedTempFile,
    _running: Running,
}

/// A clock that runs fifty times as fast as ours, so that what takes minutes ends soon.
pub fn quick() -> Clock {
    let clock = Clock::manual(START.parse().unwrap());
    let hands = clock.clone();
    tokio::spawn(async move {
        loop {
            hands.advance(SignedDuration::from_millis(500));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    clock
}

/// Serves a cluster of a world.
pub async fn serve_cluster(world: &Arc<World>, name: &str) -> Served {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let lab = Labs::of(world).get(name).unwrap().clone();
    let found = sim::simulators(world).into_iter().find(|s| s.server.ends_with(name)).unwrap();
    let (running, _) = serve(found, world.clone()).await.unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(sim::kubeconfig(name, &lab.token, &running.address).as_bytes()).unwrap();
    let cluster = Cluster::new(config::Kubernetes {
        name: name.into(),
        kubeconfig: Some(file.path().to_owned()),
        context: None,
        domain: Domain::Cloud,
        timeout: Duration::from_millis(800),
    });
    Served { lab, cluster, _file: file, _running: running }
}
