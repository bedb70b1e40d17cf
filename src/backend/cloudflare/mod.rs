//! Cloudflare as far as the platform stands behind it: tunnels and their connections, the gates of Access, service tokens and
//! when they end, and names that lead past the tunnel. Only read: whatever is wrong here is mended in Git.

mod client;
pub mod front;
mod kinds;
mod rows;
#[cfg(feature = "demo")]
mod sim;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::config::{Cloudflare as Settings, Config};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::op::{Rights, Target};
use crate::model::row::{Domain, Row, Tone, Value};
use crate::model::snapshot::{Cadence, Mode, Snapshot, SourceSpec};
use crate::model::time::{Clock, seconds_between, short};
use crate::model::view::{Doc, Fact, View};

use super::broken::Broken;
use super::error::ApiError;
use super::{Backend, Definition, Diagnosis, Finding, ViewSink, show_at_pace};

use client::Client;

/// The backend's id.
const ID: &str = "cloudflare";
/// How often an open description is read again.
const PACE: Duration = Duration::from_secs(30);
/// A token that ends sooner than this wants attention, in seconds.
const SOON: i64 = 14 * 86_400;

/// Cloudflare in the registry.
pub const DEFINITION: Definition = Definition {
    id: ID,
    kinds: kinds::all,
    operations: Vec::new,
    connect,
    #[cfg(feature = "demo")]
    simulators: sim::simulators,
};

struct Cloudflare {
    client: Client,
    place: rows::Place,
    zones: Vec<String>,
    clock: Clock,
}

fn connect(config: &Config, clock: &Clock) -> Vec<Arc<dyn Backend>> {
    let one = |settings: &Settings| -> Arc<dyn Backend> {
        let connection = &settings.connection;
        match Client::new(settings) {
            Ok(client) => Arc::new(Cloudflare {
                client,
                place: rows::Place { instance: connection.name.clone(), domain: connection.domain },
                zones: settings.zones.clone(),
                clock: clock.clone(),
            }),
            Err(error) => {
                let instance = connection.name.clone();
                let sources = sources(&instance, connection.domain);
                Arc::new(Broken { id: ID, instance, sources, fault: error.fault })
            }
        }
    };
    config.cloudflare.iter().map(one).collect()
}

fn sources(instance: &Arc<str>, domain: Domain) -> Vec<SourceSpec> {
    let spec = |feed: &str, kind: &str, focused, visible, hidden| SourceSpec {
        id: SourceId::new(ID, instance.clone(), feed),
        kinds: vec![kind.into()],
        mode: Mode::Poll(Cadence { focused, visible, hidden }),
        domain,
    };
    vec![
        spec("tunnels", kinds::TUNNELS, 15, 30, 60),
        spec("access", kinds::ACCESS, 60, 300, 900),
        spec("service-tokens", kinds::SERVICE_TOKENS, 60, 300, 900),
        spec("dns", kinds::DNS, 60, 300, 900),
    ]
}

impl Cloudflare {
    async fn poll_feed(&self, feed: &str) -> Result<Snapshot, ApiError> {
        let now = self.clock.now();
        let (rows, gaps): (Vec<Row>, Vec<String>) = match feed {
            "tunnels" => {
                let mut rows = Vec::new();
                for tunnel in self.client.tunnels().await? {
                    let connectors = self.client.connectors(&tunnel.id).await.ok();
                    rows.extend(rows::tunnel(&tunnel, connectors.as_deref(), &self.place));
                }
                (rows, Vec::new())
            }
            "access" => {
                let mut rows = Vec::new();
                for app in self.client.access().await? {
                    let policies = self.client.policies(&app.id).await.ok();
                    rows.extend(rows::access(&app, policies.as_deref(), &self.place));
                }
                (rows, Vec::new())
            }
            "service-tokens" => {
                let tokens = self.client.service_tokens().await?;
                (
                    tokens.iter().filter_map(|token| rows::service_token(token, &self.place, now)).collect(),
                    Vec::new(),
                )
            }
            "dns" => self.names().await?,
            _ => return Err(ApiError::unsupported(format!("cloudflare has no source `{feed}`"))),
        };
        Ok(Snapshot { rows, complete: gaps.is_empty(), observed_at: now, notes: gaps })
    }

