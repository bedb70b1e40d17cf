//! From what the servers sent to rows: state, health, the one fact that matters, and how others know the thing.

pub mod alerts;
pub mod groups;
pub mod history;
pub mod quiet;
pub mod receivers;
pub mod rules;
pub mod silences;
pub mod trust;

use std::net::IpAddr;
use std::sync::Arc;

use crate::model::row::{Facet, FacetKey, Grade};

use super::labels::Labels;

/// The thing that an alert is about, as far as its labels tell: the most specific first.
pub fn subject(labels: &Labels) -> Arc<str> {
    const WORKLOADS: [&str; 8] = [
        "deployment",
        "statefulset",
        "daemonset",
        "job_name",
        "cronjob",
        "persistentvolumeclaim",
        "ingress",
        "horizontalpodautoscaler",
    ];
    // A scrape's own labels name the exporter; the object's stand beside them.
    let namespace = labels.any(&["exported_namespace", "namespace"]);
    let object = labels.any(&["exported_pod", "pod"]).or_else(|| labels.any(&WORKLOADS));
    match (namespace, object) {
        (Some(namespace), Some(object)) => return Arc::from(format!("{namespace}/{object}")),
        (None, Some(object)) => return object.clone(),
        _ => {}
    }
    if let Some(node) = labels.any(&["node", "nodename", "kubernetes_node"]) {
        return with_place(node, labels);
    }
    if let (Some(namespace), Some(name)) = (namespace, labels.find("name")) {
        return Arc::from(format!("{namespace}/{name}"));
    }
    let rest = ["id", "name", "host", "instance", "target", "service", "job", "namespace", "cluster"];
    labels.any(&rest).map_or_else(|| Arc::from(""), |thing| with_place(thing, labels))
}

fn with_place(thing: &Arc<str>, labels: &Labels) -> Arc<str> {
    match labels.any(&["mountpoint", "zpool", "device", "disk"]) {
        Some(place) => Arc::from(format!("{thing} {place}")),
        None => thing.clone(),
    }
}

/// How other systems know what an alert is about.
pub fn facets(fingerprint: u64, labels: &Labels) -> Box<[Facet]> {
    let mut facets = vec![Facet::new(FacetKey::Fingerprint, hex(fingerprint), Grade::Certain)];
    let cluster = labels.get("cluster");
    if let Some(node) = labels.any(&["node", "nodename", "kubernetes_node"]) {
        facets.push(match cluster {
            "" => Facet::new(FacetKey::Name, node.clone(), Grade::Hint),
            cluster => Facet::new(FacetKey::Node, format!("{cluster}/{node}"), Grade::Likely),
        });
    }
    let namespace = labels.any(&["exported_namespace", "namespace"]);
    if let (Some(namespace), Some(pod)) = (namespace, labels.any(&["exported_pod", "pod"])) {
        facets.push(Facet::new(FacetKey::Object, format!("{cluster}/{namespace}/{pod}"), Grade::Likely));
    }
    let workload = labels.any(&["deployment", "statefulset", "daemonset", "cronjob"]);
    if let (Some(namespace), Some(workload)) = (namespace, workload) {
        facets.push(Facet::new(
            FacetKey::Workload,
            format!("{cluster}/{namespace}/{workload}"),
            Grade::Likely,
        ));
    }
    if !cluster.is_empty() {
        facets.push(Facet::new(FacetKey::Cluster, cluster, Grade::Hint));
    }
    if let Some(gate) = labels.any(&["outpost", "gate"]) {
        facets.push(Facet::new(FacetKey::Gate, gate.clone(), Grade::Likely));
    }
    if let (Some(app), Some(_)) = (labels.find("name"), labels.find("dest_server")) {
        facets.push(Facet::new(FacetKey::App, app.clone(), Grade::Certain));
    }
    // The exporter of Proxmox VE names things as the cluster does: `qemu/221`, `lxc/105`, `node/pve1`.
    facets.extend(labels.find("id").and_then(|id| match id.split_once('/')? {
        ("qemu" | "lxc", _) => Some(Facet::new(FacetKey::Guest, id.clone(), Grade::Likely)),
        ("node", node) => Some(Facet::new(FacetKey::Host, node.to_ascii_lowercase(), Grade::Likely)),
        _ => None,
    }));
    for place in ["instance", "host", "target"] {
        facets.extend(labels.find(place).and_then(|value| address(value)));
    }
    facets.into_boxed_slice()
}

