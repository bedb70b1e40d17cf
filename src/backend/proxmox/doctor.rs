//! From the outside in: can it be reached, is its certificate good, is the token accepted, what may it do.

use jiff::Timestamp;
use tokio::time::Instant;

use crate::backend::error::ApiError;
use crate::backend::{Diagnosis, Finding};
use crate::model::row::Tone;
use crate::model::snapshot::Layer;

use super::client::element;
use super::ops;
use super::wire::{Data, TokenInfo, Version};
use super::{Proxmox, rights::Permissions};

/// A certificate or token that ends sooner wants attention, in days.
const SOON: i64 = 30;
/// Clocks further apart than this make task times misleading, in seconds.
const SKEW: i64 = 30;

impl Proxmox {
    /// Looks at the instance layer by layer and stops at the first that fails.
    pub(super) async fn diagnose(&self) -> Diagnosis {
        let mut diagnosis = Diagnosis::default();
        let asked = Instant::now();
        let reply = match self.client.raw("/version").await {
            Ok(reply) => reply,
            Err(error) => {
                diagnosis.findings.push(failed(&error));
                return diagnosis;
            }
        };
        let now = self.clock.now();
        let took = asked.elapsed().as_millis();
        diagnosis.findings.push(Finding::new("reach", format!("answers in {took} ms"), Tone::Ok));
        if let Some(ends) = reply.certificate_ends {
            diagnosis.findings.push(until("certificate", ends, now));
            diagnosis.certificate_ends = Some(ends);
        }
        let auth = format!("{}!{} is accepted", self.owner.user, self.owner.token);
        diagnosis.findings.push(Finding::new("auth", auth, Tone::Ok));
        let version = reply.json::<Data<Version>>().map(|answer| answer.data.version.unwrap_or_default());
        diagnosis.findings.push(versioned(&version.unwrap_or_default()));
        if let Some(skew) =
            reply.date().map(|date| date.as_second() - now.as_second()).filter(|s| s.abs() > SKEW)
        {
            let says = format!(
                "the server's clock is {} s {}",
                skew.abs(),
                if skew > 0 { "ahead" } else { "behind" }
            );
            diagnosis.findings.push(Finding::new("clock", says, Tone::Warn));
        }
        match self.permissions().await {
            Ok(permissions) => Self::diagnose_rights(&permissions, &mut diagnosis),
            Err(error) => diagnosis.findings.push(Finding::new("rights", error.to_string(), Tone::Unknown)),
        }
        self.diagnose_token(now, &mut diagnosis).await;
        diagnosis
    }

    fn diagnose_rights(permissions: &Permissions, diagnosis: &mut Diagnosis) {
        if permissions.is_empty() {
            let says = "the token has no rights at all: one of its own (privsep) needs an ACL of its own, besides its \
                        user's";
            diagnosis.findings.push(Finding::new("rights", says, Tone::Error));
        }
        for (privilege, path, what) in SIGHT {
            if !permissions.allows_somewhere(path, privilege) {
                let says = format!("cannot see {what}: needs {privilege} on {path}");
                diagnosis.findings.push(Finding::new("rights", says, Tone::Warn));
            }
        }
        let missing = ops::missing(permissions);
        let can: Vec<String> = ops::all()
            .iter()
            .filter(|op| !missing.contains_key(op.name.as_ref()))
            .map(|op| op.name.trim_start_matches("proxmox.").to_owned())
            .collect();
        if !can.is_empty() {
            diagnosis.findings.push(Finding::new("rights", format!("can {}", can.join(", ")), Tone::Ok));
        }
        for (op, right) in &missing {
            let says = format!("cannot {}: needs {right}", op.trim_start_matches("proxmox."));
            diagnosis.findings.push(Finding::new("rights", says, Tone::Warn));
        }
        for (op, privilege, below, only) in PARTLY {
            if !missing.contains_key(&format!("proxmox.{op}"))
                && !permissions.allows_somewhere(below, privilege)
            {
                let says = format!("can {op} {only}: more needs {privilege} on {below}");
                diagnosis.findings.push(Finding::new("rights", says, Tone::Dim));
            }
        }
        diagnosis.rights = Some(crate::model::op::Rights { missing, unknown: Vec::new() });
    }

    async fn diagnose_token(&self, now: Timestamp, diagnosis: &mut Diagnosis) {
        let path =
            format!("/access/users/{}/token/{}", element(&self.owner.user), element(&self.owner.token));
        let finding = match self.client.get::<TokenInfo>(&path).await {
            Ok(info) => match info.expire.filter(|at| *at > 0).and_then(|at| Timestamp::from_second(at).ok())
            {
                Some(ends) => {
                    diagnosis.token_ends = Some(ends);
                    until("token", ends, now)
                }
                None => Finding::new("token", "does not expire", Tone::Ok),
            },
            Err(error) if error.fault.missing.is_some() || error.fault.status.is_some() => {
                Finding::new("token", "when it expires cannot be read with it", Tone::Dim)
            }
            Err(error) => Finding::new("token", error.to_string(), Tone::Unknown),
        };
        diagnosis.findings.push(finding);
    }
}

/// What each right lets one see, and where it is looked for.
const SIGHT: [(&str, &str, &str); 3] = [
    ("VM.Audit", "/vms", "guests"),
    ("Sys.Audit", "/nodes", "nodes' figures and the tasks of others"),
    ("Datastore.Audit|Datastore.AllocateSpace", "/storage", "storages"),
];

/// Operations that can be done in part without a further right: the right, where it is looked for, and the part.
const PARTLY: [(&str, &str, &str, &str); 2] = [
    ("suspend", "VM.Config.Disk", "/vms", "in memory only"),
    ("stop-task", "Sys.Modify", "/nodes", "for its own tasks only"),
];

/// The layer at which nothing more came back.
fn failed(error: &ApiError) -> Finding {
    let what = match error.fault.layer {
        Layer::Tls => "certificate",
        Layer::Auth => "auth",
        Layer::Config => "config",
        _ => "reach",
    };
    let hint = if error.fault.hint.is_empty() { String::new() } else { format!(": {}", error.fault.hint) };
    Finding::new(what, format!("{error}{hint}"), Tone::Error)
}

fn until(what: &'static str, ends: Timestamp, now: Timestamp) -> Finding {
    let days = (ends.as_second() - now.as_second()).div_euclid(86_400);
    match days {
        ..0 => Finding::new(what, format!("ended {} days ago", -days), Tone::Error),
        0..SOON => Finding::new(what, format!("ends in {days} days"), Tone::Warn),
        _ => Finding::new(what, format!("good for {days} days"), Tone::Ok),
    }
}

fn versioned(version: &str) -> Finding {
    let major: Option<u32> = version.split('.').next().and_then(|major| major.parse().ok());
    match major {
        Some(8 | 9) => Finding::new("version", format!("Proxmox VE {version}"), Tone::Ok),
        Some(_) => Finding::new("version", format!("Proxmox VE {version}: built for 8 and 9"), Tone::Warn),
        None => Finding::new("version", "the server does not tell its version", Tone::Warn),
    }
}
