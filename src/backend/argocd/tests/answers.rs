//! Each operation as the documentation writes its patch; refused; and with an answer that never comes.

use serde_json::{Value, json};

use super::*;

/// Each operation on an application, with what it takes.
const CASES: [(&str, &[(&str, &str)]); 6] = [
    (kinds::REFRESH, &[]),
    (kinds::HARD_REFRESH, &[]),
    (kinds::SYNC, &[("dry-run", "no")]),
    (kinds::ROLLBACK, &[("id", "11")]),
    (kinds::TERMINATE, &[]),
    (kinds::AUTO_SYNC, &[("state", "on")]),
];

/// What has to be so before an operation makes sense.
fn prepare(bench: &Bench, op: &str) {
    let running = json!({"phase": "Running", "message": "waiting", "operation": {"sync": {}}, "startedAt": "2026-11-20T02:59:00Z"});
    if op == kinds::TERMINATE {
        let stuck = |app: &mut Value| {
            app["status"]["operationState"] = running;
            // Far enough away for the controller not to end it by itself.
            app["status"]["simStepAt"] = "2027-01-01T00:00:00Z".into();
        };
        bench.lab.store.update("applications", "argocd/nextcloud", stuck).unwrap();
    }
}

/// The last patch without its preconditions, which have to be there.
fn last(bench: &Bench) -> Value {
    let (_, mut patch) = bench.lab.patches().pop().unwrap();
    let meta = patch["metadata"].as_object_mut().unwrap();
    assert!(meta.remove("uid").is_some() && meta.remove("resourceVersion").is_some(), "no preconditions");
    if meta.is_empty() {
        patch.as_object_mut().unwrap().remove("metadata");
    }
    patch
}

#[tokio::test]
async fn the_patches_are_those_that_argo_cd_documents() {
    let asked = json!({"initiatedBy": {"username": "admin1"},
        "info": [{"name": "vigie", "value": "run-1"}, {"name": "Reason", "value": "the demo"}]});
    let sync = json!({"prune": false, "syncStrategy": {"hook": {}}, "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"]});
    let retry = json!({"limit": 5, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m0s"}});
    let source =
        json!({"repoURL": sim::apps::REPOSITORY, "path": "apps/nextcloud", "targetRevision": "main"});
    let back = json!({"revision": sim::apps::BEFORE, "prune": false, "syncStrategy": {"apply": {}}, "source": source});
    let operation = |sync: Value, retry: Option<&Value>| {
        let mut operation = asked.clone();
        operation["sync"] = sync;
        if let Some(retry) = retry {
            operation["retry"] = retry.clone();
        }
        json!({"operation": operation})
    };
    let annotated = |how: &str| json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": how}}});
    let expected = [
        annotated("normal"),
        annotated("hard"),
        operation(sync, Some(&retry)),
        operation(back, None),
        json!({"status": {"operationState": {"phase": "Terminating"}}}),
        json!({"spec": {"syncPolicy": {"automated": {"enabled": true}}}}),
    ];
    for ((op, args), expected) in CASES.into_iter().zip(expected) {
        let bench = bench().await;
        prepare(&bench, op);
        let job = bench.job(op, "nextcloud", args).await;
        bench.operate(&job).await.0.unwrap();
        assert_eq!(last(&bench), expected, "{op}");
        assert_eq!(bench.lab.patches().len(), 1, "{op}");
    }
}

#[tokio::test]
async fn a_sync_holds_what_was_asked_for_and_no_more() {
    let bench = bench().await;
    let own = json!(["CreateNamespace=true", "ServerSideApply=true"]);
    let backoff = json!({"duration": "5s", "factor": 2, "maxDuration": "3m0s"});
    let deployment =
        json!([{"group": "apps", "kind": "Deployment", "namespace": "nextcloud", "name": "nextcloud"}]);
    let hook = json!({"hook": {}});
    let cases = [
        (
            vec![("dry-run", "only")],
            json!({"prune": false, "syncStrategy": hook, "dryRun": true, "syncOptions": own}),
            5,
        ),
        (
            vec![("dry-run", "no"), ("prune", "true"), ("retry", "0")],
            json!({"prune": true, "syncStrategy": hook, "syncOptions": own}),
            0,
        ),
        (
            vec![("dry-run", "no"), ("only", "Deployment/nextcloud"), ("options", "Replace=true")],
            json!({"prune": false, "syncStrategy": hook, "resources": deployment,
                "syncOptions": ["CreateNamespace=true", "ServerSideApply=true", "Replace=true"]}),
            5,
        ),
    ];
    for (args, sync, limit) in cases {
        let job = bench.job(kinds::SYNC, "nextcloud", &args).await;
        bench.operate(&job).await.0.unwrap();
        let operation = &last(&bench)["operation"];
        assert_eq!(operation["sync"], sync, "{args:?}");
        assert_eq!(operation["retry"], json!({"limit": limit, "backoff": backoff}), "{args:?}");
    }
    let job = bench.job(kinds::AUTO_SYNC, "comet", &[("state", "off")]).await;
    bench.operate(&job).await.0.unwrap();
    assert_eq!(last(&bench), json!({"spec": {"syncPolicy": {"automated": {"enabled": false}}}}));
}

#[tokio::test]
async fn without_the_right_no_operation_changes_anything() {
    for (op, args) in CASES {
        let bench = bench().await;
        prepare(&bench, op);
        bench.world.set("kubernetes-cloud.deny", "patch applications");
        let job = bench.job(op, "nextcloud", args).await;
        let verdict = bench.argo.preflight(&job).await.unwrap();
        assert_eq!(verdict.decision, Decision::Refuse, "{op}");
        assert!(says(&verdict).contains("lacks patch applications.argoproj.io"), "{op}: {}", says(&verdict));
        let Err(SendError::Refused(fault)) = bench.operate(&job).await.0 else {
            panic!("{op} was not refused")
        };
        assert_eq!(fault.missing.as_deref(), Some(kinds::PATCH), "{op}");
        assert_eq!(bench.lab.writes(), 0, "{op}");
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_leaves_the_outcome_unknown_until_it_is_read_back() {
    for fault in ["lost-answer", "swallowed"] {
        for (op, args) in CASES {
            let bench = bench().await;
            prepare(&bench, op);
            let job = bench.job(op, "nextcloud", args).await;
            let since = bench.world.clock.now();
            bench.inject(&format!("kubernetes-cloud:{fault}@PATCH /*1"));
            let (outcome, _) = bench.operate(&job).await;
            assert!(matches!(outcome, Err(SendError::Unknown(_))), "{op} {fault}: {outcome:?}");
            assert_eq!((bench.lab.writes(), bench.lab.patches().len()), (1, 1), "{op} {fault}: sent once");
            let mut proof = bench.argo.verify(&job, None, since).await.unwrap();
            while matches!(proof, Proof::Unclear(..)) {
                tokio::time::sleep(Duration::from_millis(5)).await;
                proof = bench.argo.verify(&job, None, since).await.unwrap();
            }
            assert!(matches!(proof, Proof::Seen(_)), "{op} {fault}: {proof:?}");
            assert_eq!(bench.lab.patches().len(), 1, "{op} {fault}: looking back sends nothing");
        }
    }
}
