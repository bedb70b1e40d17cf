//! The resource service: Get, List, Watch, Create, Update, Teardown and Delete on the store.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use serde_json::{Map, Value, json};

use super::answer::Refusal;
use super::request::Request;
use super::selector::fits;
use super::store::{Address, Object, SUFFIX, missing};
use super::{Answer, Lab};
use crate::backend::omni::wire::Role;

/// Types that only an administrator may read.
const ADMIN: [&str; 5] =
    ["Identities", "Users", "IdentityStatuses", "ServiceAccountStatuses", "AccessPolicies"];

/// Types that people may write, and the fields of their specs.
const WRITABLE: [(&str, &[&str]); 8] = [
    ("Clusters", &["kubernetes_version", "talos_version", "features", "backup_configuration"]),
    (
        "MachineSets",
        &[
            "update_strategy",
            "update_strategy_config",
            "delete_strategy",
            "delete_strategy_config",
            "upgrade_strategy",
            "upgrade_strategy_config",
            "bootstrap_spec",
            "machine_allocation",
            "machine_class",
        ],
    ),
    ("MachineSetNodes", &[]),
    ("MachineLabels", &[]),
    ("ConfigPatches", &["data"]),
    ("ExtensionsConfigurations", &["extensions"]),
    ("KernelArgs", &["args"]),
    ("EtcdManualBackups", &["backup_at"]),
];

/// Types that people may only tear down.
const REMOVABLE: [&str; 5] = ["Clusters", "MachineSets", "MachineSetNodes", "ConfigPatches", "Links"];

/// How often a watch looks for changes.
const STEP: Duration = Duration::from_millis(50);

/// Answers a call.
pub(super) fn answer(lab: &Arc<Lab>, method: &str, request: &Request) -> Result<Answer, Refusal> {
    let reads = matches!(method, "Get" | "List" | "Watch");
    match request.runtime.as_deref() {
        None => return Err(Refusal::new(3, "missing runtime metadata")),
        Some("Omni") => {}
        Some("Kubernetes") if method == "List" => {
            return super::kube::list(lab, request).map(Answer::Message);
        }
        Some("Talos" | "Kubernetes") if reads => return Ok(Answer::Message(json!({}))),
        Some("Talos" | "Kubernetes") => return Err(Refusal::new(12, "unsupported")),
        Some(other) => return Err(Refusal::new(3, format!("unknown runtime {other}"))),
    }
    let kind = request.text("type").strip_suffix(SUFFIX).unwrap_or_default();
    let needed = match reads {
        true if ADMIN.contains(&kind) => Role::Admin,
        true if request.text("namespace") == "virtual" => Role::None,
        true => Role::Reader,
        false => Role::Operator,
    };
    if request.account.role < needed {
        return Err(Refusal::role(request.account.role));
    }
    match method {
        "Get" => get(lab, request).map(|text| Answer::Message(json!({"body": text}))),
        "List" => Ok(Answer::Message(list(lab, request))),
        "Watch" => Ok(Answer::Stream(watch(lab, request))),
        _ => write(lab, method, request).map(|()| Answer::Message(json!({}))),
    }
}

fn address(request: &Request) -> Address {
    let text = |name| request.text(name).to_owned();
    (text("namespace"), text("type"), text("id"))
}

fn get(lab: &Lab, request: &Request) -> Result<String, Refusal> {
    let address = address(request);
    let inside = lab.inside();
    let older = lab.world.get("omni-permissions") == "none" && address.1.contains("Permissions");
    if let Some(spec) = virtual_spec(&address, request).filter(|_| !older) {
        return Ok(Object::new(lab.now(), spec).json(&address));
    }
    inside.store.get(&address).map(|object| object.json(&address)).ok_or_else(|| missing(&address))
}

