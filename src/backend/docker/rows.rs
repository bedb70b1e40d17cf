//! Containers, images and events as rows: health first, then what a pull may change.

use std::sync::Arc;

use jiff::Timestamp;

use crate::backend::lenient::Text;
use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Domain, Facet, FacetKey, Grade, Health, Row, Tone, Value};

use super::host::{Observed, Seen, image_of};
use super::kinds;
use super::version::{Reference, version};
use super::wire::{Event, Image, Inspected};

/// Restarts within an hour of life that are a loop.
const LOOP: i64 = 3;

/// Where rows belong.
#[derive(Debug, Clone)]
pub struct Place {
    /// The instance.
    pub instance: Arc<str>,
    /// Its domain.
    pub domain: Domain,
    /// The instant of the poll.
    pub now: Timestamp,
}

impl Place {
    fn row(&self, kind: &'static str, key: &str, name: &str, cells: Vec<Cell>) -> Row {
        let mut row = Row::new(EntityId::new(kind, self.instance.clone(), key), name, cells);
        row.domain = self.domain;
        row
    }
}

/// All rows of a poll.
pub fn all(seen: &Observed, place: &Place) -> Vec<Row> {
    let containers = seen.containers.iter().map(|one| container(one, place));
    containers.chain(seen.images.iter().map(|one| image(one, &seen.containers, place))).collect()
}

/// When a container was started last.
pub fn started(inspected: &Inspected) -> Option<Timestamp> {
    inspected.state.started_at.time().filter(|at| at.as_second() > 0)
}

/// The state's word, what it makes of health, and the one fact behind it.
pub fn state(seen: &Seen, now: Timestamp) -> (&'static str, Health, Option<String>) {
    let inspected = seen.inspected.as_ref();
    let restarts = inspected.map_or(0, |one| one.restart_count.or_zero());
    let fresh = inspected.and_then(started).is_some_and(|at| now.as_second() - at.as_second() < 3600);
    let looping = (restarts >= LOOP && fresh).then(|| format!("restarted {restarts} times by its policy"));
    match (&*seen.listed.state, seen.health()) {
        ("running", "unhealthy") => {
            let said = probe(inspected).unwrap_or_else(|| "its health check fails".to_owned());
            ("unhealthy", Health::Critical, Some(said))
        }
        ("running", "starting") => ("starting", Health::Pending, looping),
        ("running", "healthy") if looping.is_none() => ("healthy", Health::Ok, None),
        ("running", _) => match looping {
            Some(why) => ("running", Health::Warning, Some(why)),
            None => ("running", Health::Ok, None),
        },
        ("restarting", _) => ("restarting", Health::Critical, looping.or_else(|| Some(ended(inspected)))),
        ("paused", _) => ("paused", Health::Off, None),
        ("created", _) => ("created", Health::Off, Some("it was never started".to_owned())),
        ("exited", _) => exited(inspected),
        ("dead", _) => ("dead", Health::Critical, None),
        _ => ("unknown", Health::Unknown, None),
    }
}

/// One that ended well and is not meant to run again is off; any other is missing.
fn exited(inspected: Option<&Inspected>) -> (&'static str, Health, Option<String>) {
    let stays = inspected
        .is_some_and(|one| matches!(&*one.host_config.restart_policy.name, "always" | "unless-stopped"));
    let code = inspected.and_then(|one| one.state.exit_code.0);
    match (code, stays) {
        (Some(0), false) => ("exited", Health::Off, None),
        (Some(0), true) => {
            ("exited", Health::Warning, Some("stopped by hand: its policy would keep it up".to_owned()))
        }
        _ => ("exited", Health::Critical, Some(ended(inspected))),
    }
}

fn ended(inspected: Option<&Inspected>) -> String {
    let Some(state) = inspected.map(|one| &one.state) else { return "it does not stay up".to_owned() };
    if state.oom_killed.is_true() {
        return "killed: out of memory".to_owned();
    }
    match (state.error.some(), state.exit_code.0) {
        (Some(error), _) => error.to_owned(),
        (None, Some(code)) => format!("ended with {code}"),
        (None, None) => "it does not stay up".to_owned(),
    }
}

