//! Nodes: ready or not, under pressure or not, and what they have to give.

use jiff::Timestamp;

use crate::model::id::KindId;
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row};

use super::super::wire::{Condition, Node};
use super::{Maker, State, age, quantity};

/// The row of a node.
pub fn row(maker: &Maker, kind: &KindId, node: &Node, _now: Timestamp) -> Row {
    let state = state(node);
    let capacity = |name: &str| node.status.allocatable.get(name).and_then(quantity::whole);
    let info = &node.status.node_info;
    let cells = vec![
        state.cell(),
        Cell::new(node.metadata.name.as_str()),
        maker.cell(&roles(node)),
        maker.cell(&info.kubelet_version),
        maker.cell(&state.why),
        Cell::new(node.status.allocatable.get("cpu").and_then(quantity::parse)),
        Cell::new(capacity("memory")),
        Cell::new(capacity("pods")),
        Cell::new(address(node, "InternalIP")),
        maker.cell(&info.os_image),
        maker.cell(&info.architecture),
        age(&node.metadata.creation_timestamp),
    ];
    let mut row = maker.row(kind, &node.metadata, &state, cells);
    row.facets = facets(maker, node);
    row
}

fn facets(maker: &Maker, node: &Node) -> Box<[Facet]> {
    let name = node.metadata.name.as_str();
    let mut facets = vec![maker.node(name), Facet::new(FacetKey::Name, name, Grade::Hint)];
    if let Some(uuid) = node.status.node_info.system_uuid.some() {
        let uuid = uuid.to_ascii_lowercase();
        let turned = turned(&uuid).filter(|turned| *turned != uuid);
        facets.extend(turned.map(|turned| Facet::new(FacetKey::MachineUuid, turned, Grade::Likely)));
        facets.push(Facet::new(FacetKey::MachineUuid, uuid, Grade::Certain));
    }
    facets
        .extend(guest(&node.spec.provider_id).map(|guest| Facet::new(FacetKey::Guest, guest, Grade::Likely)));
    for address in node.status.addresses.iter().filter(|address| !address.address.is_empty()) {
        let (key, value) = match &*address.sort {
            "InternalIP" | "ExternalIP" => (FacetKey::Ip, address.address.as_str().to_owned()),
            _ => (FacetKey::Host, address.address.to_ascii_lowercase()),
        };
        facets.push(Facet::new(key, value, Grade::Likely));
    }
    facets.into_boxed_slice()
}

/// The guest of `proxmox://REGION/NUMBER`. The region is a name that only the controller knows.
fn guest(provider: &str) -> Option<String> {
    let (_, number) = provider.strip_prefix("proxmox://")?.rsplit_once('/')?;
    number.parse::<u32>().ok().map(|number| format!("qemu/{number}"))
}

/// The UUID with the bytes of its first three parts turned round, as firmware before SMBIOS 2.6 hands it to the guest.
fn turned(uuid: &str) -> Option<String> {
    let bytes = uuid::Uuid::parse_str(uuid).ok()?;
    Some(uuid::Uuid::from_bytes_le(bytes.into_bytes()).to_string())
}

fn address<'a>(node: &'a Node, sort: &str) -> &'a str {
    node.status.addresses.iter().find(|a| &*a.sort == sort).map_or("", |a| a.address.as_str())
}

/// The roles in `node-role.kubernetes.io/…` labels, as kubectl shows them.
fn roles(node: &Node) -> String {
    let mut roles: Vec<&str> = node
        .metadata
        .labels
        .iter()
        .filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/"))
        .collect();
    roles.sort_unstable();
    if roles.is_empty() { "worker".to_owned() } else { roles.join(",") }
}

/// The state of a node: not ready before pressure, pressure before cordoned.
pub fn state(node: &Node) -> State {
    let conditions = &node.status.conditions;
    let ready = conditions.iter().find(|condition| &*condition.about == "Ready");
    match ready.map(|ready| &*ready.status) {
        Some("True") => {}
        Some("False") => return State::new("NotReady", Health::Critical).why(words(ready)),
        Some("Unknown") => return State::new("Unreachable", Health::Critical).why(words(ready)),
        _ => return State::new("Unknown", Health::Unknown).why("no Ready condition"),
    }
    let bad = |condition: &&Condition| &*condition.about != "Ready" && &*condition.status == "True";
    if let Some(pressure) = conditions.iter().find(bad) {
        return State::new("Pressure", Health::Warning).why(words(Some(pressure)));
    }
    if node.spec.unschedulable.is_true() {
        return State::new("Cordoned", Health::Warning).why("no new pods are scheduled here");
    }
    State::new("Ready", Health::Ok)
}

