//! What a simulated API server says of itself: version, groups, resources.

use serde_json::{Value, json};

use super::lab::{Lab, RESOURCES};
use crate::backend::kubernetes::resource::Resource;

/// The answer to a discovery path; `None` where it is none.
pub fn answer(lab: &Lab, path: &str) -> Option<Value> {
    match path.trim_end_matches('/') {
        "/version" => Some(json!({
            "major": "1", "minor": "32", "gitVersion": "v1.32.0", "platform": "linux/amd64",
            "buildDate": "2024-12-11T17:59:15Z", "goVersion": "go1.23.3", "gitTreeState": "clean",
        })),
        "/api" => Some(json!({"kind": "APIVersions", "versions": ["v1"]})),
        "/apis" => Some(groups(lab)),
        "/api/v1" => Some(resources(lab, "", "v1")),
        other => {
            let (group, version) = other.strip_prefix("/apis/")?.split_once('/')?;
            (!version.contains('/') && served(lab).any(|r| r.group == group && r.version == version))
                .then(|| resources(lab, group, version))
        }
    }
}

/// The resources that this cluster serves.
fn served(lab: &Lab) -> impl Iterator<Item = &'static Resource> + '_ {
    RESOURCES.iter().filter(move |resource| super::crds::has(lab, &resource.group))
}

fn groups(lab: &Lab) -> Value {
    let mut names: Vec<(&str, &str)> =
        served(lab).map(|r| (&*r.group, &*r.version)).filter(|(g, _)| !g.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    let group = |(group, version): &(&str, &str)| {
        let version = json!({"groupVersion": format!("{group}/{version}"), "version": version});
        json!({"name": group, "versions": [version], "preferredVersion": version})
    };
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": names.iter().map(group).collect::<Vec<_>>()})
}

fn resources(lab: &Lab, group: &str, version: &str) -> Value {
    let resource = |resource: &Resource| {
        json!({"name": resource.plural, "singularName": resource.kind.to_lowercase(), "namespaced": resource.namespaced,
            "kind": resource.kind, "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"]})
    };
    let found: Vec<Value> =
        served(lab).filter(|r| r.group == group && r.version == version).map(resource).collect();
    let name = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": found})
}
