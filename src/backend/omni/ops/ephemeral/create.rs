//! `omni.ephemeral-create`.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::super::{Fact, Operation, step};
use super::birth::ready;
use super::{NOT_CONFIGURED, is_ours};
use crate::backend::error::{ApiError, SendError};
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::headroom;
use crate::backend::omni::rows::clusters::{OWNER, TTL, phase};
use crate::backend::omni::template::{NAME, SMALLEST, Template, render};
use crate::backend::omni::wire::{Cluster, ClusterStatus, MachineClass, Provider, TalosVersion};
use crate::backend::omni::{Omni, edit};
use crate::backend::{ProgressSink, Proof, Receipt};
use crate::config::Ephemeral;
use crate::model::id::Identity;
use crate::model::op::{Decision, Evidence, Field, Job, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

/// A part that does not exist after so many seconds was never asked for.
const LATE: i64 = 30;

/// Makes an ephemeral cluster.
pub(in crate::backend::omni::ops) struct Create;

/// What a job asks for.
struct Wish<'a> {
    ephemeral: &'a Ephemeral,
    name: String,
    template: Template,
}

fn wish<'a>(omni: &'a Omni, job: &Job) -> Result<Wish<'a>, String> {
    let ephemeral = omni.ephemeral.as_ref().ok_or(NOT_CONFIGURED)?;
    let id = job.target.name.strip_prefix(&ephemeral.prefix).unwrap_or(&job.target.name);
    let name = format!("{}{id}", ephemeral.prefix);
    if !is_ours(ephemeral, &name) {
        return Err(format!("`{id}` is no run id: lower-case letters, digits and dashes, at most 32"));
    }
    let text = match &ephemeral.template {
        None => SMALLEST.to_owned(),
        Some(path) => std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?,
    };
    if !text.contains(NAME) {
        return Err(format!("the template has a fixed name; write `name: {NAME}`"));
    }
    let class = ephemeral.classes.first().map_or("", String::as_str);
    let values = [
        (NAME, name.as_str()),
        ("${class}", class),
        ("${talos}", job.arg("talos")),
        ("${kubernetes}", job.arg("kubernetes")),
    ];
    let folder = ephemeral.template.as_deref().and_then(std::path::Path::parent);
    let template = Template::ephemeral(&render(&text, &values), folder)?;
    if template.name() != name {
        return Err(format!("the template makes `{}` instead of `{name}`", template.name()));
    }
    Ok(Wish { ephemeral, name, template })
}

fn refuse(what: &str, says: impl Into<String>) -> Fact {
    (Decision::Refuse, Evidence::new(what, says, Tone::Error))
}

fn allow(what: &str, says: impl Into<String>) -> Fact {
    (Decision::Allow, Evidence::new(what, says, Tone::Ok))
}

