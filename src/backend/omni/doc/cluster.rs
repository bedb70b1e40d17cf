//! Describes a cluster.

use super::{age, fact};
use crate::backend::error::ApiError;
use crate::backend::omni::Omni;
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::feed::Feed;
use crate::backend::omni::rows::clusters::{Clusters, OWNER, expiry, manager};
use crate::backend::omni::rows::machines::role_of;
use crate::backend::omni::wire::{
    Cluster, ClusterMachineStatus, ClusterStatus, Condition, ControlPlaneStatus, Destroy, ExposedService,
    OngoingTask, Resource, Spec, Stage, UpgradeKubernetes, UpgradeStatus, UpgradeTalos,
};
use crate::model::kind::Format;
use crate::model::row::{Cell, Row, Tone};
use crate::model::view::{Doc, DocLine, Fact};

/// The description; `None` where the cluster does not exist.
pub(super) async fn describe(omni: &Omni, name: &str) -> Result<Option<Doc>, ApiError> {
    let client = omni.client()?;
    let mut feed = Clusters::default();
    for shelf in feed.shelves() {
        if let Some(json) = client.get_raw(shelf.table(), name, client.reader()).await? {
            shelf.put(&json);
        }
    }
    let (Some(row), Some(cluster)) = (feed.row(name, &omni.lens()), feed.specs.of(name)) else {
        return Ok(None);
    };
    let selected = Route::selected(format!("omni.sidero.dev/cluster={name}"));
    let (machines, _) = client.list::<ClusterMachineStatus>(&selected).await?;
    let doc = Doc::default()
        .facts("", state(&row, feed.statuses.of(name), destroy(client, name).await?))
        .facts("up", up(&feed, name))
        .lines("under way", tasks(client, name).await?)
        .lines("control plane", conditions(client, name).await?)
        .table("machines", MACHINE_COLUMNS.map(Into::into).to_vec(), machines.iter().map(machine).collect())
        .facts("versions", versions(client, cluster).await?)
        .facts("life", life(cluster))
        .lines("exposed services", services(client, &selected).await?)
        .lines("labels", labels(cluster));
    Ok(Some(doc))
}

/// What a further resource says; one that the role may not see is no reason to show nothing.
async fn optional<S: Spec>(client: &Client, id: &str) -> Result<Option<Resource<S>>, ApiError> {
    match client.get::<S>(id).await {
        Err(error) if error.fault.missing.is_some() => Ok(None),
        other => other,
    }
}

async fn destroy(client: &Client, name: &str) -> Result<Option<String>, ApiError> {
    Ok(optional::<Destroy>(client, name).await?.map(|found| found.spec.phase).filter(|text| !text.is_empty()))
}

fn state(row: &Row, status: Option<&Resource<ClusterStatus>>, destroy: Option<String>) -> Vec<Fact> {
    let tone = Tone::from(row.health);
    let word = row.cell(0).value.as_text().unwrap_or_default();
    let mut facts = vec![Fact::new("state", word).format(Format::State).tone(tone)];
    facts.extend(row.note.as_deref().map(|note| Fact::new("why", note).tone(tone)));
    facts.extend(destroy.map(|text| Fact::new("destroying", text.as_str()).tone(Tone::Pending)));
    facts.extend(age("since", status.and_then(|status| status.metadata.updated)));
    if let Some(machines) = status.map(|status| &status.spec.machines) {
        let text = format!(
            "{} healthy, {} connected, {} in all, {} wanted",
            machines.healthy, machines.connected, machines.total, machines.requested
        );
        facts.push(Fact::new("machines", text.as_str()));
    }
    facts
}

/// What has to answer for the cluster to be of use.
fn up(feed: &Clusters, name: &str) -> Vec<Fact> {
    let word = |label: &'static str, up: bool, down: &'static str| {
        let (word, tone) = if up { ("ready", Tone::Ok) } else { (down, Tone::Error) };
        Fact::new(label, word).tone(tone)
    };
    let status = feed.statuses.spec(name);
    let balancer = feed.balancers.spec(name).map(|balancer| match (balancer.healthy, balancer.stopped) {
        (_, true) => Fact::new("load balancer", "stopped").tone(Tone::Off),
        (healthy, false) => word("load balancer", healthy, "unhealthy"),
    });
    let planes = status.map(|status| word("control plane", status.controlplane_ready, "not ready"));
    let api = status.map(|status| word("Kubernetes API", status.kubernetes_api_ready, "does not answer"));
    planes.into_iter().chain(api).chain(balancer).collect()
}

async fn tasks(client: &Client, name: &str) -> Result<Vec<DocLine>, ApiError> {
    let (tasks, _) = client.list::<OngoingTask>(&Route::omni()).await?;
    let ours = tasks.into_iter().filter(|task| task.spec.resource_id == name);
    Ok(ours.map(|task| DocLine::toned(task_line(&task.spec), Tone::Pending)).collect())
}

fn task_line(task: &OngoingTask) -> String {
    let upgrades = [&task.talos_upgrade, &task.kubernetes_upgrade];
    let words = upgrades.into_iter().flat_map(|upgrade| [&upgrade.step, &upgrade.status, &upgrade.error]);
    let words = words.chain([&task.destroy.phase]).filter(|text| !text.is_empty());
    let parts: Vec<&str> = std::iter::once(&task.title).chain(words).map(String::as_str).collect();
    parts.join(": ")
}

