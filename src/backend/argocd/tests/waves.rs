//! Sync wave by wave: in order, stopped by the first wave that does not get good, read back as a whole.

use serde_json::json;

use super::*;

impl Bench {
    async fn series(&self, wave: &str, args: &[(&str, &str)]) -> Job {
        let target = self.argo.resolve(&kinds::WAVES.into(), wave).await.unwrap().remove(0);
        let job = self.job(kinds::SYNC, "nextcloud", args).await;
        Job { op: kinds::SYNC_WAVES.into(), target, ..job }
    }

    /// Makes an application differ from Git.
    fn differ(&self, name: &str) {
        let differ = |app: &mut serde_json::Value| {
            app["status"]["sync"]["status"] = "OutOfSync".into();
            app["status"]["resources"][0]["status"] = "OutOfSync".into();
        };
        self.lab.store.update("applications", &format!("argocd/{name}"), differ).unwrap();
    }
}

#[tokio::test]
async fn waves_are_synced_in_order_and_what_is_good_is_left_alone() {
    let bench = bench().await;
    bench.differ("traefik-cloud");
    let job = bench.series("in-cluster/2", &[]).await;
    let verdict = bench.argo.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Allow, "{}", says(&verdict));
    assert!(says(&verdict).contains("wave 2 traefik-cloud") && says(&verdict).contains("wave 4 nextcloud"));
    let since = bench.world.clock.now();
    let (outcome, notes) = bench.operate(&job).await;
    assert_eq!(outcome.unwrap().said, "2 applications were synced, wave by wave");
    let order: Vec<String> = bench.lab.patches().into_iter().map(|(key, _)| key).collect();
    assert_eq!(order, ["argocd/traefik-cloud", "argocd/nextcloud"]);
    assert!(notes.iter().any(|note| note.starts_with("wave 2: waiting for traefik-cloud")), "{notes:?}");
    let proof = bench.argo.verify(&job, None, since).await.unwrap();
    assert_eq!(proof, Proof::Seen("synced and healthy: traefik-cloud, nextcloud".to_owned()));
}

#[tokio::test]
async fn a_wave_that_does_not_get_good_stops_the_series_before_the_next() {
    let bench = bench().await;
    bench.differ("traefik-cloud");
    bench.world.set("argocd.fails", "traefik-cloud");
    let job = bench.series("in-cluster wave 2", &[("patience", "1m")]).await;
    let Err(SendError::Failed(fault)) = bench.operate(&job).await.0 else { panic!("it went on") };
    assert!(fault.what.starts_with("wave 2: traefik-cloud: Deployment traefik: "), "{fault}");
    assert_eq!(bench.lab.patches().len(), 1, "the later wave was left alone");
    let proof = bench.argo.verify(&job, None, bench.world.clock.now()).await.unwrap();
    assert!(matches!(proof, Proof::Absent(_)), "{proof:?}");
}

#[tokio::test]
async fn a_series_is_refused_where_a_window_is_closed_or_nothing_is_to_do() {
    let bench = bench().await;
    let nothing = bench.series("in-cluster/0", &[]).await;
    let nothing = Job {
        target: bench.argo.resolve(&kinds::WAVES.into(), "prod/4").await.unwrap().remove(0),
        ..nothing
    };
    assert_eq!(bench.argo.preflight(&nothing).await.unwrap().decision, Decision::Refuse);
    let window =
        json!([{"kind": "deny", "schedule": "0 0 * * *", "duration": "24h", "applications": ["next*"]}]);
    let close = |project: &mut serde_json::Value| project["spec"]["syncWindows"] = window;
    bench.lab.store.update("appprojects", "argocd/apps", close).unwrap();
    let job = bench.series("in-cluster/4", &[]).await;
    let verdict = bench.argo.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Refuse);
    assert!(says(&verdict).contains("closed by deny window"), "{}", says(&verdict));
    bench.world.set("kubernetes-cloud.deny", "patch applications");
    assert!(says(&bench.argo.preflight(&job).await.unwrap()).contains("lacks patch applications"));
}

#[tokio::test]
async fn a_lost_answer_in_a_series_is_unknown_and_read_back() {
    for fault in ["lost-answer", "swallowed"] {
        let bench = bench().await;
        let job = bench.series("in-cluster/4", &[]).await;
        let since = bench.world.clock.now();
        bench.inject(&format!("kubernetes-cloud:{fault}@PATCH /*1"));
        assert!(matches!(bench.operate(&job).await.0, Err(SendError::Unknown(_))), "{fault}");
        assert_eq!(bench.lab.writes(), 1, "{fault}");
        let mut proof = bench.argo.verify(&job, None, since).await.unwrap();
        while !matches!(proof, Proof::Seen(_)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
            proof = bench.argo.verify(&job, None, since).await.unwrap();
        }
        assert_eq!(bench.lab.patches().len(), 1, "{fault}: looking back sends nothing");
    }
}

#[tokio::test]
async fn a_series_of_other_members_is_another_series() {
    let bench = bench().await;
    let job = bench.series("in-cluster/4", &[]).await;
    let identity = bench.argo.preflight(&job).await.unwrap().identity;
    let job = Job { target: Target { identity, ..job.target.clone() }, ..job };
    bench.lab.store.delete("applications", "argocd/glance", &json!({})).unwrap();
    let Err(SendError::NotSent(fault)) = bench.operate(&job).await.0 else { panic!("it was sent") };
    assert!(fault.what.contains("other applications"), "{fault}");
}
