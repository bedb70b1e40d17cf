//! The application controller: compares, takes refresh annotations off, carries operations out wave by wave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::backend::kubernetes::sim::lab::{Controller, Lab};
use crate::backend::kubernetes::sim::place::Place;
use crate::backend::kubernetes::sim::seed::stamp;
use crate::backend::kubernetes::sim::store::fnv;

use super::apps::HEAD;

const TABLE: &str = "applications";

/// How long the controller takes before it acts on a request.
const REACTION: SignedDuration = SignedDuration::from_secs(1);

/// How long it takes for one object of a sync.
const STEP: SignedDuration = SignedDuration::from_secs(2);

/// How long the pods of a synced application take to get ready.
const ROLLOUT: SignedDuration = SignedDuration::from_secs(6);

/// How often it compares without being asked.
const PERIOD: i64 = 120;

/// Argo CD's controller in one cluster.
pub struct ArgoController(Mutex<Work>);

struct Work {
    /// Changes up to this version have been looked at.
    seen: u64,
    /// When an application has to be looked at next.
    due: BTreeMap<String, Timestamp>,
    started: bool,
    begun: Timestamp,
}

impl ArgoController {
    /// A controller that begins now.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Work { seen: 0, due: BTreeMap::new(), started: false, begun: now }))
    }
}

impl Work {
    /// The applications that changed, or whose time has come.
    fn keys(&mut self, lab: &Lab, now: Timestamp) -> BTreeSet<String> {
        if !self.started {
            self.started = true;
            self.seen = lab.store.version();
            for app in lab.store.all(TABLE) {
                let key = crate::backend::kubernetes::sim::store::key_of(&app);
                let jitter = i64::from(fnv(&key) % 60);
                self.due.insert(key, self.begun + SignedDuration::from_secs(PERIOD / 2 + jitter));
            }
        }
        let mut keys = BTreeSet::new();
        if let Some((changes, version)) = lab.store.since(TABLE, self.seen) {
            self.seen = version;
            let objects =
                changes.iter().filter_map(|change| serde_json::from_str::<Value>(&change.object).ok());
            keys.extend(objects.map(|object| crate::backend::kubernetes::sim::store::key_of(&object)));
        }
        keys.extend(self.due.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()));
        keys
    }
}

impl Controller for ArgoController {
    fn tick(&self, lab: &Lab, now: Timestamp) {
        let mut work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lab.flag("argocd.controller") == "stuck" {
            return;
        }
        super::apps::promote(lab);
        for key in work.keys(lab, now) {
            let Some(app) = lab.store.get(TABLE, &key) else {
                work.due.remove(&key);
                continue;
            };
            let next = look(lab, &key, &app, now);
            work.due.insert(key, next);
        }
    }

    /// The schema wants every selected resource to have kind and name.
    fn validate(&self, place: &Place, patch: &Value) -> Result<(), String> {
        let selected = patch["operation"]["sync"]["resources"].as_array();
        let whole = |resource: &Value| resource["kind"].is_string() && resource["name"].is_string();
        if &*place.resource.plural != TABLE || selected.is_none_or(|all| all.iter().all(whole)) {
            return Ok(());
        }
        let name = place.name.as_deref().unwrap_or_default();
        Err(format!(
            "Application.argoproj.io \"{name}\" is invalid: operation.sync.resources[0].name: Required value"
        ))
    }
}

