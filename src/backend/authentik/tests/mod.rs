//! Against the simulator over HTTP: lists, exact names, invitations, refusals and lost answers.

mod changes;
mod invitations;
mod ledger;
mod lists;
mod people;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use crate::backend::error::SendError;
use crate::backend::sim::{Fault, Running, Size, World, serve};
use crate::backend::{Backend as _, Proof, Receipt};
use crate::config::{Authentik as Settings, Connection, Secret, SecretSource};
use crate::model::id::EntityId;
use crate::model::op::{Args, Decision, Job, RunId, Target, Verdict};
use crate::model::row::Domain;
use crate::model::snapshot::Snapshot;
use crate::model::time::Clock;

use super::sim;
use super::{Authentik, kinds};

/// A lab with a console in front of it.
pub struct Bench {
    /// The lab's world.
    pub world: Arc<World>,
    /// The console's side.
    pub authentik: Authentik,
    /// What leads to it.
    pub settings: Settings,
    _running: Running,
}

/// The lab's clock at its start.
pub const START: &str = "2026-11-22T12:00:00Z";

impl Bench {
    /// A calm lab of the newest release, with the console's own account.
    pub async fn new() -> Self {
        Self::with("ops-console", &[]).await
    }

    /// A lab with facts set beforehand, and an account of it.
    pub async fn with(account: &str, facts: &[(&str, &str)]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let world = World::new(Clock::manual(START.parse().unwrap()), 7, "calm", Size::default());
        for (fact, value) in facts {
            world.set(fact, value);
        }
        let simulator = sim::simulators(&world).remove(0);
        let (running, _) = serve(simulator, world.clone()).await.unwrap();
        let settings = settings(&running.address.url, &sim::caller::key(7, account));
        let authentik = console(&settings, &world);
        Self { world, authentik, settings, _running: running }
    }

    /// Makes something go wrong.
    pub fn fault(&self, text: &str) {
        self.world.inject(text.parse::<Fault>().unwrap());
    }

    /// A source's rows.
    pub async fn poll(&self, feed: &str) -> Snapshot {
        self.authentik.poll_feed(feed).await.unwrap()
    }

    /// The names of a source's rows.
    pub async fn names(&self, feed: &str) -> Vec<String> {
        self.poll(feed).await.rows.iter().map(|row| row.name.to_string()).collect()
    }

    /// The names of the invitations whose links still work.
    pub async fn waiting(&self) -> Vec<String> {
        let rows = self.poll("invitations").await.rows;
        let works = |row: &&crate::model::row::Row| {
            matches!(row.cell(0).value.as_text(), Some("waiting" | "expiring"))
        };
        rows.iter().filter(works).map(|row| row.name.to_string()).collect()
    }

    /// The one thing of exactly this name.
    pub async fn target(&self, kind: &str, name: &str) -> Target {
        let found = self.authentik.resolve(&kind.into(), name).await.unwrap();
        assert_eq!(found.len(), 1, "{name}");
        found.into_iter().next().unwrap()
    }
}

/// The console's side of a lab, impatient and on the lab's clock.
pub fn console(settings: &Settings, world: &World) -> Authentik {
    let mut authentik = Authentik::new(settings, &world.clock).unwrap();
    authentik.client = authentik.client.clone().impatient(Duration::from_secs(3));
    authentik
}

fn settings(url: &str, token: &str) -> Settings {
    let connection = Connection {
        host_header: Some(sim::HOST.to_owned()),
        domain: Domain::Cloud,
        public_url: Some("https://auth.lab.example".to_owned()),
        timeout: Duration::from_secs(3),
        ..Connection::to("auth", url)
    };
    let token = Secret::new(SecretSource::Memory(token.to_owned().into()));
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    Settings {
        admin_groups: words(&["authentik Admins", "admin"]),
        family_groups: words(&["family-validated"]),
        admin_apps: words(&["omni", "argocd", "grafana", "prometheus"]),
        family_apps: words(&["nextcloud"]),
        service_accounts: words(&["ci-github", "argocd", "backup", "n8n", "ops-console"]),
        native_accounts: words(&["Navidrome"]),
        ..Settings::new(connection, token)
    }
}

/// A job on a target.
pub fn job(op: &str, target: Target, args: &[(&str, &str)]) -> Job {
    let args: Args = args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Job { run: RunId("run-1".into()), op: op.into(), target, args, reason: None, operator: "ada".into() }
}

/// An invitation for a label.
pub fn invite(label: &str, args: &[(&str, &str)]) -> Job {
    let target = Target {
        id: EntityId::new(kinds::INVITATIONS, "auth", label),
        name: label.into(),
        identity: crate::model::id::Identity::new(),
        domain: Domain::Unknown,
    };
    job("authentik.invite", target, args)
}

impl Bench {
    /// The check before the confirmation.
    pub async fn judged(&self, job: &Job) -> Verdict {
        self.authentik.preflight(job).await.unwrap()
    }

    /// Sends it.
    pub async fn sent(&self, job: &Job) -> Result<Receipt, SendError> {
        let (sink, _progress) = tokio::sync::mpsc::channel(4);
        self.authentik.operate(job, sink).await
    }

    /// Reads it back.
    pub async fn proof(&self, job: &Job, remote: Option<&str>) -> Proof {
        self.authentik.verify(job, remote, START.parse().unwrap()).await.unwrap()
    }
}

impl Bench {
    /// Somebody is invited, opens the link and has an account of this name.
    pub async fn enrol(&self, name: &str) {
        self.sent(&invite(name, &[("group", "family-app-immich"), ("expires", "7d")])).await.unwrap();
        self.world.set("authentik-enrol", name);
    }
}

/// Whether somebody is shown beside the one that is meant.
pub fn has_twin(verdict: &Verdict, twin: &str) -> bool {
    let beside = |what: &str| matches!(what, "not to be taken for" | "somebody alike");
    verdict.evidence.iter().any(|fact| beside(&fact.what) && fact.says.starts_with(twin))
}

/// Why it is refused.
pub fn refusal(verdict: &Verdict) -> String {
    assert_eq!(verdict.decision, Decision::Refuse, "{verdict:?}");
    verdict.evidence.iter().map(|fact| fact.says.as_str()).collect()
}
