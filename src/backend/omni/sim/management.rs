//! The management service.

use std::convert::Infallible;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};

use super::answer::Refusal;
use super::request::Request;
use super::store::at;
use super::{Answer, Lab, infra};
use crate::backend::omni::wire::Role;

/// The longest life of a token, in seconds.
const LONGEST: i64 = 10 * 365 * 86_400;

/// Answers a call.
pub(super) fn answer(lab: &Lab, method: &str, request: &Request) -> Result<Answer, Refusal> {
    match method {
        "Kubeconfig" => kubeconfig(lab, request).map(Answer::Message),
        "Talosconfig" => {
            need(request, Role::Reader)?;
            let name = cluster(lab, request)?;
            let text = format!(
                "context: omni-{name}\ncontexts:\n  omni-{name}:\n    endpoints: [https://omni.lab.example]\n"
            );
            Ok(Answer::Message(json!({"talosconfig": STANDARD.encode(text)})))
        }
        "Reboot" | "MachinePowerOff" | "MachinePowerOn" => power(lab, method, request).map(Answer::Message),
        "KubernetesUpgradePreChecks" => {
            need(request, Role::Operator)?;
            cluster(lab, request)?;
            let reason = lab.world.get("omni-prechecks");
            let ok = reason.is_empty();
            Ok(Answer::Message(json!({"ok": ok, "reason": reason})))
        }
        "ValidateConfig" => {
            let config = request.text("config");
            match serde_saphyr::from_multiple::<Value>(config) {
                Ok(documents) if documents.iter().all(Value::is_object) && !documents.is_empty() => {
                    Ok(Answer::Message(json!({})))
                }
                Ok(_) => Err(Refusal::new(3, "failed to validate: the patch is no mapping")),
                Err(error) => Err(Refusal::new(3, format!("failed to validate: {error}"))),
            }
        }
        "GetSupportBundle" => support_bundle(lab, request),
        "MachineLogs" => machine_logs(lab, request),
        "ListUsers" => {
            need(request, Role::Admin)?;
            Ok(Answer::Message(infra::users(lab.now())))
        }
        "ListServiceAccounts" => {
            need(request, Role::Admin)?;
            Ok(Answer::Message(service_accounts(lab)))
        }
        "ReadAuditLog" => {
            if !matches!(request.account.role, Role::Auditor | Role::Admin) {
                return Err(Refusal::role(request.account.role));
            }
            Ok(lines(&infra::audit(lab.now())))
        }
        _ => Err(Refusal::new(12, format!("method {method} not implemented"))),
    }
}

/// Three steps and the archive; or steps without an end, or one and then silence.
fn support_bundle(lab: &Lab, request: &Request) -> Result<Answer, Refusal> {
    need(request, Role::Operator)?;
    let total = 3;
    let step = |n: u64| {
        json!({"result": {"progress": {"source": "omni", "state": "collecting", "total": total, "value": n}}})
            .to_string()
    };
    let bundle =
        json!({"result": {"bundle_data": STANDARD.encode(b"PK\x05\x06 a bundle of the lab")}}).to_string();
    let told = [step(1), step(2), step(3), bundle];
    Ok(match lab.world.get("omni-bundle").as_str() {
        "endless" => again_and_again(&told[0]),
        "silent" => open_end(&told[..1]),
        _ => lines(&told),
    })
}

fn power(lab: &Lab, method: &str, request: &Request) -> Result<Value, Refusal> {
    need(request, Role::Operator)?;
    let reboot = method == "Reboot";
    if reboot && request.runtime.as_deref() != Some("Talos") {
        return Err(Refusal::new(12, "unknown service machine.MachineService"));
    }
    let uuid =
        if reboot { request.node.clone().unwrap_or_default() } else { request.text("machine_id").to_owned() };
    let now = lab.world.clock.now();
    let mut inside = lab.inside();
    let machine = inside.machines.get_mut(&uuid);
    let machine = machine.ok_or_else(|| super::store::missing(&at("default", "MachineStatuses", &uuid)))?;
    if reboot && request.cluster.as_deref() != Some(machine.cluster.as_str()) {
        return Err(Refusal::new(5, format!("machine {uuid} is not in this cluster")));
    }
    if method == "MachinePowerOn" {
        if lab.world.get("omni-static") != "yes" {
            return Err(Refusal::new(9, "the machine is not managed by a static infra provider"));
        }
        machine.begin(super::life::start(), now);
        return Ok(json!({}));
    }
    if !machine.connected {
        return Ok(
            json!({"messages": [{"metadata": {"hostname": machine.name, "error": "connection refused"}}]}),
        );
    }
    machine.begin(if reboot { super::life::restart() } else { super::life::shutdown() }, now);
    // Seen by whoever asks next, however late.
    super::homelab::tick(&mut inside, &lab.world);
    Ok(if reboot {
        json!({"messages": [{"actor_id": "5b0a3f0e-6f3c-4a66-8f9b-0f6c2b8f2f10"}]})
    } else {
        json!({})
    })
}

