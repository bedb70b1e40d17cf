//! Tokens: when they end and what their owner may do, never their keys.

use jiff::Timestamp;

use crate::backend::authentik::kinds::TOKENS;
use crate::backend::authentik::wire::Token;
use crate::model::id::Identity;
use crate::model::row::{Cell, Health, Row, Tone};
use crate::model::time::{seconds_between, short};

use super::{Place, State};

/// Below this a token is about to end, in seconds.
const SOON: i64 = 14 * 86_400;
/// An API token that ends so soon was made with an end that the server ignored, in seconds.
const TRAP: i64 = 3600;

/// A row for a token.
pub fn row(token: &Token, place: &Place, now: Timestamp) -> Option<Row> {
    let identifier = token.identifier.some()?;
    let state = state(token, now);
    let (power, tone) = power(token);
    let cells = vec![
        state.cell(),
        Cell::new(identifier),
        Cell::new(token.user_obj.username.as_str()),
        Cell::toned(token.intent.replace('_', " ").as_str(), Tone::Dim),
        Cell::toned(power, tone),
        Cell::toned(ends(token), Tone::from(state.health)),
        Cell::new(state.note.as_deref().unwrap_or_default()),
        Cell::new(token.description.as_str()),
    ];
    let mut row = place.row(TOKENS, identifier, identifier, cells, state);
    row.identity = identity(token);
    Some(row)
}

/// What makes a token that token.
pub fn identity(token: &Token) -> Identity {
    let identity =
        Identity::new().with("pk", token.pk.as_str()).with("identifier", token.identifier.as_str());
    match token.user.0 {
        Some(user) => identity.with("user", user.to_string()),
        None => identity,
    }
}

/// When it ends; one that does not expire shows a stale instant, which counts for nothing.
pub fn ends(token: &Token) -> Option<Timestamp> {
    if token.expiring.0 == Some(false) { None } else { token.expires.time() }
}

/// How a token is.
pub fn state(token: &Token, now: Timestamp) -> State {
    if token.managed.some().is_some() {
        return State::new("system", Health::Ok).note("the server's own: never touched");
    }
    if token.expiring.0.is_none() {
        return State::new("unknown", Health::Unknown).note("whether it expires cannot be read");
    }
    let Some(ends) = ends(token) else {
        return if token.expiring.is_true() {
            State::new("unknown", Health::Unknown).note("its end cannot be read")
        } else {
            State::new("ok", Health::Ok).note("never expires")
        };
    };
    let api = token.intent.as_str() == "api";
    match seconds_between(now, ends) {
        left if left <= 0 && api => {
            State::new("expired", Health::Critical).note("the server has swapped its key")
        }
        left if left <= 0 => State::new("expired", Health::Off).note("does nothing any more"),
        left if api && left < TRAP => State::new("expiring", Health::Critical)
            .note("the server ignores the end given to an API token: make it without one"),
        left if api && left < SOON => {
            let note = format!("in {} its key is swapped and its program gets 403", short(left));
            State::new("expiring", Health::Warning).note(note)
        }
        left if left < SOON && token.intent.as_str() == "app_password" => {
            State::new("expiring", Health::Warning).note("ends soon")
        }
        _ => State::new("ok", Health::Ok),
    }
}

fn power(token: &Token) -> (&'static str, Tone) {
    let owner = &token.user_obj;
    match (owner.is_active.0, owner.is_superuser.0) {
        (Some(false), _) => ("inactive", Tone::Off),
        (_, Some(true)) => ("superuser", Tone::Danger),
        (_, Some(false)) => ("limited", Tone::Dim),
        _ => ("?", Tone::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_counts_only_where_the_token_expires() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let cases = [
            (r#""intent":"api","expiring":false,"expires":"2020-01-01T00:00:00Z""#, "ok", Health::Ok),
            (
                r#""intent":"api","expiring":true,"expires":"2026-11-25T12:00:00Z""#,
                "expiring",
                Health::Warning,
            ),
            (
                r#""intent":"api","expiring":true,"expires":"2026-11-22T12:30:00Z""#,
                "expiring",
                Health::Critical,
            ),
            (
                r#""intent":"api","expiring":true,"expires":"2026-11-22T11:00:00Z""#,
                "expired",
                Health::Critical,
            ),
            (
                r#""intent":"recovery","expiring":true,"expires":"2026-11-22T11:00:00Z""#,
                "expired",
                Health::Off,
            ),
            (r#""intent":"recovery","expiring":true,"expires":"2026-11-22T12:30:00Z""#, "ok", Health::Ok),
            (r#""intent":"api","expiring":"x","expires":"2026-11-25T12:00:00Z""#, "unknown", Health::Unknown),
            (r#""managed":"goauthentik.io/outpost/1","expiring":true"#, "system", Health::Ok),
        ];
        for (json, word, health) in cases {
            let token: Token = serde_json::from_str(&format!("{{{json}}}")).unwrap();
            let state = state(&token, now);
            assert_eq!((state.word, state.health), (word, health), "{json}");
        }
    }
}