    /// The names of every configured zone, held against the tunnels that there are.
    async fn names(&self) -> Result<(Vec<Row>, Vec<String>), ApiError> {
        let tunnels = self.client.tunnels().await?;
        let (mut rows, mut gaps) = (Vec::new(), Vec::new());
        if self.zones.is_empty() {
            gaps.push("no `zones` are configured".to_owned());
        }
        for name in &self.zones {
            match self.client.zone(name).await? {
                Some(zone) => {
                    let records = self.client.records(&zone.id).await?;
                    rows.extend(
                        records.iter().filter_map(|record| rows::name(record, &tunnels, &self.place)),
                    );
                }
                None => gaps.push(format!("the token sees no zone {name}")),
            }
        }
        Ok((rows, gaps))
    }

    async fn row(&self, id: &EntityId) -> Result<Row, ApiError> {
        let rows = self.poll_feed(id.kind.name()).await?.rows;
        let gone = || ApiError::unsupported(format!("{id} does not exist any more")).status(404);
        rows.into_iter().find(|row| row.id == *id).ok_or_else(gone)
    }

    async fn describe(&self, id: &EntityId) -> Result<Doc, ApiError> {
        let row = self.row(id).await?;
        let kind = kinds::all().into_iter().find(|kind| kind.id == id.kind);
        let columns = kind.map(|kind| kind.columns).unwrap_or_default();
        let why = Fact::new("why", row.note.as_deref().unwrap_or_default()).tone(Tone::from(row.health));
        let cells = columns.into_iter().zip(row.cells.iter()).map(|(column, cell)| Fact {
            label: column.title,
            value: cell.value.clone(),
            format: column.format,
            tone: cell.tone,
        });
        let facts = cells.chain([why]).filter(|fact| fact.value != Value::Empty).collect();
        Ok(Doc::default().facts(id.kind.name().to_owned(), facts))
    }
}

#[async_trait]
impl Backend for Cloudflare {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.place.instance
    }

    fn sources(&self) -> Vec<SourceSpec> {
        sources(&self.place.instance, self.place.domain)
    }

    async fn poll(&self, source: &SourceId) -> Result<Snapshot, ApiError> {
        self.poll_feed(&source.feed).await
    }

    async fn resolve(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let snapshot = self.poll_feed(kind.name()).await?;
        let named = snapshot.rows.iter().filter(|row| &*row.name == exact);
        Ok(named.map(Target::from).collect())
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        if view != "describe" {
            return Err(ApiError::unsupported(format!("{} has no view `{view}`", id.kind)));
        }
        let doc = || async { self.describe(id).await.map(View::Doc) };
        show_at_pace(&sink, PACE, doc).await
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        self.client.verify().await?;
        Ok(Rights::default())
    }

    async fn doctor(&self) -> Diagnosis {
        let mut diagnosis = Diagnosis { rights: Some(Rights::default()), ..Diagnosis::default() };
        let start = Instant::now();
        match self.client.verify().await {
            Err(error) => {
                let hint = if error.fault.hint.is_empty() {
                    String::new()
                } else {
                    format!("; {}", error.fault.hint)
                };
                diagnosis.findings.push(Finding::new("auth", format!("{error}{hint}"), Tone::Error));
                return diagnosis;
            }
            Ok(token) => {
                let took = start.elapsed().as_millis();
                diagnosis.findings.push(Finding::new("reach", format!("answers in {took} ms"), Tone::Ok));
                diagnosis.token_ends = token.expires_on.time();
                if let Some(ends) = diagnosis.token_ends {
                    let left = seconds_between(self.clock.now(), ends);
                    let tone = if left < SOON { Tone::Warn } else { Tone::Ok };
                    diagnosis.findings.push(Finding::new("token", format!("ends in {}", short(left)), tone));
                }
            }
        }
        for (feed, scope) in kinds::SCOPES {
            let finding = match self.poll_feed(feed).await {
                Ok(snapshot) if snapshot.complete => {
                    Finding::new("rights", format!("{feed} can be read"), Tone::Ok)
                }
                Ok(snapshot) => Finding::new("rights", snapshot.notes.join("; "), Tone::Warn),
                Err(error) => Finding::new("rights", format!("{feed} needs {scope}: {error}"), Tone::Warn),
            };
            diagnosis.findings.push(finding);
        }
        diagnosis
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        Ok(self.row(target).await?.identity)
    }
}

#[cfg(test)]
mod tests;