async fn conditions(client: &Client, name: &str) -> Result<Vec<DocLine>, ApiError> {
    let status = optional::<ControlPlaneStatus>(client, &format!("{name}-control-planes")).await?;
    Ok(status.map(|status| status.spec.conditions.iter().map(condition).collect()).unwrap_or_default())
}

fn condition(condition: &Condition) -> DocLine {
    let what = match condition.r#type {
        1 => "etcd",
        2 => "wireguard",
        _ => "condition",
    };
    let (word, tone) = match (condition.status, condition.severity) {
        (1, _) => ("ready", Tone::Ok),
        (2, 2) => ("not ready", Tone::Error),
        (2, _) => ("not ready", Tone::Warn),
        _ => ("unknown", Tone::Unknown),
    };
    let reason = if condition.reason.is_empty() { String::new() } else { format!(": {}", condition.reason) };
    DocLine::toned(format!("{what} {word}{reason}"), tone)
}

const MACHINE_COLUMNS: [&str; 5] = ["state", "name", "role", "config", "error"];

fn machine(machine: &Resource<ClusterMachineStatus>) -> Vec<Cell> {
    let (spec, meta) = (&machine.spec, &machine.metadata);
    let connected = meta.label("connected").is_some();
    let stage = Stage(spec.stage).word();
    let (word, tone) = match (connected, spec.ready) {
        (false, _) => ("disconnected", Tone::Error),
        (true, true) => (stage, Tone::Ok),
        (true, false) if spec.stage == Stage::RUNNING => ("not ready", Tone::Warn),
        (true, false) => (stage, Tone::Pending),
    };
    let config = if spec.config_up_to_date { "current" } else { "behind" };
    vec![
        Cell::toned(word, tone),
        Cell::new(meta.label("hostname").filter(|name| !name.is_empty()).unwrap_or(&meta.id)),
        Cell::new(role_of(meta)),
        Cell::new(config),
        Cell::toned(spec.last_config_error.as_str(), Tone::Warn),
    ]
}

async fn versions(client: &Client, cluster: &Resource<Cluster>) -> Result<Vec<Fact>, ApiError> {
    let name = &cluster.metadata.id;
    let talos = optional::<UpgradeTalos>(client, name).await?.map(|status| status.spec.0);
    let kubernetes = optional::<UpgradeKubernetes>(client, name).await?.map(|status| status.spec.0);
    let spec = &cluster.spec;
    Ok(vec![
        version("Talos", &spec.talos_version, talos),
        version("Kubernetes", &spec.kubernetes_version, kubernetes),
    ])
}

fn version(label: &'static str, wanted: &str, status: Option<UpgradeStatus>) -> Fact {
    let status = status.unwrap_or_default();
    let (word, tone) = match status.phase {
        1 | 4 | 5 => ("under way", Tone::Pending),
        3 => ("failed", Tone::Error),
        _ => ("", Tone::Text),
    };
    let offered = status.upgrade_versions.join(", ");
    let parts = [
        wanted.to_owned(),
        word.to_owned(),
        status.step,
        status.error,
        if offered.is_empty() { String::new() } else { format!("offered: {offered}") },
    ];
    let text: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    Fact::new(label, text.join(" · ").as_str()).tone(tone)
}

fn life(cluster: &Resource<Cluster>) -> Vec<Fact> {
    let (spec, meta) = (&cluster.spec, &cluster.metadata);
    let backup = &spec.backup_configuration;
    let backups = if backup.enabled { format!("every {}", backup.interval) } else { "off".to_owned() };
    let features = [
        ("workload proxy", spec.features.enable_workload_proxy),
        ("disk encryption", spec.features.disk_encryption),
        ("embedded discovery", spec.features.use_embedded_discovery_service),
    ];
    let features: Vec<&str> = features.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect();
    let managed = match manager(meta) {
        "" => "",
        _ => "a template; what is changed here is undone by its next sync",
    };
    let facts = [
        age("created", meta.created),
        expiry(meta).map(|end| Fact::new("expires", end).format(Format::Until)),
        fact("owner", meta.labels.get(OWNER).map_or("", String::as_str)),
        fact("managed by", managed),
        fact(
            "locked",
            if meta.annotation("cluster-locked").is_some() { "yes: Omni refuses changes" } else { "" },
        ),
        fact("etcd backups", &backups),
        fact("features", &features.join(", ")),
    ];
    facts.into_iter().flatten().collect()
}

async fn services(client: &Client, selected: &Route) -> Result<Vec<DocLine>, ApiError> {
    let (services, _) = client.list::<ExposedService>(selected).await?;
    let line = |service: &ExposedService| {
        let text = format!("{} {}", service.label, service.url);
        if service.error.is_empty() {
            DocLine::new(text)
        } else {
            DocLine::toned(format!("{text}: {}", service.error), Tone::Warn)
        }
    };
    Ok(services.iter().map(|service| line(&service.spec)).collect())
}

fn labels(cluster: &Resource<Cluster>) -> Vec<DocLine> {
    cluster.metadata.user_labels().map(|(key, value)| DocLine::new(format!("{key}={value}"))).collect()
}
