use std::sync::Arc;

use crate::model::id::EntityId;
use crate::model::row::{Domain, Facet, FacetKey, Grade, Row};

use super::{Aliases, Index, Relation, related};

fn row(kind: &str, name: &str, facets: Vec<Facet>) -> Arc<Row> {
    let mut row = Row::new(EntityId::new(kind, "x", name), name, vec![]);
    row.facets = facets.into_boxed_slice();
    row.domain = Domain::Home;
    Arc::new(row)
}

fn facet(key: FacetKey, value: &str, grade: Grade) -> Facet {
    Facet::new(key, value, grade)
}

fn index(rows: &[Arc<Row>]) -> Index {
    let mut index = Index::default();
    for row in rows {
        index.update(&row.id, Some(row));
    }
    index
}

/// A guest, its machine, node, pod, application, tile and outpost, and an alert about the pod.
fn chain() -> Vec<Arc<Row>> {
    use FacetKey::{App, Gate, Host, MachineUuid, Node, Object};
    use Grade::{Certain, Hint, Likely};
    vec![
        row("proxmox.guests", "worker", vec![facet(MachineUuid, "4c4c", Certain)]),
        row("omni.machines", "m1", vec![facet(MachineUuid, "4c4c", Certain)]),
        row(
            "kubernetes.nodes",
            "worker",
            vec![facet(MachineUuid, "4c4c", Certain), facet(Node, "prod/worker", Certain)],
        ),
        row(
            "kubernetes.pods",
            "romm-0",
            vec![
                facet(Object, "prod/media/romm-0", Certain),
                facet(Node, "prod/worker", Certain),
                facet(App, "romm", Likely),
            ],
        ),
        row("argocd.applications", "romm", vec![facet(App, "romm", Certain)]),
        row(
            "authentik.applications",
            "romm-tile",
            vec![
                facet(App, "romm", Hint),
                facet(Host, "romm.lab.example", Likely),
                facet(Gate, "proxy", Certain),
            ],
        ),
        row("authentik.outposts", "proxy", vec![facet(Gate, "proxy", Certain)]),
        row("alerts.alerts", "NotReady", vec![facet(Object, "prod/media/romm-0", Likely)]),
    ]
}

fn seen(rows: &[Arc<Row>], of: usize) -> Vec<(String, Relation, Grade)> {
    let found = related(&rows[of], &index(rows));
    found.into_iter().map(|one| (one.id.kind.to_string(), one.relation, one.grade)).collect()
}

#[test]
fn from_a_guest_one_sees_everything_that_stands_on_it() {
    let rows = chain();
    let found = seen(&rows, 0);
    let expected = [
        ("kubernetes.nodes", Relation::Same, Grade::Certain),
        ("omni.machines", Relation::Same, Grade::Certain),
        ("kubernetes.pods", Relation::Below, Grade::Certain),
        ("argocd.applications", Relation::Below, Grade::Likely),
    ];
    assert_eq!(found, expected.map(|(kind, relation, grade)| (kind.to_owned(), relation, grade)));
}

#[test]
fn from_an_alert_one_sees_what_it_is_about() {
    let rows = chain();
    assert_eq!(seen(&rows, 7), [("kubernetes.pods".to_owned(), Relation::Subject, Grade::Likely)]);
}

#[test]
fn a_tile_needs_the_gate_in_front_of_it_and_resembles_an_application() {
    let rows = chain();
    let found = seen(&rows, 5);
    assert!(found.contains(&("authentik.outposts".to_owned(), Relation::Above, Grade::Certain)), "{found:?}");
    assert!(found.contains(&("argocd.applications".to_owned(), Relation::Same, Grade::Hint)), "{found:?}");
}

