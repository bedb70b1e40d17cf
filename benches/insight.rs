//! What joining costs: problems over a storm of alerts, links over everything that a large platform has.

#![allow(clippy::expect_used, reason = "a bench may fail where its platform cannot be made")]

use divan::Bencher;
use jiff::Timestamp;
use vigie::insight::lookout::{Facts, Lookout, Settings};
use vigie::model::id::{EntityId, SourceId};
use vigie::model::kind::{Column, Format, KindSpec, Kinds, Width};
use vigie::model::ledger::Ledger;
use vigie::model::row::{Cell, Domain, Facet, FacetKey, Grade, Health, Row};
use vigie::model::snapshot::{Delta, Epoch, Mode, Snapshot, SourceSpec, Update};
use vigie::model::store::{Changes, Store};

/// Pods in the platform; with their nodes, applications and alerts it has more than 20,000 things.
const PODS: usize = 18_000;
const NODES: usize = 60;
const APPS: usize = 400;
const ALERTS: usize = 2_000;

fn main() {
    divan::main();
}

/// A platform, and the look-out over it.
struct Bench {
    store: Store,
    kinds: Kinds,
    lookout: Lookout,
    runs: Ledger,
    now: Timestamp,
    epoch: u64,
}

fn kind(id: &str) -> KindSpec {
    let column = |name: &'static str, format| Column::new(name, name, Width::Fit(4, 20), "x").format(format);
    KindSpec {
        id: id.into(),
        singular: "thing".into(),
        aliases: vec![],
        doc: "x".into(),
        columns: vec![
            column("state", Format::State),
            column("severity", Format::Plain),
            column("name", Format::Plain),
            column("since", Format::Age),
        ],
        sort: (0, false),
        views: vec![],
        drill: None,
        pane: None,
    }
}

fn row(kind: &str, name: &str, health: Health, now: Timestamp, facets: Vec<Facet>) -> Row {
    let word = if health == Health::Ok { "ok" } else { "firing" };
    let cells = vec![Cell::new(word), Cell::new("warning"), Cell::new(name), Cell::new(now)];
    let mut row = Row::new(EntityId::new(kind, "cloud", name), name, cells);
    (row.health, row.domain, row.facets) = (health, Domain::Cloud, facets.into());
    row
}

fn pod(n: usize, health: Health, now: Timestamp) -> Row {
    let facet = |key, value: String| Facet::new(key, value, Grade::Certain);
    let facets = vec![
        facet(FacetKey::Object, format!("cloud/team-{}/app-{n:05}", n % 40)),
        facet(FacetKey::Node, format!("cloud/node-{}", n % NODES)),
        facet(FacetKey::App, format!("app-{}", n % APPS)),
    ];
    row("kubernetes.pods", &format!("team-{}/app-{n:05}", n % 40), health, now, facets)
}

fn pods(now: Timestamp) -> Vec<Row> {
    (0..PODS).map(|n| pod(n, Health::Ok, now)).collect()
}

fn nodes(now: Timestamp) -> Vec<Row> {
    let one = |n: usize| {
        let facets = vec![Facet::new(FacetKey::Node, format!("cloud/node-{n}"), Grade::Certain)];
        row("kubernetes.nodes", &format!("node-{n}"), Health::Ok, now, facets)
    };
    (0..NODES).map(one).collect()
}

fn apps(now: Timestamp) -> Vec<Row> {
    let one = |n: usize| {
        let facets = vec![Facet::new(FacetKey::App, format!("app-{n}"), Grade::Certain)];
        row("argocd.applications", &format!("app-{n}"), Health::Ok, now, facets)
    };
    (0..APPS).map(one).collect()
}

/// Each on a pod and its node, as kube-state-metrics names them.
fn alerts(now: Timestamp) -> Vec<Row> {
    let one = |n: usize| {
        let facets = vec![
            Facet::new(FacetKey::Object, format!("cloud/team-{}/app-{n:05}", n % 40), Grade::Certain),
            Facet::new(FacetKey::Node, format!("cloud/node-{}", n % NODES), Grade::Likely),
        ];
        let health = if n.is_multiple_of(3) { Health::Critical } else { Health::Warning };
        row("alerts.alerts", &format!("Rule{:03} {n}", n % 500), health, now, facets)
    };
    (0..ALERTS).map(one).collect()
}