fn words(condition: Option<&Condition>) -> String {
    let Some(condition) = condition else { return String::new() };
    if condition.message.is_empty() {
        condition.about.as_str().to_owned()
    } else {
        format!("{}: {}", condition.about.as_str(), condition.message.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(spec: &Value, conditions: &Value) -> Node {
        serde_json::from_value(json!({
            "metadata": {"name": "oci-node-1", "uid": "n1", "labels": {"node-role.kubernetes.io/control-plane": ""}},
            "spec": spec,
            "status": {
                "conditions": conditions,
                "allocatable": {"cpu": "1950m", "memory": "11Gi", "pods": "110"},
                "addresses": [{"type": "InternalIP", "address": "198.51.100.21"}, {"type": "Hostname", "address": "OCI-node-1"}],
                "nodeInfo": {"systemUUID": "4C4C4544-0001", "kubeletVersion": "v1.32.0"},
            },
        }))
        .unwrap()
    }

    #[test]
    fn the_worst_condition_decides() {
        let ready = |status: &str| json!({"type": "Ready", "status": status, "message": "kubelet stopped"});
        let pressure = json!({"type": "MemoryPressure", "status": "True"});
        let cases = [
            (json!({}), json!([ready("True")]), "Ready", Health::Ok),
            (json!({"unschedulable": true}), json!([ready("True")]), "Cordoned", Health::Warning),
            (json!({"unschedulable": true}), json!([ready("True"), pressure]), "Pressure", Health::Warning),
            (json!({}), json!([ready("False"), pressure]), "NotReady", Health::Critical),
            (json!({}), json!([ready("Unknown")]), "Unreachable", Health::Critical),
            (json!({"unschedulable": "yes"}), json!("odd"), "Unknown", Health::Unknown),
        ];
        for (spec, conditions, word, health) in cases {
            let state = state(&node(&spec, &conditions));
            assert_eq!((state.word.as_str(), state.health), (word, health), "{conditions}");
        }
    }

    #[test]
    fn a_uuid_whose_bytes_the_firmware_turned_is_known_by_both_and_less_surely_by_the_other() {
        let turned = turned("33221100-5544-7766-8899-aabbccddeeff");
        assert_eq!(turned.as_deref(), Some("00112233-4455-6677-8899-aabbccddeeff"));
        assert_eq!(super::turned("4C4C4544-0001"), None);
    }

    #[test]
    fn a_node_can_be_found_by_machine_address_and_host() {
        let maker = Maker::new("cloud".into(), crate::model::row::Domain::Cloud);
        let row =
            row(&maker, &"kubernetes.nodes".into(), &node(&json!({}), &json!([])), Timestamp::UNIX_EPOCH);
        let values: Vec<&str> = row.facets.iter().map(|facet| &*facet.value).collect();
        assert_eq!(
            values,
            ["cloud/oci-node-1", "oci-node-1", "4c4c4544-0001", "198.51.100.21", "oci-node-1"]
        );
        assert_eq!(row.cell(2).value.as_text(), Some("control-plane"));
        assert_eq!(row.cell(5).value.as_number(), Some(1.95));
    }

    #[test]
    fn a_provider_id_names_the_guest_where_the_controller_of_proxmox_wrote_it() {
        let cases = [
            ("proxmox://homelab/221", Some("qemu/221")),
            ("proxmox:///221", Some("qemu/221")),
            ("proxmox://homelab/worker", None),
            ("talos://metal/192.0.2.62", None),
            ("ocid1.instance.oc1..aaaa", None),
            ("", None),
        ];
        for (provider, expected) in cases {
            let node = node(&json!({"providerID": provider}), &json!([]));
            let maker = Maker::new("cloud".into(), crate::model::row::Domain::Cloud);
            let found = facets(&maker, &node);
            let found = found.iter().find(|facet| facet.key == FacetKey::Guest);
            let expected = expected.map(|value| (value, Grade::Likely));
            assert_eq!(found.map(|facet| (&*facet.value, facet.grade)), expected, "{provider}");
        }
    }
}
