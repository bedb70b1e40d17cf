//! Machines: what Omni knows of the hardware, and how the one in a cluster is doing.

use super::{Resource, Spec, Table, tables};
use crate::backend::omni::lenient::messages;

messages! {
    /// `MachineStatusSpec`.
    MachineStatus {
        talos_version: String,
        hardware: Hardware,
        network: Network,
        last_error: String,
        management_address: String,
        connected: bool,
        maintenance: bool,
        cluster: String,
        role: i64,
        platform_metadata: Platform,
        schematic: Schematic,
        diagnostics: Vec<Diagnostic>,
        power_state: i64,
    }

    /// `MachineStatusSpec.hardware`.
    Hardware {
        processors: Vec<Processor>,
        memory_modules: Vec<MemoryModule>,
        blockdevices: Vec<BlockDevice>,
        arch: String,
    }

    /// One processor.
    Processor { core_count: i64, description: String, }

    /// One memory module.
    MemoryModule { size_mb: i64, }

    /// One disk.
    BlockDevice {
        size: i64,
        model: String,
        linux_name: String,
        r#type: String,
        system_disk: bool,
    }

    /// `MachineStatusSpec.network`.
    Network {
        hostname: String,
        addresses: Vec<String>,
        network_links: Vec<NetworkLink>,
    }

    /// One network card.
    NetworkLink { linux_name: String, hardware_address: String, link_up: bool, }

    /// `MachineStatusSpec.platform_metadata`.
    Platform {
        platform: String,
        region: String,
        zone: String,
        instance_type: String,
        provider_id: String,
    }

    /// `MachineStatusSpec.schematic`.
    Schematic { extensions: Vec<String>, full_id: String, invalid: bool, }

    /// One thing that Omni's own diagnosis found.
    Diagnostic { id: String, message: String, details: Vec<String>, }

    /// `ClusterMachineStatusSpec`.
    ClusterMachineStatus {
        ready: bool,
        stage: i64,
        config_up_to_date: bool,
        last_config_error: String,
        config_apply_status: i64,
        is_removed: bool,
        provision_status: ProvisionStatus,
    }

    /// Where a machine made on demand came from.
    ProvisionStatus { provider_id: String, request_id: String, }

    /// `MachineStatusSnapshotSpec`.
    MachineSnapshot { machine_status: TalosStatus, power_stage: i64, }

    /// What Talos itself says.
    TalosStatus { stage: i64, status: TalosReady, }

    /// Whether Talos is ready, and what it misses.
    TalosReady { ready: bool, unmet_conditions: Vec<Unmet>, }

    /// One unmet condition.
    Unmet { name: String, reason: String, }

    /// `MachinePendingUpdatesSpec`.
    PendingUpdates { upgrade: PendingUpgrade, config_diff: String, }

    /// Its upgrade.
    PendingUpgrade {
        from_schematic: String,
        to_schematic: String,
        from_version: String,
        to_version: String,
    }
}

/// Labels of a cluster's member that its machine's row shows.
const SHOWN: [&str; 2] = ["hostname", "locked-update"];

impl Spec for MachineStatus {
    const TABLE: Table = Table { namespace: "default", kind: "MachineStatuses.omni.sidero.dev" };

    fn thin(resource: &mut Resource<Self>) {
        resource.metadata.keep_labels(&[]);
        resource.metadata.annotations.clear();
        let spec = &mut resource.spec;
        spec.hardware.thin();
        spec.network.network_links.iter_mut().for_each(|link| link.linux_name = String::new());
        spec.management_address = String::new();
        spec.platform_metadata = Platform {
            platform: std::mem::take(&mut spec.platform_metadata.platform),
            ..Platform::default()
        };
        spec.schematic = Schematic { invalid: spec.schematic.invalid, ..Schematic::default() };
        spec.diagnostics.truncate(1);
    }
}

impl Hardware {
    /// One processor, module and disk with the sums of all.
    fn thin(&mut self) {
        let core_count = self.processors.iter().map(|cpu| cpu.core_count).sum();
        let size_mb = self.memory_modules.iter().map(|module| module.size_mb.max(0)).sum();
        let size = self.disk().unwrap_or_default();
        self.processors = vec![Processor { core_count, ..Processor::default() }];
        self.memory_modules = vec![MemoryModule { size_mb }];
        self.blockdevices = vec![BlockDevice { size, system_disk: true, ..BlockDevice::default() }];
    }

    /// Bytes of the system disk, else of all disks; `None` where none is known.
    pub(in crate::backend::omni) fn disk(&self) -> Option<i64> {
        let system = self.blockdevices.iter().find(|disk| disk.system_disk).map(|disk| disk.size);
        let all = || self.blockdevices.iter().map(|disk| disk.size.max(0)).sum();
        Some(system.unwrap_or_else(all)).filter(|bytes| *bytes > 0)
    }
}

impl Spec for ClusterMachineStatus {
    const TABLE: Table = Table { namespace: "default", kind: "ClusterMachineStatuses.omni.sidero.dev" };

    fn thin(resource: &mut Resource<Self>) {
        resource.metadata.keep_labels(&SHOWN);
        resource.spec.provision_status = ProvisionStatus::default();
    }
}

tables! {
    MachineSnapshot = "default" / "MachineStatusSnapshots";
    PendingUpdates = "default" / "MachinePendingUpdates";
}

/// `ClusterMachineStatusSpec.stage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::backend::omni) struct Stage(pub i64);

impl Stage {
    /// Up.
    pub(in crate::backend::omni) const RUNNING: i64 = 4;
    /// Restarting.
    pub(in crate::backend::omni) const REBOOTING: i64 = 7;
    /// On its way off.
    pub(in crate::backend::omni) const SHUTTING_DOWN: i64 = 8;
    /// On its way on.
    pub(in crate::backend::omni) const POWERING_ON: i64 = 10;
    /// Off.
    pub(in crate::backend::omni) const POWERED_OFF: i64 = 11;

    /// Its word.
    pub(in crate::backend::omni) fn word(self) -> &'static str {
        match self.0 {
            1 => "booting",
            2 => "installing",
            3 => "configuring",
            4 => "running",
            5 => "destroying",
            6 => "upgrading",
            7 => "rebooting",
            8 => "shutting down",
            9 => "before destroy",
            10 => "powering on",
            11 => "powered off",
            _ => "unknown",
        }
    }
}

messages! {
    /// `MachineSetNodeSpec` has no fields: its annotations are what counts.
    MachineSetNode {}

    /// `LinkSpec`; only torn down here, never read.
    Link {}

    /// `ExtensionsConfigurationSpec`; only made here, never read.
    ExtensionsConfiguration {}

    /// `KernelArgsSpec`; only compared, never read.
    KernelArgs {}

    /// `MachineLabelsSpec` has no fields: the labels are in its metadata.
    MachineLabels {}
}

tables! {
    MachineSetNode = "default" / "MachineSetNodes";
    MachineLabels = "default" / "MachineLabels";
    Link = "default" / "Links";
    ExtensionsConfiguration = "default" / "ExtensionsConfigurations";
    KernelArgs = "default" / "KernelArgs";
}