impl Bench {
    fn new() -> Self {
        let now: Timestamp = "2026-03-01T03:00:00Z".parse().expect("an instant");
        let names = ["kubernetes.pods", "kubernetes.nodes", "argocd.applications", "alerts.alerts"];
        let kinds = Kinds::new(names.map(kind).into_iter().chain(vigie::insight::kinds::kinds()));
        let mut store = Store::new(Lookout::sources());
        for name in names {
            let (kinds, mode) = (vec![name.into()], Mode::Watch);
            store.declare(SourceSpec { id: source(name), kinds, mode, domain: Domain::Cloud });
        }
        let lookout = Lookout::new(Settings::default(), now);
        let mut bench = Self { store, kinds, lookout, runs: Ledger::default(), now, epoch: 0 };
        let lists = [pods(now), nodes(now), apps(now), alerts(now)];
        for (name, rows) in names.into_iter().zip(lists) {
            let changes = bench.put(name, Delta::Reset(Snapshot::complete(rows, now)));
            bench.take(name, &changes);
        }
        bench
    }

    fn facts(&self) -> Facts<'_> {
        Facts { store: &self.store, kinds: &self.kinds, runs: &self.runs, now: self.now }
    }

    fn put(&mut self, kind: &str, delta: Delta) -> Changes {
        self.epoch += 1;
        self.store.apply(Update { source: source(kind), epoch: Epoch(self.epoch), body: Ok(delta) })
    }

    fn take(&mut self, kind: &str, changes: &Changes) {
        let facts = Facts { store: &self.store, kinds: &self.kinds, runs: &self.runs, now: self.now };
        self.lookout.take(&source(kind), changes, facts);
    }
}

fn source(kind: &str) -> SourceId {
    let (backend, feed) = kind.split_once('.').unwrap_or((kind, ""));
    SourceId::new(backend.to_owned(), "cloud", feed.to_owned())
}

/// Everything is looked at again, as after each poll that brought something new: at most 5 ms.
#[divan::bench(sample_count = 20)]
fn problems_over_two_thousand_alerts(bencher: Bencher<'_, '_>) {
    let mut bench = Bench::new();
    bencher.bench_local(|| {
        bench.lookout.look_again();
        let facts = Facts { store: &bench.store, kinds: &bench.kinds, runs: &bench.runs, now: bench.now };
        bench.lookout.evaluate(facts)
    });
}

/// A poll that brought nothing new.
#[divan::bench]
fn problems_where_nothing_changed(bencher: Bencher<'_, '_>) {
    let mut bench = Bench::new();
    let facts = Facts { store: &bench.store, kinds: &bench.kinds, runs: &bench.runs, now: bench.now };
    bench.lookout.evaluate(facts);
    bencher.bench_local(|| {
        let facts = Facts { store: &bench.store, kinds: &bench.kinds, runs: &bench.runs, now: bench.now };
        bench.lookout.evaluate(facts).is_none()
    });
}

/// One in a hundred pods of 20,000 things changed: only those are indexed again.
#[divan::bench(sample_count = 20)]
fn links_after_one_percent_changed(bencher: Bencher<'_, '_>) {
    let mut bench = Bench::new();
    let mut round = 0;
    bencher.bench_local(|| {
        round += 1;
        let health = if round % 2 == 0 { Health::Ok } else { Health::Pending };
        let rows = (0..PODS).step_by(100).map(|n| pod(n, health, bench.now)).collect();
        let delta =
            Delta::Change { upserts: rows, removes: Vec::new(), observed_at: bench.now, complete: true };
        let changes = bench.put("kubernetes.pods", delta);
        bench.take("kubernetes.pods", &changes);
        changes.ids.len()
    });
}

/// What `L` asks: everything linked to a node with three hundred pods.
#[divan::bench]
fn everything_linked_to_a_node(bencher: Bencher<'_, '_>) {
    let bench = Bench::new();
    let id = EntityId::new("kubernetes.nodes", "cloud", "node-7");
    let node = bench.facts().store.get(&id).cloned().expect("the node");
    bencher.bench_local(|| bench.lookout.related(&node).len());
}
