//! What the rules need to know of all users, so that ten thousand of them need not be kept.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;

use crate::backend::authentik::people::Groups;
use crate::backend::authentik::wire::User;
use crate::backend::lenient::Words;

use super::Crowd;

/// So many members of family groups are tried against the server itself.
const TRIED: usize = 4;

/// Everybody, as far as the rules can tell people apart.
#[derive(Debug, Clone, Default)]
pub struct Census {
    /// People by what the engine sees of them.
    pub crowd: Crowd,
    /// Members of groups for administrators, by number.
    pub administrators: BTreeSet<i64>,
    /// Those of them who are people and active, by number and name.
    pub admins: Vec<(i64, String)>,
    /// Who may do everything and is family.
    pub powerful: Vec<String>,
    /// One member of each family group, a few in all, to be tried against the server.
    pub tried: Vec<(i64, String)>,
    /// Groups that have a direct member.
    pub peopled: BTreeSet<String>,
    /// What it rests on.
    pub grounds: Grounds,
}

/// What a census was taken of: it holds for as long as none of this has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grounds {
    /// The groups and their members, as one number.
    pub groups: u64,
    /// Whom bindings name.
    pub named: BTreeSet<i64>,
    /// How many users there were.
    pub count: usize,
    /// An instant before the first of them was read; absent where the server did not say when it answered.
    pub since: Option<Timestamp>,
}

impl Census {
    /// Takes it of all users.
    pub fn take(users: &[User], groups: &Groups, family: &BTreeSet<String>, grounds: Grounds) -> Self {
        let administrators = groups.administrators(users);
        let name = |user: &User| user.username.to_string();
        let admins = users.iter().filter(|user| is_human(user));
        let admins = admins.filter_map(|user| Some((user.pk.0?, name(user))));
        let powerful = users.iter().filter(|user| {
            let mut direct = direct(user);
            user.is_superuser.is_true() && user.is_active.is_true() && direct.any(|pk| family.contains(pk))
        });
        Self {
            crowd: Crowd::new(users, groups, &grounds.named),
            admins: admins.filter(|(pk, _)| administrators.contains(pk)).collect(),
            powerful: powerful.map(name).collect(),
            tried: probands(users, &administrators, family),
            peopled: users.iter().flat_map(direct).map(str::to_owned).collect(),
            administrators,
            grounds,
        }
    }

    /// A number that tells apart what it says of people.
    pub fn print(&self) -> u64 {
        print(&(&self.crowd, &self.administrators))
    }
}

/// A number by which two things can be told apart.
pub fn print(thing: &impl Debug) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{thing:?}").hash(&mut hasher);
    hasher.finish()
}

fn direct(user: &User) -> impl Iterator<Item = &str> {
    user.groups.iter().flat_map(Words::iter)
}

fn is_human(user: &User) -> bool {
    matches!(user.kind.as_str(), "internal" | "external") && user.is_active.is_true()
}

/// One active member of each family group who is no administrator, nobody twice.
fn probands(users: &[User], administrators: &BTreeSet<i64>, family: &BTreeSet<String>) -> Vec<(i64, String)> {
    let mut chosen: Vec<(i64, String)> = Vec::new();
    for group in family {
        let member = users.iter().filter(|user| is_human(user) && direct(user).any(|pk| pk == group));
        let member = member.filter_map(|user| Some((user.pk.0?, user)));
        let member = member.into_iter().find(|(pk, _)| !administrators.contains(pk));
        if let Some((pk, user)) = member
            && chosen.len() < TRIED
            && !chosen.iter().any(|(known, _)| *known == pk)
        {
            chosen.push((pk, user.username.to_string()));
        }
    }
    chosen
}
