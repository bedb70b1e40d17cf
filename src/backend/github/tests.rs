use std::time::Duration;

use jiff::SignedDuration;

use crate::backend::error::SendError;
use crate::backend::sim::{Fault, Running, Size, World, serve};
use crate::backend::{Backend as _, Proof, Receipt};
use crate::config::{Connection, Github as Settings, Secret, SecretSource};
use crate::model::op::{Decision, Job, RunId, Verdict};
use crate::model::row::{Domain, Health};
use crate::model::snapshot::Layer;
use crate::model::time::Clock;

use super::{Github, actions::Actions, kinds, ops, rows, sim};

const START: &str = "2026-11-22T12:00:00Z";

/// A lab's GitHub and a client of it.
pub async fn lab(world: &std::sync::Arc<World>) -> (Actions, Running) {
    client(world, None).await
}

async fn client(world: &std::sync::Arc<World>, token: Option<&str>) -> (Actions, Running) {
    let (running, _) = serve(sim::simulators(world).remove(0), world.clone()).await.unwrap();
    let connection = Connection {
        domain: Domain::Edge,
        timeout: Duration::from_secs(2),
        ..Connection::to("homelab", running.address.url.clone())
    };
    let token = token.map_or_else(|| sim::token(world.seed), str::to_owned);
    let token = Secret::new(SecretSource::Memory(token.into()));
    let settings = Settings { connection, token, repo: sim::REPO.to_owned(), branch: "main".to_owned() };
    (Actions::connect(&settings).unwrap(), running)
}

struct Bench {
    world: std::sync::Arc<World>,
    github: Github,
    _running: Running,
}

impl Bench {
    async fn new(scenario: &str) -> Self {
        Self::with(scenario, None).await
    }

    async fn with(scenario: &str, token: Option<&str>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let world = World::new(Clock::manual(START.parse().unwrap()), 7, scenario, Size::default());
        let (actions, running) = client(&world, token).await;
        let place = rows::Place { instance: "homelab".into(), domain: Domain::Edge };
        let (clock, grace) = (world.clock.clone(), Duration::from_secs(120));
        Self {
            github: Github {
                actions,
                place,
                clock,
                reasons: crate::backend::github::why::Reasons::default(),
                grace,
            },
            world,
            _running: running,
        }
    }

    async fn job(&self, op: &str, kind: &str, name: &str, args: &[(&str, &str)]) -> Job {
        let found = self.github.resolve(&kind.into(), name).await.unwrap();
        let [target] = found.as_slice() else { panic!("{name}: {found:?}") };
        Job {
            run: RunId("run-1".into()),
            op: op.into(),
            target: target.clone(),
            args: args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            reason: Some("tested".into()),
            operator: "ada".into(),
        }
    }

    async fn judged(&self, job: &Job) -> Verdict {
        self.github.preflight(job).await.unwrap()
    }

    async fn sent(&self, job: &Job) -> Result<Receipt, SendError> {
        let (sink, _progress) = tokio::sync::mpsc::channel(4);
        self.github.operate(job, sink).await
    }

    async fn proof(&self, job: &Job, remote: Option<&str>) -> Proof {
        self.github.verify(job, remote, START.parse().unwrap()).await.unwrap()
    }

    fn fault(&self, text: &str) {
        self.world.inject(text.parse::<Fault>().unwrap());
    }
}

#[tokio::test]
async fn runs_workflows_and_approvals_are_listed() {
    let bench = Bench::new("ci-challenge").await;
    let runs = bench.github.poll_feed("runs").await.unwrap().rows;
    let failed = runs.iter().find(|row| row.name.starts_with("terraform-authentik")).unwrap();
    assert_eq!(failed.health, Health::Warning);
    let waits = bench.github.poll_feed("approvals").await.unwrap().rows;
    assert_eq!((waits.len(), waits[0].cell(2).value.as_text()), (1, Some("production")));
    assert_eq!(bench.github.poll_feed("workflows").await.unwrap().rows.len(), 6);
    let (sink, mut views) = tokio::sync::mpsc::channel(1);
    let text = tokio::select! {
        ended = bench.github.open(&failed.id, "describe", sink) => panic!("{ended:?}"),
        view = views.recv() => format!("{view:?}"),
    };
    assert!(text.contains("main: terraform plan") && text.contains("Just a moment"), "{text}");
}

