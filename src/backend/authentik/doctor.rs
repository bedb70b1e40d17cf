//! `vigie doctor`: from the socket to the token, one finding a layer.

use std::time::Instant;

use jiff::Timestamp;

use crate::backend::error::ApiError;
use crate::backend::{Diagnosis, Finding};
use crate::model::row::Tone;
use crate::model::time::{seconds_between, short};

use super::Authentik;
use super::client::Ask;
use super::wire::{Me, Token, Version};

/// A clock that differs by more than this makes expiries wrong, in seconds.
const SKEW: i64 = 30;
/// A token that ends sooner than this wants attention, in seconds.
const SOON: i64 = 14 * 86_400;

impl Authentik {
    /// Looks at the server from the outside in; stops where nothing further can be learnt.
    pub(super) async fn diagnose(&self) -> Diagnosis {
        let mut diagnosis = Diagnosis::default();
        let found = self.layers(&mut diagnosis).await;
        if let Err((what, error)) = found {
            let hint =
                if error.fault.hint.is_empty() { String::new() } else { format!("; {}", error.fault.hint) };
            diagnosis.findings.push(Finding::new(what, format!("{error}{hint}"), Tone::Error));
        }
        diagnosis
    }

    async fn layers(&self, diagnosis: &mut Diagnosis) -> Result<(), (&'static str, ApiError)> {
        self.reach(diagnosis).await.map_err(|error| ("reach", error))?;
        let me = self.me().await.map_err(|error| ("auth", error))?;
        diagnosis.findings.push(who(&me));
        let version = self.version().await.map_err(|error| ("version", error))?;
        diagnosis.findings.push(judge_version(&version));
        let rights = self.read_rights().await.map_err(|error| ("rights", error))?;
        for (op, right) in &rights.missing {
            diagnosis.findings.push(Finding::new("rights", format!("{op} needs {right}"), Tone::Warn));
        }
        if rights.missing.is_empty() {
            let says = if rights.unknown.is_empty() { "everything" } else { "all lists can be read" };
            diagnosis.findings.push(Finding::new("rights", says, Tone::Ok));
        }
        diagnosis.rights = Some(rights);
        self.own_token(&me, diagnosis).await;
        Ok(())
    }

    /// Connection, health of the server, certificate and clock.
    async fn reach(&self, diagnosis: &mut Diagnosis) -> Result<(), ApiError> {
        let start = Instant::now();
        let reply = self.client.probe("/-/health/ready/").await?;
        let took = start.elapsed().as_millis();
        let finding = if reply.is_success() {
            Finding::new("reach", format!("ready, {took} ms"), Tone::Ok)
        } else {
            Finding::new("reach", format!("answers {} on /-/health/ready/", reply.status), Tone::Warn)
        };
        diagnosis.findings.push(finding);
        diagnosis.certificate_ends = reply.certificate_ends;
        if let Some(ends) = reply.certificate_ends {
            diagnosis.findings.push(expiry("certificate", ends, self.now()));
        }
        if let Some(date) = reply.date() {
            diagnosis.findings.extend(skew(seconds_between(date, self.now())));
        }
        Ok(())
    }

    /// When our own token ends. The server does not say which of a user's tokens was shown, so the first counts.
    async fn own_token(&self, me: &Me, diagnosis: &mut Diagnosis) {
        let filters = [("user__username", me.username.as_str()), ("intent", "api")];
        let ask = Ask::new("/core/tokens/", "authentik_core.view_token").filtered(&filters);
        let Ok(tokens) = self.client.list::<Token>(&ask).await else {
            let says = "its tokens cannot be seen, so nobody knows when ours ends";
            diagnosis.findings.push(Finding::new("token", says, Tone::Warn));
            return;
        };
        let own = tokens.items.iter().filter(|token| token.user == me.pk && token.intent.as_str() == "api");
        let ends =
            own.filter(|token| token.expiring.is_true()).filter_map(|token| token.expires.time()).min();
        diagnosis.token_ends = ends;
        diagnosis.findings.push(match ends {
            Some(ends) => expiry("token", ends, self.now()),
            None => Finding::new("token", "never expires", Tone::Ok),
        });
    }
}

fn who(me: &Me) -> Finding {
    let (superuser, name) = (me.is_superuser.is_true(), me.username.as_str());
    let says = if superuser {
        format!("{name}, a superuser: vigie needs no superuser")
    } else {
        format!("{name}, no superuser")
    };
    Finding::new("auth", says, if superuser { Tone::Warn } else { Tone::Ok })
}

fn judge_version(version: &Version) -> Finding {
    let current = version.current.as_str();
    // Where the update check is off, the newest release is not known and `outdated` says nothing.
    let newer = version.outdated.is_true() && version.latest_valid.is_true();
    if newer {
        return Finding::new("version", format!("{current}; {} is out", version.latest.as_str()), Tone::Warn);
    }
    if version.outpost_outdated.is_true() {
        return Finding::new("version", format!("{current}; an outpost is of another version"), Tone::Warn);
    }
    Finding::new("version", current, Tone::Ok)
}

fn skew(seconds: i64) -> Option<Finding> {
    let says = match seconds {
        s if s.abs() <= SKEW => return None,
        s if s > 0 => format!("its clock is {s} s behind ours"),
        s => format!("its clock is {} s ahead of ours", -s),
    };
    Some(Finding::new("clock", says, Tone::Warn))
}

fn expiry(what: &'static str, ends: Timestamp, now: Timestamp) -> Finding {
    let left = seconds_between(now, ends);
    let (says, tone) = match left {
        left if left <= 0 => (format!("expired {} ago", short(left)), Tone::Error),
        left if left < SOON => (format!("expires in {}", short(left)), Tone::Warn),
        left => (format!("expires in {}", short(left)), Tone::Ok),
    };
    // The server replaces the key of an expired token instead of removing it, which looks like a wrong token.
    let says = if what == "token" { format!("{says}; the server then swaps its key") } else { says };
    Finding::new(what, says, tone)
}
