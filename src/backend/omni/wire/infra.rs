//! What machines are grouped, made and let in by: sets, classes, providers, requests, tokens, backups.

use std::sync::Arc;

use jiff::Timestamp;

use super::cluster::Machines;
use super::{Resource, Spec, Table, tables};
use crate::backend::omni::lenient::messages;

messages! {
    /// `MachineSetSpec`.
    MachineSet { machine_allocation: Allocation, machine_class: Allocation, }

    /// `MachineSetSpec.machine_allocation`, and its deprecated twin `machine_class`.
    Allocation { name: String, machine_count: i64, allocation_type: i64, }

    /// `MachineSetStatusSpec`.
    MachineSetStatus {
        phase: i64,
        ready: bool,
        error: String,
        machines: Machines,
        locked_updates: i64,
    }

    /// `MachineClassSpec`.
    MachineClass { match_labels: Vec<String>, auto_provision: Option<AutoProvision>, }

    /// `MachineClassSpec.auto_provision`.
    AutoProvision { provider_id: String, provider_data: String, }

    /// `InfraProviderCombinedStatusSpec`.
    Provider { name: String, description: String, health: ProviderHealth, version: String, }

    /// `InfraProviderCombinedStatusSpec.health`.
    ProviderHealth { connected: bool, error: String, initialized: bool, }

    /// `MachineRequestSpec`.
    MachineRequest { talos_version: String, }

    /// `MachineRequestStatusSpec`; `last_error` is ours: providers clear their error with every retry.
    MachineRequestStatus { id: String, stage: i64, error: String, status: String, last_error: String, }

    /// `ClusterMachineRequestStatusSpec`.
    ClusterRequestStatus { status: String, machine_uuid: String, provider_id: String, stage: i64, error: String, }

    /// `JoinTokenStatusSpec`.
    JoinToken { state: i64, is_default: bool, use_count: i64, expiration_time: Option<Timestamp>, name: String, }

    /// `EtcdBackupOverallStatusSpec`.
    BackupOverall { configuration_name: String, configuration_error: String, }

    /// `EtcdManualBackupSpec`.
    ManualBackup { backup_at: Option<Timestamp>, }

    /// `ConfigPatchSpec`; the server unpacks what it keeps compressed.
    ConfigPatch { data: String, }

    /// `TalosVersionSpec`.
    TalosVersion { version: String, compatible_kubernetes_versions: Vec<String>, unsupported: bool, }

    /// `EtcdBackupSpec`.
    EtcdBackup { created_at: Option<Timestamp>, snapshot: String, size: i64, }
}

tables! {
    MachineSet = "default" / "MachineSets";
    MachineSetStatus = "default" / "MachineSetStatuses";
    MachineClass = "default" / "MachineClasses";
    Provider = "ephemeral" / "InfraProviderCombinedStatuses";
    MachineRequest = "infra-provider" / "MachineRequests";
    ClusterRequestStatus = "default" / "ClusterMachineRequestStatuses";
    ConfigPatch = "default" / "ConfigPatches";
    TalosVersion = "default" / "TalosVersions";
    EtcdBackup = "external" / "EtcdBackups";
    BackupOverall = "metrics" / "EtcdBackupOverallStatuses";
    ManualBackup = "ephemeral" / "EtcdManualBackups";
}

impl Spec for MachineRequestStatus {
    const TABLE: Table =
        Table { namespace: "infra-provider", kind: "MachineRequestStatuses.omni.sidero.dev" };

    fn remember(&mut self, before: &Self) {
        let last =
            [&self.error, &before.error, &before.last_error].into_iter().find(|error| !error.is_empty());
        self.last_error = last.cloned().unwrap_or_default();
    }
}

/// The id of a join token is the token: rows are known by a digest of it.
impl Spec for JoinToken {
    const TABLE: Table = Table { namespace: "default", kind: "JoinTokenStatuses.omni.sidero.dev" };

    fn row(resource: &Resource<Self>) -> Arc<str> {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(resource.metadata.id.as_bytes());
        crate::backend::omni::packet::hex(&digest[..6]).into()
    }
}

impl MachineSet {
    /// The class that it takes machines from, and how many; the deprecated field where only that is there.
    pub(in crate::backend::omni) fn allocation(&self) -> Option<&Allocation> {
        [&self.machine_allocation, &self.machine_class].into_iter().find(|found| !found.name.is_empty())
    }
}

impl MachineClass {
    /// The provider that makes its machines.
    pub(in crate::backend::omni) fn provider(&self) -> Option<&str> {
        self.auto_provision
            .as_ref()
            .map(|auto| auto.provider_id.as_str())
            .filter(|provider| !provider.is_empty())
    }
}
