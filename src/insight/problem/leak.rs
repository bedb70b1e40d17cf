//! What eats the room that something else needs: an ephemeral cluster past its time, where memory is short.

use crate::model::id::EntityId;
use crate::model::row::{Health, Row};

use super::symptom::{Sign, Symptom};
use super::{Cause, Point, Sight};

/// Kinds that suffer where memory is short.
const SUFFER: [&str; 2] = ["vigie.pinned", "kubernetes.nodes"];

/// A leaked cluster as the suspected cause of what one thing suffers; only where something says that memory is short.
pub(super) fn suspect(head: Option<&EntityId>, symptoms: &[Symptom], sight: &Sight<'_>) -> Option<Cause> {
    let head = head.filter(|head| SUFFER.contains(&head.kind.as_str()))?;
    let domain = sight.store.get(head)?.domain;
    let short = symptoms.iter().find_map(memory).or_else(|| evicted(sight))?;
    let leaked =
        symptoms.iter().filter_map(Symptom::row).find(|row| is_leaked(row) && row.domain == domain)?;
    let note = leaked.note.as_deref().unwrap_or("past its time");
    let points = vec![
        Point::new(3, format!("memory is short: {short}")),
        Point::new(2, format!("{} {note}, and still holds memory of the same machines", leaked.name)),
    ];
    Some(Cause { text: format!("leaked {} {note}", leaked.name), id: Some(leaked.id.clone()), points })
}

fn is_leaked(row: &Row) -> bool {
    row.id.kind.as_str() == "omni.clusters"
        && row.health != Health::Ok
        && row.note.as_deref().is_some_and(|note| note.starts_with("expired"))
}

/// An alert about memory, in words.
fn memory(symptom: &Symptom) -> Option<String> {
    let Sign::Row(row) = &symptom.sign else { return None };
    let says = symptom.is_alert() && row.name.to_lowercase().contains("memory");
    says.then(|| {
        format!("{} {}", row.name, row.cell(3).value.as_text().unwrap_or_default()).trim_end().to_owned()
    })
}

/// A pod that was put out for lack of memory.
fn evicted(sight: &Sight<'_>) -> Option<String> {
    let kind = "kubernetes.events".into();
    let told = |row: &&std::sync::Arc<Row>| row.note.as_deref() == Some("Evicted");
    sight.store.rows(&kind).find(told).map(|row| format!("{} was evicted", row.name))
}
