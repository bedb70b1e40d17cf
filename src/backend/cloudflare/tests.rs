use std::time::Duration;

use crate::backend::Backend as _;
use crate::backend::sim::{Fault, Running, Size, World, serve};
use crate::config::{Cloudflare as Settings, Connection, Secret, SecretSource};
use crate::model::row::{Domain, Health};
use crate::model::snapshot::Layer;
use crate::model::time::Clock;

use super::front::Front;
use super::{Client, Cloudflare, rows, sim};

async fn lab(token: Option<&str>, zone: &str) -> (std::sync::Arc<World>, Cloudflare, Running) {
    let (world, cloudflare, _, running) = configured(token, zone).await;
    (world, cloudflare, running)
}

async fn configured(
    token: Option<&str>,
    zone: &str,
) -> (std::sync::Arc<World>, Cloudflare, Settings, Running) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = Clock::manual("2026-11-22T12:00:00Z".parse().unwrap());
    let world = World::new(clock.clone(), 7, "calm", Size::default());
    let (running, _) = serve(sim::simulators(&world).remove(0), world.clone()).await.unwrap();
    let connection = Connection {
        domain: Domain::Edge,
        timeout: Duration::from_secs(2),
        ..Connection::to("cf", running.address.url.clone())
    };
    let token = token.map_or_else(|| sim::token(7), str::to_owned);
    let token = Secret::new(SecretSource::Memory(token.into()));
    let settings =
        Settings { connection, token, account: sim::ACCOUNT.to_owned(), zones: vec![zone.to_owned()] };
    let place = rows::Place { instance: "cf".into(), domain: Domain::Edge };
    let client = Client::new(&settings).unwrap();
    (world, Cloudflare { client, place, zones: settings.zones.clone(), clock }, settings, running)
}

#[tokio::test]
async fn everything_is_listed_and_what_ends_soon_is_named() {
    let (world, cloudflare, _running) = lab(None, "lab.example").await;
    for source in cloudflare.sources() {
        let snapshot = cloudflare.poll(&source.id).await.unwrap();
        assert!(snapshot.complete && !snapshot.rows.is_empty(), "{}", source.id);
    }
    let tokens = cloudflare.poll_feed("service-tokens").await.unwrap().rows;
    assert_eq!((tokens[0].health, tokens[1].health), (Health::Warning, Health::Ok));
    world.set("tunnel", "down");
    assert_eq!(cloudflare.poll_feed("tunnels").await.unwrap().rows[0].health, Health::Critical);
    assert!(cloudflare.doctor().await.healthy());
}

#[tokio::test]
async fn a_zone_that_is_not_seen_and_a_wrong_token_are_said() {
    let (world, cloudflare, _running) = lab(None, "other.example").await;
    let names = cloudflare.poll_feed("dns").await.unwrap();
    assert!(!names.complete && names.notes[0].contains("no zone other.example"), "{names:?}");
    world.inject("cloudflare:502".parse::<Fault>().unwrap());
    assert_eq!(cloudflare.poll_feed("tunnels").await.unwrap_err().fault.layer, Layer::Edge);
    let (_world, stranger, _running) = lab(Some("wrong"), "lab.example").await;
    assert_eq!(stranger.poll_feed("tunnels").await.unwrap_err().fault.layer, Layer::Auth);
    assert!(!stranger.doctor().await.healthy());
}

#[tokio::test]
async fn what_stands_in_front_of_names_is_read_as_a_whole_or_not_at_all() {
    let (world, _, settings, _running) = configured(None, "lab.example").await;
    world.set("second-gate", "n8n");
    let front = Front::read(std::slice::from_ref(&settings)).await.unwrap();
    let doors: Vec<&str> = front.doors.iter().map(|door| door.host.as_str()).collect();
    assert_eq!(doors, ["grafana.lab.example", "n8n.lab.example"]);
    assert_eq!(front.door("grafana.lab.example").map(|door| door.name.as_str()), Some("Grafana"));
    assert!(front.door("omni.lab.example").is_none());
    assert!(front.names.iter().any(|name| name.host == "omni.lab.example" && !name.bare));
    world.inject("cloudflare:500@GET /accounts".parse::<Fault>().unwrap());
    assert!(Front::read(&[settings]).await.is_err());
}
