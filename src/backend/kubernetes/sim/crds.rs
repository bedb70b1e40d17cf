//! What the homelab's clusters were taught: definitions with their columns, and the objects of backup, storage,
//! certificates, secrets, databases and virtual machines.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::backend::kubernetes::resource::Resource;

use super::lab::{Lab, RESOURCES};
use super::seed::{ago, stamp};

/// Groups whose resources are custom ones.
pub fn is_custom(group: &str) -> bool {
    matches!(
        group,
        "cert-manager.io"
            | "external-secrets.io"
            | "longhorn.io"
            | "velero.io"
            | "postgresql.cnpg.io"
            | "kubevirt.io"
            | "cilium.io"
            | "gateway.networking.k8s.io"
            | "argoproj.io"
    )
}

/// Whether a cluster has a group: storage is at home, virtual machines are rented.
pub fn has(lab: &Lab, group: &str) -> bool {
    match group {
        "longhorn.io" | "postgresql.cnpg.io" => lab.name == "prod",
        "kubevirt.io" | "argoproj.io" => lab.name == "cloud",
        _ => true,
    }
}

/// Fills a cluster with definitions and objects.
pub fn fill(lab: &Lab, now: Timestamp) {
    for resource in RESOURCES.iter().filter(|r| is_custom(&r.group) && has(lab, &r.group)) {
        lab.store.put("customresourcedefinitions", definition(resource, now));
    }
    certificates(lab, now);
    secrets(lab, now);
    backups(lab, now);
    if lab.name == "prod" {
        storage(lab, now);
    } else {
        machines(lab, now);
    }
    let addresses = json!([{"type": "IPAddress", "value": if lab.name == "prod" { "192.0.2.240" } else { "198.51.100.10" }}]);
    put(
        lab,
        now,
        "gateways",
        "gateway.networking.k8s.io/v1",
        "Gateway",
        "network",
        "traefik",
        json!({}),
        json!({"addresses": addresses, "conditions": [ready("Accepted", now), ready("Programmed", now)]}),
    );
}

fn definition(resource: &Resource, now: Timestamp) -> Value {
    let column = |name: &str, sort: &str, path: &str| json!({"name": name, "type": sort, "jsonPath": path});
    let ready = column("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status");
    let columns = match &*resource.kind {
        "Certificate" => json!([
            ready,
            column("Secret", "string", ".spec.secretName"),
            column("Expires", "date", ".status.notAfter")
        ]),
        "ExternalSecret" => json!([
            column("Store", "string", ".spec.secretStoreRef.name"),
            column("Refresh", "string", ".spec.refreshInterval"),
            ready
        ]),
        "Volume" => json!([
            column("Robustness", "string", ".status.robustness"),
            column("Node", "string", ".status.currentNodeID"),
            column("Size", "integer", ".spec.size")
        ]),
        "Schedule" => json!([
            column("Schedule", "string", ".spec.schedule"),
            column("LastBackup", "date", ".status.lastBackup")
        ]),
        "VirtualMachine" => json!([column("Status", "string", ".status.printableStatus")]),
        _ => json!([column("Age", "date", ".metadata.creationTimestamp")]),
    };
    let short = match &*resource.kind {
        "Certificate" => json!(["cert"]),
        "ExternalSecret" => json!(["es"]),
        "VirtualMachine" => json!(["vm"]),
        _ => json!([]),
    };
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{}.{}", resource.plural, resource.group), "creationTimestamp": ago(now, 200 * 86_400)},
        "spec": {"group": resource.group, "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
            "names": {"plural": resource.plural, "singular": resource.kind.to_lowercase(), "kind": resource.kind, "shortNames": short},
            "versions": [{"name": resource.version, "served": true, "storage": true, "additionalPrinterColumns": columns}]},
    })
}

fn ready(about: &str, now: Timestamp) -> Value {
    json!({"type": about, "status": "True", "reason": about, "message": "", "lastTransitionTime": ago(now, 86_400)})
}

#[allow(
    clippy::too_many_arguments,
    clippy::needless_pass_by_value,
    reason = "a table of objects, a line each"
)]
fn put(
    lab: &Lab,
    now: Timestamp,
    table: &str,
    api: &str,
    kind: &str,
    namespace: &str,
    name: &str,
    spec: Value,
    status: Value,
) {
    let mut meta = json!({"name": name, "creationTimestamp": ago(now, 30 * 86_400), "generation": 1});
    if !namespace.is_empty() {
        meta["namespace"] = namespace.into();
    }
    lab.store.put(
        table,
        json!({"apiVersion": api, "kind": kind, "metadata": meta, "spec": spec, "status": status}),
    );
}

