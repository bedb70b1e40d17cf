//! Accounts of programs: those that are there, and those that should be.

use jiff::Timestamp;

use crate::backend::authentik::kinds::SERVICE_ACCOUNTS;
use crate::backend::authentik::wire::{Token, User};
use crate::model::row::{Cell, Health, Row, Tone, Value};

use super::users::{group_names, identity};
use super::{Place, State, tokens};

/// A row for an account with its tokens; `expected` is empty where the configuration names none.
pub fn row(
    user: &User,
    own: Option<&[&Token]>,
    expected: &[String],
    place: &Place,
    now: Timestamp,
) -> Option<Row> {
    let pk = user.pk.0?;
    let state = state(user, own, expected, now);
    let count = own.map(|own| i64::try_from(own.len()).unwrap_or(i64::MAX));
    let ends = own.and_then(|own| own.iter().filter_map(|token| tokens::ends(token)).min());
    let cells = vec![
        state.cell(),
        Cell::new(user.username.as_str()),
        count.map_or_else(|| Cell::toned("?", Tone::Unknown), Cell::new),
        Cell::toned(ends, Tone::from(state.health)),
        Cell::new(group_names(user).join(", ").as_str()),
        admin(user.is_superuser.0),
        Cell::new(user.last_login.time()),
        Cell::new(state.note.as_deref().unwrap_or_default()),
    ];
    let mut row = place.row(SERVICE_ACCOUNTS, pk.to_string(), user.username.as_str(), cells, state);
    row.identity = identity(user);
    Some(row)
}

/// A row for an account that the configuration expects and the server does not have.
pub fn missing(name: &str, place: &Place) -> Row {
    let state = State::new("missing", Health::Warning).note("the configuration expects it");
    let mut cells = vec![Cell::default(); 8];
    cells[0] = state.cell();
    cells[1] = Cell::new(name);
    cells[7] = Cell::new("the configuration expects it");
    place.row(SERVICE_ACCOUNTS, format!("missing-{name}"), name, cells, state)
}

fn admin(superuser: Option<bool>) -> Cell {
    match superuser {
        Some(true) => Cell::toned(true, Tone::Danger),
        other => Cell::new(other.map_or(Value::Empty, Value::Bool)),
    }
}

fn state(user: &User, own: Option<&[&Token]>, expected: &[String], now: Timestamp) -> State {
    if user.is_active.0 == Some(false) {
        return State::new("inactive", Health::Off);
    }
    if user.is_superuser.is_true() {
        return State::new("superuser", Health::Critical).note("a program that may do everything");
    }
    let worst = own.iter().flat_map(|own| own.iter()).map(|token| (token, tokens::state(token, now)));
    let worst = worst.min_by_key(|(_, state)| state.health);
    if let Some((token, state)) = worst.filter(|(_, state)| state.health <= Health::Warning) {
        let note = state.note.unwrap_or_default();
        return State { note: Some(format!("{}: {note}", token.identifier.as_str())), ..state };
    }
    if !expected.is_empty() && !expected.iter().any(|name| *name == *user.username) {
        return State::new("unexpected", Health::Warning).note("the configuration does not name it");
    }
    match own {
        None => State::new("unknown", Health::Unknown).note("tokens cannot be seen"),
        Some([]) => State::new("no token", Health::Off).note("nothing can log in with it"),
        Some(_) => State::new("ok", Health::Ok),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_most_of_an_account_is_said() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let user = |json: &str| serde_json::from_str::<User>(json).unwrap();
        let soon: Token = serde_json::from_str(
            r#"{"identifier":"ci-api","intent":"api","expiring":true,"expires":"2026-11-25T12:00:00Z"}"#,
        )
        .unwrap();
        let expected = ["ci".to_owned()];
        let ci = r#"{"pk":1,"username":"ci","is_active":true"#;
        let cases = [
            (user(&format!("{ci}}}")), Some(vec![&soon]), "expiring"),
            (user(&format!("{ci},\"is_superuser\":true}}")), Some(vec![&soon]), "superuser"),
            (user(&format!("{ci}}}")), Some(vec![]), "no token"),
            (user(&format!("{ci}}}")), None, "unknown"),
            (user(r#"{"pk":2,"username":"CI","is_active":true}"#), Some(vec![]), "unexpected"),
        ];
        for (user, own, word) in cases {
            assert_eq!(state(&user, own.as_deref(), &expected, now).word, word);
        }
    }
}
