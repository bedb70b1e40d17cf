//! The homelab's rules and what they find: one truth for the Prometheus and the Alertmanagers of the lab.

use jiff::{SignedDuration, Timestamp};

use super::super::labels::Labels;
use super::Lab;

/// What the lab's Prometheus adds to every alert it sends.
pub(super) const EXTERNAL: [(&str, &str); 1] = [("prometheus", "monitoring/lab")];

/// A rule and what it finds now.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub group: &'static str,
    pub name: &'static str,
    pub query: &'static str,
    /// Seconds for which it must be true.
    pub wait: i64,
    pub severity: &'static str,
    pub summary: &'static str,
    /// Why it cannot be evaluated; empty where it can.
    pub broken: &'static str,
    pub found: Vec<Found>,
}

/// One thing that a rule finds.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub labels: Vec<(String, String)>,
    /// When it became true.
    pub since: Timestamp,
    pub value: f64,
}

impl Rule {
    /// The labels of an alert, without external ones.
    pub fn labels(&self, found: &Found) -> Vec<(String, String)> {
        let own = [("alertname", self.name), ("severity", self.severity)];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        own.chain(found.labels.iter().cloned()).collect()
    }

    /// When an alert fires; `None` while it is pending.
    pub fn fired(&self, found: &Found, now: Timestamp) -> Option<Timestamp> {
        let at = found.since + SignedDuration::from_secs(self.wait);
        (at <= now).then_some(at)
    }

    /// The labels as they are sent.
    pub fn sent(&self, found: &Found) -> Labels {
        let labels = self.labels(found);
        let labels: Labels = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        labels.completed(&EXTERNAL.into_iter().collect())
    }
}

/// Declares a rule of the homelab.
macro_rules! rule {
    ($group:literal, $name:literal, $severity:literal, $wait:literal, $query:literal, $summary:literal, $found:expr) => {
        Rule {
            group: $group,
            name: $name,
            query: $query,
            wait: $wait,
            severity: $severity,
            summary: $summary,
            broken: "",
            found: $found,
        }
    };
}

/// All rules with what they find at this instant.
pub(super) fn rules(lab: &Lab) -> Vec<Rule> {
    let found = |minutes: i64, value: f64, labels: &[(&str, &str)]| Found {
        labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        since: lab.began - SignedDuration::from_mins(minutes),
        value,
    };
    let mut rules = everyday(lab, &found);
    rules.push(Rule {
        broken: "found duplicate series for the match group {cluster=\"prod\"} on the right hand-side of the operation",
        ..rule!("homelab", "NodeLoadPerCore", "info", 600, "node_load5 / on(cluster) node_cpus", "Load per core.", vec![])
    });
    if lab.world.scenario == "outpost-down" {
        rules.push(outpost_down(&found));
    }
    if lab.world.scenario.starts_with("load") {
        rules.push(many(&found));
    }
    rules
}

type Make<'a> = &'a dyn Fn(i64, f64, &[(&str, &str)]) -> Found;

