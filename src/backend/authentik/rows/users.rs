//! Users.

use std::sync::Arc;

use crate::backend::authentik::kinds::USERS;
use crate::backend::authentik::wire::User;
use crate::model::id::Identity;
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row, Tone, Value};

use super::{Place, State};

/// What other lists say of a user.
#[derive(Debug, Default, Clone, Copy)]
pub struct Besides<'a> {
    /// Its live sessions; absent where they cannot be seen.
    pub sessions: Option<usize>,
    /// Its second factors in words; absent where they cannot be seen.
    pub factors: Option<&'a str>,
    /// The key of the mark that an invitation leaves.
    pub mark: &'a str,
}

/// A row for a user; `None` where the server does not say which one it is.
pub fn row(user: &User, besides: Besides<'_>, place: &Place) -> Option<Row> {
    let pk = user.pk.0?;
    let state = state(user, besides.sessions.unwrap_or(0));
    let sessions = besides.sessions.map(|n| i64::try_from(n).unwrap_or(i64::MAX)).filter(|n| *n > 0);
    let cells = vec![
        state.cell(),
        Cell::new(user.username.as_str()),
        Cell::new(user.name.as_str()),
        Cell::toned(kind(&user.kind), Tone::Dim),
        Cell::new(group_names(user).join(", ").as_str()),
        superuser(user.is_superuser.0),
        factors(user, besides.factors),
        Cell::new(sessions),
        Cell::new(user.last_login.time()),
        Cell::toned(source(user, besides.mark).as_str(), Tone::Dim),
        Cell::new(user.email.as_str()),
        Cell::new(user.date_joined.time()),
        Cell::new(user.path.as_str()),
        Cell::new(pk),
    ];
    let mut row = Row::new(place.id(USERS, pk.to_string()), user.username.as_str(), cells);
    row.health = state.health;
    row.note = state.note.map(Arc::from);
    row.domain = place.domain;
    row.identity = identity(user);
    row.facets = Box::new([Facet::new(FacetKey::Name, user.username.as_str(), Grade::Hint)]);
    Some(row)
}

/// Whether somebody is a superuser; only a yes is a danger.
pub fn superuser(flag: Option<bool>) -> Cell {
    match flag {
        Some(true) => Cell::toned(true, Tone::Danger),
        other => Cell::new(other.map_or(Value::Empty, Value::Bool)),
    }
}

/// A person without a second factor is worth a warning where that person may do everything.
fn factors(user: &User, factors: Option<&str>) -> Cell {
    match factors {
        Some("") if user.is_superuser.is_true() => Cell::toned("none", Tone::Warn),
        Some(words) => Cell::new(words),
        None => Cell::toned("?", Tone::Unknown),
    }
}

/// How an account came to be, as far as its record tells.
pub fn source(user: &User, mark: &str) -> String {
    let invitation = user.attributes.get(mark).and_then(|mark| mark.get("invitation"));
    match invitation.and_then(serde_json::Value::as_str) {
        Some(name) => format!("invitation {name}"),
        None if user.path.starts_with("goauthentik.io/sources/") => {
            user.path.trim_start_matches("goauthentik.io/sources/").to_owned()
        }
        None => String::new(),
    }
}

/// What makes a user that user: number, uuid and name.
pub fn identity(user: &User) -> Identity {
    let pk = user.pk.0.map(|pk| pk.to_string()).unwrap_or_default();
    let facts = [("pk", pk.as_str()), ("uuid", user.uuid.as_str()), ("username", user.username.as_str())];
    let known = facts.into_iter().filter(|(_, value)| !value.is_empty());
    known.fold(Identity::new(), |identity, (fact, value)| identity.with(fact, value))
}

/// How a user with so many sessions is.
pub fn state(user: &User, sessions: usize) -> State {
    match user.is_active.0 {
        None => State::new("unknown", Health::Unknown),
        Some(false) if sessions > 0 => {
            let note = format!("inactive, yet {sessions} live sessions");
            State::new("inactive", Health::Warning).note(note)
        }
        Some(false) => State::new("inactive", Health::Off),
        Some(true) if awaits_groups(user) => {
            let note =
                if user.last_login.time().is_none() { "no groups, never logged in" } else { "no groups" };
            State::new("no groups", Health::Pending).note(note)
        }
        Some(true) => State::new("active", Health::Ok),
    }
}

/// A person who belongs to no group yet.
fn awaits_groups(user: &User) -> bool {
    matches!(user.kind.as_str(), "internal" | "external")
        && user.groups.as_ref().is_some_and(|groups| groups.0.is_empty())
}

/// The names of its groups, in alphabetical order.
pub fn group_names(user: &User) -> Vec<&str> {
    let mut names: Vec<&str> = user.groups_obj.iter().map(|group| group.name.as_str()).collect();
    names.sort_unstable();
    names
}

/// The server's type in a word.
pub fn kind(kind: &str) -> &str {
    match kind {
        "service_account" => "service",
        "internal_service_account" => "outpost",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use crate::model::row::Domain;

    use super::*;

    fn user(json: &str) -> User {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_state_says_who_waits_for_whom() {
        let cases = [
            (r#"{"is_active":true,"type":"internal","groups":["a"]}"#, "active", Health::Ok),
            (r#"{"is_active":true,"type":"external","groups":[]}"#, "no groups", Health::Pending),
            (r#"{"is_active":true,"type":"external"}"#, "active", Health::Ok),
            (r#"{"is_active":true,"type":"service_account","groups":[]}"#, "active", Health::Ok),
            (r#"{"is_active":false,"type":"external","groups":[]}"#, "inactive", Health::Off),
            (r#"{"is_active":"maybe"}"#, "unknown", Health::Unknown),
        ];
        for (json, word, health) in cases {
            let state = state(&user(json), 0);
            assert_eq!((state.word, state.health), (word, health), "{json}");
        }
        let out = user(r#"{"is_active":false}"#);
        assert_eq!(super::state(&out, 1).health, Health::Warning);
    }

    #[test]
    fn a_user_without_a_number_is_no_row() {
        let place = Place { instance: "auth".into(), domain: Domain::Cloud };
        assert_eq!(row(&user(r#"{"pk":"~7","username":"aunt"}"#), Besides::default(), &place), None);
        let row =
            row(&user(r#"{"pk":9,"username":"aunt","uuid":"u-9"}"#), Besides::default(), &place).unwrap();
        assert_eq!(row.id.to_string(), "authentik.users/auth/9");
        assert_eq!(row.identity.get("uuid"), Some("u-9"));
    }
}