/// Resources that are made for whoever asks.
fn virtual_spec((namespace, kind, _): &Address, request: &Request) -> Option<Value> {
    let role = request.account.role;
    if namespace != "virtual" {
        return None;
    }
    let (reader, operator, admin) = (role >= Role::Reader, role >= Role::Operator, role >= Role::Admin);
    match kind.strip_suffix(SUFFIX)? {
        "CurrentUsers" => Some(json!({"identity": request.account.identity(), "role": role.to_string()})),
        "Permissions" => Some(json!({
            "can_read_clusters": reader, "can_create_clusters": operator, "can_read_machines": reader,
            "can_remove_machines": operator, "can_read_machine_logs": reader, "can_manage_users": admin,
            "can_read_audit_log": role == Role::Auditor || admin,
        })),
        "ClusterPermissions" => Some(json!({
            "can_add_machines": operator, "can_remove_machines": operator, "can_reboot_machines": operator,
            "can_update_kubernetes": operator, "can_update_talos": operator, "can_download_kubeconfig": reader,
            "can_download_talosconfig": reader, "can_manage_config_patches": operator,
            "can_download_support_bundle": operator,
        })),
        _ => None,
    }
}

fn list(lab: &Lab, request: &Request) -> Value {
    let inside = lab.inside();
    let mut found: Vec<(&Address, &Object)> = inside
        .store
        .of(request.text("namespace"), request.text("type"))
        .filter(|(_, object)| fits(&request.selectors, &object.labels))
        .collect();
    match request.text("sort_by_field") {
        "updated" => found.sort_by_key(|(_, object)| object.updated.as_second()),
        "created" => found.sort_by_key(|(_, object)| object.created.as_second()),
        _ => {}
    }
    if request.field("sort_descending") == &json!(true) {
        found.reverse();
    }
    let total = found.len();
    let limit = match usize::try_from(request.number("limit")) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(limit) => limit,
    };
    let offset = usize::try_from(request.number("offset")).unwrap_or(usize::MAX);
    let items = found.into_iter().skip(offset).take(limit).map(|(address, object)| object.json(address));
    json!({"items": items.collect::<Vec<String>>(), "total": total})
}

/// A watch that is under way.
struct Follower {
    lab: Arc<Lab>,
    namespace: String,
    kind: String,
    id: String,
    selectors: Vec<String>,
    seen: u64,
    waiting: VecDeque<String>,
    sent: u64,
}

fn watch(lab: &Arc<Lab>, request: &Request) -> Body {
    let (namespace, kind, id) = address(request);
    let inside = lab.inside();
    let mut waiting = VecDeque::new();
    let mut total = 0_u64;
    for (address, object) in inside.store.of(&namespace, &kind) {
        if (id.is_empty() || address.2 == id) && fits(&request.selectors, &object.labels) {
            total += 1;
            waiting.push_back(line(&json!({"resource": object.json(address), "event_type": 1}), total));
        }
    }
    waiting.push_back(line(&json!({"event_type": 4}), total));
    let follower = Follower {
        lab: lab.clone(),
        namespace,
        kind,
        id,
        selectors: request.selectors.clone(),
        seen: inside.store.number(),
        waiting,
        sent: 0,
    };
    drop(inside);
    Body::from_stream(stream::unfold(follower, |mut follower| async move {
        let text = follower.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), follower))
    }))
}

fn line(event: &Value, total: u64) -> String {
    let result = super::answer::message(json!({"event": event, "total": total}));
    format!("{}\n", json!({"result": result}))
}

impl Follower {
    async fn next(&mut self) -> Option<String> {
        loop {
            let mode = self.lab.world.get("omni-streams");
            if mode == "cut" && self.sent > 0 && self.waiting.is_empty() {
                return None;
            }
            if mode != "buffered"
                && let Some(text) = self.waiting.pop_front()
            {
                self.sent += 1;
                return Some(text);
            }
            tokio::time::sleep(STEP).await;
            self.look();
        }
    }

