//! Refusals that no single server would give: an operation that would move a pinned service is stopped in the gate.

use crate::model::id::{EntityId, KindId};
use crate::model::op::{Decision, Evidence, OpSpec, Target, Verdict};
use crate::model::row::{Facet, FacetKey, Row, Tone};
use crate::model::store::Store;

use super::minded::{self, On};

/// The kind whose rows are the services that must stay.
pub const PINNED: &str = "vigie.pinned";

/// Operations that take a node, or what it runs on, away from what runs there.
const TAKES_AWAY: [&str; 14] = [
    "kubernetes.drain",
    "omni.reboot",
    "omni.power-off",
    "omni.upgrade-talos",
    "omni.upgrade-kubernetes",
    "omni.scale",
    "omni.patch",
    "proxmox.shutdown",
    "proxmox.stop",
    "proxmox.reboot",
    "proxmox.reset",
    "proxmox.suspend",
    "proxmox.migrate",
    "proxmox.rollback",
];
/// Operations that replace the pods of a workload, or one of them.
const REPLACES: [&str; 3] = ["kubernetes.delete-pod", "kubernetes.restart", "kubernetes.scale"];

/// What an operation acts on, as far as the gate knows it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its id.
    pub id: &'a EntityId,
    /// Its name.
    pub name: &'a str,
    /// How other systems know it; empty where its row is not at hand.
    pub facets: &'a [Facet],
}

/// The kinds whose rows an operation on a thing has to be guarded by; none where it moves nothing.
///
/// What takes a node away is judged by what the thing carries, so that its own row is needed as well.
pub fn kinds(op: &str, target: &EntityId) -> Vec<KindId> {
    let pinned = kind(op);
    let own = TAKES_AWAY.contains(&op).then(|| target.kind.clone());
    pinned.into_iter().chain(own).collect()
}

fn kind(op: &str) -> Option<KindId> {
    (TAKES_AWAY.contains(&op) || REPLACES.contains(&op)).then(|| KindId::from(PINNED))
}

/// A server's own verdict on a target, together with everything that other systems say to it.
#[must_use]
pub fn elsewhere(op: &OpSpec, target: &Target, verdict: Verdict, store: &Store) -> Verdict {
    let on = On { name: &target.name, domain: target.domain };
    let verdict = minded::with(op, on, verdict, store);
    let row = store.get(&target.id);
    let facets = row.map_or(&[][..], |row| &row.facets);
    with(&op.name, Subject { id: &target.id, name: &target.name, facets }, verdict, store)
}

/// A verdict with what the pinned services have to say to it; blind where they cannot all be seen.
#[must_use]
pub fn with(op: &str, subject: Subject<'_>, verdict: Verdict, store: &Store) -> Verdict {
    let Some(kind) = kind(op).filter(|kind| store.of_kind(kind).next().is_some()) else { return verdict };
    let found = store.rows(&kind).filter_map(|service| judge(op, subject, service));
    let verdict = found.fold(verdict, |verdict, (decision, evidence)| verdict.and(decision, evidence));
    if store.proves_absence(&kind) {
        return verdict;
    }
    let says = "the services that must stay cannot all be seen";
    verdict.and(Decision::Blind, Evidence::new("pinned", says, Tone::Unknown))
}

/// What one service has to say.
fn judge(op: &str, subject: Subject<'_>, service: &Row) -> Option<(Decision, Evidence)> {
    let away = TAKES_AWAY.contains(&op) && carries(subject, service);
    let replaced = REPLACES.contains(&op) && is_its_own(subject, service);
    let blocks = service.cell(9).value.as_text() == Some("block");
    let says = format!("{}: {}", service.name, wants(service));
    if away {
        let decision = if blocks { Decision::Refuse } else { Decision::Warn };
        let tone = if blocks { Tone::Error } else { Tone::Warn };
        return Some((decision, Evidence::new("pinned", format!("would move {says}"), tone)));
    }
    if !replaced {
        return None;
    }
    // One that is bound to its node comes back there, and one that has strayed has to be replaced to come back.
    let bound = service.cell(7).value.as_text() == Some("bound");
    let at_home = service.cell(0).value.as_text() == Some("ok");
    Some(if bound || !at_home || !blocks {
        (Decision::Warn, Evidence::new("pinned", format!("interrupts {says}"), Tone::Warn))
    } else {
        let why = format!("may move {says}; nothing binds it to its node");
        (Decision::Refuse, Evidence::new("pinned", why, Tone::Error))
    })
}

