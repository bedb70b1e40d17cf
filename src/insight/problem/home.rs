//! The house as one thing: where it does not answer, everything that lives there fails with it.

use crate::model::row::{Domain, Health, Tone};
use crate::model::snapshot::Absence;

use super::Sight;
use super::symptom::{Sign, Symptom};

/// Why the house does not answer, where it does not.
pub(super) fn absence(sight: &Sight<'_>) -> Option<Absence> {
    sight.store.sources().find_map(|source| source.absence)
}

/// How bad that is: a loss is amber at first and red once it has lasted.
pub(super) fn health(absence: Absence, sight: &Sight<'_>) -> Health {
    match absence.tone(sight.now) {
        Tone::Error | Tone::Danger => Health::Critical,
        _ => Health::Warning,
    }
}

/// What its silence means, in words.
pub(super) fn words(absence: Absence) -> &'static str {
    match absence {
        Absence::Declared(_) => "off, and declared so",
        Absence::Clean => "shut down in order, but nobody has declared it",
        Absence::Lost(_) => "lost: it does not answer, and no shutdown was seen",
    }
}

/// The symptoms that a dark house explains.
pub(super) fn members(symptoms: &[Symptom], sight: &Sight<'_>) -> Vec<usize> {
    if absence(sight).is_none() {
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
