//! Sessions of browsers.

use crate::backend::authentik::kinds::SESSIONS;
use crate::backend::authentik::wire::{Login, User};
use crate::model::id::Identity;
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row, Tone};

use super::{Place, State};

/// A row for a session of a user; the user is absent where it cannot be seen.
pub fn row(login: &Login, user: Option<&User>, place: &Place) -> Option<Row> {
    let uuid = login.uuid.some()?;
    let state = state(login, user);
    let number = login.user.0.map(|pk| format!("user {pk}")).unwrap_or_default();
    let who = user.map_or(number.as_str(), |user| user.username.as_str());
    let name = format!("{who} {}", login.last_ip.as_str());
    let cells = vec![
        state.cell(),
        Cell::new(name.as_str()),
        Cell::new(who),
        Cell::new(login.last_ip.as_str()),
        Cell::new(place_of(login).as_str()),
        Cell::toned(with(login).as_str(), Tone::Dim),
        Cell::new(login.last_used.time()),
        Cell::new(login.expires.time()),
    ];
    let mut row = place.row(SESSIONS, uuid, name.as_str(), cells, state);
    row.identity = identity(login);
    if let Some(ip) = login.last_ip.some() {
        row.facets = Box::new([Facet::new(FacetKey::Ip, ip, Grade::Hint)]);
    }
    Some(row)
}

/// What makes a session that session.
pub fn identity(login: &Login) -> Identity {
    let identity = Identity::new().with("uuid", login.uuid.as_str());
    login.user.0.map_or(identity.clone(), |user| identity.with("user", user.to_string()))
}

fn state(login: &Login, user: Option<&User>) -> State {
    if login.current.is_true() {
        return State::new("own", Health::Ok);
    }
    match user.and_then(|user| user.is_active.0) {
        Some(false) => State::new("stale", Health::Warning).note("its user is inactive"),
        _ => State::new("live", Health::Ok),
    }
}

/// Browser and system in two words.
pub fn with(login: &Login) -> String {
    let agent = &login.user_agent;
    let words = [agent.user_agent.family.as_str(), agent.os.family.as_str()];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    if words.is_empty() { login.last_user_agent.to_string() } else { words.join(", ") }
}

fn place_of(login: &Login) -> String {
    let words = [login.geo_ip.city.as_str(), login.geo_ip.country.as_str()];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
}
