//! One row for each system that is installed as custom resources, with its worst fact; what is absent has no row.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::backend::kubernetes::client::Cluster;
use crate::backend::kubernetes::doc::repeat;
use crate::backend::kubernetes::resource::DAEMONSETS;
use crate::backend::kubernetes::rows::{Maker, State};
use crate::backend::kubernetes::wire::Page;
use crate::backend::lenient::{List, Obj, Text};
use crate::model::id::{EntityId, Identity, KindId};
use crate::model::kind::{Format, Text as Label};
use crate::model::row::{Cell, Health, Row, Tone};
use crate::model::snapshot::Snapshot;
use crate::model::view::{Doc, DocLine, Fact, View};

use super::judge::judge;

/// How often an open one is read again.
const PACE: std::time::Duration = std::time::Duration::from_secs(10);

/// Objects of one kind that are judged; more are counted and not looked at.
const MOST: usize = 2_000;

/// A system: its name, its API group, and the objects that tell how it is.
struct System {
    name: &'static str,
    group: &'static str,
    kinds: &'static [(&'static str, &'static str)],
    /// A daemon set that has to be ready on every node.
    agent: Option<&'static str>,
}

const fn system(
    name: &'static str,
    group: &'static str,
    kinds: &'static [(&'static str, &'static str)],
) -> System {
    System { name, group, kinds, agent: None }
}