fn wants(service: &Row) -> String {
    let text = |column: usize| service.cell(column).value.as_text().unwrap_or_default();
    format!("runs on {}, seen from {}, wants {}", text(2), text(3), text(8))
}

/// Whether the service runs on it: its node, the machine under that, or the cluster around it.
fn carries(subject: Subject<'_>, service: &Row) -> bool {
    let nodes = service.facets.iter().filter(|facet| facet.key == FacetKey::Node);
    nodes.into_iter().any(|node| {
        let (cluster, name) = node.value.split_once('/').unwrap_or(("", &node.value));
        let shares =
            subject.facets.iter().any(|facet| facet.key == FacetKey::Node && facet.value == node.value);
        let same_node = subject.id.kind.as_str() == "kubernetes.nodes"
            && *subject.id.instance == *cluster
            && &*subject.id.key == name;
        let around = subject.id.kind.as_str() == "omni.clusters" && subject.name == cluster;
        // A machine or guest is known by the name of the node that it became.
        let under =
            ["omni.machines", "proxmox.guests"].contains(&subject.id.kind.as_str()) && subject.name == name;
        shares || same_node || around || under
    })
}

/// Whether it is one of the service's pods, or the workload that makes them.
fn is_its_own(subject: Subject<'_>, service: &Row) -> bool {
    let objects = service.facets.iter().filter(|facet| facet.key == FacetKey::Object);
    let own = format!("{}/{}", subject.id.instance, subject.id.key);
    objects.into_iter().any(|object| {
        let rest = object.value.strip_prefix(&own);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use crate::model::id::{Identity, SourceId};
    use crate::model::row::{Cell, Domain, Grade};
    use crate::model::snapshot::{Cadence, Delta, Epoch, Fault, Layer, Mode, Snapshot, SourceSpec, Update};

    use super::*;

    fn service(state: &str, pin: &str, guard: &str) -> Row {
        let cells = [
            state,
            "comet",
            "oci-node-1",
            "198.51.100.10",
            "",
            "",
            "",
            pin,
            "oci-node-1 198.51.100.10",
            guard,
        ];
        let cells = cells.map(Cell::new).to_vec();
        let mut row = Row::new(EntityId::new(PINNED, "pinned", "comet"), "comet", cells);
        row.facets = Box::new([
            Facet::new(FacetKey::Object, "cloud/media/comet-0", Grade::Certain),
            Facet::new(FacetKey::Node, "cloud/oci-node-1", Grade::Certain),
        ]);
        row
    }

    /// A store whose pinned services were answered so, or not at all.
    fn store(answer: Option<Result<Delta, Fault>>) -> Store {
        let id = SourceId::new("vigie", "pinned", "pinned");
        let mut store = Store::new([SourceSpec {
            id: id.clone(),
            kinds: vec![PINNED.into()],
            mode: Mode::Poll(Cadence { focused: 5, visible: 15, hidden: 60 }),
            domain: Domain::Cloud,
        }]);
        if let Some(body) = answer {
            store.apply(Update { source: id, epoch: Epoch(1), body });
        }
        store
    }

    fn seen(service: &Row) -> Delta {
        Delta::Reset(Snapshot::complete(vec![service.clone()], Timestamp::UNIX_EPOCH))
    }

    fn judged(op: &str, id: &str, name: &str, facets: &[Facet], store: &Store) -> Decision {
        let id = EntityId::parse(id).unwrap();
        with(op, Subject { id: &id, name, facets }, Verdict::allow("does it", Identity::new()), store)
            .decision
    }

    fn decision(op: &str, id: &str, name: &str, facets: &[Facet], service: &Row) -> Decision {
        judged(op, id, name, facets, &store(Some(Ok(seen(service)))))
    }

    #[test]
    fn services_that_cannot_be_seen_make_blind_whatever_could_move_them() {
        let partial = |mut list: Delta| {
            if let Delta::Reset(snapshot) = &mut list {
                snapshot.complete = false;
            }
            list
        };
        let other = "kubernetes.nodes/cloud/oci-node-2";
        let whole = seen(&service("ok", "bound", "block"));
        let cases = [
            ("kubernetes.drain", Some(Ok(whole.clone())), Decision::Allow),
            ("kubernetes.drain", Some(Ok(partial(whole))), Decision::Blind),
            ("kubernetes.drain", Some(Err(Fault::new(Layer::Tcp, "refused"))), Decision::Blind),
            ("kubernetes.drain", None, Decision::Blind),
            ("kubernetes.cordon", None, Decision::Allow),
        ];
        for (op, answer, expected) in cases {
            assert_eq!(judged(op, other, "oci-node-2", &[], &store(answer)), expected, "{op}");
        }
        assert_eq!(judged("kubernetes.drain", other, "oci-node-2", &[], &Store::default()), Decision::Allow);
    }

    #[test]
    fn what_would_move_a_pinned_service_is_refused_with_the_reason() {
        let node = "kubernetes.nodes/cloud/oci-node-1";
        let cases = [
            ("kubernetes.drain", node, "oci-node-1", Decision::Refuse),
            ("kubernetes.drain", "kubernetes.nodes/cloud/oci-node-2", "oci-node-2", Decision::Allow),
            ("kubernetes.drain", "kubernetes.nodes/prod/oci-node-1", "oci-node-1", Decision::Allow),
            ("kubernetes.cordon", node, "oci-node-1", Decision::Allow),
            ("omni.reboot", "omni.machines/omni/4c4c", "oci-node-1", Decision::Refuse),
            ("omni.upgrade-talos", "omni.clusters/omni/cloud", "cloud", Decision::Refuse),
            ("proxmox.start", "proxmox.guests/pve/qemu-1", "oci-node-1", Decision::Allow),
            ("kubernetes.delete-pod", "kubernetes.pods/cloud/media/comet-0", "comet-0", Decision::Warn),
            ("kubernetes.restart", "kubernetes.statefulsets/cloud/media/comet", "comet", Decision::Warn),
            ("kubernetes.restart", "kubernetes.deployments/cloud/media/com", "com", Decision::Allow),
        ];
        for (op, id, name, expected) in cases {
            assert_eq!(decision(op, id, name, &[], &service("ok", "bound", "block")), expected, "{op} {id}");
        }
        let linked = [Facet::new(FacetKey::Node, "cloud/oci-node-1", Grade::Likely)];
        let found = decision(
            "proxmox.stop",
            "proxmox.guests/pve/qemu-9",
            "other",
            &linked,
            &service("ok", "bound", "warn"),
        );
        assert_eq!(found, Decision::Warn, "it is only warned of where that was asked for");
    }

    #[test]
    fn a_loose_pod_stays_where_it_is_and_one_that_strayed_may_be_replaced() {
        let pod = "kubernetes.pods/cloud/media/comet-0";
        let delete = |state, pin| {
            decision("kubernetes.delete-pod", pod, "comet-0", &[], &service(state, pin, "block"))
        };
        assert_eq!(delete("ok", "loose"), Decision::Refuse);
        assert_eq!((delete("moved", "loose"), delete("ok", "bound")), (Decision::Warn, Decision::Warn));
    }
}