#[async_trait]
impl Operation for Create {
    fn name(&self) -> &'static str {
        "omni.ephemeral-create"
    }

    fn everywhere(&self) -> Option<&'static str> {
        Some("can_create_clusters")
    }

    async fn form(&self, omni: &Omni, _target: &str, mut form: Vec<Field>) -> Result<Vec<Field>, ApiError> {
        let (versions, _) = omni.client()?.list::<TalosVersion>(&Route::omni()).await?;
        let newest = versions
            .iter()
            .filter(|found| !found.spec.unsupported)
            .max_by(|a, b| crate::model::row::natural(&a.metadata.id, &b.metadata.id));
        for field in &mut form {
            let found = newest.map(|found| match &*field.name {
                "talos" => found.metadata.id.to_string(),
                "kubernetes" => found.spec.compatible_kubernetes_versions.last().cloned().unwrap_or_default(),
                _ => String::new(),
            });
            if let Some(value) = found.filter(|value| !value.is_empty()) {
                field.default = value.into();
            }
        }
        Ok(form)
    }

    async fn preflight(&self, omni: &Omni, job: &Job) -> Result<Verdict, ApiError> {
        let wish = match wish(omni, job) {
            Ok(wish) => wish,
            Err(why) => return Ok(Verdict::refuse("template", why)),
        };
        let client = omni.client()?;
        let effect = format!(
            "Creates cluster {} (Talos {}, Kubernetes {}) for {}, to be taken down after {}",
            wish.name,
            wish.template.talos(),
            wish.template.kubernetes(),
            owner(job),
            job.arg("ttl")
        );
        let mut facts = vec![alone(client, &wish, job).await?, version(client, &wish.template).await?];
        facts.extend(classes(client, &wish).await?);
        facts.push(room(client, &wish).await);
        let verdict = Verdict::allow(effect, Identity::new().with("id", wish.name.as_str()));
        Ok(facts.into_iter().fold(verdict, |verdict, (decision, evidence)| verdict.and(decision, evidence)))
    }

    async fn operate(&self, omni: &Omni, job: &Job, progress: ProgressSink) -> Result<Receipt, SendError> {
        let not_sent = |what: String| SendError::NotSent(Fault::new(Layer::App, what));
        let client = omni.client().map_err(|error| SendError::NotSent(error.fault))?;
        let wish = wish(omni, job).map_err(not_sent)?;
        let mut made: Vec<String> = Vec::new();
        for (what, draft) in wish.template.resources(&labels(job)) {
            if job.arg("resume") == "true" && exists(client, &draft).await? {
                made.push(what);
                continue;
            }
            if let Err(error) = edit::create(client, &draft).await {
                return Err(half_made(error, &what, &made, &wish.name));
            }
            step(&progress, None, format!("created {what}")).await;
            made.push(what);
        }
        ready(omni, client, &wish.name, &progress).await?;
        let said = format!("{} is ready; vigie do omni.kubeconfig {}", wish.name, wish.name);
        Ok(Receipt { remote: Some(wish.name), said, reveal: None })
    }

    async fn verify(
        &self,
        omni: &Omni,
        job: &Job,
        _: Option<&str>,
        since: Timestamp,
    ) -> Result<Proof, ApiError> {
        let wish = match wish(omni, job) {
            Ok(wish) => wish,
            Err(why) => return Ok(Proof::Absent(why)),
        };
        let (client, name) = (omni.client()?, &wish.name);
        if client.get::<Cluster>(name).await?.is_none() {
            return Ok(Proof::Absent(format!("{name} does not exist")));
        }
        if let Some(missing) = unmade(client, &wish, job).await? {
            let says = format!("{name} is half made, without {missing}");
            let look = format!("finish it with --set resume=true, or vigie do omni.ephemeral-destroy {name}");
            let late = omni.clock.now().as_second() - since.as_second() >= LATE;
            return Ok(if late {
                Proof::Absent(format!("{says}; {look}"))
            } else {
                Proof::Unclear(says, look)
            });
        }
        let status = client.get::<ClusterStatus>(name).await?.map(|found| found.spec).unwrap_or_default();
        let text = format!(
            "{name} is {}, {} of {} machines healthy",
            phase(status.phase),
            status.machines.healthy,
            status.machines.requested
        );
        Ok(if status.ready {
            Proof::Seen(text)
        } else {
            Proof::Unclear(text, format!("vigie get omni.clusters {name}"))
        })
    }
}

/// The first part of a cluster that does not exist.
async fn unmade(client: &Client, wish: &Wish<'_>, job: &Job) -> Result<Option<String>, ApiError> {
    for (what, draft) in wish.template.resources(&labels(job)) {
        if edit::fetch_like(client, &draft).await?.is_none() {
            return Ok(Some(what));
        }
    }
    Ok(None)
}

