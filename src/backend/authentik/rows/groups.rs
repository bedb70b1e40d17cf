//! Groups.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::backend::authentik::kinds::GROUPS;
use crate::backend::authentik::people::Groups;
use crate::backend::authentik::wire::Group;
use crate::model::id::Identity;
use crate::model::row::{Cell, Health, Row, Tone};

use super::{Place, State};

/// A row for a group; `inactive` holds the users who are, where that is known.
pub fn row(group: &Group, groups: &Groups, inactive: Option<&BTreeSet<i64>>, place: &Place) -> Option<Row> {
    if group.pk.is_empty() {
        return None;
    }
    let state = state(group, groups);
    let members = group.members();
    let off = inactive.zip(members.as_ref());
    let off = off.map(|(off, members)| count(members.iter().filter(|pk| off.contains(pk)).count()));
    let mut above: Vec<&str> =
        group.above().filter_map(|pk| groups.get(pk)).map(|group| group.name.as_str()).collect();
    above.sort_unstable();
    let cells = vec![
        state.cell(),
        Cell::new(group.name.as_str()),
        Cell::new(members.as_ref().map(|members| count(members.len()))),
        Cell::toned(off.filter(|off| *off > 0), Tone::Dim),
        super::users::superuser(group.is_superuser.0),
        Cell::new(above.join(", ").as_str()),
        Cell::new(count(group.roles.0.len())),
        Cell::toned(group.pk.as_str(), Tone::Dim),
    ];
    let mut row = Row::new(place.id(GROUPS, group.pk.as_str()), group.name.as_str(), cells);
    row.health = state.health;
    row.note = state.note.map(Arc::from);
    row.domain = place.domain;
    row.identity = identity(group);
    Some(row)
}

/// What makes a group that group.
pub fn identity(group: &Group) -> Identity {
    Identity::new().with("pk", group.pk.as_str()).with("name", group.name.as_str())
}

fn state(group: &Group, groups: &Groups) -> State {
    if groups.is_admin(&group.pk) {
        return State::new("admin", Health::Ok);
    }
    match group.members() {
        None => State::new("unknown", Health::Unknown),
        Some(members) if members.is_empty() => State::new("empty", Health::Ok),
        Some(_) => State::new("ok", Health::Ok),
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use crate::backend::authentik::people::tests::group;
    use crate::backend::lenient::Words;
    use crate::model::row::{Domain, Value};

    use super::*;

    #[test]
    fn members_are_counted_and_groups_above_are_named() {
        let kids = Group {
            users: Some(Words(vec!["9".into(), "11".into()])),
            ..group("family-kids", &["family"], false)
        };
        let groups = Groups::new(vec![group("family", &[], false), kids.clone()], &[]);
        let place = Place { instance: "auth".into(), domain: Domain::Cloud };
        let row = row(&kids, &groups, Some(&[11].into()), &place).unwrap();
        let values: Vec<_> = row.cells[..6].iter().map(|cell| cell.value.clone()).collect();
        let expected: [Value; 6] =
            ["ok".into(), "family-kids".into(), 2.into(), 1.into(), false.into(), "family".into()];
        assert_eq!(values, expected);
    }
}
