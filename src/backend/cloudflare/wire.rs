//! Cloudflare's JSON with its own names, API version 4; whatever has another type is absent.
#![allow(missing_docs, reason = "the fields are the server's own")]

use serde::Deserialize;

use crate::backend::lenient::{Flag, Int, List, Obj, Text, Words};

/// Around every answer; `success` counts, not only the status.
#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "T: for<'a> Deserialize<'a>"))]
pub struct Envelope<T> {
    #[serde(default)]
    pub success: Flag,
    #[serde(default)]
    pub errors: List<Problem>,
    pub result: Option<T>,
    #[serde(default)]
    pub result_info: Obj<Pages>,
}

/// One error.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Problem {
    pub code: Int,
    pub message: Text,
}

/// Where a page stands.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Pages {
    pub total_pages: Int,
}

/// `/user/tokens/verify`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Token {
    pub status: Text,
    pub expires_on: Text,
}

/// `/accounts/{id}/cfd_tunnel`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Tunnel {
    pub id: Text,
    pub name: Text,
    pub status: Text,
    pub conns_active_at: Text,
    pub conns_inactive_at: Text,
    pub created_at: Text,
    pub deleted_at: Text,
}

/// `/accounts/{id}/cfd_tunnel/{id}/connections`: one running cloudflared.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Connector {
    pub id: Text,
    pub version: Text,
    pub conns: List<Conn>,
}

/// One connection of it to a data centre.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Conn {
    pub colo_name: Text,
    pub is_pending_reconnect: Flag,
}

/// `/accounts/{id}/access/apps`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AccessApp {
    pub id: Text,
    pub name: Text,
    pub domain: Text,
    pub self_hosted_domains: Words,
    #[serde(rename = "type")]
    pub kind: Text,
    pub session_duration: Text,
    pub service_auth_401_redirect: Flag,
}

/// `/accounts/{id}/access/apps/{id}/policies`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Policy {
    pub name: Text,
    pub decision: Text,
}

/// `/accounts/{id}/access/service_tokens`; the secret is shown only when it is made.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ServiceToken {
    pub id: Text,
    pub name: Text,
    pub duration: Text,
    pub expires_at: Text,
    pub last_seen_at: Text,
}

/// `/zones`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Zone {
    pub id: Text,
    pub name: Text,
}

/// `/zones/{id}/dns_records`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Record {
    pub id: Text,
    pub name: Text,
    #[serde(rename = "type")]
    pub kind: Text,
    pub content: Text,
    pub proxied: Flag,
}
