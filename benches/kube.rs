//! What a page of pods costs: reading the API server's JSON, and making rows of it; divan counts what stays allocated.

use std::sync::Arc;

use divan::{AllocProfiler, Bencher};
use jiff::Timestamp;
use vigie::backend::kubernetes::rows::{Maker, pods};
use vigie::backend::kubernetes::sim::seed::{PodSeed, pod};
use vigie::backend::kubernetes::wire::{Page, Pod};
use vigie::model::id::KindId;
use vigie::model::row::{Domain, Row};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// As many as the client asks for at once.
const PAGE: u32 = 500;

fn main() {
    divan::main();
}

fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn page() -> String {
    let pods = (0..PAGE).map(|salt| {
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

/// JSON to rows, five hundred pods; the allocations that are left are the rows' own.
#[divan::bench]
fn page_of_500_pods_to_rows(bencher: Bencher) {
    let text = page();
    let (maker, kind) = (Maker::new(Arc::from("prod"), Domain::Home), KindId::from("kubernetes.pods"));
    bencher.bench(|| rows(&maker, &kind, divan::black_box(&text)));
}

/// Only the reading.
#[divan::bench]
fn page_of_500_pods_read(bencher: Bencher) {
    let text = page();
    bencher.bench(|| serde_json::from_str::<Page<Pod>>(divan::black_box(&text)).map(|page| page.items.len()));
}
