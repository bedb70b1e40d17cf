//! `vigie doctor` for an Argo CD: its resources first, then its REST API where one is configured.

use std::time::Instant;

use jiff::Timestamp;

use crate::backend::error::ApiError;
use crate::backend::kubernetes::doctor::{ending, failed, version};
use crate::backend::kubernetes::rights;
use crate::backend::{Diagnosis, Finding};
use crate::model::row::Tone;

use super::{APPLICATIONS, Argo};

/// The findings in the order of the layers.
pub async fn examine(argo: &Argo, now: Timestamp) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    let began = Instant::now();
    match version(&argo.cluster).await {
        Ok(version) => {
            let says = format!(
                "Kubernetes {version} of {} answers in {} ms",
                argo.settings.kubernetes,
                began.elapsed().as_millis()
            );
            diagnosis.findings.push(Finding::new("reach", says, Tone::Ok));
            diagnosis.findings.push(applications(argo).await);
            diagnosis.findings.push(rights(argo, &mut diagnosis.rights).await);
        }
        Err(error) => diagnosis.findings.push(failed("reach", &error)),
    }
    if argo.rest.is_some() {
        rest(argo, now, &mut diagnosis).await;
    }
    diagnosis
}

/// Whether Argo CD is there at all.
async fn applications(argo: &Argo) -> Finding {
    let path = format!("{}?limit=1", APPLICATIONS.list(Some(&argo.settings.namespace)));
    match argo.cluster.get(&path).await {
        Ok(_) => {
            Finding::new("applications", format!("can be read in {}", argo.settings.namespace), Tone::Ok)
        }
        Err(error) if error.fault.status == Some(404) => {
            Finding::new("applications", "Argo CD's resources are not installed in this cluster", Tone::Error)
        }
        Err(error) => failed("applications", &error),
    }
}

async fn rights(argo: &Argo, known: &mut Option<crate::model::op::Rights>) -> Finding {
    match rights::of(&argo.cluster, &argo.wanted()).await {
        Ok(rights) if rights.missing.is_empty() => {
            *known = Some(rights);
            Finding::new("rights", "may refresh and sync applications", Tone::Ok)
        }
        Ok(rights) => {
            let says = format!("may not {}; its operations are off", super::kinds::PATCH);
            *known = Some(rights);
            Finding::new("rights", says, Tone::Warn)
        }
        Err(error) => failed("rights", &error),
    }
}

async fn rest(argo: &Argo, now: Timestamp, diagnosis: &mut Diagnosis) {
    let Some(rest) = &argo.rest else { return };
    let began = Instant::now();
    match rest.version().await {
        Ok((version, reply)) => {
            let took = began.elapsed().as_millis();
            let says = format!("argocd-server {} answers in {took} ms", version.version.as_str());
            diagnosis.findings.push(Finding::new("rest", says, Tone::Ok));
            diagnosis.certificate_ends = reply.certificate_ends;
            diagnosis.findings.extend(ending("certificate", reply.certificate_ends, now));
        }
        Err(error) => {
            diagnosis.findings.push(failed("rest", &error));
            return;
        }
    }
    diagnosis.token_ends = rest.token_ends().await;
    diagnosis.findings.extend(ending("token", diagnosis.token_ends, now));
    diagnosis.findings.push(who(rest.userinfo().await));
}

fn who(info: Result<super::rest::UserInfo, ApiError>) -> Finding {
    match info {
        Ok(info) if info.logged_in.is_true() => {
            Finding::new("rest auth", format!("we are {}", info.username.as_str()), Tone::Ok)
        }
        Ok(_) => Finding::new("rest auth", "the token is not accepted", Tone::Error),
        Err(error) => failed("rest auth", &error),
    }
}
