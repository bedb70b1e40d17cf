//! Promotions within the simulated Argo CD: refused for a reason, done and proven, lost and read back.

use tokio::sync::mpsc;

use crate::backend::kubernetes::sim::lab::Lab;
use crate::backend::kubernetes::tests::served::{self, Served};
use crate::backend::sim::{Running, Size, World, serve};
use crate::config::{ArgoCd, Connection, Expect, Pipeline, Probe};
use crate::model::op::{Args, Decision, RunId};
use crate::model::row::Domain;

use super::*;

struct Bench {
    world: Arc<World>,
    lab: Arc<Lab>,
    desk: Delivery,
    _served: Served,
    _running: [Running; 2],
}

/// A lab in which two applications of `prod` are behind, one of them kept by a parent.
async fn bench() -> Bench {
    let clock = served::quick();
    let world = World::new(clock.clone(), 1, "promotion", Size::default());
    world.set("argocd.behind", "traefik-prod,postgresql-prod");
    world.set("argocd.managed", "postgresql-prod");
    let lab = crate::backend::argocd::sim::install(&world).unwrap();
    let served = served::serve_cluster(&world, "cloud").await;
    let promotion = Promotion {
        from: "cloud".into(),
        to: "prod".into(),
        label: "env".into(),
        stable: Duration::from_secs(7200),
        pipeline: Some(Pipeline {
            github: "homelab".into(),
            check: Some("deploy-dev-ephemeral.yml".to_owned()),
            workflow: None,
            input: "sha".to_owned(),
        }),
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
    let argo = Argo::new(settings, served.cluster.clone(), Vec::new(), clock.clone());
    let (actions, hub) = crate::backend::github::tests::lab(&world).await;
    let edge = (crate::backend::probe::DEFINITION.simulators)(&world).remove(0);
    let (edge, _) = serve(edge, world.clone()).await.unwrap();
    let argo = argo.every(Duration::from_millis(5)).probing(vec![door(&edge)]);
    let desk = Delivery {
        argo: Arc::new(argo),
        promotion,
        alerts: Vec::new(),
        github: None,
        actions: OnceCell::new_with(Some(actions)),
        patience: Duration::from_millis(100),
        clock,
    };
    Bench { world, lab, desk, _served: served, _running: [hub, edge] }
}

/// The address of one application, through the edge.
fn door(edge: &Running) -> Probe {
    let way = Connection {
        host_header: Some("vaultwarden.lab.example".to_owned()),
        domain: Domain::Edge,
        timeout: Duration::from_secs(2),
        ..Connection::to("vaultwarden", format!("{}/edge", edge.address.url))
    };
    let (domain, timeout) = (Domain::Edge, way.timeout);
    Probe { edge: way, origin: None, expect: Expect::Open, gate: None, domain, timeout }
}

impl Bench {
    /// Promotions are a workflow's work.
    fn by_workflow(&mut self) {
        let pipeline = self.desk.promotion.pipeline.as_mut().unwrap();
        pipeline.workflow = Some("promote-prod.yml".to_owned());
    }

    async fn verified(&self, job: &Job, remote: Option<&str>, since: Timestamp) -> Proof {
        loop {
            let proof = self.desk.verify(job, remote, since).await.unwrap();
            if !matches!(proof, Proof::Unclear(..)) {
                return proof;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

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
    assert!(
        says(&verdict)
            .contains("CI: deploy-dev-ephemeral #8830 at 8f2c1a4: ok, and it took down what it made"),
        "{}",
        says(&verdict)
    );
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
    let proof = bench.verified(&job, None, bench.world.clock.now()).await;
    assert!(matches!(proof, Proof::Seen(_)), "{proof:?}");
    bench.world.set("kubernetes-cloud.deny", "patch applications");
    assert!(bench.refusal("traefik-prod").await.contains("lacks patch applications.argoproj.io"));
    let window = serde_json::json!([{"kind": "deny", "schedule": "0 0 * * *", "duration": "24h", "applications": ["*"]}]);
    bench.update("appprojects", "argocd/platform", |project| project["spec"]["syncWindows"] = window);
    assert!(bench.refusal("traefik-prod").await.contains("closed by deny window"));
}

#[tokio::test]
async fn a_run_that_left_something_behind_or_never_ran_proves_nothing() {
    let bench = bench().await;
    // What is written below stays as it is.
    bench.world.set("argocd.controller", "stuck");
    let actions = bench.desk.actions().await.unwrap();
    let leaked = actions.run(8837).await.unwrap();
    assert_eq!(leaked.display_title.as_str(), "dev-ephemeral-8841");
    let untried = "00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee";
    for (revision, why) in [
        ("v1.2.3", "`v1.2.3` is no whole commit"),
        (leaked.head_sha.as_str(), "its step `destroy cluster` was skipped: what it made may still be there"),
        (untried, "deploy-dev-ephemeral.yml has never run at 00c0ffe"),
    ] {
        bench.update("applications", "argocd/traefik-cloud", |app| {
            app["status"]["sync"]["revision"] = revision.into();
        });
        let refusal = bench.refusal("traefik-prod").await;
        assert!(refusal.contains(why), "{refusal}");
    }
}

#[tokio::test]
async fn what_github_does_not_tell_is_not_taken_for_granted() {
    let bench = bench().await;
    bench.world.inject("github:500@GET /".parse().unwrap());
    let verdict = bench.desk.preflight(&bench.job("traefik-prod").await).await.unwrap();
    assert_eq!(verdict.decision, Decision::Blind, "{}", says(&verdict));
    assert!(says(&verdict).contains("CI: app: HTTP 500"), "{}", says(&verdict));
}

#[tokio::test]
async fn a_workflow_is_approved_or_started_and_followed_to_what_runs() {
    for waits in [true, false] {
        let mut bench = bench().await;
        bench.by_workflow();
        if !waits {
            bench.desk.actions().await.unwrap().cancel(8841).await.unwrap();
            while bench.desk.actions().await.unwrap().run(8841).await.unwrap().status.as_str() == "waiting" {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        // What Git keeps is what a workflow is for.
        let job = bench.job("postgresql-prod").await;
        let verdict = bench.desk.preflight(&job).await.unwrap();
        let says = says(&verdict);
        assert_eq!(verdict.decision, Decision::Warn, "{says}");
        let order = if waits {
            "workflow: approves promote-prod #8841 `promote 8f2c1a`, started by admin1".to_owned()
        } else {
            format!("workflow: starts promote-prod.yml with sha={}", job.arg("revision"))
        };
        assert!(says.contains(&order), "{says}");
        let since = bench.world.clock.now();
        let receipt = bench.operate(&job).await.unwrap();
        assert!(receipt.said.starts_with("runs 8f2c1a4 and is healthy"), "{}", receipt.said);
        assert_eq!(bench.lab.writes(), 0, "Argo CD is told by Git alone");
        let proof = bench.verified(&job, receipt.remote.as_deref(), since).await;
        assert!(matches!(proof, Proof::Seen(_)), "{proof:?}");
    }
}

#[tokio::test]
async fn an_order_to_github_whose_answer_is_lost_is_given_once_and_found_again() {
    for fault in ["lost-answer", "swallowed"] {
        let mut bench = bench().await;
        bench.by_workflow();
        let job = bench.job("traefik-prod").await;
        let since = bench.world.clock.now();
        bench.world.inject(format!("github:{fault}@POST /*1").parse().unwrap());
        let outcome = bench.operate(&job).await;
        assert!(matches!(outcome, Err(SendError::Unknown(_))), "{fault}: {outcome:?}");
        let proof = bench.verified(&job, None, since).await;
        assert!(
            matches!(&proof, Proof::Seen(said) if said.starts_with("runs 8f2c1a4")),
            "{fault}: {proof:?}"
        );
    }
}

#[tokio::test]
async fn a_promotion_is_not_done_before_users_get_in() {
    let bench = bench().await;
    bench.update("applications", "argocd/traefik-prod", |app| {
        app["status"]["summary"]["externalURLs"] = serde_json::json!(["https://vaultwarden.lab.example/"]);
    });
    let job = bench.job("traefik-prod").await;
    let told = says(&bench.desk.preflight(&job).await.unwrap());
    assert!(told.contains("users: vaultwarden: 200 the application answers"), "{told}");
    bench.world.set("tunnel", "down");
    let told = says(&bench.desk.preflight(&job).await.unwrap());
    assert!(told.contains("users: vaultwarden: 530"), "{told}");
    let Err(SendError::Failed(fault)) = bench.operate(&job).await else { panic!("it was called done") };
    assert!(fault.what.starts_with("runs 8f2c1a4 and is healthy, but users do not get in"), "{fault}");
    let now = bench.world.clock.now();
    let proof = bench.desk.verify(&job, None, now).await.unwrap();
    assert!(matches!(&proof, Proof::Unclear(why, _) if why.contains("users do not get in")), "{proof:?}");
    bench.world.set("tunnel", "");
    let proof = bench.verified(&job, None, now).await;
    assert!(matches!(&proof, Proof::Seen(said) if said.contains("; vaultwarden: 200")), "{proof:?}");
}
