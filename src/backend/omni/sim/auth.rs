//! Who calls: the server's checks of a signed call, in its order, all with the same answer.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use ed25519_dalek::VerifyingKey;
use jiff::Timestamp;
use serde::Deserialize;

use super::answer::Refusal;
use super::pgp::verifies;
use crate::backend::omni::packet::decode;
use crate::backend::omni::refusal::SKEW;
use crate::backend::omni::wire::Role;

/// The metadata keys that count as signed.
const SIGNED: [&str; 9] = [
    "x-sidero-timestamp",
    "runtime",
    "cluster",
    "context",
    "namespace",
    "nodes",
    "selectors",
    "uid",
    "authorization",
];

/// A registered public key and the account that it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// Its short name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// The public half.
    pub key: VerifyingKey,
    /// When the key ends.
    pub expires: Timestamp,
    /// Whether its user still exists.
    pub exists: bool,
}

impl Account {
    /// The full identity.
    pub(super) fn identity(&self) -> String {
        format!("{}@serviceaccount.omni.sidero.dev", self.name)
    }
}

#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    headers: BTreeMap<String, Option<Vec<String>>>,
    #[serde(default)]
    method: String,
}

/// The values of a metadata key: `Grpc-Metadata-KEY`, and `Authorization` as it is.
pub(super) fn metadata(headers: &HeaderMap, key: &str) -> Option<Vec<String>> {
    let name = if key == "authorization" { key.to_owned() } else { format!("grpc-metadata-{key}") };
    let values: Vec<String> =
        headers.get_all(name).iter().filter_map(|value| Some(value.to_str().ok()?.to_owned())).collect();
    (!values.is_empty()).then_some(values)
}

/// The account behind a call.
pub(super) fn authenticate(
    accounts: &BTreeMap<String, Account>,
    headers: &HeaderMap,
    method: &str,
    now: Timestamp,
) -> Result<Account, Refusal> {
    signed(accounts, headers, method, now).ok_or_else(Refusal::invalid_signature)
}

fn signed(
    accounts: &BTreeMap<String, Account>,
    headers: &HeaderMap,
    method: &str,
    now: Timestamp,
) -> Option<Account> {
    let one = |key: &str| metadata(headers, key)?.into_iter().next();
    let (timestamp, payload) = (one("x-sidero-timestamp")?, one("x-sidero-payload")?);
    let signature = one("x-sidero-signature")?;
    let fields: Vec<&str> = signature.split(' ').collect();
    let ["siderov1", _identity, fingerprint, packet] = fields.as_slice() else { return None };
    let account = accounts.get(*fingerprint)?;
    if account.expires <= now || !account.exists {
        return None;
    }
    let seconds: i64 = timestamp.parse().ok()?;
    if (seconds - now.as_second()).abs() > SKEW {
        return None;
    }
    let claimed: Payload = serde_json::from_str(&payload).ok()?;
    let same = |key: &&str| claimed.headers.get(*key).cloned().flatten() == metadata(headers, key);
    if claimed.method != method || !SIGNED.iter().all(same) {
        return None;
    }
    let packet = decode(packet)?;
    verifies(&account.key, &packet, payload.as_bytes(), now.as_second() + SKEW).then(|| account.clone())
}

#[cfg(test)]
mod tests;