fn everyday(lab: &Lab, found: Make<'_>) -> Vec<Rule> {
    // A figure that moves, so that a refresh is seen to be one.
    let wave = f64::from(u8::try_from((lab.now().as_second() / 15).rem_euclid(5)).unwrap_or(0));
    let loki = [("cluster", "prod"), ("namespace", "monitoring"), ("statefulset", "loki")];
    let lidarr = [
        ("cluster", "cloud"),
        ("namespace", "media"),
        ("pod", "lidarr-5c9f86d9bb-q7t9k"),
        ("container", "lidarr"),
    ];
    let nextcloud = [
        ("name", "nextcloud"),
        ("project", "default"),
        ("dest_server", "https://cloud.lab.example:6443"),
        ("job", "argocd-metrics"),
    ];
    let days = 11.0 * 86_400.0;
    vec![
        rule!(
            "general.rules",
            "Watchdog",
            "none",
            0,
            "vector(1)",
            "Always firing; its absence means the alert path is broken.",
            vec![found(41 * 1440, 1.0, &[])]
        ),
        rule!(
            "node",
            "HighMemoryUsage",
            "warning",
            300,
            "100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes) > 80",
            "Memory is above 80 %.",
            vec![found(
                131,
                82.0 + wave,
                &[
                    ("instance", "oci-node-1"),
                    ("node", "oci-node-1"),
                    ("cluster", "cloud"),
                    ("job", "node-exporter")
                ]
            )]
        ),
        rule!(
            "argocd",
            "ArgoCDAppOutOfSync",
            "warning",
            900,
            "argocd_app_info{sync_status!=\"Synced\"} == 1",
            "The live state differs from Git.",
            vec![found(56, 1.0, &nextcloud)]
        ),
        rule!(
            "velero",
            "VeleroNoRecentBackup",
            "warning",
            0,
            "time() - velero_backup_last_successful_timestamp > 86400",
            "No backup has succeeded for a day.",
            vec![found(
                26 * 60,
                93_600.0,
                &[("cluster", "cloud"), ("namespace", "velero"), ("job", "velero")]
            )]
        ),
        rule!(
            "certificates",
            "CertificateExpiringSoon",
            "warning",
            0,
            "probe_ssl_earliest_cert_expiry - time() < 14 * 86400",
            "The certificate expires in 11 days.",
            vec![found(3 * 1440, days, &[("host", "auth.lab.example"), ("job", "blackbox")])]
        ),
        rule!(
            "kubernetes-apps",
            "PodCrashLooping",
            "warning",
            300,
            "max_over_time(kube_pod_container_status_waiting_reason{reason=\"CrashLoopBackOff\"}[5m]) >= 1",
            "A container crashes and is restarted.",
            vec![found(74, 1.0, &lidarr)]
        ),
        rule!(
            "kubernetes-apps",
            "StatefulSetNotReady",
            "warning",
            1800,
            "kube_statefulset_status_replicas_ready < 1",
            "A stateful set has no ready replica.",
            vec![found(17, 0.0, &loki)]
        ),
        rule!(
            "kubernetes-resources",
            "InfoInhibitor",
            "none",
            0,
            "ALERTS{severity=\"info\"} == 1 unless on(namespace) ALERTS{severity=\"warning\"} == 1",
            "Keeps informational alerts quiet.",
            vec![found(190, 1.0, &[("namespace", "immich"), ("cluster", "cloud")])]
        ),
        rule!(
            "kubernetes-resources",
            "CPUThrottlingHigh",
            "info",
            900,
            "sum(increase(container_cpu_cfs_throttled_periods_total[5m])) > 25",
            "A container is throttled.",
            vec![found(
                205,
                47.3,
                &[
                    ("namespace", "immich"),
                    ("cluster", "cloud"),
                    ("pod", "immich-server-0"),
                    ("container", "server")
                ]
            )]
        ),
        rule!(
            "node",
            "ZfsPoolDegraded",
            "critical",
            0,
            "node_zfs_zpool_state{state!=\"online\"} > 0",
            "A pool is not online.",
            vec![]
        ),
        rule!(
            "home",
            "GuestDown",
            "critical",
            120,
            "pve_up{id=~\"qemu/10.\"} == 0",
            "A guest that should run does not.",
            vec![]
        ),
    ]
}

fn outpost_down(found: Make<'_>) -> Rule {
    let hosts =
        ["nextcloud", "navidrome", "immich", "mealie", "glance", "n8n", "invidious", "lidarr", "romm"];
    let down = hosts.iter().map(|host| {
        let host = format!("{host}.lab.example");
        found(28, 0.0, &[("instance", &format!("https://{host}")), ("host", &host), ("job", "protected")])
    });
    rule!(
        "edge",
        "ServiceDown",
        "critical",
        120,
        "probe_success{job=\"protected\"} == 0",
        "A protected service answers neither its page nor its login.",
        down.collect()
    )
}

fn many(found: Make<'_>) -> Rule {
    let pods = (0..2000_i64).map(|n| {
        let (pod, namespace) = (format!("app-{n:04}"), format!("team-{}", n % 40));
        found(
            n % 600,
            1.0,
            &[("namespace", &namespace), ("pod", &pod), ("cluster", "cloud"), ("job", "kube-state-metrics")],
        )
    });
    rule!(
        "kubernetes-apps",
        "KubePodNotReady",
        "warning",
        900,
        "kube_pod_status_phase{phase=~\"Pending|Unknown\"} > 0",
        "A pod is not ready.",
        pods.collect()
    )
}
