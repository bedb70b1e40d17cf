//! Events in a line each. Of what the server keeps with an event, only what is known to be harmless is shown.

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::backend::authentik::kinds::EVENTS;
use crate::backend::authentik::seal::{dashed, seal};
use crate::backend::authentik::wire::Event;
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row, Tone};
use crate::model::time::seconds_between;

use super::{Place, State};

/// So many failed logins make a burst.
const BURST: usize = 10;
/// When they happen within so many seconds.
const WINDOW: i64 = 300;

/// Rows for events, newest first; a burst of failed logins marks its newest event.
pub fn rows(events: &[Event], place: &Place) -> Vec<Row> {
    let bursts = bursts(events);
    events.iter().zip(bursts).filter_map(|(event, burst)| row(event, burst, place)).collect()
}

/// For each event that is the newest of a burst, how many failed logins it has.
fn bursts(events: &[Event]) -> Vec<Option<usize>> {
    let failed: Vec<(usize, Timestamp)> = events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.action.as_str() == "login_failed")
        .filter_map(|(at, event)| Some((at, event.created.time()?)))
        .collect();
    let mut found = vec![None; events.len()];
    let mut next = 0;
    while let Some((at, newest)) = failed.get(next) {
        let within =
            failed[next..].iter().take_while(|(_, when)| seconds_between(*when, *newest) <= WINDOW).count();
        if within > BURST {
            found[*at] = Some(within);
            next += within;
        } else {
            next += 1;
        }
    }
    found
}

fn row(event: &Event, burst: Option<usize>, place: &Place) -> Option<Row> {
    let pk = event.pk.some()?;
    let state = state(event, burst);
    let (kind, object) = object(event);
    let detail = state.note.clone().unwrap_or_else(|| detail(event));
    let path = event.context.pointer("/http_request/path").and_then(Json::as_str).unwrap_or_default();
    let cells = vec![
        Cell::toned(event.action.as_str(), Tone::from(state.health)),
        Cell::new(event.created.time()),
        Cell::new(actor(event)),
        Cell::new(object.as_str()),
        Cell::new(event.client_ip.as_str()),
        Cell::new(detail.as_str()),
        Cell::toned(kind, Tone::Dim),
        Cell::toned(harmless(path), Tone::Dim),
        Cell::new(event.created.time()),
    ];
    let mut row = place.row(EVENTS, pk, object.as_str(), cells, state);
    if let Some(ip) = event.client_ip.some() {
        row.facets = Box::new([Facet::new(FacetKey::Ip, ip, Grade::Hint)]);
    }
    Some(row)
}

fn state(event: &Event, burst: Option<usize>) -> State {
    if let Some(count) = burst {
        return State::new("burst", Health::Critical).note(format!("{count} failed logins within 5 min"));
    }
    match event.action.as_str() {
        "login_failed" | "suspicious_request" | "configuration_error" => State::new("event", Health::Warning),
        "secret_rotate" => {
            State::new("event", Health::Warning).note("the server swapped a key: its program gets 403")
        }
        "secret_view" => State::new("event", Health::Warning).note("somebody looked at a key"),
        "impersonation_started" => State::new("event", Health::Warning).note("acts as somebody else"),
        "policy_exception" | "system_exception" | "system_task_exception" | "property_mapping_exception" => {
            State::new("event", Health::Warning)
        }
        _ => State::new("event", Health::Ok),
    }
}

/// Who did it: the user, or whom the failed login was for.
fn actor(event: &Event) -> &str {
    event.user.username.some().unwrap_or("somebody")
}

/// What it was done to: its kind and its name.
fn object(event: &Event) -> (&str, String) {
    let text = |pointer: &str| event.context.pointer(pointer).and_then(Json::as_str);
    if let Some(name) = text("/model/name") {
        let kind = text("/model/model_name").unwrap_or_default();
        // The text of an invitation may hold its key.
        let name =
            if kind == "invitation" { event.invitation().unwrap_or_default() } else { name.to_owned() };
        return (kind, name);
    }
    if let Some(name) = text("/authorized_application/name") {
        return ("application", name.to_owned());
    }
    if let Some(hex) = text("/invitation_uuid") {
        return ("invitation", format!("invitation {}", &seal(&dashed(hex))[..8]));
    }
    let user = text("/username").unwrap_or_else(|| actor(event));
    ("user", user.to_owned())
}

