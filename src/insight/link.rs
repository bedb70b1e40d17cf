//! Links: rows of different systems that are the same thing, or belong together, with the evidence for it.

use std::collections::HashMap;

use crate::model::id::EntityId;
use crate::model::row::{Facet, FacetKey, Grade, Row};
use crate::model::store::Store;

/// A row that shares a facet with another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The other row.
    pub id: EntityId,
    /// Its name.
    pub name: String,
    /// What they share.
    pub key: FacetKey,
    /// The shared value.
    pub value: String,
    /// How much it proves: the weaker of both claims.
    pub grade: Grade,
}

/// Every other row that shares a facet with this one, the strongest evidence first, each row once.
pub fn related(row: &Row, store: &Store) -> Vec<Related> {
    let mine: HashMap<(FacetKey, &str), &Facet> =
        row.facets.iter().map(|facet| ((facet.key, &*facet.value), facet)).collect();
    let shared = |other: &Row| {
        let common = other.facets.iter().filter_map(|theirs| {
            let ours = mine.get(&(theirs.key, &*theirs.value))?;
            Some((ours.grade.max(theirs.grade), theirs))
        });
        common.min_by_key(|(grade, _)| *grade).map(|(grade, facet)| Related {
            id: other.id.clone(),
            name: other.name.to_string(),
            key: facet.key,
            value: facet.value.to_string(),
            grade,
        })
    };
    let mut found: Vec<Related> =
        store.all_rows().filter(|other| other.id != row.id).filter_map(|other| shared(other)).collect();
    found.sort_by(|a, b| a.grade.cmp(&b.grade).then_with(|| a.id.cmp(&b.id)));
    found
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use crate::model::id::SourceId;
    use crate::model::row::Domain;
    use crate::model::snapshot::{Delta, Epoch, Mode, Snapshot, SourceSpec, Update};

    use super::*;

    fn row(kind: &str, name: &str, facets: Vec<Facet>) -> Row {
        let mut row = Row::new(EntityId::new(kind, "x", name), name, vec![]);
        row.facets = facets.into_boxed_slice();
        row
    }

    #[test]
    fn rows_are_joined_by_what_they_share_and_the_weaker_claim_counts() {
        let uuid = |grade| Facet::new(FacetKey::MachineUuid, "4c4c", grade);
        let name = Facet::new(FacetKey::Name, "worker-1", Grade::Hint);
        let guest = row("proxmox.guests", "worker-1", vec![uuid(Grade::Certain), name.clone()]);
        let rows = vec![
            guest.clone(),
            row("omni.machines", "m1", vec![name.clone(), uuid(Grade::Certain)]),
            row("kubernetes.nodes", "worker-1", vec![uuid(Grade::Likely)]),
            row("argocd.applications", "worker-1", vec![name]),
            row("kubernetes.pods", "other", vec![]),
        ];
        let id = SourceId::new("t", "x", "all");
        let kinds = rows.iter().map(|row| row.id.kind.clone()).collect();
        let mut store =
            Store::new([SourceSpec { id: id.clone(), kinds, mode: Mode::Watch, domain: Domain::Unknown }]);
        let snapshot = Snapshot::complete(rows, Timestamp::UNIX_EPOCH);
        store.apply(Update { source: id, epoch: Epoch(1), body: Ok(Delta::Reset(snapshot)) });

        let found: Vec<_> =
            related(&guest, &store).into_iter().map(|r| (r.id.kind.to_string(), r.key, r.grade)).collect();
        let expected = [
            ("omni.machines".to_owned(), FacetKey::MachineUuid, Grade::Certain),
            ("kubernetes.nodes".to_owned(), FacetKey::MachineUuid, Grade::Likely),
            ("argocd.applications".to_owned(), FacetKey::Name, Grade::Hint),
        ];
        assert_eq!(found, expected);
    }
}
