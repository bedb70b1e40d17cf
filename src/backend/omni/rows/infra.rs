//! Rows of `omni.machineclasses`, `omni.providers`, `omni.requests` and `omni.tokens`.

use std::sync::Arc;

use super::Judgement;
use crate::backend::omni::feed::{Feed, Lens, Shelf, Shelved};
use crate::backend::omni::kinds::{MACHINE_CLASSES, PROVIDERS, REQUESTS, TOKENS};
use crate::backend::omni::wire::{
    ClusterRequestStatus, JoinToken, MachineClass, MachineRequest, MachineRequestStatus, Provider,
};
use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row, Tone};

fn row(kind: &'static str, lens: &Lens, id: &str, name: &str, judged: Judgement, cells: Vec<Cell>) -> Row {
    let mut row = Row::new(EntityId::new(kind, lens.instance.clone(), id), name, cells);
    row.health = judged.health;
    row.note = judged.note.map(Arc::from);
    row.domain = lens.domain;
    row.identity = Identity::new().with("id", id);
    row
}

/// What the machine classes' rows are made of.
#[derive(Debug, Default)]
pub(in crate::backend::omni) struct MachineClasses(Shelf<MachineClass>);

impl Feed for MachineClasses {
    const KIND: &'static str = MACHINE_CLASSES;

    fn shelves(&mut self) -> Vec<&mut dyn Shelved> {
        vec![&mut self.0]
    }

    fn ids(&self) -> Vec<Arc<str>> {
        self.0.ids().cloned().collect()
    }

    fn row(&self, id: &str, lens: &Lens) -> Option<Row> {
        let class = self.0.of(id)?;
        let provider = class.spec.provider();
        let mut judged = Judgement::new(Health::Ok);
        let word = match (provider, class.spec.match_labels.is_empty()) {
            (Some(_), _) => "provisions",
            (None, false) => "selects",
            (None, true) => {
                judged
                    .at_least(Health::Warning, "neither selector nor autoprovision: it never gets a machine");
                "empty"
            }
        };
        let cells = vec![
            Cell::toned(word, judged.health.into()),
            Cell::new(id),
            Cell::new(provider.unwrap_or_default()),
            Cell::new(class.spec.match_labels.join(" or ").as_str()),
            Cell::new(class.metadata.created),
        ];
        Some(row(MACHINE_CLASSES, lens, id, id, judged, cells))
    }
}

/// What the infrastructure providers' rows are made of.
#[derive(Debug, Default)]
pub(in crate::backend::omni) struct Providers(Shelf<Provider>);

impl Feed for Providers {
    const KIND: &'static str = PROVIDERS;

    fn shelves(&mut self) -> Vec<&mut dyn Shelved> {
        vec![&mut self.0]
    }

    fn ids(&self) -> Vec<Arc<str>> {
        self.0.ids().cloned().collect()
    }

    fn row(&self, id: &str, lens: &Lens) -> Option<Row> {
        let provider = &self.0.of(id)?.spec;
        let health = &provider.health;
        let mut judged = Judgement::new(Health::Ok);
        let word = if health.connected {
            "connected"
        } else {
            let why = if health.error.is_empty() { "no heartbeat" } else { &health.error };
            judged.at_least(Health::Warning, why);
            "disconnected"
        };
        if !health.error.is_empty() {
            judged.at_least(Health::Warning, health.error.as_str());
        }
        let cells = vec![
            Cell::toned(word, judged.health.into()),
            Cell::new(id),
            Cell::new(provider.name.as_str()),
            Cell::toned(health.error.as_str(), Tone::Warn),
            Cell::new(provider.description.as_str()),
            Cell::new(provider.version.as_str()),
        ];
        Some(row(PROVIDERS, lens, id, id, judged, cells))
    }
}

/// What the machine requests' rows are made of.
#[derive(Debug, Default)]
pub(in crate::backend::omni) struct Requests {
    orders: Shelf<MachineRequest>,
    statuses: Shelf<MachineRequestStatus>,
    clusters: Shelf<ClusterRequestStatus>,
}

impl Feed for Requests {
    const KIND: &'static str = REQUESTS;

    fn shelves(&mut self) -> Vec<&mut dyn Shelved> {
        vec![&mut self.orders, &mut self.statuses, &mut self.clusters]
    }

    fn ids(&self) -> Vec<Arc<str>> {
        self.orders.ids().cloned().collect()
    }

    fn row(&self, id: &str, lens: &Lens) -> Option<Row> {
        let request = self.orders.of(id)?;
        let status = self.statuses.spec(id).cloned().unwrap_or_default();
        let place = self.clusters.of(id);
        let (word, health) = match status.stage {
            _ if request.metadata.tearing_down() => ("deprovisioning", Health::Pending),
            1 => ("provisioning", Health::Pending),
            2 => ("provisioned", Health::Ok),
            3 => ("failed", Health::Critical),
            _ => ("pending", Health::Pending),
        };
        let mut judged = Judgement::new(health);
        let error = if status.error.is_empty() { &status.last_error } else { &status.error };
        if !error.is_empty() && health != Health::Ok {
            judged.at_least(health.min(Health::Warning), error.as_str());
        }
        let provider = request.metadata.label("infra-provider-id");
        let provider = provider.or(place.map(|place| place.spec.provider_id.as_str())).unwrap_or_default();
        let cells = vec![
            Cell::toned(word, judged.health.into()),
            Cell::new(id),
            Cell::new(place.and_then(|place| place.metadata.label("cluster")).unwrap_or_default()),
            Cell::new(provider),
            Cell::new(status.status.as_str()),
            Cell::toned(error.as_str(), Tone::Warn),
            Cell::new(request.metadata.created),
        ];
        let mut row = row(REQUESTS, lens, id, id, judged, cells);
        if !status.id.is_empty() {
            let uuid = Facet::new(FacetKey::MachineUuid, status.id.to_ascii_lowercase(), Grade::Certain);
            row.facets = Box::new([uuid]);
        }
        Some(row)
    }
}

/// What the join tokens' rows are made of; the tokens themselves are never shown.
#[derive(Debug, Default)]
pub(in crate::backend::omni) struct Tokens(Shelf<JoinToken>);

impl Feed for Tokens {
    const KIND: &'static str = TOKENS;

    fn shelves(&mut self) -> Vec<&mut dyn Shelved> {
        vec![&mut self.0]
    }

    fn ids(&self) -> Vec<Arc<str>> {
        self.0.ids().cloned().collect()
    }

    fn row(&self, id: &str, lens: &Lens) -> Option<Row> {
        let token = self.0.of(id)?;
        let spec = &token.spec;
        let (word, health) = match spec.state {
            1 => ("active", Health::Ok),
            2 => ("revoked", Health::Off),
            3 => ("expired", Health::Off),
            _ => ("unknown", Health::Unknown),
        };
        let name = if spec.name.is_empty() { id } else { &spec.name };
        let cells = vec![
            Cell::toned(word, health.into()),
            Cell::new(name),
            Cell::new(spec.is_default),
            Cell::new(spec.use_count),
            Cell::new(spec.expiration_time),
            Cell::new(token.metadata.created),
        ];
        Some(row(TOKENS, lens, id, name, Judgement::new(health), cells))
    }
}
