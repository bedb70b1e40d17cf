//! A call as the gateway takes it: known outer fields only, in either spelling.

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use super::answer::Refusal;
use super::auth::{Account, metadata};

/// A call that has passed the gateway and the signature.
pub(super) struct Request {
    /// Who calls.
    pub account: Account,
    /// `runtime`.
    pub runtime: Option<String>,
    /// `cluster`, else `context`.
    pub cluster: Option<String>,
    /// `node`.
    pub node: Option<String>,
    /// `selectors`.
    pub selectors: Vec<String>,
    body: Map<String, Value>,
}

impl Request {
    /// Takes the routing headers.
    pub(super) fn new(account: Account, headers: &HeaderMap, body: Map<String, Value>) -> Self {
        let one = |key: &str| metadata(headers, key).and_then(|values| values.into_iter().next());
        Self {
            account,
            runtime: one("runtime"),
            cluster: one("cluster").or_else(|| one("context")),
            node: one("node"),
            selectors: metadata(headers, "selectors").unwrap_or_default(),
            body,
        }
    }

    /// A field by its proto name.
    pub(super) fn field(&self, name: &str) -> &Value {
        self.body.get(name).unwrap_or(&Value::Null)
    }

    /// A text field; empty where it is missing.
    pub(super) fn text(&self, name: &str) -> &str {
        self.field(name).as_str().unwrap_or_default()
    }

    /// A number, which may come as a string; 0 where it is missing.
    pub(super) fn number(&self, name: &str) -> u64 {
        let field = self.field(name);
        field.as_u64().or_else(|| field.as_str()?.parse().ok()).unwrap_or_default()
    }
}

/// The known outer fields of a method, in proto names; `None` for a path that does not exist.
pub(super) fn fields(method: &str) -> Option<&'static [&'static str]> {
    Some(match method {
        "/omni.resources.ResourceService/Get"
        | "/omni.resources.ResourceService/Delete"
        | "/omni.resources.ResourceService/Teardown" => &["namespace", "type", "id"],
        "/omni.resources.ResourceService/List" => {
            &["namespace", "type", "offset", "limit", "sort_by_field", "sort_descending", "search_for"]
        }
        "/omni.resources.ResourceService/Watch" => &[
            "namespace",
            "type",
            "id",
            "tail_events",
            "offset",
            "limit",
            "sort_by_field",
            "sort_descending",
            "search_for",
        ],
        "/omni.resources.ResourceService/Create" => &["resource"],
        "/omni.resources.ResourceService/Update" => &["resource", "current_version"],
        "/management.ManagementService/Kubeconfig" => &[
            "service_account",
            "service_account_ttl",
            "service_account_user",
            "service_account_groups",
            "grant_type",
            "break_glass",
        ],
        "/management.ManagementService/Talosconfig" => &["raw", "break_glass"],
        "/management.ManagementService/MachinePowerOff" | "/management.ManagementService/MachinePowerOn" => {
            &["machine_id"]
        }
        "/management.ManagementService/KubernetesUpgradePreChecks" => &["new_version"],
        "/management.ManagementService/ValidateConfig" => &["config"],
        "/management.ManagementService/GetSupportBundle" => &["cluster", "encrypt"],
        "/management.ManagementService/MachineLogs" => &["machine_id", "follow", "tail_lines"],
        "/machine.MachineService/Reboot" => &["mode"],
        "/management.ManagementService/ListUsers" | "/management.ManagementService/ListServiceAccounts" => {
            &[]
        }
        "/management.ManagementService/ReadAuditLog" => &[
            "start_time",
            "end_time",
            "order_by_field",
            "order_by_dir",
            "search",
            "event_type",
            "resource_type",
            "resource_id",
            "cluster_id",
            "actor",
            "follow",
        ],
        _ => return None,
    })
}

/// The body of a call; an unknown outer field is refused.
pub(super) fn body(bytes: &[u8], known: &[&str]) -> Result<Map<String, Value>, Refusal> {
    let value: Value = if bytes.is_empty() {
        Value::Object(Map::new())
    } else {
        serde_json::from_slice(bytes).map_err(|error| Refusal::new(3, format!("syntax error: {error}")))?
    };
    let Value::Object(fields) = value else {
        return Err(Refusal::new(3, "proto: syntax error: unexpected token"));
    };
    let mut body = Map::new();
    for (name, value) in fields {
        let proto = known.iter().find(|known| **known == name || camel(known) == name);
        let proto = proto.ok_or_else(|| Refusal::new(3, format!("proto: unknown field \"{name}\"")))?;
        body.insert((*proto).to_owned(), value);
    }
    Ok(body)
}

/// `current_version` as `currentVersion`.
fn camel(proto: &str) -> String {
    let mut upper = false;
    proto.chars().fold(String::new(), |mut text, c| {
        match (c, std::mem::take(&mut upper)) {
            ('_', _) => upper = true,
            (c, true) => text.push(c.to_ascii_uppercase()),
            (c, false) => text.push(c),
        }
        text
    })
}
