//! Addresses tried as a stranger would: without cookies, from outside through the edge and from inside past it. A pod
//! that runs is no proof that anybody gets in; what an address answers is.

mod decide;
mod door;
mod kinds;
mod rows;
#[cfg(feature = "demo")]
mod sim;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use crate::config::{Config, Connection, Probe as Settings};
use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::kind::Format;
use crate::model::op::{Rights, Target};
use crate::model::row::{Domain, Row, Tone, Value};
use crate::model::snapshot::{Cadence, Fault, Mode, Snapshot, SourceSpec};
use crate::model::time::Clock;
use crate::model::view::{Doc, Fact, View};

use super::error::ApiError;
use super::http::{Call, Http, Profile};
use super::{Backend, Definition, Diagnosis, Finding, ViewSink, show_at_pace};

use decide::Look;

pub use door::{Door, Tried};

/// The backend's id, and the name of its only instance.
const ID: &str = "probe";
/// How often an open description is read again.
const PACE: Duration = Duration::from_secs(15);
/// So much of an answer is read.
const LIMIT: usize = 256 << 10;
/// So many addresses are tried at once.
const IN_FLIGHT: usize = 4;

/// Probes in the registry.
pub const DEFINITION: Definition = Definition {
    id: ID,
    kinds: kinds::all,
    operations: Vec::new,
    connect,
    #[cfg(feature = "demo")]
    simulators: sim::simulators,
};

/// One way to an address.
struct Way {
    url: String,
    http: Result<Http, ApiError>,
}

/// An address with its ways.
struct Address {
    name: Arc<str>,
    settings: Settings,
    edge: Way,
    origin: Option<Way>,
}

/// What one way answered.
#[derive(Debug, Clone)]
pub struct Leg {
    /// What was met, or why nothing was.
    pub met: Result<Look, Fault>,
    /// How long it took, in seconds.
    pub took: f64,
    /// When the certificate that was shown ends.
    pub certificate: Option<Timestamp>,
}

struct Probes {
    instance: Arc<str>,
    addresses: Vec<Address>,
    clock: Clock,
}

fn connect(config: &Config, clock: &Clock) -> Vec<Arc<dyn Backend>> {
    if config.probe.is_empty() {
        return Vec::new();
    }
    let addresses = config.probe.iter().map(Address::new).collect();
    vec![Arc::new(Probes { instance: ID.into(), addresses, clock: clock.clone() })]
}

impl Way {
    fn new(connection: &Connection) -> Self {
        let auth = [("accept", "text/html,application/json;q=0.9,*/*;q=0.8".to_owned())];
        // Every try is a connection of its own, as a stranger's is.
        let profile = Profile { idle: Duration::from_secs(1), in_flight: 1, ..Profile::default() };
        Self { url: connection.url.clone(), http: Http::new(connection, &auth, &profile) }
    }

    async fn walk(&self) -> Leg {
        let start = Instant::now();
        let reply = match &self.http {
            Ok(http) => http.look(&Call::get("").limit(LIMIT)).await,
            Err(error) => Err(error.clone()),
        };
        let took = start.elapsed().as_secs_f64();
        match reply {
            Ok(reply) => Leg { certificate: reply.certificate_ends, met: Ok(decide::look(&reply)), took },
            Err(error) => Leg { certificate: None, met: Err(error.fault), took },
        }
    }
}

impl Address {
    fn new(settings: &Settings) -> Self {
        let edge = Way::new(&settings.edge);
        let origin = settings.origin.as_ref().map(Way::new);
        Self { name: settings.edge.name.clone(), settings: settings.clone(), edge, origin }
    }

    /// Both ways at once.
    async fn walk(&self) -> (Leg, Option<Leg>) {
        let inner = async {
            match &self.origin {
                Some(way) => Some(way.walk().await),
                None => None,
            }
        };
        futures_util::join!(self.edge.walk(), inner)
    }
}

impl Probes {
    async fn walked(&self) -> Vec<rows::Walked<'_>> {
        let each = stream::iter(0..self.addresses.len()).map(|at| async move {
            let address = &self.addresses[at];
            let (edge, origin) = address.walk().await;
            rows::Walked { name: &address.name, settings: &address.settings, edge, origin }
        });
        each.buffered(IN_FLIGHT).collect().await
    }

    async fn rows(&self) -> Vec<Row> {
        rows::all(&self.walked().await, &self.instance, self.clock.now())
    }

    async fn describe(&self, id: &EntityId) -> Result<Doc, ApiError> {
        let address = self.addresses.iter().find(|address| address.name == id.key);
        let Some(address) = address else { return self.describe_gate(id).await };
        let (edge, origin) = address.walk().await;
        let walked = rows::Walked { name: &address.name, settings: &address.settings, edge, origin };
        let verdict = walked.verdict();
        let facts = vec![
            Fact::new("state", verdict.word).format(Format::State).tone(Tone::from(verdict.health)),
            Fact::new("why", verdict.why.as_str()),
            Fact::new("failing layer", verdict.layer),
            Fact::new("should answer", address.settings.expect.word()),
            Fact::new("gate", address.settings.gate.as_deref().unwrap_or_default()),
        ];
        let facts = facts.into_iter().filter(|fact| fact.value != Value::Empty).collect();
        let mut doc = Doc::default().facts("probe", facts);
        doc = doc.facts("through the edge", leg_facts(&address.edge.url, &walked.edge));
        if let (Some(way), Some(leg)) = (&address.origin, &walked.origin) {
            doc = doc.facts("past the edge", leg_facts(&way.url, leg));
        }
        Ok(doc)
    }

    async fn describe_gate(&self, id: &EntityId) -> Result<Doc, ApiError> {
        let row = self.rows().await.into_iter().find(|row| row.id == *id);
        let row = row.ok_or_else(|| ApiError::unsupported(format!("{id} is not configured")))?;
        let why = row.note.as_deref().unwrap_or_default().to_owned();
        let state =
            Fact::new("state", row.cell(0).value.clone()).format(Format::State).tone(row.cell(0).tone);
        Ok(Doc::default().facts("gate", vec![state, Fact::new("why", why.as_str())]))
    }
}