    fn look(&mut self) {
        let inside = self.lab.inside();
        for event in inside.store.since(self.seen) {
            let (namespace, kind, id) = &event.address;
            let ours =
                *namespace == self.namespace && *kind == self.kind && (self.id.is_empty() || *id == self.id);
            if ours && fits(&self.selectors, &labels(&event.resource)) {
                let mut told = json!({"resource": event.resource, "event_type": event.kind});
                if let Some(old) = &event.old {
                    told["old"] = json!(old);
                }
                self.waiting.push_back(line(&told, 0));
            }
        }
        self.seen = inside.store.number();
    }
}

fn labels(resource: &str) -> BTreeMap<String, String> {
    let value: Value = serde_json::from_str(resource).unwrap_or_default();
    serde_json::from_value(value["metadata"]["labels"].clone()).unwrap_or_default()
}

fn write(lab: &Lab, method: &str, request: &Request) -> Result<(), Refusal> {
    let now = lab.now();
    let mut inside = lab.inside();
    match method {
        "Create" | "Update" => {
            let (address, object, version) = wanted(request, now)?;
            let kind = address.1.strip_suffix(SUFFIX).unwrap_or_default();
            let fields = WRITABLE.iter().find(|(name, _)| *name == kind).map(|(_, fields)| *fields);
            let fields = fields.ok_or_else(|| Refusal::role(request.account.role))?;
            known_fields(&object.spec, fields)?;
            if method == "Create" && lab.world.get("omni-fail-create") == kind {
                return Err(Refusal::new(3, "failed to validate: 1 error occurred: * on demand"));
            }
            super::rules::validate(&inside, &address, &object, now)?;
            if method == "Create" {
                inside.store.create(address, object, now)
            } else {
                inside.store.update(address, object, version, now)
            }
        }
        _ => {
            let address = address(request);
            let kind = address.1.strip_suffix(SUFFIX).unwrap_or_default();
            if !REMOVABLE.contains(&kind) {
                return Err(Refusal::role(request.account.role));
            }
            super::rules::may_go(&inside, &address)?;
            inside.store.teardown(&address, now)
        }
    }
}

fn known_fields(spec: &Value, known: &[&str]) -> Result<(), Refusal> {
    let unknown = spec.as_object().and_then(|spec| spec.keys().find(|key| !known.contains(&key.as_str())));
    match unknown {
        Some(key) => Err(Refusal::new(2, format!("proto: unknown field \"{key}\""))),
        None => Ok(()),
    }
}

/// The resource of a Create or Update, and the version that it names; `undefined` is the stored one.
fn wanted(request: &Request, now: jiff::Timestamp) -> Result<(Address, Object, Option<u64>), Refusal> {
    let invalid = |what: &str| Refusal::new(3, what.to_owned());
    let resource = request.field("resource");
    let meta = resource["metadata"].as_object().ok_or_else(|| invalid("resource metadata is missing"))?;
    let text = |name: &str| meta.get(name).and_then(Value::as_str).unwrap_or_default();
    let address = (text("namespace").to_owned(), text("type").to_owned(), text("id").to_owned());
    if address.1.is_empty() || address.2.is_empty() {
        return Err(invalid("resource type and id are required"));
    }
    let spec = resource["spec"].as_str().ok_or_else(|| invalid("proto: spec must be a string"))?;
    let spec: Value = serde_json::from_str(spec).map_err(|error| Refusal::new(2, error.to_string()))?;
    let version = match meta.get("version") {
        None => Some(1),
        Some(Value::String(text)) if text == "undefined" => None,
        Some(Value::String(text)) => Some(text.parse().map_err(|_| invalid("invalid version"))?),
        Some(_) => return Err(invalid("proto: metadata.version must be a string")),
    };
    let mut object = Object::new(now, spec);
    object.labels = strings(meta, "labels");
    object.annotations = strings(meta, "annotations");
    object.finalizers =
        serde_json::from_value(meta.get("finalizers").cloned().unwrap_or_default()).unwrap_or_default();
    Ok((address, object, version))
}

fn strings(meta: &Map<String, Value>, name: &str) -> BTreeMap<String, String> {
    serde_json::from_value(meta.get(name).cloned().unwrap_or_default()).unwrap_or_default()
}
