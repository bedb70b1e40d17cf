//! What a template asks for, as the resources that omnictl makes of it, in the order in which Omni wants them.

use serde_json::{Map, Value, json};

use super::Template;
use super::documents::{MachineDoc, PatchDoc, SetDoc, Size, Words};
use crate::backend::omni::edit::Draft;
use crate::backend::omni::wire::{
    Cluster, ConfigPatch, ExtensionsConfiguration, KernelArgs, MachineSet, MachineSetNode, PREFIX, Spec,
};

/// What a patch or extension belongs to, besides the cluster: a label and its value.
type Owner<'a> = Option<(&'static str, &'a str)>;

impl Template {
    /// Everything that has to be created; `labels` go onto the cluster.
    pub(in crate::backend::omni) fn resources(&self, labels: &[(&str, &str)]) -> Vec<(String, Draft)> {
        let mut made = vec![(format!("cluster {}", self.name()), self.cluster_draft(labels))];
        let cluster = &self.cluster;
        made.extend(self.extensions(self.name(), &cluster.system_extensions, None));
        made.extend(self.patches(&format!("cluster-{}", self.name()), 200, &cluster.patches, None));
        for set in &self.sets {
            let id = self.set_id(set);
            let owner = Some(("machine-set", id.as_str()));
            made.extend(self.extensions(&id, &set.system_extensions, owner));
            made.extend(self.patches(&id, 400, &set.patches, owner));
        }
        for machine in &self.machines {
            let owner = Some(("cluster-machine", machine.name.as_str()));
            made.extend(self.extensions(&machine.name, &machine.system_extensions, owner));
            made.extend(self.patches(&format!("cm-{}", machine.name), 400, &machine.patches, owner));
            made.extend(self.install_disk(machine));
        }
        made.extend(self.sets.iter().map(|set| self.set_draft(set)));
        made.extend(self.sets.iter().flat_map(|set| self.nodes(set)));
        made.extend(self.kernel_args());
        made
    }

    /// What the template asks for and is not among the resources, in words.
    pub(in crate::backend::omni) fn aside(&self) -> Vec<String> {
        let counted = [
            (self.cluster.kubernetes.manifests.len(), "manifests"),
            (self.cluster.kubernetes.healthchecks.len(), "health checks"),
        ];
        let strategies = self.sets.iter().filter(|set| {
            set.update_strategy.is_some() || set.delete_strategy.is_some() || set.upgrade_strategy.is_some()
        });
        let counted = counted.into_iter().chain([(strategies.count(), "sets with strategies of their own")]);
        counted.filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
    }

