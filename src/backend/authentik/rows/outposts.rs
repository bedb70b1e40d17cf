//! Outposts: what is connected now, since an instance is forgotten 15 s after its last word.

use std::sync::Arc;

use jiff::Timestamp;

use crate::backend::authentik::kinds::OUTPOSTS;
use crate::backend::authentik::wire::{Outpost, OutpostHealth};
use crate::model::id::Identity;
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row, Tone};
use crate::model::time::{seconds_between, short};

use super::{Place, State};

/// Longer than this nothing is silent that still stands in the server's cache, in seconds.
const SILENT: i64 = 60;

/// A row for an outpost; `instances` are absent where they cannot be seen.
pub fn row(
    outpost: &Outpost,
    instances: Option<&[OutpostHealth]>,
    server: &str,
    place: &Place,
    now: Timestamp,
) -> Option<Row> {
    if outpost.pk.is_empty() {
        return None;
    }
    let state = state(outpost, instances, server, now);
    let seen = seen(instances.unwrap_or_default());
    let count = instances.map(|list| format!("{}/{}", list.len(), expected(outpost)));
    let apps = i64::try_from(outpost.providers.0.len()).unwrap_or(i64::MAX);
    let cells = vec![
        state.cell(),
        Cell::new(outpost.name.as_str()),
        Cell::toned(outpost.kind.as_str(), Tone::Dim),
        Cell::new(count.unwrap_or_else(|| "?".to_owned()).as_str()),
        Cell::new(oldest(instances.unwrap_or_default())),
        Cell::new(apps),
        Cell::new(seen),
        Cell::toned(server, Tone::Dim),
        Cell::new(outpost.config.authentik_host.as_str()),
    ];
    let mut row = Row::new(place.id(OUTPOSTS, outpost.pk.as_str()), outpost.name.as_str(), cells);
    row.health = state.health;
    row.note = state.note.map(Arc::from);
    row.domain = place.domain;
    row.identity = identity(outpost);
    row.facets = facets(outpost, instances.unwrap_or_default(), place);
    Some(row)
}

/// What makes an outpost that outpost.
pub fn identity(outpost: &Outpost) -> Identity {
    Identity::new().with("pk", outpost.pk.as_str()).with("name", outpost.name.as_str())
}

/// How an outpost is; `server` is the server's own version, since what an instance says it should be may be old.
pub fn state(outpost: &Outpost, instances: Option<&[OutpostHealth]>, server: &str, now: Timestamp) -> State {
    let Some(instances) = instances else {
        return State::new("unknown", Health::Unknown).note("its instances cannot be seen");
    };
    if instances.is_empty() {
        return State::new("down", Health::Critical).note("no instance is connected");
    }
    let silent = seen(instances).map_or(0, |seen| seconds_between(seen, now));
    if silent > SILENT {
        return State::new("silent", Health::Critical).note(format!("last heard of {} ago", short(silent)));
    }
    let wanted = expected(outpost);
    if instances.len() < wanted {
        return State::new("degraded", Health::Warning)
            .note(format!("{} of {wanted} instances", instances.len()));
    }
    let oldest = oldest(instances);
    if !server.is_empty() && !oldest.is_empty() && oldest != server {
        return State::new("outdated", Health::Warning).note(format!("{oldest}, the server is {server}"));
    }
    State::new("up", Health::Ok)
}

/// How many instances there should be; those outside Kubernetes are one.
fn expected(outpost: &Outpost) -> usize {
    outpost.config.kubernetes_replicas.0.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).max(1)
}

fn seen(instances: &[OutpostHealth]) -> Option<Timestamp> {
    instances.iter().filter_map(|instance| instance.last_seen.time()).max()
}

/// The version that lags behind most, by the numbers in it.
fn oldest(instances: &[OutpostHealth]) -> &str {
    let versions =
        instances.iter().map(|instance| instance.version.as_str()).filter(|version| !version.is_empty());
    versions.min_by(|a, b| crate::model::row::natural(a, b)).unwrap_or_default()
}

/// It is a gate by its name, and for each provider that it serves.
fn facets(outpost: &Outpost, instances: &[OutpostHealth], place: &Place) -> Box<[Facet]> {
    let hosts = instances.iter().filter(|instance| !instance.hostname.is_empty());
    let hosts =
        hosts.map(|instance| Facet::new(FacetKey::Host, instance.hostname.to_lowercase(), Grade::Likely));
    let gates = outpost.providers.iter().map(|provider| place.gate(provider));
    let named = [
        Facet::new(FacetKey::Gate, outpost.name.as_str(), Grade::Certain),
        Facet::new(FacetKey::Name, outpost.name.as_str(), Grade::Hint),
    ];
    hosts.chain(gates).chain(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_says_what_is_connected_and_how_old_it_is() {
        let now: Timestamp = "2026-11-22T10:32:00Z".parse().unwrap();
        let outpost: Outpost =
            serde_json::from_str(r#"{"pk":"o","name":"proxy","config":{"kubernetes_replicas":2}}"#).unwrap();
        let one = |version: &str, at: &str| OutpostHealth {
            version: version.into(),
            last_seen: at.into(),
            ..OutpostHealth::default()
        };
        let fresh = "2026-11-22T10:31:58Z";
        let cases = [
            (None, "unknown", Health::Unknown),
            (Some(vec![]), "down", Health::Critical),
            (Some(vec![one("2026.2.2", fresh)]), "degraded", Health::Warning),
            (Some(vec![one("2026.2.2", fresh), one("2026.2.10", fresh)]), "outdated", Health::Warning),
            (Some(vec![one("2026.2.10", fresh), one("2026.2.10", fresh)]), "up", Health::Ok),
            (Some(vec![one("2026.2.10", "2026-11-22T10:06:00Z")]), "silent", Health::Critical),
            (Some(vec![one("", "garbage"), one("", "")]), "up", Health::Ok),
        ];
        for (instances, word, health) in cases {
            let state = state(&outpost, instances.as_deref(), "2026.2.10", now);
            assert_eq!((state.word, state.health), (word, health), "{instances:?}");
        }
    }
}
