//! What pods and applications cost: reading the API server's JSON, making rows, keeping them, taking changes in.
//!
//! Before the timings it prints what one kept row takes of memory, measured on 50,000 pods and 5,000 applications.
#![allow(clippy::print_stdout, reason = "a bench tells what it measured")]

use std::sync::Arc;

use divan::{AllocProfiler, Bencher};
use jiff::Timestamp;
use serde_json::json;
use vigie::backend::argocd::rows as applications;
use vigie::backend::argocd::wire::Application;
use vigie::backend::kubernetes::rows::{Maker, pods};
use vigie::backend::kubernetes::sim::seed::{PodSeed, pod};
use vigie::backend::kubernetes::wire::{Page, Pod};
use vigie::model::id::{KindId, SourceId};
use vigie::model::row::{Domain, Row};
use vigie::model::snapshot::{Cadence, Delta, Epoch, Mode, Snapshot, SourceSpec, Update};
use vigie::model::store::Store;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// As many as the client asks for at once.
const PAGE: u32 = 500;
/// A large cluster.
const PODS: u32 = 50_000;
/// A large Argo CD.
const APPLICATIONS: u32 = 5_000;

fn main() {
    kept("pods", PODS, pod_rows);
    kept("applications", APPLICATIONS, application_rows);
    divan::main();
}

/// Prints how much memory a store of so many rows takes, per row.
fn kept(kind: &str, count: u32, rows: fn(std::ops::Range<u32>) -> Vec<Row>) {
    let before = resident();
    let mut store = store(kind);
    // Page by page, as they come, so that what is read is gone before the next is.
    for first in (0..count).step_by(PAGE as usize) {
        store.apply(change(kind, rows(first..(first + PAGE).min(count))));
    }
    let bytes = resident().saturating_sub(before);
    println!("{count} {kind}: {} bytes a row, {} MiB together", bytes / u64::from(count), bytes >> 20);
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}

fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn source(kind: &str) -> SourceId {
    SourceId::new("kubernetes", "prod", kind)
}

fn store(kind: &str) -> Store {
    let mut store = Store::new([SourceSpec {
        id: source(kind),
        kinds: vec![KindId::new(format!("kubernetes.{kind}"))],
        mode: Mode::Poll(Cadence { focused: 1, visible: 1, hidden: 1 }),
        domain: Domain::Home,
    }]);
    let list = Snapshot::complete(Vec::new(), now());
    store.apply(Update { source: source(kind), epoch: Epoch(1), body: Ok(Delta::Reset(list)) });
    store
}

fn change(kind: &str, upserts: Vec<Row>) -> Update {
    let delta = Delta::Change { upserts, removes: Vec::new(), observed_at: now(), complete: true };
    Update { source: source(kind), epoch: Epoch(1), body: Ok(delta) }
}

fn page(range: std::ops::Range<u32>) -> String {
    let pods = range.map(|salt| {
        let workload = format!("load-{}", salt / 10);
        let namespace = format!("load-{}", salt % 40);
        let seed = PodSeed {
            namespace: &namespace,
            workload: &workload,
            app: &workload,
            node: "worker-1",
            salt,
            age: 90_000,
        };
        pod(&seed, now()).to_string()
    });
    let items = pods.collect::<Vec<_>>().join(",");
    format!("{{\"kind\":\"PodList\",\"metadata\":{{\"resourceVersion\":\"1\"}},\"items\":[{items}]}}")
}

fn rows(maker: &Maker, kind: &KindId, text: &str) -> Vec<Row> {
    let page: Page<Pod> = serde_json::from_str(text).unwrap_or_default();
    page.items.iter().map(|object| pods::row(maker, kind, object, now())).collect()
}

fn maker() -> &'static Maker {
    static MAKER: std::sync::OnceLock<Maker> = std::sync::OnceLock::new();
    MAKER.get_or_init(|| Maker::new(Arc::from("prod"), Domain::Home))
}

fn pod_rows(range: std::ops::Range<u32>) -> Vec<Row> {
    rows(maker(), &KindId::from("kubernetes.pods"), &page(range))
}

fn application_rows(range: std::ops::Range<u32>) -> Vec<Row> {
    let kind = KindId::from("argocd.applications");
    let domains = vec![(Arc::from("prod"), Domain::Home)];
    let row = |number: u32| {
        let text = application(number).to_string();
        let app: Application = serde_json::from_str(&text).unwrap_or_default();
        applications::project(maker(), &kind, &domains, None, &app, now()).row
    };
    range.map(row).collect()
}

fn application(number: u32) -> serde_json::Value {
    let name = format!("app-{number}");
    let resource = |kind: &str| json!({"group": "apps", "version": "v1", "kind": kind, "namespace": "media", "name": name, "status": "Synced"});
    let entry = |id: u32| json!({"id": id, "revision": "8f2c1a4d7e0b3c6f9a2d5e8b1c4f7a0d3e6b9c2f", "deployedAt": "2026-10-01T00:00:00Z"});
    json!({
        "metadata": {"name": name, "namespace": "argocd", "uid": format!("00000000-0000-4000-8000-{number:012}"), "resourceVersion": "1",
            "annotations": {"argocd.argoproj.io/sync-wave": (number % 5).to_string()}},
        "spec": {"project": "apps", "source": {"repoURL": "https://git.lab.example/lab.git", "path": name, "targetRevision": "main"},
            "destination": {"name": "prod", "namespace": format!("ns-{}", number % 40)}, "syncPolicy": {"automated": {}}},
        "status": {"sync": {"status": "Synced", "revision": "8f2c1a4d7e0b3c6f9a2d5e8b1c4f7a0d3e6b9c2f"},
            "health": {"status": "Healthy", "lastTransitionTime": "2026-10-01T00:00:00Z"}, "reconciledAt": "2026-10-02T00:00:00Z",
            "resources": (0..20).map(|_| resource("Deployment")).collect::<Vec<_>>(), "history": (0..10).map(entry).collect::<Vec<_>>()},
    })
}

/// JSON to rows, five hundred pods; the allocations that are left are the rows' own.
#[divan::bench]
fn page_of_500_pods_to_rows(bencher: Bencher) {
    let text = page(0..PAGE);
    let kind = KindId::from("kubernetes.pods");
    bencher.bench(|| rows(maker(), &kind, divan::black_box(&text)));
}

/// Only the reading.
#[divan::bench]
fn page_of_500_pods_read(bencher: Bencher) {
    let text = page(0..PAGE);
    bencher.bench(|| serde_json::from_str::<Page<Pod>>(divan::black_box(&text)).map(|page| page.items.len()));
}

/// One percent of 50,000 pods changed: the store takes the rows in and says which.
#[divan::bench(sample_count = 20)]
fn one_percent_of_50_000_pods_changed(bencher: Bencher) {
    let mut store = store("pods");
    store.apply(change("pods", pod_rows(0..PODS)));
    let changed = pod_rows(0..PODS / 100);
    bencher.with_inputs(|| change("pods", changed.clone())).bench_local_values(|update| store.apply(update));
}

/// The same of 5,000 applications.
#[divan::bench(sample_count = 20)]
fn one_percent_of_5_000_applications_changed(bencher: Bencher) {
    let mut store = store("applications");
    store.apply(change("applications", application_rows(0..APPLICATIONS)));
    let changed = application_rows(0..APPLICATIONS / 100);
    bencher
        .with_inputs(|| change("applications", changed.clone()))
        .bench_local_values(|update| store.apply(update));
}