fn leg_facts(url: &str, leg: &Leg) -> Vec<Fact> {
    let mut facts = vec![Fact::new("address", url)];
    match &leg.met {
        Ok(look) => {
            facts.push(Fact::new("met", look.what.words()));
            facts.push(Fact::new("status", i64::from(look.status)));
            facts.push(Fact::new("said", look.raw.as_str()).tone(Tone::Dim));
            facts.push(Fact::new("cf-ray", look.ray.as_str()).tone(Tone::Dim));
        }
        Err(fault) => {
            facts.push(Fact::new("failing layer", fault.layer.to_string().as_str()).tone(Tone::Error));
            facts.push(Fact::new("error", fault.to_string().as_str()).tone(Tone::Error));
            facts.push(Fact::new("hint", fault.hint.as_str()).tone(Tone::Dim));
        }
    }
    facts.push(Fact::new("took", format!("{:.0} ms", leg.took * 1000.0).as_str()));
    facts.push(Fact::new("certificate ends in", leg.certificate).format(Format::Until));
    facts.retain(|fact| fact.value != Value::Empty);
    facts
}

#[async_trait]
impl Backend for Probes {
    fn id(&self) -> &'static str {
        ID
    }

    fn instance(&self) -> &Arc<str> {
        &self.instance
    }

    fn sources(&self) -> Vec<SourceSpec> {
        vec![SourceSpec {
            id: SourceId::new(ID, self.instance.clone(), "probes"),
            kinds: vec![kinds::PROBES.into()],
            mode: Mode::Poll(Cadence { focused: 15, visible: 30, hidden: 60 }),
            domain: Domain::Edge,
        }]
    }

    async fn poll(&self, _source: &SourceId) -> Result<Snapshot, ApiError> {
        let rows = self.rows().await;
        Ok(Snapshot::complete(rows, self.clock.now()))
    }

    async fn resolve(&self, _kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let named = self.addresses.iter().filter(|address| &*address.name == exact);
        let target = |address: &Address| Target {
            id: EntityId::new(kinds::PROBES, self.instance.clone(), address.name.clone()),
            name: address.name.clone(),
            identity: Identity::new().with("url", address.edge.url.as_str()),
            domain: address.settings.domain,
        };
        Ok(named.map(target).collect())
    }

    async fn open(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        if view != "describe" {
            return Err(ApiError::unsupported(format!("{} has no view `{view}`", id.kind)));
        }
        let doc = || async { self.describe(id).await.map(View::Doc) };
        show_at_pace(&sink, PACE, doc).await
    }

    async fn rights(&self) -> Result<Rights, ApiError> {
        Ok(Rights::default())
    }

    async fn doctor(&self) -> Diagnosis {
        let mut diagnosis = Diagnosis { rights: Some(Rights::default()), ..Diagnosis::default() };
        for walked in self.walked().await {
            let verdict = walked.verdict();
            // That an address does not answer as it should is for the list to say; what the doctor asks is whether it can be tried.
            let tone = match &walked.edge.met {
                Err(fault) if fault.layer == crate::model::snapshot::Layer::Config => Tone::Error,
                _ if verdict.word == "ok" => Tone::Ok,
                _ => Tone::Warn,
            };
            diagnosis.findings.push(Finding::new(
                "reach",
                format!("{}: {} {}", walked.name, verdict.word, verdict.why),
                tone,
            ));
            let ends = walked.edge.certificate;
            diagnosis.certificate_ends = [diagnosis.certificate_ends, ends].into_iter().flatten().min();
        }
        diagnosis
    }

    async fn identify(&self, target: &EntityId) -> Result<Identity, ApiError> {
        let address = self.addresses.iter().find(|address| address.name == target.key);
        let address = address.ok_or_else(|| ApiError::unsupported(format!("{target} is not configured")))?;
        Ok(Identity::new().with("url", address.edge.url.as_str()))
    }
}

#[cfg(test)]
mod tests;
