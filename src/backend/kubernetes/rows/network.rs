//! How things are reached: services, ingresses, routes; and what they keep: claims; and where they live: namespaces.

use jiff::Timestamp;

use crate::model::id::KindId;
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row};

use super::super::wire::{Claim, Ingress, Namespace, Route, Service, Volume};
use super::{Maker, State, age, quantity};

/// The row of a Service.
pub fn service(maker: &Maker, kind: &KindId, service: &Service, _now: Timestamp) -> Row {
    let spec = &service.spec;
    let outside = service.status.load_balancer.first();
    let state = match &*spec.sort {
        "LoadBalancer" if outside.is_empty() => {
            State::new("Pending", Health::Warning).why("no address from the load balancer")
        }
        _ => State::new("Ready", Health::Ok),
    };
    let ports: Vec<String> = spec.ports.iter().map(|port| port.port.or_zero().to_string()).collect();
    let cells = vec![
        state.cell(),
        Cell::new(service.metadata.name.as_str()),
        maker.cell(&service.metadata.namespace),
        maker.cell(&spec.sort),
        Cell::new(spec.cluster_ip.as_str()),
        Cell::new(spec.external_name.some().unwrap_or(outside)),
        Cell::new(ports.join(",").as_str()),
        Cell::new(state.why.as_str()),
        age(&service.metadata.creation_timestamp),
    ];
    let mut row = maker.row(kind, &service.metadata, &state, cells);
    row.facets = Box::new([maker.object(&service.metadata.namespace, &service.metadata.name)]);
    row
}

/// The row of an Ingress.
pub fn ingress(maker: &Maker, kind: &KindId, ingress: &Ingress, _now: Timestamp) -> Row {
    let hosts: Vec<&str> = ingress.spec.rules.iter().filter_map(|rule| rule.host.some()).collect();
    let outside = ingress.status.load_balancer.first();
    let state = if outside.is_empty() {
        State::new("Pending", Health::Pending).why("no address yet")
    } else {
        State::new("Ready", Health::Ok)
    };
    let secured = ingress.spec.tls.first().map_or("", |tls| tls.secret_name.as_str());
    let cells = vec![
        state.cell(),
        Cell::new(ingress.metadata.name.as_str()),
        maker.cell(&ingress.metadata.namespace),
        Cell::new(hosts.join(" ").as_str()),
        maker.cell(&ingress.spec.ingress_class_name),
        Cell::new(outside),
        Cell::new(secured),
        age(&ingress.metadata.creation_timestamp),
    ];
    let mut row = maker.row(kind, &ingress.metadata, &state, cells);
    row.facets = hosts_of(&hosts);
    row
}

/// The row of an `HTTPRoute`.
pub fn route(maker: &Maker, kind: &KindId, route: &Route, _now: Timestamp) -> Row {
    let hosts: Vec<&str> = route.spec.hostnames.iter().collect();
    let conditions = || route.status.parents.iter().flat_map(|parent| parent.conditions.iter());
    let refused =
        conditions().find(|c| matches!(&*c.about, "Accepted" | "ResolvedRefs") && &*c.status == "False");
    let state = match refused {
        Some(condition) => State::new("Refused", Health::Critical).why(condition.message.as_str()),
        None if conditions().any(|c| &*c.about == "Accepted") => State::new("Accepted", Health::Ok),
        None => State::new("Pending", Health::Pending).why("no gateway has taken it on"),
    };
    let gateways: Vec<&str> = route.spec.parent_refs.iter().map(|parent| parent.name.as_str()).collect();
    let cells = vec![
        state.cell(),
        Cell::new(route.metadata.name.as_str()),
        maker.cell(&route.metadata.namespace),
        Cell::new(hosts.join(" ").as_str()),
        Cell::new(gateways.join(" ").as_str()),
        Cell::new(state.why.as_str()),
        age(&route.metadata.creation_timestamp),
    ];
    let mut row = maker.row(kind, &route.metadata, &state, cells);
    row.facets = hosts_of(&hosts);
    row
}

fn hosts_of(hosts: &[&str]) -> Box<[Facet]> {
    hosts.iter().map(|host| Facet::new(FacetKey::Host, host.to_ascii_lowercase(), Grade::Likely)).collect()
}

/// The row of a `PersistentVolumeClaim`.
pub fn claim(maker: &Maker, kind: &KindId, claim: &Claim, _now: Timestamp) -> Row {
    let state = match &*claim.status.phase {
        "Bound" => State::new("Bound", Health::Ok),
        "Lost" => State::new("Lost", Health::Critical).why("its volume is gone"),
        "Pending" => State::new("Pending", Health::Pending).why("no volume yet"),
        other => State::new(if other.is_empty() { "Unknown" } else { other }, Health::Unknown),
    };
    let modes: Vec<&str> = claim.spec.access_modes.iter().collect();
    let cells = vec![
        state.cell(),
        Cell::new(claim.metadata.name.as_str()),
        maker.cell(&claim.metadata.namespace),
        Cell::new(claim.status.capacity.get("storage").and_then(quantity::whole)),
        maker.cell(&claim.spec.storage_class_name),
        Cell::new(modes.join(" ").as_str()),
        Cell::new(claim.spec.volume_name.as_str()),
        Cell::new(state.why.as_str()),
        age(&claim.metadata.creation_timestamp),
    ];
    let mut row = maker.row(kind, &claim.metadata, &state, cells);
    row.facets = Box::new([maker.object(&claim.metadata.namespace, &claim.metadata.name)]);
    row
}

/// The row of a `PersistentVolume`.
pub fn volume(maker: &Maker, kind: &KindId, volume: &Volume, _now: Timestamp) -> Row {
    let claim = &volume.spec.claim_ref;
    let state = match &*volume.status.phase {
        "Bound" => State::new("Bound", Health::Ok),
        "Available" => State::new("Available", Health::Off),
        "Released" => {
            State::new("Released", Health::Warning).why("its claim is gone, its data is still there")
        }
        "Failed" => State::new("Failed", Health::Critical).why(volume.status.message.as_str()),
        other => State::new(if other.is_empty() { "Unknown" } else { other }, Health::Unknown),
    };
    let slash = if claim.name.is_empty() { "" } else { "/" };
    let cells = vec![
        state.cell(),
        Cell::new(volume.metadata.name.as_str()),
        Cell::new(volume.spec.capacity.get("storage").and_then(quantity::whole)),
        Cell::new(format!("{}{slash}{}", claim.namespace.as_str(), claim.name.as_str()).as_str()),
        maker.cell(&volume.spec.storage_class_name),
        maker.cell(&volume.spec.persistent_volume_reclaim_policy),
        Cell::new(state.why.as_str()),
        age(&volume.metadata.creation_timestamp),
    ];
    maker.row(kind, &volume.metadata, &state, cells)
}

/// The row of a Namespace.
pub fn namespace(maker: &Maker, kind: &KindId, namespace: &Namespace, _now: Timestamp) -> Row {
    let stuck = namespace.status.conditions.iter().find(|c| &*c.status == "True").map(|c| c.message.as_str());
    let state = match &*namespace.status.phase {
        "Active" => State::new("Active", Health::Ok),
        "Terminating" => State::new("Terminating", Health::Pending).why(stuck.unwrap_or_default()),
        _ => State::new("Unknown", Health::Unknown),
    };
    let cells = vec![
        state.cell(),
        Cell::new(namespace.metadata.name.as_str()),
        Cell::new(state.why.as_str()),
        age(&namespace.metadata.creation_timestamp),
    ];
    maker.row(kind, &namespace.metadata, &state, cells)
}
