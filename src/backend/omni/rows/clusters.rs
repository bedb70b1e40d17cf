//! Rows of `omni.clusters`.

use std::sync::Arc;

use jiff::Timestamp;

use super::Judgement;
use crate::backend::omni::feed::{Feed, Lens, Shelf, Shelved};
use crate::backend::omni::kinds::CLUSTERS;
use crate::backend::omni::wire::{
    Cluster, ClusterStatus, EtcdBackupStatus, LoadBalancerStatus, Metadata, Resource, UpgradeKubernetes,
    UpgradeStatus, UpgradeTalos,
};
use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row, Tone, Value};
use crate::model::time::{parse_duration, seconds_between, short};

/// The label that holds how long a cluster may live, counted from its creation (`2h`).
pub(in crate::backend::omni) const TTL: &str = "vigie/ttl";
/// The label that names the run or person that a cluster was made for.
pub(in crate::backend::omni) const OWNER: &str = "vigie/owner";

/// `ClusterStatusSpec.phase` and `MachineSetStatusSpec.phase` of a thing that is up.
const RUNNING: i64 = 3;

/// What the clusters' rows are made of.
#[derive(Debug, Default)]
pub(in crate::backend::omni) struct Clusters {
    pub(in crate::backend::omni) specs: Shelf<Cluster>,
    pub(in crate::backend::omni) statuses: Shelf<ClusterStatus>,
    talos: Shelf<UpgradeTalos>,
    kubernetes: Shelf<UpgradeKubernetes>,
    pub(in crate::backend::omni) balancers: Shelf<LoadBalancerStatus>,
    backups: Shelf<EtcdBackupStatus>,
}

impl Feed for Clusters {
    const KIND: &'static str = CLUSTERS;

    fn shelves(&mut self) -> Vec<&mut dyn Shelved> {
        vec![
            &mut self.specs,
            &mut self.statuses,
            &mut self.talos,
            &mut self.kubernetes,
            &mut self.balancers,
            &mut self.backups,
        ]
    }

    fn ids(&self) -> Vec<Arc<str>> {
        self.specs.ids().cloned().collect()
    }

    fn row(&self, id: &str, lens: &Lens) -> Option<Row> {
        let cluster = self.specs.of(id)?;
        let status = self.statuses.spec(id);
        let (word, judgement) = self.judge(cluster, status, lens);
        let meta = &cluster.metadata;
        let cells = vec![
            Cell::toned(word, judgement.health.into()),
            Cell::new(&*meta.id),
            machines_cell(status),
            Cell::new(cluster.spec.talos_version.as_str()),
            Cell::new(cluster.spec.kubernetes_version.as_str()),
            self.upgrade_cell(id),
            Cell::new(self.backups.spec(id).and_then(|backup| backup.last_backup_time)),
            expiry_cell(meta, lens.now),
            Cell::new(meta.labels.get(OWNER).map_or("", String::as_str)),
            Cell::new(status.is_some_and(|s| s.controlplane_ready)),
            Cell::new(status.is_some_and(|s| s.kubernetes_api_ready)),
            Cell::new(manager(meta)),
            Cell::new(meta.annotation("cluster-locked").is_some()),
            Cell::new(meta.created),
        ];
        let key = EntityId::new(CLUSTERS, lens.instance.clone(), meta.id.clone());
        let mut row = Row::new(key, meta.id.clone(), cells);
        row.health = judgement.health;
        row.note = judgement.note.map(Arc::from);
        row.domain = lens.domain_of(&meta.labels);
        row.identity = identity(meta);
        row.facets = Box::new([Facet::new(FacetKey::Name, meta.id.clone(), Grade::Hint)]);
        Some(row)
    }
}

/// What makes a cluster that cluster, as it was when somebody decided: a name can be used again, an instant of creation
/// cannot, and a version is only good for one change.
pub(in crate::backend::omni) fn identity(meta: &Metadata) -> Identity {
    let identity = Identity::new().with("id", meta.id.clone()).with("version", meta.version.to_string());
    match meta.created {
        Some(created) => identity.with("created", created.to_string()),
        None => identity,
    }
}

/// When a cluster with a time to live ends.
pub(in crate::backend::omni) fn expiry(meta: &Metadata) -> Option<Timestamp> {
    let ttl = parse_duration(meta.labels.get(TTL)?)?;
    meta.created?.checked_add(ttl).ok()
}

/// Who brings the cluster back to its desired state.
pub(in crate::backend::omni) fn manager(meta: &Metadata) -> &'static str {
    if meta.annotation("managed-by-gitops-tools").is_some() {
        "gitops"
    } else if meta.annotation("managed-by-cluster-templates").is_some() {
        "template"
    } else {
        ""
    }
}

/// The word for `ClusterStatusSpec.phase`.
pub(in crate::backend::omni) fn phase(phase: i64) -> &'static str {
    match phase {
        1 => "scaling up",
        2 => "scaling down",
        3 => "running",
        4 => "destroying",
        _ => "unknown",
    }
}

