//! Looks at each server of an instance from the outside in.

use std::time::Instant;

use crate::backend::error::ApiError;
use crate::backend::http::Reply;
use crate::backend::{Diagnosis, Finding};
use crate::model::row::Tone;
use crate::model::snapshot::Layer;
use crate::model::time::seconds_between;

use super::Alerts;
use super::cluster::Member;
use super::feed::Feed;

/// Fewer days than this left on a certificate is worth a warning.
const SOON: i64 = 14;

/// Findings of all its servers; each names its server where there are several.
pub(super) async fn look(backend: &Alerts) -> Diagnosis {
    let mut diagnosis = Diagnosis { rights: Some(backend.may()), ..Diagnosis::default() };
    let members = backend.cluster.as_ref().map_or(&[][..], |cluster| &cluster.members);
    let several = members.len() + usize::from(backend.feed.is_some()) > 1;
    for member in members {
        let mut server = Server::new(backend, several.then(|| member.name.to_string()));
        alertmanager(member, members.len(), &mut server).await;
        server.tell(&mut diagnosis);
    }
    if let Some(feed) = &backend.feed {
        let mut server = Server::new(backend, several.then(|| format!("prometheus {}", feed.name)));
        prometheus(feed, &mut server).await;
        server.tell(&mut diagnosis);
    }
    diagnosis
}

/// The findings of one server.
struct Server<'a> {
    backend: &'a Alerts,
    prefix: Option<String>,
    findings: Vec<Finding>,
    certificate_ends: Option<jiff::Timestamp>,
}

impl<'a> Server<'a> {
    fn new(backend: &'a Alerts, prefix: Option<String>) -> Self {
        Self { backend, prefix, findings: Vec::new(), certificate_ends: None }
    }

    fn find(&mut self, what: &'static str, says: impl Into<String>, tone: Tone) {
        let says = match &self.prefix {
            Some(prefix) => format!("{prefix}: {}", says.into()),
            None => says.into(),
        };
        self.findings.push(Finding::new(what, says, tone));
    }

    fn reached(&mut self, reply: &Reply, started: Instant) {
        self.find("reach", format!("{} in {} ms", reply.url, started.elapsed().as_millis()), Tone::Ok);
        if let Some(end) = reply.certificate_ends {
            let days = seconds_between(self.backend.now(), end) / 86_400;
            let tone = if days < SOON { Tone::Warn } else { Tone::Ok };
            self.find("certificate", format!("{days} days left"), tone);
            self.certificate_ends = Some(end);
        }
        self.find("auth", "accepted", Tone::Ok);
    }

    fn failed(&mut self, error: &ApiError) {
        let what = if error.fault.layer == Layer::Auth { "auth" } else { "reach" };
        let hint =
            if error.fault.hint.is_empty() { String::new() } else { format!("; {}", error.fault.hint) };
        self.find(what, format!("{error}{hint}"), Tone::Error);
    }

    fn tell(self, diagnosis: &mut Diagnosis) {
        diagnosis.findings.extend(self.findings);
        let earliest = [diagnosis.certificate_ends, self.certificate_ends].into_iter().flatten().min();
        diagnosis.certificate_ends = earliest;
    }
}

async fn alertmanager(member: &Member, configured: usize, server: &mut Server<'_>) {
    let started = Instant::now();
    let status = match member.api() {
        Ok(api) => api.status().await,
        Err(error) => Err(error),
    };
    let answer = match status {
        Ok(answer) => answer,
        Err(error) => return server.failed(&error),
    };
    server.reached(&answer.reply, started);
    server.find("version", format!("Alertmanager {}", answer.body.version_info.version), Tone::Ok);
    let cluster = &answer.body.cluster;
    match cluster.status.as_str() {
        "ready" => server.find("cluster", format!("ready, {} members", cluster.peers.len()), Tone::Ok),
        "disabled" => server.find("cluster", "stands alone", Tone::Ok),
        "settling" => server.find("cluster", "settling: notifications are held back", Tone::Warn),
        other => server.find("cluster", format!("`{other}`"), Tone::Unknown),
    }
    if cluster.peers.len() > configured {
        let says = format!(
            "{} members, {configured} configured: alerts that only the others hold are missing, and behind a load \
             balancer lists flap; give each member's own URL",
            cluster.peers.len()
        );
        server.find("members", says, Tone::Warn);
    }
    if let Some(date) = answer.reply.date() {
        let ahead = seconds_between(server.backend.now(), date);
        if ahead.abs() > 30 {
            server.find("clock", format!("{ahead}s ahead of ours"), Tone::Warn);
        }
    }
}

async fn prometheus(feed: &Feed, server: &mut Server<'_>) {
    let api = match feed.api() {
        Ok(api) => api,
        Err(error) => return server.failed(&error),
    };
    let started = Instant::now();
    match api.build().await {
        Ok(answer) => {
            server.reached(&answer.reply, started);
            server.find("version", format!("Prometheus {}", answer.body.data.version), Tone::Ok);
        }
        Err(error) => return server.failed(&error),
    }
    if let Err(error) = api.ready().await {
        server.find("ready", error.to_string(), Tone::Warn);
    }
    match feed.know(5).await {
        Ok(known) => {
            let broken = known.rules.iter().filter(|placed| placed.rule.health == "err").count();
            let tone = if broken > 0 { Tone::Warn } else { Tone::Ok };
            server.find("rules", format!("{} rules, {broken} broken", known.rules.len()), tone);
            for note in &known.notes {
                server.find("note", note.clone(), Tone::Warn);
            }
        }
        Err(error) => server.find("rules", error.to_string(), Tone::Error),
    }
    match api.alertmanagers().await {
        Ok(answer) if answer.body.data.active_alertmanagers.is_empty() => {
            server.find("alertmanagers", "it sends alerts to nobody", Tone::Warn);
        }
        Ok(answer) => {
            let count = answer.body.data.active_alertmanagers.len();
            server.find("alertmanagers", format!("sends alerts to {count}"), Tone::Ok);
        }
        Err(error) => server.find("alertmanagers", error.to_string(), Tone::Warn),
    }
}
