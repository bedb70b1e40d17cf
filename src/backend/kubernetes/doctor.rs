//! `vigie doctor` for a cluster, from the outside in: reach, certificate, who we are, version, what may be read.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;

use crate::backend::error::ApiError;
use crate::backend::lenient::Text;
use crate::backend::{Diagnosis, Finding, tls};
use crate::model::row::Tone;
use crate::model::time::{seconds_between, short};

use super::access::Access;
use super::client::Cluster;
use super::resource::{EVENTS, NODES, PODS, Resource};
use super::rights::{self, Right};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Version {
    git_version: Text,
}

/// The findings in the order of the layers; the first that stops everything is the last.
pub async fn examine(cluster: &Cluster, now: Timestamp) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    let access = match cluster.access().await {
        Ok(access) => access,
        Err(error) => {
            diagnosis.findings.push(failed("config", &error));
            return diagnosis;
        }
    };
    let context = format!("context {} at {}", access.context, access.url);
    diagnosis.findings.push(Finding::new("config", context, Tone::Ok));
    diagnosis.certificate_ends = certificate_ends(&access, cluster.settings().timeout).await;
    diagnosis.token_ends = access.ends;
    let began = Instant::now();
    let version = version(cluster).await;
    match &version {
        Ok(version) => {
            let reach = format!("{version} answers in {} ms", began.elapsed().as_millis());
            diagnosis.findings.push(Finding::new("reach", reach, Tone::Ok));
        }
        Err(error) => diagnosis.findings.push(failed("reach", error)),
    }
    diagnosis.findings.extend(ending("certificate", diagnosis.certificate_ends, now));
    diagnosis.findings.extend(ending("token", diagnosis.token_ends, now));
    if version.is_ok() {
        diagnosis.findings.push(who(cluster).await);
        diagnosis.findings.extend(readable(cluster).await);
        diagnosis.rights = rights::of(cluster, &super::ops::rights()).await.ok();
    }
    diagnosis
}

/// The server's version (`GET /version`).
pub async fn version(cluster: &Cluster) -> Result<String, ApiError> {
    Ok(cluster.get("/version").await?.json::<Version>()?.git_version.as_str().to_owned())
}

async fn who(cluster: &Cluster) -> Finding {
    match rights::whoami(cluster).await {
        Ok(name) => Finding::new("auth", format!("we are {name}"), Tone::Ok),
        // Older servers do not tell; that they answered at all shows that the credential is taken.
        Err(error) if error.fault.status == Some(404) => {
            Finding::new("auth", "the server does not tell who we are", Tone::Dim)
        }
        Err(error) => failed("auth", &error),
    }
}

async fn readable(cluster: &Cluster) -> Vec<Finding> {
    let mut findings = Vec::new();
    let read: [&Resource; 3] = [&NODES, &PODS, &EVENTS];
    for resource in read {
        let right = Right { verb: "list", resource, subresource: "", namespace: None };
        match rights::has(cluster, &right).await {
            Ok(true) => {}
            Ok(false) => {
                findings.push(Finding::new("rights", format!("may not {}", right.name()), Tone::Error));
            }
            Err(error) => findings.push(failed("rights", &error)),
        }
    }
    if findings.is_empty() {
        findings.push(Finding::new("rights", "may list nodes, pods and events", Tone::Ok));
    }
    findings
}

/// A fault as a finding.
pub fn failed(what: &'static str, error: &ApiError) -> Finding {
    let hint = if error.fault.hint.is_empty() { String::new() } else { format!("; {}", error.fault.hint) };
    Finding::new(what, format!("{error}{hint}"), Tone::Error)
}

/// How long something is still good.
pub fn ending(what: &'static str, ends: Option<Timestamp>, now: Timestamp) -> Option<Finding> {
    let left = seconds_between(now, ends?);
    let (says, tone) = match left {
        left if left <= 0 => (format!("ended {} ago", short(left)), Tone::Error),
        left if left < 14 * 86_400 => (format!("ends in {}", short(left)), Tone::Warn),
        left => (format!("good for {}", short(left)), Tone::Ok),
    };
    Some(Finding::new(what, says, tone))
}

/// When the server's certificate ends: kube does not show it, so one request of our own looks at it.
async fn certificate_ends(access: &Access, timeout: Duration) -> Option<Timestamp> {
    let mut builder = reqwest::Client::builder().tls_info(true).timeout(timeout).no_proxy();
    if let Some(authorities) = &access.authorities {
        let mut store = RootCertStore::empty();
        for der in authorities {
            store.add(CertificateDer::from(der.clone())).ok()?;
        }
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .ok()?
            .with_root_certificates(store)
            .with_no_client_auth();
        builder = builder.tls_backend_preconfigured(config);
    }
    let response = builder.build().ok()?.get(format!("{}/version", access.url)).send().await.ok()?;
    let info = response.extensions().get::<reqwest::tls::TlsInfo>()?;
    tls::not_after(info.peer_certificate()?)
}