fn machines_cell(status: Option<&ClusterStatus>) -> Cell {
    let Some(machines) = status.map(|s| &s.machines) else { return Cell::empty() };
    let tone = if machines.healthy < machines.total { Tone::Warn } else { Tone::Text };
    Cell::toned(format!("{}/{}", machines.healthy, machines.total).as_str(), tone)
}

fn expiry_cell(meta: &Metadata, now: Timestamp) -> Cell {
    let end = expiry(meta);
    let tone = if end.is_some_and(|end| end <= now) { Tone::Warn } else { Tone::Text };
    Cell::toned(end, tone)
}

impl Clusters {
    fn upgrade_cell(&self, id: &str) -> Cell {
        let last = |status: Option<&UpgradeStatus>| status.and_then(|s| s.upgrade_versions.last().cloned());
        let talos = last(self.talos.spec(id).map(|s| &s.0));
        let kubernetes = last(self.kubernetes.spec(id).map(|s| &s.0));
        let parts = [talos.map(|v| format!("talos {v}")), kubernetes.map(|v| format!("k8s {v}"))];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        Cell::toned(Value::text(text), Tone::Info)
    }

    fn judge(
        &self,
        cluster: &Resource<Cluster>,
        status: Option<&ClusterStatus>,
        lens: &Lens,
    ) -> (&'static str, Judgement) {
        let Some(status) = status else {
            let mut unknown = Judgement::new(Health::Unknown);
            unknown.note = Some("Omni reports no status".to_owned());
            return ("unknown", unknown);
        };
        if cluster.metadata.tearing_down() || status.phase == 4 {
            let mut leaving = Judgement::new(Health::Pending);
            leaving.note = Some(format!("{} machines left", status.machines.total));
            return ("destroying", leaving);
        }
        let mut judged = match status.phase {
            RUNNING => Judgement::new(Health::Ok),
            1 | 2 => Judgement::new(Health::Pending),
            _ => Judgement::new(Health::Unknown),
        };
        if status.phase == RUNNING {
            lacks(status, &mut judged);
        }
        self.worries(&cluster.metadata, lens, &mut judged);
        let word = if status.phase == RUNNING && !status.ready { "not ready" } else { phase(status.phase) };
        (word, judged)
    }

    /// What wants attention beside the phase.
    fn worries(&self, meta: &Metadata, lens: &Lens, judged: &mut Judgement) {
        match expiry(meta) {
            Some(end) if end <= lens.now => {
                let ago = short(seconds_between(end, lens.now));
                judged.at_least(Health::Warning, format!("expired {ago} ago"));
            }
            None if lens.ephemeral.as_ref().is_some_and(|begin| meta.id.starts_with(&**begin)) => {
                judged.at_least(Health::Warning, "short-lived, but without a time to live or an owner");
            }
            _ => {}
        }
        let upgrades = [
            ("Talos", self.talos.spec(&meta.id).map(|s| &s.0)),
            ("Kubernetes", self.kubernetes.spec(&meta.id).map(|s| &s.0)),
        ];
        for (what, status) in upgrades {
            let Some(status) = status else { continue };
            match status.phase {
                1 | 4 | 5 => judged.at_least(Health::Pending, format!("{what}: {}", said(status))),
                3 => judged.at_least(Health::Warning, format!("{what} upgrade failed: {}", said(status))),
                _ => {}
            }
        }
        if self.balancers.spec(&meta.id).is_some_and(|balancer| !balancer.healthy && !balancer.stopped) {
            judged.at_least(Health::Warning, "the API load balancer is unhealthy");
        }
        if let Some(backup) = self.backups.spec(&meta.id).filter(|backup| backup.status == 2) {
            judged.at_least(Health::Warning, format!("etcd backup failed: {}", backup.error));
        }
        if meta.label("tainted-by-break-glass").is_some() {
            judged.at_least(Health::Warning, "break-glass access was used");
        }
    }
}

fn said(status: &UpgradeStatus) -> &str {
    [&status.error, &status.step, &status.status]
        .into_iter()
        .find(|text| !text.is_empty())
        .map_or("under way", String::as_str)
}

/// What a cluster that should be up lacks.
fn lacks(status: &ClusterStatus, judged: &mut Judgement) {
    let machines = &status.machines;
    if machines.total > 0 && machines.connected == 0 {
        judged.at_least(Health::Critical, format!("all {} machines are disconnected", machines.total));
    }
    if !status.controlplane_ready {
        judged.at_least(Health::Critical, "the control plane is not ready");
    }
    if !status.kubernetes_api_ready {
        judged.at_least(Health::Critical, "the Kubernetes API does not answer");
    }
    if machines.connected < machines.total {
        let gone = machines.total - machines.connected;
        judged.at_least(Health::Warning, format!("{gone} of {} machines disconnected", machines.total));
    }
    if machines.healthy < machines.total {
        judged.at_least(
            Health::Warning,
            format!("{} of {} machines healthy", machines.healthy, machines.total),
        );
    }
    if !status.ready {
        judged.at_least(Health::Warning, "not ready");
    }
}