/// What the last failing probe printed.
fn probe(inspected: Option<&Inspected>) -> Option<String> {
    let health = inspected?.state.health.0.as_ref()?;
    let last = health.log.iter().rfind(|probe| probe.exit_code.or_zero() != 0)?;
    let line = crate::backend::error::first_line(&last.output);
    (!line.is_empty()).then_some(line)
}

/// The row of a container.
pub fn container(seen: &Seen, place: &Place) -> Row {
    let image = image_of(seen);
    let moves = Reference::read(image).moves();
    let (word, mut health, mut note) = state(seen, place.now);
    let tone = Tone::from(health);
    if let Some(fell) = &seen.fell {
        let now = seen.version.as_deref().unwrap_or_default();
        let at = fell.at.map_or_else(String::new, |at| at.strftime(" at %H:%MZ").to_string());
        note = Some(format!("version WENT DOWN from {} to {now}{at}", fell.from));
        health = Health::Critical;
    } else if let Some(why) = moves.as_ref().filter(|_| health == Health::Ok) {
        note = Some(format!("unpinned: {why}"));
        health = Health::Warning;
    }
    let inspected = seen.inspected.as_ref();
    let service = seen.label("com.docker.compose.service").unwrap_or_default();
    let digest = inspected.map_or(&*seen.listed.image_id, |one| &*one.image);
    let restarts = inspected.map(|one| one.restart_count.or_zero());
    let ports: Vec<String> = seen
        .listed
        .ports
        .iter()
        .filter_map(|port| Some(format!("{}:{}", &*port.ip, port.public_port.0?)))
        .collect();
    let cells = vec![
        Cell::toned(word, tone),
        Cell::new(Value::text(seen.name())),
        Cell::toned(
            Value::text(seen.version.as_deref().unwrap_or_default()),
            if seen.fell.is_some() { Tone::Error } else { Tone::Text },
        ),
        if moves.is_some() { Cell::toned("unpinned", Tone::Warn) } else { Cell::toned("pinned", Tone::Dim) },
        Cell::toned(restarts, if restarts >= Some(LOOP) { Tone::Warn } else { Tone::Text }),
        Cell::new(seen.stats.as_ref().and_then(super::wire::Stats::cpu)),
        Cell::new(seen.stats.as_ref().and_then(super::wire::Stats::memory)),
        Cell::new(inspected.and_then(started).filter(|_| &*seen.listed.state == "running")),
        Cell::new(Value::text(service)),
        Cell::new(Value::text(seen.label("com.docker.compose.project").unwrap_or_default())),
        Cell::new(Value::text(image)),
        Cell::toned(Value::text(short(digest)), Tone::Dim),
        Cell::new(Value::text(ports.join(" "))),
    ];
    let mut row = place.row(kinds::CONTAINERS, &seen.listed.id, seen.name(), cells);
    row.health = health;
    row.note = note.map(Arc::from);
    row.identity = identity(seen.name(), inspected, digest);
    row.facets = facets(seen, service, image);
    row
}

/// What makes a container this one, unchanged since it was looked at: two that restart it at once conflict here.
pub fn identity(name: &str, inspected: Option<&Inspected>, digest: &str) -> Identity {
    let identity = Identity::new().with("name", name).with("image", digest);
    match inspected {
        Some(one) => identity.with("id", &*one.id).with("started", &*one.state.started_at),
        None => identity,
    }
}

/// A service's name, and the hosts that its router's labels lead to it.
fn facets(seen: &Seen, service: &str, image: &str) -> Box<[Facet]> {
    let mut facets = vec![Facet::new(FacetKey::Name, seen.name(), Grade::Hint)];
    if !service.is_empty() && service != seen.name() {
        facets.push(Facet::new(FacetKey::Name, service, Grade::Hint));
    }
    // An outpost of Authentik is a gate, and compose services are named after it.
    if ["proxy", "ldap", "radius", "rac"].iter().any(|sort| image.contains(&format!("goauthentik/{sort}"))) {
        facets.push(Facet::new(FacetKey::Gate, service, Grade::Likely));
    }
    let rules = seen.listed.labels.iter().filter(|(name, _)| {
        name.starts_with("traefik.http.routers.") && name.strip_suffix(".rule").is_some()
    });
    for (_, rule) in rules {
        facets.extend(hosts(rule).map(|host| Facet::new(FacetKey::Host, host, Grade::Likely)));
    }
    facets.into_boxed_slice()
}

