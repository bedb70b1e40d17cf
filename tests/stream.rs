//! Long lists stream: rows are handed on while the list is still coming, and never held together.
#![cfg(feature = "demo")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test's helpers may fail the test")]

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::mpsc;
use vigie::backend::{self, Backend};
use vigie::config::env::Env;
use vigie::config::load;
use vigie::demo::{Lab, Options};
use vigie::exec::read;
use vigie::model::row::Row;
use vigie::model::snapshot::{Delta, SourceSpec};
use vigie::model::time::Clock;

/// Rows of a page; three of them may be on their way at once: read, waiting, printed.
const PAGE: usize = 500;

fn pods(lab: &Lab) -> (Arc<dyn Backend>, SourceSpec) {
    let config = load::read(&lab.config, &Env::default()).unwrap();
    let backends = backend::connect(&config, &Clock::System);
    let cluster = backends.into_iter().find(|b| b.id() == "kubernetes" && &**b.instance() == "prod").unwrap();
    let source = cluster.sources().into_iter().find(|source| &*source.id.feed == "pods").unwrap();
    (cluster, source)
}

fn rows(delta: Delta) -> (Vec<Row>, bool) {
    match delta {
        Delta::Reset(list) => (list.rows, list.complete),
        Delta::Change { upserts, complete, .. } => (upserts, complete),
        Delta::Same(_) => (Vec::new(), false),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_pods_pass_through_and_are_never_held_together() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = Options {
        scenario: "many-pods".to_owned(),
        seed: 3,
        faults: Vec::new(),
        clock: Clock::System,
        config_out: None,
    };
    let lab = Lab::start(&options).await.unwrap();
    let (cluster, source) = pods(&lab);
    let (out, mut pieces) = mpsc::channel(1);
    let reading = async move {
        read::pieces(&*cluster, &source, Duration::from_secs(120), &out).await;
    };
    let reading = tokio::spawn(reading);
    // The name of a row lives as long as the row: nobody else keeps it.
    let mut names: Vec<Weak<str>> = Vec::new();
    let (mut most, mut first_of_many, mut whole) = (0, false, false);
    while let Some(piece) = pieces.recv().await {
        let (rows, complete) = rows(piece.body.unwrap());
        first_of_many |= names.is_empty() && !rows.is_empty() && !complete;
        names.extend(rows.iter().map(|row| Arc::downgrade(&row.id.key)));
        most = most.max(names.iter().filter(|name| name.strong_count() > 0).count());
        whole |= complete;
    }
    reading.await.unwrap();
    assert!(first_of_many, "the first rows come before the list is complete");
    assert!(whole && names.len() > 10_000, "{} rows came", names.len());
    assert!(most <= 3 * PAGE, "{most} rows were alive at once");
    let left = names.iter().filter(|name| name.strong_count() > 0).count();
    assert_eq!(left, 0, "nobody keeps a row");
}