/// The host of `host:port` or of a URL.
fn address(value: &str) -> Option<Facet> {
    let authority = value.split_once("://").map_or(value, |(_, rest)| rest).split('/').next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => authority,
    };
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    if host.parse::<IpAddr>().is_ok() {
        return Some(Facet::new(FacetKey::Ip, host, Grade::Likely));
    }
    (!host.is_empty()).then(|| Facet::new(FacetKey::Host, host, Grade::Likely))
}

/// A fingerprint as Alertmanager writes it.
pub fn hex(fingerprint: u64) -> String {
    format!("{fingerprint:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_is_the_most_specific_thing() {
        let cases: [(&[(&str, &str)], &str); 7] = [
            (
                &[("namespace", "monitoring"), ("exported_namespace", "media"), ("pod", "lidarr-0")],
                "media/lidarr-0",
            ),
            (&[("namespace", "velero"), ("job_name", "b"), ("instance", "x:1")], "velero/b"),
            (&[("node", "oci-node-1"), ("mountpoint", "/var"), ("namespace", "m")], "oci-node-1 /var"),
            (&[("namespace", "authentik"), ("name", "tls")], "authentik/tls"),
            (&[("id", "storage/homelab/local-zfs"), ("instance", "192.0.2.1")], "storage/homelab/local-zfs"),
            (&[("instance", "192.0.2.1:9100"), ("job", "node")], "192.0.2.1:9100"),
            (&[("alertname", "X")], ""),
        ];
        for (labels, expected) in cases {
            assert_eq!(&*subject(&labels.iter().copied().collect()), expected);
        }
    }

    #[test]
    fn addresses_lose_scheme_port_and_path() {
        let cases = [
            ("192.0.2.62:9100", FacetKey::Ip, "192.0.2.62"),
            ("[2001:db8::1]:9100", FacetKey::Ip, "2001:db8::1"),
            ("https://Auth.lab.example/-/health", FacetKey::Host, "auth.lab.example"),
        ];
        for (value, key, expected) in cases {
            let facet = address(value).unwrap();
            assert_eq!((facet.key, &*facet.value), (key, expected));
        }
        assert_eq!(address(""), None);
    }

    #[test]
    fn labels_are_join_keys_of_what_they_name_and_never_of_the_exporter() {
        use FacetKey::{App, Fingerprint, Guest, Host, Ip, Name, Node, Object};
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a [(FacetKey, &'a str)]);
        let cases: [Case<'_>; 8] = [
            (
                &[("id", "qemu/221"), ("instance", "pve.lab.example")],
                &[(Guest, "qemu/221"), (Host, "pve.lab.example")],
            ),
            (&[("id", "lxc/105")], &[(Guest, "lxc/105")]),
            (&[("id", "node/PVE1")], &[(Host, "pve1")]),
            (&[("id", "storage/homelab/local-zfs")], &[]),
            (&[("node", "n1"), ("instance", "192.0.2.1:9100")], &[(Name, "n1"), (Ip, "192.0.2.1")]),
            (
                &[("cluster", "cloud"), ("kubernetes_node", "n1")],
                &[(Node, "cloud/n1"), (FacetKey::Cluster, "cloud")],
            ),
            (
                &[
                    ("namespace", "monitoring"),
                    ("pod", "exporter"),
                    ("exported_namespace", "m"),
                    ("exported_pod", "p"),
                ],
                &[(Object, "/m/p")],
            ),
            (
                &[("name", "romm"), ("project", "default"), ("dest_server", "https://192.0.2.9:6443")],
                &[(App, "romm")],
            ),
        ];
        for (labels, expected) in cases {
            let found = facets(1, &labels.iter().copied().collect());
            let found: Vec<_> = found.iter().map(|facet| (facet.key, &*facet.value)).collect();
            assert_eq!(found[0].0, Fingerprint);
            assert_eq!(found[1..], *expected, "{labels:?}");
        }
    }
}
