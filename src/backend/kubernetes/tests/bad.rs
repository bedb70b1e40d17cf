//! What servers and programs should not send, and sometimes do: each costs its own place and nothing else.

use super::*;

#[tokio::test]
async fn an_object_of_one_and_a_half_megabytes_is_listed_and_followed() {
    let bench = bench("cloud", 0).await;
    let large = "x".repeat(1_500_000);
    let grow = |node: &mut serde_json::Value| node["metadata"]["annotations"]["large"] = large.into();
    bench.lab.store.update("nodes", "oci-node-1", grow).unwrap();
    let mut deltas = bench.follow("nodes");
    assert!(matches!(next(&mut deltas).await, Delta::Reset(snapshot) if snapshot.rows.len() == 2));
    let cordon = |node: &mut serde_json::Value| node["spec"]["unschedulable"] = true.into();
    bench.lab.store.update("nodes", "oci-node-1", cordon).unwrap();
    let Delta::Change { upserts, .. } = next(&mut deltas).await else { panic!("no change") };
    assert_eq!(upserts[0].cell(0).value.as_text(), Some("Cordoned"));
}

#[tokio::test]
async fn bytes_that_are_no_text_cost_themselves_in_a_log() {
    let bench = bench("cloud", 0).await;
    bench.world.set("kubernetes.logs", "torn");
    let rows = bench.backend.poll(&pods()).await.unwrap().rows;
    let running = rows.iter().find(|row| row.health == Health::Ok).unwrap();
    let View::Log(lines) = bench.opened(&running.id, "log").await else { panic!("no log") };
    assert!(lines.last().unwrap().text.contains('\u{fffd}') && lines.len() > 2, "{lines:?}");
}

#[tokio::test]
async fn a_cluster_that_vanishes_ends_the_watch_with_one_fault() {
    let bench = bench("cloud", 0).await;
    let (sink, mut deltas) = mpsc::channel(64);
    let backend = Kubernetes::new(bench.backend.cluster.clone(), bench.backend.clock.clone());
    let source = SourceId::new(ID, "cloud", "nodes");
    let watch = tokio::spawn(async move { backend.watch(&source, sink).await });
    assert!(matches!(next(&mut deltas).await, Delta::Reset(_)));
    // The history is gone and so is the server: the new list finds nobody.
    bench.inject("kubernetes-cloud:reset");
    bench.lab.store.compact();
    bench.lab.store.delete("nodes", "oci-node-2", &serde_json::json!({})).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(20), watch).await.unwrap().unwrap();
    assert_eq!(ended.unwrap_err().fault.layer, Layer::Http);
}

#[tokio::test]
async fn a_kind_that_may_not_be_listed_is_denied_alone() {
    let bench = bench("cloud", 0).await;
    bench.world.set("kubernetes-cloud.deny", "list deployments");
    let (denied, fine) = (SourceId::new(ID, "cloud", "deployments"), SourceId::new(ID, "cloud", "services"));
    assert_eq!(
        bench.backend.poll(&denied).await.unwrap_err().fault.missing.as_deref(),
        Some("list deployments.apps")
    );
    assert!(bench.backend.poll(&fine).await.is_ok());
}
