//! Cluster templates as `omnictl cluster template` has them: several YAML documents with strict field names.
//!
//! An ephemeral cluster's template may only take machines from classes; its name is put in place of `${name}`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::edit::Draft;
use super::wire::{Cluster, ConfigPatch, ExtensionsConfiguration, MachineSet, PREFIX, Spec};

/// What stands for the cluster's name in a template.
pub(super) const NAME: &str = "${name}";

/// Used where no template is configured: the smallest cluster there is, of the first configured class.
pub(super) const SMALLEST: &str = include_str!("ephemeral.yaml");

/// A cluster as a template describes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    cluster: ClusterDoc,
    sets: Vec<SetDoc>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClusterDoc {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    kubernetes: VersionDoc,
    talos: VersionDoc,
    #[serde(default)]
    features: FeaturesDoc,
    #[serde(default)]
    patches: Vec<PatchDoc>,
    #[serde(default)]
    system_extensions: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionDoc {
    version: String,
}

// The switches are those of omnictl's own schema.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct FeaturesDoc {
    disk_encryption: bool,
    enable_workload_proxy: bool,
    use_embedded_discovery_service: bool,
    disable_public_discovery_service: bool,
    enable_node_audit_skip: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetDoc {
    #[serde(default)]
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    machine_class: ClassDoc,
    #[serde(default)]
    patches: Vec<PatchDoc>,
    #[serde(default)]
    system_extensions: Vec<String>,
    #[serde(skip)]
    control_plane: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassDoc {
    name: String,
    size: u32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PatchDoc {
    name: String,
    inline: Value,
}

/// Puts values in place of what stands for them.
pub(super) fn render(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (mark, value)| text.replace(mark, value))
}

impl Template {
    /// Reads a template; the error names the document, the field and what was expected.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| {
            format!("the template is not YAML: {}", crate::backend::error::first_line(&error.to_string()))
        })?;
        let (mut clusters, mut sets) = (Vec::new(), Vec::new());
        for (at, document) in documents.into_iter().enumerate().filter(|(_, document)| !document.is_null()) {
            let place = format!("document {}", at + 1);
            let Value::Object(mut fields) = document else { return Err(format!("{place} is no mapping")) };
            let kind =
                fields.remove("kind").and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
            match kind.as_str() {
                "Cluster" => clusters.push(read::<ClusterDoc>(&place, &kind, fields)?),
                "ControlPlane" => sets.push(SetDoc { control_plane: true, ..read(&place, &kind, fields)? }),
                "Workers" => sets.push(read::<SetDoc>(&place, &kind, fields)?),
                "Machine" => {
                    return Err(format!(
                        "{place}: an ephemeral cluster takes no single machines (kind Machine)"
                    ));
                }
                other => {
                    return Err(format!(
                        "{place}: unknown kind `{other}`; there are Cluster, ControlPlane, Workers"
                    ));
                }
            }
        }
        let count = clusters.len();
        let (Some(cluster), 1) = (clusters.pop(), count) else {
            return Err(format!("{count} documents of kind Cluster; exactly one is needed"));
        };
        let template = Self { cluster, sets };
        template.sound()?;
        Ok(template)
    }

    fn sound(&self) -> Result<(), String> {
        let planes: Vec<&SetDoc> = self.sets.iter().filter(|set| set.control_plane).collect();
        let [plane] = planes.as_slice() else {
            return Err(format!("{} documents of kind ControlPlane; exactly one is needed", planes.len()));
        };
        if plane.machine_class.size % 2 == 0 {
            return Err("the control plane's size must be odd".to_owned());
        }
        let names: BTreeSet<String> = self.sets.iter().map(|set| self.set_id(set)).collect();
        if names.len() == self.sets.len() { Ok(()) } else { Err("two Workers have the same name".to_owned()) }
    }

    /// The cluster's name.
    pub(super) fn name(&self) -> &str {
        &self.cluster.name
    }

    /// The Talos version without its `v`.
    pub(super) fn talos(&self) -> &str {
        self.cluster.talos.version.trim_start_matches('v')
    }

    /// The Kubernetes version without its `v`.
    pub(super) fn kubernetes(&self) -> &str {
        self.cluster.kubernetes.version.trim_start_matches('v')
    }

    /// The classes that it takes machines from, and how many.
    pub(super) fn classes(&self) -> impl Iterator<Item = (&str, u32)> {
        self.sets.iter().map(|set| (set.machine_class.name.as_str(), set.machine_class.size))
    }

    fn set_id(&self, set: &SetDoc) -> String {
        let name = match (set.control_plane, set.name.as_str()) {
            (true, _) => "control-planes",
            (false, "") => "workers",
            (false, name) => name,
        };
        format!("{}-{name}", self.cluster.name)
    }

    /// Everything that has to be created, in the order in which Omni wants it; `labels` go onto the cluster.
    pub(super) fn resources(&self, labels: &[(&str, &str)]) -> Vec<(String, Draft)> {
        let mut made = vec![(format!("cluster {}", self.name()), self.cluster_draft(labels))];
        let cluster = &self.cluster;
        made.extend(self.extensions(self.name(), &cluster.system_extensions, None));
        made.extend(self.patches(&format!("cluster-{}", self.name()), 200, &cluster.patches, None));
        for set in &self.sets {
            let id = self.set_id(set);
            made.extend(self.extensions(&id, &set.system_extensions, Some(&id)));
            made.extend(self.patches(&id, 400, &set.patches, Some(&id)));
        }
        made.extend(self.sets.iter().map(|set| self.set_draft(set)));
        made
    }

    fn cluster_draft(&self, labels: &[(&str, &str)]) -> Draft {
        let mut draft = Draft::new(Cluster::TABLE, self.name());
        let own = self.cluster.labels.iter().map(|(key, value)| (key.clone(), value.as_str().into()));
        draft.labels().extend(own);
        draft.labels().extend(labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())));
        draft
            .annotations()
            .extend(self.cluster.annotations.iter().map(|(k, v)| (k.clone(), v.as_str().into())));
        draft.annotations().insert(format!("{PREFIX}managed-by-cluster-templates"), "".into());
        let features = &self.cluster.features;
        let features = [
            ("enable_workload_proxy", features.enable_workload_proxy),
            ("disk_encryption", features.disk_encryption),
            ("use_embedded_discovery_service", features.use_embedded_discovery_service),
            ("disable_public_discovery_service", features.disable_public_discovery_service),
            ("enable_node_audit_skip", features.enable_node_audit_skip),
        ];
        let features: Map<String, Value> = features
            .into_iter()
            .filter(|(_, on)| *on)
            .map(|(name, on)| (name.to_owned(), on.into()))
            .collect();
        draft.spec().insert("talos_version".to_owned(), self.talos().into());
        draft.spec().insert("kubernetes_version".to_owned(), self.kubernetes().into());
        draft.spec().insert("features".to_owned(), features.into());
        draft
    }

    fn extensions(&self, of: &str, names: &[String], set: Option<&str>) -> Option<(String, Draft)> {
        if names.is_empty() {
            return None;
        }
        let mut draft = Draft::new(ExtensionsConfiguration::TABLE, &format!("schematic-{of}"))
            .label("cluster", self.name());
        if let Some(set) = set {
            draft = draft.label("machine-set", set);
        }
        draft.spec().insert("extensions".to_owned(), json!(names));
        Some((format!("extensions of {of}"), draft))
    }

    fn patches<'a>(
        &'a self,
        prefix: &'a str,
        weight: usize,
        patches: &'a [PatchDoc],
        set: Option<&'a str>,
    ) -> impl Iterator<Item = (String, Draft)> + 'a {
        patches.iter().enumerate().map(move |(at, patch)| {
            let id = format!("{:03}-{prefix}-{}", weight + at, patch.name);
            let mut draft = Draft::new(ConfigPatch::TABLE, &id).label("cluster", self.name());
            if let Some(set) = set {
                draft = draft.label("machine-set", set);
            }
            draft.annotations().insert("name".to_owned(), patch.name.as_str().into());
            // JSON is YAML, and the server takes either.
            draft.spec().insert("data".to_owned(), patch.inline.to_string().into());
            (format!("patch {id}"), draft)
        })
    }

    fn set_draft(&self, set: &SetDoc) -> (String, Draft) {
        let id = self.set_id(set);
        let role = if set.control_plane { "role-controlplane" } else { "role-worker" };
        let mut draft = Draft::new(MachineSet::TABLE, &id).label("cluster", self.name()).label(role, "");
        draft.labels().extend(set.labels.iter().map(|(key, value)| (key.clone(), value.as_str().into())));
        draft.annotations().extend(set.annotations.iter().map(|(k, v)| (k.clone(), v.as_str().into())));
        draft.annotations().insert(format!("{PREFIX}managed-by-cluster-templates"), "".into());
        draft.spec().insert("update_strategy".to_owned(), 1.into());
        let class = &set.machine_class;
        draft.spec().insert(
            "machine_allocation".to_owned(),
            json!({"name": class.name, "machine_count": class.size}),
        );
        (format!("machine set {id}"), draft)
    }
}