/// In the order of the screen.
static SYSTEMS: [System; 10] = [
    system(
        "cert-manager",
        "cert-manager.io",
        &[("certificates", "Certificate"), ("issuers", "Issuer"), ("clusterissuers", "ClusterIssuer")],
    ),
    system(
        "external-secrets",
        "external-secrets.io",
        &[
            ("externalsecrets", "ExternalSecret"),
            ("secretstores", "SecretStore"),
            ("clustersecretstores", "ClusterSecretStore"),
        ],
    ),
    system(
        "longhorn",
        "longhorn.io",
        &[("volumes", "Volume"), ("nodes", "Node"), ("backuptargets", "BackupTarget")],
    ),
    system(
        "velero",
        "velero.io",
        &[
            ("backups", "Backup"),
            ("schedules", "Schedule"),
            ("backupstoragelocations", "BackupStorageLocation"),
        ],
    ),
    system(
        "volsync",
        "volsync.backube",
        &[("replicationsources", "ReplicationSource"), ("replicationdestinations", "ReplicationDestination")],
    ),
    system("cnpg", "postgresql.cnpg.io", &[("clusters", "Cluster")]),
    system(
        "kubevirt",
        "kubevirt.io",
        &[("virtualmachines", "VirtualMachine"), ("virtualmachineinstances", "VirtualMachineInstance")],
    ),
    System { agent: Some("cilium"), ..system("cilium", "cilium.io", &[]) },
    System {
        agent: Some("speaker"),
        ..system("metallb", "metallb.io", &[("servicebgpstatuses", "ServiceBGPStatus")])
    },
    system("gateway", "gateway.networking.k8s.io", &[("gateways", "Gateway"), ("httproutes", "HTTPRoute")]),
];

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Groups {
    groups: List<Group>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Group {
    name: Text,
    preferred_version: Obj<Version>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Version {
    version: Text,
}

/// One judged object.
struct Judged {
    kind: &'static str,
    name: String,
    state: State,
}

/// What was found of a system.
struct Found {
    system: &'static System,
    objects: Vec<Judged>,
    /// What could not be looked at.
    blind: Vec<String>,
}

/// The rows of what is installed.
pub async fn snapshot(
    cluster: &Cluster,
    maker: &Maker,
    kind: &KindId,
    now: Timestamp,
) -> Result<Snapshot, ApiError> {
    let groups = groups(cluster).await?;
    let mut rows = Vec::new();
    for system in &SYSTEMS {
        if let Some(version) = groups.get(system.group) {
            let found = look(cluster, system, version, now).await;
            rows.push(row(maker, kind, &found));
        }
    }
    // Every cluster has this one: where it is not seen, neither are the others.
    let seen = groups.contains_key("apps");
    let notes = if seen { Vec::new() } else { vec!["the API groups cannot be read".to_owned()] };
    Ok(Snapshot { complete: seen, notes, ..Snapshot::complete(rows, now) })
}

/// How one system is; `None` where it is not installed.
pub async fn verdict(cluster: &Cluster, name: &str, now: Timestamp) -> Result<Option<State>, ApiError> {
    let groups = groups(cluster).await?;
    let found = SYSTEMS.iter().find(|system| system.name == name);
    match found.and_then(|system| Some((system, groups.get(system.group)?))) {
        Some((system, version)) => Ok(Some(worst(&look(cluster, system, version, now).await))),
        None => Ok(None),
    }
}

/// The API groups with the version that the cluster prefers.
async fn groups(cluster: &Cluster) -> Result<HashMap<String, String>, ApiError> {
    let found: Groups = cluster.get("/apis").await?.json()?;
    let pair =
        |group: &Group| (group.name.as_str().to_owned(), group.preferred_version.version.as_str().to_owned());
    Ok(found.groups.iter().map(pair).collect())
}

async fn look(cluster: &Cluster, system: &'static System, version: &str, now: Timestamp) -> Found {
    let mut found = Found { system, objects: Vec::new(), blind: Vec::new() };
    for (plural, kind) in system.kinds {
        let path = format!("/apis/{}/{version}/{plural}?limit={MOST}", system.group);
        match objects(cluster, &path).await {
            Ok(mut objects) => {
                if *kind == "Backup" {
                    objects = latest(objects);
                }
                found.objects.extend(objects.iter().map(|object| Judged {
                    kind,
                    name: name(object),
                    state: judge(system.group, kind, object, now),
                }));
            }
            // A kind that this version of the system does not have.
            Err(error) if error.fault.status == Some(404) => {}
            Err(error) => found.blind.push(format!("{plural}: {error}")),
        }
    }
    if let Some(agent) = system.agent {
        match agents(cluster, agent).await {
            Ok(agents) => found.objects.extend(agents),
            Err(error) => found.blind.push(format!("daemon sets: {error}")),
        }
    }
    found
}

async fn objects(cluster: &Cluster, path: &str) -> Result<Vec<Value>, ApiError> {
    Ok(cluster.get(path).await?.json::<Page<Value>>()?.items.0)
}

fn name(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

/// Of backups only the last of each schedule counts: an old one that failed was made up for.
fn latest(backups: Vec<Value>) -> Vec<Value> {
    let mut last: HashMap<String, Value> = HashMap::new();
    for backup in backups {
        let text = |object: &Value, pointer: &str| {
            object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let schedule = text(&backup, "/metadata/labels/velero.io~1schedule-name");
        let began = |object: &Value| text(object, "/status/startTimestamp");
        match last.get(&schedule) {
            Some(known) if began(known) >= began(&backup) => {}
            _ => {
                last.insert(schedule, backup);
            }
        }
    }
    last.into_values().collect()
}

/// Whether an agent runs on every node that wants it.
async fn agents(cluster: &Cluster, agent: &str) -> Result<Vec<Judged>, ApiError> {
    let sets = objects(cluster, &DAEMONSETS.list(None)).await?;
    let is_agent = |set: &&Value| {
        let name = set.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        name == agent || name.ends_with(&format!("-{agent}"))
    };
    let number = |set: &Value, field: &str| set["status"][field].as_i64().unwrap_or(0);
    let judged = |set: &Value| {
        let (wanted, ready) = (number(set, "desiredNumberScheduled"), number(set, "numberReady"));
        let state = match ready {
            ready if ready >= wanted => State::new("Ready", Health::Ok),
            0 => State::new("Down", Health::Critical).why("on no node"),
            ready => State::new("Partial", Health::Critical).why(format!("on {ready} of {wanted} nodes")),
        };
        Judged { kind: "DaemonSet", name: name(set), state }
    };
    Ok(sets.iter().filter(is_agent).map(judged).collect())
}

/// The worst of it: what is switched off on purpose is not worse than what runs.
fn worst(found: &Found) -> State {
    let bad = |judged: &&Judged| !matches!(judged.state.health, Health::Ok | Health::Off);
    let worst = found
        .objects
        .iter()
        .filter(bad)
        .min_by(|a, b| a.state.health.cmp(&b.state.health).then_with(|| a.name.cmp(&b.name)));
    if let Some(judged) = worst {
        let why = format!("{} {}: {}", judged.kind, judged.name, judged.state.why);
        return State::new(&judged.state.word, judged.state.health).why(why.trim_end_matches(": "));
    }
    if let Some(first) = found.blind.first() {
        return State::new("Blind", Health::Unknown).why(first.as_str());
    }
    if found.objects.is_empty() {
        return State::new("Empty", Health::Off).why("installed, and nothing uses it");
    }
    State::new("Healthy", Health::Ok)
}

fn row(maker: &Maker, kind: &KindId, found: &Found) -> Row {
    let state = worst(found);
    let good =
        found.objects.iter().filter(|judged| matches!(judged.state.health, Health::Ok | Health::Off)).count();
    let all = found.objects.len();
    let cells = vec![
        state.cell(),
        Cell::new(found.system.name),
        Cell::toned(format!("{good}/{all}").as_str(), if good == all { Tone::Text } else { Tone::Warn }),
        Cell::new(state.why.as_str()),
        Cell::new(found.system.group),
    ];
    let id = EntityId::new(kind.clone(), maker.instance.clone(), found.system.name);
    let mut row = Row::new(id, found.system.name, cells);
    row.health = state.health;
    row.note = (!state.why.is_empty()).then(|| state.why.as_str().into());
    row.domain = maker.domain;
    row.identity = Identity::new().with("system", found.system.name);
    row
}

/// Keeps the objects of a system fresh, the worst first.
pub async fn open(
    cluster: &Cluster,
    id: &EntityId,
    now: impl Fn() -> Timestamp,
    sink: &ViewSink,
) -> Result<(), ApiError> {
    let system = SYSTEMS.iter().find(|system| *system.name == *id.key);
    let system = system.ok_or_else(|| ApiError::unsupported(format!("{} is no known system", id.key)))?;
    repeat(sink, PACE, || async {
        let groups = groups(cluster).await?;
        let Some(version) = groups.get(system.group) else {
            return Err(ApiError::unsupported(format!("{} is not installed any more", system.name)));
        };
        let at = now();
        Ok(View::Doc(doc(look(cluster, system, version, at).await, version)))
    })
    .await
}

fn doc(mut found: Found, version: &str) -> Doc {
    let state = worst(&found);
    let mut facts = vec![Fact::new("state", state.word.as_str()).tone(state.health.into())];
    if !state.why.is_empty() {
        facts.push(Fact::new("why", state.why.as_str()));
    }
    facts.push(Fact::new("api", format!("{}/{version}", found.system.group).as_str()).format(Format::Plain));
    found.objects.sort_by(|a, b| a.state.health.cmp(&b.state.health).then_with(|| a.name.cmp(&b.name)));
    let row = |judged: &Judged| {
        vec![
            Cell::toned(judged.state.word.as_str(), judged.state.health.into()),
            Cell::new(judged.kind),
            Cell::new(judged.name.as_str()),
            Cell::new(judged.state.why.as_str()),
        ]
    };
    let columns = ["state", "kind", "name", "why"].map(Label::Borrowed).to_vec();
    let blind = found.blind.iter().map(|why| DocLine::toned(why.as_str(), Tone::Unknown)).collect();
    Doc::default().facts("", facts).lines("not seen", blind).table(
        "objects",
        columns,
        found.objects.iter().map(row).collect(),
    )
}
