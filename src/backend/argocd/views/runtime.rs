//! What runs of an application in the cluster that it is delivered to: pods, claims, routes, secrets, warnings, lines.

use serde::Deserialize;

use crate::backend::error::{ApiError, first_line};
use crate::backend::kubernetes::client::Cluster;
use crate::backend::kubernetes::resource::{CLAIMS, EVENTS, PODS, ROUTES, Resource};
use crate::backend::kubernetes::rows::{self, events, pods};
use crate::backend::kubernetes::watch::encoded;
use crate::backend::kubernetes::wire::{Claim, Condition, Event, Meta, Page, Pod, Route};
use crate::backend::lenient::{List, Obj};
use crate::model::row::{Cell, Health, Tone};
use crate::model::view::DocLine;

use jiff::Timestamp;

use super::super::wire::Application;

/// `externalsecrets.external-secrets.io`.
static SECRETS: Resource =
    Resource::fixed("external-secrets.io", "v1", "externalsecrets", "ExternalSecret", true);

/// Lines of the log that are shown.
const LINES: u32 = 50;

/// Pods of one application that are looked at.
const MOST_PODS: usize = 500;

/// What was found; each part may be missing for a reason of its own.
#[derive(Default)]
pub struct Runtime {
    /// Pods: state, name, ready, restarts, node, why.
    pub pods: Vec<(Health, Vec<Cell>)>,
    /// Claims: phase, name, size.
    pub claims: Vec<(Health, Vec<Cell>)>,
    /// Routes: state, hosts, why.
    pub routes: Vec<(Health, Vec<Cell>)>,
    /// The hosts of its routes.
    pub hosts: Vec<String>,
    /// External secrets: state, name, why.
    pub secrets: Vec<(Health, Vec<Cell>)>,
    /// Warnings: reason, object, times, last, message.
    pub warnings: Vec<Vec<Cell>>,
    /// Whose lines these are, and the lines.
    pub log: Option<(String, Vec<DocLine>)>,
    /// What could not be looked at.
    pub blind: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ExternalSecret {
    metadata: Obj<Meta>,
    status: Obj<SecretStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SecretStatus {
    conditions: List<Condition>,
}

/// Looks at everything of an application in its namespace.
pub async fn look(cluster: &Cluster, app: &Application, now: Timestamp) -> Runtime {
    let mut found = Runtime::default();
    let namespace = app.spec.destination.namespace.as_str();
    if !crate::backend::kubernetes::resource::is_name(namespace) {
        found.blind.push("it names no namespace of its own".to_owned());
        return found;
    }
    let name = app.metadata.name.as_str();
    let ours: Vec<Pod> = match list::<Pod>(cluster, &PODS, namespace).await {
        Ok(all) => all.into_iter().filter(|pod| belongs(&pod.metadata, app)).take(MOST_PODS).collect(),
        Err(error) => {
            found.blind.push(format!("pods: {error}"));
            Vec::new()
        }
    };
    found.pods = ours.iter().map(|pod| pod_row(pod, now)).collect();
    match list::<Claim>(cluster, &CLAIMS, namespace).await {
        Ok(all) => found.claims = all.iter().filter(|c| is_of(&c.metadata, name)).map(claim_row).collect(),
        Err(error) => found.blind.push(format!("claims: {error}")),
    }
    match list::<Route>(cluster, &ROUTES, namespace).await {
        Ok(all) => {
            let ours: Vec<&Route> = all.iter().filter(|route| is_of(&route.metadata, name)).collect();
            found.routes = ours.iter().map(|route| route_row(route)).collect();
            found.hosts =
                ours.iter().flat_map(|route| route.spec.hostnames.iter()).map(str::to_owned).collect();
        }
        Err(error) => found.blind.push(format!("routes: {error}")),
    }
    match list::<ExternalSecret>(cluster, &SECRETS, namespace).await {
        Ok(all) => found.secrets = all.iter().filter(|s| is_of(&s.metadata, name)).map(secret_row).collect(),
        Err(error) => found.blind.push(format!("external secrets: {error}")),
    }
    match warnings(cluster, namespace, app, &ours).await {
        Ok(rows) => found.warnings = rows,
        Err(error) => found.blind.push(format!("events: {error}")),
    }
    if let Some(pod) = ours.iter().min_by_key(|pod| pods::state(pod, now).health) {
        match lines(cluster, pod).await {
            Ok(lines) => found.log = Some((pod.metadata.name.as_str().to_owned(), lines)),
            Err(error) => found.blind.push(format!("log: {error}")),
        }
    }
    found
}

/// The objects of a namespace; a resource that the cluster does not have is none.
async fn list<T: for<'a> Deserialize<'a>>(
    cluster: &Cluster,
    resource: &Resource,
    namespace: &str,
) -> Result<Vec<T>, ApiError> {
    let path = format!("{}?limit=500", resource.list(Some(namespace)));
    match cluster.get(&path).await {
        Err(error) if error.fault.status == Some(404) => Ok(Vec::new()),
        other => Ok(other?.json::<Page<T>>()?.items.0),
    }
}

/// Whether an object says that it is the application's.
fn is_of(meta: &Meta, app: &str) -> bool {
    rows::application(meta).is_some_and(|facet| &*facet.value == app)
}

/// Pods say so themselves, or are made by a workload that the application lists.
fn belongs(meta: &Meta, app: &Application) -> bool {
    let made = |name: &str| {
        app.status.resources.iter().any(|resource| {
            let rest = name.strip_prefix(resource.name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
                && matches!(&*resource.kind, "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "CronJob")
        })
    };
    is_of(meta, &app.metadata.name) || meta.owner_references.iter().any(|owner| made(&owner.name))
}

fn pod_row(pod: &Pod, now: Timestamp) -> (Health, Vec<Cell>) {
    let state = pods::state(pod, now);
    let restarts: i64 = pod.status.container_statuses.iter().map(|c| c.restart_count.or_zero()).sum();
    let cells = vec![
        Cell::toned(state.word.as_str(), state.health.into()),
        Cell::new(pod.metadata.name.as_str()),
        Cell::new(restarts),
        Cell::new(pod.spec.node_name.as_str()),
        Cell::new(state.why.as_str()),
    ];
    (state.health, cells)
}

fn claim_row(claim: &Claim) -> (Health, Vec<Cell>) {
    let health = match &*claim.status.phase {
        "Bound" => Health::Ok,
        "Lost" => Health::Critical,
        _ => Health::Warning,
    };
    let cells = vec![
        Cell::toned(claim.status.phase.as_str(), health.into()),
        Cell::new(claim.metadata.name.as_str()),
        Cell::new(claim.status.capacity.get("storage").unwrap_or_default()),
    ];
    (health, cells)
}

fn route_row(route: &Route) -> (Health, Vec<Cell>) {
    let conditions = || route.status.parents.iter().flat_map(|parent| parent.conditions.iter());
    let refused =
        conditions().find(|c| matches!(&*c.about, "Accepted" | "ResolvedRefs") && &*c.status == "False");
    let (word, health) = match refused {
        Some(_) => ("Refused", Health::Critical),
        None if conditions().any(|c| &*c.about == "Accepted") => ("Accepted", Health::Ok),
        None => ("Pending", Health::Warning),
    };
    let hosts: Vec<&str> = route.spec.hostnames.iter().collect();
    let cells = vec![
        Cell::toned(word, health.into()),
        Cell::new(hosts.join(" ").as_str()),
        Cell::new(refused.map_or("", |condition| condition.message.as_str())),
    ];
    (health, cells)
}

fn secret_row(secret: &ExternalSecret) -> (Health, Vec<Cell>) {
    let ready = secret.status.conditions.iter().find(|condition| &*condition.about == "Ready");
    let (word, health) = match ready.map(|ready| &*ready.status) {
        Some("True") => ("Synced", Health::Ok),
        Some("False") => ("Failed", Health::Critical),
        _ => ("Unknown", Health::Unknown),
    };
    let cells = vec![
        Cell::toned(word, health.into()),
        Cell::new(secret.metadata.name.as_str()),
        Cell::new(ready.map_or("", |ready| ready.message.as_str())),
    ];
    (health, cells)
}

async fn warnings(
    cluster: &Cluster,
    namespace: &str,
    app: &Application,
    pods: &[Pod],
) -> Result<Vec<Vec<Cell>>, ApiError> {
    let path =
        format!("{}?fieldSelector={}&limit=500", EVENTS.list(Some(namespace)), encoded("type=Warning"));
    let page: Page<Event> = cluster.get(&path).await?.json()?;
    let about = |event: &&Event| {
        let name = event.involved_object.name.as_str();
        pods.iter().any(|pod| &*pod.metadata.name == name)
            || app.status.resources.iter().any(|resource| &*resource.name == name)
    };
    let mut found: Vec<&Event> = page.items.iter().filter(about).collect();
    found.sort_by_key(|event| std::cmp::Reverse(events::last(event)));
    let row = |event: &&Event| {
        vec![
            Cell::toned(event.reason.as_str(), Tone::Warn),
            Cell::new(event.involved_object.name.as_str()),
            Cell::new(events::count(event)),
            Cell::new(events::last(event)),
            Cell::new(first_line(&event.message).as_str()),
        ]
    };
    Ok(found.iter().take(10).map(row).collect())
}

async fn lines(cluster: &Cluster, pod: &Pod) -> Result<Vec<DocLine>, ApiError> {
    let key = format!("{}/{}", pod.metadata.namespace.as_str(), pod.metadata.name.as_str());
    let container = pod.spec.containers.first().map_or("", |container| container.name.as_str());
    let path = format!("{}/log?tailLines={LINES}&container={}", PODS.object(&key)?, encoded(container));
    let text = cluster.get(&path).await?.text();
    let tone = crate::backend::kubernetes::logs::tone;
    Ok(text.lines().map(|line| DocLine::toned(line, tone(line))).collect())
}
