//! The way of one person from the link to the applications, told from what the server has.

use jiff::Timestamp;

use crate::backend::authentik::fates::{End, Fate};
use crate::backend::authentik::kinds::ONBOARDING;
use crate::backend::authentik::people::Groups;
use crate::backend::authentik::seal::seal;
use crate::backend::authentik::wire::{Invitation, User};
use crate::model::row::{Cell, Health, Row, Tone};
use crate::model::time::seconds_between;

use super::invitations::{self, Keys};
use super::users::{group_names, identity, source};
use super::{Place, State};

/// Whoever has enrolled and not logged in for so long is stuck, in seconds.
const STUCK: i64 = 7 * 86_400;
/// Whoever has arrived so long ago is no news any more, in seconds.
const OLD: i64 = 30 * 86_400;

/// The lanes of the board, in order, and the states that stand in each.
pub const LANES: [(&str, &[&str]); 6] = [
    ("invited", &["invited", "expiring"]),
    ("opened", &["burnt", "expired", "revoked"]),
    ("enrolled", &["enrolled", "stuck", "unassigned"]),
    ("validated", &["validated"]),
    ("has apps", &["has apps"]),
    ("provisioned", &["provisioned"]),
];

/// What a row needs besides the one it is about.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// All groups.
    pub groups: &'a Groups,
    /// Where marks and groups are read from.
    pub keys: &'a Keys,
    /// The groups whose members count as validated.
    pub family: &'a [String],
    /// Where the rows live.
    pub place: &'a Place,
    /// The instant.
    pub now: Timestamp,
}

/// Everything but the state.
#[derive(Default)]
struct Line<'a> {
    name: &'a str,
    person: &'a str,
    invitation: &'a str,
    wants: String,
    groups: String,
    next: String,
    since: Option<Timestamp>,
    source: String,
}

fn row(key: String, line: &Line<'_>, state: State, place: &Place) -> Row {
    let cells = vec![
        state.cell(),
        Cell::new(line.name),
        Cell::new(line.person),
        Cell::new(line.invitation),
        Cell::new(line.wants.as_str()),
        Cell::new(line.groups.as_str()),
        Cell::toned(line.next.as_str(), Tone::from(state.health)),
        Cell::new(line.since),
        Cell::toned(line.source.as_str(), Tone::Dim),
    ];
    place.row(ONBOARDING, key, line.name, cells, state)
}

/// A person who has a link and has not opened it.
pub fn invited(invitation: &Invitation, made: Option<Timestamp>, terms: Terms<'_>) -> Option<Row> {
    let name = invitation.name.some()?;
    let waits = invitations::state(invitation, terms.now);
    let (word, next) = match waits.word {
        "expired" => ("expired", "invite again (e)"),
        "expiring" => ("expiring", "has to open the link today"),
        _ => ("invited", "has to open the link"),
    };
    let wants = terms.keys.group(invitation).unwrap_or_default().to_owned();
    let next = next.to_owned();
    let line = Line { name, invitation: name, wants, next, since: made, ..Line::default() };
    let state = State { word, ..waits };
    let mut row = row(format!("inv-{}", seal(&invitation.pk)), &line, state, terms.place);
    row.identity = invitations::identity(invitation, terms.keys);
    Some(row)
}

/// A person whose link is gone, and of whom there is no account.
pub fn lost(fate: &Fate, wants: Option<&str>, terms: Terms<'_>) -> Option<Row> {
    let (word, health, note, next) = match &fate.end {
        End::Burnt => {
            ("burnt", Health::Warning, "opened, and nobody enrolled".to_owned(), "invite again (e)")
        }
        End::Expired => {
            ("expired", Health::Off, "ran out before it was opened".to_owned(), "invite again (e)")
        }
        End::Revoked(who) => ("revoked", Health::Off, format!("revoked by {who}"), ""),
        End::Used(_) => return None,
    };
    let line = Line {
        name: &fate.name,
        invitation: &fate.name,
        wants: wants.unwrap_or_default().to_owned(),
        next: next.to_owned(),
        since: fate.ended.or(fate.made),
        ..Line::default()
    };
    let mut row = row(format!("inv-{}", fate.seal), &line, State::new(word, health).note(note), terms.place);
    row.identity = invitations::fate_identity(fate);
    Some(row)
}

/// A person who has an account; `uses` says whether any application was opened with it.
pub fn enrolled(user: &User, uses: bool, terms: Terms<'_>) -> Option<Row> {
    let pk = user.pk.0?;
    let mark = user.attributes.get(&terms.keys.mark);
    if !is_news(user, mark.is_some(), terms.now) {
        return None;
    }
    let words = |key: &str| -> Vec<&str> {
        let list = mark.and_then(|mark| mark.get(key)).and_then(serde_json::Value::as_array);
        list.into_iter().flatten().filter_map(serde_json::Value::as_str).collect()
    };
    let invitation = mark.and_then(|mark| mark.get("invitation")).and_then(serde_json::Value::as_str);
    let wants = words("wants");
    let (state, next) = stage(user, &wants, uses || is_provisioned(mark), terms);
    let line = Line {
        name: user.username.as_str(),
        person: user.name.as_str(),
        invitation: invitation.unwrap_or_default(),
        wants: wants.join(", "),
        groups: group_names(user).join(", "),
        next,
        since: user.last_login.time().or(user.date_joined.time()),
        source: match invitation {
            Some(_) => "invitation".to_owned(),
            None => Some(source(user, &terms.keys.mark))
                .filter(|s| !s.is_empty())
                .unwrap_or_else(|| "by hand".into()),
        },
    };
    let mut row = row(format!("user-{pk}"), &line, state, terms.place);
    row.identity = identity(user);
    Some(row)
}

