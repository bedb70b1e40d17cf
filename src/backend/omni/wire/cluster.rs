//! Clusters: what they are to be, how they are, and what is being done to them.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Resource, Spec, Table, tables};
use crate::backend::omni::lenient::messages;

messages! {
    /// `ClusterSpec`.
    Cluster {
        kubernetes_version: String,
        talos_version: String,
        features: Features,
        backup_configuration: BackupConfiguration,
    }

    /// `ClusterSpec.features`.
    Features {
        enable_workload_proxy: bool,
        disk_encryption: bool,
        use_embedded_discovery_service: bool,
    }

    /// `ClusterSpec.backup_configuration`.
    BackupConfiguration {
        interval: String,
        enabled: bool,
    }

    /// `ClusterStatusSpec`.
    ClusterStatus {
        available: bool,
        machines: Machines,
        phase: i64,
        ready: bool,
        #[serde(rename = "kubernetesAPIReady")]
        kubernetes_api_ready: bool,
        #[serde(rename = "controlplaneReady")]
        controlplane_ready: bool,
        has_connected_control_planes: bool,
        talos_version: String,
        kubernetes_version: String,
    }

    /// The machine counts of a cluster or machine set.
    Machines {
        total: i64,
        healthy: i64,
        connected: i64,
        requested: i64,
    }

    /// `ControlPlaneStatusSpec`.
    ControlPlaneStatus { conditions: Vec<Condition>, }

    /// One condition of a control plane.
    Condition {
        r#type: i64,
        reason: String,
        status: i64,
        severity: i64,
    }

    /// `LoadBalancerStatusSpec`.
    LoadBalancerStatus { healthy: bool, stopped: bool, }

    /// `TalosUpgradeStatusSpec` and `KubernetesUpgradeStatusSpec`.
    UpgradeStatus {
        phase: i64,
        error: String,
        step: String,
        status: String,
        last_upgrade_version: String,
        current_upgrade_version: String,
        upgrade_versions: Vec<String>,
    }

    /// `EtcdBackupStatusSpec`.
    EtcdBackupStatus {
        status: i64,
        error: String,
        last_backup_time: Option<Timestamp>,
        last_backup_attempt: Option<Timestamp>,
    }

    /// `ExposedServiceSpec`.
    ExposedService {
        port: i64,
        label: String,
        url: String,
        error: String,
    }

    /// `OngoingTaskSpec`; only which cluster it is about, and its words.
    OngoingTask {
        title: String,
        resource_id: String,
        talos_upgrade: UpgradeStatus,
        kubernetes_upgrade: UpgradeStatus,
        destroy: Destroy,
    }

    /// `ClusterDestroyStatusSpec`: free text (`Destroying: 2 machine sets, 3 machines`).
    Destroy { phase: String, }
}

tables! {
    Cluster = "default" / "Clusters";
    ClusterStatus = "default" / "ClusterStatuses";
    LoadBalancerStatus = "default" / "LoadBalancerStatuses";
    EtcdBackupStatus = "metrics" / "EtcdBackupStatuses";
    Destroy = "default" / "ClusterDestroyStatuses";
}

impl Spec for ControlPlaneStatus {
    const TABLE: Table = Table { namespace: "default", kind: "ControlPlaneStatuses.omni.sidero.dev" };

    fn row(resource: &Resource<Self>) -> Arc<str> {
        let id = &resource.metadata.id;
        id.strip_suffix("-control-planes").map_or_else(|| id.clone(), Arc::from)
    }
}

impl Spec for ExposedService {
    const TABLE: Table = Table { namespace: "default", kind: "ExposedServices.omni.sidero.dev" };
}

impl Spec for OngoingTask {
    const TABLE: Table = Table { namespace: "ephemeral", kind: "OngoingTasks.omni.sidero.dev" };

    fn row(resource: &Resource<Self>) -> Arc<str> {
        Arc::from(resource.spec.resource_id.as_str())
    }
}

/// The same message under two types: upgrades of Talos and of Kubernetes.
macro_rules! upgrade {
    ($(#[$meta:meta])* $name:ident = $kind:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub(in crate::backend::omni) struct $name(pub UpgradeStatus);

        impl crate::backend::omni::lenient::Lenient for $name {
            fn read(raw: &serde_json::value::RawValue) -> Option<Self> {
                UpgradeStatus::read(raw).map(Self)
            }
        }

        impl Spec for $name {
            const TABLE: Table = Table { namespace: "default", kind: $kind };
        }
    };
}

upgrade!(
    /// `TalosUpgradeStatusSpec`.
    UpgradeTalos = "TalosUpgradeStatuses.omni.sidero.dev"
);
upgrade!(
    /// `KubernetesUpgradeStatusSpec`.
    UpgradeKubernetes = "KubernetesUpgradeStatuses.omni.sidero.dev"
);
