//! What has to hold before an upgrade begins: health, a way back, a trial elsewhere, and what Omni itself checks.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::super::Fact;
use super::Upgrade;
use crate::backend::error::ApiError;
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::headroom::{self, Readiness};
use crate::backend::omni::rows::clusters::{expiry, manager};
use crate::backend::omni::wire::{
    Cluster, ClusterMachineStatus, ClusterStatus, EtcdBackupStatus, Resource, UpgradeStatus,
};
use crate::model::op::{Decision, Evidence};
use crate::model::row::Tone;
use crate::model::time::{seconds_between, short};

/// The oldest etcd backup with which an upgrade begins, in seconds.
const FRESH: i64 = 25 * 3600;
/// How long the nodes should have stood still, in seconds.
const DAY: i64 = 24 * 3600;

#[derive(Deserialize, Default)]
#[serde(default)]
struct PreChecks {
    ok: bool,
    reason: String,
}

impl Upgrade {
    /// Whether the wanted version may be taken: offered, or the way back.
    pub(super) fn offered(self, status: &UpgradeStatus, current: &str, wanted: &str) -> Option<Evidence> {
        let word = self.word();
        let refuse = |says: String| Some(Evidence::new("version", says, Tone::Error));
        if wanted == current {
            return refuse(format!("it is {word} {wanted} already"));
        }
        let way_back = !status.last_upgrade_version.is_empty() && status.last_upgrade_version == wanted;
        if way_back || status.upgrade_versions.iter().any(|version| version == wanted) {
            return None;
        }
        refuse(format!("Omni offers {} and not {wanted}", listed(&status.upgrade_versions)))
    }

    /// Everything that is looked at, in the order of its weight.
    pub(super) async fn gate(
        self,
        client: &Client,
        cluster: &Resource<Cluster>,
        wanted: &str,
        now: Timestamp,
    ) -> Result<Vec<Fact>, ApiError> {
        let name = &*cluster.metadata.id;
        let state = client.get::<ClusterStatus>(name).await?.map(|found| found.spec).unwrap_or_default();
        let backup = client.get::<EtcdBackupStatus>(name).await?.map(|found| found.spec).unwrap_or_default();
        let selected = Route::selected(format!("omni.sidero.dev/cluster={name}"));
        let (machines, _) = client.list::<ClusterMachineStatus>(&selected).await?;
        let mut facts = vec![health(&state), saved(cluster, &backup, now)];
        facts.extend(template(cluster));
        facts.extend(members(&machines));
        match headroom::readiness(client, name).await {
            Ok(nodes) => facts.extend([standing(&nodes), quiet(&nodes, now)]),
            Err(error) => facts.extend(["nodes", "quiet"].map(|what| {
                (Decision::Warn, Evidence::new(what, format!("not seen: {error}"), Tone::Unknown))
            })),
        }
        facts.push(self.tried(client, name, wanted).await?);
        if self == Self::Kubernetes {
            facts.push(self.prechecks(client, name, wanted).await);
        }
        Ok(facts)
    }

    async fn prechecks(self, client: &Client, cluster: &str, wanted: &str) -> Fact {
        let body = json!({"new_version": wanted});
        let method = "/management.ManagementService/KubernetesUpgradePreChecks";
        let answer = client.exchange(client.writer(), method, &Route::cluster(cluster), body).await;
        match answer.and_then(|reply| {
            if reply.is_success() { reply.json::<PreChecks>() } else { Err(reply.unexpected()) }
        }) {
            Ok(checks) if checks.ok => (Decision::Allow, Evidence::new("pre-checks", "passed", Tone::Ok)),
            Ok(checks) => (Decision::Refuse, Evidence::new("pre-checks", checks.reason, Tone::Error)),
            Err(error) => (Decision::Blind, Evidence::new("pre-checks", error.to_string(), Tone::Unknown)),
        }
    }

    /// Whether another cluster runs the version already, and is well with it.
    async fn tried(self, client: &Client, name: &str, wanted: &str) -> Result<Fact, ApiError> {
        let (clusters, _) = client.list::<ClusterStatus>(&Route::omni()).await?;
        let runs = |status: &ClusterStatus| match self {
            Self::Talos => status.talos_version == wanted,
            Self::Kubernetes => status.kubernetes_version == wanted,
        };
        let others = clusters.iter().filter(|other| &*other.metadata.id != name && runs(&other.spec));
        let (well, ill): (Vec<_>, Vec<_>) = others.partition(|other| other.spec.ready);
        let ids = |all: &[&Resource<ClusterStatus>]| {
            all.iter().map(|other| &*other.metadata.id).collect::<Vec<_>>().join(", ")
        };
        Ok(match (well.is_empty(), ill.is_empty()) {
            (_, false) => {
                let says = format!("{} runs it and is not ready", ids(&ill));
                (Decision::Warn, Evidence::new("tried", says, Tone::Warn))
            }
            (false, true) => {
                (Decision::Allow, Evidence::new("tried", format!("{} runs it, ready", ids(&well)), Tone::Ok))
            }
            (true, true) => {
                (Decision::Warn, Evidence::new("tried", "no other cluster runs it yet", Tone::Warn))
            }
        })
    }
}

fn listed(versions: &[String]) -> String {
    if versions.is_empty() { "nothing".to_owned() } else { versions.join(", ") }
}

fn health(status: &ClusterStatus) -> Fact {
    let machines = &status.machines;
    let health = format!("{} of {} machines healthy", machines.healthy, machines.total);
    if status.ready && machines.healthy == machines.total {
        (Decision::Allow, Evidence::new("cluster", format!("ready, {health}"), Tone::Ok))
    } else {
        (Decision::Refuse, Evidence::new("cluster", format!("not ready, {health}"), Tone::Error))
    }
}

