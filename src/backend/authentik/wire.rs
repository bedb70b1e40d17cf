//! Authentik's JSON with its own names, releases 2025.8 to 2026.8; whatever has another type is absent.
#![allow(missing_docs, reason = "the fields are the server's own")]

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::backend::lenient::{Flag, Int, List, Maybe, Obj, Text, Words};

mod ledger;

pub use ledger::{
    Blueprint, Device, Event, FlowStage, InvitationStage, Login, LoginStage, OwnDevice, ProxyProvider,
    Recovery, System, Task, TaskSchedule, Tenant, Token, Worker,
};

/// One page of a list; a body without `results` is no list.
#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "T: for<'a> Deserialize<'a>"))]
pub struct Page<T> {
    #[serde(default)]
    pub pagination: Obj<Pagination>,
    /// Its rows; what is no object is none.
    pub results: Vec<Maybe<T>>,
}

/// Where a page stands; numbers of pages, 0 where there is none.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Pagination {
    pub next: Int,
    pub count: Int,
    pub total_pages: Int,
}

/// A user, `/core/users/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct User {
    pub pk: Int,
    pub username: Text,
    pub name: Text,
    pub is_active: Flag,
    pub last_login: Text,
    pub date_joined: Text,
    pub is_superuser: Flag,
    pub groups: Option<Words>,
    pub groups_obj: List<GroupRef>,
    pub email: Text,
    pub attributes: Value,
    pub path: Text,
    #[serde(rename = "type")]
    pub kind: Text,
    pub uuid: Text,
}

/// A group inside another object.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct GroupRef {
    pub pk: Text,
    pub name: Text,
    pub is_superuser: Flag,
}

/// A user inside another object.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct UserRef {
    pub pk: Int,
    pub username: Text,
}

/// A group, `/core/groups/`; `parent` until 2025.10, `parents` from 2025.12.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Group {
    pub pk: Text,
    pub name: Text,
    pub is_superuser: Flag,
    pub parent: Text,
    pub parents: Words,
    pub users: Option<Words>,
    pub roles: Words,
}

/// An invitation, `/stages/invitation/invitations/`; its `pk` is the secret of its link.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Invitation {
    pub pk: Text,
    pub name: Text,
    pub expires: Text,
    pub fixed_data: Value,
    pub created_by: Obj<UserRef>,
    pub single_use: Flag,
    pub flow: Text,
    pub flow_obj: Obj<Flow>,
}

/// A flow, `/flows/instances/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Flow {
    pub pk: Text,
    pub policybindingmodel_ptr_id: Text,
    pub slug: Text,
    pub name: Text,
    pub designation: Text,
    pub policies: Words,
}

/// An application, `/core/applications/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Application {
    pub pk: Text,
    pub pbm_uuid: Text,
    pub name: Text,
    pub slug: Text,
    pub provider: Int,
    pub provider_obj: Maybe<ProviderRef>,
    pub launch_url: Text,
    pub meta_launch_url: Text,
    pub policy_engine_mode: Text,
    pub group: Text,
    pub meta_hide: Flag,
}

/// A provider inside another object.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ProviderRef {
    pub name: Text,
    pub verbose_name: Text,
}

/// A provider, `/providers/all/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Provider {
    pub pk: Int,
    pub name: Text,
    pub assigned_application_slug: Text,
}

/// A policy binding, `/policies/bindings/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Binding {
    pub pk: Text,
    pub policy: Text,
    pub group: Text,
    pub user: Int,
    pub policy_obj: Obj<Named>,
    pub group_obj: Obj<Named>,
    pub user_obj: Obj<UserRef>,
    pub target: Text,
    pub negate: Flag,
    pub enabled: Flag,
    pub order: Int,
}

/// A name inside another object.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Named {
    pub name: Text,
}

/// An outpost, `/outposts/instances/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Outpost {
    pub pk: Text,
    pub name: Text,
    #[serde(rename = "type")]
    pub kind: Text,
    pub providers: Words,
    pub providers_obj: List<OutpostProvider>,
    pub config: Obj<OutpostConfig>,
    pub managed: Text,
}

/// A provider that an outpost serves.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct OutpostProvider {
    pub name: Text,
    pub assigned_application_slug: Text,
}

/// The part of an outpost's configuration that counts here.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct OutpostConfig {
    pub authentik_host: Text,
    pub kubernetes_replicas: Int,
}

/// One connected instance of an outpost, `/outposts/instances/{uuid}/health/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct OutpostHealth {
    pub last_seen: Text,
    pub version: Text,
    pub version_should: Text,
    pub version_outdated: Flag,
    pub hostname: Text,
}

/// `/admin/version/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Version {
    #[serde(rename = "version_current")]
    pub current: Text,
    #[serde(rename = "version_latest")]
    pub latest: Text,
    #[serde(rename = "version_latest_valid")]
    pub latest_valid: Flag,
    pub outdated: Flag,
    pub outpost_outdated: Flag,
}

/// `/core/users/me/`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Session {
    pub user: Obj<Me>,
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Me {
    pub pk: Int,
    pub username: Text,
    pub is_superuser: Flag,
    pub system_permissions: Words,
}

impl Group {
    /// The groups above it, whichever release wrote them.
    pub fn above(&self) -> impl Iterator<Item = &str> {
        self.parents.iter().chain(self.parent.some())
    }

    /// The numbers of its direct members; absent where the server does not tell.
    pub fn members(&self) -> Option<Vec<i64>> {
        Some(self.users.as_ref()?.iter().filter_map(|pk| pk.parse().ok()).collect())
    }
}

impl Invitation {
    /// When it ends; never where there is nothing.
    pub fn ends(&self) -> Option<Timestamp> {
        self.expires.time()
    }
}
