//! The homelab's clusters as tables: which applications run where, in which wave, and what is wrong with them.

/// An application as it is delivered to one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its name in Argo CD, unique over both clusters.
    pub name: String,
    /// Its workload's name.
    pub workload: &'static str,
    /// `prod` or `cloud`.
    pub cluster: &'static str,
    /// The namespace it is delivered into.
    pub namespace: &'static str,
    /// Its sync wave.
    pub wave: i64,
}

/// Workloads by wave: namespace, clusters, names.
const DELIVERED: [(i64, &[&str], &str, &[&str]); 24] = [
    (0, &["prod", "cloud"], "kube-system", &["cilium"]),
    (0, &["prod", "cloud"], "metallb-system", &["metallb"]),
    (0, &["prod", "cloud"], "external-secrets", &["external-secrets"]),
    (0, &["prod", "cloud"], "cert-manager", &["cert-manager"]),
    (1, &["prod"], "longhorn-system", &["longhorn"]),
    (1, &["prod"], "storage", &["nfs-media"]),
    (1, &["cloud"], "storage", &["local-path", "nfs-provisioner"]),
    (2, &["prod", "cloud"], "network", &["external-dns", "traefik"]),
    (2, &["prod", "cloud"], "databases", &["postgresql", "redis"]),
    (2, &["cloud"], "network", &["oauth2-proxy", "twingate"]),
    (2, &["cloud"], "kubevirt", &["kubevirt", "cdi"]),
    (3, &["prod"], "monitoring", &["prometheus", "grafana", "alloy", "alertmanager", "ntfy"]),
    (3, &["prod"], "monitoring", &["loki"]),
    (4, &["cloud"], "media", &["comet"]),
    (4, &["cloud"], "vaultwarden", &["vaultwarden"]),
    (4, &["cloud"], "baikal", &["baikal"]),
    (4, &["cloud"], "glance", &["glance"]),
    (4, &["cloud"], "n8n", &["n8n"]),
    (4, &["cloud"], "mealie", &["mealie"]),
    (4, &["cloud"], "invidious", &["invidious"]),
    (4, &["cloud"], "media", &["navidrome", "lidarr", "immich"]),
    (4, &["cloud"], "nextcloud", &["nextcloud"]),
    (4, &["prod"], "home", &["adguard-home", "home-assistant"]),
    (4, &["prod"], "media", &["audiobookshelf", "komga", "romm"]),
];

/// Every application of both clusters; what runs in both has its cluster in its name.
pub fn apps() -> Vec<App> {
    let mut apps = Vec::new();
    for (wave, clusters, namespace, names) in DELIVERED {
        for &cluster in clusters {
            apps.extend(names.iter().map(|&workload| App {
                name: if clusters.len() > 1 { format!("{workload}-{cluster}") } else { workload.to_owned() },
                workload,
                cluster,
                namespace,
                wave,
            }));
        }
    }
    apps
}

/// A machine of a cluster.
pub struct Machine {
    /// Its name.
    pub name: &'static str,
    /// Its address.
    pub ip: &'static str,
    /// Its SMBIOS UUID.
    pub uuid: &'static str,
    /// Its cores.
    pub cpu: u32,
    /// Its memory in GiB.
    pub gib: u32,
    /// `amd64` or `arm64`.
    pub arch: &'static str,
    /// Whether it is a control plane.
    pub control: bool,
}

/// The machines of a cluster.
pub fn machines(cluster: &str) -> &'static [Machine] {
    if cluster == "prod" { &PROD } else { &CLOUD }
}

const PROD: [Machine; 2] = [
    Machine {
        name: "talos-prod-cp",
        ip: "192.0.2.100",
        uuid: "5f0c1a00-0000-4000-8000-000000000100",
        cpu: 2,
        gib: 4,
        arch: "amd64",
        control: true,
    },
    Machine {
        name: "talos-prod-worker-1",
        ip: "192.0.2.101",
        uuid: "5f0c1a00-0000-4000-8000-000000000101",
        cpu: 6,
        gib: 12,
        arch: "amd64",
        control: false,
    },
];

const CLOUD: [Machine; 2] = [
    Machine {
        name: "oci-node-1",
        ip: "198.51.100.21",
        uuid: "0c100000-0000-4000-8000-000000000001",
        cpu: 2,
        gib: 12,
        arch: "arm64",
        control: true,
    },
    Machine {
        name: "oci-node-2",
        ip: "198.51.100.22",
        uuid: "0c100000-0000-4000-8000-000000000002",
        cpu: 1,
        gib: 6,
        arch: "arm64",
        control: false,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_application_has_a_name_of_its_own() {
        let mut names: Vec<String> = apps().into_iter().map(|app| app.name).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!((names.len(), all), (46, 46));
    }
}
