//! Invitations: the key of each stays here, its seal goes out.

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::backend::authentik::fates::{End, Fate, Trail};
use crate::backend::authentik::kinds::INVITATIONS;
use crate::backend::authentik::seal::seal;
use crate::backend::authentik::wire::Invitation;
use crate::model::id::Identity;
use crate::model::row::{Cell, Health, Row, Tone};
use crate::model::time::seconds_between;

use super::{Place, State};

/// Below this an invitation is about to end, in seconds.
const SOON: i64 = 24 * 3600;

/// Where an invitation's data is read from: the key of its group and the mark that vigie leaves.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The key of `fixed_data` that names the group.
    pub group: String,
    /// The key below `attributes` that holds vigie's mark.
    pub mark: String,
}

impl Keys {
    /// The group that an invitation gives.
    pub fn group<'a>(&self, invitation: &'a Invitation) -> Option<&'a str> {
        invitation.fixed_data.get(&self.group).and_then(Json::as_str)
    }

    /// A word of the mark (`invited_by`).
    pub fn marked<'a>(&self, invitation: &'a Invitation, word: &str) -> Option<&'a str> {
        invitation.fixed_data.get("attributes")?.get(&self.mark)?.get(word)?.as_str()
    }
}

/// A row for an invitation whose events are known.
pub fn row(
    invitation: &Invitation,
    keys: &Keys,
    trail: &Trail,
    place: &Place,
    now: Timestamp,
) -> Option<Row> {
    if invitation.pk.is_empty() {
        return None;
    }
    let (state, seal) = (state(invitation, now), seal(&invitation.pk));
    let uses = invitation.single_use.0.map(|once| if once { "once" } else { "many" });
    let cells = vec![
        state.cell(),
        Cell::new(invitation.name.as_str()),
        Cell::new(keys.group(invitation).unwrap_or_default()),
        Cell::new(by(invitation, keys)),
        Cell::toned(uses.unwrap_or_default(), if uses == Some("many") { Tone::Warn } else { Tone::Dim }),
        Cell::new(trail.made(&seal)),
        Cell::toned(invitation.ends(), Tone::from(state.health)),
        Cell::new(invitation.flow_obj.slug.as_str()),
    ];
    let mut row = place.row(INVITATIONS, seal, invitation.name.as_str(), cells, state);
    row.identity = identity(invitation, keys);
    Some(row)
}

/// A row for an invitation that is gone; `wants` is the group it was for, where that is known.
pub fn gone(fate: &Fate, wants: Option<&str>, place: &Place) -> Row {
    let state = match &fate.end {
        End::Used(who) => State::new("used", Health::Ok).note(format!("{who} enrolled")),
        End::Burnt => {
            State::new("burnt", Health::Warning).note("opened, and nobody enrolled: invite again (e)")
        }
        End::Revoked(who) => State::new("revoked", Health::Off).note(format!("by {who}")),
        End::Expired => State::new("expired", Health::Off).note("ran out before it was opened"),
    };
    let mut cells = vec![Cell::default(); 8];
    cells[0] = state.cell();
    cells[1] = Cell::new(fate.name.as_str());
    cells[2] = Cell::new(wants.unwrap_or_default());
    cells[3] = Cell::new(fate.by.as_str());
    cells[5] = Cell::new(fate.made);
    let mut row = place.row(INVITATIONS, fate.seal.as_str(), &fate.name, cells, state);
    row.identity = fate_identity(fate);
    row
}

/// What makes an invitation that is gone that invitation.
pub fn fate_identity(fate: &Fate) -> Identity {
    Identity::new().with("seal", fate.seal.as_str()).with("name", fate.name.as_str())
}

/// What makes an invitation that invitation, besides its seal.
pub fn identity(invitation: &Invitation, keys: &Keys) -> Identity {
    let identity = Identity::new().with("seal", seal(&invitation.pk)).with("name", invitation.name.as_str());
    match keys.group(invitation) {
        Some(group) => identity.with("group", group),
        None => identity,
    }
}

/// Who invited.
pub fn by<'a>(invitation: &'a Invitation, keys: &Keys) -> &'a str {
    keys.marked(invitation, "invited_by").unwrap_or(invitation.created_by.username.as_str())
}

/// How an invitation is; the server lists expired ones until its cleaner comes, about five minutes later.
pub fn state(invitation: &Invitation, now: Timestamp) -> State {
    let Some(expires) = invitation.ends() else {
        return match invitation.expires.some() {
            None => State::new("waiting", Health::Warning).note("never expires"),
            Some(_) => State::new("unknown", Health::Unknown).note("its end cannot be read"),
        };
    };
    match seconds_between(now, expires) {
        left if left <= 0 => State::new("expired", Health::Off).note("its link does nothing any more"),
        left if left < SOON => State::new("expiring", Health::Warning).note("expires within a day"),
        _ if invitation.single_use.0 == Some(false) => {
            State::new("waiting", Health::Pending).note("can be used many times")
        }
        _ => State::new("waiting", Health::Pending),
    }
}

#[cfg(test)]
mod tests {
    use crate::model::row::Domain;

    use super::*;

    fn invitation(expires: &str) -> Invitation {
        let json = format!(
            r#"{{"pk":"589cd7ae-498b-4232-aa39-627816a56107","name":"aunt-1","expires":{expires},"single_use":true,
                "fixed_data":{{"group":"family","attributes":{{"vigie":{{"invited_by":"ada"}}}}}},
                "created_by":{{"pk":6,"username":"ops-console"}}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn keys() -> Keys {
        Keys { group: "group".into(), mark: "vigie".into() }
    }

    #[test]
    fn the_state_follows_the_time_that_is_left() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let cases = [
            ("\"2026-11-24T12:00:00Z\"", "waiting", Health::Pending),
            ("\"2026-11-23T11:59:59Z\"", "expiring", Health::Warning),
            ("\"2026-11-22T12:00:00Z\"", "expired", Health::Off),
            ("null", "waiting", Health::Warning),
            ("42", "unknown", Health::Unknown),
        ];
        for (expires, word, health) in cases {
            let state = state(&invitation(expires), now);
            assert_eq!((state.word, state.health), (word, health), "{expires}");
        }
    }

    #[test]
    fn the_key_that_opens_it_is_nowhere_in_the_row() {
        let place = Place { instance: "auth".into(), domain: Domain::Cloud };
        let invitation = invitation("null");
        let row = row(&invitation, &keys(), &Trail::default(), &place, Timestamp::UNIX_EPOCH).unwrap();
        assert!(!format!("{row:?}").contains("589cd7ae"));
        assert_eq!(row.cell(3).value, "ada".into());
        assert_eq!(row.identity.get("group"), Some("family"));
    }
}
