//! Cluster templates as `omnictl cluster template` has them: several YAML documents with strict field names.
//!
//! They are read for two ends: to make short-lived clusters, whose name is put in place of `${name}` and whose machines
//! all come from classes, and to show how a standing cluster differs from the file that manages it.

mod documents;
mod resources;

use std::collections::BTreeSet;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use documents::{ClusterDoc, MachineDoc, PatchDoc, SetDoc, Size};

/// What stands for the cluster's name in a template.
pub(super) const NAME: &str = "${name}";

/// Used where no template is configured: the smallest cluster there is, of the first configured class.
pub(super) const SMALLEST: &str = include_str!("../ephemeral.yaml");

/// A cluster as a template describes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    cluster: ClusterDoc,
    sets: Vec<SetDoc>,
    machines: Vec<MachineDoc>,
}

/// Puts values in place of what stands for them.
pub(super) fn render(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (mark, value)| text.replace(mark, value))
}

impl Template {
    /// Reads a template whose patches may lie in files beside it; the error names the document, the field and what was
    /// expected.
    pub(super) fn parse(text: &str, folder: Option<&Path>) -> Result<Self, String> {
        let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| {
            format!("the template is not YAML: {}", crate::backend::error::first_line(&error.to_string()))
        })?;
        let (mut clusters, mut sets, mut machines) = (Vec::new(), Vec::new(), Vec::new());
        for (at, document) in documents.into_iter().enumerate().filter(|(_, document)| !document.is_null()) {
            let place = format!("document {}", at + 1);
            let Value::Object(mut fields) = document else { return Err(format!("{place} is no mapping")) };
            let kind =
                fields.remove("kind").and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
            match kind.as_str() {
                "Cluster" => clusters.push(read::<ClusterDoc>(&place, &kind, fields)?),
                "ControlPlane" => sets.push(SetDoc { control_plane: true, ..read(&place, &kind, fields)? }),
                "Workers" => sets.push(read::<SetDoc>(&place, &kind, fields)?),
                "Machine" => machines.push(read::<MachineDoc>(&place, &kind, fields)?),
                other => {
                    return Err(format!(
                        "{place}: unknown kind `{other}`; there are Cluster, ControlPlane, Workers, Machine"
                    ));
                }
            }
        }
        let count = clusters.len();
        let (Some(cluster), 1) = (clusters.pop(), count) else {
            return Err(format!("{count} documents of kind Cluster; exactly one is needed"));
        };
        let mut template = Self { cluster, sets, machines };
        template.sound()?;
        template.patches_mut().try_for_each(|patch| patch.load(folder))?;
        Ok(template)
    }

    /// Reads a template of short-lived clusters: no machine of theirs is anybody's own.
    pub(super) fn ephemeral(text: &str, folder: Option<&Path>) -> Result<Self, String> {
        let template = Self::parse(text, folder)?;
        if let Some(machine) = template.machines.first() {
            return Err(format!(
                "an ephemeral cluster takes no single machines (kind Machine, {})",
                machine.name
            ));
        }
        for set in &template.sets {
            let id = template.set_id(set);
            match set.machine_class.as_ref().map(|class| class.size) {
                None => {
                    return Err(format!("{id}: an ephemeral cluster takes its machines from a machineClass"));
                }
                Some(Size::Unlimited) => return Err(format!("{id}: a number of machines is needed")),
                Some(Size::Count(size)) if set.control_plane && size % 2 == 0 => {
                    return Err("the control plane's size must be odd".to_owned());
                }
                Some(Size::Count(_)) => {}
            }
        }
        Ok(template)
    }

    fn sound(&self) -> Result<(), String> {
        let planes = self.sets.iter().filter(|set| set.control_plane).count();
        if planes != 1 {
            return Err(format!("{planes} documents of kind ControlPlane; exactly one is needed"));
        }
        for set in &self.sets {
            if set.machines.is_some() == set.machine_class.is_some() {
                return Err(format!("{}: either `machines` or `machineClass` is needed", self.set_id(set)));
            }
        }
        let names: BTreeSet<String> = self.sets.iter().map(|set| self.set_id(set)).collect();
        if names.len() < self.sets.len() {
            return Err("two Workers have the same name".to_owned());
        }
        let members: Vec<&String> =
            self.sets.iter().filter_map(|set| set.machines.as_ref()).flatten().collect();
        match self.machines.iter().find(|machine| !members.contains(&&machine.name)) {
            Some(machine) => Err(format!("Machine {} is in no machine set", machine.name)),
            None => Ok(()),
        }
    }

    fn patches_mut(&mut self) -> impl Iterator<Item = &mut PatchDoc> {
        let sets = self.sets.iter_mut().flat_map(|set| &mut set.patches);
        let machines = self.machines.iter_mut().flat_map(|machine| &mut machine.patches);
        self.cluster.patches.iter_mut().chain(sets).chain(machines)
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
        self.sets.iter().filter_map(|set| set.machine_class.as_ref()).map(|class| {
            let size = if let Size::Count(count) = class.size { count } else { 0 };
            (class.name.as_str(), size)
        })
    }

    fn set_id(&self, set: &SetDoc) -> String {
        let name = match (set.control_plane, set.name.as_str()) {
            (true, _) => "control-planes",
            (false, "") => "workers",
            (false, name) => name,
        };
        format!("{}-{name}", self.cluster.name)
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
        let template = Template::ephemeral(&smallest(), None).unwrap();
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
            (&format!("{}\n---\nkind: Machine\nname: x\n", smallest()), "Machine x is in no machine set"),
            (&smallest().replace("size: 1", "size: unlimited"), "a number of machines is needed"),
            (&smallest().replace("size: 1", "size: lots"), "expected a number or `unlimited`"),
            (&format!("{}\nmachines: [x]\n", smallest().trim_end()), "either `machines` or `machineClass`"),
            (&format!("{}\npatches:\n- name: a\n", smallest().trim_end()), "either `inline` or `file`"),
            (&format!("{}\npatches:\n- inline: {{}}\n", smallest().trim_end()), "`name` or `idOverride`"),
            (&format!("{}\npatches:\n- file: a.yaml\n", smallest().trim_end()), "a.yaml"),
            ("", "0 documents of kind Cluster"),
            ("- a\n", "no mapping"),
        ];
        for (text, part) in cases {
            let error = Template::ephemeral(text, None).unwrap_err();
            assert!(error.contains(part) && !error.contains('\n'), "{part}: {error}");
        }
    }
}
