//! One simulated cluster: its objects, its clock, who may do what, and the controllers that keep it moving.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::api::failure;
use super::place::Place;
use super::store::{Refused, Store};
use super::{evolve, seed, workloads};
use crate::backend::kubernetes::resource::Resource;
use crate::backend::sim::World;

/// The resources that simulated clusters serve.
pub static RESOURCES: &[Resource] = &[
    Resource::fixed("", "v1", "nodes", "Node", false),
    Resource::fixed("", "v1", "pods", "Pod", true),
    Resource::fixed("", "v1", "events", "Event", true),
    Resource::fixed("", "v1", "namespaces", "Namespace", false),
    Resource::fixed("", "v1", "configmaps", "ConfigMap", true),
    Resource::fixed("", "v1", "services", "Service", true),
    Resource::fixed("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true),
    Resource::fixed("", "v1", "persistentvolumes", "PersistentVolume", false),
    Resource::fixed("apps", "v1", "deployments", "Deployment", true),
    Resource::fixed("apps", "v1", "statefulsets", "StatefulSet", true),
    Resource::fixed("apps", "v1", "daemonsets", "DaemonSet", true),
    Resource::fixed("batch", "v1", "jobs", "Job", true),
    Resource::fixed("batch", "v1", "cronjobs", "CronJob", true),
    Resource::fixed("networking.k8s.io", "v1", "ingresses", "Ingress", true),
    Resource::fixed("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute", true),
    Resource::fixed("gateway.networking.k8s.io", "v1", "gateways", "Gateway", true),
    Resource::fixed(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        false,
    ),
    Resource::fixed("cert-manager.io", "v1", "certificates", "Certificate", true),
    Resource::fixed("cert-manager.io", "v1", "clusterissuers", "ClusterIssuer", false),
    Resource::fixed("external-secrets.io", "v1", "externalsecrets", "ExternalSecret", true),
    Resource::fixed("external-secrets.io", "v1", "clustersecretstores", "ClusterSecretStore", false),
    Resource::fixed("longhorn.io", "v1beta2", "volumes", "Volume", true),
    Resource::fixed("velero.io", "v1", "backups", "Backup", true),
    Resource::fixed("velero.io", "v1", "schedules", "Schedule", true),
    Resource::fixed("velero.io", "v1", "backupstoragelocations", "BackupStorageLocation", true),
    Resource::fixed("postgresql.cnpg.io", "v1", "clusters", "Cluster", true),
    Resource::fixed("kubevirt.io", "v1", "virtualmachines", "VirtualMachine", true),
    Resource::fixed("kubevirt.io", "v1", "virtualmachineinstances", "VirtualMachineInstance", true),
    Resource::fixed("cilium.io", "v2", "ciliumnodes", "CiliumNode", false),
    Resource::fixed("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", true),
    Resource::fixed("argoproj.io", "v1alpha1", "applications", "Application", true),
    Resource::fixed("argoproj.io", "v1alpha1", "appprojects", "AppProject", true),
    Resource::fixed("argoproj.io", "v1alpha1", "applicationsets", "ApplicationSet", true),
];

/// A resource by its place in the API.
pub fn resource(group: &str, version: &str, plural: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|r| r.group == group && r.version == version && r.plural == plural)
}

/// Something in the cluster that acts by itself as time goes on.
pub trait Controller: Send + Sync {
    /// Looks at the cluster and does what is due.
    fn tick(&self, lab: &Lab, now: Timestamp);

    /// Refuses an object that its schema would not allow.
    fn validate(&self, _place: &Place, _patch: &Value) -> Result<(), String> {
        Ok(())
    }
}

/// One simulated cluster.
pub struct Lab {
    /// `prod` or `cloud`.
    pub name: &'static str,
    /// Whom it takes the bearer of its token for.
    pub user: String,
    /// Its bearer token.
    pub token: String,
    /// Whether Argo CD's resources are installed.
    pub argo: bool,
    /// Its objects.
    pub store: Store,
    world: Weak<World>,
    controllers: Mutex<Vec<Arc<dyn Controller>>>,
    ticking: AtomicBool,
    moving: AtomicBool,
    writes: AtomicU64,
    patches: Mutex<Vec<(String, Value)>>,
}

