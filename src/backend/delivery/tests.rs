//! Promotions within the simulated Argo CD: refused for a reason, done and proven, lost and read back.

use std::io::Write;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::backend::kubernetes::client::Cluster;
use crate::backend::kubernetes::sim as cluster_sim;
use crate::backend::kubernetes::sim::lab::Lab;
use crate::backend::sim::{Running, Size, World, serve};
use crate::config::ArgoCd;
use crate::model::op::{Args, Decision, RunId};
use crate::model::row::Domain;

use super::*;

struct Bench {
    world: Arc<World>,
    lab: Arc<Lab>,
    desk: Delivery,
    _file: tempfile::NamedTempFile,
    _running: Running,
}

/// A lab in which two applications of `prod` are behind, one of them kept by a parent.
async fn bench() -> Bench {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = Clock::manual("2026-11-20T03:00:00Z".parse().unwrap());
    let hands = clock.clone();
    tokio::spawn(async move {
        loop {
            hands.advance(jiff::SignedDuration::from_millis(500));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let world = World::new(clock.clone(), 1, "promotion", Size::default());
    world.set("argocd.behind", "traefik-prod,postgresql-prod");
    world.set("argocd.managed", "postgresql-prod");
    let lab = crate::backend::argocd::sim::install(&world).unwrap();
    let found = cluster_sim::simulators(&world).into_iter().find(|s| s.server.ends_with("cloud")).unwrap();
    let (running, _) = serve(found, world.clone()).await.unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(cluster_sim::kubeconfig("cloud", &lab.token, &running.address).as_bytes()).unwrap();
    let kubernetes = crate::config::Kubernetes {
        name: "cloud".into(),
        kubeconfig: Some(file.path().to_owned()),
        context: None,
        domain: Domain::Cloud,
        timeout: Duration::from_millis(800),
    };
    let promotion = Promotion {
        from: "cloud".into(),
        to: "prod".into(),
        label: "env".into(),
        stable: Duration::from_secs(7200),
    };
    let settings = ArgoCd {
        name: "argo".into(),
        kubernetes: "cloud".into(),
        namespace: "argocd".to_owned(),
        rest: None,
        domain: Domain::Cloud,
        public_url: None,
        promote: Some(promotion.clone()),
    };
    let argo = Argo::new(settings, Cluster::new(kubernetes), Vec::new(), clock.clone());
    let argo = Arc::new(argo.every(Duration::from_millis(5)));
    let desk = Delivery { argo, promotion, alerts: Vec::new(), clock };
    Bench { world, lab, desk, _file: file, _running: running }
}

impl Bench {
    async fn job(&self, name: &str) -> Job {
        let target = self.desk.resolve(&kinds::APPLICATIONS.into(), name).await.unwrap().remove(0);
        let op = operations().remove(0);
        let fields = self.desk.form(&op, std::slice::from_ref(&target)).await.unwrap();
        let args = [("revision".to_owned(), fields[0].default.to_string())];
        Job {
            run: RunId("run-1".into()),
            op: PROMOTE.into(),
            target,
            args: args.into_iter().collect::<Args>(),
            reason: Some("the demo".to_owned()),
            operator: "admin1".into(),
        }
    }

    async fn operate(&self, job: &Job) -> Result<Receipt, SendError> {
        let (sink, _progress) = mpsc::channel(256);
        self.desk.operate(job, sink).await
    }

    async fn refusal(&self, name: &str) -> String {
        let verdict = self.desk.preflight(&self.job(name).await).await.unwrap();
        assert_eq!(verdict.decision, Decision::Refuse, "{}", says(&verdict));
        says(&verdict)
    }

    fn update(&self, table: &str, key: &str, change: impl FnOnce(&mut serde_json::Value)) {
        self.lab.store.update(table, key, change).unwrap();
    }
}

fn says(verdict: &Verdict) -> String {
    let facts = verdict.evidence.iter().map(|fact| format!("{}: {}", fact.what, fact.says));
    facts.collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn a_promotion_sets_the_revision_and_is_proven_by_what_runs() {
    let bench = bench().await;
    let job = bench.job("traefik-prod").await;
    assert_eq!(job.arg("revision"), crate::backend::argocd::sim::apps::HEAD);
    let verdict = bench.desk.preflight(&job).await.unwrap();
    // Nobody watches alerts here, which is said and does not stop it.
    assert_eq!(verdict.decision, Decision::Warn, "{}", says(&verdict));
    assert!(says(&verdict).contains("revision: 41b7a2f -> 8f2c1a4"), "{}", says(&verdict));
    assert!(says(&verdict).contains("image: + registry.lab.example/traefik:1.0"), "{}", says(&verdict));
    let receipt = bench.operate(&job).await.unwrap();
    assert!(
        receipt.said.starts_with("runs 8f2c1a4 and is healthy; before it was told to run 41b7a2f"),
        "{}",
        receipt.said
    );
    let (_, patch) = bench.lab.patches().pop().unwrap();
    assert_eq!(patch["spec"], serde_json::json!({"source": {"targetRevision": job.arg("revision")}}));
    assert_eq!(bench.lab.patches().len(), 1);
    let proof = bench.desk.verify(&job, None, bench.world.clock.now()).await.unwrap();
    assert!(matches!(proof, Proof::Seen(_)), "{proof:?}");
}

#[tokio::test]
async fn what_git_keeps_is_not_patched_and_the_change_in_git_is_named() {
    let bench = bench().await;
    let why = bench.refusal("postgresql-prod").await;
    assert!(
        why.contains("application root manages it: in https://git.lab.example/lab/homelab.git clusters/lab"),
        "{why}"
    );
    assert!(why.contains("spec.source.targetRevision of Application postgresql-prod"), "{why}");
    assert!(why.contains("41b7a2f0c9d84e7fa1b2c3d4e5f60718293a4b5c -> 8f2c1a4d7e0b"), "{why}");
    let job = bench.job("postgresql-prod").await;
    assert!(matches!(bench.operate(&job).await, Err(SendError::NotSent(_))));
    assert_eq!(bench.lab.writes(), 0);
}

#[tokio::test]
async fn a_source_that_is_not_good_or_not_long_enough_is_not_taken_over() {
    let bench = bench().await;
    assert!(bench.refusal("cilium-prod").await.contains("it runs 8f2c1a4 already"));
    let recent = "2026-11-20T02:30:00Z";
    bench.update("applications", "argocd/traefik-cloud", |app| {
        app["status"]["health"]["lastTransitionTime"] = recent.into();
    });
    assert!(bench.refusal("traefik-prod").await.contains("of the 2h it has to be"));
    bench.update("applications", "argocd/traefik-cloud", |app| {
        app["status"]["health"]["status"] = "Degraded".into();
    });
    assert!(bench.refusal("traefik-prod").await.contains("traefik-cloud at 8f2c1a4: Degraded"));
    assert!(bench.refusal("comet").await.contains("it is in cloud, and promotions lead into prod"));
}

#[tokio::test]
async fn a_closed_window_a_missing_right_and_a_lost_answer() {
    let bench = bench().await;
    let job = bench.job("traefik-prod").await;
    bench.world.inject("kubernetes-cloud:lost-answer@PATCH /*1".parse().unwrap());
    assert!(matches!(bench.operate(&job).await, Err(SendError::Unknown(_))));
    assert_eq!(bench.lab.writes(), 1);
    let mut proof = bench.desk.verify(&job, None, bench.world.clock.now()).await.unwrap();
    while matches!(proof, Proof::Unclear(..)) {
        tokio::time::sleep(Duration::from_millis(5)).await;
        proof = bench.desk.verify(&job, None, bench.world.clock.now()).await.unwrap();
    }
    assert!(matches!(proof, Proof::Seen(_)), "{proof:?}");
    bench.world.set("kubernetes-cloud.deny", "patch applications");
    assert!(bench.refusal("traefik-prod").await.contains("lacks patch applications.argoproj.io"));
    let window = serde_json::json!([{"kind": "deny", "schedule": "0 0 * * *", "duration": "24h", "applications": ["*"]}]);
    bench.update("appprojects", "argocd/platform", |project| project["spec"]["syncWindows"] = window);
    assert!(bench.refusal("traefik-prod").await.contains("closed by deny window"));
}
