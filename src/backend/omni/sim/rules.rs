//! What the real server's validation refuses, with code 3.

use jiff::Timestamp;

use super::Inside;
use super::answer::Refusal;
use super::store::{Address, Object, SUFFIX, at};

/// How far a manual backup may be from now, in seconds.
const BACKUP_WINDOW: i64 = 60;

fn refuse<T>(reason: impl std::fmt::Display) -> Result<T, Refusal> {
    Err(Refusal::new(3, format!("failed to validate: 1 error occurred: * {reason}")))
}

/// Checks a resource that is to be created or updated.
pub(super) fn validate(
    inside: &Inside,
    address: &Address,
    object: &Object,
    now: Timestamp,
) -> Result<(), Refusal> {
    let (_, kind, id) = address;
    match kind.strip_suffix(SUFFIX).unwrap_or_default() {
        "Clusters" => cluster(inside, id, object),
        "MachineSets" => machine_set(inside, id, object),
        "MachineSetNodes" => machine_set_node(object),
        "EtcdManualBackups" => backup(object, now),
        _ => Ok(()),
    }
}

/// Checks a teardown.
pub(super) fn may_go(inside: &Inside, (_, kind, id): &Address) -> Result<(), Refusal> {
    let locked = |kind: &str, annotation: &str| {
        let found = inside.store.get(&at("default", kind, id));
        found.is_some_and(|object| object.annotations.contains_key(&format!("omni.sidero.dev/{annotation}")))
    };
    match kind.strip_suffix(SUFFIX).unwrap_or_default() {
        "Clusters" if locked("Clusters", "cluster-locked") => refuse(format!("cluster {id} is locked")),
        "MachineSetNodes" if locked("MachineSetNodes", "locked") => refuse(format!("machine {id} is locked")),
        _ => Ok(()),
    }
}

fn cluster(inside: &Inside, id: &str, object: &Object) -> Result<(), Refusal> {
    let talos = object.spec["talos_version"].as_str().unwrap_or_default();
    let kubernetes = object.spec["kubernetes_version"].as_str().unwrap_or_default();
    let Some(version) = inside.store.get(&at("default", "TalosVersions", talos)) else {
        return refuse(format!("invalid Talos version {talos:?}"));
    };
    let known = version.spec["compatible_kubernetes_versions"].as_array();
    let fits = known.is_some_and(|known| known.iter().any(|one| one.as_str() == Some(kubernetes)));
    // What runs already is never refused for its version.
    let same = inside
        .store
        .get(&at("default", "Clusters", id))
        .is_some_and(|old| old.spec["kubernetes_version"] == kubernetes);
    if !fits && !same {
        return refuse(format!("Kubernetes {kubernetes:?} does not go with Talos {talos:?}"));
    }
    let was_locked = inside
        .store
        .get(&at("default", "Clusters", id))
        .is_some_and(|old| old.annotations.contains_key("omni.sidero.dev/cluster-locked"));
    if was_locked && object.annotations.contains_key("omni.sidero.dev/cluster-locked") {
        return refuse(format!("cluster {id} is locked"));
    }
    Ok(())
}

fn machine_set(inside: &Inside, id: &str, object: &Object) -> Result<(), Refusal> {
    let Some(cluster) = object.labelled("cluster") else { return refuse("the cluster label is missing") };
    if inside.store.get(&at("default", "Clusters", cluster)).is_none() {
        return refuse(format!("cluster {cluster:?} does not exist"));
    }
    if object.labelled("role-controlplane").is_some() && id != format!("{cluster}-control-planes") {
        return refuse(format!("control plane machine set must be named {cluster}-control-planes"));
    }
    if !id.starts_with(&format!("{cluster}-")) {
        return refuse(format!("machine set id must start with {cluster}-"));
    }
    if let Some(class) = object.spec["machine_allocation"]["name"].as_str()
        && inside.store.get(&at("default", "MachineClasses", class)).is_none()
    {
        return refuse(format!("machine class {class:?} does not exist"));
    }
    Ok(())
}

fn machine_set_node(object: &Object) -> Result<(), Refusal> {
    let locked = object.annotations.contains_key("omni.sidero.dev/locked");
    if locked && object.labelled("role-controlplane").is_some() {
        return refuse("locking control plane machines is not allowed");
    }
    Ok(())
}

fn backup(object: &Object, now: Timestamp) -> Result<(), Refusal> {
    let asked = object.spec["backup_at"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    match asked {
        Some(asked) if (asked.as_second() - now.as_second()).abs() <= BACKUP_WINDOW => Ok(()),
        _ => refuse("backup_at must be within one minute of now"),
    }
}