/// People that came by invitation lately, and whoever is in no group at all.
fn is_news(user: &User, marked: bool, now: Timestamp) -> bool {
    let person = matches!(user.kind.as_str(), "internal" | "external");
    let lone = user.groups.as_ref().is_some_and(|groups| groups.0.is_empty());
    let old = user.date_joined.time().is_some_and(|joined| seconds_between(joined, now) > OLD);
    let active = user.is_active.0 != Some(false);
    person && active && (lone || (marked && !old))
}

/// Continuous integration writes what it has made an account for below the mark.
fn is_provisioned(mark: Option<&serde_json::Value>) -> bool {
    let made = mark.and_then(|mark| mark.get("provisioned")).and_then(serde_json::Value::as_object);
    made.is_some_and(|made| !made.is_empty())
}

fn stage(user: &User, wants: &[&str], arrived: bool, terms: Terms<'_>) -> (State, String) {
    let direct: Vec<&str> = user.groups.iter().flat_map(crate::backend::lenient::Words::iter).collect();
    let name_of = |pk: &str| terms.groups.get(pk).map(|group| group.name.to_string());
    let member: Vec<String> =
        direct.iter().flat_map(|pk| terms.groups.with_ancestors(pk)).filter_map(|pk| name_of(&pk)).collect();
    if let Some(missing) = wants.iter().find(|wanted| !member.iter().any(|name| name == **wanted)) {
        let note = format!("group not assigned: {missing}");
        let state = State::new("unassigned", Health::Warning).note(note);
        return (state, format!("add to {missing} (s)"));
    }
    if member.is_empty() {
        let joined = user.date_joined.time().map_or(0, |joined| seconds_between(joined, terms.now));
        let never = user.last_login.time().is_none();
        return if never && joined > STUCK {
            (
                State::new("stuck", Health::Warning).note("never logged in, and in no group"),
                "ask, or offboard".into(),
            )
        } else {
            (State::new("enrolled", Health::Pending).note("in no group"), "add to a group (s)".into())
        };
    }
    let family = |name: &&String| terms.family.iter().any(|family| family == *name);
    let apps = member.iter().any(|name| !family(&name));
    match (apps, arrived) {
        (_, true) => (State::new("provisioned", Health::Ok), String::new()),
        (true, false) => (State::new("has apps", Health::Ok), "has to open an application".into()),
        (false, false) => {
            (State::new("validated", Health::Pending), "add to an application's group (s)".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::backend::authentik::people::tests::group;
    use crate::model::row::Domain;

    use super::*;

    #[test]
    fn a_person_stands_where_the_servers_data_says() {
        let groups = Groups::new(
            vec![
                group("family", &[], false),
                group("nextcloud", &["family"], false),
                group("cloud2", &[], false),
            ],
            &[],
        );
        let keys = Keys { group: "group".into(), mark: "vigie".into() };
        let place = Place { instance: "auth".into(), domain: Domain::Cloud };
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let family = ["family".to_owned()];
        let terms = Terms { groups: &groups, keys: &keys, family: &family, place: &place, now };
        let mark = r#""attributes":{"vigie":{"invitation":"a-1","wants":["family"]}},"date_joined":"2026-11-20T12:00:00Z""#;
        let cases = [
            (format!(r#"{mark},"groups":[]"#), false, "unassigned", "add to family (s)"),
            (format!(r#"{mark},"groups":["cloud2"]"#), false, "unassigned", "add to family (s)"),
            (
                format!(r#"{mark},"groups":["family"]"#),
                false,
                "validated",
                "add to an application's group (s)",
            ),
            (format!(r#"{mark},"groups":["nextcloud"]"#), false, "has apps", "has to open an application"),
            (format!(r#"{mark},"groups":["nextcloud"]"#), true, "provisioned", ""),
            (
                r#""groups":[],"date_joined":"2026-11-22T09:00:00Z""#.to_owned(),
                false,
                "enrolled",
                "add to a group (s)",
            ),
            (
                r#""groups":[],"date_joined":"2026-10-22T09:00:00Z""#.to_owned(),
                false,
                "stuck",
                "ask, or offboard",
            ),
        ];
        for (json, uses, word, next) in cases {
            let user: User = serde_json::from_str(&format!(
                r#"{{"pk":9,"username":"aunt","type":"external","is_active":true,{json}}}"#
            ))
            .unwrap();
            let row = enrolled(&user, uses, terms).unwrap();
            assert_eq!(
                (&row.cell(0).value, row.cell(6).value.as_text().unwrap_or_default()),
                (&word.into(), next),
                "{json}"
            );
            assert!(LANES.iter().any(|(_, words)| words.contains(&word)), "{word} stands in no lane");
        }
        let settled = r#"{"pk":9,"username":"aunt","type":"external","is_active":true,"groups":["family"]}"#;
        assert_eq!(enrolled(&serde_json::from_str(settled).unwrap(), false, terms), None);
    }
}
