//! Lines around an instant, read from the simulator over HTTP.

use crate::backend::sim::{Running, Size, World, serve};
use crate::config::{Connection, HttpAuth};
use crate::model::snapshot::Layer;

use super::*;

const BEGAN: &str = "2026-11-24T10:00:00Z";

async fn lab(tenant: Option<&str>) -> (Arc<World>, Running, Loki) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = Clock::manual(BEGAN.parse().unwrap());
    let world = World::new(clock.clone(), 7, "calm", Size::default());
    let (running, _) = serve(sim::all(&world).remove(0), world.clone()).await.unwrap();
    let connection =
        Connection { domain: Domain::Home, ..Connection::to("loki", running.address.url.clone()) };
    let config = config::Loki {
        connection,
        auth: HttpAuth::None,
        tenant: tenant.map(str::to_owned),
        grafana: Some(("https://grafana.example".into(), "uid1".into())),
    };
    (world, running, Loki { reader: Reader::new(&config), domain: Domain::Home, clock })
}

fn of<'l>(labels: &'l [(&'l str, &'l str)]) -> impl Fn(&str) -> Option<&'l str> {
    move |name| labels.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

#[tokio::test]
async fn lines_around_an_alert_come_from_the_narrowest_selector_that_has_some() {
    let (_world, _running, loki) = lab(Some("lab")).await;
    let (at, now) = ("2026-11-24T09:30:00Z".parse().unwrap(), loki.clock.now());
    let gone = [("namespace", "media"), ("pod", "lidarr-gone"), ("container", "lidarr")];
    let found = loki.reader.around(of(&gone), at, now).await.unwrap();
    assert_eq!(
        found.selector, r#"{namespace="media",container="lidarr"}"#,
        "the pod that is gone has no lines"
    );
    let first = found.lines.first().unwrap().at.unwrap();
    let last = found.lines.last().unwrap().at.unwrap();
    assert!(first >= found.span.0 && last < found.span.1 && found.lines.is_sorted_by_key(|line| line.at));
    assert_eq!(
        found.span,
        ("2026-11-24T09:20:00Z".parse().unwrap(), "2026-11-24T09:35:00Z".parse().unwrap())
    );
    assert!(found.lines.iter().any(|line| line.text.contains("database is locked")));
    let nothing = loki.reader.around(of(&[("namespace", "empty")]), at, now).await.unwrap();
    assert!(nothing.lines.is_empty(), "no lines are no lines, not an error");
    assert!(loki.reader.around(of(&[("alertname", "X")]), at, now).await.is_err());
}

#[tokio::test]
async fn the_link_has_the_same_window_and_selector() {
    let (_world, _running, loki) = lab(Some("lab")).await;
    let span = window(BEGAN.parse().unwrap(), BEGAN.parse().unwrap());
    let link = loki.reader.link(r#"{pod="a b"}"#, span).unwrap();
    let url = url::Url::parse(&link).unwrap();
    let panes = url.query_pairs().find(|(name, _)| name == "panes").unwrap().1.into_owned();
    let panes: serde_json::Value = serde_json::from_str(&panes).unwrap();
    assert_eq!(panes["v"]["queries"][0]["expr"], r#"{pod="a b"}"#);
    assert_eq!(panes["v"]["range"]["from"], span.0.as_millisecond().to_string());
}

#[tokio::test]
async fn a_missing_tenant_is_told_with_the_setting_that_cures_it() {
    let (_world, _running, loki) = lab(None).await;
    let error = loki.list().await.unwrap_err();
    assert_eq!(error.fault.layer, Layer::Auth);
    assert!(error.fault.hint.contains("tenant"), "{error}");
}

#[tokio::test]
async fn streams_are_rows_that_other_systems_know() {
    let (_world, _running, loki) = lab(Some("lab")).await;
    let list = loki.list().await.unwrap();
    assert_eq!(list.rows.len(), 4);
    let lidarr = list.rows.iter().find(|row| row.name.starts_with("lidarr")).unwrap();
    assert_eq!(&*lidarr.facets[0].value, "cloud/media/lidarr-76961805-81b6f");
}