/// A short boot's worth of kernel and service lines.
fn machine_logs(lab: &Lab, request: &Request) -> Result<Answer, Refusal> {
    need(request, Role::Reader)?;
    let uuid = request.text("machine_id").to_owned();
    let machine = lab.inside().machines.get(&uuid).cloned();
    let machine = machine.ok_or_else(|| Refusal::new(5, format!("no logs for machine {uuid}")))?;
    let words = [
        "[talos] service[machined](Running): Started",
        "[talos] service[apid](Running): Health check successful",
        "[talos] service[kubelet](Running): Health check successful",
        "[talos] node identity established",
    ];
    let told = words.iter().zip(0_i64..).map(|(text, number)| {
        let at = machine.since + jiff::SignedDuration::from_secs(number);
        let entry = json!({"clock": 1_149_714 + number, "facility": "user", "msg": text, "priority": "info", "seq": 800 + number,
            "talos-level": if number == 3 { "warn" } else { "info" }, "talos-time": at.to_string()});
        json!({"result": {"bytes": STANDARD.encode(entry.to_string())}}).to_string()
    });
    let told: Vec<String> = told.collect();
    let told = if request.number("tail_lines") == 0 { &told[..0] } else { &told[..] };
    let follows = request.field("follow") == &json!(true) && lab.world.get("omni-logs") != "cut";
    Ok(if follows { open_end(told) } else { lines(told) })
}

/// A stream that ends by itself.
fn lines(lines: &[String]) -> Answer {
    Answer::Stream(Body::from(lines.join("\n") + "\n"))
}

/// A stream that says this much and stays open.
fn open_end(told: &[String]) -> Answer {
    let first = if told.is_empty() { String::new() } else { told.join("\n") + "\n" };
    let first = stream::once(async move { Ok::<_, Infallible>(first) });
    Answer::Stream(Body::from_stream(first.chain(stream::pending())))
}

/// A stream that never comes to its point.
fn again_and_again(line: &str) -> Answer {
    let line = format!("{line}\n");
    let lines = stream::repeat(line).then(|line| async move {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        Ok::<_, Infallible>(line)
    });
    Answer::Stream(Body::from_stream(lines))
}

fn service_accounts(lab: &Lab) -> Value {
    let accounts = lab.accounts.iter().map(|(fingerprint, account)| {
        let key = json!({"id": fingerprint, "expiration": account.expires.to_string()});
        json!({"name": account.name, "role": account.role.to_string(), "pgp_public_keys": [key]})
    });
    json!({"service_accounts": accounts.collect::<Vec<_>>()})
}

fn need(request: &Request, role: Role) -> Result<(), Refusal> {
    if request.account.role >= role { Ok(()) } else { Err(Refusal::role(request.account.role)) }
}

/// The cluster that the header names.
fn cluster<'a>(lab: &Lab, request: &'a Request) -> Result<&'a str, Refusal> {
    let name = request.cluster.as_deref().ok_or_else(|| Refusal::new(3, "cluster name is required"))?;
    let address = at("default", "Clusters", name);
    if lab.inside().store.get(&address).is_none() {
        return Err(super::store::missing(&address));
    }
    Ok(name)
}

fn kubeconfig(lab: &Lab, request: &Request) -> Result<Value, Refusal> {
    let named = request.field("service_account") == &json!(true);
    if request.field("break_glass") == &json!(true) {
        need(request, Role::Admin)?;
        return Err(Refusal::new(9, "break-glass kubeconfigs are disabled"));
    }
    need(request, if named { Role::Operator } else { Role::Reader })?;
    let name = cluster(lab, request)?;
    let user = if named {
        let ttl =
            request.text("service_account_ttl").strip_suffix('s').and_then(|text| text.parse::<i64>().ok());
        if !ttl.is_some_and(|ttl| (1..=LONGEST).contains(&ttl)) {
            return Err(Refusal::new(3, "service account ttl must be between 1s and 10 years"));
        }
        if request.text("service_account_user").is_empty() {
            return Err(Refusal::new(3, "service account user name is required"));
        }
        json!({"token": format!("sim-token-{name}-{}", lab.now().as_second())})
    } else {
        json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "kubectl-oidc_login"}})
    };
    // JSON is YAML.
    let context = format!("omni-{name}");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": context,
        "clusters": [{"name": context, "cluster": {"server": "https://omni.lab.example:8095"}}],
        "users": [{"name": context, "user": user}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context, "namespace": "default"}}],
    });
    Ok(json!({"kubeconfig": STANDARD.encode(config.to_string())}))
}
