//! Each operation against a simulated cluster: done, refused, lost on the way.

mod answers;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::backend::sim::{Size, World};
use crate::backend::{Backend, Progress};
use crate::model::id::{EntityId, KindId};
use crate::model::op::{Args, RunId};

use super::super::sim::{self, lab::Lab};
use super::super::tests::served::{self, Served};
use super::super::{kinds, more};
use super::*;

struct Bench {
    world: Arc<World>,
    lab: Arc<Lab>,
    backend: Kubernetes,
    _served: Served,
}

/// The cloud cluster with a clock that runs fast.
async fn bench() -> Bench {
    let clock = served::quick();
    let world = World::new(clock.clone(), 1, "calm", Size::default());
    let served = served::serve_cluster(&world, "cloud").await;
    let mut backend = Kubernetes::new(served.cluster.clone(), clock);
    backend.pace = Duration::from_millis(5);
    Bench { world, lab: served.lab.clone(), backend, _served: served }
}

impl Bench {
    async fn job(&self, op: &str, kind: &str, exact: &str, args: &[(&str, &str)]) -> Job {
        let target = self.backend.resolve(&KindId::from(kind), exact).await.unwrap().remove(0);
        Job {
            run: RunId("run-1".into()),
            op: op.into(),
            target,
            args: args.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Args>(),
            reason: Some("the demo".to_owned()),
            operator: "admin1".into(),
        }
    }

    /// The key of the pod of a workload.
    fn pod(&self, workload: &str) -> String {
        let pods = self.lab.store.all("pods");
        let found = pods.iter().find(|pod| pod["metadata"]["labels"]["app.kubernetes.io/name"] == workload);
        sim::store::key_of(found.unwrap())
    }

    async fn operate(&self, job: &Job) -> Result<String, SendError> {
        let (sink, _progress) = mpsc::channel(256);
        self.backend.operate(job, sink).await.map(|receipt| receipt.said)
    }

    async fn proof(&self, job: &Job) -> Proof {
        self.backend.verify(job, None, "2026-11-20T03:00:00Z".parse().unwrap()).await.unwrap()
    }
}

fn says(verdict: &Verdict) -> String {
    let facts = verdict.evidence.iter().map(|fact| format!("{}: {}", fact.what, fact.says));
    facts.collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn a_deleted_pod_ends_and_its_workload_makes_another() {
    let bench = bench().await;
    let old = bench.pod("comet");
    let job = bench.job(specs::DELETE_POD, kinds::PODS, &old, &[]).await;
    let verdict = bench.backend.preflight(&job).await.unwrap();
    assert_eq!((verdict.decision, says(&verdict).contains("makes another")), (Decision::Allow, true));
    assert_eq!(bench.operate(&job).await.unwrap(), "gone");
    assert!(matches!(bench.proof(&job).await, Proof::Seen(_)));
    assert_ne!(bench.pod("comet"), old);
    assert_eq!(bench.lab.writes(), 1);
}

#[tokio::test]
async fn a_job_is_deleted_with_its_pods() {
    let bench = bench().await;
    let job = bench.job(specs::DELETE_JOB, more::JOBS, "databases/pg-backup-29210460", &[]).await;
    assert_eq!(bench.backend.preflight(&job).await.unwrap().decision, Decision::Allow);
    assert_eq!(bench.operate(&job).await.unwrap(), "gone");
}

#[tokio::test]
async fn a_restart_is_done_when_the_new_pods_are_ready() {
    let bench = bench().await;
    let old = bench.pod("glance");
    let job = bench.job(specs::RESTART, more::DEPLOYMENTS, "glance/glance", &[]).await;
    assert!(matches!(bench.proof(&job).await, Proof::Absent(_)));
    assert_eq!(bench.backend.preflight(&job).await.unwrap().decision, Decision::Warn);
    assert_eq!(bench.operate(&job).await.unwrap(), "1 new pods are ready");
    assert!(matches!(bench.proof(&job).await, Proof::Seen(_)));
    assert_ne!(bench.pod("glance"), old);
}

#[tokio::test]
async fn a_scale_says_that_git_undoes_it_and_is_read_back() {
    let bench = bench().await;
    let job = bench.job(specs::SCALE, more::DEPLOYMENTS, "glance/glance", &[("replicas", "3")]).await;
    let verdict = bench.backend.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Warn);
    assert!(says(&verdict).contains("application glance manages it"), "{}", says(&verdict));
    assert_eq!(bench.operate(&job).await.unwrap(), "3 pods are ready");
    assert_eq!(bench.proof(&job).await, Proof::Seen("3 pods are ready".to_owned()));
    for (wrong, words) in [
        ("3", "nothing would change"),
        ("many", "no whole number"),
        ("51", "no whole number"),
        ("-1", "no whole"),
    ] {
        let job = bench.job(specs::SCALE, more::DEPLOYMENTS, "glance/glance", &[("replicas", wrong)]).await;
        let verdict = bench.backend.preflight(&job).await.unwrap();
        assert_eq!(verdict.decision, Decision::Refuse, "{wrong}");
        assert!(says(&verdict).contains(words), "{}", says(&verdict));
    }
}

#[tokio::test]
async fn a_node_is_cordoned_once_and_uncordoned_again() {
    let bench = bench().await;
    let job = bench.job(specs::CORDON, kinds::NODES, "oci-node-2", &[]).await;
    assert_eq!(bench.backend.preflight(&job).await.unwrap().decision, Decision::Allow);
    assert_eq!(bench.operate(&job).await.unwrap(), "cordoned");
    assert_eq!(bench.proof(&job).await, Proof::Seen("it is cordoned".to_owned()));
    assert_eq!(bench.backend.preflight(&job).await.unwrap().decision, Decision::Refuse);
    let job = bench.job(specs::UNCORDON, kinds::NODES, "oci-node-2", &[]).await;
    assert_eq!(bench.operate(&job).await.unwrap(), "uncordoned");
    let node = bench.lab.store.get("nodes", "oci-node-2").unwrap();
    assert!(node["spec"].get("unschedulable").is_none(), "{}", node["spec"]);
}