fn detail(event: &Event) -> String {
    let path = event.context.pointer("/http_request/path").and_then(Json::as_str).unwrap_or_default();
    match event.action.as_str() {
        // The open-source edition does not say who was added: only the request tells what was done.
        "model_updated" if path.ends_with("/add_user/") => {
            "somebody was added; the server does not say who".into()
        }
        "model_updated" if path.ends_with("/remove_user/") => {
            "somebody was removed; the server does not say who".into()
        }
        "user_write" if event.context.get("created") == Some(&Json::Bool(true)) => "enrolled".into(),
        "login" => {
            event.context.get("auth_method").and_then(Json::as_str).unwrap_or_default().replace('_', " ")
        }
        _ => event
            .context
            .get("message")
            .and_then(Json::as_str)
            .unwrap_or_default()
            .chars()
            .take(120)
            .collect(),
    }
}

/// A path, unless it names the key of an invitation.
fn harmless(path: &str) -> &str {
    if path.contains("/stages/invitation/invitations/") {
        "/api/v3/stages/invitation/invitations/…"
    } else {
        path
    }
}

impl Event {
    /// The name of the invitation that it is about, unless that text holds a key.
    pub fn invitation(&self) -> Option<String> {
        let model = self.context.get("model")?;
        if model.get("model_name").and_then(Json::as_str) != Some("invitation") {
            return None;
        }
        let name = model.get("name").and_then(Json::as_str)?;
        crate::backend::authentik::watch::is_slug(name).then(|| name.to_owned())
    }

    /// The key of the invitation that it is about, as the server writes it in a link.
    pub fn invitation_key(&self) -> Option<String> {
        let hex = if self.action.as_str() == "invitation_used" {
            self.context.get("invitation_uuid")
        } else {
            let model = self.context.get("model")?;
            (model.get("model_name").and_then(Json::as_str) == Some("invitation")).then(|| model.get("pk"))?
        };
        Some(dashed(hex?.as_str()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &str, second: i64, context: &str) -> Event {
        let at = Timestamp::from_second(1_790_000_000 - second).unwrap();
        let json = format!(
            r#"{{"pk":"e-{second}","action":"{action}","created":"{at}","user":{{"username":"alice"}},"context":{context}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn more_than_ten_failed_logins_in_five_minutes_are_one_burst() {
        let mut events: Vec<Event> = (0..11).map(|n| event("login_failed", n * 20, "{}")).collect();
        events.push(event("login", 1000, "{}"));
        let marks = |events: &[Event]| bursts(events).into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(marks(&events), [11]);
        events.remove(0);
        assert!(marks(&events).is_empty());
        let slow: Vec<Event> = (0..11).map(|n| event("login_failed", n * 31, "{}")).collect();
        assert!(marks(&slow).is_empty());
    }

    #[test]
    fn no_key_of_an_invitation_is_in_a_row() {
        let key = "c7e29822f1374896947d6172b8c74c2f";
        let used = event("invitation_used", 0, &format!(r#"{{"invitation_uuid":"{key}"}}"#));
        let dashes = dashed(key);
        let made = event(
            "model_created",
            1,
            &format!(
                r#"{{"model":{{"model_name":"invitation","pk":"{key}","name":"Invitation {dashes}"}},
                    "http_request":{{"path":"/api/v3/stages/invitation/invitations/{dashes}/"}}}}"#
            ),
        );
        assert_eq!(used.invitation_key(), made.invitation_key());
        let place = Place { instance: "auth".into(), domain: crate::model::row::Domain::Cloud };
        let text = format!("{:?}", rows(&[used, made], &place));
        assert!(!text.contains("c7e29822"), "{text}");
    }

    #[test]
    fn a_membership_change_says_that_nobody_knows_of_whom() {
        let context =
            r#"{"model":{"model_name":"group","name":"family"},"http_request":{"path":"/x/add_user/"}}"#;
        assert!(detail(&event("model_updated", 0, context)).contains("does not say who"));
    }
}