/// The age of the last etcd backup: without a fresh one there is no way back.
fn saved(cluster: &Resource<Cluster>, backup: &EtcdBackupStatus, now: Timestamp) -> Fact {
    let age = backup.last_backup_time.map(|at| seconds_between(at, now));
    let first = format!("save first: vigie do omni.etcd-backup {}", cluster.metadata.id);
    match age {
        Some(age) if age <= FRESH => {
            (Decision::Allow, Evidence::new("etcd backup", format!("{} old", short(age)), Tone::Ok))
        }
        // What ends by itself within hours needs no way back.
        _ if expiry(&cluster.metadata).is_some() => {
            (Decision::Allow, Evidence::new("etcd backup", "none; the cluster is ephemeral", Tone::Text))
        }
        Some(age) => {
            let says = format!("{} old; {first}", short(age));
            (Decision::Refuse, Evidence::new("etcd backup", says, Tone::Error))
        }
        None => (Decision::Refuse, Evidence::new("etcd backup", format!("none; {first}"), Tone::Error)),
    }
}

fn template(cluster: &Resource<Cluster>) -> Option<Fact> {
    let says = "a template manages this cluster: change the version there too, or its next sync goes back";
    let managed = !manager(&cluster.metadata).is_empty();
    managed.then(|| (Decision::Warn, Evidence::new("template", says, Tone::Warn)))
}

/// What the machines say: locks that hold the upgrade back, and how many control planes there are.
fn members(machines: &[Resource<ClusterMachineStatus>]) -> Vec<Fact> {
    let locked = machines.iter().filter(|machine| machine.metadata.annotation("locked").is_some()).count();
    let planes =
        machines.iter().filter(|machine| machine.metadata.label("role-controlplane").is_some()).count();
    let mut facts = Vec::new();
    if locked > 0 {
        let says = format!("{locked} machines are locked and stay behind");
        facts.push((Decision::Warn, Evidence::new("locks", says, Tone::Warn)));
    }
    if planes < 3 {
        let says = format!("{planes} control planes: the API goes away while one restarts");
        facts.push((Decision::Warn, Evidence::new("control plane", says, Tone::Warn)));
    } else {
        let says = format!("{planes}, taken one at a time");
        facts.push((Decision::Allow, Evidence::new("control plane", says, Tone::Text)));
    }
    facts
}

/// The Kubernetes nodes: one that is not ready or cordoned now would be blamed on the upgrade later.
fn standing(nodes: &[Readiness]) -> Fact {
    let fact = |decision, says: String, tone| (decision, Evidence::new("nodes", says, tone));
    let down: Vec<&str> = nodes.iter().filter(|node| !node.ready).map(|node| node.name.as_str()).collect();
    let cordoned: Vec<&str> =
        nodes.iter().filter(|node| node.cordoned).map(|node| node.name.as_str()).collect();
    match (down.is_empty(), cordoned.is_empty()) {
        (false, _) => fact(Decision::Refuse, format!("not ready: {}", down.join(", ")), Tone::Error),
        (true, false) => fact(Decision::Warn, format!("cordoned: {}", cordoned.join(", ")), Tone::Warn),
        (true, true) => fact(Decision::Allow, format!("{} ready", nodes.len()), Tone::Ok),
    }
}

/// Whether the nodes stood still for a day: what came and went yesterday is looked at before anything is put on top.
fn quiet(nodes: &[Readiness], now: Timestamp) -> Fact {
    let fact = |decision, says: String, tone| (decision, Evidence::new("quiet", says, tone));
    let since = |at: Timestamp| seconds_between(at, now);
    if nodes.iter().any(|node| node.changed.is_none()) {
        return fact(Decision::Warn, "when the nodes last changed is not told".to_owned(), Tone::Unknown);
    }
    let mut last: Vec<(i64, &str)> =
        nodes.iter().filter_map(|node| Some((since(node.changed?), node.name.as_str()))).collect();
    last.sort_unstable();
    let lately: Vec<String> = last
        .iter()
        .take_while(|(age, _)| *age < DAY)
        .map(|(age, name)| format!("{name} changed {} ago", short(*age)))
        .collect();
    match (lately.is_empty(), last.first()) {
        (true, Some((age, _))) => {
            fact(Decision::Allow, format!("no node changed for {}", short(*age)), Tone::Ok)
        }
        _ => fact(Decision::Warn, format!("not for 24 h: {}", lately.join(", ")), Tone::Warn),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_without_a_change_is_quiet_and_what_is_not_told_is_not() {
        let now = Timestamp::from_second(1_770_000_000).unwrap();
        let node = |name: &str, ago: Option<i64>| Readiness {
            name: name.into(),
            ready: true,
            cordoned: false,
            changed: ago.map(|ago| now - jiff::SignedDuration::from_secs(ago)),
        };
        let old = node("a", Some(3 * DAY));
        let cases = [
            (vec![old.clone(), node("b", Some(DAY))], Decision::Allow, "no node changed for 24h"),
            (vec![old.clone(), node("b", Some(7_200))], Decision::Warn, "not for 24 h: b changed 2h ago"),
            (vec![old, node("b", None)], Decision::Warn, "not told"),
        ];
        for (nodes, decision, part) in cases {
            let (found, evidence) = quiet(&nodes, now);
            assert!(found == decision && evidence.says.contains(part), "{evidence:?}");
        }
    }
}