#[tokio::test]
async fn a_drain_waits_for_the_budget_and_then_moves_everything() {
    let bench = bench().await;
    let node = bench.lab.store.get("pods", &bench.pod("postgresql")).unwrap()["spec"]["nodeName"]
        .as_str()
        .unwrap()
        .to_owned();
    let agreed = [("lose-scratch", "true"), ("lose-bare", "true")];
    let job = bench.job(specs::DRAIN, kinds::NODES, &node, &agreed).await;
    let verdict = bench.backend.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Warn, "{}", says(&verdict));
    assert!(
        says(&verdict).contains("postgresql: 1 healthy of 1 that have to be, 0 may go: it will wait"),
        "{}",
        says(&verdict)
    );
    let (sink, mut progress) = mpsc::channel(256);
    let (operated, ()) = tokio::join!(bench.backend.operate(&job, sink), async {
        // Whoever looks after the database adds a second member, and the budget lets the first one go.
        while let Some(Progress::Step { note, .. }) = progress.recv().await {
            if note.contains("The disruption budget postgresql needs 1 healthy pods and has 1 currently") {
                let more = |set: &mut Value| set["spec"]["replicas"] = 2.into();
                bench.lab.store.update("statefulsets", "databases/postgresql", more).unwrap();
                break;
            }
        }
        while progress.recv().await.is_some() {}
    });
    assert!(operated.unwrap().said.starts_with("cordoned, "));
    assert!(matches!(bench.proof(&job).await, Proof::Seen(_)));
    let left =
        bench.lab.store.all("pods").iter().filter(|pod| pod["spec"]["nodeName"] == node.as_str()).count();
    assert_eq!(left, 1, "only the daemon set's pod stays");
}

#[tokio::test]
async fn a_drain_that_would_lose_data_has_to_be_agreed_to() {
    let bench = bench().await;
    let node = bench.lab.store.get("pods", &bench.pod("redis")).unwrap()["spec"]["nodeName"]
        .as_str()
        .unwrap()
        .to_owned();
    let job = bench.job(specs::DRAIN, kinds::NODES, &node, &[]).await;
    let verdict = bench.backend.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Refuse);
    assert!(says(&verdict).contains("emptyDir: databases/redis"), "{}", says(&verdict));
}

#[tokio::test]
async fn without_the_right_nothing_is_sent_and_the_right_is_named() {
    let bench = bench().await;
    bench.world.set("kubernetes-cloud.deny", "delete pods, patch deployments, create pods/eviction");
    let rights = bench.backend.rights().await.unwrap();
    let missing: Vec<&str> = rights.missing.values().map(String::as_str).collect();
    assert_eq!(
        missing,
        ["delete pods", "create pods/eviction", "patch deployments.apps", "patch deployments.apps"]
    );
    let job = bench.job(specs::DELETE_POD, kinds::PODS, &bench.pod("comet"), &[]).await;
    let verdict = bench.backend.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Refuse);
    let Err(SendError::Refused(fault)) = bench.operate(&job).await else { panic!("not refused") };
    assert_eq!(fault.missing.as_deref(), Some("delete pods"));
    assert_eq!(bench.lab.writes(), 0);
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_the_outcome_unknown_and_nothing_is_sent_twice() {
    let bench = bench().await;
    let cases: [(&str, &str, String, &str); 3] = [
        (specs::DELETE_POD, kinds::PODS, bench.pod("comet"), "DELETE"),
        (specs::SCALE, more::DEPLOYMENTS, "glance/glance".to_owned(), "PATCH"),
        (specs::CORDON, kinds::NODES, "oci-node-2".to_owned(), "PATCH"),
    ];
    for (op, kind, exact, method) in cases {
        let job = bench.job(op, kind, &exact, &[("replicas", "2")]).await;
        let writes = bench.lab.writes();
        bench.world.inject(format!("kubernetes-cloud:lost-answer@{method} /*1").parse().unwrap());
        let outcome = bench.operate(&job).await;
        assert!(matches!(outcome, Err(SendError::Unknown(_))), "{op}: {outcome:?}");
        assert_eq!(bench.lab.writes() - writes, 1, "{op}");
        let mut proof = bench.proof(&job).await;
        while matches!(proof, Proof::Unclear(..)) {
            proof = bench.proof(&job).await;
        }
        assert!(matches!(proof, Proof::Seen(_)), "{op}: {proof:?}");
    }
}

#[tokio::test]
async fn another_object_of_the_same_name_is_left_alone() {
    let bench = bench().await;
    let job = bench.job(specs::SCALE, more::DEPLOYMENTS, "glance/glance", &[("replicas", "2")]).await;
    let object = bench.lab.store.get("deployments", "glance/glance").unwrap();
    bench.lab.store.delete("deployments", "glance/glance", &json!({})).unwrap();
    bench.lab.store.put("deployments", object);
    assert!(matches!(bench.operate(&job).await, Err(SendError::NotSent(_))));
    let gone = EntityId::new(more::DEPLOYMENTS, "cloud", "glance/nothing");
    let job = Job { target: crate::model::op::Target { id: gone, ..job.target.clone() }, ..job };
    assert!(matches!(bench.operate(&job).await, Err(SendError::NotSent(_))));
    assert_eq!(bench.lab.writes(), 0);
}
