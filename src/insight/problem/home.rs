//! The house as one thing: where its hypervisor does not answer, everything that lives there fails with it.

use crate::model::row::Domain;
use crate::model::snapshot::SourceHealth;

use super::Sight;
use super::symptom::{Sign, Symptom};

/// What the house is known by: the systems that run everything in it.
const HYPERVISOR: &str = "proxmox";

/// True where the house has a hypervisor and none of its sources can be reached.
pub(super) fn is_dark(sight: &Sight<'_>) -> bool {
    let mut any = false;
    let dark = |health: &SourceHealth| matches!(health, SourceHealth::Stale(_) | SourceHealth::Off { .. });
    let all = sight
        .store
        .sources()
        .filter(|source| &*source.spec.id.backend == HYPERVISOR && source.spec.domain == Domain::Home)
        .all(|source| {
            any = true;
            dark(&source.health)
        });
    any && all
}

/// Whether the house announced that it would go.
pub(super) fn said_farewell(sight: &Sight<'_>) -> bool {
    sight
        .store
        .sources()
        .filter(|source| &*source.spec.id.backend == HYPERVISOR && source.spec.domain == Domain::Home)
        .any(crate::model::store::Source::has_left)
}

/// The symptoms that a dark house explains.
pub(super) fn members(symptoms: &[Symptom], sight: &Sight<'_>) -> Vec<usize> {
    if !is_dark(sight) {
        return Vec::new();
    }
    let explained = |symptom: &Symptom| match &symptom.sign {
        Sign::Blind { .. } | Sign::Run { .. } => symptom.domain == Domain::Home,
        // An alert's own domain is that of the server that tells it.
        Sign::Row(row) if symptom.is_alert() => row.facets.iter().all(|facet| {
            sight.index.named(facet.key, &facet.value).iter().all(|row| row.domain != Domain::Cloud)
        }),
        Sign::Row(row) => row.domain == Domain::Home,
    };
    symptoms.iter().enumerate().filter(|(_, symptom)| explained(symptom)).map(|(at, _)| at).collect()
}

/// When the house was last seen.
pub(super) fn seen_last(sight: &Sight<'_>) -> Option<jiff::Timestamp> {
    let of_house = sight
        .store
        .sources()
        .filter(|source| &*source.spec.id.backend == HYPERVISOR && source.spec.domain == Domain::Home);
    of_house.filter_map(|source| source.good_at).max()
}