/// What marks a cluster: how long it may live, and for whom.
fn labels(job: &Job) -> [(&'static str, &str); 2] {
    [(TTL, job.arg("ttl")), (OWNER, owner(job))]
}

fn owner(job: &Job) -> &str {
    let given = job.arg("owner").trim();
    if given.is_empty() { &job.operator } else { given }
}

/// One at a time, and none of the same name, unless a half-made one is to be finished.
async fn alone(client: &Client, wish: &Wish<'_>, job: &Job) -> Result<Fact, ApiError> {
    let (clusters, complete) = client.list::<Cluster>(&Route::omni()).await?;
    if !complete {
        return Ok((Decision::Blind, Evidence::new("clusters", "the list is incomplete", Tone::Unknown)));
    }
    let resumed = job.arg("resume") == "true";
    let others = clusters.iter().map(|cluster| &cluster.metadata.id).filter(|id| is_ours(wish.ephemeral, id));
    let others: Vec<&str> = others.map(|id| &**id).filter(|id| !(resumed && *id == wish.name)).collect();
    Ok(if others.is_empty() {
        allow("ephemeral clusters", "no other one")
    } else {
        refuse("ephemeral clusters", format!("one at a time; take down {} first", others.join(", ")))
    })
}

async fn version(client: &Client, template: &Template) -> Result<Fact, ApiError> {
    let (talos, kubernetes) = (template.talos(), template.kubernetes());
    let known = client.get::<TalosVersion>(talos).await?.map(|found| found.spec);
    Ok(match known {
        None => refuse("versions", format!("Omni does not know Talos {talos:?}")),
        Some(known) if known.unsupported => {
            refuse("versions", format!("Omni does not support Talos {talos} any more"))
        }
        Some(known) if !known.compatible_kubernetes_versions.iter().any(|version| version == kubernetes) => {
            refuse("versions", format!("Kubernetes {kubernetes:?} does not go with Talos {talos}"))
        }
        Some(_) => allow("versions", format!("Talos {talos} and Kubernetes {kubernetes} go together")),
    })
}

/// Every class is a configured one that makes machines, and its provider is there.
async fn classes(client: &Client, wish: &Wish<'_>) -> Result<Vec<Fact>, ApiError> {
    let mut facts = Vec::new();
    for (name, size) in wish.template.classes() {
        if !wish.ephemeral.classes.iter().any(|known| known == name) {
            facts.push(refuse("class", format!("{name} is not among the configured ephemeral classes")));
            continue;
        }
        let class = client.get::<MachineClass>(name).await?.map(|found| found.spec);
        let Some(provider) = class.as_ref().and_then(MachineClass::provider) else {
            facts.push(refuse("class", format!("{name} does not exist or makes no machines")));
            continue;
        };
        let health =
            client.get::<Provider>(provider).await?.map(|found| found.spec.health).unwrap_or_default();
        facts.push(if health.connected {
            allow("class", format!("{size} of {name}, made by {provider}, connected"))
        } else {
            let why = if health.error.is_empty() { "no heartbeat" } else { &health.error };
            refuse("provider", format!("{provider} is not connected: {why}"))
        });
    }
    Ok(facts)
}

/// Whether the nodes under the virtual machines have room.
async fn room(client: &Client, wish: &Wish<'_>) -> Fact {
    let Some(host) = &wish.ephemeral.host else {
        return (
            Decision::Allow,
            Evidence::new("room", "not looked at: no `host` is configured", Tone::Info),
        );
    };
    let looked = async {
        let machines = machines(client, &wish.template).await?;
        let nodes = headroom::nodes(client, host, wish.ephemeral.protect.as_deref()).await?;
        Ok::<_, ApiError>((machines, nodes))
    };
    match looked.await {
        Err(error) => (Decision::Blind, Evidence::new("room", error.to_string(), Tone::Unknown)),
        Ok((machines, nodes)) => match headroom::place(&nodes, &machines) {
            Err(why) => refuse("room", why),
            Ok(placed) => {
                let gib = |bytes: i64| bytes >> 30;
                let words = placed
                    .iter()
                    .map(|node| format!("{} {} of {} GiB", node.name, gib(node.asked), gib(node.memory)));
                allow("room", format!("then asked for: {}", words.collect::<Vec<_>>().join(", ")))
            }
        },
    }
}

/// The memory of each machine that the template asks for, in bytes.
async fn machines(client: &Client, template: &Template) -> Result<Vec<i64>, ApiError> {
    let mut all = Vec::new();
    for (name, size) in template.classes() {
        let class = client.get::<MachineClass>(name).await?.and_then(|found| found.spec.auto_provision);
        let data = class.map(|class| class.provider_data).unwrap_or_default();
        let data: Value = serde_saphyr::from_str(&data).unwrap_or_default();
        let mebibytes = data.get("memory").and_then(Value::as_i64).ok_or_else(|| {
            ApiError::unsupported(format!("class {name} does not say how much memory its machines have"))
        })?;
        all.extend(std::iter::repeat_n(mebibytes << 20, size as usize));
    }
    Ok(all)
}

async fn exists(client: &Client, draft: &edit::Draft) -> Result<bool, SendError> {
    let found = edit::fetch_like(client, draft).await;
    found.map(|found| found.is_some()).map_err(|error| SendError::NotSent(error.fault))
}

/// A creation that fails in the middle says what exists, and how to go on.
fn half_made(error: SendError, what: &str, made: &[String], name: &str) -> SendError {
    if made.is_empty() {
        return error;
    }
    let fault = error.fault().clone();
    let said = format!("{} exist, but {what} does not: {}", made.join(", "), fault.what);
    let cure = format!("finish it with resume=true, or take it down: vigie do omni.ephemeral-destroy {name}");
    let fault = Fault { what: said, hint: cure, ..fault };
    match error {
        SendError::Unknown(_) => SendError::Unknown(fault),
        _ => SendError::Failed(fault),
    }
}