/// How often controllers look, in real time; what they do depends on the lab's clock alone.
const TICK: Duration = Duration::from_millis(200);

impl Lab {
    /// A cluster of the homelab as it is at the world's time.
    pub fn new(name: &'static str, world: &Arc<World>) -> Arc<Self> {
        let lab = Self {
            name,
            user: "system:serviceaccount:vigie:console".to_owned(),
            token: format!("sim-{name}-{:x}", world.seed),
            argo: name == "cloud",
            store: Store::new(880_000 + world.seed % 1000),
            world: Arc::downgrade(world),
            controllers: Mutex::default(),
            ticking: AtomicBool::new(false),
            moving: AtomicBool::new(false),
            writes: AtomicU64::new(0),
            patches: Mutex::default(),
        };
        seed::fill(&lab, world);
        lab.install(Arc::new(evolve::Kubelet::new(world.clock.now())));
        lab.install(Arc::new(workloads::Workloads::default()));
        Arc::new(lab)
    }

    /// Adds a controller.
    pub fn install(&self, controller: Arc<dyn Controller>) {
        self.controllers.lock().unwrap_or_else(PoisonError::into_inner).push(controller);
    }

    fn controllers(&self) -> Vec<Arc<dyn Controller>> {
        self.controllers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The lab's time.
    pub fn now(&self) -> Timestamp {
        self.world.upgrade().map_or(Timestamp::UNIX_EPOCH, |world| world.clock.now())
    }

    /// A fact of the world, as this cluster's (`kubernetes-prod.deny`) or as everybody's (`home`).
    pub fn flag(&self, name: &str) -> String {
        let Some(world) = self.world.upgrade() else { return String::new() };
        let own = world.get(&format!("kubernetes-{}.{name}", self.name));
        if own.is_empty() { world.get(name) } else { own }
    }

    /// Sets a fact of the world.
    pub fn set(&self, name: &str, value: &str) {
        if let Some(world) = self.world.upgrade() {
            world.set(name, value);
        }
    }

    /// How large the lab is.
    pub fn extra_pods(&self) -> usize {
        self.world.upgrade().map_or(0, |world| world.size.pods)
    }

    /// Lets the controllers act, and keeps them acting while the cluster exists.
    pub fn wake(self: &Arc<Self>) {
        self.tick();
        if self.ticking.swap(true, Ordering::SeqCst) {
            return;
        }
        let lab = Arc::downgrade(self);
        tokio::spawn(async move {
            while let Some(lab) = lab.upgrade() {
                lab.tick();
                drop(lab);
                tokio::time::sleep(TICK).await;
            }
        });
    }

    /// One look of every controller.
    pub fn tick(&self) {
        let now = self.now();
        for controller in self.controllers() {
            controller.tick(self, now);
        }
    }

    /// Whether pods are on their way, so that controllers have to look although nothing was written.
    pub fn is_moving(&self) -> bool {
        self.moving.load(Ordering::SeqCst)
    }

    /// Says whether pods are on their way.
    pub fn set_moving(&self, moving: bool) {
        self.moving.store(moving, Ordering::SeqCst);
    }

    /// True while the house that it stands in has no power.
    pub fn is_off(&self) -> bool {
        self.name == "prod" && self.flag("home") == "off"
    }

    /// Whether the request carries the token.
    pub fn knows(&self, headers: &HeaderMap) -> bool {
        let given =
            headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        given == format!("Bearer {}", self.token) && self.flag("token") != "revoked"
    }

    /// Whether a verb is taken away by the `deny` flag (`patch applications, create pods/eviction`).
    pub fn denied(&self, verb: &str, plural: &str, subresource: &str) -> bool {
        let slash = if subresource.is_empty() { "" } else { "/" };
        let wanted = format!("{verb} {plural}{slash}{subresource}");
        self.flag("deny").split(',').any(|denied| denied.trim() == wanted)
    }

    /// Whether a request is allowed.
    pub fn allows(&self, verb: &str, place: &Place) -> bool {
        !self.denied(verb, &place.resource.plural, place.subresource.as_deref().unwrap_or_default())
    }

    /// How many writes it has carried out; a test of single sending looks here.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    /// Refuses what a schema would.
    pub fn validate(&self, place: &Place, patch: &Value) -> Result<(), String> {
        self.controllers().iter().try_for_each(|controller| controller.validate(place, patch))
    }

    /// The merge patches that were asked for, each with the object's key; a test of exact wording looks here.
    pub fn patches(&self) -> Vec<(String, Value)> {
        self.patches.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A merge patch.
    pub fn patched(&self, place: &Place, patch: &Value) -> Result<Arc<str>, Refused> {
        self.patches.lock().unwrap_or_else(PoisonError::into_inner).push((place.key(), patch.clone()));
        self.counted(self.store.patch(&place.resource.plural, &place.key(), patch))
    }

    /// A deletion; pods end gracefully, everything else is gone at once.
    pub fn deleted(&self, place: &Place, options: &Value) -> Result<Arc<str>, Refused> {
        if place.resource.plural != "pods" {
            return self.counted(self.store.delete(&place.resource.plural, &place.key(), options));
        }
        let checked = self.store.check("pods", &place.key(), &options["preconditions"]);
        let outcome = self.counted(checked)?;
        workloads::end(self, &place.key(), self.now());
        Ok(outcome)
    }

    /// What another server does to an object in this cluster; counted like every write.
    pub fn act(&self, table: &str, key: &str, patch: &Value) -> Result<Arc<str>, Refused> {
        self.counted(self.store.patch(table, key, patch))
    }

    fn counted(&self, outcome: Result<Arc<str>, Refused>) -> Result<Arc<str>, Refused> {
        if outcome.is_ok() {
            self.writes.fetch_add(1, Ordering::SeqCst);
        }
        outcome
    }

    /// A creation: of all things only evictions.
    pub fn posted(&self, place: &Place, body: &[u8]) -> Response {
        if place.subresource.as_deref() != Some("eviction") {
            return failure(
                405,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            );
        }
        let asked: Value = serde_json::from_slice(body).unwrap_or_default();
        if asked["kind"] != "Eviction" {
            return failure(
                400,
                "BadRequest",
                "the object provided is unrecognized (must be of type Eviction)",
            );
        }
        self.evicted(place, &asked["deleteOptions"])
    }

    /// An eviction, refused with 429 where a budget allows none.
    fn evicted(&self, place: &Place, options: &Value) -> Response {
        let name = place.name.as_deref().unwrap_or_default();
        if let Some(pod) = self.store.get("pods", &place.key())
            && let Some(budget) = self.protecting(&pod)
        {
            return super::api::blocked(&budget);
        }
        match self.deleted(place, options) {
            Ok(_) => super::api::respond(
                StatusCode::CREATED,
                &json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}),
            ),
            Err(refused) => super::api::written(place, name, Err(refused)),
        }
    }

