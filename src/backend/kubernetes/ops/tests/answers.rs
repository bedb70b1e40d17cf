//! Each operation without its right, and with an answer that never comes: nothing is sent twice, and the effect is
//! looked for afterwards.

use super::*;

/// An operation: its kind, its target, what it takes, its right as the simulator denies it, the request that changes.
struct Case {
    op: &'static str,
    kind: &'static str,
    target: String,
    args: &'static [(&'static str, &'static str)],
    right: &'static str,
    method: &'static str,
}

fn cases(bench: &Bench) -> Vec<Case> {
    let case = |op, kind, target: &str, args, right, method| Case {
        op,
        kind,
        target: target.to_owned(),
        args,
        right,
        method,
    };
    let node = "oci-node-2";
    vec![
        case(specs::DELETE_POD, kinds::PODS, &bench.pod("comet"), &[], "delete pods", "DELETE"),
        case(specs::DELETE_JOB, more::JOBS, "databases/pg-backup-29210460", &[], "delete jobs", "DELETE"),
        case(specs::RESTART, more::DEPLOYMENTS, "glance/glance", &[], "patch deployments", "PATCH"),
        case(specs::RESTART, more::STATEFULSETS, "databases/postgresql", &[], "patch statefulsets", "PATCH"),
        case(specs::SCALE, more::DEPLOYMENTS, "n8n/n8n", &[("replicas", "2")], "patch deployments", "PATCH"),
        case(specs::CORDON, kinds::NODES, node, &[], "patch nodes", "PATCH"),
        case(specs::UNCORDON, kinds::NODES, node, &[], "patch nodes", "PATCH"),
    ]
}

fn prepare(bench: &Bench, op: &str) {
    if op == specs::UNCORDON {
        let cordon = |node: &mut Value| node["spec"]["unschedulable"] = true.into();
        bench.lab.store.update("nodes", "oci-node-2", cordon).unwrap();
    }
}

#[tokio::test]
async fn without_its_right_an_operation_is_refused_before_and_by_the_server() {
    let bench = bench().await;
    for case in cases(&bench) {
        prepare(&bench, case.op);
        bench.world.set("kubernetes-cloud.deny", case.right);
        let job = bench.job(case.op, case.kind, &case.target, case.args).await;
        let verdict = bench.backend.preflight(&job).await.unwrap();
        assert_eq!(verdict.decision, Decision::Refuse, "{}", case.op);
        assert!(
            says(&verdict).contains(&format!("the credential lacks {}", case.right)),
            "{}",
            says(&verdict)
        );
        let Err(SendError::Refused(fault)) = bench.operate(&job).await else { panic!("{} went", case.op) };
        assert!(fault.missing.unwrap().starts_with(case.right), "{}", case.op);
        assert_eq!(bench.lab.writes(), 0, "{}", case.op);
    }
    bench.world.set("kubernetes-cloud.deny", "create pods/eviction");
    let drain = bench.job(specs::DRAIN, kinds::NODES, "oci-node-2", &[]).await;
    assert!(says(&bench.backend.preflight(&drain).await.unwrap()).contains("lacks create pods/eviction"));
}

#[tokio::test]
async fn an_answer_that_never_comes_is_unknown_and_then_read_back() {
    for fault in ["lost-answer", "swallowed"] {
        let bench = bench().await;
        for case in cases(&bench) {
            prepare(&bench, case.op);
            let job = bench.job(case.op, case.kind, &case.target, case.args).await;
            let writes = bench.lab.writes();
            bench.world.inject(format!("kubernetes-cloud:{fault}@{} /*1", case.method).parse().unwrap());
            let outcome = bench.operate(&job).await;
            assert!(matches!(outcome, Err(SendError::Unknown(_))), "{} {fault}: {outcome:?}", case.op);
            assert_eq!(bench.lab.writes() - writes, 1, "{} {fault}: sent once", case.op);
            let mut proof = bench.proof(&job).await;
            while matches!(proof, Proof::Unclear(..)) {
                tokio::time::sleep(Duration::from_millis(5)).await;
                proof = bench.proof(&job).await;
            }
            assert!(matches!(proof, Proof::Seen(_)), "{} {fault}: {proof:?}", case.op);
            assert_eq!(bench.lab.writes() - writes, 1, "{} {fault}: looking sends nothing", case.op);
        }
    }
}

/// A node on which no budget holds anything up.
fn free_node(bench: &Bench) -> &'static str {
    let database = bench.lab.store.get("pods", &bench.pod("postgresql")).unwrap();
    if database["spec"]["nodeName"] == "oci-node-1" { "oci-node-2" } else { "oci-node-1" }
}

#[tokio::test]
async fn a_drain_whose_cordon_is_lost_has_evicted_nothing_and_says_so() {
    for fault in ["lost-answer", "swallowed"] {
        let bench = bench().await;
        let agreed = [("lose-scratch", "true")];
        let job = bench.job(specs::DRAIN, kinds::NODES, free_node(&bench), &agreed).await;
        bench.world.inject(format!("kubernetes-cloud:{fault}@PATCH /*1").parse().unwrap());
        assert!(matches!(bench.operate(&job).await, Err(SendError::Unknown(_))), "{fault}");
        assert_eq!(bench.lab.writes(), 1, "{fault}");
        let proof = bench.proof(&job).await;
        assert!(matches!(&proof, Proof::Absent(why) if why.starts_with("it is cordoned; ")), "{proof:?}");
    }
}

#[tokio::test]
async fn an_eviction_whose_answer_is_lost_is_not_asked_for_again() {
    for fault in ["lost-answer", "swallowed"] {
        let bench = bench().await;
        let node = free_node(&bench);
        let on_node = || {
            let pods = bench.lab.store.all("pods");
            pods.iter().filter(|pod| pod["spec"]["nodeName"] == node).count()
        };
        let before = on_node();
        let args = [("lose-scratch", "true"), ("lose-bare", "true")];
        let job = bench.job(specs::DRAIN, kinds::NODES, node, &args).await;
        bench.world.inject(format!("kubernetes-cloud:{fault}@POST /api/v1/namespaces*1").parse().unwrap());
        bench.operate(&job).await.unwrap();
        // The daemon set's pod stays; one cordon and one eviction for each of the others.
        assert_eq!(usize::try_from(bench.lab.writes()).unwrap(), before - on_node() + 1, "{fault}");
        assert!(matches!(bench.proof(&job).await, Proof::Seen(_)), "{fault}");
    }
}
