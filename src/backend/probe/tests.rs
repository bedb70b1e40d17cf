use std::time::Duration;

use crate::backend::sim::{Fault, Running, Size, World, serve};
use crate::config::{Connection, Expect, Probe as Settings};
use crate::model::row::{Domain, Health, Row};
use crate::model::time::Clock;

use super::{Address, Probes, sim};

struct Bench {
    world: std::sync::Arc<World>,
    probes: Probes,
    _running: Running,
}

impl Bench {
    async fn new(scenario: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = Clock::manual("2026-11-22T12:00:00Z".parse().unwrap());
        let world = World::new(clock.clone(), 7, scenario, Size::default());
        let (running, _) = serve(sim::simulators(&world).remove(0), world.clone()).await.unwrap();
        let way = |name: &str, leg: &str| Connection {
            host_header: Some(format!("{name}.lab.example")),
            domain: Domain::Edge,
            timeout: Duration::from_secs(2),
            ..Connection::to(name, format!("{}/{leg}", running.address.url))
        };
        let probe = |name: &str, expect, gate: Option<&str>| {
            Address::new(&Settings {
                edge: way(name, "edge"),
                origin: Some(way(name, "origin")),
                expect,
                gate: gate.map(str::to_owned),
                domain: Domain::Edge,
                timeout: Duration::from_secs(2),
            })
        };
        let addresses = vec![
            probe("auth", Expect::Open, None),
            probe("grafana", Expect::Access, None),
            probe("omni", Expect::Login, Some("outpost")),
            probe("ntfy", Expect::Login, Some("outpost")),
            probe("nowhere", Expect::Login, None),
        ];
        Self { probes: Probes { instance: "probe".into(), addresses, clock }, world, _running: running }
    }

    async fn said(&self, name: &str) -> (String, Health, String, String) {
        let rows = self.probes.rows().await;
        let row: &Row = rows.iter().find(|row| &*row.name == name).unwrap();
        let text = |at: usize| row.cell(at).value.as_text().unwrap_or_default().to_owned();
        (text(0), row.health, text(5), text(6))
    }
}

#[tokio::test]
async fn what_a_stranger_should_meet_is_met() {
    let bench = Bench::new("calm").await;
    for name in ["auth", "grafana", "omni", "ntfy", "gate outpost"] {
        let (word, health, ..) = bench.said(name).await;
        assert_eq!((word.as_str(), health), ("ok", Health::Ok), "{name}");
    }
    let (word, _, layer, why) = bench.said("nowhere").await;
    assert_eq!((word.as_str(), layer.as_str()), ("origin", "http"), "{why}");
    assert!(why.contains("no such host"), "{why}");
}

#[tokio::test]
async fn a_gate_that_fails_is_one_failure_and_its_layer_is_named() {
    let bench = Bench::new("outpost-down").await;
    let (word, health, layer, why) = bench.said("gate outpost").await;
    assert_eq!((word.as_str(), health, layer.as_str()), ("gate", Health::Critical, "auth"));
    assert!(why.starts_with("2/2 hosts fail: 400") && why.contains("cannot keep sessions"), "{why}");
    assert_eq!(bench.said("auth").await.1, Health::Ok);
}

#[tokio::test]
async fn the_edge_is_at_fault_where_the_origin_is_well() {
    let bench = Bench::new("ci-challenge").await;
    let (word, health, layer, why) = bench.said("auth").await;
    assert_eq!((word.as_str(), health, layer.as_str()), ("edge", Health::Warning, "edge"));
    assert!(why.contains("challenge") && why.contains("the origin is well"), "{why}");
    let rows = bench.probes.rows().await;
    assert_eq!(rows[0].cell(10).value, "8a1b2c3d4e5f-CDG".into());
    bench.world.set("tunnel", "down");
    let (word, health, _, why) = bench.said("omni").await;
    assert_eq!((word.as_str(), health), ("edge", Health::Critical));
    assert!(why.contains("1033"), "{why}");
}

#[tokio::test]
async fn an_address_that_does_not_answer_says_at_which_layer() {
    let bench = Bench::new("calm").await;
    bench.world.inject("edge:reset@/edge".parse::<Fault>().unwrap());
    let (word, health, layer, why) = bench.said("omni").await;
    assert_eq!((word.as_str(), health, layer.as_str()), ("edge", Health::Critical, "http"), "{why}");
    bench.world.clear_faults();
    bench.world.inject("edge:timeout".parse::<Fault>().unwrap());
    let (word, _, _, why) = bench.said("omni").await;
    assert_eq!(word, "down");
    assert!(why.contains("no answer within"), "{why}");
}
