//! Looks at one Omni from the outside in: reach, certificate, clock, account, role, version, expiry.

use std::time::Instant;

use jiff::Timestamp;
use serde_json::json;

use super::Omni;
use super::client::{Client, Route};
use super::key::ServiceKey;
use super::ops;
use super::refusal::SKEW;
use super::wire::{CurrentUser, Role, SysVersion};
use crate::backend::error::ApiError;
use crate::backend::http::Reply;
use crate::backend::{Diagnosis, Finding};
use crate::model::row::Tone;
use crate::model::time::{seconds_between, short};

/// The API number that the calls here were written for (Omni 1.10).
const API: i64 = 2;
/// When a key's or certificate's end is near, in seconds.
const NEAR: i64 = 14 * 86_400;

/// All findings.
pub(super) async fn diagnose(omni: &Omni) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    match omni.client() {
        Ok(client) => layers(omni, client, &mut diagnosis).await,
        Err(error) => diagnosis.findings.push(failed("config", &error)),
    }
    diagnosis
}

fn failed(what: &'static str, error: &ApiError) -> Finding {
    let hint = &error.fault.hint;
    let says = if hint.is_empty() { error.to_string() } else { format!("{error}; {hint}") };
    Finding::new(what, says, Tone::Error)
}

async fn layers(omni: &Omni, client: &Client, diagnosis: &mut Diagnosis) {
    let started = Instant::now();
    let body = json!({"namespace": "virtual", "type": "CurrentUsers.omni.sidero.dev", "id": "current"});
    let method = "/omni.resources.ResourceService/Get";
    let reply = match client.exchange(client.reader(), method, &Route::omni(), body).await {
        Ok(reply) => reply,
        Err(error) => return diagnosis.findings.push(failed("reach", &error)),
    };
    let latency = format!("answers in {} ms", started.elapsed().as_millis());
    diagnosis.findings.push(Finding::new("reach", latency, Tone::Ok));
    let now = omni.clock.now();
    certificate(&reply, now, diagnosis);
    clock(&reply, now, diagnosis);
    account(omni, client.reader(), "key", diagnosis).await;
    if client.writer().fingerprint != client.reader().fingerprint {
        account(omni, client.writer(), "operator_key", diagnosis).await;
    }
    version(client, diagnosis).await;
    expiry(client, now, diagnosis);
    // Whoever calls the doctor wants to know of both keys, before they are needed.
    diagnosis.rights = ops::rights(omni, client.writer()).await.ok();
}

fn certificate(reply: &Reply, now: Timestamp, diagnosis: &mut Diagnosis) {
    let Some(end) = reply.certificate_ends else { return };
    diagnosis.certificate_ends = Some(end);
    diagnosis.findings.push(ends("certificate", "the certificate", end, now));
}

fn ends(what: &'static str, subject: &str, end: Timestamp, now: Timestamp) -> Finding {
    match seconds_between(now, end) {
        left if left <= 0 => {
            Finding::new(what, format!("{subject} expired {} ago", short(left)), Tone::Error)
        }
        left if left < NEAR => Finding::new(what, format!("{subject} ends in {}", short(left)), Tone::Warn),
        left => Finding::new(what, format!("{subject} ends in {}", short(left)), Tone::Ok),
    }
}

fn clock(reply: &Reply, now: Timestamp, diagnosis: &mut Diagnosis) {
    let Some(server) = reply.date() else { return };
    let off = seconds_between(server, now);
    let tone = match off.abs() {
        far if far > SKEW => Tone::Error,
        far if far > SKEW / 5 => Tone::Warn,
        _ => Tone::Ok,
    };
    let says = format!("the clocks differ by {} s; Omni allows {SKEW}", off.abs());
    diagnosis.findings.push(Finding::new("clock", says, tone));
}

async fn account(omni: &Omni, key: &ServiceKey, setting: &'static str, diagnosis: &mut Diagnosis) {
    let user = match omni.client() {
        Ok(client) => client.get_as::<CurrentUser>("current", key).await,
        Err(error) => Err(error),
    };
    match user {
        Ok(Some(user)) => {
            let role = Role::named(&user.spec.role);
            let tone = if role < Role::Reader { Tone::Error } else { Tone::Ok };
            diagnosis.findings.push(Finding::new("auth", format!("{setting}: {} is {role}", key.name), tone));
        }
        Ok(None) => {
            let says = format!("{setting}: Omni does not say who {} is", key.name);
            diagnosis.findings.push(Finding::new("auth", says, Tone::Unknown));
        }
        Err(error) => diagnosis.findings.push(failed("auth", &error)),
    }
}

async fn version(client: &Client, diagnosis: &mut Diagnosis) {
    let finding = match client.get::<SysVersion>("current").await {
        Ok(Some(found)) => {
            let spec = found.spec;
            let same = spec.backend_api_version == API;
            let other = if same {
                String::new()
            } else {
                format!(", API {} where {API} is known", spec.backend_api_version)
            };
            let tone = if same { Tone::Ok } else { Tone::Warn };
            Finding::new("version", format!("Omni {}{other}", spec.backend_version), tone)
        }
        Ok(None) => Finding::new("version", "Omni does not tell its version", Tone::Warn),
        // Without an account there is no version either; that has been said already.
        Err(_) => return,
    };
    diagnosis.findings.push(finding);
}

fn expiry(client: &Client, now: Timestamp, diagnosis: &mut Diagnosis) {
    let mut keys = vec![client.reader()];
    if client.writer().fingerprint != client.reader().fingerprint {
        keys.push(client.writer());
    }
    for key in keys {
        let Some(end) = key.expires else { continue };
        diagnosis.findings.push(ends("token", &format!("the key of {}", key.name), end, now));
        diagnosis.token_ends = diagnosis.token_ends.map_or(Some(end), |known| Some(known.min(end)));
    }
}
