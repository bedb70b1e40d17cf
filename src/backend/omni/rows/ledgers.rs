//! Lists that Omni only gives on request: etcd backups by cluster, accounts, and the audit log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use crate::backend::error::ApiError;
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::feed::Lens;
use crate::backend::omni::kinds::{ACCOUNTS, AUDIT, BACKUPS};
use crate::backend::omni::lenient::messages;
use crate::backend::omni::wire::{Cluster, EtcdBackup};
use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Health, Row, Tone};
use crate::model::snapshot::Snapshot;
use crate::model::time::{seconds_between, short};

/// The most audit lines that are kept.
const AUDIT_LINES: usize = 1000;
/// When the end of a key is near, in seconds.
const NEAR: i64 = 14 * 86_400;

messages! {
    /// `ListUsersResponse`.
    Users { users: Vec<User>, }

    /// One of its users.
    User { id: String, email: String, role: String, last_active: Option<Timestamp>, }

    /// `ListServiceAccountsResponse`.
    ServiceAccounts { service_accounts: Vec<ServiceAccount>, }

    /// One of its accounts.
    ServiceAccount { name: String, role: String, pgp_public_keys: Vec<PublicKey>, }

    /// One of an account's keys.
    PublicKey { id: String, expiration: Option<Timestamp>, }

    /// A line of the audit log, once unpacked.
    AuditEvent {
        event_type: String,
        resource_type: String,
        resource_id: String,
        event_ts: i64,
        event_data: AuditData,
    }

    /// Its data; only the session is of interest here.
    AuditData { session: Session, }

    /// Who did it.
    Session { email: String, role: String, user_agent: String, }
}

fn entity(kind: &'static str, lens: &Lens, key: &str, name: &str, health: Health, cells: Vec<Cell>) -> Row {
    let mut row = Row::new(EntityId::new(kind, lens.instance.clone(), key), name, cells);
    row.health = health;
    row.domain = lens.domain;
    row.identity = Identity::new().with("id", key);
    row
}

/// All etcd backups: the list must be asked for cluster by cluster.
pub(in crate::backend::omni) async fn backups(client: &Client, lens: &Lens) -> Result<Snapshot, ApiError> {
    let (clusters, mut complete) = client.list::<Cluster>(&Route::omni()).await?;
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for cluster in clusters {
        let name = &cluster.metadata.id;
        match client.list::<EtcdBackup>(&Route::selected(format!("omni.sidero.dev/cluster={name}"))).await {
            Ok((found, whole)) => {
                complete &= whole;
                rows.extend(found.iter().map(|backup| {
                    let id = &backup.metadata.id;
                    let cells = vec![
                        Cell::new(&**id),
                        Cell::new(&**name),
                        Cell::new(backup.spec.size),
                        Cell::new(backup.spec.created_at),
                    ];
                    entity(BACKUPS, lens, id, id, Health::Ok, cells)
                }));
            }
            Err(error) => {
                complete = false;
                notes.push(format!("no backups of {name}: {error}"));
            }
        }
    }
    Ok(Snapshot { rows, complete, observed_at: lens.now, notes })
}

/// Users and service accounts, with the ends of their keys; for administrators only.
pub(in crate::backend::omni) async fn accounts(client: &Client, lens: &Lens) -> Result<Snapshot, ApiError> {
    let ask = |method: &'static str| async move {
        let path = format!("/management.ManagementService/{method}");
        client.ask(&path, &Route::default(), json!({})).await.map_err(|error| needs(error, "Admin"))
    };
    let users: Users = ask("ListUsers").await?.json()?;
    let accounts: ServiceAccounts = ask("ListServiceAccounts").await?.json()?;
    let rows = users.users.iter().map(|user| user_row(user, lens));
    let rows =
        rows.chain(accounts.service_accounts.iter().map(|account| account_row(account, lens))).collect();
    Ok(Snapshot::complete(rows, lens.now))
}

/// Says which role a refused list takes.
fn needs(mut error: ApiError, role: &str) -> ApiError {
    if error.fault.missing.is_some() {
        error.fault.missing = Some(role.to_owned());
    }
    error
}