    /// The budget that does not let a pod go.
    fn protecting(&self, pod: &Value) -> Option<Value> {
        let selects = |budget: &Value| {
            let labels = budget["spec"]["selector"]["matchLabels"].as_object();
            budget["metadata"]["namespace"] == pod["metadata"]["namespace"]
                && labels.is_some_and(|labels| {
                    labels.iter().all(|(key, value)| pod["metadata"]["labels"][key] == *value)
                })
        };
        let budgets = self.store.all("poddisruptionbudgets");
        budgets.into_iter().find(|budget| {
            selects(budget) && budget["status"]["disruptionsAllowed"].as_i64().unwrap_or(0) < 1
        })
    }

    /// The scale of a workload.
    pub fn scale(&self, place: &Place) -> Response {
        super::api::missing(place, place.name.as_deref().unwrap_or_default())
    }
}

/// Both clusters of one world.
pub struct Labs(BTreeMap<&'static str, Arc<Lab>>);

impl Labs {
    /// The clusters of a world, made once.
    pub fn of(world: &Arc<World>) -> Arc<Self> {
        world.share(|| Self(["prod", "cloud"].map(|name| (name, Lab::new(name, world))).into()))
    }

    /// A cluster by its name.
    pub fn get(&self, name: &str) -> Option<&Arc<Lab>> {
        self.0.get(name)
    }

    /// All clusters.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Lab>> {
        self.0.values()
    }
}