/// Two certificates: one for years, one that should have been renewed by now.
fn certificates(lab: &Lab, now: Timestamp) {
    let days = |days: i64| stamp(now + SignedDuration::from_secs(days * 86_400));
    let wildcard = if lab.name == "cloud" { 11 } else { 61 };
    for (name, ends) in [("wildcard-lab", wildcard), ("internal-ca", 900)] {
        let spec = json!({"secretName": format!("{name}-tls"), "dnsNames": ["*.lab.example"], "issuerRef": {"name": "lab"}});
        let status = json!({"conditions": [ready("Ready", now)], "notAfter": days(ends), "revision": 4});
        put(lab, now, "certificates", "cert-manager.io/v1", "Certificate", "network", name, spec, status);
    }
    let status = json!({"conditions": [ready("Ready", now)]});
    put(
        lab,
        now,
        "clusterissuers",
        "cert-manager.io/v1",
        "ClusterIssuer",
        "",
        "lab",
        json!({"ca": {}}),
        status,
    );
}

fn secrets(lab: &Lab, now: Timestamp) {
    let (namespace, name) =
        if lab.name == "prod" { ("monitoring", "grafana-admin") } else { ("nextcloud", "nextcloud-db") };
    let spec =
        json!({"refreshInterval": "1h", "secretStoreRef": {"name": "vault", "kind": "ClusterSecretStore"}});
    let status = json!({"conditions": [ready("Ready", now)], "refreshTime": ago(now, 1_900)});
    put(
        lab,
        now,
        "externalsecrets",
        "external-secrets.io/v1",
        "ExternalSecret",
        namespace,
        name,
        spec,
        status,
    );
    let status = json!({"conditions": [ready("Ready", now)]});
    put(
        lab,
        now,
        "clustersecretstores",
        "external-secrets.io/v1",
        "ClusterSecretStore",
        "",
        "vault",
        json!({}),
        status,
    );
}

/// The cloud has made no backup for twenty-six hours, and everybody can see it.
fn backups(lab: &Lab, now: Timestamp) {
    let age = if lab.name == "cloud" { 26 * 3600 } else { 9 * 3600 };
    let status = json!({"phase": "Enabled", "lastBackup": ago(now, age)});
    put(
        lab,
        now,
        "schedules",
        "velero.io/v1",
        "Schedule",
        "velero",
        "daily",
        json!({"schedule": "0 3 * * *"}),
        status,
    );
    for (back, phase) in [(2, "PartiallyFailed"), (1, "Completed")] {
        let began = age + (back - 1) * 86_400;
        let status = json!({"phase": phase, "errors": i32::from(phase != "Completed"), "startTimestamp": ago(now, began),
            "completionTimestamp": ago(now, began - 400)});
        let name = format!("daily-{back}");
        put(
            lab,
            now,
            "backups",
            "velero.io/v1",
            "Backup",
            "velero",
            &name,
            json!({"storageLocation": "default"}),
            status,
        );
        let label =
            |backup: &mut Value| backup["metadata"]["labels"] = json!({"velero.io/schedule-name": "daily"});
        let _ = lab.store.update("backups", &format!("velero/{name}"), label);
    }
    let status = json!({"phase": "Available", "lastValidationTime": ago(now, 50)});
    put(
        lab,
        now,
        "backupstoragelocations",
        "velero.io/v1",
        "BackupStorageLocation",
        "velero",
        "default",
        json!({}),
        status,
    );
}

fn storage(lab: &Lab, now: Timestamp) {
    for (name, claim, robust) in [
        ("pvc-0a1b", "prometheus", "healthy"),
        ("pvc-2c3d", "grafana", "healthy"),
        ("pvc-4e5f", "old-loki", "unknown"),
    ] {
        let attached = robust == "healthy";
        let status = json!({"state": if attached { "attached" } else { "detached" }, "robustness": robust,
            "currentNodeID": if attached { "talos-prod-worker-1" } else { "" }, "kubernetesStatus": {"pvcName": claim, "namespace": "monitoring"}});
        put(
            lab,
            now,
            "volumes",
            "longhorn.io/v1beta2",
            "Volume",
            "longhorn-system",
            name,
            json!({"size": "10737418240", "numberOfReplicas": 1}),
            status,
        );
    }
    let status = json!({"readyInstances": 1, "instances": 1, "phase": "Cluster in healthy state", "currentPrimary": "home-assistant-1",
        "conditions": [ready("Ready", now), ready("ContinuousArchiving", now)]});
    put(
        lab,
        now,
        "clusters",
        "postgresql.cnpg.io/v1",
        "Cluster",
        "databases",
        "home-assistant",
        json!({"instances": 1}),
        status,
    );
}

/// The machines of a short-lived cluster that nobody has taken down.
fn machines(lab: &Lab, now: Timestamp) {
    for name in ["dev-ephemeral-8841-cp", "dev-ephemeral-8841-worker"] {
        let status = json!({"printableStatus": "Running", "created": true, "ready": true, "conditions": [ready("Ready", now)]});
        put(
            lab,
            now,
            "virtualmachines",
            "kubevirt.io/v1",
            "VirtualMachine",
            "kubevirt",
            name,
            json!({"runStrategy": "Always"}),
            status,
        );
        let status =
            json!({"phase": "Running", "nodeName": "oci-node-1", "conditions": [ready("Ready", now)]});
        put(
            lab,
            now,
            "virtualmachineinstances",
            "kubevirt.io/v1",
            "VirtualMachineInstance",
            "kubevirt",
            name,
            json!({}),
            status,
        );
    }
}
