//! The backend against its simulated servers, over real HTTP and TLS.

mod answers;
mod bad;
mod learnt;
pub mod served;

use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::mpsc;

use crate::backend::sim::{Size, World};
use crate::model::row::Health;
use crate::model::snapshot::{Delta, Layer};
use crate::model::view::{Body, View};

use super::sim::lab::Lab;
use super::*;
use served::Served;

/// A served cluster and the backend on it.
struct Bench {
    world: Arc<World>,
    lab: Arc<Lab>,
    backend: Kubernetes,
    _served: Served,
}

async fn bench(name: &str, size: usize) -> Bench {
    let clock = Clock::manual(served::START.parse().unwrap());
    let world = World::new(clock.clone(), 1, "calm", Size { pods: size, ..Size::default() });
    let served = served::serve_cluster(&world, name).await;
    let backend = Kubernetes::new(served.cluster.clone(), clock);
    Bench { world, lab: served.lab.clone(), backend, _served: served }
}

impl Bench {
    fn follow(&self, feed: &str) -> mpsc::Receiver<Delta> {
        let (sink, deltas) = mpsc::channel(64);
        let backend = Kubernetes::new(self.backend.cluster.clone(), self.backend.clock.clone());
        let source = SourceId::new(ID, self.backend.instance().clone(), feed);
        tokio::spawn(async move { backend.watch(&source, sink).await });
        deltas
    }

    /// The first content of a view.
    async fn opened(&self, id: &EntityId, view: &str) -> View {
        let (sink, mut views) = mpsc::channel(4);
        tokio::select! {
            biased;
            // A view that is whole at once has ended before anybody looks.
            end = self.backend.open(id, view, sink) => {
                views.recv().await.unwrap_or_else(|| panic!("the view ended: {end:?}"))
            }
            view = views.recv() => view.unwrap(),
        }
    }

    fn inject(&self, fault: &str) {
        self.world.inject(fault.parse().unwrap());
    }
}