fn user_row(user: &User, lens: &Lens) -> Row {
    let cells = vec![
        Cell::new("user"),
        Cell::new(user.email.as_str()),
        Cell::new(user.role.as_str()),
        Cell::empty(),
        Cell::empty(),
        Cell::new(user.last_active),
    ];
    entity(ACCOUNTS, lens, &format!("user/{}", user.id), &user.email, Health::Ok, cells)
}

fn account_row(account: &ServiceAccount, lens: &Lens) -> Row {
    let ends = account.pgp_public_keys.iter().filter_map(|key| key.expiration).max();
    let left = ends.map(|end| seconds_between(lens.now, end));
    let health = match left {
        Some(left) if left <= NEAR => Health::Warning,
        _ => Health::Ok,
    };
    let keys = i64::try_from(account.pgp_public_keys.len()).unwrap_or(i64::MAX);
    let cells = vec![
        Cell::new("service"),
        Cell::new(account.name.as_str()),
        Cell::new(account.role.as_str()),
        Cell::new(keys),
        Cell::toned(ends, if health == Health::Ok { Tone::Text } else { Tone::Warn }),
        Cell::empty(),
    ];
    let mut row = entity(ACCOUNTS, lens, &format!("service/{}", account.name), &account.name, health, cells);
    row.note = left.filter(|left| *left <= NEAR).map(|left| {
        let text = if left <= 0 {
            "its last key has expired".into()
        } else {
            format!("its last key ends in {}", short(left))
        };
        Arc::from(text)
    });
    row
}

#[derive(Deserialize)]
struct AuditLine {
    #[serde(default)]
    result: AuditResult,
}

#[derive(Deserialize, Default)]
struct AuditResult {
    #[serde(default)]
    audit_log: String,
}

/// The audit log of today and yesterday, newest first; for auditors and administrators only.
pub(in crate::backend::omni) async fn audit(client: &Client, lens: &Lens) -> Result<Snapshot, ApiError> {
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let yesterday = lens.now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(lens.now);
    let body = json!({
        "start_time": day(yesterday), "end_time": day(lens.now), "order_by_field": 1, "order_by_dir": 2,
    });
    let method = "/management.ManagementService/ReadAuditLog";
    let quiet = Duration::from_secs(20);
    let opened = client.stream(method, &Route::default(), body, quiet).await;
    let mut stream = opened.map_err(|error| needs(error, "Auditor or Admin"))?;
    let mut rows = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut lost = 0_usize;
    let mut cut = false;
    while let Some(line) = stream.line().await? {
        if rows.len() == AUDIT_LINES {
            cut = true;
            break;
        }
        match event(&line) {
            Some(event) => rows.push(audit_row(&event, &mut seen, lens)),
            None if line.trim_ascii().is_empty() => {}
            None => lost += 1,
        }
    }
    let mut notes = Vec::new();
    if cut {
        notes.push(format!("only the newest {AUDIT_LINES} entries"));
    }
    if lost > 0 {
        notes.push(format!("{lost} entries cannot be read"));
    }
    Ok(Snapshot { rows, complete: !cut && lost == 0, observed_at: lens.now, notes })
}

fn event(line: &[u8]) -> Option<AuditEvent> {
    let line: AuditLine = serde_json::from_slice(line).ok()?;
    let bytes = STANDARD.decode(line.result.audit_log).ok().filter(|bytes| !bytes.is_empty())?;
    serde_json::from_slice(&bytes).ok()
}

fn audit_row(event: &AuditEvent, seen: &mut BTreeMap<String, usize>, lens: &Lens) -> Row {
    let kind = event.resource_type.trim_end_matches(".omni.sidero.dev");
    let base = format!("{}/{}/{kind}/{}", event.event_ts, event.event_type, event.resource_id);
    let count = seen.entry(base.clone()).or_default();
    *count += 1;
    let key = if *count == 1 { base } else { format!("{base}#{count}") };
    let cells = vec![
        Cell::new(Timestamp::from_millisecond(event.event_ts).ok()),
        Cell::new(event.event_type.as_str()),
        Cell::new(kind),
        Cell::new(event.resource_id.as_str()),
        Cell::new(event.event_data.session.email.as_str()),
        Cell::new(event.event_data.session.role.as_str()),
        Cell::new(event.event_data.session.user_agent.as_str()),
    ];
    entity(AUDIT, lens, &key, &event.resource_id, Health::Ok, cells)
}