/// The names in "Host(`a.example`) || Host(`b.example`)".
fn hosts(rule: &Text) -> impl Iterator<Item = String> {
    rule.split("Host(`").skip(1).filter_map(|rest| rest.split('`').next()).map(str::to_ascii_lowercase)
}

fn short(digest: &str) -> String {
    digest.trim_start_matches("sha256:").chars().take(12).collect()
}

/// The row of an image.
fn image(image: &Image, containers: &[Seen], place: &Place) -> Row {
    let mut tags = image.repo_tags.iter().filter(|tag| !tag.contains("<none>"));
    let digest = image.repo_digests.iter().next().unwrap_or_default();
    let name =
        tags.next().map_or_else(|| format!("{} (untagged)", Reference::read(digest).name), str::to_owned);
    let users: Vec<&str> =
        containers.iter().filter(|seen| *seen.listed.image_id == *image.id).map(Seen::name).collect();
    let untagged = name.ends_with("(untagged)");
    let (word, tone) = match (users.is_empty(), untagged) {
        (false, _) => ("used", Tone::Ok),
        (true, true) => ("untagged", Tone::Dim),
        (true, false) => ("unused", Tone::Dim),
    };
    let built = image.created.0.and_then(|second| Timestamp::from_second(second).ok());
    let cells = vec![
        Cell::toned(word, tone),
        Cell::new(Value::text(&name)),
        Cell::new(Value::text(version(&image.labels, if untagged { "" } else { &name }).unwrap_or_default())),
        Cell::new(Value::text(users.join(" "))),
        Cell::new(image.size.0),
        Cell::new(built),
        Cell::toned(Value::text(digest.split_once('@').map_or("", |(_, digest)| digest)), Tone::Dim),
    ];
    let mut row = place.row(kinds::IMAGES, &image.id, &name, cells);
    row.health = if users.is_empty() { Health::Off } else { Health::Ok };
    row.identity = Identity::new().with("id", &*image.id);
    row
}