#[tokio::test]
async fn a_workflow_is_started_with_checked_inputs_and_read_back() {
    let bench = Bench::new("calm").await;
    let refused = bench.job("github.dispatch", kinds::WORKFLOWS, "promote-prod.yml", &[("inputs", "")]).await;
    let verdict = bench.judged(&refused).await;
    assert_eq!(verdict.decision, Decision::Refuse, "{verdict:?}");
    assert!(matches!(bench.sent(&refused).await, Err(SendError::NotSent(_))));
    let job =
        bench.job("github.dispatch", kinds::WORKFLOWS, "promote-prod.yml", &[("inputs", "sha=8f2c1a")]).await;
    // The promotion of the lab still waits for its approval.
    assert_eq!(bench.judged(&job).await.decision, Decision::Warn);
    assert!(matches!(bench.proof(&job, None).await, Proof::Unclear(..)));
    let receipt = bench.sent(&job).await.unwrap();
    let Proof::Seen(proof) = bench.proof(&job, receipt.remote.as_deref()).await else { panic!() };
    assert!(proof.contains("running"), "{proof}");
    let form = bench.github.form(&ops::all()[0], std::slice::from_ref(&job.target)).await.unwrap();
    assert!(form[1].default.contains("sha=") && form[1].doc.contains("required"), "{form:?}");
}

#[tokio::test]
async fn what_nobody_may_start_by_hand_is_refused() {
    let bench = Bench::new("calm").await;
    let job = bench.job("github.dispatch", kinds::WORKFLOWS, "ci.yml", &[]).await;
    let verdict = bench.judged(&job).await;
    assert_eq!(verdict.decision, Decision::Refuse);
    assert!(verdict.evidence[0].says.contains("cannot be started by hand"), "{verdict:?}");
}

#[tokio::test]
async fn a_lost_answer_to_an_order_is_unknown_and_found_among_the_runs() {
    let bench = Bench::new("calm").await;
    let job =
        bench.job("github.dispatch", kinds::WORKFLOWS, "promote-prod.yml", &[("inputs", "sha=8f2c1a")]).await;
    bench.fault("github:lost-answer@POST /repos*1");
    assert!(matches!(bench.sent(&job).await, Err(SendError::Unknown(_))));
    assert!(matches!(bench.proof(&job, None).await, Proof::Seen(_)));
}

#[tokio::test]
async fn a_run_is_approved_once_and_run_again_or_stopped() {
    let bench = Bench::new("calm").await;
    let approve = bench.job("github.approve", kinds::APPROVALS, "promote-prod #8841", &[]).await;
    assert_eq!(bench.judged(&approve).await.decision, Decision::Allow);
    assert!(matches!(bench.proof(&approve, None).await, Proof::Unclear(..)));
    bench.sent(&approve).await.unwrap();
    assert!(matches!(bench.proof(&approve, None).await, Proof::Seen(_)));
    assert_eq!(bench.judged(&approve).await.decision, Decision::Refuse);
    let stop = bench.job("github.cancel", kinds::RUNS, "promote-prod #8841", &[]).await;
    bench.sent(&stop).await.unwrap();
    assert!(matches!(bench.proof(&stop, None).await, Proof::Unclear(..)));
    bench.world.clock.advance(SignedDuration::from_secs(5));
    assert!(matches!(bench.proof(&stop, None).await, Proof::Seen(_)));
    let again = bench.job("github.rerun", kinds::RUNS, "promote-prod #8841", &[]).await;
    bench.sent(&again).await.unwrap();
    assert!(matches!(bench.proof(&again, None).await, Proof::Seen(_)));
    // What was judged is the first attempt.
    assert_eq!(bench.judged(&again).await.decision, Decision::Refuse);
    bench.fault("github:timeout");
    assert_eq!(bench.judged(&stop).await.decision, Decision::Blind);
}

#[tokio::test]
async fn a_wrong_token_and_a_page_are_told_apart() {
    let bench = Bench::with("calm", Some("wrong")).await;
    assert_eq!(bench.github.poll_feed("runs").await.unwrap_err().fault.layer, Layer::Auth);
    bench.fault("github:challenge");
    assert_eq!(bench.github.poll_feed("runs").await.unwrap_err().fault.layer, Layer::Edge);
    assert!(!bench.github.doctor().await.healthy());
}
