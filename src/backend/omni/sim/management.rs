//! The management service.

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
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
            Ok(lines(infra::audit(lab.now())))
        }
        _ => Err(Refusal::new(12, format!("method {method} not implemented"))),
    }
}

/// A stream that ends by itself.
fn lines(lines: Vec<String>) -> Answer {
    Answer::Stream(Body::from(lines.iter().map(|line| format!("{line}\n")).collect::<String>()))
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
