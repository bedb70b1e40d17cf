//! What the connectors at the edge need: Cloudflare, GitHub, and addresses that are tried from outside and inside.

use std::sync::Arc;
use std::time::Duration;

use super::connector::Connection;
use super::secret::Secret;
use crate::model::row::Domain;

/// One `[[cloudflare]]`: an account and its zones.
#[derive(Debug, Clone)]
pub struct Cloudflare {
    /// Where its API is.
    pub connection: Connection,
    /// An API token that may read tunnels, Access, service tokens and DNS.
    pub token: Secret,
    /// The account's id.
    pub account: String,
    /// The names of the zones whose records are compared with the tunnels.
    pub zones: Vec<String>,
}

/// One `[[github]]`: a repository whose Actions are watched.
#[derive(Debug, Clone)]
pub struct Github {
    /// Where the API is.
    pub connection: Connection,
    /// A fine-grained token with Actions read and write on the one repository.
    pub token: Secret,
    /// `owner/name`.
    pub repo: String,
    /// The branch on which workflows are dispatched unless something else is said.
    pub branch: String,
}

/// What an address should answer to somebody without a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expect {
    /// The application itself.
    #[default]
    Open,
    /// Authentik's forward-auth sends it to the login.
    Login,
    /// Cloudflare Access sends it to its login.
    Access,
    /// The application itself says no.
    Refused,
}

impl Expect {
    /// The word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Login => "login",
            Self::Access => "access",
            Self::Refused => "refused",
        }
    }
}

/// One `[[probe]]`: an address that is tried without cookies, from outside and, where there is a way, from inside.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The address as everybody reaches it.
    pub edge: Connection,
    /// The same behind the edge, with the name of the first as its `Host`.
    pub origin: Option<Connection>,
    /// What it should answer.
    pub expect: Expect,
    /// What stands in front of it, by which failures are folded into one.
    pub gate: Option<String>,
    /// The failure domain.
    pub domain: Domain,
    /// How long each leg may take.
    pub timeout: Duration,
}

/// The workflow that swaps the key of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The `[[github]]` whose repository holds it.
    pub github: Arc<str>,
    /// Its file name.
    pub workflow: String,
    /// The input that takes the token's identifier.
    pub input: String,
}
