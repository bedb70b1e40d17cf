//! What a server keeps about people and about itself: sessions, devices, tokens, events, flows and tasks.
#![allow(missing_docs, reason = "the fields are the server's own")]

use serde::Deserialize;
use serde_json::Value;

use crate::backend::lenient::{Flag, Int, List, Obj, Text, Words};

use super::{Flow, Named, UserRef};

/// A session of a browser, `/core/authenticated_sessions/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Login {
    pub uuid: Text,
    pub current: Flag,
    pub user: Int,
    pub last_ip: Text,
    pub last_user_agent: Text,
    pub user_agent: Obj<UserAgent>,
    pub geo_ip: Obj<GeoIp>,
    pub last_used: Text,
    pub expires: Text,
}

/// A browser as the server reads its own description.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct UserAgent {
    pub user_agent: Obj<Family>,
    pub os: Obj<Family>,
}

/// The name of a browser or of an operating system.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Family {
    pub family: Text,
}

/// Where an address is, as far as the server's database tells.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct GeoIp {
    pub country: Text,
    pub city: Text,
}

/// A token, `/core/tokens/`, which never holds its key.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Token {
    pub pk: Text,
    pub identifier: Text,
    pub intent: Text,
    pub user: Int,
    pub user_obj: Obj<TokenUser>,
    pub description: Text,
    pub expires: Text,
    pub expiring: Flag,
    pub managed: Text,
}

/// Whose a token is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TokenUser {
    pub username: Text,
    pub is_superuser: Flag,
    pub is_active: Flag,
}

/// A second factor or passkey in the list of its type; recovery codes are not read.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Device {
    pub pk: Int,
    pub name: Text,
    pub created_on: Text,
    pub device_type: Obj<DeviceType>,
    pub aaguid: Text,
    pub user: Obj<UserRef>,
}

/// The model of a passkey.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct DeviceType {
    pub description: Text,
}

/// A device in the list of one user, `/authenticators/admin/all/?user=`, which does not say whose it is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct OwnDevice {
    pub pk: Text,
    pub name: Text,
    #[serde(rename = "type")]
    pub kind: Text,
    pub confirmed: Flag,
    pub last_used: Text,
}

/// An event, `/events/events/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Event {
    pub pk: Text,
    pub user: Obj<UserRef>,
    pub action: Text,
    pub context: Value,
    pub client_ip: Text,
    pub created: Text,
}

/// An invitation stage, `/stages/invitation/stages/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct InvitationStage {
    pub name: Text,
    pub flow_set: List<Flow>,
    pub continue_flow_without_invitation: Flag,
}

/// A login stage, `/stages/user_login/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct LoginStage {
    pub name: Text,
    pub flow_set: List<Flow>,
    pub session_duration: Text,
}

/// A stage within a flow, `/flows/bindings/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct FlowStage {
    pub target: Text,
    pub stage_obj: Obj<Named>,
    pub order: Int,
}

/// A task, `/tasks/tasks/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Task {
    pub message_id: Text,
    pub actor_name: Text,
    pub uid: Text,
    pub aggregated_status: Text,
    pub state: Text,
    pub mtime: Text,
    pub description: Text,
    pub logs: List<TaskLog>,
    /// Until 2025.8 the lines were called so.
    pub messages: List<TaskLog>,
}

/// A line of a task.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TaskLog {
    pub log_level: Text,
    pub event: Text,
}

/// A worker, `/tasks/workers`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Worker {
    pub worker_id: Text,
    pub version: Text,
    pub version_matching: Flag,
}

/// A schedule, `/tasks/schedules/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TaskSchedule {
    pub id: Text,
    pub uid: Text,
    pub actor_name: Text,
    pub crontab: Text,
    pub paused: Flag,
    pub next_run: Text,
    pub last_task_status: Text,
    pub description: Text,
}

/// A blueprint, `/managed/blueprints/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Blueprint {
    pub pk: Text,
    pub name: Text,
    pub path: Text,
    pub status: Text,
    pub enabled: Flag,
    pub last_applied: Text,
}

/// A proxy provider, `/providers/proxy/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ProxyProvider {
    pub pk: Int,
    pub name: Text,
    pub mode: Text,
    pub external_host: Text,
    pub skip_path_regex: Text,
    pub access_token_validity: Text,
    pub assigned_application_slug: Text,
    pub outpost_set: Words,
}

/// `/admin/system/` without the request's own headers, which it echoes with the token in them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct System {
    pub http_host: Text,
    pub http_is_secure: Flag,
    pub server_time: Text,
}

/// What a recovery link's request answers; the link logs in as the user.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Recovery {
    pub link: Text,
}

/// `/admin/settings/` of the tenant: what decides who gets in.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Tenant {
    pub flags: Obj<TenantFlags>,
}

/// The switches of a tenant, from 2026.5.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TenantFlags {
    /// Whether an application without a binding lets everybody in.
    pub core_default_app_access: Flag,
}