/// The row of an event; `None` where nobody would look for it.
pub fn event(event: &Event, place: &Place) -> Option<Row> {
    let action = event.action.split(':').next().unwrap_or_default().trim();
    let of_container = matches!(
        action,
        "create"
            | "start"
            | "die"
            | "oom"
            | "kill"
            | "restart"
            | "stop"
            | "destroy"
            | "health_status"
            | "rename"
            | "update"
    );
    let of_image = matches!(action, "pull" | "tag" | "untag" | "delete");
    if !(&*event.kind == "container" && of_container || &*event.kind == "image" && of_image) {
        return None;
    }
    let nanos = event.time_nano.0?;
    let at = Timestamp::from_nanosecond(i128::from(nanos)).ok()?;
    let fact = |name: &str| event.actor.attributes.get(name).map_or("", |text| text.as_str());
    let name = if fact("name").is_empty() { event.actor.id.as_str() } else { fact("name") };
    let exit: Option<i64> = fact("exitCode").parse().ok();
    let bad =
        action == "oom" || action == "die" && exit.unwrap_or(0) != 0 || event.action.contains("unhealthy");
    let cells = vec![
        Cell::toned(Value::text(&*event.action), if bad { Tone::Warn } else { Tone::Text }),
        Cell::new(Value::text(name)),
        Cell::new(at),
        Cell::new(Value::text(fact("image"))),
        Cell::new(exit),
    ];
    let key = format!("{nanos}-{action}-{}", event.actor.id.chars().take(12).collect::<String>());
    let mut row = place.row(kinds::EVENTS, &key, if name.is_empty() { "engine" } else { name }, cells);
    row.health = Health::Ok;
    let exit = exit.filter(|code| *code != 0).map_or_else(String::new, |code| format!(" with {code}"));
    row.note = Some(Arc::from(format!("{}{exit}", &*event.action)));
    row.facets = Box::new([Facet::new(FacetKey::Name, name, Grade::Hint)]);
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(listed: &str, inspected: &str) -> Seen {
        Seen {
            listed: serde_json::from_str(listed).unwrap(),
            inspected: serde_json::from_str(inspected).ok(),
            ..Seen::default()
        }
    }

    #[test]
    fn a_container_says_how_it_is_and_why() {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let cases = [
            (
                r#"{"State":"running"}"#,
                r#"{"State":{"Health":{"Status":"healthy"}}}"#,
                "healthy",
                Health::Ok,
                None,
            ),
            (
                r#"{"State":"running"}"#,
                r#"{"State":{"StartedAt":"2026-11-24T11:50:00Z"},"RestartCount":6}"#,
                "running",
                Health::Warning,
                Some("restarted 6"),
            ),
            (
                r#"{"State":"running"}"#,
                r#"{"State":{"StartedAt":"2026-11-20T11:50:00Z"},"RestartCount":6}"#,
                "running",
                Health::Ok,
                None,
            ),
            (
                r#"{"State":"running"}"#,
                r#"{"State":{"Health":{"Status":"unhealthy","Log":[{"ExitCode":1,"Output":"no space left\nx"}]}}}"#,
                "unhealthy",
                Health::Critical,
                Some("no space left"),
            ),
            (
                r#"{"State":"running","Status":"Up 5 seconds (health: starting)"}"#,
                "null",
                "starting",
                Health::Pending,
                None,
            ),
            (r#"{"State":"exited"}"#, r#"{"State":{"ExitCode":0}}"#, "exited", Health::Off, None),
            (
                r#"{"State":"exited"}"#,
                r#"{"State":{"ExitCode":137,"OOMKilled":true}}"#,
                "exited",
                Health::Critical,
                Some("out of memory"),
            ),
            (
                r#"{"State":"exited"}"#,
                r#"{"State":{"ExitCode":0},"HostConfig":{"RestartPolicy":{"Name":"always"}}}"#,
                "exited",
                Health::Warning,
                Some("by hand"),
            ),
            (r#"{"State":7}"#, "[]", "unknown", Health::Unknown, None),
        ];
        for (listed, inspected, word, health, why) in cases {
            let (found, as_health, note) = state(&seen(listed, inspected), now);
            assert_eq!((found, as_health), (word, health), "{listed} {inspected}");
            let note = note.unwrap_or_default();
            assert!(why.map_or(note.is_empty(), |why| note.contains(why)), "{note}");
        }
    }

    #[test]
    fn hosts_are_read_from_the_routers_rule() {
        let rule = Text::from("Host(`Auth.lab.example`) || (Host(`b.lab.example`) && PathPrefix(`/x`))");
        assert_eq!(hosts(&rule).collect::<Vec<_>>(), ["auth.lab.example", "b.lab.example"]);
    }

    #[test]
    fn only_events_that_somebody_looks_for_are_told() {
        let place = Place { instance: "mgmt".into(), domain: Domain::Cloud, now: Timestamp::UNIX_EPOCH };
        let read = |text: &str| event(&serde_json::from_str(text).unwrap(), &place);
        let die = r#"{"Type":"container","Action":"die","Actor":{"ID":"abc","Attributes":{"name":"server","exitCode":"1"}},"timeNano":1732449600000000000}"#;
        let row = read(die).unwrap();
        assert_eq!(
            (&*row.name, row.cells[0].tone, row.cells[4].value.as_number()),
            ("server", Tone::Warn, Some(1.0))
        );
        assert!(read(r#"{"Type":"container","Action":"exec_start: sh","timeNano":1}"#).is_none());
        assert!(read(r#"{"Type":"network","Action":"connect","timeNano":1}"#).is_none());
        assert!(read(r#"{"Type":"container","Action":"die","timeNano":"soon"}"#).is_none());
    }
}