fn read<T: DeserializeOwned>(place: &str, kind: &str, fields: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(fields)).map_err(|error| format!("{place} ({kind}): {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smallest() -> String {
        let values = [
            (NAME, "dev-ephemeral-1"),
            ("${class}", "small"),
            ("${talos}", "1.9.0"),
            ("${kubernetes}", "1.32.0"),
        ];
        render(SMALLEST, &values)
    }

    #[test]
    fn the_built_in_template_makes_a_cluster_and_two_sets() {
        let template = Template::parse(&smallest()).unwrap();
        assert_eq!(
            (template.name(), template.talos(), template.kubernetes()),
            ("dev-ephemeral-1", "1.9.0", "1.32.0")
        );
        let made: Vec<String> =
            template.resources(&[("vigie/ttl", "2h")]).into_iter().map(|(what, _)| what).collect();
        assert_eq!(
            made,
            [
                "cluster dev-ephemeral-1",
                "machine set dev-ephemeral-1-control-planes",
                "machine set dev-ephemeral-1-workers"
            ]
        );
        assert_eq!(template.classes().collect::<Vec<_>>(), [("small", 1), ("small", 1)]);
    }

    #[test]
    fn every_way_to_be_wrong_is_named_in_one_line() {
        let cases = [
            ("kind: [", "not YAML"),
            ("kind: Clutser\nname: a\n", "unknown kind `Clutser`"),
            (&smallest().replace("talos:", "talso:"), "unknown field `talso`"),
            (&smallest().replace("kind: ControlPlane", "kind: Workers"), "ControlPlane"),
            (&smallest().replace("size: 1", "size: 2"), "odd"),
            (&format!("{}\n---\nkind: Machine\nname: x\n", smallest()), "single machines"),
            ("", "0 documents of kind Cluster"),
            ("- a\n", "no mapping"),
        ];
        for (text, part) in cases {
            let error = Template::parse(text).unwrap_err();
            assert!(error.contains(part) && !error.contains('\n'), "{part}: {error}");
        }
    }
}
