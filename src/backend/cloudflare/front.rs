//! What stands at the edge in front of names, for whoever has to know whether another gate stands there.

use crate::backend::error::ApiError;
use crate::config::Cloudflare as Settings;
use crate::model::snapshot::Layer;

use super::client::Client;
use super::wire::AccessApp;

/// Gates and names of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Front {
    /// The gates of Access that ask people for a login.
    pub doors: Vec<Door>,
    /// The names that people reach something by.
    pub names: Vec<Published>,
}

/// A gate of Access in front of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// What it calls itself.
    pub name: String,
    /// The host, which may begin with `*.`.
    pub host: String,
    /// The part of the host that it guards; empty where it guards all of it.
    pub path: String,
}

/// A name in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The host.
    pub host: String,
    /// Whether it shows an address instead of leading through the edge.
    pub bare: bool,
}

impl Front {
    /// The gate in front of a host.
    pub fn door(&self, host: &str) -> Option<&Door> {
        let fits = |door: &&Door| match door.host.strip_prefix('*') {
            Some(end) => host.len() > end.len() && host.ends_with(end),
            None => door.host == host,
        };
        self.doors.iter().find(fits)
    }

    /// Reads it through connections of its own, which end with it: it is asked for seldom.
    pub async fn read(accounts: &[Settings]) -> Result<Self, ApiError> {
        let mut front = Self::default();
        for settings in accounts {
            let own = settings.clone();
            // A token may come from a command that takes its time.
            let client = tokio::task::spawn_blocking(move || Client::new(&own)).await;
            let client = client.map_err(|error| ApiError::new(Layer::Config, error.to_string()))??;
            front.add_doors(&client).await?;
            front.add_names(&client, &settings.zones).await?;
        }
        Ok(front)
    }

    async fn add_doors(&mut self, client: &Client) -> Result<(), ApiError> {
        for app in client.access().await? {
            let open = |decision: &str| decision == "bypass";
            let policies = client.policies(&app.id).await?;
            if !policies.iter().any(|policy| open(&policy.decision)) {
                self.doors.extend(doors(&app));
            }
        }
        Ok(())
    }

    async fn add_names(&mut self, client: &Client, zones: &[String]) -> Result<(), ApiError> {
        for name in zones {
            let Some(zone) = client.zone(name).await? else { continue };
            for record in client.records(&zone.id).await? {
                let address = matches!(record.kind.as_str(), "A" | "AAAA");
                if address || record.kind.as_str() == "CNAME" {
                    let bare = address && !record.proxied.is_true();
                    self.names.push(Published { host: record.name.to_lowercase(), bare });
                }
            }
        }
        Ok(())
    }
}

fn doors(app: &AccessApp) -> Vec<Door> {
    let hosts = app.domain.some().into_iter().chain(app.self_hosted_domains.iter());
    let mut doors: Vec<Door> = hosts
        .map(|text| {
            let (host, path) =
                text.split_once('/').map_or((text, String::new()), |(host, path)| (host, format!("/{path}")));
            Door { name: app.name.to_string(), host: host.to_lowercase(), path }
        })
        .collect();
    doors.dedup();
    doors
}