/// The next delta that tells something, within a few seconds.
async fn next(deltas: &mut mpsc::Receiver<Delta>) -> Delta {
    let wait = async {
        loop {
            match deltas.recv().await.unwrap() {
                Delta::Same(_) => {}
                delta => return delta,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap()
}

fn pods() -> SourceId {
    SourceId::new(ID, "cloud", "pods")
}

#[tokio::test]
async fn the_homelab_is_listed_with_its_broken_pod() {
    let bench = bench("cloud", 0).await;
    let snapshot = bench.backend.poll(&pods()).await.unwrap();
    assert!(snapshot.complete);
    assert_eq!(snapshot.rows.len(), 26);
    let lidarr = snapshot.rows.iter().find(|row| row.name.starts_with("lidarr")).unwrap();
    assert_eq!(lidarr.health, Health::Critical);
    assert_eq!(lidarr.cell(0).value.as_text(), Some("CrashLoopBackOff"));
    assert_eq!(lidarr.note.as_deref(), Some("lidarr: Error, exit 139"));
}

#[tokio::test]
async fn a_long_list_comes_page_by_page_and_is_complete_only_at_its_end() {
    let bench = bench("prod", 1_200).await;
    let mut deltas = bench.follow("pods");
    let Delta::Reset(first) = next(&mut deltas).await else { panic!("no reset first") };
    assert_eq!((first.rows.len(), first.complete), (500, false));
    let mut rows = first.rows.len();
    loop {
        let Delta::Change { upserts, complete, .. } = next(&mut deltas).await else { panic!("no change") };
        rows += upserts.len();
        if complete {
            break;
        }
    }
    assert_eq!(rows, 1_200 + 22);
}

#[tokio::test]
async fn changes_arrive_as_they_happen_and_a_deletion_removes_the_row() {
    let bench = bench("cloud", 0).await;
    let mut deltas = bench.follow("nodes");
    assert!(matches!(next(&mut deltas).await, Delta::Reset(snapshot) if snapshot.rows.len() == 2));
    bench
        .lab
        .store
        .update("nodes", "oci-node-2", |node| node["spec"]["unschedulable"] = true.into())
        .unwrap();
    let Delta::Change { upserts, .. } = next(&mut deltas).await else { panic!("no change") };
    assert_eq!((upserts.len(), upserts[0].cell(0).value.as_text()), (1, Some("Cordoned")));
    bench.lab.store.delete("nodes", "oci-node-2", &serde_json::json!({})).unwrap();
    let Delta::Change { removes, .. } = next(&mut deltas).await else { panic!("no change") };
    assert_eq!(&*removes[0].key, "oci-node-2");
}

#[tokio::test]
async fn a_place_that_the_server_has_forgotten_leads_to_a_new_list() {
    let bench = bench("cloud", 0).await;
    let mut deltas = bench.follow("nodes");
    assert!(matches!(next(&mut deltas).await, Delta::Reset(_)));
    bench.lab.store.compact();
    bench.lab.store.delete("nodes", "oci-node-2", &serde_json::json!({})).unwrap();
    let delta = next(&mut deltas).await;
    assert!(
        matches!(&delta, Delta::Reset(snapshot) if snapshot.rows.len() == 1 && snapshot.complete),
        "{delta:?}"
    );
}

#[tokio::test]
async fn every_fault_is_told_at_its_layer() {
    let bench = bench("cloud", 0).await;
    let cases = [
        ("kubernetes-cloud:timeout*1", Layer::Http),
        ("kubernetes-cloud:reset*1", Layer::Http),
        ("kubernetes-cloud:502*1", Layer::Edge),
        ("kubernetes-cloud:challenge*1", Layer::Edge),
        ("kubernetes-cloud:login*1", Layer::Edge),
        ("kubernetes-cloud:truncated*1", Layer::App),
        ("kubernetes-cloud:500*1", Layer::Http),
    ];
    for (fault, layer) in cases {
        bench.inject(fault);
        let error = bench.backend.poll(&pods()).await.unwrap_err();
        assert_eq!(error.fault.layer, layer, "{fault}: {error}");
    }
    assert!(bench.backend.poll(&pods()).await.is_ok());
}

#[tokio::test]
async fn another_certificate_is_a_matter_of_trust() {
    let bench = bench("cloud", 0).await;
    bench.inject("kubernetes-cloud:certificate");
    let error = bench.backend.poll(&pods()).await.unwrap_err();
    assert_eq!(error.fault.layer, Layer::Tls, "{error}");
}

#[tokio::test]
async fn values_of_wrong_types_cost_cells_and_not_the_list() {
    let bench = bench("cloud", 0).await;
    bench.inject("kubernetes-cloud:wrong-types@/api/v1/pods*1");
    let error = bench.backend.poll(&pods()).await.unwrap_err();
    // The list's own kind is twisted too, so that it is no list any more; the objects inside are read all the same.
    assert_eq!(error.fault.what, "the answer is no list");
}

#[tokio::test]
async fn a_missing_right_is_named_and_a_revoked_token_is_an_auth_matter() {
    let bench = bench("cloud", 0).await;
    bench.world.set("kubernetes-cloud.deny", "list pods");
    let error = bench.backend.poll(&pods()).await.unwrap_err();
    assert_eq!((error.fault.layer, error.fault.missing.as_deref()), (Layer::Auth, Some("list pods")));
    let diagnosis = bench.backend.doctor().await;
    let rights = diagnosis.findings.iter().find(|finding| finding.what == "rights").unwrap();
    assert_eq!(rights.says, "may not list pods");
    bench.world.set("kubernetes-cloud.token", "revoked");
    let error = bench.backend.poll(&pods()).await.unwrap_err();
    assert_eq!((error.fault.layer, error.fault.status), (Layer::Auth, Some(401)));
}

#[tokio::test]
async fn the_doctor_names_context_version_and_user() {
    let bench = bench("cloud", 0).await;
    let diagnosis = bench.backend.doctor().await;
    assert!(diagnosis.healthy(), "{:?}", diagnosis.findings);
    let says: String = diagnosis.findings.iter().map(|finding| finding.says.as_str()).collect();
    for part in ["context cloud at https://127.0.0.1", "v1.32.0", "system:serviceaccount:vigie:console"] {
        assert!(says.contains(part), "{part}: {says}");
    }
    assert!(diagnosis.certificate_ends.is_some());
}

#[tokio::test]
async fn a_name_is_resolved_exactly_or_not_at_all() {
    let bench = bench("cloud", 0).await;
    let kind = KindId::from("kubernetes.nodes");
    let found = bench.backend.resolve(&kind, "oci-node-1").await.unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].identity.get("uid").is_some());
    for name in ["oci-node", "OCI-NODE-1", "oci-node-1,oci-node-2", "", "../nodes"] {
        assert!(bench.backend.resolve(&kind, name).await.unwrap().is_empty(), "{name}");
    }
    let pod = bench.backend.poll(&pods()).await.unwrap().rows[0].clone();
    let found = bench.backend.resolve(&pod.id.kind, &pod.id.key).await.unwrap();
    assert_eq!(found[0].id, pod.id);
    assert_eq!(bench.backend.identify(&pod.id).await.unwrap(), pod.identity);
}

#[tokio::test]
async fn a_pod_is_described_with_its_events_and_its_log_is_followed() {
    let bench = bench("cloud", 0).await;
    let rows = bench.backend.poll(&pods()).await.unwrap().rows;
    let lidarr = rows.iter().find(|row| row.name.starts_with("lidarr")).unwrap();
    let View::Doc(doc) = bench.opened(&lidarr.id, "describe").await else { panic!("no document") };
    let Body::Facts(facts) = &doc.sections[0].body else { panic!("no facts") };
    assert_eq!(facts[0].value.as_text(), Some("CrashLoopBackOff"));
    assert_eq!(doc.sections.last().unwrap().heading, "events");
    let running = rows.iter().find(|row| row.health == Health::Ok).unwrap();
    let View::Log(lines) = bench.opened(&running.id, "log").await else { panic!("no log") };
    assert_eq!(lines.len(), 40);
    assert!(lines[0].at.is_some() && lines[0].text.starts_with("level="));
}

#[tokio::test]
async fn time_goes_on_in_the_lab() {
    let bench = bench("cloud", 0).await;
    let restarts = |rows: &[crate::model::row::Row]| {
        rows.iter()
            .find(|row| row.name.starts_with("lidarr"))
            .and_then(|row| row.cell(4).value.as_number())
            .unwrap()
    };
    assert!((restarts(&bench.backend.poll(&pods()).await.unwrap().rows) - 14.0).abs() < 0.1);
    bench.world.clock.advance(SignedDuration::from_secs(301));
    assert!((restarts(&bench.backend.poll(&pods()).await.unwrap().rows) - 15.0).abs() < 0.1);
}