    fn cluster_draft(&self, labels: &[(&str, &str)]) -> Draft {
        let mut draft = Draft::new(Cluster::TABLE, self.name());
        words(&mut draft, &self.cluster.labels, &self.cluster.annotations);
        draft.labels().extend(labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())));
        draft.annotations().insert(format!("{PREFIX}managed-by-cluster-templates"), "".into());
        let features = &self.cluster.features;
        let switches = [
            ("enable_workload_proxy", features.enable_workload_proxy),
            ("disk_encryption", features.disk_encryption),
            ("use_embedded_discovery_service", features.use_embedded_discovery_service),
            ("disable_public_discovery_service", features.disable_public_discovery_service),
            ("enable_node_audit_skip", features.enable_node_audit_skip),
        ];
        let switches: Map<String, Value> = switches
            .into_iter()
            .filter(|(_, on)| *on)
            .map(|(name, on)| (name.to_owned(), on.into()))
            .collect();
        draft.spec().insert("talos_version".to_owned(), self.talos().into());
        draft.spec().insert("kubernetes_version".to_owned(), self.kubernetes().into());
        draft.spec().insert("features".to_owned(), switches.into());
        if let Some(backup) = &features.backup_configuration {
            let seconds =
                crate::model::time::parse_duration(&backup.interval).map_or(0, |every| every.as_secs());
            let backup = json!({"interval": format!("{seconds}s"), "enabled": true});
            draft.spec().insert("backup_configuration".to_owned(), backup);
        }
        draft
    }

    fn extensions(&self, of: &str, names: &[String], owner: Owner<'_>) -> Option<(String, Draft)> {
        if names.is_empty() {
            return None;
        }
        let mut draft =
            self.owned(Draft::new(ExtensionsConfiguration::TABLE, &format!("schematic-{of}")), owner);
        draft.spec().insert("extensions".to_owned(), json!(names));
        Some((format!("extensions of {of}"), draft))
    }

    fn owned(&self, draft: Draft, owner: Owner<'_>) -> Draft {
        let draft = draft.label("cluster", self.name());
        match owner {
            Some((label, id)) => draft.label(label, id),
            None => draft,
        }
    }

    fn patches<'a>(
        &'a self,
        prefix: &'a str,
        weight: usize,
        patches: &'a [PatchDoc],
        owner: Owner<'a>,
    ) -> impl Iterator<Item = (String, Draft)> + 'a {
        patches.iter().enumerate().map(move |(at, patch)| {
            let id = match patch.id_override.as_str() {
                "" => format!("{:03}-{prefix}-{}", weight + at, patch.called()),
                id => id.to_owned(),
            };
            let mut draft = self.owned(Draft::new(ConfigPatch::TABLE, &id), owner);
            words(&mut draft, &patch.labels, &patch.annotations);
            draft.annotations().insert("name".to_owned(), patch.called().into());
            draft.spec().insert("data".to_owned(), patch.text.as_str().into());
            (format!("patch {id}"), draft)
        })
    }

    fn install_disk(&self, machine: &MachineDoc) -> Option<(String, Draft)> {
        let disk = &machine.install.as_ref()?.disk;
        let id = format!("000-cm-{}-install-disk", machine.name);
        let owner = Some(("cluster-machine", machine.name.as_str()));
        let mut draft = self.owned(Draft::new(ConfigPatch::TABLE, &id), owner).label("system-patch", "");
        let data = json!({"machine": {"install": {"disk": disk}}});
        draft.spec().insert("data".to_owned(), data.to_string().into());
        Some((format!("patch {id}"), draft))
    }

    fn set_draft(&self, set: &SetDoc) -> (String, Draft) {
        let id = self.set_id(set);
        let mut draft = Draft::new(MachineSet::TABLE, &id).label("cluster", self.name()).label(role(set), "");
        words(&mut draft, &set.labels, &set.annotations);
        draft.annotations().insert(format!("{PREFIX}managed-by-cluster-templates"), "".into());
        draft.spec().insert("update_strategy".to_owned(), 1.into());
        if let Some(class) = &set.machine_class {
            let allocation = match class.size {
                Size::Count(count) => json!({"name": class.name, "machine_count": count}),
                Size::Unlimited => json!({"name": class.name, "allocation_type": 1}),
            };
            draft.spec().insert("machine_allocation".to_owned(), allocation);
        }
        (format!("machine set {id}"), draft)
    }

    fn nodes<'a>(&'a self, set: &'a SetDoc) -> impl Iterator<Item = (String, Draft)> + 'a {
        let id = self.set_id(set);
        set.machines.iter().flatten().map(move |uuid| {
            let draft = Draft::new(MachineSetNode::TABLE, uuid).label("cluster", self.name());
            let mut draft = draft.label("machine-set", &id).label(role(set), "");
            if let Some(machine) = self.machines.iter().find(|machine| machine.name == *uuid) {
                words(&mut draft, &machine.labels, &machine.annotations);
                if machine.locked {
                    draft.annotations().insert(format!("{PREFIX}locked"), "".into());
                }
            }
            (format!("machine {uuid} in {id}"), draft)
        })
    }

    fn kernel_args(&self) -> impl Iterator<Item = (String, Draft)> + '_ {
        let own =
            |uuid: &str| self.machines.iter().find(|machine| machine.name == uuid).map(|m| &m.kernel_args);
        self.sets.iter().flat_map(move |set| {
            set.machines.iter().flatten().filter_map(move |uuid| {
                let levels = [own(uuid), Some(&set.kernel_args), Some(&self.cluster.kernel_args)];
                let args = levels.into_iter().flatten().find(|args| !args.is_empty())?;
                let mut draft = Draft::new(KernelArgs::TABLE, uuid);
                draft.annotations().insert(format!("{PREFIX}managed-by-cluster-templates"), "".into());
                draft.spec().insert("args".to_owned(), json!(args));
                Some((format!("kernel arguments of {uuid}"), draft))
            })
        })
    }
}

fn role(set: &SetDoc) -> &'static str {
    if set.control_plane { "role-controlplane" } else { "role-worker" }
}

fn words(draft: &mut Draft, labels: &Words, annotations: &Words) {
    let own = |words: &Words| -> Vec<(String, Value)> {
        words.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect()
    };
    draft.labels().extend(own(labels));
    draft.annotations().extend(own(annotations));
}