fn at(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Does what is due for an application and says when to look again.
fn look(lab: &Lab, key: &str, app: &Value, now: Timestamp) -> Timestamp {
    let running =
        matches!(app["status"]["operationState"]["phase"].as_str(), Some("Running" | "Terminating"));
    if running {
        return operate(lab, key, app, now);
    }
    if app["operation"].is_object() {
        return begin(lab, key, app, now);
    }
    if app["metadata"]["annotations"]["argocd.argoproj.io/refresh"].is_string() {
        return refresh(lab, key, app, now);
    }
    if app["status"]["sync"]["revision"] != wanted(app) && app["status"]["health"]["status"] != "Unknown" {
        return compare(lab, key, app, now);
    }
    if let Some(ready) = at(&app["status"]["simReadyAt"]) {
        if ready > now {
            return ready;
        }
        let _ = lab.store.update(TABLE, key, |app| healthy(app, now));
    }
    reconcile(lab, key, app, now)
}

/// Requests are noticed a moment after they were made; the moment is remembered in the object's own status.
fn noticed(lab: &Lab, key: &str, app: &Value, now: Timestamp) -> Result<(), Timestamp> {
    match at(&app["status"]["simNoticedAt"]) {
        Some(noticed) if now >= noticed + REACTION => Ok(()),
        Some(noticed) => Err(noticed + REACTION),
        None => {
            let _ =
                lab.store.update(TABLE, key, |app| app["status"]["simNoticedAt"] = now.to_string().into());
            Err(now + REACTION)
        }
    }
}

fn forget(app: &mut Value, note: &str) {
    if let Some(status) = app["status"].as_object_mut() {
        status.remove(note);
    }
}

/// The revision that an application is told to run: a commit as it is, a branch by its head.
fn wanted(app: &Value) -> &str {
    let told = app["spec"]["source"]["targetRevision"].as_str().unwrap_or_default();
    if told.len() == 40 { told } else { HEAD }
}

/// Another revision is wanted than the one it was compared with: it differs, and is synced where that is automatic.
fn compare(lab: &Lab, key: &str, app: &Value, now: Timestamp) -> Timestamp {
    if let Err(later) = noticed(lab, key, app, now) {
        return later;
    }
    let _ = lab.store.update(TABLE, key, |app| {
        let revision = wanted(app).to_owned();
        forget(app, "simNoticedAt");
        let status = &mut app["status"];
        status["sync"]["revision"] = revision.clone().into();
        status["sync"]["status"] = "OutOfSync".into();
        status["reconciledAt"] = stamp(now).into();
        if let Some(resources) = status["resources"].as_array_mut() {
            resources
                .iter_mut()
                .filter(|r| r["kind"] != "Service")
                .for_each(|r| r["status"] = "OutOfSync".into());
        }
        let automated = &app["spec"]["syncPolicy"]["automated"];
        if automated.is_object() && automated["enabled"] != false {
            app["operation"] = json!({"initiatedBy": {"automated": true}, "sync": {"revision": revision}});
        }
    });
    now
}

fn refresh(lab: &Lab, key: &str, app: &Value, now: Timestamp) -> Timestamp {
    if let Err(later) = noticed(lab, key, app, now) {
        return later;
    }
    let _ = lab.store.update(TABLE, key, |app| {
        if let Some(annotations) = app["metadata"]["annotations"].as_object_mut() {
            annotations.remove("argocd.argoproj.io/refresh");
        }
        forget(app, "simNoticedAt");
        app["status"]["reconciledAt"] = stamp(now).into();
    });
    now + SignedDuration::from_secs(PERIOD)
}

/// Compares without being asked; what cannot be reached cannot be compared.
fn reconcile(lab: &Lab, key: &str, app: &Value, now: Timestamp) -> Timestamp {
    let jitter = i64::from(fnv(key) % 60);
    let next =
        at(&app["status"]["reconciledAt"]).map(|last| last + SignedDuration::from_secs(PERIOD + jitter));
    let dark = lab.flag("home") == "off" && app["spec"]["destination"]["name"] == "prod";
    let known = app["status"]["health"]["status"] != "Unknown";
    if dark == known {
        let _ = lab.store.update(TABLE, key, |app| if dark { darken(app, now) } else { lighten(app, now) });
    } else if let Some(next) = next.filter(|next| *next > now) {
        return next;
    } else if !dark {
        let _ = lab.store.update(TABLE, key, |app| app["status"]["reconciledAt"] = stamp(now).into());
    }
    now + SignedDuration::from_secs(PERIOD + jitter)
}

fn darken(app: &mut Value, now: Timestamp) {
    let status = &mut app["status"];
    let (sync, health) = (status["sync"]["status"].clone(), status["health"]["status"].clone());
    status["simBefore"] = json!([sync, health]);
    status["sync"]["status"] = "Unknown".into();
    status["health"] = json!({"status": "Unknown", "lastTransitionTime": stamp(now)});
    status["conditions"] = json!([{"type": "ComparisonError", "lastTransitionTime": stamp(now),
        "message": "Failed to load live state: failed to get cluster info for \"https://192.0.2.100:6443\": error synchronizing cache state: Get \"https://192.0.2.100:6443/version?timeout=32s\": context deadline exceeded"}]);
}

fn lighten(app: &mut Value, now: Timestamp) {
    let status = &mut app["status"];
    let before = status["simBefore"].take();
    status["sync"]["status"] = before[0].as_str().unwrap_or("Synced").into();
    status["health"] =
        json!({"status": before[1].as_str().unwrap_or("Healthy"), "lastTransitionTime": stamp(now)});
    status["reconciledAt"] = stamp(now).into();
    forget(app, "conditions");
    forget(app, "simBefore");
}

fn begin(lab: &Lab, key: &str, app: &Value, now: Timestamp) -> Timestamp {
    if let Err(later) = noticed(lab, key, app, now) {
        return later;
    }
    let _ = lab.store.update(TABLE, key, |app| {
        let wanted = app["operation"]["sync"]["revision"]
            .as_str()
            .filter(|r| r.len() == 40)
            .unwrap_or_else(|| self::wanted(app))
            .to_owned();
        forget(app, "simNoticedAt");
        app["status"]["operationState"] = json!({
            "operation": app["operation"], "phase": "Running", "message": "one or more tasks are running",
            "startedAt": stamp(now), "syncResult": {"revision": wanted, "resources": []},
        });
        app["status"]["simStepAt"] = (now + STEP).to_string().into();
    });
    now + STEP
}

/// One step of the operation under way.
fn operate(lab: &Lab, key: &str, app: &Value, now: Timestamp) -> Timestamp {
    if app["status"]["operationState"]["phase"] == "Terminating" {
        let _ = lab.store.update(TABLE, key, |app| end(app, "Failed", "Operation terminated", now));
        return now + SignedDuration::from_secs(PERIOD);
    }
    if let Some(step) = at(&app["status"]["simStepAt"]).filter(|step| *step > now) {
        return step;
    }
    let name = app["metadata"]["name"].as_str().unwrap_or_default();
    let failing = lab.flag("argocd.fails") == name;
    let _ = lab.store.update(TABLE, key, |app| step(app, failing, now));
    now + STEP
}

/// The objects of a sync in the order of their waves; of a partial one only those selected.
fn planned(app: &Value) -> Vec<Value> {
    let mut all = app["status"]["resources"].as_array().cloned().unwrap_or_default();
    if let Some(selected) = app["status"]["operationState"]["operation"]["sync"]["resources"].as_array() {
        all.retain(|r| selected.iter().any(|s| s["kind"] == r["kind"] && s["name"] == r["name"]));
    }
    all.sort_by_key(|resource| resource["syncWave"].as_i64().unwrap_or(0));
    all
}

fn step(app: &mut Value, failing: bool, now: Timestamp) {
    let plan = planned(app);
    let dry = app["status"]["operationState"]["operation"]["sync"]["dryRun"] == true;
    let state = &mut app["status"]["operationState"];
    let done = state["syncResult"]["resources"].as_array().map_or(0, Vec::len);
    let Some(next) = plan.get(done) else {
        let message =
            if dry { "successfully synced (dry run)" } else { "successfully synced (all tasks run)" };
        end(app, "Succeeded", message, now);
        return;
    };
    let (kind, name) = (next["kind"].as_str().unwrap_or_default(), next["name"].as_str().unwrap_or_default());
    let fails = failing && kind == "Deployment";
    let dry_note = if dry { " (dry run)" } else { "" };
    let message = if fails {
        format!(
            "Deployment.apps \"{name}\" is invalid: spec.selector: Invalid value: field is immutable{dry_note}"
        )
    } else {
        format!("{}/{name} configured{dry_note}", kind.to_lowercase())
    };
    let mut result = next.clone();
    result["status"] = if fails { "SyncFailed" } else { "Synced" }.into();
    result["message"] = message.into();
    result["syncPhase"] = "Sync".into();
    if let Some(results) = state["syncResult"]["resources"].as_array_mut() {
        results.push(result);
    }
    state["message"] = match plan.get(done + 1) {
        Some(_) => format!("waiting for healthy state of {kind}/{name}").into(),
        None => "one or more tasks are running".into(),
    };
    app["status"]["simStepAt"] = (now + STEP).to_string().into();
    if fails {
        end(
            app,
            "Failed",
            "one or more objects failed to apply, reason: field is immutable (retried 0 times).",
            now,
        );
    }
}

fn end(app: &mut Value, phase: &str, message: &str, now: Timestamp) {
    let sync = app["status"]["operationState"]["operation"]["sync"].clone();
    if let Some(fields) = app.as_object_mut() {
        fields.remove("operation");
    }
    forget(app, "simStepAt");
    let state = &mut app["status"]["operationState"];
    state["phase"] = phase.into();
    state["message"] = message.into();
    state["finishedAt"] = stamp(now).into();
    app["status"]["reconciledAt"] = stamp(now).into();
    if phase == "Succeeded" && sync["dryRun"] != true {
        succeed(app, &sync, now);
    }
}

fn succeed(app: &mut Value, sync: &Value, now: Timestamp) {
    let revision = app["status"]["operationState"]["syncResult"]["revision"].clone();
    let applied = planned(app);
    let head = wanted(app).to_owned();
    let status = &mut app["status"];
    if let Some(resources) = status["resources"].as_array_mut() {
        let hit = |r: &Value| applied.iter().any(|a| a["kind"] == r["kind"] && a["name"] == r["name"]);
        resources.iter_mut().filter(|r| hit(r)).for_each(|r| r["status"] = "Synced".into());
        let synced = resources.iter().all(|r| r["status"] == "Synced");
        // A revision other than the wanted one still differs from Git.
        let wanted = revision == head.as_str();
        status["sync"]["status"] = if synced && wanted { "Synced" } else { "OutOfSync" }.into();
    }
    status["health"] = json!({"status": "Progressing", "lastTransitionTime": stamp(now)});
    status["simReadyAt"] = (now + ROLLOUT).to_string().into();
    if sync["resources"].is_array() {
        return;
    }
    let by = status["operationState"]["operation"]["initiatedBy"].clone();
    if let Some(history) = status["history"].as_array_mut() {
        let id = history.last().and_then(|entry| entry["id"].as_i64()).unwrap_or(0) + 1;
        history.push(json!({"id": id, "revision": revision, "deployedAt": stamp(now), "initiatedBy": by}));
        if history.len() > 10 {
            history.remove(0);
        }
    }
}

fn healthy(app: &mut Value, now: Timestamp) {
    app["status"]["health"] = json!({"status": "Healthy", "lastTransitionTime": stamp(now)});
    forget(app, "simReadyAt");
}