#[test]
fn two_machines_that_claim_one_uuid_are_both_shown_as_a_conflict() {
    let uuid = || vec![facet(FacetKey::MachineUuid, "4c4c", Grade::Certain)];
    let rows = [
        row("proxmox.guests", "original", uuid()),
        row("proxmox.guests", "copy", uuid()),
        row("omni.machines", "m1", uuid()),
    ];
    let found = related(&rows[2], &index(&rows));
    let conflicts: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.conflict.as_deref())).collect();
    assert_eq!(conflicts, [("copy", Some("original")), ("original", Some("copy"))]);
}

#[test]
fn addresses_join_only_within_their_network_and_some_never() {
    let ip = |value: &str| vec![facet(FacetKey::Ip, value, Grade::Likely)];
    let mut far = Row::clone(&row("kubernetes.nodes", "far", ip("192.0.2.10")));
    far.domain = Domain::Cloud;
    let rows = [
        row("proxmox.guests", "near", ip("192.0.2.10")),
        row("kubernetes.nodes", "node", ip("192.0.2.10")),
        Arc::new(far),
        row("omni.machines", "m", ip("fe80::1")),
        row("kubernetes.nodes", "n", ip("fe80::1")),
    ];
    let found = related(&rows[0], &index(&rows));
    assert_eq!(found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["node"]);
    assert!(related(&rows[3], &index(&rows)).is_empty());
}

#[test]
fn what_the_operator_says_is_certain() {
    let mut aliases = Aliases::default();
    let id = |kind: &str, name: &str| EntityId::new(kind, "x", name);
    aliases.same(id("kubernetes.nodes", "n"), id("omni.machines", "m"));
    aliases.cluster("oci-cloud", "cloud");
    let mut index = Index::new(aliases);
    let rows = [
        row("kubernetes.nodes", "n", vec![facet(FacetKey::Node, "cloud/n", Grade::Certain)]),
        row("omni.machines", "m", vec![]),
        row("alerts.alerts", "a", vec![facet(FacetKey::Node, "oci-cloud/n", Grade::Likely)]),
    ];
    for row in &rows {
        index.update(&row.id, Some(row));
    }
    let found: Vec<_> =
        related(&rows[0], &index).into_iter().map(|one| (one.name, one.relation, one.grade)).collect();
    assert_eq!(
        found,
        [("m".to_owned(), Relation::Same, Grade::Certain), ("a".to_owned(), Relation::Remark, Grade::Likely)]
    );
}

#[test]
fn only_what_changed_is_indexed_anew_and_what_went_is_forgotten() {
    let rows = chain();
    let mut index = index(&rows);
    assert_eq!(index.len(), rows.len());
    let moved = row("kubernetes.pods", "romm-0", vec![facet(FacetKey::Node, "prod/other", Grade::Certain)]);
    index.update(&moved.id, Some(&moved));
    assert!(!related(&rows[0], &index).iter().any(|one| one.name == "romm-0"));
    index.update(&moved.id, None);
    assert_eq!(index.len(), rows.len() - 1);
    for row in &rows {
        index.update(&row.id, None);
    }
    assert!(index.is_empty());
}

#[test]
fn a_number_that_a_provider_gave_joins_a_node_with_its_guest_and_the_alert_about_it() {
    let guest = || vec![facet(FacetKey::Guest, "qemu/221", Grade::Likely)];
    let mut rows = vec![
        row("kubernetes.nodes", "talos-abc-xyz", guest()),
        row("proxmox.guests", "worker", guest()),
        row("alerts.alerts", "PveVm/ctDown", guest()),
    ];
    let found = seen(&rows, 0);
    assert_eq!(found[0], ("proxmox.guests".to_owned(), Relation::Same, Grade::Likely));
    assert_eq!(seen(&rows, 2)[0].1, Relation::Subject, "{found:?}");
    // Another Proxmox VE may have given the same number: both are shown as likely, and neither is followed.
    rows.push(row("proxmox.guests", "other", guest()));
    let grades: Vec<Grade> =
        seen(&rows, 0).into_iter().filter(|one| one.1 == Relation::Same).map(|one| one.2).collect();
    assert_eq!(grades, [Grade::Likely, Grade::Likely]);
}
