//! What is watched beside the platform's own servers: container hosts, logs, a phone's notifications, and services
//! that must stay where they are.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::connector::{Connection, HttpAuth};
use crate::model::row::Domain;

/// One `[[docker]]`: the containers of a host.
#[derive(Debug, Clone)]
pub struct Docker {
    /// The instance's name, unique over its table.
    pub name: Arc<str>,
    /// How its engine is reached.
    pub way: DockerWay,
    /// The failure domain of the host.
    pub domain: Domain,
    /// How long one request may take.
    pub timeout: Duration,
    /// The names of the containers that may be restarted from here.
    pub restart: Vec<String>,
}

/// How a Docker engine is reached.
#[derive(Debug, Clone)]
pub enum DockerWay {
    /// A unix socket of this machine.
    Socket(PathBuf),
    /// HTTP, normally a proxy that lets only some calls through to the socket.
    Http(Box<Connection>),
    /// `ssh HOST docker system dial-stdio`.
    Ssh(String),
}

/// One `[[loki]]`: where logs are kept.
#[derive(Debug, Clone)]
pub struct Loki {
    /// Where it is, without `/loki/api/v1`.
    pub connection: Connection,
    /// How it wants to be told who asks.
    pub auth: HttpAuth,
    /// The tenant, where it keeps several apart (`X-Scope-OrgID`).
    pub tenant: Option<String>,
    /// A Grafana that shows it, and the uid of its data source there.
    pub grafana: Option<(String, String)>,
}

/// One `[[ntfy]]`: what a phone is told.
#[derive(Debug, Clone)]
pub struct Ntfy {
    /// Where it is.
    pub connection: Connection,
    /// How it wants to be told who asks.
    pub auth: HttpAuth,
    /// The topics that are read.
    pub topics: Vec<String>,
    /// The topic that a test message is published to.
    pub publish: Option<String>,
}

/// One `[[pinned]]`: a service that must stay on its node and keep its address.
#[derive(Debug, Clone)]
pub struct Pinned {
    /// Its name.
    pub name: Arc<str>,
    /// The `[[kubernetes]]` that runs it.
    pub kubernetes: Arc<str>,
    /// Its namespace.
    pub namespace: String,
    /// What its pods' names begin with.
    pub pod: String,
    /// The node that it must stay on, where it has one.
    pub node: Option<String>,
    /// The address that others must see it come from.
    pub egress: Option<IpAddr>,
    /// A URL that answers with the address that the service is seen to come from.
    pub egress_url: Option<Box<Connection>>,
    /// An expression whose only series carries that address in its label `ip`.
    pub egress_query: Option<String>,
    /// An expression for its uptime over 30 days, 0..1.
    pub uptime_query: Option<String>,
    /// The part of the time that it must be up, 0..1.
    pub target: f64,
    /// The `[[prometheus]]` that the expressions are asked of.
    pub prometheus: Option<Arc<str>>,
    /// Whether an operation that would move it is refused, not only warned of.
    pub block: bool,
}
